/*
 * examples.h
 *	  The examples of a run: from a caller's query into rows, and from rows into
 *	  the core.
 */
#ifndef RSTAR_PG_TRAIN_EXAMPLES_H
#define RSTAR_PG_TRAIN_EXAMPLES_H

#include "postgres.h"

#include "core/train/examples.h"

typedef struct rstar_example_counts
{
	int64 rows;
	int64 too_long; /* of them: longer than the context, not used */
} rstar_example_counts;

/*
 * Run the query with the caller's rights, as one SELECT; store its rows as the
 * examples of the run, in its order. `examples` is what they become, and must be
 * empty. Raises as rstar_pg_run_create says.
 */
extern rstar_example_counts rstar_pg_examples_store(int64 run_id, bool ppm, const char *query,
													rstar_examples *examples);

/*
 * Read the run's examples that are used into `examples`; *ids becomes their
 * numbers, palloc'd.
 */
extern void rstar_pg_examples_read(int64 run_id, bool ppm, rstar_examples *examples, int64 **ids);

#endif
