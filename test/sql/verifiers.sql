-- Verifiers: kinds, grades, what searches make of them, failures, rights.
SET client_min_messages = warning;
CREATE EXTENSION rstar;
RESET client_min_messages;
\set fence '```'

-- ---------------------------------------------------------------------------
-- function
-- ---------------------------------------------------------------------------
CREATE FUNCTION verify_word(problem_id bigint, solution text, answer text) RETURNS float8 LANGUAGE sql AS $$
  SELECT CASE answer WHEN 'half' THEN 0.5 WHEN 'yes' THEN 1 WHEN 'null' THEN NULL WHEN 'much' THEN 2
                     WHEN 'nan' THEN 'NaN' WHEN 'raise' THEN 1 / (length(answer) - 5) ELSE -1 END::float8 $$;
SELECT rstar_verifier_create('word', 'function', function => 'verify_word(bigint, text, text)');
INSERT INTO rstar.problems (problem_id, statement, verifier) OVERRIDING SYSTEM VALUE VALUES (900001, 'one', 'word');
SELECT rstar_verify(900001, 'half') AS half, rstar_verify(900001, '\boxed{yes}') AS yes, rstar_verify(900001, 'It is no') AS no,
       rstar_verify(900001, E'<answer>\n```\nyes\n```\n<end_of_answer>') AS fenced;
SELECT rstar_verify(900001, 'null');
SELECT rstar_verify(900001, 'much');
SELECT rstar_verify(900001, 'nan');
SELECT rstar_verify(900001, 'raise');

-- The grade is what is backed up. The answer given is the one with the best grade.
CREATE FUNCTION step(name text, score float8 DEFAULT 0) RETURNS jsonb LANGUAGE sql AS
  $$ SELECT jsonb_build_object('text', E'<code>\n# ' || name || E'\n<end_of_code>', 'status', 'ok', 'score', score) $$;
CREATE FUNCTION answer(value text, score float8 DEFAULT 0) RETURNS jsonb LANGUAGE sql AS
  $$ SELECT jsonb_build_object('text', '<answer>\boxed{' || value || '}<end_of_answer>', 'status', 'ok', 'score', score) $$;
CREATE VIEW shown AS SELECT tree_id, node_id AS id, parent_id AS parent, kind, answer, grade, correct, visits AS n, value_sum AS w FROM rstar.nodes;
SELECT jsonb_build_array(
  jsonb_build_array(step('a', 0.5), step('b', 0.2)), jsonb_build_array(step('d', 0.1), step('e', 0.1)),
  jsonb_build_array(answer('yes', -0.5)), jsonb_build_array(answer('half', 0.9)), jsonb_build_array(answer('no', 0.9))) AS script \gset
SELECT rstar_search_scripted(900001, :'script') AS tree \gset
SELECT * FROM shown WHERE tree_id = :tree ORDER BY id;
SELECT status, answer, correct, verifier, known_answer, first_correct_rollout FROM rstar.trees WHERE tree_id = :tree;
SELECT leaf_id, answer, correct, mean_q, min_q FROM rstar.trajectories WHERE tree_id = :tree ORDER BY leaf_id;
-- the same tree twice
SELECT rstar_search_scripted(900001, :'script') AS again \gset
SELECT count(*) AS different FROM (SELECT id, parent, kind, answer, grade, n, w FROM shown WHERE tree_id = :tree
  EXCEPT SELECT id, parent, kind, answer, grade, n, w FROM shown WHERE tree_id = :again) d;
-- guided by scores, the answers worth their grade; and graded only
SELECT rstar_search_scripted(900001, :'script', true) AS tree2 \gset
SELECT * FROM shown WHERE tree_id = :tree2 ORDER BY id;
SET rstar.use_known_answer = off;
SELECT rstar_search_scripted(900001, :'script', true) AS tree3 \gset
SELECT id, grade, n, w FROM shown WHERE tree_id = :tree3 AND kind = 'answer' ORDER BY id;
SELECT answer, correct FROM rstar.trees WHERE tree_id = :tree3;
RESET rstar.use_known_answer;
-- pairs and trajectories for training
SELECT rstar_build_pairs() > 0 AS pairs;
SELECT count(*) AS sound FROM rstar.sft_training WHERE problem_id = 900001;

-- A verifier that fails: no tree for one problem, a failed tree among several. Nothing is counted as wrong.
SELECT rstar_search_scripted(900001, jsonb_build_array(jsonb_build_array(answer('raise'))));
-- Grading anew, after the function changed.
SELECT rstar_regrade(900001);
CREATE OR REPLACE FUNCTION verify_word(problem_id bigint, solution text, answer text) RETURNS float8 LANGUAGE sql AS
  $$ SELECT CASE answer WHEN 'half' THEN 1 ELSE -0.5 END::float8 $$;
SELECT rstar_regrade(900001);
SELECT * FROM shown WHERE tree_id = :tree ORDER BY id;
SELECT correct, first_correct_rollout FROM rstar.trees WHERE tree_id = :tree;

-- ---------------------------------------------------------------------------
-- python
-- ---------------------------------------------------------------------------
SELECT rstar_verifier_create('square', 'python', $$
try: grade = 1 if int(answer) ** 2 == int(data) else -1
except ValueError: grade = -1
grade$$);
SELECT rstar_verifier_create('words', 'python', $$2 * len(set(answer.split()) & set(data.split())) / len(data.split()) - 1$$);
SELECT rstar_verifier_create('raises', 'python', '1 / (len(answer) - 3)');
SELECT rstar_verifier_create('loops', 'python', $$
while answer == 'x' or data == 'loop': pass
True$$);
SELECT rstar_verifier_create('nothing', 'python', 'print(1)');
SELECT rstar_verifier_create('echo', 'python', 'answer == data and statement == solution');
INSERT INTO rstar.problems (problem_id, statement, answer, verifier) OVERRIDING SYSTEM VALUE VALUES
  (900011, 'square', '49', 'square'), (900012, 'words', 'a b c d', 'words'), (900013, 'raise', '', 'raises'), (900014, 'l', '', 'loops'),
  (900015, 'l', 'loop', 'loops'), (900016, 'n', NULL, 'nothing'),
  (900017, E'\\ '' " \\''; 1 # \n\t\r\x7f é \u2028 """ {', E'\\ '' " \\''; 1 # \n\t\r\x7f é \u2028 """ {', 'echo');
SELECT rstar_verify(900011, '7') AS a, rstar_verify(900011, '\boxed{-7}') AS b, rstar_verify(900011, 'seven') AS c;
SELECT rstar_verify(900012, 'a c x') AS half, rstar_verify(900012, 'a b c d') AS whole, rstar_verify(900012, 'x') AS none;
SELECT rstar_verify(900013, 'a');
SELECT rstar_verify(900013, 'abc');
SELECT rstar_verify(900016, 'abc');
-- stopped by a limit: the answer's fault, unless nothing at all does the same
SET rstar.sandbox_timeout = 300;
SELECT rstar_verify(900014, 'x') AS x, rstar_verify(900014, 'y') AS y;
SELECT rstar_verify(900015, 'y');
RESET rstar.sandbox_timeout;
-- whatever the texts hold, they are texts
SELECT rstar_verify(900017, answer) FROM rstar.problems WHERE problem_id = 900017;

-- ---------------------------------------------------------------------------
-- tests
-- ---------------------------------------------------------------------------
SELECT rstar_verifier_create('tests', 'tests');
SELECT rstar_verifier_create('near', 'tests', 'def near(a, b): return abs(a - b) < 1e-6');
INSERT INTO rstar.problems (problem_id, statement, answer, verifier) OVERRIDING SYSTEM VALUE VALUES
  (900021, 'add', E'assert add(1, 2) == 3\nassert add(\n  2, 2) == 4\nassert add(add(1, 1), 1) == 3\nassert isinstance(add(1, 1), int)\n', 'tests'),
  (900022, 'pairs', '{"function": "add", "pairs": [[[1, 2], 3], [[0.1, 0.2], 0.3], [["a", "b"], "ab"], [[[1], [2]], [1, 2]]]}', 'tests'),
  (900023, 'check', E'def check(candidate):\n    assert candidate(1, 2) == 3\n    assert candidate(5, 5) == 10\n\ncheck(add)\n', 'tests'),
  (900024, 'raise', E'try:\n    f(-1)\n    assert False\nexcept ValueError:\n    pass\nassert f(4) == 2', 'tests'),
  (900025, 'near', 'assert near(root(2), 2 ** 0.5)', 'near'),
  (900026, 'kinds', E'assert f((1, {"a": {2}}), b"x", k=[None, True]) == ((1, {"a": {2}}), b"x", [None, True])\nassert list(g(3)) == [0, 1, 2]', 'tests'),
  (900031, 'vacuous', 'assert True', 'tests'), (900032, 'none', NULL, 'tests'), (900033, 'syntax', E'assert add(1, 2) == 3\nx = = 1', 'tests'),
  (900034, 'set up', E'x = 1 / 0\nassert f(1) == 2', 'tests'), (900035, 'false', E'assert 1 == 2\nassert f(1) == 2', 'tests'),
  (900036, 'loop', E'while True: pass\nassert f(1)', 'tests'), (900037, 'object', 'assert f(object())', 'tests'), (900038, 'pairs', '{"function": "f"}', 'tests');
SELECT rstar_verify(900021, 'def add(a, b): return a + b') AS text,
       rstar_verify(900021, E'<code>\ndef add(a, b):\n    return a + b\n<end_of_step>\nprint(add(1, 1))\n<end_of_code>\n<output>2<end_of_output>\n<answer>The function is \\boxed{add}<end_of_answer>') AS steps,
       rstar_verify(900021, E'Here it is:\n' || :'fence' || E'python\ndef add(a, b): return a + b\n' || :'fence' || E'\nDone.') AS fenced,
       rstar_verify(900021, 'def add(a, b): return a * b') AS partly, rstar_verify(900021, 'def sub(a, b): return a') AS missing,
       rstar_verify(900021, 'nonsense (') AS bad, rstar_verify(900021, E'list = print = str = 5\ndef add(a, b): return a + b') AS shadowed;
SELECT rstar_verify(900022, 'def add(a, b): return a + b') AS a, rstar_verify(900022, 'def add(a, b): return int(a) + int(b)') AS b;
SELECT rstar_verify(900023, 'def add(a, b): return a + b') AS a, rstar_verify(900023, 'def add(a, b): return 3') AS b;
SELECT rstar_verify(900024, E'def f(x):\n    if x < 0: raise ValueError("no")\n    return int(x ** 0.5)') AS a, rstar_verify(900024, E'def f(x):\n    return 2') AS b;
SELECT rstar_verify(900025, E'from sympy import sqrt, N\ndef root(x): return N(sqrt(x), 20)') AS a;
SELECT rstar_verify(900026, E'def f(a, b, k): return a, b, k\ndef g(n):\n    for i in range(n): yield i') AS a;
SELECT rstar_verify(900031, 'x = 1');
SELECT rstar_verify(900032, 'x = 1');
SELECT rstar_verify(900033, 'x = 1');
SELECT rstar_verify(900034, 'x = 1');
SELECT rstar_verify(900035, 'x = 1');
SELECT rstar_verify(900037, 'x = 1');
SELECT rstar_verify(900038, 'x = 1');
SET rstar.sandbox_timeout = 300;
SELECT rstar_verify(900036, 'x = 1');
SELECT rstar_verify(900021, E'def add(a, b):\n    while a == 2 and b == 2: pass\n    return a + b') AS one_loops;
RESET rstar.sandbox_timeout;
-- through a search: code runs step by step, and is tested as a whole
SELECT rstar_search_scripted(900021, jsonb_build_array(
  jsonb_build_array('{"text": "<code>\ndef add(a, b): return a * b\n<end_of_step>"}'::jsonb, '{"text": "<code>\ndef add(a, b): return a + b\n<end_of_step>"}'::jsonb),
  jsonb_build_array('{"text": "print(add(2, 2))\n<end_of_code>"}'::jsonb), jsonb_build_array('{"text": "print(add(2, 2))\n<end_of_code>"}'::jsonb),
  jsonb_build_array(answer('add')), '[]'::jsonb, jsonb_build_array(answer('add')))) AS tree \gset
SELECT id, parent, kind, answer, grade, correct, n, w FROM shown WHERE tree_id = :tree ORDER BY id;
SELECT reproducible, correct, answer_id FROM rstar.trees WHERE tree_id = :tree;
SELECT rstar_regrade(900021);

-- ---------------------------------------------------------------------------
-- sql
-- ---------------------------------------------------------------------------
CREATE ROLE regress_rstar_query;
CREATE SCHEMA shop;
CREATE SCHEMA shop2;
CREATE TABLE shop.item (id int, name text, price numeric);
CREATE TABLE shop2.item (id int, name text, price numeric);
INSERT INTO shop.item VALUES (1, 'pen', 2.50), (2, 'book', 10), (3, 'cup', 4);
INSERT INTO shop2.item VALUES (1, 'pen', 3.50), (2, 'box', 7);
CREATE VIEW shop.dear AS SELECT * FROM shop.item WHERE price > 3;
CREATE VIEW shop2.dear AS SELECT * FROM shop2.item WHERE price > 5;
GRANT USAGE ON SCHEMA shop, shop2 TO regress_rstar_query;
GRANT SELECT ON ALL TABLES IN SCHEMA shop, shop2 TO regress_rstar_query;
SELECT rstar_verifier_create('shop', 'sql', schemas => '{shop,shop2}', role => 'regress_rstar_query');
INSERT INTO rstar.problems (problem_id, statement, answer, verifier) OVERRIDING SYSTEM VALUE VALUES
  (900041, 'avg', 'SELECT avg(price) FROM item', 'shop'), (900042, 'names', 'SELECT name FROM item ORDER BY price DESC', 'shop'),
  (900043, 'bad', 'SELECT nix FROM item', 'shop'), (900044, 'none', NULL, 'shop'), (900045, 'empty', 'SELECT name FROM item WHERE price < 0', 'shop'),
  (900046, 'dear', 'SELECT name, price FROM dear', 'shop');
SELECT rstar_verify(900041, 'SELECT sum(price) / count(*) FROM item') AS right, rstar_verify(900041, 'SELECT 5.5') AS constant,
       rstar_verify(900041, 'select avg(price)::float8 from item i;') AS other_type, rstar_verify(900041, 'SELECT') AS no_column, rstar_verify(900041, 'nonsense') AS nonsense,
       rstar_verify(900041, E'<answer>' || :'fence' || E'sql\nSELECT avg(price)\nFROM shop.item\n' || :'fence' || '<end_of_answer>') AS one_schema;
SELECT rstar_verify(900042, 'SELECT name FROM item ORDER BY price DESC') AS right, rstar_verify(900042, 'SELECT name FROM item ORDER BY price') AS order,
       rstar_verify(900042, 'SELECT name FROM item WHERE price > 3') AS part, rstar_verify(900042, 'SELECT name, price FROM item') AS columns,
       rstar_verify(900042, 'TABLE item') AS tab, rstar_verify(900042, 'VALUES (''book'')') AS vals;
SELECT rstar_verify(900045, 'SELECT name FROM item WHERE price < -1') AS right, rstar_verify(900045, 'SELECT NULL::text WHERE false') AS also, rstar_verify(900045, 'SELECT name FROM item') AS wrong;
SELECT rstar_verify(900046, 'SELECT i.name, price FROM item i JOIN dear d USING (id, price)') AS joined,
       rstar_verify(900046, 'WITH d AS (SELECT * FROM dear) SELECT upper(lower(name)), price::text FROM d WHERE to_char(price, ''9'') IS NOT NULL') AS text;
SELECT rstar_verify(900043, 'SELECT 1');
SELECT rstar_verify(900044, 'SELECT 1');
REVOKE USAGE ON SCHEMA shop2 FROM regress_rstar_query;
SELECT rstar_verify(900041, 'SELECT avg(price) FROM item');
GRANT USAGE ON SCHEMA shop2 TO regress_rstar_query;

-- ---------------------------------------------------------------------------
-- arguments
-- ---------------------------------------------------------------------------
SELECT rstar_verifier_create(NULL, 'tests');
SELECT rstar_verifier_create('', 'tests');
SELECT rstar_verifier_create('x', NULL);
SELECT rstar_verifier_create('x', 'magic');
SELECT rstar_verifier_create('x', 'python');
SELECT rstar_verifier_create('x', 'tests', schemas => '{a}');
SELECT rstar_verifier_create('x', 'sql', role => 'regress_rstar_query');
SELECT rstar_verifier_create('x', 'sql', schemas => '{}', role => 'regress_rstar_query');
SELECT rstar_verifier_create('x', 'sql', schemas => '{a,NULL}', role => 'regress_rstar_query');
SELECT rstar_verifier_create('x', 'sql', schemas => '{a}', role => 'regress_rstar_nobody');
SELECT rstar_verifier_create('x', 'function');
SELECT rstar_verifier_create('x', 'function', function => 'upper(text)');
SELECT rstar_verifier_create('x', 'function', function => 'rstar_verify(bigint, text)');
SELECT rstar_verifier_create('tests', 'tests');
SELECT rstar_verifier_create('tests', 'tests', '', replace => true);
SELECT rstar_verifier_drop('tests');
SELECT rstar_verifier_drop('nothing at all');
SELECT rstar_verifier_drop(NULL);
INSERT INTO rstar.problems (statement, verifier) VALUES ('x', 'nothing at all');
SELECT rstar_verify(1, 'x'), rstar_verify(NULL, 'x') IS NULL AS no_problem, rstar_verify(900011, NULL) IS NULL AS no_solution;
INSERT INTO rstar.problems (problem_id, statement, answer) OVERRIDING SYSTEM VALUE VALUES (900050, 'x', '1');
SELECT rstar_verify(900050, '1');
CREATE ROLE regress_rstar_super CREATEROLE;
SELECT rstar_verifier_create('x', 'sql', schemas => '{a}', role => 'regress_rstar_super');
ALTER ROLE regress_rstar_query CREATEDB;
SELECT rstar_verify(900041, 'SELECT avg(price) FROM item');
ALTER ROLE regress_rstar_query NOCREATEDB;
GRANT pg_read_all_data TO regress_rstar_query;
SELECT rstar_verify(900041, 'SELECT avg(price) FROM item');
REVOKE pg_read_all_data FROM regress_rstar_query;
SHOW rstar.verify_timeout;
SET rstar.verify_timeout = 9;
SET rstar.verify_memory = 15;
SET rstar.verify_rows = 0;
SET rstar.verify_rows = 2;
SELECT rstar_verify(900046, 'SELECT name, price FROM dear UNION ALL SELECT name, price FROM item') AS many;
RESET rstar.verify_rows;

-- ---------------------------------------------------------------------------
-- rights
-- ---------------------------------------------------------------------------
CREATE ROLE regress_rstar_ann;
CREATE ROLE regress_rstar_bob;
GRANT USAGE ON SCHEMA rstar TO regress_rstar_ann, regress_rstar_bob;
GRANT SELECT, INSERT ON rstar.problems TO regress_rstar_ann, regress_rstar_bob;
GRANT SELECT ON rstar.verifiers TO regress_rstar_ann, regress_rstar_bob;
SET ROLE regress_rstar_ann;
SELECT rstar_verifier_create('anns', 'tests');
SELECT rstar_verifier_drop('tests');
SELECT rstar_verify(900021, 'x');
RESET ROLE;
GRANT EXECUTE ON FUNCTION rstar_verifier_create, rstar_verifier_drop, rstar_verify, rstar_search_scripted TO regress_rstar_ann, regress_rstar_bob;
CREATE SCHEMA ann AUTHORIZATION regress_rstar_ann;
SET ROLE regress_rstar_ann;
SELECT count(*) AS seen FROM rstar.verifiers;
SELECT rstar_verifier_create('x', 'sql', schemas => '{shop}', role => 'regress_rstar_query');
SELECT rstar_verifier_create('x', 'function', function => 'verify_word(bigint, text, text)'); -- a superuser's: allowed
SELECT rstar_verifier_drop('x');
SELECT rstar_verifier_drop('tests');
SELECT rstar_verifier_create('tests', 'tests', replace => true);
-- it runs as its owner, restricted, whoever asks
CREATE FUNCTION ann.who(problem_id bigint, solution text, answer text) RETURNS float8 LANGUAGE plpgsql AS $$
BEGIN
  IF answer = 'role' THEN SET ROLE regress_rstar_bob; END IF;
  IF answer = 'path' THEN PERFORM set_config('search_path', 'ann', false); END IF;
  IF answer = 'temp' THEN CREATE TEMP TABLE left_behind (); END IF;
  RETURN CASE WHEN current_user = 'regress_rstar_ann' AND current_setting('search_path') LIKE 'pg_catalog, pg_temp' THEN 1 ELSE 0 END;
END $$;
SELECT rstar_verifier_create('anns', 'function', function => 'ann.who(bigint, text, text)');
INSERT INTO rstar.problems (statement, answer, verifier) VALUES ('whose', '1', 'anns') RETURNING problem_id AS whose \gset
SELECT name, created_by, function_schema, function_name FROM rstar.verifiers;
SELECT rstar_verify(:whose, 'x');
RESET ROLE;
SELECT rstar_verify(:whose, 'x') AS for_a_superuser, current_user = session_user AS still_me;
SELECT rstar_verify(:whose, 'role');
SELECT rstar_verify(:whose, 'temp');
SET search_path = public, rstar;
SELECT rstar_verify(:whose, 'path') AS path, current_setting('search_path');
RESET search_path;
SET ROLE regress_rstar_bob;
SELECT rstar_verify(:whose, 'x');
SELECT rstar_verifier_create('x', 'function', function => 'ann.who(bigint, text, text)');
SELECT rstar_verifier_create('anns', 'tests', replace => true);
SELECT rstar_verifier_drop('anns');
-- other kinds serve every role that may search: the sandbox and the jail are the same for all
SELECT rstar_verify(900021, 'def add(a, b): return a + b') AS tests, rstar_verify(900011, '7') AS python, rstar_verify(900041, 'SELECT avg(price) FROM item') AS sql;
RESET ROLE;
-- the owner is gone, the function is gone
DROP FUNCTION ann.who;
SELECT rstar_verify(:whose, 'x');
DELETE FROM rstar.problems WHERE verifier = 'anns';
SELECT rstar_verifier_drop('anns');
DROP OWNED BY regress_rstar_ann, regress_rstar_bob, regress_rstar_query;
DROP ROLE regress_rstar_ann, regress_rstar_bob, regress_rstar_query, regress_rstar_super;
SELECT rstar_verify(900041, 'SELECT avg(price) FROM item');

SET client_min_messages = warning;
DROP SCHEMA shop, shop2 CASCADE;
DROP VIEW shown;
DROP FUNCTION step, answer, verify_word;
DROP EXTENSION rstar CASCADE;
