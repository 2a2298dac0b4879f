/*
 * ops_avx512.c
 *	  The loops of training: the avx512 family.
 */
#define LANES  16
#define FAMILY RSTAR_CPU_AVX512
#define TABLE  rstar_train_ops_avx512

#include "core/train/ops_template.h"
