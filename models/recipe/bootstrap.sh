#!/bin/bash
# The bootstrap policy, from nothing, trained in PostgreSQL on the recipe's data, and the gate that the recipe sets for it: greedy 35 to
# 60 % of the development set, 20 points more with 16 samples. It can be stopped and started again.
#
#   bash models/recipe/bootstrap.sh DIR DEV.jsonl.gz DATA.jsonl...
#
# DATA: what curriculum.bootstrap writes (README.md). DEV: problems that only evaluate, six of each topic. DIR: the server's, kept.
# Environment: EPOCHS (1.3), RATE (3e-3), BATCH (4096 tokens), THREADS (2), TEMPERATURE (0.7).
# The extension must be installed in the PostgreSQL that PG_CONFIG names.
set -eu
dir=$(realpath -m "$1") development=$(realpath "$2")
shift 2
data=$(realpath "$@")
cd "$(dirname "$0")/../.."
server=scripts/server.sh

sql() { sh $server run "$dir" psql -XAtq -v ON_ERROR_STOP=1 -c "$1"; }

# wait_for FROM...: until the job of that row is done. Nobody waits for a paused one: it says so and ends.
wait_for() {
	status=$(sql "SELECT rstar_wait(job_id) FROM $1")
	[ "$status" = "done" ] || { echo "bootstrap.sh: $1 is $status" >&2; exit 1; }
}

make_server() {
	sh $server start "$dir" shared_preload_libraries=rstar rstar.max_workers=2 max_wal_size=2GB >/dev/null
	sql "CREATE EXTENSION rstar;
	     CREATE TABLE public.lines (line jsonb);
	     CREATE VIEW public.lessons AS SELECT line->>'problem' AS problem,
	       concat((SELECT string_agg(s, '' ORDER BY n) FROM jsonb_array_elements_text(line->'steps') WITH ORDINALITY x (s, n)),
	              line->>'output', line->>'closing') AS solution FROM public.lines;
	     SELECT rstar_model_create('nothing', vocabulary => 'rstar-bootstrap', layers => 8, width => 256, heads => 4, kv_heads => 2,
	       feed_forward => 768, context => 512, prompt_template => '<|user|>{problem}<|assistant|>')" >/dev/null
	for file in $data; do
		sh $server run "$dir" psql -Xq -c "\\copy public.lines FROM STDIN WITH (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')" <"$file"
	done
	gzip -cdf "$development" | sh $server run "$dir" psql -Xq -v split=development -f "$PWD/sql/import_problems.sql"
}

[ -d "$dir" ] || make_server
sh $server run "$dir" psql -Xq -c 'SELECT 1' >/dev/null 2>&1 || sh $server restart "$dir" >/dev/null
if [ "$(sql "SELECT count(*) FROM rstar.training_runs WHERE name = 'bootstrap'")" = 0 ]; then
	sql "SELECT rstar_train_policy('bootstrap', 'nothing', 'SELECT problem, solution FROM public.lessons', epochs => ${EPOCHS:-1.3},
		learning_rate => ${RATE:-3e-3}, batch_tokens => ${BATCH:-4096}, file_type => 'Q8_0', threads => ${THREADS:-2}, nice => 0)" >/dev/null
fi
wait_for "rstar.training_runs WHERE name = 'bootstrap'"
if [ "$(sql "SELECT count(*) FROM rstar.evaluations")" = 0 ]; then
	sql "SELECT rstar_evaluate('gate', 'SELECT problem_id FROM (SELECT problem_id, row_number() OVER (PARTITION BY topic ORDER BY problem_id) AS n
		FROM rstar.problems) p WHERE n <= 6 ORDER BY 1', model => 'bootstrap', method => 'majority', rollouts => 16,
		temperature => ${TEMPERATURE:-0.7}, workers => ${THREADS:-2}, threads => 1, nice => 0)" >/dev/null
fi
wait_for rstar.evaluations
sh $server run "$dir" psql -Xq \
	-c "SELECT examples, steps, steps * ${BATCH:-4096} AS tokens_at_most, kernel, threads, finished_at - started_at AS took, round(held_out_loss::numeric, 4) AS held_out_loss FROM rstar.training_runs" \
	-c "SELECT measure, k, problems, round(value::numeric, 3) AS value, round(low::numeric, 3) AS low, round(high::numeric, 3) AS high
	      FROM rstar.evaluation_summary WHERE per = 'rollout' AND (measure = 'greedy' OR k = 16 AND measure IN ('mean', 'pass')) ORDER BY 1" \
	-c "SELECT p.topic, round(avg(a.value)::numeric, 2) AS pass FROM rstar.evaluation_answers a JOIN rstar.problems p USING (problem_id)
	     WHERE a.measure = 'pass' AND a.per = 'rollout' AND a.k = 16 GROUP BY 1 HAVING avg(a.value) < 0.5 ORDER BY 2, 1"
