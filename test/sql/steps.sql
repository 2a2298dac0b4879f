-- Solutions: splitting and running their steps.
SET client_min_messages = warning;
CREATE EXTENSION rstar;
RESET client_min_messages;

\set good '<code>\n# Step 1: the price of one\na = 240 / 20\n<end_of_step>\n\n# Step 2: of all\nb = a * 30\n<end_of_step>\n\n# Now print the final answer\nprint(b)\n<end_of_code>\n<output>360.0<end_of_output>\n<answer>From the output: \\boxed{360}\n<end_of_answer>'
SELECT part, kind, block, content, closed FROM rstar_split_steps(:'good');

-- what models really write
SELECT part, kind, block, content, closed
  FROM rstar_split_steps('We add.<code>a=1<end_of_step>print("<end_of_step>")<end_of_code><output>x<answer>\boxed{1}');
SELECT count(*) FROM rstar_split_steps('');
SELECT kind, content FROM rstar_split_steps(E'No code.\n```python\nprint(1)\n```\nSo $\\boxed{1}$.');
SELECT count(*) AS parts, max(block) AS blocks FROM rstar_split_steps(repeat('<code>x<end_of_code>', 1000));

-- running: state passes from step to step
SELECT step, code, status, output, value, error FROM rstar_run_steps(E'<code>\na = 6\n<end_of_step>\nb = a * 7\n<end_of_step>\nprint(b)\n<end_of_code>');
-- a failing step leaves no state and the rest goes on
SELECT step, status, output, value, error
  FROM rstar_run_steps('<code>a = 1<end_of_step>a = 2; b = 1 / 0<end_of_step>print(a)<end_of_step>print(c)<end_of_code>');
-- a hanging one is stopped
SELECT step, status, output, error FROM rstar_run_steps('<code>a = 5<end_of_step>while True: pass<end_of_step>print(a)<end_of_code>', 300);
-- a hostile one reaches nothing
SELECT step, status, output FROM rstar_run_steps('<code>x = 1<end_of_step>open("/etc/passwd").read()<end_of_step>print(x)<end_of_code>');
-- two blocks share their state
SELECT step, status, output FROM rstar_run_steps('<code>x = 1<end_of_code>Then<code>print(x + 1)<end_of_code>');
-- many steps, none, NULL
SELECT count(*), count(*) FILTER (WHERE status = 'ok') AS ok, max(value) FILTER (WHERE step = 200) AS last
  FROM rstar_run_steps('<code>n = 0<end_of_step>' || repeat('n += 1<end_of_step>', 198) || 'n<end_of_code>');
SELECT count(*) FROM rstar_run_steps('');
SELECT count(*) FROM rstar_run_steps('no code at all');
SELECT count(*) FROM rstar_run_steps(NULL);
SELECT * FROM rstar_run_steps('<code>1<end_of_code>', 0);

-- prompts of model families
SELECT rstar_prompt_template('rstar');
SELECT right(rstar_prompt_template('qwen2', 0), 61);
SELECT f AS family, length(rstar_prompt_template(f)) - length(rstar_prompt_template(f, 0)) > 500 AS shows_examples,
       (length(t) - length(replace(t, '{problem}', ''))) / 9 AS slots
  FROM unnest(ARRAY['qwen2', 'phi3', 'llama3', 'base']) f, rstar_prompt_template(f) t;
SELECT rstar_prompt_template('gpt');
SELECT rstar_prompt_template('base', 4);
SELECT rstar_prompt_template('rstar', 1);
SELECT rstar_prompt_template('base', -1);
SELECT rstar_prompt_template(NULL);
-- the examples run, and print what they answer
SET rstar.sandbox_timeout = '20s';
SET rstar.sandbox_cpu_timeout = '20s';
WITH example AS (
	SELECT n, e FROM regexp_split_to_table(rstar_prompt_template('base'), 'Problem: ') WITH ORDINALITY x(e, n) WHERE e LIKE '%<code>%')
SELECT n - 1 AS example, max(r.output) AS printed, bool_and(r.status = 'ok') AS all_ok,
       bool_and(rstar_answers_equal(rstar_extract_answer(e), r.output)) FILTER (WHERE r.output <> '') AS as_answered
  FROM example, rstar_run_steps(e) r GROUP BY n ORDER BY n;
DROP EXTENSION rstar;
