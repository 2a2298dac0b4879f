/*
 * fuzz_config.c
 *	  Any JSON as the config.json of a Hugging Face model.
 */
#include <stdint.h>
#include <stdlib.h>

#include "core/model/import_parts.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *config = json_loadb((const char *) data, size, JSON_REJECT_DUPLICATES, NULL);
	rstar_import_config out;
	rstar_error err;

	if (config && rstar_import_read_config(config, &out, &err) == RSTAR_OK)
	{
		/* what is accepted keeps every bound */
		if (rstar_hparams_check(&out.hparams, &err) != RSTAR_OK ||
			out.n_factors > RSTAR_MAX_HEAD_DIM / 2)
			abort();
	}
	json_decref(config);
	return 0;
}
