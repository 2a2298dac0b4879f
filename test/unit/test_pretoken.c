/*
 * test_pretoken.c
 *	  The rules that cut text before merging, against Hugging Face's tokenizers:
 *	  test/fixtures/pretokens.bin, which make_pretokens.py writes. PRETOKENS names
 *	  another file of the kind (thousands of random texts, say).
 */
#include "check.h"

#include "core/text/pretoken.h"
#include "core/text/utf8.h"

#define MOST 65536

static bool
read_u32(FILE *file, uint32_t *value)
{
	return fread(value, sizeof *value, 1, file) == 1;
}

/* The ends of the pre-tokens of a text; how many. */
static uint32_t
cut(const rstar_pretoken_rule *rule, const char *text, uint32_t length, uint32_t *ends)
{
	rstar_pretokens pretokens;
	uint32_t n = 0;
	size_t at = 0;

	rstar_pretokens_start(&pretokens, rule, text, length);
	while (at < length)
	{
		size_t end = rstar_pretokens_next(&pretokens, at);

		CHECK(end > at && end <= length);
		if (end <= at || end > length)
			break;
		ends[n++] = (uint32_t) end;
		at = end;
	}
	return n;
}

static void
cuts_as_the_reference_does(void)
{
	const char *path = getenv("PRETOKENS") ? getenv("PRETOKENS") : "test/fixtures/pretokens.bin";
	FILE *file = fopen(path, "rb");
	static char text[MOST];
	static uint32_t wanted[MOST], ends[MOST];
	uint32_t length, bytes, n;
	int texts = 0;

	CHECK(file != NULL);
	while (file && read_u32(file, &length))
	{
		char name[64] = {0};

		CHECK(length < sizeof name && fread(name, 1, length, file) == length);
		CHECK(read_u32(file, &bytes) && bytes <= MOST && fread(text, 1, bytes, file) == bytes);
		CHECK(read_u32(file, &n) && n <= MOST && fread(wanted, sizeof *wanted, n, file) == n);

		const rstar_pretoken_rule *rule = rstar_pretoken_find(name, length);

		CHECK_MSG(rule != NULL, "%s", name);
		if (!rule)
			break;

		uint32_t found = cut(rule, text, bytes, ends);

		CHECK_MSG(found == n && memcmp(ends, wanted, n * sizeof *ends) == 0, "%s: \"%.*s\"", name,
				  (int) bytes, text);
		texts++;
	}
	CHECK(texts > 500);
	if (file)
		fclose(file);
}

/* Long runs of every kind of character: linear time, and nothing lost. */
static void
long_runs_are_linear(void)
{
	static const char *const rules[] = {"qwen2",  "llama-bpe",    "qwen35",         "tekken",
										"gpt-4o", "gpt-2",        "smollm",         "default",
										"falcon", "deepseek-llm", "deepseek-coder", "deepseek-v3"};
	static const char *const runs[] = {" ",         "\n", "a",        "A",
									   "1",         "'",  "\xCC\x81", "\xE4\xB8\xAD",
									   " \n",       "\t", "\xFF",     "\xE2\x80\x83",
									   "A\xCC\x81", "-",  "\x01"};
	static char text[300000];
	static uint32_t ends[300000];

	for (size_t r = 0; r < sizeof rules / sizeof rules[0]; r++)
		for (size_t k = 0; k < sizeof runs / sizeof runs[0]; k++)
		{
			const rstar_pretoken_rule *rule = rstar_pretoken_find(rules[r], strlen(rules[r]));
			uint32_t length = 0;
			uint32_t n;

			while (length + 4 < sizeof text)
			{
				memcpy(text + length, runs[k], strlen(runs[k]));
				length += (uint32_t) strlen(runs[k]);
			}
			text[length++] = 'x';
			n = cut(rule, text, length, ends);
			CHECK(n > 0 && ends[n - 1] == length);
		}
}

static void
unknown_names(void)
{
	CHECK(rstar_pretoken_find("qwen", 4) == NULL);
	CHECK(rstar_pretoken_find("", 0) == NULL);
	CHECK(rstar_pretoken_find("deepseek-r1-qwen", 16) == rstar_pretoken_find("qwen2", 5));
	CHECK(rstar_pretoken_ignores_merges(rstar_pretoken_find("llama3", 6)));
	CHECK(!rstar_pretoken_adds_bos(rstar_pretoken_find("smollm", 6)));
}

int
main(void)
{
	RUN(cuts_as_the_reference_does);
	RUN(long_runs_are_linear);
	RUN(unknown_names);
	return CHECK_RESULT();
}
