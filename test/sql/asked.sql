-- Trees keep what they were asked, say why they ended, and can be graded anew.
SET client_min_messages = warning;
CREATE EXTENSION rstar;
RESET client_min_messages;

INSERT INTO rstar.problems (problem_id, statement, answer) VALUES (1, 'What is 40 + 2?', '43'), (2, 'no answer known', NULL);
CREATE FUNCTION step(name text) RETURNS jsonb LANGUAGE sql AS
  $$ SELECT jsonb_build_object('text', E'<code>\n# ' || name || E'\n<end_of_code>', 'status', 'ok', 'score', 0) $$;
CREATE FUNCTION answer(value text) RETURNS jsonb LANGUAGE sql AS
  $$ SELECT jsonb_build_object('text', '<answer>\boxed{' || value || '}<end_of_answer>', 'status', 'ok', 'score', 0) $$;
-- a right and a wrong way, each with its answer
CREATE FUNCTION two_ways() RETURNS jsonb LANGUAGE sql AS
  $$ SELECT jsonb_build_array(jsonb_build_array(step('add'), step('add and err')), jsonb_build_array(answer('42')), jsonb_build_array(answer('43'))) $$;

-- why a search ended
SET rstar.rollouts = 16;
SELECT rstar_search_scripted(1, two_ways()) AS exhausted \gset
SET rstar.rollouts = 1;
SELECT rstar_search_scripted(1, two_ways()) AS by_rollouts \gset
SET rstar.rollouts = 16;
SET rstar.enough_correct = 1;
SELECT rstar_search_scripted(1, jsonb_build_array(jsonb_build_array(step('a'), step('b')), jsonb_build_array(answer('43')))) AS enough \gset
RESET rstar.enough_correct;
SET rstar.search_nodes = 3;
SELECT rstar_search_scripted(1, two_ways()) AS by_nodes \gset
RESET rstar.search_nodes;
SELECT tree_id, rollouts, nodes, ended_by, statement, known_answer, correct FROM rstar.trees ORDER BY tree_id;
SET rstar.method = 'majority';
SET rstar.rollouts = 2;
SELECT rstar_search_scripted(1, jsonb_build_array(jsonb_build_array(answer('7'), answer('43')))) AS samples \gset
RESET rstar.method;
RESET rstar.rollouts;

-- samples have numbers of their own, and the second is the first right one
SELECT node_id, rollout, answer, correct FROM rstar.nodes WHERE tree_id = :samples ORDER BY 1;
SELECT rollouts, first_correct_rollout, ended_by FROM rstar.trees WHERE tree_id = :samples;

-- a corrected answer: the trees still say what they were asked
UPDATE rstar.problems SET answer = '42' WHERE problem_id = 1;
SELECT split_part(rstar_tree_text(:exhausted), E'\n', 2) AS second_line;
SELECT node_id, visits, value_sum, correct FROM rstar.nodes WHERE tree_id = :exhausted ORDER BY 1;
SELECT rstar_build_pairs(pair_min_edit => 1) AS pairs;
SELECT rstar_regrade(1) AS changed;
SELECT node_id, visits, value_sum, correct FROM rstar.nodes WHERE tree_id = :exhausted ORDER BY 1;
SELECT answer, correct, mean_q FROM rstar.trajectories WHERE tree_id = :exhausted ORDER BY leaf_id;
SELECT tree_id, known_answer, first_correct_rollout FROM rstar.trees ORDER BY tree_id;
SELECT count(*) AS pairs FROM rstar.preference_pairs;
SELECT rstar_regrade(1) AS changed_again;
SELECT rstar_build_pairs(pair_min_edit => 1) > 0 AS pairs;
SELECT DISTINCT problem, chosen ~ '42' AS chosen_is_right FROM rstar.ppm_training WHERE kind = 'answer';

-- another statement is another question: its trees stay as they are
UPDATE rstar.problems SET statement = 'What is 40 + 3?', answer = '43' WHERE problem_id = 1;
SELECT rstar_regrade(1) AS changed;
SELECT DISTINCT problem FROM rstar.sft_training;

-- a problem that gets its answer after the search: grades, and no values, since none guided it
SELECT rstar_search_scripted(2, two_ways()) AS unknown \gset
UPDATE rstar.problems SET answer = '42' WHERE problem_id = 2;
SELECT rstar_regrade(2) AS changed;
SELECT node_id, visits, value_sum, correct FROM rstar.nodes WHERE tree_id = :unknown ORDER BY 1;

-- what is refused
UPDATE rstar.problems SET answer = NULL WHERE problem_id = 2;
SELECT rstar_regrade(2);
SELECT rstar_regrade(3);
SELECT rstar_regrade(NULL);
BEGIN READ ONLY;
SELECT rstar_regrade(1);
ROLLBACK;
CREATE ROLE regress_rstar_reader;
SET ROLE regress_rstar_reader;
SELECT rstar_regrade(1);
RESET ROLE;
DROP ROLE regress_rstar_reader;

DROP FUNCTION step, answer, two_ways;
DROP EXTENSION rstar;
