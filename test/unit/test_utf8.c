/*
 * test_utf8.c
 *	  UTF-8: every code point there and back, what is refused, where to cut.
 */
#include "check.h"
#include "core/text/utf8.h"

static void
every_code_point(void)
{
	char text[4];
	uint32_t code = 0;

	for (uint32_t c = 0; c <= 0x10FFFF; c++)
	{
		size_t length = rstar_utf8_encode(c, text);
		size_t read = rstar_utf8_decode(text, length, &code);
		bool surrogate = c >= 0xD800 && c <= 0xDFFF;

		if (surrogate ? read != 0 : read != length || code != c)
			CHECK_MSG(false, "U+%04X", c);
		if (!surrogate && length > 1 && rstar_utf8_decode(text, length - 1, &code) != 0)
			CHECK_MSG(false, "U+%04X cut short", c);
	}
}

static void
refused(void)
{
	static const char *const bad[] = {"\x80",
									  "\xBF",
									  "\xC0\x80",
									  "\xC1\xBF",
									  "\xE0\x9F\xBF",
									  "\xED\xA0\x80",
									  "\xF0\x8F\xBF\xBF",
									  "\xF4\x90\x80\x80",
									  "\xF5\x80\x80\x80",
									  "\xFF",
									  "\xC3(",
									  "\xE2\x82("};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_MSG(!rstar_utf8_valid(bad[i], strlen(bad[i])), "case %zu", i);
	CHECK(rstar_utf8_valid("", 0));
	CHECK(rstar_utf8_valid("a\0b", 3));
	CHECK(rstar_utf8_valid("\xF0\x9F\x98\x80", 4));
}

static void
complete_prefix(void)
{
	const char *text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z";
	static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};

	for (size_t n = 0; n <= strlen(text); n++)
		CHECK_MSG(rstar_utf8_complete_prefix(text, n) == expected[n], "%zu bytes", n);

	/* What cannot become a character is not held back. */
	CHECK(rstar_utf8_complete_prefix("a\x80", 2) == 2);
	CHECK(rstar_utf8_complete_prefix("\x80\x80\x80\x80", 4) == 4);
	CHECK(rstar_utf8_complete_prefix("a\xFF", 2) == 2);
	CHECK(rstar_utf8_complete_prefix("\xE0\x80", 2) == 2);
	CHECK(rstar_utf8_complete_prefix("\xE0\xA0", 2) == 0);
	CHECK(rstar_utf8_complete_prefix("\xF0\x9F\x98", 3) == 0);
	CHECK(rstar_utf8_complete_prefix("\xC3\xA9\x80", 3) == 3);
}

/* However a text is cut into pieces, showing complete prefixes gives the text. */
static void
streaming(void)
{
	const char *text = "\xE2\x82\xAC 1 \xF0\x9F\x98\x80\xC3\xA9\xFF\xE2\x82x\xED\xA0\x80";
	size_t length = strlen(text);

	for (size_t step = 1; step < 6; step++)
	{
		size_t shown = 0;

		for (size_t have = 0; have <= length; have += step)
		{
			size_t end = shown + rstar_utf8_complete_prefix(text + shown, have - shown);

			CHECK(end >= shown && have - end <= 3);
			shown = end;
		}
	}
}

static void
clean(void)
{
	rstar_buffer out;

	rstar_buffer_init(&out, &rstar_allocator_malloc);
	CHECK(rstar_utf8_append_clean(&out, "a\0b\xFF\xE2\x82z\xC3\xA9", 9));
	CHECK_STR(out.data, "a\xEF\xBF\xBD"
						"b\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz\xC3\xA9");
	CHECK(rstar_utf8_valid(out.data, out.length));
	rstar_buffer_free(&out);
}

int
main(void)
{
	RUN(every_code_point);
	RUN(refused);
	RUN(complete_prefix);
	RUN(streaming);
	RUN(clean);
	return CHECK_RESULT();
}
