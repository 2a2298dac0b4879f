/*
 * cache.h
 *	  The models that this session has open.
 *
 * Opening one maps the file (whose pages all sessions share) and builds the
 * tokenizer's tables: milliseconds, and then free for the rest of the session.
 * An entry is keyed by the row's id and checksum, so a model that was dropped,
 * replaced or made again is never mistaken for another; the row itself is read
 * at every call. The least recently used entries beyond
 * rstar.max_cached_models are closed.
 */
#ifndef RSTAR_PG_MODELS_CACHE_H
#define RSTAR_PG_MODELS_CACHE_H

#include "postgres.h"

#include "core/engine/engine.h"
#include "core/model/gguf.h"
#include "core/model/weights.h"
#include "core/text/tokenizer.h"
#include "pg/models/models.h"

/* Handles belong to the cache. weights and engine are NULL unless asked for. */
typedef struct rstar_open_model
{
	rstar_gguf *gguf;
	rstar_tokenizer *tokenizer;
	rstar_weights *weights;
	rstar_engine *engine;
} rstar_open_model;

/*
 * The model's tokenizer, and with _engine also its weights and an engine made
 * for the settings in force (it has no job under way). Stays open until the
 * current memory context is reset. Raises what opening raises.
 */
extern const rstar_open_model *rstar_pg_model_open_tokenizer(const rstar_model_row *row);
extern const rstar_open_model *rstar_pg_model_open_engine(const rstar_model_row *row);

/* Give back the memory of KV caches that no sequence holds. */
extern void rstar_pg_model_cache_trim(void);

/* Close what is open of that model, unless it is in use. */
extern void rstar_pg_model_cache_forget(int64 model_id);

#endif
