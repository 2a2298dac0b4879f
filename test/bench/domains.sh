#!/bin/bash
# The two domains of sql/domains with a model of the reader's: greedy, samples and tree search on
# the held-out problems, then a round (search of the others, training on what the verifier found
# right, and the same measurements again). It can be stopped and started again.
#
#   bash test/bench/domains.sh DIR MODEL.gguf [threads] [domain ...]
#
# DIR: the server's, kept. MODEL: of the ChatML family, which the prompts are written for.
# The extension must be installed in the PostgreSQL that PG_CONFIG names.
set -eu
dir=$(realpath -m "${1:?a directory for the server is needed}")
model=$(realpath "${2:?a GGUF file is needed}")
threads=${3:-2}
shift $(($# < 3 ? $# : 3))
domains=${*:-programming questions}
cd "$(dirname "$0")/../.."
server=scripts/server.sh
samples=8

sql() { sh $server run "$dir" psql -XAtq -v ON_ERROR_STOP=1 -c "$1"; }

# split DOMAIN NAME: a query for its problems
split() { echo "SELECT problem_id FROM rstar.problems WHERE source = '$1' AND split = '$2' ORDER BY 1"; }

make_server() {
	sh $server start "$dir" shared_preload_libraries=rstar max_worker_processes=16 rstar.max_workers=1 max_wal_size=2GB >/dev/null
	sql "CREATE EXTENSION rstar"
	python3 sql/domains/programming.py | sh $server run "$dir" psql -Xq -v ON_ERROR_STOP=1
	sh $server run "$dir" psql -Xq -v ON_ERROR_STOP=1 -v role=shop_reader -f - <sql/domains/questions.sql
	for domain in programming questions; do
		sh $server run "$dir" psql -XAtq -v ON_ERROR_STOP=1 -v name="$domain" -v file="$model" -v prompt="$(cat sql/domains/$domain.prompt)" >/dev/null <<-'SQL'
			SELECT rstar_model_import(:'name', :'file', prompt_template => :'prompt');
		SQL
	done
}

# evaluate NAME DOMAIN MODEL: greedy and samples of the held-out problems
evaluate() {
	[ "$(sql "SELECT count(*) FROM rstar.evaluations WHERE name = '$1'")" = 1 ] ||
		sql "SELECT rstar_evaluate('$1', \$\$$(split "$2" test)\$\$, model => '$3', method => 'best_of_n', rollouts => $samples,
			candidates => $samples, temperature => 0.7, workers => 1, threads => $threads, nice => 0)" >/dev/null
	sql "SELECT rstar_wait(job_id) FROM rstar.evaluations WHERE name = '$1'" >/dev/null
}

# search SPLIT DOMAIN METHOD: all its problems, once
search() {
	number=$(sql "SELECT max(job_id) FROM rstar.jobs JOIN public.searches USING (job_id)
		WHERE domain = '$2' AND split = '$1' AND method = '$3' AND status <> 'cancelled'")
	if [ -z "$number" ]; then
		number=$(sql "INSERT INTO public.searches SELECT '$2', '$1', '$3', rstar_search_all(\$\$$(split "$2" "$1")\$\$, '$2', method => '$3',
			rollouts => $samples, candidates => $samples, temperature => 0.7, workers => 1, threads => $threads, nice => 0) RETURNING job_id")
	fi
	sql "SELECT rstar_wait($number)" >/dev/null
}

# train DOMAIN: two right solutions of each problem of the other split
train() {
	[ "$(sql "SELECT count(*) FROM rstar.training_runs WHERE name = '$1-trained'")" = 1 ] ||
		sql "SELECT rstar_train_policy('$1-trained', '$1', \$\$SELECT problem, solution FROM public.lessons WHERE source = '$1' ORDER BY problem_id, place\$\$,
			epochs => 2, learning_rate => 2e-4, batch_tokens => 2048, file_type => 'Q8_0', threads => $threads, nice => 0)" >/dev/null
	sql "SELECT rstar_wait(job_id) FROM rstar.training_runs WHERE name = '$1-trained'" >/dev/null
}

[ -d "$dir" ] || make_server
sh $server run "$dir" psql -Xq -c 'SELECT 1' >/dev/null 2>&1 || sh $server restart "$dir" >/dev/null
sql "SET client_min_messages = warning;
     CREATE TABLE IF NOT EXISTS public.searches (domain text, split text, method text, job_id bigint);
     CREATE OR REPLACE VIEW public.lessons AS
       SELECT s.problem_id, s.place, p.source, s.problem, s.solution FROM rstar.sft_training s JOIN rstar.problems p USING (problem_id) WHERE p.split = 'train'"
for domain in $domains; do
	evaluate "$domain" "$domain" "$domain"
	search test "$domain" mcts
done
for domain in $domains; do
	search train "$domain" best_of_n
	train "$domain"
	evaluate "$domain-trained" "$domain" "$domain-trained"
done
sh $server run "$dir" psql -Xq \
	-c "SELECT name, measure, k, problems, round(value * problems) AS right, round(value::numeric, 3) AS value, round(low::numeric, 3) AS low, round(high::numeric, 3) AS high
	      FROM rstar.evaluation_summary WHERE per = 'rollout' AND (measure = 'greedy' OR k = $samples AND measure IN ('mean', 'best', 'pass')) ORDER BY evaluation_id, measure" \
	-c "SELECT s.domain, s.split, s.method, count(*) AS problems, count(*) FILTER (WHERE t.first_correct_rollout IS NOT NULL) AS solved, sum(t.generated_tokens) AS tokens,
	           sum(t.nodes) AS nodes, round(max(EXTRACT(epoch FROM j.finished_at - j.started_at))) AS seconds
	      FROM public.searches s JOIN rstar.job_items i USING (job_id) JOIN rstar.trees t USING (tree_id) JOIN rstar.jobs j USING (job_id) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3" \
	-c "SELECT name, examples, tokens, steps, first_held_out_loss, held_out_loss, finished_at - started_at AS took FROM rstar.training_runs ORDER BY run_id"
