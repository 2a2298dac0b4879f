#!/bin/bash
# A policy and a PPM by the extension's own rounds, from the bootstrap policy: DeepMind's topics
# and everyday questions, known answers only. It can be stopped and started again.
#
#   bash models/recipe/evolve.sh DIR [DeepMind problems of each topic and split a round] [everyday ones a round] [threads] [rounds]
#
# DIR/data/seed.jsonl: the bootstrap's own kind of solutions, on which the policy is first trained: lines of
# curriculum.bootstrap, and of curriculum.everyday.make --frames held. DIR/data/everyday.jsonl: lines of
# curriculum.everyday.make, of which only "problem" and "answer" are used. DIR/server: the server's, kept.
# Held out: the last two of each of DeepMind's topics, medium and hard, and 100 everyday questions.
# The extension must be installed in the PostgreSQL that PG_CONFIG names.
set -eu
dir=$(realpath -m "${1:?a directory is needed}")
per=${2:-45} everyday=${3:-2400} threads=${4:-2} rounds=${5:-4}
cd "$(dirname "$0")/../.."
shared=${RSTAR_SHARED:-../shared}
server=scripts/server.sh

sql() { sh $server run "$dir/server" psql -XAtq -v ON_ERROR_STOP=1 -c "$1"; }
import() { sh $server run "$dir/server" psql -Xq "$@" -f "$PWD/sql/import_problems.sql"; }

# wait_for FROM...: until the job of that row is done. Nobody waits for a paused one: it says so and ends.
wait_for() {
	status=$(sql "SELECT rstar_wait(job_id) FROM $1")
	[ "$status" = "done" ] || { echo "evolve.sh: $1 is $status" >&2; exit 1; }
}

make_server() {
	sh $server start "$dir/server" shared_preload_libraries=rstar max_worker_processes=16 rstar.max_workers=2 max_wal_size=4GB >/dev/null
	sql "CREATE EXTENSION rstar"
	for split in train_easy train_medium train_hard interpolate_dev; do
		zcat "$shared/problems/dm_math_$split.jsonl.gz" | import
	done
	import -v split=everyday <"$dir/data/everyday.jsonl"
	sql "CREATE VIEW public.drawn AS SELECT problem_id, topic, split, row_number() OVER (PARTITION BY topic, split ORDER BY problem_id) AS n
	     FROM rstar.problems WHERE split LIKE 'train%';
	     CREATE VIEW public.everyday AS SELECT problem_id, row_number() OVER (ORDER BY problem_id) AS n FROM rstar.problems
	       WHERE split = 'everyday' AND answer <> '';
	     CREATE TABLE public.lines (line jsonb);
	     CREATE VIEW public.seed AS SELECT line->>'problem' AS problem,
	       concat((SELECT string_agg(s, '' ORDER BY n) FROM jsonb_array_elements_text(line->'steps') WITH ORDINALITY x (s, n)),
	              line->>'output', line->>'closing') AS solution FROM public.lines"
	sh $server run "$dir/server" psql -Xq -c "\\copy public.lines FROM STDIN WITH (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')" <"$dir/data/seed.jsonl"
	sql "ANALYZE"
}

# The bootstrap, taught its own kind of data once more and the everyday questions' part. Searches are faster in Q8_0.
train_seed() {
	if [ "$(sql "SELECT count(*) FROM rstar.training_runs WHERE name = 'seed'")" = 0 ]; then
		sql "SELECT rstar_train_policy('seed', 'rstar-bootstrap', 'SELECT problem, solution FROM public.seed ORDER BY problem', epochs => 1,
			learning_rate => 4e-4, optimizer => 'muon', schedule => 'linear', batch_tokens => 4096, threads => $threads, nice => 0)" >/dev/null
	fi
	wait_for "rstar.training_runs WHERE name = 'seed'"
	sql "SELECT rstar_model_quantize('seed', 'seed-q8', 'Q8_0')" >/dev/null
}

# Rate and temperature: a longer training bears a higher rate; a policy that has grown sure samples at 1.
run_round() {
	number=$1 rate=$2 epochs=$3 temperature=$4 first=$((($1 - 1) * per)) first_everyday=$((100 + ($1 - 1) * everyday))
	if [ "$(sql "SELECT count(*) FROM rstar.rounds WHERE name = 'evolve'")" -lt "$number" ]; then
		sql "SELECT rstar_start_round('evolve',
			'SELECT problem_id FROM public.drawn WHERE n > $first AND n <= $((first + per)) UNION ALL
			 SELECT problem_id FROM public.everyday WHERE n > $first_everyday AND n <= $((first_everyday + everyday)) ORDER BY 1',
			'SELECT problem_id FROM public.drawn WHERE n > 298 AND split <> ''train-easy'' UNION ALL
			 SELECT problem_id FROM public.everyday WHERE n <= 100 ORDER BY 1',
			model => CASE WHEN $number = 1 THEN 'seed-q8' END, ppm => CASE WHEN $number < 3 THEN '' END, base => 'seed',
			threads => 1, workers => $threads, nice => 0, rollouts => 8, temperature => $temperature, escalation => '{}',
			policy_training => '{\"epochs\": $epochs, \"learning_rate\": $rate, \"batch_tokens\": 8192, \"optimizer\": \"muon\", \"schedule\": \"cosine\", \"file_type\": \"Q8_0\"}',
			ppm_training => '{\"epochs\": 1}', evaluation => '{\"rollouts\": 8}')" >/dev/null
	fi
	wait_for "rstar.rounds WHERE name = 'evolve' AND number = $number"
}

[ -d "$dir/server" ] || make_server
sh $server run "$dir/server" psql -Xq -c 'SELECT 1' >/dev/null 2>&1 || sh $server restart "$dir/server" >/dev/null
[ "$(sql "SELECT count(*) FROM rstar.models WHERE name = 'seed-q8'")" = 1 ] || train_seed
number=0
for setting in '5e-4 1.5 0.8' '7e-4 1 1.0' '9e-4 1 1.0' '1.2e-3 1 1.0'; do
	number=$((number + 1))
	[ $number -le "$rounds" ] || break
	# shellcheck disable=SC2086
	run_round $number $setting
done
sh $server run "$dir/server" psql -Xq \
	-c "SELECT number, status, problems, round(coverage::numeric, 3) AS coverage, round(greedy::numeric, 3) AS greedy, round(weighted::numeric, 3) AS weighted, accepted, trees, generated_tokens, date_trunc('second', elapsed) AS elapsed FROM rstar.round_summary ORDER BY 1"
