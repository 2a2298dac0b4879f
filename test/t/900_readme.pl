# The README's examples run, print what they say, and it names everything.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RstarTest;
use Test::More;

my $readme = slurp_file(source_path('README.md'));
my $node = new_rstar_node('readme', bare => 1);

# Blocks run in order in one database, each in a session of its own that has the
# settings of those before it.
my $settings = '';
my ($last, $n) = (undef, 0);
while ($readme =~ /^```(\w+)([^\n]*)\n(.*?)^```$/msg)
{
	my ($language, $info, $text) = ($1, $2, $3);

	if ($language eq 'sql' && $info !~ /norun/)
	{
		$n++;
		my $file = $node->basedir . "/block$n.sql";
		open my $out, '>', $file or die $!;
		print $out "$settings\n\\unset QUIET\n\\set QUIET 1\n$text";
		close $out;
		$last = '';
		IPC::Run::run([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $file, $node->connstr('postgres') ],
			'>', \$last, '2>', \my $err);
		is($err, '', "example $n runs: " . (split /\n/, $text)[0]);
		$settings .= "$1\n" while $text =~ /^(SET [^;]*;)/mg;
	}
	elsif ($language eq 'output')
	{
		is($last, $text, "example $n prints what the README says");
	}
}
cmp_ok($n, '>', 4, 'the README has examples');

# Headings are there once, and links within the page and to files lead somewhere.
(my $prose = $readme) =~ s/^```.*?^```//msg;
my (%headings, %anchors);
for my $heading ($prose =~ /^#+ (.*)$/mg)
{
	$headings{$heading}++;
	$anchors{ lc($heading) =~ s/[^a-z0-9 -]//gr =~ s/ /-/gr } = 1;
}
is_deeply([ grep { $headings{$_} > 1 } sort keys %headings ], [], 'every heading is there once');
is_deeply([ grep { !$anchors{$_} } $prose =~ /\]\(#([^)]+)\)/g ], [], 'links lead to headings');
is_deeply([ grep { !-e source_path($_) } $prose =~ /\]\(((?:sql|models)\/[^)#]+)\)/g ], [], 'and to files');

sub names
{
	return split /\n/, $node->safe_psql('postgres', $_[0]);
}

my $members = q{pg_depend d WHERE d.deptype = 'e'
	AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'rstar')};
my @functions = names(
	"SELECT DISTINCT p.proname FROM pg_proc p, $members AND d.classid = 'pg_proc'::regclass AND d.objid = p.oid");
my @tables = names("SELECT c.oid::regclass FROM pg_class c
	WHERE c.relnamespace = 'rstar'::regnamespace AND c.relkind IN ('r', 'v', 'm')");
my @columns = names("SELECT DISTINCT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
	WHERE c.relnamespace = 'rstar'::regnamespace AND c.relkind IN ('r', 'v', 'm')
	  AND a.attnum > 0 AND NOT a.attisdropped");
my @settings = names("LOAD 'rstar'; SELECT name FROM pg_settings WHERE name LIKE 'rstar.%'");

cmp_ok(scalar @functions, '>', 5, 'functions found');
cmp_ok(scalar @settings, '>', 5, 'settings found');
for my $name (@functions, @tables, @columns, @settings)
{
	like($readme, qr/`[^`\n]*\b\Q$name\E\b[^`\n]*`/, "the README names $name");
}

# And nothing that does not exist.
my %known = map { $_ => 1 } @functions;
for my $name (sort keys %{ { map { $_ => 1 } $readme =~ /\b(rstar_[a-z_]+)\(/g } })
{
	ok($known{$name}, "$name exists");
}
my %setting = map { $_ => 1 } (@settings, @tables);
for my $name (sort keys %{ { map { $_ => 1 } $readme =~ /`(rstar\.[a-z_]+)`/g } })
{
	ok($setting{$name}, "$name exists");
}

$node->stop;
done_testing();
