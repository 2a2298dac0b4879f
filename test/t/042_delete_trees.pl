# Deleting trees: what stays is not looked at, a cancel is heard, and nothing is
# deleted by halves.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RstarTest;
use Test::More;
use Time::HiRes qw(time);

my $node = new_rstar_node('delete_trees');
my @tables = qw(trees nodes trajectories preference_pairs);

# 2,000 trees of 50 nodes, 10 of them of round 1; each is paired with another.
$node->safe_psql('postgres', q{
	INSERT INTO rstar.problems (problem_id, statement) VALUES (1, 'p');
	INSERT INTO rstar.trees (tree_id, problem_id, round_id, method, settings, seed, status, reproducible, rollouts, nodes,
	                         generated_tokens, computed_tokens, python_steps, policy_ms, ppm_ms, sandbox_ms, started_at, finished_at)
	SELECT t, 1, CASE WHEN t <= 10 THEN 1 ELSE 2 END, 'mcts', '{}', 0, 'done', true, 8, 50, 0, 0, 0, 0, 0, 0, now(),
	       now() - t * interval '1 hour'
	  FROM generate_series(1, 2000) t;
	INSERT INTO rstar.nodes (tree_id, node_id, parent_id, depth, rollout, kind, status, rejected, expanded, text, visits, value_sum,
	                         logprob, tokens, duplicates)
	SELECT t, n, NULLIF(n, 0) - 1, n, 0, CASE n WHEN 0 THEN 'root' ELSE 'step' END, 'ok', false, true, repeat('x', 100), 1, 0, 0, 1, 0
	  FROM generate_series(1, 2000) t, generate_series(0, 49) n;
	INSERT INTO rstar.trajectories (tree_id, leaf_id, steps, answer, mean_q, min_q, score, solution)
	SELECT t, n, 5, '5', 1, 1, 1, repeat('y', 100) FROM generate_series(1, 2000) t, generate_series(45, 49) n;
	INSERT INTO rstar.preference_pairs SELECT t, n, 2001 - t, n, NULL, 'answer', 1, 1
	  FROM generate_series(1, 2000) t, generate_series(40, 44) n});
$node->safe_psql('postgres', 'ANALYZE rstar.trees, rstar.nodes, rstar.trajectories, rstar.preference_pairs');

# Rows that sequential scans have read so far, of all four tables.
sub rows_scanned
{
	return $node->safe_psql('postgres', q{SELECT pg_stat_force_next_flush()})
	  . $node->safe_psql('postgres', q{SELECT sum(seq_tup_read) FROM pg_stat_user_tables
		WHERE schemaname = 'rstar' AND relname IN ('trees', 'nodes', 'trajectories', 'preference_pairs')});
}

sub counts
{
	return join ' ', map { $node->safe_psql('postgres', "SELECT count(*) FROM rstar.$_") } @tables;
}

for my $way ([ 'round_id => 1', 10 ], [ q{older_than => '1991 hours'}, 10 ], [ q{tree_ids => '{500, 501}'}, 2 ])
{
	my ($condition, $deleted) = @$way;
	my $before = rows_scanned();

	# Several in a session: a plan that is kept must not read it all either.
	is($node->safe_psql('postgres', join(';', ("BEGIN; SELECT rstar_delete_trees($condition); ROLLBACK") x 8)
			. "; SELECT rstar_delete_trees($condition)"), join("\n", ($deleted) x 9), "$condition deletes as many");
	is(rows_scanned(), $before, 'and reads no row of others');
}
# Trees 1 to 10 and 1991 to 2000 were each other's partners in pairs, 500 was 1501's, 501 1500's.
is(counts(), '1978 98900 9890 9880', 'rows of the others stay, pairs with them go');

# --- cancelled --------------------------------------------------------------------------------

# Deleting 1,978 trees takes a second or so.
my $began = time;
my (undef, undef, $error) = $node->psql('postgres', q{SET statement_timeout = '100ms'; SELECT rstar_delete_trees(older_than => '0')});
my $took = time - $began;

like($error, qr/canceling statement due to statement timeout/, 'cancelled');
cmp_ok($took, '<', 1.5, "within moments ($took s with the connection)");
is(counts(), '1978 98900 9890 9880', 'and all of it is there');
is($node->safe_psql('postgres', q{SELECT rstar_delete_trees(older_than => '0')}), 1978, 'once more, to the end');
is(counts(), '0 0 0 0', 'nothing is left');

done_testing();
