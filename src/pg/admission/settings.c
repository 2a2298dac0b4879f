/*
 * settings.c
 *	  Settings of the whole server's limits.
 */
#include "postgres.h"

#include <limits.h>

#include "pg/admission/admission.h"
#include "pg/admission/settings.h"
#include "pg/base/settings.h"

rstar_admission_settings_values rstar_pg_admission_settings;

static const rstar_option options[] = {
	{.setting = "rstar.max_active_searches",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_admission_settings.max_active_searches,
	 .fallback = 0,
	 .min = 0,
	 .max = 10000,
	 .context = PGC_SIGHUP,
	 .assign_integer = rstar_pg_admission_assign_searches,
	 .help = "Searches that run at the same time on the whole server; others wait their turn.",
	 .more = "0: as many as there are cores. Needs rstar in shared_preload_libraries; without, "
			 "sessions know nothing of each other and none waits."},
	{.setting = "rstar.total_kv_cache",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_admission_settings.total_kv_cache_mb,
	 .fallback = 0,
	 .min = 0,
	 .max = INT_MAX,
	 .context = PGC_SIGHUP,
	 .flags = GUC_UNIT_MB,
	 .assign_integer = rstar_pg_admission_assign_kv,
	 .help = "KV cache of all searches of the whole server; a search waits until its own fits.",
	 .more =
		 "0: no limit. A search reserves rstar.kv_cache for each of its models. Without rstar in "
		 "shared_preload_libraries it bounds each session by itself."},
	{.setting = "rstar.total_sandbox_memory",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_admission_settings.total_sandbox_memory_mb,
	 .fallback = 0,
	 .min = 0,
	 .max = INT_MAX,
	 .context = PGC_SIGHUP,
	 .flags = GUC_UNIT_MB,
	 .assign_integer = rstar_pg_admission_assign_sandbox,
	 .help =
		 "Sandbox memory of all searches of the whole server; a search waits until its own fits.",
	 .more = "0: no limit. A search reserves rstar.sandbox_memory. Without rstar in "
			 "shared_preload_libraries it bounds each session by itself."},
	{.setting = "rstar.total_sandbox_processes",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_admission_settings.total_sandbox_processes,
	 .fallback = 4096,
	 .min = 0,
	 .max = 1048576,
	 .context = PGC_SIGHUP,
	 .assign_integer = rstar_pg_admission_assign_processes,
	 .help = "Sandbox processes of all searches of the whole server; a search waits until its own "
			 "fit.",
	 .more = "0: no limit. A search reserves rstar.sandbox_processes. Keep it well below the limit "
			 "that the operating system sets for the server, which otherwise could not fork. "
			 "Without rstar in shared_preload_libraries it bounds each session by itself."},
};

void
rstar_pg_admission_settings_define(void)
{
	rstar_pg_settings_define(options, lengthof(options));
}
