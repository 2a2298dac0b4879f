/*
 * settings.c
 *	  Settings of training data.
 */
#include "postgres.h"

#include <limits.h>

#include "pg/base/settings.h"
#include "pg/data/settings.h"

rstar_data_settings_values rstar_pg_data_settings;

static const rstar_option options[] = {
	/* training data */
	{.name = "pair_min_margin",
	 .setting = "rstar.pair_min_margin",
	 .type = RSTAR_OPTION_REAL,
	 .variable.real = &rstar_pg_data_settings.pair_min_margin,
	 .fallback = 0.5,
	 .min = 0,
	 .max = 2,
	 .inherit = true,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Least difference of Q within a preference pair.",
	 .more = "-1: the default of the policy that made the tree, else 0.5."},
	{.name = "pair_min_edit",
	 .setting = "rstar.pair_min_edit",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_data_settings.pair_min_edit,
	 .fallback = 20,
	 .min = 0,
	 .max = 1000,
	 .inherit = true,
	 .context = PGC_USERSET,
	 .flags = GUC_EXPLAIN,
	 .help = "Least edit distance, in characters, between the texts of a preference pair.",
	 .more = "-1: the default of the policy that made the tree, else 20."},
};

void
rstar_pg_data_settings_define(void)
{
	rstar_pg_settings_define(options, lengthof(options));
}
