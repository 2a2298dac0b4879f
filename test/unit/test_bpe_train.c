/*
 * test_bpe_train.c
 *	  Training a vocabulary: against a naive trainer that counts everything anew,
 *	  the rules, and what the written file does when it is opened.
 */
#include "core/text/bpe_train.h"
#include "core/text/pretoken.h"
#include "vocabulary_fixture.h"

static uint32_t random_state = 7;

static uint32_t
random_below(uint32_t n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (uint32_t) (((uint64_t) random_state * n) >> 32);
}

/* A text of made-up steps; some words often, some rarely. */
static char *
make_corpus(size_t bytes)
{
	static const char *const words[] = {"total",
										" the",
										" number",
										" of",
										"\n",
										"# Step ",
										"1",
										": ",
										"calculate",
										" x",
										" = ",
										"2*x",
										" + ",
										"print",
										"(",
										")",
										"\n\n",
										"**",
										" y",
										"aaa",
										"aaaaaa",
										" ab",
										"abc",
										" abcab",
										"'s",
										"_sum",
										" don't",
										"  ",
										"    ",
										"==",
										"\xC3\xA9t\xC3\xA9",
										" \xE2\x89\xA4 ",
										"<end_of_step>",
										"quixotic",
										"; ",
										"e",
										"<code>\n"};
	char *text = malloc(bytes + 64);
	size_t length = 0;

	while (length < bytes)
	{
		uint32_t n = sizeof(words) / sizeof(words[0]);
		uint32_t a = random_below(n), b = random_below(n);
		const char *word = words[a < b ? a : b];

		memcpy(text + length, word, strlen(word));
		length += strlen(word);
	}
	text[length] = '\0';
	return text;
}

static const rstar_bpe_special specials[] = {{"<|endoftext|>", RSTAR_TOKEN_CONTROL},
											 {"<code>", RSTAR_TOKEN_CONTROL},
											 {"<end_of_step>", RSTAR_TOKEN_CONTROL}};

static rstar_bpe_options
some_options(uint32_t size)
{
	rstar_bpe_options options;

	rstar_bpe_options_init(&options);
	options.vocabulary_size = size;
	options.min_word_count = 2;
	options.min_pair_count = 2;
	options.specials = specials;
	options.n_specials = 3;
	options.end_text = "<|endoftext|>";
	return options;
}

static rstar_bpe_trainer *
train(const rstar_bpe_options *options, const char *text)
{
	rstar_bpe_trainer *trainer;
	rstar_error err;

	CHECK(rstar_bpe_trainer_create(options, &rstar_allocator_malloc, &trainer, &err) == RSTAR_OK);
	CHECK(rstar_bpe_trainer_add(trainer, text, strlen(text), NULL, &err) == RSTAR_OK);
	CHECK_MSG(rstar_bpe_trainer_train(trainer, NULL, &err) == RSTAR_OK, "%s", err.message);
	return trainer;
}

/* --- the naive trainer ----------------------------------------------------- */

#define NAIVE_WORDS   4000
#define NAIVE_SYMBOLS 64

typedef struct naive_word
{
	char text[NAIVE_SYMBOLS];
	size_t length;
	int cut[NAIVE_SYMBOLS + 1]; /* where its symbols begin; cut[n] = length */
	int n;
	uint64_t count;
} naive_word;

static naive_word naive_words[NAIVE_WORDS];
static int naive_n;

static void
naive_count(const char *text, size_t length)
{
	for (size_t at = 0; at < length;)
	{
		size_t end = rstar_pretoken_end(text, length, at, 1);
		int i = 0;

		while (i < naive_n && (naive_words[i].length != end - at ||
							   memcmp(naive_words[i].text, text + at, end - at) != 0))
			i++;
		if (i == naive_n && end - at <= NAIVE_SYMBOLS && naive_n < NAIVE_WORDS)
		{
			naive_word *w = &naive_words[naive_n++];

			memcpy(w->text, text + at, end - at);
			w->length = end - at;
			w->n = (int) (end - at);
			for (int k = 0; k <= w->n; k++)
				w->cut[k] = k;
			w->count = 0;
		}
		CHECK(i < naive_n);
		naive_words[i].count++;
		at = end;
	}
}

static int
compare_bytes(const char *a, int n_a, const char *b, int n_b)
{
	int order = memcmp(a, b, (size_t) (n_a < n_b ? n_a : n_b));

	return order != 0 ? order : (n_a > n_b) - (n_a < n_b);
}

typedef struct naive_pair
{
	const char *text; /* left and right side by side */
	int left, right;
	uint64_t count;
} naive_pair;

static int
compare_pairs(const naive_pair *a, const naive_pair *b)
{
	int order = compare_bytes(a->text, a->left, b->text, b->left);

	return order != 0 ? order
					  : compare_bytes(a->text + a->left, a->right, b->text + b->left, b->right);
}

/* The next merge by counting everything; count 0: there is none. */
static naive_pair
naive_best(const rstar_bpe_options *options)
{
	static naive_pair pairs[20000];
	int n = 0;
	naive_pair best = {NULL, 0, 0, 0};

	for (int i = 0; i < naive_n; i++)
	{
		naive_word *w = &naive_words[i];

		if (w->count < options->min_word_count)
			continue;
		for (int k = 0; k + 1 < w->n; k++)
		{
			naive_pair p = {w->text + w->cut[k], w->cut[k + 1] - w->cut[k],
							w->cut[k + 2] - w->cut[k + 1], w->count};
			int j = 0;

			if (!rstar_bpe_rules_allow(&options->rules, p.text, (size_t) (p.left + p.right)))
				continue;
			while (j < n && compare_pairs(&pairs[j], &p) != 0)
				j++;
			if (j == n)
				pairs[n++] = p;
			else
				pairs[j].count += p.count;
		}
	}
	for (int j = 0; j < n; j++)
		if (pairs[j].count >= options->min_pair_count &&
			(pairs[j].count > best.count ||
			 (pairs[j].count == best.count && compare_pairs(&pairs[j], &best) < 0)))
			best = pairs[j];
	return best;
}

static void
naive_merge(const rstar_bpe_options *options, const naive_pair *p)
{
	char text[NAIVE_SYMBOLS];

	memcpy(text, p->text, (size_t) (p->left + p->right));
	for (int i = 0; i < naive_n; i++)
	{
		naive_word *w = &naive_words[i];

		if (w->count < options->min_word_count)
			continue;
		for (int k = 0; k + 1 < w->n; k++)
			if (w->cut[k + 1] - w->cut[k] == p->left && w->cut[k + 2] - w->cut[k + 1] == p->right &&
				memcmp(w->text + w->cut[k], text, (size_t) (p->left + p->right)) == 0)
			{
				memmove(&w->cut[k + 1], &w->cut[k + 2], (size_t) (w->n - k - 1) * sizeof(int));
				w->n--;
			}
	}
}

static void
compare_with_naive(const rstar_bpe_options *options, const char *corpus)
{
	rstar_bpe_trainer *trainer = train(options, corpus);
	uint32_t n = rstar_bpe_trainer_n_merges(trainer);
	const char *at = corpus;

	naive_n = 0;
	while (*at)
	{
		const char *end = at;

		while (*end && strncmp(end, "<end_of_step>", 13) != 0 && strncmp(end, "<code>", 6) != 0)
			end++;
		naive_count(at, (size_t) (end - at));
		at = *end ? strchr(end, '>') + 1 : end;
	}
	for (uint32_t i = 0; i < n; i++)
	{
		naive_pair best = naive_best(options);
		uint32_t left, right;
		rstar_string a, b;

		rstar_bpe_trainer_merge(trainer, i, &left, &right);
		a = rstar_bpe_trainer_token(trainer, left);
		b = rstar_bpe_trainer_token(trainer, right);
		CHECK_MSG(best.count > 0 &&
					  compare_bytes(a.data, (int) a.length, best.text, best.left) == 0 &&
					  compare_bytes(b.data, (int) b.length, best.text + best.left, best.right) == 0,
				  "merge %u is (%.*s, %.*s) instead of (%.*s, %.*s)", i, (int) a.length, a.data,
				  (int) b.length, b.data, best.left, best.text, best.right, best.text + best.left);
		if (best.count == 0)
			break;
		naive_merge(options, &best);
	}
	if (rstar_bpe_trainer_size(trainer) < options->vocabulary_size)
		CHECK(naive_best(options).count == 0);
	CHECK(n > 5);
	rstar_bpe_trainer_free(trainer);
}

static void
equals_naive_training(void)
{
	for (int round = 0; round < 6; round++)
	{
		rstar_bpe_options options = some_options(round % 2 ? 2000 : 330);
		char *corpus = make_corpus(round < 2 ? 400 : 5000);

		options.rules.anything = round == 2 || round == 3;
		options.min_word_count = round == 4 ? 20 : 2;
		compare_with_naive(&options, corpus);
		free(corpus);
	}
}

/* --- rules ----------------------------------------------------------------- */

static bool
allowed(const rstar_bpe_rules *rules, const char *text)
{
	return rstar_bpe_rules_allow(rules, text, strlen(text));
}

static void
default_rules(void)
{
	static const char *const good[] = {"ab",        "abc",      " ab",          " total",
									   "**",        ")\x2E",    "  ",           " =",
									   " ==",       "\n\n",     "\n  ",         "",
									   "\xC3\xA9",  "\xE2\x89", "\xE2\x89\xA4", "\xC3\xA9t\xC3\xA9",
									   " \xC3\xA9t"};
	static const char *const bad[] = {" x",     " \xC3\xA9", "(x",    "_a",      "'s",   "x)",
									  "12",     "1 ",        "a1",    ":\n",     "\tab", "a b",
									  " a\xC3", "a\xE2\x89", "\xA4x", "\x89\xA4"};
	rstar_bpe_options options;

	rstar_bpe_options_init(&options);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK_MSG(allowed(&options.rules, good[i]), "\"%s\" should be allowed", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_MSG(!allowed(&options.rules, bad[i]), "\"%s\" should be forbidden", bad[i]);
}

/* Each flag opens what it names, and nothing is open without one. */
static void
single_rules(void)
{
	rstar_bpe_rules rules = {0};
	rstar_string also[] = {{" +", 2}, {"(x", 2}};

	CHECK(!allowed(&rules, "ab") && !allowed(&rules, " ab") && !allowed(&rules, "**"));
	CHECK(!allowed(&rules, " =") && !allowed(&rules, "\n\n") && !allowed(&rules, "\xC3\xA9"));
	rules = (rstar_bpe_rules){.letters = true, .ascii_letters = true};
	CHECK(allowed(&rules, "ab") && !allowed(&rules, " ab") && !allowed(&rules, "\xC3\xA9t"));
	rules = (rstar_bpe_rules){.letters_with_blank = 3};
	CHECK(!allowed(&rules, "ab") && !allowed(&rules, " ab") && allowed(&rules, " abc"));
	rules = (rstar_bpe_rules){.signs = true};
	CHECK(allowed(&rules, "**") && !allowed(&rules, " =") && !allowed(&rules, ":\n"));
	rules = (rstar_bpe_rules){.signs_with_line = true};
	CHECK(!allowed(&rules, "**") && allowed(&rules, ":\n") && !allowed(&rules, " :\n"));
	rules = (rstar_bpe_rules){.mixed = true};
	CHECK(allowed(&rules, "(x") && allowed(&rules, "'s") && !allowed(&rules, "ab"));
	rules = (rstar_bpe_rules){.also = also, .n_also = 2};
	CHECK(allowed(&rules, " +") && allowed(&rules, "(x") && !allowed(&rules, " -"));
	rules = (rstar_bpe_rules){.anything = true};
	CHECK(allowed(&rules, "a1 (\xC3"));
}

/* No token of a vocabulary trained under the default rules breaks them. */
static void
rules_hold(void)
{
	rstar_bpe_options options = some_options(600);
	char *corpus = make_corpus(60000);
	rstar_bpe_trainer *trainer = train(&options, corpus);
	bool has_the = false;

	for (uint32_t id = 256; id + 3 < rstar_bpe_trainer_size(trainer); id++)
	{
		rstar_string text = rstar_bpe_trainer_token(trainer, id);

		CHECK_MSG(rstar_bpe_rules_allow(&options.rules, text.data, text.length), "\"%.*s\"",
				  (int) text.length, text.data);
		has_the = has_the || (text.length == 4 && memcmp(text.data, " the", 4) == 0);
	}
	CHECK(has_the);
	rstar_bpe_trainer_free(trainer);
	free(corpus);
}

static void
rare_words(void)
{
	rstar_bpe_options options = some_options(400);
	rstar_bpe_trainer *trainer;

	options.min_word_count = 3;
	trainer = train(&options, " common common common zzyzx zzyzx");
	for (uint32_t id = 256; id + 3 < rstar_bpe_trainer_size(trainer); id++)
		CHECK(!memchr(rstar_bpe_trainer_token(trainer, id).data, 'z',
					  rstar_bpe_trainer_token(trainer, id).length));
	CHECK(rstar_bpe_trainer_n_merges(trainer) == 6);
	rstar_bpe_trainer_free(trainer);
}

/* --- the result ------------------------------------------------------------ */

/* The order of the texts, and how they are cut into calls, do not matter. */
static void
deterministic(void)
{
	rstar_bpe_options options = some_options(500);
	char *a = make_corpus(20000), *b = make_corpus(20000);
	rstar_bpe_trainer *trainers[2];
	rstar_error err;

	for (int k = 0; k < 2; k++)
	{
		CHECK(rstar_bpe_trainer_create(&options, &rstar_allocator_malloc, &trainers[k], &err) ==
			  RSTAR_OK);
		CHECK(rstar_bpe_trainer_add(trainers[k], k ? b : a, strlen(k ? b : a), NULL, &err) ==
			  RSTAR_OK);
		CHECK(rstar_bpe_trainer_add(trainers[k], k ? a : b, strlen(k ? a : b), NULL, &err) ==
			  RSTAR_OK);
		CHECK(rstar_bpe_trainer_train(trainers[k], NULL, &err) == RSTAR_OK);
	}
	CHECK(rstar_bpe_trainer_size(trainers[0]) == rstar_bpe_trainer_size(trainers[1]));
	for (uint32_t id = 0; id < rstar_bpe_trainer_size(trainers[0]); id++)
	{
		rstar_string x = rstar_bpe_trainer_token(trainers[0], id);
		rstar_string y = rstar_bpe_trainer_token(trainers[1], id);

		CHECK(x.length == y.length && memcmp(x.data, y.data, x.length) == 0);
	}
	rstar_bpe_trainer_free(trainers[0]);
	rstar_bpe_trainer_free(trainers[1]);
	free(a);
	free(b);
}

static void
written_and_opened(void)
{
	rstar_bpe_options options = some_options(500);
	char *corpus = make_corpus(20000);
	rstar_bpe_trainer *trainer = train(&options, corpus);
	rstar_encode_options encode = {.parse_special = true};
	rstar_gguf_writer *writer;
	rstar_error err;
	vocabulary v;
	int32_t *ids;
	size_t count;
	rstar_buffer out;

	CHECK(rstar_gguf_writer_create(&writer, &rstar_allocator_malloc, &err) == RSTAR_OK);
	CHECK(rstar_bpe_trainer_write(trainer, writer, &err) == RSTAR_OK);
	CHECK_MSG(vocabulary_from_writer(&v, writer, &err) == RSTAR_OK, "%s", err.message);
	if (!v.tokenizer)
		return;
	CHECK(rstar_tokenizer_size(v.tokenizer) == (int32_t) rstar_bpe_trainer_size(trainer));
	CHECK(rstar_tokenizer_find_special(v.tokenizer, "<end_of_step>", 13) ==
		  rstar_tokenizer_size(v.tokenizer) - 1);
	CHECK(rstar_tokenizer_eos(v.tokenizer) == rstar_tokenizer_size(v.tokenizer) - 3);

	CHECK(rstar_tokenizer_encode(v.tokenizer, corpus, strlen(corpus), &encode,
								 &rstar_allocator_malloc, NULL, &ids, &count, &err) == RSTAR_OK);
	rstar_buffer_init(&out, &rstar_allocator_malloc);
	CHECK(rstar_tokenizer_decode_all(v.tokenizer, ids, count, false, false, &out, &err) ==
		  RSTAR_OK);
	CHECK_STR(out.data, corpus);
	CHECK_MSG(count * 2 < strlen(corpus), "%zu ids for %zu bytes", count, strlen(corpus));
	rstar_buffer_free(&out);
	free(ids);

	/* Every id's bytes are those that the trainer had in mind. */
	for (int32_t id = 0; id < rstar_tokenizer_size(v.tokenizer); id++)
	{
		rstar_string text = rstar_bpe_trainer_token(trainer, (uint32_t) id);

		rstar_buffer_init(&out, &rstar_allocator_malloc);
		CHECK(rstar_tokenizer_decode(v.tokenizer, id, false, &out, &err) == RSTAR_OK);
		CHECK(out.length == text.length && memcmp(out.data, text.data, text.length) == 0);
		rstar_buffer_free(&out);
	}
	vocabulary_close(&v);
	rstar_bpe_trainer_free(trainer);
	free(corpus);
}

static bool
always(void *arg)
{
	(void) arg;
	return true;
}

static void
refusals(void)
{
	rstar_bpe_options options = some_options(258);
	rstar_bpe_special twice[] = {{"<a>", RSTAR_TOKEN_CONTROL}, {"<a>", RSTAR_TOKEN_CONTROL}};
	rstar_cancel cancel = {always, NULL};
	rstar_bpe_trainer *trainer;
	rstar_gguf_writer *writer;
	rstar_error err;
	char *corpus = make_corpus(200000);

	CHECK(rstar_bpe_trainer_create(&options, &rstar_allocator_malloc, &trainer, &err) ==
		  RSTAR_ERR_ARGUMENT); /* 256 bytes and 3 specials do not fit */
	options.vocabulary_size = 300;
	options.end_text = "<nothing>";
	CHECK(rstar_bpe_trainer_create(&options, &rstar_allocator_malloc, &trainer, &err) ==
		  RSTAR_ERR_ARGUMENT);
	options.end_text = NULL;
	options.specials = twice;
	options.n_specials = 2;
	CHECK(rstar_bpe_trainer_create(&options, &rstar_allocator_malloc, &trainer, &err) ==
		  RSTAR_ERR_ARGUMENT);
	options.n_specials = 1;
	CHECK(rstar_bpe_trainer_create(&options, &rstar_allocator_malloc, &trainer, &err) == RSTAR_OK);
	CHECK(rstar_gguf_writer_create(&writer, &rstar_allocator_malloc, &err) == RSTAR_OK);
	CHECK(rstar_bpe_trainer_write(trainer, writer, &err) == RSTAR_ERR_ARGUMENT);
	rstar_gguf_writer_free(writer);
	CHECK(rstar_bpe_trainer_add(trainer, corpus, strlen(corpus), &cancel, &err) ==
		  RSTAR_ERR_CANCELLED);
	CHECK(rstar_bpe_trainer_add(trainer, corpus, 1000, NULL, &err) == RSTAR_OK);
	CHECK(rstar_bpe_trainer_train(trainer, &cancel, &err) == RSTAR_ERR_CANCELLED);
	CHECK(rstar_bpe_trainer_train(trainer, NULL, &err) == RSTAR_ERR_ARGUMENT);
	rstar_bpe_trainer_free(trainer);
	free(corpus);
}

static bool
count_polls(void *polls)
{
	++*(int *) polls;
	return false;
}

/* Text without a blank, and without any special token, is polled for as any other. */
static void
long_runs(void)
{
	const size_t length = 1 << 20;
	rstar_bpe_options options = some_options(300);
	rstar_bpe_trainer *trainer;
	char *run = malloc(length);
	int polls = 0;
	rstar_cancel cancel = {count_polls, &polls};
	rstar_error err;

	memset(run, 'a', length);
	CHECK(rstar_bpe_trainer_create(&options, &rstar_allocator_malloc, &trainer, &err) == RSTAR_OK);
	CHECK(rstar_bpe_trainer_add(trainer, run, length, &cancel, &err) == RSTAR_OK);
	CHECK_MSG(polls >= 2 * (int) (length / 65536) - 1, "%d polls", polls);
	rstar_bpe_trainer_free(trainer);
	free(run);
}

/* Nothing to learn from: the bytes and the specials remain. */
static void
empty_corpus(void)
{
	rstar_bpe_options options = some_options(500);
	rstar_bpe_trainer *trainer = train(&options, "");

	CHECK(rstar_bpe_trainer_size(trainer) == 259);
	CHECK(rstar_bpe_trainer_n_merges(trainer) == 0);
	rstar_bpe_trainer_free(trainer);
	trainer = train(&options, "<end_of_step><end_of_step><code><code>");
	CHECK(rstar_bpe_trainer_size(trainer) == 259);
	rstar_bpe_trainer_free(trainer);
}

int
main(void)
{
	RUN(equals_naive_training);
	RUN(default_rules);
	RUN(single_rules);
	RUN(rules_hold);
	RUN(rare_words);
	RUN(deterministic);
	RUN(written_and_opened);
	RUN(refusals);
	RUN(long_runs);
	RUN(empty_corpus);
	return CHECK_RESULT();
}
