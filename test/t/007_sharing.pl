# All sessions share one copy of a model's weights and of what it made of its prompt's
# constant beginning, and a new connection's first token costs little.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RstarTest;
use Test::More;

my $node = new_rstar_node('sharing', conf => "rstar.kv_cache = '8MB'\n");
my $file = add_model($node, 'medium',
	model_bytes(layers => 8, width => 512, heads => 8, kv_heads => 2, ff => 1536, context => 512));
my $call = q{SELECT length(rstar_generate('Once upon', 'medium', max_tokens => 4)) >= 0};

# The sums over a process's mappings of a file.
sub mapping
{
	my ($pid, $file) = @_;
	my $name = $file =~ s{.*/}{}r;
	my %sum;
	my $inside = 0;

	for my $line (split /\n/, slurp_file("/proc/$pid/smaps"))
	{
		$inside = $line =~ /\Q$name\E/ if $line =~ /^[0-9a-f]+-[0-9a-f]+ /;
		$sum{$1} += $2 if $inside && $line =~ /^(\w+):\s+(\d+) kB/;
		$sum{flags} = $1 if $inside && $line =~ /^[0-9a-f]+-[0-9a-f]+ (\S+)/;
	}
	return %sum;
}

my @sessions = map { $node->background_psql('postgres') } 1 .. 2;
my @pids = map { $_->query_safe('SELECT pg_backend_pid()') } @sessions;

sub shared_by_both
{
	my ($file) = @_;
	my $size_kb = (-s $file) / 1024;

	for my $pid (@pids)
	{
		my %map = mapping($pid, $file);

		note sprintf 'file %d kB: mapped %s, resident %d, proportional %d, private %d kB', $size_kb,
		  $map{flags}, $map{Rss}, $map{Pss}, $map{Private_Clean} + $map{Private_Dirty};
		like($map{flags}, qr/^r--s$/, 'mapped read-only and shared');
		cmp_ok($map{Rss}, '>', 0.8 * $size_kb, 'all of it was used');
		cmp_ok($map{Pss}, '<', 0.6 * $map{Rss}, 'and shared with the other session');
		cmp_ok($map{Private_Clean} + $map{Private_Dirty}, '<', 0.01 * $size_kb, 'nothing of it is private');
	}
	return;
}

is($_->query_safe($call), 't', 'a session generates') for @sessions;
shared_by_both($file);

# The constant beginning of prompts: one session computes and writes it, others map it.
$node->safe_psql('postgres',
	"UPDATE rstar.models SET prompt_template = repeat('One and one is two. ', 16) || E'\n{problem}\n' WHERE name = 'medium'");
my $search = q{SELECT rstar_search('How many?', model => 'medium', method => 'greedy', rollouts => 1) > 0};
my $writer = $node->background_psql('postgres');
is($writer->query_safe($search), 't', 'a session searches');
$writer->quit;
my ($beginning) = glob $node->data_dir . '/rstar/*.kv';
ok($beginning, 'and leaves the beginning of its prompts in a file');
is($_->query_safe($search), 't', 'another session searches') for @sessions;
shared_by_both($beginning);

# A new connection's first call against the same call again.
my @first;
my @second;
for (1 .. 10)
{
	my $out = $node->safe_psql('postgres', "\\timing on\n$call;\n$call;");
	my ($cold, $warm) = $out =~ /Time: ([0-9.]+) ms/g;
	push @first, $cold;
	push @second, $warm;
}
note sprintf 'first call of a connection %.1f ms, second %.1f ms (medians of 10): opening costs %.1f ms',
  percentile(0.5, @first), percentile(0.5, @second), percentile(0.5, @first) - percentile(0.5, @second);
cmp_ok(percentile(0.5, @first) - percentile(0.5, @second), '<', 250, 'opening a model is no load');

# The real vocabulary, where the fixture is here.
SKIP:
{
	my $vocabulary = shared_path('fixtures/tokenizer/ggml-vocab-qwen2.gguf');
	skip 'fixture fixtures/tokenizer/ggml-vocab-qwen2.gguf is absent', 1 unless $vocabulary;

	$node->safe_psql('postgres', "SELECT rstar_model_import('qwen', '$vocabulary', 'vocabulary')");
	my @open;
	for (1 .. 10)
	{
		my $out = $node->safe_psql('postgres',
			"LOAD 'rstar';\n\\timing on\nSELECT rstar_tokenize('x', 'qwen');\nSELECT rstar_tokenize('x', 'qwen');");
		my ($cold, $warm) = $out =~ /Time: ([0-9.]+) ms/g;
		push @open, $cold - $warm;
	}
	note sprintf 'opening 151,936 tokens: %.1f ms (median of 10)', percentile(0.5, @open);
	cmp_ok(percentile(0.5, @open), '<', 250, 'nor is opening a large vocabulary');
}

$_->quit for @sessions;
$node->stop;
done_testing();
