# Verifiers in searches by workers, evaluations, continued trees and dumps; that they can be cancelled;
# and the two worked domains, whose own solutions must be right.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RstarTest;
use RstarWorkers;
use Test::More;
use Time::HiRes qw(time);

my $node = new_worker_node('verifiers');

# --- the worked domains ------------------------------------------------------------------------

my $script = $node->basedir . '/programming.sql';
$node->command_ok([ 'sh', '-c', 'python3 "$1" > "$2"', 'sh', source_path('sql/domains/programming.py'), $script ], 'programming tasks are made');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $script, $node->connstr('postgres') ], '… and entered');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', source_path('sql/domains/questions.sql'), $node->connstr('postgres') ],
	'questions are made and entered');
is( $node->safe_psql('postgres', 'SELECT source, split, count(*), count(DISTINCT statement) FROM rstar.problems GROUP BY source, split ORDER BY 1, 2'),
	"programming|test|52|52\nprogramming|train|156|156\nquestions|test|52|52\nquestions|train|156|156", 'more than 200 of each, a quarter held out');
is($node->safe_psql('postgres', q{SELECT count(*) FROM (SELECT tags->>'template' FROM rstar.problems GROUP BY source, tags->>'template' HAVING count(DISTINCT split) > 1) s}),
	0, 'no template is in both parts');
is($node->safe_psql('postgres', q{SELECT string_agg(problem_id::text, ' ') FROM rstar.problems WHERE source = 'programming' AND problem_id % 3 = 0 AND rstar_verify(problem_id, tags->>'solution') < 1}),
	'', 'solutions pass their own tests');
is($node->safe_psql('postgres', q{SELECT string_agg(problem_id::text, ' ') FROM rstar.problems WHERE source = 'questions' AND rstar_verify(problem_id, answer) < 1}),
	'', 'and reference queries give their own rows');
is($node->safe_psql('postgres', q{SELECT count(*) FROM rstar.problems p WHERE source = 'questions' AND rstar_verify(problem_id, 'SELECT NULL') = 1}), 0, 'which NULL is not');
is($node->safe_psql('postgres', q{SELECT count(*) FROM rstar.problems p JOIN rstar.problems q ON q.problem_id = p.problem_id + 1
	 WHERE p.source = 'programming' AND p.tags->>'template' = q.tags->>'template' AND p.problem_id % 5 = 0
	   AND p.tags->>'solution' <> q.tags->>'solution' AND rstar_verify(p.problem_id, q.tags->>'solution') = 1}), 0, 'the solution of another variant is not right');

# --- workers --------------------------------------------------------------------------------------

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE ann;
CREATE ROLE bob;
GRANT ann TO bob;
GRANT USAGE ON SCHEMA rstar TO ann, bob;
GRANT SELECT, INSERT ON rstar.problems TO ann, bob;
GRANT SELECT ON rstar.trees, rstar.nodes TO ann, bob;
GRANT EXECUTE ON FUNCTION rstar_search_all, rstar_verifier_create, rstar_verify, rstar_search(bigint, text, text, text, integer, integer, integer, double precision, bigint) TO ann, bob;
CREATE SCHEMA ann AUTHORIZATION ann;
SELECT rstar_verifier_create('number', 'python', '1 if answer.strip() == data else 0 if answer.strip().isdigit() else -1');
SELECT rstar_verifier_create('broken', 'python', '1 / 0');
SET ROLE ann;
CREATE FUNCTION ann.right(problem_id bigint, solution text, answer text) RETURNS float8 LANGUAGE sql AS
	$$ SELECT CASE WHEN answer = (SELECT p.answer FROM rstar.problems p WHERE p.problem_id = $1) AND current_user = 'ann' THEN 1 ELSE -1 END::float8 $$;
SELECT rstar_verifier_create('anns', 'function', function => 'ann.right(bigint, text, text)');
RESET ROLE;
INSERT INTO rstar.problems (problem_id, statement, answer, verifier, source) OVERRIDING SYSTEM VALUE
	SELECT 5000 + i, 'What is ' || i || ' + ' || 2 * i || '?', CASE i % 4 WHEN 3 THEN 'SELECT ' ELSE '' END || 3 * i, (ARRAY['number', 'anns', 'broken', 'shop'])[1 + i % 4], 'add' FROM generate_series(1, 16) i;
SQL

# What became of the trees of a job, by verifier.
sub outcomes
{
	my ($job) = @_;

	return $node->safe_psql('postgres', <<"SQL");
SELECT t.verifier, t.status, t.correct, count(*), min(t.error) FROM rstar.job_items i JOIN rstar.trees t USING (tree_id)
 WHERE i.job_id = $job GROUP BY 1, 2, 3 ORDER BY 1
SQL
}
sub search_all_as
{
	my ($role) = @_;
	my $job = $node->safe_psql('postgres', "SET ROLE $role; SELECT rstar_search_all(\$\$SELECT problem_id FROM rstar.problems WHERE source = 'add' ORDER BY 1\$\$, workers => 2, rollouts => 2, nice => 0)");

	is(wait_for_job($node, $job), 'done', "$role\'s job is done");
	return $job;
}
my $anns = search_all_as('ann');
is(outcomes($anns), join("\n", 'anns|done|t|4|', 'broken|failed||4|verifier "broken" raised an error: ZeroDivisionError: division by zero (line 5)', 'number|done|t|4|', 'shop|done|f|4|'),
	'workers verify: what fails is the verifier, and the tree says so');
my $bobs = search_all_as('bob');
like(outcomes($bobs), qr/^anns\|failed\|\|4\|verifier "anns" is not run by background workers for others: It is a function that runs as role "ann", and a worker that searches for role "bob" runs no code of other roles\.$/m,
	'a function is not run by workers for other roles');
is($node->safe_psql('postgres', q{SET ROLE bob; SELECT rstar_verify(5001, '3')}), 1, 'though in a session it is, for members of its owner');

# --- the same tree, wherever it is searched -----------------------------------------------------------

my $sum = q{SELECT t.problem_id, md5(string_agg((n.node_id, n.parent_id, n.kind, n.status, n.text, n.output, n.answer, n.correct, n.grade, n.visits, n.value_sum)::text, '|' ORDER BY n.node_id))
	FROM rstar.trees t JOIN rstar.nodes n USING (tree_id) WHERE %s GROUP BY t.tree_id, t.problem_id ORDER BY t.problem_id};
$node->safe_psql('postgres', q{SET ROLE ann; SELECT rstar_search(problem_id, rollouts => 2) FROM rstar.problems WHERE source = 'add' AND verifier <> 'broken' ORDER BY 1});
is($node->safe_psql('postgres', sprintf($sum, "t.tree_id NOT IN (SELECT tree_id FROM rstar.job_items WHERE tree_id IS NOT NULL)")),
	$node->safe_psql('postgres', sprintf($sum, "t.tree_id IN (SELECT tree_id FROM rstar.job_items WHERE job_id = $anns)")), 'in a session the trees are those of the workers');
my $hot = q{SET rstar.candidates = 8; SET rstar.search_temperature = 1.6};
my $whole = $node->safe_psql('postgres', "$hot; SELECT rstar_search(5004, rollouts => 6)");
my $part = $node->safe_psql('postgres', "$hot; SELECT rstar_search(5004, rollouts => 2)");
$node->safe_psql('postgres', "$hot; SELECT rstar_continue($part, 4)");
is($node->safe_psql('postgres', sprintf($sum, "t.tree_id = $part")), $node->safe_psql('postgres', sprintf($sum, "t.tree_id = $whole")), 'a tree that is continued is the whole one');
is($node->safe_psql('postgres', q{SELECT rstar_regrade(5004)}), 0, 'graded anew the trees stay what they are');

# --- evaluations ------------------------------------------------------------------------------------

my $evaluation = $node->safe_psql('postgres', q{SELECT rstar_evaluate('verified', $$SELECT problem_id FROM rstar.problems WHERE source = 'add' AND verifier IN ('number', 'shop')$$, rollouts => 2, candidates => 2, nice => 0)});
is($node->safe_psql('postgres', "SELECT rstar_wait(job_id, '100 s') FROM rstar.evaluations WHERE evaluation_id = $evaluation"), 'done', 'evaluated');
is($node->safe_psql('postgres', "SELECT p.verifier, min(a.value), max(a.value) FROM rstar.evaluation_answers a JOIN rstar.problems p USING (problem_id)
	 WHERE a.evaluation_id = $evaluation AND a.measure = 'greedy' GROUP BY 1 ORDER BY 1"), "number|1|1\nshop|0|0", 'what the verifier accepts counts');

# --- cancel -----------------------------------------------------------------------------------------

for my $endless ([ 'sql', q{SELECT count(*) FROM generate_series(1, 100000000000)}, q{problem_id = 5003} ],
	[ 'tests', "def x(*a):\n    while True: pass\nmultiples = x", q{source = 'programming' AND answer LIKE 'assert multiples%'} ])
{
	my ($kind, $solution, $problem) = @$endless;
	my $began = time;
	my ($rc, $out, $err) = $node->psql('postgres', "SET rstar.verify_timeout = '1 h'; SET rstar.sandbox_max_timeout = 600000; SET rstar.sandbox_timeout = 600000; SET rstar.sandbox_cpu_timeout = 600000; SET statement_timeout = 500;
		SELECT rstar_verify((SELECT min(problem_id) FROM rstar.problems WHERE $problem), \$x\$$solution\$x\$)");

	like($err, qr/canceling statement due to statement timeout/, "a verification of kind $kind is cancelled");
	cmp_ok(time - $began, '<', 10, '… at once');
}

# --- dump and restore -----------------------------------------------------------------------------------

my $dump = $node->basedir . '/dump.sql';
my $verifiers = 'SELECT * FROM rstar.verifiers ORDER BY name';
my ($stdout, $stderr) = run_command([ 'pg_dump', '-f', $dump, $node->connstr('postgres') ]);
is($stderr, '', 'pg_dump has nothing to say');
$node->safe_psql('postgres', 'CREATE DATABASE restored TEMPLATE template0');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $dump, $node->connstr('restored') ], 'a dump with verifiers restores');
is($node->safe_psql('restored', $verifiers), $node->safe_psql('postgres', $verifiers), 'verifiers are back');
is($node->safe_psql('restored', q{SELECT rstar_verify(5004, '12'), rstar_verify(5001, '3'), (SELECT rstar_verify(problem_id, answer) FROM rstar.problems WHERE source = 'questions' LIMIT 1)}), '1|1|1', '… and verify');
is($node->safe_psql('restored', sprintf($sum, "t.tree_id = $whole")), $node->safe_psql('postgres', sprintf($sum, "t.tree_id = $whole")), 'grades are back as well');
is($node->safe_psql('restored', q{SELECT rstar_regrade(5004)}), 0, '… and stand');

$node->stop;
done_testing();
