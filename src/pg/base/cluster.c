/*
 * cluster.c
 *	  The extension's tables on the nodes of a Citus cluster.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "pg/base/cluster.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"

int
rstar_pg_cluster_node(void)
{
	rstar_arguments a = {0};

	if (!OidIsValid(get_extension_oid("citus", true)))
		return RSTAR_NO_CLUSTER;
	rstar_pg_add(&a, OIDOID, ObjectIdGetDatum(rstar_pg_table_oid("jobs")), false);
	rstar_pg_execute("SELECT g.groupid AS node FROM pg_catalog.pg_dist_local_group g"
					 " WHERE EXISTS (SELECT FROM pg_catalog.pg_dist_partition p"
					 "  WHERE p.logicalrelid OPERATOR(pg_catalog.=) $1)",
					 &a, true);
	return SPI_processed > 0 ? rstar_pg_result_int(0, "node", RSTAR_NO_CLUSTER) : RSTAR_NO_CLUSTER;
}

/*
 * The numbers are tried one after the other until one falls to this node: as many tries as there
 * are nodes, on average. Beyond `most` it is no matter of luck any more; and a node that holds no
 * trees at all tries none.
 */
static int64
number_on_this_node(int node)
{
	rstar_arguments a = {0};
	const int most = 1000;

	rstar_pg_add_int(&a, node, false);
	rstar_pg_add_int(&a, most, false);
	rstar_pg_execute(
		"SELECT n.number FROM pg_catalog.generate_series(1, $2) t (place),"
		" LATERAL (SELECT pg_catalog.nextval('rstar.trees_tree_id_seq') AS number"
		"           WHERE t.place IS NOT NULL OFFSET 0) n,"
		" LATERAL (SELECT EXISTS (SELECT FROM pg_catalog.pg_dist_placement p"
		"           WHERE p.groupid OPERATOR(pg_catalog.=) $1 AND p.shardid OPERATOR(pg_catalog.=)"
		"           pg_catalog.get_shard_id_for_distribution_column('rstar.trees', n.number))"
		"           AS here OFFSET 0) s"
		" WHERE s.here AND EXISTS (SELECT FROM pg_catalog.pg_dist_shard d"
		"  JOIN pg_catalog.pg_dist_placement p ON p.shardid OPERATOR(pg_catalog.=) d.shardid"
		"  WHERE d.logicalrelid OPERATOR(pg_catalog.=) 'rstar.trees'::pg_catalog.regclass"
		"  AND p.groupid OPERATOR(pg_catalog.=) $1) LIMIT 1",
		&a, false);
	return SPI_processed > 0 ? rstar_pg_result_bigint(0, "number", 0) : 0;
}

int64
rstar_pg_cluster_tree_number(void)
{
	rstar_arguments a = {0};
	int node = rstar_pg_cluster_node();
	int64 number = node != RSTAR_NO_CLUSTER ? number_on_this_node(node) : 0;

	if (number != 0)
		return number;
	rstar_pg_execute("SELECT pg_catalog.nextval('rstar.trees_tree_id_seq') AS number", &a, false);
	return rstar_pg_result_bigint(0, "number", 0);
}

/* --- where rows lie ------------------------------------------------------------------------ */

/* Citus's catalogue of the parts of tables; InvalidOid: there is no Citus. */
static Oid
catalogue_of_shards(void)
{
	return get_relname_relid("pg_dist_shard", PG_CATALOG_NAMESPACE);
}

/* A part of the table, of one that every node has the only one; 0: the table is not shared. */
static int64
first_shard_of(Oid shards, Oid table)
{
	Relation catalogue = table_open(shards, AccessShareLock);
	Oid index = get_relname_relid("pg_dist_shard_logicalrelid_index", PG_CATALOG_NAMESPACE);
	int64 shard = 0;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple row;
	bool is_null;

	ScanKeyInit(&key, get_attnum(shards, "logicalrelid"), BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(table));
	scan = systable_beginscan(catalogue, index, OidIsValid(index), NULL, 1, &key);
	row = systable_getnext(scan);
	if (HeapTupleIsValid(row))
		shard = DatumGetInt64(heap_getattr(row, get_attnum(shards, "shardid"),
										   RelationGetDescr(catalogue), &is_null));
	systable_endscan(scan);
	table_close(catalogue, AccessShareLock);
	return shard;
}

/* The relation of that part, which is named after the table; InvalidOid: it is not on this node. */
static Oid
relation_of(Oid table, int64 shard)
{
	return get_relname_relid(psprintf("%s_" INT64_FORMAT, get_rel_name(table), shard),
							 get_rel_namespace(table));
}

Oid
rstar_pg_cluster_copy_here(Oid table)
{
	Oid shards = catalogue_of_shards();
	int64 shard = OidIsValid(shards) ? first_shard_of(shards, table) : 0;
	Oid copy = shard != 0 ? relation_of(table, shard) : InvalidOid;

	return OidIsValid(copy) ? copy : table;
}

Oid
rstar_pg_cluster_part_here(Oid table, int64 key)
{
	Oid shards = catalogue_of_shards();
	rstar_arguments a = {0};
	int64 shard;

	if (!OidIsValid(shards) || first_shard_of(shards, table) == 0)
		return table;
	rstar_pg_add(&a, REGCLASSOID, ObjectIdGetDatum(table), false);
	rstar_pg_add_bigint(&a, key);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	rstar_pg_execute("SELECT pg_catalog.get_shard_id_for_distribution_column($1, $2) AS shard", &a,
					 true);
	shard = rstar_pg_result_bigint(0, "shard", 0);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	return relation_of(table, shard);
}

Oid
rstar_pg_cluster_index(Oid table, Oid found, const char *name)
{
	const char *suffix = get_rel_name(found) + strlen(get_rel_name(table));

	return get_relname_relid(psprintf("%s%s", name, suffix), get_rel_namespace(table));
}
