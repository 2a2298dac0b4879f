/*
 * vocabulary_sql.c
 *	  rstar_train_vocabulary: a vocabulary learnt from the rows of a query.
 *
 * The query runs with the caller's own rights, in the caller's transaction, as
 * one SELECT through a cursor; only the words of its texts are kept.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/step/prompt.h"
#include "core/step/step.h"
#include "core/text/bpe_train.h"
#include "pg/base/arguments.h"
#include "pg/base/boundary.h"
#include "pg/models/files.h"
#include "pg/models/models.h"

PG_FUNCTION_INFO_V1(rstar_train_vocabulary);

#define FETCH_ROWS   1000
#define MAX_SPECIALS 1000
#define END_TEXT     "<|endoftext|>"

/* --- arguments ------------------------------------------------------------------------ */

static void
add_special(rstar_bpe_special *specials, size_t *count, const char *text, rstar_token_type type)
{
	for (size_t i = 0; i < *count; i++)
	{
		if (strcmp(specials[i].text, text) == 0)
			return;
	}
	specials[*count].text = text;
	specials[*count].type = type;
	(*count)++;
}

/* The end of a text, the tags of the step format, the two of the prompt; then the caller's. */
static void
choose_specials(rstar_bpe_options *options, ArrayType *more)
{
	rstar_bpe_special *specials = palloc(sizeof(rstar_bpe_special) * (MAX_SPECIALS + 16));
	Datum *elements = NULL;
	bool *nulls = NULL;
	size_t n = 0;
	int count = 0;

	add_special(specials, &n, END_TEXT, RSTAR_TOKEN_CONTROL);
	for (int tag = 0; tag < RSTAR_N_TAGS; tag++)
		add_special(specials, &n, rstar_tag_text((rstar_tag) tag), RSTAR_TOKEN_USER_DEFINED);
	add_special(specials, &n, "<|user|>", RSTAR_TOKEN_USER_DEFINED);
	add_special(specials, &n, "<|assistant|>", RSTAR_TOKEN_USER_DEFINED);

	if (more)
		deconstruct_array(more, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
	if (count > MAX_SPECIALS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("\"special\" holds %d texts, the limit is %d", count, MAX_SPECIALS)));
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("\"special\" must not contain NULL")));
		add_special(specials, &n, TextDatumGetCString(elements[i]), RSTAR_TOKEN_USER_DEFINED);
	}
	options->specials = specials;
	options->n_specials = n;
	options->end_text = END_TEXT;
}

static void
read_options(FunctionCallInfo fcinfo, rstar_bpe_options *options)
{
	int32 size = PG_ARGISNULL(2) ? 1024 : PG_GETARG_INT32(2);
	int32 min_count = PG_ARGISNULL(4) ? 10 : PG_GETARG_INT32(4);

	rstar_bpe_options_init(options);
	choose_specials(options, PG_ARGISNULL(3) ? NULL : PG_GETARG_ARRAYTYPE_P(3));
	if (size < 256 + (int) options->n_specials || size > 1000000)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a vocabulary has between %d and 1000000 tokens",
						256 + (int) options->n_specials),
				 errdetail("256 for the bytes, %d special ones.", (int) options->n_specials)));
	if (min_count < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"min_count\" must be a positive number")));
	options->vocabulary_size = (uint32) size;
	options->min_word_count = (uint64) min_count;
	if (options->min_pair_count > options->min_word_count)
		options->min_pair_count = options->min_word_count;
}

/* --- the corpus ------------------------------------------------------------------------- */

static void
add_rows(rstar_bpe_trainer *trainer, SPITupleTable *rows, uint64 count)
{
	rstar_error err;

	for (uint64 i = 0; i < count; i++)
	{
		char *value = SPI_getvalue(rows->vals[i], rows->tupdesc, 1);

		if (value)
		{
			rstar_check(
				rstar_bpe_trainer_add(trainer, value, strlen(value), &rstar_pg_cancel, &err), &err);
			pfree(value);
		}
		CHECK_FOR_INTERRUPTS();
	}
}

/* Returns the number of rows. */
static uint64
add_query(rstar_bpe_trainer *trainer, const char *query)
{
	uint64 total = 0;
	SPIPlanPtr plan;
	Portal portal;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	plan = SPI_prepare(query, 0, NULL);
	if (!plan || !SPI_is_cursor_plan(plan))
		ereport(ERROR, (errcode(ERRCODE_INVALID_CURSOR_DEFINITION),
						errmsg("the query of a corpus must be one SELECT")));
	portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
	if (portal->tupDesc->natts != 1)
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("the query of a corpus must return one column")));
	for (;;)
	{
		SPI_cursor_fetch(portal, true, FETCH_ROWS);
		if (SPI_processed == 0)
			break;
		add_rows(trainer, SPI_tuptable, SPI_processed);
		total += SPI_processed;
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	SPI_finish();
	return total;
}

/* --- the function -------------------------------------------------------------------------- */

static void
write_vocabulary(rstar_bpe_trainer *trainer, const rstar_model_row *row, rstar_store_entry *entry)
{
	rstar_gguf_writer *writer = rstar_pg_model_file_writer();
	rstar_error err;

	/* llama.cpp's tools know a file without weights by the architecture that its tokens are for. */
	rstar_gguf_writer_string(writer, "general.architecture", "qwen2", strlen("qwen2"));
	rstar_gguf_writer_string(writer, "general.name", row->name, strlen(row->name));
	if (row->prompt_template)
		rstar_gguf_writer_string(writer, RSTAR_PROMPT_KEY, row->prompt_template,
								 strlen(row->prompt_template));
	rstar_check(rstar_bpe_trainer_write(trainer, writer, &err), &err);
	rstar_check(rstar_gguf_writer_finish(writer, entry->fd, &rstar_pg_cancel_serving, &err), &err);
}

/*
 * rstar_train_vocabulary(name, query, size, special, min_count, prompt_template) returns bigint
 */
Datum
rstar_train_vocabulary(PG_FUNCTION_ARGS)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "rstar train vocabulary",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	rstar_guard *guard =
		rstar_pg_guard_create(CurrentMemoryContext, (rstar_release) rstar_bpe_trainer_free);
	rstar_model_row row = {.role = RSTAR_ROLE_VOCABULARY};
	rstar_prompt_template template;
	rstar_bpe_options options;
	rstar_bpe_trainer *trainer;
	rstar_store_entry *entry;
	char *query;
	rstar_error err;
	int64 model_id;

	row.name = rstar_required_text(fcinfo, 0, "name");
	query = rstar_required_text(fcinfo, 1, "query");
	row.prompt_template = rstar_optional_text(fcinfo, 5);
	rstar_pg_model_check_name(row.name);
	if (row.prompt_template)
		rstar_check(rstar_prompt_template_parse(row.prompt_template, strlen(row.prompt_template),
												&template, &err),
					&err);
	read_options(fcinfo, &options);

	rstar_check(rstar_bpe_trainer_create(&options, &rstar_allocator_malloc, &trainer, &err), &err);
	rstar_pg_guard_hold(guard, trainer);
	if (add_query(trainer, query) == 0)
		ereport(ERROR, (errcode(ERRCODE_NO_DATA_FOUND), errmsg("the corpus has no rows")));
	rstar_check(rstar_bpe_trainer_train(trainer, &rstar_pg_cancel_serving, &err), &err);

	entry = rstar_pg_model_file_begin();
	write_vocabulary(trainer, &row, entry);
	rstar_pg_model_file_finish(entry);
	model_id = rstar_pg_model_register(&row, entry);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	PG_RETURN_INT64(model_id);
}
