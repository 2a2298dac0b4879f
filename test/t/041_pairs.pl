# Preference pairs at the size of a round: in bounded time, cancelled without a
# trace, one call after another when two are made at once, pictures on a standby.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RstarTest;
use Test::More;
use Time::HiRes qw(time);

my $node = new_rstar_node('pairs', init => { allows_streaming => 1 });
my $trees = 2000;

# Every tree: 5 chains of 10 steps from the root, each to an answer, the first one wrong.
$node->safe_psql('postgres', qq{
	INSERT INTO rstar.problems (problem_id, statement, answer) SELECT i, 'Problem ' || i, '5' FROM generate_series(1, $trees / 2) i;
	INSERT INTO rstar.trees (tree_id, problem_id, method, settings, seed, status, reproducible, rollouts, nodes, generated_tokens,
		computed_tokens, python_steps, policy_ms, ppm_ms, sandbox_ms, started_at, finished_at)
	SELECT i, 1 + i % ($trees / 2), 'mcts', '{}', 0, 'done', true, 5, 56, 1, 1, 1, 0, 0, 0, now(), now() FROM generate_series(1, $trees) i;
	INSERT INTO rstar.nodes (tree_id, node_id, parent_id, depth, rollout, kind, status, rejected, expanded, text, answer, correct, visits,
		value_sum, logprob, tokens, duplicates)
	SELECT t, k, CASE WHEN k = 0 THEN NULL WHEN k <= 5 THEN 0 ELSE k - 5 END, (k + 4) / 5, 0,
	       CASE WHEN k = 0 THEN 'root' WHEN k > 50 THEN 'answer' ELSE 'step' END, 'ok', false, true,
	       CASE WHEN k = 0 THEN '' ELSE md5(k::text || t) END, CASE WHEN k > 50 THEN '5' END, CASE WHEN k > 50 THEN k % 5 <> 1 END,
	       1, CASE WHEN k % 5 <> 1 THEN 1 ELSE -1 END, -1, 5, 0
	  FROM generate_series(1, $trees) t, generate_series(0, 55) k;
	INSERT INTO rstar.trajectories (tree_id, leaf_id, steps, answer, correct, mean_q, min_q, score, solution)
	SELECT l.tree_id, l.node_id, 11, '5', l.correct, avg(n.q), min(n.q), 0, string_agg(n.text, '' ORDER BY n.node_id)
	  FROM rstar.nodes l JOIN rstar.nodes n ON n.tree_id = l.tree_id AND n.node_id % 5 = l.node_id % 5 AND n.node_id > 0
	 WHERE l.kind = 'answer' GROUP BY l.tree_id, l.node_id, l.correct;
});

# Cancelled in the middle: an error, and no pair.
my ($rc, $out, $err) = $node->psql('postgres', "SET statement_timeout = '300ms'; SELECT rstar_build_pairs()");
like($err, qr/canceling statement due to statement timeout/, 'building pairs can be cancelled');
is($node->safe_psql('postgres', 'SELECT count(*) FROM rstar.preference_pairs'), 0, 'and leaves none');

# Two at once: the second waits, sees what the first wrote, and writes nothing.
my $pairs = 4 * $trees + 4 * $trees / 2;
my $first = $node->background_psql('postgres');
my ($second_out, $second_err) = ('', '');
$first->query_safe('BEGIN');
is($first->query_safe('SELECT rstar_build_pairs()'), $pairs, 'one against four, for each tree and each problem');
my $second = IPC::Run::start([ 'psql', '-XAt', '-c', 'SELECT rstar_build_pairs()', $node->connstr('postgres') ],
	'>', \$second_out, '2>', \$second_err);
ok(wait_until($node, q{SELECT count(*) = 1 FROM pg_locks WHERE NOT granted AND relation = 'rstar.preference_pairs'::regclass}),
	'a second call waits for the first');
$first->query_safe('COMMIT');
$second->finish;
is($second_out . $second_err, "0\n", 'and has nothing to write');
$first->quit;

$node->safe_psql('postgres', 'TRUNCATE rstar.preference_pairs');
my $begin = time;
$node->safe_psql('postgres', 'SELECT rstar_build_pairs()');
is($node->safe_psql('postgres', 'SELECT count(*) FROM rstar.preference_pairs'), $pairs, 'built again after they were removed');
is($node->safe_psql('postgres', 'SELECT sum(weight) FROM rstar.preference_pairs'), $trees + $trees / 2, 'a weight of 1 for each');
note sprintf 'pairs of %d trees: %.1f s', $trees, time - $begin;

# The views, as a whole and for one problem.
$begin = time;
is($node->safe_psql('postgres', 'SELECT count(solution) FROM rstar.sft_training'), $trees, 'two trajectories for each problem');
note sprintf 'sft_training of %d trajectories: %.2f s', 5 * $trees, time - $begin;
$begin = time;
is($node->safe_psql('postgres', 'SELECT count(chosen || rejected || prefix) FROM rstar.ppm_training'), 6 * $trees, 'every pair has its texts');
note sprintf 'ppm_training of %d pairs: %.2f s', 6 * $trees, time - $begin;

# Pictures need no write: they work on a standby and in read-only transactions.
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is($standby->safe_psql('postgres', 'SELECT md5(rstar_tree_svg(7)) || md5(rstar_tree_text(7))'),
	$node->safe_psql('postgres', 'SELECT md5(rstar_tree_svg(7)) || md5(rstar_tree_text(7))'), 'pictures on a standby');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM rstar_select_trajectories()'), $trees, 'and the selection');
like(error_of($standby, 'SELECT rstar_build_pairs()'), qr/read-only|recovery/, 'pairs are not built there');

$standby->stop;
$node->stop;
done_testing();
