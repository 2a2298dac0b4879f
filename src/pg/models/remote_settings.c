/*
 * remote_settings.c
 *	  Settings of models on other servers.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "core/remote/address.h"
#include "pg/base/settings.h"
#include "pg/models/remote_settings.h"

#define HOUR_MS (60 * 60 * 1000)

rstar_remote_settings_values rstar_pg_remote_settings;

static bool
check_hosts(char **newval, void **extra, GucSource source)
{
	rstar_error err;

	if (rstar_address_check_list(*newval, &err) == RSTAR_OK)
		return true;
	GUC_check_errdetail("%s", err.detail);
	GUC_check_errhint("An entry looks like gpu1, gpu1:8000 or http://localhost:8000; without "
					  "http:// it means https.");
	return false;
}

static bool
check_path(char **newval, void **extra, GucSource source)
{
	if ((*newval)[0] == '\0' || is_absolute_path(*newval))
		return true;
	GUC_check_errdetail("The path must be absolute.");
	return false;
}

static const rstar_option options[] = {
	{.setting = "rstar.remote_hosts",
	 .type = RSTAR_OPTION_TEXT,
	 .variable.text = &rstar_pg_remote_settings.hosts,
	 .text = "",
	 .context = PGC_SUSET,
	 .flags = GUC_SUPERUSER_ONLY,
	 .check_text = check_hosts,
	 .help = "Servers whose models may be used.",
	 .more =
		 "A list of hosts, each with its port unless it is 443, and with http:// in front if it "
		 "does not speak TLS. Empty: none."},
	{.setting = "rstar.remote_key_directory",
	 .type = RSTAR_OPTION_TEXT,
	 .variable.text = &rstar_pg_remote_settings.key_directory,
	 .text = "",
	 .context = PGC_SUSET,
	 .flags = GUC_SUPERUSER_ONLY,
	 .check_text = check_path,
	 .help = "Directory with the keys of model servers.",
	 .more = "The key of https://gpu1:8000 is the file gpu1_8000, that of https://gpu1 the file "
			 "gpu1. Nobody but the server's user may read them. Empty: there are none."},
	{.setting = "rstar.remote_ca_file",
	 .type = RSTAR_OPTION_TEXT,
	 .variable.text = &rstar_pg_remote_settings.ca_file,
	 .text = "",
	 .context = PGC_SUSET,
	 .flags = GUC_SUPERUSER_ONLY,
	 .check_text = check_path,
	 .help = "File with the certificates of authorities that model servers are trusted by.",
	 .more = "Empty: those of the system."},
	{.setting = "rstar.remote_in_flight",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_remote_settings.in_flight,
	 .fallback = 64,
	 .min = 1,
	 .max = 1024,
	 .context = PGC_SUSET,
	 .help = "Concurrent requests of one session or worker for one remote model."},
	{.setting = "rstar.remote_answer_size",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_remote_settings.answer_kb,
	 .fallback = 4096,
	 .min = 16,
	 .max = 65536,
	 .context = PGC_SUSET,
	 .flags = GUC_UNIT_KB,
	 .help = "Longest answer that is taken from a model server."},
	{.setting = "rstar.remote_connect_timeout",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_remote_settings.connect_ms,
	 .fallback = 5000,
	 .min = 1,
	 .max = HOUR_MS,
	 .context = PGC_USERSET,
	 .flags = GUC_UNIT_MS,
	 .help = "Longest time to connect to a model server."},
	{.setting = "rstar.remote_timeout",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_remote_settings.answer_ms,
	 .fallback = 300000,
	 .min = 1,
	 .max = HOUR_MS,
	 .context = PGC_USERSET,
	 .flags = GUC_UNIT_MS,
	 .help = "Longest time from a question to the end of its answer."},
	{.setting = "rstar.remote_rest_timeout",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_remote_settings.rest_ms,
	 .fallback = 30000,
	 .min = 1,
	 .max = HOUR_MS,
	 .context = PGC_USERSET,
	 .flags = GUC_UNIT_MS,
	 .help = "Longest time from the first byte of an answer to its last."},
	{.setting = "rstar.remote_patience",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_remote_settings.patience_ms,
	 .fallback = 10000,
	 .min = 0,
	 .max = HOUR_MS,
	 .context = PGC_USERSET,
	 .flags = GUC_UNIT_MS,
	 .help = "How long a question is asked again while a model server is away or overloaded."},
	{.setting = "rstar.remote_worker_patience",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_remote_settings.worker_patience_ms,
	 .fallback = 300000,
	 .min = 0,
	 .max = HOUR_MS,
	 .context = PGC_USERSET,
	 .flags = GUC_UNIT_MS,
	 .help = "The same for background workers, if it is longer."},
	{.setting = "rstar.remote_logprobs",
	 .type = RSTAR_OPTION_BOOL,
	 .variable.flag = &rstar_pg_remote_settings.logprobs,
	 .fallback = 1,
	 .context = PGC_USERSET,
	 .help = "Ask model servers for the log-probabilities of steps.",
	 .more = "Some are slow at them. Without them answers are weighed by their number."},
	{.setting = "rstar.remote_problems",
	 .type = RSTAR_OPTION_INT,
	 .variable.integer = &rstar_pg_remote_settings.problems,
	 .fallback = 64,
	 .min = 1,
	 .max = 1024,
	 .context = PGC_USERSET,
	 .help = "Problems searched side by side when another server writes the steps.",
	 .more = "It stands in for rstar.side_by_side then: a server is at its best when it is asked "
			 "many questions at a time."},
};

void
rstar_pg_remote_settings_define(void)
{
	rstar_pg_settings_define(options, lengthof(options));
}

rstar_http_limits
rstar_pg_remote_limits(void)
{
	const rstar_remote_settings_values *s = &rstar_pg_remote_settings;
	bool worker = MyBackendType == B_BG_WORKER;
	int patience = worker ? Max(s->patience_ms, s->worker_patience_ms) : s->patience_ms;

	return (rstar_http_limits){.connect_ms = (uint32) s->connect_ms,
							   .answer_ms = (uint32) s->answer_ms,
							   .rest_ms = (uint32) s->rest_ms,
							   .patience_ms = (uint32) patience,
							   .in_flight = (uint32) s->in_flight,
							   .answer_bytes = (Size) s->answer_kb * 1024};
}
