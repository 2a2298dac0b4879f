/*
 * remote.h
 *	  Models on other servers: their rows, and what this session has open of them.
 *
 * The row's column `remote` says where the model is (url), what the server calls it (model), how it is
 * asked (api), and perhaps the foreign server whose user mappings hold the key (server).
 * Nothing of that is believed: at every use the host must be among rstar.remote_hosts,
 * as they are then, and the key must be to be had by the role at hand.
 */
#ifndef RSTAR_PG_MODELS_REMOTE_H
#define RSTAR_PG_MODELS_REMOTE_H

#include "postgres.h"

#include "core/remote/model.h"
#include "pg/models/models.h"

/* What the column says; strings are palloc'd. */
typedef struct rstar_remote_facts
{
	rstar_address address;
	char *url;
	char *model;
	rstar_remote_api api;
	char *server; /* NULL: none */
} rstar_remote_facts;

/* Raises unless the row is one that rstar_model_remote made. */
extern void rstar_pg_remote_facts(const rstar_model_row *row, rstar_remote_facts *facts);

/* The address as it was understood; palloc'd. */
extern char *rstar_pg_remote_address_text(const rstar_address *address);

/* Raises unless the host is among those of rstar.remote_hosts. */
extern void rstar_pg_remote_check_host(const rstar_address *address);

/*
 * The model, ready to be asked with the limits in force, as one that scores or one that
 * writes; stays open until the current memory context is reset, and connections are kept
 * beyond it. Raises for hosts and keys that may not be used, and for the other kind of model.
 */
extern rstar_remote_model *rstar_pg_remote_open(const rstar_model_row *row, bool scores);

/* Wait until the job is done, serving interrupts; raises if it fails. */
extern void rstar_pg_remote_wait(rstar_remote_model *model, rstar_remote_job *job);

/* Raises for a model on another server: `what` needs its file. */
extern void rstar_pg_model_require_file(const rstar_model_row *row);

#endif
