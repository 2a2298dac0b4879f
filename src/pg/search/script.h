/*
 * script.h
 *	  A script in the place of the models, for tests of the search itself.
 *
 * The script is an array of arrays of candidates: node i of the tree gets those
 * of element i modulo the length. A candidate is an object: "text", the node's
 * text with its tags; "score", as if from a PPM; "status", a node's status, in
 * which case its code does not run.
 */
#ifndef RSTAR_PG_SEARCH_SCRIPT_H
#define RSTAR_PG_SEARCH_SCRIPT_H

#include "postgres.h"

#include "pg/search/options.h"

/* Fill setup (from the settings) and parts. Raises if the script is not of that form. */
extern void rstar_pg_search_script_open(Jsonb *script, bool ppm, rstar_search_setup *setup,
										rstar_search_parts *parts);

#endif
