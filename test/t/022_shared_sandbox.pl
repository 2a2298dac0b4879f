# The sandbox of the whole server: one template, and sessions that are strangers.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RstarProcesses;
use RstarTest;
use Test::More;
use Time::HiRes qw(time usleep);

my $node = new_rstar_node('shared_sandbox', conf => 'restart_after_crash = on');

sub below
{
	my ($root) = @_;
	my %all = processes();
	return grep { $all{$_}{parent} == $root && $all{$_}{state} ne 'Z' } keys %all;
}

sub within
{
	my ($seconds, $condition) = @_;
	my $until = time + $seconds;
	usleep(10000) while (!$condition->() && time < $until);
	return $condition->();
}

sub gone { my @pids = @_; return sub { !grep { -e "/proc/$_/exe" || kill 0, $_ } grep { my %p = processes(); $p{$_} && $p{$_}{state} ne 'Z' } @pids } }

$node->safe_psql('postgres', q{
CREATE ROLE stranger LOGIN;
GRANT EXECUTE ON FUNCTION rstar_run_python(text, integer), rstar_run_steps(text, integer) TO stranger;
CREATE DATABASE elsewhere});
$node->safe_psql('elsewhere', 'CREATE EXTENSION rstar');

# --- the first session starts it, the others use it ---------------------------------

my $sympy = 'from sympy import *\nx = symbols(\'\'x\'\')\nsolve(x**2 - 5*x + 6, x)';
my $ask = "SELECT value FROM rstar_run_python(E'$sympy', 60000);";
my $first = $node->background_psql('postgres');
is($first->query_safe($ask), '[2, 3]', 'the first session');
is($first->query_safe("SELECT active FROM rstar_sandbox_info() WHERE name = 'shared'"), 't', 'has a shared sandbox');
my $one = $first->query_safe('SELECT pg_backend_pid()');
my $broker = broker_of($one);
ok($broker, 'and a broker of its own');
my %all = processes();
my $zygote = $all{$broker}{parent};
is($all{$zygote}{name}, 'rstar-zygote', 'which the zygote made');

my $second = $node->background_psql('elsewhere', extra_params => []);
my $begun = time;
is($second->query_safe($ask), '[2, 3]', 'a second session, of another database');
my $new = time - $begun;
$begun = time;
$second->query_safe($ask);
note sprintf 'first answer of a new session %.0f ms, second %.0f ms', 1000 * $new, 1000 * (time - $begun);
my $two = $second->query_safe('SELECT pg_backend_pid()');
my $other = broker_of($two);
ok($other && $other != $broker, 'has another broker');
%all = processes();
is($all{$other}{parent}, $zygote, 'of the same zygote');

# --- strangers ------------------------------------------------------------------------

my $leave = q{SELECT status FROM rstar_run_steps(E'<code>\nimport sys, builtins, math\nsys.mark = builtins.mark = math.mark = mark = "left behind"\n<end_of_step>\n') AS s(step, code, status)};
my $look = q{SELECT rtrim(output, E'\n') FROM rstar_run_python('import sys, builtins, math
print([hasattr(sys, "mark"), hasattr(builtins, "mark"), hasattr(math, "mark"), "mark" in globals()])')};
is($first->query_safe($leave), 'ok', 'a session leaves marks wherever it can');
is($second->query_safe($look), '[False, False, False, False]', 'another does not see them');
is($first->query_safe($look), '[False, False, False, False]', 'nor does its own next call');
is($node->safe_psql('postgres', $look, extra_params => [ '-U', 'stranger' ]), '[False, False, False, False]',
	'nor another role');
my $reach = q{SELECT rtrim(output, E'\n') FROM rstar_run_python('import os
def try_it(f):
    try: return f()
    except OSError as e: return type(e).__name__
print({try_it(lambda: os.read(fd, 1)) for fd in list(range(3)) + list(range(4, 100))}, try_it(lambda: os.listdir("/proc")), try_it(lambda: os.kill(1, 9)), try_it(lambda: os.kill(2, 9)))')};
is($second->query_safe($reach), "{'PermissionError'} PermissionError PermissionError PermissionError",
	'no descriptor, process or file of anybody');

# --- each ends alone --------------------------------------------------------------------

my @mine = ($broker, below($broker));
cmp_ok(scalar @mine, '>=', 2, 'a session has processes');
kill 'KILL', $other;
is($second->query_safe($ask), '[2, 3]', 'a session whose broker was killed goes on');
is(broker_of($one), $broker, 'and its neighbour keeps its own');
$first->quit;
ok(within(3, gone(@mine)), 'a session\'s end takes its processes along');
ok(broker_of($two), 'and nobody else\'s');
kill 'KILL', $zygote;
is($second->query_safe($ask), '[2, 3]', 'a zygote that was killed is replaced');
$second->quit;

# --- a session without it, the server's end -------------------------------------------------

is($node->safe_psql('postgres', "SET rstar.sandbox_shared = off; $ask"), '[2, 3]', 'a sandbox of its own on request');
my $third = $node->background_psql('postgres');
$third->query_safe($ask);
my @left = (broker_of($third->query_safe('SELECT pg_backend_pid()')));
%all = processes();
push @left, $all{ $left[0] }{parent}, below($left[0]);
$node->stop('immediate');
ok(within(5, gone(@left)), 'the server\'s end takes everything along');
eval { $third->quit };

done_testing();
