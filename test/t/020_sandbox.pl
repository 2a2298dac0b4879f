# The sandbox in a server: cancel, timeouts, the death of every process.
#
# "Nothing left" means: of the processes that the session's sandbox consisted
# of, none is alive one second later.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IPC::Run qw(start);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RstarTest;
use Test::More;
use Time::HiRes qw(time usleep);

# Here a session's processes are its own, below its backend; 022 is about the shared ones.
my $node = new_rstar_node('sandbox', conf => "restart_after_crash = on\nrstar.sandbox_shared = off\n"
	  . "session_preload_libraries = 'rstar'");



# Processes below a pid, by /proc; zombies do not count.
sub below
{
	my ($root) = @_;
	my (%parent, %state, %found);

	for my $dir (glob '/proc/[0-9]*')
	{
		open my $fh, '<', "$dir/stat" or next;
		my $line = <$fh> // '';
		next unless $line =~ /^(\d+) \(.*\) (\S) (\d+)/s;
		($state{$1}, $parent{$1}) = ($2, $3);
	}
	my $grown = 1;
	while ($grown)
	{
		$grown = 0;
		for my $pid (keys %parent)
		{
			next if $found{$pid} || ($parent{$pid} != $root && !$found{ $parent{$pid} });
			$found{$pid} = $grown = 1;
		}
	}
	return grep { $state{$_} ne 'Z' } keys %found;
}

sub alive
{
	my $count = 0;
	for my $pid (@_)
	{
		open my $fh, '<', "/proc/$pid/stat" or next;
		my $line = <$fh> // '';
		$count++ if $line =~ /^\d+ \(.*\) ([^Z])/s;
	}
	return $count;
}

sub gone_within
{
	my ($seconds, @pids) = @_;
	my $until = time + $seconds;
	while (alive(@pids) > 0 && time < $until)
	{
		usleep(5000);
	}
	return alive(@pids) == 0;
}

# A session of its own that we can watch and hurt.
sub session
{
	my %s = (in => '', out => '');
	$s{psql} = start [ 'psql', '-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=0', $node->connstr('postgres') ],
	  \$s{in}, '>&', \$s{out};
	$s{in} = "SELECT 'pid=' || pg_backend_pid();\n";
	$s{psql}->pump until $s{out} =~ /pid=(\d+)\n/;
	$s{pid} = $1;
	return \%s;
}

sub ask
{
	my ($s, $sql, $pattern) = @_;
	$s->{out} = '';
	$s->{in} .= "$sql\n";
	my $until = time + 60;
	while ($s->{out} !~ $pattern && time < $until)
	{
		eval { $s->{psql}->pump_nb; 1 } or last;
		usleep(1000);
	}
	return $s->{out} =~ $pattern;
}

my $loop = "SELECT status FROM rstar_run_python('while True: pass', timeout => 60000);";

# --- cancel -----------------------------------------------------------------------

my $s = session();
ok(ask($s, "SELECT 'v=' || value FROM rstar_run_python('6*7');", qr/v=42/), 'a session runs python');
my @processes = below($s->{pid});
cmp_ok(scalar @processes, '>=', 3, 'its sandbox has processes: ' . scalar @processes);
my @late;
for my $i (1 .. 20)
{
	$s->{out} = '';
	$s->{in} .= "$loop\n";
	$s->{psql}->pump_nb;
	wait_until($node, "SELECT state = 'active' FROM pg_stat_activity WHERE pid = $s->{pid}");
	usleep(20000);
	my $sent = time;
	kill 'INT', $s->{pid};
	my $until = time + 20;
	while ($s->{out} !~ /canceling statement/ && time < $until)
	{
		$s->{psql}->pump_nb;
		usleep(1000);
	}
	push @late, (time - $sent) * 1000;
}
@late = sort { $a <=> $b } @late;
note sprintf 'cancel: median %.1f ms, worst %.1f ms', $late[ @late / 2 ], $late[-1];
cmp_ok($late[ @late / 2 ], '<', 100, 'a cancel is honoured within 100 ms');
ok(ask($s, "SELECT 'v=' || value FROM rstar_run_python('2+2');", qr/v=4/), 'the session goes on');
ok(wait_until_sub(sub { scalar below($s->{pid}) <= scalar @processes }),
	'no cancelled step is left running');
is_deeply([ sort { $a <=> $b } below($s->{pid}) ], [ sort { $a <=> $b } @processes ],
	'and it is the same sandbox');

sub wait_until_sub
{
	my ($condition) = @_;
	my $until = time + 10;
	usleep(10000) while (!$condition->() && time < $until);
	return $condition->();
}

# --- statement_timeout, errors in between, descriptors ------------------------------

ok(ask($s, "SET statement_timeout = '100ms'; $loop SET statement_timeout = 0;",
		qr/canceling statement due to statement timeout/), 'statement_timeout');
ok(ask($s, "SELECT 'v=' || value FROM rstar_run_python('3+3');", qr/v=6/), 'the session goes on after it');
my $calls = "SELECT 'n=' || count(*) FROM generate_series(1, 200) AS i, LATERAL rstar_run_python('1 + ' || i) WHERE value = (i + 1)::text;";
my $errors = "SELECT 'n=' || count(*) FROM generate_series(1, 20) AS i, LATERAL rstar_run_python('1 / 0') WHERE status = 'error';";

# Once to open what the server itself keeps open.
ok(ask($s, $calls, qr/n=200/), '200 calls');
ok(ask($s, $errors, qr/n=20/), '20 errors');
my @before = glob "/proc/$s->{pid}/fd/*";
ask($s, $calls, qr/n=200/);
ask($s, $errors, qr/n=20/);
my @after = glob "/proc/$s->{pid}/fd/*";
is(scalar @after, scalar @before, 'no descriptor stays behind');
is(scalar(grep { /Z/ } states(children($s->{pid}))), 0, 'no zombie either');

sub children
{
	my ($root) = @_;
	my @found;
	for my $dir (glob '/proc/[0-9]*')
	{
		open my $fh, '<', "$dir/stat" or next;
		my $line = <$fh> // '';
		push @found, $1 if $line =~ /^(\d+) \(.*\) \S (\d+)/s && $2 == $root;
	}
	return @found;
}

sub states
{
	my @states;
	for my $pid (@_)
	{
		open my $fh, '<', "/proc/$pid/stat" or next;
		push @states, $1 if (<$fh> // '') =~ /\) (\S)/;
	}
	return @states;
}

# --- a sandbox process dies: the next call does not notice ---------------------------

for my $which (0 .. $#processes)
{
	@processes = sort { $a <=> $b } below($s->{pid});
	last if $which > $#processes;
	kill 'KILL', $processes[$which];
	usleep(50000);
	ok(ask($s, "SELECT 'v=' || value FROM rstar_run_python('40 + 2');", qr/v=42/),
		"sandbox process $which killed: the next call works");
	ok(gone_within(1, $processes[$which]), 'and it is gone');
}

# --- a process that is stopped for good ----------------------------------------------

@processes = sort { $a <=> $b } below($s->{pid});
my ($broker) = grep { name_of($_) eq 'rstar-broker' } @processes;
ok($broker, 'the session has a broker');
kill 'STOP', $broker;
my $asked = time;
ok(ask($s, "SELECT 'v=' || value FROM rstar_run_python('40 + 2');", qr/v=42/),
	'a stopped broker is given up');
cmp_ok(time - $asked, '<', 20, sprintf 'after %.1f s', time - $asked);
ok(gone_within(1, @processes), 'and killed, with all that was below it');

sub name_of
{
	open my $fh, '<', "/proc/$_[0]/comm" or return '';
	my $name = <$fh> // '';
	chomp $name;
	return $name;
}

# --- while a step runs, the backend ends in every way --------------------------------

for my $way (qw(TERM QUIT KILL))
{
	my $v = session();
	ask($v, "SELECT 'v=' || value FROM rstar_run_python('1+1');", qr/v=2/);
	$v->{in} .= "$loop\n";
	$v->{psql}->pump_nb;
	wait_until($node, "SELECT state = 'active' FROM pg_stat_activity WHERE pid = $v->{pid}");
	wait_until_sub(sub { below($v->{pid}) >= 4 });
	my @all = below($v->{pid});
	cmp_ok(scalar @all, '>=', 4, "SIG$way: a step is running");
	kill $way, $v->{pid};
	my $started = time;
	ok(gone_within(1, @all), "SIG$way: nothing left after 1 s");
	note sprintf 'SIG%s: gone after %.0f ms', $way, (time - $started) * 1000;
	eval { $v->{psql}->kill_kill };
	# Crashed backends restart the server.
	wait_for_server();
}
$s->{psql}->kill_kill;

sub wait_for_server
{
	my $until = time + 60;
	while (time < $until)
	{
		my ($rc) = $node->psql('postgres', 'SELECT 1');
		return if $rc == 0;
		usleep(100000);
	}
}

# --- an idle session, the whole server ------------------------------------------------

my $idle = session();
ask($idle, "SET rstar.sandbox_idle_timeout = 1; SELECT 'v=' || value FROM rstar_run_python('1+1');", qr/v=2/);
my @idle = below($idle->{pid});
cmp_ok(scalar @idle, '>=', 3, 'a session has a sandbox');
ok(gone_within(6, @idle), 'an unused sandbox ends by itself');
ok(wait_until_sub(sub { !children($idle->{pid}) }), 'and the idle session reaps it');
ok(ask($idle, "SELECT 'v=' || value FROM rstar_run_python('5+5');", qr/v=10/), 'and starts again when needed');
@idle = below($idle->{pid});
$node->stop('immediate');
ok(gone_within(1, @idle), 'an immediate shutdown leaves nothing');
eval { $idle->{psql}->kill_kill };

done_testing();
