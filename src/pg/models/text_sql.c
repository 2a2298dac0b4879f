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
	text *input;
	rstar_error err;
	Datum *elements;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	input = PG_GETARG_TEXT_PP(0);
	options.parse_special = PG_ARGISNULL(2) || PG_GETARG_BOOL(2);
	options.add_bos = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);
	options.dummy_prefix = true;

	model = rstar_model_open_tokenizer(
		rstar_model_resolve(PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1), RSTAR_ROLE_POLICY));
	rstar_check(rstar_tokenizer_encode(model->tokenizer, VARDATA_ANY(input),
									   VARSIZE_ANY_EXHDR(input), &options, &allocator,
									   &rstar_pg_cancel, &ids, &count, &err),
				&err);

	if (count > MaxAllocSize / sizeof(Datum))
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("a text of %zu tokens is too long for an array", count)));
	if (count == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(INT4OID));
	elements = palloc(count * sizeof(Datum));
	for (size_t i = 0; i < count; i++)
		elements[i] = Int32GetDatum(ids[i]);
	PG_RETURN_ARRAYTYPE_P(
		construct_array(elements, (int) count, INT4OID, sizeof(int32), true, TYPALIGN_INT));
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

/*
 * rstar_detokenize(integer[], model text, special boolean) returns text
 */
Datum
rstar_detokenize(PG_FUNCTION_ARGS)
{
	rstar_allocator allocator = rstar_pg_allocator_in(CurrentMemoryContext);
	const rstar_open_model *model;
	const int32 *ids;
	bool skip_special;
	rstar_buffer bytes;
	rstar_error err;
	int count;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	ids = token_array(PG_GETARG_ARRAYTYPE_P(0), &count);
	skip_special = !PG_ARGISNULL(2) && !PG_GETARG_BOOL(2);
	model = rstar_model_open_tokenizer(
		rstar_model_resolve(PG_ARGISNULL(1) ? NULL : PG_GETARG_TEXT_PP(1), RSTAR_ROLE_POLICY));

	rstar_buffer_init(&bytes, &allocator);
	rstar_check(
		rstar_tokenizer_decode_all(model->tokenizer, ids, count, skip_special, true, &bytes, &err),
		&err);
	CHECK_FOR_INTERRUPTS();
	PG_RETURN_TEXT_P(cstring_to_text(rstar_clean_text(bytes.data ? bytes.data : "", bytes.length)));
}
