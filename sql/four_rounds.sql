-- four_rounds.sql: the whole recipe, four rounds of self-evolution, in psql.
--
--     psql -X -f sql/four_rounds.sql mydatabase
--
-- It needs a server with shared_preload_libraries = 'rstar', a role that may call
-- rstar_start_round, and problems with known answers in rstar.problems
-- (sql/import_problems.sql). Variables, with -v:
--
--     line      name of the line of rounds; models are named after it     four-rounds
--     policy    model to begin with, and to train from                    rstar-bootstrap
--     problems  query of the problems to search          all of a split that begins with train
--     held_out  query of those that only evaluate        all of other splits
--     sample    at most so many problems of each topic, searched / held out    10 / 4
--
-- It can be stopped (Ctrl-C) and started again at any time: rounds go on in the
-- background, and the script waits for the one that is under way, then goes on with
-- the next. \watch shows rstar.progress in another psql meanwhile.

\set ON_ERROR_STOP on
\pset null '(null)'
\if :{?line} \else \set line four-rounds \endif
\if :{?policy} \else \set policy rstar-bootstrap \endif
\if :{?sample} \else \set sample 10 \endif
\if :{?sample_held_out} \else \set sample_held_out 4 \endif
SELECT format($$SELECT problem_id FROM (SELECT problem_id, row_number() OVER (PARTITION BY topic, split ORDER BY problem_id) AS n
  FROM rstar.problems WHERE answer IS NOT NULL AND split LIKE 'train%%') p WHERE n <= %s ORDER BY 1$$, :sample) AS problems_default,
       format($$SELECT problem_id FROM (SELECT problem_id, row_number() OVER (PARTITION BY topic ORDER BY problem_id) AS n
  FROM rstar.problems WHERE answer IS NOT NULL AND split NOT LIKE 'train%%') p WHERE n <= %s ORDER BY 1$$, :sample_held_out) AS held_out_default \gset
\if :{?problems} \else \set problems :problems_default \endif
\if :{?held_out} \else \set held_out :held_out_default \endif

-- The next round of the line, unless one is under way or four are done; then wait for it.
\set next_round 'SELECT rstar_start_round(:\'line\', :\'problems\', :\'held_out\', model => CASE WHEN NOT EXISTS (SELECT FROM rstar.rounds WHERE name = :\'line\' AND created_by = current_user) THEN :\'policy\' END) WHERE NOT EXISTS (SELECT FROM rstar.round_summary WHERE name = :\'line\' AND (number >= 4 OR status IN (\'queued\', \'running\', \'waiting\', \'paused\')));'
\set wait_for_it 'SELECT number, rstar_wait(job_id) AS status FROM rstar.rounds WHERE name = :\'line\' AND created_by = current_user ORDER BY number DESC LIMIT 1;'

\echo '== Round 1: 8 rollouts, guided by the answers reached'
:next_round
:wait_for_it
\echo '== Round 2: 16 rollouts, the first reliable PPM'
:next_round
:wait_for_it
\echo '== Round 3: guided by that PPM'
:next_round
:wait_for_it
\echo '== Round 4: more rollouts and new seeds where a problem stays unsolved'
:next_round
:wait_for_it

\echo '== What came of it'
SELECT number, status, problems, solved, round(coverage::numeric, 3) AS coverage, round(greedy::numeric, 3) AS greedy,
       round(majority::numeric, 3) AS majority, round(weighted::numeric, 3) AS weighted, accepted, trees, generated_tokens,
       date_trunc('second', elapsed) AS elapsed, note
  FROM rstar.round_summary WHERE name = :'line' ORDER BY number;
\echo '== Each against the one before, on the held-out problems'
SELECT r.number, c.problems, c.won, c.lost, round(c.p_value::numeric, 4) AS p_value
  FROM rstar.rounds r LEFT JOIN rstar.rounds b ON b.round_id = r.previous_id
 CROSS JOIN LATERAL rstar_compare(r.evaluation_id, coalesce(b.evaluation_id, r.baseline_id), 'weighted') c
 WHERE r.name = :'line' AND r.created_by = current_user ORDER BY 1;
