-- Search trees as JSON lines: one object per tree, with its row, the problem, its
-- round and models by name, and its nodes as an array, in order, each with its row.
--
--	psql -X -q -v file=trees.jsonl -f sql/export_trees.sql mydb
--
-- Without file: to standard output. -v round=3, -v problem=17, -v tree=4711:
-- of that round, problem, or that tree alone. See export_sft.sql about the format.
\set ON_ERROR_STOP 1
\if :{?file} \else \set file '' \endif
\if :{?round} \else \set round '' \endif
\if :{?problem} \else \set problem '' \endif
\if :{?tree} \else \set tree '' \endif
SELECT :'file' <> '' AS to_file \gset

COPY (
	SELECT json_build_object('tree', to_json(t), 'problem', to_json(p),
	                         'round', r.name || '-' || r.number, 'policy', m.name, 'ppm', s.name,
	                         'nodes', (SELECT json_agg(to_json(n) ORDER BY n.node_id)
	                                     FROM rstar.nodes n WHERE n.tree_id = t.tree_id))
	  FROM rstar.trees t
	  JOIN rstar.problems p USING (problem_id)
	  LEFT JOIN rstar.rounds r ON r.round_id = t.round_id
	  LEFT JOIN rstar.models m ON m.model_id = t.policy_id
	  LEFT JOIN rstar.models s ON s.model_id = t.ppm_id
	 WHERE (:'round' = '' OR t.round_id = NULLIF(:'round', '')::bigint)
	   AND (:'problem' = '' OR t.problem_id = NULLIF(:'problem', '')::bigint)
	   AND (:'tree' = '' OR t.tree_id = NULLIF(:'tree', '')::bigint)
	 ORDER BY t.tree_id
) TO STDOUT WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
\if :to_file
	\g :file
\else
	\g
\endif
