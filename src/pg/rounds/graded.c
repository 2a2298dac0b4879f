/*
 * graded.c
 *	  Problems whose known answers grade.
 */
#include "postgres.h"

#include "core/search/luck.h"
#include "pg/rounds/graded.h"
#include "pg/search/tree_store.h"

static rstar_string
string_of(const char *s)
{
	return (rstar_string){s, strlen(s)};
}

bool
rstar_pg_graded_closed(int64 problem_id)
{
	rstar_problem_row row;

	rstar_pg_problem_find(problem_id, &row);
	if (row.verifier)
		return false;
	if (!row.answer)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("problem " INT64_FORMAT " has no known answer and no verifier", problem_id),
				 errhint("Only known answers and verifiers tell right solutions from wrong "
						 "ones.")));
	return rstar_luck_closed(string_of(row.statement), string_of(row.answer));
}
