-- A short tour: real problems, solved by the small model that comes with the
-- extension. `make demo` runs this against a throw-away server; it also runs by
-- hand, in any UTF8 database:
--
--		psql -X -f sql/demo.sql
--
\set QUIET on
\pset footer off
\pset null ''
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS rstar;

\echo
\echo 'Problems, as anybody would ask them'
\echo '==================================='
\echo
\timing on
SELECT problem, rstar_solve(problem) AS answer, known
  FROM (VALUES ('Solve 3*x + 5 = 20 for x.', '5'),
               ('What is 17 times 23?', '391'),
               ('Let f(x) = x**2 - 5*x + 6. Calculate f(7).', '20'),
               ('Calculate the greatest common divisor of 84 and 126.', '42'),
               ('Sort 4, -2, 9, 0 in increasing order.', '-2, 0, 4, 9'),
               ('How many minutes are there between 9:15 AM and 11:40 AM?', '145'),
               ('What is the remainder when 100 is divided by 7?', '2'),
               ('Simplify 2*x + 3*x - 7.', '5*x - 7'),
               ('Is 91 prime?', 'False')) AS problems (problem, known);
\timing off

\echo
\echo 'One of them in full: the search is stored, steps that failed included'
\echo '====================================================================='
\echo
SELECT rstar_search('Solve 3*x + 5 = 20 for x.', '5') AS tree \gset
SELECT answer, correct, rollouts, nodes, generated_tokens, python_steps, policy_ms::integer, sandbox_ms::integer
  FROM rstar.trees WHERE tree_id = :tree;

\echo
\echo 'The solution that won; what stands between <output> tags was printed by its Python, in the sandbox:'
\echo
\pset format unaligned
\pset tuples_only on
SELECT solution FROM rstar.trajectories JOIN rstar.trees USING (tree_id)
 WHERE tree_id = :tree AND leaf_id = answer_id;

\echo
\echo 'The tree it was found in:'
\echo
SELECT rstar_tree_text(:tree);

\pset tuples_only off
\pset format aligned
\echo
\echo 'And a question that only a database answers: what became of the steps?'
\echo
SELECT kind, status, rejected, count(*) AS nodes, sum(tokens) AS tokens
  FROM rstar.nodes WHERE tree_id = :tree AND kind <> 'root' GROUP BY 1, 2, 3 ORDER BY 4 DESC;
