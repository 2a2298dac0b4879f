/*
 * solve_sql.c
 *	  rstar_solve and rstar_explain: from a problem to an answer, and to what
 *	  speaks for it.
 *
 * They write nothing to any table, so they work in a read-only transaction and
 * on a standby.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "pg/base/arguments.h"
#include "pg/base/boundary.h"
#include "pg/base/compat.h"
#include "pg/base/settings.h"
#include "pg/search/calibration.h"
#include "pg/search/run.h"
#include "pg/search/settings.h"

PG_FUNCTION_INFO_V1(rstar_solve);
PG_FUNCTION_INFO_V1(rstar_solve_array);
PG_FUNCTION_INFO_V1(rstar_explain);

/* What one tree says; palloc'd. */
typedef struct opinion
{
	char *answer; /* NULL: none */
	double score;
	double confidence;
	rstar_silence silence;
	char *solution;     /* explained only; NULL without an answer */
	char *alternatives; /* explained only: a json array */
} opinion;

/* What is given for one problem. */
typedef struct verdict
{
	const opinion *best; /* the tree whose answer was chosen; NULL: none has one */
	double confidence;
} verdict;

/* A call of one of the functions. */
typedef struct question
{
	rstar_search_setup setup;
	rstar_search_parts parts;
	rstar_calibration calibration;
	double min_confidence;
	bool explain;
	uint32 trees; /* of each problem */
	opinion *opinions;
	uint32 *places; /* where the opinion of the searcher's i-th problem stands */
} question;

/* Position of min_confidence, behind the arguments of all that search. */
#define MIN_CONFIDENCE 9

static void
read_question(FunctionCallInfo fcinfo, bool explain, question *q)
{
	rstar_search_arguments arguments;
	bool given = !PG_ARGISNULL(MIN_CONFIDENCE);

	*q = (question){.explain = explain, .trees = (uint32) rstar_pg_search_settings.trees};
	rstar_pg_search_arguments_read(fcinfo, 1, &arguments);
	rstar_pg_search_setup_make(&arguments, false, &q->setup);
	q->min_confidence =
		rstar_pg_option_real("min_confidence", given, given ? PG_GETARG_FLOAT8(MIN_CONFIDENCE) : 0,
							 q->setup.policy->defaults);
	rstar_pg_calibration_from_jsonb(q->setup.policy->calibration, &q->calibration);
}

/* A problem of nothing but white space has no answer, whatever a model makes of it. */
static bool
is_blank(const char *problem)
{
	return problem[strspn(problem, " \t\n\v\f\r")] == '\0';
}

/* --- what a tree says ------------------------------------------------------------------ */

static char *
solution_of(const rstar_mcts *mcts, uint32 answer)
{
	rstar_buffer text;
	char *result;

	rstar_buffer_init(&text, &rstar_allocator_malloc);
	if (!rstar_tree_solution(&mcts->tree, answer, &text))
	{
		rstar_buffer_free(&text);
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	}
	result = rstar_pg_clean_text(text.data, text.length);
	rstar_buffer_free(&text);
	return result;
}

/* The other answers, most probable first: [{"answer": …, "share": …}, …]. */
static char *
alternatives_of(const rstar_mcts *mcts, uint32 answer)
{
	rstar_allocator allocator = rstar_pg_allocator_in(CurrentMemoryContext);
	const rstar_answer_share *mine = NULL;
	rstar_answer_shares shares;
	StringInfoData json;
	rstar_error err;
	double all;

	rstar_check(rstar_answer_shares_read(mcts, &allocator, &shares, &err), &err);
	if (answer != RSTAR_NO_NODE)
		mine = rstar_answer_shares_find(&shares, mcts, answer, &allocator);
	all = shares.declined;
	for (uint32 i = 0; i < shares.n; i++)
		all += shares.classes[i].mass;
	initStringInfo(&json);
	for (uint32 i = 0; i < shares.n; i++)
	{
		if (&shares.classes[i] == mine)
			continue;
		appendStringInfoString(&json, json.len > 0 ? ", {\"answer\": " : "{\"answer\": ");
		escape_json(&json, rstar_pg_search_answer_text(mcts, shares.classes[i].node));
		appendStringInfo(&json, ", \"share\": %.4f}", all > 0 ? shares.classes[i].mass / all : 0);
	}
	rstar_answer_shares_free(&shares, &allocator);
	return psprintf("[%s]", json.data);
}

static void
keep_opinion(void *arg, const rstar_search_outcome *outcome)
{
	question *q = arg;
	opinion *o = &q->opinions[q->places[outcome->problem]];

	if (outcome->status != RSTAR_OK)
		rstar_pg_raise(outcome->status, outcome->error);
	o->silence = outcome->silence;
	if (q->explain)
		o->alternatives = alternatives_of(outcome->mcts, outcome->answer);
	if (outcome->answer == RSTAR_NO_NODE)
		return;
	o->answer = rstar_pg_search_answer_text(outcome->mcts, outcome->answer);
	o->score = rstar_mcts_score(outcome->mcts, outcome->answer);
	o->confidence = rstar_confidence(&q->calibration, &outcome->evidence);
	if (q->explain)
		o->solution = solution_of(outcome->mcts, outcome->answer);
}

/* --- what is given --------------------------------------------------------------------- */

/* Search the problems side by side, q->trees trees each; blank ones are left out. */
static void
search(question *q, char **problems, uint32 n)
{
	rstar_searcher *searcher;
	uint32 n_searched = 0;

	q->opinions = palloc0((Size) n * q->trees * sizeof *q->opinions);
	q->places = palloc((Size) n * q->trees * sizeof *q->places + 1);
	for (uint32 i = 0; i < n; i++)
		n_searched += !is_blank(problems[i]);
	if (n_searched == 0)
		return;
	rstar_pg_search_open(&q->setup, &q->parts);
	searcher = rstar_pg_searcher_open(&q->setup, &q->parts);
	for (uint32 i = 0; i < n; i++)
		for (uint32 tree = 0; tree < q->trees && !is_blank(problems[i]); tree++)
		{
			rstar_problem_row row = {.statement = problems[i]};
			rstar_search_problem problem = rstar_pg_search_problem(&row, q->setup.seed, tree);

			q->places[rstar_pg_searcher_add(searcher, &problem)] = i * q->trees + tree;
		}
	while (rstar_pg_searcher_step(searcher, keep_opinion, q))
		;
	rstar_pg_searcher_close(searcher);
}

/*
 * Let the trees vote. The answer is as sure as its trees are on the average,
 * those that say something else counting as not sure of it at all.
 */
static void
decide(const question *q, const opinion *opinions, verdict *v)
{
	rstar_string *answers = palloc0(q->trees * sizeof *answers);
	double *scores = palloc0(q->trees * sizeof *scores);
	rstar_error err;
	uint32 winner;

	*v = (verdict){0};
	for (uint32 i = 0; i < q->trees; i++)
	{
		const char *answer = opinions[i].answer;

		answers[i] = (rstar_string){answer ? answer : "", answer ? strlen(answer) : 0};
		scores[i] = opinions[i].score;
	}
	rstar_check(rstar_search_elect(answers, scores, q->trees,
								   (uint32) rstar_pg_search_settings.top_n, &rstar_allocator_malloc,
								   &winner, &err),
				&err);
	if (winner >= q->trees)
		return;
	v->best = &opinions[winner];
	for (uint32 i = 0; i < q->trees; i++)
		if (opinions[i].answer &&
			rstar_search_same_answer(answers[winner], answers[i], &rstar_allocator_malloc))
			v->confidence += opinions[i].confidence / q->trees;
}

/* The answer that is given, or NULL. */
static const char *
given(const question *q, const verdict *v)
{
	return v->best && v->confidence >= q->min_confidence ? v->best->answer : NULL;
}

/* --- rstar_solve ------------------------------------------------------------------------ */

/*
 * rstar_solve(problem text, …) returns text
 */
Datum
rstar_solve(PG_FUNCTION_ARGS)
{
	MemoryContext context, caller;
	text *result = NULL;
	const char *answer;
	char *problem;
	question q;
	verdict v;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	context = AllocSetContextCreate(CurrentMemoryContext, "rstar solve", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	read_question(fcinfo, false, &q);
	problem = text_to_cstring(PG_GETARG_TEXT_PP(0));
	search(&q, &problem, 1);
	decide(&q, q.opinions, &v);
	answer = given(&q, &v);
	MemoryContextSwitchTo(caller);
	if (answer)
		result = cstring_to_text(answer);
	MemoryContextDelete(context);
	if (!result)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(result);
}

/* The texts of an array; NULL stands as the empty text, which has no answer either. */
static char **
problems_of(ArrayType *array, uint32 *n)
{
	char **problems;
	Datum *values;
	bool *nulls;
	int count;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &count);
	problems = palloc(Max(count, 1) * sizeof *problems);
	for (int i = 0; i < count; i++)
		problems[i] = nulls[i] ? "" : TextDatumGetCString(values[i]);
	*n = (uint32) count;
	return problems;
}

/*
 * rstar_solve(problems text[], …) returns text[], of the same shape
 */
Datum
rstar_solve_array(PG_FUNCTION_ARGS)
{
	MemoryContext context, caller;
	ArrayType *array, *result;
	char **problems;
	Datum *values;
	bool *nulls;
	question q;
	uint32 n;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	array = PG_GETARG_ARRAYTYPE_P(0);
	context = AllocSetContextCreate(CurrentMemoryContext, "rstar solve", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	read_question(fcinfo, false, &q);
	problems = problems_of(array, &n);
	search(&q, problems, n);
	values = palloc0(Max(n, 1) * sizeof *values);
	nulls = palloc0(Max(n, 1) * sizeof *nulls);
	for (uint32 i = 0; i < n; i++)
	{
		const char *answer;
		verdict v;

		decide(&q, &q.opinions[(Size) i * q.trees], &v);
		answer = given(&q, &v);
		nulls[i] = answer == NULL;
		values[i] = answer ? CStringGetTextDatum(answer) : (Datum) 0;
	}
	MemoryContextSwitchTo(caller);
	result = construct_md_array(values, nulls, ARR_NDIM(array), ARR_DIMS(array), ARR_LBOUND(array),
								TEXTOID, -1, false, TYPALIGN_INT);
	MemoryContextDelete(context);
	PG_RETURN_ARRAYTYPE_P(result);
}

/* --- rstar_explain ---------------------------------------------------------------------- */

/* Why nothing is given. */
static const char *
reason(const question *q, const verdict *v, bool blank)
{
	if (blank)
		return rstar_silence_name(RSTAR_SILENCE_DECLINED);
	if (v->best)
		return "below min_confidence";
	return rstar_silence_name(q->opinions[0].silence);
}

/*
 * rstar_explain(problem text, …, OUT answer text, OUT confidence double precision,
 *				 OUT solution text, OUT alternatives jsonb, OUT reason text)
 */
Datum
rstar_explain(PG_FUNCTION_ARGS)
{
	Datum values[5] = {0};
	bool nulls[5] = {true, true, true, true, true};
	const opinion *shown;
	const char *answer;
	TupleDesc desc;
	char *problem;
	question q;
	verdict v;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	read_question(fcinfo, true, &q);
	problem = text_to_cstring(PG_GETARG_TEXT_PP(0));
	search(&q, &problem, 1);
	decide(&q, q.opinions, &v);
	answer = given(&q, &v);
	shown = v.best ? v.best : &q.opinions[0];
	if (answer)
		values[0] = CStringGetTextDatum(answer);
	nulls[0] = answer == NULL;
	values[1] = Float8GetDatum(v.confidence);
	nulls[1] = v.best == NULL;
	if (shown->solution)
		values[2] = CStringGetTextDatum(shown->solution);
	nulls[2] = shown->solution == NULL;
	values[3] = DirectFunctionCall1(
		jsonb_in, CStringGetDatum(shown->alternatives ? shown->alternatives : "[]"));
	nulls[3] = false;
	if (!answer)
		values[4] = CStringGetTextDatum(reason(&q, &v, is_blank(problem)));
	nulls[4] = answer != NULL;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
