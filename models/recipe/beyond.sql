-- beyond.sql: what a policy's own searches say that it can and cannot do, as lessons (JSON lines).
--
--     psql -X -v source=gsm8k -f beyond.sql mydb > lessons.jsonl
--
-- Problems of that source, searched without a look at their answers (rstar.use_known_answer = off): one
-- with a right solution gets it, with the fewest failed steps; any other gets the answer that the
-- policy does not know. (R-Tuning, Zhang et al. 2023, arXiv 2311.09677.)
\set ON_ERROR_STOP 1
\pset format unaligned
\pset tuples_only on
SELECT jsonb_build_object('problem', p.statement, 'solution', coalesce(own.solution, '<answer>I do not know.<end_of_answer>'))
  FROM rstar.problems p
  JOIN rstar.trees t USING (problem_id)
  LEFT JOIN LATERAL (SELECT y.solution FROM rstar.trajectories y
                      WHERE y.tree_id = t.tree_id AND rstar_answers_equal(p.answer, y.answer)
                      ORDER BY y.failed_steps, length(y.solution), y.leaf_id LIMIT 1) own ON true
 WHERE p.source = :'source'
 ORDER BY t.tree_id;
