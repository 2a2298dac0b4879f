/*
 * picture.h
 *	  Stored trees as pictures.
 */
#ifndef RSTAR_PG_DATA_PICTURE_H
#define RSTAR_PG_DATA_PICTURE_H

#include "postgres.h"

/* The picture of a tree, read as the caller; raises if there is no such tree. palloc'd. */
extern text *rstar_pg_tree_svg(int64 tree_id);

#endif
