-- reports.sql: everything that is known of a round, in psql.
--
--     psql -X -v round=3 -f sql/reports.sql mydatabase
--
-- Without round: of the trees outside rounds. The role needs SELECT on the tables and views of
-- schema rstar. rstar_report_html(3) makes a page for a browser of the same.

\set ON_ERROR_STOP on
\if :{?round} \else \set round '' \endif

-- Compiling these plans would take longer than running them.
SET jit = off;

-- A condition that names the round reaches the trees by an index.
SELECT coalesce('round_id = ' || nullif(:'round', '')::bigint, 'round_id IS NULL') AS this_round \gset

\echo
\echo '== The round, and those before it in its line'
SELECT s.round_id, s.name, s.number, s.phase, s.problems, s.solved, s.greedy, s.majority, s.best, s.weighted, s.accepted, s.note
  FROM rstar.round_lines l JOIN rstar.round_summary s ON s.round_id = l.line_round_id
 WHERE l.:this_round ORDER BY s.number;

\echo
\echo '== Difficulty: problems by the share of their answers that is correct'
SELECT difficulty, count(*) AS problems, sum(answers) AS answers, sum(correct_answers) AS correct_answers
  FROM rstar.problem_difficulty WHERE :this_round GROUP BY difficulty ORDER BY difficulty;

\echo
\echo '== Coverage: problems solved; the answers of closed ones can be guessed'
SELECT topic, level, closed, problems, solved, round(share::numeric, 3) AS share
  FROM rstar.coverage WHERE :this_round ORDER BY share, topic, level, closed;

\echo
\echo '== Q along trajectories to correct and wrong answers'
SELECT depth, correct_trajectories, wrong_trajectories, round(correct_q::numeric, 3) AS correct_q, round(wrong_q::numeric, 3) AS wrong_q
  FROM rstar.q_by_depth WHERE :this_round ORDER BY depth;

\echo
\echo '== Calibration of the PPM: share of answers that is correct, by their score'
SELECT ppm_id, low, high, answers, round(share::numeric, 3) AS share
  FROM rstar.ppm_calibration WHERE :this_round ORDER BY ppm_id, bin;

\echo
\echo '== Cost'
SELECT trees, problems, solved, tokens, round(policy_s::numeric, 1) AS policy_s, round(ppm_s::numeric, 1) AS ppm_s,
       round(sandbox_s::numeric, 1) AS sandbox_s, round(search_s::numeric, 1) AS search_s, round(elapsed_s::numeric, 1) AS elapsed_s,
       round(tokens_per_tree::numeric) AS tokens_per_tree, round(tokens_per_solved::numeric) AS tokens_per_solved,
       round(seconds_per_solved::numeric, 1) AS seconds_per_solved
  FROM rstar.search_cost WHERE :this_round;

\echo
\echo '== Candidates merged with one of the same text'
SELECT depth, candidates, merged, round(share::numeric, 3) AS share
  FROM rstar.duplicates WHERE :this_round ORDER BY depth;

\echo
\echo '== Why candidates were rejected (the 20 most frequent reasons)'
SELECT status, error, steps, example_tree_id, example_node_id
  FROM rstar.step_failures WHERE :this_round ORDER BY steps DESC, status, error LIMIT 20;

\echo
\echo '== Trees that reached a wrong answer first and gave a correct one in the end (20 of them)'
SELECT problem_id, tree_id, first_answer, answer
  FROM rstar.backtracking WHERE :this_round ORDER BY tree_id LIMIT 20;

\echo
\echo '== Models that trajectories of the round trained'
SELECT model_id, model, kind, part, count(DISTINCT (tree_id, leaf_id)) AS trajectories
  FROM rstar.training_sources WHERE :this_round AND held_out IS NOT TRUE
 GROUP BY model_id, model, kind, part ORDER BY model_id, part;
