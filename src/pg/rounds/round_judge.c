/*
 * round_judge.c
 *	  Whether a round's new models are accepted.
 */
#include "postgres.h"

#include "executor/spi.h"

#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/rounds/round_judge.h"

int64
rstar_pg_round_before(int64 round_id)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	int64 evaluation_id = 0;

	rstar_tables_begin(&scope, "rounds", "evaluations");
	rstar_pg_add_bigint(&a, round_id);
	rstar_pg_execute("SELECT e.evaluation_id AS before FROM rstar.rounds r JOIN rstar.rounds l"
					 "  ON l.created_by OPERATOR(pg_catalog.=) r.created_by"
					 "  AND l.name OPERATOR(pg_catalog.=) r.name"
					 "  AND l.number OPERATOR(pg_catalog.<=) r.number"
					 " JOIN rstar.evaluations e ON e.status OPERATOR(pg_catalog.=) 'done'"
					 "  AND e.evaluation_id OPERATOR(pg_catalog.=)"
					 "  CASE WHEN l.accepted AND l.number OPERATOR(pg_catalog.<) r.number"
					 "   THEN COALESCE(l.evaluation_id, l.baseline_id) ELSE l.baseline_id END"
					 " WHERE r.round_id OPERATOR(pg_catalog.=) $1 ORDER BY l.number DESC LIMIT 1",
					 &a, false);
	if (SPI_processed > 0)
		evaluation_id = rstar_pg_result_bigint(0, "before", 0);
	rstar_pg_tables_end(&scope);
	return evaluation_id;
}

void
rstar_pg_round_judge(int64 round_id, int64 evaluation_id)
{
	int64 before = rstar_pg_round_before(round_id);
	rstar_tables_scope scope;
	rstar_arguments a = {0};

	rstar_tables_begin(&scope, "rounds", "evaluations", "evaluation_answers");
	rstar_pg_add_bigint(&a, round_id);
	rstar_pg_add_bigint(&a, evaluation_id);
	rstar_pg_add_bigint(&a, before);
	rstar_pg_execute(
		"WITH answers AS (SELECT a.evaluation_id, a.problem_id, a.measure, a.value"
		"  FROM rstar.evaluations e JOIN rstar.evaluation_answers a"
		"   ON a.evaluation_id OPERATOR(pg_catalog.=) e.evaluation_id"
		"   AND a.per OPERATOR(pg_catalog.=) 'rollout'"
		"   AND (a.measure OPERATOR(pg_catalog.=) 'greedy'"
		"        OR (a.measure OPERATOR(pg_catalog.=) 'weighted'"
		"            AND a.k OPERATOR(pg_catalog.=) e.rollouts))),"
		" sums AS (SELECT pg_catalog.sum(m.value) AS now, pg_catalog.sum(o.value) AS before"
		"  FROM answers o JOIN answers m ON m.evaluation_id OPERATOR(pg_catalog.=) $2"
		"   AND m.problem_id OPERATOR(pg_catalog.=) o.problem_id"
		"   AND m.measure OPERATOR(pg_catalog.=) o.measure"
		"  WHERE o.evaluation_id OPERATOR(pg_catalog.=) $3 GROUP BY o.measure),"
		" better AS (SELECT pg_catalog.max(now) AS now, pg_catalog.max(before) AS before FROM sums)"
		" UPDATE rstar.rounds r"
		" SET accepted = COALESCE(b.now OPERATOR(pg_catalog.>=) b.before, true)"
		" FROM better b WHERE r.round_id OPERATOR(pg_catalog.=) $1",
		&a, false);
	rstar_pg_tables_end(&scope);
}
