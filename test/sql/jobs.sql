-- Jobs without a launcher: what needs workers says so, everything else works.
CREATE EXTENSION rstar;
INSERT INTO rstar.problems (problem_id, statement, answer) OVERRIDING SYSTEM VALUE
	SELECT i, 'What is ' || i || ' + 1?', i + 1 FROM generate_series(1, 5) i;

SELECT rstar_search_all('SELECT problem_id FROM rstar.problems');
SELECT rstar_resume(1);
SELECT * FROM rstar.progress;
SELECT rstar_wait(1);
SELECT rstar_cancel(1);
SELECT rstar_pause(1);
SELECT rstar_wait(NULL), rstar_cancel(NULL), rstar_pause(NULL), rstar_resume(NULL);

-- a job that came with a restored database: seen, and brought to an end without workers
INSERT INTO rstar.jobs (job_id, kind, created_by) VALUES (7, 'search_all', current_user), (8, 'search_all', current_user),
	(9, 'search_all', current_user);
UPDATE rstar.jobs SET parent_id = 7 WHERE job_id = 8;
UPDATE rstar.jobs SET status = 'done' WHERE job_id = 9;
SELECT rstar_wait(7, '0 s');
SELECT rstar_wait(7, '1 s');
SELECT rstar_wait(9);
SELECT rstar_pause(8);
SELECT job_id, status FROM rstar.jobs ORDER BY 1;
SELECT rstar_cancel(7);
SELECT job_id, status, finished_at IS NOT NULL AS ended FROM rstar.jobs ORDER BY 1;
SELECT rstar_cancel(7), rstar_pause(7), rstar_wait(7);

-- in the foreground, each tree committed as it finishes
CALL rstar_search_each('SELECT problem_id FROM rstar.problems WHERE problem_id < 4 ORDER BY 1', rollouts => 1, seed => 3);
SELECT problem_id, status, settings->>'seed' AS seed, settings->>'rollouts' AS rollouts FROM rstar.trees ORDER BY 1;
DO $$ BEGIN CALL rstar_search_each('SELECT 4', rollouts => 1); END $$;
SELECT count(*) FROM rstar.trees;
BEGIN;
CALL rstar_search_each('SELECT 4', rollouts => 1);
ROLLBACK;
CREATE FUNCTION in_a_function() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CALL rstar_search_each('SELECT 4'); END $$;
SELECT in_a_function();
DROP FUNCTION in_a_function;
CALL rstar_search_each('SELECT 77 UNION ALL SELECT 5 ORDER BY 1 DESC', rollouts => 1);
CALL rstar_search_each('SELECT 1 LIMIT 0');
CALL rstar_search_each(NULL);
CALL rstar_search_each('SELECT 1.5');
CALL rstar_search_each('TRUNCATE rstar.trees');
SET default_transaction_read_only = on;
CALL rstar_search_each('SELECT 1');
RESET default_transaction_read_only;
SELECT problem_id, count(*) FROM rstar.trees GROUP BY 1 ORDER BY 1;

-- schedules need workers too
SELECT rstar_schedule('nightly', 'search_all', '0 3 * * *', '{"query": "SELECT 1"}');
SELECT rstar_unschedule('nightly'), rstar_unschedule('nightly', current_user);
SELECT rstar_unschedule(NULL);

-- in a transaction that is prepared nobody could tell the workers
BEGIN;
UPDATE rstar.jobs SET status = 'queued' WHERE job_id = 7;
SELECT rstar_cancel(7);
PREPARE TRANSACTION 'rstar_jobs';
ROLLBACK;

-- a read-only transaction
BEGIN READ ONLY;
SELECT rstar_cancel(7);
ROLLBACK;

-- others: a job that is not theirs is none
CREATE ROLE regress_rstar_owner;
CREATE ROLE regress_rstar_other;
CREATE ROLE regress_rstar_watcher IN ROLE pg_read_all_stats;
CREATE ROLE regress_rstar_signaller IN ROLE pg_signal_backend;
GRANT USAGE ON SCHEMA rstar TO PUBLIC;
GRANT SELECT ON rstar.jobs, rstar.job_items, rstar.schedules TO PUBLIC;
INSERT INTO rstar.jobs (job_id, kind, created_by) VALUES (20, 'search_all', 'regress_rstar_owner'), (21, 'search_all', current_user);
INSERT INTO rstar.job_items (job_id, item_id, problem_id) VALUES (20, 1, 1), (21, 1, 1);
SET ROLE regress_rstar_other;
SELECT count(*) FROM rstar.jobs;
SELECT count(*) FROM rstar.job_items;
SELECT rstar_wait(20, '0 s');
SELECT rstar_cancel(20);
SELECT rstar_pause(20);
SELECT rstar_search_all('SELECT 1');
CALL rstar_search_each('SELECT 1');
SELECT rstar_schedule('x', 'search_all', '1 day');
SELECT rstar_unschedule('x');
UPDATE rstar.jobs SET created_by = 'regress_rstar_other';
INSERT INTO rstar.jobs (kind, created_by) VALUES ('search_all', 'regress_rstar_other');
SET ROLE regress_rstar_watcher;
SELECT job_id FROM rstar.jobs WHERE job_id IN (20, 21) ORDER BY 1;
SELECT rstar_wait(20, '0 s'), rstar_wait(21, '0 s');
SELECT rstar_cancel(20);
SET ROLE regress_rstar_signaller;
SELECT rstar_cancel(21);
SELECT rstar_pause(20);
SET ROLE regress_rstar_owner;
SELECT job_id, status FROM rstar.jobs ORDER BY 1;
SELECT job_id FROM rstar.job_items ORDER BY 1;
SELECT rstar_wait(20, '0 s'), rstar_cancel(20);
RESET ROLE;
REVOKE ALL ON SCHEMA rstar FROM PUBLIC;
DROP EXTENSION rstar;
DROP ROLE regress_rstar_owner;
DROP ROLE regress_rstar_other;
DROP ROLE regress_rstar_watcher;
DROP ROLE regress_rstar_signaller;
