/*
 * unit.c
 *	  Units behind a number: see unit.h.
 *
 * Factors are exact by definition (international yard and pound, 1959; SI).
 * Temperatures convert by no factor and are units of their own.
 */
#include "core/grade/unit.h"

#include <string.h>

enum
{
	LENGTH,
	TIME,
	MASS,
	DOLLAR,
	EURO,
	POUND_STERLING,
	YEN,
	RUPEE,
	ANGLE,
	CELSIUS,
	FAHRENHEIT,
	KELVIN,
	CURRENT,
	AMOUNT,
	BITS,
	DIMENSIONS
};

typedef struct unit_entry
{
	const char *word;
	int8_t dimension;
	int8_t power;
	int8_t mass; /* of composed units: kg m^2 s^-2 has 1, 2, -2 */
	int8_t time;
	int64_t num;
	int64_t den;
} unit_entry;

/* Base units: metre, second, gram, dollar, degree. */
static const unit_entry units[] = {
	{"m", LENGTH, 1, 0, 0, 1, 1},
	{"meter", LENGTH, 1, 0, 0, 1, 1},
	{"metre", LENGTH, 1, 0, 0, 1, 1},
	{"dm", LENGTH, 1, 0, 0, 1, 10},
	{"decimeter", LENGTH, 1, 0, 0, 1, 10},
	{"cm", LENGTH, 1, 0, 0, 1, 100},
	{"centimeter", LENGTH, 1, 0, 0, 1, 100},
	{"centimetre", LENGTH, 1, 0, 0, 1, 100},
	{"mm", LENGTH, 1, 0, 0, 1, 1000},
	{"millimeter", LENGTH, 1, 0, 0, 1, 1000},
	{"millimetre", LENGTH, 1, 0, 0, 1, 1000},
	{"micrometer", LENGTH, 1, 0, 0, 1, 1000000},
	{"nanometer", LENGTH, 1, 0, 0, 1, 1000000000},
	{"km", LENGTH, 1, 0, 0, 1000, 1},
	{"kilometer", LENGTH, 1, 0, 0, 1000, 1},
	{"kilometre", LENGTH, 1, 0, 0, 1000, 1},
	{"in", LENGTH, 1, 0, 0, 254, 10000},
	{"inch", LENGTH, 1, 0, 0, 254, 10000},
	{"inche", LENGTH, 1, 0, 0, 254, 10000},
	{"ft", LENGTH, 1, 0, 0, 3048, 10000},
	{"foot", LENGTH, 1, 0, 0, 3048, 10000},
	{"feet", LENGTH, 1, 0, 0, 3048, 10000},
	{"yd", LENGTH, 1, 0, 0, 9144, 10000},
	{"yard", LENGTH, 1, 0, 0, 9144, 10000},
	{"mi", LENGTH, 1, 0, 0, 1609344, 1000},
	{"mile", LENGTH, 1, 0, 0, 1609344, 1000},
	{"s", TIME, 1, 0, 0, 1, 1},
	{"sec", TIME, 1, 0, 0, 1, 1},
	{"second", TIME, 1, 0, 0, 1, 1},
	{"ms", TIME, 1, 0, 0, 1, 1000},
	{"millisecond", TIME, 1, 0, 0, 1, 1000},
	{"microsecond", TIME, 1, 0, 0, 1, 1000000},
	{"nanosecond", TIME, 1, 0, 0, 1, 1000000000},
	{"min", TIME, 1, 0, 0, 60, 1},
	{"minute", TIME, 1, 0, 0, 60, 1},
	{"h", TIME, 1, 0, 0, 3600, 1},
	{"hr", TIME, 1, 0, 0, 3600, 1},
	{"hour", TIME, 1, 0, 0, 3600, 1},
	{"day", TIME, 1, 0, 0, 86400, 1},
	{"week", TIME, 1, 0, 0, 604800, 1},
	{"fortnight", TIME, 1, 0, 0, 1209600, 1},
	{"g", MASS, 1, 0, 0, 1, 1},
	{"gm", MASS, 1, 0, 0, 1, 1},
	{"gram", MASS, 1, 0, 0, 1, 1},
	{"mg", MASS, 1, 0, 0, 1, 1000},
	{"milligram", MASS, 1, 0, 0, 1, 1000},
	{"microgram", MASS, 1, 0, 0, 1, 1000000},
	{"kg", MASS, 1, 0, 0, 1000, 1},
	{"kilogram", MASS, 1, 0, 0, 1000, 1},
	{"tonne", MASS, 1, 0, 0, 1000000, 1},
	{"lb", MASS, 1, 0, 0, 45359237, 100000},
	{"pound", MASS, 1, 0, 0, 45359237, 100000},
	{"oz", MASS, 1, 0, 0, 45359237, 1600000},
	{"ounce", MASS, 1, 0, 0, 45359237, 1600000},
	{"ton", MASS, 1, 0, 0, 45359237, 50},
	{"l", LENGTH, 3, 0, 0, 1, 1000},
	{"liter", LENGTH, 3, 0, 0, 1, 1000},
	{"litre", LENGTH, 3, 0, 0, 1, 1000},
	{"ml", LENGTH, 3, 0, 0, 1, 1000000},
	{"milliliter", LENGTH, 3, 0, 0, 1, 1000000},
	{"millilitre", LENGTH, 3, 0, 0, 1, 1000000},
	{"centiliter", LENGTH, 3, 0, 0, 1, 100000},
	{"cc", LENGTH, 3, 0, 0, 1, 1000000},
	{"hectare", LENGTH, 2, 0, 0, 10000, 1},
	{"dollar", DOLLAR, 1, 0, 0, 1, 1},
	{"usd", DOLLAR, 1, 0, 0, 1, 1},
	{"buck", DOLLAR, 1, 0, 0, 1, 1},
	{"cent", DOLLAR, 1, 0, 0, 1, 100},
	{"penny", DOLLAR, 1, 0, 0, 1, 100},
	{"pennie", DOLLAR, 1, 0, 0, 1, 100},
	{"euro", EURO, 1, 0, 0, 1, 1},
	{"eur", EURO, 1, 0, 0, 1, 1},
	{"sterling", POUND_STERLING, 1, 0, 0, 1, 1},
	{"yen", YEN, 1, 0, 0, 1, 1},
	{"rupee", RUPEE, 1, 0, 0, 1, 1},
	{"degree", ANGLE, 1, 0, 0, 1, 1},
	{"deg", ANGLE, 1, 0, 0, 1, 1},
	{"celsius", CELSIUS, 1, 0, 0, 1, 1},
	{"fahrenheit", FAHRENHEIT, 1, 0, 0, 1, 1},
	{"kelvin", KELVIN, 1, 0, 0, 1, 1},
	{"ampere", CURRENT, 1, 0, 0, 1, 1},
	{"mol", AMOUNT, 1, 0, 0, 1, 1},
	{"mole", AMOUNT, 1, 0, 0, 1, 1},
	{"bit", BITS, 1, 0, 0, 1, 1},
	{"byte", BITS, 1, 0, 0, 8, 1},
	{"newton", LENGTH, 1, 1, -2, 1000, 1},
	{"joule", LENGTH, 2, 1, -2, 1000, 1},
	{"watt", LENGTH, 2, 1, -3, 1000, 1},
	{"hz", TIME, -1, 0, 0, 1, 1},
	{"hertz", TIME, -1, 0, 0, 1, 1},
	{"mph", LENGTH, 1, 0, -1, 44704, 100000},
	{"kmh", LENGTH, 1, 0, -1, 10, 36},
	{"kph", LENGTH, 1, 0, -1, 10, 36},
};

static const char *const refused[] = {
	"not",
	"or",
	"and",
	"if",
	"than",
	"least",
	"most",
	"more",
	"less",
	"greater",
	"fewer",
	"about",
	"approximately",
	"around",
	"almost",
	"nearly",
	"negative",
	"minus",
	"plus",
	"times",
	"mod",
	"modulo",
	"none",
	"never",
	"except",
	"only",
	"for",
	"where",
	"when",
	"is",
	"are",
	"was",
	"were",
	"but",
	"with",
	"without",
	"to",
	"from",
	"above",
	"below",
	"over",
	"under",
	"between",
	"either",
	"both",
	"neither",
	"no",
	"yes",
	"true",
	"false",
	"divided",
	"multiplied",
	"squared",
	"cubed",
	"remainder",
	"half",
	"third",
	"quarter",
	"double",
	"twice",
	"thrice",
	"such",
	"that",
	"which",
	"because",
	"since",
	"so",
	"then",
	"hence",
	"thus",
	"wrong",
	"incorrect",
	"incorrectly",
	"any",
	"every",
	"factorial",
	"choose",
	"power",
	"root",
	"am",
	"pm",
	"base",
	"odd",
	"even",
	"up",
	"down",
	"other",
	"repeating",
	"recurring",
	"repeated",
	"inverse",
	"minimum",
	"maximum",
	"upwards",
	"onwards",
	"onward",
	"upward",
	"approx",
	"roughly",
	"something",
	"ish",
	"conjugate",
	"doubled",
	"halved",
	"tripled",
	"quadrupled",
	"halves",
	"thirds",
	"quarters",
	"reversed",
	"negated",
	"opposite",
	"reciprocal",
	"rem",
	"quotient",
	"log",
	"ln",
	"sin",
	"cos",
	"tan",
	"mean",
	"complement",
	"at",
	"also",
	"another",
	"else",
	"otherwise",
	"unless",
	"until",
	"equals",
	"equal",
	"it",
	"this",
	"they",
	"he",
	"she",
	"we",
	"you",
	"maybe",
	"perhaps",
	"probably",
	"possibly",
	"can",
	"cannot",
	"could",
	"would",
	"should",
	"may",
	"might",
	"lakhs",
	"crores",
	"exponent",
	"excluding",
	"including",
	"inclusive",
	"exclusive",
};

/* Words that say nothing about which unit it is. */
static const char *const silent[] = {"of",    "the",  "a",          "an",   "in",
									 "total", "each", "altogether", "old",  "away",
									 "long",  "tall", "wide",       "high", "deep"};

static bool
among(const char *const *list, size_t count, const char *word, size_t length)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(list[i]) == length && memcmp(list[i], word, length) == 0)
			return true;
	return false;
}

#define AMONG(list, word, length) among(list, sizeof(list) / sizeof((list)[0]), word, length)

static int
find_unit(const char *word, size_t length)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strlen(units[i].word) == length && memcmp(units[i].word, word, length) == 0)
			return (int) i;
	return -1;
}

/* Lower case into a buffer, and the plural's s away: the length that remains. */
static size_t
singular(const char *word, size_t length, char *buffer, size_t size)
{
	if (length > size)
		length = size;
	for (size_t i = 0; i < length; i++)
		buffer[i] = word[i] >= 'A' && word[i] <= 'Z' ? (char) (word[i] + 32) : word[i];
	if (length >= 3 && buffer[length - 1] == 's' && buffer[length - 2] != 's' &&
		find_unit(buffer, length) < 0)
		length--;
	return length;
}

bool
rstar_unit_refuses(const char *word, size_t length)
{
	char buffer[32];

	if (length > sizeof(buffer))
		return false;
	for (size_t i = 0; i < length; i++)
		buffer[i] = word[i] >= 'A' && word[i] <= 'Z' ? (char) (word[i] + 32) : word[i];
	return AMONG(refused, buffer, length);
}

int64_t
rstar_unit_multiplier(const char *word, size_t length)
{
	static const struct
	{
		const char *word;
		int64_t factor;
	} scales[] = {{"hundred", 100},
				  {"thousand", 1000},
				  {"million", 1000000},
				  {"billion", 1000000000},
				  {"trillion", 1000000000000},
				  {"lakh", 100000},
				  {"crore", 10000000},
				  {"dozen", 12},
				  {"gross", 144},
				  {"score", 20},
				  {"thousands", 1000},
				  {"millions", 1000000},
				  {"billions", 1000000000},
				  {"lakhs", 100000},
				  {"crores", 10000000},
				  {"hundreds", 100},
				  {"dozens", 12}};

	for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++)
		if (strlen(scales[i].word) == length && memcmp(scales[i].word, word, length) == 0)
			return scales[i].factor;
	return 0;
}

bool
rstar_unit_is_known(const char *word, size_t length)
{
	char buffer[32];

	length = singular(word, length, buffer, sizeof(buffer));
	return find_unit(buffer, length) >= 0;
}

static bool
is_degree(const rstar_unit_term *term)
{
	return term->entry >= 0 && units[term->entry].dimension == ANGLE;
}

static bool
is_temperature(const char *word, size_t length)
{
	int entry = find_unit(word, length);

	return entry >= 0 &&
		   (units[entry].dimension == CELSIUS || units[entry].dimension == FAHRENHEIT);
}

bool
rstar_unit_add(rstar_work *work, rstar_unit *unit, const char *word, size_t length, int power)
{
	char *copy = rstar_arena_alloc(work->arena, length + 1);
	rstar_unit_term *term;

	if (!copy)
		return false;
	length = singular(word, length, copy, length);
	if (power == 1 && AMONG(silent, copy, length) &&
		!(length == 2 && copy[0] == 'i' && unit->n == 0))
		return true;
	if (unit->n == 1 && is_degree(&unit->term[0]) && is_temperature(copy, length))
		unit->n = 0; /* degrees Celsius */
	if (unit->n >= RSTAR_UNIT_TERMS)
		return false;
	term = &unit->term[unit->n++];
	term->word = copy;
	term->length = (uint32_t) length;
	term->entry = (int16_t) find_unit(copy, length);
	term->power = (int16_t) power;
	return true;
}

/* "square" and "cubic" multiply the power of the word behind; "unit" is no unit. */
static void
resolve(const rstar_unit *unit, rstar_unit *out)
{
	int next = 1;

	out->n = 0;
	for (uint32_t i = 0; i < unit->n; i++)
	{
		rstar_unit_term term = unit->term[i];

		if ((term.length == 6 && memcmp(term.word, "square", 6) == 0) ||
			(term.length == 2 && memcmp(term.word, "sq", 2) == 0))
			next = 2;
		else if (term.length == 5 && memcmp(term.word, "cubic", 5) == 0)
			next = 3;
		else
		{
			term.power = (int16_t) (term.power * next);
			next = 1;
			if (!(term.length == 4 && memcmp(term.word, "unit", 4) == 0))
				out->term[out->n++] = term;
		}
	}
}

/* The power of "units" standing for themselves, 0 if the unit is something else. */
static int
bare_power(const rstar_unit *unit)
{
	int power = 1;

	for (uint32_t i = 0; i < unit->n; i++)
	{
		const rstar_unit_term *term = &unit->term[i];

		if (term->length == 6 && memcmp(term->word, "square", 6) == 0)
			power = 2;
		else if (term->length == 2 && memcmp(term->word, "sq", 2) == 0)
			power = 2;
		else if (term->length == 5 && memcmp(term->word, "cubic", 5) == 0)
			power = 3;
		else if (term->length == 4 && memcmp(term->word, "unit", 4) == 0)
			power *= term->power;
		else
			return 0;
	}
	return power;
}

static bool
all_known(const rstar_unit *unit)
{
	for (uint32_t i = 0; i < unit->n; i++)
		if (unit->term[i].entry < 0)
			return false;
	return true;
}

static void
dimensions(const rstar_unit *unit, int total[DIMENSIONS])
{
	memset(total, 0, DIMENSIONS * sizeof(int));
	for (uint32_t i = 0; i < unit->n; i++)
	{
		const unit_entry *entry = &units[unit->term[i].entry];

		total[entry->dimension] += entry->power * unit->term[i].power;
		total[MASS] += entry->mass * unit->term[i].power;
		total[TIME] += entry->time * unit->term[i].power;
	}
}

static bool
total_factor(rstar_work *work, const rstar_unit *unit, rstar_rational *out)
{
	if (!rstar_rational_from_i64(work, 1, 1, out))
		return false;
	for (uint32_t i = 0; i < unit->n; i++)
	{
		const unit_entry *entry = &units[unit->term[i].entry];
		rstar_rational factor;

		if (unit->term[i].power > 9 || unit->term[i].power < -9 ||
			!rstar_rational_from_i64(work, entry->num, entry->den, &factor) ||
			!rstar_rational_pow(work, &factor, unit->term[i].power, &factor) ||
			!rstar_rational_mul(work, out, &factor, out))
			return false;
	}
	return true;
}

static bool
words_within(const rstar_unit *a, const rstar_unit *b)
{
	for (uint32_t i = 0; i < a->n; i++)
	{
		bool found = false;

		for (uint32_t k = 0; k < b->n && !found; k++)
			found = a->term[i].power == b->term[k].power &&
					a->term[i].length == b->term[k].length &&
					memcmp(a->term[i].word, b->term[k].word, a->term[i].length) == 0;
		if (!found)
			return false;
	}
	return true;
}

bool
rstar_unit_convert(rstar_work *work, const rstar_unit *a, const rstar_unit *b,
				   rstar_rational *factor)
{
	rstar_unit x, y;
	rstar_rational fx, fy;
	int dx[DIMENSIONS], dy[DIMENSIONS];

	if (bare_power(a) && bare_power(b) && bare_power(a) != bare_power(b))
		return false; /* square units are no cubic units */
	resolve(a, &x);
	resolve(b, &y);
	if (!rstar_rational_from_i64(work, 1, 1, factor))
		return false;
	if (x.n == 0 || y.n == 0)
		return true;
	if (!all_known(&x) || !all_known(&y))
		return words_within(&x, &y) || words_within(&y, &x);
	dimensions(&x, dx);
	dimensions(&y, dy);
	return memcmp(dx, dy, sizeof(dx)) == 0 && total_factor(work, &x, &fx) &&
		   total_factor(work, &y, &fy) && rstar_rational_div(work, &fx, &fy, factor);
}
