# JSON lines leave and enter byte for byte: every character that COPY, csv, psql
# or JSON could trip over comes back as it was.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use Encode qw(encode);
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RstarTest;
use Test::More;

my $node = new_rstar_node('exports');
my $folder = $node->basedir . q{/odd "name's \ folder};
mkdir $folder or die "$folder: $!";

# Run a script of sql/ with variables; returns what it printed.
sub script
{
	my ($name, $input, %variables) = @_;
	my ($out, $err) = ('', '');
	my @set = map { ('-v', "$_=$variables{$_}") } sort keys %variables;

	IPC::Run::run([ 'psql', '-X', '-q', @set, '-f', source_path("sql/$name"), $node->connstr('postgres') ],
		'<', \$input, '>', \$out, '2>', \$err);
	return ($out, $err);
}

sub objects
{
	my ($bytes) = @_;

	return map { decode_json($_) } split /\n/, $bytes;
}

# A database value as it lies there, in hexadecimal, and a string as it would lie there.
sub stored
{
	my ($query) = @_;

	return $node->safe_psql('postgres', $query);
}

sub hex_of
{
	my ($text) = @_;

	utf8::encode($text); # characters that Encode would not let pass are text too
	return unpack('H*', $text);
}

# --- texts to trip over -------------------------------------------------------------

my @texts = (
	'\frac{1}{2} \\\\ \begin{array}{c} 1 \end{array} \n \t \x41 \u0041 \N \.',
	"\\.\n\\.", "\\", "\\\\N", '"', '""', "'", q{","}, '$$', "\$1 :name :'name' \\gexec",
	"tab\there", "line\nline", "carriage\rreturn", "both\r\nthem", "\n", " leading and trailing ",
	join('', map { chr } 1 .. 31), join('', map { chr } 32 .. 127), join('', map { chr } 128 .. 159),
	"\x{a0}\x{e9}\x{df}", "\x{4e2d}\x{6587}", "\x{1f600}\x{1d54f}", "e\x{301}", "\x{2028}\x{2029}\x{feff}",
	"\x{202e}right to left", "\x{fffd}\x{ffff}\x{10ffff}", '{"json": [1, "\u0001"]}', '</script>',
	'x' x 1_000_000, '');

sub quoted
{
	my ($text) = @_;

	return sprintf(q{convert_from('\x%s', 'UTF8')}, hex_of($text));
}

# --- problems enter --------------------------------------------------------------------

my $json = JSON::PP->new->utf8->canonical;
my @lines = map { $json->encode({ problem => $texts[$_], answer => $texts[-1 - $_], module => "m$_", note => $texts[$_] }) } 0 .. $#texts;
my ($out, $err) = script('import_problems.sql', join("\n", @lines) . "\n", source => 'it\'s', split => 'a "b" \\');
is($err, '', 'problems are read');
is(stored('SELECT count(*) FROM rstar.problems'), scalar @texts, 'all of them');
for my $i (0 .. $#texts)
{
	my $got = stored("SELECT encode(convert_to(statement, 'UTF8'), 'hex') || '|' || encode(convert_to(answer, 'UTF8'), 'hex') || '|'
		|| encode(convert_to(tags->>'note', 'UTF8'), 'hex') || '|' || (tags - 'note') FROM rstar.problems WHERE topic = 'm$i'");

	is($got, join('|', hex_of($texts[$i]), hex_of($texts[ -1 - $i ]), hex_of($texts[$i]), '{}'), "problem $i is what the file says")
	  or diag(length $got);
}
is(stored(q{SELECT DISTINCT source || '|' || split FROM rstar.problems}), 'it\'s|a "b" \\', 'source and split are those of the call');
is(stored('SELECT bool_and(a < b) FROM (SELECT problem_id AS a, lead(problem_id) OVER (ORDER BY substr(topic, 2)::int) AS b FROM rstar.problems) x'),
	't', 'in the order of the file');

# Twice is once; other spellings of members; a byte-order mark, line ends of Windows, empty lines.
($out, $err) = script('import_problems.sql', join("\n", @lines) . "\n", source => 'it\'s', split => 'a "b" \\');
is($err . stored('SELECT count(*) FROM rstar.problems'), scalar @texts, 'a second time nothing is added');
($out, $err) = script('import_problems.sql',
	"\xef\xbb\xbf" . qq({"question": "q1", "answer": 1.50, "level": 3, "source": "own"}\r\n\r\n{"query": "q2", "difficulty": "hard"}\r\n));
is($err, '', 'a file from Windows is read');
is(stored(q{SELECT string_agg(concat_ws(',', statement, answer, level, source, tags), ';' ORDER BY statement) FROM rstar.problems WHERE statement ~ '^q'}),
	'q1,1.50,3,own,{};q2,hard,{}', 'with its members under other names');

# All or nothing.
for my $bad ('{"problem": "x"', '{"answer": "5"}', '[1]', "{\"problem\": \"\x01\"}", "{\"problem\": \"\xff\"}", '{"problem": "\u0000"}')
{
	my $before = stored('SELECT count(*) FROM rstar.problems');

	($out, $err) = script('import_problems.sql', qq({"problem": "good"}\n$bad\n));
	like($err, qr/ERROR/, 'refused: ' . encode('UTF-8', substr($bad, 0, 20)));
	is(stored('SELECT count(*) FROM rstar.problems'), $before, 'and nothing is added');
}

# --- a tree for each text ------------------------------------------------------------------

# Root, a step with the text, and a right and a wrong answer, each with the text too.
my $n = 0;
my @trees;
for my $text (@texts)
{
	my $q = quoted($text);

	$n++;
	push @trees, qq{
		INSERT INTO rstar.problems (problem_id, statement, answer) OVERRIDING SYSTEM VALUE VALUES (@{[ 1000 + $n ]}, $q, '5');
		INSERT INTO rstar.trees (tree_id, problem_id, round_id, method, settings, seed, status, reproducible, rollouts, nodes, generated_tokens,
			computed_tokens, python_steps, policy_ms, ppm_ms, sandbox_ms, started_at, finished_at)
		VALUES ($n, @{[ 1000 + $n ]}, $n % 2, 'mcts', '{}', 0, 'done', true, 1, 4, 1, 1, 1, 0.1, 0, 0, now(), now());
		INSERT INTO rstar.nodes (tree_id, node_id, parent_id, depth, rollout, kind, status, rejected, expanded, text, output, answer, correct,
			visits, value_sum, logprob, tokens, duplicates)
		VALUES ($n, 0, NULL, 0, 0, 'root', 'ok', false, true, '', NULL, NULL, NULL, 2, 0, 0, 0, 0),
		       ($n, 1, 0, 1, 0, 'step', 'ok', false, true, $q, $q, NULL, NULL, 2, 0, -0.1, 1, 0),
		       ($n, 2, 1, 2, 0, 'answer', 'ok', false, false, $q || '5', NULL, '5', true, 1, 1, -1e-300, 1, 0),
		       ($n, 3, 1, 2, 0, 'answer', 'ok', false, false, $q || '6', NULL, '6', false, 1, -1, -3, 1, 0);
		INSERT INTO rstar.trajectories (tree_id, leaf_id, steps, answer, correct, mean_q, min_q, score, solution)
		VALUES ($n, 2, 2, '5', true, 0.1::float8 + 0.2, 0, 0, $q || $q || '5'), ($n, 3, 2, '6', false, -0.5, -1, 0, $q || $q || '6');
	};
}
$node->safe_psql('postgres', join('', @trees));
$node->safe_psql('postgres', q{
	INSERT INTO rstar.rounds (round_id, name, created_by, number, preset, settings, policy_id)
	SELECT 1, 'line', CURRENT_USER, 4, 'nano', '{"rollouts": 8}', model_id FROM rstar.models WHERE name = 'rstar-bootstrap';
	INSERT INTO rstar.round_problems VALUES (1, 1001, false, false), (1, 1002, true, false)});
is(stored('SELECT rstar_build_pairs(pair_min_edit => 1)'), scalar @texts, 'a pair for each');

# --- they leave --------------------------------------------------------------------------------

($out, $err) = script('export_sft.sql', '', file => "$folder/sft.jsonl");
is("$out$err", '', 'nothing is printed');
my $written = slurp_file("$folder/sft.jsonl");
my @sft = objects($written);
is(scalar @sft, scalar @texts, 'a line for each trajectory');
for my $i (0 .. $#texts)
{
	is_deeply([ map { hex_of($_) } @{ $sft[$i] }{qw(problem solution)} ], [ map { hex_of($_) } $texts[$i], "$texts[$i]$texts[$i]5" ],
		"trajectory $i leaves as it is");
}
is($sft[0]{mean_q}, 0.1 + 0.2, 'numbers leave with all their digits');
($out, $err) = script('export_sft.sql', '');
is($out, $written, 'the same on standard output');
($out, $err) = script('export_sft.sql', '', round => 1);
is(scalar(my @odd = objects($out)), int((@texts + 1) / 2), 'a round alone');
is($odd[0]{round}, 'line-4', 'by name and number');
($out, $err) = script('export_sft.sql', '', per_problem => 0);
is("$out$err", '', 'none of each problem');

($out, $err) = script('export_ppm.sql', '', file => "$folder/ppm.jsonl");
my @ppm = objects(slurp_file("$folder/ppm.jsonl"));
is(scalar @ppm, scalar @texts, 'a line for each pair');
for my $i (0 .. $#texts)
{
	is_deeply([ map { hex_of($_) } @{ $ppm[$i] }{qw(problem prefix chosen rejected)} ],
		[ map { hex_of($_) } $texts[$i], $texts[$i], "$texts[$i]5", "$texts[$i]6" ], "pair $i leaves as it is");
}
is($ppm[0]{weight}, 1, 'with its weight');
($out, $err) = script('export_ppm.sql', '', kind => 'answer');
is("$out$err", '', 'a kind alone (answers below one parent are compared as steps)');
($out, $err) = script('export_ppm.sql', '', kind => 'step', round => 0);
is(scalar(my @even = objects($out)), int(@texts / 2), 'a round alone');
is($even[0]{round}, undef, 'which has no row here');

($out, $err) = script('export_trees.sql', '', file => "$folder/trees.jsonl");
my @exported = objects(slurp_file("$folder/trees.jsonl"));
is(scalar @exported, scalar @texts, 'a line for each tree');
for my $i (0 .. $#texts)
{
	my $tree = $exported[$i];

	is_deeply(
		[ map { hex_of($_) } $tree->{problem}{statement}, map { $_->{text} } @{ $tree->{nodes} } ],
		[ map { hex_of($_) } $texts[$i], '', $texts[$i], "$texts[$i]5", "$texts[$i]6" ], "tree $i leaves as it is");
}
is($exported[0]{nodes}[2]{logprob}, -1e-300, 'numbers too');
is($exported[0]{tree}{tree_id}, 1, 'and the row of the tree');
is($exported[0]{round}, 'line-4', 'and its round');
($out, $err) = script('export_trees.sql', '', tree => 3);
is((objects($out))[0]{tree}{tree_id}, 3, 'one tree alone');
($out, $err) = script('export_trees.sql', '', problem => 1002);
is((objects($out))[0]{tree}{tree_id}, 2, 'one problem alone');
($out, $err) = script('export_trees.sql', '', tree => q{'; DROP TABLE x});
like($err, qr/invalid input syntax for type bigint/, 'a variable is a value and no SQL');

($out, $err) = script('export_round.sql', '', round => 1);
my ($exported_round) = objects($out);
is_deeply([ @$exported_round{qw(round results)}, $exported_round->{row}{settings}{rollouts}, map { $_->{problem_id} } @{ $exported_round->{problems} } ],
	[ 'line-4', undef, 8, 1001, 1002 ], 'a round leaves with its settings and problems');
is($exported_round->{models}[0]{name}, 'rstar-bootstrap', 'and its models by name');
($out, $err) = script('export_round.sql', '', round => 2);
is("$out$err", '', 'a round that is not there');

# What left can enter elsewhere.
$node->safe_psql('postgres', 'DELETE FROM rstar.problems WHERE problem_id < 1000');
($out, $err) = script('import_problems.sql', $written, source => 'again');
is(stored(q{SELECT count(*) FROM rstar.problems a JOIN rstar.problems b ON b.statement = a.statement AND b.source = 'again' WHERE a.problem_id > 1000 AND a.source IS NULL}),
	scalar @texts, 'statements that left and entered again are equal');

$node->stop;
done_testing();
