-- Training data from stored trees: selection, pairs, views. The rows are made
-- by hand, and so are the expected pairs.
SET client_min_messages = warning;
CREATE EXTENSION rstar;
RESET client_min_messages;

-- nothing yet
SELECT * FROM rstar_select_trajectories();
SELECT rstar_build_pairs();

INSERT INTO rstar.problems (problem_id, statement, answer) VALUES
	(1, 'Solve 3*x + 5 = 20 for x.', '5'),
	(2, 'Is 7 prime?', 'True'),
	(3, 'Which is bigger: 3 or 2?', '3'),
	(4, 'What is the meaning of \LaTeX?', NULL);

CREATE FUNCTION add_tree(tree bigint, problem bigint, round bigint DEFAULT NULL) RETURNS void LANGUAGE sql
	AS $$ INSERT INTO rstar.trees (tree_id, problem_id, round_id, method, settings, seed, status, reproducible, rollouts, nodes,
	                               generated_tokens, computed_tokens, python_steps, policy_ms, ppm_ms, sandbox_ms, started_at, finished_at)
	      VALUES (tree, problem, round, 'mcts', '{}', 0, 'done', true, 8, 0, 100, 200, 10, 1, 2, 3, '2026-01-01', '2026-01-01');
	      INSERT INTO rstar.nodes (tree_id, node_id, depth, rollout, kind, status, rejected, expanded, text, visits, value_sum,
	                               logprob, tokens, duplicates)
	      VALUES (tree, 0, 0, 0, 'root', 'ok', false, true, '', 8, 0, 0, 0, 0) $$;
CREATE FUNCTION add_step(tree bigint, node int, parent int, text text, visits int, sum float8,
                         status text DEFAULT 'ok', rejected bool DEFAULT false) RETURNS void LANGUAGE sql
	AS $$ INSERT INTO rstar.nodes (tree_id, node_id, parent_id, depth, rollout, kind, status, rejected, expanded, text, visits, value_sum,
	                               logprob, tokens, duplicates)
	      SELECT tree, node, parent, depth + 1, 0, 'step', $7, $8, true, $4, $5, sum, -1, 5, 0
	        FROM rstar.nodes WHERE tree_id = tree AND node_id = parent $$;
CREATE FUNCTION add_answer(tree bigint, node int, parent int, answer text, correct bool) RETURNS void LANGUAGE sql
	AS $$ INSERT INTO rstar.nodes (tree_id, node_id, parent_id, depth, rollout, kind, status, rejected, expanded, text, answer, correct,
	                               visits, value_sum, logprob, tokens, duplicates)
	      SELECT tree, node, parent, depth + 1, 0, 'answer', 'ok', false, false, '<answer>' || $4, $4, $5,
	             1, CASE WHEN $5 THEN 1 ELSE -1 END, -1, 5, 0
	        FROM rstar.nodes WHERE tree_id = tree AND node_id = parent;
	      WITH RECURSIVE path AS (
	          SELECT n.* FROM rstar.nodes n WHERE tree_id = tree AND node_id = node
	          UNION ALL
	          SELECT n.* FROM rstar.nodes n, path WHERE n.tree_id = tree AND n.node_id = path.parent_id)
	      INSERT INTO rstar.trajectories (tree_id, leaf_id, steps, failed_steps, answer, correct, mean_q, min_q, score, solution)
	      SELECT tree, node, count(*), count(*) FILTER (WHERE status <> 'ok'), $4, $5, avg(q), min(q), 0, string_agg(text, '' ORDER BY depth) FROM path WHERE depth > 0 $$;

-- Tree 1. Q of the steps: 1: 1, 2: 0, 3: 0.5, 4: -1, 5: -0.5; below 2: 6: 1, 7: -1.
SELECT add_tree(1, 1, 1);
SELECT add_step(1, 1, 0, 'one;', 2, 2), add_step(1, 2, 0, 'two;', 2, 0), add_step(1, 3, 0, 'three;', 2, 1),
       add_step(1, 4, 0, 'four;', 1, -1), add_step(1, 5, 0, 'five;', 2, -1);
SELECT add_step(1, 6, 2, 'six;', 1, 1), add_step(1, 7, 2, 'seven;', 1, -1);
SELECT add_answer(1, 8, 6, '5', true), add_answer(1, 9, 7, '9', false), add_answer(1, 10, 1, '5', true),
       add_answer(1, 11, 3, '5', true), add_answer(1, 12, 4, '12', false), add_answer(1, 13, 5, '13', false);

-- Tree 2, of another round: the solution of 1/10 again, with a lower mean; a failed step that was kept, with the highest.
SELECT add_tree(2, 1, 2);
SELECT add_step(2, 1, 0, 'one;', 4, 2), add_step(2, 2, 0, 'broken;', 4, 4, 'error'), add_step(2, 3, 0, 'gone;', 1, -1, 'error', true);
SELECT add_step(2, 4, 2, 'mended;', 4, 4);
SELECT add_answer(2, 5, 1, '5', true), add_answer(2, 6, 4, '5', true);

-- Closed problems: 3 answers are too few; 4 of 5 suffice.
SELECT add_tree(3, 2, 1);
SELECT add_step(3, 1, 0, 'yes;', 3, 3), add_answer(3, 2, 1, 'True', true);
SELECT add_step(3, 3, 0, 'no;', 3, -3), add_answer(3, 4, 3, 'False', false);
SELECT add_step(3, 5, 0, 'sure;', 3, 3), add_answer(3, 6, 5, 'True', true);
SELECT add_tree(4, 3, 1);
SELECT add_step(4, 1, 0, 'a;', 1, 1), add_answer(4, 2, 1, '3', true);
SELECT add_step(4, 3, 0, 'b;', 1, 1), add_answer(4, 4, 3, '3', true);
SELECT add_step(4, 5, 0, 'c;', 1, 1), add_answer(4, 6, 5, '3', true);
SELECT add_step(4, 7, 0, 'd;', 1, 1), add_answer(4, 8, 7, '3', true);
SELECT add_step(4, 9, 0, 'e;', 1, -1), add_answer(4, 10, 9, '2', false);

-- An answer that nobody can grade.
SELECT add_tree(5, 4);
SELECT add_step(5, 1, 0, 'hm;', 1, 1), add_answer(5, 2, 1, '42', NULL);

-- Selection. Problem 1: 10 (mean 1), then 11 (0.75): 2/6 has a failed step, 2/5 is the text of 1/10.
SELECT * FROM rstar_select_trajectories();
SELECT * FROM rstar_select_trajectories(per_problem => 3);
-- of round 2 alone, 2/5 is the best there is
SELECT * FROM rstar_select_trajectories(2);
SELECT count(*) FROM rstar_select_trajectories(NULL, NULL);
SELECT count(*) FROM rstar_select_trajectories(1, 0);
SELECT count(*) FROM rstar_select_trajectories(77);
SELECT problem_id, tree_id, leaf_id, place, problem, solution FROM rstar.sft_training ORDER BY problem_id, place;
-- view and function agree
SELECT problem_id, tree_id, leaf_id, place, mean_q, min_q FROM rstar.sft_training
EXCEPT SELECT * FROM rstar_select_trajectories();
SELECT tree_id, leaf_id FROM rstar.sound_trajectories ORDER BY 1, 2;

-- closed answers
SELECT rstar_closed_answer('Is 7 prime?', 'True') AS truth, rstar_closed_answer('Solve x + 1 = 6.', '5') AS open,
       rstar_closed_answer('Is 7 prime?', NULL) AS nothing;

-- Pairs. Texts this short are not 20 characters apart.
SELECT rstar_build_pairs();
SELECT rstar_build_pairs(pair_min_margin => 2.5);
SELECT rstar_build_pairs(pair_min_edit => -2);
SELECT rstar_build_pairs(pair_min_edit => 1001);
SELECT rstar_build_pairs(pair_min_margin => 'NaN');

-- Round 1. Steps of tree 1: 1 and 3 over 4 and 5, margins 2, 1.5, 1.5, 1, and 6 over 7, margin 2.
-- Answers: 10 (mean 1) and 11 (0.75) over 12 (-1) and 13 (-0.75). Problem 3: one wrong, up to 4 right:
-- 1, 3, 5, 7 over 9; the same of its answers. Problem 2 is left out.
SELECT rstar_build_pairs(1, pair_min_edit => 1);
SELECT chosen_tree_id AS tree, chosen_id, rejected_tree_id AS tree, rejected_id, parent_id, kind, margin, weight
  FROM rstar.preference_pairs ORDER BY kind DESC, chosen_tree_id, parent_id, margin DESC, chosen_id, rejected_id;

-- a second call does nothing; nor does one over all rounds, for round 2 has no wrong answers
SELECT rstar_build_pairs(1, pair_min_edit => 1);
SELECT rstar_build_pairs(pair_min_edit => 1);

-- A larger margin, from settings; pairs that were deleted are built again.
DELETE FROM rstar.preference_pairs WHERE chosen_tree_id = 1;
SET rstar.pair_min_margin = 1.75;
SET rstar.pair_min_edit = 1;
SELECT rstar_build_pairs();
SELECT chosen_id, rejected_id, kind, margin, weight FROM rstar.preference_pairs WHERE chosen_tree_id = 1 ORDER BY 1, 2;

-- Over all rounds the trees of a problem stand together: now 2/6 (mean 1) and 1/10 (mean 1) are the best.
DELETE FROM rstar.preference_pairs;
SELECT rstar_build_pairs();
SELECT chosen_tree_id AS tree, chosen_id, rejected_tree_id AS tree, rejected_id, margin, weight
  FROM rstar.preference_pairs WHERE kind = 'answer' ORDER BY 1, 2, 4;
RESET rstar.pair_min_margin;
RESET rstar.pair_min_edit;

-- The options of the policy that made the tree, where call and setting are silent.
DELETE FROM rstar.preference_pairs;
INSERT INTO rstar.models (model_id, name, role, path, sha256, file_size, defaults)
VALUES (2000, 'small', 'policy', 'x', repeat('0', 64), 1, '{"pair_min_edit": 1, "pair_min_margin": 1.25}');
UPDATE rstar.trees SET policy_id = 2000 WHERE tree_id = 1;
SELECT rstar_build_pairs(1);
SELECT chosen_tree_id, count(*), min(margin) FROM rstar.preference_pairs GROUP BY 1;

-- the texts that train the PPM
SELECT kind, problem, prefix, chosen, rejected, margin, weight FROM rstar.ppm_training
 ORDER BY kind DESC, prefix, margin DESC, chosen, rejected;

-- Pictures. The times are the rows', so every byte is known.
UPDATE rstar.trees SET answer = '5', answer_id = 10, first_correct_rollout = 0 WHERE tree_id = 1;
-- (a server may have been built without XML)
CREATE FUNCTION well_formed(picture text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	RETURN xmlparse(DOCUMENT picture) IS NOT NULL;
EXCEPTION WHEN feature_not_supported THEN
	RETURN true;
END $$;
\pset format unaligned
\pset tuples_only on
SELECT rstar_tree_text(1);
SELECT rstar_tree_text(2);
SELECT rstar_tree_text(2, rejected => false) !~ 'gone;' AS hidden;
SELECT well_formed(rstar_tree_svg(t.tree_id)), count(*) AS nodes,
       (SELECT count(*) FROM regexp_matches(rstar_tree_svg(t.tree_id), '<title>node ', 'g')) AS marks
  FROM rstar.trees t JOIN rstar.nodes n ON n.tree_id = t.tree_id GROUP BY t.tree_id ORDER BY t.tree_id;
-- hostile texts are texts
SELECT add_tree(6, 4), add_step(6, 1, 0, E'</svg><script>alert("&")</script>\u202e\x1b[31m', 1, 'NaN');
SELECT rstar_tree_text(6);
SELECT well_formed(rstar_tree_svg(6)), rstar_tree_svg(6) ~ '<script', rstar_tree_svg(6) ~ E'\x1b';
\pset format aligned
\pset tuples_only off
SELECT rstar_tree_text(77);
SELECT rstar_tree_svg(77);
SELECT rstar_tree_text(NULL), rstar_tree_svg(NULL);

-- the way up a tree, out of an array of parents; what is no tree gives no endless way
SELECT rstar_path('{NULL,0,0,1,3}', 4), rstar_path('{NULL,0,0,1,3}', 0), rstar_path('{NULL,0,0,1,3}', 5), rstar_path('{NULL,0}', -1),
       rstar_path('{}', 0), rstar_path(NULL, 1), rstar_path('{1,0}', 1), rstar_path('{0,1}', 1), rstar_path('{NULL,-5}', 1);
SELECT bool_and(rstar_path(parents, j.leaf_id) = ARRAY(WITH RECURSIVE up (node_id, parent_id) AS (
           SELECT n.node_id, n.parent_id FROM rstar.nodes n WHERE n.tree_id = j.tree_id AND n.node_id = j.leaf_id
           UNION ALL SELECT n.node_id, n.parent_id FROM up JOIN rstar.nodes n ON n.tree_id = j.tree_id AND n.node_id = up.parent_id)
           SELECT node_id FROM up)) AS same
  FROM rstar.trajectories j
  JOIN (SELECT tree_id, array_agg(parent_id ORDER BY node_id) AS parents FROM rstar.nodes GROUP BY tree_id) a USING (tree_id);

-- a tree without nodes, and one whose rows do not fit
INSERT INTO rstar.trees (tree_id, problem_id, method, settings, seed, status, error, reproducible, rollouts, nodes, generated_tokens,
                         computed_tokens, python_steps, policy_ms, ppm_ms, sandbox_ms, started_at, finished_at)
VALUES (7, 4, 'mcts', '{}', 0, 'failed', 'no luck', true, 0, 0, 0, 0, 0, 0, 0, 0, '2026-01-01', '2026-01-01');
SELECT rstar_tree_text(7);
SELECT add_tree(8, 4), add_step(8, 7, 0, 'a gap', 1, 1);
SELECT rstar_tree_text(8);

-- Rights: nobody writes pairs unasked; tables and views are read as the caller, who
-- sees the trees that it made, or all as a member of pg_read_all_data.
\set VERBOSITY terse
CREATE ROLE regress_rstar_reader;
GRANT USAGE ON SCHEMA rstar TO regress_rstar_reader;
SET ROLE regress_rstar_reader;
SELECT rstar_build_pairs();
SELECT count(*) FROM rstar.sft_training;
SELECT count(*) FROM rstar_select_trajectories();
SELECT rstar_tree_text(1);
RESET ROLE;
GRANT SELECT ON rstar.problems, rstar.trees TO regress_rstar_reader;
SET ROLE regress_rstar_reader;
SELECT rstar_tree_svg(1);
RESET ROLE;
UPDATE rstar.trees SET created_by = 'regress_rstar_reader' WHERE tree_id = 1;
SET ROLE regress_rstar_reader;
SELECT rstar_tree_svg(1);
RESET ROLE;
GRANT SELECT ON rstar.nodes, rstar.sft_training, rstar.ppm_training TO regress_rstar_reader;
GRANT EXECUTE ON FUNCTION rstar_build_pairs TO regress_rstar_reader;
SET ROLE regress_rstar_reader;
SELECT length(rstar_tree_svg(1)) > 5000 AS drawn;
SELECT count(*) FROM rstar.sft_training;
SELECT rstar_build_pairs(1);
RESET ROLE;
GRANT SELECT ON ALL TABLES IN SCHEMA rstar TO regress_rstar_reader;
SET ROLE regress_rstar_reader;
SELECT array_agg(tree_id) FROM rstar.trees;
SELECT count(*), min(tree_id), max(tree_id) FROM rstar.nodes;
SELECT count(*), min(tree_id), max(tree_id) FROM rstar.trajectories;
SELECT count(*) FROM rstar.sound_trajectories;
SELECT count(*), min(tree_id), max(tree_id) FROM rstar.sft_training;
SELECT count(*), min(tree_id), max(tree_id) FROM rstar_select_trajectories();
SELECT count(*) FROM rstar.preference_pairs;
SELECT count(*) FROM rstar.ppm_training;
SELECT rstar_tree_text(2);
SELECT rstar_build_pairs();
-- the same, as the nodes of a cluster ask
SELECT count(*) FROM rstar.nodes WHERE rstar_tree_visible(tree_id);
SELECT array_agg(tree_id) FROM rstar.trees WHERE rstar_maker_visible(created_by);
SELECT rstar_maker_visible(CURRENT_USER), rstar_maker_visible('pg_monitor'), rstar_maker_visible('nobody at all'), rstar_maker_visible(NULL);
SELECT rstar_tree_visible(1), rstar_tree_visible(2), rstar_tree_visible(12345), rstar_tree_visible(NULL);
RESET ROLE;
SELECT bool_and(rstar_tree_visible(tree_id)) FROM rstar.trees;
GRANT pg_read_all_data TO regress_rstar_reader;
SET ROLE regress_rstar_reader;
SELECT count(*) FROM rstar.sft_training;
SELECT count(*) FROM rstar.ppm_training WHERE rejected <> '';
SELECT length(rstar_tree_text(2)) > 100 AS drawn;
SELECT rstar_build_pairs();
RESET ROLE;

-- Whatever is granted, nobody but the owner writes.
GRANT ALL ON ALL TABLES IN SCHEMA rstar TO regress_rstar_reader;
SET ROLE regress_rstar_reader;
DELETE FROM rstar.trees;
UPDATE rstar.nodes SET text = 'mine';
INSERT INTO rstar.preference_pairs VALUES (1, 1, 1, 2, 0, 'step', 1, 1);
RESET ROLE;
\set VERBOSITY default

-- What hangs on a tree goes with it.
DELETE FROM rstar.trees WHERE tree_id = 1;
SELECT count(*) FROM rstar.preference_pairs WHERE chosen_tree_id = 1 OR rejected_tree_id = 1;

SELECT count(*) FROM rstar.nodes WHERE tree_id = 1;
SELECT count(*) FROM rstar.trajectories WHERE tree_id = 1;

-- Deleting trees: nothing without a condition, each condition, all of them together.
SELECT rstar_delete_trees();
SELECT rstar_delete_trees(NULL, NULL, NULL);
SELECT rstar_delete_trees(tree_ids => '{}'), rstar_delete_trees(tree_ids => '{NULL, 77, 77}');
SELECT rstar_delete_trees(77), rstar_delete_trees(older_than => '1000 years');
SELECT tree_id, round_id FROM rstar.trees ORDER BY 1;
UPDATE rstar.trees SET finished_at = now() - interval '1 hour' WHERE tree_id = 3;
UPDATE rstar.trees SET created_by = 'regress_rstar_reader' WHERE tree_id IN (2, 5);
BEGIN;
SELECT rstar_delete_trees(1, '1 day');
SELECT rstar_delete_trees(1);
SELECT count(*) FROM rstar.nodes WHERE tree_id IN (3, 4);
ROLLBACK;
BEGIN READ ONLY;
SELECT rstar_delete_trees(1);
ROLLBACK;
-- a role deletes its own, not what it merely sees
SET ROLE regress_rstar_reader;
SELECT count(*) FROM rstar.trees;
SELECT rstar_delete_trees(tree_ids => '{2}');
RESET ROLE;
GRANT EXECUTE ON FUNCTION rstar_delete_trees TO regress_rstar_reader;
SET ROLE regress_rstar_reader;
SELECT rstar_delete_trees(tree_ids => '{2, 3, 4}');
SELECT tree_id FROM rstar.trees ORDER BY 1;
RESET ROLE;
REVOKE SELECT ON rstar.trees FROM regress_rstar_reader;
REVOKE pg_read_all_data FROM regress_rstar_reader;
SET ROLE regress_rstar_reader;
\set VERBOSITY terse
SELECT rstar_delete_trees(tree_ids => '{5}');
\set VERBOSITY default
RESET ROLE;
-- the tables' owner deletes everybody's
SELECT rstar_delete_trees(older_than => '-1 day');
SELECT count(*) FROM rstar.trees;
SELECT count(*) FROM rstar.nodes;

DROP OWNED BY regress_rstar_reader;
DROP ROLE regress_rstar_reader;
DROP FUNCTION add_tree, add_step, add_answer, well_formed;
DROP EXTENSION rstar;
