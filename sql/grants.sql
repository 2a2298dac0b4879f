-- grants.sql: hand out the rights of rstar by kinds of work, in psql, as the
-- tables' owner or a superuser. The extension creates no roles; name yours:
--
--     psql -X -v reader=analysts -v searcher=app -v trainer=research -f sql/grants.sql mydatabase
--
--     reader     reads problems, models and everything else that row security shows it
--     searcher   reads; adds problems; searches, in the session and in the background; continues,
--                regrades and deletes trees; evaluates models
--     trainer    reads; builds preference pairs, trains models, runs rounds of self-evolution
--     runner     runs Python of its own in the sandbox, and compares answers with SymPy
--     scheduler  reads; has jobs submitted again and again that it may submit itself
--     examiner   reads; makes and drops verifiers, and tries them out
--     librarian  reads; makes, quantizes, verifies, calibrates and drops models. To import a file of
--                the server it must also be a member of pg_read_server_files, which reads any file
--
-- Each takes one role, and what is not named is left out. Several kinds may go to the same role:
-- rounds and schedules search too, so trainers and schedulers are usually searchers. Running the
-- script again changes nothing; it takes nothing away. Whoever watches the server needs no more
-- than membership in pg_monitor. SECURITY.md says what each right gives.

\set ON_ERROR_STOP on
\set QUIET on

SELECT (SELECT n.nspname FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
         WHERE e.extname = 'rstar') AS rstar_schema \gset
\if :{?rstar_schema}
\else
	DO $$ BEGIN RAISE EXCEPTION 'extension rstar is not installed in this database'; END $$;
\endif

-- Views pass by row security before PostgreSQL 15: there, only tables are granted.
SELECT pg_catalog.string_agg(pg_catalog.format('rstar.%I', c.relname), ', ') AS rstar_tables
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
  JOIN pg_catalog.pg_extension e ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.refobjid = e.oid
 WHERE e.extname = 'rstar' AND d.deptype = 'e'
   AND (c.relkind = 'r' OR c.relkind = 'v' AND pg_catalog.current_setting('server_version_num')::integer >= 150000) \gset

BEGIN;
SET LOCAL search_path = :"rstar_schema", pg_catalog;

\if :{?reader}
	GRANT USAGE ON SCHEMA rstar, :"rstar_schema" TO :"reader";
	GRANT SELECT ON :rstar_tables TO :"reader";
\endif

\if :{?searcher}
	GRANT USAGE ON SCHEMA rstar, :"rstar_schema" TO :"searcher";
	GRANT SELECT ON :rstar_tables TO :"searcher";
	GRANT INSERT ON rstar.problems TO :"searcher";
	GRANT EXECUTE ON FUNCTION
		rstar_search(text, text, text, text, text, integer, integer, integer, double precision, bigint),
		rstar_search(bigint, text, text, text, integer, integer, integer, double precision, bigint),
		rstar_search(bigint[], text, text, text, integer, integer, integer, double precision, bigint),
		rstar_search_all, rstar_continue, rstar_regrade, rstar_delete_trees, rstar_evaluate TO :"searcher";
	GRANT EXECUTE ON PROCEDURE rstar_search_each TO :"searcher";
\endif

\if :{?trainer}
	GRANT USAGE ON SCHEMA rstar, :"rstar_schema" TO :"trainer";
	GRANT SELECT ON :rstar_tables TO :"trainer";
	GRANT EXECUTE ON FUNCTION
		rstar_build_pairs, rstar_train_policy, rstar_train_ppm,
		rstar_start_round, rstar_pause_round, rstar_resume_round TO :"trainer";
\endif

\if :{?runner}
	GRANT USAGE ON SCHEMA :"rstar_schema" TO :"runner";
	GRANT EXECUTE ON FUNCTION rstar_run_python, rstar_run_steps, rstar_answers_equal_symbolic TO :"runner";
\endif

\if :{?scheduler}
	GRANT USAGE ON SCHEMA rstar, :"rstar_schema" TO :"scheduler";
	GRANT SELECT ON :rstar_tables TO :"scheduler";
	GRANT EXECUTE ON FUNCTION rstar_schedule, rstar_unschedule, rstar_schedule_round TO :"scheduler";
\endif

\if :{?examiner}
	GRANT USAGE ON SCHEMA rstar, :"rstar_schema" TO :"examiner";
	GRANT SELECT ON :rstar_tables TO :"examiner";
	GRANT EXECUTE ON FUNCTION rstar_verifier_create, rstar_verifier_drop, rstar_verify TO :"examiner";
\endif

\if :{?librarian}
	GRANT USAGE ON SCHEMA rstar, :"rstar_schema" TO :"librarian";
	GRANT SELECT ON :rstar_tables TO :"librarian";
	GRANT EXECUTE ON FUNCTION
		rstar_model_import, rstar_model_remote, rstar_model_create, rstar_model_quantize, rstar_model_verify, rstar_model_drop,
		rstar_model_orphans, rstar_model_register_builtin, rstar_train_vocabulary, rstar_calibrate TO :"librarian";
\endif

COMMIT;
