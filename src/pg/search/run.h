/*
 * run.h
 *	  Running a search inside a query.
 */
#ifndef RSTAR_PG_SEARCH_RUN_H
#define RSTAR_PG_SEARCH_RUN_H

#include "postgres.h"

#include "pg/search/options.h"

/* Open the models of the setup. */
extern void rstar_pg_search_open_models(const rstar_search_setup *setup, rstar_search_parts *parts);

/* The same, and the session's sandbox. */
extern void rstar_pg_search_open(const rstar_search_setup *setup, rstar_search_parts *parts);

/* What a problem came to; valid during the call of the visitor. */
typedef struct rstar_search_outcome
{
	uint32 problem;         /* its index */
	const rstar_mcts *mcts; /* NULL: it could not be searched */
	const rstar_search_cost *cost;
	rstar_ending ending;
	const rstar_search_problem *asked;
	uint32 answer;           /* the answer's node, or RSTAR_NO_NODE: then … */
	rstar_silence silence;   /* … why there is none; if it could be searched */
	rstar_evidence evidence; /* for the answer; zeros without one */
	rstar_status status;
	const rstar_error *error; /* … why */
} rstar_search_outcome;

/* Called once for each problem, as they end; may raise. */
typedef void (*rstar_search_visitor)(void *arg, const rstar_search_outcome *outcome);

/* A row of rstar.problems. */
typedef struct rstar_problem_row
{
	int64 problem_id; /* 0: none, a text alone */
	char *statement;
	char *answer;   /* NULL: not known */
	char *verifier; /* its name; NULL: the known answer grades */
} rstar_problem_row;

/*
 * The problem for the `attempt`-th tree of it, from 0; seed as the caller was given it. The row's
 * texts must last until the problem is added.
 */
extern rstar_search_problem rstar_pg_search_problem(const rstar_problem_row *row, int64 seed,
													uint32 attempt);

/*
 * A search under way, for callers who add problems as others finish. open waits
 * for a place among the searches of the server; add returns the problem's number,
 * counted from 0; step works for RSTAR_SLICE_MS, calls the visitor for what has
 * finished (with rstar.show_progress it says how it goes) and returns false once
 * nothing is left to do. The place is kept while the visitor stores trees, and
 * left by close. Whatever raises in between releases all of it with the memory
 * context. setup and parts must outlive it.
 */
typedef struct rstar_searcher rstar_searcher;

extern rstar_searcher *rstar_pg_searcher_open(const rstar_search_setup *setup,
											  const rstar_search_parts *parts);
extern uint32 rstar_pg_searcher_add(rstar_searcher *searcher, const rstar_search_problem *problem);

/*
 * Verifiers read tables, which takes a transaction. For callers who step outside of one: begin and
 * end are called around each verification.
 */
extern void rstar_pg_searcher_bracket(rstar_searcher *searcher, void (*begin)(void *arg),
									  void (*end)(void *arg), void *arg);
extern uint32 rstar_pg_searcher_unfinished(const rstar_searcher *searcher);
extern bool rstar_pg_searcher_step(rstar_searcher *searcher, rstar_search_visitor visitor,
								   void *arg);
extern void rstar_pg_searcher_close(rstar_searcher *searcher);

/*
 * The same for problems that are all known beforehand. Raises when the machinery
 * fails; a problem that cannot be searched is an outcome.
 */
extern void rstar_pg_search_run(const rstar_search_setup *setup, const rstar_search_parts *parts,
								const rstar_search_problem *problems, uint32 n,
								rstar_search_visitor visitor, void *arg);

/* The text of an answer node, as the database accepts it; palloc'd. */
extern char *rstar_pg_search_answer_text(const rstar_mcts *mcts, uint32 node);

#endif
