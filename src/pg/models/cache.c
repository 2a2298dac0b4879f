/*
 * cache.c
 *	  The models that this session has open.
 *
 * Entries live in malloc'd memory and in the map, outside of memory contexts:
 * they outlast transactions. What ties a use of one to a query is a pin with a
 * reset callback on the caller's context, so an error unpins too.
 */
#include "postgres.h"

#include <unistd.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "pg/base/boundary.h"
#include "pg/models/compute.h"
#include "pg/models/cache.h"
#include "pg/models/files.h"
#include "pg/models/settings.h"

/*
 * Models of so few weights lie in caches and gain from kept panels, which take one to one and a
 * half bytes a weight, or four if the file has F16 or F32 (what a training makes).
 */
#define MAX_PANELS ((uint64) 16 * 1024 * 1024)

/* What an engine was made for; a change makes another. */
typedef struct engine_key
{
	rstar_cpu_family family;
	int kv_type;
	uint64 kv_budget;
	int max_context;
	uint64 pool_generation;
} engine_key;

typedef struct cache_entry
{
	struct cache_entry *next;
	int64 model_id;
	char sha256[65];
	rstar_open_model open;
	engine_key engine_key;
	int pins;
	uint64 last_used;
} cache_entry;

static cache_entry *entries = NULL;
static uint64 use_clock = 0;

static void
close_entry(cache_entry *entry)
{
	rstar_engine_free(entry->open.engine);
	rstar_weights_close(entry->open.weights);
	rstar_tokenizer_close(entry->open.tokenizer);
	rstar_gguf_close(entry->open.gguf);
	free(entry);
}

static void
unlink_entry(cache_entry *entry)
{
	cache_entry **link = &entries;

	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
}

/* Close entries that nothing pins, least recently used first, down to the setting. */
static void
shrink_cache(void)
{
	for (;;)
	{
		cache_entry *oldest = NULL;
		int count = 0;

		for (cache_entry *entry = entries; entry; entry = entry->next)
		{
			count++;
			if (entry->pins == 0 && (!oldest || entry->last_used < oldest->last_used))
				oldest = entry;
		}
		if (count <= rstar_pg_model_settings.max_cached_models || !oldest)
			return;
		unlink_entry(oldest);
		close_entry(oldest);
	}
}

void
rstar_pg_model_cache_trim(void)
{
	for (cache_entry *entry = entries; entry; entry = entry->next)
	{
		if (entry->open.engine)
			rstar_kv_trim(rstar_engine_kv(entry->open.engine));
	}
}

void
rstar_pg_model_cache_forget(int64 model_id)
{
	cache_entry *next;

	for (cache_entry *entry = entries; entry; entry = next)
	{
		next = entry->next;
		if (entry->model_id == model_id && entry->pins == 0)
		{
			unlink_entry(entry);
			close_entry(entry);
		}
	}
}

static void
unpin(void *handle)
{
	((cache_entry *) handle)->pins--;
}

static cache_entry *
find_entry(const rstar_model_row *row)
{
	for (cache_entry *entry = entries; entry; entry = entry->next)
	{
		if (entry->model_id == row->model_id && strcmp(entry->sha256, row->sha256) == 0)
			return entry;
	}
	return NULL;
}

/* Map the row's file and open its vocabulary; nothing stays open on failure. */
static rstar_status
open_handles(const rstar_model_row *row, int fd, rstar_open_model *open, rstar_error *err)
{
	rstar_status status =
		rstar_gguf_open_fd(fd, &rstar_allocator_malloc, &rstar_pg_cancel, &open->gguf, err);

	if (status != RSTAR_OK)
		return status;
	status = rstar_pg_model_file_check(row, open->gguf, fd, err);
	if (status == RSTAR_OK)
		status = rstar_tokenizer_open(open->gguf, &rstar_allocator_malloc, &rstar_pg_cancel,
									  &open->tokenizer, err);
	if (status != RSTAR_OK)
	{
		rstar_gguf_close(open->gguf);
		open->gguf = NULL;
	}
	return status;
}

static cache_entry *
new_entry(const rstar_model_row *row)
{
	cache_entry *entry;
	rstar_status status;
	rstar_error err;
	int fd;

	if (strlen(row->sha256) >= sizeof(entry->sha256))
		elog(ERROR, "checksum of model \"%s\" is too long", row->name);
	fd = rstar_pg_model_file_open(row);
	entry = calloc(1, sizeof(cache_entry));
	status = entry ? open_handles(row, fd, &entry->open, &err)
				   : rstar_error_memory(&err, sizeof(cache_entry));
	close(fd);
	if (status != RSTAR_OK)
	{
		free(entry);
		rstar_pg_raise(status, &err);
	}
	entry->model_id = row->model_id;
	strcpy(entry->sha256, row->sha256);
	entry->next = entries;
	entries = entry;
	return entry;
}

/* Find or open; pinned until the current memory context is reset. */
static cache_entry *
pinned_entry(const rstar_model_row *row)
{
	rstar_guard *guard = rstar_pg_guard_create(CurrentMemoryContext, unpin);
	cache_entry *entry = find_entry(row);

	if (!entry)
		entry = new_entry(row);
	entry->pins++;
	entry->last_used = ++use_clock;
	rstar_pg_guard_hold(guard, entry);
	shrink_cache();
	return entry;
}

const rstar_open_model *
rstar_pg_model_open_tokenizer(const rstar_model_row *row)
{
	return &pinned_entry(row)->open;
}

static void
require_weights(cache_entry *entry, const rstar_model_row *row)
{
	rstar_error err;

	if (strcmp(row->role, RSTAR_ROLE_VOCABULARY) == 0)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("model \"%s\" is a vocabulary and holds no weights", row->name)));
	if (!entry->open.weights)
		rstar_check(rstar_weights_open(entry->open.gguf, &rstar_allocator_malloc,
									   &entry->open.weights, &err),
					&err);
}

/*
 * An engine is kept until a setting that shaped it differs; the keys are compared as bytes, so
 * their padding is zeroed first. It is idle when it is handed out: a job that an error left
 * behind is aborted here. A second pin means that it is in use elsewhere in this session, and
 * it cannot be replaced there.
 */
const rstar_open_model *
rstar_pg_model_open_engine(const rstar_model_row *row)
{
	cache_entry *entry = pinned_entry(row);
	rstar_engine_options options = {0};
	rstar_pool *pool;
	engine_key key;
	rstar_error err;

	require_weights(entry, row);
	pool = rstar_pg_compute_pool();
	memset(&key, 0, sizeof(key));
	key.family = rstar_pg_compute_family();
	key.kv_type = rstar_pg_model_settings.kv_type;
	key.kv_budget = rstar_pg_settings_kv_bytes();
	key.max_context =
		Min(rstar_pg_model_settings.max_context, entry->open.weights->hparams.n_context);
	key.pool_generation = rstar_pg_compute_generation();

	if (entry->open.engine && memcmp(&key, &entry->engine_key, sizeof(key)) == 0)
	{
		rstar_engine_abort(entry->open.engine);
		return &entry->open;
	}
	if (entry->pins > 1)
		elog(ERROR, "model \"%s\" is in use with other settings", row->name);
	rstar_engine_free(entry->open.engine);
	entry->open.engine = NULL;

	options.family = key.family;
	options.kv_type = (rstar_kv_type) key.kv_type;
	options.kv_budget = key.kv_budget;
	options.max_context = key.max_context;
	options.max_panels = MAX_PANELS;
	rstar_check(rstar_engine_create(entry->open.weights, pool, &options, &rstar_allocator_malloc,
									&entry->open.engine, &err),
				&err);
	entry->engine_key = key;
	return &entry->open;
}
