# A tree is a function of its row: the same with any number of threads, whatever
# is searched beside it, after evictions, by replay, and when a search is
# continued in another session, another server process, another day.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IPC::Run qw(start);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RstarTest;
use Test::More;

my $node = new_rstar_node('same_tree', conf => "rstar.threads = 2\n");

$node->safe_psql('postgres', <<'SQL');
INSERT INTO rstar.problems (statement, answer) VALUES
	('Solve 5*b + 7 = 2*b - 20 for b.', '-9'),
	('What is the remainder when 371 is divided by 48?', '35'),
	('Let f(x) = 3*x**2 - 4*x + 1. What is f(5)?', '56'),
	('Sort 4, -3, 11, 0 in ascending order.', '-3, 0, 4, 11'),
	('Two letters picked without replacement from {a: 3, b: 4}. What is prob of picking 2 b?', '2/7'),
	('Expand (2*t - 1)*(t + 5).', '2*t**2 + 9*t - 5');
SQL

# Everything of a tree but what a clock measures, as one row for the tree and one for each node.
my $rows = <<'SQL';
SELECT t.problem_id, -1 AS node_id, (t.rollouts, t.seed, t.answer, t.answer_id, t.correct, t.first_correct_rollout, t.reproducible)::text AS row
  FROM rstar.trees t WHERE t.tree_id IN (%1$s)
UNION ALL
SELECT t.problem_id, n.node_id, (n.parent_id, n.depth, n.rollout, n.kind, n.status, n.rejected, n.expanded, n.text, n.output,
                                 n.answer, n.correct, n.visits, n.value_sum, n.logprob, n.tokens, n.duplicates)::text
  FROM rstar.trees t JOIN rstar.nodes n USING (tree_id) WHERE t.tree_id IN (%1$s)
SQL

sub trees
{
	my ($ids) = @_;

	return $node->safe_psql('postgres',
		sprintf("SELECT problem_id, md5(string_agg(row, '|' ORDER BY node_id)) FROM ($rows) r GROUP BY 1 ORDER BY 1", $ids));
}

# The trees are those that were expected; the rows that differ are shown if not.
sub same_trees
{
	my ($ids, $expected_ids, $what) = @_;

	return 1 if is(trees($ids), trees($expected_ids), $what);
	my ($got, $expected) = map { sprintf $rows, $_ } $ids, $expected_ids;
	diag($node->safe_psql('postgres', <<"SQL"));
SELECT 'got', * FROM ($got EXCEPT ALL ($expected)) a UNION ALL SELECT 'expected', * FROM ($expected EXCEPT ALL ($got)) b ORDER BY 2, 3, 1
SQL
	return 0;
}

# Search every problem after the settings; the trees' numbers.
sub search
{
	my ($settings, $call) = @_;

	$call //= 'SELECT rstar_search(problem_id) FROM rstar.problems ORDER BY problem_id';
	return join ',', split /\n/, $node->safe_psql('postgres', "$settings; $call");
}

# Hot, since the built-in policy is too sure of itself to branch much otherwise.
my $sampling = 'SET rstar.candidates = 12; SET rstar.search_temperature = 1.6';
my $options = "SET rstar.rollouts = 6; $sampling";
my $first = search("$options; SET rstar.threads = 1");
my $expected = trees($first);

is(() = $expected =~ /\n/g, 5, 'six trees');
cmp_ok($node->safe_psql('postgres', "SELECT sum(nodes) FROM rstar.trees WHERE tree_id IN ($first)"),
	'>', 60, 'they have branches');
cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM rstar.nodes WHERE tree_id IN ($first) AND rejected"),
	'>', 3, 'and rejected candidates');

same_trees(search($options), $first, 'the same with two threads');
for my $n (2, 6)
{
	same_trees(search("$options; SET rstar.side_by_side = $n",
			'SELECT tree_id FROM rstar_search((SELECT array_agg(problem_id ORDER BY problem_id) FROM rstar.problems))'),
		$first, "the same with $n problems side by side");
}
same_trees(search("$options; SET rstar.sandbox_mode = 'replay'"), $first, 'the same when states are rebuilt for every step');

# What does not fit the smallest cache is dropped and computed again.
my $evicted = search("$options; SET rstar.kv_cache = '1MB'");
my $computed = 'SELECT sum(computed_tokens) FROM rstar.trees WHERE tree_id IN';
same_trees($evicted, $first, 'the same with the smallest cache');
cmp_ok($node->safe_psql('postgres', "$computed ($evicted)"), '>',
	$node->safe_psql('postgres', "$computed ($first)"), '… which dropped some of it');

# Two sessions at once.
my $ids = "SELECT string_agg(rstar_search(problem_id)::text, ',') FROM rstar.problems";
my @out = ('', '');
my @running = map {
	start [ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', $options, '-c', $ids ], '>', \$out[$_]
} 0 .. 1;
for my $i (0 .. 1)
{
	ok($running[$i]->finish, 'a session beside another searches');
	same_trees($out[$i], $first, '… and makes the same trees');
}

# Continued twice, with a restart of the server between.
my $short = search("$sampling; SET rstar.rollouts = 1");
isnt(trees($short), $expected, 'fewer rollouts give another tree');
$node->safe_psql('postgres', "SELECT rstar_continue(tree_id, 2) FROM rstar.trees WHERE tree_id IN ($short)");
$node->restart;
$node->safe_psql('postgres', "SELECT rstar_continue(tree_id, 3) FROM rstar.trees WHERE tree_id IN ($short)");
same_trees($short, $first, 'continued after a restart it is what an uninterrupted search gives');

# With other kernels it may differ, and says so.
my $tree = search('SET rstar.rollouts = 1', 'SELECT rstar_search(min(problem_id)) FROM rstar.problems');
my $reproducible = "SELECT reproducible FROM rstar.trees WHERE tree_id = $tree";
is($node->safe_psql('postgres', $reproducible), 't', 'a tree is reproducible');
$node->safe_psql('postgres', "SET rstar.kv_type = 'f32'; SELECT rstar_continue($tree, 1)");
is($node->safe_psql('postgres', $reproducible), 'f', 'but not when it was continued with another arithmetic');

$node->stop;
done_testing();
