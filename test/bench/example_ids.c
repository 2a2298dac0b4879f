/*
 * example_ids.c
 *	  Writes training examples as a run of the extension encodes them, for another trainer.
 *
 *		example_ids MODEL.gguf TEMPLATE.txt EXAMPLES.jsonl OUT.bin
 *
 * A line of examples has problem, solution and held_out (true: only evaluated). OUT.bin holds
 * 32-bit integers: how many, then for each 1 if it is held out, its length, its ids, and 1
 * for each that is learned. See lora.sh.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/gguf.h"
#include "core/text/tokenizer.h"
#include "core/train/examples.h"

#define CONTEXT 4096

static void
check(rstar_status st, const rstar_error *err)
{
	if (st == RSTAR_OK)
		return;
	fprintf(stderr, "example_ids: %s %s\n", err->message, err->detail);
	exit(1);
}

static rstar_string
read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text = malloc(1 << 20);
	size_t n;

	if (!file || !text)
	{
		perror(path);
		exit(1);
	}
	n = fread(text, 1, 1 << 20, file);
	fclose(file);
	/* psql's own; a template may end in another. */
	if (n > 0 && text[n - 1] == '\n')
		n--;
	return (rstar_string){text, n};
}

static rstar_string
member(json_t *line, const char *name)
{
	const char *text = json_string_value(json_object_get(line, name));

	if (!text)
	{
		fprintf(stderr, "example_ids: a line has no %s\n", name);
		exit(1);
	}
	return (rstar_string){text, strlen(text)};
}

static void
put(FILE *out, int32_t value)
{
	if (fwrite(&value, sizeof value, 1, out) != 1)
	{
		perror("example_ids");
		exit(1);
	}
}

/* Encode one line; its marks follow its ids. */
static void
write_example(rstar_examples *e, json_t *line, FILE *out)
{
	uint32_t length;
	size_t n = e->n, at = e->n_ids;
	rstar_error err = {0};

	check(rstar_examples_add_solution(e, member(line, "problem"), member(line, "solution"), NULL,
									  &length, &err),
		  &err);
	if (e->n == n)
	{
		fprintf(stderr, "example_ids: an example of %u tokens does not fit\n", length);
		exit(1);
	}
	put(out, json_is_true(json_object_get(line, "held_out")));
	put(out, (int32_t) length);
	for (uint32_t t = 0; t < length; t++)
		put(out, e->ids[at + t]);
	for (uint32_t t = 0; t < length; t++)
		put(out, e->learned[at + t]);
}

int
main(int argc, char **argv)
{
	rstar_gguf *gguf;
	rstar_tokenizer *tokenizer;
	rstar_prompt_template prompt;
	rstar_examples examples;
	rstar_string template;
	rstar_error err = {0};
	json_t *line;
	FILE *in, *out;

	if (argc != 5)
		return 2;
	check(rstar_gguf_open(argv[1], &rstar_allocator_malloc, &gguf, &err), &err);
	check(rstar_tokenizer_open(gguf, &rstar_allocator_malloc, NULL, &tokenizer, &err), &err);
	template = read_file(argv[2]);
	check(rstar_prompt_template_parse(template.data, template.length, &prompt, &err), &err);
	rstar_examples_init(&examples, tokenizer, prompt, CONTEXT, false, &rstar_allocator_malloc);
	in = fopen(argv[3], "r");
	out = fopen(argv[4], "wb");
	if (!in || !out)
		return 1;
	put(out, 0);
	while ((line = json_loadf(in, JSON_DISABLE_EOF_CHECK, NULL)) != NULL)
	{
		write_example(&examples, line, out);
		json_decref(line);
	}
	rewind(out);
	put(out, (int32_t) examples.n);
	return fclose(out) == 0 ? 0 : 1;
}
