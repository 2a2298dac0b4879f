# Admission of searches: the server's limits hold, who came first goes first, and
# however a search or a wait ends, its place is free again.
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

my $node = new_rstar_node('admission', conf => <<'CONF');
shared_preload_libraries = 'rstar'
rstar.max_active_searches = 1
rstar.threads = 1
rstar.kv_cache = 64MB
restart_after_crash = on
log_min_messages = log
CONF
add_model($node, 'medium', model_bytes(layers => 6, width => 384, heads => 6, kv_heads => 2,
		ff => 1024, context => 4096));
add_model($node, 'tiny', model_bytes());

# A model with random weights hardly ever ends a step, so a search writes until it may not.
my $long = "SELECT rstar_solve('Once', 'medium', candidates => 256, rollouts => 1000)";
my $short = "SELECT rstar_solve('Once', 'tiny', candidates => 1, rollouts => 1)";

# --- sessions ------------------------------------------------------------------------

sub session
{
	my ($setup) = @_;
	my %s = (in => '', out => '');

	$s{psql} = start [ 'psql', '-X', '-A', '-t', '-q', $node->connstr('postgres') ],
	  \$s{in}, '>&', \$s{out}, timeout(900);
	$s{in} = 'SET rstar.step_tokens = 3000; ' . ($setup // '') . "SELECT 'pid ' || pg_backend_pid();\n";
	$s{psql}->pump until $s{out} =~ /pid (\d+)\n/;
	($s{pid}) = $s{out} =~ /pid (\d+)\n/;
	return \%s;
}

sub send_sql
{
	my ($s, $sql) = @_;

	$s->{in} .= "$sql;\n";
	$s->{psql}->pump_nb until $s->{in} eq '';
}

# What the session has said once it says this.
sub read_until
{
	my ($s, $pattern) = @_;

	$s->{psql}->pump until $s->{out} =~ $pattern;
	return $s->{out};
}

sub finish
{
	for my $s (@_)
	{
		$s->{in} .= "\\q\n";
		$s->{psql}->finish;
	}
}

sub state_is
{
	my ($s, $state) = @_;

	return wait_until($node,
		"SELECT coalesce((SELECT state FROM rstar_active_searches() WHERE pid = $s->{pid}), 'none') = '$state'");
}

sub set_limit
{
	my ($name, $value) = @_;

	$node->safe_psql('postgres', "ALTER SYSTEM SET $name = '$value'");
	$node->safe_psql('postgres', 'SELECT pg_reload_conf()');
	return;
}

sub cancel { $node->safe_psql('postgres', "SELECT pg_cancel_backend($_->{pid})") for @_; return; }

# --- one at a time, in order ------------------------------------------------------------

is($node->safe_psql('postgres', 'SELECT count(*) FROM rstar_active_searches()'), 0, 'nobody searches');
is($node->safe_psql('postgres', $short), '', 'a search alone runs at once');
is($node->safe_psql('postgres', 'SELECT count(*) FROM rstar_active_searches()'), 0, 'and leaves');

my $holder = session();
send_sql($holder, $long);
ok(state_is($holder, 'running'), 'the first one runs');
my @queue;
for my $i (1 .. 6)
{
	push @queue, session();
	send_sql($queue[-1], $long);
	ok(state_is($queue[-1], 'waiting'), "number $i waits");
}
is( $node->safe_psql('postgres',
		q{SELECT string_agg(state || coalesce(place::text, ''), ' ') FROM rstar_active_searches()}),
	'running waiting1 waiting2 waiting3 waiting4 waiting5 waiting6', 'the queue is there to see');
is($node->safe_psql('postgres', "SELECT value FROM rstar_run_python('1 + 2')"), 3, 'a piece of code does not stand in it');
is( $node->safe_psql('postgres', q{SELECT count(*) FROM rstar_active_searches() a JOIN pg_stat_activity s USING (pid)
		WHERE a.state = 'waiting' AND s.wait_event_type = 'Extension' AND s.wait_event IN ('Extension', 'RstarAdmission')}),
	6, 'and those who wait show a wait event');
is( $node->safe_psql('postgres', 'SELECT DISTINCT kv_cache / 1048576, sandbox_memory / 1048576, sandbox_processes FROM rstar_active_searches()'),
	'64|2048|256', 'with what they reserve');
my $running = $holder;
for my $i (1 .. 6)
{
	cancel($running);
	ok(state_is($running, 'none'), 'one is cancelled');
	$running = $queue[ $i - 1 ];
	is( $node->safe_psql('postgres',
			q{SELECT string_agg(pid || state, ' ') FILTER (WHERE state = 'running'), count(*) FROM rstar_active_searches()}),
		"$running->{pid}running|" . (7 - $i), "the search that came as number $i runs next, alone");
}
cancel($running);
ok(wait_until($node, 'SELECT count(*) = 0 FROM rstar_active_searches()'), 'all have left');
read_until($holder, qr/canceling statement/);

# --- more at a time, by a reload ---------------------------------------------------------

my ($a, $b, $c) = @queue;
send_sql($holder, $long);
ok(state_is($holder, 'running'), 'one runs');
send_sql($a, $long);
ok(state_is($a, 'waiting'), 'one waits');
set_limit('rstar.max_active_searches', 2);
ok(state_is($a, 'running'), 'a higher limit counts at once');
send_sql($b, $long);
ok(state_is($b, 'waiting'), 'and is respected');
is($node->safe_psql('postgres', q{SELECT count(*) FROM rstar_active_searches() WHERE state = 'running'}), 2, 'two run');
set_limit('rstar.max_active_searches', 1);
cancel($a);
ok(state_is($a, 'none'), 'one is cancelled');
sleep 0.3;
ok(state_is($b, 'waiting'), 'a lower limit lets nobody in until there is room');
cancel($holder);
ok(state_is($b, 'running'), 'then it goes on');
cancel($b);
ok(state_is($b, 'none'), 'and ends');

# --- leaving the queue ---------------------------------------------------------------------

$node->safe_psql('postgres', q{
	CREATE SEQUENCE caught;
	CREATE FUNCTION now_us() RETURNS bigint LANGUAGE sql AS
		$$ SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint $$;
	CREATE FUNCTION victim() RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		LOOP
			BEGIN
				PERFORM rstar_solve('Once', 'tiny', candidates => 1);
				RAISE 'it was not its turn';
			EXCEPTION WHEN query_canceled THEN
				PERFORM setval('caught', now_us());
			END;
		END LOOP;
	END $$;
	CREATE FUNCTION cancel_often(victim int, times int) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
	DECLARE
		sent bigint;
		seen bigint;
	BEGIN
		FOR i IN 1 .. times LOOP
			WHILE NOT EXISTS (SELECT FROM rstar_active_searches() WHERE pid = victim) LOOP
				PERFORM pg_sleep(0.001);
			END LOOP;
			PERFORM pg_sleep(random() * 0.01);
			sent := now_us();
			PERFORM pg_cancel_backend(victim);
			LOOP
				SELECT last_value INTO seen FROM caught;
				EXIT WHEN seen >= sent;
				PERFORM pg_sleep(0.0005);
			END LOOP;
			RETURN NEXT seen - sent;
		END LOOP;
	END $$;
});
send_sql($holder, $long);
ok(state_is($holder, 'running'), 'somebody searches');
send_sql($a, 'SELECT victim()');
ok(state_is($a, 'waiting'), 'a victim waits');
my @us = split /\n/, $node->safe_psql('postgres', "SELECT * FROM cancel_often($a->{pid}, 200)");
note sprintf 'cancel in the queue: %d times, median %.1f ms, p99 %.1f ms, max %.1f ms', scalar @us,
  map { $_ / 1000 } percentile(0.5, @us), percentile(0.99, @us), percentile(1, @us);
cmp_ok(percentile(0.99, @us), '<', 100_000, 'a cancel in the queue is honoured within 100 ms');
is($node->safe_psql('postgres', 'SELECT count(*) FROM rstar_active_searches()'), 2, 'no place was left behind');

send_sql($b, "SELECT 'through' FROM ($short) s");
ok(state_is($b, 'waiting'), 'another waits behind the victim');
is($node->safe_psql('postgres', "SELECT place FROM rstar_active_searches() WHERE pid = $b->{pid}") <= 2, 1, 'not first');
my $t = time;
$node->safe_psql('postgres', "SELECT pg_terminate_backend($a->{pid}, 10000)");
note sprintf 'terminate in the queue: gone after %.0f ms, psql included', 1000 * (time - $t);
ok(state_is($a, 'none'), 'a session that waits can be terminated');
is($node->safe_psql('postgres', "SELECT place FROM rstar_active_searches() WHERE pid = $b->{pid}"), 1,
	'the next one moves up');
$a->{psql}->finish;

send_sql($c, "SET statement_timeout = '200ms'; $short; RESET statement_timeout; SELECT 'next'");
read_until($c, qr/next/);
like($c->{out}, qr/canceling statement due to statement timeout/, 'statement_timeout ends the wait');
ok(state_is($c, 'none'), 'and the place in the queue');

$node->safe_psql('postgres', "SELECT pg_terminate_backend($holder->{pid}, 10000)");
read_until($b, qr/through\n/);
pass('a session that searches can be terminated; the next one runs');
$holder->{psql}->finish;

# An error in a transaction that stays open, and one that a function catches.
my $d = session();
my $too_long = "SELECT rstar_solve(repeat('Once ', 2000), 'tiny')";
send_sql($d, "BEGIN; $too_long");
read_until($d, qr/does not fit/);
ok(state_is($d, 'none'), 'an error leaves no place in a transaction that waits for its ROLLBACK');
send_sql($d, 'ROLLBACK');
send_sql($d, "DO \$\$ BEGIN BEGIN PERFORM rstar_solve(repeat('Once ', 2000), 'tiny'); EXCEPTION WHEN OTHERS THEN NULL; END;"
	  . " PERFORM pg_sleep(1000); END \$\$");
ok(wait_until($node, "SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $d->{pid}"), 'an error is caught');
ok(state_is($d, 'none'), 'and leaves no place either');
cancel($d);

# --- bytes --------------------------------------------------------------------------------------

set_limit('rstar.max_active_searches', 10);
set_limit('rstar.total_kv_cache', '100MB');
my @large = map { session() } 1 .. 2;
my $small = session('SET rstar.kv_cache = 8MB; ');
send_sql($large[0], $long);
ok(state_is($large[0], 'running'), '64 of 100 MB are reserved');
send_sql($large[1], $long);
ok(state_is($large[1], 'waiting'), 'another 64 MB wait');
send_sql($small, "SELECT 'small' FROM ($short) s");
ok(state_is($small, 'waiting'), '8 MB would fit, but came later');
set_limit('rstar.total_kv_cache', '130MB');
ok(state_is($large[1], 'running'), 'a higher total lets the large one in');
ok(state_is($small, 'waiting'), 'and not the small one');
cancel($large[0]);
read_until($small, qr/small\n/);
pass('which runs when one has left');
ok(state_is($large[0], 'none'), 'one has left');

send_sql($large[0], $long);
ok(state_is($large[0], 'running'), 'two large ones run');
send_sql($small, "SET rstar.kv_cache = '64MB'; $short");
ok(state_is($small, 'waiting'), 'a third one waits');
set_limit('rstar.total_kv_cache', '63MB');
read_until($small, qr/ERROR: .*would reserve 64 MB of KV cache, the whole server has 63 MB\n.*HINT: .*rstar\.kv_cache/s);
pass('until its bytes can never be had');
cancel(@large);
ok(state_is($_, 'none'), 'the large ones go') for @large;

like(error_of($node, $short), qr/would reserve 64 MB of KV cache, the whole server has 63 MB/, 'more than the total is refused');
set_limit('rstar.total_kv_cache', 0);
set_limit('rstar.total_sandbox_memory', '3GB');
send_sql($_, $long) for @large;
ok(wait_until($node, q{SELECT string_agg(state, ' ') = 'running waiting' FROM rstar_active_searches()}),
	'sandbox memory is reserved too');
cancel(@large);
ok(wait_until($node, 'SELECT count(*) = 0 FROM rstar_active_searches()'), 'and given back');
set_limit('rstar.total_sandbox_memory', '1GB');
like(error_of($node, $short), qr/would reserve 2048 MB of sandbox memory, the whole server has 1024 MB\n.*HINT/s,
	'more than the total is refused');
set_limit('rstar.total_sandbox_memory', 0);

# A search may have 256 processes; one that asks for fewer fits beside it.
set_limit('rstar.total_sandbox_processes', 300);
send_sql($_, $long) for @large;
ok(wait_until($node, q{SELECT string_agg(state, ' ') = 'running waiting' FROM rstar_active_searches()}),
	'processes are reserved too');
cancel(@large);
ok(wait_until($node, 'SELECT count(*) = 0 FROM rstar_active_searches()'), 'and given back');
send_sql($large[0], $long);
ok(state_is($large[0], 'running'), 'one runs');
is($node->safe_psql('postgres', "SET rstar.sandbox_processes = 44; $short"), '', 'a small one beside it');
set_limit('rstar.total_sandbox_processes', 257);
send_sql($small, "SELECT 'value ' || value FROM rstar_run_python('1 + 2')");
ok(state_is($small, 'waiting'), 'a piece of code, which needs two, waits for its processes');
cancel($large[0]);
read_until($small, qr/value 3\n/);
pass('and runs when they are free');
ok(state_is($large[0], 'none'), 'the search has ended');
set_limit('rstar.total_sandbox_processes', 3);
send_sql($large[0], "SELECT status FROM rstar_run_python('while True: pass', 60000)");
ok(state_is($large[0], 'running'), 'one piece of code runs');
send_sql($small, "SELECT 'value ' || value FROM rstar_run_python('2 + 3')");
ok(state_is($small, 'waiting'), 'another waits');
cancel($large[0]);
read_until($small, qr/value 5\n/);
pass('until the first is gone');
set_limit('rstar.total_sandbox_processes', 1);
like(error_of($node, "SELECT rstar_run_python('1')"), qr/the code would reserve 2 processes of the sandbox, the whole server has 1\n/, 'one that never fits is refused');
set_limit('rstar.total_sandbox_processes', 200);
like(error_of($node, $short), qr/would reserve 256 processes of the sandbox, the whole server has 200\n.*HINT: .*total_sandbox_processes/s,
	'more than the total is refused');
set_limit('rstar.total_sandbox_processes', 4096);

# --- deadlock ---------------------------------------------------------------------------------------

# One who searches waits for a lock of one who waits to search. Nobody else knows.
set_limit('rstar.max_active_searches', 1);
set_limit('deadlock_timeout', '100ms');
my ($locker, $storer) = (session(), session());
send_sql($locker, "BEGIN; LOCK TABLE rstar.trees IN ACCESS EXCLUSIVE MODE; SELECT 'locked'");
read_until($locker, qr/locked/);
send_sql($storer, "SELECT 'stored' FROM rstar_search('Once', model => 'tiny', candidates => 1, rollouts => 1)");
ok(wait_until($node, "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $storer->{pid}"),
	'one who searches waits for a lock');
send_sql($locker, $short);
read_until($locker, qr/ERROR: .*deadlock detected\n.*DETAIL: .*Process $locker->{pid} waits for its turn to search; process $storer->{pid}, which searches, waits for a lock of process $locker->{pid}/s);
pass('the one with the lock, who waits to search, gives up');
send_sql($locker, "ROLLBACK; SELECT 'free'");
read_until($storer, qr/stored/);
pass('and the other goes on');

# A lock of somebody who does not wait to search is no deadlock.
send_sql($locker, "BEGIN; LOCK TABLE rstar.trees IN ACCESS EXCLUSIVE MODE; SELECT 'again'");
read_until($locker, qr/again/);
$storer->{out} = '';
send_sql($storer, "SELECT 'stored' FROM rstar_search('Once', model => 'tiny', candidates => 1, rollouts => 1)");
my $third = session();
send_sql($third, "SELECT 'third' FROM ($short) s");
ok(state_is($third, 'waiting'), 'a third one waits');
sleep 0.5;
unlike($third->{out}, qr/ERROR/, 'as long as it takes');
send_sql($locker, 'COMMIT');
read_until($third, qr/third/);
read_until($storer, qr/stored/);
pass('until the lock is given up');
finish($locker, $storer, $third);

# --- a search within a search ------------------------------------------------------------------------

# Storing a tree fires a trigger that searches: it needs no place of its own, though there is one only.
$node->safe_psql('postgres', qq{
	CREATE TABLE nested_log (searching bigint);
	CREATE FUNCTION nested() RETURNS trigger LANGUAGE plpgsql AS \$\$
	BEGIN
		PERFORM public.rstar_solve('Once', 'tiny', candidates => 1, rollouts => 1);
		INSERT INTO public.nested_log SELECT count(*) FROM public.rstar_active_searches();
		RETURN NULL;
	END \$\$;
	CREATE TRIGGER nested AFTER INSERT ON rstar.trees FOR EACH ROW EXECUTE FUNCTION nested()});
set_limit('rstar.total_kv_cache', '65MB');
is($node->safe_psql('postgres', "SET statement_timeout = '60s'; SELECT count(rstar_search('Once', model => 'tiny', candidates => 1, rollouts => 1))"),
	1, 'a search within a search does not wait for itself');
is($node->safe_psql('postgres', 'SELECT searching FROM nested_log'), 1, 'and leaves the place to the outer one');
is($node->safe_psql('postgres', 'SELECT count(*) FROM rstar_active_searches()'), 0, 'which gives it back');
set_limit('rstar.total_kv_cache', 0);
$node->safe_psql('postgres', 'DROP TRIGGER nested ON rstar.trees');

# --- many at once ---------------------------------------------------------------------------------

set_limit('rstar.max_active_searches', 2);
$node->safe_psql('postgres', 'CREATE TABLE seen (running int)');
my $script = $node->basedir . '/many.sql';
append_to_file($script, "$short;\nINSERT INTO seen SELECT count(*) FROM rstar_active_searches() WHERE state = 'running';\n");
$node->command_ok([ 'pgbench', '-n', '-c', 12, '-j', 2, '-t', 20, '-f', $script, 'postgres' ],
	'240 searches of 12 sessions');
cmp_ok($node->safe_psql('postgres', 'SELECT max(running) FROM seen'), '<=', 2, 'never more than two at a time');
is($node->safe_psql('postgres', 'SELECT count(*) FROM rstar_active_searches()'), 0, 'and none is left');

# --- kill -9 -----------------------------------------------------------------------------------------

send_sql($_, $long) for @large;
ok(state_is($_, 'running'), 'the places are taken') for @large;
$node->poll_query_until('postgres', 'SELECT true');
kill 'KILL', $large[0]{pid};
ok($node->poll_query_until('postgres',
		"SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid IN ($large[0]{pid}, $large[1]{pid}))"),
	'a session that searches is killed, and the server restarts');
$_->{psql}->finish for @large;
is($node->safe_psql('postgres', 'SELECT count(*) FROM rstar_active_searches()'), 0, 'all places are free');
is($node->safe_psql('postgres', $short), '', 'and a search runs at once');
is($node->safe_psql('postgres', 'SHOW rstar.max_active_searches'), 2, 'with the limits as they were');
for my $s ($b, $c, $d, $small, @queue[ 3 .. 5 ])
{
	$s->{in} = "\\q\n";
	$s->{psql}->finish;
}

# --- who may look; without preloading ------------------------------------------------------------------

$node->safe_psql('postgres', 'CREATE ROLE regress_rstar_visitor LOGIN; CREATE ROLE regress_rstar_monitor LOGIN;
	GRANT pg_monitor TO regress_rstar_monitor');
like(error_of($node, 'SELECT * FROM rstar_active_searches()', extra_params => [ '-U', 'regress_rstar_visitor' ]),
	qr/permission denied/, 'not everybody may look');
is($node->safe_psql('postgres', 'SELECT * FROM rstar_active_searches()', extra_params => [ '-U', 'regress_rstar_monitor' ]),
	'', 'pg_monitor may');

$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$node->restart;
my @free = map { session() } 1 .. 3;
send_sql($_, $long) for @free;
for my $s (@free)
{
	ok(wait_until($node, "SELECT wait_event IS NULL AND state = 'active' FROM pg_stat_activity WHERE pid = $s->{pid}"),
		'without preloading nobody waits');
}
my ($rc, $out, $err) = $node->psql('postgres', 'SELECT count(*) FROM rstar_active_searches()');
is($out, 0, 'and nobody is counted');
like($err, qr/NOTICE: .*rstar is not preloaded\nHINT: .*shared_preload_libraries/, 'which is said');
cancel(@free);
finish(@free);
set_limit('rstar.total_kv_cache', '63MB');
like(error_of($node, $short), qr/would reserve 64 MB of KV cache/, 'the totals bound each session by itself');

$node->stop;
done_testing();
