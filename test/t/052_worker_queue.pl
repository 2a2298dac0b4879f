# The queue of a job: 10,000 problems and eight workers; a standby and its promotion; a dump of
# jobs of every state and its restore; pg_cron.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

use RstarTest;
use RstarWorkers;

my $cron = -e (`pg_config --pkglibdir` =~ s/\n//r) . '/pg_cron.so';
my $node = new_worker_node('queue',
	init => { allows_streaming => 1 },
	conf => "rstar.max_workers = 8\nmax_worker_processes = 30\n"
	  . ($cron ? "shared_preload_libraries = 'rstar, pg_cron'\ncron.use_background_workers = on\n" : ''));
add_model($node, 'tiny', model_bytes(layers => 1, ff => 64));

sub sql { return $node->safe_psql('postgres', $_[0]); }

# --- claims --------------------------------------------------------------------------------

my $problems = $ENV{RSTAR_QUEUE} // 10000;
sql("INSERT INTO rstar.problems (problem_id, statement) OVERRIDING SYSTEM VALUE
	SELECT i, 'Once ' || i FROM generate_series(1, $problems) i");
sql('ANALYZE rstar.problems');
my $begin = time;
# An old snapshot keeps the dead rows of the queue from being removed: claims must not wade through them.
my $old = $node->background_psql('postgres');
$old->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
$node->append_conf('postgresql.conf', 'log_min_messages = debug1');
sql('SELECT pg_reload_conf()');
my $offset = -s $node->logfile;
my $job = sql(q{SET rstar.step_tokens = 2; SET rstar.side_by_side = 4;
	SELECT rstar_search_all('SELECT problem_id FROM rstar.problems ORDER BY 1', model => 'tiny', method => 'greedy', threads => 1, nice => 0)});
note sprintf '%d problems queued in %.2f s', $problems, time - $begin;
ok(wait_until($node, "SELECT count(*) = 8 FROM rstar.progress WHERE job_id = $job"), 'eight workers');
my ($deadline, $done) = (time + 40, 0);
while (time < $deadline && $done < $problems)
{
	sleep 0.5;
	$done = sql("SELECT coalesce(max(done + failed), $problems) FROM rstar.progress WHERE job_id = $job");
}
sql("SELECT rstar_cancel($job)");
my @ms = log_since($node, $offset) =~ /job $job: claimed [1-9]\d* of \d+ in ([\d.]+) ms/g;
note sprintf '%d problems done in %.1f s by 8 workers; %d claims: median %.2f ms, p99 %.2f ms, most %.2f ms',
  $done, time - $begin, scalar @ms, percentile(0.5, @ms), percentile(0.99, @ms), percentile(1, @ms);
cmp_ok(percentile(0.5, @ms), '<', 1, 'a claim takes less than a millisecond at the median');
unlike(log_since($node, $offset), qr/deadlock/, 'no deadlock');
is(sql("SELECT count(*) FROM rstar.job_items WHERE job_id = $job AND (tries > 0 OR losses > 0 OR status = 'failed')"), 0, 'nothing went wrong');
is(sql("SELECT count(*) - count(DISTINCT problem_id) FROM rstar.trees"), 0, 'no problem was searched twice');
$old->quit;
$node->append_conf('postgresql.conf', "log_min_messages = warning\nrstar.max_workers = 2");
sql('SELECT pg_reload_conf()');

# --- a standby --------------------------------------------------------------------------------

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
my $running = sql(q{SET rstar.side_by_side = 4; SELECT rstar_search_all('SELECT problem_id FROM rstar.problems WHERE problem_id <= 60', rollouts => 64, workers => 1)});
ok(wait_until($node, "SELECT count(*) > 0 FROM rstar.job_items WHERE job_id = $running AND status = 'done'"), 'a job runs on the primary');
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE backend_type ~ 'rstar'"), 0, 'nobody is at work on the standby');
is($standby->safe_psql('postgres', "SELECT status FROM rstar.jobs WHERE job_id = $running"), 'running', 'the job is there to see');
for my $call ("rstar_search_all('SELECT 1')", "rstar_cancel($running)", "rstar_resume($running)")
{
	like(error_of($standby, "SELECT $call"), qr/cannot execute rstar_\w+\(\) (during recovery|in a read-only transaction)/, "$call on a standby");
}
$node->stop('immediate');
$standby->promote;
ok(wait_until($standby, "SELECT count(*) > 0 FROM rstar.progress WHERE job_id = $running AND done > 0"), 'promoted, it goes on with the queue');
is($standby->safe_psql('postgres', "SELECT count(*) FROM rstar.job_items WHERE job_id = $running AND status = 'claimed' AND losses = 0") <= 8, 1, 'and took back what the lost worker had');
$standby->safe_psql('postgres', "SELECT rstar_cancel($running)");
$node = $standby;

# --- dump and restore ---------------------------------------------------------------------------

$node->append_conf('postgresql.conf', 'rstar.max_workers = 0');
sql('SELECT pg_reload_conf()');
sql(q{DELETE FROM rstar.jobs;
	INSERT INTO rstar.jobs (kind, status, created_by, total) SELECT 'search_all', s, current_user, 3
	  FROM unnest('{queued,running,waiting,paused,done,failed,cancelled}'::text[]) s;
	INSERT INTO rstar.job_items (job_id, item_id, problem_id, status, worker)
	SELECT job_id, i, i, CASE WHEN status IN ('done', 'failed') THEN status WHEN status = 'running' AND i = 1 THEN 'claimed' ELSE 'queued' END,
	       CASE WHEN status = 'running' AND i = 1 THEN 77 END
	  FROM rstar.jobs, generate_series(1, 3) i;
	SELECT rstar_schedule('nightly', 'search_all', '0 3 * * *', '{"query": "SELECT 1"}')});
# Jobs of the restored tables must be such that a worker can do: arguments of a real one.
sql(q{SELECT rstar_search_all('SELECT 1', rollouts => 1)});
sql(q{UPDATE rstar.jobs SET arguments = (SELECT arguments FROM rstar.jobs ORDER BY job_id DESC LIMIT 1), settings = '{}';
	DELETE FROM rstar.jobs WHERE job_id = (SELECT max(job_id) FROM rstar.jobs)});
my $what = q{SELECT j.status, count(*), count(i.worker) FROM rstar.jobs j JOIN rstar.job_items i USING (job_id) GROUP BY j.job_id ORDER BY j.job_id};
my $expected = sql($what);
my $file = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', '-f', $file, '-p', $node->port, '-h', $node->host, 'postgres' ], 'a dump of jobs of every state');
sql("CREATE DATABASE restored TEMPLATE template0 ENCODING 'UTF8'");
$node->command_ok([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-f', $file, '-p', $node->port, '-h', $node->host, 'restored' ], 'is restored');
is($node->safe_psql('restored', $what), $expected, 'as it was');
is($node->safe_psql('restored', 'SELECT name, next_run_at IS NOT NULL FROM rstar.schedules'), 'nightly|t', 'with the schedules');
$node->append_conf('postgresql.conf', 'rstar.max_workers = 2');
sql('DELETE FROM rstar.jobs; SELECT pg_reload_conf()');
my $new = $node->safe_psql('restored', q{SELECT rstar_search_all('SELECT 5', rollouts => 1)});
cmp_ok($new, '>', $node->safe_psql('restored', "SELECT max(job_id) FROM rstar.jobs WHERE job_id <> $new"), 'new jobs get new numbers');
is(wait_for_job($node, $new, 'restored'), 'done', 'and are done');
ok(wait_until($node, 'SELECT count(*) = 0 FROM rstar.progress'), 'then nobody is at work');
is($node->safe_psql('restored', 'SELECT status, count(*) FROM rstar.jobs GROUP BY 1 ORDER BY 1'),
	"cancelled|1\ndone|4\nfailed|1\npaused|1\nwaiting|1" =~ s/\nwaiting\|1//r . "\nwaiting|1", 'what was queued or running has been done as well');

# --- pg_cron ---------------------------------------------------------------------------------------

SKIP:
{
	skip 'pg_cron is not installed', 3 unless $cron;
	sql('CREATE EXTENSION pg_cron');
	sql(q{SELECT cron.schedule('search', '* * * * *', $$SELECT rstar_search_all('SELECT 5', rollouts => 1)$$)});
	ok(wait_until($node, "SELECT count(*) >= 1 FROM rstar.jobs WHERE status = 'done'", 90), 'pg_cron submits jobs, and they are done');
	sql(q{SELECT cron.unschedule('search')});
	is(sql("SELECT string_agg(DISTINCT status, ' ') FROM cron.job_run_details WHERE end_time IS NOT NULL"), 'succeeded', 'without an error');
	ok(wait_until($node, "SELECT count(*) = 0 FROM rstar.jobs WHERE status <> 'done'"), 'all of them');
}

$node->stop;
done_testing();
