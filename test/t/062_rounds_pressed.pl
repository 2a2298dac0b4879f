# A round beside everything else: no room on the disk while it trains, and fifty sessions
# that ask for answers while it searches.
use strict;
use warnings;

use IPC::Run qw(start);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

use RstarTest;
use RstarWorkers;

# Small WAL segments: what may not be written here is large files only.
my $node = new_rstar_node('pressed',
	init => { extra => [ '-E', 'UTF8', '--locale=C.UTF-8', '--wal-segsize=1' ] },
	conf => "shared_preload_libraries = 'rstar'\nmax_connections = 80\nrstar.max_workers = 2\nrstar.matrix_kernel = 'portable'\nrstar.worker_nice = 0\n"
	  . "rstar.checkpoint_interval = 1\n");

sub sql { return $node->safe_psql('postgres', $_[0]); }

sql(<<~'SQL');
	INSERT INTO rstar.problems (problem_id, statement, answer)
	SELECT i, format('Calculate %s*%s - %s.', 7 * i + 3, i + 11, i * i), (7 * i + 3) * (i + 11) - i * i FROM generate_series(1, 10) i;
	SQL

sub start_round
{
	my ($name) = @_;

	return sql(qq{SELECT rstar_start_round('$name', 'SELECT problem_id FROM rstar.problems WHERE problem_id < 8', 'SELECT problem_id FROM rstar.problems WHERE problem_id >= 8',
		model => 'rstar-bootstrap', rollouts => 6, temperature => 1.4, policy_training => '{"epochs": 1, "held_out": 0, "batch_tokens": 1000}',
		ppm_training => '{"epochs": 1, "held_out": 0, "batch_tokens": 1000}', evaluation => '{"rollouts": 2}')});
}

sub job_of { return sql("SELECT job_id FROM rstar.rounds WHERE round_id = $_[0]"); }

sub made
{
	my ($round) = @_;

	return sql("SELECT phase, p.sha256, m.sha256 FROM rstar.rounds r JOIN rstar.models p ON p.model_id = r.new_policy_id
		JOIN rstar.models m ON m.model_id = r.new_ppm_id WHERE round_id = $round");
}

# Files of the server may grow to so many bytes: processes that it starts from now on are refused more.
sub bound_files
{
	my ($bytes) = @_;
	my ($postmaster) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;

	system_or_bail('prlimit', '--pid', $postmaster, "--fsize=$bytes:");
	return;
}

sub files { return sort map { s{.*/}{}r } grep { !-d } glob $node->data_dir . '/rstar/{,checkpoints/}*'; }

# --- a server where no model was ever stored -----------------------------------------------------------

sql(q{SELECT rstar_train_policy('first', 'rstar-bootstrap', epochs => 10000, held_out => 0, batch_tokens => 256, query => $$SELECT 'Calculate ' || i || ' + 1.' AS problem,
	'<code>
# Add.
print(' || i || ' + 1)
<end_of_step>
<end_of_code>
<output>' || i + 1 || '<end_of_output>
<answer>' || i + 1 || '
<end_of_answer>' AS solution FROM generate_series(1, 20) i$$)});
my $end = time + 120;
sleep 0.1 until glob($node->data_dir . '/rstar/checkpoints/*-run-*') || time > $end;
is(sql("SELECT string_agg(status, ' ') FROM rstar.jobs"), 'running', 'training has stored its first checkpoint and goes on');
sql('SELECT rstar_cancel(max(job_id)) FROM rstar.jobs');
ok(wait_until($node, 'SELECT count(*) = 0 FROM rstar.progress'), 'until it is cancelled');

# --- fifty sessions ask for answers meanwhile --------------------------------------------------------

my $calm = start_round('calm');
my @asking = map {
	my %s = (out => '', err => '', right => 2 * $_ + 7);
	$s{process} = start [ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', "SELECT rstar_solve('Calculate $_ + " . ($_ + 7) . ".')" ],
	  '>', \$s{out}, '2>', \$s{err};
	\%s;
} 1 .. 50;
$_->{process}->finish for @asking;
is(join('', map { $_->{err} } @asking), '', 'fifty sessions ask for answers while a round runs, without an error');
cmp_ok(scalar(grep { $_->{out} eq "$_->{right}\n" } @asking), '>=', 49, 'and get the right ones');
is(wait_for_job($node, job_of($calm)), 'done', 'the round is done as well');

# --- no room on the disk ------------------------------------------------------------------------------

my @before = files();
bound_files(4 * 1024 * 1024);
my $full = start_round('full');
ok(wait_until($node, "SELECT status = 'failed' FROM rstar.round_summary WHERE round_id = $full", 120), 'a round that cannot write its models fails');
is(sql("SELECT phase FROM rstar.rounds WHERE round_id = $full"), 'train policy', 'where it trains');
like(sql("SELECT note FROM rstar.round_summary WHERE round_id = $full"), qr/(?:File too large|No space left)/, 'and says why');
is_deeply([ files() ], \@before, 'without leaving a file behind');
is(sql("SELECT count(*) > 0 FROM rstar.trees WHERE round_id = $full"), 't', 'its trees are there');
is(sql("SELECT rstar_solve('Calculate 2 + 3.')"), '5', 'answers are given all the same');

bound_files('unlimited');
is(sql("SELECT rstar_resume_round($full)"), 't', 'where there is room again, it is resumed');
is(wait_for_job($node, job_of($full)), 'done', 'and ends');
is(made($full), made($calm), 'with the same models as if nothing had been');

$node->stop;
done_testing();
