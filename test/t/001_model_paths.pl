# Whatever a row of rstar.models says, only a regular file of the right length
# that lies in the model directory is ever opened.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use POSIX qw(mkfifo);
use RstarTest;
use Test::More;

my $node = new_rstar_node('paths');
my $bytes = model_bytes();
my $file = add_model($node, 'good', $bytes);
my $directory = $node->data_dir . '/rstar';

is($node->safe_psql('postgres', q{SELECT rstar_tokenize('abc', 'good')}), '{97,98,99}',
	'a model in its place works');

# Paths that lead elsewhere. Each refers to a file that exists and is a fine model.
my $outside = $node->basedir . '/outside.gguf';
write_model($outside);
mkdir "$directory/sub";
write_model("$directory/sub/inner.gguf");
write_model("$directory/.hidden.gguf");

for my $path (
	$outside, '../../outside.gguf', '../rstar/' . ($file =~ s{.*/}{}r), 'sub/inner.gguf', './x.gguf',
	'.hidden.gguf', '..', '.', '/', '/dev/zero', '/dev/stdin', 'sub/', '', '$share/../x.gguf',
	'$share//etc/passwd', '$share/', '$share/.x', "x\ny/../../z", 'a' x 300)
{
	$node->safe_psql('postgres',
		"UPDATE rstar.models SET path = \$p\$$path\$p\$ WHERE name = 'good'");
	my $error = error_of($node, q{SELECT rstar_tokenize('abc', 'good')});
	like($error, qr/ERROR: .*lies outside the model directory/, 'refused: ' . substr($path, 0, 40));
	unlike($error, qr/\bPANIC|server closed/, 'and calmly');
}

# Names that are plain but lead to something that is no regular file.
symlink $outside, "$directory/link.gguf" or die $!;
mkfifo("$directory/pipe.gguf", 0600) or die $!;
mkdir "$directory/folder.gguf";
my %wrong = (
	'link.gguf'           => qr/"link.gguf" is a symbolic link/,
	'pipe.gguf'           => qr/not a regular file/,
	'folder.gguf'         => qr/not a regular file/,
	'missing.gguf'        => qr/could not open model file "missing.gguf": No such file/,
	'$share/missing.gguf' => qr/could not open model (file|directory) .*: No such file/);
for my $path (sort keys %wrong)
{
	$node->safe_psql('postgres',
		"UPDATE rstar.models SET path = \$p\$$path\$p\$ WHERE name = 'good'");
	like(error_of($node, q{SELECT rstar_tokenize('abc', 'good')}, timeout => 30),
		$wrong{$path}, "refused: $path");
}

# A length other than the row's.
$node->safe_psql('postgres',
	"UPDATE rstar.models SET path = '" . ($file =~ s{.*/}{}r) . "', file_size = file_size + 1");
like(error_of($node, q{SELECT rstar_tokenize('abc', 'good')}), qr/has changed/, 'another length');

# A file of the row's length that is another one, moved into the row's place.
$node->safe_psql('postgres', q{DELETE FROM rstar.models WHERE name = 'good'});
add_model($node, 'words', model_bytes(vocabulary_only => 1), role => 'vocabulary');
my %at;
for my $seed (1, 2)
{
	$node->safe_psql('postgres', "SELECT rstar_model_create('twin $seed', 'words', 2, 64, 4, seed => $seed)");
	$at{$seed} = "$directory/" . $node->safe_psql('postgres', "SELECT path FROM rstar.models WHERE name = 'twin $seed'");
}
is(-s $at{1}, -s $at{2}, 'two models of one shape have one length');
my $write = q{SELECT rstar_generate('Once', 'twin 1', max_tokens => 8)};
my $text = $node->safe_psql('postgres', $write);
# Moved and not overwritten: a session that has the old file open keeps it.
my $new = "$directory/new.gguf";
is($node->safe_psql('postgres', "$write;\n\\! cp '$at{2}' '$new' && mv -f '$new' '$at{1}'\n$write"), "$text\n$text",
	'a session that has the model open works on');
my $changed = error_of($node, "\\set VERBOSITY verbose\n$write");
like($changed, qr/ERROR:  XX001: the file of model "twin 1" has changed/, 'another file of the same length is noticed');
like($changed, qr/DETAIL:  Its identity is [0-9a-f]{32} instead of [0-9a-f]{32}\./, 'by its identity');
like($changed, qr/HINT:  Restore the file, or drop the model and import it again\./, 'and the hint helps');
for my $use (q{rstar_tokenize('a', 'twin 1')}, q{rstar_model_quantize('twin 1', 'q', 'Q8_0')},
	q{rstar_model_create('c', 'twin 1', 1, 32, 2)}, q{rstar_solve('1 + 1', 'twin 1')},
	q{rstar_generate('a', 'twin 1')})
{
	like(error_of($node, "SELECT $use"), qr/the file of model "twin 1" has changed/, "refused: $use");
}
like(error_of($node, q{SELECT rstar_model_verify('twin 1')}), qr/does not have its checksum/, 'verify says so too');
is($node->safe_psql('postgres', $write =~ s/twin 1/twin 2/r) ne '', 1, 'the other model is not concerned');

# The directory itself: absolute elsewhere, and only by the configuration file.
my $elsewhere = $node->basedir . '/models';
mkdir $elsewhere, 0700;
add_model($node, 'moved', model_bytes(layers => 1), directory => $elsewhere);
like(error_of($node, q{SELECT rstar_tokenize('abc', 'moved')}), qr/could not open/, 'not there yet');
$node->append_conf('postgresql.conf', "rstar.model_directory = '$elsewhere'");
$node->restart;
is($node->safe_psql('postgres', q{SELECT rstar_tokenize('abc', 'moved')}), '{97,98,99}',
	'another directory works');
like(error_of($node, q{LOAD 'rstar'; SET rstar.model_directory = '/tmp'}), qr/cannot be changed now/,
	'no session can choose it');
# Before the library is loaded the name means nothing; what was set then does not count.
$node->safe_psql('postgres', 'CREATE ROLE regress_rstar_visitor LOGIN');
is( $node->safe_psql('postgres',
		q{SET rstar.model_directory = '/tmp'; SELECT rstar_tokenize('abc', 'moved')},
		extra_params => [ '-U', 'regress_rstar_visitor' ]),
	'{97,98,99}', 'nor could it before the library was loaded');
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'rstar'");
$node->restart;
is($node->safe_psql('postgres', q{SELECT context FROM pg_settings WHERE name = 'rstar.model_directory'}),
	'postmaster', 'preloaded, it is fixed at server start');
is($node->safe_psql('postgres', q{SELECT rstar_tokenize('abc', 'moved')}), '{97,98,99}',
	'and works as before');
like(error_of($node, q{SET rstar.model_directory = '/tmp'}),
	qr/cannot be changed without restarting the server/, 'no session can choose it');

$node->stop;
done_testing();
