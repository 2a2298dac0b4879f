# Training in the background: workers that are killed again and again cost no more than the
# steps since the last checkpoint, and the model that comes of it is the same, byte for byte;
# pause, resume, cancel, a damaged checkpoint, a server that stops.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

use RstarTest;
use RstarWorkers;

my $node = new_worker_node('training', conf => "restart_after_crash = on\nrstar.checkpoint_interval = 1\nrstar.matrix_kernel = 'portable'\n");
my $checkpoints = $node->data_dir . '/rstar/checkpoints';

sub sql { return $node->safe_psql('postgres', $_[0]); }

# Files of whole checkpoints, by step.
sub checkpoints
{
	my %step = map { $_ => /-(\d+)\.checkpoint$/ } glob "$checkpoints/*.checkpoint";

	my @files = sort { $step{$a} <=> $step{$b} } keys %step;

	return @files;
}

sub newest { return (checkpoints())[-1] // ''; }

# Train in the background; run and job.
sub train
{
	my ($name, $epochs) = @_;
	my $run = sql("SELECT rstar_train_policy('$name', 'novice', 'SELECT problem, solution FROM lesson', epochs => $epochs,
		batch_tokens => 500, held_out => 0.1, threads => 1, nice => 0)");

	return ($run, sql("SELECT job_id FROM rstar.training_runs WHERE run_id = $run"));
}

sub sha256_of { return sql("SELECT sha256 FROM rstar.models WHERE name = '$_[0]'"); }

sub steps_are_whole
{
	my ($run, $what) = @_;

	is(sql("SELECT count(*) = max(step) + 1 AND min(step) = 0 AND bool_and(loss IS NOT NULL OR step = 0) FROM rstar.training_steps WHERE run_id = $run"),
		't', "$what: every step is there once");
}

sql(q{CREATE TABLE lesson AS
	SELECT format('What is %s + %s?', i, i + 1) AS problem,
	       format(E'<code>\n# Add\nprint(%s + %s)\n<end_of_code>\n<output>%s<end_of_output>\n<answer>\\boxed{%s}\n<end_of_answer>', i, i + 1, 2 * i + 1, 2 * i + 1) AS solution
	  FROM generate_series(1, 24) i});
sql("SELECT rstar_train_vocabulary('words', 'SELECT problem || solution FROM lesson', size => 300)");
sql("SELECT rstar_model_create('novice', vocabulary => 'words', layers => 2, width => 64, heads => 4, kv_heads => 2, context => 128)");

# --- undisturbed: the model to compare with; as many epochs as last some seconds here -----------

my ($run, $job) = train('calibration', 40);
is(wait_for_job($node, $job), 'done', 'a training in the background is done');
my $seconds = sql("SELECT extract(epoch FROM finished_at - started_at) FROM rstar.jobs WHERE job_id = $job");
my $epochs = int(40 * 12 / $seconds) + 1;
note "40 epochs take $seconds s; the others have $epochs";

($run, $job) = train('undisturbed', $epochs);
ok(wait_until($node, "SELECT bool_or(phase = 'training' AND done > 0 AND total >= done AND doing ~ 'loss') FROM rstar.progress WHERE job_id = $job"), 'progress tells its steps and its loss');
is(wait_for_job($node, $job), 'done', 'a longer one as well');
steps_are_whole($run, 'undisturbed');
is(join(' ', checkpoints()), '', 'what is done leaves no checkpoint');

# --- killed, more often than a job that makes no headway may be ----------------------------------

($run, $job) = train('killed', $epochs);
my $kills = 0;
while ($kills < 7)
{
	my $before = newest();

	# a checkpoint that was not there, and the row that says that the job got further
	wait_until($node, "SELECT losses = 0 AND status = 'running' FROM rstar.jobs WHERE job_id = $job") or last;
	my $end = time + 60;
	sleep 0.02 while time < $end && newest() eq $before
	  && $node->safe_psql('postgres', "SELECT rstar_wait($job, '0 s')") =~ /queued|running/;
	wait_until($node, "SELECT losses = 0 FROM rstar.jobs WHERE job_id = $job") or last;
	my ($worker) = pids_of($node, 'rstar worker') or last;
	kill 'KILL', $worker;
	$kills++;
	revive($node);
}
cmp_ok($kills, '>=', 6, "its worker was killed $kills times");
is(wait_for_job($node, $job), 'done', 'it is done all the same');
is(sha256_of('killed'), sha256_of('undisturbed'), 'and the model is the same, byte for byte');
steps_are_whole($run, 'killed');
is(join(' ', checkpoints()), '', 'no checkpoint is left');

# --- paused, the server stopped at once, the last checkpoint damaged -----------------------------

($run, $job) = train('disturbed', $epochs);
wait_until($node, "SELECT count(*) > 0 FROM rstar.training_steps WHERE run_id = $run");
is(sql("SELECT rstar_pause($job)"), 't', 'paused');
ok(wait_until($node, "SELECT count(*) = 0 FROM rstar.progress WHERE job_id = $job"), 'its worker leaves');
my $steps = sql("SELECT max(step) FROM rstar.training_steps WHERE run_id = $run");
is(sql("SELECT status FROM rstar.training_summary WHERE run_id = $run"), 'paused', 'the summary says so');
is(sql("SELECT rstar_resume($job)"), 't', 'resumed');
ok(wait_until($node, "SELECT max(step) > $steps FROM rstar.training_steps WHERE run_id = $run"), 'it goes on behind the step where it was paused');
{
	my $end = time + 60;

	sleep 0.05 while time < $end && checkpoints() < 2;
}
$node->stop('immediate');
my @files = checkpoints();
is(scalar @files, 2, 'the last two checkpoints are kept');
truncate $files[-1], int((-s $files[-1]) / 2) or die "truncate: $!";
$node->start;
is(wait_for_job($node, $job), 'done', 'it goes on from the last but one');
is(sha256_of('disturbed'), sha256_of('undisturbed'), 'to the same model');
steps_are_whole($run, 'disturbed');

# --- no usable checkpoint: said, not begun again behind the user's back ---------------------------

($run, $job) = train('damaged', $epochs);
{
	my $end = time + 60;

	sleep 0.05 while time < $end && checkpoints() < 2;
}
$node->stop('immediate');
for my $file (checkpoints()) { truncate $file, 100 or die "truncate: $!"; }
$node->start;
ok(wait_until($node, "SELECT error IS NOT NULL FROM rstar.jobs WHERE job_id = $job"), 'a run whose checkpoints are all damaged is not continued');
like(sql("SELECT error FROM rstar.jobs WHERE job_id = $job"), qr/checkpoint/, 'and says why');

# --- cancelled: nothing is left ---------------------------------------------------------------------

is(sql("SELECT rstar_cancel($job)"), 't', 'cancelled');
is(sql("SELECT status FROM rstar.jobs WHERE job_id = $job"), 'cancelled', 'as its row says');
($run, $job) = train('cancelled', $epochs);
wait_until($node, "SELECT count(*) > 0 FROM rstar.training_steps WHERE run_id = $run");
my $start = time;
is(sql("SELECT rstar_cancel($job)"), 't', 'another is cancelled at work');
ok(wait_until($node, "SELECT count(*) = 0 FROM rstar.progress WHERE job_id = $job"), 'its worker leaves');
cmp_ok(time - $start, '<', 5, 'soon');
is(sha256_of('cancelled'), '', 'no model came of it');
ok(!(grep { /run-$run\b/ } checkpoints()), 'and no checkpoint stays');
is(sql("SELECT status FROM rstar.training_summary WHERE run_id = $run"), 'cancelled', 'the summary says so');

$node->stop;
done_testing();
