#!/bin/sh
# Candidates a second through search and tables with a policy that answers at once: what rstar itself
# can keep up with, whatever writes the steps. By the clock, and by the processor time of the session
# alone, which a busy machine does not change.
#
#   bench_remote.sh [PROBLEMS]
#
# "answers": 64 answers for each problem, which run no Python. "steps": trees of 8
# rollouts, whose steps run in the sandbox (processes of their own).
set -eu

here=$(cd "$(dirname "$0")/../.." && pwd)
problems=${1:-200}
work=$(mktemp -d "${TMPDIR:-/tmp}/rstar-remote-XXXXXX")
chmod 0711 "$work"
server="$here/scripts/server.sh"
model=
trap 'kill $model 2>/dev/null; sh "$server" clean "$work/server" >/dev/null 2>&1; rm -rf "$work"' EXIT INT TERM

${CC:-cc} -O2 -D_GNU_SOURCE -o "$work/model_server" "$here/test/servers/model_server.c" -ljansson
"$work/model_server" >"$work/port" &
model=$!
until [ -s "$work/port" ]; do sleep 0.05; done
host="http://127.0.0.1:$(sed 's/port //' "$work/port")"

sh "$server" start "$work/server" >/dev/null
run() {
	sh "$server" run "$work/server" psql -XqAt -v ON_ERROR_STOP=1 "$@"
}

# measure KIND ARGUMENTS
measure() {
	run -v kind="$1" >"$work/figures" <<-SQL
		SET client_min_messages = warning;
		TRUNCATE rstar.trees CASCADE;
		SET rstar.remote_hosts = '$host';
		SELECT rstar_solve('What is 3 + 4?', 'there') \g /dev/null
		SELECT pg_backend_pid() AS pid \gset
		\setenv PID :pid
		\! cut -d' ' -f14,15 /proc/\$PID/stat
		CALL rstar_search_each(\$\$SELECT problem_id FROM rstar.problems WHERE source = '$1'\$\$, 'there', $2);
		\! cut -d' ' -f14,15 /proc/\$PID/stat
		SELECT count(*), sum(duplicates), extract(epoch FROM max(finished_at) - min(started_at)),
		       (SELECT sum(policy_ms) / sum(search_ms) FROM rstar.trees)
		  FROM rstar.nodes JOIN rstar.trees USING (tree_id) WHERE depth > 0;
	SQL
	awk -F'[| ]' -v kind="$1" -v hz="$(getconf CLK_TCK)" '
		NF == 2 { cpu = ($1 + $2) / hz - cpu }
		NF == 4 { printf "%-8s %6d nodes, %6d candidates: %6.0f candidates/s by the clock, %6.0f per processor second of the session; %.0f %% of the time waiting for the server\n",
			kind, $1, $1 + $2, ($1 + $2) / $3, ($1 + $2) / cpu, 100 * $4 }' "$work/figures"
}

run -c "CREATE EXTENSION rstar" -c "SET rstar.remote_hosts = '$host'" -c "SELECT rstar_model_remote('there', '$host/v1')" \
	-c "INSERT INTO rstar.problems (statement, answer, source)
	    SELECT CASE kind WHEN 'steps' THEN 'What is ' || i || ' + ' || 2 * i || '?' ELSE 'What is ' || 3 * i || '?' END, 3 * i, kind
	      FROM generate_series(1, $problems) i, unnest(ARRAY['answers', 'steps']) kind" >/dev/null
measure answers "method => 'majority', rollouts => 64"
measure steps "rollouts => 8"
