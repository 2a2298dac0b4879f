/*
 * text_sql.c
 *	  Text to tokens and back: rstar_tokenize, rstar_detokenize.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/base/boundary.h"
#include "pg/models/cache.h"
#include "pg/models/models.h"

PG_FUNCTION_INFO_V1(rstar_tokenize);
PG_FUNCTION_INFO_V1(rstar_detokenize);

/* Without construct_array, which takes 8 bytes for each element on the way. */
static ArrayType *
token_array_of(const int32 *ids, size_t count)
{
	Size size = ARR_OVERHEAD_NONULLS(1) + count * sizeof(int32);
	ArrayType *array = palloc(size);

	SET_VARSIZE(array, size);
	array->ndim = 1;
	array->dataoffset = 0;
	array->elemtype = INT4OID;
	ARR_DIMS(array)[0] = (int) count;
	ARR_LBOUND(array)[0] = 1;
	memcpy(ARR_DATA_PTR(array), ids, count * sizeof(int32));
	return array;
}

/*
 * rstar_tokenize(text, model text, special boolean, bos boolean) returns integer[]
 */
Datum
rstar_tokenize(PG_FUNCTION_ARGS)
{
	rstar_allocator allocator = rstar_pg_allocator_in(CurrentMemoryContext);
	rstar_encode_options options = {0};
	const rstar_open_model *model;
	size_t count = 0;
	int32 *ids = NULL;
	ArrayType *result;
	text *input;
	rstar_error err;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	input = PG_GETARG_TEXT_PP(0);
	options.parse_special = PG_ARGISNULL(2) || PG_GETARG_BOOL(2);
	options.add_bos = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);
	options.dummy_prefix = true;

	model = rstar_pg_model_open_tokenizer(
		rstar_pg_model_resolve(PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1), RSTAR_ROLE_POLICY));
	rstar_check(rstar_tokenizer_encode(model->tokenizer, VARDATA_ANY(input),
									   VARSIZE_ANY_EXHDR(input), &options, &allocator,
									   &rstar_pg_cancel, &ids, &count, &err),
				&err);

	if (count > (MaxAllocSize - ARR_OVERHEAD_NONULLS(1)) / sizeof(int32))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("a text of %zu tokens is too long for an array", count)));
	if (count == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(INT4OID));
	result = token_array_of(ids, count);
	rstar_free(&allocator, ids);
	PG_RETURN_ARRAYTYPE_P(result);
}

/* Check an array of token ids; its elements lie behind *count. */
static const int32 *
token_array(ArrayType *array, int *count)
{
	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("token ids must be an array of one dimension")));
	if (array_contains_nulls(array))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("token ids must not contain NULL")));
	*count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	return (const int32 *) ARR_DATA_PTR(array);
}

/* What has been decoded, clean, in a text that grows. */
typedef struct growing_text
{
	text *text;
	Size length, capacity;
} growing_text;

static void
append_clean(growing_text *out, const char *bytes, size_t length)
{
	char *clean = rstar_pg_clean_text(bytes, length);
	Size n = strlen(clean);

	if (out->length + n > MaxAllocSize - VARHDRSZ)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("the text of the tokens is too long"),
						errdetail("A text has less than 1 GB.")));
	if (out->length + n > out->capacity)
	{
		out->capacity = Min(2 * (out->length + n), MaxAllocSize - VARHDRSZ);
		out->text = repalloc(out->text, out->capacity + VARHDRSZ);
	}
	memcpy(VARDATA(out->text) + out->length, clean, n);
	out->length += n;
	pfree(clean);
}

/* In slices, so that neither a cancel nor memory waits for millions of tokens. */
static text *
decode_text(const rstar_tokenizer *tokenizer, const int32 *ids, size_t count, bool skip_special)
{
	const size_t slice = 4096;
	rstar_allocator allocator = rstar_pg_allocator_in(CurrentMemoryContext);
	growing_text out = {.text = palloc(VARHDRSZ)};
	rstar_buffer bytes; /* decoded, and not in out yet: a character may end in the next slice */
	bool strip_prefix = true;
	rstar_error err;

	rstar_buffer_init(&bytes, &allocator);
	for (size_t at = 0; at < count; at += slice)
	{
		size_t n = Min(slice, count - at), whole;

		rstar_check(rstar_tokenizer_decode_more(tokenizer, ids + at, n, skip_special, &strip_prefix,
												&bytes, &err),
					&err);
		whole = at + n < count
					? rstar_utf8_complete_prefix(bytes.data ? bytes.data : "", bytes.length)
					: bytes.length;
		append_clean(&out, bytes.data ? bytes.data : "", whole);
		if (bytes.length > 0)
			memmove(bytes.data, bytes.data + whole, bytes.length - whole);
		bytes.length -= whole;
		CHECK_FOR_INTERRUPTS();
	}
	rstar_buffer_free(&bytes);
	SET_VARSIZE(out.text, out.length + VARHDRSZ);
	return out.text;
}

/*
 * rstar_detokenize(integer[], model text, special boolean) returns text
 */
Datum
rstar_detokenize(PG_FUNCTION_ARGS)
{
	const rstar_open_model *model;
	const int32 *ids;
	bool skip_special;
	int count;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	ids = token_array(PG_GETARG_ARRAYTYPE_P(0), &count);
	skip_special = !PG_ARGISNULL(2) && !PG_GETARG_BOOL(2);
	model = rstar_pg_model_open_tokenizer(
		rstar_pg_model_resolve(PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1), RSTAR_ROLE_POLICY));

	PG_RETURN_TEXT_P(decode_text(model->tokenizer, ids, (size_t) count, skip_special));
}
