/*
 * ops_avx2.c
 *	  The loops of training: the avx2 family.
 */
#define LANES  8
#define FAMILY RSTAR_CPU_AVX2
#define TABLE  rstar_train_ops_avx2

#include "core/train/ops_template.h"
