-- Tokens and generation.
SET client_min_messages = warning;
CREATE EXTENSION rstar;
\set fixtures `echo "${PG_ABS_SRCDIR:-$PWD/test}/fixtures"`
\set bytes :fixtures /bytes.gguf
SELECT rstar_model_import('bytes', :'bytes', 'vocabulary') > 0 AS imported;
SELECT rstar_model_create('tiny', 'bytes', 2, 64, 4, context => 128, defaults => '{"max_tokens": 5, "temperature": 0.7}') > 0 AS created;

-- without a model, and with one from the setting
BEGIN;
DELETE FROM rstar.models WHERE builtin;
SAVEPOINT a;
SELECT rstar_tokenize('abc');
ROLLBACK TO a;
SELECT rstar_generate('abc');
ROLLBACK;
SET rstar.policy = 'nobody';
SELECT rstar_tokenize('abc');
SET rstar.policy = 'bytes';
SELECT rstar_tokenize('abc');
SELECT rstar_generate('abc');
SET rstar.policy = 'tiny';

-- tokens
SELECT rstar_tokenize('Hé!');
SELECT rstar_tokenize('a<end_of_step>b');
SELECT rstar_tokenize('a<end_of_step>b', special => false);
SELECT rstar_tokenize('');
SELECT rstar_tokenize(NULL) IS NULL AS null_gives_null;
SELECT rstar_tokenize('abc', NULL, NULL, NULL);
SELECT rstar_tokenize('abc', 'none');
SELECT cardinality(rstar_tokenize(repeat('x', 100000)));
SELECT rstar_detokenize(ARRAY[72, 195, 169, 33]);
SELECT rstar_detokenize(rstar_tokenize(t)) = t AS round_trip
  FROM (VALUES (''), (' '), ('a  b'), ('ünïcödé ☃ 𝔘'), (E'tab\tnewline\n'), ('<code># Step 1<end_of_step>')) v(t);
SELECT rstar_detokenize('{97,258,98}'), rstar_detokenize('{97,258,98}', special => false);
SELECT rstar_detokenize('{195}') = U&'\FFFD' AS half_a_character;
SELECT rstar_detokenize('{97,0,98}') = U&'a\FFFDb' AS nul_byte;
SELECT rstar_detokenize('{}') = '' AS nothing;
SELECT rstar_detokenize(NULL) IS NULL AS null_gives_null;
SELECT rstar_detokenize('{97,NULL}');
SELECT rstar_detokenize('{{97},{98}}');
SELECT rstar_detokenize('{266}');
SELECT rstar_detokenize('{-1}');
SELECT rstar_detokenize('{2147483647}');

-- generation: defaults, repeatable, limits
SELECT rstar_generate(NULL) IS NULL AS null_gives_null;
SELECT rstar_generate('abc') = rstar_generate('abc') AS repeatable;
SELECT rstar_generate('abc', seed => 1) <> rstar_generate('abc', seed => 2) AS seeds_differ;
SELECT rstar_generate('abc', seed => -9223372036854775808) IS NOT NULL AS any_seed;
SELECT rstar_generate('abc', temperature => 0, seed => 1) = rstar_generate('abc', temperature => 0, seed => 2) AS greedy;
SELECT rstar_generate('abc', temperature => 0) = rstar_generate('abc', top_k => 1) AS top_1_is_greedy;
SELECT rstar_generate('abc', temperature => 0) = rstar_generate('abc', top_p => 0) AS top_p_0_is_greedy;
SELECT rstar_generate('abc', temperature => 0) = rstar_generate('abc', min_p => 1) AS min_p_1_is_greedy;
SET rstar.seed = 3;
SELECT rstar_generate('abc') = rstar_generate('abc', seed => 3) AS seed_from_setting;
RESET rstar.seed;
-- the model's own default counts until setting or argument say otherwise
SELECT cardinality(rstar_tokenize(rstar_generate('abc', temperature => 0))) <= 5 AS model_default;
SET rstar.max_tokens = 2;
SELECT rstar_generate('abc') = rstar_generate('abc', max_tokens => 2) AS setting;
RESET rstar.max_tokens;
SELECT rstar_generate('abc', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) = rstar_generate('abc') AS nulls_are_defaults;
-- a result does not depend on threads
SET rstar.threads = 1;
SELECT rstar_generate('abc', max_tokens => 40) AS one_thread \gset
SET rstar.threads = 2;
SELECT rstar_generate('abc', max_tokens => 40) = :'one_thread' AS same_with_two;
RESET rstar.threads;
-- nor on a cache so small that it overflows, or on what ran before
SELECT rstar_generate('xyz', max_tokens => 3) IS NOT NULL AS something_else;
SELECT rstar_generate('abc', max_tokens => 40) = :'one_thread' AS same_again;
SET rstar.kv_type = 'f32';
SELECT rstar_generate('abc', max_tokens => 4, temperature => 0) IS NOT NULL AS f32_cache;
RESET rstar.kv_type;
SET rstar.kernels = 'portable';
SELECT rstar_generate('abc', max_tokens => 4, temperature => 0) IS NOT NULL AS portable_kernels;
RESET rstar.kernels;

-- a stop text ends the text in front of it (portable kernels: the same text everywhere)
SET rstar.kernels = 'portable';
SELECT rstar_generate('abc', max_tokens => 60, seed => 5) AS whole \gset
SELECT substring(substr(:'whole', 5) FROM '[!-~]+') AS stop \gset
SELECT length(:'stop') > 0 AS found_one;
SELECT rstar_generate('abc', max_tokens => 60, seed => 5, stop => ARRAY[:'stop'])
       = substr(:'whole', 1, position(:'stop' IN :'whole') - 1) AS cut_at_stop;
SELECT rstar_generate('abc', max_tokens => 60, seed => 5, stop => ARRAY['no such thing in it']) = :'whole' AS no_stop;
SELECT rstar_generate('abc', stop => '{}') = rstar_generate('abc') AS no_stops;
RESET rstar.kernels;

-- out of range
SELECT rstar_generate('abc', max_tokens => 0);
SELECT rstar_generate('abc', max_tokens => -1);
SELECT rstar_generate('abc', max_tokens => 1048577);
SELECT rstar_generate('abc', temperature => -0.1);
SELECT rstar_generate('abc', temperature => 'NaN');
SELECT rstar_generate('abc', temperature => 'Infinity');
SELECT rstar_generate('abc', top_k => -1);
SELECT rstar_generate('abc', top_p => 1.1);
SELECT rstar_generate('abc', min_p => -1);
SELECT rstar_generate('abc', stop => ARRAY[NULL]);
SELECT rstar_generate('abc', stop => ARRAY['']);
SELECT rstar_generate('abc', stop => ARRAY[['a'], ['b']]);
SELECT rstar_generate('abc', stop => array_fill('x'::text, ARRAY[65]));
SELECT rstar_generate('');
SELECT rstar_generate(repeat('x', 128));
SELECT cardinality(rstar_tokenize(rstar_generate(repeat('x', 120), max_tokens => 100, temperature => 0), special => true)) <= 8 AS context_is_full;
SET rstar.max_context = 16;
SELECT rstar_generate(repeat('x', 16));
RESET rstar.max_context;

-- in a query over many rows, with several models open
SELECT rstar_model_create('tiny' || i, 'bytes', 1, 32, 2, seed => i) > 0 AS created FROM generate_series(1, 6) i;
SET rstar.max_cached_models = 2;
SELECT count(DISTINCT rstar_generate('abc', 'tiny' || i % 6 + 1, max_tokens => 8, temperature => 1)) > 1 AS many
  FROM generate_series(1, 18) i;
RESET rstar.max_cached_models;
-- a model made anew under the same name is another one
SELECT rstar_generate('abc', 'tiny1', max_tokens => 8, temperature => 1) AS before \gset
SELECT rstar_model_drop('tiny1', true);
SELECT rstar_model_create('tiny1', 'bytes', 1, 32, 2, seed => 100) > 0 AS created;
SELECT rstar_generate('abc', 'tiny1', max_tokens => 8, temperature => 1) <> :'before' AS another;
-- a failed call leaves the next one undisturbed
SELECT rstar_generate('abc', max_tokens => 40) = :'one_thread' AS as_ever;

SELECT count(rstar_model_drop(name, true)) FROM rstar.models WHERE role <> 'vocabulary' AND NOT builtin;
SELECT rstar_model_drop('bytes', true);
DROP EXTENSION rstar;
