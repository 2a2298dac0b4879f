# RstarRemote: model servers for tests, from test/servers.
package RstarRemote;

use strict;
use warnings;

use Exporter 'import';
use IPC::Open3;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(sleep);

use RstarTest;

our @EXPORT = qw(build_model_server start_model_server stop_model_server start_tls server_stats);

my ($program, %pids);

# Compile the server, once; false where that is not possible, with the reason.
sub build_model_server
{
	my $cc = $ENV{CC} // 'cc';

	$program = PostgreSQL::Test::Utils::tempdir() . '/model_server';
	my $said = `$cc -O2 -D_GNU_SOURCE -o $program \Q@{[source_path('test/servers/model_server.c')]}\E -ljansson 2>&1`;
	return $? == 0 ? '' : "the model server does not compile: $said";
}

# A process that prints "port N"; its number and the port.
sub start
{
	my @command = @_;
	my $pid = open3(my $in, my $out, '>&STDERR', @command);
	my $line = <$out>;

	die "@command does not start" unless ($line // '') =~ /^port (\d+)/;
	$pids{$pid} = 1;
	return ($pid, $1);
}

# delay of each answer in ms, port (0: any)
sub start_model_server
{
	my ($delay, $port) = @_;

	local $ENV{PORT} = $port // 0;
	return start($program, $delay // 0);
}

# TLS in front of a port, with a certificate of test/fixtures/tls.
sub start_tls
{
	my ($certificate, $port) = @_;

	return start('python3', source_path('test/servers/tls_proxy.py'),
		source_path("test/fixtures/tls/$certificate.pem"), $port);
}

sub stop_model_server
{
	my ($pid) = @_;

	kill 'KILL', $pid;
	waitpid $pid, 0;
	delete $pids{$pid};
}

# What GET /stats says: requests, connections, most (at the same time).
sub server_stats
{
	my ($port) = @_;
	require IO::Socket::INET;
	my $socket = IO::Socket::INET->new("127.0.0.1:$port") or die "port $port: $!";
	my $text = '';

	print $socket "GET /stats HTTP/1.1\r\n\r\n";
	$socket->flush;
	sysread $socket, $text, 4096;
	my %stats = $text =~ /"(\w+)":(\d+)/g;
	return \%stats;
}

END
{
	local $?;
	stop_model_server($_) for keys %pids;
}

1;
