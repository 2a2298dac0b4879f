# Bringing models in: from Hugging Face directories, from GGUF files, with
# everything that can go wrong on the way; and that nothing is left behind.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use IPC::Run qw(start);
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::RecursiveCopy;
use PostgreSQL::Test::Utils;
use RstarTest;
use Test::More;
use Time::HiRes qw(time sleep);

my $node = new_rstar_node('import', conf => "restart_after_crash = on\n");
my $base = $node->basedir;
my $directory = $node->data_dir . '/rstar';
my $bytes = source_path('test/fixtures/bytes.gguf');

sub quoted
{
	my ($text) = @_;

	return "'" . ($text =~ s/'/''/gr) . "'";
}

# What lies in the model directory.
sub files
{
	opendir my $dir, $directory or return ();
	return sort grep { !/^\.\.?$/ } readdir $dir;
}

# --- Hugging Face directories -----------------------------------------------------------

# The tiny models of the first four have heads that the engine does not compute; their
# vocabularies are of use all the same.
for my $model (qw(qwen2 llama phi3 value qwen3 gemma3 smollm3))
{
	my $source = source_path("test/fixtures/hf/$model");
	my $role = $model =~ /3$/ && $model ne 'phi3' ? 'policy' : 'vocabulary';
	my $expected = decode_json(slurp_file("$source/expected.json"));
	my $architecture = $model eq 'value' ? 'qwen2' : $model;
	my ($texts, $good) = (0, 0);

	like(error_of($node, "SELECT rstar_model_import('no', '$source', 'policy')"),
		qr/head size \d+ is not a multiple of 16/, "$model: refused as a policy") if $role eq 'vocabulary';
	is($node->safe_psql('postgres', "SELECT rstar_model_import('$model', '$source', '$role') > 0"),
		't', "$model: imported");
	is($node->safe_psql('postgres', "SELECT architecture FROM rstar.models WHERE name = '$model'"),
		$architecture, "$model: architecture") if $role eq 'policy';
	for my $case (@{ $expected->{texts} })
	{
		my $text = $case->{text};
		my $ids = '{' . join(',', @{ $case->{ids} }) . '}';

		utf8::encode($text);
		next if $text =~ /\0/;
		$texts++;
		my $got = $node->safe_psql('postgres',
			"SELECT rstar_tokenize(" . quoted($text) . ", '$model', special => false)");
		$good++ if $got eq $ids;
		diag "$model: \"$text\": $got instead of $ids" if $got ne $ids;
	}
	is($good, $texts, "$model: all $texts texts have the tokens that the original library gives");
	is($node->safe_psql('postgres', "SELECT rstar_model_verify('$model')"), '', "$model: verified");
}
is($node->safe_psql('postgres', q{SELECT rstar_model_import('f16', } . quoted(source_path('test/fixtures/hf/qwen3'))
			. q{, file_type => 'F16', prompt_template => 'Q: {problem} A:') > 0}),
	't', 'converted on the way');
is($node->safe_psql('postgres', q{SELECT file_type, prompt_template FROM rstar.models WHERE name = 'f16'}),
	'F16|Q: {problem} A:', 'to the type that was asked for, with the template given');
my $error = error_of($node, q{SELECT rstar_model_import('no', } . quoted(source_path('test/fixtures/hf/qwen3')) . q{, 'ppm')});
like($error, qr/cannot score steps.*DETAIL:.*value_head/s, 'a model without a value head is no ppm');

# A directory that would reach outside, or lacks something.
my @before = files();
my %spoilt = (
	'weights link outside' => sub { unlink "$_[0]/model.safetensors"; symlink '/etc/passwd', "$_[0]/model.safetensors" },
	'no weights'           => sub { unlink "$_[0]/model.safetensors" },
	'no configuration'     => sub { unlink "$_[0]/config.json" },
	'no tokenizer'         => sub { unlink "$_[0]/tokenizer.json" },
	'configuration broken' => sub { append_to_file("$_[0]/config.json", '}') },
	'weights truncated'    => sub { truncate "$_[0]/model.safetensors", 1000 });
my $n = 0;
for my $what (sort keys %spoilt)
{
	my $copy = "$base/hf" . $n++;

	PostgreSQL::Test::RecursiveCopy::copypath(source_path('test/fixtures/hf/qwen3'), $copy);
	$spoilt{$what}->($copy);
	my $message = error_of($node, "SELECT rstar_model_import('no', '$copy')");
	is(scalar(() = $message =~ /ERROR:/g), 1, "$what: one error");
	unlike($message, qr/root:/, "$what: that shows nothing of another file");
}
is_deeply([ files() ], \@before, 'none of them left a file');

# --- GGUF files ----------------------------------------------------------------------------

$node->safe_psql('postgres', "SELECT rstar_model_import('bytes', '$bytes', 'vocabulary')");
write_model("$base/nan.gguf", nan => 'blk.1.ffn_up.weight');
write_model("$base/missing.gguf", without => 'blk.0.attn_k.weight');
write_model("$base/good.gguf");
@before = files();
like(error_of($node, "SELECT rstar_model_import('no', '$base/nan.gguf')"),
	qr/ERROR: .*blk\.1\.ffn_up\.weight.*/, 'NaN weights are found at import');
like(error_of($node, "SELECT rstar_model_import('no', '$base/missing.gguf')"),
	qr/ERROR: .*blk\.0\.attn_k\.weight/, 'and a tensor that is missing');
like(error_of($node, "SELECT rstar_model_import('no', '$base/data.fifo')"), qr/No such file/, 'no such file');
system 'mkfifo', "$base/data.fifo";
like(error_of($node, "SELECT rstar_model_import('no', '$base/data.fifo')", timeout => 30),
	qr/neither a file nor a directory/, 'a pipe does not make the session wait');
is_deeply([ files() ], \@before, 'none of them left a file');

SKIP:
{
	my $parity = shared_path('fixtures/parity/README.md');
	skip 'fixtures/parity is absent', 10 unless $parity;

	for my $file (sort glob(($parity =~ s/README\.md$//r) . '*.gguf'))
	{
		my $name = $file =~ s{.*/|\.gguf$}{}gr;
		is( $node->safe_psql('postgres', "SELECT rstar_model_import('$name', '$file') > 0;
				SELECT length(rstar_generate('Hello', '$name', max_tokens => 4)) >= 0"),
			"t\nt", "imported and used: $name");
	}
}

# --- cancelled, killed, at once ---------------------------------------------------------------

# Some 300 MB to write, so that a time-out comes in the middle of each phase.
my $big = q{SELECT rstar_model_create('big', 'bytes', 24, 1024, 16, feed_forward => 3072)};
@before = files();
for my $ms (20, 100, 400, 1000, 2000)
{
	my $t = time;
	my $message = error_of($node, "SET statement_timeout = $ms; $big");
	my $late = 1000 * (time - $t) - $ms;

	like($message, qr/canceling statement due to statement timeout/, "making a model is cancelled after $ms ms");
	cmp_ok($late, '<', 1000, sprintf 'without delay (%.0f ms, psql included)', $late);
}
is_deeply([ files() ], \@before, 'and nothing of it is left');

# Other sessions' barriers are served meanwhile.
$node->safe_psql('postgres', 'CREATE DATABASE other');
my ($in, $out) = ("SELECT 'begun';\n$big;\n", '');
my $psql = start [ 'psql', '-X', '-A', '-t', '-q', $node->connstr('postgres') ], \$in, '>&', \$out;
$psql->pump until $out =~ /begun/;
wait_until($node, q{SELECT count(*) = 1 FROM rstar_model_orphans() WHERE unfinished});
my $t = time;
$node->safe_psql('postgres', 'DROP DATABASE other');
my $took = 1000 * (time - $t);
my $running = $node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE query ~ 'model_create' AND state = 'active' AND pid <> pg_backend_pid()});
note sprintf 'DROP DATABASE beside the making of a model: %.0f ms%s', $took, $running ? '' : ' (but that had ended)';
cmp_ok($took, '<', 3000, 'DROP DATABASE does not wait for it');

# kill -9 in the middle: after recovery an unfinished file, and it is listed.
wait_until($node, q{SELECT count(*) = 1 FROM rstar_model_orphans() WHERE unfinished});
my $pid = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE query ~ 'model_create' AND state = 'active' AND pid <> pg_backend_pid()});
SKIP:
{
	skip 'the model was made before it could be killed', 3 unless $pid;
	kill 9, $pid;
	$psql->finish;
	ok($node->poll_query_until('postgres', 'SELECT 1', '1'), 'the server recovers from kill -9');
	is($node->safe_psql('postgres', q{SELECT count(*) FROM rstar.models WHERE name = 'big'}), 0, 'no row');
	is($node->safe_psql('postgres', q{SELECT count(*), bool_and(unfinished) FROM rstar_model_orphans()}),
		'1|t', 'one unfinished file, listed as an orphan');
}

# Sessions that import, share and drop the same file at the same time.
my @sessions = map {
	my $i = $_;
	my $script = join '', map {
		"SELECT rstar_model_import('s${i}_$_', '$base/good.gguf');\n"
		  . "SELECT length(rstar_generate('x', 's${i}_$_', max_tokens => 1));\n"
		  . "SELECT rstar_model_drop('s${i}_$_', true);\n"
	} 1 .. 15;
	my %session = (in => $script, out => '');
	$session{psql} = start [ 'psql', '-X', '-A', '-t', '-q', $node->connstr('postgres') ],
	  \$session{in}, '>&', \$session{out};
	\%session;
} 1 .. 4;
$_->{psql}->finish for @sessions;
unlike(join('', map { $_->{out} } @sessions), qr/ERROR|WARNING/, 'concurrent imports and drops of one file get along');
is($node->safe_psql('postgres', q{SELECT count(*) FROM rstar_model_orphans() WHERE NOT unfinished}), 0, 'and leave no file');

$node->stop;
done_testing();
