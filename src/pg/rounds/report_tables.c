/*
 * report_tables.c
 *	  The tables of rstar_report_html, as statements.
 *
 * Views that group are asked for one round at a time, in subqueries that the planner
 * cannot flatten (OFFSET 0, or an aggregate): only then does the condition on the
 * round reach its trees.
 */
#include "pg/rounds/report_tables.h"

#include <stddef.h>

const rstar_report_table rstar_pg_report_rounds = {
	.heading = "Rounds",
	.note = "The rounds of this line side by side. Held-out problems trained no model; the shares "
			"of them that are right stand with 95 % confidence intervals.",
	.sideways = true,
	.statement = RSTAR_REPORT_LINE
	" SELECT r.name || ', round ' || r.number AS round,"
	"        CASE WHEN j.status <> r.phase THEN r.phase || ', ' || j.status"
	"             ELSE r.phase END AS phase,"
	"        concat_ws(' with ', m.name, g.name) AS \"searched by\","
	"        concat_ws(' and ', a.name, b.name) AS trained,"
	"        p.problems, c.problems AS searched, c.solved,"
	"        c.solved::float8 / c.problems AS \"share solved\","
	"        p.held_out AS \"held-out problems\","
	"        e.greedy, e.majority, e.weighted AS \"weighted majority\", e.best AS \"best-scored\","
	"        CASE WHEN r.accepted THEN 'yes' WHEN NOT r.accepted THEN 'no' END AS accepted,"
	"        c.trees, c.tokens AS \"tokens written\","
	"        date_trunc('second', r.finished_at - r.started_at) AS time,"
	"        coalesce(j.error, r.note) AS note"
	"   FROM line JOIN rstar.rounds r USING (round_id)"
	"   LEFT JOIN rstar.jobs j ON j.job_id = r.job_id"
	"   LEFT JOIN rstar.models m ON m.model_id = r.policy_id"
	"   LEFT JOIN rstar.models g ON g.model_id = r.ppm_id"
	"   LEFT JOIN rstar.models a ON a.model_id = r.new_policy_id"
	"   LEFT JOIN rstar.models b ON b.model_id = r.new_ppm_id"
	"  CROSS JOIN LATERAL ("
	"        SELECT count(*) FILTER (WHERE NOT h.held_out) AS problems,"
	"               count(*) FILTER (WHERE h.held_out) AS held_out"
	"          FROM rstar.round_problems h WHERE h.round_id = r.round_id) p"
	"   LEFT JOIN LATERAL ("
	"        SELECT * FROM rstar.search_cost s"
	"         WHERE s.round_id = r.round_id OFFSET 0) c ON true"
	"  CROSS JOIN LATERAL ("
	"        SELECT max(s.words) FILTER (WHERE s.measure = 'greedy') AS greedy,"
	"               max(s.words) FILTER (WHERE s.measure = 'majority') AS majority,"
	"               max(s.words) FILTER (WHERE s.measure = 'weighted') AS weighted,"
	"               max(s.words) FILTER (WHERE s.measure = 'best') AS best"
	"          FROM (SELECT s.measure,"
	"                       round((100 * s.value)::numeric, 1) || ' % ('"
	"                       || round((100 * s.low)::numeric, 1) || ' to '"
	"                       || round((100 * s.high)::numeric, 1) || ')' AS words"
	"                  FROM rstar.evaluation_summary s"
	"                  JOIN rstar.evaluations v USING (evaluation_id)"
	"                 WHERE s.evaluation_id = r.evaluation_id AND s.per = 'rollout'"
	"                   AND (s.k = v.rollouts OR s.measure = 'greedy')) s) e"
	"  ORDER BY r.number, r.round_id",
};

const rstar_report_table rstar_pg_report_tables[] = {
	{
		.heading = "Difficulty",
		.note = "Easy: all answers that were reached are correct. Hard: none is. Medium: the rest.",
		.none = "No problem with a known answer was searched.",
		.statement = "SELECT difficulty, count(*) AS problems,"
					 "       count(*) / (sum(count(*)) OVER ())::float8 AS \"share of problems\","
					 "       sum(answers)::bigint AS answers,"
					 "       sum(correct_answers)::bigint AS \"correct answers\""
					 "  FROM rstar.problem_difficulty WHERE round_id = $1 GROUP BY difficulty"
					 " ORDER BY array_position(ARRAY['easy', 'medium', 'hard'], difficulty)",
	},
	{
		.heading = "Coverage",
		.note = "Problems searched and solved, the least covered first (at most 100 rows). Answers "
				"of closed problems are one of a few and can be guessed.",
		.none = "No problem with a known answer was searched.",
		.statement =
			"SELECT topic, level, CASE WHEN closed THEN 'closed' ELSE 'open' END AS answers,"
			"       problems, solved, share AS \"share solved\""
			"  FROM rstar.coverage WHERE round_id = $1"
			" ORDER BY share, problems DESC, topic, level, closed LIMIT 100",
	},
	{
		.heading = "Calibration of the PPM",
		.note = "Answers by the score of their node. Of a good PPM the share that is correct rises "
				"with the score.",
		.none = "No PPM scored these searches.",
		.statement = "SELECT m.name AS \"PPM\", c.low || ' to ' || c.high AS score, c.answers,"
					 "       c.correct_answers AS correct, c.share AS \"share correct\""
					 "  FROM rstar.ppm_calibration c"
					 "  LEFT JOIN rstar.models m ON m.model_id = c.ppm_id"
					 " WHERE c.round_id = $1 ORDER BY m.name, c.bin",
	},
	{
		.heading = "Q by depth",
		.note = "Mean Q along trajectories to correct and to wrong answers: whether it tells them "
				"apart, and how early.",
		.none = "No answer was reached and graded.",
		.statement = "SELECT depth, correct_trajectories AS \"correct trajectories\","
					 "       wrong_trajectories AS \"wrong trajectories\","
					 "       round(correct_q::numeric, 3) AS \"Q, correct\","
					 "       round(wrong_q::numeric, 3) AS \"Q, wrong\""
					 "  FROM rstar.q_by_depth WHERE round_id = $1 ORDER BY depth",
	},
	{
		.heading = "Cost",
		.note = "What the searches of each round took. Time from first to last includes idle time.",
		.sideways = true,
		.statement = RSTAR_REPORT_LINE
		" SELECT r.name || ', round ' || r.number AS round, c.trees, c.rollouts, c.nodes,"
		"        c.tokens AS \"tokens written\", c.computed_tokens AS \"tokens computed\","
		"        round(c.policy_s::numeric, 1) AS \"s in the policy\","
		"        round(c.ppm_s::numeric, 1) AS \"s in the PPM\","
		"        round(c.sandbox_s::numeric, 1) AS \"s in the sandbox\","
		"        round(c.search_s::numeric, 1) AS \"s of search in all\","
		"        round(c.elapsed_s::numeric, 1) AS \"s from first to last\","
		"        round(c.tokens_per_tree::numeric) AS \"tokens for a tree\","
		"        round(c.seconds_per_tree::numeric, 1) AS \"s for a tree\","
		"        round(c.tokens_per_solved::numeric) AS \"tokens for a solved problem\","
		"        round(c.seconds_per_solved::numeric, 1) AS \"s for a solved problem\""
		"   FROM line JOIN rstar.rounds r USING (round_id)"
		"   LEFT JOIN LATERAL ("
		"        SELECT * FROM rstar.search_cost s"
		"         WHERE s.round_id = r.round_id OFFSET 0) c ON true"
		"  ORDER BY r.number, r.round_id",
	},
	{
		.heading = "Duplicates",
		.note = "Candidates merged with one of the same text.",
		.none = "No candidates were proposed.",
		.statement = "SELECT depth, candidates, merged, share AS \"share merged\""
					 "  FROM rstar.duplicates WHERE round_id = $1 ORDER BY depth",
	},
	{
		.heading = "Backtracking",
		.note = "Trees that reached a wrong answer first and gave a correct one in the end.",
		.none = "No tree was searched.",
		.statement =
			"SELECT b.trees AS \"trees that recovered\", c.trees AS \"trees in all\","
			"       b.trees::float8 / c.trees AS \"share of trees\""
			"  FROM (SELECT count(*) AS trees FROM rstar.backtracking WHERE round_id = $1) b"
			" CROSS JOIN (SELECT count(*) AS trees FROM rstar.trees WHERE round_id = $1) c"
			" WHERE c.trees > 0",
	},
	{
		.heading = "Steps that failed",
		.note = "Rejected candidates, the most frequent reasons first (at most 20), with one of "
				"each. # stands for any number.",
		.none = "No candidate was rejected.",
		.statement = "SELECT f.status, f.error, f.steps, f.share AS \"share of failures\","
					 "       f.example_tree_id::text AS tree, f.example_node_id AS node,"
					 "       left(n.text, 300) AS \"its text\""
					 "  FROM (SELECT *, steps / (sum(steps) OVER ())::float8 AS share"
					 "          FROM rstar.step_failures WHERE round_id = $1"
					 "         ORDER BY steps DESC, status, error LIMIT 20) f"
					 "  JOIN rstar.nodes n ON n.tree_id = f.example_tree_id"
					 "   AND n.node_id = f.example_node_id"
					 " ORDER BY f.steps DESC, f.status, f.error",
	},
	{
		.heading = "Searches that failed",
		.none = "None failed.",
		.statement = "SELECT error, count(*) AS searches, min(tree_id)::text AS \"first tree\""
					 "  FROM rstar.trees WHERE round_id = $1 AND status = 'failed'"
					 " GROUP BY error ORDER BY 2 DESC, min(tree_id) LIMIT 20",
	},
};

const int rstar_pg_report_n_tables = sizeof rstar_pg_report_tables / sizeof *rstar_pg_report_tables;
