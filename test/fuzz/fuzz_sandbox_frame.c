/*
 * fuzz_sandbox_frame.c
 *	  The decoders of the sandbox's frames: what they accept, the encoders write
 *	  the same way again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/sandbox/frame.h"

/* Encode again and compare with the frame that was read. */
static void
same(const rstar_buffer *again, const uint8_t *frame, long size)
{
	if (again->length != (size_t) size || memcmp(again->data, frame, (size_t) size) != 0)
		abort();
}

static void
one_frame(uint8_t type, rstar_reader payload, const uint8_t *frame, long size)
{
	rstar_buffer again;
	rstar_frame_config config;
	rstar_frame_start start;
	rstar_frame_ready ready;
	rstar_frame_fatal fatal;
	rstar_sandbox_node_result node;
	rstar_broker_result broker;
	rstar_sandbox_counters counters;
	rstar_reader copy = payload;

	rstar_buffer_init(&again, &rstar_allocator_malloc);
	if (type == RSTAR_FRAME_CONFIG && rstar_sandbox_decode_config(&copy, &config) &&
		rstar_sandbox_encode_config(&again, &config))
		same(&again, frame, size);
	else if (type == RSTAR_FRAME_START)
		(void) rstar_sandbox_decode_start(&copy, &start);
	else if (type == RSTAR_FRAME_READY && rstar_sandbox_decode_ready(&copy, &ready) &&
			 rstar_sandbox_encode_ready(&again, &ready))
		same(&again, frame, size);
	else if (type == RSTAR_FRAME_FATAL)
		(void) rstar_sandbox_decode_fatal(&copy, &fatal);
	else if (type == RSTAR_FRAME_STATS && rstar_sandbox_decode_counters(&copy, &counters) &&
			 rstar_sandbox_encode_counters(&again, &counters))
		same(&again, frame, size);
	else if (type == RSTAR_FRAME_RESULT)
	{
		if (rstar_sandbox_decode_node_result(&copy, 65536, &node) &&
			rstar_sandbox_encode_node_result(&again, &node))
			same(&again, frame, size);
		copy = payload;
		rstar_buffer_clear(&again);
		if (rstar_sandbox_decode_broker_result(&copy, &broker) &&
			rstar_sandbox_encode_broker_result(&again, &broker))
			same(&again, frame, size);
	}
	rstar_buffer_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	rstar_reader payload;
	uint8_t type;
	long size;

	while ((size = rstar_sandbox_frame_peek((const char *) data, length, 1 << 20, &type,
											&payload)) > 0)
	{
		one_frame(type, payload, data, size);
		data += size;
		length -= (size_t) size;
	}
	return 0;
}
