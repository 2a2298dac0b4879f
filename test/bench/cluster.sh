#!/bin/sh
# A cluster of many trees on this machine (Citus): filling it, dumping it and restoring the dump on one
# server, a third node that joins, shards that move to it, and the reports of both side by side.
#
#   cluster.sh [TREES]
#
# The trees are generated (generated_trees.sql), 17 nodes each: 600000 are 10 million nodes and take
# 12 GB of disk and a quarter of an hour; the default is 40000. All rows are compared by checksum after the
# restore and after the move. Citus must be installed in the PostgreSQL that PG_CONFIG names.
set -eu

here=$(cd "$(dirname "$0")/../.." && pwd)
trees=${1:-40000}
work=$(mktemp -d "${TMPDIR:-/tmp}/rstar-cluster-XXXXXX")
chmod 0711 "$work"
server="$here/scripts/server.sh"
members="one two three single"
trap 'for m in $members; do sh "$server" clean "$work/$m" >/dev/null 2>&1; done; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
tables="problems rounds round_problems trees nodes trajectories training_examples"

# run MEMBER COMMAND...; ask MEMBER PSQL-ARGUMENTS...
run() {
	member=$1
	shift
	sh "$server" run "$work/$member" "$@"
}
ask() {
	member=$1
	shift
	run "$member" psql -XqAt -v ON_ERROR_STOP=1 "$@"
}
port() { cat "$work/$1/port"; }

# timed LABEL COMMAND...
timed() {
	label=$1 began=$(date +%s.%N)
	shift
	"$@" >/dev/null
	echo "$began $(date +%s.%N)" | awk -v label="$label" '{ printf "%-44s %8.1f s\n", label, $2 - $1 }'
}

start() {
	sh "$server" start "$work/$1" listen_addresses=127.0.0.1 shared_preload_libraries="$2" wal_level=logical max_wal_size=4GB \
		max_worker_processes=24 max_connections=100 max_prepared_transactions=100 rstar.max_workers=0 shared_buffers=256MB citus.node_conninfo=sslmode=prefer >/dev/null
}

join_cluster() {
	ask "$1" -c 'CREATE EXTENSION citus'
	ask one -c "SELECT citus_add_node('127.0.0.1', $(port "$1"))" >/dev/null
}

checksums() {
	for table in $tables; do
		ask "$1" -c "SELECT '$table', count(*), sum(hashtextextended(t::text, 0)::numeric) FROM rstar.$table t"
	done
}

compare() {
	checksums "$1" >"$work/sums"
	cmp "$work/sums" "$work/sums.before" && echo "$2: every row as before"
}

where_rows_lie() {
	ask one -c "SELECT format('node %s: %s shards of rstar.nodes', groupid, count(*)) FROM pg_dist_shard JOIN pg_dist_placement USING (shardid)
		WHERE logicalrelid = 'rstar.nodes'::regclass GROUP BY groupid ORDER BY groupid" -c "SELECT 'size of them: ' || pg_size_pretty(citus_total_relation_size('rstar.nodes'))"
}

dump() { run one pg_dump -Fc -Z1 -T 'columnar_internal.*' --extension rstar --extension plpgsql -f "$work/one/dump"; }
restore() { run single sh -c "pg_restore --exit-on-error -d postgres '$work/one/dump'"; }
rebalance() { ask one -c 'SET client_min_messages = warning' -c "SELECT rebalance_table_shards(shard_transfer_mode => 'block_writes')"; }

# Seconds of a view on one server and on the cluster, asked in turns: the second of two each.
report() {
	for member in single one single one; do
		printf '%s ' "$member"
		ask "$member" -c 'SET jit = off' -c '\timing on' -c "CREATE TEMP TABLE x AS SELECT * FROM rstar.$1 WHERE round_id = 3" | sed -n 's/^Time: \([0-9.]*\).*/\1/p'
	done | awk -v view="$1" '{ t[$1] = $2 } END { printf "%-20s one server %8.1f s, three nodes %8.1f s\n", view, t["single"] / 1000, t["one"] / 1000 }'
}

for m in one two three; do start "$m" "citus, rstar"; done
start single rstar
ask one -c 'CREATE EXTENSION citus' -c 'CREATE EXTENSION rstar' -c "SELECT citus_set_coordinator_host('127.0.0.1', $(port one))" \
	-c "SELECT citus_set_node_property('127.0.0.1', $(port one), 'shouldhaveshards', true)" >/dev/null
join_cluster two
ask one -f "$here/sql/citus.sql"
cp "$here/test/bench/generated_trees.sql" "$work/"
chmod 0644 "$work/generated_trees.sql"
timed "filling two nodes" ask one -v trees="$trees" -f "$work/generated_trees.sql"
echo "$(ask one -c 'SELECT count(*) FROM rstar.nodes') nodes in $trees trees"
where_rows_lie
checksums one >"$work/sums.before"

timed "pg_dump of the cluster" dump
du -h "$work/one/dump" | cut -f 1
timed "pg_restore on one server" restore
rm "$work/one/dump"
compare single "restored"
ask single -c 'VACUUM ANALYZE'

join_cluster three
ask one -f "$here/sql/citus.sql"
timed "rebalance_table_shards to a third node" rebalance
where_rows_lie
compare one "moved"
ask one -c 'VACUUM ANALYZE'
for view in search_cost coverage problem_difficulty ppm_calibration backtracking duplicates step_failures q_by_depth training_sources; do report $view; done
