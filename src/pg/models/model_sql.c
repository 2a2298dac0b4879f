/*
 * model_sql.c
 *	  Bringing models in, making and checking them: rstar_model_import, _create,
 *	  _quantize, _verify.
 *
 * Those that make a model go the same way: an entry of the model directory is
 * begun, the file is written into it, checked and named, and a row is made from
 * what the file says about itself. All of it lasts as long as the transaction.
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/pg_authid.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "core/model/create.h"
#include "core/model/import.h"
#include "core/model/quantize.h"
#include "core/model/weights.h"
#include "core/step/family.h"
#include "core/step/prompt.h"
#include "core/text/tokenizer.h"
#include "pg/base/arguments.h"
#include "pg/base/boundary.h"
#include "pg/base/compat.h"
#include "pg/models/cache.h"
#include "pg/models/files.h"
#include "pg/models/models.h"
#include "pg/base/settings.h"

PG_FUNCTION_INFO_V1(rstar_model_import);
PG_FUNCTION_INFO_V1(rstar_model_create);
PG_FUNCTION_INFO_V1(rstar_model_quantize);
PG_FUNCTION_INFO_V1(rstar_model_verify);

/* --- arguments ------------------------------------------------------------------------ */

static uint32
positive_argument(FunctionCallInfo fcinfo, int n, const char *name, int64 fallback)
{
	int64 value = PG_ARGISNULL(n) ? fallback : PG_GETARG_INT32(n);

	if (value < 1 || value > PG_INT32_MAX)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("argument \"%s\" must be a positive number", name)));
	return (uint32) value;
}

static void
check_role(const char *role)
{
	if (strcmp(role, RSTAR_ROLE_POLICY) != 0 && strcmp(role, RSTAR_ROLE_PPM) != 0 &&
		strcmp(role, RSTAR_ROLE_VOCABULARY) != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid role of a model: \"%s\"", role),
						errhint("Roles are \"policy\", \"ppm\" and \"vocabulary\".")));
}

static rstar_quantize_target
file_type_argument(const char *name)
{
	rstar_quantize_target target;

	if (!rstar_quantize_by_name(name, &target))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown file type \"%s\"", name),
				 errhint("File types are F32, F16, BF16, Q8_0, Q6_K, Q5_K, Q5_K_M, Q4_K, "
						 "Q4_K_M and Q4_0.")));
	return target;
}

/* NULL is fine: then the model's file says, or the default holds. */
static void
check_template(const char *template)
{
	rstar_prompt_template parsed;
	rstar_error err;

	if (template)
		rstar_check(rstar_prompt_template_parse(template, strlen(template), &parsed, &err), &err);
}

/* --- rows from files -------------------------------------------------------------------- */

/* The element type that most bytes of the file are in. */
static const char *
dominant_type(const rstar_gguf *gguf)
{
	uint64 bytes[64] = {0};
	uint64 most = 0;
	const char *name = NULL;

	for (uint64 i = 0; i < rstar_gguf_n_tensors(gguf); i++)
	{
		const rstar_gguf_tensor *tensor = rstar_gguf_tensor_at(gguf, i);
		const rstar_type_info *info = rstar_type_get(tensor->type);

		if (!info || (int) tensor->type >= lengthof(bytes))
			continue;
		bytes[tensor->type] += tensor->bytes;
		if (bytes[tensor->type] > most)
		{
			most = bytes[tensor->type];
			name = info->name;
		}
	}
	return name;
}

static char *
string_key(const rstar_gguf *gguf, const char *key)
{
	rstar_string value;

	if (!rstar_gguf_get_string(gguf, key, &value))
		return NULL;
	return rstar_pg_clean_text(value.data, value.length);
}

/* Architecture, parameters, context: what only a file with weights has. */
static void
describe_weights(rstar_model_row *row, const rstar_gguf *gguf)
{
	rstar_guard *guard =
		rstar_pg_guard_create(CurrentMemoryContext, (rstar_release) rstar_weights_close);
	rstar_weights *weights;
	rstar_error err;

	rstar_check(rstar_weights_open(gguf, &rstar_allocator_malloc, &weights, &err), &err);
	rstar_pg_guard_hold(guard, weights);
	rstar_check(rstar_engine_check_weights(weights, &err), &err);
	row->architecture = pstrdup(rstar_arch_name(weights->hparams.arch));
	row->parameters = (int64) weights->n_parameters;
	row->file_type = pstrdup(dominant_type(gguf));
	row->context_length = (int32) weights->hparams.n_context;
	if (strcmp(row->role, RSTAR_ROLE_PPM) == 0 && !weights->value_head)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("model \"%s\" cannot score steps", row->name),
						errdetail("The file holds no \"value_head.weight\".")));
	rstar_pg_guard_release(guard);
}

/*
 * What a model from elsewhere needs for rstar_solve: a prompt that shows it the step
 * format in the markup of its family, and options that suit models of some hundred
 * million to some billion parameters on a processor.
 */
#define FOREIGN_DEFAULTS                                                                           \
	"{\"candidates\": 4, \"rollouts\": 4, \"max_depth\": 12, \"step_tokens\": 256, "               \
	"\"solution_tokens\": 768, \"search_temperature\": 0.7, \"temperature\": 0.7, \"top_p\": "     \
	"0.95}"

static void
choose_prompt(rstar_model_row *row, const rstar_gguf *gguf, const rstar_tokenizer *tokenizer)
{
	const char *family = rstar_family_of_file(gguf, tokenizer);
	rstar_buffer template;
	rstar_error err;
	rstar_status status;

	if (strcmp(family, "rstar") == 0)
		return; /* the default template is its own */
	rstar_buffer_init(&template, &rstar_allocator_malloc);
	status = rstar_family_template(family, -1, &template, &err);
	if (status == RSTAR_OK)
		row->prompt_template = pnstrdup(template.data, template.length);
	rstar_buffer_free(&template);
	rstar_check(status, &err);
	if (!row->defaults)
		row->defaults =
			DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(FOREIGN_DEFAULTS)));
	ereport(NOTICE, (errmsg("model \"%s\" gets a prompt of the family \"%s\"", row->name, family),
					 errhint("Argument \"prompt_template\" sets another.")));
}

void
rstar_pg_model_describe(rstar_model_row *row, const rstar_store_facts *facts)
{
	rstar_guard *guard =
		rstar_pg_guard_create(CurrentMemoryContext, (rstar_release) rstar_tokenizer_close);
	rstar_tokenizer *tokenizer;
	rstar_gguf *gguf;
	rstar_error err;

	row->sha256 = pstrdup(facts->sha256);
	row->file_size = (int64) facts->size;
	row->file_id = pstrdup(facts->identity);
	gguf = rstar_pg_model_file_map(row);

	rstar_check(
		rstar_tokenizer_open(gguf, &rstar_allocator_malloc, &rstar_pg_cancel, &tokenizer, &err),
		&err);
	rstar_pg_guard_hold(guard, tokenizer);
	if (strcmp(row->role, RSTAR_ROLE_VOCABULARY) != 0)
		describe_weights(row, gguf);
	if (!row->prompt_template)
		row->prompt_template = string_key(gguf, RSTAR_PROMPT_KEY);
	if (!row->prompt_template && row->choose_prompt)
		choose_prompt(row, gguf, tokenizer);
	check_template(row->prompt_template);
}

int64
rstar_pg_model_register(rstar_model_row *row, const rstar_store_entry *entry)
{
	row->path = pstrdup(entry->name);
	rstar_pg_model_describe(row, &entry->facts);
	return rstar_pg_model_insert(row);
}

/* --- import ----------------------------------------------------------------------------- */

/*
 * Reading any file of the server is more than using rstar: besides EXECUTE it
 * takes what COPY FROM a file takes.
 */
static void
check_may_read_files(void)
{
	if (!has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to import a model from a file of the server"),
				 errhint("Importing needs the privileges of the role pg_read_server_files.")));
}

/* Open what the caller names: a regular file or a directory; told apart by *directory. */
static int
open_source(const char *path, bool *directory)
{
	struct stat info;
	int fd;

	if (!is_absolute_path(path))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("path to import from must be absolute: \"%s\"", path)));
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		ereport(ERROR, (errcode_for_file_access(), errmsg("could not open \"%s\": %m", path)));
	if (fstat(fd, &info) != 0 || !(S_ISREG(info.st_mode) || S_ISDIR(info.st_mode)))
	{
		close(fd);
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" is neither a file nor a directory", path)));
	}
	*directory = S_ISDIR(info.st_mode);
	return fd;
}

static void
close_descriptor(void *handle)
{
	close(*(int *) handle);
}

/* The descriptor lives until the current memory context is reset. */
static void
keep_descriptor(rstar_guard *guard, int fd)
{
	int *kept = palloc(sizeof(int));

	*kept = fd;
	rstar_pg_guard_hold(guard, kept);
}

/* A writer that serves interrupts as it writes. */
static rstar_gguf_writer *
make_writer(void)
{
	rstar_gguf_writer *writer = rstar_pg_model_file_writer();

	rstar_gguf_writer_cancel(writer, &rstar_pg_cancel_serving);
	return writer;
}

/*
 * Refuse a file that could not be used, before gigabytes of it are copied. The
 * copy is checked again: the file may change meanwhile.
 */
static void
check_source(const rstar_gguf *gguf, const rstar_model_row *row)
{
	rstar_tokenizer *tokenizer = NULL;
	rstar_weights *weights = NULL;
	rstar_error err;
	rstar_status status =
		rstar_tokenizer_open(gguf, &rstar_allocator_malloc, &rstar_pg_cancel, &tokenizer, &err);

	rstar_tokenizer_close(tokenizer);
	if (status == RSTAR_OK && strcmp(row->role, RSTAR_ROLE_VOCABULARY) != 0)
	{
		status = rstar_weights_open(gguf, &rstar_allocator_malloc, &weights, &err);
		rstar_weights_close(weights);
	}
	rstar_check(status, &err);
}

/* A vocabulary needs no weights: the keys alone, without the tensors. */
static void
write_keys(const rstar_gguf *gguf, rstar_store_entry *entry)
{
	rstar_gguf_writer *writer = make_writer();
	rstar_error err;

	rstar_gguf_writer_copy_prefix(writer, gguf, "");
	rstar_check(rstar_gguf_writer_finish(writer, entry->fd, &rstar_pg_cancel_serving, &err), &err);
}

/* Copy a GGUF file, or write it in another type, or its vocabulary alone. */
static void
import_file(int fd, const rstar_model_row *row, const char *file_type, rstar_store_entry *entry)
{
	rstar_guard *guard =
		rstar_pg_guard_create(CurrentMemoryContext, (rstar_release) rstar_gguf_close);
	bool vocabulary = strcmp(row->role, RSTAR_ROLE_VOCABULARY) == 0;
	rstar_gguf *gguf;
	rstar_error err;

	rstar_check(
		rstar_gguf_open_fd(fd, &rstar_allocator_malloc, &rstar_pg_cancel_serving, &gguf, &err),
		&err);
	rstar_pg_guard_hold(guard, gguf);
	check_source(gguf, row);
	if (vocabulary && rstar_gguf_n_tensors(gguf) > 0)
		write_keys(gguf, entry);
	else if (vocabulary || !file_type)
		rstar_check(rstar_store_copy(entry, fd, &rstar_pg_cancel_serving, &err), &err);
	else
		rstar_check(rstar_quantize(gguf, file_type_argument(file_type), entry->fd,
								   &rstar_allocator_malloc, &rstar_pg_cancel_serving, &err),
					&err);
}

/* Convert a Hugging Face directory; its matrices keep their types unless told otherwise. */
static void
import_directory(const char *path, const rstar_model_row *row, const char *file_type,
				 rstar_store_entry *entry)
{
	rstar_import_options options = {.keep_types = file_type == NULL,
									.name = row->name,
									.prompt_template = row->prompt_template};
	rstar_error err;

	if (file_type)
		options.target = file_type_argument(file_type);
	rstar_check(rstar_import(path, &options, entry->fd, &rstar_allocator_malloc,
							 &rstar_pg_cancel_serving, &err),
				&err);
}

/* Begin work in a context of its own, so that what guards hold goes at the end. */
#define begin_work(name)                                                                           \
	MemoryContextSwitchTo(AllocSetContextCreate(CurrentMemoryContext, name, ALLOCSET_DEFAULT_SIZES))

static void
end_work(MemoryContext caller)
{
	MemoryContext work = MemoryContextSwitchTo(caller);

	MemoryContextDelete(work);
}

/* The last part of the work: the file gets its name, the model its row. Returns its id. */
static int64
end_work_on_model(MemoryContext caller, rstar_model_row *row, rstar_store_entry *entry)
{
	int64 model_id;

	rstar_pg_model_file_finish(entry);
	model_id = rstar_pg_model_register(row, entry);
	end_work(caller);
	return model_id;
}

/*
 * rstar_model_import(name, path, role, file_type, prompt_template, defaults) returns bigint
 */
Datum
rstar_model_import(PG_FUNCTION_ARGS)
{
	MemoryContext caller = begin_work("rstar model import");
	rstar_guard *guard = rstar_pg_guard_create(CurrentMemoryContext, close_descriptor);
	rstar_model_row row = {0};
	rstar_store_entry *entry;
	char *file_type = rstar_optional_text(fcinfo, 3);
	char *path;
	bool directory;
	int fd;

	row.name = rstar_required_text(fcinfo, 0, "name");
	path = rstar_required_text(fcinfo, 1, "path");
	row.role = PG_ARGISNULL(2) ? RSTAR_ROLE_POLICY : text_to_cstring(PG_GETARG_TEXT_PP(2));
	row.prompt_template = rstar_optional_text(fcinfo, 4);
	row.defaults = PG_ARGISNULL(5) ? NULL : PG_GETARG_JSONB_P(5);

	check_may_read_files();
	rstar_pg_model_check_name(row.name);
	check_role(row.role);
	row.choose_prompt = strcmp(row.role, RSTAR_ROLE_POLICY) == 0;
	check_template(row.prompt_template);
	if (file_type)
		(void) file_type_argument(file_type);
	if (row.defaults)
		rstar_pg_options_check_defaults(row.defaults);

	fd = open_source(path, &directory);
	keep_descriptor(guard, fd);
	entry = rstar_pg_model_file_begin();
	if (directory)
		import_directory(path, &row, file_type, entry);
	else
		import_file(fd, &row, file_type, entry);
	PG_RETURN_INT64(end_work_on_model(caller, &row, entry));
}

/* --- creation ---------------------------------------------------------------------------- */

/* The shape that the arguments ask for; the core checks it. */
static void
read_shape(FunctionCallInfo fcinfo, rstar_hparams *shape)
{
	char *architecture = rstar_required_text(fcinfo, 8, "architecture");

	if (!rstar_arch_by_name(architecture, strlen(architecture), &shape->arch))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("unknown architecture \"%s\"", architecture),
						errhint("Architectures are %s.", rstar_arch_names())));
	shape->n_layer = positive_argument(fcinfo, 2, "layers", 0);
	shape->n_embd = positive_argument(fcinfo, 3, "width", 0);
	shape->n_head = positive_argument(fcinfo, 4, "heads", 0);
	shape->n_head_kv = positive_argument(fcinfo, 5, "kv_heads", shape->n_head);
	shape->n_ff =
		positive_argument(fcinfo, 6, "feed_forward", Min(3 * (int64) shape->n_embd, PG_INT32_MAX));
	shape->n_context = positive_argument(fcinfo, 7, "context", 512);
	shape->head_dim = shape->n_embd / shape->n_head;
	shape->rope_dim = shape->head_dim;
	shape->rope_base = 10000.0f;
	shape->rope_scale = 1.0f;
	shape->rope_magnitude = 1.0f;
	shape->norm_eps = 1e-6f;
	rstar_hparams_set_traits(shape);
	if (shape->n_embd % shape->n_head != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("width %u is not a multiple of %u heads", shape->n_embd, shape->n_head)));
}

/* Keys first, then tensors, then the file. */
static void
write_new_model(rstar_store_entry *entry, const rstar_model_row *row, rstar_hparams *shape,
				const rstar_model_row *vocabulary, const rstar_create_options *options)
{
	rstar_guard *guard =
		rstar_pg_guard_create(CurrentMemoryContext, (rstar_release) rstar_create_free);
	rstar_gguf *from = rstar_pg_model_file_map(vocabulary);
	rstar_gguf_writer *writer = make_writer();
	rstar_create *create;
	rstar_error err;

	shape->n_vocab =
		(uint32) rstar_tokenizer_size(rstar_pg_model_open_tokenizer(vocabulary)->tokenizer);
	rstar_check(rstar_create_begin(shape, options, &rstar_allocator_malloc, writer, &create, &err),
				&err);
	rstar_pg_guard_hold(guard, create);
	rstar_gguf_writer_string(writer, "general.name", row->name, strlen(row->name));
	rstar_gguf_writer_copy_prefix(writer, from, "tokenizer.");
	if (row->prompt_template)
		rstar_gguf_writer_string(writer, RSTAR_PROMPT_KEY, row->prompt_template,
								 strlen(row->prompt_template));
	rstar_check(rstar_gguf_writer_finish(writer, entry->fd, &rstar_pg_cancel_serving, &err), &err);
}

/*
 * rstar_model_create(name, vocabulary, layers, width, heads, kv_heads, feed_forward, context,
 *                    architecture, role, tied, seed, prompt_template, defaults) returns bigint
 */
Datum
rstar_model_create(PG_FUNCTION_ARGS)
{
	MemoryContext caller = begin_work("rstar model create");
	rstar_create_options options = {0};
	rstar_model_row *vocabulary;
	rstar_model_row row = {0};
	rstar_hparams shape = {0};
	rstar_store_entry *entry;

	row.name = rstar_required_text(fcinfo, 0, "name");
	row.role = rstar_required_text(fcinfo, 9, "role");
	row.prompt_template = rstar_optional_text(fcinfo, 12);
	row.defaults = PG_ARGISNULL(13) ? NULL : PG_GETARG_JSONB_P(13);
	rstar_pg_model_check_name(row.name);
	check_role(row.role);
	if (strcmp(row.role, RSTAR_ROLE_VOCABULARY) == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a vocabulary has no weights to create")));
	if (row.defaults)
		rstar_pg_options_check_defaults(row.defaults);

	vocabulary = rstar_pg_model_find(rstar_required_text(fcinfo, 1, "vocabulary"));
	if (!row.prompt_template)
		row.prompt_template = vocabulary->prompt_template;
	check_template(row.prompt_template);
	read_shape(fcinfo, &shape);
	options.tied = PG_ARGISNULL(10) || PG_GETARG_BOOL(10);
	options.seed = PG_ARGISNULL(11) ? 0 : (uint64) PG_GETARG_INT64(11);
	options.value_head = strcmp(row.role, RSTAR_ROLE_PPM) == 0;

	entry = rstar_pg_model_file_begin();
	write_new_model(entry, &row, &shape, vocabulary, &options);
	PG_RETURN_INT64(end_work_on_model(caller, &row, entry));
}

/* --- quantising ---------------------------------------------------------------------------- */

/*
 * rstar_model_quantize(model, name, file_type) returns bigint
 */
Datum
rstar_model_quantize(PG_FUNCTION_ARGS)
{
	MemoryContext caller = begin_work("rstar model quantize");
	rstar_model_row *from = rstar_pg_model_find(rstar_required_text(fcinfo, 0, "model"));
	rstar_quantize_target target;
	rstar_model_row row = {0};
	rstar_store_entry *entry;
	rstar_gguf *gguf;
	rstar_error err;

	row.name = rstar_required_text(fcinfo, 1, "name");
	target = file_type_argument(rstar_required_text(fcinfo, 2, "file_type"));
	rstar_pg_model_check_name(row.name);
	if (strcmp(from->role, RSTAR_ROLE_VOCABULARY) == 0)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("model \"%s\" is a vocabulary and holds no weights", from->name)));
	row.role = from->role;
	row.prompt_template = from->prompt_template;
	row.defaults = rstar_pg_model_inherited_defaults(from);
	row.parent_id = from->model_id;

	gguf = rstar_pg_model_file_map(from);
	entry = rstar_pg_model_file_begin();
	rstar_check(rstar_quantize(gguf, target, entry->fd, &rstar_allocator_malloc,
							   &rstar_pg_cancel_serving, &err),
				&err);
	PG_RETURN_INT64(end_work_on_model(caller, &row, entry));
}

/* --- checking --------------------------------------------------------------------------- */

/*
 * rstar_model_verify(model) returns void: reads the whole file, raises what is wrong
 */
Datum
rstar_model_verify(PG_FUNCTION_ARGS)
{
	MemoryContext caller = begin_work("rstar model verify");
	rstar_guard *guard = rstar_pg_guard_create(CurrentMemoryContext, close_descriptor);
	rstar_model_row *row;
	rstar_error err;
	int fd;

	row = rstar_pg_model_find(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	fd = rstar_pg_model_file_open(row);
	keep_descriptor(guard, fd);
	rstar_check(rstar_store_verify(fd, (uint64) row->file_size, row->sha256,
								   &rstar_allocator_malloc, &rstar_pg_cancel_serving, &err),
				&err);
	end_work(caller);
	PG_RETURN_VOID();
}
