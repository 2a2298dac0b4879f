/*
 * bpe_write.c
 *	  What a vocabulary trainer has learnt: asking for it, and writing it.
 */
#include "core/text/bpe_internal.h"
#include "core/text/bytemap.h"

uint32_t
rstar_bpe_trainer_size(const rstar_bpe_trainer *trainer)
{
	return trainer->n_tokens + (uint32_t) trainer->options.n_specials;
}

rstar_string
rstar_bpe_trainer_token(const rstar_bpe_trainer *trainer, uint32_t id)
{
	rstar_string text;

	if (id < trainer->n_tokens)
		return rstar_bpe_text(trainer, id);
	text.data = trainer->options.specials[id - trainer->n_tokens].text;
	text.length = strlen(text.data);
	return text;
}

uint32_t
rstar_bpe_trainer_n_merges(const rstar_bpe_trainer *trainer)
{
	return trainer->n_merges;
}

void
rstar_bpe_trainer_merge(const rstar_bpe_trainer *trainer, uint32_t i, uint32_t *left,
						uint32_t *right)
{
	*left = trainer->merges[2 * i];
	*right = trainer->merges[2 * i + 1];
}

/* Append a token as the vocabulary writes it. */
static bool
append_printable(rstar_buffer *out, const rstar_bytemap *map, rstar_string text)
{
	char printable[2 * 2 * RSTAR_BPE_LONGEST_WORD];

	return rstar_buffer_append(out, printable,
							   rstar_bytemap_encode(map, text.data, text.length, printable));
}

/* A list of strings collected in one buffer, whose address may still change. */
typedef struct string_list
{
	rstar_buffer text;
	rstar_string *strings;
	size_t *ends;
	uint64_t count;
} string_list;

static bool
string_list_init(string_list *list, const rstar_allocator *allocator, uint64_t count)
{
	rstar_buffer_init(&list->text, allocator);
	list->strings = rstar_alloc_array(allocator, count, sizeof(rstar_string));
	list->ends = rstar_alloc_array(allocator, count, sizeof(size_t));
	list->count = 0;
	return list->strings && list->ends;
}

static void
string_list_end(string_list *list)
{
	list->ends[list->count++] = list->text.length;
}

static void
string_list_write(string_list *list, rstar_gguf_writer *writer, const char *key)
{
	size_t start = 0;

	for (uint64_t i = 0; i < list->count; i++)
	{
		list->strings[i].data = list->text.data + start;
		list->strings[i].length = list->ends[i] - start;
		start = list->ends[i];
	}
	rstar_gguf_writer_strings(writer, key, list->strings, list->count);
}

static void
string_list_free(string_list *list)
{
	rstar_free(list->text.allocator, list->strings);
	rstar_free(list->text.allocator, list->ends);
	rstar_buffer_free(&list->text);
}

static bool
write_tokens(const rstar_bpe_trainer *trainer, const rstar_bytemap *map, rstar_gguf_writer *writer)
{
	uint32_t size = rstar_bpe_trainer_size(trainer);
	int32_t *types = rstar_alloc_array(trainer->allocator, size, sizeof(int32_t));
	string_list list;
	bool done = string_list_init(&list, trainer->allocator, size) && types;

	for (uint32_t id = 0; id < size && done; id++)
	{
		rstar_string text = rstar_bpe_trainer_token(trainer, id);
		bool special = id >= trainer->n_tokens;

		done = special ? rstar_buffer_append(&list.text, text.data, text.length)
					   : append_printable(&list.text, map, text);
		types[id] = special ? (int32_t) trainer->options.specials[id - trainer->n_tokens].type
							: RSTAR_TOKEN_NORMAL;
		string_list_end(&list);
	}
	if (done)
	{
		string_list_write(&list, writer, "tokenizer.ggml.tokens");
		rstar_gguf_writer_array(writer, "tokenizer.ggml.token_type", RSTAR_GGUF_I32, types, size);
	}
	string_list_free(&list);
	rstar_free(trainer->allocator, types);
	return done;
}

static bool
write_merges(const rstar_bpe_trainer *trainer, const rstar_bytemap *map, rstar_gguf_writer *writer)
{
	string_list list;
	bool done = string_list_init(&list, trainer->allocator, trainer->n_merges);

	for (uint32_t i = 0; i < trainer->n_merges && done; i++)
	{
		done =
			append_printable(&list.text, map, rstar_bpe_text(trainer, trainer->merges[2 * i])) &&
			rstar_buffer_append(&list.text, " ", 1) &&
			append_printable(&list.text, map, rstar_bpe_text(trainer, trainer->merges[2 * i + 1]));
		string_list_end(&list);
	}
	if (done)
		string_list_write(&list, writer, "tokenizer.ggml.merges");
	string_list_free(&list);
	return done;
}

rstar_status
rstar_bpe_trainer_write(const rstar_bpe_trainer *trainer, rstar_gguf_writer *writer,
						rstar_error *err)
{
	rstar_bytemap map;

	if (!trainer->trained)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "the vocabulary is not trained yet");
	rstar_bytemap_init(&map);
	rstar_gguf_writer_string(writer, "tokenizer.ggml.model", "gpt2", 4);
	rstar_gguf_writer_string(writer, "tokenizer.ggml.pre", "qwen2", 5);
	if (!write_tokens(trainer, &map, writer) || !write_merges(trainer, &map, writer))
		return rstar_bpe_out_of_memory(err);
	if (trainer->end_special >= 0)
	{
		uint32_t end = trainer->n_tokens + (uint32_t) trainer->end_special;

		rstar_gguf_writer_u32(writer, "tokenizer.ggml.bos_token_id", end);
		rstar_gguf_writer_u32(writer, "tokenizer.ggml.eos_token_id", end);
		rstar_gguf_writer_u32(writer, "tokenizer.ggml.padding_token_id", end);
	}
	rstar_gguf_writer_bool(writer, "tokenizer.ggml.add_bos_token", false);
	return RSTAR_OK;
}
