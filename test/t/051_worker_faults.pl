# Whatever is killed, at whatever moment, every problem of a job is done exactly once in
# the end, nothing that was stored is lost, and no process outlives its server.
#
# RSTAR_KILLS sets how many kills there are (default 6).
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

use RstarProcesses;
use RstarTest;
use RstarWorkers;

my $kills = $ENV{RSTAR_KILLS} // 6;
my $problems = 200;
my $node = new_worker_node('faults', conf => 'restart_after_crash = on');
add_problems($node, $problems);

sub launcher { return (pids_of($node, 'rstar launcher'))[0] // 0; }

sub postmaster_pid
{
	my ($pid) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;

	return $pid;
}

# The sandbox processes of the workers. All that were ever seen are in %seen: none may outlive its worker.
my %seen;
sub sandboxes
{
	my @found = map { ($_, keys %{ { descendants($_) } }) } grep { $_ } map { broker_of($_) } pids_of($node, 'rstar worker');

	$seen{$_} = 1 for @found;
	return @found;
}

# The process that made them and keeps Python ready, for the whole server.
sub zygote
{
	my ($broker) = grep { $_ } map { broker_of($_) } pids_of($node, 'rstar worker');
	my %all = processes();

	return $broker && $all{$broker} ? $all{$broker}{parent} : 0;
}

sub pick { my @pids = @_; return $pids[ rand @pids ]; }

# What can be killed: each returns whether there was such a process.
my %kill = (
	worker => sub {
		my $launcher = launcher();
		my $pid = pick(pids_of($node, 'rstar worker')) or return 0;

		kill 'KILL', $pid;
		revive($node, $launcher);
		return 1;
	},
	launcher => sub {
		my $launcher = launcher() or return 0;

		kill 'KILL', $launcher;
		revive($node, $launcher);
		return 1;
	},
	sandbox  => sub {
		my $pid = pick(sandboxes()) or return 0;

		kill 'KILL', $pid;
		return 1;
	},
	zygote => sub {
		my $pid = zygote() or return 0;

		sandboxes();
		kill 'KILL', $pid;
		return 1;
	},
	postmaster => sub {
		my $pid = postmaster_pid();
		my %below = descendants($pid);

		kill 'KILL', $pid;
		ok(gone_within(20, $pid, keys %below), 'a killed postmaster takes all processes with it');
		$node->{_pid} = undef;
		# Where nobody waits for dead processes, their numbers stay taken and the lock files seem valid.
		unlink $node->data_dir . '/postmaster.pid', $node->host . '/.s.PGSQL.' . $node->port . '.lock';
		$node->start;
		revive($node);
		return 1;
	},
	immediate => sub {
		my %below = descendants(postmaster_pid());

		$node->stop('immediate');
		ok(gone_within(20, keys %below), 'an immediate shutdown leaves no process');
		$node->start;
		revive($node);
		return 1;
	});
my @order = qw(worker sandbox launcher immediate zygote worker postmaster sandbox worker);

my ($killed, $jobs, $redone, %count) = (0, 0, 0);
srand 17;
while ($killed < $kills)
{
	my $before = $node->safe_psql('postgres', 'SELECT count(*) FROM rstar.trees');
	my $job = submit($node, ", rollouts => 4, seed => $jobs");
	my $i = 0;

	$jobs++;
	while ($killed < $kills && $node->safe_psql('postgres', "SELECT rstar_wait($job, '0 s')") =~ /queued|running/)
	{
		my $what = $order[ ($killed + $i) % @order ];

		sleep 0.2 + rand 1.2;
		if ($kill{$what}->()) { $killed++; $count{$what}++; }
		else { $i++; }
	}
	is(wait_for_job($node, $job), 'done', "job $jobs is done");
	is( $node->safe_psql('postgres', "SELECT total, done, failed FROM rstar.jobs WHERE job_id = $job"),
		"$problems|$problems|0", 'all of its problems');
	is( $node->safe_psql('postgres', "SELECT status, count(*), count(DISTINCT tree_id) FROM rstar.job_items WHERE job_id = $job GROUP BY 1"),
		"done|$problems|$problems", 'each with one tree');
	is($node->safe_psql('postgres', 'SELECT count(*) FROM rstar.trees') - $before, $problems, 'no tree too many');
	is( $node->safe_psql('postgres', "SELECT count(*) FROM rstar.trees t JOIN rstar.job_items i USING (tree_id)
			WHERE i.job_id = $job AND t.problem_id = i.problem_id AND t.nodes = (SELECT count(*) FROM rstar.nodes n WHERE n.tree_id = t.tree_id)"),
		$problems, 'every tree is whole');
	my $again = $node->safe_psql('postgres', "SELECT coalesce(sum(losses + tries - (losses > 1)::int * (losses - 1)), 0) FROM rstar.job_items WHERE job_id = $job");
	$redone += $again;
}
note "$killed kills over $jobs jobs of $problems problems: "
  . join(', ', map { "$count{$_} of $_" } sort keys %count)
  . "; $redone problems were searched again";
cmp_ok($redone, '<=', 96 * $killed, 'no more than the problems in hand are redone: 2 workers with 48 each');
ok(wait_until($node, "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type IN ('rstar worker', 'rstar probe')", 300), 'the workers end');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), 0, 'no lock is left');
is($node->safe_psql('postgres', "SELECT count(*) FROM rstar.progress"), 0, 'no progress is left');
ok(gone_within(5, keys %seen), 'no sandbox outlives its worker: ' . keys(%seen) . ' processes');

$node->stop;
done_testing();
