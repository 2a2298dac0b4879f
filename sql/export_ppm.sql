-- Training data of the process preference model as JSON lines: one object per
-- pair, with problem, prefix, chosen, rejected, weight, margin, kind, round and the ids.
--
--	psql -X -q -v file=ppm.jsonl -f sql/export_ppm.sql mydb
--
-- Without file: to standard output. -v round=3: pairs of that round's trees
-- alone; -v kind=step (or answer): of one kind. See export_sft.sql about the format.
\set ON_ERROR_STOP 1
\if :{?file} \else \set file '' \endif
\if :{?round} \else \set round '' \endif
\if :{?kind} \else \set kind '' \endif
SELECT :'file' <> '' AS to_file \gset

COPY (
	SELECT json_build_object('problem', v.problem, 'prefix', v.prefix, 'chosen', v.chosen, 'rejected', v.rejected,
	                         'weight', v.weight, 'margin', v.margin, 'kind', v.kind,
	                         'round', r.name || '-' || r.number, 'problem_id', v.problem_id,
	                         'chosen_tree_id', v.chosen_tree_id, 'chosen_id', v.chosen_id,
	                         'rejected_tree_id', v.rejected_tree_id, 'rejected_id', v.rejected_id)
	  FROM rstar.ppm_training v
	  JOIN rstar.trees t ON t.tree_id = v.chosen_tree_id
	  LEFT JOIN rstar.rounds r ON r.round_id = t.round_id
	 WHERE (:'round' = '' OR t.round_id = NULLIF(:'round', '')::bigint)
	   AND (:'kind' = '' OR v.kind = :'kind')
	 ORDER BY v.chosen_tree_id, v.kind DESC, v.chosen_id, v.rejected_tree_id, v.rejected_id
) TO STDOUT WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
\if :to_file
	\g :file
\else
	\g
\endif
