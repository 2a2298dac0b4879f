# The built-in policy understands a person's wording: of 100 school problems, none
# of them in its training data, it answers at least 60 right.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RstarTest;
use Test::More;

my $node = new_rstar_node('paraphrases');
my $file = source_path('test/paraphrases.jsonl');

$node->safe_psql('postgres', <<"SQL");
CREATE TABLE lines (line jsonb);
\\copy lines FROM '$file' WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')
INSERT INTO rstar.problems (statement, answer, topic) SELECT line->>'problem', line->>'answer', line->>'topic' FROM lines;
SQL
is($node->safe_psql('postgres', 'SELECT count(DISTINCT statement) FROM rstar.problems'), 100, 'a hundred problems');

# Side by side: the trees are those of rstar_solve with its default settings.
$node->safe_psql('postgres', <<'SQL');
SET rstar.use_known_answer = off;
SET rstar.side_by_side = 25;
SELECT count(*) FROM rstar_search((SELECT array_agg(problem_id ORDER BY problem_id) FROM rstar.problems));
SQL
my $right = $node->safe_psql('postgres', 'SELECT count(*) FROM rstar.trees WHERE correct');
note "right: $right of 100";
note $node->safe_psql('postgres', <<'SQL');
SELECT string_agg(format('%s %s of %s', topic, n, m), ', ' ORDER BY topic)
  FROM (SELECT p.topic, count(*) FILTER (WHERE t.correct) AS n, count(*) AS m
          FROM rstar.trees t JOIN rstar.problems p USING (problem_id) GROUP BY 1) x
SQL
cmp_ok($right, '>=', 60, 'at least 60 are right');

my ($statement, $answer) = split /\t/, $node->safe_psql('postgres', <<'SQL');
SELECT p.statement || E'\t' || t.answer FROM rstar.trees t JOIN rstar.problems p USING (problem_id) WHERE t.answer IS NOT NULL ORDER BY p.problem_id LIMIT 1
SQL
$statement =~ s/'/''/g;
is($node->safe_psql('postgres', "SELECT rstar_solve('$statement')"), $answer, 'rstar_solve gives the same answer');

# Beyond the model: an answer or none, in bounded time.
for my $question (
	'Let ABC be an acute triangle with circumcircle O and let D be the foot of the altitude from A. Prove that the reflection of H over BC lies on O.',
	'Write a poem about the sea.', '', 'Wie viel ist drei mal sieben?')
{
	my $start = time;

	ok(defined $node->safe_psql('postgres', "SELECT rstar_solve('$question')"), 'asked: ' . substr($question, 0, 30));
	cmp_ok(time - $start, '<', 60, '… and done in bounded time');
}

$node->stop;
done_testing();
