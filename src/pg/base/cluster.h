/*
 * cluster.h
 *	  The extension's tables on the nodes of a Citus cluster.
 *
 * sql/citus.sql makes them so: what hangs on a tree lies on the node that holds the
 * tree, problems and models on every node, and the rest, the queue of jobs included,
 * on the coordinator, where every node reads and writes it. A node's sequences count
 * in a range of its own (sql/number_range.sql), so numbers do not collide.
 *
 * Nothing here needs Citus to compile; a database without it answers "no cluster".
 */
#ifndef RSTAR_PG_BASE_CLUSTER_H
#define RSTAR_PG_BASE_CLUSTER_H

#include "postgres.h"

#define RSTAR_NO_CLUSTER  (-1)
#define RSTAR_COORDINATOR 0

/*
 * Within a scope of tables.h: the number of this node, RSTAR_COORDINATOR or above;
 * RSTAR_NO_CLUSTER: the tables are this server's alone. Reads what lies on this node only, so it
 * answers while others are down.
 */
extern int rstar_pg_cluster_node(void);

/*
 * Within a scope: the next number of a tree, in a cluster one whose rows lie on this node, so that
 * a tree is stored without the others. (Where this node holds no part of the trees: any.)
 */
extern int64 rstar_pg_cluster_tree_number(void);

/*
 * The relation in which rows of a table that every node has lie on this node: its copy there, or
 * without a cluster the table itself. For scans that do not go through the planner.
 */
extern Oid rstar_pg_cluster_copy_here(Oid table);

/*
 * The same for a table that is cut into parts by a bigint: the part with that key, InvalidOid if it
 * lies on another node; without a cluster the table itself. Connects to SPI.
 */
extern Oid rstar_pg_cluster_part_here(Oid table, int64 key);

/* That index of a table, given what is found above in its place. */
extern Oid rstar_pg_cluster_index(Oid table, Oid found, const char *name);

#endif
