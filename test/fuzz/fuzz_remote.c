/*
 * fuzz_remote.c
 *	  Any bytes as what a model server answers, and as an address of one. The first byte
 *	  says which.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/remote/address.h"
#include "core/remote/protocol.h"

/* An address that is accepted reads the same once more from what is written of it. */
static void
as_address(const char *text, size_t length)
{
	rstar_address a, b;
	rstar_buffer out;
	rstar_error err;

	if (rstar_address_parse(text, length, &a, &err) != RSTAR_OK)
		return;
	rstar_buffer_init(&out, &rstar_allocator_malloc);
	if (!rstar_address_append(&a, &out) ||
		rstar_address_parse(out.data, out.length, &b, &err) != RSTAR_OK ||
		!rstar_address_same_host(&a, &b) || strcmp(a.path, b.path) != 0 || strlen(a.host) == 0 ||
		strpbrk(out.data, "@?#\\ %\r\n"))
		abort();
	rstar_buffer_free(&out);
}

static void
as_list(const char *bytes, size_t length)
{
	char *list = strndup(bytes, length);
	rstar_address a;
	rstar_error err;

	if (list && rstar_address_parse("https://gpu1", 12, &a, &err) == RSTAR_OK &&
		rstar_address_listed(&a, list) && !strcasestr(list, "gpu1"))
		abort();
	free(list);
}

static void
as_choices(rstar_string body, bool chat)
{
	rstar_protocol_answer answer;
	rstar_error err;

	if (rstar_protocol_read(body, chat, &rstar_allocator_malloc, &answer, &err) != RSTAR_OK)
		return;
	for (uint32_t i = 0; i < answer.n; i++)
	{
		const rstar_protocol_choice *c = &answer.choices[i];

		if (!c->text.data || c->text.length > body.length || !isfinite(c->logprob) ||
			c->logprob > 0 || (!c->has_logprob && c->logprob < 0))
			abort();
	}
	rstar_protocol_free(&answer);
}

static void
as_scores(rstar_string body, bool pairs)
{
	double scores[3];
	rstar_error err;

	if (rstar_protocol_read_scores(body, pairs, 3, scores, &err) == RSTAR_OK)
		for (int i = 0; i < 3; i++)
			if (!isfinite(scores[i]))
				abort();
}

static void
as_complaint(rstar_string body)
{
	char out[RSTAR_PROTOCOL_COMPLAINT];

	memset(out, 1, sizeof out);
	rstar_protocol_complaint(body, out);
	for (size_t i = 0; out[i]; i++)
		if (i + 1 == sizeof out || (unsigned char) out[i] < ' ')
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	rstar_string body = {(const char *) data + 1, size ? size - 1 : 0};

	if (size == 0)
		return 0;
	switch (data[0])
	{
		case 'a':
			as_address(body.data, body.length);
			break;
		case 'l':
			as_list(body.data, body.length);
			break;
		case 's':
			as_scores(body, false);
			as_scores(body, true);
			break;
		case 'e':
			as_complaint(body);
			break;
		default:
			as_choices(body, data[0] == 'm');
	}
	return 0;
}
