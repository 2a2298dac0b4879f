/*
 * settings.c
 *	  Settings of the sandbox.
 */
#include "postgres.h"

#include <limits.h>

#include "core/sandbox/sandbox.h"
#include "pg/base/settings.h"
#include "pg/sandbox/settings.h"

rstar_sandbox_settings_values rstar_pg_sandbox_settings;

static const struct config_enum_entry sandbox_modes[] = {
	{"auto", RSTAR_SANDBOX_MODE_AUTO, false},
	{"replay", RSTAR_SANDBOX_MODE_REPLAY, false},
	{NULL, 0, false}};

static const rstar_option options[] = {
	/* sandbox; the program and the modules run unconfined while it starts */
	{.setting = "rstar.sandbox_program",
	 .type = RSTAR_OPTION_TEXT,
	 .variable.text = &rstar_pg_sandbox_settings.sandbox_program,
	 .text = "",
	 .context = PGC_POSTMASTER,
	 .flags = GUC_SUPERUSER_ONLY,
	 .help = "Path of the program rstar-sandbox.",
	 .more = "Empty: the one in the server's library directory."},
	{.setting = "rstar.sandbox_modules",
	 .type = RSTAR_OPTION_TEXT,
	 .variable.text = &rstar_pg_sandbox_settings.sandbox_modules,
	 .text = RSTAR_SANDBOX_MODULES,
	 .context = PGC_POSTMASTER,
	 .flags = GUC_SUPERUSER_ONLY,
	 .help = "Python modules that a step's code can import.",
	 .more = "They are loaded before the code is confined; modules of these packages and of the "
			 "standard library can be imported too."},
	{.setting = "rstar.sandbox_mode",
	 .type = RSTAR_OPTION_ENUM,
	 .variable.integer = &rstar_pg_sandbox_settings.sandbox_mode,
	 .fallback = RSTAR_SANDBOX_MODE_AUTO,
	 .choices = sandbox_modes,
	 .context = PGC_SUSET,
	 .help = "How the state before a step comes about.",
	 .more = "auto: it is kept as a parked process where the kernel offers seccomp notification; "
			 "replay: the code of the steps before is run again."},
	{.setting = "rstar.sandbox_namespaces",
	 .type = RSTAR_OPTION_BOOL,
	 .variable.flag = &rstar_pg_sandbox_settings.sandbox_namespaces,
	 .fallback = 1,
	 .context = PGC_SUSET,
	 .help = "Whether the sandbox uses namespaces where the machine allows them.",
	 .more = "They are one layer of several; the others do not depend on it."},
	{.setting = "rstar.sandbox_shared",
	 .type = RSTAR_OPTION_BOOL,
	 .variable.flag = &rstar_pg_sandbox_settings.sandbox_shared,
	 .fallback = 1,
	 .context = PGC_SUSET,
	 .help = "Whether sessions fork their sandboxes from one template of the whole server.",
	 .more = "Loading Python and SymPy then takes place once. Processes, states and limits are "
			 "each session's own in any case."},
	{.name = "timeout",
	 .setting = "rstar.sandbox_timeout",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_sandbox_settings.sandbox_timeout_ms,
	 .fallback = 5000,
	 .min = 1,
	 .max = 3600000,
	 .limit = "rstar.sandbox_max_timeout",
	 .context = PGC_SUSET,
	 .flags = GUC_UNIT_MS | GUC_EXPLAIN,
	 .help = "Time that one step's code may take."},
	{.setting = "rstar.sandbox_max_timeout",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_sandbox_settings.sandbox_max_timeout_ms,
	 .fallback = 60000,
	 .min = 1,
	 .max = 3600000,
	 .context = PGC_SUSET,
	 .flags = GUC_UNIT_MS,
	 .help = "Upper bound of rstar.sandbox_timeout and of the argument timeout."},
	{.setting = "rstar.sandbox_cpu_timeout",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_sandbox_settings.sandbox_cpu_timeout_ms,
	 .fallback = 5000,
	 .min = 1,
	 .max = 3600000,
	 .context = PGC_SUSET,
	 .flags = GUC_UNIT_MS | GUC_EXPLAIN,
	 .help = "Processor time that one step's code may take.",
	 .more = "Unlike rstar.sandbox_timeout it does not depend on how busy the machine is."},
	{.setting = "rstar.sandbox_step_memory",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_sandbox_settings.sandbox_step_memory_mb,
	 .fallback = 256,
	 .min = 8,
	 .max = 1048576,
	 .context = PGC_SUSET,
	 .flags = GUC_UNIT_MB | GUC_EXPLAIN,
	 .help = "Memory that a step and those before it may add to the interpreter's own."},
	{.setting = "rstar.sandbox_memory",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_sandbox_settings.sandbox_memory_mb,
	 .fallback = 2048,
	 .min = 64,
	 .max = 1048576,
	 .context = PGC_SUSET,
	 .flags = GUC_UNIT_MB,
	 .help = "Memory of all processes of a session's sandbox.",
	 .more = "When it is full, states that are worth least are dropped and rebuilt on demand."},
	{.setting = "rstar.sandbox_processes",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_sandbox_settings.sandbox_processes,
	 .fallback = 256,
	 .min = 4,
	 .max = 4096,
	 .context = PGC_SUSET,
	 .help = "Processes of a session's sandbox that run a step or keep its state.",
	 .more = "When there are as many, states that are worth least are dropped and rebuilt on "
			 "demand."},
	{.setting = "rstar.sandbox_output",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_sandbox_settings.sandbox_output,
	 .fallback = 65536,
	 .min = 256,
	 .max = RSTAR_SANDBOX_OUTPUT_MAX,
	 .context = PGC_SUSET,
	 .flags = GUC_UNIT_BYTE | GUC_EXPLAIN,
	 .help = "Bytes of output that are kept of one step."},
	{.setting = "rstar.sandbox_parallel",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_sandbox_settings.sandbox_parallel,
	 .fallback = 0,
	 .min = 0,
	 .max = 256,
	 .context = PGC_SUSET,
	 .help = "Steps of one session that run at the same time.",
	 .more = "0: as many as there are cores."},
	{.setting = "rstar.sandbox_idle_timeout",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_sandbox_settings.sandbox_idle_timeout_s,
	 .fallback = 600,
	 .min = 0,
	 .max = 86400,
	 .context = PGC_SUSET,
	 .flags = GUC_UNIT_S,
	 .help = "Time after which an unused sandbox of a session ends itself.",
	 .more = "0: it lasts as long as the session. It starts again when it is needed."},
};

void
rstar_pg_sandbox_settings_define(void)
{
	rstar_pg_settings_define(options, lengthof(options));
}

Size
rstar_pg_settings_sandbox_bytes(void)
{
	return (Size) rstar_pg_sandbox_settings.sandbox_memory_mb * 1024 * 1024;
}
