/*
 * settings.c
 *	  Settings of the background workers.
 */
#include "postgres.h"

#include "pg/base/settings.h"
#include "pg/workers/settings.h"

rstar_workers_settings_values rstar_pg_workers_settings;

static const rstar_option options[] = {
	{.setting = "rstar.max_workers",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_workers_settings.max_workers,
	 .fallback = 2,
	 .min = 0,
	 .max = 256,
	 .context = PGC_SIGHUP,
	 .help = "Background workers of the whole server that work at jobs at the same time.",
	 .more = "0: jobs wait. Each takes one of max_worker_processes; needs rstar in "
			 "shared_preload_libraries."},
	{.name = "nice",
	 .setting = "rstar.worker_nice",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_workers_settings.nice,
	 .fallback = 10,
	 .min = 0,
	 .max = 19,
	 .context = PGC_USERSET,
	 .help = "How far background workers stand back behind the server's other processes.",
	 .more = "The nice level of the operating system: 0 gives them the same share of the "
			 "processor as everyone, 19 the least."},
};

void
rstar_pg_workers_settings_define(void)
{
	rstar_pg_settings_define(options, (int) lengthof(options));
}
