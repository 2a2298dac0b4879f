/*
 * frame.c
 *	  Reading and writing the frames described in frame.h.
 *
 * This file is compiled into the extension and into rstar-sandbox. A reader
 * never looks past its payload and a decoder accepts only what an encoder here
 * can have written, so that what comes behind it may rely on the bounds.
 */
#include "core/sandbox/frame.h"

#include <string.h>

/* --- reading ------------------------------------------------------------- */

void
rstar_sandbox_reader_init(rstar_reader *reader, const void *data, size_t length)
{
	reader->data = data;
	reader->length = length;
	reader->position = 0;
	reader->bad = false;
}

/* The next n bytes, or NULL when the payload is too short. */
static const unsigned char *
take(rstar_reader *reader, size_t n)
{
	const unsigned char *at;

	if (reader->bad || reader->length - reader->position < n)
	{
		reader->bad = true;
		return NULL;
	}
	at = reader->data + reader->position;
	reader->position += n;
	return at;
}

uint8_t
rstar_sandbox_read_u8(rstar_reader *reader)
{
	const unsigned char *at = take(reader, 1);

	return at ? at[0] : 0;
}

uint32_t
rstar_sandbox_read_u32(rstar_reader *reader)
{
	const unsigned char *at = take(reader, 4);

	if (!at)
		return 0;
	return (uint32_t) at[0] | (uint32_t) at[1] << 8 | (uint32_t) at[2] << 16 |
		   (uint32_t) at[3] << 24;
}

uint64_t
rstar_sandbox_read_u64(rstar_reader *reader)
{
	uint64_t low = rstar_sandbox_read_u32(reader);
	uint64_t high = rstar_sandbox_read_u32(reader);

	return reader->bad ? 0 : low | high << 32;
}

double
rstar_sandbox_read_f64(rstar_reader *reader)
{
	uint64_t bits = rstar_sandbox_read_u64(reader);
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

rstar_string
rstar_sandbox_read_string(rstar_reader *reader)
{
	rstar_string slice = {"", 0};
	uint32_t length = rstar_sandbox_read_u32(reader);
	const unsigned char *at = take(reader, length);

	if (at)
	{
		slice.data = (const char *) at;
		slice.length = length;
	}
	return slice;
}

bool
rstar_sandbox_reader_done(const rstar_reader *reader)
{
	return !reader->bad && reader->position == reader->length;
}

long
rstar_sandbox_frame_peek(const char *data, size_t length, size_t max_payload, uint8_t *type,
						 rstar_reader *payload)
{
	rstar_reader header;
	uint32_t size;

	if (length < RSTAR_FRAME_HEADER)
		return 0;
	rstar_sandbox_reader_init(&header, data, RSTAR_FRAME_HEADER);
	size = rstar_sandbox_read_u32(&header);
	*type = rstar_sandbox_read_u8(&header);
	if (size > max_payload || size > RSTAR_FRAME_MAX)
		return -1;
	if (length - RSTAR_FRAME_HEADER < size)
		return 0;
	rstar_sandbox_reader_init(payload, data + RSTAR_FRAME_HEADER, size);
	return (long) size + RSTAR_FRAME_HEADER;
}

/* --- writing ------------------------------------------------------------- */

bool
rstar_sandbox_write_u8(rstar_buffer *buffer, uint8_t value)
{
	return rstar_buffer_append(buffer, &value, 1);
}

bool
rstar_sandbox_write_u32(rstar_buffer *buffer, uint32_t value)
{
	unsigned char bytes[4] = {value & 0xff, value >> 8 & 0xff, value >> 16 & 0xff, value >> 24};

	return rstar_buffer_append(buffer, bytes, sizeof(bytes));
}

bool
rstar_sandbox_write_u64(rstar_buffer *buffer, uint64_t value)
{
	return rstar_sandbox_write_u32(buffer, (uint32_t) value) &&
		   rstar_sandbox_write_u32(buffer, (uint32_t) (value >> 32));
}

bool
rstar_sandbox_write_f64(rstar_buffer *buffer, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return rstar_sandbox_write_u64(buffer, bits);
}

bool
rstar_sandbox_write_string(rstar_buffer *buffer, const char *data, size_t length)
{
	return length <= RSTAR_FRAME_MAX && rstar_sandbox_write_u32(buffer, (uint32_t) length) &&
		   (length == 0 || rstar_buffer_append(buffer, data, length));
}

static bool
write_slice(rstar_buffer *buffer, rstar_string slice)
{
	return rstar_sandbox_write_string(buffer, slice.data, slice.length);
}

size_t
rstar_sandbox_frame_begin(rstar_buffer *buffer, rstar_frame_type type)
{
	size_t start = buffer->length;

	if (rstar_sandbox_write_u32(buffer, 0) && rstar_sandbox_write_u8(buffer, (uint8_t) type))
		return start;
	buffer->length = start;
	return SIZE_MAX;
}

bool
rstar_sandbox_frame_end(rstar_buffer *buffer, size_t start, bool good)
{
	size_t size;

	if (start == SIZE_MAX)
		return false;
	size = buffer->length - start - RSTAR_FRAME_HEADER;
	if (!good || size > RSTAR_FRAME_MAX)
	{
		buffer->length = start;
		return false;
	}
	for (int i = 0; i < 4; i++)
		buffer->data[start + i] = (char) (size >> (8 * i) & 0xff);
	return true;
}

/* --- client -> broker ------------------------------------------------------ */

bool
rstar_sandbox_encode_config(rstar_buffer *buffer, const rstar_frame_config *config)
{
	size_t start = rstar_sandbox_frame_begin(buffer, RSTAR_FRAME_CONFIG);
	bool good = start != SIZE_MAX && rstar_sandbox_write_u32(buffer, config->version) &&
				rstar_sandbox_write_u32(buffer, config->flags) &&
				rstar_sandbox_write_u64(buffer, config->budget) &&
				rstar_sandbox_write_u32(buffer, config->processes) &&
				rstar_sandbox_write_u32(buffer, config->running) &&
				rstar_sandbox_write_u32(buffer, config->idle_ms) &&
				write_slice(buffer, config->modules);

	return rstar_sandbox_frame_end(buffer, start, good);
}

bool
rstar_sandbox_decode_config(rstar_reader *payload, rstar_frame_config *out)
{
	out->version = rstar_sandbox_read_u32(payload);
	out->flags = rstar_sandbox_read_u32(payload);
	out->budget = rstar_sandbox_read_u64(payload);
	out->processes = rstar_sandbox_read_u32(payload);
	out->running = rstar_sandbox_read_u32(payload);
	out->idle_ms = rstar_sandbox_read_u32(payload);
	out->modules = rstar_sandbox_read_string(payload);
	return rstar_sandbox_reader_done(payload) && out->processes >= 1 && out->running >= 1 &&
		   out->running <= 1024;
}

bool
rstar_sandbox_decode_start(rstar_reader *payload, rstar_frame_start *out)
{
	size_t from;

	out->node = rstar_sandbox_read_u64(payload);
	out->base = rstar_sandbox_read_u64(payload);
	out->flags = rstar_sandbox_read_u32(payload);
	out->wall_ms = rstar_sandbox_read_u32(payload);
	out->cpu_ms = rstar_sandbox_read_u32(payload);
	out->template_index = rstar_sandbox_read_u32(payload);
	out->memory = rstar_sandbox_read_u64(payload);
	out->output = rstar_sandbox_read_u32(payload);
	out->value = rstar_sandbox_read_f64(payload);
	out->n_pieces = rstar_sandbox_read_u32(payload);
	if (payload->bad || out->n_pieces < 1 || out->n_pieces > RSTAR_SANDBOX_PIECES_MAX)
		return false;
	from = payload->position;
	for (uint32_t i = 0; i < out->n_pieces; i++)
		if (rstar_sandbox_read_string(payload).length > RSTAR_SANDBOX_CODE_MAX)
			return false;
	out->pieces.data = (const char *) payload->data + from;
	out->pieces.length = payload->position - from;
	return rstar_sandbox_reader_done(payload) && out->output <= RSTAR_SANDBOX_OUTPUT_MAX &&
		   out->template_index < RSTAR_SANDBOX_TEMPLATES && out->node >= RSTAR_SANDBOX_TEMPLATES;
}

/* --- broker -> client ------------------------------------------------------ */

bool
rstar_sandbox_encode_ready(rstar_buffer *buffer, const rstar_frame_ready *ready)
{
	size_t start = rstar_sandbox_frame_begin(buffer, RSTAR_FRAME_READY);
	bool good = start != SIZE_MAX && rstar_sandbox_write_u32(buffer, ready->template_index) &&
				rstar_sandbox_write_u32(buffer, ready->features) &&
				rstar_sandbox_write_u32(buffer, ready->landlock) &&
				rstar_sandbox_write_u64(buffer, ready->bytes) &&
				rstar_sandbox_write_u64(buffer, ready->space) && write_slice(buffer, ready->python);

	return rstar_sandbox_frame_end(buffer, start, good);
}

bool
rstar_sandbox_decode_ready(rstar_reader *payload, rstar_frame_ready *out)
{
	out->template_index = rstar_sandbox_read_u32(payload);
	out->features = rstar_sandbox_read_u32(payload);
	out->landlock = rstar_sandbox_read_u32(payload);
	out->bytes = rstar_sandbox_read_u64(payload);
	out->space = rstar_sandbox_read_u64(payload);
	out->python = rstar_sandbox_read_string(payload);
	return rstar_sandbox_reader_done(payload) && out->template_index < RSTAR_SANDBOX_TEMPLATES;
}

bool
rstar_sandbox_encode_fatal(rstar_buffer *buffer, rstar_sandbox_fatal kind, uint64_t node,
						   const char *message, const char *detail)
{
	size_t start = rstar_sandbox_frame_begin(buffer, RSTAR_FRAME_FATAL);
	bool good = start != SIZE_MAX && rstar_sandbox_write_u32(buffer, kind) &&
				rstar_sandbox_write_u64(buffer, node) &&
				rstar_sandbox_write_string(buffer, message, strlen(message)) &&
				rstar_sandbox_write_string(buffer, detail, strlen(detail));

	return rstar_sandbox_frame_end(buffer, start, good);
}

bool
rstar_sandbox_decode_fatal(rstar_reader *payload, rstar_frame_fatal *out)
{
	out->kind = rstar_sandbox_read_u32(payload);
	out->node = rstar_sandbox_read_u64(payload);
	out->message = rstar_sandbox_read_string(payload);
	out->detail = rstar_sandbox_read_string(payload);
	return rstar_sandbox_reader_done(payload) && out->kind >= RSTAR_SANDBOX_FATAL_CONFINE &&
		   out->kind <= RSTAR_SANDBOX_FATAL_INTERNAL;
}

bool
rstar_sandbox_encode_node(rstar_buffer *buffer, rstar_frame_type type, uint64_t node)
{
	size_t start = rstar_sandbox_frame_begin(buffer, type);
	bool good = start != SIZE_MAX && rstar_sandbox_write_u64(buffer, node);

	return rstar_sandbox_frame_end(buffer, start, good);
}

/* The fields in the order of the struct. */
static void
counter_fields(rstar_sandbox_counters *counters, uint64_t *fields[11])
{
	fields[0] = &counters->steps;
	fields[1] = &counters->forks;
	fields[2] = &counters->timeouts;
	fields[3] = &counters->killed;
	fields[4] = &counters->evictions;
	fields[5] = &counters->snapshots;
	fields[6] = &counters->running;
	fields[7] = &counters->waiting;
	fields[8] = &counters->bytes;
	fields[9] = &counters->budget;
	fields[10] = &counters->peak;
}

bool
rstar_sandbox_encode_counters(rstar_buffer *buffer, const rstar_sandbox_counters *counters)
{
	rstar_sandbox_counters copy = *counters;
	uint64_t *fields[11];
	size_t start = rstar_sandbox_frame_begin(buffer, RSTAR_FRAME_STATS);
	bool good = start != SIZE_MAX;

	counter_fields(&copy, fields);
	for (int i = 0; good && i < 11; i++)
		good = rstar_sandbox_write_u64(buffer, *fields[i]);
	return rstar_sandbox_frame_end(buffer, start, good);
}

bool
rstar_sandbox_decode_counters(rstar_reader *payload, rstar_sandbox_counters *out)
{
	uint64_t *fields[11];

	counter_fields(out, fields);
	for (int i = 0; i < 11; i++)
		*fields[i] = rstar_sandbox_read_u64(payload);
	return rstar_sandbox_reader_done(payload);
}

/* --- results --------------------------------------------------------------- */

static bool
write_texts(rstar_buffer *buffer, const rstar_sandbox_node_result *result)
{
	return write_slice(buffer, result->output) && write_slice(buffer, result->value) &&
		   write_slice(buffer, result->error) && write_slice(buffer, result->message);
}

static bool
read_texts(rstar_reader *payload, size_t max_text, rstar_sandbox_node_result *out)
{
	out->output = rstar_sandbox_read_string(payload);
	out->value = rstar_sandbox_read_string(payload);
	out->error = rstar_sandbox_read_string(payload);
	out->message = rstar_sandbox_read_string(payload);
	return !payload->bad && out->output.length <= max_text && out->value.length <= max_text &&
		   out->error.length <= RSTAR_SANDBOX_NAME_MAX &&
		   out->message.length <= RSTAR_SANDBOX_TEXT_MAX;
}

bool
rstar_sandbox_encode_node_result(rstar_buffer *buffer, const rstar_sandbox_node_result *result)
{
	size_t start = rstar_sandbox_frame_begin(buffer, RSTAR_FRAME_RESULT);
	bool good = start != SIZE_MAX && rstar_sandbox_write_u8(buffer, result->status) &&
				rstar_sandbox_write_u8(buffer, result->flags) &&
				rstar_sandbox_write_u32(buffer, result->line) && write_texts(buffer, result);

	return rstar_sandbox_frame_end(buffer, start, good);
}

bool
rstar_sandbox_decode_node_result(rstar_reader *payload, size_t max_text,
								 rstar_sandbox_node_result *out)
{
	out->status = rstar_sandbox_read_u8(payload);
	out->flags = rstar_sandbox_read_u8(payload);
	out->line = rstar_sandbox_read_u32(payload);
	return read_texts(payload, max_text, out) && rstar_sandbox_reader_done(payload) &&
		   out->status <= RSTAR_SANDBOX_ERROR;
}

bool
rstar_sandbox_encode_broker_result(rstar_buffer *buffer, const rstar_broker_result *result)
{
	size_t start = rstar_sandbox_frame_begin(buffer, RSTAR_FRAME_RESULT);
	bool good = start != SIZE_MAX && rstar_sandbox_write_u64(buffer, result->node) &&
				rstar_sandbox_write_u8(buffer, result->result.status) &&
				rstar_sandbox_write_u8(buffer, result->result.flags) &&
				rstar_sandbox_write_u32(buffer, result->result.line) &&
				rstar_sandbox_write_u32(buffer, result->signal) &&
				rstar_sandbox_write_u64(buffer, result->elapsed_us) &&
				rstar_sandbox_write_u64(buffer, result->cpu_us) &&
				rstar_sandbox_write_u64(buffer, result->bytes) &&
				write_texts(buffer, &result->result);

	return rstar_sandbox_frame_end(buffer, start, good);
}

bool
rstar_sandbox_decode_broker_result(rstar_reader *payload, rstar_broker_result *out)
{
	out->node = rstar_sandbox_read_u64(payload);
	out->result.status = rstar_sandbox_read_u8(payload);
	out->result.flags = rstar_sandbox_read_u8(payload);
	out->result.line = rstar_sandbox_read_u32(payload);
	out->signal = rstar_sandbox_read_u32(payload);
	out->elapsed_us = rstar_sandbox_read_u64(payload);
	out->cpu_us = rstar_sandbox_read_u64(payload);
	out->bytes = rstar_sandbox_read_u64(payload);
	return read_texts(payload, RSTAR_SANDBOX_OUTPUT_MAX, &out->result) &&
		   rstar_sandbox_reader_done(payload) && out->result.status <= RSTAR_SANDBOX_KILLED &&
		   out->signal <= 128;
}
