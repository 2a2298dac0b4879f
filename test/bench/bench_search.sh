#!/bin/sh
# Tree search: tokens saved by the shared cache, where the time goes, rows stored
# per second, states of steps rebuilt.
#
#   bench_search.sh            with models of 6.8M parameters, and of 1.5B if memory allows
#   bench_search.sh small      only the former
#
# The models are random but write steps (make_step_model.c), so the trees are as
# deep and as wide as is asked for and nothing depends on what a model has learned.
set -eu

here=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/rstar-search-XXXXXX")
chmod 0711 "$work"
server="$here/scripts/server.sh"
trap 'sh "$server" clean "$work/server" >/dev/null 2>&1; rm -rf "$work"' EXIT INT TERM

make -s -C "$here" build/bench/make_step_model
"$here/build/bench/make_step_model" "$work/small.gguf" small ppm

# A commit counts only if it reaches the disk.
sh "$server" start "$work/server" fsync=on >/dev/null
run() {
	sh "$server" run "$work/server" psql -XqAt -v ON_ERROR_STOP=1 "$@"
}
script() {
	chmod 0644 "$work/$1"
	run -f "$work/$1"
}
run -c "CREATE EXTENSION rstar" \
	-c "SELECT rstar_model_import('small-policy', '$work/small.gguf'), rstar_model_import('small-ppm', '$work/small.gguf', 'ppm')" >/dev/null

# report SHAPE CANDIDATES DEPTH ROLLOUTS: one search, and what its rows say of it
report() {
	cat >"$work/search.sql" <<SQL
SET rstar.max_depth = $3;
SET rstar.step_tokens = 400;
SELECT rstar_run_python('import math') \g /dev/null
SELECT rstar_search('Solve 1 + 1.', '2', model => '$1-policy', ppm => '$1-ppm', candidates => $2, rollouts => $4) AS t \gset
SELECT extract(epoch FROM clock_timestamp() - finished_at) * 1000 AS storage_ms FROM rstar.trees WHERE tree_id = :t \gset

-- a node's tokens, and those of its path
CREATE TEMP TABLE sized AS SELECT node_id, parent_id, expanded, rejected, kind, status, text,
		coalesce(array_length(rstar_tokenize(text, '$1-policy'), 1), 0) AS own
	FROM rstar.nodes WHERE tree_id = :t;
CREATE TEMP TABLE paths AS WITH RECURSIVE p AS (
		SELECT *, 0 AS before FROM sized WHERE parent_id IS NULL
		UNION ALL SELECT s.*, p.before + p.own FROM sized s JOIN p ON s.parent_id = p.node_id)
	SELECT p.*, (SELECT depth FROM rstar.nodes n WHERE n.tree_id = :t AND n.node_id = p.node_id),
		(SELECT array_length(rstar_tokenize(replace(rstar_prompt_template('rstar'), '{problem}', 'Solve 1 + 1.'), '$1-policy'), 1)) AS prompt FROM p;
SELECT format('%s nodes to depth %s, %s expanded, prompt of %s tokens, %s tokens a candidate on average',
              t.nodes, (SELECT max(depth) FROM rstar.nodes n WHERE n.tree_id = t.tree_id), (SELECT count(*) FROM paths WHERE expanded),
              (SELECT max(prompt) FROM paths), round(t.generated_tokens::numeric / ($2 * (SELECT count(*) FROM paths WHERE expanded)), 1))
  FROM rstar.trees t WHERE tree_id = :t;

-- every candidate by itself: its whole sequence; or with the prefill of a node shared by its candidates. Scores: whole sequences
WITH scoring AS (SELECT sum(prompt + before + own) AS tokens FROM paths WHERE node_id > 0 AND NOT rejected AND status = 'ok'),
     each AS (SELECT sum($2 * (prompt + before + own)) AS tokens FROM paths WHERE expanded),
     node AS (SELECT sum(prompt + before + own) AS tokens FROM paths WHERE expanded)
SELECT format(E'tokens computed, policy and PPM          %s\n... a search that computes each candidate''s sequence from its start   %s, %s times as many\n... one that shares a prompt among the candidates of one call          %s, %s times as many',
              round(computed_tokens::numeric),
              generated_tokens + each.tokens + scoring.tokens, round((generated_tokens + each.tokens + scoring.tokens) / computed_tokens::numeric, 1),
              generated_tokens + node.tokens + scoring.tokens, round((generated_tokens + node.tokens + scoring.tokens) / computed_tokens::numeric, 1))
  FROM rstar.trees, scoring, each, node WHERE tree_id = :t;
-- the same for the policy alone, by the depth of the node whose candidates were written
SELECT 'policy alone, by depth: ' || string_agg(format('%s: %s', depth, times), ', ' ORDER BY depth)
  FROM (SELECT p.depth, round(($2 * avg(p.prompt + p.before + p.own) + sum(c.tokens) / count(DISTINCT p.node_id)) / (sum(c.tokens) / count(DISTINCT p.node_id)), 1) AS times
          FROM paths p JOIN rstar.nodes c ON c.tree_id = :t AND c.parent_id = p.node_id WHERE p.expanded GROUP BY p.depth) s;

SELECT format('time %s ms: policy %s %%, PPM %s %%, sandbox %s %%, storage %s %%, the rest %s %% (%s tokens/s written, %s ms a step in the sandbox, %s rows stored in %s ms with commit)',
              round(total), round(100 * policy_ms / total, 1), round(100 * ppm_ms / total, 1), round(100 * sandbox_ms / total, 1),
              round(100 * :storage_ms / total, 2), round(100 * (1 - (policy_ms + ppm_ms + sandbox_ms + :storage_ms) / total), 1),
              round(generated_tokens / policy_ms * 1000), round(sandbox_ms / greatest(python_steps, 1), 1), nodes, round(:storage_ms, 1))
  FROM (SELECT nodes, python_steps, generated_tokens, policy_ms::numeric, ppm_ms::numeric, sandbox_ms::numeric,
               extract(epoch FROM finished_at - started_at) * 1000 + :storage_ms AS total FROM rstar.trees WHERE tree_id = :t) s;
SQL
	script search.sql
}

echo "--- a small shape (6.8M parameters), 8 candidates, depth 8, 16 rollouts"
echo "    (tokens counted by the trees' rows; storage: from the first row to the end of the commit)"
report small 8 8 16

memory=$(awk '/MemAvailable/ { print int($2 / 1048576) }' /proc/meminfo)
if [ "${1:-}" != small ] && [ "$memory" -ge 8 ]; then
	echo "--- shape of Qwen2.5-Math-1.5B, Q8_0, 8 candidates, depth 2, 1 rollout"
	"$here/build/bench/make_step_model" "$work/large.gguf" large ppm
	run -c "SELECT rstar_model_import('large-policy', '$work/large.gguf'), rstar_model_import('large-ppm', '$work/large.gguf', 'ppm')" >/dev/null
	report large 8 2 1
	rm "$work/large.gguf"
else
	echo "--- shape of 1.5B: skipped, it takes 8 GB of memory"
fi

# Storage by itself: a script plays the models, so that finished_at is all but the start.
cat >"$work/store.sql" <<'SQL'
INSERT INTO rstar.problems (statement, answer) VALUES ('bench', '1') RETURNING problem_id AS p \gset
SET rstar.max_rollouts = 1048576;
SET rstar.rollouts = 100000;
SET rstar.candidates = 8;
SET rstar.search_nodes = :nodes;
CREATE TEMP TABLE script AS SELECT jsonb_agg(candidates ORDER BY i) AS lines FROM (
	SELECT i, jsonb_agg(jsonb_build_object('status', 'ok', 'score', (i * 31 + c * 17) % 97 / 97.0, 'tokens', 40, 'logprob', -8.5,
			'text', CASE WHEN i = 0 THEN E'<code>\n' ELSE '' END
			        || format(E'# Step %s: what this step does, in some words, with the number %s\nx%s = (x - %s) * %s  # and more\n<end_of_step>\n', i, c, i, i, c))) AS candidates
	  FROM generate_series(0, (:nodes - 2) / 8) i, generate_series(1, 8) c GROUP BY i) s;
CREATE TEMP TABLE timed (nodes int, ms float8, peer_ms float8);
CREATE FUNCTION pg_temp.cpu_ms() RETURNS float8 LANGUAGE sql AS $$
	SELECT 10 * (f[12]::float8 + f[13]::float8) FROM regexp_split_to_array(substring(pg_read_file('/proc/self/stat', 0, 4096) from '\) (.*)'), ' ') f $$;
CREATE TEMP TABLE cpu AS SELECT pg_temp.cpu_ms() AS ms;
SELECT format('SELECT rstar_search_scripted(%s, lines, true) AS t FROM script \gset
INSERT INTO timed SELECT nodes, extract(epoch FROM clock_timestamp() - finished_at) * 1000 FROM rstar.trees WHERE tree_id = :t;', :p)
  FROM generate_series(1, :times) \g :file
\i :file
CREATE TEMP TABLE spent AS SELECT pg_temp.cpu_ms() - ms AS ms FROM cpu;
-- the peer: the same rows from a table in memory into one like rstar.nodes, by one INSERT
CREATE TEMP TABLE source AS SELECT * FROM rstar.nodes WHERE tree_id = :t;
CREATE TABLE peer (LIKE rstar.nodes INCLUDING ALL, FOREIGN KEY (tree_id) REFERENCES rstar.trees);
SELECT format('SELECT clock_timestamp() AS began \gset
INSERT INTO peer (tree_id, node_id, parent_id, depth, rollout, kind, status, rejected, expanded, text, output, answer, correct, visits, value_sum, ppm_score, logprob, tokens, duplicates)
	SELECT %s, node_id, parent_id, depth, rollout, kind, status, rejected, expanded, text, output, answer, correct, visits, value_sum, ppm_score, logprob, tokens, duplicates FROM source;
INSERT INTO timed (peer_ms) VALUES (extract(epoch FROM clock_timestamp() - :''began''::timestamptz) * 1000);', tree_id)
  FROM (SELECT tree_id FROM rstar.trees WHERE problem_id = :p ORDER BY tree_id LIMIT :times) s \g :file
\i :file
SELECT format('%s trees of %s nodes (%s bytes of text a node): %s ms a tree, %s rows/s, commit included (medians; worst tree %s rows/s)
    plain INSERT of such rows: %s ms, so a tree takes %s times that; processor time of all, the scripted search included: %s rows/s', count(ms), max(nodes),
              (SELECT round(avg(length(text))) FROM source),
              round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms)::numeric, 2),
              round((max(nodes) / percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) * 1000)::numeric),
              round((max(nodes) / max(ms) * 1000)::numeric),
              round(percentile_cont(0.5) WITHIN GROUP (ORDER BY peer_ms)::numeric, 2),
              round((percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) / percentile_cont(0.5) WITHIN GROUP (ORDER BY peer_ms))::numeric, 2),
              round((sum(nodes) / (SELECT ms FROM spent) * 1000)::numeric))
  FROM timed;
SQL
chmod 0644 "$work/store.sql"
touch "$work/commands.sql"
chmod 0666 "$work/commands.sql"
echo "--- rows stored (goal 50,000/s)"
for shape in 33:100 201:50 2001:20; do
	run -c 'SET client_min_messages = warning; DROP TABLE IF EXISTS peer' -v nodes="${shape%:*}" -v times="${shape#*:}" -v file="$work/commands.sql" -f "$work/store.sql"
done

# States of steps: rebuilt because they were dropped, for each step run.
cat >"$work/replay.sql" <<'SQL'
SET rstar.max_depth = 8;
SET rstar.step_tokens = 400;
DROP TABLE IF EXISTS peer;
DELETE FROM rstar.trees;
DELETE FROM rstar.problems;
INSERT INTO rstar.problems (statement, answer) SELECT 'Solve 1 + ' || i, i + 1 FROM generate_series(1, 8) i;
SELECT count(*) FROM rstar_search((SELECT array_agg(problem_id) FROM rstar.problems WHERE statement ~ '^Solve'), model => 'small-policy', ppm => 'small-ppm',
                                  candidates => 8, rollouts => 4, max_depth => 8) \g /dev/null
SELECT format('sandbox memory %s: %s steps of %s trees (%s); %s; %s', current_setting('rstar.sandbox_memory'), sum(python_steps), count(*), md5(string_agg(nodes || ' ' || generated_tokens, ',' ORDER BY problem_id)),
              (SELECT detail FROM rstar_sandbox_info() WHERE name = 'steps'), (SELECT detail FROM rstar_sandbox_info() WHERE name = 'in_use'))
  FROM rstar.trees;
SQL
chmod 0644 "$work/replay.sql"
echo "--- states of steps that had to be rebuilt (8 problems side by side, 8 candidates, 4 rollouts)"
for budget in 2GB 256MB 64MB; do
	run -c "SET client_min_messages = warning; SET rstar.sandbox_memory = '$budget'" -f "$work/replay.sql"
done
