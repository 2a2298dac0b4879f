# A farm: independent servers search, and one collects what they found: from one of them by logical
# replication, from another by postgres_fdw. Ranges of numbers keep the trees apart.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Copy qw(copy);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RstarTest;
use RstarWorkers;
use Test::More;

my %options = (init => { allows_streaming => 'logical' },
	conf => "max_worker_processes = 20\nmax_replication_slots = 10\nmax_wal_senders = 10\n");
my $center = new_rstar_node('center', %options);
my @farm = map { new_worker_node("farm$_", %options) } 1 .. 2;

sub script
{
	my ($node, $name, @variables) = @_;
	my ($out, $err) = ('', '');
	my $ok = IPC::Run::run([ 'psql', '-X', (map { ('-v', $_) } @variables), '-d', $node->connstr('postgres'), '-f', source_path("sql/$name") ],
		'>', \$out, '2>', \$err);

	return ($ok, $out, $err);
}

# --- numbers ------------------------------------------------------------------------------

for my $i (0 .. 1)
{
	my ($ok, $out, $err) = script($farm[$i], 'number_range.sql', 'server=' . ($i + 1));
	ok($ok && $err eq '', 'farm ' . ($i + 1) . ' has a range of numbers') or diag $err;
	is($farm[$i]->safe_psql('postgres', q{SELECT nextval('rstar.trees_tree_id_seq') >> 48}), $i + 1, '… its trees count there');
}
my ($ok, $out, $err) = script($farm[0], 'number_range.sql', 'server=1');
ok($ok, 'the script can be run again');
($ok, $out, $err) = script($farm[0], 'number_range.sql', 'server=2');
ok(!$ok && $err =~ /counts in the range of server 1/, 'but a server keeps its range');
($ok, $out, $err) = script($farm[0], 'number_range.sql', 'server=32767');
ok(!$ok && $err =~ /server must lie between 0 and 32766, not 32767/, 'of which there are so many');

# --- problems and models go out --------------------------------------------------------------

my $filter = $center->pg_version >= 15;
my $models = $filter ? ', rstar.models WHERE (model_id >= 1000)' : '';
$center->safe_psql('postgres', "CREATE PUBLICATION rstar_work FOR TABLE rstar.problems, rstar.verifiers$models");
add_problems($center, 40);
for my $node (@farm)
{
	$node->safe_psql('postgres', sprintf q{CREATE SUBSCRIPTION %s_work CONNECTION '%s' PUBLICATION rstar_work},
		$node->name, $center->connstr . ' dbname=postgres');
	$node->wait_for_subscription_sync($center, $node->name . '_work');
	is($node->safe_psql('postgres', 'SELECT count(*) FROM rstar.problems'), 40, $node->name . ' has the problems');
}
SKIP:
{
	skip 'publications have no row filters before PostgreSQL 15', 3 unless $filter;
	add_model($center, 'ours', model_bytes(layers => 1, ff => 64));
	for my $node (@farm)
	{
		$center->wait_for_catchup($node->name . '_work');
		is($node->safe_psql('postgres', q{SELECT count(*) FROM rstar.models WHERE name = 'ours' AND model_id >= 1000}), 1,
			$node->name . ' hears of a new model');
	}
	is($center->safe_psql('postgres', q{SELECT rstar_model_drop('ours')}), '', 'and the center can drop it');
}

# --- searches ----------------------------------------------------------------------------------

# Each takes its share of the problems.
for my $i (0 .. 1)
{
	my $job = $farm[$i]->safe_psql('postgres',
		"SELECT rstar_search_all('SELECT problem_id FROM rstar.problems WHERE problem_id % 2 = $i', rollouts => 2, nice => 0)");
	is(wait_for_job($farm[$i], $job), 'done', $farm[$i]->name . ' searches its share');
}

# --- trees come in -------------------------------------------------------------------------------

$farm[0]->safe_psql('postgres', 'CREATE PUBLICATION rstar_trees FOR TABLE rstar.trees, rstar.nodes, rstar.trajectories');
$center->safe_psql('postgres', sprintf q{CREATE SUBSCRIPTION from_farm1 CONNECTION '%s' PUBLICATION rstar_trees}, $farm[0]->connstr . ' dbname=postgres');
$center->wait_for_subscription_sync($farm[0], 'from_farm1');
is($center->safe_psql('postgres', 'SELECT count(*), count(DISTINCT problem_id), min(tree_id >> 48), max(tree_id >> 48) FROM rstar.trees'),
	'20|20|1|1', 'the trees of one by logical replication');

my ($host, $port) = ($farm[1]->host, $farm[1]->port);
$center->safe_psql('postgres', qq{
	CREATE EXTENSION postgres_fdw;
	CREATE SERVER farm2 FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$host', port '$port', dbname 'postgres', fetch_size '1000');
	CREATE USER MAPPING FOR CURRENT_USER SERVER farm2;
	CREATE SCHEMA farm2;
	IMPORT FOREIGN SCHEMA rstar LIMIT TO (trees, nodes, trajectories) FROM SERVER farm2 INTO farm2});
($ok, $out, $err) = script($center, 'collect.sql', 'from=farm2');
ok($ok && $err =~ /20 trees fetched from farm2/, 'those of the other by postgres_fdw') or diag $err;
($ok, $out, $err) = script($center, 'collect.sql', 'from=farm2');
ok($ok && $err =~ / 0 trees fetched/, 'which fetches what is new only') or diag $err;

my $sums = q{SELECT count(*), md5(string_agg(t::text, ',' ORDER BY tree_id)) FROM rstar.trees t WHERE tree_id >> 48 = %1$d
	UNION ALL SELECT count(*), md5(string_agg(n::text, ',' ORDER BY tree_id, node_id)) FROM rstar.nodes n WHERE tree_id >> 48 = %1$d
	UNION ALL SELECT count(*), md5(string_agg(j::text, ',' ORDER BY tree_id, leaf_id)) FROM rstar.trajectories j WHERE tree_id >> 48 = %1$d};
for my $i (1 .. 2)
{
	my $sql = sprintf $sums, $i;
	is($center->safe_psql('postgres', $sql), $farm[$i - 1]->safe_psql('postgres', $sql), "trees of farm $i came whole");
}

# --- work on the whole ------------------------------------------------------------------------------

is($center->safe_psql('postgres', 'SELECT trees, problems FROM rstar.search_cost'), '40|40', 'reports see them all');
my $tree = $farm[1]->safe_psql('postgres', 'SELECT min(tree_id) FROM rstar.trees');
is($center->safe_psql('postgres', "SELECT rstar_tree_text($tree)"), $farm[1]->safe_psql('postgres', "SELECT rstar_tree_text($tree)"),
	'a tree looks the same on both');
cmp_ok($center->safe_psql('postgres', 'SELECT rstar_build_pairs(pair_min_margin => 0, pair_min_edit => 1)'), '>=', 0, 'pairs are built of all');
cmp_ok($center->safe_psql('postgres', q{SELECT rstar_search(min(problem_id)) FROM rstar.problems}), '<', 1 << 48, 'and the center numbers its own apart');

# What goes on there follows: a tree with more rollouts, a tree that is deleted.
$tree = $farm[0]->safe_psql('postgres', 'SELECT min(tree_id) FROM rstar.trees');
my $other = $farm[0]->safe_psql('postgres', 'SELECT max(tree_id) FROM rstar.trees');
$farm[0]->safe_psql('postgres', "SELECT rstar_continue($tree, 2); SELECT rstar_delete_trees(tree_ids => ARRAY[$other])");
$farm[0]->wait_for_catchup('from_farm1');
is($center->safe_psql('postgres', sprintf $sums, 1), $farm[0]->safe_psql('postgres', sprintf $sums, 1), 'replication follows changes and deletions');

# A model that only the farm has: its trees come without, and stop nothing.
add_model($farm[1], 'theirs', model_bytes(layers => 1, ff => 64));
$tree = $farm[1]->safe_psql('postgres', q{SELECT rstar_search(min(problem_id), model => 'theirs', candidates => 2, rollouts => 1) FROM rstar.problems});
($ok, $out, $err) = script($center, 'collect.sql', 'from=farm2');
ok($ok && $err =~ / 1 trees fetched/, 'a tree by a model of the farm is fetched') or diag $err;
is($center->safe_psql('postgres', "SELECT policy_id IS NULL, settings->>'policy' FROM rstar.trees WHERE tree_id = $tree"), 't|theirs', '… with its name, without its number');

$center->safe_psql('postgres', 'DROP SUBSCRIPTION from_farm1');
$_->safe_psql('postgres', sprintf 'DROP SUBSCRIPTION %s_work', $_->name) for @farm;
$_->stop for @farm, $center;
done_testing();
