/*
 * pairs.h
 *	  Preference pairs out of stored trees.
 */
#ifndef RSTAR_PG_DATA_PAIRS_H
#define RSTAR_PG_DATA_PAIRS_H

#include "postgres.h"

/*
 * Write the pairs of the round's trees that have none yet, as rstar_build_pairs(round_id) does;
 * returns how many. Reads as the current user, and waits for one who builds pairs already.
 */
extern int64 rstar_pg_pairs_build(int64 round_id);

#endif
