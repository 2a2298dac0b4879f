# RstarTest: what the TAP tests share.
#
# Servers come from PostgreSQL::Test::Cluster, so they are throw-away ones with
# ports of their own. Models are made here, byte by byte: qwen2 files with
# random weights and a vocabulary of single bytes and some special tokens, so
# that the tests need no fixture, and can spoil a file in any way they like.
package RstarTest;

use strict;
use warnings;

use Carp;
use Cwd qw(abs_path);
use Digest::SHA qw(sha256_hex);
use Encode qw(encode);
use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

our @EXPORT = qw(
  new_rstar_node add_model write_model model_bytes spoil_bytes percentile
  error_of wait_until rss_kb source_path shared_path
);

use constant {
	GGUF_U32    => 4,
	GGUF_I32    => 5,
	GGUF_F32    => 6,
	GGUF_STRING => 8,
	GGUF_ARRAY  => 9,
};

# --- servers -----------------------------------------------------------------------

# A running server with the extension in database postgres.
#   new_rstar_node('name', conf => 'lines', init => [extra initdb or init arguments])
sub new_rstar_node
{
	my ($name, %options) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(extra => [ '-E', 'UTF8', '--locale=C.UTF-8' ], %{ $options{init} // {} });
	$node->append_conf('postgresql.conf', $options{conf}) if $options{conf};
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION rstar') unless $options{bare};
	return $node;
}

# The error that a statement raises ("" if none), and that the session lives on.
sub error_of
{
	my ($node, $sql, %options) = @_;
	my ($rc, $out, $err) = $node->psql('postgres', "$sql;\nSELECT 'alive'",
		on_error_stop => 0, %options);

	like($out, qr/^alive$/m, 'the session lives after: ' . substr($sql, 0, 80));
	return $err;
}

# Run a query until it gives 't'; false after a minute, or so many seconds.
sub wait_until
{
	my ($node, $sql, $seconds) = @_;
	my $end = time + ($seconds // 60);

	while (time < $end)
	{
		return 1 if $node->safe_psql('postgres', $sql) eq 't';
		sleep 0.02;
	}
	return 0;
}

sub rss_kb
{
	my ($pid) = @_;
	my $status = slurp_file("/proc/$pid/status");

	return $status =~ /^VmRSS:\s+(\d+)/m ? $1 : undef;
}

# The value below which a share p of the numbers lies.
sub percentile
{
	my ($p, @numbers) = @_;
	my @sorted = sort { $a <=> $b } @numbers;
	my $at = int($p * @sorted);

	return $sorted[ $at > $#sorted ? $#sorted : $at ];
}

# Tests may change their directory, and the server has another: paths are absolute.
my $root = abs_path($ENV{RSTAR_SOURCE} // '.');

# A path in the source tree, and one among the optional fixtures (undef: not here).
sub source_path
{
	my ($path) = @_;

	return "$root/$path";
}

sub shared_path
{
	my ($path) = @_;
	my $shared = abs_path($ENV{RSTAR_SHARED} // source_path('../shared')) // '';

	return -r "$shared/$path" ? "$shared/$path" : undef;
}

# --- model files ----------------------------------------------------------------------

sub gguf_string
{
	my ($text) = @_;
	my $bytes = utf8::is_utf8($text) ? encode('UTF-8', $text) : $text;

	return pack('Q<', length $bytes) . $bytes;
}

sub gguf_u32    { return gguf_string($_[0]) . pack('V V', GGUF_U32, $_[1]); }
sub gguf_f32    { return gguf_string($_[0]) . pack('V f<', GGUF_F32, $_[1]); }
sub gguf_text   { return gguf_string($_[0]) . pack('V', GGUF_STRING) . gguf_string($_[1]); }

sub gguf_texts
{
	my ($key, @texts) = @_;

	return gguf_string($key) . pack('V V Q<', GGUF_ARRAY, GGUF_STRING, scalar @texts)
	  . join('', map { gguf_string($_) } @texts);
}

sub gguf_i32s
{
	my ($key, @values) = @_;

	return gguf_string($key) . pack('V V Q<', GGUF_ARRAY, GGUF_I32, scalar @values)
	  . pack('l<*', @values);
}

# The printable characters that stand for the 256 bytes in a byte-level vocabulary.
sub byte_characters
{
	my %direct = map { $_ => 1 } (33 .. 126, 161 .. 172, 174 .. 255);
	my $next = 256;

	return map { $direct{$_} ? chr($_) : chr($next++) } (0 .. 255);
}

my @special = ('<|endoftext|>', '<code>', '<end_of_step>', '<end_of_code>', '<output>',
	'<end_of_output>', '<answer>', '<end_of_answer>', '<|user|>', '<|assistant|>');

sub vocabulary_keys
{
	my @tokens = (byte_characters(), @special);
	my @types = ((1) x 256, 3, (4) x 9);

	utf8::upgrade($_) for @tokens;
	return (
		gguf_text('tokenizer.ggml.model', 'gpt2'),
		gguf_text('tokenizer.ggml.pre', 'qwen2'),
		gguf_texts('tokenizer.ggml.tokens', @tokens),
		gguf_i32s('tokenizer.ggml.token_type', @types),
		gguf_texts('tokenizer.ggml.merges'),
		gguf_u32('tokenizer.ggml.eos_token_id', 256));
}

# Pseudo-random weights around 0, the same in every run: a stretch of them, repeated.
my @stretches;

sub weights
{
	my ($count, $scale, $which) = @_;
	my $stretch = $stretches[ $which % 7 ] //= do
	{
		my $state = 12345 + $which % 7;
		my @values;

		for (1 .. 65521)
		{
			$state = ($state * 1103515245 + 12345) % 2147483648;
			push @values, $state / 1073741824 - 1;
		}
		\@values;
	};
	my $packed = pack('f<*', map { $_ * $scale } @$stretch);
	my $bytes = $packed x (1 + int($count * 4 / length $packed));

	return substr($bytes, 0, $count * 4);
}

# The bytes of a qwen2 file in F32.
#   layers, width, heads, kv_heads, ff, context    its shape
#   architecture                                   another name, to be refused
#   without => 'tensor'                            leave one out
#   nan => 'tensor'                                one NaN in it
#   vocabulary_only => 1                           no weights at all
sub model_bytes
{
	my (%m) = (layers => 2, width => 64, heads => 4, kv_heads => 2, ff => 128, context => 256, @_);
	my $arch = $m{architecture} // 'qwen2';
	my $kv = $m{width} / $m{heads} * $m{kv_heads};
	my $vocab = 256 + @special;
	my @keys = (gguf_text('general.architecture', $arch), vocabulary_keys());
	my @tensors;

	unless ($m{vocabulary_only})
	{
		push @keys,
		  gguf_u32("$arch.context_length",              $m{context}),
		  gguf_u32("$arch.embedding_length",            $m{width}),
		  gguf_u32("$arch.block_count",                 $m{layers}),
		  gguf_u32("$arch.feed_forward_length",         $m{ff}),
		  gguf_u32("$arch.attention.head_count",        $m{heads}),
		  gguf_u32("$arch.attention.head_count_kv",     $m{kv_heads}),
		  gguf_f32("$arch.rope.freq_base",              10000),
		  gguf_f32("$arch.attention.layer_norm_rms_epsilon", 1e-6);
		push @tensors, [ 'token_embd.weight', $m{width}, $vocab ], [ 'output_norm.weight', $m{width} ];
		for my $l (0 .. $m{layers} - 1)
		{
			push @tensors,
			  [ "blk.$l.attn_norm.weight",   $m{width} ],
			  [ "blk.$l.attn_q.weight",      $m{width}, $m{width} ],
			  [ "blk.$l.attn_q.bias",        $m{width} ],
			  [ "blk.$l.attn_k.weight",      $m{width}, $kv ],
			  [ "blk.$l.attn_k.bias",        $kv ],
			  [ "blk.$l.attn_v.weight",      $m{width}, $kv ],
			  [ "blk.$l.attn_v.bias",        $kv ],
			  [ "blk.$l.attn_output.weight", $m{width}, $m{width} ],
			  [ "blk.$l.ffn_norm.weight",    $m{width} ],
			  [ "blk.$l.ffn_gate.weight",    $m{width}, $m{ff} ],
			  [ "blk.$l.ffn_up.weight",      $m{width}, $m{ff} ],
			  [ "blk.$l.ffn_down.weight",    $m{ff}, $m{width} ];
		}
		@tensors = grep { $_->[0] ne ($m{without} // '') } @tensors;
	}

	my ($infos, $data, $n) = ('', '', 0);
	for my $tensor (@tensors)
	{
		my ($name, @dims) = @$tensor;
		my $count = 1;
		my $bytes;

		$count *= $_ for @dims;
		$bytes =
		  $name =~ /norm/ ? pack('f<', 1) x $count : weights($count, 1.7 / sqrt($dims[0]), $n++);
		substr($bytes, 4 * int($count / 2), 4) = pack('V', 0x7fc00000)
		  if $name eq ($m{nan} // '');
		$infos .= gguf_string($name) . pack('V Q<* ', scalar @dims, @dims)
		  . pack('V Q<', 0, length $data);
		$data .= $bytes . "\0" x (-length($bytes) % 32);
	}
	my $head = 'GGUF' . pack('V Q< Q<', 3, scalar @tensors, scalar @keys) . join('', @keys) . $infos;

	return $head . "\0" x (-length($head) % 32) . $data;
}

# Write such a file; returns its path.
sub write_model
{
	my ($path, %shape) = @_;

	open my $file, '>:raw', $path or croak "$path: $!";
	print $file model_bytes(%shape);
	close $file or croak "$path: $!";
	return $path;
}

# Put a file into the server's model directory and register it by hand, as
# nobody but a superuser can: for tests of what comes after registration.
# Returns the file's path.
sub add_model
{
	my ($node, $name, $bytes, %row) = @_;
	my $sum = sha256_hex($bytes);
	my $directory = $row{directory} // $node->data_dir . '/rstar';
	my $file = $row{path} // "$sum.gguf";
	my $size = $row{size} // length $bytes;
	my $role = $row{role} // 'policy';

	mkdir $directory, 0700;
	unlink "$directory/$file";
	open my $out, '>:raw', "$directory/$file" or croak "$directory/$file: $!";
	print $out $bytes;
	close $out or croak "$directory/$file: $!";
	$node->safe_psql('postgres',
		"INSERT INTO rstar.models (name, role, path, sha256, file_size)
		 VALUES (\$\$$name\$\$, '$role', \$\$$file\$\$, '$sum', $size)");
	return "$directory/$file";
}

1;
