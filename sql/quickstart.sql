-- quickstart.sql: from a question to a table of trees, in psql.
--
--     psql -X -f sql/quickstart.sql mydatabase
--
-- It needs a database with encoding UTF8 and a role that may create the
-- extension; everything it makes is gone again at the end. Read along.

\set ON_ERROR_STOP on
\pset null '(null)'
\pset format wrapped

BEGIN;
CREATE EXTENSION IF NOT EXISTS rstar;

\echo
\echo '== 1. A question'
SELECT rstar_solve('Solve 3*x + 5 = 20 for x.');

\echo
\echo '== 2. The tree behind an answer: what was tried, what failed, what it was worth'
SELECT rstar_search('Solve 5*b + 7 = 2*b - 20 for b.', '-9', rollouts => 6) AS tree \gset
\pset format unaligned
\pset tuples_only on
SELECT rstar_tree_text(:tree);
\pset tuples_only off
\pset format wrapped
-- rstar_tree_svg(:tree) draws it:  \o tree.svg   SELECT rstar_tree_svg(:tree);   \o

\echo
\echo '== 3. Load problems (COPY reads files in the same way)'
COPY rstar.problems (statement, answer, source, topic) FROM stdin WITH (FORMAT csv);
Solve 4*t - 7 = 21 for t.,7,quickstart,algebra
"Let f(x) = 3*x**2 - 4*x + 1. What is f(5)?",56,quickstart,algebra
What is the remainder when 371 is divided by 48?,35,quickstart,numbers
Calculate the greatest common divisor of 84 and 36.,12,quickstart,numbers
"Sort 4, -3, 11, 0 in ascending order.","-3, 0, 4, 11",quickstart,comparison
How many minutes are there between 3:20 PM and 5:05 PM?,105,quickstart,measurement
\.

\echo
\echo '== 4. Search them side by side; the known answers guide the search'
SELECT count(*) AS trees
  FROM rstar_search((SELECT array_agg(problem_id) FROM rstar.problems WHERE source = 'quickstart'), candidates => 4, rollouts => 4);

\echo
\echo '== 5. Ask the tables'
\echo 'How did it go?'
SELECT p.topic, p.statement, t.answer, t.correct, t.rollouts, t.nodes, t.generated_tokens AS tokens
  FROM rstar.trees t JOIN rstar.problems p USING (problem_id) WHERE p.source = 'quickstart' ORDER BY p.problem_id;

\echo 'Which steps failed, and why?'
SELECT n.status, left(n.output, 50) AS why, count(*)
  FROM rstar.nodes n JOIN rstar.trees t USING (tree_id) JOIN rstar.problems p USING (problem_id)
 WHERE n.rejected AND p.source = 'quickstart' GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 5;

\echo 'How far apart is Q on the way to right answers and to wrong ones?'
SELECT j.correct, count(*) AS trajectories, round(avg(j.mean_q)::numeric, 3) AS mean_q, round(avg(j.min_q)::numeric, 3) AS min_q
  FROM rstar.trajectories j JOIN rstar.trees t USING (tree_id) JOIN rstar.problems p USING (problem_id)
 WHERE p.source = 'quickstart' GROUP BY 1 ORDER BY 1;

\echo 'What would train the policy?'
SELECT problem, round(mean_q::numeric, 3) AS mean_q, left(solution, 60) AS solution FROM rstar.sft_training ORDER BY problem_id, place LIMIT 4;

\echo
\echo '== All of it was one transaction, and now it is undone. Next: README.md'
ROLLBACK;
