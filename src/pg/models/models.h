/*
 * models.h
 *	  The rows of rstar.models, and the directory that their files live in.
 *
 * Reading a row needs no privilege on the table, since whoever may call the
 * functions may use every registered model; it takes no lock beyond the
 * table's and works on a standby. Rows are written as the table's owner.
 */
#ifndef RSTAR_PG_MODELS_MODELS_H
#define RSTAR_PG_MODELS_MODELS_H

#include "postgres.h"
#include "utils/jsonb.h"

/* One row. Strings are palloc'd; NULL where the column is NULL. */
typedef struct rstar_model_row
{
	int64 model_id;
	char *name;
	char *role;
	char *path; /* NULL for a model on another server, and file_size is 0 */
	char *sha256;
	int64 file_size;
	char *file_id; /* what rstar_store_identity says of the file; NULL: unknown */
	char *architecture;
	int64 parameters;
	char *file_type;
	int32 context_length;
	char *prompt_template;
	Jsonb *defaults;
	Jsonb *calibration; /* see pg/search/calibration.h; NULL: none */
	bool builtin;
	Jsonb *remote;      /* see remote.h; NULL: the model is a file here */
	int64 parent_id;    /* 0: none */
	bool choose_prompt; /* no column: without a template take the one of the model's family */
} rstar_model_row;

/* Users' models are numbered from here; the extension's own below. */
#define RSTAR_MODEL_FIRST_ID 1000

/* A path that begins so means a file in the share directory. */
#define RSTAR_MODEL_SHARE "$share/"

/* Names that begin so are the extension's own. */
#define RSTAR_MODEL_RESERVED "rstar-"

#define RSTAR_ROLE_POLICY     "policy"
#define RSTAR_ROLE_PPM        "ppm"
#define RSTAR_ROLE_VOCABULARY "vocabulary"

/* The model of that name; raises ERRCODE_UNDEFINED_OBJECT if there is none. */
extern rstar_model_row *rstar_pg_model_find(const char *name);

/* The same, or NULL. */
extern rstar_model_row *rstar_pg_model_find_name(const char *name);

/* The model of that number, or NULL. */
extern rstar_model_row *rstar_pg_model_find_id(int64 model_id);

/*
 * The model that a call means: the caller's argument (NULL: not given), else
 * the setting rstar.policy or rstar.ppm, else the built-in model of that role.
 * Raises if there is none.
 */
extern rstar_model_row *rstar_pg_model_resolve(text *argument, const char *role);

/* The same, or NULL where nothing names one; an empty argument means no PPM at all. */
extern rstar_model_row *rstar_pg_model_resolve_optional(text *argument, const char *role);

/*
 * Defaults of a model that is made from this one: all but min_confidence, which means something
 * only with the calibration of its own model. Palloc'd, or NULL.
 */
extern Jsonb *rstar_pg_model_inherited_defaults(const rstar_model_row *from);

/*
 * Insert a row; model_id, builtin and created_at of *row are ignored. Returns
 * the new id. Raises ERRCODE_DUPLICATE_OBJECT if the name is taken.
 */
extern int64 rstar_pg_model_insert(const rstar_model_row *row);

/*
 * Insert the row of a model that comes with the extension, with the model_id of
 * *row (below RSTAR_MODEL_FIRST_ID), or bring the row with that id up to date.
 */
extern void rstar_pg_model_put_builtin(const rstar_model_row *row);

/*
 * Keep a calibration, and with it the model's default for min_confidence. Raises
 * ERRCODE_UNDEFINED_OBJECT if the model is gone.
 */
extern void rstar_pg_model_calibrate(int64 model_id, Jsonb *calibration, double min_confidence);

/* Delete a row. Returns how many other rows refer to the same file. */
extern int64 rstar_pg_model_delete(const rstar_model_row *row);

/* Is the name free? Raises if it is taken, empty or too long: ask before long work. */
extern void rstar_pg_model_check_name(const char *name);

/* All file names that rows refer to at this moment, as a palloc'd array. */
extern char **rstar_pg_model_paths(int *count);

/* Absolute path of rstar.model_directory; palloc'd. */
extern char *rstar_pg_model_directory(void);

/* Absolute path of the directory with shipped models ("$share"); palloc'd. */
extern char *rstar_pg_share_directory(void);

#endif
