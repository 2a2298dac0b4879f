/*
 * test_cron.c
 *	  Cron expressions: what is read, what is refused, and that the next time is the one
 *	  that stepping through every minute finds.
 */
#include "check.h"

#include <time.h>

#include "core/base/cron.h"

static rstar_status
parse(const char *text, rstar_cron *cron)
{
	rstar_error err;

	return rstar_cron_parse(text, strlen(text), cron, &err);
}

static void
what_is_read(void)
{
	rstar_cron cron;

	CHECK(parse("0 3 * * *", &cron) == RSTAR_OK);
	CHECK(cron.minutes == 1 && cron.hours == 8 && cron.any_day && cron.any_weekday);
	CHECK(parse("*/15 8-18/5 1,15 jan-Mar mon-fri", &cron) == RSTAR_OK);
	CHECK(cron.minutes == (1ull | 1ull << 15 | 1ull << 30 | 1ull << 45));
	CHECK(cron.hours == (1ull << 8 | 1ull << 13 | 1ull << 18));
	CHECK(cron.days == (1ull << 1 | 1ull << 15) && cron.months == 0xe && cron.weekdays == 0x3e);
	CHECK(!cron.any_day && !cron.any_weekday);
	CHECK(parse("  5\t0  * *   7 ", &cron) == RSTAR_OK);
	CHECK(cron.weekdays == 0x81);
	CHECK(parse("50/4 * * * *", &cron) == RSTAR_OK);
	CHECK(cron.minutes == (1ull << 50 | 1ull << 54 | 1ull << 58));
	CHECK(parse("@Daily", &cron) == RSTAR_OK);
	CHECK(cron.minutes == 1 && cron.hours == 1 && cron.any_day);
}

static void
what_is_refused(void)
{
	static const char *const wrong[] = {"",
										"* * * *",
										"* * * * * *",
										"60 * * * *",
										"* 24 * * *",
										"* * 0 * *",
										"* * 32 * *",
										"* * * 0 *",
										"* * * 13 *",
										"* * * * 8",
										"-1 * * * *",
										"1- * * * *",
										"5-3 * * * *",
										"*/0 * * * *",
										"*/ * * * *",
										"1,, * * * *",
										", * * * *",
										"1a * * * *",
										"* * * foo *",
										"* * * * mo",
										"99999999999 * * * *",
										"@often",
										"@",
										"* * * janu *",
										"1 hour"};
	rstar_cron cron;

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		CHECK_MSG(parse(wrong[i], &cron) == RSTAR_ERR_ARGUMENT, "%s", wrong[i]);
}

static void
never(void)
{
	rstar_cron_time t = {2026, 1, 1, 0, 0};
	rstar_cron cron;

	CHECK(parse("0 0 31 2 *", &cron) == RSTAR_OK);
	CHECK(!rstar_cron_next(&cron, &t));
	t = (rstar_cron_time){1896, 3, 1, 0, 0};
	CHECK(parse("0 0 29 feb *", &cron) == RSTAR_OK);
	CHECK(rstar_cron_next(&cron, &t) && t.year == 1904 && t.month == 2 && t.day == 29);
}

/* --- against the C library's calendar ------------------------------------------------- */

static bool
matches(const rstar_cron *cron, const struct tm *tm)
{
	bool day = cron->days >> tm->tm_mday & 1;
	bool weekday = cron->weekdays >> tm->tm_wday & 1;
	bool on_day = cron->any_day || cron->any_weekday ? day && weekday : day || weekday;

	return on_day && (cron->minutes >> tm->tm_min & 1) && (cron->hours >> tm->tm_hour & 1) &&
		   (cron->months >> (tm->tm_mon + 1) & 1);
}

static time_t
next_by_stepping(const rstar_cron *cron, time_t from)
{
	struct tm tm;

	do
	{
		from += 60;
		gmtime_r(&from, &tm);
	} while (!matches(cron, &tm));
	return from;
}

static time_t
next_by_rule(const rstar_cron *cron, time_t from)
{
	struct tm tm;
	rstar_cron_time t;

	gmtime_r(&from, &tm);
	t = (rstar_cron_time){tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min};
	if (!rstar_cron_next(cron, &t))
		return 0;
	tm = (struct tm){.tm_year = t.year - 1900,
					 .tm_mon = t.month - 1,
					 .tm_mday = t.day,
					 .tm_hour = t.hour,
					 .tm_min = t.minute};
	return timegm(&tm);
}

static void
same_as_stepping(void)
{
	static const char *const texts[] = {
		"* * * * *",     "17 3 * * *", "0 0 29 2 *",     "*/7 */5 * * mon",    "30 12 13 * fri",
		"59 23 31 12 *", "0 0 1 * *",  "5 4 */10 * sun", "0 22 * jun-aug 1-5", "1,2 0,12 15 3,9 6"};
	uint64_t state = 1;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
	{
		rstar_cron cron;

		CHECK(parse(texts[i], &cron) == RSTAR_OK);
		for (int k = 0; k < 20; k++)
		{
			time_t from;

			state = state * 6364136223846793005u + 1442695040888963407u;
			from = (time_t) (state >> 33) / 60 * 60; /* 1970 to 2038 */
			CHECK_MSG(next_by_rule(&cron, from) == next_by_stepping(&cron, from), "%s from %ld",
					  texts[i], (long) from);
		}
	}
}

int
main(void)
{
	RUN(what_is_read);
	RUN(what_is_refused);
	RUN(never);
	RUN(same_as_stepping);
	return CHECK_RESULT();
}
