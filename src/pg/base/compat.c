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
static void (*request_ours)(void) = NULL;

static void
request_all(void)
{
	if (previous_request)
		previous_request();
	request_ours();
}

void
rstar_pg_on_shmem_request(void (*request)(void))
{
	request_ours = request;
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

Query *
rstar_pg_analyze(RawStmt *statement, const char *text)
{
#if PG_VERSION_NUM >= 150000
	return parse_analyze_fixedparams(statement, text, NULL, 0, NULL);
#else
	return parse_analyze(statement, text, NULL, 0, NULL);
#endif
}

/* --- rights on objects -------------------------------------------------------------- */

static bool
may(Oid role, AclMode right, Oid class, Oid object)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(class, object, role, right) == ACLCHECK_OK;
#else
	return (class == ProcedureRelationId
				? pg_proc_aclcheck(object, role, right)
				: pg_foreign_server_aclcheck(object, role, right)) == ACLCHECK_OK;
#endif
}

bool
rstar_pg_may_execute(Oid function, Oid role)
{
	return may(role, ACL_EXECUTE, ProcedureRelationId, function);
}

bool
rstar_pg_may_use_server(Oid foreign_server, Oid role)
{
	return may(role, ACL_USAGE, ForeignServerRelationId, foreign_server);
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
