/*
 * settings.c
 *	  Settings of training.
 */
#include "postgres.h"

#include <limits.h>

#include "pg/base/settings.h"
#include "pg/train/settings.h"

rstar_training_settings_values rstar_pg_training_settings;

static const rstar_option options[] = {
	{.setting = "rstar.training_memory",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_training_settings.memory_mb,
	 .fallback = 8192,
	 .min = 0,
	 .max = INT_MAX,
	 .context = PGC_SUSET,
	 .flags = GUC_UNIT_MB,
	 .help = "Memory of one run of training; a run that would take more is refused.",
	 .more = "0: no limit. Where it would be exceeded otherwise, activations are computed twice "
			 "instead of kept."},
	{.setting = "rstar.checkpoint_interval",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_training_settings.checkpoint_interval_s,
	 .fallback = 300,
	 .min = 1,
	 .max = 86400,
	 .context = PGC_USERSET,
	 .flags = GUC_UNIT_S,
	 .help = "Time between two checkpoints of training in the background.",
	 .more = "A crash loses at most the steps since the last one."},
	{.setting = "rstar.matrix_kernel",
	 .type = RSTAR_OPTION_TEXT,
	 .variable.text = &rstar_pg_training_settings.matrix_kernel,
	 .text = "",
	 .context = PGC_USERSET,
	 .help = "Kernel of matrix products in training: f32 (the fastest of those in single "
			 "precision), portable, avx2, avx512, openblas, bf16 or f16.",
	 .more = "Empty: the fastest on this machine, found by timing each of them."},
};

void
rstar_pg_training_settings_define(void)
{
	rstar_pg_settings_define(options, lengthof(options));
}
