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
  new_worker_node add_problems submit wait_for_job pids_of revive log_since
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

# Wait until the server is there again after a crash, with a launcher, and not the old one if its pid is given.
sub revive
{
	my ($node, $old_launcher) = @_;
	my $end = time + 60;

	while (time < $end)
	{
		# A psql that cannot connect may be gone before it is told what to ask, which dies.
		my ($rc, $pid) = eval { $node->psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'rstar launcher'") };

		return if defined $rc && $rc == 0 && $pid =~ /^\d+$/ && $pid != ($old_launcher // 0);
		sleep 0.05;
	}
	die 'the server does not come back';
}

sub log_since
{
	my ($node, $offset) = @_;

	return slurp_file($node->logfile, $offset);
}

1;
