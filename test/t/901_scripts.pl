# The scripts for people run from beginning to end, and say what they promise.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RstarTest;
use Test::More;

my $node = new_rstar_node('scripts', bare => 1);

sub run_script
{
	my ($name) = @_;
	my ($out, $err) = ('', '');
	my $ok = IPC::Run::run([ 'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', source_path("sql/$name") ],
		'>', \$out, '2>', \$err);

	ok($ok, "$name runs");
	is($err, '', '… without a word on stderr');
	return $out;
}

my $quickstart = run_script('quickstart.sql');
like($quickstart, qr/^ 5$/m, 'the question is answered');
like($quickstart, qr/-9/, 'the tree is shown');
like($quickstart, qr/greatest common divisor.*\| 12 /, 'problems are searched');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_extension WHERE extname = 'rstar'"), '0', 'nothing is left of it');

like(run_script('demo.sql'), qr/Solve 3\*x \+ 5 = 20 for x\.\s*\|\s*5/, 'the demonstration solves its first problem');

$node->stop;
done_testing();
