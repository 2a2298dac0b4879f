/*
 * json.h
 *	  Members of json objects.
 */
#ifndef RSTAR_PG_BASE_JSON_H
#define RSTAR_PG_BASE_JSON_H

#include "postgres.h"
#include "utils/jsonb.h"

/* {}, palloc'd. */
extern Jsonb *rstar_pg_json_empty(void);

/* The member of that name, or NULL; also NULL if it is no object. */
extern JsonbValue *rstar_pg_json_member(JsonbContainer *object, const char *name);

/* Its string, palloc'd, or NULL; its number, false if it is none. */
extern char *rstar_pg_json_text(JsonbContainer *object, const char *name);
extern bool rstar_pg_json_number(JsonbContainer *object, const char *name, double *value);

#endif
