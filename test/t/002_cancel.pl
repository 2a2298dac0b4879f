# Cancelling: a query that computes ends within 100 ms, and leaves nothing.
#
# One session generates and notes (through a sequence, which no abort rolls
# back) when it saw the cancel; another cancels it and compares the clocks.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IPC::Run qw(start);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RstarTest;
use Test::More;

my $each = $ENV{RSTAR_CANCELS} // 500;    # of each kind
my $node = new_rstar_node('cancel');
add_model($node, 'medium', model_bytes(layers => 6, width => 384, heads => 6, kv_heads => 2,
		ff => 1024, context => 4096));

$node->safe_psql('postgres', q{
	CREATE SEQUENCE caught;
	CREATE SEQUENCE finished;
	CREATE FUNCTION now_us() RETURNS bigint LANGUAGE sql AS
		$$ SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint $$;
	CREATE TABLE latencies (kind text, n int, us bigint);

	-- the victim: generate again and again; every cancel is noted
	CREATE FUNCTION victim(prompt text, tokens int) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		LOOP
			BEGIN
				PERFORM rstar_generate(prompt, 'medium', max_tokens => tokens);
				PERFORM nextval('finished');
			EXCEPTION WHEN query_canceled THEN
				PERFORM setval('caught', now_us());
			END;
		END LOOP;
	END $$;

	-- the canceller: a random moment, then the time until the victim says so
	CREATE PROCEDURE cancel_often(kind text, victim int, times int) LANGUAGE plpgsql AS $$
	DECLARE
		sent bigint;
		seen bigint;
	BEGIN
		PERFORM setseed(0.5);
		FOR i IN 1 .. times LOOP
			PERFORM pg_sleep(0.005 + random() * 0.04);
			sent := now_us();
			IF NOT pg_cancel_backend(victim) THEN
				RAISE EXCEPTION 'the victim is gone after % cancels', i - 1;
			END IF;
			LOOP
				SELECT last_value INTO seen FROM caught;
				EXIT WHEN seen >= sent;
				IF now_us() - sent > 20000000 THEN
					RAISE EXCEPTION 'cancel % not seen for 20 s', i;
				END IF;
				PERFORM pg_sleep(0.001);
			END LOOP;
			INSERT INTO latencies VALUES (kind, i, seen - sent);
			COMMIT;
		END LOOP;
	END $$;
});

sub maps_and_descriptors
{
	my ($pid) = @_;
	my @fds = glob "/proc/$pid/fd/*";
	my @threads = glob "/proc/$pid/task/*";

	return (scalar @fds, scalar @threads);
}

for my $kind ([ 'prompt', "repeat('The quick brown fox. ', 150)", 1 ], [ 'decoding', "'Once'", 3000 ])
{
	my ($name, $prompt, $tokens) = @$kind;
	my ($in, $out) = ('', '');
	my $psql = start [ 'psql', '-X', '-A', '-t', '-q', $node->connstr('postgres') ],
	  \$in, '>&', \$out;

	$in = "SELECT pg_backend_pid();\n";
	$psql->pump until $out =~ /(\d+)\n/;
	my $pid = $1;
	# The model once, whole: cancelled passes would fill what it keeps of its weights bit by bit.
	$in .= "SELECT length(rstar_generate('Once', 'medium', max_tokens => 1)) * 0;\nSELECT victim($prompt, $tokens);\n";
	$psql->pump_nb;
	ok(wait_until($node, "SELECT state = 'active' AND query ~ 'victim' FROM pg_stat_activity WHERE pid = $pid"),
		"$name: the victim computes");

	# Warm up: what a session keeps, it has after some cancels.
	$node->safe_psql('postgres', "CALL cancel_often('warm', $pid, 30)");
	my $rss = rss_kb($pid);
	my ($fds, $threads) = maps_and_descriptors($pid);
	$node->safe_psql('postgres', "CALL cancel_often('$name', $pid, $each)");
	my $grown = rss_kb($pid) - $rss;

	my @us = split /\n/,
	  $node->safe_psql('postgres', "SELECT us FROM latencies WHERE kind = '$name'");
	my ($p50, $p99, $max) = (percentile(0.5, @us), percentile(0.99, @us), percentile(1, @us));
	note sprintf '%s: %d cancels, median %.1f ms, p99 %.1f ms, max %.1f ms; memory %+d kB',
	  $name, scalar @us, $p50 / 1000, $p99 / 1000, $max / 1000, $grown;
	is(scalar @us, $each, "$name: every cancel was honoured");
	cmp_ok($p99, '<', 100_000, "$name: p99 under 100 ms");
	cmp_ok($grown, '<', 2048, "$name: no memory leaks");
	is_deeply([ maps_and_descriptors($pid) ], [ $fds, $threads ],
		"$name: no descriptor and no thread stays behind");

	# The session ends when told to, and takes its threads with it.
	$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
	ok(wait_until($node, "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $pid)"),
		"$name: terminated");
	$psql->finish;
	like($out, qr/terminating connection due to administrator command/, "$name: and says so");
}

# statement_timeout: how long after it does the statement end?
my $script = "SET statement_timeout = '60ms';\n\\timing on\n"
  . "SELECT length(rstar_generate('Once', 'medium', max_tokens => 3000));\n" x 60;
my ($rc, $timed, $errors) = $node->psql('postgres', $script, on_error_stop => 0);
my @late = map { $_ - 60 } $timed =~ /Time: ([0-9.]+) ms/g;
shift @late while @late > 60;
is(scalar(() = $errors =~ /canceling statement due to statement timeout/g), 60,
	'statement_timeout ends every statement');
note sprintf 'statement_timeout: median %.1f ms, worst %.1f ms late', percentile(0.5, @late),
  percentile(1, @late);
cmp_ok(percentile(0.98, @late), '<', 100, 'within 100 ms');

# After all that the server computes what it always did.
my $a = $node->safe_psql('postgres', q{SELECT rstar_generate('Once', 'medium', max_tokens => 20, temperature => 1)});
my $b = $node->safe_psql('postgres', q{SELECT rstar_generate('Once', 'medium', max_tokens => 20, temperature => 1)});
is($a, $b, 'equal calls, equal texts');

$node->stop;
done_testing();
