-- Trees like those of four rounds, for measuring: a quarter of :trees problems, each searched in every
-- round; 17 nodes and 4 answers a tree. Rows only, no search: psql -v trees=40000.
SET session_replication_role = replica;
SELECT :trees / 4 AS problems \gset

INSERT INTO rstar.problems (problem_id, statement, answer, topic, level)
SELECT i, 'Suppose 5*x - ' || i % 31 || ' = 3*x + 2*k for some x. Solve for x, number ' || i || '.', i % 100, 'topic ' || i % 60, 'level ' || i % 3
  FROM generate_series(1, :problems) i;
INSERT INTO rstar.rounds (round_id, name, created_by, number, previous_id, preset, settings, phase)
SELECT i, 'line', CURRENT_USER, i, nullif(i - 1, 0), 'nano', '{}', 'done' FROM generate_series(1, 4) i;
INSERT INTO rstar.round_problems SELECT r, i, false, i % 60 < 10 FROM generate_series(1, 4) r, generate_series(1, :problems) i;
-- settings as long as those of real trees
INSERT INTO rstar.trees (tree_id, problem_id, statement, known_answer, round_id, method, settings, seed, status, reproducible, rollouts,
                         nodes, generated_tokens, computed_tokens, python_steps, policy_ms, ppm_ms, sandbox_ms, search_ms,
                         first_correct_rollout, answer, answer_id, correct, ended_by, started_at, finished_at)
SELECT (r - 1) * :problems + i, i, p.statement, p.answer, r, 'mcts', jsonb_build_object('guidance', 1, 'ppm', 'judge', 'rest', repeat('x', 900)),
       i, 'done', true, 8, 17, 400, 900, 10, 100, 20, 30, 160,
       CASE WHEN i % 5 > 0 THEN i % 3 END, p.answer, 11 + i % 4, i % 5 > 0, 'rollouts', '2026-01-01', '2026-01-01 00:00:10'
  FROM generate_series(1, 4) r, generate_series(1, :problems) i JOIN rstar.problems p ON p.problem_id = i;
INSERT INTO rstar.nodes (tree_id, node_id, parent_id, depth, rollout, kind, status, rejected, expanded, text, output, answer, correct,
                         visits, value_sum, ppm_score, logprob, tokens, duplicates)
SELECT t, n, parent, depth, n % 8, kind, status, status <> 'ok', true, '# Solve for x in step ' || n || E'\nprint(solve(5*x - ' || t % 31 || ', x))',
       CASE status WHEN 'error' THEN 'NameError: name ''x' || t % 50 || ''' is not defined' ELSE '[' || t % 31 || '/2]' END,
       CASE kind WHEN 'answer' THEN t % 100 END, CASE kind WHEN 'answer' THEN (t + n) % 3 = 0 END,
       2, CASE WHEN (t + n) % 3 = 0 THEN 1.5 ELSE -1 END, 0.3, -3.5, 20, (t + n) % 2
  FROM generate_series(1, :trees) t,
       (VALUES (0, NULL, 0, 'root', 'ok'), (1, 0, 1, 'step', 'ok'), (2, 0, 1, 'step', 'ok'), (3, 0, 1, 'step', 'ok'), (4, 0, 1, 'step', 'error'),
               (5, 1, 2, 'step', 'ok'), (6, 1, 2, 'step', 'ok'), (7, 2, 2, 'step', 'ok'), (8, 2, 2, 'step', 'ok'),
               (9, 3, 2, 'step', 'error'), (10, 3, 2, 'step', 'error'),
               (11, 5, 3, 'answer', 'ok'), (12, 6, 3, 'answer', 'ok'), (13, 7, 3, 'answer', 'ok'), (14, 8, 3, 'answer', 'ok'),
               (15, 3, 2, 'step', 'timeout'), (16, 3, 2, 'step', 'unparsable')) x (n, parent, depth, kind, status)
 ORDER BY t, n;
INSERT INTO rstar.trajectories (tree_id, leaf_id, steps, answer, correct, mean_q, min_q, score, solution)
SELECT t, n, 3, t % 100, (t + n) % 3 = 0, 0.3, -1, ((t * 7 + n) % 200) / 100.0 - 1, repeat('# Solve for x; print(solve(5*x - 3, x)). ', 6) || t || n
  FROM generate_series(1, :trees) t, generate_series(11, 14) n ORDER BY t, n;
INSERT INTO rstar.training_runs (run_id, name, kind, base_id, base_sha256, query, settings, created_by)
VALUES (1, 'pupil', 'policy', 1, repeat('0', 64), '', '{}', CURRENT_USER);
INSERT INTO rstar.training_examples (run_id, example_id, problem, solution, tokens, used, held_out)
SELECT 1, row_number() OVER (), t.statement, j.solution, 20, true, false
  FROM rstar.trees t JOIN rstar.trajectories j USING (tree_id) WHERE t.round_id = 3 AND j.leaf_id < 13;
VACUUM ANALYZE;
