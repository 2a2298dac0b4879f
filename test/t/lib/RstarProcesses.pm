# RstarProcesses: who runs on this machine, and whose child he is.
package RstarProcesses;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

our @EXPORT = qw(processes descendants broker_of gone_within);

# All processes: { pid => { name, state, parent } }.
sub processes
{
	my %found;

	for my $stat (glob '/proc/[0-9]*/stat')
	{
		open my $file, '<', $stat or next;
		my $line = <$file> // next;
		$found{$1} = { name => $2, state => $3, parent => $4 } if $line =~ /^(\d+) \((.*)\) (\S) (\d+)/s;
	}
	return %found;
}

# All processes below one: { pid => name }.
sub descendants
{
	my ($root) = @_;
	my %all = processes();
	my %below;

	for my $pid (keys %all)
	{
		for (my $up = $pid; $up && $up > 1; $up = $all{$up} ? $all{$up}{parent} : 0)
		{
			next unless $up == $root && $pid != $root;
			$below{$pid} = $all{$pid}{name};
			last;
		}
	}
	return %below;
}

# The sandbox broker of a session: its last argument is the backend.
sub broker_of
{
	my ($backend) = @_;

	for my $dir (glob '/proc/[0-9]*')
	{
		open my $file, '<', "$dir/cmdline" or next;
		my @words = split /\0/, <$file> // '';
		return $dir =~ s/\D//gr if @words == 5 && $words[1] eq 'session' && $words[4] eq $backend;
	}
	return undef;
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

1;
