-- number_range.sql: a range of numbers for this server, where the rows of several are to come together,
-- in psql, as the tables' owner or a superuser:
--
--     psql -X -v server=3 -f sql/number_range.sql mydatabase
--
-- Whatever this server numbers from now on (trees, problems, models, jobs, rounds, ...) begins at
-- server × 2^48, so that rows of servers with different numbers never collide; a server without a
-- range, number 0, counts from 1. What has a number keeps it. Up to 31 servers the numbers are exact
-- as double precision, too, which JSON readers use. Running the script again changes nothing.

\set ON_ERROR_STOP on
\set QUIET on

SELECT pg_catalog.set_config('number_range.server', :'server', false) AS server \gset

DO $$
DECLARE
	server CONSTANT bigint := pg_catalog.current_setting('number_range.server');
	first CONSTANT bigint := server << 48;
	sequence regclass;
	last bigint;
BEGIN
	IF server NOT BETWEEN 0 AND 32766 THEN
		RAISE EXCEPTION 'server must lie between 0 and 32766, not %', server;
	END IF;
	FOR sequence IN SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	                 WHERE n.nspname = 'rstar' AND c.relkind = 'S' ORDER BY c.relname LOOP
		EXECUTE pg_catalog.format('SELECT last_value FROM %s', sequence) INTO last;
		IF last >> 48 NOT IN (0, server) THEN
			RAISE EXCEPTION '% counts in the range of server %', sequence, last >> 48
				USING HINT = 'A server keeps its range: numbers of another may already be in use.';
		ELSIF last < first THEN
			PERFORM pg_catalog.setval(sequence, first);
		END IF;
	END LOOP;
END
$$;
