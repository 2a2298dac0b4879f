-- Models: import, create, quantise, verify, drop, and who may.
SET client_min_messages = warning;
CREATE EXTENSION rstar;
-- a vocabulary of single bytes and the step tags (made by test/t/lib/RstarTest.pm)
\set fixtures `echo "${PG_ABS_SRCDIR:-$PWD/test}/fixtures"`
\set bytes :fixtures /bytes.gguf

-- import
SELECT rstar_model_import('bytes', :'bytes', 'vocabulary') AS id;
SELECT model_id, name, role, path = sha256 || '.gguf' AS named_by_content, architecture, parameters, file_type,
       context_length, prompt_template, defaults, builtin, parent_id
  FROM rstar.models WHERE NOT builtin;
SELECT rstar_model_import('bytes', :'bytes', 'vocabulary');
SELECT rstar_model_import('b2', :'bytes');
SELECT rstar_model_import('b2', :'bytes', 'teacher');
SELECT rstar_model_import(NULL, :'bytes');
SELECT rstar_model_import('b2', NULL);
SELECT rstar_model_import('', :'bytes', 'vocabulary');
SELECT rstar_model_import('rstar-mine', :'bytes', 'vocabulary');
SELECT rstar_model_import(repeat('x', 201), :'bytes', 'vocabulary');
SELECT rstar_model_import('b2', 'bytes.gguf', 'vocabulary');
SELECT rstar_model_import('b2', '/no/such/file.gguf');
SELECT rstar_model_import('b2', '/dev/null');
SELECT rstar_model_import('b2', :'bytes', 'vocabulary', 'Q9_9');
SELECT rstar_model_import('b2', :'bytes', 'vocabulary', NULL, 'no place for it');
SELECT rstar_model_import('b2', :'bytes', 'vocabulary', NULL, '{problem} and {problem}');
SELECT rstar_model_import('b2', :'bytes', 'vocabulary', defaults => '[1]');
SELECT rstar_model_import('b2', :'bytes', 'vocabulary', defaults => '{"threads": 3}');
SELECT rstar_model_import('b2', :'bytes', 'vocabulary', defaults => '{"temperature": "hot"}');
SELECT rstar_model_import('b2', :'bytes', 'vocabulary', defaults => '{"temperature": -3}');
SELECT rstar_model_import('b2', :'bytes', 'vocabulary', defaults => '{"max_tokens": 2.5}');
-- refused imports left no row; the same content under another name shares the file
SELECT count(*) FROM rstar.models WHERE NOT builtin;
SELECT rstar_model_import('b2', :'bytes', 'vocabulary', NULL, 'Q: {problem}', '{"temperature": 0.5, "top_k": 40}') > 0 AS imported;
SELECT name, prompt_template, defaults FROM rstar.models WHERE NOT builtin ORDER BY name;
SELECT count(DISTINCT path) FROM rstar.models WHERE NOT builtin;

-- create
SELECT rstar_model_create('tiny', 'bytes', 2, 64, 4, kv_heads => 2, feed_forward => 96, context => 128) > 0 AS created;
SELECT rstar_model_create('tiny_ppm', 'bytes', 1, 32, 2, role => 'ppm', seed => 7) > 0 AS created;
SELECT rstar_model_create('tiny_llama', 'bytes', 1, 32, 2, architecture => 'llama', tied => false) > 0 AS created;
SELECT rstar_model_create('tiny_phi3', 'bytes', 1, 32, 2, architecture => 'phi3', prompt_template => '<|user|>{problem}') > 0 AS created;
SELECT name, role, architecture, parameters, file_type, context_length, prompt_template
  FROM rstar.models WHERE name ~ '^tiny' ORDER BY name;
SELECT rstar_model_create('odd', 'bytes', 1, 33, 2);
SELECT rstar_model_create('odd', 'bytes', 0, 32, 2);
SELECT rstar_model_create('odd', 'bytes', 1, 32, NULL);
SELECT rstar_model_create('odd', 'bytes', 1000, 32, 2);
SELECT rstar_model_create('odd', 'bytes', 1, 32, 2, kv_heads => 3);
SELECT rstar_model_create('odd', 'none', 1, 32, 2);
SELECT rstar_model_create('odd', 'bytes', 1, 32, 2, architecture => 'mamba');
SELECT rstar_model_create('odd', 'bytes', 1, 32, 2, role => 'vocabulary');
SELECT rstar_model_create('tiny', 'bytes', 1, 32, 2);

-- quantise
SELECT rstar_model_quantize('tiny', 'tiny_q8', 'q8_0') > 0 AS made;
SELECT rstar_model_quantize('tiny', 'tiny_bf16', 'BF16') > 0 AS made;
SELECT q.name, q.role, q.file_type, q.file_size < t.file_size AS smaller, q.parameters = t.parameters AS as_many,
       q.parent_id = t.model_id AS child
  FROM rstar.models q, rstar.models t WHERE t.name = 'tiny' AND q.name IN ('tiny_q8', 'tiny_bf16') ORDER BY 1;
SELECT rstar_model_quantize('tiny', 'tiny_q8', 'q8_0');
SELECT rstar_model_quantize('tiny', 'x', 'INT8');
SELECT rstar_model_quantize('none', 'x', 'q8_0');
SELECT rstar_model_quantize('bytes', 'x', 'q8_0');
SELECT rstar_model_quantize('tiny', NULL, 'q8_0');

-- verify
SELECT name, rstar_model_verify(name) FROM rstar.models WHERE NOT builtin ORDER BY name;
SELECT rstar_model_verify(NULL);
SELECT rstar_model_verify('none');
BEGIN;
UPDATE rstar.models SET sha256 = repeat('0', 64) WHERE name = 'tiny';
SELECT rstar_model_verify('tiny');
ROLLBACK;
-- a file of the same length that is another one (its identity stands in the detail)
SELECT rstar_model_create('twin', 'bytes', 2, 64, 4, kv_heads => 2, feed_forward => 96, context => 128, seed => 1) > 0 AS created;
SELECT count(DISTINCT file_size) AS lengths, count(DISTINCT file_id) AS identities, bool_and(file_id ~ '^[0-9a-f]{32}$') AS well_formed
  FROM rstar.models WHERE name IN ('tiny', 'twin');
SELECT count(*) AS without FROM rstar.models WHERE file_id IS NULL;
BEGIN;
UPDATE rstar.models SET path = (SELECT path FROM rstar.models WHERE name = 'tiny') WHERE name = 'twin';
\set VERBOSITY terse
SAVEPOINT a;
SELECT rstar_generate('x', 'twin');
ROLLBACK TO a;
SELECT rstar_tokenize('x', 'twin');
ROLLBACK TO a;
SELECT rstar_model_quantize('twin', 'twin_q8', 'q8_0');
ROLLBACK TO a;
SELECT rstar_model_create('child', 'twin', 1, 32, 2);
ROLLBACK TO a;
SELECT rstar_model_verify('twin');
\set VERBOSITY default
ROLLBACK;
SELECT rstar_model_drop('twin', true);

-- drop, and what becomes of files
CREATE VIEW ours AS SELECT o.* FROM rstar_model_orphans() o;
SELECT count(*) FROM ours;
SELECT path AS q8 FROM rstar.models WHERE name = 'tiny_q8' \gset
BEGIN;
SELECT rstar_model_drop('tiny_q8', remove_file => true);
ROLLBACK;
SELECT rstar_model_verify('tiny_q8');
BEGIN;
SELECT rstar_model_drop('tiny_q8', remove_file => true);
SELECT file = :'q8' AS still_there_until_commit FROM ours;
COMMIT;
SELECT count(*) FROM ours;
SELECT rstar_model_drop('tiny_bf16');
SELECT count(*), bool_and(bytes > 0), bool_or(unfinished) FROM ours;
-- a file that another model uses stays
SET client_min_messages = notice;
SELECT rstar_model_drop('b2', true);
SET client_min_messages = warning;
SELECT rstar_model_verify('bytes');
SELECT rstar_model_drop('b2');
SELECT rstar_model_drop(NULL);
-- an import that is rolled back, also to a savepoint, leaves no file
BEGIN;
SELECT rstar_model_create('gone', 'bytes', 1, 32, 2, seed => 11) > 0 AS created;
SAVEPOINT a;
SELECT rstar_model_create('gone2', 'bytes', 1, 32, 2, seed => 12) > 0 AS created;
ROLLBACK TO a;
SELECT rstar_model_create('stays', 'bytes', 1, 32, 2, seed => 13) > 0 AS created;
SELECT rstar_model_verify('gone');
ROLLBACK;
BEGIN;
SAVEPOINT a;
SELECT rstar_model_create('stays', 'bytes', 1, 32, 2, seed => 13) > 0 AS created;
RELEASE a;
COMMIT;
SELECT rstar_model_verify('stays');
SELECT count(*) FROM ours;
BEGIN;
SELECT rstar_model_drop('stays', true);
PREPARE TRANSACTION 'x';
ROLLBACK;
-- built-in models stay
BEGIN;
UPDATE rstar.models SET builtin = true WHERE name = 'tiny';
SELECT rstar_model_drop('tiny');
ROLLBACK;
-- read-only transactions make nothing
BEGIN READ ONLY;
SELECT rstar_model_create('ro', 'bytes', 1, 32, 2);
ROLLBACK;

-- who may: nobody but the owner, unless granted
CREATE ROLE regress_rstar_user;
SET ROLE regress_rstar_user;
SELECT rstar_model_import('u', :'bytes', 'vocabulary');
SELECT rstar_model_create('u', 'bytes', 1, 32, 2);
SELECT rstar_model_quantize('tiny', 'u', 'q8_0');
SELECT rstar_model_verify('tiny');
SELECT rstar_model_drop('tiny');
SELECT * FROM rstar_model_orphans();
SELECT * FROM rstar.models;
SELECT length(rstar_generate('x', 'tiny', max_tokens => 3)) >= 0 AS may_use;
SELECT rstar_tokenize('ab', 'bytes');
RESET ROLE;
GRANT EXECUTE ON FUNCTION rstar_model_import, rstar_model_create, rstar_model_drop TO regress_rstar_user;
SET ROLE regress_rstar_user;
-- reading files of the server takes more
SELECT rstar_model_import('u', :'bytes', 'vocabulary');
-- rows are written as the owner of the table; the caller needs no right on it
SELECT rstar_model_create('u', 'bytes', 1, 32, 2) > 0 AS created;
SELECT rstar_model_drop('u', true);
-- no table, operator or function of the caller's gets in the way
CREATE TEMP TABLE models (name text);
SET search_path = pg_temp, public;
SELECT rstar_model_create('u', 'bytes', 1, 32, 2) > 0 AS created;
SELECT current_user;
SHOW search_path;
SELECT rstar_model_drop('u', true);
RESET search_path;
RESET ROLE;
GRANT pg_read_server_files TO regress_rstar_user;
SET ROLE regress_rstar_user;
SELECT rstar_model_import('u', :'bytes', 'vocabulary') > 0 AS imported;
RESET ROLE;
DROP OWNED BY regress_rstar_user;
DROP ROLE regress_rstar_user;

-- rows are checked, whoever writes them
\set VERBOSITY terse
INSERT INTO rstar.models (name, role, path, sha256, file_size) VALUES ('x', 'king', 'x', repeat('a', 64), 1);
INSERT INTO rstar.models (name, role, path, sha256, file_size) VALUES ('x', 'ppm', 'x', 'A', 1);
INSERT INTO rstar.models (name, role, path, sha256, file_size) VALUES ('x', 'ppm', 'x', repeat('a', 64), 0);
INSERT INTO rstar.models (name, role, path, sha256, file_size, defaults) VALUES ('x', 'ppm', 'x', repeat('a', 64), 1, '1');

\set VERBOSITY default
DROP VIEW ours;
SELECT name, rstar_model_drop(name, true) FROM rstar.models WHERE NOT builtin AND name <> 'bytes' ORDER BY name;
SELECT rstar_model_drop('bytes', true);
DROP EXTENSION rstar;
