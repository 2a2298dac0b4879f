/*
 * remote.c
 *	  Models on other servers: their rows, and what this session has open of them.
 *
 * As with models from files, entries live in malloc'd memory and outlast transactions, and
 * a pin with a reset callback ties each use to a query. An entry is for one model, one role
 * and one key: when the key or the row changes, another takes its place.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "pg/base/boundary.h"
#include "pg/base/json.h"
#include "pg/models/remote.h"
#include "pg/models/remote_key.h"
#include "pg/models/remote_settings.h"

typedef struct remote_entry
{
	struct remote_entry *next;
	int64 model_id;
	Oid role;
	rstar_remote_model *model;
	int pins;
} remote_entry;

static remote_entry *entries = NULL;
static rstar_http *http = NULL;

/* --- rows ------------------------------------------------------------------------------------ */

static char *
member(const rstar_model_row *row, const char *key, bool required)
{
	char *text = rstar_pg_json_text(&row->remote->root, key);

	if (required && !text)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("the row of model \"%s\" does not say its \"%s\"", row->name, key)));
	return text;
}

void
rstar_pg_remote_facts(const rstar_model_row *row, rstar_remote_facts *facts)
{
	char *api = member(row, "api", true);
	rstar_error err;

	facts->url = member(row, "url", true);
	facts->model = member(row, "model", true);
	facts->server = member(row, "server", false);
	rstar_check(rstar_address_parse(facts->url, strlen(facts->url), &facts->address, &err), &err);
	if (!rstar_remote_api_by_name(api, &facts->api))
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("the row of model \"%s\" has an unknown api", row->name)));
}

char *
rstar_pg_remote_address_text(const rstar_address *address)
{
	rstar_allocator allocator = rstar_pg_allocator_in(CurrentMemoryContext);
	rstar_buffer text;

	rstar_buffer_init(&text, &allocator);
	if (!rstar_address_append(address, &text))
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	return text.data;
}

void
rstar_pg_remote_check_host(const rstar_address *address)
{
	rstar_address host = *address;

	host.path[0] = '\0';
	if (!rstar_address_listed(address, rstar_pg_remote_settings.hosts))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("models at %s may not be used", rstar_pg_remote_address_text(&host)),
				 errdetail("The setting \"rstar.remote_hosts\" does not allow this server%s.",
						   address->secure ? "" : " without TLS"),
				 errhint("A superuser can add it.")));
}

void
rstar_pg_model_require_file(const rstar_model_row *row)
{
	if (row->remote)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("model \"%s\" is on another server", row->name),
				 errdetail("It can generate and score there; what needs its weights or its "
						   "vocabulary, training above all, needs a model with a file here.")));
}

/* The certificates to trust instead of the system's, or NULL. */
static const char *
ca_file(void)
{
	const char *path = rstar_pg_remote_settings.ca_file;

	return path[0] ? path : NULL;
}

/* --- open models ------------------------------------------------------------------------------ */

static void
free_entry(remote_entry *entry)
{
	remote_entry **link = &entries;

	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	rstar_remote_model_free(entry->model);
	free(entry);
}

/* Entries of the same model that nobody uses, with another key or another definition. */
static void
free_others(const rstar_model_row *row, const remote_entry *kept)
{
	remote_entry *next;

	for (remote_entry *entry = entries; entry; entry = next)
	{
		next = entry->next;
		if (entry != kept && entry->model_id == row->model_id && entry->pins == 0)
			free_entry(entry);
	}
}

static void
unpin(void *handle)
{
	((remote_entry *) handle)->pins--;
}

static remote_entry *
find_entry(const rstar_model_row *row, const rstar_remote_facts *facts, const char *key)
{
	for (remote_entry *entry = entries; entry; entry = entry->next)
		if (entry->model_id == row->model_id && entry->role == GetUserId() &&
			rstar_remote_model_is(entry->model, facts->model, facts->api) &&
			rstar_http_server_has(rstar_remote_model_server(entry->model), &facts->address, key,
								  ca_file()))
			return entry;
	return NULL;
}

static remote_entry *
new_entry(const rstar_model_row *row, const rstar_remote_facts *facts, const char *key,
		  const rstar_http_limits *limits)
{
	remote_entry *entry = calloc(1, sizeof *entry);
	rstar_http_server *server;
	rstar_status status;
	rstar_error err;

	if (!entry)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	status = http ? RSTAR_OK : rstar_http_create(&rstar_allocator_malloc, &http, &err);
	if (status == RSTAR_OK)
		status =
			rstar_http_server_create(http, &facts->address, key, ca_file(), limits, &server, &err);
	if (status == RSTAR_OK)
		status =
			rstar_remote_model_create(http, server, facts->model, facts->api, &entry->model, &err);
	if (status != RSTAR_OK)
	{
		free(entry);
		rstar_pg_raise(status, &err);
	}
	entry->model_id = row->model_id;
	entry->role = GetUserId();
	entry->next = entries;
	entries = entry;
	return entry;
}

static void
check_kind(const rstar_model_row *row, rstar_remote_api api, bool scores)
{
	if ((api >= RSTAR_REMOTE_POOLING) != scores)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						scores ? errmsg("model \"%s\" writes texts and does not score", row->name)
							   : errmsg("model \"%s\" scores and does not write", row->name)));
}

rstar_remote_model *
rstar_pg_remote_open(const rstar_model_row *row, bool scores)
{
	rstar_guard *guard = rstar_pg_guard_create(CurrentMemoryContext, unpin);
	rstar_http_limits limits = rstar_pg_remote_limits();
	rstar_remote_facts facts;
	remote_entry *entry;
	char *key;

	rstar_pg_remote_facts(row, &facts);
	check_kind(row, facts.api, scores);
	rstar_pg_remote_check_host(&facts.address);
	key = rstar_pg_remote_key(facts.server, &facts.address);
	entry = find_entry(row, &facts, key);
	if (!entry)
		entry = new_entry(row, &facts, key, &limits);
	if (key)
		explicit_bzero(key, strlen(key));
	entry->pins++;
	rstar_pg_guard_hold(guard, entry);
	free_others(row, entry);
	rstar_http_server_limit(rstar_remote_model_server(entry->model), &limits);
	return entry->model;
}

#define WAIT_MS 10 /* between two looks for interrupts */

void
rstar_pg_remote_wait(rstar_remote_model *model, rstar_remote_job *job)
{
	rstar_status status;
	rstar_error err;

	while ((status = rstar_remote_job_poll(job, &err)) == RSTAR_AGAIN)
	{
		CHECK_FOR_INTERRUPTS();
		rstar_check(rstar_http_work(rstar_remote_model_http(model), WAIT_MS, -1, &err), &err);
	}
	rstar_check(status, &err);
}
