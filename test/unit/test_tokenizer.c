/*
 * test_tokenizer.c
 *	  The shared vectors of two vocabularies, and what must hold of any text.
 */
#include <jansson.h>

#include "vocabulary_fixture.h"

static vocabulary qwen2;
static vocabulary phi3;

typedef struct encoded
{
	int32_t *ids;
	size_t count;
} encoded;

static encoded
encode(const vocabulary *v, const char *text, size_t length, rstar_encode_options options)
{
	encoded result;
	rstar_error err;
	rstar_status status =
		rstar_tokenizer_encode(v->tokenizer, text, length, &options, &rstar_allocator_malloc, NULL,
							   &result.ids, &result.count, &err);

	CHECK_MSG(status == RSTAR_OK, "%s", err.message);
	return result;
}

static char *
read_file(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	char *data = NULL;

	if (!file)
		return NULL;
	fseek(file, 0, SEEK_END);
	*length = (size_t) ftell(file);
	rewind(file);
	data = malloc(*length + 1);
	if (fread(data, 1, *length, file) != *length)
		*length = 0;
	data[*length] = '\0';
	fclose(file);
	return data;
}

/* --- vectors --------------------------------------------------------------- */

/* One line of numbers against ids; returns the position behind the line. */
static const char *
compare_line(const char *line, encoded got, int number)
{
	size_t i = 0;
	char *end;

	while (*line && *line != '\n')
	{
		long id = strtol(line, &end, 10);

		if (end == line)
			break;
		CHECK_MSG(i < got.count && got.ids[i] == id, "text %d, id %zu: %ld expected", number, i,
				  id);
		i++;
		line = end;
	}
	CHECK_MSG(i == got.count, "text %d: %zu ids instead of %zu", number, got.count, i);
	while (*line == ' ')
		line++;
	return *line == '\n' ? line + 1 : line;
}

static int
upstream_vectors(const vocabulary *v, const char *name)
{
	static const char separator[] = "\n__ggml_vocab_test__\n";
	char path[1024];
	size_t length, out_length;
	char *texts, *numbers;
	const char *line;
	int n = 0;

	snprintf(path, sizeof(path), "%s/fixtures/tokenizer/ggml-vocab-%s.gguf.inp", check_shared(),
			 name);
	texts = read_file(path, &length);
	snprintf(path, sizeof(path), "%s/fixtures/tokenizer/ggml-vocab-%s.gguf.out", check_shared(),
			 name);
	numbers = read_file(path, &out_length);
	CHECK(texts && numbers);
	line = numbers;
	for (char *text = texts; texts && numbers;)
	{
		char *end = strstr(text, separator);
		encoded got;

		if (!end)
			break;
		got = encode(v, text, (size_t) (end - text),
					 (rstar_encode_options){.dummy_prefix = true, .parse_special = n % 2 == 0});
		line = compare_line(line, got, n++);
		free(got.ids);
		text = end + strlen(separator);
	}
	free(texts);
	free(numbers);
	return n;
}

static int
json_cases(const vocabulary *v, const char *name)
{
	char path[1024];
	char *line = NULL;
	size_t capacity = 0;
	FILE *file;
	int n = 0;

	snprintf(path, sizeof(path), "%s/fixtures/tokenizer/cases.jsonl", check_shared());
	file = fopen(path, "r");
	CHECK(file != NULL);
	while (file && getline(&line, &capacity, file) > 0)
	{
		json_t *row = json_loads(line, 0, NULL);
		json_t *text = json_object_get(row, "text");
		json_t *ids = json_object_get(row, "ids");

		CHECK(row && text && ids);
		if (strcmp(json_string_value(json_object_get(row, "vocab")), name) == 0)
		{
			encoded got =
				encode(v, json_string_value(text), json_string_length(text),
					   (rstar_encode_options){.parse_special = true, .dummy_prefix = true});
			bool equal = got.count == json_array_size(ids);

			for (size_t i = 0; equal && i < got.count; i++)
				equal = got.ids[i] == json_integer_value(json_array_get(ids, i));
			CHECK_MSG(equal, "%s: %s", name, json_string_value(text));
			free(got.ids);
			n++;
		}
		json_decref(row);
	}
	free(line);
	if (file)
		fclose(file);
	return n;
}

static void
qwen2_vectors(void)
{
	CHECK(upstream_vectors(&qwen2, "qwen2") == 46);
	CHECK(json_cases(&qwen2, "qwen2") == 100);
}

static void
phi3_vectors(void)
{
	CHECK(upstream_vectors(&phi3, "phi-3") == 46);
	CHECK(json_cases(&phi3, "phi-3") == 100);
}

/* --- properties ------------------------------------------------------------ */

static void
check_round_trip(const vocabulary *v, const char *text, size_t length)
{
	encoded got = encode(v, text, length, (rstar_encode_options){.dummy_prefix = true});
	rstar_buffer out;
	rstar_error err;

	rstar_buffer_init(&out, &rstar_allocator_malloc);
	CHECK(rstar_tokenizer_decode_all(v->tokenizer, got.ids, got.count, false, true, &out, &err) ==
		  RSTAR_OK);
	CHECK_MSG(out.length == length && (length == 0 || memcmp(out.data, text, length) == 0),
			  "%.*s became %.*s", (int) length, text, (int) out.length, out.data);
	rstar_buffer_free(&out);
	free(got.ids);
}

static uint32_t random_state = 1;

static uint32_t
random_below(uint32_t n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (uint32_t) (((uint64_t) random_state * n) >> 32);
}

/* Any bytes come back, UTF-8 or not, long or short, special texts included. */
static void
round_trips(void)
{
	static const char *const pieces[] = {
		" ",  "  ",         "a",    "the", "\n", "\xE2\x82\xAC",     "12",   "\xFF",   "\xE2\x82",
		"\t", "<|im_end|>", "</s>", "'s",  "_",  "\xF0\x9F\x98\x80", "\r\n", "<0x41>", "x"};
	char text[4096];

	for (int round = 0; round < 400; round++)
	{
		size_t length = 0;
		uint32_t n = random_below(round % 10 == 0 ? 600 : 20);

		for (uint32_t i = 0; i < n; i++)
		{
			const char *piece = pieces[random_below(sizeof(pieces) / sizeof(pieces[0]))];

			memcpy(text + length, piece, strlen(piece));
			length += strlen(piece);
			if (length > sizeof(text) - 16)
				break;
		}
		check_round_trip(&qwen2, text, length);
		check_round_trip(&phi3, text, length);
	}
	for (int byte = 0; byte < 256; byte++)
	{
		char c = (char) byte;

		check_round_trip(&qwen2, &c, 1);
		check_round_trip(&phi3, &c, 1);
	}
}

/* Without parse_special, and within the plain part, no text becomes a special id. */
static void
nothing_is_forged(void)
{
	const vocabulary *all[] = {&qwen2, &phi3};

	for (int k = 0; k < 2; k++)
	{
		const vocabulary *v = all[k];
		int32_t size = rstar_tokenizer_size(v->tokenizer);
		int tried = 0;

		for (int32_t id = 0; id < size; id++)
		{
			rstar_token_type type = rstar_tokenizer_token_type(v->tokenizer, id);
			rstar_string text = rstar_tokenizer_token_text(v->tokenizer, id);
			encoded plain, within, parsed;

			if (type == RSTAR_TOKEN_NORMAL || type == RSTAR_TOKEN_UNUSED)
				continue;
			plain = encode(v, text.data, text.length, (rstar_encode_options){0});
			within = encode(v, text.data, text.length,
							(rstar_encode_options){.parse_special = true,
												   .plain_start = text.length / 2,
												   .plain_end = text.length / 2 + 1});
			parsed =
				encode(v, text.data, text.length, (rstar_encode_options){.parse_special = true});
			for (size_t i = 0; i < plain.count; i++)
				CHECK_MSG(rstar_tokenizer_token_type(v->tokenizer, plain.ids[i]) ==
							  RSTAR_TOKEN_NORMAL,
						  "token %d", id);
			CHECK(within.count == plain.count &&
				  memcmp(within.ids, plain.ids, plain.count * sizeof(int32_t)) == 0);
			if (type != RSTAR_TOKEN_BYTE)
				CHECK_MSG(parsed.count == 1 && parsed.ids[0] == id, "token %d", id);
			free(plain.ids);
			free(within.ids);
			free(parsed.ids);
			tried++;
		}
		CHECK(tried >= 22);
	}
}

/* A plain part changes nothing but the special tokens in it. */
static void
plain_part(void)
{
	const char *text = "<|im_start|>user\nSay <|im_end|>!<|im_end|>";
	const char *inner = strstr(text, "Say");
	size_t start = (size_t) (inner - text);
	encoded got = encode(&qwen2, text, strlen(text),
						 (rstar_encode_options){.parse_special = true,
												.plain_start = start,
												.plain_end = start + strlen("Say <|im_end|>!")});
	int specials = 0;

	for (size_t i = 0; i < got.count; i++)
		specials += rstar_tokenizer_token_type(qwen2.tokenizer, got.ids[i]) == RSTAR_TOKEN_CONTROL;
	CHECK(specials == 2);
	CHECK(got.count > 2 && got.ids[0] == 151644 && got.ids[got.count - 1] == 151645);
	free(got.ids);
}

static void
begin_and_end(void)
{
	encoded got;

	CHECK(rstar_tokenizer_size(qwen2.tokenizer) == 151936);
	CHECK(rstar_tokenizer_eos(qwen2.tokenizer) == 151645);
	CHECK(rstar_tokenizer_is_eog(qwen2.tokenizer, 151645));
	CHECK(rstar_tokenizer_is_eog(qwen2.tokenizer, 151643));
	CHECK(!rstar_tokenizer_is_eog(qwen2.tokenizer, 151644));
	CHECK(rstar_tokenizer_is_eog(qwen2.tokenizer,
								 rstar_tokenizer_find_special(qwen2.tokenizer, "</s>", 4)));
	CHECK(rstar_tokenizer_is_eog(phi3.tokenizer, 32000));
	CHECK(rstar_tokenizer_is_eog(phi3.tokenizer, 32007));
	CHECK(rstar_tokenizer_bos(phi3.tokenizer) == 1);
	CHECK(rstar_tokenizer_find_special(qwen2.tokenizer, "<|im_end|>", 10) == 151645);
	CHECK(rstar_tokenizer_find_special(qwen2.tokenizer, "<|im_end|", 9) == RSTAR_NO_TOKEN);
	CHECK(rstar_tokenizer_find_special(qwen2.tokenizer, "", 0) == RSTAR_NO_TOKEN);

	got = encode(&phi3, "a", 1, (rstar_encode_options){.add_bos = true, .dummy_prefix = true});
	CHECK(got.count == 2 && got.ids[0] == 1 && got.ids[1] == 263);
	free(got.ids);
	got = encode(&phi3, "a", 1, (rstar_encode_options){.add_bos = true});
	CHECK(got.count == 2 && got.ids[1] == 29874); /* "a" without its blank */
	free(got.ids);
	got = encode(&qwen2, "a", 1, (rstar_encode_options){.add_bos = true});
	CHECK(got.count == 1); /* this vocabulary wants no begin token */
	free(got.ids);
	got = encode(&phi3, "", 0, (rstar_encode_options){.dummy_prefix = true});
	CHECK(got.count == 0);
	free(got.ids);
}

static void
bad_ids(void)
{
	rstar_buffer out;
	rstar_error err;

	rstar_buffer_init(&out, &rstar_allocator_malloc);
	CHECK(rstar_tokenizer_decode(qwen2.tokenizer, -1, false, &out, &err) == RSTAR_ERR_ARGUMENT);
	CHECK(rstar_tokenizer_decode(qwen2.tokenizer, 151936, false, &out, &err) == RSTAR_ERR_ARGUMENT);
	CHECK(rstar_tokenizer_decode(qwen2.tokenizer, 151645, true, &out, &err) == RSTAR_OK);
	CHECK(out.length == 0);
	CHECK(rstar_tokenizer_decode(qwen2.tokenizer, 151645, false, &out, &err) == RSTAR_OK);
	CHECK_STR(out.data, "<|im_end|>");
	rstar_buffer_free(&out);
}

/* --- large texts ----------------------------------------------------------- */

static bool
count_down(void *arg)
{
	int *left = arg;

	return --*left <= 0;
}

/* A megabyte of anything ends, comes back, and can be cancelled on its way. */
static void
large_text(const vocabulary *v, const char *name, const char *piece)
{
	size_t length = 1 << 20;
	char *text = malloc(length);
	int polls = 2;
	rstar_cancel cancel = {count_down, &polls};
	rstar_encode_options options = {.parse_special = true, .dummy_prefix = true};
	rstar_error err;
	int32_t *ids;
	size_t count;

	for (size_t i = 0; i < length; i++)
		text[i] = piece[i % strlen(piece)];
	check_round_trip(v, text, length);
	CHECK_MSG(rstar_tokenizer_encode(v->tokenizer, text, length, &options, &rstar_allocator_malloc,
									 &cancel, &ids, &count, &err) == RSTAR_ERR_CANCELLED,
			  "%s", name);
	CHECK(ids == NULL && count == 0);
	free(text);
}

static void
large_texts(void)
{
	large_text(&qwen2, "one word", "a");
	large_text(&qwen2, "letters", "qwertyuiopasdfghjklzxcvbnm");
	large_text(&qwen2, "blanks", " ");
	large_text(&qwen2, "signs", "<|!(");
	large_text(&qwen2, "not UTF-8", "\xFE\x80\xC3");
	large_text(&phi3, "one word", "a");
	large_text(&phi3, "blanks", " ");
	large_text(&phi3, "not UTF-8", "\xFE\x80\xC3");
}

int
main(void)
{
	bool have = vocabulary_shared(&qwen2, "qwen2") && vocabulary_shared(&phi3, "phi-3");

	if (!have && check_failed_here == 0)
	{
		SKIP(tokenizer_vectors, "no folder ../shared/fixtures/tokenizer (see RSTAR_SHARED)");
		return CHECK_RESULT();
	}
	RUN(qwen2_vectors);
	RUN(phi3_vectors);
	RUN(round_trips);
	RUN(nothing_is_forged);
	RUN(plain_part);
	RUN(begin_and_end);
	RUN(bad_ids);
	RUN(large_texts);
	vocabulary_close(&qwen2);
	vocabulary_close(&phi3);
	return CHECK_RESULT();
}
