/*
 * prompt.c
 *	  The prompt: a template of the model's with the problem set in.
 */
#include "core/step/prompt.h"

#include <string.h>

#include "core/text/utf8.h"

#define SLOT_LENGTH (sizeof(RSTAR_PROMPT_SLOT) - 1)

rstar_status
rstar_prompt_template_parse(const char *text, size_t length, rstar_prompt_template *result,
							rstar_error *err)
{
	const char *slot, *end;

	if (!text)
	{
		text = RSTAR_PROMPT_DEFAULT;
		length = strlen(text);
	}
	if (length > RSTAR_PROMPT_LONGEST)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "prompt template is longer than %d bytes",
							   RSTAR_PROMPT_LONGEST);
	if (!rstar_utf8_valid(text, length) || memchr(text, '\0', length))
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "prompt template is not valid text");
	slot = memmem(text, length, RSTAR_PROMPT_SLOT, SLOT_LENGTH);
	if (!slot)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "prompt template does not contain %s",
							   RSTAR_PROMPT_SLOT);
	end = slot + SLOT_LENGTH;
	result->before.data = text;
	result->before.length = (size_t) (slot - text);
	result->after.data = end;
	result->after.length = length - (size_t) (end - text);
	if (memmem(end, result->after.length, RSTAR_PROMPT_SLOT, SLOT_LENGTH))
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT,
							   "prompt template contains %s more than once", RSTAR_PROMPT_SLOT);
	return RSTAR_OK;
}

rstar_status
rstar_prompt_template_read(const rstar_gguf *gguf, rstar_prompt_template *result, rstar_error *err)
{
	rstar_string text = {NULL, 0};
	rstar_status status;

	if (!rstar_gguf_get_string(gguf, RSTAR_PROMPT_KEY, &text))
		return rstar_prompt_template_parse(NULL, 0, result, err);
	status = rstar_prompt_template_parse(text.data, text.length, result, err);
	if (status == RSTAR_ERR_ARGUMENT && err)
		err->status = RSTAR_ERR_CORRUPT;
	return status == RSTAR_ERR_ARGUMENT ? RSTAR_ERR_CORRUPT : status;
}

bool
rstar_prompt_append(const rstar_prompt_template *prompt, const char *problem, size_t length,
					rstar_buffer *out)
{
	return rstar_buffer_append(out, prompt->before.data, prompt->before.length) &&
		   rstar_buffer_append(out, problem, length) &&
		   rstar_buffer_append(out, prompt->after.data, prompt->after.length);
}

bool
rstar_prompt_shows_steps(const rstar_prompt_template *prompt)
{
	static const char code[] = "<end_of_code>";
	static const char answer[] = "<end_of_answer>";

	return prompt->before.length > 0 &&
		   memmem(prompt->before.data, prompt->before.length, code, sizeof code - 1) &&
		   memmem(prompt->before.data, prompt->before.length, answer, sizeof answer - 1);
}

/* Does "<" begin what may be a token of its own: "<|…", "</…>", "<word>"? */
static bool
begins_mark(const char *text, size_t length)
{
	size_t i = 1;

	if (length < 2 || text[0] != '<')
		return false;
	if (text[1] == '|')
		return true;
	if (text[1] == '/')
		i++;
	while (i < length && (text[i] == '_' || (text[i] >= 'a' && text[i] <= 'z') ||
						  (text[i] >= 'A' && text[i] <= 'Z')))
		i++;
	return i > 1 && i < length && text[i] == '>';
}

bool
rstar_prompt_append_plain(const rstar_prompt_template *prompt, const char *problem, size_t length,
						  rstar_buffer *out)
{
	if (!rstar_buffer_append(out, prompt->before.data, prompt->before.length))
		return false;
	for (size_t from = 0; from < length;)
	{
		const char *mark = memchr(problem + from, '<', length - from);
		size_t end = mark ? (size_t) (mark - problem) + 1 : length;

		if (!rstar_buffer_append(out, problem + from, end - from) ||
			(mark && begins_mark(mark, length - (end - 1)) && !rstar_buffer_append(out, " ", 1)))
			return false;
		from = end;
	}
	return rstar_buffer_append(out, prompt->after.data, prompt->after.length);
}
