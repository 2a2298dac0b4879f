-- An answer and what speaks for it: rstar_explain, min_confidence, rstar_solve of several
-- problems, and rstar_calibrate, which says what the confidence is worth.
SET client_min_messages = warning;
CREATE EXTENSION rstar;
RESET client_min_messages;

-- one row: the answer that rstar_solve gives, its probability, its solution
SELECT e.answer, e.answer = rstar_solve('Solve 3*x + 5 = 20 for x.') AS as_solved, confidence > 0 AND confidence <= 1 AS probability,
       solution LIKE '<code>%print(%<output>5<end_of_output>%\boxed{5}%<end_of_answer>' AS solution, jsonb_typeof(alternatives) AS alternatives, reason
  FROM rstar_explain('Solve 3*x + 5 = 20 for x.', min_confidence => 0) e;

-- an answer less sure than what is asked for is not given, but shown
SELECT answer, confidence < 1 AS unsure, solution LIKE '%\boxed{5}%' AS solution, reason
  FROM rstar_explain('Solve 3*x + 5 = 20 for x.', min_confidence => 1);
SELECT rstar_solve('Solve 3*x + 5 = 20 for x.', min_confidence => 1) IS NULL AS not_given;
SET rstar.min_confidence = 1;
SELECT rstar_solve('Solve 3*x + 5 = 20 for x.') IS NULL AS not_given, rstar_solve('Solve 3*x + 5 = 20 for x.', min_confidence => 0) AS given;
SET rstar.min_confidence = 1.01;
SET rstar.min_confidence = -1;
SHOW rstar.min_confidence;
RESET rstar.min_confidence;
SELECT rstar_solve('1 + 1', min_confidence => -0.1);
SELECT rstar_solve('1 + 1', min_confidence => 1.1);
SELECT rstar_explain('1 + 1', min_confidence => 'NaN');

-- nothing asked, nothing answered
SELECT rstar_solve(NULL) IS NULL AS null, rstar_solve('') IS NULL AS empty, rstar_solve(E' \t\r\n') IS NULL AS blank;
SELECT * FROM rstar_explain('');
SELECT * FROM rstar_explain(NULL);

-- several problems: answers in their order and shape
SELECT rstar_solve(ARRAY['Solve 3*x + 5 = 20 for x.', NULL, '', 'Solve 2*x = 14 for x.'], min_confidence => 0);
SELECT rstar_solve('[2:3][0:1]={{Solve 2*x = 4 for x.,""},{"","Solve 2*x = 6 for x."}}'::text[], min_confidence => 0);
SELECT rstar_solve('{}'::text[]), rstar_solve(NULL::text[]);
SELECT rstar_solve(ARRAY['1 + 1'], rollouts => 0);
SET rstar.trees = 2;
SELECT rstar_solve(ARRAY['Solve 3*x + 5 = 20 for x.', 'Solve 2*x = 14 for x.'], min_confidence => 0);
SELECT answer, confidence > 0 AND confidence <= 1 AS probability FROM rstar_explain('Solve 3*x + 5 = 20 for x.', min_confidence => 0);
RESET rstar.trees;

-- why there is none: an untrained model writes no step of the format
SELECT rstar_train_vocabulary('explain words',
  $$SELECT 'Solve 3*x + 5 = 20 for x. print(' || i || ')' FROM generate_series(1, 500) i$$, 320) > 0 AS trained;
SELECT rstar_model_create('explain untrained', 'explain words', 1, 32, 2, context => 192) > 0 AS created;
SELECT * FROM rstar_explain('1 + 1', model => 'explain untrained', candidates => 2, rollouts => 1);
SET rstar.search_tokens = 1;
SELECT reason FROM rstar_explain('1 + 1', model => 'explain untrained', candidates => 2, rollouts => 1);
RESET rstar.search_tokens;

-- calibrating: the problems are tried, their known answers only grade
INSERT INTO rstar.problems (problem_id, statement, answer)
  SELECT 910000 + i, format('Solve %s*x = %s for x.', i, 3 * i), CASE WHEN i % 5 = 0 THEN '4' ELSE '3' END FROM generate_series(2, 31) i;
SELECT rstar_model_quantize('rstar-policy', 'explain copy', 'F32') > 0 AS copied;
SELECT calibration IS NULL AS uncalibrated, defaults ? 'min_confidence' AS min_confidence FROM rstar.models WHERE name = 'explain copy';
SELECT problems, answered > 20 AS answered, correct BETWEEN 10 AND answered AS correct, calibration_error BETWEEN 0 AND 1 AS error,
       min_confidence BETWEEN 0 AND 1 AS threshold
  FROM rstar_calibrate('explain copy', (SELECT array_agg(problem_id ORDER BY problem_id) FROM rstar.problems WHERE problem_id > 910000), max_wrong => 0.5);
SELECT jsonb_array_length(calibration->'weights') AS weights, (calibration->>'problems')::int AS problems, defaults ? 'min_confidence' AS min_confidence
  FROM rstar.models WHERE name = 'explain copy';
-- about one in five of these is called wrong, and the model cannot tell which: its confidence says so
SELECT confidence BETWEEN 0.5 AND 0.95 AS sobered FROM rstar_explain('Solve 7*x = 21 for x.', model => 'explain copy', min_confidence => 0);
SELECT count(*) AS levels, min(min_confidence) AS from, max(min_confidence) AS to, bool_and(coverage <= 1) AS coverage, bool_and(coalesce(risk, 0) <= 1) AS risk
  FROM rstar_calibration_levels('explain copy');
SELECT svg LIKE '<svg %</svg>_' AS svg, svg LIKE '%explain copy%' AS titled, xml_is_well_formed_document(svg) AS well_formed FROM rstar_calibration_svg('explain copy') svg;
-- too few answers, no numbers, out of range
SELECT rstar_calibrate('explain copy', ARRAY[910002, 910003]);
SELECT rstar_calibrate('explain copy', ARRAY[910002, NULL]);
SELECT rstar_calibrate('explain copy', ARRAY[1]);
SELECT rstar_calibrate('explain copy', ARRAY[910002], max_wrong => 1.5);
SELECT rstar_calibrate(NULL, ARRAY[910002]);
SELECT rstar_calibrate('explain copy', NULL);
SELECT rstar_calibrate('no such model', ARRAY[910002]);
SELECT rstar_calibration_svg('explain untrained');
SELECT * FROM rstar_calibration_levels('explain untrained');
-- a row that somebody has spoilt is refused
BEGIN;
UPDATE rstar.models SET calibration = '{"weights": [1, "2"]}' WHERE name = 'explain copy';
SAVEPOINT a;
SELECT rstar_solve('1 + 1', model => 'explain copy');
ROLLBACK TO a;
UPDATE rstar.models SET calibration = jsonb_build_object('weights', array_fill(1, ARRAY[18])) WHERE name = 'explain copy';
SAVEPOINT a;
SELECT rstar_solve('1 + 1', model => 'explain copy');
ROLLBACK TO a;
-- one from before there were all features does without the last
UPDATE rstar.models SET calibration = '{"weights": [2]}' WHERE name = 'explain copy';
SAVEPOINT a;
SELECT round(confidence::numeric, 4) AS confidence FROM rstar_explain('1 + 1', model => 'explain copy', min_confidence => 0);
ROLLBACK TO a;
SELECT rstar_calibration_svg('explain copy');
ROLLBACK;

-- who may: explaining everybody, also where nothing can be written; calibrating nobody by default
CREATE ROLE regress_rstar_asker;
SET ROLE regress_rstar_asker;
BEGIN READ ONLY;
SELECT answer FROM rstar_explain('Solve 3*x + 5 = 20 for x.', min_confidence => 0);
SELECT length(rstar_calibration_svg('explain copy')) > 0 AS svg;
SELECT rstar_calibrate('explain copy', ARRAY[910002]);
ROLLBACK;
RESET ROLE;
BEGIN READ ONLY;
SELECT rstar_calibrate('explain copy', ARRAY[910002]);
ROLLBACK;
DROP ROLE regress_rstar_asker;

SELECT rstar_model_drop(name, true) FROM rstar.models WHERE NOT builtin;
DROP EXTENSION rstar;
