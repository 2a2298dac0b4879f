# Hostile and harmless snippets against the installed program, as the user that
# the server runs as: the repository's own, and those of ../shared where it is.
use strict;
use warnings;

use FindBin;
use IPC::Run qw(start);
use PostgreSQL::Test::Utils;
use Test::More;

my $runner = "$FindBin::Bin/../sandbox/cases.py";
my ($libdir) = run_command([ $ENV{PG_CONFIG} // 'pg_config', '--pkglibdir' ]);
my $program = "$libdir/rstar-sandbox";
my $shared = $ENV{RSTAR_SHARED} // "$FindBin::Bin/../../../shared";
my $fixtures = "$shared/fixtures/sandbox";

plan skip_all => '/usr/bin/python3 is missing' unless -x '/usr/bin/python3';

# Runs of the cases: they wait for time limits most of the time, so two run side by side.
my @runs;

sub run_cases { my ($name, @options) = @_; push @runs, { name => $name, options => \@options }; return; }

sub judge
{
	my ($run) = @_;

	$run->{process}->finish;
	my $good = () = $run->{out} =~ /^ok/mg;
	my @bad = $run->{out} =~ /^not ok \d+ - (.*)$/mg;

	note "$run->{name}: $good held, " . scalar(@bad) . ' did not';
	diag $run->{out} =~ s/^ok.*\n//mgr . $run->{err} if @bad || !$good;
	ok($good && !@bad, "$run->{name}: $good cases");
	return;
}

my @modes = ([ 'snapshots' ], [ 'replay', '--replay' ], [ 'without namespaces', '--plain' ],
	[ 'replay without namespaces', '--plain', '--replay' ], [ 'shared', '--shared' ],
	[ 'shared, replay', '--shared', '--replay' ], [ 'shared, without namespaces', '--shared', '--plain' ]);
my $has_fixtures = -f "$fixtures/attacks.jsonl";

for my $mode (@modes)
{
	my ($name, @options) = @$mode;
	run_cases("own cases, $name, ctypes preloaded", '--ctypes', @options);
	run_cases("shared cases, $name", '--folder', $fixtures, @options) if $has_fixtures;
}
run_cases('shared cases, ctypes preloaded', '--folder', $fixtures, '--ctypes') if $has_fixtures;
while (my @pair = splice @runs, 0, 2)
{
	for my $run (@pair)
	{
		@$run{qw(out err)} = ('', '');
		$run->{process} = start [ '/usr/bin/python3', $runner, '--program', $program, @{ $run->{options} } ],
		  '>', \$run->{out}, '2>', \$run->{err};
	}
	judge($_) for @pair;
}
SKIP:
{
	skip "$fixtures is not there", @modes + 1 unless $has_fixtures;
}

# Steps that report, park and die at the same time.
my @crowds = map {
	my %run = (out => '', err => '');
	$run{process} = start [ '/usr/bin/python3', "$FindBin::Bin/../sandbox/crowd.py", '--program', $program, '--running', $_ ],
	  '>', \$run{out}, '2>', \$run{err};
	\%run;
} 2, 4;
for my $run (@crowds)
{
	$run->{process}->finish;
	like($run->{out}, qr/^ok 1 /m, 'of many short steps none is killed') or diag $run->{out} . $run->{err};
}

# The budget of memory and processes against attacks on the books.
my ($books) = run_command([ '/usr/bin/python3', "$FindBin::Bin/../sandbox/memory.py", '--program', $program ]);
my @wrong = $books =~ /^(not ok .*)$/mg;
diag join "\n", @wrong if @wrong;
ok($books =~ /^1\.\.9$/m && !@wrong, 'memory and processes stay within their bounds');

# What can be imported: what models use every day, and whatever README lists below its mark.
my ($listed) = run_command([ '/usr/bin/python3', "$FindBin::Bin/../sandbox/modules.py", '--program', $program ]);
my %importable = map { $_ => 1 } $listed =~ /(\w+)/g;
my @everyday = qw(__future__ json pprint struct hashlib csv logging textwrap os sys io time array numbers
  sympy mpmath math cmath fractions decimal itertools functools collections heapq bisect statistics random
  re string datetime calendar operator copy typing dataclasses);
is_deeply([ grep { !$importable{$_} } @everyday ], [], 'the modules of every day can be imported');
is_deeply([ grep { $importable{$_} } qw(socket ctypes multiprocessing asyncio numpy matplotlib) ], [],
	'those that need threads, networks or other packages cannot');
open my $readme, '<', "$FindBin::Bin/../../README.md" or die "README.md: $!";
my $text = do { local $/; <$readme> };
SKIP:
{
	skip 'README lists no modules', 1 unless $text =~ /<!-- modules of a step -->\n```\w*\n(.*?)```/s;
	is_deeply([ grep { !$importable{$_} } $1 =~ /(\w+)/g ], [], 'and those of the list in README');
}
done_testing();
