-- What the extension installs, seen as a whole.
SET client_min_messages = warning;
CREATE EXTENSION rstar;

-- every object, and every column, has a comment
SELECT pg_catalog.pg_describe_object(d.classid, d.objid, 0) AS object_without_comment
  FROM pg_depend d
 WHERE d.refclassid = 'pg_extension'::regclass
   AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'rstar')
   AND d.deptype = 'e'
   AND d.classid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_namespace'::regclass)
   AND NOT EXISTS (SELECT FROM pg_class c WHERE d.classid = 'pg_class'::regclass
                      AND c.oid = d.objid AND c.relkind NOT IN ('r', 'v', 'm'))
   AND pg_catalog.obj_description(d.objid, (SELECT relname FROM pg_class WHERE oid = d.classid)) IS NULL
 ORDER BY 1;
SELECT a.attrelid::regclass AS table_with, a.attname AS column_without_comment
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
 WHERE c.relnamespace = 'rstar'::regnamespace AND c.relkind IN ('r', 'v', 'm')
   AND a.attnum > 0 AND NOT a.attisdropped
   AND pg_catalog.col_description(a.attrelid, a.attnum) IS NULL
 ORDER BY 1, a.attnum;

-- functions are in the extension's schema and named rstar_*
SELECT p.oid::regprocedure AS odd_name
  FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
 WHERE d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'rstar')
   AND (p.proname !~ '^rstar_' OR p.pronamespace <> 'public'::regnamespace)
 ORDER BY 1;

-- PUBLIC holds nothing on tables
SELECT c.oid::regclass AS open_table, x.privilege_type
  FROM pg_class c, aclexplode(c.relacl) x
 WHERE c.relnamespace = 'rstar'::regnamespace AND x.grantee = 0
 ORDER BY 1, 2;

-- every table with user data is dumped, and its sequence with it
SELECT c.oid::regclass AS not_dumped
  FROM pg_class c
 WHERE c.relnamespace = 'rstar'::regnamespace AND c.relkind IN ('r', 'S')
   AND NOT c.oid = ANY ((SELECT extconfig FROM pg_extension WHERE extname = 'rstar')::oid[])
 ORDER BY 1;

-- functions called from several places declare no more than they are
SELECT p.proname AS should_be_parallel_unsafe
  FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
 WHERE d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'rstar')
   AND p.proname ~ '^rstar_(model|run|search|continue|train|start)' AND p.proparallel <> 'u'
 ORDER BY 1;

DROP EXTENSION rstar;
-- nothing stays behind
SELECT nspname FROM pg_namespace WHERE nspname = 'rstar';
SELECT proname FROM pg_proc WHERE proname ~ '^rstar_';
