# sql/grants.sql: each role gets what its kind of work needs, and nothing else;
# running it again changes nothing; the extension may live in any schema.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RstarTest;
use Test::More;

my $node = new_rstar_node('grants', conf => "shared_preload_libraries = 'rstar'\n");
my @kinds = qw(reader searcher trainer runner scheduler examiner librarian);

# What each kind may call beyond PUBLIC.
my %functions = (
	reader    => '',
	searcher  => 'rstar_continue rstar_delete_trees rstar_evaluate rstar_regrade rstar_search rstar_search rstar_search rstar_search_all rstar_search_each',
	trainer   => 'rstar_build_pairs rstar_pause_round rstar_resume_round rstar_start_round rstar_train_policy rstar_train_ppm',
	runner    => 'rstar_answers_equal_symbolic rstar_run_python rstar_run_steps',
	scheduler => 'rstar_schedule rstar_schedule_round rstar_unschedule',
	examiner  => 'rstar_verifier_create rstar_verifier_drop rstar_verify',
	librarian => 'rstar_calibrate rstar_model_create rstar_model_drop rstar_model_import rstar_model_orphans rstar_model_quantize
		rstar_model_register_builtin rstar_model_remote rstar_model_verify rstar_train_vocabulary');

$node->safe_psql('postgres', join ';', map { "CREATE ROLE \"the $_\" LOGIN" } @kinds, qw(stranger planner));

# Roles by kind of work.
sub run_kinds
{
	my ($database, %roles) = @_;
	my ($out, $err) = ('', '');
	my $ok = IPC::Run::run([ 'psql', '-X', (map { ('-v', "$_=$roles{$_}") } sort keys %roles), '-d', $node->connstr($database),
			'-f', source_path('sql/grants.sql') ], '>', \$out, '2>', \$err);

	is($err . $out, '', "grants.sql says nothing in $database");
	return $ok;
}

# The role of each kind is called after it.
sub run_grants
{
	my ($database, @named) = @_;

	return run_kinds($database, map { $_ => "the $_" } @named);
}

# Every privilege of the roles on the extension's objects, as one text.
sub acl
{
	my ($database) = @_;

	return $node->safe_psql($database, q{
		SELECT string_agg(x, E'\n' ORDER BY x) FROM (
			SELECT p.oid::regprocedure || ' ' || p.proacl::text AS x FROM pg_proc p WHERE p.proname ~ '^rstar_'
			UNION ALL SELECT c.relname || ' ' || c.relacl::text FROM pg_class c WHERE c.relnamespace = 'rstar'::regnamespace
			UNION ALL SELECT n.nspname || ' ' || n.nspacl::text FROM pg_namespace n) s});
}

my $before = acl('postgres');
ok(run_grants('postgres'), 'without a role');
is(acl('postgres'), $before, 'it grants nothing');
ok(run_grants('postgres', @kinds), 'with a role for each kind');
my $after = acl('postgres');
isnt($after, $before, 'it does');
ok(run_grants('postgres', @kinds), 'again');
is(acl('postgres'), $after, 'and nothing changes');

# --- what is granted, by the catalogue ------------------------------------------------------------

for my $kind (@kinds)
{
	my $wanted = $functions{$kind} =~ s/\s+/ /gr;

	is($node->safe_psql('postgres', qq{
			SELECT coalesce(string_agg(p.proname, ' ' ORDER BY p.proname COLLATE "C"), '') FROM pg_proc p
			 WHERE p.proname ~ '^rstar_' AND has_function_privilege('the $kind', p.oid, 'EXECUTE')
			   AND NOT has_function_privilege('the stranger', p.oid, 'EXECUTE')}), $wanted, "$kind: functions");
	is($node->safe_psql('postgres', qq{
			SELECT coalesce(string_agg(DISTINCT privilege, ' ' ORDER BY privilege), '')
			  FROM pg_class c, unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) privilege
			 WHERE c.relnamespace = 'rstar'::regnamespace AND c.relkind IN ('r', 'v')
			   AND NOT (c.relname = 'problems' AND privilege = 'INSERT') AND has_table_privilege('the $kind', c.oid, privilege)}), '',
		"$kind: writes no table");
	is($node->safe_psql('postgres', qq{SELECT has_table_privilege('the $kind', 'rstar.problems', 'INSERT')}),
		$kind eq 'searcher' ? 't' : 'f', "$kind: adds problems or not");
	is($node->safe_psql('postgres', qq{
			SELECT bool_and(has_table_privilege('the $kind', c.oid, 'SELECT')), bool_or(has_table_privilege('the $kind', c.oid, 'SELECT'))
			  FROM pg_class c WHERE c.relnamespace = 'rstar'::regnamespace
			   AND NOT has_table_privilege('the stranger', c.oid, 'SELECT') AND (c.relkind = 'r' OR c.relkind = 'v' AND current_setting('server_version_num')::int >= 150000)}),
		$kind eq 'runner' ? 'f|f' : 't|t', "$kind: reads all or nothing");
}
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_auth_members WHERE member::regrole::text ~ 'the '}), 0, 'no memberships');

# --- what it is worth, by trying ----------------------------------------------------------------

# The result of a query as a role, or its error.
sub as
{
	my ($kind, $sql) = @_;
	my (undef, $answer, $error) = $node->psql('postgres', $sql, extra_params => [ '-U', "the $kind" ]);

	return $answer . ($error =~ /ERROR:\s+(.*)/ ? $1 : '');
}

my $tree = as('searcher', q{SELECT rstar_search('What is 6 * 7?', '42', rollouts => 1, candidates => 1)});
like($tree, qr/^\d+$/, 'a searcher searches');
is(as('searcher', "SELECT rstar_continue($tree, 1)"), $tree, 'continues');
like(as('searcher', q{SELECT rstar_search_all('SELECT problem_id FROM rstar.problems')}), qr/^\d+$/, 'submits jobs');
is(as('searcher', q{CALL rstar_search_each('SELECT problem_id FROM rstar.problems', rollouts => 1)}), '', 'searches each');
is(as('reader', 'SELECT count(*), (SELECT count(*) FROM rstar.trees) FROM rstar.problems'), '1|0', "a reader reads problems, and no one else's trees");
is(as('runner', q{SELECT value FROM rstar_run_python('6 * 7')}), '42', 'a runner runs');
is(as('trainer', 'SELECT rstar_build_pairs()'), 0, 'a trainer builds pairs');
like(as('librarian', q{SELECT rstar_model_create('small', 'rstar-policy', 1, 32, 2)}), qr/^\d+$/, 'a librarian makes a model');
like(as('librarian', q{SELECT rstar_model_import('x', '/etc/passwd')}), qr/permission denied to import a model/, 'and imports none');
is(as('librarian', q{SELECT rstar_model_drop('small', true)}), '', 'and drops it');
my $schedule = q{SELECT rstar_schedule('s', 'search_all', '1 day', '{"query": "SELECT problem_id FROM rstar.problems"}')};
like(as('scheduler', $schedule), qr/permission denied for function rstar_search_all/, 'a scheduler schedules nothing that it may not do');
is(run_kinds('postgres', scheduler => 'the planner', searcher => 'the planner'), 1, 'two kinds for one role');
like(as('planner', $schedule), qr/^\d+$/, 'who may search schedules searches');
is(as('planner', q{SELECT rstar_unschedule('s')}), 't', 'and stops it');
is(as('searcher', "SELECT rstar_delete_trees(tree_ids => ARRAY[$tree])"), 1, 'a searcher deletes its own');

my %beyond = (
	reader    => [ q{SELECT rstar_search('x')}, q{INSERT INTO rstar.problems (statement) VALUES ('x')} ],
	searcher  => [ q{SELECT rstar_run_python('1')}, q{SELECT rstar_train_policy('x')}, q{SELECT rstar_model_drop('rstar-policy')},
		q{UPDATE rstar.problems SET answer = 'x'}, q{DELETE FROM rstar.trees} ],
	trainer   => [ q{SELECT rstar_search('x')}, q{SELECT rstar_run_python('1')}, q{SELECT rstar_model_drop('rstar-policy')} ],
	runner    => [ q{SELECT count(*) FROM rstar.problems}, q{SELECT rstar_search('x')} ],
	scheduler => [ q{SELECT rstar_search('x')}, q{SELECT rstar_search_all('SELECT 1')} ],
	librarian => [ q{SELECT rstar_search('x')}, q{SELECT rstar_run_python('1')}, q{UPDATE rstar.models SET path = 'x'} ],
	stranger  => [ q{SELECT count(*) FROM rstar.problems}, q{SELECT rstar_active_searches()}, q{SELECT rstar_sandbox_info()} ]);
for my $kind (sort keys %beyond)
{
	like(as($kind, $_), qr/permission denied/, "$kind: not $_") for @{ $beyond{$kind} };
}

# Training shows to others no more than trees do.
$node->safe_psql('postgres', q{
	INSERT INTO rstar.training_runs (run_id, name, kind, base_id, base_sha256, query, settings, created_by)
	SELECT n, 'r' || n, 'policy', m.model_id, m.sha256, 'q', '{}', CASE n WHEN 1 THEN 'the trainer' ELSE 'postgres' END
	  FROM rstar.models m, generate_series(1, 2) n WHERE m.name = 'rstar-policy'});
is(as('trainer', q{SELECT string_agg(run_id::text, ' ') FROM rstar.training_runs}), '1', 'a trainer sees its own runs');
is(as('reader', q{SELECT count(*) FROM rstar.training_runs}), 0, 'others do not');

# --- elsewhere -------------------------------------------------------------------------------------

$node->safe_psql('postgres', 'CREATE DATABASE elsewhere');
my ($out, $err) = ('', '');
ok(!IPC::Run::run([ 'psql', '-X', '-d', $node->connstr('elsewhere'), '-f', source_path('sql/grants.sql') ], '>', \$out, '2>', \$err),
	'without the extension it fails');
like($err, qr/extension rstar is not installed/, 'and says why');
$node->safe_psql('elsewhere', 'CREATE SCHEMA "its own"; CREATE EXTENSION rstar SCHEMA "its own"');
ok(run_grants('elsewhere', 'searcher'), 'in a schema of its own');
is($node->safe_psql('elsewhere', q{SET search_path = "its own"; SELECT rstar_search('1 + 1', rollouts => 1, candidates => 1) > 0},
		extra_params => [ '-U', 'the searcher' ]), 't', 'a searcher searches');

done_testing();
