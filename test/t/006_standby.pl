# A hot standby tokenizes, generates, solves and reports: nothing is written, and models are
# read from the standby's own directory.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use File::Copy qw(copy);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RstarTest;
use Test::More;

my $primary = new_rstar_node('primary', init => { allows_streaming => 1 });
my $bytes = source_path('test/fixtures/bytes.gguf');
$primary->safe_psql('postgres', qq{
	SELECT rstar_model_import('bytes', '$bytes', 'vocabulary');
	SELECT rstar_model_create('tiny', 'bytes', 1, 32, 2);
	CREATE TABLE problems AS SELECT i, 'Solve ' || i AS t FROM generate_series(1, 50) i;
});
my $call = q{SELECT md5(string_agg(rstar_generate(t, 'tiny', max_tokens => 5, temperature => 1, seed => i), ',' ORDER BY i)) FROM problems};
my $expected = $primary->safe_psql('postgres', $call);

# The model directory lies in the data directory, so a base backup brings it.
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));

is($standby->safe_psql('postgres', 'SELECT pg_is_in_recovery()'), 't', 'the standby is one');
is($standby->safe_psql('postgres', q{SELECT rstar_tokenize('ab', 'bytes')}), '{97,98}', 'it tokenizes');
is($standby->safe_psql('postgres', $call), $expected, 'and generates the same texts');
is($standby->safe_psql('postgres', q{SELECT rstar_solve('Solve 3*x + 5 = 20 for x.')}), '5', 'and solves');
is($standby->safe_psql('postgres', q{BEGIN READ ONLY; SELECT rstar_model_verify('tiny'); COMMIT}),
	'', 'files can be verified');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM rstar_model_orphans()'), 0, 'orphans listed');

for my $write (q{SELECT rstar_model_create('x', 'bytes', 1, 32, 2)},
	qq{SELECT rstar_model_import('x', '$bytes', 'vocabulary')},
	q{SELECT rstar_model_quantize('tiny', 'x', 'q8_0')}, q{SELECT rstar_model_drop('tiny', true)})
{
	my ($rc, $out, $err) = $standby->psql('postgres', $write);
	like($err, qr/ERROR: .*(during recovery|read-only)/, "refused: $write");
}
is($standby->safe_psql('postgres', 'SELECT count(*) FROM rstar_model_orphans()'), 0, 'and nothing came of it');

# --- reports: what an analyst asks runs here, beside the primary ------------------------------------

$primary->safe_psql('postgres', q{
	INSERT INTO rstar.problems (statement, answer, topic, level)
	SELECT format('Solve %s*x + 5 = %s for x.', i, 5 + i * i), i::text, 'equations', 'hard' FROM generate_series(2, 5) i;
	SELECT count(*) FROM rstar_search((SELECT array_agg(problem_id) FROM rstar.problems), rollouts => 4, temperature => 1.2);
	INSERT INTO rstar.rounds (round_id, name, created_by, number, preset, settings) VALUES (7, 'line', CURRENT_USER, 1, 'nano', '{}');
	UPDATE rstar.trees SET round_id = 7;
	SELECT rstar_build_pairs();
	CREATE ROLE analyst LOGIN IN ROLE pg_read_all_data, pg_read_all_stats});
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
my $views = $primary->safe_psql('postgres', q{SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class
	WHERE relnamespace = 'rstar'::regnamespace AND relkind = 'v' AND relname NOT IN ('progress', 'training_summary', 'round_summary')});
my $tree = $primary->safe_psql('postgres', 'SELECT max(tree_id) FROM rstar.trees');
my @questions = ((map { "SELECT md5(string_agg(v::text, ',' ORDER BY v::text)) FROM rstar.$_ v" } split / /, $views),
	'SELECT count(*) FROM rstar.round_summary', "SELECT rstar_tree_text($tree)", "SELECT rstar_tree_svg($tree)", q{SELECT rstar_report_html(7) ~ '</html>'});
cmp_ok(scalar @questions, '>', 16, 'there is much to ask');
for my $question (@questions)
{
	my $asked = "SET ROLE analyst; $question";

	is($standby->safe_psql('postgres', $asked), $primary->safe_psql('postgres', $asked), "the standby answers as the primary: $question");
}
my ($report, $complaint) = ('', '');
ok(IPC::Run::run([ 'psql', '-XAt', '-v', 'round=7', '-d', $standby->connstr('postgres'), '-f', source_path('sql/reports.sql') ], '>', \$report, '2>', \$complaint)
	  && $complaint eq '', 'sql/reports.sql runs on it') or diag $complaint;
is($standby->safe_psql('postgres', q{SET ROLE analyst; SELECT rstar_solve('Solve 3*x + 5 = 20 for x.')}), '5', 'and an ordinary role solves there');
like(error_of($standby, 'SELECT rstar_search(min(problem_id)) FROM rstar.problems'), qr/ERROR: .*(during recovery|read-only)/, 'a search that would store is refused');

# A model made later: its row arrives, its file must be copied.
$primary->safe_psql('postgres', q{SELECT rstar_model_create('later', 'bytes', 1, 32, 2, seed => 9)});
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
my ($rc, $out, $err) = $standby->psql('postgres', q{SELECT rstar_generate('x', 'later', max_tokens => 3)});
like($err, qr/ERROR: .*/, 'a row without its file gives an error');
my $file = $primary->safe_psql('postgres', q{SELECT path FROM rstar.models WHERE name = 'later'});
copy($primary->data_dir . "/rstar/$file", $standby->data_dir . "/rstar/$file") or die $!;
is( $standby->safe_psql('postgres', q{SELECT rstar_generate('x', 'later', max_tokens => 3)}),
	$primary->safe_psql('postgres', q{SELECT rstar_generate('x', 'later', max_tokens => 3)}),
	'once it is copied, the model works');

# Promoted, it goes on as a primary.
$standby->promote;
ok($standby->safe_psql('postgres', q{SELECT rstar_model_create('own', 'bytes', 1, 32, 2, seed => 10) > 0}),
	'after promotion models can be made');

$standby->stop;
$primary->stop;
done_testing();
