#!/bin/bash
# The same problems by the same model, in the backend and on a server with an interface like OpenAI's
# that holds it: how many are right, how long it took, how many questions the server had at a time,
# and what share of the search was waiting for it.
#
#   bash test/bench/remote_real.sh DIR URL NAME MODEL.gguf [problems] [here|there ...]
#
# DIR: the database server's, kept. URL: of the model's server, with /v1; NAME: the model's there.
# MODEL.gguf: the same weights for the backend. Problems: the first of GSM8K's training set, 50.
# From the environment: IN_FLIGHT, questions that the server gets at a time, 64; SIDE_BY_SIDE, problems,
# 64: a server with slots (llama-server) reads a solution again from its start unless there is a slot for each, four a
# problem here; LOGPROBS=off for a server that sorts its whole vocabulary to tell them.
# The extension must be installed in the PostgreSQL that PG_CONFIG names.
set -eu
dir=$(realpath -m "${1:?a directory for the server is needed}")
url=$2 name=$3 model=$(realpath "$4") problems=${5:-50}
shift $(($# < 5 ? $# : 5))
wanted=${*:-here there}
cd "$(dirname "$0")/../.."
shared=${RSTAR_SHARED:-../shared}
server=scripts/server.sh
root=${url%/v1}

sql() { sh $server run "$dir" psql -XAtq -v ON_ERROR_STOP=1 -c "$1"; }

make_server() {
	sh $server start "$dir" shared_preload_libraries=rstar max_worker_processes=16 rstar.max_workers=1 >/dev/null
	sql "CREATE EXTENSION rstar"
	zcat "$shared/problems/gsm8k_train.jsonl.gz" | head -n "$problems" | sh $server run "$dir" psql -Xq -f "$PWD/sql/import_problems.sql"
	sql "SELECT rstar_model_import('here', '$model')" >/dev/null
	sql "CREATE TABLE public.trials (place text, job_id bigint)"
}

# Questions that the server works at and that wait there, each second, as its /metrics tell.
watch_server() {
	while sleep 1; do
		curl -s "$root/metrics" | awk '/^(vllm:num_requests_(running|waiting)|llamacpp:requests_(processing|deferred))/ { n += $NF } END { print n + 0 }'
	done
}

try() {
	watch_server >"$in_flight" &
	watcher=$!
	job=$(sql "SET rstar.remote_logprobs = ${LOGPROBS:-on}; SET rstar.remote_problems = ${SIDE_BY_SIDE:-64}; SELECT rstar_search_all('SELECT problem_id FROM rstar.problems ORDER BY 1', '$1', method => 'majority', rollouts => 4,
		seed => 1, workers => 1, threads => 2, nice => 0)")
	sql "INSERT INTO public.trials VALUES ('$1', $job)"
	sql "SELECT rstar_wait($job)" >/dev/null
	kill $watcher
	if [ "$1" = there ]; then
		sort -n "$in_flight" | awk '$1 > 0 { v[++n] = $1; sum += $1 } END { if (n) printf "questions at the server while it had any: mean %.1f, median %d, most %d (%d looks)\n", sum / n, v[int((n + 1) / 2)], v[n], n }'
	fi
}

in_flight=$(mktemp)
trap 'rm -f "$in_flight"; kill $(jobs -p) 2>/dev/null || :' EXIT
[ -d "$dir" ] || make_server
sh $server run "$dir" psql -Xq -c 'SELECT 1' >/dev/null 2>&1 || sh $server restart "$dir" >/dev/null
host=${root#https://}
sql "ALTER SYSTEM SET rstar.remote_hosts = '$host'"
sql "ALTER SYSTEM SET rstar.remote_in_flight = ${IN_FLIGHT:-64}"
sql "SELECT pg_reload_conf()" >/dev/null
sql "UPDATE rstar.models SET remote = remote || jsonb_build_object('url', '$url', 'model', '$name') WHERE name = 'there'"
[ "$(sql "SELECT count(*) FROM rstar.models WHERE name = 'there'")" = 1 ] ||
	sql "SELECT rstar_model_remote('there', '$url', model => '$name', prompt_template => prompt_template, defaults => defaults) FROM rstar.models WHERE name = 'here'" >/dev/null
for place in $wanted; do try "$place"; done
sh $server run "$dir" psql -Xq -c "
	SELECT place, count(*) AS problems, count(*) FILTER (WHERE t.status = 'failed') AS failed, count(*) FILTER (WHERE t.correct) AS right,
	       count(*) FILTER (WHERE t.first_correct_rollout IS NOT NULL) AS solved, sum(t.rollouts) AS samples,
	       sum((SELECT count(*) FROM rstar.trajectories y WHERE y.tree_id = t.tree_id AND y.correct)) AS right_samples,
	       sum(t.generated_tokens) AS tokens, round(EXTRACT(epoch FROM max(j.finished_at) - min(j.started_at))) AS seconds,
	       round((100 * sum(t.policy_ms) / sum(t.search_ms))::numeric) AS policy_percent, round((100 * sum(t.sandbox_ms) / sum(t.search_ms))::numeric) AS sandbox_percent
	  FROM public.trials JOIN rstar.job_items i USING (job_id) JOIN rstar.trees t USING (tree_id) JOIN rstar.jobs j USING (job_id)
	 GROUP BY job_id, place ORDER BY job_id"
