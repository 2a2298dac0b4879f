# A cluster of three nodes (Citus): the tables are spread, every node's workers search problems of one
# queue, a node is killed and comes back, reports say what one server says, a dump restores, a node is
# added and shards move.
#
# Skipped where Citus is not installed beside PostgreSQL. RSTAR_CITUS=1000: so many problems.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RstarTest;
use RstarWorkers;
use Test::More;
use Time::HiRes qw(time sleep);

my $library = (`pg_config --pkglibdir` =~ s/\n//r) . '/citus.so';
plan skip_all => "Citus is not installed ($library)" unless -e $library;

my $problems = $ENV{RSTAR_CITUS} // 60;

# --- the cluster -----------------------------------------------------------------------------

sub new_member
{
	my ($name) = @_;
	my $node = new_rstar_node($name, bare => 1, init => { allows_streaming => 'logical' },
		conf => "shared_preload_libraries = 'citus, rstar'\nlisten_addresses = '127.0.0.1'\nmax_worker_processes = 24\n"
		  . "max_connections = 100\nmax_prepared_transactions = 100\nrstar.max_workers = 1\n"
		  . "citus.node_conninfo = 'sslmode=prefer'\n");

	$node->safe_psql('postgres', 'CREATE EXTENSION citus');
	return $node;
}

my @node = map { new_member($_) } qw(coordinator second third);
my $coordinator = $node[0];

sub sql { return $coordinator->safe_psql('postgres', $_[0]); }

sub script
{
	my ($node, $name, @variables) = @_;
	my ($out, $err) = ('', '');
	my $ok = IPC::Run::run([ 'psql', '-XAt', (map { ('-v', $_) } @variables), '-d', $node->connstr('postgres'), '-f', source_path("sql/$name") ],
		'>', \$out, '2>', \$err);

	return ($ok && $err eq '', $out, $err);
}

sub join_node
{
	my ($node) = @_;

	return sql(sprintf q{SELECT citus_add_node('127.0.0.1', %d)}, $node->port);
}

my ($ok, $out, $err) = script($coordinator, 'citus.sql');
ok(!$ok && $err =~ /extension rstar is not installed/, 'the script wants the extension');
sql('CREATE EXTENSION rstar');
($ok, $out, $err) = script($coordinator, 'citus.sql');
ok(!$ok && $err =~ /Call citus_set_coordinator_host/, '… and a coordinator that is a node');
sql(sprintf q{SELECT citus_set_coordinator_host('127.0.0.1', %d)}, $coordinator->port);
sql(sprintf q{SELECT citus_set_node_property('127.0.0.1', %d, 'shouldhaveshards', true)}, $coordinator->port);
join_node($node[1]);

# Rows that are there already are moved.
add_problems($coordinator, 3);
my $early = sql(q{SELECT rstar_search(min(problem_id), rollouts => 2) FROM rstar.problems});
my $drawn = sql("SELECT rstar_tree_text($early)");
($ok, $out, $err) = script($coordinator, 'citus.sql', 'shards=6');
ok($ok, 'the tables are spread') or die $err;
is(sql("SELECT rstar_tree_text($early)"), $drawn, 'a tree that was there is there');

# A node that comes later.
join_node($node[2]);
($ok, $out, $err) = script($coordinator, 'citus.sql');
ok($ok, 'run again, the script prepares a new node') or diag $err;
sql(q{SELECT rebalance_table_shards(shard_transfer_mode => 'block_writes')});
is(sql(q{SELECT count(DISTINCT groupid), min(n), max(n) FROM (SELECT groupid, count(*) AS n FROM pg_dist_shard JOIN pg_dist_placement USING (shardid)
	WHERE logicalrelid = 'rstar.nodes'::regclass GROUP BY groupid) s}), '3|2|2', 'shards move to it');
is(sql("SELECT rstar_tree_text($early)"), $drawn, 'the tree with them');

# --- numbers, models, single searches ------------------------------------------------------------

for my $node (@node)
{
	my $here = $node->safe_psql('postgres', 'SELECT groupid FROM pg_dist_local_group');
	my $tree = $node->safe_psql('postgres', q{SELECT rstar_search('What is 2 + 3?', '5', rollouts => 2)});

	is($tree >> 48, $here, $node->name . ' numbers its trees in a range of its own');
	is($node->safe_psql('postgres', "SELECT p.groupid FROM pg_dist_placement p WHERE p.shardid = get_shard_id_for_distribution_column('rstar.trees', $tree)"),
		$here, '… and keeps them');
	my @texts = map { $_->safe_psql('postgres', "SELECT rstar_tree_text($tree)") } @node;
	ok(length $texts[0] > 100 && $texts[0] eq $texts[1] && $texts[1] eq $texts[2], '… where every node sees them');
	is($node->safe_psql('postgres', "SELECT rstar_continue($tree, 2)"), $tree, '… and continues them');
}
is(sql(q{SELECT count(*) FROM rstar.problems WHERE statement = 'What is 2 + 3?'}), 1, 'a problem that is there is found by every node');
is(sql(q{BEGIN; SELECT rstar_model_create('young', 'rstar-policy', 1, 32, 2) > 0; SELECT length(rstar_generate('x', 'young', max_tokens => 3)) > 0; COMMIT}),
	"t\nt", 'a model can be used in the transaction that makes it');
like(error_of($node[1], q{SELECT rstar_generate('x', 'young', max_tokens => 3)}), qr/could not open model (file|directory)/, 'its file is not on the other nodes yet');

# --- one queue, three nodes, one is killed ----------------------------------------------------------

sql("INSERT INTO rstar.problems (statement, answer, source)
	SELECT 'Solve ' || i % 90 + 2 || '*x + ' || i || ' = 7*x - 3 for x.', format('%s/%s', -(i + 3), i % 90 - 5), 'equations' FROM generate_series(1, $problems) i");
my $began = time;
my $job = $node[1]->safe_psql('postgres', q{SET rstar.side_by_side = 8; SELECT rstar_search_all('SELECT problem_id FROM rstar.problems ORDER BY 1', rollouts => 8,
	candidates => 6, temperature => 1.3, workers => 1, threads => 1, nice => 0)});
$_->reload for @node; # or they would look for jobs some seconds later
ok(wait_until($coordinator, "SELECT count(DISTINCT worker >> 48) = 3 FROM rstar.job_items WHERE job_id = $job AND status = 'claimed'"),
	'every node takes problems of one queue') or die;
$node[2]->stop('immediate');
my $lost = sql("SELECT count(*) FROM rstar.job_items WHERE job_id = $job AND status = 'claimed' AND worker >> 48 = 2");
my $done = sql("SELECT count(*) FROM rstar.job_items WHERE job_id = $job AND status = 'done'");
ok(wait_until($coordinator, "SELECT count(*) > $done FROM rstar.job_items WHERE job_id = $job AND status = 'done'"), 'the others go on without it');
$node[2]->start;
is(wait_for_job($coordinator, $job), 'done', 'the job is done');
note sprintf '%d problems in %.1f s; a node was killed with %d in hand', $problems, time - $began, $lost;
is(sql("SELECT count(*), count(DISTINCT problem_id), count(*) FILTER (WHERE status = 'done') FROM rstar.job_items WHERE job_id = $job"),
	join('|', ($problems + 4) x 3), 'every problem is done');
is(sql("SELECT count(*), count(DISTINCT t.problem_id) FROM rstar.job_items i JOIN rstar.trees t ON t.tree_id = i.tree_id WHERE i.job_id = $job"),
	join('|', ($problems + 4) x 2), '… once, with its tree');
is(sql('SELECT count(*) FROM rstar.trees'), $problems + 4 + 4, '… and no tree more');
is(sql('SELECT count(*) FROM rstar.trees t JOIN (SELECT tree_id, count(*) AS n FROM rstar.nodes GROUP BY tree_id) n ON n.tree_id = t.tree_id WHERE t.nodes <> n.n'),
	0, '… each whole');
is(sql("SELECT count(*) FROM rstar.job_items WHERE job_id = $job AND losses > 0"), $lost, 'what the node had in hand was searched again') if $lost > 0;

# A node without the model's file leaves the job to the others.
my $alone = sql(q{SELECT rstar_search_all('SELECT problem_id FROM rstar.problems WHERE problem_id <= 3', model => 'young', method => 'greedy', workers => 1, nice => 0)});
is(wait_for_job($coordinator, $alone), 'done', 'a job whose model only one node has');
is(sql("SELECT count(DISTINCT tree_id >> 48), min(tree_id >> 48) FROM rstar.job_items WHERE job_id = $alone"), '1|0', '… is done by that node');

# --- row security ----------------------------------------------------------------------------------------

sql(q{CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA rstar TO reader; GRANT SELECT ON rstar.problems, rstar.trees, rstar.nodes, rstar.trajectories TO reader;
	SELECT run_command_on_workers('GRANT USAGE ON SCHEMA rstar TO reader')});
my $own = sql(q{UPDATE rstar.trees SET created_by = 'reader' WHERE tree_id = (SELECT max(tree_id) FROM rstar.trees) RETURNING tree_id});
for my $node (@node)
{
	is($node->safe_psql('postgres', 'SET ROLE reader; SELECT count(*), min(tree_id) FROM rstar.trees'), "1|$own", $node->name . ': a role sees its own tree');
	is($node->safe_psql('postgres', 'SET ROLE reader; SELECT count(DISTINCT tree_id), min(tree_id) FROM rstar.nodes'), "1|$own", '… and its nodes');
	like($node->safe_psql('postgres', "SET ROLE reader; SELECT rstar_tree_text($own)"), qr/\w/, '… and draws it');
	like(error_of($node, "SET ROLE reader; SELECT rstar_tree_text($early)"), qr/tree $early does not exist/, '… and no other');
}

# --- pairs, deleting ---------------------------------------------------------------------------------------

my $pairs = sql('SELECT rstar_build_pairs(pair_min_margin => 0, pair_min_edit => 1)');
is(sql('SELECT count(*) FROM rstar.preference_pairs'), $pairs, 'pairs are built');
my $across = sql('SELECT count(*) FROM rstar.preference_pairs WHERE chosen_tree_id <> rejected_tree_id');
my $gone = sql('SELECT rejected_tree_id FROM rstar.preference_pairs ORDER BY chosen_tree_id = rejected_tree_id, 1 LIMIT 1');
SKIP:
{
	skip 'no pair came of it', 2 unless $gone;
	is($node[1]->safe_psql('postgres', "SELECT rstar_delete_trees(tree_ids => ARRAY[$gone])"), 1, 'a tree is deleted, from any node');
	is(sql("SELECT (SELECT count(*) FROM rstar.nodes WHERE tree_id = $gone), (SELECT count(*) FROM rstar.preference_pairs
		WHERE chosen_tree_id = $gone OR rejected_tree_id = $gone)"), '0|0', "… with all that hangs on it ($across pairs join two trees)");
}

# --- an evaluation, a round's report -----------------------------------------------------------------------------

sql(q{SELECT rstar_evaluate('ev', 'SELECT problem_id FROM rstar.problems WHERE problem_id <= 3', rollouts => 2, nice => 0)});
is(wait_for_job($coordinator, sql('SELECT job_id FROM rstar.evaluations')), 'done', 'models are evaluated');
is(sql(q{SELECT count(DISTINCT problem_id) FROM rstar.evaluation_answers WHERE measure = 'pass'}), 3, '… on each problem');
sql(q{INSERT INTO rstar.rounds (round_id, name, created_by, number, preset, settings)
	VALUES (7, 'line', CURRENT_USER, 1, 'nano', '{"per_problem": 2, "pair_rounds": 2}')});
sql('UPDATE rstar.trees SET round_id = 7 WHERE problem_id % 2 = 0');
for my $node (@node)
{
	like($node->safe_psql('postgres', 'SELECT rstar_report_html(7)'), qr/<h2[^>]*>Steps that failed.*<\/html>/s, $node->name . ' makes the page of a round');
}

# --- a dump, and one server beside it -------------------------------------------------------------------------

my $single = new_rstar_node('single', bare => 1);
$single->safe_psql('postgres', 'CREATE ROLE reader');
my $dump = $coordinator->basedir . '/dump.sql';
$coordinator->command_ok([ 'pg_dump', '-d', $coordinator->connstr('postgres'), '-T', 'columnar_internal.*', '--extension', 'rstar', '--extension', 'plpgsql', '-f', $dump ], 'the cluster is dumped');
$single->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $single->connstr('postgres'), '-f', $dump ], '… and restored on one server');
for my $table (qw(problems trees nodes trajectories preference_pairs jobs job_items))
{
	my $sum = "SELECT count(*), md5(string_agg(t::text, ',' ORDER BY t::text)) FROM rstar.$table t";
	is($single->safe_psql('postgres', $sum), sql($sum), "… with the same rows of $table");
}

# Sums of floating-point numbers depend on their order.
my $rounded = q{SELECT count(*), md5(string_agg(regexp_replace(v::text, '(\.\d{6})\d+(e-?\d+)?', '\1', 'g'), E'\n' ORDER BY v::text COLLATE "C")) FROM %s v};
for my $view (split / /, $single->safe_psql('postgres', q{SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class
	WHERE relnamespace = 'rstar'::regnamespace AND relkind = 'v' AND relname NOT IN ('progress', 'training_summary')}))
{
	my $query = sprintf $rounded, $view eq 'round_summary' ? '(SELECT round_id, name, status, problems, solved, trees, rollouts, generated_tokens FROM rstar.round_summary)' : "rstar.$view";
	is(sql($query), $single->safe_psql('postgres', $query), "rstar.$view says what it says on one server");
}
($ok, $out, $err) = script($coordinator, 'reports.sql');
ok($ok, 'reports.sql runs') or diag $err;

$single->stop;
$_->stop for reverse @node;
done_testing();
