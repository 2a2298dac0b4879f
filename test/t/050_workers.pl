# Background workers: jobs, their progress and their end; what stops them; databases, roles and
# extensions that go away under them; and that nothing happens where nothing is to do.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

use RstarProcesses;
use RstarTest;
use RstarWorkers;

my $node = new_worker_node('workers');
add_problems($node, 80);

sub sql { return $node->safe_psql('postgres', $_[0], @_[ 1 .. $#_ ]); }

sub status_of { return sql("SELECT status FROM rstar.jobs WHERE job_id = $_[0]"); }

sub working { return wait_until($node, "SELECT count(*) >= $_[1] FROM rstar.progress WHERE job_id = $_[0] AND done > 0"); }

sub idle { return wait_until($node, "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type IN ('rstar worker', 'rstar probe', 'rstar schedule')"); }

sub threads_of { return scalar(() = glob "/proc/$_[0]/task/*"); }

sub switches
{
	my ($pid) = @_;
	my ($n) = slurp_file("/proc/$pid/status") =~ /^voluntary_ctxt_switches:\s+(\d+)/m;

	return $n;
}

# Enough work for several seconds, and for a quarter of a minute: many candidates, few of them alike.
my $long = ', rollouts => 256, candidates => 8, temperature => 3';
my $longer = ', rollouts => 256, candidates => 32, temperature => 3';

# --- nothing to do ---------------------------------------------------------------------

ok(idle(), 'no worker runs where there is no job');
my ($launcher) = pids_of($node, 'rstar launcher');
is(sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type ~ 'rstar' AND datid IS NOT NULL"), 0, 'nobody is connected to a database');
my $before = switches($launcher);
sleep 3;
is(switches($launcher), $before, 'the launcher sleeps: no wake-up in three seconds');

# --- a job --------------------------------------------------------------------------------

my $offset = -s $node->logfile;
is(sql("BEGIN; SELECT 1 FROM rstar_search_all('SELECT problem_id FROM rstar.problems'); ROLLBACK; SELECT count(*) FROM rstar.jobs"),
	"1\n0", 'ROLLBACK leaves no job');
sleep 0.3;
unlike(log_since($node, $offset), qr/rstar job/, 'and no worker');
like(error_of($node, "BEGIN; SELECT rstar_wait(rstar_search_all('SELECT 1 LIMIT 0')); ROLLBACK"), qr/was submitted in this transaction/, 'no wait for a job that no worker can see');

my $job = submit($node, "$longer, workers => 2, threads => 1, nice => 3");
ok(working($job, 2), 'two workers are at it');
is(sql("SELECT kind, database, created_by, phase, total, bool_and(rate > 0), bool_and(time_to_go > '0 s'), bool_or(doing ~ 'problems in hand') FROM rstar.progress GROUP BY 1, 2, 3, 4, 5"),
	"search_all|postgres|" . sql('SELECT current_user') . "|searching|80|t|t|t", 'progress tells what, whose, how far and how fast');
is(sql("SELECT DISTINCT application_name, state, query FROM pg_stat_activity WHERE backend_type = 'rstar worker'"),
	"rstar: search_all, job $job|active|rstar: search_all, job $job", 'and so do the processes');
my ($worker) = pids_of($node, 'rstar worker');
cmp_ok(getpriority(0, $worker), '==', getpriority(0, $launcher) > 3 ? getpriority(0, $launcher) : 3, 'with the nice level that was asked for');
is(threads_of($worker), 1, 'and as many threads');
my $held = 0;
for (1 .. 10) { $held += sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'rstar worker' AND backend_xmin IS NOT NULL"); sleep 0.02; }
note "snapshots held by workers in 10 looks: $held";
cmp_ok($held, '<=', 3, 'the workers hold no snapshot while they search');
sql("SELECT rstar_cancel($job)");
ok(idle(), 'it is cancelled, since it is long');
sql('DELETE FROM rstar.trees');
$job = submit($node, ', rollouts => 16, workers => 2, threads => 1');
is(wait_for_job($node, $job), 'done', 'it is done');
is(sql("SELECT done, failed, total, error IS NULL, finished_at > started_at FROM rstar.jobs WHERE job_id = $job"), '80|0|80|t|t', 'all of it');
is(sql("SELECT count(*), count(DISTINCT problem_id) FROM rstar.trees"), '80|80', 'each problem has a tree');
cmp_ok(sql("SELECT count(*) FROM rstar.trees WHERE correct"), '>', 65, 'as a search in the foreground gives them');
ok(idle(), 'and the workers end');
my $same = sql("SELECT array_agg(tree_id) FROM rstar.trees WHERE problem_id = 7");
is(sql("SELECT count(DISTINCT (rollouts, nodes, generated_tokens, answer)) FROM rstar.trees WHERE tree_id IN
		(SELECT tree_id FROM rstar.job_items WHERE problem_id = 7 UNION ALL SELECT rstar_search(7, rollouts => 16))"), 1,
	'the tree is the one that a session gets');
$job = submit($node, "$long, workers => 1, threads => 3");
ok(working($job, 1), 'a job that asks for three threads works');
($worker) = pids_of($node, 'rstar worker');
is(threads_of($worker), 3, 'with three, whatever the machine has');
sql("SELECT rstar_cancel($job)");
ok(idle(), 'and is cancelled');
my $told = sql(<<~'SQL');
	LISTEN rstar_jobs;
	SELECT rstar_search_all('SELECT 1', rollouts => 1) AS job \gset
	SELECT rstar_wait(:job) || ' ' || :job;
	SELECT pg_sleep(1);
	SQL
$job++;
like($told, qr/^done $job$/m, 'a session waits for a job');
like($told, qr/notification "rstar_jobs" with payload "$job done"/, 'and is told that it has ended');
sql('SET rstar.side_by_side = 3; SELECT rstar_search_all($$SELECT problem_id FROM rstar.problems WHERE problem_id < 5 UNION ALL SELECT 1$$, rollouts => 1)');
$job = sql('SELECT max(job_id) FROM rstar.jobs');
is(wait_for_job($node, $job) . sql("SELECT total FROM rstar.jobs WHERE job_id = $job"), 'done4', 'a problem that comes twice is searched once');

# Whatever plans statistics and settings lead to: a claim once ran its subquery for every row.
sql('ANALYZE rstar.job_items'); # the next job is one that the statistics do not know
$job = submit($node, ', rollouts => 1');
is(wait_for_job($node, $job), 'done', 'a job with a bad plan');
is(sql("SELECT done, failed FROM rstar.jobs WHERE job_id = $job"), '80|0', 'is done as well');


# --- what is wrong with a call -----------------------------------------------------------------

like(error_of($node, "SELECT rstar_search_all('SELECT 1, 2')"), qr/one column of integers/, 'two columns');
like(error_of($node, "SELECT rstar_search_all('SELECT statement FROM rstar.problems')"), qr/one column of integers/, 'text');
like(error_of($node, "SELECT rstar_search_all('SELECT NULL::int')"), qr/must not return NULL/, 'NULL');
like(error_of($node, "SELECT rstar_search_all('SELECT 99999999')"), qr/problem 99999999 does not exist/, 'no such problem');
like(error_of($node, "SELECT rstar_search_all('DELETE FROM rstar.problems RETURNING 1')"), qr/must be one SELECT/, 'no SELECT');
like(error_of($node, "SELECT rstar_search_all('SELECT 1; SELECT 2')"), qr/must be one SELECT/, 'two SELECTs');
like(error_of($node, "SELECT rstar_search_all('SELECT 1', model => 'none')"), qr/"none"/, 'no such model');
like(error_of($node, "SELECT rstar_search_all('SELECT 1', workers => 0)"), qr/"workers" must be between 1 and 256/, 'no workers');
like(error_of($node, "SELECT rstar_search_all('SELECT 1', nice => 20)"), qr/"nice" must be between 0 and 19/, 'too nice');
like(error_of($node, "SELECT rstar_search_all(NULL)"), qr/"query" must not be NULL/, 'no query');
$job = sql("SELECT rstar_search_all('SELECT 1 LIMIT 0')");
is(wait_for_job($node, $job), 'done', 'a job without problems is done');

# --- pause, resume, cancel ------------------------------------------------------------------------

# Milliseconds from the commit of the call until no worker is at the job.
sql('CREATE FUNCTION stopped(job bigint) RETURNS numeric LANGUAGE plpgsql AS $$
BEGIN
	WHILE EXISTS (SELECT FROM rstar_progress() p WHERE p.job_id = job) LOOP
		PERFORM pg_sleep(0.001);
	END LOOP;
	RETURN extract(epoch FROM clock_timestamp() - statement_timestamp()) * 1000;
END $$');

sub stop_ms { return (split /\n/, sql("$_[0];\nSELECT stopped($job)"))[-1]; }

$job = submit($node, $longer);
ok(working($job, 1), 'a job runs');
my $ms = stop_ms("SELECT rstar_pause($job)");
note sprintf 'paused, and left by its workers, after %.0f ms', $ms;
is(status_of($job), 'paused', 'it is paused');
is(sql("SELECT count(*) FROM rstar.job_items WHERE job_id = $job AND (status = 'claimed' OR tries > 0 OR losses > 0)"), 0, 'with nothing in hand, and no problem blamed');
my $done = sql("SELECT count(*) FROM rstar.job_items WHERE job_id = $job AND status = 'done'");
is(sql("SELECT rstar_wait($job)"), 'paused', 'nobody waits for it');
is(sql("SELECT rstar_pause($job)"), 'f', 'pause again: no');
is(sql("SELECT rstar_resume($job)"), 't', 'resume: yes');
ok(working($job, 1), 'and it goes on');
cmp_ok(sql("SELECT done FROM rstar.progress LIMIT 1"), '>=', $done, 'where it was');
my @ms;
for (1 .. 8)
{
	push @ms, stop_ms("SELECT rstar_pause($job)");
	sql("SELECT rstar_resume($job)");
	ok(wait_until($node, "SELECT count(*) > 0 FROM rstar.progress WHERE job_id = $job AND phase = 'searching'"), 'on and off');
	sleep rand 0.3;
}
note sprintf 'pause: median %.0f ms, most %.0f ms', percentile(0.5, @ms), percentile(1, @ms);
# On a machine with more to do than cores the median is the scheduler's.
cmp_ok(percentile(0, @ms), '<', 100, 'workers leave a job within 100 ms');
my $t = time;
is(sql("SELECT pg_cancel_backend(pid) FROM rstar.progress WHERE job_id = $job LIMIT 1"), 't', 'pg_cancel_backend on a worker');
sleep 0.5;
is(status_of($job), 'running', 'does not end the job');
is(sql("SELECT pg_terminate_backend(pid, 5000) FROM rstar.progress WHERE job_id = $job LIMIT 1"), 't', 'pg_terminate_backend ends the worker');
ok(working($job, 1), 'another one comes');
is(sql("SELECT pg_terminate_backend($launcher, 5000)"), 't', 'the launcher is ended');
sleep 0.3;
cmp_ok(sql("SELECT count(*) FROM rstar.progress WHERE job_id = $job"), '>', 0, 'the workers go on without it');
ok(wait_until($node, "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'rstar launcher'"), 'it comes back');
$ms = stop_ms("SELECT rstar_cancel($job)");
is(status_of($job), 'cancelled', 'the job is cancelled');
is(sql("SELECT rstar_cancel($job), rstar_pause($job)"), 'f|f', 'once');
is(sql("SELECT count(*) FROM rstar.job_items WHERE job_id = $job AND (losses > 0 OR tries > 0)"), 0, 'no problem was lost on the way');

# --- in the foreground ------------------------------------------------------------------------------

$before = sql('SELECT count(*) FROM rstar.trees');
my $foreground = $node->background_psql('postgres', on_error_stop => 0);
$foreground->{stdin} .= "CALL rstar_search_each('SELECT problem_id FROM rstar.problems', rollouts => 4);\n";
$foreground->{run}->pump_nb;
ok(wait_until($node, "SELECT done > 3 FROM rstar.progress WHERE kind = 'search_each' AND job_id IS NULL AND total = 80"), 'a session that searches shows how far it is');
sql("SELECT pg_cancel_backend(pid) FROM rstar.progress WHERE kind = 'search_each'");
ok(wait_until($node, 'SELECT count(*) = 0 FROM rstar.progress'), 'cancelled, it stops');
cmp_ok(sql('SELECT count(*) FROM rstar.trees'), '>', $before + 3, 'what had finished is stored');
$foreground->quit;

# --- errors ------------------------------------------------------------------------------------------

sql("INSERT INTO rstar.problems (problem_id, statement) OVERRIDING SYSTEM VALUE VALUES (5001, repeat('many words ', 2000)), (5002, 'What is 2 + 2?'), (6000, 'What is 2 + 3?')");
$job = sql("SELECT rstar_search_all('SELECT problem_id FROM rstar.problems WHERE problem_id BETWEEN 5001 AND 5002', rollouts => 1)");
is(wait_for_job($node, $job), 'done', 'a problem that cannot be searched fails alone');
is(sql("SELECT t.problem_id, t.status FROM rstar.trees t JOIN rstar.job_items i USING (tree_id) WHERE i.job_id = $job ORDER BY 1"), "5001|failed\n5002|done", 'its tree says so');
$job = sql("SELECT rstar_search_all('SELECT problem_id FROM rstar.problems WHERE problem_id = 6000'); DELETE FROM rstar.problems WHERE problem_id = 6000");
is(wait_for_job($node, $job), 'failed', 'a problem that was deleted fails');
is(sql("SELECT error FROM rstar.job_items WHERE job_id = $job"), 'the problem was deleted', 'with the reason');
is(sql("SELECT error FROM rstar.jobs WHERE job_id = $job"), '1 of 1 problems failed', 'and the job says how many');
sql("INSERT INTO rstar.problems (problem_id, statement) OVERRIDING SYSTEM VALUE VALUES (6001, 'What is 12 + 3?'), (6002, 'What is 13 + 4?')");
$job = sql("SELECT rstar_search_all('SELECT problem_id FROM rstar.problems WHERE problem_id > 6000'$long)");
ok(wait_until($node, "SELECT count(*) = 2 FROM rstar.job_items WHERE job_id = $job AND status = 'claimed'"), 'two problems are being searched');
sql('DELETE FROM rstar.problems WHERE problem_id = 6002');
is(wait_for_job($node, $job), 'done', 'one that is deleted meanwhile does not disturb the other');
is(sql("SELECT problem_id, status, error, tries, losses, tree_id IS NULL FROM rstar.job_items WHERE job_id = $job ORDER BY 1"),
	"6001|done||0|0|f\n6002|failed|the problem was deleted|0|0|t", 'and fails alone, with the reason');

sql("ALTER SYSTEM SET rstar.max_workers = 0");
sql("SELECT pg_reload_conf()");
add_model($node, 'tiny', model_bytes());
$job = sql("SELECT rstar_search_all('SELECT problem_id FROM rstar.problems LIMIT 3', model => 'tiny')");
sql("UPDATE rstar.models SET sha256 = repeat('0', 64) WHERE name = 'tiny'");
sleep 0.5;
is(status_of($job), 'queued', 'rstar.max_workers = 0: jobs wait');
sql("ALTER SYSTEM RESET rstar.max_workers");
sql("SELECT pg_reload_conf()");
for my $try (1 .. 3)
{
	ok(wait_until($node, "SELECT error ~ 'does not exist any more' AND (attempts = $try OR status = 'failed') FROM rstar.jobs WHERE job_id = $job"), "try $try ends in an error");
	# Not to wait for the pause.
	sql("UPDATE rstar.jobs SET next_try_at = now() WHERE job_id = $job AND status = 'queued'; SELECT rstar_resume(max(job_id)) FROM rstar.jobs WHERE status = 'queued'");
}
is(status_of($job), 'failed', 'the third error is the last');
is(sql("SELECT rstar_wait($job)"), 'failed', 'and wait tells it');
sql("DELETE FROM rstar.models WHERE name = 'tiny'");

# A SIGTERM comes twice, as the postmaster signals a process and then its group. The second must
# not break off the giving back of what the worker has in hand, here held up by a lock.
$job = submit($node, "$long, workers => 1");
ok(working($job, 1), 'a job runs');
my $number = sql("SELECT DISTINCT worker FROM rstar.job_items WHERE job_id = $job AND status = 'claimed'");
my $locker = $node->background_psql('postgres');
$locker->query_safe("BEGIN; SELECT FROM rstar.jobs WHERE job_id = $job FOR UPDATE");
($worker) = pids_of($node, 'rstar worker');
for (1 .. 2) { kill 'TERM', $worker; sleep 0.3; }
ok(kill(0, $worker), 'a worker that waits to give back its problems does not mind a second SIGTERM');
$locker->query_safe('COMMIT');
ok(gone_within(5, $worker), 'and ends then');
$locker->quit;
is(sql("SELECT count(*) FROM rstar.job_items WHERE job_id = $job AND status = 'claimed' AND worker = $number"), 0, 'with nothing in hand');
sql("SELECT rstar_cancel($job)");

# --- the server stops ---------------------------------------------------------------------------------

for my $mode ('fast', 'smart')
{
	$job = submit($node, $long);
	ok(working($job, 1), 'a job runs');
	my %below = descendants((slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/)[0]);
	$t = time;
	$offset = -s $node->logfile;
	$node->stop($mode);
	note sprintf "$mode shutdown in %.1f s", time - $t;
	cmp_ok(time - $t, '<', 10, "a $mode shutdown does not wait for the job");
	ok(gone_within(5, keys %below), 'and leaves no process');
	$node->start;
	ok(working($job, 1), 'the job goes on');
	is(sql("SELECT sum(losses), sum(tries), max(error) FROM rstar.job_items WHERE job_id = $job"), '0|0|', 'its workers had given back what they had in hand')
	  or diag log_since($node, $offset);
	sql("SELECT rstar_cancel($job)");
}

# --- databases ---------------------------------------------------------------------------------------

$node->safe_psql('postgres', "CREATE DATABASE $_ TEMPLATE template0 ENCODING 'UTF8'") for qw(second third shut plain);
$node->safe_psql($_, 'CREATE EXTENSION rstar') for qw(second third shut);
add_problems($node, 40, $_) for qw(second third shut);
my $second = submit($node, ', rollouts => 1', 'second');
$job = submit($node, ', rollouts => 1');
is(wait_for_job($node, $second, 'second'), 'done', 'two databases are served');
is(wait_for_job($node, $job), 'done', 'side by side');

$offset = -s $node->logfile;
submit($node, $long, 'third');
ok(wait_until($node, "SELECT count(*) > 0 FROM rstar.progress WHERE database = 'third' AND phase = 'searching'"), 'a third one has work');
$t = time;
sql('DROP DATABASE third WITH (FORCE)');
note sprintf 'DROP DATABASE ... WITH (FORCE) in %.1f s', time - $t;
ok(idle(), 'its workers are gone');
sleep 1;
my $lines = () = log_since($node, $offset) =~ /(?:ERROR|FATAL)/g;
cmp_ok($lines, '<=', 6, 'without a flood of messages');

submit($node, $long, 'shut');
ok(wait_until($node, "SELECT count(*) > 0 FROM rstar.progress WHERE database = 'shut' AND phase = 'searching'"), 'a fourth one has work');
sql('ALTER DATABASE shut ALLOW_CONNECTIONS false');
sql("SELECT pg_terminate_backend(pid, 5000) FROM rstar.progress WHERE database = 'shut'");
$offset = -s $node->logfile;
sleep 2;
is(sql("SELECT count(*) FROM pg_stat_activity WHERE datname = 'shut'"), 0, 'a database that allows no connections is left alone');
unlike(log_since($node, $offset), qr/FATAL/, 'quietly');
sql('ALTER DATABASE shut ALLOW_CONNECTIONS true');
sql('ALTER DATABASE shut IS_TEMPLATE true');
sql("SELECT pg_reload_conf()");
sleep 1;
is(sql("SELECT count(*) FROM pg_stat_activity WHERE datname = 'shut'"), 0, 'and so is a template');
sql('CREATE DATABASE copy TEMPLATE shut');
is($node->safe_psql('copy', 'SELECT status FROM rstar.jobs'), 'running', 'a copy of it has its jobs');
$node->safe_psql('copy', 'SELECT rstar_resume(max(job_id)) FROM rstar.jobs');
ok(wait_until($node, "SELECT count(*) > 0 FROM rstar.progress WHERE database = 'copy' AND done > 0"), 'which go on there');

$offset = -s $node->logfile;
my ($rc, undef, $dropped) = $node->psql('copy', 'DROP EXTENSION rstar');
is($rc, 0, 'the extension is dropped') or diag $dropped;
ok(wait_until($node, "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'rstar worker'"), 'the extension is dropped under its workers: they end');
sleep 1;
$lines = () = log_since($node, $offset) =~ /(?:ERROR|FATAL)/g;
cmp_ok($lines, '<=', 6, 'quietly');
$node->safe_psql('copy', 'CREATE EXTENSION rstar');
add_problems($node, 3, 'copy');
is(wait_for_job($node, submit($node, ', rollouts => 1', 'copy'), 'copy'), 'done', 'created anew, it has workers again');
sql("ALTER DATABASE copy SET default_transaction_read_only = on");
$node->safe_psql('copy', 'SET default_transaction_read_only = off; BEGIN READ WRITE; '
	  . q{SELECT rstar_search_all('SELECT problem_id FROM rstar.problems', rollouts => 1); COMMIT});
is(wait_for_job($node, $node->safe_psql('copy', 'SELECT max(job_id) FROM rstar.jobs'), 'copy'), 'done', 'the job is done');
is($node->safe_psql('copy', "SELECT string_agg(DISTINCT status, ' ') FROM rstar.jobs"), 'done', 'settings of a database do not stop its workers')
  or diag log_since($node, $offset);

# --- roles ----------------------------------------------------------------------------------------------

sql(q{
	CREATE ROLE regress_ann LOGIN;
	CREATE ROLE regress_bob LOGIN;
	GRANT USAGE ON SCHEMA rstar TO PUBLIC;
	GRANT SELECT ON rstar.problems TO regress_ann, regress_bob;
	GRANT CREATE ON SCHEMA public TO regress_ann;
	GRANT EXECUTE ON FUNCTION rstar_search_all, rstar_schedule, rstar_unschedule TO regress_ann, regress_bob});
my @ann = (extra_params => [ '-U', 'regress_ann' ]);
my @bob = (extra_params => [ '-U', 'regress_bob' ]);
$job = sql("SELECT rstar_search_all('SELECT problem_id FROM rstar.problems'$longer)", @ann);
ok(working($job, 1), 'a role with the right has a job');
is(sql('SELECT DISTINCT created_by FROM rstar.progress', @ann), 'regress_ann', 'which it sees');
is(sql('SELECT count(*) FROM rstar.progress', @bob), 0, 'and others do not');
is(sql("SELECT count(*) FROM rstar_progress()", @bob), 0, 'by no way');
like(error_of($node, "SELECT $_($job)", @bob), qr/job $job does not exist/, "$_ by another role") for qw(rstar_cancel rstar_pause rstar_resume rstar_wait);
like(error_of($node, 'SELECT * FROM rstar.jobs', @bob), qr/permission denied/, 'no table');
is(status_of($job), 'running', 'it runs on');
is(sql("SELECT rstar_cancel($job)", @ann), 't', 'its owner ends it');

# A query that tries what its role must not do: it fails there and then, and no worker ever runs it.
sql(q{CREATE FUNCTION public.mischief() RETURNS int LANGUAGE plpgsql AS $$ BEGIN ALTER ROLE regress_ann SUPERUSER; RETURN 1; END $$;
	CREATE FUNCTION public.escape() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
		SET SESSION AUTHORIZATION DEFAULT; SET ROLE NONE; ALTER ROLE regress_ann SUPERUSER; RETURN 1; END $$;
	CREATE FUNCTION public.peek() RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_read_file('postgresql.conf'); RETURN 1; END $$;
	CREATE TABLE public.spoiled (x int);
	CREATE FUNCTION public.spoil() RETURNS int LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.spoiled VALUES (1); RETURN 1; END $$}, @ann);
like(error_of($node, "SELECT rstar_search_all('SELECT public.$_()')", @ann), qr/ERROR/, "a query that calls $_()") for qw(mischief escape peek);
sql("SELECT rstar_schedule('$_', 'search_all', '1 second', '{\"query\": \"SELECT public.$_()\"}')", @ann) for qw(mischief escape peek spoil);
ok(wait_until($node, "SELECT count(*) = 4 FROM rstar.schedules WHERE last_error IS NOT NULL AND last_error !~ 'could not start'"), 'the same in schedules')
  or diag sql('SELECT name, last_error FROM rstar.schedules');
note sql("SELECT name || ': ' || last_error FROM rstar.schedules ORDER BY name");
is(sql("SELECT count(*) FROM pg_roles WHERE rolname ~ 'regress' AND rolsuper"), 0, 'makes nobody a superuser');
is(sql('SELECT count(*) FROM public.spoiled'), 0, 'and writes nothing');
sql('DELETE FROM rstar.schedules');

# A role that is dropped while its job runs, and one that was dropped before.
$job = sql("SELECT rstar_search_all('SELECT problem_id FROM rstar.problems'$long)", @bob);
ok(working($job, 1), 'a job runs');
sql('DROP OWNED BY regress_bob; DROP ROLE regress_bob');
sql("SELECT pg_terminate_backend(pid, 5000) FROM rstar.progress");
is(sql("SELECT rstar_wait($job, '20 s')"), 'failed', 'it fails when a worker next acts as its role');
is(sql("SELECT error FROM rstar.jobs WHERE job_id = $job"), 'role "regress_bob" does not exist', 'with the reason');

# --- schedules -----------------------------------------------------------------------------------------

sql("SELECT rstar_schedule('often', 'search_all', '1 second', '{\"query\": \"SELECT 1 LIMIT 0\", \"rollouts\": 2}')", @ann);
ok(wait_until($node, "SELECT count(*) >= 2 FROM rstar.jobs WHERE created_by = 'regress_ann' AND arguments->>'rollouts' = '2' AND status = 'done'"), 'a schedule submits jobs');
is(sql("SELECT last_error IS NULL AND last_job_id > 0 AND next_run_at - last_run_at < '3 s' FROM rstar.schedules WHERE name = 'often'"), 't', 'again and again');
is(sql("SELECT rstar_unschedule('often')"), 'f', 'it is its role\'s');
sql('ALTER ROLE regress_ann NOLOGIN');
ok(wait_until($node, "SELECT NOT active AND last_error ~ 'may not log in' FROM rstar.schedules WHERE name = 'often'"), 'it rests when its role may not log in');
sql('ALTER ROLE regress_ann LOGIN');
is(sql("SELECT rstar_unschedule('often')", @ann), 't', 'until it is removed');
is(sql("SELECT rstar_schedule('night', 'search_all', '30 3 * * mon-fri', '{\"query\": \"SELECT 1\"}', 'Europe/Berlin') > 0"), 't', 'by cron expression');
is(sql("SELECT to_char(next_run_at AT TIME ZONE 'Europe/Berlin', 'HH24:MI'), extract(isodow FROM next_run_at AT TIME ZONE 'Europe/Berlin') < 6, next_run_at > now() FROM rstar.schedules"), '03:30|t|t', 'in its time zone');
like(error_of($node, "SELECT rstar_schedule('x', 'search_all', '$_->[0]')"), $_->[1], "schedule '$_->[0]'")
  for [ '* * * *', qr/weekday is missing/ ], [ '61 * * * *', qr/minute .* not understood/ ], [ '0 0 31 2 *', qr/no time that ever comes/ ],
  [ 'sometimes', qr/invalid input syntax for type interval/ ], [ '0 seconds', qr/at least one second/ ], [ '-1 day', qr/at least one second/ ];
like(error_of($node, "SELECT rstar_schedule('x', 'dance', '1 day')"), qr/no kind of job "dance"/, 'no such kind');
like(error_of($node, "SELECT rstar_schedule('x', 'search_all', '1 day', '{\"nonsense\": 1}')"), qr/no argument "nonsense"/, 'no such argument');
like(error_of($node, "SELECT rstar_schedule('x', 'search_all', '1 day', '[1]')"), qr/json object/, 'no object');
like(error_of($node, "SELECT rstar_schedule('x', 'search_all', '1 day', time_zone => 'Mars/Crater')" =~ s/1 day/0 3 * * */r), qr/time zone "Mars/, 'no such zone');
sql('DELETE FROM rstar.schedules');

# --- the script for people --------------------------------------------------------------------------------

$node->safe_psql('postgres', "CREATE DATABASE script TEMPLATE template0 ENCODING 'UTF8'");
my ($out, $err) = ('', '');
ok(IPC::Run::run([ 'psql', '-X', '-d', $node->connstr('script'), '-f', source_path('sql/search_all.sql') ], '>', \$out, '2>', \$err), 'search_all.sql runs')
  or diag $err;
like($out, qr/^ done +\| +20 \| +0 \| +20 /m, 'and its job is done');

ok(idle(), 'in the end nobody is at work');
$node->stop;
done_testing();
