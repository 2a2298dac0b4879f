# A session that computes serves what the server asks of it: a request for its
# memory contexts, the barrier of a DROP DATABASE elsewhere. Neither disturbs
# the generation nor waits for it.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IPC::Run qw(start);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RstarTest;
use Test::More;
use Time::HiRes qw(time sleep);

my $node = new_rstar_node('interrupts', conf => "log_min_messages = log\n");
add_model($node, 'medium', model_bytes(layers => 6, width => 384, heads => 6, kv_heads => 2,
		ff => 1024, context => 4096));
$node->safe_psql('postgres', 'CREATE SEQUENCE done');

my $call = q{rstar_generate('Once', 'medium', max_tokens => 600, temperature => 1)};
my $expected = $node->safe_psql('postgres', "SELECT md5($call)");

sub drop_database_ms
{
	my $t = time;

	$node->safe_psql('postgres', 'DROP DATABASE victim');
	return 1000 * (time - $t);
}

$node->safe_psql('postgres', 'CREATE DATABASE victim');
my @quiet;
for (1 .. 5)
{
	push @quiet, drop_database_ms();
	$node->safe_psql('postgres', 'CREATE DATABASE victim');
}

# A session that computes the same thing over and over.
my ($in, $out) = ('', '');
my $psql = start [ 'psql', '-X', '-A', '-t', '-q', $node->connstr('postgres') ], \$in, '>&', \$out;
$in = "SELECT pg_backend_pid();\n";
$psql->pump until $out =~ /(\d+)\n/;
my $pid = $1;
$in .= "DO \$\$ BEGIN LOOP IF md5($call) <> '$expected' THEN RAISE 'disturbed'; END IF; "
  . "PERFORM nextval('done'); END LOOP; END \$\$;\n";
$psql->pump_nb;
ok(wait_until($node, 'SELECT is_called FROM done'), 'the session computes');

my @busy;
for (1 .. 10)
{
	push @busy, drop_database_ms();
	$node->safe_psql('postgres', 'CREATE DATABASE victim');
	sleep 0.03 * $_;
}
my ($quiet, $busy) = (percentile(0.5, @quiet), percentile(1, @busy));
note sprintf 'DROP DATABASE: %.0f ms with an idle server (median), %.0f ms beside a generation (worst of %d)',
  $quiet, $busy, scalar @busy;
# Both contain the checkpoint that DROP DATABASE makes; the barrier is what differs.
cmp_ok(percentile(0.5, @busy) - $quiet, '<', 100, 'DROP DATABASE does not wait for a generation');

# The same request to a session that does nothing shows what psql and the log take.
sub logged_after_ms
{
	my ($target) = @_;
	my $offset = -s $node->logfile;
	my $t = time;

	$node->safe_psql('postgres', "SELECT pg_log_backend_memory_contexts($target)");
	while (time - $t < 20)
	{
		last if slurp_file($node->logfile, $offset) =~ /logging memory contexts of PID $target.*Grand total/s;
		sleep 0.002;
	}
	return 1000 * (time - $t);
}

my ($idle_in, $idle_out) = ("SELECT pg_backend_pid();\n", '');
my $idle_psql = start [ 'psql', '-X', '-A', '-t', '-q', $node->connstr('postgres') ],
  \$idle_in, '>&', \$idle_out;
$idle_psql->pump until $idle_out =~ /(\d+)\n/;
my $idle_pid = $1;
my (@waits, @idle_waits);
for my $i (1 .. 10)
{
	push @idle_waits, logged_after_ms($idle_pid);
	push @waits, logged_after_ms($pid);
}
$idle_in .= "\\q\n";
$idle_psql->finish;
note sprintf 'memory contexts logged after: median %.0f ms beside a generation, %.0f ms of an idle session',
  percentile(0.5, @waits), percentile(0.5, @idle_waits);
cmp_ok(percentile(0.5, @waits) - percentile(0.5, @idle_waits), '<', 100, 'its memory contexts are logged at once');
like(slurp_file($node->logfile), qr/rstar generate/, 'and are named for the reader');

my $before = $node->safe_psql('postgres', 'SELECT last_value FROM done');
ok(wait_until($node, "SELECT last_value > $before FROM done"), 'the generation goes on');
is($node->safe_psql('postgres', "SELECT state FROM pg_stat_activity WHERE pid = $pid"),
	'active', 'undisturbed');
$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
ok(wait_until($node, "SELECT state <> 'active' FROM pg_stat_activity WHERE pid = $pid"), 'until cancelled');
$in .= "\\q\n";
$psql->finish;
unlike($out, qr/disturbed/, 'every text was the same');

$node->stop;
done_testing();
