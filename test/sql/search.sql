-- Searches that are kept: scripted ones, whose visits and Q are known, and the
-- rows that come of them.
SET client_min_messages = warning;
CREATE EXTENSION rstar;
RESET client_min_messages;

INSERT INTO rstar.problems (problem_id, statement, answer) OVERRIDING SYSTEM VALUE
  VALUES (900001, 'one', '1'), (900002, 'two', NULL);

-- A step that needs no code to run, an answer, a candidate whose code failed.
CREATE FUNCTION step(name text, score float8 DEFAULT 0) RETURNS jsonb LANGUAGE sql AS
  $$ SELECT jsonb_build_object('text', E'<code>\n# ' || name || E'\n<end_of_code>', 'status', 'ok', 'score', score) $$;
CREATE FUNCTION answer(value text, score float8 DEFAULT 0) RETURNS jsonb LANGUAGE sql AS
  $$ SELECT jsonb_build_object('text', '<answer>\boxed{' || value || '}<end_of_answer>', 'status', 'ok', 'score', score) $$;
CREATE FUNCTION failure(name text) RETURNS jsonb LANGUAGE sql AS
  $$ SELECT jsonb_build_object('text', E'<code>\n# ' || name || E'\n<end_of_code>', 'status', 'error') $$;
CREATE VIEW shown AS
  SELECT tree_id, node_id AS id, parent_id AS parent, depth, rollout, kind, status, answer, correct, visits AS n, value_sum AS w,
         round(q::numeric, 4) AS q
    FROM rstar.nodes;

-- Terminal-guided. By hand, c = 2, unvisited children count 0:
--   rollout 0: root -> 1, 2, 3 (3 failed); tie, so 1 -> 4, 5; tie, so 4 -> answer 6, wrong: -1 to 6, 4, 1, 0; 4 is closed
--   rollout 1: UCT(1) = -1 + 2*sqrt(ln 1 / 1) = -1 < UCT(2) = 0: 2 -> answer 7, right: +1 to 7, 2, 0; 2 is closed
--   rollout 2: 1 is open yet: its child 5 -> answer 8, right: +1 to 8, 5, 1, 0; 1 and the root are closed
SET rstar.rollouts = 16;
SELECT rstar_search_scripted(900001, jsonb_build_array(
  jsonb_build_array(step('a'), step('b'), failure('c')),
  jsonb_build_array(step('d'), step('e')),
  jsonb_build_array(answer('1')),
  '[]'::jsonb,
  jsonb_build_array(answer('5')),
  jsonb_build_array(answer('1')))) AS tree \gset
SELECT * FROM shown WHERE tree_id = :tree ORDER BY id;
SELECT method, status, reproducible, rollouts, nodes, python_steps, first_correct_rollout, answer, answer_id, correct, settings->>'guidance' AS guidance
  FROM rstar.trees WHERE tree_id = :tree;
SELECT leaf_id, steps, answer, correct, mean_q, min_q, score, solution FROM rstar.trajectories WHERE tree_id = :tree ORDER BY leaf_id;

-- PPM-guided, the answer known: children begin with one visit worth their score.
--   rollout 0: root -> 1 (0.5), 2 (0.2); N(root) = 0, so UCT = Q: 1 -> 3 (-0.5), 4 (0.4); 4, of which N(1) = 1: -> answer 5, right:
--              5: 1/1, 4: 2/1.4, 1: 2/1.5, 0: 1/1; 4 is closed
--   rollout 1: ln 1 = 0: Q(1) = 0.75 > 0.2: 1, whose open child is 3 -> answer 6, wrong: 3: 2/-1.5, 1: 3/0.5, 0: 2/0; 1 is closed
--   rollout 2: 2 -> answer 7, right: 2: 2/1.2, 0: 3/1; the root is closed
SELECT rstar_search_scripted(900001, jsonb_build_array(
  jsonb_build_array(step('a', 0.5), step('b', 0.2)),
  jsonb_build_array(step('c', -0.5), step('d', 0.4)),
  jsonb_build_array(answer('1', 0.1)),
  jsonb_build_array(answer('3', 0.9)),
  jsonb_build_array(answer('1', -0.3))), true) AS tree \gset
SELECT id, parent, rollout, kind, correct, n, w, q FROM shown WHERE tree_id = :tree ORDER BY id;
-- the best-scored answer is given, and it is wrong
SELECT rollouts, answer, answer_id, correct FROM rstar.trees WHERE tree_id = :tree;

-- The same as a test-time search: an answer backs up its score.
SET rstar.use_known_answer = off;
SELECT rstar_search_scripted(900001, jsonb_build_array(
  jsonb_build_array(step('a', 0.5), step('b', 0.2)),
  jsonb_build_array(step('c', -0.5), step('d', 0.4)),
  jsonb_build_array(answer('1', 0.1)),
  jsonb_build_array(answer('3', 0.9)),
  jsonb_build_array(answer('1', -0.3))), true) AS tree \gset
SELECT id, n, w, correct FROM shown WHERE tree_id = :tree ORDER BY id;
RESET rstar.use_known_answer;

-- No known answer, no PPM: answers are worth nothing, and nothing is graded.
SELECT rstar_search_scripted(900002, jsonb_build_array(jsonb_build_array(step('a'), step('b')), jsonb_build_array(answer('1')),
  jsonb_build_array(answer('2')))) AS tree \gset
SELECT id, n, w, correct FROM shown WHERE tree_id = :tree ORDER BY id;

-- Limits: rollouts, depth, nodes, correct answers.
SET rstar.rollouts = 1;
SELECT rstar_search_scripted(900001, jsonb_build_array(jsonb_build_array(jsonb_build_object('text', repeat('a', 5000000)))));
SELECT rstar_search_scripted(900001, jsonb_build_array(jsonb_build_array(step('a'), step('b')), jsonb_build_array(answer('1')))) AS tree \gset
SELECT id, kind, status, n FROM shown WHERE tree_id = :tree ORDER BY id;
SET rstar.rollouts = 16;
SET rstar.max_depth = 2;
SELECT rstar_search_scripted(900001, jsonb_build_array(jsonb_build_array(step('a')), jsonb_build_array(step('b')), jsonb_build_array(step('c')))) AS tree \gset
SELECT id, kind, status, depth, n, w FROM shown WHERE tree_id = :tree ORDER BY id;
RESET rstar.max_depth;
SET rstar.search_nodes = 3;
SELECT rstar_search_scripted(900001, jsonb_build_array(jsonb_build_array(step('a'), step('b')))) AS tree \gset
SELECT nodes, rollouts FROM rstar.trees WHERE tree_id = :tree;
RESET rstar.search_nodes;
SET rstar.enough_correct = 1;
SELECT rstar_search_scripted(900001, jsonb_build_array(jsonb_build_array(step('a'), step('b')), jsonb_build_array(answer('1')))) AS tree \gset
SELECT nodes, rollouts FROM rstar.trees WHERE tree_id = :tree;
RESET rstar.enough_correct;
SET rstar.enough_first = 2;
SELECT rstar_search_scripted(900001, jsonb_build_array(jsonb_build_array(step('a'), step('b'), step('c')), jsonb_build_array(answer('1')),
  jsonb_build_array(answer('1')), jsonb_build_array(answer('1')))) AS tree \gset
SELECT nodes, rollouts FROM rstar.trees WHERE tree_id = :tree;
RESET rstar.enough_first;

-- Code that is not judged by the script runs, on its ancestors' state; equal candidates are merged.
SELECT rstar_search_scripted(900001, jsonb_build_array(
  jsonb_build_array('{"text": "<code>\nx = 6 * 7\n<end_of_step>"}'::jsonb, '{"text": "<code>\nx = 1 / 0\n<end_of_step>"}'::jsonb,
                    '{"text": "<code>\nx = 6 * 7\n<end_of_step>"}'::jsonb, '{"text": "no step"}'::jsonb),
  jsonb_build_array('{"text": "print(x)\n<end_of_code>"}'::jsonb),
  '[]'::jsonb, '[]'::jsonb,
  jsonb_build_array(answer('42')))) AS tree \gset
SELECT node_id, status, rejected, text, output, duplicates FROM rstar.nodes WHERE tree_id = :tree ORDER BY node_id;
SELECT python_steps FROM rstar.trees WHERE tree_id = :tree;

-- A failing step may stay, its code left out of what follows.
SET rstar.max_code_errors = 2;
SELECT rstar_search_scripted(900001, jsonb_build_array(
  jsonb_build_array('{"text": "<code>\nx = 5\n<end_of_step>"}'::jsonb),
  jsonb_build_array('{"text": "x = 6; 1 / 0\n<end_of_step>"}'::jsonb),
  jsonb_build_array('{"text": "print(x)\n<end_of_code>"}'::jsonb),
  jsonb_build_array(answer('1')))) AS tree \gset
SELECT node_id, status, rejected, output FROM rstar.nodes WHERE tree_id = :tree ORDER BY node_id;
RESET rstar.max_code_errors;

-- Level by level: a beam of two, and samples.
SET rstar.method = 'beam';
SET rstar.beam_width = 2;
SELECT rstar_search_scripted(900001, jsonb_build_array(
  jsonb_build_array(step('a', 0.1), step('b', 0.3), step('c', 0.2)),
  jsonb_build_array(answer('9', 0.9)), jsonb_build_array(answer('1', 0.5)), jsonb_build_array(answer('2', 0.4))), true) AS tree \gset
SELECT id, parent, kind, answer, n, w FROM shown WHERE tree_id = :tree ORDER BY id;
SELECT method, rollouts, answer, correct FROM rstar.trees WHERE tree_id = :tree;
RESET rstar.beam_width;
SET rstar.method = 'majority';
SELECT rstar_search_scripted(900001, jsonb_build_array(
  jsonb_build_array(step('a'), step('b'), step('c')),
  jsonb_build_array(answer('7')), jsonb_build_array(answer('1')), jsonb_build_array(answer('1.0')))) AS tree \gset
SELECT method, rollouts, answer, correct FROM rstar.trees WHERE tree_id = :tree;
RESET rstar.method;

-- What is no script, no problem, no tree.
SELECT rstar_search_scripted(900001, '{}');
SELECT rstar_search_scripted(900001, '[]');
SELECT rstar_search_scripted(900001, '[1]');
SELECT rstar_search_scripted(900001, '[[{"text": 1}]]');
SELECT rstar_search_scripted(900001, '[[{"score": 1}]]');
SELECT rstar_search_scripted(900001, '[[{"text": "x", "status": "fine"}]]');
SELECT rstar_search_scripted(0, '[[]]');
SELECT rstar_search_scripted(NULL, '[[]]');
SELECT rstar_search(0::bigint);
SELECT rstar_search(NULL::bigint), rstar_search(NULL::text);
SELECT * FROM rstar_search(ARRAY[900001, NULL]::bigint[]);
SELECT * FROM rstar_search(ARRAY[]::bigint[]);
SELECT * FROM rstar_search(NULL::bigint[]);
SELECT rstar_search('1 + 1', method => 'dowsing');
SELECT rstar_continue(0, 1);
SELECT rstar_continue(NULL, 1);
SELECT rstar_continue(1, 0);
SELECT rstar_continue(1, -1);
SELECT rstar_continue(1, 1000000000);
SELECT rstar_continue(1, 1);
SELECT rstar_continue(:tree, 1);

-- What would be lost at the end is refused at the beginning.
BEGIN READ ONLY;
SELECT rstar_search('1 + 1');
ROLLBACK;
BEGIN READ ONLY;
SELECT rstar_continue(:tree, 1);
ROLLBACK;

-- A thousand random trees, half of them PPM-guided, a third with answers that do
-- not stand alone: what must hold of every one, computed from the rows.
SELECT setseed(0.5);
CREATE FUNCTION random_candidate() RETURNS jsonb LANGUAGE sql VOLATILE AS $$
  SELECT CASE WHEN r < 0.6 THEN step('s' || (random() * 1000)::int, s) WHEN r < 0.75 THEN failure('f' || (random() * 1000)::int)
              ELSE answer((random() * 2)::int::text, s) END
    FROM (SELECT random() AS r, random() * 2 - 1 AS s OFFSET 0) x $$;
CREATE FUNCTION random_script() RETURNS jsonb LANGUAGE sql VOLATILE AS $$
  SELECT jsonb_agg((SELECT jsonb_agg(random_candidate()) FROM generate_series(1, 1 + (random() * 3)::int + 0 * line)))
    FROM generate_series(1, 3 + (random() * 8)::int) line $$;
SET rstar.rollouts = 12;
SET rstar.max_depth = 6;
CREATE TEMP TABLE made AS
  SELECT i, set_config('rstar.answer_exclusive', (i % 3 > 0)::text, false) AS exclusive,
         rstar_search_scripted(900001, random_script(), i % 2 = 0) AS tree_id
    FROM generate_series(1, 1000) i;
RESET rstar.answer_exclusive;
CREATE TEMP VIEW n AS
  SELECT n.*, m.i % 2 = 0 AS ppm, m.i % 3 > 0 AS exclusive,
         (CASE WHEN m.i % 2 = 0 AND n.kind = 'step' AND NOT n.rejected THEN 1 ELSE 0 END) AS init
    FROM rstar.nodes n JOIN made m USING (tree_id);
SELECT count(DISTINCT tree_id) AS trees, count(*) > 10000 AS many_nodes, count(*) FILTER (WHERE kind = 'answer') > 1000 AS many_answers,
       count(*) FILTER (WHERE rejected) > 1000 AS many_rejected, max(depth) AS deepest FROM n;

-- N = init + sum over children not rejected of (N(child) - init(child)), and W likewise
SELECT count(*) AS broken FROM n p
  CROSS JOIN LATERAL (SELECT coalesce(sum(c.visits - c.init), 0) AS visits,
                             coalesce(sum(c.value_sum - c.init * coalesce(c.ppm_score, 0)), 0) AS value_sum
                        FROM n c WHERE c.tree_id = p.tree_id AND c.parent_id = p.node_id AND NOT c.rejected) c
 WHERE p.kind <> 'answer' AND NOT p.rejected
   AND (p.visits <> p.init + c.visits OR abs(p.value_sum - p.init * coalesce(p.ppm_score, 0) - c.value_sum) > 1e-9);
-- rejected candidates are worth -1, themselves only; answers +1 or -1; Q is the mean
SELECT count(*) AS broken FROM n
 WHERE (rejected AND (visits <> 1 OR value_sum <> -1 OR expanded))
    OR (kind = 'answer' AND (visits <> 1 OR value_sum <> CASE WHEN correct THEN 1 ELSE -1 END OR expanded))
    OR (visits > 0 AND q <> value_sum / visits) OR (visits = 0 AND q IS NOT NULL)
    OR (kind = 'answer' AND correct <> (answer = '1'));
-- the links
SELECT count(*) AS broken FROM n c LEFT JOIN n p ON p.tree_id = c.tree_id AND p.node_id = c.parent_id
 WHERE c.node_id > 0 AND (p.node_id IS NULL OR p.depth + 1 <> c.depth OR NOT p.expanded OR p.rejected OR p.kind = 'answer'
                          OR p.rollout > c.rollout OR c.depth > 7);
-- an exclusive answer has no sibling; elsewhere some have
SELECT count(*) FILTER (WHERE exclusive) AS broken, count(*) FILTER (WHERE NOT exclusive) > 100 AS others
  FROM n a WHERE kind = 'answer' AND NOT rejected
   AND EXISTS (SELECT FROM n b WHERE b.tree_id = a.tree_id AND b.parent_id = a.parent_id AND b.node_id <> a.node_id);
-- equal candidates are one
SELECT count(*) AS broken FROM (SELECT FROM n GROUP BY tree_id, parent_id, text HAVING count(*) > 1) x;
-- the trees' own figures
SELECT count(*) AS broken FROM rstar.trees t JOIN made USING (tree_id)
  CROSS JOIN LATERAL (SELECT count(*) AS nodes, min(rollout) FILTER (WHERE correct) AS first, max(rollout) AS last,
                             bool_or(kind = 'step' AND NOT rejected AND NOT expanded) AS open
                        FROM rstar.nodes n WHERE n.tree_id = t.tree_id) x
 WHERE t.nodes <> x.nodes OR t.first_correct_rollout IS DISTINCT FROM x.first OR x.last >= t.rollouts OR t.rollouts > 12
    OR (t.rollouts < 12 AND x.open);
-- trajectories are the paths to the answers
SELECT count(*) AS broken FROM (
  WITH RECURSIVE path AS (
    SELECT tree_id, node_id AS leaf_id, parent_id, q, text AS solution, 1 AS steps, q AS min_q FROM n WHERE kind = 'answer' AND NOT rejected
    UNION ALL
    SELECT p.tree_id, p.leaf_id, u.parent_id, p.q + u.q, u.text || p.solution, p.steps + 1, least(p.min_q, u.q)
      FROM path p JOIN n u ON u.tree_id = p.tree_id AND u.node_id = p.parent_id WHERE u.node_id > 0)
  SELECT FROM (SELECT * FROM path WHERE parent_id = 0) p
         FULL JOIN (SELECT * FROM rstar.trajectories WHERE tree_id IN (SELECT tree_id FROM made)) t USING (tree_id, leaf_id)
   WHERE p.leaf_id IS NULL OR t.leaf_id IS NULL OR p.steps <> t.steps OR p.solution <> t.solution
      OR abs(p.q / p.steps - t.mean_q) > 1e-9 OR p.min_q <> t.min_q) x;

-- Deleting a tree takes everything with it.
DELETE FROM rstar.trees WHERE tree_id IN (SELECT tree_id FROM made);
SELECT count(*) FROM rstar.nodes JOIN made USING (tree_id);
DELETE FROM rstar.problems WHERE problem_id = 900001;

-- Nobody but the owner writes, or searches, unless it is granted.
CREATE ROLE regress_rstar_searcher;
SET ROLE regress_rstar_searcher;
SELECT rstar_search('1 + 1');
SELECT rstar_continue(1, 1);
SELECT count(*) FROM rstar.trees;
RESET ROLE;
DROP ROLE regress_rstar_searcher;

DROP VIEW shown, n;
DROP FUNCTION step(text, float8), answer(text, float8), failure(text), random_candidate(), random_script();

DROP EXTENSION rstar;
