/*
 * elsewhere.h
 *	  Models of the server's other databases.
 *
 * All databases of a server share the model directory, and a copy of a database
 * (by restore, or as a template) refers to the files of the original.
 */
#ifndef RSTAR_PG_MODELS_ELSEWHERE_H
#define RSTAR_PG_MODELS_ELSEWHERE_H

#include "postgres.h"

/*
 * Look into every other database that can be connected to, by a background
 * worker in each, whether a model there refers to a file of this name. NULL if
 * none does; else a database that does, or that could not be looked into
 * (*known false then). The caller holds the lock on the file's name.
 */
extern char *rstar_pg_model_file_elsewhere(const char *name, bool *known);

extern PGDLLEXPORT void rstar_pg_elsewhere_main(Datum main_arg);

#endif
