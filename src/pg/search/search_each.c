/*
 * search_each.c
 *	  CALL rstar_search_each: many problems in the foreground, each tree stored and
 *	  committed as it finishes.
 *
 * What a cancel or a lost connection ends is the rest. A problem that is deleted
 * meanwhile is left out with a warning.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"

#include "pg/base/arguments.h"
#include "pg/base/boundary.h"
#include "pg/base/cluster.h"
#include "pg/base/statement.h"
#include "pg/base/tables.h"
#include "pg/search/run.h"
#include "pg/search/search_all.h"
#include "pg/search/settings.h"
#include "pg/search/tree_store.h"
#include "pg/workers/query.h"
#include "pg/workers/shared.h"

PG_FUNCTION_INFO_V1(rstar_search_each);

typedef struct search_each
{
	rstar_search_setup setup;
	rstar_search_parts parts;
	rstar_searcher *searcher;
	int64 *ids;         /* in the query's order */
	uint32 n;           /* of them */
	uint32 next;        /* to be given to the searcher */
	int64 *problem_ids; /* by the searcher's number */
	uint64 *seeds;      /* the same */
	MemoryContext scratch;
} search_each;

/* --- progress -------------------------------------------------------------------------- */

static void
leave(void *handle)
{
	rstar_pg_shared_leave_session();
}

/* A row in rstar.progress, until the memory context goes. A negative number of a job: none. */
static void
show_progress(const search_each *s)
{
	rstar_guard *guard = rstar_pg_guard_create(CurrentMemoryContext, leave);
	rstar_slot *slot = rstar_pg_shared_enter_session();

	if (!slot)
		return;
	rstar_pg_guard_hold(guard, slot);
	(void) rstar_pg_shared_take_job(-MyProcPid, "search_each", GetUserId(), INT_MAX);
	rstar_pg_shared_start_counts(s->n, 0, 0);
	rstar_pg_shared_describe("searching", NULL);
}

/* --- problems come and go ------------------------------------------------------------------ */

static void
commit(void)
{
	SPI_commit();
	SPI_start_transaction();
}

static bool
add_problem(search_each *s, int64 problem_id)
{
	MemoryContext caller = MemoryContextSwitchTo(s->scratch);
	rstar_search_problem problem;
	rstar_problem_row row;
	bool there;

	PushActiveSnapshot(GetTransactionSnapshot());
	there = rstar_pg_search_find_problem(problem_id, &row);
	PopActiveSnapshot();
	if (there)
	{
		uint32 number;

		problem = rstar_pg_search_problem(&row, s->setup.seed, 0);
		number = rstar_pg_searcher_add(s->searcher, &problem);
		s->problem_ids[number] = problem_id;
		s->seeds[number] = problem.seed;
	}
	else
		ereport(WARNING, (errcode(ERRCODE_UNDEFINED_OBJECT),
						  errmsg("problem " INT64_FORMAT " does not exist", problem_id)));
	MemoryContextSwitchTo(caller);
	MemoryContextReset(s->scratch);
	return there;
}

static void
refill(search_each *s)
{
	uint32 places = s->setup.options.side_by_side;

	while (s->next < s->n && (places == 0 || rstar_pg_searcher_unfinished(s->searcher) < places))
		(void) add_problem(s, s->ids[s->next++]);
}

/*
 * Nobody deletes the problem before the transaction ends; false: it is gone already.
 * The lock is taken as the owner, since it takes a right to write. In a cluster it would be asked
 * of another node, which may be down; there the tree's key alone holds the problem, and one that
 * is deleted at this very moment costs another search.
 */
static bool
keep_problem(int64 problem_id)
{
	rstar_tables_scope scope;
	rstar_arguments a = {0};
	bool alone, found = false;

	rstar_tables_begin(&scope, "problems");
	alone = rstar_pg_cluster_node() == RSTAR_NO_CLUSTER;
	if (alone)
	{
		rstar_pg_add_bigint(&a, problem_id);
		rstar_pg_execute("SELECT FROM rstar.problems WHERE problem_id OPERATOR(pg_catalog.=) $1"
						 " FOR KEY SHARE",
						 &a, false);
		found = SPI_processed > 0;
	}
	rstar_pg_tables_end(&scope);
	return alone ? found : rstar_pg_search_find_problem(problem_id, NULL);
}

static void
store(void *arg, const rstar_search_outcome *outcome)
{
	search_each *s = arg;
	int64 problem_id = s->problem_ids[outcome->problem];
	MemoryContext caller = MemoryContextSwitchTo(s->scratch);
	bool there;

	PushActiveSnapshot(GetTransactionSnapshot());
	there = keep_problem(problem_id);
	if (there)
		(void) rstar_pg_tree_store(problem_id, s->seeds[outcome->problem], &s->setup, outcome);
	PopActiveSnapshot();
	commit();
	if (!there)
		ereport(WARNING, (errcode(ERRCODE_UNDEFINED_OBJECT),
						  errmsg("problem " INT64_FORMAT " does not exist", problem_id)));
	rstar_pg_shared_count_done(there, !there);
	MemoryContextSwitchTo(caller);
	MemoryContextReset(s->scratch);
}

static void
search(search_each *s)
{
	rstar_pg_search_open(&s->setup, &s->parts);
	s->searcher = rstar_pg_searcher_open(&s->setup, &s->parts);
	show_progress(s);
	do
		refill(s);
	while (rstar_pg_searcher_step(s->searcher, store, s) || s->next < s->n);
	rstar_pg_searcher_close(s->searcher);
}

/* --- the procedure ---------------------------------------------------------------------------- */

static void
refuse_atomic(FunctionCallInfo fcinfo)
{
	if (fcinfo->context && IsA(fcinfo->context, CallContext) &&
		!castNode(CallContext, fcinfo->context)->atomic)
		return;
	ereport(ERROR, (errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
					errmsg("rstar_search_each() cannot run inside a transaction block"),
					errdetail("It commits each tree as it finishes."),
					errhint("Use rstar_search() to search in one transaction.")));
}

static void
prepare(FunctionCallInfo fcinfo, search_each *s)
{
	rstar_search_arguments arguments;

	PushActiveSnapshot(GetTransactionSnapshot());
	rstar_pg_search_arguments_read(fcinfo, 1, &arguments);
	rstar_pg_search_setup_make(&arguments, rstar_pg_search_settings.use_known_answer, &s->setup);
	s->ids = rstar_pg_query_numbers(rstar_required_text(fcinfo, 0, "query"), &s->n);
	PopActiveSnapshot();
	s->problem_ids = palloc_extended((s->n + 1) * sizeof *s->problem_ids, MCXT_ALLOC_HUGE);
	s->seeds = palloc_extended((s->n + 1) * sizeof *s->seeds, MCXT_ALLOC_HUGE);
	s->scratch = AllocSetContextCreate(CurrentMemoryContext, "rstar tree", ALLOCSET_DEFAULT_SIZES);
}

/*
 * CALL rstar_search_each(query, model, ppm, method, candidates, rollouts, max_depth, temperature,
 *						  seed)
 */
Datum
rstar_search_each(PG_FUNCTION_ARGS)
{
	MemoryContext context, caller;
	search_each s = {0};

	refuse_atomic(fcinfo);
	PreventCommandIfReadOnly("rstar_search_each()");
	if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	/* What a transaction leaves behind would go with it. */
	context = AllocSetContextCreate(PortalContext, "rstar search each", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	prepare(fcinfo, &s);
	if (s.n > 0)
		search(&s);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	SPI_finish();
	PG_RETURN_VOID();
}
