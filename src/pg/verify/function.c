/*
 * function.c
 *	  Verifiers that are a SQL function: whose code runs, and as whom.
 *
 * The function runs as the verifier's owner, in a restricted context and with a
 * search path of the server's own objects, so that it gains nothing from the
 * role that searches. Nor does that role gain anything from the owner: only roles
 * that have the owner's rights anyway may have it run. A background worker
 * searches for many roles, unattended: it runs the function for its owner alone.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "pg/base/boundary.h"
#include "pg/base/compat.h"
#include "pg/verify/verifier.h"

static const Oid argument_types[3] = {INT8OID, TEXTOID, TEXTOID};

Oid
rstar_pg_verifier_function(const char *schema, const char *name)
{
	Oid namespace = get_namespace_oid(schema, true);

	if (!OidIsValid(namespace))
		return InvalidOid;
	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
						   PointerGetDatum(buildoidvector(argument_types, 3)),
						   ObjectIdGetDatum(namespace));
}

const char *
rstar_pg_verifier_function_refused(Oid function, Oid owner)
{
	HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Form_pg_proc form;
	const char *refused = NULL;

	if (!HeapTupleIsValid(tuple))
		return "It does not exist any more.";
	form = (Form_pg_proc) GETSTRUCT(tuple);
	if (form->prokind != PROKIND_FUNCTION || form->proretset || form->prorettype != FLOAT8OID ||
		form->pronargs != lengthof(argument_types) ||
		memcmp(form->proargtypes.values, argument_types, sizeof argument_types) != 0)
		refused = "It is not of the form (problem_id bigint, solution text, answer text) RETURNS "
				  "double precision.";
	else if (!superuser_arg(form->proowner) && !has_privs_of_role(owner, form->proowner))
		refused = "It belongs to another role, who could replace it.";
	else if (!rstar_pg_may_execute(function, owner))
		refused = "The verifier's owner must not execute it.";
	ReleaseSysCache(tuple);
	return refused;
}

/* Whether the current user may have code of `owner` run here; if not, that is the verdict. */
static bool
may_run(const rstar_verifier *verifier, Oid owner, rstar_search_verdict *verdict)
{
	const char *searcher = GetUserNameFromId(GetUserId(), false);

	if (MyBgworkerEntry && GetUserId() != owner)
		rstar_pg_verify_fail(
			verdict, RSTAR_ERR_DENIED, verifier, "is not run by background workers for others",
			psprintf("It is a function that runs as role \"%s\", and a worker that searches for "
					 "role \"%s\" runs no code of other roles.",
					 verifier->created_by, searcher));
	else if (!has_privs_of_role(GetUserId(), owner))
		rstar_pg_verify_fail(
			verdict, RSTAR_ERR_DENIED, verifier, "is for its owner alone",
			psprintf("It is a function that runs as role \"%s\", whose rights role \"%s\" does not "
					 "have.",
					 verifier->created_by, searcher));
	return verdict->failed == RSTAR_OK;
}

/* --- the call ---------------------------------------------------------------------------- */

typedef struct call
{
	Oid function, owner;
	const rstar_verification *v;
	bool is_null;
	double grade;
} call;

static Datum
text_datum(rstar_string s)
{
	return CStringGetTextDatum(rstar_pg_clean_text(s.data, s.length));
}

/* Within the subtransaction, which restores user and settings if this raises. */
static void
run_call(void *arg)
{
	LOCAL_FCINFO(fcinfo, 3);
	call *c = arg;
	FmgrInfo info;
	Oid user;
	int security, level = NewGUCNestLevel();

	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(c->owner,
						   security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	fmgr_info(c->function, &info);
	InitFunctionCallInfoData(*fcinfo, &info, 3, DEFAULT_COLLATION_OID, NULL, NULL);
	fcinfo->args[0].value = Int64GetDatum(c->v->problem_id);
	fcinfo->args[1].value = text_datum(c->v->solution);
	fcinfo->args[2].value = text_datum(c->v->answer);
	fcinfo->args[0].isnull = fcinfo->args[1].isnull = fcinfo->args[2].isnull = false;
	c->grade = DatumGetFloat8(FunctionCallInvoke(fcinfo));
	c->is_null = fcinfo->isnull;
	AtEOXact_GUC(false, level);
	SetUserIdAndSecContext(user, security);
}

void
rstar_pg_verify_function(const rstar_verifier *verifier, const rstar_verification *v,
						 rstar_search_verdict *verdict)
{
	call c = {.v = v, .owner = get_role_oid(verifier->created_by, true)};
	const char *refused;
	ErrorData *error;

	if (!OidIsValid(c.owner))
	{
		rstar_pg_verify_fail(verdict, RSTAR_ERR_NOT_FOUND, verifier, "has lost its owner",
							 psprintf("There is no role \"%s\".", verifier->created_by));
		return;
	}
	if (!may_run(verifier, c.owner, verdict))
		return;
	c.function = rstar_pg_verifier_function(verifier->function_schema, verifier->function_name);
	refused = rstar_pg_verifier_function_refused(c.function, c.owner);
	if (refused)
		rstar_pg_verify_fail(
			verdict, RSTAR_ERR_NOT_FOUND, verifier, "has no function to call",
			psprintf("%s.%s: %s", verifier->function_schema, verifier->function_name, refused));
	else if (!rstar_pg_verify_contained(run_call, &c, RSTAR_VERIFY_KEEP, NULL, &error))
		rstar_pg_verify_fail(verdict, RSTAR_ERR_ARGUMENT, verifier, "raised an error",
							 error->message);
	else if (c.is_null)
		rstar_pg_verify_fail(verdict, RSTAR_ERR_ARGUMENT, verifier, "gave no grade",
							 "Its function returned NULL.");
	else
		rstar_pg_verify_grade(verdict, verifier, c.grade);
}
