#!/bin/bash
# Four rounds of self-evolution on DeepMind's topics, from the bootstrap policy, and a control:
# the same training on the bootstrap's own data alone. It can be stopped and started again.
#
#   bash test/bench/rounds.sh DIR [problems of each topic and split] [threads] [control.jsonl]
#
# DIR: the server's, kept. control.jsonl: what curriculum.bootstrap of models/recipe writes.
# Problems are easy, medium and hard ones of 56 topics; each round searches others. Held out: the
# last two of each topic, medium and hard.
# The extension must be installed in the PostgreSQL that PG_CONFIG names.
set -eu
dir=$(realpath -m "${1:?a directory for the server is needed}")
per=${2:-15} threads=${3:-2} control=${4:+$(realpath "$4")}
cd "$(dirname "$0")/../.."
shared=${RSTAR_SHARED:-../shared}
server=scripts/server.sh
held_out="SELECT problem_id FROM public.drawn WHERE n > 298 AND split <> 'train-easy' ORDER BY 1"
training="\"learning_rate\": 2e-4, \"batch_tokens\": 4096, \"optimizer\": \"muon\", \"schedule\": \"cosine\""

sql() { sh $server run "$dir" psql -XAtq -v ON_ERROR_STOP=1 -c "$1"; }

make_server() {
	sh $server start "$dir" shared_preload_libraries=rstar max_worker_processes=16 rstar.max_workers=1 max_wal_size=2GB >/dev/null
	sql "CREATE EXTENSION rstar"
	for split in easy medium hard; do
		zcat "$shared/problems/dm_math_train_$split.jsonl.gz" | sh $server run "$dir" psql -Xq -f "$PWD/sql/import_problems.sql"
	done
	sql "CREATE VIEW public.drawn AS SELECT problem_id, topic, split, row_number() OVER (PARTITION BY topic, split ORDER BY problem_id) AS n
	     FROM rstar.problems WHERE split LIKE 'train%'"
	sql "ANALYZE"
}

run_round() {
	number=$1 epochs=$2 first=$((($1 - 1) * per))
	if [ "$(sql "SELECT count(*) FROM rstar.rounds WHERE name = 'dm'")" -lt "$number" ]; then
		sql "SELECT rstar_start_round('dm', 'SELECT problem_id FROM public.drawn WHERE n > $first AND n <= $((first + per)) ORDER BY 1',
			\$\$$held_out\$\$, model => CASE WHEN $number = 1 THEN 'rstar-bootstrap' END, threads => $threads, workers => 1, nice => 0,
			rollouts => 8, escalation => '{}', policy_training => '{\"epochs\": $epochs, $training}', ppm_training => '{\"epochs\": 1}',
			evaluation => '{\"rollouts\": 8}')" >/dev/null
	fi
	sql "SELECT rstar_wait(job_id) FROM rstar.rounds WHERE name = 'dm' AND number = $number" >/dev/null
}

# As many tokens as the last policy was trained on.
run_control() {
	sql "CREATE TABLE public.control (line jsonb);
	     CREATE VIEW public.control_solutions AS SELECT line->>'problem' AS problem,
	       (SELECT string_agg(s, '' ORDER BY n) FROM jsonb_array_elements_text(line->'steps') WITH ORDINALITY x (s, n))
	       || (line->>'output') || (line->>'closing') AS solution FROM public.control"
	sh $server run "$dir" psql -Xq -c "\\copy public.control FROM STDIN WITH (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')" <"$control"
	epochs=$(sql "SELECT round((SELECT tokens * (settings->>'epochs')::float8 FROM rstar.training_runs WHERE name = 'dm-4')::numeric
		/ (SELECT sum(cardinality(rstar_tokenize(problem || solution, 'rstar-bootstrap')) + 2) FROM public.control_solutions), 2)")
	run=$(sql "SELECT rstar_train_policy('control', 'rstar-bootstrap', 'SELECT problem, solution FROM public.control_solutions ORDER BY problem',
		learning_rate => 2e-4, epochs => $epochs, optimizer => 'muon', schedule => 'cosine', batch_tokens => 4096, threads => $threads, nice => 0)")
	sql "SELECT rstar_wait(job_id) FROM rstar.training_runs WHERE run_id = $run" >/dev/null
	for model in control dm-4; do
		sql "SELECT rstar_evaluate('$model-alone', \$\$$held_out\$\$, model => '$model', rollouts => 8, candidates => 4, threads => $threads, nice => 0)" >/dev/null
		sql "SELECT rstar_wait(job_id) FROM rstar.evaluations WHERE name = '$model-alone'" >/dev/null
	done
}

[ -d "$dir" ] || make_server
sh $server run "$dir" psql -Xq -c 'SELECT 1' >/dev/null 2>&1 || sh $server restart "$dir" >/dev/null
number=0
for epochs in 3 2.5 1 1; do
	number=$((number + 1))
	run_round $number $epochs
done
if [ -n "$control" ] && [ "$(sql "SELECT count(*) FROM rstar.evaluations WHERE name = 'control-alone'")" = 0 ]; then
	run_control
fi
sh $server run "$dir" psql -Xq \
	-c "SELECT number, problems, round(coverage::numeric, 3) AS coverage, accepted, trees, generated_tokens, date_trunc('second', elapsed) AS elapsed FROM rstar.round_summary ORDER BY 1" \
	-c "SELECT name, measure, problems, round(value::numeric, 3) AS value, round(low::numeric, 3) AS low, round(high::numeric, 3) AS high,
	           round(value_open::numeric, 3) AS open, round(value_closed::numeric, 3) AS closed
	      FROM rstar.evaluation_summary WHERE per = 'rollout' AND (measure = 'greedy' OR k = 8 AND measure IN ('mean', 'weighted', 'pass')) ORDER BY measure, evaluation_id"
