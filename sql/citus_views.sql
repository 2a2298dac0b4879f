-- citus_views.sql: part of citus.sql. Views and a function of rstar as the nodes of a cluster can ask
-- them: Citus shares out joins along the distribution column and aggregates; it does not share out
-- recursions, SQL functions with arguments, and joins of what lies in one piece with what is spread,
-- which here become steps (MATERIALIZED) whose results travel. They say the same.
--
-- It sets the variable views to a command that makes them on the node where it is run.

SELECT n.nspname AS rstar_schema FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
 WHERE e.extname = 'rstar' \gset

SELECT pg_catalog.format($views$
DO $do$
DECLARE
	f record;
BEGIN
PERFORM pg_catalog.set_config('citus.enable_ddl_propagation', 'off', true);

CREATE OR REPLACE VIEW rstar.q_by_depth WITH (security_invoker = true) AS
	SELECT t.round_id, a.depths[p.node + 1] AS depth, pg_catalog.count(*) FILTER (WHERE j.correct) AS correct_trajectories,
	       pg_catalog.count(*) FILTER (WHERE NOT j.correct) AS wrong_trajectories,
	       pg_catalog.avg(a.qs[p.node + 1]) FILTER (WHERE j.correct) AS correct_q,
	       pg_catalog.avg(a.qs[p.node + 1]) FILTER (WHERE NOT j.correct) AS wrong_q
	  FROM rstar.trees t
	  JOIN rstar.trajectories j ON j.tree_id = t.tree_id
	 CROSS JOIN LATERAL (
	       SELECT pg_catalog.array_agg(n.parent_id ORDER BY n.node_id) AS parents,
	              pg_catalog.array_agg(n.depth ORDER BY n.node_id) AS depths,
	              pg_catalog.array_agg(n.q ORDER BY n.node_id) AS qs
	         FROM rstar.nodes n WHERE n.tree_id = t.tree_id) a
	 CROSS JOIN LATERAL pg_catalog.unnest(%1$I.rstar_path(a.parents, j.leaf_id)) p (node)
	 WHERE j.correct IS NOT NULL AND p.node > 0 AND (t.settings ->> 'guidance' = '0') IS NOT TRUE
	 GROUP BY t.round_id, a.depths[p.node + 1];

-- The first node of a kind as one number, since arrays have no least one over several nodes.
CREATE OR REPLACE VIEW rstar.step_failures WITH (security_invoker = true) AS
	SELECT s.round_id, s.status, s.error, s.steps, pg_catalog.div(s.example, 2147483648)::int8 AS example_tree_id,
	       pg_catalog.mod(s.example, 2147483648)::int4 AS example_node_id
	  FROM (SELECT f.round_id, f.status, e.error, pg_catalog.sum(f.steps)::int8 AS steps, pg_catalog.min(f.example) AS example
	          FROM (SELECT t.round_id, n.status, n.output, pg_catalog.count(*) AS steps,
	                       pg_catalog.min(n.tree_id::numeric * 2147483648 + n.node_id) AS example
	                  FROM rstar.trees t JOIN rstar.nodes n ON n.tree_id = t.tree_id
	                 WHERE n.rejected
	                 GROUP BY t.round_id, n.status, n.output) f
	         CROSS JOIN LATERAL (
	               SELECT CASE WHEN f.status = 'error'
	                           THEN pg_catalog.regexp_replace(
	                                    pg_catalog.substring(pg_catalog.rtrim(f.output, E' \n'), '[^\n]*$'),
	                                    '[0-9]+', '#', 'g') END AS error) e
	         GROUP BY f.round_id, f.status, e.error) s;

CREATE OR REPLACE VIEW rstar.training_sources WITH (security_invoker = true) AS
	WITH x AS MATERIALIZED (
	     SELECT r.run_id, r.kind, r.result_model_id AS model_id, m.name AS model, e.example_id, e.held_out,
	            v.part, v.text, e.problem
	       FROM rstar.training_runs r
	       JOIN rstar.training_examples e ON e.run_id = r.run_id
	      CROSS JOIN LATERAL (VALUES ('solution', e.solution), ('chosen', e.chosen), ('rejected', e.rejected)) v (part, text)
	       LEFT JOIN rstar.models m ON m.model_id = r.result_model_id
	      WHERE e.used AND (e.prefix IS NULL OR e.prefix = '') AND v.text IS NOT NULL)
	SELECT x.run_id, x.kind, x.model_id, x.model, x.example_id, x.held_out, x.part, t.round_id, t.problem_id, j.tree_id, j.leaf_id
	  FROM x
	  JOIN rstar.problems p ON p.statement = x.problem
	  JOIN rstar.trees t ON t.problem_id = p.problem_id
	  JOIN rstar.trajectories j ON j.tree_id = t.tree_id AND j.solution = x.text;

-- Texts are compared by their sum, so that they need not travel.
CREATE OR REPLACE FUNCTION %1$I.rstar_select_trajectories_of(round_ids bigint[], per_problem integer DEFAULT NULL)
	RETURNS TABLE (problem_id bigint, tree_id bigint, leaf_id integer, place integer,
	               mean_q double precision, min_q double precision)
	LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100000
	SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	WITH answers AS MATERIALIZED (
		SELECT t.problem_id, count(*) AS reached, count(*) FILTER (WHERE j.correct) AS hits
		  FROM rstar.trajectories j JOIN rstar.trees t ON t.tree_id = j.tree_id
		 WHERE j.correct IS NOT NULL AND (round_ids IS NULL OR t.round_id = ANY (round_ids))
		 GROUP BY t.problem_id),
	sound AS MATERIALIZED (
		SELECT t.problem_id, j.tree_id, j.leaf_id, j.mean_q, j.min_q, md5(j.solution) AS text
		  FROM rstar.trajectories j JOIN rstar.trees t ON t.tree_id = j.tree_id
		 WHERE j.correct AND j.failed_steps = 0 AND (round_ids IS NULL OR t.round_id = ANY (round_ids))),
	eligible AS MATERIALIZED (
		SELECT p.problem_id
		  FROM answers a JOIN rstar.problems p ON p.problem_id = a.problem_id
		 WHERE (a.reached >= 4 AND a.hits * 5 >= a.reached * 4)
		    OR p.verifier IS NOT NULL
		    OR %1$I.rstar_closed_answer(p.statement, p.answer) IS NOT TRUE),
	copies AS (
		SELECT s.problem_id, s.tree_id, s.leaf_id, s.mean_q, s.min_q,
		       row_number() OVER (PARTITION BY s.problem_id, s.text ORDER BY s.mean_q DESC, s.min_q DESC, s.tree_id, s.leaf_id) AS copy
		  FROM sound s JOIN eligible e ON e.problem_id = s.problem_id),
	places AS (
		SELECT c.problem_id, c.tree_id, c.leaf_id, c.mean_q, c.min_q,
		       row_number() OVER (PARTITION BY c.problem_id ORDER BY c.mean_q DESC, c.min_q DESC, c.tree_id, c.leaf_id) AS place
		  FROM copies c WHERE c.copy = 1)
	SELECT s.problem_id, s.tree_id, s.leaf_id, s.place::int4, s.mean_q, s.min_q
	  FROM places s WHERE s.place <= COALESCE(rstar_select_trajectories_of.per_problem, 2)
	 ORDER BY s.problem_id, s.place;
END
$function$;

-- Pairs of steps lie within a tree; those of answers may join two, of which the rejected one is fetched.
CREATE OR REPLACE VIEW rstar.ppm_training WITH (security_invoker = true) AS
	WITH steps AS MATERIALIZED (
	     SELECT t.problem_id, r.kind, r.chosen_tree_id, r.chosen_id, r.rejected_tree_id, r.rejected_id,
	            COALESCE(t.statement, p.statement) AS problem, COALESCE(b.prefix, '') AS prefix, c.text AS chosen, d.text AS rejected,
	            r.margin, r.weight
	       FROM rstar.preference_pairs r
	       JOIN rstar.trees t ON t.tree_id = r.chosen_tree_id
	       JOIN rstar.problems p ON p.problem_id = t.problem_id
	       JOIN rstar.nodes c ON c.tree_id = r.chosen_tree_id AND c.node_id = r.chosen_id
	       JOIN rstar.nodes d ON d.tree_id = r.chosen_tree_id AND d.node_id = r.rejected_id
	      CROSS JOIN LATERAL (
	            SELECT pg_catalog.array_agg(n.parent_id ORDER BY n.node_id) AS parents
	              FROM rstar.nodes n WHERE n.tree_id = r.chosen_tree_id) a
	      CROSS JOIN LATERAL (
	            SELECT pg_catalog.string_agg(n.text, '' ORDER BY n.depth) AS prefix
	              FROM rstar.nodes n
	             WHERE n.tree_id = r.chosen_tree_id AND n.node_id = ANY (%1$I.rstar_path(a.parents, r.parent_id))) b
	      WHERE r.kind = 'step'),
	answers AS MATERIALIZED (
	     SELECT t.problem_id, r.kind, r.chosen_tree_id, r.chosen_id, r.rejected_tree_id, r.rejected_id,
	            COALESCE(t.statement, p.statement) AS problem, c.solution AS chosen, r.margin, r.weight
	       FROM rstar.preference_pairs r
	       JOIN rstar.trees t ON t.tree_id = r.chosen_tree_id
	       JOIN rstar.problems p ON p.problem_id = t.problem_id
	       JOIN rstar.trajectories c ON c.tree_id = r.chosen_tree_id AND c.leaf_id = r.chosen_id
	      WHERE r.kind = 'answer')
	SELECT s.problem_id, s.kind, s.chosen_tree_id, s.chosen_id, s.rejected_tree_id, s.rejected_id, s.problem, s.prefix,
	       s.chosen, s.rejected, s.margin, s.weight
	  FROM steps s
	UNION ALL
	SELECT a.problem_id, a.kind, a.chosen_tree_id, a.chosen_id, a.rejected_tree_id, a.rejected_id, a.problem, ''::text,
	       a.chosen, d.solution, a.margin, a.weight
	  FROM answers a
	  JOIN rstar.trajectories d ON d.tree_id = a.rejected_tree_id AND d.leaf_id = a.rejected_id;

CREATE OR REPLACE VIEW rstar.round_ppm_training WITH (security_invoker = true) AS
	WITH lines AS MATERIALIZED (
	     SELECT r.round_id, l.line_round_id
	       FROM rstar.rounds r
	       JOIN rstar.round_lines l ON l.round_id = r.round_id
	        AND l.ago < (r.settings ->> 'pair_rounds')::int4),
	pairs AS MATERIALIZED (SELECT * FROM rstar.ppm_training)
	SELECT l.round_id, p.problem_id, p.kind, p.chosen_tree_id, p.chosen_id, p.rejected_tree_id, p.rejected_id,
	       p.problem, p.prefix, p.chosen, p.rejected, p.weight
	  FROM lines l
	  JOIN rstar.trees t ON t.round_id = l.line_round_id
	  JOIN pairs p ON p.chosen_tree_id = t.tree_id;

-- Round by round, since what one chooses depends on its line.
CREATE OR REPLACE FUNCTION rstar.cluster_round_sft_training()
	RETURNS TABLE (round_id bigint, problem_id bigint, tree_id bigint, leaf_id integer, place integer, given_round_id bigint,
	               solution_id bigint, problem text, solution text)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE COST 1000000 SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
	r record;
	line bigint[];
BEGIN
	FOR r IN SELECT o.round_id, (o.settings ->> 'per_problem')::integer AS per_problem FROM rstar.rounds o LOOP
		line := ARRAY(SELECT l.line_round_id FROM rstar.round_lines l WHERE l.round_id = r.round_id);
		RETURN QUERY
		SELECT r.round_id, s.problem_id, s.tree_id, s.leaf_id, s.place, NULL::bigint, NULL::bigint,
		       COALESCE(t.statement, p.statement), j.solution
		  FROM %1$I.rstar_select_trajectories_of(line, r.per_problem) s
		  JOIN rstar.trees t ON t.tree_id = s.tree_id
		  JOIN rstar.problems p ON p.problem_id = t.problem_id
		  JOIN rstar.trajectories j ON j.tree_id = s.tree_id AND j.leaf_id = s.leaf_id;
		RETURN QUERY
		WITH solved AS MATERIALIZED (
			SELECT DISTINCT p.statement
			  FROM rstar.trees t
			  JOIN rstar.trajectories j ON j.tree_id = t.tree_id
			  JOIN rstar.problems p ON p.problem_id = t.problem_id
			 WHERE t.round_id = ANY (line) AND j.correct AND j.failed_steps = 0)
		SELECT r.round_id, NULL::bigint, NULL::bigint, NULL::integer, NULL::integer, g.round_id, g.solution_id, g.problem, g.solution
		  FROM rstar.round_solutions g
		 WHERE g.round_id = ANY (line) AND g.problem NOT IN (SELECT s.statement FROM solved s);
	END LOOP;
END
$function$;
CREATE OR REPLACE VIEW rstar.round_sft_training WITH (security_invoker = true) AS
	SELECT f.round_id, f.problem_id, f.tree_id, f.leaf_id, f.place, f.given_round_id, f.solution_id, f.problem, f.solution
	  FROM rstar.cluster_round_sft_training() f;

CREATE OR REPLACE VIEW rstar.round_summary WITH (security_invoker = true) AS
	WITH f AS MATERIALIZED (
	     SELECT t.round_id, pg_catalog.count(DISTINCT t.problem_id) FILTER (WHERE t.first_correct_rollout IS NOT NULL) AS solved,
	            pg_catalog.count(*) AS trees, pg_catalog.sum(t.rollouts)::int8 AS rollouts,
	            pg_catalog.sum(t.generated_tokens)::int8 AS generated_tokens
	       FROM rstar.trees t WHERE t.round_id IS NOT NULL GROUP BY t.round_id)
	SELECT r.round_id, r.name, r.number, j.status, r.phase, n.problems, COALESCE(f.solved, 0) AS solved,
	       COALESCE(f.solved, 0)::float8 / NULLIF(n.problems, 0) AS coverage,
	       m.name AS policy, g.name AS ppm, a.name AS new_policy, b.name AS new_ppm,
	       e.greedy, e.majority, e.best, e.weighted, r.accepted, COALESCE(f.trees, 0) AS trees, f.rollouts, f.generated_tokens,
	       COALESCE(r.finished_at, pg_catalog.clock_timestamp()) - r.started_at AS elapsed, COALESCE(j.error, r.note) AS note
	  FROM rstar.rounds r
	  LEFT JOIN f ON f.round_id = r.round_id
	  LEFT JOIN rstar.jobs j ON j.job_id = r.job_id
	  LEFT JOIN rstar.models m ON m.model_id = r.policy_id
	  LEFT JOIN rstar.models g ON g.model_id = r.ppm_id
	  LEFT JOIN rstar.models a ON a.model_id = r.new_policy_id
	  LEFT JOIN rstar.models b ON b.model_id = r.new_ppm_id
	 CROSS JOIN LATERAL (
	           SELECT pg_catalog.count(*) AS problems FROM rstar.round_problems p WHERE p.round_id = r.round_id AND NOT p.held_out) n
	 CROSS JOIN LATERAL (
	           SELECT pg_catalog.max(s.value) FILTER (WHERE s.measure = 'greedy') AS greedy,
	                  pg_catalog.max(s.value) FILTER (WHERE s.measure = 'majority') AS majority,
	                  pg_catalog.max(s.value) FILTER (WHERE s.measure = 'best') AS best,
	                  pg_catalog.max(s.value) FILTER (WHERE s.measure = 'weighted') AS weighted
	             FROM (SELECT x.measure, pg_catalog.avg(x.value) AS value
	                     FROM rstar.evaluations v
	                     JOIN rstar.evaluation_answers x ON x.evaluation_id = v.evaluation_id AND x.per = 'rollout'
	                      AND x.k = CASE WHEN x.measure = 'greedy' THEN 1 ELSE v.rollouts END
	                    WHERE v.evaluation_id = r.evaluation_id
	                    GROUP BY x.measure) s) e;
-- The others of the extension's functions in SQL, with the same queries.
FOR f IN SELECT p.oid, p.proname, n.nspname, pg_catalog.pg_get_function_arguments(p.oid) AS arguments,
                pg_catalog.pg_get_function_result(p.oid) AS result, pg_catalog.pg_get_function_sqlbody(p.oid) AS body
           FROM pg_catalog.pg_proc p
           JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
           JOIN pg_catalog.pg_language l ON l.oid = p.prolang
           JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e'
           JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
          WHERE e.extname = 'rstar' AND l.lanname = 'sql' AND p.prosqlbody IS NOT NULL AND p.proretset
            AND pg_catalog.pg_get_function_sqlbody(p.oid) ~ 'rstar\.' LOOP
	EXECUTE pg_catalog.format('CREATE OR REPLACE FUNCTION %%I.%%I(%%s) RETURNS %%s LANGUAGE plpgsql STABLE CALLED ON NULL INPUT '
		'SET search_path = pg_catalog, %%I, pg_temp AS %%L', f.nspname, f.proname, f.arguments, f.result, f.nspname,
		'#variable_conflict use_column' || E'\nBEGIN\nRETURN QUERY '
		|| pg_catalog.regexp_replace(pg_catalog.regexp_replace(f.body, '^\s*BEGIN ATOMIC\s*', ''), ';\s*END\s*$', '') || E';\nEND');
END LOOP;
END
$do$
$views$, :'rstar_schema') AS views \gset
