-- The sandbox: results, errors, limits, settings, grants.
SET client_min_messages = warning;
CREATE EXTENSION rstar;
LOAD 'rstar';

-- each setting: its default, both ends, its context
SELECT name, setting, unit, context, vartype, min_val, max_val
  FROM pg_settings WHERE name ~ '^rstar\.sandbox' AND name !~ '(program|modules)$' ORDER BY name;
SELECT name, setting, context FROM pg_settings WHERE name ~ '^rstar\.sandbox_(program|modules)$' ORDER BY name;
CREATE FUNCTION try_setting(setting text, value text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config(setting, value, true);
	RETURN 'taken';
EXCEPTION WHEN invalid_parameter_value THEN
	RETURN 'refused';
END $$;
SELECT s.name,
       try_setting(s.name, s.min_val) AS at_min,
       try_setting(s.name, s.max_val) AS at_max,
       try_setting(s.name, (s.min_val::numeric - 1)::text) AS below_min,
       try_setting(s.name, (s.max_val::numeric + 1)::text) AS above_max
  FROM pg_settings s
 WHERE s.name ~ '^rstar\.sandbox' AND s.vartype = 'integer'
 ORDER BY s.name;
SET rstar.sandbox_mode = 'snapshot';
SET rstar.sandbox_modules = 'os';
SET rstar.sandbox_program = '/bin/sh';

-- values, output, both, none
SELECT status, output, value, error FROM rstar_run_python('6 * 7');
SELECT status, output, value, error FROM rstar_run_python(E'print(1)\nprint(2, end="")');
SELECT status, output, value, error FROM rstar_run_python(E'x = 3\nprint(x)\nx + 1');
SELECT status, output, value, error FROM rstar_run_python('x = 3');
SELECT status, output, value, error FROM rstar_run_python('');
SELECT status, output, value, error FROM rstar_run_python(E'# only a comment\n');
SELECT status, output, value, error FROM rstar_run_python('''é'' + chr(0x1f600)');
SELECT status, output, value, error FROM rstar_run_python('print(''a'' + chr(0) + ''b'' + chr(0xd800))');
SELECT rstar_run_python(NULL) IS NULL AS null_in_null_out;
SELECT elapsed > 0 AND elapsed < 60000 AS elapsed FROM rstar_run_python('sum(range(1000))');

-- what the last expression is, however it is written
SELECT code, value, error FROM (VALUES
	(E'f = lambda a: a + 1\nf(\n  1\n)'), (E's = """\n1 + 1\n"""'), (E's = """\n1 + 1\n"""\ns.strip()'),
	(E'a = 1; a + 1'), (E'a = 1 \\\n+ 2'), (E'if True:\n  5'), (E'[i for i in range(3)]'),
	(E'x = [1,\n2][0]'), (E'a = 1\na == 1'), (E'(a := 5)'), (E'a: int = 5'), (E'{"k": 1}["k"]'),
	(E'f"{1 + 1:>3}"  # = 2'), (E'"a = b"'), (E'x = 5\n# x = 6\n  # done'), (E'def f():\n  return 1\nf()'),
	(E'a = 1\n\n\n1/0'), (E'print(1))'), (E'x = \'\'\'a\ny = 2\n\'\'\'\ny')) AS t(code),
	LATERAL rstar_run_python(code);

-- errors are rows, not exceptions
SELECT status, output, value, error FROM rstar_run_python('1/0');
SELECT status, output, value, error FROM rstar_run_python(E'print("before")\n\nraise KeyError("k")');
SELECT status, output, value, error FROM rstar_run_python(E'x = 1\nx = = 2');
SELECT status, output, value, error FROM rstar_run_python('import numpy');
SELECT status, output, value, error FROM rstar_run_python('open(''/etc/passwd'')');
SELECT status, output, value, error FROM rstar_run_python(E'import sys\nsys.exit(3)');
SELECT status, output, value, error FROM rstar_run_python('input()');
SELECT status, value IS NULL AS no_value, error FROM rstar_run_python('''x'' * 10**12');
SELECT status, error ~ '^Killed: ' AS says_so FROM rstar_run_python(E'import os\nos.abort()');
SELECT status, error FROM rstar_run_python('1' || repeat(' ', 262144));

-- what models write as a matter of course
SELECT code, status, output, value, error FROM (VALUES
	(E'from __future__ import annotations\ndef f(x: List[int]) -> Nothing: return x\nf(1)'),
	(E'import json, pprint, struct, hashlib, csv, logging, textwrap, io\njson.loads(json.dumps({"a": [1, 2.5, None]}))'),
	(E'import pprint\npprint.pprint({"b": 1, "a": 2})'),
	(E'import hashlib, struct\nhashlib.sha256(b"a").hexdigest()[:8] + struct.pack(">I", 7).hex()'),
	(E'import csv, io\nlist(csv.reader(io.StringIO("a,b\\n1,2")))'),
	(E'import logging\nlogging.warning("not shown")\nprint("shown")'),
	('len(str(7**10700))'), (E'import math\nlen(str(math.factorial(3000)))'), ('int("9" * 10000) % 1000'),
	(U&'\FEFFx = 1\000Ax + 1'), (E'print("a")\nimport sys\nsys.exit(0)\nprint("b")'), (E'print("a")\nexit()'),
	(E'print("a")\nquit(0)'), (E'print("a")\nsys = __import__("sys")\nsys.exit("no answer")'), (E'exit(2)'),
	(E'print(1)\nraise SystemExit'), ('exit()'), ('raise SystemExit(False)'), (E'import numpy as np\nnp.array([1])'),
	('import matplotlib.pyplot as plt'), ('import pandas'), (E'try:\n  import numpy\nexcept ImportError:\n  print("without")'),
	('n = int(input("n? "))'), ('open("data.txt")'), (E'import os\nos.listdir(".")'), (E'import sys\nsys.setrecursionlimit(10000)\nsys.argv'),
	(E'import threading\nthreading.Thread(target=print).start()'), ('x = [0] * 10**11'),
	(E'import sys\nsys.stdout.writelines(["a", "b"])\nfor line in sys.stdin: print(line)'),
	(E'def main():\n  print(42)\nif __name__ == "__main__":\n  main()')) AS t(code),
	LATERAL rstar_run_python(code);

-- a finaliser is the step's own code: one that never ends is a time-out, and costs those below nothing
SET rstar.sandbox_timeout = '300ms';
SELECT step, status, output, error FROM rstar_run_steps(E'<code>\nx = 1\n<end_of_step>\nclass C:\n  def __str__(self): return "c"\n  def __del__(self):\n    while True: pass\nC()\n<end_of_step>\nprint(x)\n<end_of_step>\n');
RESET rstar.sandbox_timeout;

-- nothing stays between calls
SELECT status, value FROM rstar_run_python('leftover = 1');
SELECT status, error FROM rstar_run_python('leftover');

-- every module of the list, and SymPy in the other template
SELECT name, status, error FROM unnest(string_to_array(current_setting('rstar.sandbox_modules'), ', ')) AS name,
	LATERAL rstar_run_python('import ' || name) WHERE status <> 'ok';
SELECT value FROM rstar_run_python(E'from sympy import *\nx = symbols("x")\nsolve(x**2 - 5*x + 6, x)', 60000);
SELECT value FROM rstar_run_python('__import__("sym" + "py").factorint(360)', timeout => 60000);

-- limits of time
SELECT status, output, value, error FROM rstar_run_python('while True: pass', timeout => 200);
SELECT status, error FROM rstar_run_python('10**10**7', timeout => 200);
SELECT status, value FROM rstar_run_python(E'import time\ntime.sleep(1000)\n"slept"');
SELECT rstar_run_python('1', timeout => 0);
SELECT rstar_run_python('1', timeout => -5);
SELECT rstar_run_python('1', timeout => 60001);
SET rstar.sandbox_timeout = '100ms';
SELECT status, error FROM rstar_run_python('while True: pass');
RESET rstar.sandbox_timeout;
SET rstar.sandbox_cpu_timeout = '150ms';
SELECT status, error FROM rstar_run_python('while True: pass');
RESET rstar.sandbox_cpu_timeout;

-- limits of memory and output
SET rstar.sandbox_step_memory = '16MB';
SELECT status, error FROM rstar_run_python('x = bytearray(64 * 1024 * 1024)');
SELECT status, value FROM rstar_run_python(E'x = bytearray(4 * 1024 * 1024)\nlen(x)');
RESET rstar.sandbox_step_memory;
SET rstar.sandbox_output = 1000;
SELECT status, length(output), right(output, 30) FROM rstar_run_python('print("x" * 5000)');
SELECT status, length(value), right(value, 30) FROM rstar_run_python('"é" * 5000');
SELECT status, ltrim(output, 'x') FROM rstar_run_steps(E'<code>\nprint("x" * 995)\nprint("é" * 3)\n<end_of_step>\n') AS s(step, code, status, output);
RESET rstar.sandbox_output;

-- equal code, equal output, in a new process too
CREATE TEMP TABLE first_time AS
	SELECT output FROM rstar_run_python('import random; print(random.random(), hash("a"), {"x", "y", "zz"})');
SET rstar.sandbox_mode = 'replay';
SELECT count(*) FROM first_time JOIN
	rstar_run_python('import random; print(random.random(), hash("a"), {"x", "y", "zz"})') USING (output);
SELECT name, active FROM rstar_sandbox_info() WHERE name IN ('seccomp', 'notification', 'broker') ORDER BY 1;
RESET rstar.sandbox_mode;

-- what is in force
SELECT name, active FROM rstar_sandbox_info() WHERE name IN ('seccomp', 'broker') ORDER BY 1;
SELECT name, detail FROM rstar_sandbox_info() WHERE name IN ('timeout', 'cpu_timeout', 'step_memory', 'memory', 'output') ORDER BY 1;
SET rstar.sandbox_namespaces = off;
SELECT active FROM rstar_sandbox_info() WHERE name = 'namespaces';
RESET rstar.sandbox_namespaces;

-- who may
CREATE ROLE regress_rstar_sandbox;
SET ROLE regress_rstar_sandbox;
SELECT rstar_run_python('1');
SET rstar.sandbox_timeout = 100;
SELECT count(*) > 5 AS rows FROM rstar_sandbox_info();
RESET ROLE;
GRANT pg_monitor TO regress_rstar_sandbox;
SET ROLE regress_rstar_sandbox;
SELECT count(*) > 5 AS rows FROM rstar_sandbox_info();
RESET ROLE;
GRANT EXECUTE ON FUNCTION rstar_run_python(text, integer) TO regress_rstar_sandbox;
SET ROLE regress_rstar_sandbox;
SELECT status, value FROM rstar_run_python('1');
RESET ROLE;
REVOKE EXECUTE ON FUNCTION rstar_run_python(text, integer) FROM regress_rstar_sandbox;
DROP ROLE regress_rstar_sandbox;

DROP FUNCTION try_setting;
DROP EXTENSION rstar;
