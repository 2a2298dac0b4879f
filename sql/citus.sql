-- citus.sql: spread the tables of rstar over the nodes of a Citus cluster, in psql, as a superuser,
-- in the database on the coordinator:
--
--     psql -X -f sql/citus.sql mydatabase
--     psql -X -v shards=64 -f sql/citus.sql mydatabase
--
-- Before it: Citus 12.1 or later and rstar on every node, shared_preload_libraries = 'citus, rstar'
-- there, both extensions created on the coordinator (Citus creates rstar on the others),
-- citus_set_coordinator_host and citus_add_node called, and no job at work. shards (32): into how
-- many parts the trees are cut.
--
-- What it does:
--     rstar.problems, rstar.models                       on every node (reference tables)
--     rstar.trees, nodes, trajectories, preference_pairs by tree: what hangs on a tree lies beside it
--     all others but rstar.schedules                     on the coordinator, read and written by every node
--     sequences                                          count on each node in a range of its own
--     row security                                       see README, "When one machine is not enough"
--     rstar.q_by_depth, rstar.ppm_training               asked in another way, which Citus can share out
-- Rows that are there are moved. After citus_add_node run it again: it prepares the new node and
-- changes nothing else. It is not undone; dump and restore the database to leave the cluster.

\set ON_ERROR_STOP on
\set QUIET on
\if :{?shards} \else \set shards 32 \endif

-- ---------------------------------------------------------------------------
-- Is everything there?
-- ---------------------------------------------------------------------------

DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'rstar') THEN
		RAISE EXCEPTION 'extension rstar is not installed in this database';
	ELSIF NOT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'citus') THEN
		RAISE EXCEPTION 'extension citus is not installed in this database';
	ELSIF (SELECT groupid FROM pg_catalog.pg_dist_local_group) <> 0 THEN
		RAISE EXCEPTION 'this is not the coordinator';
	ELSIF NOT EXISTS (SELECT FROM pg_catalog.pg_dist_node WHERE groupid = 0) THEN
		RAISE EXCEPTION 'the coordinator is not a node of its cluster yet'
			USING HINT = 'Call citus_set_coordinator_host.';
	ELSIF EXISTS (SELECT FROM rstar.jobs WHERE status = 'running') THEN
		RAISE EXCEPTION 'jobs are at work'
			USING HINT = 'Pause them with rstar_pause, and resume them afterwards.';
	END IF;
END
$$;

-- ---------------------------------------------------------------------------
-- Each node: keys and policies that Citus cannot keep, a range of numbers
-- ---------------------------------------------------------------------------

-- Run on each node other than the coordinator. The tables there are empty shells, which the extension
-- made. On a node whose shells are not part of the cluster yet all keys go, since the coordinator's
-- come to it; on one that was added later they are there and right.
SELECT $prepare$
SET citus.enable_ddl_propagation = off;
DO $$
DECLARE
	node CONSTANT bigint := (SELECT groupid FROM pg_catalog.pg_dist_local_group);
	joined CONSTANT boolean := EXISTS (SELECT FROM pg_catalog.pg_dist_partition
	                                    WHERE logicalrelid = 'rstar.trees'::pg_catalog.regclass);
	r record;
BEGIN
	IF NOT joined THEN
		FOR r IN SELECT c.oid::pg_catalog.regclass AS name FROM pg_catalog.pg_class c
		          WHERE c.relnamespace = 'rstar'::pg_catalog.regnamespace AND c.relkind = 'r' LOOP
			IF r.name <> 'rstar.models'::pg_catalog.regclass AND pg_catalog.pg_relation_size(r.name) > 0 THEN
				RAISE EXCEPTION 'table % of this node has rows of its own', r.name;
			END IF;
		END LOOP;
	END IF;
	FOR r IN SELECT c.conrelid::pg_catalog.regclass AS name, c.conname FROM pg_catalog.pg_constraint c
	           JOIN pg_catalog.pg_class t ON t.oid = c.conrelid
	          WHERE t.relnamespace = 'rstar'::pg_catalog.regnamespace AND c.contype = 'f'
	            AND c.conparentid = 0 AND t.relname !~ '_[0-9]+$'
	            AND (NOT joined OR c.conname = 'preference_pairs_rejected_tree_id_fkey') LOOP
		EXECUTE pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', r.name, r.conname);
	END LOOP;
	FOR r IN SELECT p.polrelid::pg_catalog.regclass AS name, p.polname, p.polroles FROM pg_catalog.pg_policy p
	           JOIN pg_catalog.pg_class t ON t.oid = p.polrelid
	          WHERE t.relnamespace = 'rstar'::pg_catalog.regnamespace AND p.polname IN ('own', 'visible')
	            AND t.relname !~ '_[0-9]+$'
	            AND pg_catalog.pg_get_expr(p.polqual, p.polrelid) ~ 'SELECT' LOOP
		EXECUTE pg_catalog.format('DROP POLICY %I ON %s', r.polname, r.name);
		IF joined THEN
			EXECUTE pg_catalog.format('CREATE POLICY cluster ON %s FOR SELECT USING (%s)', r.name,
				CASE WHEN r.name = 'rstar.trees'::pg_catalog.regclass THEN $policy$
					CASE WHEN pg_catalog.to_regrole(pg_catalog.quote_ident(created_by)) IS NOT NULL
					     THEN pg_catalog.pg_has_role(created_by, 'USAGE') END
					OR pg_catalog.pg_has_role('pg_read_all_data', 'USAGE') $policy$
				WHEN r.polname = 'own' THEN $policy$ pg_catalog.pg_has_role('pg_read_all_data', 'USAGE') $policy$
				ELSE $policy$ pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') $policy$ END);
		END IF;
	END LOOP;
	FOR r IN SELECT c.oid::pg_catalog.regclass AS name FROM pg_catalog.pg_class c
	          WHERE c.relnamespace = 'rstar'::pg_catalog.regnamespace AND c.relkind = 'S' LOOP
		EXECUTE pg_catalog.format('SELECT pg_catalog.setval(%L, greatest(last_value, %s)) FROM %s', r.name, node << 48, r.name);
	END LOOP;
END
$$
$prepare$ AS prepare \gset

SELECT pg_catalog.set_config('citus_script.prepare', :'prepare', false) AS prepare \gset

DO $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT * FROM pg_catalog.run_command_on_workers(pg_catalog.current_setting('citus_script.prepare')) LOOP
		IF NOT r.success THEN
			RAISE EXCEPTION 'node %:% could not be prepared: %', r.nodename, r.nodeport, r.result;
		END IF;
	END LOOP;
END
$$;

SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_dist_partition WHERE logicalrelid = 'rstar.trees'::pg_catalog.regclass) AS first_time \gset
\if :first_time

-- ---------------------------------------------------------------------------
-- The coordinator, all or nothing
-- ---------------------------------------------------------------------------

BEGIN;
SET LOCAL citus.multi_shard_modify_mode = 'sequential';
SET LOCAL client_min_messages = warning;

-- Keys go, and come back when both sides are where they belong. The pairs of a tree lie beside the
-- chosen one; a key to the rejected one would cross nodes, so rstar_delete_trees looks after them.
CREATE TEMPORARY TABLE keys ON COMMIT DROP AS
SELECT c.conrelid::regclass AS relation, c.conname AS name, pg_catalog.pg_get_constraintdef(c.oid) AS definition
  FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class t ON t.oid = c.conrelid
 WHERE t.relnamespace = 'rstar'::regnamespace AND c.contype = 'f' AND c.conparentid = 0;
CREATE TEMPORARY TABLE policies ON COMMIT DROP AS
SELECT p.polrelid::regclass AS relation, p.polname AS name
  FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class t ON t.oid = p.polrelid
 WHERE t.relnamespace = 'rstar'::regnamespace AND p.polname IN ('own', 'visible') AND t.relname <> 'schedules'
   AND pg_catalog.pg_get_expr(p.polqual, p.polrelid) ~ 'SELECT';

SELECT pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', relation, name) FROM keys
UNION ALL
SELECT pg_catalog.format('DROP POLICY %I ON %s', name, relation) FROM policies \gexec

\pset format unaligned
\pset tuples_only on
\o /dev/null
SELECT create_reference_table('rstar.problems');
SELECT create_reference_table('rstar.models');
SELECT create_distributed_table('rstar.trees', 'tree_id', colocate_with => 'none', shard_count => :shards);
SELECT create_distributed_table('rstar.nodes', 'tree_id', colocate_with => 'rstar.trees');
SELECT create_distributed_table('rstar.trajectories', 'tree_id', colocate_with => 'rstar.trees');
SELECT create_distributed_table('rstar.preference_pairs', 'chosen_tree_id', colocate_with => 'rstar.trees');
SELECT citus_add_local_table_to_metadata(t.oid)
  FROM pg_catalog.pg_class t
 WHERE t.relnamespace = 'rstar'::regnamespace AND t.relkind = 'r' AND t.relname <> 'schedules' AND t.relname !~ '_[0-9]+$'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_dist_partition p WHERE p.logicalrelid = t.oid)
 ORDER BY t.relname;
\o
\pset tuples_only off
\pset format aligned

SELECT pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I %s', relation, name, definition) FROM keys
 WHERE name <> 'preference_pairs_rejected_tree_id_fkey'
UNION ALL
SELECT pg_catalog.format('CREATE POLICY cluster ON %s FOR SELECT USING (%s)', relation,
	CASE WHEN relation = 'rstar.trees'::regclass THEN $policy$
		CASE WHEN pg_catalog.to_regrole(pg_catalog.quote_ident(created_by)) IS NOT NULL
		     THEN pg_catalog.pg_has_role(created_by, 'USAGE') END
		OR pg_catalog.pg_has_role('pg_read_all_data', 'USAGE') $policy$
	WHEN name = 'own' THEN $policy$ pg_catalog.pg_has_role('pg_read_all_data', 'USAGE') $policy$
	ELSE $policy$ pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') $policy$ END) FROM policies \gexec

COMMIT;
\endif
