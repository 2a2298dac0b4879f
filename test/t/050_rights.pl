# Whose code runs, and what is read, with whose rights. A role that was given
# everything on the tables, and the functions that write them, hangs code of its
# own on each table in every way there is: none of it may ever run as anybody
# else. And nobody sees by a function what row security hides from him.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RstarTest;
use Test::More;

my $node = new_rstar_node('rights');

# The tables that the calls below write; evaluations and rounds by the keys that drops of a model set to NULL.
my $tables = 'models nodes preference_pairs problems trajectories trees evaluations rounds';

$node->safe_psql('postgres', q{
	CREATE ROLE eve LOGIN;
	CREATE ROLE owner LOGIN;
	GRANT ALL ON SCHEMA rstar, public TO eve;
	GRANT ALL ON ALL TABLES IN SCHEMA rstar TO eve;
	GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO eve;
	CREATE TABLE public.ran (who name DEFAULT CURRENT_USER);
	GRANT INSERT ON public.ran TO PUBLIC;

	-- functions of the owner: harmless, but for one that does as it is told
	CREATE FUNCTION public.plain() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN COALESCE(NEW, OLD); END';
	CREATE FUNCTION public.obedient() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN EXECUTE TG_ARGV[0]; RETURN COALESCE(NEW, OLD); END';
	INSERT INTO rstar.problems (problem_id, statement, answer) VALUES (-1, 'one', '17')});
$node->safe_psql('postgres', q{
	-- What all of it comes to. Nothing that fails undoes the first half, which tells who ran it.
	CREATE FUNCTION public.eve_act() RETURNS void LANGUAGE plpgsql AS
		'BEGIN INSERT INTO public.ran DEFAULT VALUES;
		 BEGIN EXECUTE ''ALTER ROLE eve SUPERUSER''; EXCEPTION WHEN insufficient_privilege THEN NULL; END; END';
	CREATE FUNCTION public.eve() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM public.eve_act(); RETURN COALESCE(NEW, OLD); END';
	-- Said to be immutable, as an attacker would. Such a function cannot write, but can call one that does.
	CREATE FUNCTION public.eve_true() RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS 'BEGIN PERFORM public.eve_act(); RETURN true; END';
	CREATE FUNCTION public.eve_text(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT CASE WHEN public.eve_true() THEN $1 END';
	CREATE DOMAIN public.eve_domain AS text CHECK (public.eve_true());
	CREATE FUNCTION public.eve_equal(text, text) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT public.eve_true()';
	CREATE OPERATOR public.=== (FUNCTION = public.eve_equal, LEFTARG = text, RIGHTARG = text);
	CREATE TYPE public.eve_type AS (x text);
	CREATE FUNCTION public.eve_cast(public.eve_type) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT public.eve_text(''c'')';
	CREATE CAST (public.eve_type AS text) WITH FUNCTION public.eve_cast(public.eve_type);
	CREATE FUNCTION public.eve_compare(text, text) RETURNS integer IMMUTABLE LANGUAGE sql AS
		'SELECT CASE WHEN public.eve_true() THEN pg_catalog.bttextcmp($1, $2) END';
	CREATE VIEW public.eve_view AS SELECT 1 WHERE public.eve_true()}, extra_params => [ '-U', 'eve' ]);

# Each of these, run by somebody, tells who that was and hands out what he could.
my @payloads = ('eve_true()', q{eve_text('x')}, q{'a'::eve_domain}, q{'a'::text === 'b'::text}, q{(ROW('a')::eve_type)::text}, q{eve_compare('a', 'b')},
	q{(SELECT count(*) FROM eve_view)});
for my $payload (@payloads)
{
	is($node->safe_psql('postgres', "TRUNCATE ran; SELECT $payload \\g /dev/null
			SELECT string_agg(DISTINCT who, ' '), (SELECT rolsuper FROM pg_roles WHERE rolname = 'eve') FROM ran; ALTER ROLE eve NOSUPERUSER"),
		'postgres|t', "$payload run by the owner would not go unseen");
}
is($node->safe_psql('postgres', q{TRUNCATE ran; CREATE TABLE bait (); CREATE TRIGGER e BEFORE INSERT ON bait FOR EACH ROW EXECUTE FUNCTION eve();
		INSERT INTO bait DEFAULT VALUES; DROP TABLE bait; ALTER ROLE eve NOSUPERUSER; SELECT who FROM ran}), 'postgres', 'nor would her trigger');
$node->safe_psql('postgres', q{
	CREATE OPERATOR CLASS public.eve_class FOR TYPE text USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
		FUNCTION 1 public.eve_compare(text, text);
	CREATE DOMAIN public.owners_domain AS text CHECK (public.eve_true())});

# Ways to hang code on a table: who does it (eve with TRIGGER; or the owner, who trusted a function of eve's), how, and how
# it goes away.
my @ways = (
	[ 'row trigger', 'eve', 'CREATE TRIGGER e BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION eve()', 'DROP TRIGGER e ON %s' ],
	[ 'statement trigger', 'eve', 'CREATE TRIGGER e AFTER INSERT OR UPDATE OR DELETE ON %s EXECUTE FUNCTION eve()', 'DROP TRIGGER e ON %s' ],
	[ 'deferred trigger', 'eve', 'CREATE CONSTRAINT TRIGGER e AFTER INSERT OR UPDATE OR DELETE ON %s DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION eve()', 'DROP TRIGGER e ON %s' ],
	[ 'condition of a trigger', 'eve', 'CREATE TRIGGER e BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW WHEN (eve_true()) EXECUTE FUNCTION plain()',
		'DROP TRIGGER e ON %s' ],
	[ 'operator in a condition', 'eve', 'CREATE TRIGGER e BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW WHEN (\'a\'::text === \'b\'::text)
		EXECUTE FUNCTION plain()', 'DROP TRIGGER e ON %s' ],
	[ 'domain in a condition', 'eve', 'CREATE TRIGGER e BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW WHEN (\'a\'::eve_domain = \'a\')
		EXECUTE FUNCTION plain()', 'DROP TRIGGER e ON %s' ],
	[ 'argument of a trigger', 'eve', 'CREATE TRIGGER e BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW
		EXECUTE FUNCTION obedient(\'ALTER ROLE eve SUPERUSER\')', 'DROP TRIGGER e ON %s' ],
	[ 'default', 'postgres', 'ALTER TABLE %s ADD e text; ALTER TABLE %1$s ALTER e SET DEFAULT eve_text(\'d\')', 'ALTER TABLE %s DROP e' ],
	[ 'check', 'postgres', 'ALTER TABLE %s ADD CONSTRAINT e CHECK (eve_true()) NOT VALID', 'ALTER TABLE %s DROP CONSTRAINT e' ],
	[ 'generated column', 'postgres', 'ALTER TABLE %s ADD e text GENERATED ALWAYS AS (eve_text(\'g\')) STORED', 'ALTER TABLE %s DROP e' ],
	[ 'domain', 'postgres', 'ALTER TABLE %s ADD e eve_domain', 'ALTER TABLE %s DROP e' ],
	[ 'array of a domain', 'postgres', 'ALTER TABLE %s ADD e eve_domain[] DEFAULT ARRAY[\'a\'::eve_domain]', 'ALTER TABLE %s DROP e' ],
	[ 'operator in a check', 'postgres', 'ALTER TABLE %s ADD CONSTRAINT e CHECK (\'a\'::text === \'b\'::text) NOT VALID', 'ALTER TABLE %s DROP CONSTRAINT e' ],
	[ 'cast in a check', 'postgres', 'ALTER TABLE %s ADD CONSTRAINT e CHECK ((ROW(\'a\')::eve_type)::text > \'\') NOT VALID',
		'ALTER TABLE %s DROP CONSTRAINT e' ],
	[ 'check of a domain', 'postgres', 'ALTER TABLE %s ADD e owners_domain; ALTER TABLE %1$s ALTER e SET DEFAULT \'d\'', 'ALTER TABLE %s DROP e' ],
	[ 'index predicate', 'postgres', 'CREATE INDEX e ON %s ((1)) WHERE eve_true()', 'DROP INDEX rstar.e' ],
	[ 'operator class', 'postgres', 'ALTER TABLE %s ADD e text DEFAULT \'o\'; CREATE INDEX e ON %1$s (e eve_class)', 'ALTER TABLE %s DROP e' ],
	[ 'index', 'postgres', 'CREATE INDEX e ON %s (eve_text(\'i\'))', 'DROP INDEX rstar.e' ],
	[ 'policy', 'postgres', 'ALTER TABLE %s FORCE ROW LEVEL SECURITY; CREATE POLICY e ON %1$s USING (eve_true())',
		'DROP POLICY e ON %s; ALTER TABLE %1$s NO FORCE ROW LEVEL SECURITY' ],
	[ 'view in a policy', 'postgres', 'CREATE POLICY e ON %s USING (EXISTS (SELECT FROM eve_view))', 'DROP POLICY e ON %s' ],
	[ 'rule', 'postgres', 'CREATE RULE e AS ON INSERT TO %s DO ALSO SELECT eve_true()', 'DROP RULE e ON %s' ],
	[ 'heir', 'postgres', 'CREATE TABLE public.heir () INHERITS (%s); GRANT ALL ON public.heir TO eve', 'DROP TABLE public.heir' ],
);

my $tree = $node->safe_psql('postgres', q{SELECT rstar_search(-1, rollouts => 1, candidates => 1)}, extra_params => [ '-U', 'eve' ]);

# Two steps, one to a right answer and one to a wrong one: a tree with pairs, without a model.
my $script = join ', ', map { qq([{"status": "ok", "text": $_}]) }
  '"<code>\\n# a\\n<end_of_code>"}, {"status": "ok", "text": "<code>\\n# quite other words than those of its neighbour\\n<end_of_code>"',
  map { qq("<answer>\\\\boxed{$_}<end_of_answer>") } 17, 18;
$script = "[$script]";

# Everything that writes; what needs a model and a sandbox only where it says something.
sub calls
{
	my ($unique, $table, $what) = @_;
	my @calls = (
		"rstar_search_scripted(-1, '$script')", 'rstar_build_pairs()',
		"rstar_model_create('$unique', 'rstar-policy', 1, 32, 2)", "rstar_model_drop('$unique', true)",
		'rstar_model_register_builtin()');

	unshift @calls, "rstar_search('problem $unique', '1', rollouts => 1, candidates => 1)" if $table eq 'problems';
	unshift @calls, "rstar_continue($tree, 1)" if $what =~ /^(?:row trigger|default)$/;
	return join '', map { "SELECT $_ \\g /dev/null\n\\if :ERROR\n\\echo :LAST_ERROR_MESSAGE\n\\endif\n" } @calls;
}

# What came of the calls of somebody, and afresh.
sub seen
{
	my ($whose) = @_;

	return "SELECT 'ran as', who, 'called by $whose' FROM ran WHERE who <> 'eve'
		UNION ALL SELECT 'superuser', rolname, 'called by $whose' FROM pg_roles WHERE rolname = 'eve' AND rolsuper;
		TRUNCATE ran; ALTER ROLE eve NOSUPERUSER;\n";
}

# One way on one table, as commands for psql.
sub attack
{
	my ($what, $who, $attach, $detach, $table) = @_;
	my $heir = $what eq 'heir'
	  ? 'SET SESSION AUTHORIZATION eve;
		CREATE TRIGGER e BEFORE INSERT OR UPDATE OR DELETE ON heir FOR EACH ROW EXECUTE FUNCTION eve(); RESET SESSION AUTHORIZATION;' : '';

	return "\n\\echo --- $what\nSET SESSION AUTHORIZATION $who;" . sprintf($attach, "rstar.$table") . ";RESET SESSION AUTHORIZATION;$heir
		TRUNCATE ran; ALTER ROLE eve NOSUPERUSER; -- the owner's own doing: attaching looks at the rows
		SET SESSION AUTHORIZATION eve;\n" . calls("$what $table e", $table, $what)
	  . "RESET SESSION AUTHORIZATION;\n" . seen('eve')
	  # The planner itself runs such a predicate, whatever a superuser asks of the table.
	  . ($what eq 'index predicate' ? '' : calls("$what $table d", $table, $what) . seen('owner')) . sprintf($detach, "rstar.$table") . ';';
}

sub attack_table
{
	my ($table) = @_;
	my (undef, $out) = $node->psql('postgres', join("\n", map { attack(@$_, $table) } @ways) . "\n\\echo --- end", on_error_stop => 0);

	for my $way (@ways)
	{
		my ($part) = $out =~ /^--- \Q$way->[0]\E\n(.*?)^---/ms;

		unlike($part // 'ran as nobody', qr/^(?:ran as|superuser)/m, "$way->[0] on $table runs as nobody else");
		like($part // '', qr/refusing to write table "(?:$table|heir)"/, 'and the error says why');
	}
	return;
}

# What is written at all while nothing hangs on the tables.
is($node->safe_psql('postgres', calls('at peace', 'problems', 'row trigger'), extra_params => [ '-U', 'eve' ]), '',
	'without hostile code all of it works');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM rstar.preference_pairs'), '>', 0, 'pairs, too');

attack_table($_) for split / /, $tables;

# --- names that hide others ----------------------------------------------------------------------

# Her functions and operators by the names of PostgreSQL's own, in front of those in her search path
# and in her temporary schema: what the extension runs as the owner must not meet them.
my $shadows = join '', map {
	my $schema = $_;
	(map { "CREATE FUNCTION $schema.eve_$_->[1]($_->[0], $_->[0]) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT public.eve_true()';
		CREATE OPERATOR $schema.$_->[2] (FUNCTION = $schema.eve_$_->[1], LEFTARG = $_->[0], RIGHTARG = $_->[0]);" }
		[ 'bigint', 'be', '=' ], [ 'text', 'te', '=' ], [ 'integer', 'ie', '=' ], [ 'bigint', 'bl', '<' ], [ 'text', 'tr', '~' ]),
	"CREATE FUNCTION $schema.now() RETURNS timestamptz LANGUAGE plpgsql AS 'BEGIN PERFORM public.eve_act(); RETURN pg_catalog.now(); END';
	CREATE FUNCTION $schema.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS 'BEGIN PERFORM public.eve_act(); RETURN pg_catalog.now(); END';
	CREATE FUNCTION $schema.length(text) RETURNS integer LANGUAGE plpgsql AS 'BEGIN PERFORM public.eve_act(); RETURN 1; END';
	CREATE FUNCTION $schema.nextval(regclass) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN PERFORM public.eve_act(); RETURN pg_catalog.nextval(\$1); END';
	CREATE FUNCTION $schema.jsonb_typeof(jsonb) RETURNS text LANGUAGE plpgsql AS 'BEGIN PERFORM public.eve_act(); RETURN \$\$object\$\$; END';";
} qw(hers pg_temp);
my $quiet = calls('in the shadow', 'problems', 'row trigger') . 'SELECT rstar_delete_trees(older_than => interval \'1 day\') \g /dev/null
	SELECT rstar_regrade(-1) \g /dev/null' . "\n";
is($node->safe_psql('postgres', "TRUNCATE ran; CREATE SCHEMA hers AUTHORIZATION eve; GRANT TEMPORARY ON DATABASE postgres TO eve;
		SET SESSION AUTHORIZATION eve; $shadows
		SET search_path = hers, pg_temp, public, pg_catalog; $quiet
		SET search_path = pg_temp, hers, public, pg_catalog; $quiet
		RESET SESSION AUTHORIZATION; SET search_path = pg_catalog, public;
		SELECT DISTINCT who FROM public.ran; SELECT rolsuper FROM pg_roles WHERE rolname OPERATOR(pg_catalog.=) 'eve'"),
	'f', 'nothing of hers is met by the way, not even as herself');
$node->safe_psql('postgres', 'DROP SCHEMA hers CASCADE');

# --- what is trusted goes on working ------------------------------------------------------

$node->safe_psql('postgres', q{
	CREATE FUNCTION public.audit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.ran DEFAULT VALUES; RETURN NEW; END';
	CREATE TRIGGER audit BEFORE INSERT ON rstar.problems FOR EACH ROW EXECUTE FUNCTION public.audit();
	CREATE TRIGGER audit BEFORE INSERT ON rstar.trees FOR EACH ROW EXECUTE FUNCTION public.audit();
	TRUNCATE ran});
is($node->safe_psql('postgres', q{SELECT rstar_search('audited', rollouts => 1, candidates => 1) > 0},
		extra_params => [ '-U', 'eve' ]), 't', "the owner's own triggers");
is($node->safe_psql('postgres', q{SELECT string_agg(who, ' ' ORDER BY who) FROM ran}), 'eve postgres',
	'run: as the caller on problems, as the owner on trees');
$node->safe_psql('postgres', q{DROP TRIGGER audit ON rstar.problems; DROP TRIGGER audit ON rstar.trees});

# --- reading ---------------------------------------------------------------------------------

$node->safe_psql('postgres', q{
	CREATE ROLE ann LOGIN;
	GRANT USAGE ON SCHEMA rstar TO ann;
	GRANT SELECT ON ALL TABLES IN SCHEMA rstar TO ann;
	GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO ann;
	GRANT INSERT ON rstar.problems TO ann;
	INSERT INTO rstar.problems (problem_id, statement, answer, source) VALUES (-2, 'a secret', '42', 'hidden')});

sub ann
{
	my ($sql) = @_;
	my (undef, $answer, $error) = $node->psql('postgres', $sql, extra_params => [ '-U', 'ann' ]);

	return $answer . ($error =~ /ERROR:\s+(.*)/ ? $1 : '');
}

my $secret = $node->safe_psql('postgres', 'SELECT rstar_search(-2, rollouts => 1, candidates => 1)');
my @looks = ("rstar_tree_text($secret)", "rstar_tree_svg($secret)", "rstar_continue($secret, 1)");

is(ann("SELECT $_"), "tree $secret does not exist", "$_: of somebody else") for @looks;
is(ann('SELECT count(*) FROM rstar.trees'), 0, 'nor in the table');
is(ann('SELECT count(*) FROM rstar.nodes'), 0, 'nor its nodes');
is(ann('SELECT count(*) FROM rstar.sft_training'), 0, 'nor by a view');
is(ann('SELECT count(*) FROM rstar_select_trajectories(per_problem => 100)'), 0, 'nor by a function');
is(ann('SELECT rstar_build_pairs()'), 0, 'nor are there pairs of it');

my $mine = ann(q{SELECT rstar_search('What is 6 * 7?', rollouts => 1, candidates => 1)});
like(ann("SELECT rstar_tree_text($mine)"), qr/What is 6/, 'her own she sees');
is(ann("SELECT created_by FROM rstar.trees"), 'ann', 'as hers');
is(ann("SELECT rstar_continue($mine, 1)"), $mine, 'and continues');

# Problems are read as the caller, too.
$node->safe_psql('postgres', q{
	ALTER TABLE rstar.problems ENABLE ROW LEVEL SECURITY;
	CREATE POLICY shown ON rstar.problems USING (source IS DISTINCT FROM 'hidden')});
for my $call ('-2', 'ARRAY[-2]::bigint[]')
{
	is(ann("SELECT rstar_search($call)"), 'problem -2 does not exist', "rstar_search($call)");
}
is(ann(q{SELECT rstar_search_scripted(-2, '[]')}), 'problem -2 does not exist', 'nor by a script');
my $entered = ann(q{SELECT rstar_search('a secret', rollouts => 1, candidates => 1)});
is(ann("SELECT correct IS NULL AND problem_id <> -2 FROM rstar.trees WHERE tree_id = $entered"), 't',
	'a text that equals a hidden problem is a new one, without its answer');
$node->safe_psql('postgres', q{UPDATE rstar.problems SET source = 'hidden' WHERE statement = 'What is 6 * 7?'});
is(ann("SELECT rstar_tree_text($mine)"), "tree $mine does not exist", 'nor a picture of a hidden problem');
is(ann("SELECT rstar_continue($mine, 1)"), "tree $mine does not exist", 'nor more of it');

# Without the schema nothing, even where a plan is kept from better days.
$node->safe_psql('postgres', q{ALTER TABLE rstar.problems DISABLE ROW LEVEL SECURITY});
is(ann("SELECT length(rstar_tree_text($mine)) > 0"), 't', 'visible again');
like($node->safe_psql('postgres', "SELECT length(rstar_tree_text($mine)) > 0; SELECT rstar_search('warm', rollouts => 1, candidates => 1);
		REVOKE USAGE ON SCHEMA rstar FROM ann; SET SESSION AUTHORIZATION ann;
		DO \$\$ BEGIN PERFORM rstar_tree_text($mine); EXCEPTION WHEN insufficient_privilege THEN RAISE WARNING 'refused'; END \$\$;
		DO \$\$ BEGIN PERFORM rstar_search('warm', rollouts => 1); EXCEPTION WHEN insufficient_privilege THEN RAISE WARNING 'refused'; END \$\$;
		SELECT 'end'"), qr/end/, 'a kept plan');
is(() = slurp_file($node->logfile) =~ /WARNING:  refused/g, 2, 'does not pass by the schema');

done_testing();
