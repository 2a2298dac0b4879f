/*
 * test_parity_memory.c
 *	  One case of each model of test_parity.c, with the sanitizers in the kernels too.
 */
#define PARITY_ONLY 17

#include "test_parity.c"
