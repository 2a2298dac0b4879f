/*
 * bench_tokenizer.c
 *	  Opening a vocabulary, and encoding speed.
 *
 *		bench_tokenizer [MODEL.gguf [TEXT]]
 *		bench_tokenizer train TEXT [TOKENS [OUT.gguf]]
 *
 * Without arguments the shared Qwen2.5 and Phi-3 vocabularies. Opening is
 * measured as a new connection meets it: a fresh process for each, the file in
 * the page cache, in CPU time; the limit printed beside it is reading the
 * file's bytes once.
 * Encoding is printed beside a plain copy of the text. Training is printed
 * beside one pass over the corpus that only cuts it into pre-tokens.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/model/gguf.h"
#include "core/text/bpe_train.h"
#include "core/text/pretoken.h"
#include "core/text/tokenizer.h"

#define ROUNDS     15
#define TEXT_BYTES ((size_t) 4 << 20)

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

/* Of this process alone, so that a busy machine does not count. */
static double
cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return (x > y) - (x < y);
}

static double
median(double *values, int n)
{
	qsort(values, (size_t) n, sizeof(double), compare_doubles);
	return values[n / 2];
}

static double
touch_file(const char *path)
{
	double start = cpu_ms();
	FILE *file = fopen(path, "rb");
	static char block[65536];
	size_t sum = 0, n;

	while ((n = fread(block, 1, sizeof(block), file)) > 0)
		sum += (unsigned char) block[0];
	fclose(file);
	return sum == 1 ? 0 : cpu_ms() - start;
}

/* times: opening the file, opening the vocabulary, first encoding, reading the file. */
static bool
open_once(const char *path, double times[4])
{
	rstar_encode_options options = {.parse_special = true, .dummy_prefix = true};
	rstar_gguf *gguf;
	rstar_tokenizer *tokenizer;
	rstar_error err;
	int32_t *ids;
	size_t count;
	double start = cpu_ms();

	if (rstar_gguf_open(path, &rstar_allocator_malloc, &gguf, &err) != RSTAR_OK)
		goto failed;
	times[0] = cpu_ms() - start;
	start = cpu_ms();
	if (rstar_tokenizer_open(gguf, &rstar_allocator_malloc, NULL, &tokenizer, &err) != RSTAR_OK)
		goto failed;
	times[1] = cpu_ms() - start;
	start = cpu_ms();
	if (rstar_tokenizer_encode(tokenizer, "Solve 3*x + 5 = 20 for x.", 25, &options,
							   &rstar_allocator_malloc, NULL, &ids, &count, &err) != RSTAR_OK)
		goto failed;
	times[2] = cpu_ms() - start;
	times[3] = touch_file(path);
	return true;
failed:
	fprintf(stderr, "%s: %s\n", path, err.message);
	return false;
}

static bool
bench_open(const char *path)
{
	static const char *const what[] = {"file", "vocabulary", "first text", "limit: read the file"};
	double times[4][ROUNDS];

	for (int round = 0; round < ROUNDS; round++)
	{
		double here[4];
		int fds[2];
		pid_t child;

		if (pipe(fds) != 0 || (child = fork()) < 0)
			return false;
		if (child == 0)
		{
			bool done = open_once(path, here);

			if (done && write(fds[1], here, sizeof(here)) != sizeof(here))
				done = false;
			_exit(done ? 0 : 1);
		}
		close(fds[1]);
		if (read(fds[0], here, sizeof(here)) != sizeof(here))
			return false;
		close(fds[0]);
		waitpid(child, NULL, 0);
		for (int i = 0; i < 4; i++)
			times[i][round] = here[i];
	}
	printf("  open, fresh process, CPU time, median of %d:", ROUNDS);
	for (int i = 0; i < 4; i++)
		printf("  %s %.2f ms", what[i], median(times[i], ROUNDS));
	printf("\n");
	return true;
}

static void
bench_text(const rstar_tokenizer *tokenizer, const char *name, const char *text, size_t length)
{
	rstar_encode_options options = {.parse_special = true, .dummy_prefix = true};
	double times[3], copies[3];
	char *copy = malloc(length);
	size_t count = 0;

	for (int round = 0; round < 3; round++)
	{
		rstar_error err;
		int32_t *ids;
		double start = now_ms();

		if (rstar_tokenizer_encode(tokenizer, text, length, &options, &rstar_allocator_malloc, NULL,
								   &ids, &count, &err) != RSTAR_OK)
		{
			fprintf(stderr, "%s\n", err.message);
			break;
		}
		times[round] = now_ms() - start;
		free(ids);
		start = now_ms();
		memcpy(copy, text, length);
		copies[round] = now_ms() - start;
	}
	printf("  %-22s %8.2f MB/s  %9zu ids, %.2f bytes each  (copying: %.0f MB/s)\n", name,
		   (double) length / 1e3 / median(times, 3), count, (double) length / (double) count,
		   (double) length / 1e3 / median(copies, 3));
	free(copy);
}

static char *
repeat(const char *piece, size_t bytes)
{
	char *text = malloc(bytes);
	size_t length = strlen(piece);

	for (size_t i = 0; i < bytes; i++)
		text[i] = piece[i % length];
	return text;
}

static bool
bench_vocabulary(const char *path, const char *text_path)
{
	static const char solution[] =
		"<code>\n# Step 1: Calculate the total number of tulips in both fields\n"
		"total_tulips = 12 * 7 + 5\nprint(total_tulips)\n<end_of_step>\n\n"
		"Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in "
		"May. How many clips did Natalia sell altogether in April and May?\n"
		"The roots of $x^2 - 5x + 6 = 0$ are $\\boxed{2, 3}$.\n";
	rstar_gguf *gguf;
	rstar_tokenizer *tokenizer;
	rstar_error err;
	char *text;

	printf("%s\n", path);
	if (!bench_open(path) ||
		rstar_gguf_open(path, &rstar_allocator_malloc, &gguf, &err) != RSTAR_OK ||
		rstar_tokenizer_open(gguf, &rstar_allocator_malloc, NULL, &tokenizer, &err) != RSTAR_OK)
		return false;
	if (text_path)
	{
		FILE *file = fopen(text_path, "rb");
		size_t length;

		if (!file)
			return false;
		text = malloc(TEXT_BYTES);
		length = fread(text, 1, TEXT_BYTES, file);
		fclose(file);
		bench_text(tokenizer, "the given text", text, length);
		free(text);
	}
	text = repeat(solution, TEXT_BYTES);
	bench_text(tokenizer, "solutions", text, TEXT_BYTES);
	free(text);
	text = repeat("qwertyuiopasdfghjklzxcvbnm", TEXT_BYTES / 4);
	bench_text(tokenizer, "one word of letters", text, TEXT_BYTES / 4);
	free(text);
	text = repeat(" ", TEXT_BYTES / 4);
	bench_text(tokenizer, "blanks", text, TEXT_BYTES / 4);
	free(text);
	text = repeat("\xFE\x80\xC3", TEXT_BYTES / 4);
	bench_text(tokenizer, "not UTF-8", text, TEXT_BYTES / 4);
	free(text);
	rstar_tokenizer_close(tokenizer);
	rstar_gguf_close(gguf);
	return true;
}

/* --- training -------------------------------------------------------------- */

static char *
read_text(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	char *text;

	if (!file)
		return NULL;
	fseek(file, 0, SEEK_END);
	*length = (size_t) ftell(file);
	rewind(file);
	text = malloc(*length + 1);
	*length = fread(text, 1, *length, file);
	fclose(file);
	return text;
}

static bool
write_vocabulary(const rstar_bpe_trainer *trainer, const char *path)
{
	rstar_gguf_writer *writer;
	rstar_error err;
	FILE *file = fopen(path, "wb");
	bool done;

	if (!file || rstar_gguf_writer_create(&writer, &rstar_allocator_malloc, &err) != RSTAR_OK)
		return false;
	rstar_gguf_writer_string(writer, "general.architecture", "qwen2", 5);
	done = rstar_bpe_trainer_write(trainer, writer, &err) == RSTAR_OK &&
		   rstar_gguf_writer_finish(writer, fileno(file), NULL, &err) == RSTAR_OK;
	rstar_gguf_writer_free(writer);
	fclose(file);
	return done;
}

static bool
bench_train(const char *path, uint32_t size, const char *out)
{
	static const rstar_bpe_special specials[] = {{"<|endoftext|>", RSTAR_TOKEN_CONTROL},
												 {"<code>", RSTAR_TOKEN_CONTROL},
												 {"<end_of_step>", RSTAR_TOKEN_CONTROL}};
	rstar_bpe_options options;
	rstar_bpe_trainer *trainer;
	rstar_error err;
	size_t length, words = 0;
	char *text = read_text(path, &length);
	double cut, count, merge, start = now_ms();

	if (!text)
		return false;
	for (size_t at = 0; at < length; words++)
		at = rstar_pretoken_end(text, length, at, 1);
	cut = now_ms() - start;

	rstar_bpe_options_init(&options);
	options.vocabulary_size = size;
	options.specials = specials;
	options.n_specials = 3;
	options.end_text = "<|endoftext|>";
	start = now_ms();
	if (rstar_bpe_trainer_create(&options, &rstar_allocator_malloc, &trainer, &err) != RSTAR_OK ||
		rstar_bpe_trainer_add(trainer, text, length, NULL, &err) != RSTAR_OK)
		return false;
	count = now_ms() - start;
	start = now_ms();
	if (rstar_bpe_trainer_train(trainer, NULL, &err) != RSTAR_OK)
		return false;
	merge = now_ms() - start;
	printf("%s: %.1f MB, %zu pre-tokens\n", path, (double) length / 1e6, words);
	printf("  %u tokens: counting %.2f s (limit: cutting alone %.2f s), merging %.2f s\n",
		   rstar_bpe_trainer_size(trainer), count / 1e3, cut / 1e3, merge / 1e3);
	if (out && !write_vocabulary(trainer, out))
		return false;
	rstar_bpe_trainer_free(trainer);
	free(text);
	return true;
}

int
main(int argc, char **argv)
{
	static const char *const names[] = {"qwen2", "phi-3"};
	const char *shared = getenv("RSTAR_SHARED");
	char path[1024];

	if (argc > 2 && strcmp(argv[1], "train") == 0)
	{
		uint32_t size = argc > 3 ? (uint32_t) strtoul(argv[3], NULL, 10) : 1024;

		return bench_train(argv[2], size, argc > 4 ? argv[4] : NULL) ? 0 : 1;
	}
	if (argc > 1)
		return bench_vocabulary(argv[1], argc > 2 ? argv[2] : NULL) ? 0 : 1;
	for (int i = 0; i < 2; i++)
	{
		snprintf(path, sizeof(path), "%s/fixtures/tokenizer/ggml-vocab-%s.gguf",
				 shared && *shared ? shared : "../shared", names[i]);
		if (access(path, R_OK) != 0)
			printf("%s is absent: give a GGUF file as argument\n", path);
		else if (!bench_vocabulary(path, NULL))
			return 1;
	}
	return 0;
}
