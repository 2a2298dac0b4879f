# Evaluations: searches in the background, counted problem by problem.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RstarTest;
use RstarWorkers;

my $node = new_worker_node('evaluate');

$node->safe_psql('postgres', <<~'SQL');
	INSERT INTO rstar.problems (problem_id, statement, answer)
	SELECT i, format('Calculate %s + %s.', i, 2 * i), CASE WHEN i = 12 THEN '-1' ELSE (3 * i)::text END
	  FROM generate_series(1, 12) i;
	INSERT INTO rstar.problems (problem_id, statement, answer) VALUES (13, 'Is 7 a prime number?', 'True'), (14, 'What is 2 + 9?', NULL);
	SQL

sub evaluate
{
	my ($arguments) = @_;
	my $id = $node->safe_psql('postgres', "SELECT rstar_evaluate($arguments)");
	my $status = $node->safe_psql('postgres',
		"SELECT rstar_wait(job_id, '100 s') FROM rstar.evaluations WHERE evaluation_id = $id");

	is($status, 'done', "evaluated: $arguments");
	return $id;
}

# --- what is counted -----------------------------------------------------------------

my $query = q{'SELECT problem_id FROM rstar.problems WHERE answer IS NOT NULL'};
my $mcts = evaluate("'tree search', $query, rollouts => 4, trees => 2, candidates => 4, temperature => 1.3");

is($node->safe_psql('postgres', "SELECT status, finished_at IS NOT NULL, rollouts, cardinality(search_jobs), greedy_job IS NOT NULL FROM rstar.evaluations WHERE evaluation_id = $mcts"),
	'done|t|8|3|t', 'the evaluation is done: a greedy search and two trees');
is($node->safe_psql('postgres', "SELECT count(*), bool_and(counted), count(*) FILTER (WHERE closed) FROM rstar.evaluation_problems WHERE evaluation_id = $mcts"),
	'13|t|1', 'all problems are counted, one of them closed');
is($node->safe_psql('postgres', "SELECT string_agg(DISTINCT k::text, ' ' ORDER BY k::text) FROM rstar.evaluation_answers WHERE evaluation_id = $mcts AND measure <> 'greedy'"),
	'1 2 4 8', 'k is each power of two up to the rollouts of all trees');

# pass by rollout, once more from the tables
my $pass = <<~"SQL";
	WITH tree AS (
	    SELECT i.problem_id, t.tree_id, sum(t.rollouts) OVER (PARTITION BY i.problem_id ORDER BY i.job_id) - t.rollouts AS before
	      FROM rstar.evaluations e JOIN rstar.job_items i ON i.job_id = ANY (e.search_jobs) AND i.job_id <> e.greedy_job
	      JOIN rstar.trees t USING (tree_id) WHERE e.evaluation_id = $mcts),
	counted AS (
	    SELECT a.problem_id, a.k, a.value,
	           (EXISTS (SELECT FROM tree t JOIN rstar.trajectories j USING (tree_id) JOIN rstar.nodes n ON n.tree_id = j.tree_id AND n.node_id = j.leaf_id
	                     WHERE t.problem_id = a.problem_id AND j.correct AND t.before + n.rollout < a.k))::int AS expected,
	           a.tokens, (SELECT sum(n.tokens) FROM tree t JOIN rstar.nodes n USING (tree_id)
	                       WHERE t.problem_id = a.problem_id AND t.before + n.rollout < a.k) AS expected_tokens
	      FROM rstar.evaluation_answers a WHERE a.evaluation_id = $mcts AND a.measure = 'pass' AND a.per = 'rollout')
	SELECT count(*), count(*) FILTER (WHERE value <> expected), count(*) FILTER (WHERE tokens <> expected_tokens) FROM counted
	SQL
is($node->safe_psql('postgres', $pass), '52|0|0', 'pass@k and tokens are those of the first k rollouts');
is($node->safe_psql('postgres', <<~"SQL"), '0', 'pass@k never falls with k; no choice is right where none of the answers is');
	SELECT count(*) FROM rstar.evaluation_answers a JOIN rstar.evaluation_answers b USING (evaluation_id, problem_id, per, k)
	 WHERE evaluation_id = $mcts AND a.measure = 'pass' AND b.measure IN ('best', 'majority', 'weighted', 'mean') AND b.value > a.value
	SQL
is($node->safe_psql('postgres', "SELECT value FROM rstar.evaluation_answers WHERE evaluation_id = $mcts AND problem_id = 12 AND measure = 'majority' AND per = 'rollout' AND k = 8"),
	'0', 'an answer that is not the known one is wrong');
is($node->safe_psql('postgres', "SELECT DISTINCT t.settings->>'known_answer', t.settings->>'guidance' FROM rstar.trees t JOIN rstar.job_items i USING (tree_id) JOIN rstar.evaluations e ON i.job_id = ANY (e.search_jobs) WHERE evaluation_id = $mcts"),
	'false|0', 'the known answers did not guide the searches');

# --- summary and comparison --------------------------------------------------------------

my $greedy = evaluate("'greedy', $query, method => 'greedy'");

is($node->safe_psql('postgres', "SELECT problems, low < value AND value < high, value_closed IS NOT NULL FROM rstar.evaluation_summary WHERE name = 'tree search' AND measure = 'pass' AND per = 'rollout' AND k = 8"),
	'13|t|t', 'the summary has a confidence interval, and closed problems apart');
is($node->safe_psql('postgres', "SELECT problems, won + lost + both_right + both_wrong, p_value BETWEEN 0 AND 1 FROM rstar_compare($mcts, $greedy)"),
	'13|13|t', 'two evaluations are compared at the greatest k that both have');
is($node->safe_psql('postgres', 'SELECT round(rstar_paired_test(9, 1)::numeric, 6), rstar_paired_test(0, 0), round(low::numeric, 6), round(high::numeric, 6) FROM rstar_proportion_interval(8, 10)'),
	'0.021484|1|0.490162|0.943318', 'the statistics behind it');

# --- what is refused -----------------------------------------------------------------------

like(error_of($node, "SELECT rstar_evaluate('greedy', $query)"), qr/evaluation "greedy" exists already/, 'a name is taken once');
like(error_of($node, q{SELECT rstar_evaluate('x', 'SELECT problem_id FROM rstar.problems')}), qr/problem 14 has no known answer/, 'a problem without a known answer');
like(error_of($node, q{SELECT rstar_evaluate('x', 'SELECT 1::bigint WHERE false')}), qr/returns no problems/, 'no problems');
like(error_of($node, q{SELECT rstar_evaluate('x', 'DELETE FROM rstar.problems RETURNING problem_id')}), qr/SELECT/, 'a query that is no SELECT');
like(error_of($node, "SELECT rstar_evaluate(NULL, $query)"), qr/argument "name" must not be NULL/, 'no name');
like(error_of($node, "SELECT rstar_evaluate('x', $query, trees => 0)"), qr/"trees" must be between 1 and 256/, 'no trees');
like(error_of($node, "SELECT rstar_evaluate('x', $query, rollouts => 0)"), qr/outside the valid range/, 'no rollouts');
like(error_of($node, 'SELECT rstar_paired_test(-1, 0)'), qr/must not be negative/, 'a negative number of problems');
is($node->safe_psql('postgres', 'SELECT count(*) FROM rstar.evaluations'), '2', 'nothing is left of what was refused');

# --- who sees it --------------------------------------------------------------------------------

$node->safe_psql('postgres', <<~'SQL');
	CREATE ROLE analyst;
	GRANT USAGE ON SCHEMA rstar TO analyst;
	GRANT SELECT ON rstar.evaluations, rstar.evaluation_answers, rstar.evaluation_problems TO analyst;
	SQL
is($node->safe_psql('postgres', 'SET ROLE analyst; SELECT count(*) FROM rstar.evaluations; SELECT count(*) FROM rstar.evaluation_answers'),
	"0\n0", 'a role sees its own evaluations only');
like(error_of($node, "SET ROLE analyst; SELECT rstar_evaluate('x', $query)"), qr/permission denied for function rstar_evaluate/, 'and may not start one');

$node->stop;
done_testing();
