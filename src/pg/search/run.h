/*
 * run.h
 *	  Running a search inside a query.
 */
#ifndef RSTAR_PG_SEARCH_RUN_H
#define RSTAR_PG_SEARCH_RUN_H

#include "postgres.h"

#include "pg/search/options.h"

/* Open the models of the setup. */
extern void rstar_search_open_models(const rstar_search_setup *setup, rstar_search_parts *parts);

/* The same, and the session's sandbox. */
extern void rstar_search_open(const rstar_search_setup *setup, rstar_search_parts *parts);

/* What a problem came to; valid during the call of the visitor. */
typedef struct rstar_search_outcome
{
	uint32 problem;         /* its index */
	const rstar_mcts *mcts; /* NULL: it could not be searched */
	const rstar_search_cost *cost;
	uint32 answer; /* the answer's node, or RSTAR_NO_NODE */
	rstar_status status;
	const rstar_error *error; /* … why */
} rstar_search_outcome;

/* Called once for each problem, as they end; may raise. */
typedef void (*rstar_search_visitor)(void *arg, const rstar_search_outcome *outcome);

/*
 * Wait for a place among the searches of the server, then search the problems
 * side by side, serving interrupts; with rstar.verbose say how
 * it goes. Whatever ends it early releases all that it holds. Raises when the
 * machinery fails; a problem that cannot be searched is an outcome.
 */
extern void rstar_search_run(const rstar_search_setup *setup, const rstar_search_parts *parts,
							 const rstar_search_problem *problems, uint32 n,
							 rstar_search_visitor visitor, void *arg);

/* The text of an answer node, as the database accepts it; palloc'd. */
extern char *rstar_search_answer_text(const rstar_mcts *mcts, uint32 node);

#endif
