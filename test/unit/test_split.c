/*
 * test_split.c
 *	  Splitting solutions: well-formed ones, and what models really write.
 */
#include "check.h"

#include "core/step/split.h"

/* "code|output|..." with contents: "code1:a=1/answer:5" */
static const char *
split(const char *solution)
{
	static char out[4096];
	rstar_splitter s;
	rstar_part part;
	size_t n = 0;

	out[0] = '\0';
	rstar_splitter_init(&s, solution, strlen(solution));
	while (rstar_splitter_next(&s, &part))
		n += (size_t) snprintf(out + n, sizeof(out) - n, "%s%s%s%.*s:%.*s", n ? "/" : "",
							   rstar_part_kind_name(part.kind), part.closed ? "" : "?",
							   part.block ? 1 : 0, &"0123456789"[part.block % 10],
							   (int) part.content.length, part.content.data);
	return out;
}

static void
test_well_formed(void)
{
	CHECK_STR(split("<code>\n# Step 1: add\na = 1\n<end_of_step>\n\n# Step 2: print\nprint(a)\n"
					"<end_of_code>\n<output>1<end_of_output>\n<answer>So \\boxed{1}\n"
					"<end_of_answer>"),
			  "code1:# Step 1: add\na = 1/code1:# Step 2: print\nprint(a)/output1:1/answer:So "
			  "\\boxed{1}");
	CHECK_STR(split(""), "");
	CHECK_STR(split(" \n\t"), "");
}

static void
test_tolerant(void)
{
	/* no white space anywhere */
	CHECK_STR(split("<code>a=1<end_of_step>b=2<end_of_code><output>3<end_of_output><answer>3"
					"<end_of_answer>"),
			  "code1:a=1/code1:b=2/output1:3/answer:3");
	/* text outside tags, several blocks */
	CHECK_STR(split("First.<code>a=1<end_of_code>Then.<code>b=2<end_of_code>Last."),
			  "text:First./code1:a=1/text:Then./code2:b=2/text:Last.");
	/* no code */
	CHECK_STR(split("Just words, \\boxed{5}."), "answer:Just words, \\boxed{5}.");
	CHECK_STR(split("Just words"), "text:Just words");
	CHECK_STR(split("<answer>5"), "answer?:5");
	/* end tags missing */
	CHECK_STR(split("<code>a=1<output>1<answer>2"), "code?1:a=1/output?1:1/answer?:2");
	CHECK_STR(split("<code>a=1<code>b=2"), "code?1:a=1/code?2:b=2");
	CHECK_STR(split("<code>a = (1 +"), "code?1:a = (1 +");
	/* stray closing tags, empty parts */
	CHECK_STR(split("<end_of_step>x<end_of_output>y<end_of_answer>"), "text:x/text:y");
	CHECK_STR(split("<code><end_of_step><end_of_step><end_of_code><output><end_of_output>"), "");
	CHECK_STR(split("<answer>a</answer>b"), "answer:a/text:b");
	CHECK_STR(split("a < b and <unknown> tags <code>x<end_of_code>"),
			  "text:a < b and <unknown> tags/code1:x");
}

static void
test_strings(void)
{
	CHECK_STR(split("<code>print('<end_of_step>')<end_of_step>b<end_of_code>"),
			  "code1:print('<end_of_step>')/code1:b");
	CHECK_STR(split("<code>print(\"it's <answer>\")\n<end_of_code>"),
			  "code1:print(\"it's <answer>\")");
	CHECK_STR(split("<code>s = 'a\\'<end_of_step>'<end_of_code>"), "code1:s = 'a\\'<end_of_step>'");
	CHECK_STR(split("<code>s = '''x\n<end_of_step>\n'''<end_of_code>"),
			  "code1:s = '''x\n<end_of_step>\n'''");
	/* a string that is never closed is none */
	CHECK_STR(split("<code>s = 'x<end_of_step>\nb<end_of_code>"), "code1:s = 'x/code1:b");
	CHECK_STR(split("<code>s = \"\"\"x<end_of_step>b<end_of_code>"), "code1:s = \"\"\"x/code1:b");
	/* in a comment quotation marks are none, tags are tags */
	CHECK_STR(split("<code># don't<end_of_step>b # isn't<end_of_code>"),
			  "code1:# don't/code1:b # isn't");
	/* indentation of the first line stays */
	CHECK_STR(split("<code>\n  a=1\n  b=2\n<end_of_code>"), "code1:  a=1\n  b=2");
}

static void
test_fences(void)
{
	CHECK_STR(split("We compute:\n```python\nprint(1)\n```\n```output\n1\n```\nThe answer is "
					"$\\boxed{1}$."),
			  "text:We compute:/code1:print(1)/output1:1/answer:The answer is $\\boxed{1}$.");
	CHECK_STR(split("```py\na=1"), "code?1:a=1");
	CHECK_STR(split("```output\n1"), "output?:1");
	CHECK_STR(split("a `b` ``` c"), "text:a `b` ``` c");
}

/* Every byte of any text is passed once: no part overlaps the one before. */
static void
test_progress(void)
{
	static const char alphabet[] = "<>`\n'\"#a";
	char text[64];
	unsigned seed = 1;

	for (int round = 0; round < 20000; round++)
	{
		rstar_splitter s;
		rstar_part part;
		const char *end = text;
		size_t n = 0;
		int parts = 0;

		while (n < 40)
		{
			seed = seed * 1103515245 + 12345;
			if (seed >> 16 & 3)
				text[n++] = alphabet[(seed >> 18) % (sizeof(alphabet) - 1)];
			else
			{
				const char *tag = rstar_tag_text((rstar_tag) ((seed >> 18) % RSTAR_N_TAGS));

				memcpy(text + n, tag, strlen(tag));
				n += strlen(tag);
			}
		}
		rstar_splitter_init(&s, text, n);
		while (rstar_splitter_next(&s, &part))
		{
			CHECK(part.content.data >= end && part.content.length > 0);
			end = part.content.data + part.content.length;
			CHECK(end <= text + n);
			if (++parts > 100)
				break;
		}
		CHECK(parts <= 100);
	}
}

int
main(void)
{
	RUN(test_well_formed);
	RUN(test_tolerant);
	RUN(test_strings);
	RUN(test_fences);
	RUN(test_progress);
	return CHECK_RESULT();
}
