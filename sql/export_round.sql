-- Rounds as JSON lines: one object per round, with its row, its models and their
-- checksums, its problems, and what was counted on the held-out ones.
--
--	psql -X -q -v file=rounds.jsonl -f sql/export_round.sql mydb
--
-- Without file: to standard output. -v round=3: that round alone. export_trees.sql, export_sft.sql and
-- export_ppm.sql have what belongs to it; see export_sft.sql about the format.
\set ON_ERROR_STOP 1
\if :{?file} \else \set file '' \endif
\if :{?round} \else \set round '' \endif
SELECT :'file' <> '' AS to_file \gset

COPY (
	SELECT json_build_object('round', r.name || '-' || r.number, 'row', to_json(r),
	                         'models', (SELECT json_agg(json_build_object('name', m.name, 'role', m.role, 'sha256', m.sha256)
	                                                    ORDER BY m.model_id)
	                                      FROM rstar.models m
	                                     WHERE m.model_id IN (r.policy_id, r.ppm_id, r.base_id, r.new_policy_id, r.new_ppm_id)),
	                         'problems', (SELECT json_agg(json_build_object('problem_id', p.problem_id, 'held_out', p.held_out,
	                                                                        'closed', p.closed) ORDER BY p.problem_id)
	                                        FROM rstar.round_problems p WHERE p.round_id = r.round_id),
	                         'results', (SELECT json_agg(json_build_object('measure', s.measure, 'per', s.per, 'k', s.k,
	                                                                       'problems', s.problems, 'value', s.value)
	                                                     ORDER BY s.measure, s.per, s.k)
	                                       FROM rstar.evaluation_summary s WHERE s.evaluation_id = r.evaluation_id))
	  FROM rstar.rounds r
	 WHERE :'round' = '' OR r.round_id = NULLIF(:'round', '')::bigint
	 ORDER BY r.round_id
) TO STDOUT WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
\if :to_file
	\g :file
\else
	\g
\endif
