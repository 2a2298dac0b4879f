/*
 * import_pretoken.c
 *	  The "pre_tokenizer" of a tokenizer.json as the name of a rule.
 *
 * The stages are written down as one line of text, every setting that matters in
 * it, and the line is looked up: a rule that differs in any of them is another
 * rule. "ByteLevel" with its own expression counts as a "Split" by it.
 */
#include <string.h>

#include "core/model/import_parts.h"

#define CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define LETTERS      "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
#define SIGNS        "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
#define SPACE        "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define GPT2         "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"
#define UPPER        "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER        "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define BEFORE       "[^\\r\\n\\p{L}\\p{N}]?"
#define WIDE         "[\xE4\xB8\x80-\xE9\xBE\xA5\xE0\xA0\x80-\xE4\xB8\x80\xEA\xB0\x80-\xED\x9F\xBF]+"

/* A line ends with "\n" for each stage. */
#define SPLIT(regex)    "Split " regex "\n"
#define EACH_DIGIT      "Digits each\n"
#define PUNCTUATION_RUN "Punctuation Contiguous\n"

static const struct
{
	const char *stages;
	const char *pre;
} rules[] = {
	{SPLIT(CONTRACTIONS LETTERS "\\p{N}" SIGNS SPACE), "qwen2"},
	{SPLIT(CONTRACTIONS LETTERS "\\p{N}{1,3}" SIGNS SPACE), "llama-bpe"},
	{SPLIT(CONTRACTIONS "|" BEFORE
						"[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*" SPACE),
	 "qwen35"},
	{SPLIT(BEFORE UPPER "*" LOWER "+|" BEFORE UPPER "+" LOWER
						"*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*" SPACE),
	 "tekken"},
	{SPLIT(BEFORE UPPER "*" LOWER "+" CONTRACTIONS "?|" BEFORE UPPER "+" LOWER "*" CONTRACTIONS
						"?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*" SPACE),
	 "gpt-4o"},
	{SPLIT(GPT2), "gpt-2"},
	{EACH_DIGIT SPLIT(GPT2), "smollm"},
	{PUNCTUATION_RUN SPLIT(GPT2) "Digits runs\n" SPLIT("[0-9][0-9][0-9]"), "falcon"},
	{SPLIT("[\\r\\n]") SPLIT("\\s?\\p{L}+") SPLIT("\\s?\\p{P}+") SPLIT(WIDE) EACH_DIGIT,
	 "deepseek-coder"},
};

/* deepseek-llm lists hundreds of letters; its first and last stages tell it apart. */
#define DEEPSEEK_LLM_FIRST SPLIT("[\\r\\n]") "Split \\s?[A-Za-z\xC2\xB5\xC3\x80-\xC3\x96"
#define DEEPSEEK_LLM_LAST  SPLIT("\\s+$") SPLIT(WIDE)

/* deepseek-v3's, whose last stage is longer than what tells it apart. */
#define DEEPSEEK_V3_FIRST                                                                          \
	SPLIT("\\p{N}{1,3}") "Split [\xE4\xB8\x80-\xE9\xBE\xA5\xE3\x81\x80-\xE3\x82\x9F"

/* Line ends and tabs of an expression may stand there as such; write them as escapes. */
static bool
append_regex(rstar_buffer *out, const json_t *regex)
{
	const char *text = json_string_value(regex);
	size_t length = json_string_length(regex);

	for (size_t i = 0; text && i < length; i++)
	{
		const char *escape = text[i] == '\n' ? "\\n" : text[i] == '\r' ? "\\r" : NULL;

		if (!(escape ? rstar_buffer_append_text(out, escape)
					 : rstar_buffer_append(out, text + i, 1)))
			return false;
	}
	return text != NULL;
}

static bool
has(const json_t *stage, const char *key, const char *value)
{
	const char *text = json_string_value(json_object_get(stage, key));

	return text && strcmp(text, value) == 0;
}

/* One stage as a line. False: it is none that a rule has, or memory is out. */
static bool
append_stage(rstar_buffer *out, const json_t *stage)
{
	if (has(stage, "type", "ByteLevel"))
	{
		if (json_is_true(json_object_get(stage, "add_prefix_space")))
			return false;
		return json_is_false(json_object_get(stage, "use_regex")) ||
			   rstar_buffer_append_text(out, SPLIT(GPT2));
	}
	if (has(stage, "type", "Digits"))
		return rstar_buffer_append_text(
			out, json_is_true(json_object_get(stage, "individual_digits")) ? EACH_DIGIT
																		   : "Digits runs\n");
	if (has(stage, "type", "Punctuation"))
		return has(stage, "behavior", "Contiguous") &&
			   rstar_buffer_append_text(out, PUNCTUATION_RUN);
	return has(stage, "type", "Split") && has(stage, "behavior", "Isolated") &&
		   !json_is_true(json_object_get(stage, "invert")) &&
		   rstar_buffer_append_text(out, "Split ") &&
		   append_regex(out, json_object_get(json_object_get(stage, "pattern"), "Regex")) &&
		   rstar_buffer_append_text(out, "\n");
}

static bool
begins(const rstar_buffer *line, const char *prefix)
{
	return line->length >= strlen(prefix) && memcmp(line->data, prefix, strlen(prefix)) == 0;
}

static const char *
look_up(const rstar_buffer *line)
{
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
		if (line->length == strlen(rules[i].stages) && begins(line, rules[i].stages))
			return rules[i].pre;
	if (begins(line, DEEPSEEK_LLM_FIRST) &&
		memmem(line->data, line->length, DEEPSEEK_LLM_LAST, strlen(DEEPSEEK_LLM_LAST)))
		return "deepseek-llm";
	return begins(line, DEEPSEEK_V3_FIRST) ? "deepseek-v3" : NULL;
}

const char *
rstar_import_pretoken_name(const json_t *pre_tokenizer, const rstar_allocator *allocator)
{
	const json_t *list = json_object_get(pre_tokenizer, "pretokenizers");
	size_t n = json_is_array(list) ? json_array_size(list) : 1;
	const char *name = NULL;
	rstar_buffer line;
	bool known = true;

	rstar_buffer_init(&line, allocator);
	for (size_t i = 0; i < n && known; i++)
		known = append_stage(&line, json_is_array(list) ? json_array_get(list, i) : pre_tokenizer);
	if (known && line.length > 0)
		name = look_up(&line);
	rstar_buffer_free(&line);
	return name;
}
