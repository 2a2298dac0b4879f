/*
 * compat.c
 *	  Functions that older servers lack.
 */
#include "postgres.h"

#include "catalog/pg_foreign_server.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "storage/ipc.h"
#include "utils/tuplestore.h"
#include "parser/analyze.h"
#include "utils/acl.h"
#include "utils/wait_event.h"

#include "pg/base/compat.h"

#if PG_VERSION_NUM >= 150000
static shmem_request_hook_type previous_request = NULL;
static void (*requests[8])(void);
static int n_requests = 0;

static void
request_all(void)
{
	if (previous_request)
		previous_request();
	for (int i = 0; i < n_requests; i++)
		requests[i]();
}

void
rstar_pg_on_shmem_request(void (*request)(void))
{
	Assert(n_requests < (int) lengthof(requests));
	requests[n_requests++] = request;
	if (n_requests > 1)
		return;
	previous_request = shmem_request_hook;
	shmem_request_hook = request_all;
}
#else
void
rstar_pg_on_shmem_request(void (*request)(void))
{
	request();
}
#endif

uint32
rstar_pg_wait_event(const char *name)
{
#if PG_VERSION_NUM >= 170000
	return WaitEventExtensionNew(name);
#else
	return PG_WAIT_EXTENSION;
#endif
}

#if PG_VERSION_NUM < 150000
/* Prepare a set-returning function to fill a tuplestore of its declared type. */
void
rstar_pg_materialize(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller;
	TupleDesc descriptor;

	if (!result || !IsA(result, ReturnSetInfo) || !(result->allowedModes & SFRM_Materialize))
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("set-valued function called in context that cannot accept a set")));
	caller = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	result->returnMode = SFRM_Materialize;
	result->setResult = tuplestore_begin_heap((result->allowedModes & SFRM_Materialize_Random) != 0,
											  false, work_mem);
	result->setDesc = descriptor;
	MemoryContextSwitchTo(caller);
}
#endif

bool
rstar_pg_may_execute(Oid function, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(ProcedureRelationId, function, role, ACL_EXECUTE) == ACLCHECK_OK;
#else
	return pg_proc_aclcheck(function, role, ACL_EXECUTE) == ACLCHECK_OK;
#endif
}

Query *
rstar_pg_analyze(RawStmt *statement, const char *text)
{
#if PG_VERSION_NUM >= 150000
	return parse_analyze_fixedparams(statement, text, NULL, 0, NULL);
#else
	return parse_analyze(statement, text, NULL, 0, NULL);
#endif
}

bool
rstar_pg_may_use_server(Oid foreign_server, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(ForeignServerRelationId, foreign_server, role, ACL_USAGE) == ACLCHECK_OK;
#else
	return pg_foreign_server_aclcheck(foreign_server, role, ACL_USAGE) == ACLCHECK_OK;
#endif
}

/* --- memory that grows -------------------------------------------------------------- */

void *
rstar_pg_grow(void *pointer, Size size)
{
#if PG_VERSION_NUM >= 160000
	return repalloc_extended(pointer, size, MCXT_ALLOC_NO_OOM | MCXT_ALLOC_HUGE);
#else
	MemoryContext context = GetMemoryChunkContext(pointer);

	return context->methods->realloc(context, pointer, size);
#endif
}
