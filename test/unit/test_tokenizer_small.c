/*
 * test_tokenizer_small.c
 *	  Tokenizers on vocabularies made on the spot: the pre-tokenizer's rules, long
 *	  words against naive merging, SentencePiece's rules, and files that are wrong.
 */
#include "core/text/bytemap.h"
#include "core/text/pretoken.h"
#include "core/text/vocabulary.h"
#include "vocabulary_fixture.h"

#define MOST_TOKENS 600

/* What a vocabulary file is made of; zero fields are left out. */
typedef struct recipe
{
	const char *model;
	const char *pre;
	const char *name;
	char texts[MOST_TOKENS][640];
	int32_t types[MOST_TOKENS];
	float scores[MOST_TOKENS];
	uint32_t n_tokens;
	const char *merges[64];
	uint32_t n_merges;
	int64_t bos, eos, unknown; /* -1: none */
	uint32_t n_types, n_scores;
	int32_t strips_right[4];
	int n_strips_right;   /* -1: no such key */
	bool scores_as_types; /* the wrong element type */
} recipe;

static recipe r;

static uint32_t
add(const char *text, rstar_token_type type)
{
	snprintf(r.texts[r.n_tokens], sizeof(r.texts[0]), "%s", text);
	r.types[r.n_tokens] = type;
	r.scores[r.n_tokens] = -(float) r.n_tokens;
	return r.n_tokens++;
}

static void
begin(const char *model, const char *pre)
{
	memset(&r, 0, sizeof(r));
	r.model = model;
	r.pre = pre;
	r.bos = r.eos = r.unknown = -1;
	r.n_strips_right = -1;
}

static void
begin_bpe(const char *pre)
{
	rstar_bytemap map;

	begin("gpt2", pre);
	rstar_bytemap_init(&map);
	for (int byte = 0; byte < 256; byte++)
	{
		char text[3] = {map.text[byte][0], map.text[byte][1], '\0'};

		add(text, RSTAR_TOKEN_NORMAL);
	}
}

static void
begin_sentencepiece(void)
{
	char text[8];

	begin("llama", NULL);
	r.unknown = add("<unk>", RSTAR_TOKEN_UNKNOWN);
	r.bos = add("<s>", RSTAR_TOKEN_CONTROL);
	r.eos = add("</s>", RSTAR_TOKEN_CONTROL);
	for (int byte = 0; byte < 256; byte++)
	{
		snprintf(text, sizeof(text), "<0x%02X>", byte);
		add(text, RSTAR_TOKEN_BYTE);
	}
}

/* "l r" and the token that it makes. */
static void
add_merge(const char *merge)
{
	char token[64];
	const char *blank = strchr(merge + 1, ' ');

	r.merges[r.n_merges++] = merge;
	snprintf(token, sizeof(token), "%.*s%s", (int) (blank - merge), merge, blank + 1);
	add(token, RSTAR_TOKEN_NORMAL);
}

static rstar_status
make(vocabulary *v, rstar_error *err)
{
	static rstar_string strings[MOST_TOKENS];
	rstar_gguf_writer *writer;

	CHECK(rstar_gguf_writer_create(&writer, &rstar_allocator_malloc, err) == RSTAR_OK);
	if (r.model)
		rstar_gguf_writer_string(writer, "tokenizer.ggml.model", r.model, strlen(r.model));
	if (r.pre)
		rstar_gguf_writer_string(writer, "tokenizer.ggml.pre", r.pre, strlen(r.pre));
	if (r.name)
		rstar_gguf_writer_string(writer, "general.name", r.name, strlen(r.name));
	for (uint32_t i = 0; i < r.n_tokens; i++)
		strings[i] = (rstar_string){r.texts[i], strlen(r.texts[i])};
	rstar_gguf_writer_strings(writer, "tokenizer.ggml.tokens", strings, r.n_tokens);
	rstar_gguf_writer_array(writer, "tokenizer.ggml.token_type", RSTAR_GGUF_I32, r.types,
							r.n_types ? r.n_types : r.n_tokens);
	if (r.scores_as_types)
		rstar_gguf_writer_array(writer, "tokenizer.ggml.scores", RSTAR_GGUF_I32, r.types,
								r.n_tokens);
	else
		rstar_gguf_writer_array(writer, "tokenizer.ggml.scores", RSTAR_GGUF_F32, r.scores,
								r.n_scores ? r.n_scores : r.n_tokens);
	for (uint32_t i = 0; i < r.n_merges; i++)
		strings[i] = (rstar_string){r.merges[i], strlen(r.merges[i])};
	rstar_gguf_writer_strings(writer, "tokenizer.ggml.merges", strings, r.n_merges);
	if (r.n_strips_right >= 0)
		rstar_gguf_writer_array(writer, RSTAR_STRIPS_RIGHT_KEY, RSTAR_GGUF_I32, r.strips_right,
								(uint64_t) r.n_strips_right);
	if (r.bos >= 0)
		rstar_gguf_writer_u32(writer, "tokenizer.ggml.bos_token_id", (uint32_t) r.bos);
	if (r.eos >= 0)
		rstar_gguf_writer_u32(writer, "tokenizer.ggml.eos_token_id", (uint32_t) r.eos);
	if (r.unknown >= 0)
		rstar_gguf_writer_u32(writer, "tokenizer.ggml.unknown_token_id", (uint32_t) r.unknown);
	return vocabulary_from_writer(v, writer, err);
}

static void
refused(rstar_status expected, const char *what)
{
	vocabulary v;
	rstar_error err;
	rstar_status status = make(&v, &err);

	CHECK_MSG(status == expected, "%s: %s", what, rstar_status_name(status));
	CHECK(status == RSTAR_OK || err.message[0] != '\0');
	vocabulary_close(&v);
}

static size_t
encode(const vocabulary *v, const char *text, size_t length, rstar_encode_options options,
	   int32_t **ids)
{
	rstar_error err;
	size_t count;

	CHECK(rstar_tokenizer_encode(v->tokenizer, text, length, &options, &rstar_allocator_malloc,
								 NULL, ids, &count, &err) == RSTAR_OK);
	return count;
}

/* The tokens of a text, as the vocabulary writes them, with '|' between them. */
static void
check_tokens(const vocabulary *v, const char *text, rstar_encode_options options,
			 const char *expected)
{
	char got[1024] = "";
	int32_t *ids;
	size_t count = encode(v, text, strlen(text), options, &ids);
	size_t length = 0;

	for (size_t i = 0; i < count; i++)
	{
		rstar_string token = rstar_tokenizer_token_text(v->tokenizer, ids[i]);

		length += (size_t) snprintf(got + length, sizeof(got) - length, "%s%.*s", i ? "|" : "",
									(int) token.length, token.data);
	}
	CHECK_STR(got, expected);
	free(ids);
}

/* --- pre-tokens ------------------------------------------------------------ */

static void
check_pretokens(const char *text, int max_digits, const char *expected)
{
	char got[512] = "";
	size_t length = strlen(text), out = 0;

	for (size_t at = 0; at < length;)
	{
		size_t end = rstar_pretoken_end(text, length, at, max_digits);

		CHECK(end > at && end <= length);
		out += (size_t) snprintf(got + out, sizeof(got) - out, "%s%.*s", at ? "|" : "",
								 (int) (end - at), text + at);
		at = end;
	}
	CHECK_STR(got, expected);
}

static void
pretokens(void)
{
	check_pretokens("Hello world", 1, "Hello| world");
	check_pretokens("I'm we'LL 'tis don't'", 1, "I|'m| we|'LL| '|tis| don|'t|'");
	check_pretokens("x1234 y", 1, "x|1|2|3|4| y");
	check_pretokens("x1234 y", 3, "x|123|4| y");
	check_pretokens("a  b   c", 1, "a| | b|  | c");
	check_pretokens("a   ", 1, "a|   ");
	check_pretokens("a \n\n  b\r\n", 1, "a| \n\n| | b|\r\n");
	check_pretokens("f(x)=3*x**2;\n\ny", 1, "f|(x|)=|3|*x|**|2|;\n\n|y");
	check_pretokens(" = (a", 1, " =| (|a");
	check_pretokens("\tif\n\tx", 1, "\tif|\n|\tx");
	check_pretokens("caf\xC3\xA9 \xE2\x82\xAC"
					"5 \xC2\xBD",
					1, "caf\xC3\xA9| \xE2\x82\xAC|5| |\xC2\xBD");
	check_pretokens("a\xC2\xA0"
					"b\xE2\x80\x83\xE2\x80\x83",
					1,
					"a|\xC2\xA0"
					"b|\xE2\x80\x83\xE2\x80\x83");
	check_pretokens("a\xFF\xFE"
					"b",
					1, "a|\xFF\xFE|b");
	check_pretokens("<(im_end)>", 1, "<(|im|_end|)>");
}

/* --- what vocabularies of other families have ---------------------------------- */

/* A byte without a token falls out, and its neighbours merge across it, as in Hugging Face's. */
static void
missing_bytes_fall_out(void)
{
	vocabulary v;
	rstar_error err;
	int32_t *ids;

	begin_bpe("gpt-2");
	strcpy(r.texts['#'], "not a byte");
	add_merge("a b");
	CHECK_MSG(make(&v, &err) == RSTAR_OK, "%s", err.message);
	if (!v.tokenizer)
		return;
	CHECK(encode(&v, "##", 2, (rstar_encode_options){0}, &ids) == 0);
	free(ids);
	CHECK(encode(&v, "ab#", 3, (rstar_encode_options){0}, &ids) == 1 && ids[0] == 256);
	free(ids);
	vocabulary_close(&v);
}

/* Gemma's line ends are USER_DEFINED: text like any other, whatever is recognised. */
static void
white_space_is_text(void)
{
	vocabulary v;
	rstar_error err;
	rstar_buffer out;
	int32_t *ids;

	begin_bpe("gpt-2");
	add("\n\n", RSTAR_TOKEN_USER_DEFINED);
	add("<b>", RSTAR_TOKEN_USER_DEFINED);
	CHECK_MSG(make(&v, &err) == RSTAR_OK, "%s", err.message);
	if (!v.tokenizer)
		return;
	CHECK(encode(&v, "a\n\nb", 4, (rstar_encode_options){0}, &ids) == 3 && ids[1] == 256);
	free(ids);
	CHECK(encode(&v, "<b>", 3, (rstar_encode_options){0}, &ids) == 3);
	free(ids);
	CHECK(encode(&v, "<b>", 3, (rstar_encode_options){.parse_special = true}, &ids) == 1);
	free(ids);
	CHECK(rstar_tokenizer_special_length(v.tokenizer, "\n\nx", 3) == 0);
	CHECK(rstar_tokenizer_special_length(v.tokenizer, "<b>x", 4) == 3);
	rstar_buffer_init(&out, &rstar_allocator_malloc);
	CHECK(rstar_tokenizer_decode(v.tokenizer, 256, true, &out, &err) == RSTAR_OK &&
		  out.length == 2);
	CHECK(rstar_tokenizer_decode(v.tokenizer, 257, true, &out, &err) == RSTAR_OK &&
		  out.length == 2);
	rstar_buffer_free(&out);
	vocabulary_close(&v);
}

/* --- long words ------------------------------------------------------------ */

/* Merge the texts of bytes the slow way: the best rank, the leftmost, again. */
static size_t
naive_merges(const char *text, size_t length, size_t *starts)
{
	size_t n = length;

	for (size_t i = 0; i <= n; i++)
		starts[i] = i;
	for (;;)
	{
		size_t best = n, best_rank = r.n_merges;

		for (size_t i = 0; i + 1 < n; i++)
		{
			char pair[256];

			snprintf(pair, sizeof(pair), "%.*s %.*s", (int) (starts[i + 1] - starts[i]),
					 text + starts[i], (int) (starts[i + 2] - starts[i + 1]), text + starts[i + 1]);
			for (size_t rank = 0; rank < best_rank; rank++)
				if (strcmp(r.merges[rank], pair) == 0)
				{
					best = i;
					best_rank = rank;
				}
		}
		if (best == n)
			return n;
		memmove(&starts[best + 1], &starts[best + 2], (n - best - 1) * sizeof(size_t));
		n--;
	}
}

static uint32_t random_state = 3;

static uint32_t
random_below(uint32_t n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (uint32_t) (((uint64_t) random_state * n) >> 32);
}

static void
long_words(void)
{
	static const char *const merges[] = {"a b",   "b c",    "a a",  "aa aa",  "ab c",
										 "c c",   "cc a",   "aa b", "b b",    "bb bb",
										 "aab c", "bbbb a", "c ab", "abc aa", "aaaa aaaa"};
	vocabulary v;
	rstar_error err;

	begin_bpe("qwen2");
	for (size_t i = 0; i < sizeof(merges) / sizeof(merges[0]); i++)
		add_merge(merges[i]);
	CHECK_MSG(make(&v, &err) == RSTAR_OK, "%s", err.message);
	if (!v.tokenizer)
		return;
	for (int round = 0; round < 300; round++)
	{
		char text[200];
		size_t starts[201];
		size_t length = 1 + random_below(round % 2 ? 40 : 199);
		uint32_t letters = 1 + random_below(3);
		size_t n, count;
		int32_t *ids;
		bool equal;

		for (size_t i = 0; i < length; i++)
			text[i] = (char) ('a' + random_below(letters));
		n = naive_merges(text, length, starts);
		count = encode(&v, text, length, (rstar_encode_options){0}, &ids);
		equal = n == count;
		for (size_t i = 0; equal && i < n; i++)
		{
			rstar_string token = rstar_tokenizer_token_text(v.tokenizer, ids[i]);

			equal = token.length == starts[i + 1] - starts[i] &&
					memcmp(token.data, text + starts[i], token.length) == 0;
		}
		CHECK_MSG(equal, "%.*s", (int) length, text);
		free(ids);
	}
	vocabulary_close(&v);
}

/* --- special tokens -------------------------------------------------------- */

static void
longest_special_wins(void)
{
	rstar_encode_options parse = {.parse_special = true};
	vocabulary v;
	rstar_error err;

	begin_bpe("qwen2");
	add("<a>", RSTAR_TOKEN_CONTROL);
	add("<a><b>", RSTAR_TOKEN_USER_DEFINED);
	add("[PAD]", RSTAR_TOKEN_UNUSED);
	CHECK_MSG(make(&v, &err) == RSTAR_OK, "%s", err.message);
	if (!v.tokenizer)
		return;
	check_tokens(&v, "x<a>y<a><b><a>", parse, "x|<a>|y|<a><b>|<a>");
	check_tokens(&v, "<a><", parse, "<a>|<");
	check_tokens(&v, "<a>", (rstar_encode_options){0}, "<|a|>");
	check_tokens(&v, "[PAD]", parse, "[|P|A|D|]");
	CHECK(rstar_tokenizer_special_length(v.tokenizer, "<a><b", 5) == 3);
	CHECK(rstar_tokenizer_special_length(v.tokenizer, "<a", 2) == 0);
	vocabulary_close(&v);
}

/* A merge list that makes a special token's text cannot make the token. */
static void
merges_cannot_forge(void)
{
	vocabulary v;
	rstar_error err;

	begin_bpe("qwen2");
	r.merges[r.n_merges++] = "< a";
	r.merges[r.n_merges++] = "<a >";
	add("<a", RSTAR_TOKEN_NORMAL);
	add("<a>", RSTAR_TOKEN_CONTROL);
	CHECK_MSG(make(&v, &err) == RSTAR_OK, "%s", err.message);
	if (!v.tokenizer)
		return;
	check_tokens(&v, "<a>", (rstar_encode_options){0}, "<a|>");
	vocabulary_close(&v);
}

/* Llama 3: three digits together, and a pre-token that is a token stays whole. */
static void
llama3(void)
{
	vocabulary v;
	rstar_error err;

	begin_bpe("llama-bpe");
	add_merge("1 2");
	add_merge("12 3");
	add("whole", RSTAR_TOKEN_NORMAL); /* no merges lead here */
	r.bos = add("<|begin_of_text|>", RSTAR_TOKEN_CONTROL);
	CHECK_MSG(make(&v, &err) == RSTAR_OK, "%s", err.message);
	if (!v.tokenizer)
		return;
	check_tokens(&v, "123412", (rstar_encode_options){0}, "123|4|12");
	check_tokens(&v, "whole", (rstar_encode_options){0}, "whole");
	check_tokens(&v, "1", (rstar_encode_options){.add_bos = true}, "<|begin_of_text|>|1");
	vocabulary_close(&v);
}

/* --- SentencePiece --------------------------------------------------------- */

#define MARK "\xE2\x96\x81"

static void
sentencepiece(void)
{
	rstar_encode_options plain = {0}, prefix = {.dummy_prefix = true},
						 both = {.dummy_prefix = true, .parse_special = true, .add_bos = true};
	vocabulary v;
	rstar_error err;

	begin_sentencepiece();
	add(MARK, RSTAR_TOKEN_NORMAL);
	add("t", RSTAR_TOKEN_NORMAL);
	add("h", RSTAR_TOKEN_NORMAL);
	add("e", RSTAR_TOKEN_NORMAL);
	r.scores[add("th", RSTAR_TOKEN_NORMAL)] = -1;
	r.scores[add(MARK "h", RSTAR_TOKEN_NORMAL)] = -3;
	r.scores[add(MARK "he", RSTAR_TOKEN_NORMAL)] = -4;
	r.scores[add("he", RSTAR_TOKEN_NORMAL)] = -0.5f;
	r.scores[add(MARK MARK, RSTAR_TOKEN_NORMAL)] = -9;
	add("<|end|>", RSTAR_TOKEN_CONTROL);
	r.name = "a phi3 of its own";
	CHECK_MSG(make(&v, &err) == RSTAR_OK, "%s", err.message);
	if (!v.tokenizer)
		return;
	/* "he" has the best score, so "th" never comes about; any two sides will do. */
	check_tokens(&v, "the", plain, "t|he");
	check_tokens(&v, "he", prefix, MARK "he");
	check_tokens(&v, "the", prefix, MARK "|t|he");
	check_tokens(&v, "  th", prefix, MARK MARK "|" MARK "|th");
	check_tokens(&v, "\xC3\xA9z", plain, "<0xC3>|<0xA9>|<0x7A>");
	check_tokens(&v, "t\xFFh", plain, "t|<0xFF>|h");
	check_tokens(&v, "t<|end|> \n th<s> t", both,
				 "<s>|" MARK "|t|<|end|>|" MARK "|th|<s>|" MARK MARK "|t");
	check_tokens(&v, "<s>", plain, "<0x3C>|<0x73>|<0x3E>");
	vocabulary_close(&v);

	/* The same under a name that is not Phi-3's: nothing is stripped. */
	r.name = "llama";
	CHECK(make(&v, &err) == RSTAR_OK);
	check_tokens(&v, "t<|end|> th", both, "<s>|" MARK "|t|<|end|>|" MARK MARK "|th");
	vocabulary_close(&v);

	/* The file's own list comes before its name, also an empty one. */
	r.strips_right[0] = (int32_t) r.bos;
	r.n_strips_right = 1;
	CHECK(make(&v, &err) == RSTAR_OK);
	check_tokens(&v, "<s> th<|end|> th", both, "<s>|<s>|" MARK "|th|<|end|>|" MARK MARK "|th");
	vocabulary_close(&v);
	r.name = "phi-3";
	r.n_strips_right = 0;
	CHECK(make(&v, &err) == RSTAR_OK);
	check_tokens(&v, "t<|end|> th", both, "<s>|" MARK "|t|<|end|>|" MARK MARK "|th");
	vocabulary_close(&v);
	r.n_strips_right = -1;

	/* A token that goes on with a blank keeps words together. */
	r.scores[add("t" MARK, RSTAR_TOKEN_NORMAL)] = -0.1f;
	CHECK(make(&v, &err) == RSTAR_OK);
	check_tokens(&v, "t t th", plain, "t" MARK "|t" MARK "|th");
	vocabulary_close(&v);
}

/* --- files that are wrong -------------------------------------------------- */

static void
wrong_kinds(void)
{
	begin_bpe("qwen2");
	refused(RSTAR_OK, "the sound file");
	r.model = NULL;
	refused(RSTAR_ERR_NOT_FOUND, "no model");
	r.model = "bert";
	refused(RSTAR_ERR_UNSUPPORTED, "another model");
	r.model = "gpt2";
	r.pre = "gpt-5";
	refused(RSTAR_ERR_UNSUPPORTED, "another pre-tokenizer");
	r.pre = NULL;
	refused(RSTAR_OK, "no pre-tokenizer: the default one");
}

static void
wrong_arrays(void)
{
	begin_bpe("qwen2");
	r.n_types = 100;
	refused(RSTAR_ERR_CORRUPT, "too few types");
	r.n_types = 0;
	r.types[7] = 77;
	refused(RSTAR_ERR_CORRUPT, "an unknown type");
	r.types[7] = -1;
	refused(RSTAR_ERR_CORRUPT, "a negative type");
	r.types[7] = RSTAR_TOKEN_NORMAL;
	add("a", RSTAR_TOKEN_NORMAL);
	refused(RSTAR_ERR_CORRUPT, "a token twice");
	r.n_tokens = 0;
	refused(RSTAR_ERR_CORRUPT, "no tokens");
	begin_bpe("qwen2");
	r.n_tokens = 255;
	refused(RSTAR_OK, "a byte is missing");
	r.n_tokens = 0;
	add("ab", RSTAR_TOKEN_NORMAL);
	refused(RSTAR_ERR_UNSUPPORTED, "every byte is missing");
}

static void
wrong_merges(void)
{
	static const char *const bad[] = {"", "a", "ab", "a ", " a", "ab "};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		begin_bpe("qwen2");
		r.merges[r.n_merges++] = "a b";
		r.merges[r.n_merges++] = bad[i];
		refused(RSTAR_ERR_CORRUPT, bad[i]);
	}
	begin_bpe("qwen2");
	r.merges[r.n_merges++] = "a b";
	r.merges[r.n_merges++] = "a b";
	refused(RSTAR_OK, "a merge twice");
}

/* No vocabulary has texts of 64 kB: a file of them would keep opening busy between two polls. */
static void
long_texts(void)
{
	static char merge[RSTAR_MAX_TEXT + 2];

	memset(merge, 'a', RSTAR_MAX_TEXT + 1);
	merge[1] = ' ';
	begin_bpe("qwen2");
	r.merges[r.n_merges++] = merge;
	refused(RSTAR_ERR_UNSUPPORTED, "a merge of 65,537 bytes");
	merge[RSTAR_MAX_TEXT] = '\0';
	refused(RSTAR_OK, "a merge of 65,536 bytes");
}

static bool
count_down(void *left)
{
	return --*(int *) left < 0;
}

/* A cancel at any poll ends opening; there is one for each few texts. */
static void
cancelled_at(const char *what, int least)
{
	rstar_status status = RSTAR_ERR_CANCELLED;
	rstar_error err;
	vocabulary v;
	int polls;

	CHECK(make(&v, &err) == RSTAR_OK);
	for (polls = 0; status == RSTAR_ERR_CANCELLED && polls < 1000; polls++)
	{
		int left = polls;
		rstar_cancel cancel = {count_down, &left};
		rstar_tokenizer *tokenizer;

		status = rstar_tokenizer_open(v.gguf, &rstar_allocator_malloc, &cancel, &tokenizer, &err);
		rstar_tokenizer_close(tokenizer);
	}
	CHECK_MSG(status == RSTAR_OK && polls > least, "%s: %d polls", what, polls);
	vocabulary_close(&v);
}

static void
cancelled(void)
{
	begin_bpe("qwen2");
	add("<a>", RSTAR_TOKEN_CONTROL);
	add_merge("a b");
	cancelled_at("tokens, a special one, merges", 259 / 32 + 1 + 1);
	begin_sentencepiece();
	cancelled_at("tokens twice", 2 * (259 / 32));
}

static void
wrong_ids_and_specials(void)
{
	begin_bpe("qwen2");
	r.eos = 256;
	refused(RSTAR_ERR_CORRUPT, "eos beyond the end");
	r.eos = 255;
	refused(RSTAR_OK, "eos at the end");
	r.bos = 1 << 30;
	refused(RSTAR_ERR_CORRUPT, "bos far beyond the end");
	r.bos = -1;
	add("<a>", RSTAR_TOKEN_CONTROL);
	add("<a>", RSTAR_TOKEN_CONTROL);
	refused(RSTAR_ERR_CORRUPT, "a special token twice");
	snprintf(r.texts[257], sizeof(r.texts[0]), "%0513d", 0);
	refused(RSTAR_ERR_UNSUPPORTED, "a special token of 513 bytes");
	r.texts[257][512] = '\0';
	refused(RSTAR_OK, "a special token of 512 bytes");
}

static void
wrong_sentencepiece(void)
{
	begin_sentencepiece();
	refused(RSTAR_OK, "the sound file");
	r.n_scores = 3;
	refused(RSTAR_ERR_CORRUPT, "too few scores");
	r.n_scores = 0;
	r.scores_as_types = true;
	refused(RSTAR_ERR_CORRUPT, "scores that are integers");
	r.scores_as_types = false;
	r.scores[5] = NAN;
	refused(RSTAR_ERR_CORRUPT, "a score that is no number");
	r.scores[5] = -INFINITY;
	refused(RSTAR_OK, "an infinite score");
	strcpy(r.texts[10], "<0xZZ>");
	refused(RSTAR_ERR_CORRUPT, "a byte token that names no byte");
	strcpy(r.texts[10], "<0x00>");
	refused(RSTAR_ERR_CORRUPT, "two tokens for a byte");
	r.types[10] = RSTAR_TOKEN_NORMAL;
	refused(RSTAR_OK, "unknown stands in for a byte");
	r.unknown = -1;
	refused(RSTAR_OK, "nothing stands in for a byte");
}

/* No memory at any point: one error, nothing leaks (the sanitizer watches). */
static int allocations_left;

static void *
scarce_alloc(void *ctx, size_t size)
{
	(void) ctx;
	return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void *
scarce_realloc(void *ctx, void *pointer, size_t size)
{
	(void) ctx;
	return allocations_left-- > 0 ? realloc(pointer, size) : NULL;
}

static void
scarce_free(void *ctx, void *pointer)
{
	(void) ctx;
	free(pointer);
}

static void
out_of_memory(void)
{
	const rstar_allocator scarce = {scarce_alloc, scarce_realloc, scarce_free, NULL};
	rstar_encode_options options = {.parse_special = true, .add_bos = true};
	char text[300];
	vocabulary v;
	rstar_error err;
	int open_at, encode_at;

	begin_bpe("qwen2");
	add_merge("a b");
	r.bos = add("<a>", RSTAR_TOKEN_CONTROL);
	CHECK(make(&v, &err) == RSTAR_OK);
	memset(text, 'a', sizeof(text));
	for (open_at = 0; open_at < 100; open_at++)
	{
		rstar_tokenizer *tokenizer;
		rstar_status status;

		allocations_left = open_at;
		status = rstar_tokenizer_open(v.gguf, &scarce, NULL, &tokenizer, &err);
		if (status == RSTAR_OK)
		{
			rstar_tokenizer_close(tokenizer);
			break;
		}
		CHECK(status == RSTAR_ERR_MEMORY && !tokenizer);
	}
	for (encode_at = 0; encode_at < 100; encode_at++)
	{
		int32_t *ids;
		size_t count;
		rstar_status status;

		allocations_left = encode_at;
		status = rstar_tokenizer_encode(v.tokenizer, text, sizeof(text), &options, &scarce, NULL,
										&ids, &count, &err);
		free(ids);
		if (status == RSTAR_OK)
			break;
		CHECK(status == RSTAR_ERR_MEMORY && !ids && count == 0);
	}
	CHECK(open_at > 3 && open_at < 100 && encode_at > 3 && encode_at < 100);
	vocabulary_close(&v);
}

int
main(void)
{
	RUN(pretokens);
	RUN(missing_bytes_fall_out);
	RUN(white_space_is_text);
	RUN(long_words);
	RUN(longest_special_wins);
	RUN(merges_cannot_forge);
	RUN(llama3);
	RUN(sentencepiece);
	RUN(wrong_kinds);
	RUN(wrong_arrays);
	RUN(wrong_merges);
	RUN(long_texts);
	RUN(cancelled);
	RUN(wrong_ids_and_specials);
	RUN(wrong_sentencepiece);
	RUN(out_of_memory);
	return CHECK_RESULT();
}
