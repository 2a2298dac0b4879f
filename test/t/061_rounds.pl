# Rounds of self-evolution: a line of four, killed in every phase, beside an undisturbed one;
# what is refused, escalation, given solutions, pause and cancel, the schedule.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

use RstarTest;
use RstarWorkers;

my $node = new_worker_node('rounds', conf => "restart_after_crash = on\nrstar.matrix_kernel = 'portable'\nrstar.worker_nice = 0\n");

# The server may be coming back from a crash.
sub sql
{
	my ($statement) = @_;
	my ($rc, $out, $error);

	for (1 .. 200)
	{
		($rc, $out, $error) = $node->psql('postgres', $statement);
		return $out if $rc == 0;
		last unless $error =~ /starting up|in recovery|shutting down|server closed|could not connect|connection to server/;
		sleep 0.1;
	}
	die "$statement: $error";
}

sql(<<~'SQL');
	INSERT INTO rstar.problems (problem_id, statement, answer, level)
	SELECT i, format('Calculate %s + %s.', i + 3, 2 * i + 3), 3 * i + 6, 'easy' FROM generate_series(1, 5) i;
	INSERT INTO rstar.problems (problem_id, statement, answer)
	SELECT 10 + i, format('Calculate %s*%s - (%s + %s).', 17 * i + 3, i + 11, i * 5 + 4, i * i * i), (17 * i + 3) * (i + 11) - (i * 5 + 4 + i * i * i) FROM generate_series(1, 5) i;
	INSERT INTO rstar.problems (problem_id, statement, answer)
	SELECT 100 + i, format('What is %s times %s?', i + 7, i + 3), (i + 7) * (i + 3) FROM generate_series(1, 4) i;
	INSERT INTO rstar.problems (problem_id, statement, answer) VALUES (9, 'Calculate 2 + 9.', '-1'), (50, 'What is 2 + 19?', NULL);
	SQL

my $problems = q{'SELECT problem_id FROM rstar.problems WHERE problem_id < 20 ORDER BY 1'};
my $held_out = q{'SELECT problem_id FROM rstar.problems WHERE problem_id > 100'};
my $training = q{policy_training => '{"epochs": 1, "held_out": 0, "batch_tokens": 1000}', ppm_training => '{"epochs": 1, "held_out": 0, "batch_tokens": 1000}', evaluation => '{"rollouts": 2}'};

sub start
{
	my ($name, $more) = @_;

	return sql("SELECT rstar_start_round('$name', $problems, $held_out, rollouts => 6, temperature => 1.4, $training"
		. ($more // '') . ($name =~ /calm|storm/ && !sql("SELECT count(*) FROM rstar.rounds WHERE name = '$name'") ? ", model => 'rstar-bootstrap'" : '') . ')');
}

sub job_of { return sql("SELECT job_id FROM rstar.rounds WHERE round_id = $_[0]"); }
sub summary { return sql("SELECT $_[1] FROM rstar.round_summary WHERE round_id = $_[0]"); }

# What a line has come to, names and numbers aside.
sub outcome
{
	my ($line) = @_;

	return sql(<<~"SQL");
		SELECT r.number, r.phase, r.accepted, p.sha256, m.sha256,
		       (SELECT string_agg(concat_ws(':', t.problem_id, t.seed, t.rollouts, t.nodes, t.generated_tokens, t.answer), ' ' ORDER BY t.problem_id, t.seed, t.rollouts)
		          FROM rstar.trees t WHERE t.round_id = r.round_id),
		       (SELECT string_agg(concat_ws(':', a.problem_id, a.measure, a.per, a.k, a.value, a.answer, a.tokens), ' ' ORDER BY a.problem_id, a.measure, a.per, a.k)
		          FROM rstar.evaluation_answers a WHERE a.evaluation_id = r.evaluation_id)
		  FROM rstar.rounds r LEFT JOIN rstar.models p ON p.model_id = r.new_policy_id LEFT JOIN rstar.models m ON m.model_id = r.new_ppm_id
		 WHERE r.name = '$line' ORDER BY r.number
		SQL
}

# --- four rounds ------------------------------------------------------------------------------

my @calm;
for my $number (1 .. 4)
{
	push @calm, start('calm', $number == 4 ? ', escalation => ARRAY[8, 10], workers => 2, threads => 1' : '');
	is(wait_for_job($node, job_of($calm[-1])), 'done', "round $number is done");
}
is(summary($calm[0], 'name, number, status, phase, problems, policy, ppm, new_policy, new_ppm'),
	'calm|1|done|done|11|rstar-bootstrap||calm-1|calm-1-ppm', 'the first: by the policy that was named, without a PPM');
is(summary($calm[1], 'policy, ppm, new_policy'), 'calm-1||calm-2', 'the second: by the policy of the first');
is(summary($calm[2], "policy, ppm, new_policy"), sql("SELECT CASE WHEN accepted THEN 'calm-2|calm-2-ppm|calm-3' ELSE 'calm-1|calm-1-ppm|calm-3' END FROM rstar.rounds WHERE round_id = $calm[1]"),
	'the third is guided by the PPM of the last accepted round');
is(sql("SELECT count(*) FROM rstar.trees WHERE round_id = $calm[0]"), '11', 'a tree for each problem, in its round');
is(sql("SELECT cardinality(search_jobs) FROM rstar.rounds WHERE round_id = $calm[3]"), '3', 'what is unsolved is searched again, and again');
is(sql("SELECT string_agg(DISTINCT concat_ws(' ', settings->>'seed', settings->>'rollouts'), ', ') FROM rstar.trees WHERE round_id = $calm[3] AND problem_id = 9"),
	'0 6, 1 8, 2 10', 'with new seeds and more rollouts');
is(sql("SELECT string_agg(threads::text, ' ') FROM rstar.training_runs WHERE name LIKE 'calm-4%'"), '2 2', 'a training has the threads of all its workers');
is(sql("SELECT count(*) FROM rstar.trees t JOIN rstar.round_problems p USING (round_id, problem_id) WHERE p.held_out"), '0', 'no held-out problem is searched for training');
is(sql("SELECT count(*) FROM rstar.training_examples e JOIN rstar.problems p ON p.statement = e.problem WHERE p.problem_id > 100"), '0', 'nor trained on');
is(sql("SELECT bool_and(b.name = 'rstar-bootstrap') FROM rstar.rounds r JOIN rstar.models b ON b.model_id = r.base_id"), 't', 'every round trains from the base');
is(sql("SELECT count(DISTINCT l.line_round_id) FROM rstar.round_lines l WHERE l.round_id = $calm[3]"), '4', 'and from the trees of the whole line');
is(sql("SELECT e.name, e.status, m.name, e.ppm_id IS NULL FROM rstar.rounds r JOIN rstar.evaluations e ON e.evaluation_id = r.baseline_id JOIN rstar.models m ON m.model_id = e.policy_id"),
	'calm-1-base|done|rstar-bootstrap|t', 'the first is compared with the model that its policy was trained from');
is(sql(<<~"SQL"), 't', 'a round is accepted if the better of policy alone and search is no worse than before');
	WITH right_ones AS (SELECT a.evaluation_id, a.measure, sum(a.value) AS n FROM rstar.evaluations e JOIN rstar.evaluation_answers a USING (evaluation_id)
	                     WHERE a.per = 'rollout' AND (a.measure = 'greedy' OR a.measure = 'weighted' AND a.k = e.rollouts) GROUP BY 1, 2),
	     best AS (SELECT evaluation_id, max(n) AS n FROM right_ones GROUP BY 1)
	SELECT bool_and(r.accepted = (now.n >= before.n)) FROM rstar.rounds r JOIN best now USING (evaluation_id)
	  JOIN best before ON before.evaluation_id = coalesce((SELECT l.evaluation_id FROM rstar.rounds l WHERE l.name = r.name AND l.number < r.number AND l.accepted ORDER BY l.number DESC LIMIT 1),
	                                                      (SELECT l.baseline_id FROM rstar.rounds l WHERE l.name = r.name AND l.baseline_id IS NOT NULL))
	SQL
is(sql("SELECT bool_and(e.round_id = r.round_id AND e.status = 'done') FROM rstar.rounds r JOIN rstar.evaluations e USING (evaluation_id)"), 't', 'evaluations know their round');

# A policy that training has spoilt is not searched with.
(my $spoilt = $training) =~ s/"epochs": 1/"epochs": 1, "learning_rate": 1/;
my $round = sql("SELECT rstar_start_round('spoilt', $problems, $held_out, model => 'rstar-bootstrap', rollouts => 2, $spoilt)");
is(wait_for_job($node, job_of($round)), 'done', 'a round with a policy that was spoilt');
is(sql("SELECT accepted FROM rstar.rounds WHERE round_id = $round"), 'f', 'is not accepted, the first of its line or not');

# A baseline that was not finished is none. (It may have been, by the time that the cancel comes.)
$round = start('halted', ", model => 'rstar-bootstrap'");
ok(wait_until($node, "SELECT baseline_id IS NOT NULL FROM rstar.rounds WHERE round_id = $round"), 'a round is at its baseline');
sql('SELECT rstar_cancel(' . job_of($round) . ')');
wait_for_job($node, job_of($round));
sql("UPDATE rstar.evaluations SET status = 'running' WHERE name IN ('halted-1', 'halted-1-base'); UPDATE rstar.rounds SET accepted = NULL WHERE round_id = $round");
my $next = start('halted', ", model => 'rstar-bootstrap'");
is(wait_for_job($node, job_of($next)), 'done', 'the next round');
is(sql("SELECT n.baseline_id <> r.baseline_id FROM rstar.rounds n, rstar.rounds r WHERE n.round_id = $next AND r.round_id = $round"), 't', 'makes one of its own');

# --- the same, killed in every phase ------------------------------------------------------------

for my $number (1)
{
	$round = start('storm');
	my ($job, $kills, %hit) = (job_of($round), 0);

	while (sql("SELECT rstar_wait($job, '0 s')") =~ /queued|running|waiting/)
	{
		my $phase = sql("SELECT phase FROM rstar.rounds WHERE round_id = $round");
		my ($worker) = eval { pids_of($node, 'rstar worker') };

		sleep 0.1, next if ($hit{$phase} // 0) >= 2 || !$worker;
		sleep rand 0.5;
		($worker) = eval { pids_of($node, 'rstar worker') };
		next unless $worker;
		kill 'KILL', $worker;
		$hit{$phase}++;
		$kills++;
		revive($node);
	}
	cmp_ok($kills, '>=', 4, "round $number of the other line was killed $kills times: " . join(', ', sort keys %hit));
	is(summary($round, 'status, phase'), 'done|done', 'it is done all the same');
}
my @undisturbed = split /\n/, outcome('calm');
my @killed = split /\n/, outcome('storm');
is($killed[0], $undisturbed[0], 'with the same trees, models and figures');

# --- a dump ---------------------------------------------------------------------------------------

my $dump = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, $node->connstr('postgres') ], 'dumped');
sql('CREATE DATABASE restored TEMPLATE template0');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, $node->connstr('restored') ], 'restored');
for my $table (qw(rounds round_problems evaluations evaluation_answers training_runs training_examples training_steps trees trajectories preference_pairs))
{
	my $all = "SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM rstar.$table t";

	is($node->safe_psql('restored', $all), sql($all), "rstar.$table came back");
}
is($node->safe_psql('restored', 'SELECT string_agg(new_policy, \' \' ORDER BY round_id) FROM rstar.round_summary'),
	sql("SELECT string_agg(new_policy, ' ' ORDER BY round_id) FROM rstar.round_summary"), 'and the models are known');

# --- pause, resume, cancel ------------------------------------------------------------------------

my $slow = start('slow');
is(sql("SELECT rstar_pause_round($slow)"), 't', 'paused');
ok(wait_until($node, 'SELECT count(*) = 0 FROM rstar.progress'), 'all its workers leave');
is(summary($slow, 'status'), 'paused', 'the summary says so');
is(sql("SELECT count(*) FROM rstar.jobs WHERE status IN ('queued', 'running', 'waiting')"), '0', 'nothing goes on');
my ($code, $out, $error) = $node->psql('postgres', "SELECT rstar_start_round('slow', $problems)");
like($error, qr/round 1 of "slow" is not done yet.*is paused/s, 'the next cannot begin');
is(sql("SELECT rstar_resume_round($slow)"), 't', 'resumed');
ok(wait_until($node, "SELECT count(*) > 0 FROM rstar.trees WHERE round_id = $slow"), 'it goes on');
sql('SELECT rstar_cancel(' . job_of($slow) . ')');
is(sql("SELECT rstar_pause_round($calm[0]), rstar_pause_round(-1) IS NULL"), 'f|t', 'what is done cannot be paused');

my $given = start('given', q{, solutions => $$SELECT 'What is ' || i || ' eggs and ' || i || ' eggs?' AS problem, E'<code>\n# Add\nprint(' || i || ' + ' || i || E')\n<end_of_code>\n<output>' || 2 * i || E'<end_of_output>\n<answer>\\\\boxed{' || 2 * i || E'}\n<end_of_answer>' AS solution FROM generate_series(1, 5) i UNION ALL SELECT 'Calculate 8 + 13.', '<answer>\\boxed{21}<end_of_answer>'$$});
is(wait_for_job($node, job_of($given)), 'done', 'a round with given solutions is done');
is(sql("SELECT count(*) FILTER (WHERE problem LIKE '%eggs%'), count(*) FILTER (WHERE solution = '<answer>\\boxed{21}<end_of_answer>') FROM rstar.training_examples e JOIN rstar.rounds r ON r.policy_run_id = e.run_id WHERE r.round_id = $given"),
	'5|0', 'they train the policy, but for problems that the round solved itself');

my $lost = start('lost');
is(sql('SELECT rstar_cancel(' . job_of($lost) . ')'), 't', 'cancelled');
is(summary($lost, 'status'), 'cancelled', 'as the summary says');
my $next = start('lost');
is(summary($next, 'number'), '2', 'the next of the line may begin');
sql('SELECT rstar_cancel(' . job_of($next) . ')');

# --- a model that goes ------------------------------------------------------------------------------

my $gone = start('gone');
sql("SELECT rstar_pause_round($gone)");
wait_until($node, 'SELECT count(*) = 0 FROM rstar.progress');
sql("UPDATE rstar.rounds SET base_id = NULL WHERE round_id = $gone");
sql("SELECT rstar_resume_round($gone)");
ok(wait_until($node, "SELECT note ~ 'a model of round $gone does not exist any more' FROM rstar.round_summary WHERE round_id = $gone"), 'a round whose model was dropped says so');
sql('SELECT rstar_cancel(' . job_of($gone) . ')');

# --- two lines at once, rstar_solve beside them -----------------------------------------------------

my @both = (start('left'), start('right'));
is(sql("SELECT count(*) FROM generate_series(1, 5) i WHERE rstar_solve('Calculate ' || i || ' + 7.') = (i + 7)::text"), '5', 'people solve problems meanwhile');
is(wait_for_job($node, job_of($_)), 'done', 'two rounds at once are done') for @both;

# --- schedules ----------------------------------------------------------------------------------------

sql("SELECT rstar_schedule_round('nightly', '1 second', 'SELECT problem_id FROM rstar.problems WHERE problem_id < 3', '{\"rollouts\": 1}')");
ok(wait_until($node, "SELECT count(*) >= 1 FROM rstar.rounds WHERE name = 'nightly'"), 'a schedule starts rounds');
ok(wait_until($node, "SELECT last_job_id IS NOT NULL FROM rstar.schedules WHERE name = 'nightly'"), 'whose jobs it knows');
is(sql("SELECT j.kind FROM rstar.schedules s JOIN rstar.jobs j ON j.job_id = s.last_job_id WHERE s.name = 'nightly'"), 'round', 'by their own number');
is(sql("SELECT rstar_unschedule('nightly')"), 't', 'until it is removed');
wait_until($node, "SELECT count(*) = 0 FROM rstar.jobs WHERE status IN ('queued', 'running', 'waiting')");

# --- the whole recipe, in a script ------------------------------------------------------------------

my @script = ('psql', '-X', '-d', $node->connstr('postgres'), '-v', 'line=recipe', '-v', 'problems=SELECT problem_id FROM rstar.problems WHERE problem_id IN (1, 12)',
	'-v', 'held_out=SELECT problem_id FROM rstar.problems WHERE problem_id = 101', '-f', source_path('sql/four_rounds.sql'));
$node->command_like(\@script, qr/Round 4.*What came of it.*^ +1 \| done.*^ +4 \| done.*against the one before/ms, 'four_rounds.sql runs four rounds');
$node->command_like(\@script, qr/^ +4 \| done/m, 'and once more, it shows them');
is(sql("SELECT count(*), max(number) FROM rstar.rounds WHERE name = 'recipe'"), '4|4', 'without a fifth');

# --- what is refused ----------------------------------------------------------------------------------

sub refused
{
	my ($arguments, $like, $what) = @_;
	my ($rc, $stdout, $stderr) = $node->psql('postgres', "SELECT rstar_start_round($arguments)");

	isnt($rc, 0, "refused: $what");
	like($stderr, $like, "$what is said");
}

my $rows = sql('SELECT count(*) FROM rstar.rounds');
refused("NULL, $problems", qr/argument "name" must not be NULL/, 'no name');
refused("'', $problems", qr/between 1 and 180 bytes/, 'an empty name');
refused("'x', NULL", qr/argument "problems" must not be NULL/, 'no problems');
refused("'x', 'SELECT 1 WHERE false'", qr/returns no problems to search/, 'an empty query');
refused("'x', 'DELETE FROM rstar.problems RETURNING problem_id'", qr/must be one SELECT/, 'a query that writes');
refused("'x', $problems, 'SELECT 3'", qr/problem 3 is both to be searched and held out/, 'a held-out problem among the others');
refused("'x', 'SELECT 50'", qr/problem 50 has no known answer/, 'a problem without an answer');
refused("'x', 'SELECT 999'", qr/999/, 'a problem that does not exist');
refused("'x', $problems, preset => 'huge'", qr/unknown preset "huge"/, 'an unknown preset');
refused("'x', $problems, model => 'nobody'", qr/model "nobody" does not exist/, 'an unknown model');
refused("'x', $problems, ppm => 'nobody'", qr/model "nobody" does not exist/, 'an unknown PPM');
refused("'x', $problems, rollouts => 0", qr/rollouts/, 'no rollouts');
refused("'x', $problems, escalation => ARRAY[8, NULL]", qr/must not contain NULL/, 'NULL rollouts');
refused("'x', $problems, escalation => ARRAY[0]", qr/rollouts/, 'an escalation to nothing');
refused("'x', $problems, escalation => array_fill(8, ARRAY[9])", qr/at most 8 elements/, 'too many');
refused("'x', $problems, per_problem => 0", qr/"per_problem" must be between/, 'no trajectory');
refused("'x', $problems, policy_training => '[]'", qr/must be a json object/, 'settings that are no object');
refused("'x', $problems, policy_training => '{\"speed\": 3}'", qr/no argument "speed"/, 'a setting that does not exist');
refused("'x', $problems, policy_training => '{\"query\": \"SELECT 1\"}'", qr/must not set "query"/, 'a setting of the round itself');
refused("'x', $problems, solutions => 'SELECT 1 AS problem'", qr/no column "solution"/, 'solutions without solutions');
refused("'x', $problems, workers => 0", qr/"workers" must be between/, 'no workers');
refused("'rstar-x', $problems", qr/reserved/, 'a reserved name');
sql("SELECT rstar_model_create('taken-1-ppm', vocabulary => 'rstar-policy', layers => 1, width => 32, heads => 2)");
refused("'taken', $problems", qr/model "taken-1-ppm" exists already/, 'a name of a model that is there');
is(sql('SELECT count(*) FROM rstar.rounds'), $rows, 'nothing is left of what was refused');

# --- rights -----------------------------------------------------------------------------------------------

sql(<<~'SQL');
	CREATE ROLE plain LOGIN;
	GRANT USAGE ON SCHEMA rstar TO plain;
	GRANT SELECT ON rstar.rounds, rstar.round_problems, rstar.round_solutions TO plain;
	SQL
($code, $out, $error) = $node->psql('postgres', "SET ROLE plain; SELECT rstar_start_round('x', $problems)");
like($error, qr/permission denied for function rstar_start_round/, 'not for everybody');
is(sql("SET ROLE plain; SELECT (SELECT count(*) FROM rstar.rounds), (SELECT count(*) FROM rstar.round_problems), (SELECT count(*) FROM rstar.round_solutions)"),
	'0|0|0', 'rounds of others are not to be seen');
sql('GRANT EXECUTE ON FUNCTION rstar_start_round, rstar_train_policy, rstar_train_ppm, rstar_evaluate TO plain');
($code, $out, $error) = $node->psql('postgres', "SET ROLE plain; SELECT rstar_start_round('x', $problems)");
like($error, qr/permission denied for function rstar_search_all/, 'nor without a right that the round will need');
($code, $out, $error) = $node->psql('postgres', 'SET ROLE plain; UPDATE rstar.rounds SET accepted = true');
like($error, qr/permission denied/, 'nor to be changed');

$node->stop;
done_testing();
