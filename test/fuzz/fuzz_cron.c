/*
 * fuzz_cron.c
 *	  Any bytes as a cron expression: what is accepted names a time that matches it, later
 *	  than the one it started from.
 */
#include <stdint.h>
#include <stdlib.h>

#include "core/base/cron.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	rstar_cron_time t = {2026, 2, 27, 23, 58};
	rstar_cron cron;
	rstar_error err;

	if (rstar_cron_parse((const char *) data, size, &cron, &err) != RSTAR_OK)
		return 0;
	if (!cron.minutes || !cron.hours || !cron.days || !cron.months || !cron.weekdays)
		abort();
	if (!rstar_cron_next(&cron, &t))
		return 0;
	if (!(cron.minutes >> t.minute & 1) || !(cron.hours >> t.hour & 1) ||
		!(cron.months >> t.month & 1) || t.year < 2026 ||
		(t.year == 2026 && (t.month < 2 || (t.month == 2 && t.day < 27))))
		abort();
	return 0;
}
