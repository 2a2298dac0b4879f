-- Models on other servers: what may be registered, by whom, and what they are refused for.
-- (test/t/070_remote.pl asks servers.)
SET client_min_messages = warning;
CREATE EXTENSION rstar;

-- nothing is allowed to begin with
SHOW rstar.remote_hosts;
SELECT rstar_model_remote('gpu', 'https://gpu1/v1');
SET rstar.remote_hosts = 'gpu1/v1';
SET rstar.remote_hosts = 'ftp://gpu1';
SET rstar.remote_hosts = 'gpu1, user@gpu2';
SET rstar.remote_hosts = '*';
SET rstar.remote_key_directory = 'keys';
SET rstar.remote_ca_file = 'ca.pem';
SET rstar.remote_hosts = 'gpu1, http://127.0.0.1:1, [::1]:8000';

-- hosts are what is written there, with their scheme and port
SELECT rstar_model_remote('m', 'http://gpu1/v1');
SELECT rstar_model_remote('m', 'https://gpu1:8000/v1');
SELECT rstar_model_remote('m', 'https://gpu1.example.com/v1');
SELECT rstar_model_remote('m', 'https://localhost/v1');
SELECT rstar_model_remote('m', 'https://[::2]:8000/v1');
-- and addresses are read in one way only; what may hold a password is not repeated
SELECT rstar_model_remote('m', 'https://user:secret@gpu1/v1');
SELECT rstar_model_remote('m', 'https://gpu1#@evil/v1');
SELECT rstar_model_remote('m', 'https://gpu1/v1?key=secret');
SELECT rstar_model_remote('m', 'https://2130706433/v1');
SELECT rstar_model_remote('m', 'https://gpu1:443443/v1');
SELECT rstar_model_remote('m', 'file:///etc/passwd');
SELECT rstar_model_remote('m', 'https://[::1');
SELECT rstar_model_remote('m', E'https://gpu1/v1\r\nHost: evil');

-- other arguments
SELECT rstar_model_remote(NULL, 'https://gpu1/v1');
SELECT rstar_model_remote('m', NULL);
SELECT rstar_model_remote('', 'https://gpu1/v1');
SELECT rstar_model_remote('rstar-m', 'https://gpu1/v1');
SELECT rstar_model_remote('m', 'https://gpu1/v1', 'vocabulary');
SELECT rstar_model_remote('m', 'https://gpu1/v1', 'policy', api => 'pooling');
SELECT rstar_model_remote('m', 'https://gpu1/v1', 'ppm', api => 'chat');
SELECT rstar_model_remote('m', 'https://gpu1/v1', api => 'grpc');
SELECT rstar_model_remote('m', 'https://gpu1/v1', model => '');
SELECT rstar_model_remote('m', 'https://gpu1/v1', model => repeat('x', 501));
SELECT rstar_model_remote('m', 'https://gpu1/v1', prompt_template => 'without the place');
SELECT rstar_model_remote('m', 'https://gpu1/v1', defaults => '{"top_k": "ten"}');
SELECT rstar_model_remote('m', 'https://gpu1/v1', server => 'nowhere');

-- registering asks no server
SELECT rstar_model_remote('gpu', 'https://GPU1:443/v1/', model => 'Qwen/Qwen2.5-Math-7B') >= 1000 AS id;
SELECT rstar_model_remote('gpu', 'https://gpu1/v1');
SELECT rstar_model_remote('chatty', 'https://gpu1/v1', NULL, NULL, 'chat', '{problem}', NULL, '{"rollouts": 2}') >= 1000 AS id;
SELECT rstar_model_remote('judge', 'https://[0:0::1]:8000', 'ppm', api => 'score') >= 1000 AS id;
SELECT rstar_model_remote('away', 'http://127.0.0.1:1/v1') >= 1000 AS id;
SELECT name, role, path, file_size, sha256 ~ '^[0-9a-f]{64}$' AS sum, remote, prompt_template ~ '^Problem: ' AS template, defaults ->> 'rollouts' AS rollouts
  FROM rstar.models WHERE NOT builtin ORDER BY model_id;
SELECT count(DISTINCT sha256) FROM rstar.models WHERE remote IS NOT NULL;

-- what needs a file
SELECT rstar_tokenize('x', 'gpu');
SELECT rstar_model_verify('gpu');
SELECT rstar_model_quantize('gpu', 'q', 'Q8_0');
SELECT rstar_score('1 + 1', 'x', 'gpu');
SELECT rstar_model_create('c', 'gpu', 1, 64, 1);
SELECT rstar_train_policy('trained', 'gpu', 'SELECT ''p'', ''s''');
SELECT rstar_train_ppm('trained', 'gpu', 'SELECT ''p'', ''s'', ''x'', ''y'', 1');
-- and what writes does not score, nor the other way round
SELECT rstar_solve('1 + 1', 'judge');
SELECT rstar_generate('1 + 1', 'judge');
SELECT rstar_solve('1 + 1', 'gpu', 'gpu');
SELECT rstar_generate('x', 'gpu', stop => '{a,b,c,d,e}');
-- there is nobody at port 1
SET rstar.remote_patience = 0;
\set VERBOSITY sqlstate
SELECT rstar_solve('1 + 1', 'away');
SELECT rstar_generate('1 + 1', 'away');
\set VERBOSITY default

-- the setting holds at every use, whatever it was at registration
SET rstar.remote_hosts = '';
SELECT rstar_generate('x', 'away');
SELECT rstar_solve('x', 'gpu');
SET rstar.remote_hosts = 'gpu1, http://127.0.0.1:1, [::1]:8000';

-- a row is a file or on another server
\set VERBOSITY sqlstate
INSERT INTO rstar.models (name, role, sha256) VALUES ('x', 'policy', repeat('0', 64));
UPDATE rstar.models SET path = 'x' WHERE name = 'gpu';
\set VERBOSITY default
UPDATE rstar.models SET remote = remote || '{"url": "https://gpu9/v1"}' WHERE name = 'chatty';
SELECT rstar_generate('x', 'chatty');
UPDATE rstar.models SET remote = '{}' WHERE name = 'chatty';
SELECT rstar_generate('x', 'chatty');

-- --- keys of foreign servers
CREATE SERVER keys FOREIGN DATA WRAPPER rstar_remote OPTIONS (host 'gpu1');
CREATE SERVER keys FOREIGN DATA WRAPPER rstar_remote OPTIONS (url 'https://user:secret@gpu1');
CREATE SERVER keys FOREIGN DATA WRAPPER rstar_remote OPTIONS (url 'https://gpu1');
CREATE SERVER other FOREIGN DATA WRAPPER rstar_remote OPTIONS (url 'https://gpu2');
CREATE SERVER bare FOREIGN DATA WRAPPER rstar_remote;
CREATE SERVER here FOREIGN DATA WRAPPER rstar_remote OPTIONS (url 'http://127.0.0.1:1');
CREATE FOREIGN TABLE no_table (i int) SERVER keys OPTIONS (x 'y');
CREATE USER MAPPING FOR PUBLIC SERVER keys OPTIONS (password 'x');
CREATE USER MAPPING FOR PUBLIC SERVER keys OPTIONS (key '');
CREATE USER MAPPING FOR PUBLIC SERVER keys OPTIONS (key E'secret\r\nX: y');
SELECT rstar_model_remote('keyed', 'https://gpu1/v1', server => 'bare');
SELECT rstar_model_remote('keyed', 'https://gpu1/v1', server => 'other');
SELECT rstar_model_remote('keyed', 'http://127.0.0.1:1', server => 'here') >= 1000 AS id;
SELECT remote FROM rstar.models WHERE name = 'keyed';
\set VERBOSITY sqlstate
SELECT rstar_generate('x', 'keyed'); -- no mapping
\set VERBOSITY default

-- --- rights
CREATE ROLE rstar_remote_user;
CREATE ROLE rstar_remote_registrar;
GRANT EXECUTE ON FUNCTION rstar_model_remote TO rstar_remote_registrar;
SET ROLE rstar_remote_user;
SELECT rstar_model_remote('mine', 'https://gpu1/v1');
\set VERBOSITY sqlstate
SET rstar.remote_hosts = 'gpu1';
SHOW rstar.remote_hosts;
SHOW rstar.remote_key_directory;
\set VERBOSITY default
SELECT * FROM rstar.models;
CREATE SERVER mine FOREIGN DATA WRAPPER rstar_remote OPTIONS (url 'https://gpu1');
SELECT rstar_generate('x', 'keyed'); -- no USAGE on the server
RESET ROLE;
GRANT USAGE ON FOREIGN SERVER here TO rstar_remote_user;
SET ROLE rstar_remote_user;
\set VERBOSITY sqlstate
SELECT rstar_generate('x', 'keyed'); -- no mapping
\set VERBOSITY default
RESET ROLE;
CREATE USER MAPPING FOR rstar_remote_user SERVER here OPTIONS (key 'sesame-123');
CREATE USER MAPPING FOR PUBLIC SERVER here OPTIONS (key 'for-everybody');
SET ROLE rstar_remote_user;
\set VERBOSITY sqlstate
SELECT rstar_generate('x', 'keyed');
\set VERBOSITY default
SELECT umoptions FROM pg_user_mappings WHERE srvname = 'here' ORDER BY 1; -- its own alone
ALTER SERVER here OPTIONS (SET url 'https://gpu2');
SET ROLE rstar_remote_registrar;
SELECT rstar_model_remote('mine', 'https://gpu1/v1') >= 1000 AS id;
SELECT rstar_model_remote('mine2', 'http://127.0.0.1:1', server => 'here'); -- no USAGE
SELECT umoptions FROM pg_user_mappings WHERE srvname = 'here' ORDER BY 1;
RESET ROLE;
-- a server that moves away takes its keys along
ALTER SERVER here OPTIONS (SET url 'https://gpu2');
SELECT rstar_generate('x', 'keyed');

-- dropping
SELECT rstar_model_drop('gpu', true);
SELECT rstar_model_drop('judge');
SELECT count(*) FROM rstar.models WHERE name IN ('gpu', 'judge');
DROP SERVER here, keys, other, bare CASCADE;
DROP OWNED BY rstar_remote_user, rstar_remote_registrar;
DROP ROLE rstar_remote_user, rstar_remote_registrar;
DROP EXTENSION rstar CASCADE;
