-- search_all.sql: search many problems in the background, in psql.
--
--     psql -X -f sql/search_all.sql mydatabase
--
-- It needs a server with shared_preload_libraries = 'rstar', and a role that may
-- call rstar_search_all (sql/quickstart.sql shows how problems are loaded). What
-- it adds stays: twenty problems of source 'search_all', and their trees.

\set ON_ERROR_STOP on
\pset null '(null)'

CREATE EXTENSION IF NOT EXISTS rstar;

\echo
\echo '== 1. Twenty problems'
INSERT INTO rstar.problems (statement, answer, source)
SELECT 'What is ' || i || ' + ' || 2 * i || '?', 3 * i, 'search_all' FROM generate_series(1, 20) i;

\echo
\echo '== 2. A job: two workers, one thread each, standing back behind sessions'
SELECT rstar_search_all($$SELECT problem_id FROM rstar.problems p WHERE source = 'search_all'
                            AND NOT EXISTS (SELECT FROM rstar.trees t WHERE t.problem_id = p.problem_id)$$,
                        rollouts => 4, workers => 2, threads => 1, nice => 10) AS job \gset

\echo
\echo '== 3. Who is at it (in psql, \\watch shows it again and again)'
SELECT pg_sleep(1);
SELECT pid, phase, done, total, round(rate::numeric) AS per_minute, time_to_go, doing FROM rstar.progress;

\echo
\echo '== 4. Pause, resume, wait'
SELECT rstar_pause(:job);
SELECT rstar_resume(:job);
SELECT rstar_wait(:job, '15 minutes') AS status;

\echo
\echo '== 5. What came of it'
SELECT status, done, failed, total, finished_at - started_at AS took FROM rstar.jobs WHERE job_id = :job;
SELECT count(*) AS trees, count(*) FILTER (WHERE t.correct) AS correct
  FROM rstar.job_items i JOIN rstar.trees t USING (tree_id) WHERE i.job_id = :job;

\echo
\echo '== 6. Every night at half past three (this one is removed again)'
SELECT rstar_schedule('new problems', 'search_all', '30 3 * * *', jsonb_build_object(
	'query', $$SELECT problem_id FROM rstar.problems p
	            WHERE NOT EXISTS (SELECT FROM rstar.trees t WHERE t.problem_id = p.problem_id)$$,
	'rollouts', 16, 'workers', 2));
SELECT name, schedule, time_zone, next_run_at > now() AS to_come FROM rstar.schedules;
SELECT rstar_unschedule('new problems');
