/*
 * compute.c
 *	  The session's thread pool.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/ipc.h"

#include "pg/base/boundary.h"
#include "pg/models/compute.h"
#include "pg/models/settings.h"

static rstar_pool *pool = NULL;
static uint64 generation = 0;
static bool exit_registered = false;

static void
join_threads(int code, Datum arg)
{
	rstar_pool_free(pool);
	pool = NULL;
}

rstar_pool *
rstar_pg_compute_pool(void)
{
	int threads = rstar_pg_settings_threads();
	rstar_pool *started;
	rstar_error err;

	if (pool && rstar_pool_threads(pool) == threads)
		return pool;
	if (!IsUnderPostmaster && !IsBootstrapProcessingMode() && PostmasterPid != 0)
		elog(ERROR, "rstar does not compute in the postmaster");

	if (!exit_registered)
	{
		before_shmem_exit(join_threads, (Datum) 0);
		exit_registered = true;
	}
	rstar_check(rstar_pool_create(threads, &started, &err), &err);
	rstar_pool_free(pool);
	pool = started;
	generation++;
	return pool;
}

uint64
rstar_pg_compute_generation(void)
{
	return generation;
}

rstar_cpu_family
rstar_pg_compute_family(void)
{
	rstar_cpu_family family;

	if (rstar_pg_model_settings.kernels < 0)
		return rstar_cpu_best();
	family = (rstar_cpu_family) rstar_pg_model_settings.kernels;
	if (!rstar_cpu_supports(family))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("this processor has no %s kernels", rstar_cpu_family_name(family)),
						errhint("Set \"rstar.kernels\" to \"auto\".")));
	return family;
}
