# A cancel is heard within moments wherever a function computes over outside
# bytes: hostile model files, and texts of 50 MB.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IPC::Run qw(start timeout);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RstarTest;
use Test::More;
use Time::HiRes qw(time sleep);

# What is aimed at is 100 ms; a machine that does something else besides gets more.
my $most_ms = $ENV{RSTAR_CANCEL_MS} // 1000;
my $node = new_rstar_node('cancel_anywhere');
my $now = '(extract(epoch FROM clock_timestamp()) * 1000)';

$node->safe_psql('postgres', qq{
	CREATE SEQUENCE caught;
	-- runs a query, and notes on a sequence, which an abort does not roll back, when the cancel came through
	CREATE FUNCTION catch(query text) RETURNS text LANGUAGE plpgsql AS \$\$
	BEGIN
		EXECUTE query;
		RETURN 'done';
	EXCEPTION WHEN query_canceled THEN
		PERFORM setval('caught', (extract(epoch FROM clock_timestamp()) * 1000)::bigint);
		RETURN 'cancelled';
	WHEN OTHERS THEN
		RETURN 'done';
	END \$\$});

# Run a query in a session of its own, cancel it after some ms: ms until the cancel came through;
# undef if the query ended before.
sub latency
{
	my ($query, $after_ms) = @_;
	my ($in, $out) = ('', '');
	my $psql = start [ 'psql', '-X', '-A', '-t', '-q', $node->connstr('postgres') ], \$in, '>', \$out, timeout(120);

	$in = "SELECT pg_backend_pid();\n";
	$psql->pump until $out =~ /(\d+)\n/;
	my $pid = $1;
	$in .= "SELECT catch(\$q\$$query\$q\$);\n";
	$psql->pump_nb;
	wait_until($node, "SELECT state = 'active' AND query ~ 'catch' FROM pg_stat_activity WHERE pid = $pid");
	sleep $after_ms / 1000;
	my $sent = $node->safe_psql('postgres', "SELECT $now FROM pg_cancel_backend($pid)");
	$psql->pump until $out =~ /(done|cancelled)\n/;
	my $end = $1;
	$in .= "\\q\n";
	$psql->finish;
	return $end eq 'cancelled' ? $node->safe_psql('postgres', 'SELECT last_value FROM caught') - $sent : undef;
}

# How long a statement takes from end to end, once its file is in the page cache.
sub duration_ms
{
	my ($sql) = @_;
	my $begin;

	for (1 .. 2)
	{
		$begin = time;
		$node->psql('postgres', $sql);
	}
	return (time - $begin) * 1000;
}

sub heard
{
	my ($what, $query, $after_ms, $most) = @_;
	my $ms;

	# What ended sooner than a busy machine let expect is cancelled earlier.
	for (my $tries = 3; $tries > 0 && !defined $ms; $tries--, $after_ms /= 3) { $ms = latency($query, $after_ms); }

	note(sprintf '%s: %s', $what, defined $ms ? sprintf('%.0f ms', $ms) : 'ended before the cancel');
	ok(defined $ms && $ms < ($most // $most_ms), "$what: the cancel is heard");
	return;
}

# The same for a query of a known duration, at some shares of it: sooner than half the rest would take.
sub heard_within
{
	my ($what, $query, $whole_ms) = @_;

	heard("$what, at $_ of it", $query, $whole_ms * $_, $whole_ms * (1 - $_) / 2) for 0.05, 0.2;
	return;
}

# --- hostile files ------------------------------------------------------------------------------

# The header of a vocabulary file with keys of our own.
sub file_of
{
	my (@keys) = @_;

	return 'GGUF' . pack('V Q< Q<', 3, 0, scalar @keys) . join('', @keys);
}

sub text_key { return pack('Q</a* V Q</a*', $_[0], 8, $_[1]); }
sub texts_key { return pack('Q</a* V V Q<', $_[0], 9, 8, $_[2]) . $_[1]; }

# As many tokens and merges as are allowed, none of them twice.
my $items = 1 << 22;
my ($tokens, $merges) = ('', '');
for my $i (0 .. $items - 1)
{
	my $text = sprintf '%08x', $i * 2654435761 & 0xffffffff;

	$tokens .= "\x08\0\0\0\0\0\0\0$text";
	$merges .= "\x09\0\0\0\0\0\0\0" . substr($text, 0, 4) . ' ' . substr($text, 4);
}
my $file = add_model($node, 'items', file_of(text_key('general.architecture', 'qwen2'), text_key('tokenizer.ggml.model', 'gpt2'),
	text_key('tokenizer.ggml.pre', 'qwen2'), texts_key('tokenizer.ggml.tokens', $tokens, $items),
	texts_key('tokenizer.ggml.merges', $merges, $items)), role => 'vocabulary');
($tokens, $merges) = ('', '');

my $whole = duration_ms(q{SELECT rstar_tokenize('a', 'items')});
note(sprintf '%d tokens and merges open in %.0f ms', $items, $whole);
cmp_ok($whole, '>', 100, 'opening takes long enough to be cancelled');
heard_within("a vocabulary of $items tokens and merges", q{SELECT rstar_tokenize('a', 'items')}, $whole);
unlink $file;

# Keys of 16 kB, which the identity hashes whole.
my $keys = 30000;
$file = add_model($node, 'keys', file_of(text_key('general.architecture', 'qwen2'),
	map { text_key("k$_", 'x' x 16384) } 1 .. $keys), role => 'vocabulary');
$node->safe_psql('postgres', q{UPDATE rstar.models SET file_id = repeat('0', 32) WHERE name = 'keys'});
$whole = duration_ms(q{SELECT rstar_tokenize('a', 'keys')});
note(sprintf '%d keys of 16 kB are hashed in %.0f ms', $keys, $whole);
cmp_ok($whole, '>', 100, 'hashing takes long enough to be cancelled');
heard_within("$keys keys of 16 kB", q{SELECT rstar_tokenize('a', 'keys')}, $whole);
unlink $file;

# --- texts of 50 MB -----------------------------------------------------------------------------

# What a query does with such a text before it calls us (a copy from TOAST) takes a while, too.
my $bytes = 50_000_000;
$node->safe_psql('postgres', qq{
	CREATE TABLE texts (name text PRIMARY KEY, body text);
	ALTER TABLE texts ALTER body SET STORAGE EXTERNAL;
	INSERT INTO texts VALUES ('run', repeat('a', $bytes)), ('words', repeat('ab ', $bytes / 3)), ('signs', repeat('\$', $bytes))});
for my $name (qw(run words signs))
{
	heard("$_->[0] of $name", "SELECT $_->[0] FROM texts WHERE name = '$name'", $_->[1])
	  for [ 'rstar_tokenize(body)', 900 ];
	heard("rstar_train_vocabulary of $name",
		"SELECT rstar_train_vocabulary('x', 'SELECT body FROM texts, generate_series(1, 20) WHERE name = ''$name''')", 900);
}

# --- a session's first sandbox -----------------------------------------------------------------

heard("a sandbox that starts and runs, after $_ ms", q{SELECT rstar_run_python('while True: pass')}, $_) for 5, 50, 100, 200, 300;

# What cannot be searched is not stored either.
like(error_of($node, q{SELECT rstar_search(repeat('a ', 600000), '1')}), qr/ERROR:  a problem of 1200000 bytes is too long/, 'a problem');
like(error_of($node, q{SELECT rstar_search('1 + 1', repeat('1', 1200000))}), qr/ERROR:  an answer of 1200000 bytes is too long/, 'an answer');
is($node->safe_psql('postgres', 'SELECT count(*) FROM rstar.problems'), 0, 'nothing was stored');

done_testing();
