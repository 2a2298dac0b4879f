-- citus.sql: spread the tables of rstar over the nodes of a Citus cluster, in psql, as a superuser,
-- in the database on the coordinator:
--
--     psql -X -f sql/citus.sql mydatabase
--     psql -X -v shards=64 -f sql/citus.sql mydatabase
--
-- Before it: PostgreSQL 15, Citus 12.1 (or later) and rstar on every node, shared_preload_libraries = 'citus, rstar'
-- there, both extensions created on the coordinator (Citus creates rstar on the others),
-- citus_set_coordinator_host and citus_add_node called, and no job at work. shards (32): into how
-- many parts the trees are cut.
--
-- What it does:
--     rstar.problems, verifiers, models                  on every node (reference tables)
--     rstar.trees, nodes, trajectories, preference_pairs by tree: what hangs on a tree lies beside it
--     all others but rstar.schedules                     on the coordinator, read and written by every node
--     sequences                                          count on each node in a range of its own
--     row security                                       see README, "When one machine is not enough"
--     views that recurse or join across                  ask in another way (citus_views.sql)
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
	ELSIF pg_catalog.current_setting('server_version_num')::integer < 150000 THEN
		RAISE EXCEPTION 'this needs PostgreSQL 15 or later';
	ELSIF (SELECT pg_catalog.split_part(extversion, '-', 1)::numeric FROM pg_catalog.pg_extension WHERE extname = 'citus') < 12.1 THEN
		RAISE EXCEPTION 'this needs Citus 12.1 or later';
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
-- Row security that can be judged beside the row
-- ---------------------------------------------------------------------------

-- Policies on the nodes of a cluster have no subqueries. Trees, and what hangs on them, are seen as
-- before; the rest, which lies with the jobs, by its owner in the table that it belongs to, and
-- here by pg_read_all_stats. Policies without a subquery stay.
SELECT pg_catalog.jsonb_object_agg(p.name, p.condition) AS policies
  FROM (SELECT n.nspname FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
         WHERE e.extname = 'rstar') s (schema),
       LATERAL (VALUES
		('verifiers', pg_catalog.format('%I.rstar_maker_visible(created_by)', s.schema)),
		('trees', pg_catalog.format('%I.rstar_maker_visible(created_by)', s.schema)),
		('nodes', pg_catalog.format('%I.rstar_tree_visible(tree_id)', s.schema)),
		('trajectories', pg_catalog.format('%I.rstar_tree_visible(tree_id)', s.schema)),
		('preference_pairs', pg_catalog.format('%I.rstar_tree_visible(chosen_tree_id)', s.schema)),
		('job_items', $$pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')$$),
		('training_examples', $$pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')$$),
		('training_steps', $$pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')$$),
		('evaluation_problems', $$pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')$$),
		('evaluation_answers', $$pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')$$),
		('round_problems', $$pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')$$),
		('round_solutions', $$pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')$$)) p (name, condition) \gset

-- ---------------------------------------------------------------------------
-- The other nodes: their tables are empty shells, which the extension made
-- ---------------------------------------------------------------------------

-- A node whose shells do not belong to the cluster yet loses its keys: those of the coordinator come
-- to it. On one that was added later they are there, and right but for one; it gets the policies here.
SELECT pg_catalog.format($prepare$
DO $do$
DECLARE
	node CONSTANT bigint := (SELECT groupid FROM pg_catalog.pg_dist_local_group);
	joined CONSTANT boolean := EXISTS (SELECT FROM pg_catalog.pg_dist_partition
	                                    WHERE logicalrelid = 'rstar.trees'::pg_catalog.regclass);
	policies CONSTANT jsonb := %L;
	r record;
	filled boolean;
BEGIN
	PERFORM pg_catalog.set_config('citus.enable_ddl_propagation', 'off', true);
	EXECUTE pg_catalog.format('ALTER DATABASE %%I SET citus.enable_repartition_joins = on', pg_catalog.current_database());
	FOR r IN SELECT t.oid::pg_catalog.regclass AS name FROM pg_catalog.pg_class t
	          WHERE t.relnamespace = 'rstar'::pg_catalog.regnamespace AND t.relkind = 'r'
	            AND t.relname <> 'models' AND NOT joined LOOP
		EXECUTE pg_catalog.format('SELECT EXISTS (SELECT FROM %%s)', r.name) INTO filled;
		IF filled THEN
			RAISE EXCEPTION 'table %% of this node has rows of its own', r.name;
		END IF;
	END LOOP;
	FOR r IN SELECT c.conrelid::pg_catalog.regclass AS name, c.conname FROM pg_catalog.pg_constraint c
	           JOIN pg_catalog.pg_class t ON t.oid = c.conrelid
	          WHERE t.relnamespace = 'rstar'::pg_catalog.regnamespace AND c.contype = 'f'
	            AND CASE WHEN joined THEN c.conname = 'preference_pairs_rejected_tree_id_fkey' ELSE true END LOOP
		EXECUTE pg_catalog.format('ALTER TABLE %%s DROP CONSTRAINT %%I', r.name, r.conname);
	END LOOP;
	FOR r IN SELECT p.polrelid::pg_catalog.regclass AS name, p.polname, t.relname FROM pg_catalog.pg_policy p
	           JOIN pg_catalog.pg_class t ON t.oid = p.polrelid
	          WHERE t.relnamespace = 'rstar'::pg_catalog.regnamespace AND p.polname IN ('own', 'visible')
	            AND policies ? t.relname::text LOOP
		EXECUTE pg_catalog.format('DROP POLICY %%I ON %%s', r.polname, r.name);
		IF joined THEN
			EXECUTE pg_catalog.format('CREATE POLICY cluster ON %%s FOR SELECT USING (%%s)', r.name, policies ->> r.relname);
		END IF;
	END LOOP;
	FOR r IN SELECT t.oid::pg_catalog.regclass AS name FROM pg_catalog.pg_class t
	          WHERE t.relnamespace = 'rstar'::pg_catalog.regnamespace AND t.relkind = 'S' LOOP
		EXECUTE pg_catalog.format('SELECT pg_catalog.setval(%%L, greatest(last_value, %%s)) FROM %%s', r.name, node << 48, r.name);
	END LOOP;
END
$do$
$prepare$, :'policies') AS prepare \gset

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

SELECT pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', relation, name) FROM keys
UNION ALL
SELECT pg_catalog.format('DROP POLICY %I ON %s', p.polname, p.polrelid::regclass)
  FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class t ON t.oid = p.polrelid
 WHERE t.relnamespace = 'rstar'::regnamespace AND p.polname IN ('own', 'visible') AND :'policies'::jsonb ? t.relname::text \gexec

\pset format unaligned
\pset tuples_only on
\o /dev/null
SELECT create_reference_table('rstar.verifiers');
SELECT create_reference_table('rstar.problems');
SELECT create_reference_table('rstar.models');
SELECT create_distributed_table('rstar.trees', 'tree_id', colocate_with => 'none', shard_count => :shards);
SELECT create_distributed_table('rstar.nodes', 'tree_id', colocate_with => 'rstar.trees');
SELECT create_distributed_table('rstar.trajectories', 'tree_id', colocate_with => 'rstar.trees');
SELECT create_distributed_table('rstar.preference_pairs', 'chosen_tree_id', colocate_with => 'rstar.trees');
-- The rest in one piece, on the coordinator: while it is placed, no other node counts as one.
CREATE TEMPORARY TABLE others ON COMMIT DROP AS
SELECT nodename, nodeport, shouldhaveshards FROM pg_catalog.pg_dist_node WHERE noderole = 'primary';
SELECT citus_set_node_property(nodename, nodeport, 'shouldhaveshards', groupid = 0) FROM pg_catalog.pg_dist_node WHERE noderole = 'primary';
SELECT create_distributed_table('rstar.jobs', NULL, colocate_with => 'none');
SELECT create_distributed_table(t.oid, NULL, colocate_with => 'rstar.jobs')
  FROM pg_catalog.pg_class t
 WHERE t.relnamespace = 'rstar'::regnamespace AND t.relkind = 'r' AND t.relname <> 'schedules'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_dist_partition p WHERE p.logicalrelid = t.oid)
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_dist_shard s WHERE t.relname LIKE '%\_' || s.shardid)
 ORDER BY t.relname;
SELECT citus_set_node_property(nodename, nodeport, 'shouldhaveshards', shouldhaveshards) FROM others;
\o
\pset tuples_only off
\pset format aligned

SELECT pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I %s', relation, name, definition) FROM keys
 WHERE name <> 'preference_pairs_rejected_tree_id_fkey'
UNION ALL
SELECT pg_catalog.format('CREATE POLICY cluster ON rstar.%I FOR SELECT USING (%s)', key, value)
  FROM pg_catalog.jsonb_each_text(:'policies') \gexec

COMMIT;
\endif

-- Trees and jobs may be joined; the launchers of all nodes look again.
SET citus.enable_ddl_propagation = off;
SELECT pg_catalog.format('ALTER DATABASE %I SET citus.enable_repartition_joins = on', pg_catalog.current_database()) \gexec
SET citus.enable_ddl_propagation = on;
SELECT count(*) AS nodes FROM pg_catalog.run_command_on_all_nodes('SELECT pg_catalog.pg_reload_conf()') \gset

-- ---------------------------------------------------------------------------
-- Views that ask in another way here
-- ---------------------------------------------------------------------------

\ir citus_views.sql
SELECT pg_catalog.set_config('citus_script.views', :'views', false) AS views \gset
DO $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT * FROM pg_catalog.run_command_on_all_nodes(pg_catalog.current_setting('citus_script.views')) LOOP
		IF NOT r.success THEN
			RAISE EXCEPTION 'the views of node % could not be made: %', r.nodeid, r.result;
		END IF;
	END LOOP;
END
$$;
