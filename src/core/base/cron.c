/*
 * cron.c
 *	  Cron expressions.
 */
#include "core/base/cron.h"

#include <string.h>
#include <strings.h>

#define LONGEST 1000

/* The next leap day may be eight years away (1896 to 1904). */
#define MOST_YEARS 9

typedef struct field
{
	const char *name;
	int min, max;
	const char *names; /* three letters each, the first of value min; NULL: none */
	size_t offset;
} field;

static const field fields[] = {
	{"minute", 0, 59, NULL, offsetof(rstar_cron, minutes)},
	{"hour", 0, 23, NULL, offsetof(rstar_cron, hours)},
	{"day", 1, 31, NULL, offsetof(rstar_cron, days)},
	{"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec", offsetof(rstar_cron, months)},
	{"weekday", 0, 7, "sunmontuewedthufrisat", offsetof(rstar_cron, weekdays)},
};

#define N_FIELDS ((int) (sizeof fields / sizeof fields[0]))

static const struct
{
	const char *name;
	const char *meaning;
} macros[] = {{"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
			  {"@weekly", "0 0 * * 0"},  {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
			  {"@annually", "0 0 1 1 *"}};

/* --- reading ------------------------------------------------------------------------ */

typedef struct reader
{
	const char *at, *end;
} reader;

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
take(reader *r, char c)
{
	if (r->at == r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

/* A number of at most four digits; -1: none is there. */
static int
take_number(reader *r)
{
	const char *start = r->at;
	int value = 0;

	while (r->at < r->end && is_digit(*r->at) && r->at - start < 4)
		value = value * 10 + (*r->at++ - '0');
	return r->at == start || (r->at < r->end && is_digit(*r->at)) ? -1 : value;
}

/* A number or a name, in the field's range; -1: neither. */
static int
take_value(reader *r, const field *f)
{
	int value;

	if (f->names && r->end - r->at >= 3)
		for (int i = 0; f->names[3 * i]; i++)
			if (strncasecmp(r->at, f->names + 3 * i, 3) == 0)
			{
				r->at += 3;
				return f->min + i;
			}
	value = take_number(r);
	return value < f->min || value > f->max ? -1 : value;
}

static bool
take_part(reader *r, const field *f, uint64_t *bits)
{
	int first = f->min, last = f->max, step = 1;

	if (!take(r, '*'))
	{
		first = last = take_value(r, f);
		if (first < 0)
			return false;
		if (take(r, '-'))
			last = take_value(r, f);
		else if (r->at < r->end && *r->at == '/')
			last = f->max;
		if (last < first)
			return false;
	}
	if (take(r, '/'))
		step = take_number(r);
	if (step < 1)
		return false;
	for (int value = first; value <= last; value += step)
		*bits |= (uint64_t) 1 << value;
	return true;
}

static bool
take_field(reader *r, const field *f, uint64_t *bits)
{
	*bits = 0;
	do
		if (!take_part(r, f, bits))
			return false;
	while (take(r, ','));
	return r->at == r->end || is_blank(*r->at);
}

static void
skip_blanks(reader *r)
{
	while (r->at < r->end && is_blank(*r->at))
		r->at++;
}

static rstar_status
take_fields(reader *r, rstar_cron *out, rstar_error *err)
{
	for (int i = 0; i < N_FIELDS; i++)
	{
		uint64_t *bits = (uint64_t *) ((char *) out + fields[i].offset);
		bool star;

		skip_blanks(r);
		if (r->at == r->end)
			return rstar_error_set(err, RSTAR_ERR_ARGUMENT,
								   "a cron expression has five fields, the %s is missing",
								   fields[i].name);
		star = *r->at == '*';
		if (i == 2)
			out->any_day = star;
		if (i == 4)
			out->any_weekday = star;
		if (!take_field(r, &fields[i], bits))
			return rstar_error_set(err, RSTAR_ERR_ARGUMENT,
								   "the %s of the cron expression is not understood",
								   fields[i].name);
	}
	skip_blanks(r);
	if (r->at < r->end)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT,
							   "a cron expression has five fields, this one has more");
	return RSTAR_OK;
}

rstar_status
rstar_cron_parse(const char *text, size_t length, rstar_cron *out, rstar_error *err)
{
	reader r = {text, text + length};
	rstar_status status;

	*out = (rstar_cron){0};
	if (length > LONGEST)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "a cron expression has at most %d bytes",
							   LONGEST);
	for (size_t i = 0; i < sizeof macros / sizeof macros[0]; i++)
		if (length == strlen(macros[i].name) && strncasecmp(text, macros[i].name, length) == 0)
			r = (reader){macros[i].meaning, macros[i].meaning + strlen(macros[i].meaning)};
	status = take_fields(&r, out, err);
	/* 7 is Sunday too. */
	if (out->weekdays & 0x80)
		out->weekdays |= 1;
	return status;
}

/* --- the calendar ---------------------------------------------------------------------- */

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
days_of(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* 0 is Sunday. The days before each month, from March on, make the shortest formula (Sakamoto). */
static int
weekday_of(int year, int month, int day)
{
	static const int shift[] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};
	int y = month < 3 ? year - 1 : year;

	return (y + y / 4 - y / 100 + y / 400 + shift[month - 1] + day) % 7;
}

static bool
has(uint64_t bits, int value)
{
	return (bits >> value) & 1;
}

static bool
matches_day(const rstar_cron *cron, const rstar_cron_time *t)
{
	bool day = has(cron->days, t->day);
	bool weekday = has(cron->weekdays, weekday_of(t->year, t->month, t->day));

	if (cron->any_day || cron->any_weekday)
		return day && weekday;
	return day || weekday;
}

static void
next_month(rstar_cron_time *t)
{
	t->day = 1;
	t->hour = t->minute = 0;
	if (++t->month <= 12)
		return;
	t->month = 1;
	t->year++;
}

static void
next_day(rstar_cron_time *t)
{
	t->hour = t->minute = 0;
	if (++t->day > days_of(t->year, t->month))
		next_month(t);
}

static void
next_hour(rstar_cron_time *t)
{
	t->minute = 0;
	if (++t->hour == 24)
		next_day(t);
}

static void
next_minute(rstar_cron_time *t)
{
	if (++t->minute == 60)
		next_hour(t);
}

bool
rstar_cron_next(const rstar_cron *cron, rstar_cron_time *t)
{
	int last_year = t->year + MOST_YEARS;

	next_minute(t);
	while (t->year <= last_year)
	{
		if (!has(cron->months, t->month))
			next_month(t);
		else if (!matches_day(cron, t))
			next_day(t);
		else if (!has(cron->hours, t->hour))
			next_hour(t);
		else if (!has(cron->minutes, t->minute))
			next_minute(t);
		else
			return true;
	}
	return false;
}
