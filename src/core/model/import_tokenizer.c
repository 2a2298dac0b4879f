/*
 * import_tokenizer.c
 *	  A Hugging Face tokenizer.json as the tokenizer keys of a GGUF file.
 *
 * First every id gets its token: the vocabulary's, then the added ones over it.
 * Then, by kind: byte-level BPE copies its merges; SentencePiece-style BPE
 * turns them into scores, after checking that scores say the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/import_parts.h"
#include "core/text/pretoken.h"

/* As GGUF numbers them (tokenizer.ggml.token_type). */
enum
{
	TYPE_NORMAL = 1,
	TYPE_UNKNOWN = 2,
	TYPE_CONTROL = 3,
	TYPE_USER_DEFINED = 4,
	TYPE_UNUSED = 5,
	TYPE_BYTE = 6
};

#define LONGEST_TOKEN ((size_t) 1024) /* bytes; the longest of real files have about 256 */

/* A merge of SentencePiece-style BPE, by ids. */
typedef struct merge
{
	int32_t left;
	int32_t right;
} merge;

typedef struct tokenizer_import
{
	const rstar_import_vocabulary *given;
	const json_t *model; /* of tokenizer.json */
	const json_t *vocab;
	const rstar_allocator *allocator;
	rstar_gguf_writer *writer;
	rstar_error *err;
	rstar_arena arena; /* joined merges, names of unused ids */
	uint32_t n;
	rstar_string *tokens;
	int32_t *types;
	float *scores;
} tokenizer_import;

static rstar_status
corrupt(const tokenizer_import *import, const char *what)
{
	return rstar_error_set(import->err, RSTAR_ERR_CORRUPT, "tokenizer.json: %s", what);
}

static rstar_status
unsupported(const tokenizer_import *import, const char *what)
{
	return rstar_error_set(import->err, RSTAR_ERR_UNSUPPORTED, "tokenizer.json: %s", what);
}

static rstar_status
no_memory(const tokenizer_import *import, size_t bytes)
{
	return rstar_error_memory(import->err, bytes);
}

static rstar_string
string_of(const json_t *value)
{
	return (rstar_string){json_string_value(value), json_string_length(value)};
}

static bool
equals(rstar_string string, const char *text)
{
	return string.length == strlen(text) && memcmp(string.data, text, string.length) == 0;
}

/* --- tokens by id ---------------------------------------------------------- */

static rstar_status
set_token(tokenizer_import *import, const json_t *id, rstar_string text, int32_t type)
{
	json_int_t i = json_integer_value(id);

	if (!json_is_integer(id) || i < 0 || i >= (json_int_t) import->n)
		return corrupt(import, "a token's id is not in the embedding");
	if (text.length > LONGEST_TOKEN)
		return rstar_error_set(import->err, RSTAR_ERR_LIMIT,
							   "tokenizer.json: a token has %zu bytes", text.length);
	if (import->types[i] != 0 && (import->tokens[i].length != text.length ||
								  memcmp(import->tokens[i].data, text.data, text.length) != 0))
		return corrupt(import, "two tokens have the same id");
	import->tokens[i] = text;
	import->types[i] = type;
	return RSTAR_OK;
}

static rstar_status
read_vocabulary(tokenizer_import *import)
{
	rstar_string unknown = string_of(json_object_get(import->model, "unk_token"));
	bool fallback = json_is_true(json_object_get(import->model, "byte_fallback"));
	const char *text;
	json_t *id;

	json_object_foreach((json_t *) import->vocab, text, id)
	{
		rstar_string token = {text, strlen(text)};
		int32_t type = TYPE_NORMAL;
		rstar_status st;

		if (fallback && token.length == 6 && memcmp(text, "<0x", 3) == 0 && text[5] == '>')
			type = TYPE_BYTE;
		else if (fallback && unknown.data && equals(unknown, text))
			type = TYPE_UNKNOWN;
		st = set_token(import, id, token, type);
		if (st != RSTAR_OK)
			return st;
	}
	return RSTAR_OK;
}

static rstar_status
read_added(tokenizer_import *import)
{
	const json_t *added = json_object_get(import->given->tokenizer, "added_tokens");

	for (size_t i = 0; i < json_array_size(added); i++)
	{
		const json_t *entry = json_array_get(added, i);
		rstar_string text = string_of(json_object_get(entry, "content"));
		const json_t *id = json_object_get(entry, "id");
		int32_t type =
			json_is_true(json_object_get(entry, "special")) ? TYPE_CONTROL : TYPE_USER_DEFINED;
		json_int_t place = json_integer_value(id);
		rstar_status st;

		if (!text.data || text.length == 0)
			return corrupt(import, "an added token has no text");
		if (place >= 0 && place < (json_int_t) import->n && import->types[place] == TYPE_UNKNOWN)
			type = TYPE_UNKNOWN;
		st = set_token(import, id, text, type);
		if (st != RSTAR_OK)
			return st;
	}
	return RSTAR_OK;
}

/* Rows of the embedding that no token uses. */
static rstar_status
fill_unused(tokenizer_import *import)
{
	for (uint32_t i = 0; i < import->n; i++)
	{
		char text[24];
		int length = snprintf(text, sizeof text, "[PAD%u]", i);

		if (import->types[i] != 0)
			continue;
		import->types[i] = TYPE_UNUSED;
		import->tokens[i].data = rstar_arena_strndup(&import->arena, text, (size_t) length);
		import->tokens[i].length = (size_t) length;
		if (!import->tokens[i].data)
			return no_memory(import, sizeof text);
	}
	return RSTAR_OK;
}

/* --- merges ---------------------------------------------------------------- */

/* A merge is "left right" or ["left", "right"]. */
static rstar_status
split_merge(const tokenizer_import *import, const json_t *entry, rstar_string *left,
			rstar_string *right)
{
	rstar_string whole = string_of(entry);
	const char *blank;

	if (json_is_array(entry) && json_array_size(entry) == 2)
	{
		*left = string_of(json_array_get(entry, 0));
		*right = string_of(json_array_get(entry, 1));
	}
	else
	{
		blank = whole.data ? memchr(whole.data, ' ', whole.length) : NULL;
		if (!blank)
			return corrupt(import, "a merge is not a pair");
		left->data = whole.data;
		left->length = (size_t) (blank - whole.data);
		right->data = blank + 1;
		right->length = whole.length - left->length - 1;
	}
	if (!left->data || !right->data || left->length == 0 || right->length == 0)
		return corrupt(import, "a merge is not a pair");
	return RSTAR_OK;
}

static rstar_status
write_merges(tokenizer_import *import)
{
	const json_t *merges = json_object_get(import->model, "merges");
	size_t n = json_array_size(merges);
	rstar_string *joined = rstar_arena_alloc_array(&import->arena, n, sizeof *joined);

	if (!joined)
		return no_memory(import, n * sizeof *joined);
	for (size_t i = 0; i < n; i++)
	{
		rstar_string left;
		rstar_string right;
		char *text;
		rstar_status st = split_merge(import, json_array_get(merges, i), &left, &right);

		if (st != RSTAR_OK)
			return st;
		text = rstar_arena_alloc(&import->arena, left.length + right.length + 1);
		if (!text)
			return no_memory(import, left.length + right.length + 1);
		memcpy(text, left.data, left.length);
		text[left.length] = ' ';
		memcpy(text + left.length + 1, right.data, right.length);
		joined[i] = (rstar_string){text, left.length + right.length + 1};
	}
	rstar_gguf_writer_strings(import->writer, "tokenizer.ggml.merges", joined, n);
	return RSTAR_OK;
}

/* --- merges as scores ------------------------------------------------------ */

static int32_t
find_id(const tokenizer_import *import, const char *text, size_t length)
{
	const json_t *id = json_object_getn(import->vocab, text, length);

	return id ? (int32_t) json_integer_value(id) : -1;
}

static int
compare_merges(const void *a, const void *b)
{
	const merge *first = a;
	const merge *second = b;

	if (first->left != second->left)
		return first->left < second->left ? -1 : 1;
	return (first->right > second->right) - (first->right < second->right);
}

/* Ids of one merge, and its token's score if this is the first that makes it. */
static rstar_status
score_merge(tokenizer_import *import, const json_t *entry, merge *pair, float rank)
{
	rstar_string left;
	rstar_string right;
	char *text;
	int32_t made;
	rstar_status st = split_merge(import, entry, &left, &right);

	if (st != RSTAR_OK)
		return st;
	text = rstar_alloc(import->allocator, left.length + right.length);
	if (!text)
		return no_memory(import, left.length + right.length);
	memcpy(text, left.data, left.length);
	memcpy(text + left.length, right.data, right.length);
	made = find_id(import, text, left.length + right.length);
	rstar_free(import->allocator, text);
	pair->left = find_id(import, left.data, left.length);
	pair->right = find_id(import, right.data, right.length);
	if (pair->left < 0 || pair->right < 0 || made < 0)
		return corrupt(import, "a merge is not of tokens");
	if (import->scores[made] == 0.0f)
		import->scores[made] = -1.0f - rank;
	return RSTAR_OK;
}

/* Merging by score would join any two tokens whose text is a token. */
static rstar_status
check_splits(const tokenizer_import *import, const merge *sorted, size_t n)
{
	for (uint32_t i = 0; i < import->n; i++)
	{
		rstar_string token = import->tokens[i];

		if (import->types[i] != TYPE_NORMAL)
			continue;
		for (size_t cut = 1; cut < token.length; cut++)
		{
			merge pair;

			if (((unsigned char) token.data[cut] & 0xC0) == 0x80)
				continue;
			pair.left = find_id(import, token.data, cut);
			pair.right = find_id(import, token.data + cut, token.length - cut);
			if (pair.left < 0 || pair.right < 0 || import->types[pair.left] != TYPE_NORMAL ||
				import->types[pair.right] != TYPE_NORMAL)
				continue;
			if (bsearch(&pair, sorted, n, sizeof pair, compare_merges))
				continue;
			unsupported(import, "its merges cannot be expressed by scores");
			return rstar_error_detail(import->err,
									  "Token %u can be split into two tokens that no merge joins. "
									  "Files converted from SentencePiece have all such merges.",
									  i);
		}
		if (i % 64 == 0 && rstar_cancel_requested(import->given->cancel))
			return rstar_error_set(import->err, RSTAR_ERR_CANCELLED,
								   "importing a model was cancelled");
	}
	return RSTAR_OK;
}

static rstar_status
write_scores(tokenizer_import *import)
{
	const json_t *merges = json_object_get(import->model, "merges");
	size_t n = json_array_size(merges);
	merge *pairs = rstar_alloc_array(import->allocator, n + 1, sizeof *pairs);
	rstar_status st = pairs ? RSTAR_OK : no_memory(import, n * sizeof *pairs);

	for (size_t i = 0; i < n && st == RSTAR_OK; i++)
		st = score_merge(import, json_array_get(merges, i), &pairs[i], (float) i);
	if (st == RSTAR_OK)
	{
		qsort(pairs, n, sizeof *pairs, compare_merges);
		st = check_splits(import, pairs, n);
	}
	rstar_free(import->allocator, pairs);
	if (st == RSTAR_OK)
		rstar_gguf_writer_array(import->writer, "tokenizer.ggml.scores", RSTAR_GGUF_F32,
								import->scores, import->n);
	return st;
}

/* --- kinds ----------------------------------------------------------------- */

/* A pre-tokenizer or normalizer of that type, at the top or in its sequence. */
static const json_t *
find_stage(const json_t *stage, const char *list, const char *type)
{
	const char *own = json_string_value(json_object_get(stage, "type"));
	const json_t *inner = json_object_get(stage, list);

	if (own && strcmp(own, type) == 0)
		return stage;
	for (size_t i = 0; i < json_array_size(inner); i++)
	{
		const json_t *part = json_array_get(inner, i);

		own = json_string_value(json_object_get(part, "type"));
		if (own && strcmp(own, type) == 0)
			return part;
	}
	return NULL;
}

/* Every stage has one of the types listed (ending with NULL), or is absent. */
static bool
only_stages(const json_t *stage, const char *list, const char *const *allowed)
{
	const json_t *inner = json_object_get(stage, list);
	size_t n = json_array_size(inner);
	size_t known = 0;

	if (!stage || json_is_null(stage))
		return true;
	for (; *allowed; allowed++)
		for (size_t i = 0; i < (inner ? n : 1); i++)
		{
			const json_t *part = inner ? json_array_get(inner, i) : stage;
			const char *type = json_string_value(json_object_get(part, "type"));

			known += type && strcmp(type, *allowed) == 0;
		}
	return known == (inner ? n : 1);
}

/* Whether a pre-token that is a token stays whole, where the rule's name says otherwise. */
static void
write_ignore_merges(const tokenizer_import *import, const char *pre)
{
	bool ignore = json_is_true(json_object_get(import->model, "ignore_merges"));

	if (ignore != rstar_pretoken_ignores_merges(rstar_pretoken_find(pre, strlen(pre))))
		rstar_gguf_writer_bool(import->writer, "rstar.tokenizer.ignore_merges", ignore);
}

static rstar_status
write_byte_level(tokenizer_import *import)
{
	static const char *const normalizers[] = {"NFC", NULL};
	const json_t *before = json_object_get(import->given->tokenizer, "pre_tokenizer");
	const char *pre = rstar_import_pretoken_name(before, import->allocator);

	if (!only_stages(json_object_get(import->given->tokenizer, "normalizer"), "normalizers",
					 normalizers))
		return unsupported(import, "its normalizer is not supported");
	if (!pre)
	{
		unsupported(import, "its rule for splitting text is not supported");
		return rstar_error_hint(import->err,
								"Supported are those of GPT-2, Qwen 2 to 3.5, Llama 3, SmolLM, "
								"Mistral (Tekken), GPT-4o, Falcon and DeepSeek.");
	}
	rstar_gguf_writer_string(import->writer, "tokenizer.ggml.model", "gpt2", 4);
	rstar_gguf_writer_string(import->writer, "tokenizer.ggml.pre", pre, strlen(pre));
	write_ignore_merges(import, pre);
	return write_merges(import);
}

/* Gemma's "Split" at blanks, which are gone by then. */
static bool
splits_at_blanks(const json_t *stage)
{
	const json_t *pattern = json_object_get(stage, "pattern");
	const char *text = json_string_value(json_object_get(pattern, "String"));
	const char *type = json_string_value(json_object_get(stage, "type"));

	return type && strcmp(type, "Split") == 0 && text && strcmp(text, " ") == 0;
}

static rstar_status
write_sentencepiece(tokenizer_import *import)
{
	static const char *const normalizers[] = {"Prepend", "Replace", NULL};
	static const char *const stages[] = {"Metaspace", NULL};
	const json_t *normalizer = json_object_get(import->given->tokenizer, "normalizer");
	const json_t *before = json_object_get(import->given->tokenizer, "pre_tokenizer");
	const json_t *metaspace = find_stage(before, "pretokenizers", "Metaspace");
	const char *scheme = json_string_value(json_object_get(metaspace, "prepend_scheme"));
	bool prefix = find_stage(normalizer, "normalizers", "Prepend") != NULL ||
				  (metaspace && !(scheme && strcmp(scheme, "never") == 0));

	if (!only_stages(normalizer, "normalizers", normalizers))
		return unsupported(import, "its normalizer is not supported");
	if (!splits_at_blanks(before) && !only_stages(before, "pretokenizers", stages))
		return unsupported(import, "its pre-tokenizer is not supported");
	rstar_gguf_writer_string(import->writer, "tokenizer.ggml.model", "llama", 5);
	rstar_gguf_writer_string(import->writer, "tokenizer.ggml.pre", "default", 7);
	rstar_gguf_writer_bool(import->writer, "tokenizer.ggml.add_space_prefix", prefix);
	return write_scores(import);
}

static rstar_status
write_kind(tokenizer_import *import)
{
	const json_t *before = json_object_get(import->given->tokenizer, "pre_tokenizer");

	if (find_stage(before, "pretokenizers", "ByteLevel"))
		return write_byte_level(import);
	if (json_is_true(json_object_get(import->model, "byte_fallback")))
		return write_sentencepiece(import);
	return unsupported(import, "it is neither byte-level BPE nor BPE with byte fallback");
}

/* --- special tokens -------------------------------------------------------- */

/* Of a setting like "eos_token": a text, or an object with one. */
static int32_t
find_special(const tokenizer_import *import, const char *key)
{
	const json_t *value = json_object_get(import->given->tokenizer_config, key);
	rstar_string text;

	if (json_is_object(value))
		value = json_object_get(value, "content");
	text = string_of(value);
	for (uint32_t i = 0; text.data && i < import->n; i++)
		if (import->types[i] != TYPE_UNUSED && import->tokens[i].length == text.length &&
			memcmp(import->tokens[i].data, text.data, text.length) == 0)
			return (int32_t) i;
	return -1;
}

/* Element i of a setting like "eos_token_id": a number, or a list of them. */
static int32_t
configured_id(const tokenizer_import *import, const json_t *config, const char *key, size_t i)
{
	const json_t *value = json_object_get(config, key);

	if (json_is_array(value))
		value = json_array_get(value, i);
	else if (i > 0)
		return -1;
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
		json_integer_value(value) >= (json_int_t) import->n)
		return -1;
	return (int32_t) json_integer_value(value);
}

static int32_t
special_id(const tokenizer_import *import, const char *text_key, const char *id_key)
{
	int32_t id = find_special(import, text_key);

	if (id < 0)
		id = configured_id(import, import->given->generation_config, id_key, 0);
	if (id < 0)
		id = configured_id(import, import->given->config, id_key, 0);
	return id;
}

static void
write_id(const tokenizer_import *import, const char *key, int32_t id)
{
	if (id >= 0)
		rstar_gguf_writer_u32(import->writer, key, (uint32_t) id);
}

/* eos, and up to two more tokens that end a turn, as the generation settings list them. */
static void
write_ends(const tokenizer_import *import)
{
	static const char *const others[] = {"tokenizer.ggml.eot_token_id",
										 "tokenizer.ggml.eom_token_id"};
	int32_t eos = special_id(import, "eos_token", "eos_token_id");
	const json_t *lists[] = {import->given->generation_config, import->given->config};
	int32_t seen[2] = {eos, -1};
	size_t n = 0;

	write_id(import, "tokenizer.ggml.eos_token_id", eos);
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < 16 && n < 2; i++)
		{
			int32_t id = configured_id(import, lists[k], "eos_token_id", i);

			if (id < 0 || id == seen[0] || id == seen[1])
				continue;
			write_id(import, others[n], id);
			seen[1] = id;
			n++;
		}
}

/* What tokenizer_config.json says, or else whether the template begins with it. */
static bool
adds_bos(const tokenizer_import *import, int32_t bos)
{
	const json_t *said = json_object_get(import->given->tokenizer_config, "add_bos_token");
	const json_t *after = json_object_get(import->given->tokenizer, "post_processor");
	const json_t *template = find_stage(after, "processors", "TemplateProcessing");
	const json_t *first = json_array_get(json_object_get(template, "single"), 0);
	rstar_string id = string_of(json_object_get(json_object_get(first, "SpecialToken"), "id"));

	if (bos < 0)
		return false;
	if (json_is_boolean(said))
		return json_is_true(said);
	return id.data && id.length == import->tokens[bos].length &&
		   memcmp(id.data, import->tokens[bos].data, id.length) == 0;
}

/* Which added tokens swallow the white space behind them (see core/text/tokenizer.h). */
static void
write_stripping(const tokenizer_import *import)
{
	const json_t *added = json_object_get(import->given->tokenizer, "added_tokens");
	int32_t ids[1024];
	uint64_t count = 0;

	for (size_t i = 0; i < json_array_size(added) && count < 1024; i++)
	{
		const json_t *entry = json_array_get(added, i);

		if (json_is_true(json_object_get(entry, "rstrip")))
			ids[count++] = (int32_t) json_integer_value(json_object_get(entry, "id"));
	}
	rstar_gguf_writer_array(import->writer, "rstar.tokenizer.strips_right", RSTAR_GGUF_I32, ids,
							count);
}

static void
write_specials(const tokenizer_import *import)
{
	int32_t bos = special_id(import, "bos_token", "bos_token_id");
	rstar_string template =
		string_of(json_object_get(import->given->tokenizer_config, "chat_template"));

	write_id(import, "tokenizer.ggml.bos_token_id", bos);
	write_ends(import);
	write_id(import, "tokenizer.ggml.padding_token_id",
			 special_id(import, "pad_token", "pad_token_id"));
	write_id(import, "tokenizer.ggml.unknown_token_id", find_special(import, "unk_token"));
	rstar_gguf_writer_bool(import->writer, "tokenizer.ggml.add_bos_token", adds_bos(import, bos));
	write_stripping(import);
	if (import->given->chat_template)
		template =
			(rstar_string){import->given->chat_template, import->given->chat_template_length};
	if (template.data)
		rstar_gguf_writer_string(import->writer, "tokenizer.chat_template", template.data,
								 template.length);
}

/* --- all ------------------------------------------------------------------- */

static rstar_status
read_tokens(tokenizer_import *import)
{
	const char *type;
	rstar_status st;

	import->model = json_object_get(import->given->tokenizer, "model");
	import->vocab = json_object_get(import->model, "vocab");
	type = json_string_value(json_object_get(import->model, "type"));
	if (type && strcmp(type, "BPE") != 0)
		return unsupported(import, "only models of type BPE are supported");
	if (!json_is_object(import->vocab) || !json_is_array(json_object_get(import->model, "merges")))
		return corrupt(import, "it has no vocabulary or no merges");
	import->tokens = rstar_arena_alloc_zero(&import->arena, import->n * sizeof *import->tokens);
	import->types = rstar_arena_alloc_zero(&import->arena, import->n * sizeof *import->types);
	import->scores = rstar_arena_alloc_zero(&import->arena, import->n * sizeof *import->scores);
	if (!import->tokens || !import->types || !import->scores)
		return no_memory(import, import->n * sizeof *import->tokens);
	st = read_vocabulary(import);
	if (st == RSTAR_OK)
		st = read_added(import);
	if (st == RSTAR_OK)
		st = fill_unused(import);
	return st;
}

rstar_status
rstar_import_write_vocabulary(const rstar_import_vocabulary *vocabulary,
							  const rstar_allocator *allocator, rstar_gguf_writer *writer,
							  rstar_error *err)
{
	tokenizer_import import = {.given = vocabulary,
							   .allocator = allocator,
							   .writer = writer,
							   .err = err,
							   .n = vocabulary->n_vocab};
	rstar_status st;

	rstar_arena_init(&import.arena, allocator, 0);
	st = read_tokens(&import);
	if (st == RSTAR_OK)
		st = write_kind(&import);
	if (st == RSTAR_OK)
	{
		rstar_gguf_writer_strings(writer, "tokenizer.ggml.tokens", import.tokens, import.n);
		rstar_gguf_writer_array(writer, "tokenizer.ggml.token_type", RSTAR_GGUF_I32, import.types,
								import.n);
		write_specials(&import);
	}
	rstar_arena_reset(&import.arena);
	return st;
}
