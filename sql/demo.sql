-- What works so far. scripts/demo.sh runs this against a throw-away server.
CREATE EXTENSION rstar;

\echo
\echo 'A vocabulary, learnt from the texts of a query'
\echo '----------------------------------------------'
CREATE TABLE sentences AS
	SELECT format('Let x be the %s of %s and %s. Find the value of x.', word, i, j) AS text
	  FROM generate_series(1, 30) i, generate_series(1, 30) j,
	       unnest(ARRAY['sum', 'product', 'difference', 'quotient', 'greatest common divisor']) word;
SELECT rstar_train_vocabulary('words', 'SELECT text FROM sentences', size => 400) AS model_id;
SELECT ids, array_agg(rstar_detokenize(ARRAY[id], 'words') ORDER BY n) AS pieces
  FROM rstar_tokenize('Find the product of 17 and 25.<end_of_step>', 'words') ids,
       unnest(ids) WITH ORDINALITY u(id, n)
 GROUP BY ids;

\echo 'A model from scratch, and a copy of it in 8 bits'
\echo '------------------------------------------------'
SELECT rstar_model_create('beginner', 'words', layers => 4, width => 128, heads => 4, kv_heads => 2) AS model_id;
SELECT rstar_model_quantize('beginner', 'beginner-q8', 'Q8_0') AS model_id;
SELECT name, role, architecture, parameters, file_type, pg_size_pretty(file_size) AS size, context_length
  FROM rstar.models ORDER BY model_id;

\echo 'It generates (noise, until it is trained), and equal calls give equal texts'
\echo '---------------------------------------------------------------------------'
SET rstar.policy = 'beginner-q8';
SELECT seed, rstar_generate('Find the sum of 3 and 4.', max_tokens => 12, temperature => 0.8, seed => seed) AS text
  FROM unnest(ARRAY[1, 2, 1]) AS seed;

\echo 'A solution''s steps, run in the sandbox, each on the state of those before it'
\echo '------------------------------------------------------------------------'
SELECT step, status, output, round(elapsed::numeric, 1) AS ms FROM rstar_run_steps('<code>
# Step 1: the area of the six faces
area = 6 * 5**2
<end_of_step>
# Step 2: solve for the edge of a cube with twice that area
from sympy import symbols, solve
a = symbols("a", positive=True)
<end_of_step>
print(solve(6*a**2 - 2*area, a)[0])
<end_of_code>');

\echo 'Is an answer the known answer?'
\echo '------------------------------'
SELECT gold, answer, rstar_answers_equal(gold, answer) AS equal
  FROM (VALUES ('5\sqrt{2}', 'The edge is \boxed{\sqrt{50}}.'), ('\frac{3}{4}', '75\%'), ('(1, 2)', '(2, 1)')) AS cases (gold, answer);

\echo 'Cancelled at once when told to'
\echo '------------------------------'
SET statement_timeout = '100ms';
\set ON_ERROR_STOP 0
\timing on
SELECT count(rstar_generate('Find', max_tokens => 500, temperature => 0, seed => i)) FROM generate_series(1, 1000) i;
\timing off
