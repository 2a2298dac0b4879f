/*
 * settings.c
 *	  Settings of verifiers: the limits of queries.
 */
#include "postgres.h"

#include <limits.h>

#include "pg/base/settings.h"
#include "pg/verify/settings.h"

rstar_verify_settings_values rstar_pg_verify_settings;

static const rstar_option options[] = {
	{.setting = "rstar.verify_timeout",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_verify_settings.timeout_ms,
	 .fallback = 2000,
	 .min = 10,
	 .max = 3600000,
	 .context = PGC_SUSET,
	 .flags = GUC_UNIT_MS,
	 .help = "Longest time that a query may take which a verifier of kind sql runs."},
	{.setting = "rstar.verify_memory",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_verify_settings.memory_mb,
	 .fallback = 256,
	 .min = 16,
	 .max = 1048576,
	 .context = PGC_SUSET,
	 .flags = GUC_UNIT_MB,
	 .help = "Memory that such a query may take.",
	 .more = "Its temporary files may be as large."},
	{.setting = "rstar.verify_rows",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_verify_settings.rows,
	 .fallback = 10000,
	 .min = 1,
	 .max = 10000000,
	 .context = PGC_SUSET,
	 .help = "Rows that such a query may return."},
};

void
rstar_pg_verify_settings_define(void)
{
	rstar_pg_settings_define(options, lengthof(options));
}
