# Damaged and odd model files: one clear error each, and the session lives.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RstarTest;
use Test::More;

my $node = new_rstar_node('bad_files');
my $good = model_bytes();
my $call = q{SELECT length(rstar_generate('Once upon', 'bad', max_tokens => 4)) >= 0};

# One error with a message of its own; the same session goes on.
sub refused
{
	my ($what, $bytes, $pattern, %row) = @_;

	add_model($node, 'bad', $bytes, %row);
	my $error = error_of($node, $call);
	is(scalar(() = $error =~ /ERROR:/g), 1, "$what: one error");
	like($error, $pattern, "$what: that says what is wrong");
	$node->safe_psql('postgres', q{DELETE FROM rstar.models WHERE name = 'bad'});
}

add_model($node, 'bad', $good);
is($node->safe_psql('postgres', $call), 't', 'the file is fine before it is spoilt');
$node->safe_psql('postgres', q{DELETE FROM rstar.models WHERE name = 'bad'});

refused('empty', '', qr/ERROR/, size => 1);
refused('no GGUF at all', 'x' x 100_000, qr/ERROR: .*(GGUF|magic)/i);
refused('only a header', substr($good, 0, 24), qr/ERROR/);
for my $share (0.01, 0.1, 0.5, 0.9, 0.999)
{
	refused("truncated to $share", substr($good, 0, int($share * length $good)), qr/ERROR/);
}
refused('longer than the row says', $good . 'x' x 100, qr/has changed/, size => length $good);
refused('big-endian', 'GGUF' . pack('N', 3) . substr($good, 8), qr/ERROR: .*(endian|byte order)/i);
refused('an older version', 'GGUF' . pack('V', 1) . substr($good, 8), qr/ERROR: .*version/i);
refused('absurd counts', substr($good, 0, 8) . pack('Q< Q<', 2**62, 2**62) . substr($good, 24), qr/ERROR/);
refused('an architecture we do not know', model_bytes(architecture => 'mamba'), qr/ERROR: .*mamba/);
refused('a tensor missing', model_bytes(without => 'blk.1.ffn_up.weight'), qr/ERROR: .*blk\.1\.ffn_up\.weight/);
refused('a bias missing', model_bytes(without => 'blk.0.attn_k.bias'), qr/ERROR: .*blk\.0\.attn_k\.bias/);
refused('a vocabulary that says it is a policy', model_bytes(vocabulary_only => 1), qr/ERROR/);
refused('a wrong shape', ($good =~ s/qwen2\.feed_forward_length\x04\0\0\0\x80/qwen2.feed_forward_length\x04\0\0\0\x40/r),
	qr/ERROR: .*(shape|ffn|dimension)/i);

# Bits flipped one by one in the part that is parsed: an error or a text, never a crash.
srand 7;
my $head = index $good, 'blk.1.ffn_down.weight';
my ($errors, $texts) = (0, 0);
my $script = '';
for my $i (1 .. 120)
{
	my $at = int rand $head;
	my $bytes = $good;

	substr($bytes, $at, 1) = chr(ord(substr $bytes, $at, 1) ^ (1 << int rand 8));
	next if $bytes eq $good;
	add_model($node, "flip$i", $bytes);
	$script .= "SELECT length(rstar_generate('Once upon', 'flip$i', max_tokens => 4)) >= 0;\n";
}
my ($rc, $out, $err) = $node->psql('postgres', "$script SELECT 'alive'", on_error_stop => 0);
$errors = () = $err =~ /ERROR:/g;
$texts = () = $out =~ /^t$/mg;
like($out, qr/^alive$/m, 'one session lives through all flipped bits');
note "flipped bits: $errors refused, $texts harmless";
cmp_ok($errors, '>', 30, 'many are refused');
unlike($err, qr/server closed|PANIC|internal error/i, 'none is a crash');

# NaN weights: a text could be anything, but the session must live, and whoever
# asks is told.
add_model($node, 'nan', model_bytes(nan => 'blk.0.ffn_up.weight'));
error_of($node, q{SELECT rstar_generate('Once upon', 'nan', max_tokens => 4)});

# Input that is odd rather than the file.
add_model($node, 'fine', $good);
like(error_of($node, q{SELECT rstar_generate(repeat('x', 300), 'fine')}),
	qr/prompt of (?:300|more than 256) tokens does not fit the context of 256/, 'a prompt beyond the context');
like(error_of($node, q{SET rstar.max_context = 64; SELECT rstar_generate(repeat('x', 100), 'fine')}),
	qr/does not fit the context of 64/, 'or beyond the limit');
like(error_of($node, q{SELECT rstar_generate('', 'fine')}), qr/prompt is empty/, 'an empty prompt');
is($node->safe_psql('postgres', q{SELECT rstar_tokenize('', 'fine')}), '{}', 'an empty text has no tokens');
is($node->safe_psql('postgres', q{SELECT rstar_detokenize('{}', 'fine')}), '', 'and no tokens no text');
like(error_of($node, q{SELECT rstar_detokenize('{1,2,100000}', 'fine')}), qr/ERROR: .*100000/, 'an id too large');
like(error_of($node, q{SELECT rstar_detokenize('{-1}', 'fine')}), qr/ERROR: .*-1/, 'a negative id');
like(error_of($node, q{SELECT rstar_generate('x', 'none')}), qr/model "none" does not exist/, 'no such model');
is($node->safe_psql('postgres', q{SELECT rstar_detokenize('{195,40,195,164,240,159,152}', 'fine')}),
	"\x{fffd}(\x{e4}\x{fffd}\x{fffd}\x{fffd}" =~ s/(.+)/utf8::encode(my $x = $1); $x/er,
	'bytes that are no text become replacement characters');

$node->stop;
done_testing();
