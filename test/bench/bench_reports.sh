#!/bin/sh
# The time that reports take: generated trees of 17 nodes and 4 answers, in four rounds.
#
#   bench_reports.sh [TREES]
#
# 600000 trees are 10 million nodes and take 4 GB and some minutes to make; the
# default is 40000. Times are of one round, in milliseconds, without parallel workers.
set -eu

here=$(cd "$(dirname "$0")/../.." && pwd)
trees=${1:-40000}
work=$(mktemp -d "${TMPDIR:-/tmp}/rstar-reports-XXXXXX")
chmod 0711 "$work"
server="$here/scripts/server.sh"
trap 'sh "$server" clean "$work/server" >/dev/null 2>&1; rm -rf "$work"' EXIT INT TERM

sh "$server" start "$work/server" >/dev/null
run() {
	sh "$server" run "$work/server" psql -XqAt -v ON_ERROR_STOP=1 "$@"
}

run -c "CREATE EXTENSION rstar"
run -v trees="$trees" <"$here/test/bench/generated_trees.sql"
echo "$(run -c 'SELECT count(*) FROM rstar.nodes') nodes, $(run -c 'SELECT pg_size_pretty(pg_database_size(current_database()))')"
for view in search_cost coverage problem_difficulty ppm_calibration backtracking duplicates step_failures q_by_depth training_sources; do
	printf '%-20s' "$view"
	run -c "SET jit = off" -c "SET max_parallel_workers_per_gather = 0" -c "SELECT count(*) FROM (SELECT * FROM rstar.$view WHERE round_id = 3 OFFSET 0) x" \
		-c '\timing on' -c "CREATE TEMP TABLE x AS SELECT * FROM rstar.$view WHERE round_id = 3" | sed -n 's/^Time: \([0-9.]*\).*/\1/p'
done
