/*
 * path_sql.c
 *	  rstar_path: the way up a tree that stands in an array.
 *
 * Where a recursive query cannot go (the nodes of a cluster share out joins, not recursions), a
 * query collects the parents of a tree's nodes and asks this.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(rstar_path);

/* The parent of a node; -1: it has none, or is not there. Parents come before their children. */
static int32
parent_of(const Datum *parents, const bool *nulls, int n, int32 node)
{
	int32 parent;

	if (node < 0 || node >= n || nulls[node])
		return -1;
	parent = DatumGetInt32(parents[node]);
	return parent < node ? parent : -1;
}

/* rstar_path(parents integer[], leaf_id integer) returns integer[] */
Datum
rstar_path(PG_FUNCTION_ARGS)
{
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(0);
	int32 node = PG_GETARG_INT32(1);
	Datum *parents, *path;
	bool *nulls;
	int n, length = 0;

	deconstruct_array(array, INT4OID, sizeof(int32), true, TYPALIGN_INT, &parents, &nulls, &n);
	path = palloc((n + 1) * sizeof *path);
	if (node < n)
		for (; node >= 0; node = parent_of(parents, nulls, n, node))
			path[length++] = Int32GetDatum(node);
	PG_RETURN_ARRAYTYPE_P(
		construct_array(path, length, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}
