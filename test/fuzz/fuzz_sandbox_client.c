/*
 * fuzz_sandbox_client.c
 *	  The sandbox's client fed with whatever a broker might say.
 *
 * A client with a few nodes in flight, whose program is a socket to nowhere;
 * the input is taken as the broker's bytes, in two portions. Numbers that the
 * client gave away are put in place of small ones, so that the fuzzer can speak
 * about nodes that exist.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/sandbox/internal.h"

#define NODES 4

static void
start_nodes(rstar_sandbox *sandbox, rstar_sandbox_node nodes[NODES])
{
	rstar_sandbox_step step = {.code = "x = 1", .length = 5};
	rstar_error err;

	rstar_sandbox_limits_default(&step.limits);
	for (int i = 0; i < NODES; i++)
		if (rstar_sandbox_start(sandbox, 0, &step, &nodes[i], &err) != RSTAR_OK)
			abort();
	for (size_t i = 0; i < sandbox->n_nodes; i++)
		if (rstar_sandbox_submit(sandbox, &sandbox->nodes[i], &err) != RSTAR_OK)
			abort();
}

/* Frames that name node 1 to 4 mean a node in flight. */
static void
name_nodes(rstar_sandbox *sandbox, uint8_t *data, size_t length)
{
	size_t at = 0;

	while (at + RSTAR_FRAME_HEADER + 8 <= length)
	{
		uint32_t size;
		uint64_t node;

		memcpy(&size, data + at, 4);
		memcpy(&node, data + at + RSTAR_FRAME_HEADER, 8);
		if (node >= 1 && node <= NODES && node <= sandbox->n_nodes)
			memcpy(data + at + RSTAR_FRAME_HEADER, &sandbox->nodes[node - 1].broker_id, 8);
		if (size > length)
			return;
		at += RSTAR_FRAME_HEADER + size;
	}
}

static void
take_all(rstar_sandbox *sandbox)
{
	rstar_sandbox_result result;
	rstar_error err;
	rstar_sandbox_step step = {.code = "y = x", .length = 5};
	rstar_sandbox_node child;

	rstar_sandbox_limits_default(&step.limits);
	while (sandbox->n_results > 0 &&
		   rstar_sandbox_wait(sandbox, 0, NULL, &result, &err) == RSTAR_OK)
	{
		if (result.output && memchr(result.output, '\0', result.output_length))
			abort();
		(void) rstar_sandbox_start(sandbox, result.node, &step, &child, &err);
		if (result.status != RSTAR_SANDBOX_OK)
			rstar_sandbox_release(sandbox, result.node);
		rstar_sandbox_result_free(&result);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	rstar_sandbox_options options;
	rstar_sandbox *sandbox;
	rstar_sandbox_node nodes[NODES];
	rstar_error err;
	uint8_t *copy = malloc(length + 1);
	size_t half = length / 2;

	rstar_sandbox_options_default(&options);
	options.program = "/nowhere";
	if (!copy || rstar_sandbox_open(&options, &rstar_allocator_malloc, &sandbox, &err) != RSTAR_OK)
		abort();
	/* As if a program were there; none is ever started. */
	sandbox->info.started = true;
	sandbox->info.snapshots = length % 2;
	start_nodes(sandbox, nodes);
	memcpy(copy, data, length);
	name_nodes(sandbox, copy, length);
	(void) rstar_sandbox_receive(sandbox, (const char *) copy, half, &err);
	take_all(sandbox);
	(void) rstar_sandbox_receive(sandbox, (const char *) copy + half, length - half, &err);
	take_all(sandbox);
	rstar_sandbox_reset(sandbox);
	if (rstar_sandbox_in_flight(sandbox) != 0 || sandbox->n_used != 0)
		abort();
	rstar_sandbox_close(sandbox);
	free(copy);
	return 0;
}
