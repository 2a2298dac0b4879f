-- Solutions that want to be counted as right without being so: none is.
SET client_min_messages = warning;
CREATE EXTENSION rstar;
CREATE ROLE regress_rstar_jailed;
RESET client_min_messages;

SELECT rstar_verifier_create('tests', 'tests');
SELECT rstar_verifier_create('equal', 'python', 'answer == data');
INSERT INTO rstar.problems (problem_id, statement, answer, verifier) OVERRIDING SYSTEM VALUE VALUES
  (1, 'add', E'assert add(1, 2) == 3\nassert add(17, 25) == 42\nassert add("a", "b") == "ab"\n', 'tests'),
  (2, 'secret', 'open sesame', 'equal');

-- What an honest solution gives, before and after all of them: none has spoilt what comes later.
SELECT rstar_verify(1, 'def add(a, b): return a + b') AS honest, rstar_verify(2, 'open sesame') AS known;

SET rstar.sandbox_timeout = 150; -- a busy machine may stop an attack early, which is no matter
CREATE TABLE attack (id serial, what text, code text);
INSERT INTO attack (what, code) VALUES
  ('assert patched', E'import builtins\nclass Never(Exception): pass\nbuiltins.AssertionError = Never\nAssertionError = Never\ndef add(a, b): return 0'),
  ('exit at once', E'raise SystemExit(0)'),
  ('exit at once, saying so', E'print("passed")\nraise SystemExit(0)'),
  ('exit in the call', E'def add(a, b): raise SystemExit(0)'),
  ('exit() in the call', E'def add(a, b): exit()'),
  ('exit of the process', E'import os\ndef add(a, b): os._exit(0)'),
  ('reply printed', E'def add(a, b): print(''{"passed": 3, "total": 3}'')'),
  ('reply returned', E'def add(a, b): return ''{"passed": 3, "total": 3}'''),
  ('result forged', E'def add(a, b): return 0\n__rstar["all"] = lambda calls: ''["x", "y", "z"]'''),
  ('one result for all', E'def add(a, b): return 0\n__rstar["all"] = lambda calls: ''["[\\"value\\", 3]", "[\\"value\\", 3]", "[\\"value\\", 3]"]'''),
  ('more results than calls', E'def add(a, b): return 0\n__rstar["all"] = lambda calls: str(["[\\"value\\", 3]"] * 1000).replace(chr(39), chr(34))'),
  ('the harness replaced', E'__rstar = None\ndef add(a, b): return 0'),
  ('json patched', E'import json\njson.dumps = lambda *a, **k: ''{"passed": 3, "total": 3}''\ndef add(a, b): return 0'),
  ('str patched', E'import builtins\nbuiltins.str = lambda x: ''{"passed": 3, "total": 3}''\ndef add(a, b): return 0'),
  ('equal to everything', E'class Any:\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\ndef add(a, b): return Any()'),
  ('an int equal to everything', E'class Any(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\ndef add(a, b): return Any(0)'),
  ('a str equal to everything', E'class Any(str):\n    def __eq__(self, other): return True\n    __hash__ = str.__hash__\ndef add(a, b): return Any("x")'),
  ('a list of itself', E'def add(a, b):\n    x = []\n    x.append(x)\n    return x'),
  ('deep', E'def add(a, b):\n    x = []\n    for i in range(100000): x = [x]\n    return x'),
  ('long', E'def add(a, b): return "x" * 10 ** 8'),
  ('a number of a million digits', E'def add(a, b): return 10 ** 10 ** 6'),
  ('an endless iterator', E'import itertools\ndef add(a, b): return itertools.count()'),
  ('a kind that is none', E'def add(a, b): return {"v": 1}\n__rstar["encode"] = lambda x: {"no such kind": 1}'),
  ('two kinds', E'def add(a, b): return 0\n__rstar["encode"] = lambda x: {"t": [1], "s": [2]}'),
  ('a fraction of nothing', E'def add(a, b): return 0\n__rstar["encode"] = lambda x: {"r": [1, 0]}'),
  ('a range without end', E'def add(a, b): return range(10 ** 18)'),
  ('an error named like the checker''s', E'class Missing(BaseException): pass\ndef add(a, b): raise Missing()'),
  ('AssertionError', E'def add(a, b): raise AssertionError()'),
  ('GeneratorExit', E'def add(a, b): raise GeneratorExit()'),
  ('looking around', E'import gc, sys\ndef add(a, b):\n    seen = [str(o) for o in gc.get_objects() if isinstance(o, (str, dict, list, tuple)) and "assert" in str(o)[:2000]]\n    f = sys._getframe()\n    while f: seen.append(str(f.f_locals)); f = f.f_back\n    return 42 if any("== 42" in s for s in seen) else None'),
  ('looking for the checker''s names', E'def add(a, b): return tests'),
  ('the other results', E'def add(a, b): return __rstar.get("known", {})'),
  ('the file system', E'def add(a, b): return open("/proc/self/mem", "rb").read()'),
  ('other processes', E'import os\ndef add(a, b): return os.popen("ps").read()'),
  ('endless', E'def add(a, b):\n    while True: pass'),
  ('endless at once', E'while True: pass'),
  ('memory', E'def add(a, b): return [0] * 10 ** 10'),
  ('recursion', E'def add(a, b): return add(a, b)'),
  ('function replaced after the first call', E'def add(a, b):\n    global add\n    add = lambda a, b: 3\n    return 3'),
  ('no function', E'add = 3'),
  ('a function of other arguments', E'def add(*args): return 3'),
  ('only the first test', E'def add(a, b): return 3'),
  ('tests of its own', E'def add(a, b): return 0\nassert True\nprint("3 passed")'),
  ('trailing code', E'def add(a, b): return 0\n"""'),
  ('null bytes', E'def add(a, b): return "\\x00"'),
  ('half a surrogate', E'def add(a, b): return "\\ud800"'),
  ('not a number', E'def add(a, b): return float("nan")');
SELECT id, what FROM attack WHERE rstar_verify(1, code) > 0 ORDER BY id;
SELECT id, what FROM attack WHERE rstar_verify(2, code) > -1;
INSERT INTO attack (what, code) VALUES
  ('quote', E'\''), ('quotes', E'"""'), ('out of the literal', E'\' or True or \''), ('another answer', E'x\'\ndata = answer = \'x'),
  ('backslash', E'\\'), ('lines', E'x\r\ndata = answer'), ('form feed', E'\f\v'), ('line separator', E'\u2028data = answer');
SELECT id, what FROM attack WHERE id > (SELECT max(id) - 8 FROM attack) AND rstar_verify(2, code) > -1;
RESET rstar.sandbox_timeout;
SELECT rstar_verify(1, 'def add(a, b): return a + b') AS honest, rstar_verify(2, 'open sesame') AS known;

-- ---------------------------------------------------------------------------
-- queries
-- ---------------------------------------------------------------------------
CREATE SCHEMA shop;
CREATE SCHEMA secret;
CREATE TABLE shop.item (id int, name text, price numeric);
INSERT INTO shop.item VALUES (1, 'pen', 2.50), (2, 'book', 10), (3, 'cup', 4);
CREATE TABLE secret.answer (price numeric);
INSERT INTO secret.answer VALUES (5.5);
CREATE SEQUENCE shop.counter;
CREATE FUNCTION shop.owners() RETURNS numeric LANGUAGE sql IMMUTABLE SECURITY DEFINER AS 'SELECT 5.5';
CREATE FUNCTION shop.harmless() RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT 5.5';
CREATE FUNCTION shop.volatile() RETURNS numeric LANGUAGE sql AS 'DELETE FROM shop.item; SELECT 5.5';
CREATE FUNCTION shop.my_add(numeric, numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT 5.5';
CREATE OPERATOR shop.@@@ (FUNCTION = shop.my_add, LEFTARG = numeric, RIGHTARG = numeric);
CREATE AGGREGATE shop.total(numeric) (SFUNC = shop.my_add, STYPE = numeric);
-- Far more than it should have: what protects is not the lack of rights alone.
GRANT ALL ON SCHEMA shop, secret TO regress_rstar_jailed;
GRANT ALL ON ALL TABLES IN SCHEMA shop, secret TO regress_rstar_jailed;
GRANT ALL ON ALL SEQUENCES IN SCHEMA shop TO regress_rstar_jailed;
GRANT USAGE ON SCHEMA rstar TO regress_rstar_jailed;
GRANT SELECT ON rstar.problems TO regress_rstar_jailed;
SELECT rstar_verifier_create('shop', 'sql', schemas => '{shop}', role => 'regress_rstar_jailed');
INSERT INTO rstar.problems (problem_id, statement, answer, verifier) OVERRIDING SYSTEM VALUE VALUES (3, 'average', 'SELECT avg(price) FROM item', 'shop');
SELECT rstar_verify(3, 'SELECT avg(price) FROM item') AS honest;

SET rstar.verify_timeout = 80;
CREATE TABLE query (id serial, text text);
INSERT INTO query (text) VALUES
  ('DELETE FROM item'), ('INSERT INTO item VALUES (4, NULL, 1)'), ('UPDATE item SET price = 5.5'), ('TRUNCATE item'), ('DROP TABLE item'),
  ('CREATE TABLE x ()'), ('CREATE TEMP TABLE x ()'), ('GRANT ALL ON item TO PUBLIC'), ('LOCK TABLE item'), ('VACUUM item'), ('ANALYZE item'),
  ('WITH d AS (DELETE FROM item RETURNING price) SELECT avg(price) FROM d'), ('SELECT avg(price) INTO x FROM item'),
  ('CREATE TABLE x AS SELECT 1'), ('SELECT price FROM item FOR UPDATE'), ('SELECT 5.5; COMMIT'), ('COMMIT'), ('ROLLBACK; SELECT 5.5'), ('ABORT'), ('BEGIN'),
  ('SAVEPOINT s'), ('SET ROLE postgres'), ('RESET ROLE'), ('SET search_path = secret'), ('SET transaction_read_only = off'), ('SET SESSION AUTHORIZATION DEFAULT'),
  ('DO $$ BEGIN DELETE FROM shop.item; END $$'), ('CALL p()'), ('EXPLAIN ANALYZE SELECT 1'), ('SHOW ALL'), ('PREPARE p AS SELECT 1'), ('EXECUTE p'),
  ('DECLARE c CURSOR WITH HOLD FOR SELECT 1'), ('FETCH ALL FROM c'), ('LISTEN x'), ('NOTIFY x'), ('DISCARD ALL'), ('LOAD ''plpgsql'''), ('CHECKPOINT'),
  ('COPY item TO PROGRAM ''id'''), ('COPY (SELECT 1) TO STDOUT'), ('COPY item FROM ''/etc/passwd'''), (''), (';'), ('SELECT 1; SELECT 2'), ('(('),
  ('SELECT price FROM secret.answer'), ('SELECT * FROM secret.answer, item LIMIT 1'), ('SELECT (SELECT price FROM secret.answer)'),
  ('SELECT 5.5 WHERE EXISTS (SELECT FROM secret.answer)'), ('WITH x AS (SELECT * FROM secret.answer) SELECT price FROM x'),
  ('SELECT price FROM item UNION SELECT price FROM secret.answer'), ('SELECT answer FROM rstar.problems WHERE problem_id = 3'),
  ('SELECT count(*) FROM pg_class'), ('SELECT count(*) FROM information_schema.tables'), ('SELECT statement FROM pg_cursors'), ('SELECT query FROM pg_stat_activity'),
  ('SELECT * FROM pg_cursor()'), ('SELECT * FROM pg_stat_get_activity(NULL)'), ('SELECT current_setting(''search_path'')'), ('SELECT current_query()'),
  ('SELECT table_to_xml(''secret.answer'', true, true, '''')'), ('SELECT query_to_xml(''SELECT 1'', true, true, '''')'), ('SELECT * FROM XMLTABLE(''/a'' PASSING ''<a/>'' COLUMNS b text)'),
  ('SELECT xmlelement(name a)'), ('SELECT ts_rewrite(''a''::tsquery, ''SELECT 1, 2'')'), ('SELECT ts_stat(''SELECT 1'')'),
  ('SELECT pg_sleep(60)'), ('SELECT nextval(''shop.counter'')'), ('SELECT setval(''shop.counter'', 100)'), ('SELECT pg_advisory_lock(1)'), ('SELECT pg_advisory_xact_lock(1)'),
  ('SELECT set_config(''search_path'', ''secret'', false)'), ('SELECT set_config(''transaction_read_only'', ''off'', true)'), ('SELECT setseed(0.5)'), ('SELECT random()'),
  ('SELECT pg_notify(''x'', ''y'')'), ('SELECT pg_terminate_backend(pg_backend_pid())'), ('SELECT pg_cancel_backend(pg_backend_pid())'), ('SELECT pg_reload_conf()'),
  ('SELECT lo_import(''/etc/passwd'')'), ('SELECT lo_create(0)'), ('SELECT lo_from_bytea(0, ''x'')'), ('SELECT pg_read_file(''/etc/passwd'')'), ('SELECT pg_ls_dir(''.'')'),
  ('SELECT dblink(''host=localhost'', ''SELECT 1'')'), ('SELECT pg_export_snapshot()'), ('SELECT txid_current()'), ('SELECT now()'), ('SELECT current_date'), ('SELECT current_user'),
  ('SELECT clock_timestamp()'), ('SELECT gen_random_uuid()'), ('SELECT version()'), ('SELECT avg(price) FROM item TABLESAMPLE SYSTEM (50)'),
  ('SELECT shop.owners()'), ('SELECT shop.harmless()'), ('SELECT shop.volatile()'), ('SELECT * FROM shop.harmless()'), ('SELECT 1.0 OPERATOR(shop.@@@) 2.0'),
  ('SELECT shop.total(price) FROM item'), ('SELECT price FROM item ORDER BY shop.my_add(price, 1) LIMIT 1'), ('SELECT price FROM item GROUP BY price HAVING shop.harmless() > 1'),
  ('SELECT avg(price) OVER (ORDER BY shop.my_add(price, 1)) FROM item'), ('SELECT avg(price) FROM item LIMIT (SELECT shop.harmless())::int'),
  ('SELECT x FROM item, LATERAL (SELECT shop.harmless() AS x) s'), ('SELECT CASE WHEN true THEN shop.harmless() END'), ('VALUES (shop.harmless())'),
  ('SELECT avg(price) FILTER (WHERE shop.harmless() > 0) FROM item'), ('SELECT ARRAY(SELECT shop.harmless())'), ('SELECT rstar_solve(''1 + 1'')'), ('SELECT rstar_tokenize(''x'')'),
  ('SELECT rstar.price FROM (SELECT shop.owners() AS price) rstar'),
  ('SELECT count(*) FROM generate_series(1, 100000000000)'), ('SELECT avg(a.id) FROM item a, item b, generate_series(1, 1000000) c, generate_series(1, 1000000) d'),
  ('WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r) SELECT max(i) FROM r'), ('SELECT length(string_agg(repeat(''x'', 100000000), '''')) FROM generate_series(1, 100)'),
  ('SELECT repeat(''x'', 900000000)'), ('SELECT repeat(''x'', 200000000), repeat(''y'', 200000000)'), ('SELECT array_agg(i) FROM generate_series(1, 100000000) i'), ('SELECT i FROM generate_series(1, 20000) i'),
  ('SELECT repeat(''x'', 1000) FROM generate_series(1, 20000)'), ('SELECT ''' || repeat('x', 70000) || ''''), ('SELECT ' || repeat('(', 20000) || '1' || repeat(')', 20000)),
  ('SELECT ' || repeat('-', 3) || '1'), ('SELECT regexp_replace(repeat(''a'', 100000), ''(a*)*b'', '''')'), ('SELECT 1 / 0'), ('SELECT NULL'), ('SELECT avg(price), 1 FROM item'),
  ('SELECT avg(price) FROM item UNION ALL SELECT avg(price) FROM item'), ('SELECT 5.49999');
SELECT id, left(text, 80) FROM query WHERE rstar_verify(3, text) > 0 ORDER BY id;
RESET rstar.verify_timeout;
-- nothing has changed, and the session is as it was
SELECT * FROM shop.item ORDER BY id;
SELECT last_value, is_called FROM shop.counter;
SELECT current_user = session_user AS me, current_setting('transaction_read_only') AS read_only, current_setting('search_path') AS path, current_setting('temp_file_limit') AS temp,
       current_setting('TimeZone') = 'UTC' AS utc, current_setting('jit') = 'off' AS jit;
SELECT count(*) AS locks FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
SELECT length(repeat('x', 300000000)) AS memory;
SELECT rstar_verify(3, 'SELECT avg(price) FROM item') AS honest;
-- as the reference query they are refused as well
UPDATE rstar.problems SET answer = 'DELETE FROM item RETURNING price' WHERE problem_id = 3;
SELECT rstar_verify(3, 'SELECT 1');
UPDATE rstar.problems SET answer = 'SELECT shop.owners()' WHERE problem_id = 3;
SELECT rstar_verify(3, 'SELECT 1');
UPDATE rstar.problems SET answer = 'SELECT pg_sleep(60)' WHERE problem_id = 3;
SELECT rstar_verify(3, 'SELECT 1');
UPDATE rstar.problems SET answer = 'SELECT count(*) FROM generate_series(1, 100000000000)' WHERE problem_id = 3;
SET rstar.verify_timeout = 80;
SELECT rstar_verify(3, 'SELECT 1');
RESET rstar.verify_timeout;
-- in a transaction that is read-only the verifier works, and what it undoes is its own
BEGIN;
UPDATE rstar.problems SET answer = 'SELECT avg(price) FROM item' WHERE problem_id = 3;
SELECT rstar_verify(3, 'DELETE FROM item'), rstar_verify(3, 'SELECT avg(price) FROM item');
COMMIT;
BEGIN READ ONLY;
SELECT rstar_verify(3, 'SELECT avg(price) FROM item');
COMMIT;
SELECT answer FROM rstar.problems WHERE problem_id = 3;
DROP OWNED BY regress_rstar_jailed;
DROP ROLE regress_rstar_jailed;

SET client_min_messages = warning;
DROP SCHEMA shop, secret CASCADE;
DROP TABLE attack, query;
DROP EXTENSION rstar CASCADE;
