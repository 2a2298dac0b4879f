-- Reports over stored trees. The rows are made by hand, and so are the expected
-- figures.
SET client_min_messages = warning;
CREATE EXTENSION rstar;
RESET client_min_messages;
SET extra_float_digits = 0;

INSERT INTO rstar.problems (problem_id, statement, answer, level, topic) VALUES
	(1, 'Calculate 1 + 1.', '2', 'easy', 'sums'),
	(2, 'Calculate 2 + 2.', '4', 'easy', 'sums'),
	(3, 'Is 7 prime?', 'True', 'hard', 'primes'),
	(4, 'Calculate 4 + 5.', '9', 'hard', 'sums'),
	(5, 'What is the meaning of it?', NULL, 'hard', 'sums');
INSERT INTO rstar.models (model_id, name, role, path, sha256, file_size) VALUES
	(2001, 'judge', 'ppm', 'none', repeat('0', 64), 1), (2002, 'pupil', 'policy', 'none', repeat('1', 64), 1);
INSERT INTO rstar.rounds (round_id, name, created_by, number, previous_id, preset, settings, phase) VALUES
	(1, 'first', CURRENT_USER, 1, NULL, 'nano', '{}', 'done'), (2, 'first', CURRENT_USER, 2, 1, 'nano', '{}', 'done');
INSERT INTO rstar.round_problems VALUES (2, 1, true, false), (2, 2, false, false), (2, 4, false, true);

-- A tree took 100 tokens, and 2 s in all; it lasted as many seconds as its number.
CREATE FUNCTION add_tree(tree bigint, problem bigint, round bigint, solved_in int DEFAULT NULL, settings jsonb DEFAULT '{}')
RETURNS void LANGUAGE sql AS $$
	INSERT INTO rstar.trees (tree_id, problem_id, round_id, ppm_id, method, settings, seed, status, reproducible, rollouts, nodes,
	                         generated_tokens, computed_tokens, python_steps, policy_ms, ppm_ms, sandbox_ms, search_ms,
	                         started_at, finished_at, first_correct_rollout)
	VALUES (tree, problem, round, CASE WHEN round = 2 THEN 2001 END, 'mcts', settings, 0, 'done', true, 4, 0,
	        100, 200, 10, 1000, 250, 500, 2000, '2026-01-01', '2026-01-01'::timestamptz + tree * interval '1 s', solved_in);
	INSERT INTO rstar.nodes (tree_id, node_id, depth, rollout, kind, status, rejected, expanded, text, visits, value_sum,
	                         logprob, tokens, duplicates)
	VALUES (tree, 0, 0, 0, 'root', 'ok', false, true, '', 4, 0, 0, 0, 0) $$;
CREATE FUNCTION add_step(tree bigint, node int, parent int, value float8, merged int DEFAULT 0,
                         status text DEFAULT 'ok', output text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
	INSERT INTO rstar.nodes (tree_id, node_id, parent_id, depth, rollout, kind, status, rejected, expanded, text, output,
	                         visits, value_sum, logprob, tokens, duplicates)
	SELECT tree, node, parent, depth + 1, 0, 'step', $6, $6 <> 'ok', true, 'step ' || node || ';', $7, 1, value, -1, 5, merged
	  FROM rstar.nodes WHERE tree_id = tree AND node_id = parent $$;
CREATE FUNCTION add_answer(tree bigint, node int, parent int, answer text, correct bool, score float8 DEFAULT 0)
RETURNS void LANGUAGE sql AS $$
	INSERT INTO rstar.nodes (tree_id, node_id, parent_id, depth, rollout, kind, status, rejected, expanded, text, answer, correct,
	                         visits, value_sum, ppm_score, logprob, tokens, duplicates)
	SELECT tree, node, parent, depth + 1, 0, 'answer', 'ok', false, false, '<answer>' || $4, $4, $5,
	       1, CASE WHEN $5 THEN 1 ELSE -1 END, score, -1, 5, 0
	  FROM rstar.nodes WHERE tree_id = tree AND node_id = parent;
	INSERT INTO rstar.trajectories (tree_id, leaf_id, steps, answer, correct, mean_q, min_q, score, solution)
	SELECT tree, node, depth, $4, $5, 0, 0, score, 'step ' || parent || ';<answer>' || $4
	  FROM rstar.nodes WHERE tree_id = tree AND node_id = node $$;

-- Round 1. Problem 1: two right answers. 2: a wrong one, then a right one. 3: a wrong one. 4: none. 5: one that nobody grades.
SELECT add_tree(1, 1, 1, 0);
SELECT add_step(1, 1, 0, 0.5), add_step(1, 2, 0, 0.7, 2),
       add_step(1, 3, 0, -1, 1, 'error', E'12\nNameError: name ''x1'' is not defined\n');
SELECT add_answer(1, 4, 1, '2', true), add_answer(1, 5, 2, '2', true);
SELECT add_tree(2, 2, 1, 1);
SELECT add_step(2, 1, 0, -0.2), add_step(2, 2, 1, 0.1), add_step(2, 3, 0, 0.9);
SELECT add_answer(2, 4, 2, '5', false), add_answer(2, 5, 3, '4', true);
UPDATE rstar.trees SET answer = '4', answer_id = 5, correct = true WHERE tree_id = 2;
UPDATE rstar.trees SET answer = '2', answer_id = 4, correct = true WHERE tree_id = 1;
SELECT add_tree(3, 3, 1);
SELECT add_step(3, 1, 0, -0.4), add_answer(3, 2, 1, 'False', false);
SELECT add_tree(4, 4, 1);
SELECT add_step(4, 1, 0, -1, 0, 'error', 'NameError: name ''x22'' is not defined'), add_step(4, 2, 0, -1, 0, 'timeout', 'on and on'),
       add_step(4, 3, 0, -1, 4, 'unparsable'), add_step(4, 4, 0, -1, 0, 'error', 'ZeroDivisionError: division by zero');
SELECT add_tree(5, 5, 1);
SELECT add_step(5, 1, 0, 0), add_answer(5, 2, 1, '42', NULL);
-- Round 2, with a PPM. 1 is held out.
SELECT add_tree(6, 2, 2, 0);
SELECT add_step(6, 1, 0, 0.5), add_answer(6, 2, 1, '4', true, 0.9), add_answer(6, 3, 1, '4', true, 1), add_answer(6, 4, 1, '5', false, 0.85),
       add_answer(6, 5, 1, '6', false, -1);
SELECT add_tree(7, 4, 2);
SELECT add_step(7, 1, 0, 0.5), add_answer(7, 2, 1, '8', false, 0);
SELECT add_tree(8, 1, 2, 0);
SELECT add_step(8, 1, 0, 0.5), add_answer(8, 2, 1, '2', true, 0.3);
-- Outside rounds, and nothing guided it.
SELECT add_tree(9, 1, NULL, 0, '{"guidance": 0}');
SELECT add_step(9, 1, 0, 0.5), add_answer(9, 2, 1, '2', true);

SELECT * FROM rstar.problem_difficulty ORDER BY round_id, problem_id;
SELECT * FROM rstar.coverage ORDER BY round_id, level, topic, closed;
-- depth 1: right (0.5 + 0.7 + 0.9) / 3, wrong (-0.2 - 0.4) / 2; depth 2: right 1, wrong (0.1 - 1) / 2
SELECT * FROM rstar.q_by_depth ORDER BY round_id, depth;
SELECT * FROM rstar.step_failures ORDER BY round_id, status, error;
SELECT * FROM rstar.ppm_calibration ORDER BY round_id, bin;
SELECT * FROM rstar.search_cost ORDER BY round_id;
-- depth 1 of round 1: 12 nodes, and 2 + 1 + 4 merged
SELECT * FROM rstar.duplicates ORDER BY round_id, depth;
SELECT * FROM rstar.backtracking;

-- which trajectories trained which model: one example has two sources, one was never found by a search
INSERT INTO rstar.training_runs (run_id, name, kind, base_id, base_sha256, query, settings, created_by, result_model_id) VALUES
	(1, 'pupil', 'policy', 1, repeat('0', 64), '', '{}', CURRENT_USER, 2002), (2, 'judge', 'ppm', 1, repeat('0', 64), '', '{}', CURRENT_USER, NULL);
INSERT INTO rstar.training_examples (run_id, example_id, problem, solution, prefix, chosen, rejected, tokens, used, held_out) VALUES
	(1, 1, 'Calculate 1 + 1.', 'step 1;<answer>2', NULL, NULL, NULL, 5, true, false),
	(1, 2, 'Calculate 2 + 2.', 'step 3;<answer>4', NULL, NULL, NULL, 5, true, true),
	(1, 3, 'Calculate 2 + 2.', 'step 3;<answer>5', NULL, NULL, NULL, 5, true, false),
	(1, 4, 'Calculate 1 + 1.', 'step 2;<answer>2', NULL, NULL, NULL, 5, false, NULL),
	(2, 1, 'Calculate 2 + 2.', NULL, '', 'step 3;<answer>4', 'step 2;<answer>5', 5, true, NULL),
	(2, 2, 'Calculate 2 + 2.', NULL, 'step 1;', 'step 3;<answer>4', 'step 2;<answer>5', 5, true, NULL);
SELECT * FROM rstar.training_sources ORDER BY run_id, example_id, part DESC, tree_id, leaf_id;

-- Evaluations as a picture. Of 4 problems 1, 2, 3 are right with 1, 2, 4 rollouts; the tooltips have the intervals (Wilson).
INSERT INTO rstar.evaluations (evaluation_id, name, created_by, method, settings, rollouts) VALUES
	(1, 'plain', CURRENT_USER, 'mcts', '{"policy": "gone"}', 4), (2, '<script>&', CURRENT_USER, 'mcts', '{}', 4);
INSERT INTO rstar.evaluation_problems SELECT e, p, false, true FROM generate_series(1, 2) e, generate_series(1, 4) p;
INSERT INTO rstar.evaluation_answers (evaluation_id, problem_id, measure, per, k, value, tokens)
SELECT 1, p, m, 'rollout', k, CASE WHEN p <= place THEN 1 ELSE 0 END, 10 * k
  FROM generate_series(1, 4) p, (VALUES (1, 1), (2, 2), (4, 3)) x (k, place), unnest(ARRAY['pass', 'majority', 'mean']) m;
INSERT INTO rstar.evaluation_answers (evaluation_id, problem_id, measure, per, k, value, tokens)
SELECT 2, p, m, r, 1, 1, 10 FROM generate_series(1, 4) p, (VALUES ('greedy', 'rollout'), ('pass', 'answer')) x (m, r);
SELECT t[1] AS tooltip FROM rstar_scaling_svg('{1}') svg, regexp_matches(svg, '<title>([^<]*)', 'g') t;
SELECT xml_is_well_formed_document(svg) AS well_formed, svg LIKE '%plain (gone, mcts)%' AS titled FROM rstar_scaling_svg('{1}') svg;
SELECT t[1] AS tooltip FROM rstar_scaling_svg('{2}', per => 'answer') svg, regexp_matches(svg, '<title>([^<]*)', 'g') t;
SELECT svg LIKE '%>answers<%' AS of_answers, svg LIKE '%<script%' AS spoiled, svg LIKE '%&lt;script&gt;&amp; (mcts)%' AS escaped
  FROM rstar_scaling_svg('{2,1}', 'answer') svg;
SELECT rstar_scaling_svg('{1,7}');
SELECT rstar_scaling_svg('{}');
SELECT rstar_scaling_svg('{1,1}') LIKE '<svg %' AS twice;
SELECT rstar_scaling_svg('{1,NULL}');
SELECT rstar_scaling_svg('{1,2,3,4,5,6,7}');
SELECT rstar_scaling_svg('{1}', 'tokens');
SELECT t[1] AS tooltip FROM rstar_scaling_svg('{1}', per => 'token') svg, regexp_matches(svg, '<title>([^<]*)', 'g') t;
SELECT svg LIKE '%>tokens generated for a problem<%' AS of_tokens, t[1] AS doubling
  FROM rstar_scaling_svg('{1}', per => 'token') svg, regexp_matches(svg, 'y="378">([0-9]+)<', 'g') t;

-- at equal cost: evaluation 3 needs three times the tokens of evaluation 1 for a rollout
INSERT INTO rstar.evaluations (evaluation_id, name, created_by, method, settings, rollouts)
SELECT 3, 'dear', created_by, 'best_of_n', settings, rollouts FROM rstar.evaluations WHERE evaluation_id = 1;
INSERT INTO rstar.evaluation_problems SELECT 3, problem_id, closed, counted FROM rstar.evaluation_problems WHERE evaluation_id = 1;
INSERT INTO rstar.evaluation_answers (evaluation_id, problem_id, measure, per, k, value, tokens)
SELECT 3, problem_id, measure, per, k, 1 - value, 3 * tokens FROM rstar.evaluation_answers WHERE evaluation_id = 1;
SELECT k, tokens, value, other_k, other_tokens, other_value, problems, won, lost, p_value FROM rstar_compare_at_cost(3, 1, 'pass');
SELECT k, other_k, problems FROM rstar_compare_at_cost(1, 3, 'pass', 'mean');
SELECT * FROM rstar_compare_at_cost(1, 2, 'majority');
SELECT * FROM rstar_compare_at_cost(1, 99);
-- Two measures of one evaluation: each has its own cost.
SELECT k, tokens, other_k, other_tokens, problems FROM rstar_compare_at_cost(1, 1, 'pass', 'majority');
SELECT * FROM rstar_compare_at_cost(NULL, 1);
SELECT rstar_scaling_svg(NULL) IS NULL AS nothing;

-- a role sees the reports of its own trees, and its own evaluations
CREATE ROLE rstar_reader;
GRANT USAGE ON SCHEMA rstar TO rstar_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA rstar TO rstar_reader;
UPDATE rstar.trees SET created_by = 'rstar_reader' WHERE tree_id = 2;
SET ROLE rstar_reader;
SELECT round_id, trees FROM rstar.search_cost;
SELECT problem_id, difficulty FROM rstar.problem_difficulty;
SELECT rstar_scaling_svg('{1}');
SELECT count(*) FROM rstar.evaluation_summary;
SELECT rstar_report_html(1);
RESET ROLE;

-- A page. What models and users wrote stays text; the page is well-formed, so nothing in it opens or closes a tag.
UPDATE rstar.rounds SET name = '<b>&', note = '</table><img src=x onerror=alert(1)>', evaluation_id = 2, policy_run_id = 1, accepted = false
 WHERE round_id = 2;
UPDATE rstar.rounds SET name = '<b>&' WHERE round_id = 1;
UPDATE rstar.problems SET topic = '"><script>alert(2)</script>', statement = '<script>alert(3)</script>' WHERE problem_id = 2;
SELECT add_step(6, 6, 0, -1, 0, 'error', E'\u202Ex\nError: </td></style><script>alert(4)</script> 77');
UPDATE rstar.nodes SET text = '</svg><script>alert(5)</script>' WHERE tree_id = 6 AND node_id IN (1, 6);
UPDATE rstar.trees SET correct = true, answer = '<i>4', answer_id = 2, nodes = 6 WHERE tree_id = 6;
UPDATE rstar.trees SET known_answer = '<u>9' WHERE tree_id = 7;
UPDATE rstar.training_runs SET name = '<script>alert(6)</script>' WHERE run_id = 1;
SELECT rstar_report_html(2) AS page \gset
SELECT xml_is_well_formed_document(:'page') AS well_formed, :'page' ~* '<(script|img|b|i|u)\M' AS spoiled;
SELECT (xpath('//*[local-name()="h1"]/text()', page))[1] AS title, cardinality(xpath('//*[local-name()="svg"]', page)) AS pictures,
       cardinality(xpath('//*[local-name()="table"]', page)) AS tables
  FROM (SELECT xmlparse(DOCUMENT :'page') AS page) p;
-- the table of rounds, the first of the line on the left
SELECT array_to_string(xpath('//text()', line), ' | ') AS line
  FROM unnest(xpath('(//table)[1]/tr', xmlparse(DOCUMENT :'page'))) line;
-- why steps failed
SELECT array_to_string(xpath('//text()', line), ' | ') AS line
  FROM unnest(xpath('//h2[.="Steps that failed"]/following-sibling::div[1]//tr[td]', xmlparse(DOCUMENT :'page'))) line;
-- a round of which there is nothing yet
INSERT INTO rstar.rounds (round_id, name, created_by, number, preset, settings) VALUES (3, 'third', CURRENT_USER, 1, 'nano', '{}');
SELECT p FROM regexp_matches(rstar_report_html(3), '<p>([^<]*[.])</p>', 'g') p;
SELECT rstar_report_html(77);
SELECT rstar_report_html(NULL) IS NULL AS nothing;

DROP FUNCTION add_tree, add_step, add_answer;
DROP EXTENSION rstar;
DROP OWNED BY rstar_reader;
DROP ROLE rstar_reader;
