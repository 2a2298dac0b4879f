# Reports on trees of real searches: the script for people says what the tables say.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RstarTest;
use Test::More;

my $node = new_rstar_node('reports');

$node->safe_psql('postgres', <<~'SQL');
	INSERT INTO rstar.problems (statement, answer, topic, level)
	SELECT format('Solve %s*x + 5 = %s for x.', i, 5 + i * i), i::text, 'equations', 'hard' FROM generate_series(2, 5) i;
	INSERT INTO rstar.problems (statement, answer, topic, level) VALUES ('Is 91 a prime number?', 'False', 'primes', 'easy');
	SELECT count(*) FROM rstar_search((SELECT array_agg(problem_id) FROM rstar.problems), model => 'rstar-bootstrap',
	                                  rollouts => 6, candidates => 6, temperature => 1.4);
	INSERT INTO rstar.rounds (round_id, name, created_by, number, preset, settings) VALUES (7, 'line', CURRENT_USER, 1, 'nano', '{}');
	UPDATE rstar.trees SET round_id = 7;
	SELECT count(*) FROM rstar_search((SELECT array_agg(problem_id) FROM rstar.problems WHERE topic = 'primes'), rollouts => 1);
	SQL

sub report
{
	my (@arguments) = @_;
	my ($out, $err) = ('', '');

	IPC::Run::run([ 'psql', '-XAt', @arguments, '-d', $node->connstr('postgres'), '-f', source_path('sql/reports.sql') ],
		'>', \$out, '2>', \$err);
	return ($out, $err);
}

# The lines below a heading.
sub section
{
	my ($report, $heading) = @_;

	return $report =~ /^== \Q$heading\E[^\n]*\n(.*?)(?=^$|\z)/ms ? $1 : undef;
}

my ($round, $err) = report('-v', 'round=7');
is($err, '', 'the script runs for a round');
like(section($round, 'The round'), qr/^7\|line\|1\|search\|/, 'it names the round');
is(scalar(my @sections = $round =~ /^== /mg), 10, 'every report is there');
is((split /\|/, section($round, 'Cost'))[0], 5, 'five trees');
like(section($round, 'Coverage'), qr/^equations\|hard\|f\|4\|\d/m, 'open problems …');
like(section($round, 'Coverage'), qr/^primes\|easy\|t\|1\|\d/m, '… apart from closed ones');

my $sum = 0;
$sum += (split /\|/, $_)[1] for split /\n/, section($round, 'Difficulty');
is($sum, 5, 'each problem has one difficulty');
$sum = 0;
$sum += (split /\|/, $_)[2] for split /\n/, section($round, 'Why candidates were rejected');
is($sum, $node->safe_psql('postgres', 'SELECT sum(steps) FROM (SELECT steps FROM rstar.step_failures WHERE round_id = 7 ORDER BY steps DESC LIMIT 20) f'),
	'reasons are listed');
is($node->safe_psql('postgres', 'SELECT sum(steps) FROM rstar.step_failures WHERE round_id = 7'),
	$node->safe_psql('postgres', 'SELECT count(*) FROM rstar.nodes JOIN rstar.trees USING (tree_id) WHERE rejected AND round_id = 7'),
	'every rejected candidate has one');
is((split /\|/, section($round, 'Candidates merged'))[2],
	$node->safe_psql('postgres', 'SELECT sum(duplicates) FROM rstar.nodes JOIN rstar.trees USING (tree_id) WHERE depth = 1 AND round_id = 7'),
	'merged candidates are counted');

my ($outside) = report();
is((split /\|/, section($outside, 'Cost'))[0], 1, 'without a round: the trees outside rounds');
(undef, $err) = report('-v', 'round=x');
like($err, qr/invalid input syntax for type bigint: "x"/, 'a round is a number');

my $page = $node->safe_psql('postgres', 'SELECT rstar_report_html(7)');
like($page, qr/<h1>line, round 1<\/h1>/, 'the page has its title');
like($page, qr/class="rstar-tree"/, 'and a tree');

$node->stop;
done_testing();
