# Every function that anybody may call, with texts of 100 MB: it takes little memory
# beyond its argument and its result, and ends soon after it is asked to.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RstarTest;
use Test::More;
use Time::HiRes qw(time);

my $node = new_rstar_node('large_text');
my $bytes = 100_000_000;

# Stored as they are, so that reading them costs a copy and no decompression. Made row by row (constants would all
# be computed by the planner, and copied with the plan), and without a log: a machine may have little memory and disk.
$node->safe_psql('postgres', qq{
	CREATE UNLOGGED TABLE texts (name text PRIMARY KEY, body text, ids int[]);
	ALTER TABLE texts ALTER body SET STORAGE EXTERNAL;
	ALTER TABLE texts ALTER ids SET STORAGE EXTERNAL;
	INSERT INTO texts (name, body) SELECT name, repeat(part, $bytes / octet_length(part)) FROM (VALUES ('run', 'a'), ('words', 'ab '),
		('marks', '<'), ('boxes', '\boxed' || chr(123)), ('blanks', ' '), ('letters', 'ä'), ('code', '<code>')) v (name, part);
	INSERT INTO texts (name, ids) SELECT name, array_fill(5, ARRAY[n]) FROM (VALUES ('ids', $bytes / 4)) v (name, n)});

my @calls = (
	'rstar_tokenize(body)', 'rstar_generate(body, max_tokens => 1)', 'rstar_solve(body, rollouts => 1)', 'rstar_extract_answer(body)',
	'rstar_answer_normalize(body)', q{rstar_answers_equal('1', body)}, q{rstar_answers_equal(body, '1')}, 'rstar_answers_equal(body, body)',
	q{rstar_closed_answer(body, 'b')}, q{rstar_closed_answer('b', body)}, 'rstar_split_steps(body)', q{rstar_score(body, body)},
	'rstar_prompt_template(body)');

# Seconds to the end, and kB of peak memory, of a query in a session of its own.
sub measure
{
	my ($query, $timeout) = @_;
	my $begin = time;
	my (undef, $out) = $node->psql('postgres', "SET statement_timeout = '$timeout ms';\n$query \\g /dev/null
		RESET statement_timeout;
		SELECT substring(pg_read_file('/proc/' || pg_backend_pid() || '/status') FROM 'VmHWM:\\s+([0-9]+)')", on_error_stop => 0);

	return (time - $begin, $out);
}

my ($plain, $memory) = measure(q{SELECT md5(body) FROM texts WHERE name = 'run'}, 0);
note(sprintf 'reading the text alone: %.2f s, %d MB', $plain, $memory / 1024);

for my $name (qw(run marks boxes letters))
{
	for my $call (@calls)
	{
		my ($s, $kb) = measure("SELECT $call FROM texts WHERE name = '$name'", 400);
		my $arguments = () = $call =~ /\bbody\b/g;

		note(sprintf '%-8s %-40s %.2f s, %d MB more', $name, $call, $s, ($kb - $memory) / 1024);
		# what reads and shows the text takes time as well, and this machine may be a busy one
		cmp_ok($s, '<', 3 + 2 * $plain, "$call of $name ends");
		cmp_ok($kb - $memory, '<', (4 + $arguments) * $bytes / 1000, 'in bounded memory') if $call !~ /tokenize/;
	}
}

# Let finish: the memory beyond the result.
my ($s, $kb) = measure(q{SELECT cardinality(rstar_tokenize(body)) FROM texts WHERE name = 'run'}, 0);
note(sprintf 'tokenized in %.1f s, %d MB more', $s, ($kb - $memory) / 1024);
cmp_ok($kb - $memory, '<', (4 + 4) * $bytes / 1000, 'rstar_tokenize: a token for each byte, 4 bytes of it in the result');
($s, $kb) = measure(q{SELECT length(rstar_detokenize(ids)) FROM texts WHERE name = 'ids'}, 0);
note(sprintf 'detokenized in %.1f s, %d MB more', $s, ($kb - $memory) / 1024);
cmp_ok($kb - $memory, '<', 4 * $bytes / 1000, 'rstar_detokenize');

# A run without blanks is cut into pieces and comes back whole.
is($node->safe_psql('postgres', q{SELECT bool_and(rstar_detokenize(rstar_tokenize(t)) = t) FROM (VALUES
		(repeat('a', 100000)), (repeat('ä', 100001)), (repeat('xyz', 33333) || ' end'), (repeat('€', 40000)), (repeat(' ', 70000) || 'b')) v (t)}),
	't', 'there and back');

# What cannot fit is refused as soon as that is known.
like(error_of($node, q{SELECT rstar_generate(repeat('word ', 10000000), max_tokens => 1)}),
	qr/ERROR:  the prompt of more than \d+ tokens does not fit the context/, 'a prompt');
like(error_of($node, q{SELECT rstar_solve(repeat('word ', 10000000), rollouts => 1)}), qr/ERROR:  .*token/, 'a problem');

done_testing();
