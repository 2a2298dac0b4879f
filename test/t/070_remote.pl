# Models on other servers: searches by them, what goes wrong with servers, keys and certificates,
# cancel, and workers whose server goes and comes back.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

use RstarRemote;
use RstarTest;
use RstarWorkers;

if (my $reason = build_model_server()) { plan skip_all => $reason; }

my ($pid, $port) = start_model_server();
my $host = "http://127.0.0.1:$port";
# A proxy of the environment would be asked first, if it were.
local $ENV{http_proxy} = 'http://127.0.0.1:9';
local $ENV{ALL_PROXY} = 'http://127.0.0.1:9';
my $node = new_worker_node('remote', conf => "rstar.remote_hosts = '$host'\nrstar.remote_patience = 1200ms\nlog_min_messages = debug1\n");

sub sql { return $node->safe_psql('postgres', $_[0], @_[ 1 .. $#_ ]); }

sub register
{
	my ($name, $path, $rest) = @_;

	return sql("SELECT rstar_model_remote('$name', '$host$path'" . ($rest // '') . ')');
}

register('gpu', '/v1', ", prompt_template => rstar_prompt_template('qwen2')");
register('rm', '/v1', ", 'ppm'");
register('rerank', '/v1', ", 'ppm', api => 'score'");
register('chat', '/v1', ", api => 'chat'");
register($_, "/$_/v1") for qw(one single key echo busy shaky down dead long off hang drip close huge html odd wild redirect);
register("rm$_", "/$_/v1", ", 'ppm'") for qw(odd down long);
register('strict', '/strict/v1');
register('strictchat', '/strict/v1', ", api => 'chat'");
add_problems($node, 60);

# --- searches ---------------------------------------------------------------------------------

is(sql("SELECT rstar_solve('What is 3 + 4?', '$_')"), 7, "model $_ solves") for qw(gpu chat one single busy shaky strict strictchat);
is(sql("SELECT rstar_solve('What is 3 + 4?', 'gpu', '$_')"), 7, "with PPM $_") for qw(rm rerank);
is(sql("SELECT rstar_solve('What is 3 + 4?', 'gpu', method => '$_')"), 7, "by $_") for qw(majority best_of_n greedy);
is(sql("SELECT rstar_solve('What is 3 + 4?', 'gpu', 'rm', 'beam')"), 7, 'by beam');
is(sql("SELECT rstar_solve('What is 3 + 4?', ppm => 'rm')"), 7, 'a policy here and a PPM there');
is(sql("SELECT rstar_solve(ARRAY['What is 3 + 4?', '', 'What is 5 + 6?'], 'gpu')"), '{7,NULL,11}', 'several');
is(sql("SELECT answer, confidence > 0, solution ~ 'boxed.7', reason IS NULL FROM rstar_explain('What is 3 + 4?', 'gpu')"), '7|t|t|t', 'explained');
is(sql("SELECT rstar_generate('What is 3 + 4?', 'gpu', stop => '{<end_of_step>}') ~ 'x = 3 . 4'"), 't', 'generated');
is(sql("SELECT string_agg(round(ppm_score::numeric, 2)::text, ' ') FROM rstar_score('What is 3 + 4?', E'<code>\\nx = 3 + 4\\n<end_of_step>\\nprint(x)\\n<end_of_code>', ppm => 'rm')"),
	'0.66 0.66', 'scored');
like(sql("SELECT rstar_solve('What is the capital of France?', 'gpu') IS NULL, reason FROM rstar_explain('What is the capital of France?', 'gpu')"),
	qr/^t\|not understood$/, 'what the model does not know');

my $tree = sql("SELECT rstar_search(1, 'gpu', 'rm')");
is(sql("SELECT correct, reproducible, generated_tokens > 50, policy_ms > 0, ppm_ms > 0 FROM rstar.trees WHERE tree_id = $tree"), 't|f|t|t|t', 'a tree is stored');
is(sql("SELECT bool_and(logprob < 0 AND abs(logprob + 0.125 * tokens) < 1e-9) FROM rstar.nodes WHERE tree_id = $tree AND depth > 0"), 't', 'with log-probabilities and tokens of the server');
is(sql("SELECT bool_or(text ~ ' . 1\\n' AND ppm_score < 0), bool_and(ppm_score > 0) FILTER (WHERE text !~ ' . 1\\n' AND depth = 1) FROM rstar.nodes WHERE tree_id = $tree"), 't|t', 'and scores');
is(sql("SELECT count(*) > 0, bool_and(text ~ '<end_of_step>\\n\\n\$'), bool_or(text ~ '^\\n') FROM rstar.nodes WHERE tree_id = $tree AND text ~ '<end_of_step>'"), 't|t|f', 'and the next step begins where a worked example begins it');
my $silent = sql("SELECT rstar_search(2, 'one')");
is(sql("SELECT bool_and(logprob IS NULL), bool_and(tokens > 0) FROM rstar.nodes WHERE tree_id = $silent AND depth > 0"), 't|t', 'NULL where the server does not tell');
is(sql("SELECT rstar_continue($silent, 3); SELECT rollouts FROM rstar.trees WHERE tree_id = $silent"), "$silent\n11", 'a tree goes on');
is(sql("SELECT count(*) > 10 FROM rstar.nodes WHERE tree_id = $silent AND logprob IS NULL"), 't', 'and does not invent them');
like(sql("SELECT rstar_tree_text($silent)"), qr/Answer: 6/, 'it can be drawn');
is(sql("SELECT count(*) FROM rstar_search('{3,4,5}'::bigint[], 'gpu')"), 3, 'several trees');
is(sql("CALL rstar_search_each('SELECT problem_id FROM rstar.problems WHERE problem_id < 9', 'gpu'); SELECT count(*) FROM rstar.trees WHERE finished_at > now() - interval '1 min' AND correct") > 8, 1, 'each committed');

# --- what goes wrong ------------------------------------------------------------------------------

my %wrong = (
	key => qr/rejects the key or requires one/,
	echo => qr/fails\n.*HTTP status 400/s,
	down => qr/fails\n.*HTTP status 503/s,
	dead => qr/fails\n.*HTTP status 500; the server says: the engine is lost/s,
	long => qr/too long for the model.*maximum context length/s,
	off => qr/does not have "off" at that address/,
	close => qr/could not ask the model server/,
	huge => qr/has more than 4194304 bytes/,
	html => qr/cannot be read\n.*no JSON object/s,
	odd => qr/cannot be read\n.*lacks its text/s,
	wild => qr/cannot be read\n.*numbered from 0/s,
	redirect => qr/redirect\n.*not followed/s);
for my $kind (sort keys %wrong)
{
	my $start = time;

	like(error_of($node, "SELECT rstar_solve('What is 3 + 4?', '$kind')"), $wrong{$kind}, "a server of kind $kind");
	cmp_ok(time - $start, '<', 5, 'and soon');
}
like(error_of($node, "SET rstar.remote_rest_timeout = '200ms'; SELECT rstar_generate('x', 'drip')"), qr/not complete 200 ms after it began/, 'a drip');
like(error_of($node, "SET rstar.remote_timeout = '200ms'; SELECT rstar_generate('x', 'hang')"), qr/no complete answer after 200 ms/, 'silence');
like(error_of($node, "SELECT rstar_solve('What is 3 + 4?', 'gpu', 'rmodd')"), qr/cannot be read\n.*does not hold a score for each/s, 'a PPM of that kind');
like(error_of($node, "SELECT rstar_search(1, 'long')"), qr/too long for the model/, 'one problem that does not fit');
like(error_of($node, "SELECT rstar_search(1, 'gpu', 'rmlong')"), qr/too long for the model/, 'nor the PPM');
is(sql("SELECT count(*) FROM rstar_search('{1,2}'::bigint[], 'gpu', 'rmlong'); SELECT rstar_solve('What is 3 + 4?', 'gpu')"), "2\n7", '… which ends those problems alone');
is(sql("SELECT count(*) FROM rstar_search('{1,2}'::bigint[], 'long'); SELECT count(*) FROM rstar.trees WHERE status = 'failed' AND error ~ 'too long'"), "2\n4", 'several fail alone');
register('moved', '/v1');
like(error_of($node, "SET rstar.remote_patience = 0; SELECT rstar_generate('What is 3 + 4?', 'moved');
		UPDATE rstar.models SET remote = remote || '{\"url\": \"$host/down/v1\"}' WHERE name = 'moved'; SELECT rstar_generate('What is 3 + 4?', 'moved')"),
	qr/HTTP status 503/, 'a session that has a model open asks where its row says now');

# --- keys -------------------------------------------------------------------------------------------

my $keys = $node->basedir . '/keys';
mkdir $keys, 0700;

sub write_key
{
	my ($text, $mode) = @_;
	my $file = "$keys/127.0.0.1_$port";

	unlink $file;
	open my $out, '>', $file or die "$file: $!";
	print $out $text;
	close $out;
	chmod $mode // 0600, $file;
}

my $with = "SET rstar.remote_key_directory = '$keys'; SELECT rstar_solve('What is 3 + 4?', 'key')";
like(error_of($node, $with), qr/rejects the key/, 'no file');
write_key("sesame\n");
is(sql($with), 7, 'a key from a file');
write_key('wrong-sesame-778');
like(error_of($node, $with), qr/rejects the key/, 'a wrong one');
like(error_of($node, "SET rstar.remote_key_directory = '$keys'; SELECT rstar_solve('What is 3 + 4?', 'echo')"), qr/your key \*+ is fine, but no/, 'a server that repeats it');
write_key('sesame', 0644);
like(error_of($node, $with), qr/cannot be used/, 'that others may read');
write_key("two words");
like(error_of($node, $with), qr/is not valid/, 'that is none');
write_key('x' x 5000);
like(error_of($node, $with), qr/cannot be used/, 'that is too long');
unlink "$keys/127.0.0.1_$port";
symlink '/etc/passwd', "$keys/127.0.0.1_$port";
like(error_of($node, $with), qr/cannot be used/, 'a link');

sql("CREATE SERVER s FOREIGN DATA WRAPPER rstar_remote OPTIONS (url '$host');
	CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN; CREATE ROLE carol LOGIN; GRANT USAGE ON FOREIGN SERVER s TO alice, bob;
	CREATE USER MAPPING FOR alice SERVER s OPTIONS (key 'sesame');
	CREATE USER MAPPING FOR bob SERVER s OPTIONS (key 'wrong-sesame-778');
	SELECT rstar_model_remote('mapped', '$host/key/v1', server => 's')");
my $mapped = "SELECT rstar_solve('What is 3 + 4?', 'mapped')";
is(sql($mapped, extra_params => [ '-U', 'alice' ]), 7, 'a key of the role');
like(error_of($node, $mapped, extra_params => [ '-U', 'bob' ]), qr/rejects the key/, 'another role has another');
like(error_of($node, $mapped, extra_params => [ '-U', 'carol' ]), qr/permission denied for foreign server s/, 'and a third none');
is(sql("SET ROLE bob; SET rstar.remote_patience = 0; DO 'BEGIN PERFORM rstar_solve(''What is 3 + 4?'', ''mapped''); EXCEPTION WHEN OTHERS THEN END'; RESET ROLE; SET ROLE alice; $mapped"),
	7, 'in one session too');
my $log = slurp_file($node->logfile);
$log =~ s/^.*CREATE USER MAPPING.*$//mg;
$log =~ s/.*statement: .*//g;
unlike($log, qr/sesame/, 'no key is in the log');

# --- certificates -------------------------------------------------------------------------------------

my $ca = source_path('test/fixtures/tls/ca.pem');
my %tls;
for my $certificate (qw(good expired other))
{
	my (undef, $at) = start_tls($certificate, $port);
	$tls{$certificate} = $at;
}
my $allowed = "SET rstar.remote_hosts = '" . join(', ', map { "localhost:$_" } values %tls) . "'";
my %certificate = (good => qr/^7$/, expired => qr/certificate .* is not valid/, other => qr/certificate .* is not valid/);
sql("$allowed; SELECT rstar_model_remote('$_', 'https://localhost:$tls{$_}/v1')") for keys %tls;
is(sql("$allowed; SET rstar.remote_ca_file = '$ca'; SELECT rstar_solve('What is 3 + 4?', 'good')"), 7, 'TLS with a good certificate');
like(error_of($node, "$allowed; SELECT rstar_solve('What is 3 + 4?', 'good')"), qr/certificate .* is not valid/, 'of an authority that the system does not know');
like(error_of($node, "$allowed; SET rstar.remote_ca_file = '$ca'; SELECT rstar_solve('What is 3 + 4?', '$_')"), qr/certificate .* is not valid/, "$_ certificate") for qw(expired other);
like(error_of($node, "$allowed; SET rstar.remote_ca_file = '/no/such/file'; SELECT rstar_solve('What is 3 + 4?', 'good')"), qr/certificate .* is not valid/, 'no authorities');
like(error_of($node, "SET rstar.remote_hosts = 'https://127.0.0.1:$port'; SELECT rstar_model_remote('tls', 'https://127.0.0.1:$port/v1'); SELECT rstar_generate('x', 'tls')"),
	qr/could not ask/, 'no TLS where TLS is meant');

# --- cancel -----------------------------------------------------------------------------------------------

# Milliseconds from the moment that a time-out cancels the call to the end of it.
sub late
{
	my ($call) = @_;

	return sql("SET rstar.remote_patience = '1h'; SET statement_timeout = '300ms';
		DO \$\$ DECLARE start timestamptz := clock_timestamp();
		BEGIN
			PERFORM $call;
			RAISE 'it ended by itself';
		EXCEPTION WHEN query_canceled THEN
			PERFORM set_config('my.late', (extract(epoch FROM clock_timestamp() - start) * 1000 - 300)::int::text, false);
		END \$\$;
		SELECT current_setting('my.late')");
}

for my $call ("rstar_generate('x', 'hang')", "rstar_solve('What is 3 + 4?', 'hang')", "rstar_solve('What is 3 + 4?', 'down')",
	"rstar_solve('What is 3 + 4?', 'gpu', 'rmdown')", "rstar_score('What is 3 + 4?', 'x', ppm => 'rmdown')")
{
	my @late = sort { $a <=> $b } map { late($call) } 1 .. 3;

	note "$call ends @late ms after its cancel";
	cmp_ok($late[1], '<', 100, "$call is cancelled at once");
}

# --- workers -------------------------------------------------------------------------------------------------

sql("DELETE FROM rstar.problems WHERE problem_id > 40 AND problem_id NOT IN (SELECT problem_id FROM rstar.trees)");
stop_model_server($pid);
($pid) = start_model_server(20, $port); # now it takes its time, as models do
my $before = server_stats($port);
my $job = submit($node, ", 'gpu', rollouts => 4, workers => 2");
is(wait_for_job($node, $job), 'done', 'workers search');
is(sql("SELECT done, failed FROM rstar.jobs WHERE job_id = $job"), '40|0', 'all problems');
cmp_ok(sql("SELECT count(*) FILTER (WHERE t.correct) FROM rstar.job_items i JOIN rstar.trees t USING (tree_id) WHERE i.job_id = $job"), '>', 35, 'right');
my $after = server_stats($port);
my $asked = $after->{requests} - $before->{requests};
my $connections = $after->{connections} - $before->{connections};
note "$asked questions over $connections connections, $after->{most} at the same time";
cmp_ok($connections * 2, '<', $asked, 'connections are used again');
cmp_ok($after->{most}, '>', 8, 'many questions at the same time');

# An evaluation, and a round whose problems a server solves and whose solutions train a model here.
sql("SELECT rstar_evaluate('far', 'SELECT problem_id FROM rstar.problems WHERE problem_id < 11', 'gpu', rollouts => 2, greedy => false, nice => 0)");
is(sql("SELECT rstar_wait(job_id, '5 min') FROM rstar.evaluations WHERE name = 'far'"), 'done', 'an evaluation');
like(error_of($node, "SELECT rstar_start_round('far', 'SELECT problem_id FROM rstar.problems', model => 'gpu')"), qr/model "gpu" is on another server/, 'a round does not train what is not here');
sql("SELECT rstar_start_round('far', 'SELECT problem_id FROM rstar.problems WHERE problem_id < 11', model => 'gpu', base => 'rstar-bootstrap', nice => 0)");
ok(wait_until($node, "SELECT count(*) = 10 FROM rstar.trees t JOIN rstar.rounds r USING (round_id) WHERE r.name = 'far' AND t.status = 'done'"), 'but searches with it');
is(sql("SELECT preset FROM rstar.rounds WHERE name = 'far'"), 'paper', 'by the preset for large models');
ok(wait_until($node, "SELECT phase <> 'search' FROM rstar.rounds WHERE name = 'far'"), 'and goes on with the solutions');
sql("SELECT rstar_cancel(job_id) FROM rstar.rounds WHERE name = 'far'");

# The server goes while they are at it, and comes back.
$job = submit($node, ", 'gpu', rollouts => 32, candidates => 4");
ok(wait_until($node, "SELECT count(*) > 0 FROM rstar.progress WHERE job_id = $job AND phase = 'searching'"), 'a job is at it');
sleep 0.3;
stop_model_server($pid);
sleep 1.5;
isnt(sql("SELECT status FROM rstar.jobs WHERE job_id = $job"), 'done', 'without its server it waits');
($pid) = start_model_server(20, $port);
is(wait_for_job($node, $job), 'done', 'and goes on with it');
is(sql("SELECT count(*), count(DISTINCT problem_id), bool_and(status = 'done'), max(tries) FROM rstar.job_items WHERE job_id = $job"), '40|40|t|0', 'every problem once, at the first attempt');

# One that stays away: the job fails with the reason, and nothing hangs.
$job = sql("SET rstar.remote_worker_patience = 0; SELECT rstar_search_all('SELECT problem_id FROM rstar.problems WHERE problem_id < 3', 'down', nice => 0)");
ok(wait_until($node, "SELECT error ~ 'fails' FROM rstar.jobs WHERE job_id = $job"), 'a server that stays away is the error of the job');
is(sql("SELECT sum(tries), sum(losses) FROM rstar.job_items WHERE job_id = $job"), '0|0', 'and no problem is blamed for it');
sql("SELECT rstar_cancel($job)");

# --- dump -------------------------------------------------------------------------------------------------------

my $dump = $node->basedir . '/dump.sql';
command_ok([ 'pg_dump', '-f', $dump, $node->connstr('postgres') ], 'dumped');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, 'restored' ], 'and restored');
is($node->safe_psql('restored', "SELECT rstar_solve('What is 3 + 4?', 'gpu')"), 7, 'the models are there');

$node->stop;
done_testing();
