#!/bin/sh
# Throughput of rstar_search_all with 1 and 2 workers against rstar_search(array) in one
# session, over the same problems with one thread each: by the clock, and by the processor time
# of the whole machine, on which nothing else may run. Machines do not keep their speed, so the
# runs take turns and the ratios are those within a round; what counts is their median.
#
#   sh test/bench/workers.sh [problems] [rollouts] [rounds] [file.jsonl[.gz]]
#
# The problems are sums, which take a few milliseconds each, so that what a worker costs shows; or
# the first of a file, as sql/import_problems.sql reads them.
#
# The extension must be installed in the PostgreSQL that PG_CONFIG names.
set -eu
cd "$(dirname "$0")/../.."
problems=${1:-500} rollouts=${2:-4}
dir=$(mktemp -d "${TMPDIR:-/tmp}/rstar-bench.XXXXXX")
rmdir "$dir"
server=scripts/server.sh
log=$(mktemp "${TMPDIR:-/tmp}/rstar-bench.XXXXXX.log")
trap 'sh $server clean "$dir" >/dev/null 2>&1; rm -f "$log" "$log.ratios"' EXIT
sh $server start "$dir" shared_preload_libraries=rstar max_worker_processes=16 rstar.max_workers=2 >/dev/null

sql() { sh $server run "$dir" psql -XAtq -v ON_ERROR_STOP=1 -c "$1"; }

# Clock ticks that the machine was busy. Not those of the processes: a sandbox's are lost with it,
# as nobody waits for it.
ticks() { awk '/^cpu / { print $2 + $3 + $4 + $7 + $8; exit }' /proc/stat; }

# measure NAME COMMAND...
measure() {
	name=$1
	shift
	sql "CHECKPOINT" >/dev/null
	before=$(ticks) began=$(date +%s.%N)
	"$@" >/dev/null
	ended=$(date +%s.%N)
	# The end of workers and sandboxes belongs to it; looking for it, as little as can be.
	sleep 1
	until [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'rstar worker'")" = 0 ]; do sleep 1; done
	after=$(ticks)
	echo "$name $began $ended $before $after $problems" | awk -v hz="$(getconf CLK_TCK)" '{
		wall = $3 - $2; cpu = ($5 - $4) / hz
		printf "%-28s %6.1f problems/s by the clock, %6.1f problems per processor second\n", $1, $6 / wall, $6 / cpu }' | tee -a "$log"
}

# Medians of the ratios to the session of the same round.
ratios() {
	awk '$1 == "rstar_search(array)" { clock = $2; cpu = $7; next }
		{ print $1, $2 / clock, $7 / cpu }' "$log" | sort -k1,1 -k3,3n >"$log.ratios"
	for name in 1_worker 2_workers; do
		for column in 2 3; do
			grep "$name" "$log.ratios" | sort -k$column,${column}n | awk -v c=$column '{ v[NR] = $c } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
		done | paste -sd ' ' - | awk -v name="$name" '{ printf "%s against the session, median: %.3f by the clock, %.3f a processor second\n", name, $1, $2 }'
	done
}

session() { sql "SET rstar.threads = 1; SELECT count(*) FROM rstar_search(ARRAY(SELECT problem_id FROM rstar.problems ORDER BY 1), rollouts => $rollouts)"; }
workers() {
	sh $server run "$dir" psql -XAtq -v ON_ERROR_STOP=1 \
		-c "SELECT rstar_search_all('SELECT problem_id FROM rstar.problems ORDER BY 1', rollouts => $rollouts, workers => $1, threads => 1, nice => 0)" \
		-c "SELECT rstar_wait(max(job_id)) FROM rstar.jobs"
}

sql "CREATE EXTENSION rstar"
if [ "${4:-}" ]; then
	gzip -cdf "$4" | head -n "$problems" | sh $server run "$dir" psql -Xq -f "$PWD/sql/import_problems.sql"
else
	sql "INSERT INTO rstar.problems (statement, answer)
	     SELECT 'What is ' || i || ' + ' || 2 * i || '?', 3 * i FROM generate_series(1, $problems) i"
fi
for round in $(seq "${3:-2}"); do
	measure "rstar_search(array)" session
	measure "rstar_search_all,1_worker" workers 1
	measure "rstar_search_all,2_workers" workers 2
done
ratios
