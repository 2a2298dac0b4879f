/*
 * ops_portable.c
 *	  The loops of training: the portable family.
 */
#define LANES  4
#define FAMILY RSTAR_CPU_PORTABLE
#define TABLE  rstar_train_ops_portable

#include "core/train/ops_template.h"
