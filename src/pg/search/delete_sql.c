/*
 * delete_sql.c
 *	  rstar_delete_trees: stored trees by age, by round or by number.
 *
 * The trees are chosen as the caller and deleted as the tables' owner. Nodes,
 * trajectories and pairs go with them by cascading keys, whose indexes begin
 * with the tree's number: what is deleted decides how long it takes, not what
 * stays.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"

#include "pg/base/cluster.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"

PG_FUNCTION_INFO_V1(rstar_delete_trees);

/* Arguments of the SQL function, in its order. */
enum
{
	ARGUMENT_ROUND,
	ARGUMENT_AGE,
	ARGUMENT_TREES,
	N_ARGUMENTS
};

/* One without any would delete everything. */
static void
require_condition(FunctionCallInfo fcinfo)
{
	for (int i = 0; i < N_ARGUMENTS; i++)
		if (!PG_ARGISNULL(i))
			return;
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("rstar_delete_trees needs to know which trees to delete"),
					errhint("Give round_id, older_than or tree_ids.")));
}

/* An argument of the function as an argument of the statement; absent: NULL. */
static void
pass(FunctionCallInfo fcinfo, int i, Oid type, rstar_arguments *a)
{
	rstar_pg_add(a, type, PG_ARGISNULL(i) ? (Datum) 0 : PG_GETARG_DATUM(i), PG_ARGISNULL(i));
}

/*
 * The numbers of the trees that are meant and that the caller may delete; NULL: none. The
 * planner drops conditions whose argument is NULL and so finds the index of the others.
 */
static ArrayType *
choose_trees(FunctionCallInfo fcinfo)
{
	MemoryContext context = CurrentMemoryContext, spi;
	ArrayType *trees = NULL;
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	Datum value;
	bool is_null;

	rstar_pg_tables_read(&scope);
	pass(fcinfo, ARGUMENT_ROUND, INT8OID, &a);
	pass(fcinfo, ARGUMENT_AGE, INTERVALOID, &a);
	pass(fcinfo, ARGUMENT_TREES, INT8ARRAYOID, &a);
	rstar_pg_execute(
		"SELECT pg_catalog.array_agg(t.tree_id) AS trees FROM rstar.trees t"
		" WHERE ($1 IS NULL OR t.round_id OPERATOR(pg_catalog.=) $1)"
		" AND ($2 IS NULL OR t.finished_at OPERATOR(pg_catalog.<) (pg_catalog.now() "
		"OPERATOR(pg_catalog.-) $2))"
		" AND ($3 IS NULL OR t.tree_id OPERATOR(pg_catalog.=) ANY ($3))"
		" AND (t.created_by OPERATOR(pg_catalog.=) ANY (ARRAY("
		"SELECT r.rolname FROM pg_catalog.pg_roles r"
		" WHERE pg_catalog.pg_has_role(r.oid, 'USAGE')))"
		" OR pg_catalog.pg_has_role((SELECT c.relowner FROM pg_catalog.pg_class c"
		" WHERE c.oid OPERATOR(pg_catalog.=) 'rstar.trees'::pg_catalog.regclass), 'USAGE'))",
		&a, false);
	value = rstar_pg_result(0, "trees", &is_null);
	spi = MemoryContextSwitchTo(context);
	if (!is_null)
		trees = DatumGetArrayTypePCopy(value);
	MemoryContextSwitchTo(spi);
	rstar_pg_tables_end(&scope);
	return trees;
}

/*
 * In a cluster no key leads from a pair to the rejected tree, which may lie on another node; elsewhere
 * the key does it.
 */
static void
delete_pairs(rstar_arguments *trees)
{
	if (rstar_pg_cluster_node() != RSTAR_NO_CLUSTER)
		rstar_pg_execute("DELETE FROM rstar.preference_pairs"
						 " WHERE rejected_tree_id OPERATOR(pg_catalog.=) ANY ($1)",
						 trees, false);
}

/* Returns how many there still were. */
static int64
delete_trees(ArrayType *trees)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	int64 deleted;

	rstar_tables_begin(&scope, "trees", "nodes", "trajectories", "preference_pairs");
	rstar_pg_add(&a, INT8ARRAYOID, PointerGetDatum(trees), false);
	delete_pairs(&a);
	rstar_pg_execute("DELETE FROM rstar.trees WHERE tree_id OPERATOR(pg_catalog.=) ANY ($1)", &a,
					 false);
	deleted = (int64) SPI_processed;
	rstar_pg_tables_end(&scope);
	return deleted;
}

/*
 * rstar_delete_trees(round_id bigint, older_than interval, tree_ids bigint[]) returns bigint
 */
Datum
rstar_delete_trees(PG_FUNCTION_ARGS)
{
	ArrayType *trees;

	PreventCommandIfReadOnly("rstar_delete_trees()");
	require_condition(fcinfo);
	trees = choose_trees(fcinfo);
	PG_RETURN_INT64(trees ? delete_trees(trees) : 0);
}
