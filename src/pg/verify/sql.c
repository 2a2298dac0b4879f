/*
 * sql.c
 *	  Verifiers of queries: the rows of the answer are compared with the reference query's.
 *
 * Both run in the same jail (jail.h), in every schema of the verifier, whose tables are
 * the same and whose data are not: a query that hits upon the right rows by accident,
 * or names them outright, fails in the next. An answer is right if it gives the same
 * rows in each, in the same order where the reference query states one; otherwise it is
 * worth the share of rows that both have in common, minus 1.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "pg/base/boundary.h"
#include "pg/verify/jail.h"
#include "pg/verify/verifier.h"

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static char **
sorted(const rstar_jail_rows *rows)
{
	char **copy = palloc(Max(rows->n, 1) * sizeof *copy);

	memcpy(copy, rows->rows, rows->n * sizeof *copy);
	qsort(copy, rows->n, sizeof *copy, compare_texts);
	return copy;
}

/* Rows that both have, each counted as often as in the one that has it less often. */
static uint32
count_common(const rstar_jail_rows *a, const rstar_jail_rows *b)
{
	char **x = sorted(a), **y = sorted(b);
	uint32 i = 0, j = 0, common = 0;

	while (i < a->n && j < b->n)
	{
		int order = strcmp(x[i], y[j]);

		common += order == 0;
		i += order <= 0;
		j += order >= 0;
	}
	return common;
}

static bool
same_order(const rstar_jail_rows *a, const rstar_jail_rows *b)
{
	for (uint32 i = 0; i < a->n; i++)
		if (strcmp(a->rows[i], b->rows[i]) != 0)
			return false;
	return true;
}

/* What an answer is worth in one schema; 1: it is right there. */
static double
compare_rows(const rstar_jail_rows *reference, const rstar_jail_rows *answer)
{
	uint32 common;

	if (answer->columns != reference->columns)
		return -1;
	common = count_common(reference, answer);
	if (common == reference->n && common == answer->n &&
		(!reference->ordered || same_order(reference, answer)))
		return 1;
	return 2.0 * common / Max(reference->n + answer->n, 1) - 1;
}

/* The role as which queries run, or InvalidOid and a verdict. */
static Oid
role_of(const rstar_verifier *verifier, rstar_search_verdict *verdict)
{
	Oid role = get_role_oid(verifier->role, true);
	Oid owner = get_role_oid(verifier->created_by, true);
	const char *refused = rstar_pg_jail_role_refused(role);

	if (!refused && !(OidIsValid(owner) && is_member_of_role(owner, role)))
		refused = "The verifier's owner is not a member of it.";
	if (!refused)
		return role;
	rstar_pg_verify_fail(verdict, RSTAR_ERR_DENIED, verifier, "has no role to run queries as",
						 psprintf("Role \"%s\": %s", verifier->role, refused));
	return InvalidOid;
}

/* In one schema; false: there is a verdict. */
static bool
verify_in(const rstar_verifier *verifier, const char *schema, Oid role, const rstar_verification *v,
		  double *grade, rstar_search_verdict *verdict)
{
	rstar_jail_rows reference, answer;

	rstar_pg_jail_run(pnstrdup(v->data.data, v->data.length), schema, role, &reference);
	if (reference.why)
	{
		rstar_pg_verify_fail(verdict, RSTAR_ERR_ARGUMENT, verifier,
							 "cannot run the reference query",
							 psprintf("In schema \"%s\": %s", schema, reference.why));
		return false;
	}
	rstar_pg_jail_run(pnstrdup(v->answer.data, v->answer.length), schema, role, &answer);
	verdict->by_clock |= answer.by_clock;
	*grade = answer.why ? -1 : compare_rows(&reference, &answer);
	if (answer.why)
		rstar_pg_verify_say(verdict, "in schema %s: %s", schema, answer.why);
	else if (answer.columns != reference.columns)
		rstar_pg_verify_say(verdict, "in schema %s: %d columns instead of %d", schema,
							answer.columns, reference.columns);
	else if (*grade != 1)
		rstar_pg_verify_say(verdict, "in schema %s: other rows than the reference query's", schema);
	return true;
}

void
rstar_pg_verify_sql(const rstar_verifier *verifier, const rstar_verification *v,
					rstar_search_verdict *verdict)
{
	Oid role = role_of(verifier, verdict);
	double sum = 0;
	bool right = true;
	ListCell *cell;

	if (!OidIsValid(role))
		return;
	foreach (cell, verifier->schemas)
	{
		double grade;

		if (!verify_in(verifier, lfirst(cell), role, v, &grade, verdict))
			return;
		right &= grade == 1;
		/* The right rows where others are wrong are as good as none that is right. */
		sum += Min(grade, 0);
	}
	rstar_pg_verify_grade(verdict, verifier, right ? 1 : sum / list_length(verifier->schemas));
}
