-- The models that come with the extension: there at once, kept apart from those of users.
SET client_min_messages = warning;
CREATE EXTENSION rstar;
RESET client_min_messages;

-- the first thing that anybody tries
SELECT rstar_solve('Solve 3*x + 5 = 20 for x.');

SELECT model_id, name, role, path, architecture, file_type, builtin, parent_id, training_run_id,
       parameters BETWEEN 1000000 AND 8000000 AS small, file_size < 8 * 1024 * 1024 AS small_file,
       prompt_template LIKE '%{problem}%' AS has_template
  FROM rstar.models ORDER BY model_id;
-- what the rows say was read from the files
SELECT name, rstar_model_verify(name) FROM rstar.models ORDER BY name;
SELECT name, sha256 ~ '^[0-9a-f]{64}$' AS checksum, file_id ~ '^[0-9a-f]{32}$' AS identity FROM rstar.models ORDER BY name;
-- no setting is needed, and one can name them all the same
SHOW rstar.policy;
SELECT rstar_tokenize('What is 1 + 1?') = rstar_tokenize('What is 1 + 1?', 'rstar-policy') AS the_default;
SET rstar.policy = 'rstar-bootstrap';
SELECT length(rstar_generate('What is', max_tokens => 4)) > 0 AS generates;
RESET rstar.policy;
-- each is searched as suits it: the young one less hot
BEGIN;
SELECT count(rstar_search('What is 1 + 1?', '2', model => name, rollouts => 1)) AS trees FROM rstar.models;
SELECT settings->>'policy' AS policy, settings->>'candidates' AS candidates, (settings->>'temperature')::real AS temperature
  FROM rstar.trees ORDER BY policy_id;
ROLLBACK;
-- they can be worked from
SELECT rstar_model_create('mine', 'rstar-policy', 1, 32, 2) AS first_id_of_users;
SELECT rstar_model_quantize('rstar-bootstrap', 'mine too', 'Q4_0') > 1000 AS made;
SELECT name, parent_id FROM rstar.models WHERE NOT builtin ORDER BY model_id;
-- but neither dropped nor imitated
SELECT rstar_model_drop('rstar-policy');
SELECT rstar_model_drop('rstar-policy', remove_file => true);
SELECT rstar_model_create('rstar-mine', 'rstar-policy', 1, 32, 2);
SELECT count(*) AS in_the_model_directory FROM rstar_model_orphans() WHERE file LIKE 'rstar%';

-- a later version of the extension brings other files: rows follow, numbers stay
BEGIN;
UPDATE rstar.models SET name = 'rstar-former', file_size = 1 + file_size, sha256 = repeat('0', 64), file_id = repeat('0', 32),
       parameters = 1, defaults = '{"rollouts": 1}' WHERE model_id = 1;
\set VERBOSITY terse
SAVEPOINT a;
SELECT rstar_solve('What is 2 + 2?');
ROLLBACK TO a;
UPDATE rstar.models SET file_size = file_size - 1 WHERE model_id = 1;
SAVEPOINT a;
SELECT rstar_tokenize('What is 2 + 2?');
ROLLBACK TO a;
\set VERBOSITY default
DELETE FROM rstar.models WHERE model_id = 2;
SELECT rstar_model_register_builtin();
SELECT model_id, name, parameters > 1 AS parameters, defaults ->> 'rollouts' AS rollouts FROM rstar.models WHERE builtin ORDER BY 1;
SELECT count(rstar_model_verify(name)) FROM rstar.models WHERE builtin;
SELECT rstar_solve('Solve 3*x + 5 = 20 for x.');
SELECT rstar_model_register_builtin();
SELECT model_id FROM rstar.models ORDER BY 1;
ROLLBACK;

-- who may: solving everybody, also where nothing can be written
CREATE ROLE regress_rstar_visitor;
SET ROLE regress_rstar_visitor;
BEGIN READ ONLY;
SELECT rstar_solve('Solve 3*x + 5 = 20 for x.');
SELECT rstar_model_register_builtin();
ROLLBACK;
RESET ROLE;
BEGIN READ ONLY;
SELECT rstar_model_register_builtin();
ROLLBACK;
DROP ROLE regress_rstar_visitor;

SELECT rstar_model_drop(name, true) FROM rstar.models WHERE NOT builtin;
DROP EXTENSION rstar;
