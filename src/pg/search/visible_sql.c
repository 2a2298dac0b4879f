/*
 * visible_sql.c
 *	  Row security of what hangs on a tree, where a policy cannot ask the table of trees.
 *
 * On the nodes of a Citus cluster policies have no subqueries. There a node, a trajectory or a
 * pair is seen with the tree by a function, which looks into the part of rstar.trees that lies
 * beside the row.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_authid.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "pg/base/cluster.h"
#include "pg/base/compat.h"
#include "pg/base/tables.h"

PG_FUNCTION_INFO_V1(rstar_tree_visible);
PG_FUNCTION_INFO_V1(rstar_maker_visible);

/* Of the last tree that was asked for in this call of the query: its nodes come one after the other. */
typedef struct last_tree
{
	int64 tree_id;
	bool visible;
} last_tree;

/* Who made the tree; false: it is not here. */
static bool
read_maker(int64 tree_id, NameData *maker)
{
	Oid trees = rstar_pg_table_oid("trees");
	Oid part = rstar_pg_cluster_part_here(trees, tree_id);
	Oid index;
	Relation table;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple row;
	bool found, is_null;

	if (!OidIsValid(part))
		return false;
	table = table_open(part, AccessShareLock);
	index = rstar_pg_cluster_index(trees, part, "trees_pkey");
	ScanKeyInit(&key, get_attnum(part, "tree_id"), BTEqualStrategyNumber, F_INT8EQ,
				Int64GetDatum(tree_id));
	scan = systable_beginscan(table, index, OidIsValid(index), GetActiveSnapshot(), 1, &key);
	row = systable_getnext(scan);
	found = HeapTupleIsValid(row);
	if (found)
		*maker = *DatumGetName(
			heap_getattr(row, get_attnum(part, "created_by"), RelationGetDescr(table), &is_null));
	systable_endscan(scan);
	table_close(table, AccessShareLock);
	return found;
}

static bool
sees_all(void)
{
	return has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_DATA);
}

static bool
sees_trees_of(const NameData *maker)
{
	Oid role = get_role_oid(NameStr(*maker), true);

	return OidIsValid(role) && has_privs_of_role(GetUserId(), role);
}

static bool
is_visible(int64 tree_id)
{
	NameData maker;

	return sees_all() || (read_maker(tree_id, &maker) && sees_trees_of(&maker));
}

/* rstar_maker_visible(created_by name) returns boolean */
Datum
rstar_maker_visible(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(sees_all() || sees_trees_of(PG_GETARG_NAME(0)));
}

/* rstar_tree_visible(tree_id bigint) returns boolean */
Datum
rstar_tree_visible(PG_FUNCTION_ARGS)
{
	int64 tree_id = PG_GETARG_INT64(0);
	last_tree *last = fcinfo->flinfo->fn_extra;

	if (!last)
	{
		last = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof *last);
		*last = (last_tree){tree_id, is_visible(tree_id)};
		fcinfo->flinfo->fn_extra = last;
	}
	else if (last->tree_id != tree_id)
		*last = (last_tree){tree_id, is_visible(tree_id)};
	PG_RETURN_BOOL(last->visible);
}
