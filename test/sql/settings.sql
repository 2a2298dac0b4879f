-- Each setting: its default, both ends, one past each end, its context.
SET client_min_messages = warning;
CREATE EXTENSION rstar;
LOAD 'rstar';

SELECT name, setting, unit, context, vartype, min_val, max_val
  FROM pg_settings WHERE name ~ '^rstar\.' AND name !~ 'sandbox' ORDER BY name;

-- one past each end is refused, both ends are taken
CREATE FUNCTION try_setting(setting text, value text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config(setting, value, true);
	RETURN 'taken';
EXCEPTION WHEN invalid_parameter_value THEN
	RETURN 'refused';
END $$;
SELECT s.name,
       try_setting(s.name, s.min_val) AS at_min,
       try_setting(s.name, s.max_val) AS at_max,
       try_setting(s.name, (s.min_val::numeric - 1)::text) AS below_min,
       try_setting(s.name, (s.max_val::numeric + 1)::text) AS above_max
  FROM pg_settings s
 WHERE s.name ~ '^rstar\.' AND s.vartype IN ('integer', 'real')
   AND s.context IN ('user', 'superuser') AND s.name !~ 'sandbox'
 ORDER BY s.name;
SELECT try_setting('rstar.temperature', 'NaN');

-- units
SET rstar.kv_cache = '1GB';
SHOW rstar.kv_cache;
-- (the words of some messages differ from version to version)
\set VERBOSITY sqlstate
SET rstar.kv_cache = '512kB';
\set VERBOSITY default
RESET rstar.kv_cache;

-- A setting beyond its limit is an error where it is used, as the argument is: it may have been
-- set before the limit. A default is cut. 0 is no limit of rstar.max_search_timeout.
SET rstar.threads = 3;
SET rstar.max_threads = 2;
SELECT rstar_solve('1 + 1');
RESET rstar.threads;
SET rstar.kv_cache = '32MB';
SET rstar.max_kv_cache = '16MB';
SELECT rstar_solve('1 + 1');
RESET rstar.kv_cache;
SET rstar.rollouts = 3;
SET rstar.max_rollouts = 2;
SELECT rstar_solve('1 + 1');
SELECT rstar_solve('1 + 1', rollouts => 3);
SELECT rstar_solve('1 + 1', rollouts => 1, candidates => 1) IS NULL AS asked_for_less;
RESET rstar.rollouts;
SET rstar.search_timeout = '1h';
SET rstar.max_search_timeout = '59min';
SELECT rstar_solve('1 + 1');
SET rstar.search_timeout = '59min';
SELECT rstar_solve('1 + 1', candidates => 1) IS NULL AS all_at_their_limits;
RESET rstar.search_timeout;
SELECT rstar_solve('1 + 1', candidates => 1) IS NULL AS all_by_default;
RESET rstar.max_search_timeout;
RESET rstar.max_rollouts;
RESET rstar.max_kv_cache;
RESET rstar.max_threads;
SET rstar.sandbox_timeout = '2min';
SELECT status FROM rstar_run_python('1');
RESET rstar.sandbox_timeout;

-- the prefix is reserved
SET rstar.no_such_setting = 1;

-- fixed by the configuration file
SET rstar.model_directory = '/tmp';

-- limits belong to superusers, and so does the sight of a path
CREATE ROLE regress_rstar_user;
SET ROLE regress_rstar_user;
SET rstar.max_threads = 2;
SET rstar.max_kv_cache = '1GB';
SET rstar.max_search_timeout = 0;
SET rstar.max_context = 64;
\set VERBOSITY sqlstate
SHOW rstar.model_directory;
\set VERBOSITY default
SET rstar.threads = 2;
SET rstar.policy = 'anything';
SET rstar.kv_cache = '8MB';
RESET ROLE;
DROP ROLE regress_rstar_user;

DROP FUNCTION try_setting;
DROP EXTENSION rstar;
