/*
 * calibration.h
 *	  A model's calibration as jsonb, in rstar.models.calibration:
 *
 *		{"weights": [14 numbers],			of rstar_confidence; the last may be missing, and are 0
 *		 "problems": n, "answered": n, "right": n, "error": number,
 *		 "bins": [[n, right, confidence], … 10],		as rstar_reliability
 *		 "levels": [[given, wrong], … 21]}
 *
 * All but the weights is what rstar_calibrate measured, each problem under a
 * calibration that was fitted without it.
 */
#ifndef RSTAR_PG_SEARCH_CALIBRATION_H
#define RSTAR_PG_SEARCH_CALIBRATION_H

#include "postgres.h"
#include "utils/jsonb.h"

#include "core/search/confidence.h"
#include "core/search/reliability.h"

extern Jsonb *rstar_pg_calibration_to_jsonb(const rstar_calibration *calibration,
											const rstar_reliability *reliability);

/*
 * NULL gives a calibration that is not fitted. Raises ERRCODE_DATA_CORRUPTED if
 * the object is none that was made so.
 */
extern void rstar_pg_calibration_from_jsonb(Jsonb *object, rstar_calibration *calibration);
extern void rstar_pg_reliability_from_jsonb(Jsonb *object, rstar_reliability *reliability);

#endif
