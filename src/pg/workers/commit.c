/*
 * commit.c
 *	  What is to happen once the transaction has committed, and only then.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/memutils.h"

#include "pg/workers/commit.h"
#include "pg/workers/shared.h"

/* Job numbers, as a chain in TopTransactionContext: lists of integers hold 32 bits. */
typedef struct number
{
	struct number *next;
	int64 job_id;
} number;

static bool registered = false;
static bool wake = false;
static bool ended = false;
static number *submitted = NULL;
static number *stops = NULL;

static void
at_end(XactEvent event, void *arg)
{
	if (!wake && !ended && !submitted && !stops)
		return;
	switch (event)
	{
		case XACT_EVENT_PRE_PREPARE:
			ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
							errmsg("cannot PREPARE a transaction that has changed jobs of rstar")));
			break;
		case XACT_EVENT_COMMIT:
			for (const number *n = stops; n; n = n->next)
				rstar_pg_shared_stop_job(n->job_id);
			if (wake)
				rstar_pg_shared_wake(MyDatabaseId);
			if (ended)
				rstar_pg_shared_job_ended();
			break;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_PARALLEL_ABORT:
			break;
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PARALLEL_PRE_COMMIT:
			return;
	}
	wake = ended = false;
	submitted = stops = NULL; /* the memory goes with the transaction */
}

static void
expect_end(void)
{
	if (!registered)
		RegisterXactCallback(at_end, NULL);
	registered = true;
}

static void
push(number **chain, int64 job_id)
{
	number *n = MemoryContextAlloc(TopTransactionContext, sizeof *n);

	*n = (number){*chain, job_id};
	*chain = n;
	expect_end();
}

void
rstar_pg_commit_wake(void)
{
	expect_end();
	wake = true;
}

void
rstar_pg_commit_submitted(int64 job_id)
{
	push(&submitted, job_id);
}

bool
rstar_pg_commit_is_submitted(int64 job_id)
{
	for (const number *n = submitted; n; n = n->next)
		if (n->job_id == job_id)
			return true;
	return false;
}

int64
rstar_pg_commit_first_submitted(void)
{
	int64 first = 0;

	for (const number *n = submitted; n; n = n->next) /* the last submitted comes first */
		first = n->job_id;
	return first;
}

void
rstar_pg_commit_stop(int64 job_id)
{
	push(&stops, job_id);
}

void
rstar_pg_commit_ended(void)
{
	expect_end();
	ended = true;
}
