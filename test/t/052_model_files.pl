# Model files that several databases share, transactions that last, processes that are
# killed, and files whose author means harm.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IPC::Run qw(start);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RstarTest;
use Test::More;
use Time::HiRes qw(time sleep);

my $node = new_rstar_node('model_files', conf => "restart_after_crash = on\n");
my $directory = $node->data_dir . '/rstar';
my $folder = PostgreSQL::Test::Utils::tempdir;

sub files
{
	return map { s{.*/}{}r } glob("$directory/*.gguf");
}

# --- several databases --------------------------------------------------------------------

$node->safe_psql('postgres', q{SELECT rstar_model_create('shared', 'rstar-policy', 1, 32, 2)});
is(scalar files(), 1, 'a file');
$node->safe_psql('template1', 'CREATE DATABASE copy TEMPLATE postgres');

my (undef, undef, $notice) = $node->psql('copy', q{SELECT rstar_model_drop('shared', true)});
like($notice, qr/NOTICE:  the file of model "shared" stays\nDETAIL:  A model of database "postgres" uses it/, 'a copy does not take the file away');
is(scalar files(), 1, 'it is there');
is($node->safe_psql('postgres', q{SELECT count(*) FROM rstar_tokenize('1', 'shared')}), 1, 'the original can use it');
(undef, undef, $notice) = $node->psql('postgres', q{SELECT rstar_model_drop('shared', true)});
is($notice, '', 'the last one');
is(scalar files(), 0, 'takes it away');

# Nobody can be fooled by tables that only look like ours, or stopped by a database that cannot be entered.
$node->safe_psql('postgres', 'CREATE DATABASE other');
$node->safe_psql('other', q{CREATE SCHEMA rstar; CREATE TABLE rstar.models (path int); INSERT INTO rstar.models VALUES (1)});
$node->safe_psql('postgres', q{SELECT rstar_model_create('shared', 'rstar-policy', 1, 32, 2); SELECT rstar_model_drop('shared', true)});
is(scalar files(), 0, 'a table that somebody made counts for nothing');
$node->safe_psql('postgres', 'DROP DATABASE other');

# --- transactions that last -------------------------------------------------------------------

my $open = $node->background_psql('postgres');

$open->query_safe('BEGIN');
write_model("$folder/first.gguf");
$open->query_safe("SELECT rstar_model_import('first', '$folder/first.gguf')");
my $begin = time;
$node->safe_psql('postgres', q{SET statement_timeout = '20s'; SELECT rstar_model_create('second', 'rstar-policy', 1, 32, 2, seed => 7)});
$node->safe_psql('copy', q{SET statement_timeout = '20s'; SELECT rstar_model_create('third', 'rstar-policy', 1, 32, 2, seed => 8);
	SELECT rstar_model_drop('third', true)});
pass(sprintf 'models of other content are made and dropped meanwhile (%.1f s)', time - $begin);
like(error_of($node, "SET statement_timeout = '1s'; SELECT rstar_model_import('same', '$folder/first.gguf')"), qr/statement timeout/,
	'the same content waits');
$open->query_safe('ROLLBACK');
$open->quit;
is(scalar files(), 1, 'rolled back, its file is gone');

# --- kill -9 -----------------------------------------------------------------------------------

my ($in, $out, $err) = ('', '', '');
my $victim = start([ 'psql', '-XAtq', '-h', $node->host, '-p', $node->port, '-d', 'postgres' ], \$in, \$out, \$err);

$in .= "SELECT pg_backend_pid();\nSELECT rstar_model_create('big', 'rstar-policy', 24, 1024, 16);\n";
my $pid;
for (1 .. 2000)
{
	$victim->pump_nb;
	($pid) = $out =~ /^(\d+)$/m;
	last if $pid && (() = glob("$directory/.new-*"));
	sleep 0.01;
}
my @left = glob("$directory/.new-*");
is(scalar @left, 1, 'a model is being made');
my $stat = -s $left[0];
$node->safe_psql('postgres', q{SELECT rstar_model_create('beside', 'rstar-policy', 1, 32, 2, seed => 9)});
ok(-e $left[0], 'making another leaves it alone');
kill 'KILL', $pid;
$victim->finish;
$node->poll_query_until('postgres', 'SELECT true', 't');
ok(-e $left[0], 'killed, its file stays');
$node->safe_psql('postgres', q{SELECT rstar_model_create('after', 'rstar-policy', 1, 32, 2, seed => 10)});
is(scalar(() = glob("$directory/.new-*")), 0, 'until another is made');

# --- hostile files -----------------------------------------------------------------------------

# Many small keys: written again in a time that grows as their number does, and stopped at once.
my $bytes = model_bytes(width => 32, heads => 2, kv_heads => 2, ff => 64);
my ($magic, $version, $tensors, $keys) = unpack('a4 V Q< Q<', $bytes);
my ($more, $most) = (60_000, 70_000);
sub keys_of { return join '', map { my $name = "x.$_"; pack('Q<', length $name) . $name . pack('V V', 4, $_) } 1 .. $_[0] }
my $extra = keys_of($more);
my $head = 24;

# The data begins at a multiple of 32: keys of 32 bytes more or less are made up for by a text.
sub with_keys
{
	my ($text) = @_;
	my $pad = 'y' x $text;
	my $fill = pack('Q<', 1) . 'p' . pack('V Q<', 8, length $pad) . $pad;

	return pack('a4 V Q< Q<', $magic, $version, $tensors, $keys + $more + 1) . $extra . $fill . substr($bytes, $head);
}
my $many = with_keys(0);
$many = with_keys(32 - (length($many) - length($bytes)) % 32) if (length($many) - length($bytes)) % 32;
open my $file, '>:raw', "$folder/many.gguf" or die;
print $file $many;
close $file;
$begin = time;
$node->safe_psql('postgres', qq{SELECT rstar_model_import('many', '$folder/many.gguf')});
my $import = time - $begin;
$begin = time;
$node->safe_psql('postgres', q{SELECT rstar_model_quantize('many', 'fewer', 'F16')});
my $copy = time - $begin;
note(sprintf '%d keys imported in %.1f s, copied in %.1f s', $more, $import, $copy);
cmp_ok($copy, '<', 5 * $import + 3, 'copying keys takes as long as reading them, not the square of it');
$begin = time;
like(error_of($node, q{SET statement_timeout = '20ms'; SELECT rstar_model_quantize('many', 'fewest', 'F16')}), qr/statement timeout/, 'stopped');
cmp_ok(time - $begin, '<', 0.5 + $copy / 2, 'soon');

# More keys than any model has.
open $file, '>:raw', "$folder/most.gguf" or die;
print $file pack('a4 V Q< Q<', $magic, $version, $tensors, $keys + $most) . keys_of($most) . substr($bytes, $head);
close $file;
like(error_of($node, qq{SELECT rstar_model_import('most', '$folder/most.gguf')}), qr/ERROR:  model file has too many keys or tensors/, 'refused');

# The engine takes heads of 16, 32, ...; import says so.
for my $size (8, 12)
{
	write_model("$folder/heads.gguf", width => 4 * $size, heads => 4, kv_heads => 4, ff => 64);
	like(error_of($node, qq{SELECT rstar_model_import('heads', '$folder/heads.gguf')}), qr/ERROR:  head size $size is not a multiple of 16/,
		"heads of $size");
}
is($node->safe_psql('postgres', q{SELECT count(*) FROM rstar.models WHERE name = 'heads'}), 0, 'no row');

done_testing();
