#!/bin/sh
# Real problems, solved by the built-in policy: how many are right, by topic,
# how long one takes, how many a minute, and where the time goes.
#
#   bench_problems.sh [PROBLEMS.jsonl[.gz] [PER_MODULE]]
#
# A problem is a JSON line with "problem", "answer" and "module" (or "topic").
# Without a file: the development set of the optional folder ../shared, 10 of
# each module. Known answers grade, they do not guide.
set -eu

here=$(cd "$(dirname "$0")/../.." && pwd)
shared=${RSTAR_SHARED:-$here/../shared}
problems=${1:-$shared/problems/dm_math_interpolate_dev.jsonl.gz}
per_module=${2:-10}
work=$(mktemp -d "${TMPDIR:-/tmp}/rstar-problems-XXXXXX")
chmod 0711 "$work"
server="$here/scripts/server.sh"
trap 'sh "$server" clean "$work/server" >/dev/null 2>&1; rm -rf "$work"' EXIT INT TERM
if [ ! -e "$problems" ]; then
	echo "skipped: no $problems"
	exit 0
fi

sh "$server" start "$work/server" >/dev/null
run() {
	sh "$server" run "$work/server" psql -Xq -v ON_ERROR_STOP=1 -v per_module="$per_module" "$@"
}

run -c "CREATE EXTENSION rstar" -c "CREATE TABLE lines (line jsonb)"
# Quote and delimiter are characters that JSON cannot hold.
gzip -dcf "$problems" | run -c "COPY lines FROM stdin WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')"
run -P footer=off <<'SQL'
INSERT INTO rstar.problems (statement, answer, topic, level)
	SELECT line->>'problem', line->>'answer', split_part(module, '__', 1), module
	  FROM (SELECT line, coalesce(line->>'module', line->>'topic') AS module,
	               row_number() OVER (PARTITION BY coalesce(line->>'module', line->>'topic') ORDER BY line->'index', line->>'problem') AS n
	          FROM lines) x
	 WHERE n <= :per_module;
SET rstar.use_known_answer = off;
SET rstar.side_by_side = 32;
SELECT array_agg(problem_id) AS ids, count(*) AS problems, count(DISTINCT level) AS modules FROM rstar.problems \gset
\echo :problems problems of :modules modules, policy rstar-policy
CREATE TABLE runs (name text, tree_id bigint, seconds float8);
CREATE FUNCTION run(name text, method text, rollouts integer, ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	start timestamptz := clock_timestamp();
	trees bigint[];
BEGIN
	trees := ARRAY(SELECT tree_id FROM rstar_search(ids, method => run.method, rollouts => run.rollouts));
	INSERT INTO runs SELECT run.name, unnest(trees), extract(epoch FROM clock_timestamp() - start);
END $$;
SELECT run('greedy', 'greedy', 1, :'ids') \g /dev/null
SELECT run('majority of 8', 'majority', 8, :'ids') \g /dev/null
SELECT run('default', NULL, NULL, :'ids') \g /dev/null

\echo
\echo 'Right, per cent: by topic, the mean over its modules; any: some trajectory of the default search was right'
WITH right_of AS (
	SELECT p.topic, p.level, r.name, avg((t.correct IS TRUE)::int) AS share,
	       avg((EXISTS (SELECT FROM rstar.trajectories j WHERE j.tree_id = t.tree_id AND j.correct))::int) AS reached
	  FROM runs r JOIN rstar.trees t USING (tree_id) JOIN rstar.problems p USING (problem_id) GROUP BY 1, 2, 3)
SELECT coalesce(topic, 'all') AS topic, count(DISTINCT level) AS modules,
       round(100 * avg(share) FILTER (WHERE name = 'greedy'), 1) AS greedy,
       round(100 * avg(share) FILTER (WHERE name = 'majority of 8'), 1) AS "majority of 8",
       round(100 * avg(share) FILTER (WHERE name = 'default'), 1) AS "default",
       round(100 * avg(reached) FILTER (WHERE name = 'default'), 1) AS "any"
  FROM right_of GROUP BY ROLLUP (right_of.topic) ORDER BY right_of.topic NULLS LAST;

\echo 'Side by side (rstar_search over the array): problems a minute, and where the time goes, per cent; rest: trees, rows, SQL'
SELECT name, round(count(*) * 60 / max(seconds)) AS "problems/min", round(max(seconds)::numeric, 1) AS seconds,
       round(100 * sum(policy_ms)::numeric / (1000 * max(seconds)::numeric), 1) AS policy,
       round(100 * sum(sandbox_ms)::numeric / (1000 * max(seconds)::numeric), 1) AS sandbox,
       round(100 - 100 * sum(policy_ms + ppm_ms + sandbox_ms)::numeric / (1000 * max(seconds)::numeric), 1) AS rest,
       sum(generated_tokens) AS generated, round(sum(generated_tokens) / max(seconds)) AS "tokens/s", sum(python_steps) AS "Python steps", sum(nodes) AS nodes
  FROM runs JOIN rstar.trees USING (tree_id) GROUP BY name ORDER BY max(seconds);

\echo 'Size of a stored tree in bytes, tables and indexes'
SELECT round((pg_total_relation_size('rstar.trees') + pg_total_relation_size('rstar.nodes') + pg_total_relation_size('rstar.trajectories'))::numeric
             / (SELECT count(*) FROM rstar.trees)) AS bytes, round((SELECT avg(nodes) FROM rstar.trees), 1) AS "nodes a tree";

\echo 'One at a time (rstar_solve, default settings), milliseconds'
CREATE TABLE latency (ms float8);
DO $$
DECLARE
	start timestamptz;
	problem text;
BEGIN
	PERFORM rstar_solve('What is the remainder when 25 is divided by 7?');
	FOR problem IN SELECT statement FROM rstar.problems ORDER BY md5(statement) LIMIT 200 LOOP
		start := clock_timestamp();
		PERFORM rstar_solve(problem);
		INSERT INTO latency VALUES (extract(epoch FROM clock_timestamp() - start) * 1000);
	END LOOP;
END $$;
SELECT count(*) AS problems, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 1) AS median,
       round(percentile_cont(0.99) WITHIN GROUP (ORDER BY ms)::numeric, 1) AS p99, round(max(ms)::numeric, 1) AS worst FROM latency;
SQL
