# pg_dump and restore into a fresh database: rows come back, what the extension
# brought itself does not come twice, and numbering goes on where it stood.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RstarTest;
use Test::More;

my $node = new_rstar_node('dump');
my $bytes = source_path('test/fixtures/bytes.gguf');
my $dump = $node->basedir . '/dump.sql';

# A name that needs quoting, text that COPY must escape, a superuser's and a user's things.
$node->safe_psql('postgres', qq{
	SELECT rstar_model_import('bytes', '$bytes', 'vocabulary', NULL, E'\\\\frac{1}{2}\\t{problem}\\n');
	SELECT rstar_model_create('it''s "odd" \\', 'bytes', 1, 32, 2, defaults => '{"temperature": 0.5}');
	SELECT rstar_model_create('tiny', 'bytes', 1, 32, 2, seed => 3);
	SELECT rstar_model_quantize('tiny', 'small', 'q8_0');
	SELECT rstar_model_quantize('rstar-policy', 'child', 'F16');
});

# Trees, with everything that hangs on them.
$node->safe_psql('postgres', q{
	INSERT INTO rstar.problems (statement, answer, tags) VALUES (E'\\\\frac{1}{2} of\t10?\n', '5', '{"a": [1, "\\\\"]}');
	SELECT rstar_search('Solve 5*b + 7 = 2*b - 20 for b.', '-9', candidates => 8, rollouts => 6);
	SELECT rstar_search('Solve 3*x + 5 = 20 for x.', NULL, rollouts => 2);
	INSERT INTO rstar.preference_pairs
		SELECT a.tree_id, a.node_id, b.tree_id, b.node_id, 0, 'step', 0.5, 1
		  FROM rstar.nodes a JOIN rstar.nodes b ON b.tree_id = a.tree_id AND b.node_id = 2 WHERE a.node_id = 1 AND a.tree_id = 1;
});
my @tables = qw(problems trees nodes trajectories preference_pairs);
sub rows
{
	my ($database) = @_;

	return join "\n", map { $node->safe_psql($database, "SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM rstar.$_ t") } @tables;
}
my $rows = rows('postgres');
like($rows, qr/^3\|.*\n2\|.*\n\d\d+\|.*\n[1-9]/, 'there is something to dump');
my $all = q{SELECT * FROM rstar.models WHERE NOT builtin ORDER BY model_id};
my $before = $node->safe_psql('postgres', $all);
my $text = $node->safe_psql('postgres', q{SELECT rstar_generate('x', 'tiny', max_tokens => 8)});

my ($out, $err) = run_command([ 'pg_dump', '-f', $dump, $node->connstr('postgres') ]);
is($err, '', 'pg_dump has nothing to say');
unlike(slurp_file($dump), qr/^\d+\trstar-/m, 'what the extension brings is not in the dump');

$node->safe_psql('postgres', 'CREATE DATABASE restored TEMPLATE template0');
$node->command_ok(
	[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, $node->connstr('restored') ],
	'the dump restores without an error');
is($node->safe_psql('restored', $all), $before, 'every row is back, byte for byte');
is($node->safe_psql('restored', q{SELECT rstar_generate('x', 'tiny', max_tokens => 8)}),
	$text, 'and the models work, since both databases share the directory');

# Afterwards ids go on behind those restored.
cmp_ok($node->safe_psql('restored', q{SELECT rstar_model_create('later', 'bytes', 1, 32, 2)}),
	'>', 1004, 'inserts afterwards get ids of their own');
my $own = q{SELECT * FROM rstar.models WHERE model_id < 1000 ORDER BY model_id};
is( $node->safe_psql('restored', $own =~ s/\*/model_id, name, sha256, builtin/r),
	$node->safe_psql('postgres', $own =~ s/\*/model_id, name, sha256, builtin/r),
	'the extension has brought its own models, with the same numbers');
is($node->safe_psql('restored', q{SELECT rstar_solve('Solve 3*x + 5 = 20 for x.')}), '5', 'which solve as before');
is($node->safe_psql('restored', q{SELECT parent_id FROM rstar.models WHERE name = 'child'}), '1', 'and are what they were to others');

is(rows('restored'), $rows, 'problems, trees, nodes, trajectories and pairs are back');
is($node->safe_psql('restored', q{SELECT rstar_continue(1, 2)}), '1', 'a restored tree can be continued');
$node->safe_psql('postgres', q{SELECT rstar_continue(1, 2)});
my $nodes = q{SELECT md5(string_agg((n.node_id, n.parent_id, n.text, n.visits, n.value_sum)::text, '|' ORDER BY node_id)) FROM rstar.nodes n WHERE tree_id = 1};
is($node->safe_psql('restored', $nodes), $node->safe_psql('postgres', $nodes), '… as where it came from');
is($node->safe_psql('restored', q{SELECT rstar_search('1 + 1', '2', rollouts => 1)}), '3', 'new trees get numbers of their own');
is($node->safe_psql('restored', q{SELECT max(problem_id) FROM rstar.problems}), '4', 'and so do new problems');

# As a directory, dumped in parallel. (Restored in one job: see the README.)
my $archive = $node->basedir . '/dump.dir';
$node->command_ok([ 'pg_dump', '-Fd', '-j2', '-f', $archive, $node->connstr('postgres') ], 'dumped as a directory');
$node->safe_psql('postgres', 'CREATE DATABASE again TEMPLATE template0');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('again'), $archive ], '… and restored');
is($node->safe_psql('again', $all), $before, 'to the same rows');
is($node->safe_psql('again', 'SELECT count(*) FROM rstar.nodes'), $node->safe_psql('postgres', 'SELECT count(*) FROM rstar.nodes WHERE tree_id < 3'),
	'… of trees as well');
# An archive does not say which data must come first, and keys between the tables of an extension
# are there from the start: in parallel they have to be held off (README, Backup and restore).
$node->safe_psql('postgres', 'CREATE DATABASE parallel TEMPLATE template0');
{
	local $ENV{PGOPTIONS} = '-c session_replication_role=replica';
	$node->command_ok([ 'pg_restore', '--exit-on-error', '-j2', '-d', $node->connstr('parallel'), $archive ], '… and in parallel');
}
is($node->safe_psql('parallel', $all), $before, 'to the same rows');
is(rows('parallel'), rows('again'), '… of trees as well');

# A database that is not UTF8 is refused, with a hint, and nothing stays.
$node->safe_psql('postgres', q{CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'});
my ($rc, $stdout, $stderr) = $node->psql('latin', 'CREATE EXTENSION rstar');
like($stderr, qr/rstar needs a database with encoding UTF8.*DETAIL:.*LATIN1.*HINT:.*TEMPLATE template0/s,
	'another encoding is refused with a hint');
is($node->safe_psql('latin', q{SELECT count(*) FROM pg_namespace WHERE nspname = 'rstar'}), 0, 'and leaves nothing');

# In a schema of its own everything works as well.
$node->safe_psql('postgres', 'CREATE DATABASE apart TEMPLATE template0');
$node->safe_psql('apart', "CREATE SCHEMA ext; CREATE EXTENSION rstar SCHEMA ext;
	SELECT ext.rstar_model_import('bytes', '$bytes', 'vocabulary')");
is($node->safe_psql('apart', q{SELECT ext.rstar_tokenize('ab', 'bytes')}), '{97,98}', 'another schema for the functions');

$node->stop;
done_testing();
