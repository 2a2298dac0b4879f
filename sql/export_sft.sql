-- Training data of the policy as JSON lines: one object per trajectory, with
-- problem, solution, round, problem_id, tree_id, leaf_id, place, mean_q, min_q.
--
--	psql -X -q -v file=sft.jsonl -f sql/export_sft.sql mydb
--
-- Without file: to standard output. -v round=3: of that round alone;
-- -v per_problem=4: more than two of each problem.
--
-- COPY's text format would double every backslash, and so spoil LaTeX. Its csv format
-- leaves alone what holds neither quote, delimiter nor line end; JSON never
-- holds characters 1 and 2, which stand for these here.
\set ON_ERROR_STOP 1
\if :{?file} \else \set file '' \endif
\if :{?round} \else \set round '' \endif
\if :{?per_problem} \else \set per_problem 2 \endif
SELECT :'file' <> '' AS to_file \gset

COPY (
	SELECT json_build_object('problem', coalesce(t.statement, p.statement), 'solution', j.solution,
	                         'round', r.name || '-' || r.number, 'problem_id', s.problem_id,
	                         'tree_id', s.tree_id, 'leaf_id', s.leaf_id, 'place', s.place,
	                         'mean_q', s.mean_q, 'min_q', s.min_q)
	  FROM rstar_select_trajectories(NULLIF(:'round', '')::bigint, :per_problem) s
	  JOIN rstar.problems p USING (problem_id)
	  JOIN rstar.trees t USING (tree_id)
	  JOIN rstar.trajectories j USING (tree_id, leaf_id)
	  LEFT JOIN rstar.rounds r ON r.round_id = t.round_id
	 ORDER BY s.problem_id, s.place
) TO STDOUT WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
\if :to_file
	\g :file
\else
	\g
\endif
