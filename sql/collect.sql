-- collect.sql: fetch trees of another server into this one, in psql, as a superuser:
--
--     psql -X -v from=farm2 -f sql/collect.sql mydatabase
--
-- from: a schema of this database with foreign tables (postgres_fdw) named trees, nodes and
-- trajectories, those of the other server's schema rstar. That server numbers its trees in a range of
-- its own (sql/number_range.sql) and searches problems that are here under the same numbers. Trees that
-- are here already are left alone, so the script fetches what is new when it is run again, and goes
-- on where it was interrupted. Pairs are not fetched: call rstar_build_pairs here.

\set ON_ERROR_STOP on
\set QUIET on
\if :{?from} \else \warn 'Name the schema of the foreign tables: -v from=...' \q \endif

CREATE PROCEDURE pg_temp.collect(source text, batch integer) LANGUAGE plpgsql AS $$
DECLARE
	-- All that can be written; generated columns are computed here.
	columns CONSTANT jsonb := (
		SELECT pg_catalog.jsonb_object_agg(c.relname, c.list)
		  FROM (SELECT t.relname, pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum) AS list
		          FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class t ON t.oid = a.attrelid
		         WHERE t.relnamespace = 'rstar'::regnamespace AND t.relname IN ('trees', 'nodes', 'trajectories')
		           AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
		         GROUP BY t.relname) c);
	-- A model that is not here: the tree's settings keep its name.
	known CONSTANT text := '(SELECT m.model_id FROM rstar.models m WHERE m.model_id = %1$s) AS %1$s';
	missing bigint[];
	last bigint := -1;
	fetched bigint := 0;
	name text;
BEGIN
	LOOP
		-- One snapshot of the other server for a tree and what hangs on it.
		EXECUTE pg_catalog.format(
			'SELECT array_agg(f.tree_id ORDER BY f.tree_id) FROM (SELECT f.tree_id FROM %I.trees f WHERE f.tree_id > $2'
			' AND NOT EXISTS (SELECT FROM rstar.trees t WHERE t.tree_id = f.tree_id) ORDER BY 1 LIMIT $1) f', source)
			INTO missing USING batch, last;
		EXIT WHEN missing IS NULL;
		last := missing[pg_catalog.cardinality(missing)];
		FOREACH name IN ARRAY ARRAY['trees', 'nodes', 'trajectories'] LOOP
			EXECUTE pg_catalog.format('INSERT INTO rstar.%1$I (%2$s) SELECT %4$s FROM %3$I.%1$I WHERE tree_id = ANY ($1)',
			                          name, columns ->> name, source,
			                          pg_catalog.replace(pg_catalog.replace(columns ->> name,
			                              'policy_id', pg_catalog.format(known, 'policy_id')),
			                              'ppm_id', pg_catalog.format(known, 'ppm_id'))) USING missing;
		END LOOP;
		fetched := fetched + pg_catalog.cardinality(missing);
		COMMIT;
	END LOOP;
	RAISE NOTICE '% trees fetched from %', fetched, source;
END
$$;
CALL pg_temp.collect(:'from', 1000);
DROP PROCEDURE pg_temp.collect;
