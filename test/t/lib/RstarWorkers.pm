# RstarWorkers: what the tests of background workers share.
package RstarWorkers;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

use RstarTest;

our @EXPORT = qw(
  new_worker_node add_problems submit wait_for_job pids_of revive descendants gone_within log_since
);

# A server with a launcher. fsync is off: what is killed here are processes, not machines.
sub new_worker_node
{
	my ($name, %options) = @_;

	return new_rstar_node($name, %options,
		conf => "shared_preload_libraries = 'rstar'\nmax_worker_processes = 20\n"
		  . "rstar.max_workers = 2\n" . ($options{conf} // ''));
}

# So many problems that the built-in policy solves in a fraction of a second each.
sub add_problems
{
	my ($node, $n, $database) = @_;

	return $node->safe_psql($database // 'postgres',
		"INSERT INTO rstar.problems (statement, answer, source)
		 SELECT 'What is ' || i || ' + ' || 2 * i || '?', 3 * i, 'add' FROM generate_series(1, $n) i");
}

# rstar_search_all over all problems; the job's number. Tests do not stand back: on a busy
# machine they would never end.
sub submit
{
	my ($node, $arguments, $database) = @_;

	$arguments .= ', nice => 0' unless $arguments =~ /nice/;
	return $node->safe_psql($database // 'postgres',
		"SELECT rstar_search_all('SELECT problem_id FROM rstar.problems ORDER BY 1'$arguments)");
}

sub wait_for_job
{
	my ($node, $job, $database) = @_;

	return $node->safe_psql($database // 'postgres', "SELECT rstar_wait($job, '15 min')");
}

# Processes of the server of that type, as pg_stat_activity names it.
sub pids_of
{
	my ($node, $type) = @_;

	return split /\n/, $node->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE backend_type = '$type'");
}

# Wait until the server is there again, with its launcher, as after the crash of a process.
sub revive
{
	my ($node) = @_;
	my $end = time + 60;

	while (time < $end)
	{
		my ($rc, $n) = $node->psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'rstar launcher'");

		return if $rc == 0 && $n eq '1';
		sleep 0.05;
	}
	die 'the server does not come back';
}

# All processes below one, by name.
sub descendants
{
	my ($root) = @_;
	my (%parent, %name, %below);

	for my $stat (glob '/proc/[0-9]*/stat')
	{
		open my $file, '<', $stat or next;
		my $line = <$file> // next;
		next unless $line =~ /^(\d+) \((.*)\) \S (\d+)/s;
		$parent{$1} = $3;
		$name{$1} = $2;
	}
	for my $pid (keys %parent)
	{
		for (my $up = $pid; defined $up && $up > 1; $up = $parent{$up})
		{
			next unless $up == $root && $pid != $root;
			$below{$pid} = $name{$pid};
			last;
		}
	}
	return %below;
}

# Whether all these processes end within so many seconds.
sub gone_within
{
	my ($seconds, @pids) = @_;
	my $end = time + $seconds;

	while (time < $end)
	{
		@pids = grep { -e "/proc/$_" && slurp_file("/proc/$_/stat") !~ /^\d+ \(.*\) Z/s } @pids;
		return 1 unless @pids;
		sleep 0.05;
	}
	diag "still there: @pids";
	return 0;
}

sub log_since
{
	my ($node, $offset) = @_;

	return slurp_file($node->logfile, $offset);
}

1;
