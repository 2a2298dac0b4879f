-- Training policies and process preference models in the foreground.
SET client_min_messages = warning;
CREATE EXTENSION rstar;
SET rstar.threads = 2;
SET rstar.matrix_kernel = 'portable';

CREATE TEMP TABLE lesson AS
	SELECT i AS n, format('What is %s + %s?', i, i + 1) AS problem,
	       format(E'<code>\n# Add\nprint(%s + %s)\n<end_of_code>\n<output>%s<end_of_output>\n<answer>\\boxed{%s}\n<end_of_answer>',
	              i, i + 1, 2 * i + 1, 2 * i + 1) AS solution
	  FROM generate_series(1, 24) i;
CREATE TEMP TABLE pairs AS
	SELECT problem, ''::text AS prefix, solution AS chosen, replace(solution, '# Add', '# Guess') AS rejected,
	       0.5 AS weight
	  FROM lesson;
SELECT rstar_train_vocabulary('lesson-words', 'SELECT problem || solution FROM lesson', size => 300) >= 1000 AS vocabulary;
SELECT rstar_model_create('novice', vocabulary => 'lesson-words', layers => 2, width => 64, heads => 4, kv_heads => 2,
                          context => 128) >= 1000 AS novice;

-- A policy from scratch. The same call gives the same file.
CREATE FUNCTION train(text, text) RETURNS bigint LANGUAGE sql AS
	$$ SELECT rstar_train_policy($1, 'novice', $2, epochs => 30, batch_tokens => 500, held_out => 0.1, foreground => true) $$;
SELECT train('pupil', 'SELECT problem, solution FROM lesson') AS run \gset
SELECT train('pupil-again', 'SELECT solution, problem, n FROM lesson') AS again \gset
SELECT a.sha256 = b.sha256 AS same_file, a.parent_id = n.model_id AS parentage, a.role, a.file_type, a.prompt_template = n.prompt_template AS same_template
  FROM rstar.models a, rstar.models b, rstar.models n
 WHERE a.name = 'pupil' AND b.name = 'pupil-again' AND n.name = 'novice';
SELECT name, kind, settings->>'method' AS method, settings->>'optimizer' AS optimizer, settings->>'schedule' AS schedule,
       examples, too_long, parameters = trained_parameters AS whole, job_id, memory > 0 AS planned,
       held_out_loss < first_held_out_loss / 3 AS learned, result_model_id IS NOT NULL AS done
  FROM rstar.training_runs WHERE run_id = :run;
SELECT count(*) = max(step) + 1 AS every_step, min(step), bool_and(loss IS NOT NULL OR step = 0) AS losses,
       count(held_out_loss) >= 2 AS evaluated, max(tokens) > 0 AS tokens, max(learning_rate) <= 0.0021 AS rate
  FROM rstar.training_steps WHERE run_id = :run;
SELECT held_out, count(*), bool_and(used) AS used FROM rstar.training_examples WHERE run_id = :run GROUP BY 1 ORDER BY 1;
SELECT name, kind, status, step > 0 AS steps, held_out_loss IS NOT NULL AS held_out FROM rstar.training_summary WHERE run_id = :run;
SELECT training_run_id = :run AS trained_by FROM rstar.models WHERE name = 'pupil';
SELECT rstar_curve_svg(:run) ~ '^<svg .*Run \d+: pupil.*</svg>\n$' AS curve;
SELECT xml_is_well_formed_document(rstar_curve_svg(:run)) AS well_formed;

-- It has learned how to write.
SELECT rstar_generate('<|user|>:' || E'\n' || 'What is 3 + 4?' || E'\n' || '<|assistant|>: Let''s think step by step and solve the problem with code.',
                      model => 'pupil', max_tokens => 4, temperature => 0) AS begins;

-- Tuning a trained model, adapters, and another element type.
SELECT rstar_train_policy('pupil-2', 'pupil', 'SELECT problem, solution FROM lesson', epochs => 1, foreground => true) AS run \gset
SELECT settings->>'method' AS method, settings->>'optimizer' AS optimizer FROM rstar.training_runs WHERE run_id = :run;
SELECT rstar_train_policy('pupil-lora', 'pupil', 'SELECT problem, solution FROM lesson', epochs => 2, lora_rank => 4,
                          file_type => 'Q8_0', train_on_output => true, foreground => true) AS run \gset
SELECT r.settings->>'method' AS method, r.settings->>'lora_rank' AS rank, r.trained_parameters < r.parameters / 2 AS few, m.file_type
  FROM rstar.training_runs r JOIN rstar.models m ON m.model_id = r.result_model_id WHERE r.run_id = :run;

-- A process preference model: it scores steps, and says which pairs it gets wrong.
SELECT rstar_train_ppm('judge', 'pupil', 'SELECT * FROM pairs', epochs => 20, held_out => 0.25, learning_rate => 0.003,
                       batch_tokens => 1000, foreground => true) AS run \gset
SELECT kind, held_out_correct, held_out_loss < 0.3 AS learned FROM rstar.training_runs WHERE run_id = :run;
SELECT role FROM rstar.models WHERE name = 'judge';
SELECT count(*) AS mistakes FROM rstar.ppm_mistakes WHERE run_id = :run;
SELECT bool_and(chosen_value > rejected_value) AS in_order, count(*) FROM rstar.training_examples WHERE run_id = :run;
SELECT bool_and(abs(s.ppm_score - tanh(e.chosen_value / 5)) < 0.01) AS same_scores
  FROM rstar.training_examples e,
       LATERAL (SELECT ppm_score FROM rstar_score(e.problem, e.chosen, model => 'pupil', ppm => 'judge')
                 ORDER BY step DESC LIMIT 1) s
 WHERE e.run_id = :run;

-- One whose value has the likelihood of the solution in it: the same scores in training, in rstar_score, in a search,
-- and in one that goes on from a stored tree.
SELECT rstar_train_ppm('judge-2', 'pupil', 'SELECT * FROM pairs', epochs => 4, held_out => 0.25, batch_tokens => 1000,
                       likelihood => 8, foreground => true) AS run \gset
SELECT settings->>'likelihood' AS likelihood, held_out_correct FROM rstar.training_runs WHERE run_id = :run;
SELECT abs(sum(chosen_value + rejected_value)) < 0.001 AS centred FROM rstar.training_examples WHERE run_id = :run;
SELECT bool_and(abs(s.ppm_score - tanh(e.chosen_value / 5)) < 0.01) AS same_scores, max(abs(s.ppm_score)) > 0.01 AS scores
  FROM rstar.training_examples e,
       LATERAL (SELECT ppm_score FROM rstar_score(e.problem, e.chosen, model => 'pupil', ppm => 'judge-2')
                 ORDER BY step DESC LIMIT 1) s
 WHERE e.run_id = :run;
SELECT rstar_search('What is 3 + 4?', '7', model => 'pupil', ppm => 'judge-2', candidates => 16, rollouts => 2, temperature => 0.5, seed => 3) AS part \gset
SELECT rstar_continue(:part, 6) AS part \gset
SELECT rstar_search('What is 3 + 4?', '7', model => 'pupil', ppm => 'judge-2', candidates => 16, rollouts => 8, temperature => 0.5, seed => 3) AS whole \gset
SELECT count(*) > 10 AS nodes, bool_and(a.text = b.text AND a.ppm_score IS NOT DISTINCT FROM b.ppm_score) AS same
  FROM rstar.nodes a FULL JOIN rstar.nodes b ON a.node_id = b.node_id AND b.tree_id = :whole WHERE a.tree_id = :part;
WITH RECURSIVE path AS (
	SELECT node_id, depth, '' AS solution, ppm_score FROM rstar.nodes WHERE tree_id = :whole AND node_id = 0
	UNION ALL
	SELECT n.node_id, n.depth, p.solution || n.text, n.ppm_score FROM path p JOIN rstar.nodes n ON n.parent_id = p.node_id AND n.tree_id = :whole
)
SELECT count(*) > 5 AS scored, max(p.depth) > 1 AS deep, max(abs(p.ppm_score - s.ppm_score)) < 1e-6 AS same
  FROM path p,
       LATERAL (SELECT ppm_score FROM rstar_score('What is 3 + 4?', p.solution, model => 'pupil', ppm => 'judge-2') ORDER BY step DESC LIMIT 1) s
 WHERE p.ppm_score IS NOT NULL;
SELECT rstar_train_ppm('x', 'pupil', 'SELECT * FROM pairs', likelihood => -1, foreground => true);
SELECT rstar_train_ppm('x', 'pupil', 'SELECT * FROM pairs', likelihood => 'NaN', foreground => true);

-- What is longer than the context is left out, and said.
SELECT rstar_train_policy('long', 'novice',
                          $$SELECT problem, solution FROM lesson UNION ALL SELECT repeat('word ', 500), 'x'$$,
                          epochs => 1, foreground => true) AS run \gset
SELECT examples, too_long FROM rstar.training_runs WHERE run_id = :run;
SELECT used, held_out, tokens > 128 AS long FROM rstar.training_examples WHERE run_id = :run AND NOT used;

-- Wrong calls: nothing is left behind.
SELECT count(*) AS runs FROM rstar.training_runs \gset
SELECT rstar_train_policy(NULL);
SELECT rstar_train_policy('');
SELECT rstar_train_policy('pupil', 'novice', foreground => true);
SELECT rstar_train_policy('x', 'nobody', foreground => true);
SELECT rstar_train_policy('x', 'lesson-words', foreground => true);
SELECT rstar_train_policy('x', 'novice');
SELECT rstar_train_policy('x', 'novice', foreground => true);
SELECT rstar_train_policy('x', 'novice', 'SELECT problem, solution FROM lesson WHERE false', foreground => true);
SELECT rstar_train_policy('x', 'novice', 'SELECT problem FROM lesson', foreground => true);
SELECT rstar_train_policy('x', 'novice', 'SELECT problem, NULL AS solution FROM lesson', foreground => true);
SELECT rstar_train_policy('x', 'novice', $$SELECT problem, '' AS solution FROM lesson$$, foreground => true);
SELECT rstar_train_policy('x', 'novice', $$SELECT repeat('word ', 500) AS problem, 'x' AS solution$$, foreground => true);
SELECT rstar_train_policy('x', 'novice', 'DELETE FROM lesson RETURNING problem, solution', foreground => true);
SELECT rstar_train_policy('x', 'novice', 'SELECT nonsense', foreground => true);
SELECT rstar_train_ppm('x', 'novice', 'SELECT problem, prefix, chosen FROM pairs', foreground => true);
SELECT rstar_train_ppm('x', 'novice', 'SELECT problem, prefix, chosen, rejected, -1 AS weight FROM pairs', foreground => true);
SELECT rstar_train_ppm('x', 'novice', $$SELECT problem, prefix, chosen, rejected, 'heavy' AS weight FROM pairs$$, foreground => true);
SELECT rstar_train_policy('x', 'novice', 'SELECT * FROM lesson', method => 'magic', foreground => true);
SELECT rstar_train_policy('x', 'novice', 'SELECT * FROM lesson', epochs => 0, foreground => true);
SELECT rstar_train_policy('x', 'novice', 'SELECT * FROM lesson', epochs => 'NaN', foreground => true);
SELECT rstar_train_policy('x', 'novice', 'SELECT * FROM lesson', learning_rate => -1, foreground => true);
SELECT rstar_train_policy('x', 'novice', 'SELECT * FROM lesson', batch_tokens => 0, foreground => true);
SELECT rstar_train_policy('x', 'novice', 'SELECT * FROM lesson', optimizer => 'sgd', foreground => true);
SELECT rstar_train_policy('x', 'novice', 'SELECT * FROM lesson', schedule => 'sawtooth', foreground => true);
SELECT rstar_train_policy('x', 'novice', 'SELECT * FROM lesson', lora_rank => -1, foreground => true);
SELECT rstar_train_policy('x', 'novice', 'SELECT * FROM lesson', held_out => 0.6, foreground => true);
SELECT rstar_train_policy('x', 'novice', 'SELECT * FROM lesson', file_type => 'Q1', foreground => true);
SET rstar.matrix_kernel = 'vax';
SELECT rstar_train_policy('x', 'novice', 'SELECT * FROM lesson', foreground => true);
SET rstar.matrix_kernel = 'portable';
\set VERBOSITY terse
SET rstar.training_memory = 1;
DO $$
BEGIN
	PERFORM rstar_train_policy('x', 'novice', 'SELECT * FROM lesson', foreground => true);
EXCEPTION WHEN configuration_limit_exceeded THEN
	RAISE WARNING '%', regexp_replace(SQLERRM, '\d+ MB', 'N MB');
END $$;
RESET rstar.training_memory;
DO $$
BEGIN
	PERFORM rstar_train_policy('x', 'novice', 'SELECT * FROM lesson', learning_rate => 10, optimizer => 'adamw', epochs => 500,
	                           schedule => 'constant', foreground => true);
EXCEPTION WHEN configuration_limit_exceeded THEN
	RAISE WARNING '%', regexp_replace(SQLERRM, '\d+', 'N');
END $$;
\set VERBOSITY default
SELECT rstar_curve_svg(0);
SELECT count(*) = :runs AS same_runs FROM rstar.training_runs;
SELECT count(*) AS left_behind FROM rstar.models WHERE name = 'x';

-- Who may what.
CREATE ROLE regress_training_reader;
SET ROLE regress_training_reader;
SELECT rstar_train_policy('x');
SELECT rstar_train_ppm('x');
SELECT rstar_curve_svg(1);
SELECT count(*) FROM rstar.training_runs;
RESET ROLE;
DROP ROLE regress_training_reader;

-- Tidy up.
DELETE FROM rstar.training_runs;
SELECT count(*) AS examples, (SELECT count(*) FROM rstar.training_steps) AS steps FROM rstar.training_examples;
SELECT rstar_model_drop(name, remove_file => true) FROM rstar.models
 WHERE name IN ('pupil', 'pupil-2', 'pupil-lora', 'judge', 'judge-2', 'long') ORDER BY name;
SELECT rstar_model_drop(name, remove_file => true) FROM rstar.models WHERE name IN ('pupil-again', 'novice') ORDER BY name;
SELECT rstar_model_drop('lesson-words', remove_file => true);
DROP FUNCTION train(text, text);
DROP EXTENSION rstar;
