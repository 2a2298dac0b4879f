/*
 * module.c
 *	  The library's entry: what happens when a session (or, with
 *	  shared_preload_libraries, the postmaster) loads rstar.
 *
 * Nothing here starts a thread, opens a file or takes memory worth mentioning:
 * a session that never calls rstar pays for a table of settings only.
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"

#include "pg/admission/admission.h"
#include "pg/admission/settings.h"
#include "pg/base/compat.h"
#include "pg/base/shared_memory.h"
#include "pg/models/files.h"
#include "pg/data/settings.h"
#include "pg/models/remote_settings.h"
#include "pg/models/settings.h"
#include "pg/rounds/evaluate.h"
#include "pg/rounds/round_job.h"
#include "pg/sandbox/settings.h"
#include "pg/search/search_all.h"
#include "pg/search/settings.h"
#include "pg/train/settings.h"
#include "pg/train/train_job.h"
#include "pg/verify/settings.h"
#include "pg/workers/processes.h"
#include "pg/workers/settings.h"
#include "pg/workers/shared.h"

RSTAR_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

PG_FUNCTION_INFO_V1(rstar_require_utf8);

void
_PG_init(void)
{
	rstar_pg_model_settings_define();
	rstar_pg_admission_settings_define();
	rstar_pg_remote_settings_define();
	rstar_pg_search_settings_define();
	rstar_pg_data_settings_define();
	rstar_pg_verify_settings_define();
	rstar_pg_sandbox_settings_define();
	rstar_pg_workers_settings_define();
	rstar_pg_training_settings_define();
	MarkGUCPrefixReserved("rstar");
	rstar_pg_model_files_init();
	rstar_pg_admission_init();
	rstar_pg_search_all_define();
	rstar_pg_train_jobs_define();
	rstar_pg_evaluate_define();
	rstar_pg_round_define();
	rstar_pg_shared_init();
	rstar_pg_shared_memory_init();
	rstar_pg_launcher_init();
}

/*
 * Called once, by CREATE EXTENSION: vocabularies and solutions are UTF-8, and
 * every text function hands bytes to the core as they are.
 */
Datum
rstar_require_utf8(PG_FUNCTION_ARGS)
{
	if (GetDatabaseEncoding() != PG_UTF8)
		ereport(
			ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("rstar needs a database with encoding UTF8"),
			 errdetail("This database has encoding %s.", GetDatabaseEncodingName()),
			 errhint("Create one with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0.")));
	PG_RETURN_VOID();
}
