/*
 * client.c
 *	  The interface of sandbox.h: the tree of nodes and the waiting.
 *
 * A node lives in a slot until it is released and no child needs its code to
 * rebuild a state. Slots are used again, handles are not: each carries a serial
 * number.
 */
#include "core/sandbox/internal.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "core/text/utf8.h"

/* --- options ------------------------------------------------------------------- */

void
rstar_sandbox_options_default(rstar_sandbox_options *options)
{
	memset(options, 0, sizeof(*options));
	options->modules = RSTAR_SANDBOX_MODULES;
	options->budget = 2048ull << 20;
	options->processes = 256;
	options->running = 2;
	options->idle_ms = 10 * 60 * 1000;
	options->namespaces = true;
}

void
rstar_sandbox_limits_default(rstar_sandbox_limits *limits)
{
	limits->wall_ms = 5000;
	limits->cpu_ms = 5000;
	limits->memory = 256ull << 20;
	limits->output = 64 << 10;
}

char *
rstar_sandbox_module_lines(const rstar_allocator *allocator, const char *modules)
{
	char *lines = rstar_strndup(allocator, modules, strlen(modules));

	for (char *at = lines; at && *at; at++)
		if (*at == ',' || *at == ' ' || *at == '\t')
			*at = '\n';
	return lines;
}

rstar_status
rstar_sandbox_open(const rstar_sandbox_options *options, const rstar_allocator *allocator,
				   rstar_sandbox **out, rstar_error *err)
{
	rstar_sandbox *sandbox;

	*out = NULL;
	if (options->running < 1 || options->running > 1024)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT,
							   "the number of steps at the same time must be 1 to 1024");
	if (options->processes < 1)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT,
							   "the number of processes of a sandbox must be positive");
	sandbox = rstar_alloc_zero(allocator, sizeof(*sandbox));
	if (!sandbox)
		return rstar_error_memory(err, sizeof(*sandbox));
	sandbox->allocator = allocator;
	sandbox->options = *options;
	sandbox->fd = -1;
	rstar_buffer_init(&sandbox->in, allocator);
	rstar_buffer_init(&sandbox->out, allocator);
	sandbox->program = rstar_strndup(allocator, options->program, strlen(options->program));
	sandbox->modules = rstar_sandbox_module_lines(allocator, options->modules);
	if (!sandbox->program || !sandbox->modules)
	{
		rstar_sandbox_close(sandbox);
		return rstar_error_memory(err, strlen(options->program) + strlen(options->modules));
	}
	*out = sandbox;
	return RSTAR_OK;
}

static void
free_all(rstar_sandbox *sandbox)
{
	for (size_t i = 0; i < sandbox->n_nodes; i++)
	{
		rstar_free(sandbox->allocator, sandbox->nodes[i].code);
		if (sandbox->nodes[i].phase == PHASE_RESULT)
			rstar_sandbox_result_free(&sandbox->nodes[i].result);
	}
	rstar_free(sandbox->allocator, sandbox->nodes);
	rstar_free(sandbox->allocator, sandbox->program);
	rstar_free(sandbox->allocator, sandbox->modules);
	rstar_buffer_free(&sandbox->in);
	rstar_buffer_free(&sandbox->out);
	rstar_free(sandbox->allocator, sandbox);
}

void
rstar_sandbox_close(rstar_sandbox *sandbox)
{
	if (!sandbox)
		return;
	rstar_sandbox_process_end(sandbox);
	free_all(sandbox);
}

/* --- nodes ------------------------------------------------------------------------ */

client_node *
rstar_sandbox_slot(rstar_sandbox *sandbox, uint32_t slot_plus_1)
{
	if (slot_plus_1 == 0 || slot_plus_1 > sandbox->n_nodes ||
		sandbox->nodes[slot_plus_1 - 1].phase == PHASE_FREE)
		return NULL;
	return &sandbox->nodes[slot_plus_1 - 1];
}

uint64_t
rstar_sandbox_handle(const rstar_sandbox *sandbox, const client_node *node)
{
	return (uint64_t) node->serial << 32 | (uint64_t) (node - sandbox->nodes + 1);
}

/* The node that the caller means, NULL if it is not there (any more). */
static client_node *
find(rstar_sandbox *sandbox, rstar_sandbox_node handle)
{
	client_node *node = rstar_sandbox_slot(sandbox, (uint32_t) handle);

	return node && node->serial == (uint32_t) (handle >> 32) && !node->released ? node : NULL;
}

static client_node *
new_node(rstar_sandbox *sandbox)
{
	client_node *node = NULL;

	if (sandbox->n_used < sandbox->n_nodes)
		for (size_t i = 0; i < sandbox->n_nodes && !node; i++)
			if (sandbox->nodes[i].phase == PHASE_FREE)
				node = &sandbox->nodes[i];
	if (!node)
	{
		if (!rstar_grow(sandbox->allocator, (void **) &sandbox->nodes, &sandbox->node_capacity,
						sandbox->n_nodes + 1, sizeof(*node)))
			return NULL;
		node = &sandbox->nodes[sandbox->n_nodes++];
	}
	memset(node, 0, sizeof(*node));
	/* The half of a broker's number that tells one sending from the next. */
	node->serial = ++sandbox->next_serial;
	sandbox->n_used++;
	return node;
}

void
rstar_sandbox_unreference(rstar_sandbox *sandbox, client_node *node)
{
	while (node && node->released && node->references == 0)
	{
		client_node *parent = rstar_sandbox_slot(sandbox, node->parent);

		rstar_free(sandbox->allocator, node->code);
		node->code = NULL;
		node->phase = PHASE_FREE;
		sandbox->n_used--;
		if (parent)
			parent->references--;
		node = parent;
	}
}

client_node *
rstar_sandbox_state_parent(rstar_sandbox *sandbox, const client_node *node)
{
	client_node *parent = rstar_sandbox_slot(sandbox, node->parent);

	while (parent && parent->status != RSTAR_SANDBOX_OK)
		parent = rstar_sandbox_slot(sandbox, parent->parent);
	return parent;
}

/*
 * Only the second template has SymPy. A guess that is wrong costs time only:
 * a step that fails for want of it is run there again.
 */
static bool
mentions_sympy(const char *code, size_t length)
{
	return memmem(code, length, "sympy", 5) || memmem(code, length, "mpmath", 6);
}

static rstar_status
check_start(const rstar_sandbox_step *step, rstar_error *err)
{
	if (step->length > RSTAR_SANDBOX_CODE_MAX)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT,
							   "the code of a step is longer than %u bytes",
							   RSTAR_SANDBOX_CODE_MAX);
	if (step->limits.output > RSTAR_SANDBOX_OUTPUT_MAX)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "the output limit is above %u bytes",
							   RSTAR_SANDBOX_OUTPUT_MAX);
	if (step->limits.wall_ms == 0 || step->limits.cpu_ms == 0)
		return rstar_error_set(err, RSTAR_ERR_ARGUMENT, "a step's limit of time must not be 0");
	return RSTAR_OK;
}

/* A new node below `parent` with the step's code; it is in no queue yet. */
static rstar_status
add_node(rstar_sandbox *sandbox, rstar_sandbox_node parent, const rstar_sandbox_step *step,
		 client_node **out, rstar_error *err)
{
	client_node *node, *above = NULL, *state;
	uint32_t parent_slot = (uint32_t) parent;
	rstar_status status = check_start(step, err);

	if (status != RSTAR_OK)
		return status;
	if (parent != 0)
	{
		above = find(sandbox, parent);
		if (!above || (above->phase != PHASE_DONE && above->phase != PHASE_RESULT))
			return rstar_error_set(err, RSTAR_ERR_ARGUMENT,
								   "the sandbox node to start on is not there or not finished");
	}
	node = new_node(sandbox); /* may move the nodes */
	if (node)
		node->code = rstar_strndup(sandbox->allocator, step->code, step->length);
	if (!node || !node->code)
	{
		if (node)
		{
			node->phase = PHASE_FREE;
			sandbox->n_used--;
		}
		return rstar_error_memory(err, step->length);
	}
	node->parent = parent_slot;
	above = rstar_sandbox_slot(sandbox, parent_slot);
	if (above)
		above->references++;
	node->length = step->length;
	node->limits = step->limits;
	node->leaf = step->leaf;
	state = rstar_sandbox_state_parent(sandbox, node);
	node->needs = (state && state->needs) || mentions_sympy(step->code, step->length)
					  ? RSTAR_SANDBOX_TEMPLATE_SYMPY
					  : RSTAR_SANDBOX_TEMPLATE_SMALL;
	*out = node;
	return RSTAR_OK;
}

rstar_status
rstar_sandbox_start(rstar_sandbox *sandbox, rstar_sandbox_node parent,
					const rstar_sandbox_step *step, rstar_sandbox_node *out, rstar_error *err)
{
	client_node *node;
	rstar_status status = add_node(sandbox, parent, step, &node, err);

	if (status != RSTAR_OK)
		return status;
	node->phase = PHASE_QUEUED;
	sandbox->in_flight++;
	sandbox->any_queued = true;
	*out = rstar_sandbox_handle(sandbox, node);
	return RSTAR_OK;
}

rstar_status
rstar_sandbox_recall(rstar_sandbox *sandbox, rstar_sandbox_node parent,
					 const rstar_sandbox_step *step, rstar_sandbox_status was,
					 rstar_sandbox_node *out, rstar_error *err)
{
	client_node *node;
	rstar_status status = add_node(sandbox, parent, step, &node, err);

	if (status != RSTAR_OK)
		return status;
	node->phase = PHASE_DONE;
	node->status = was;
	*out = rstar_sandbox_handle(sandbox, node);
	return RSTAR_OK;
}

static void
release(rstar_sandbox *sandbox, client_node *node)
{
	if (node->phase == PHASE_RESULT)
	{
		rstar_sandbox_result_free(&node->result);
		sandbox->n_results--;
	}
	else if (node->phase != PHASE_DONE)
		sandbox->in_flight--;
	rstar_sandbox_send_release(sandbox, node);
	node->phase = PHASE_DONE;
	node->released = true;
	rstar_sandbox_unreference(sandbox, node);
}

void
rstar_sandbox_release(rstar_sandbox *sandbox, rstar_sandbox_node handle)
{
	client_node *node = find(sandbox, handle);

	if (!node)
		return;
	release(sandbox, node);
	/* While steps are in flight the next wait sends it; an idle caller may not wait. */
	if (sandbox->in_flight == 0)
		rstar_sandbox_flush(sandbox);
}

void
rstar_sandbox_reset(rstar_sandbox *sandbox)
{
	for (size_t i = 0; i < sandbox->n_nodes; i++)
		if (sandbox->nodes[i].phase != PHASE_FREE && !sandbox->nodes[i].released)
			release(sandbox, &sandbox->nodes[i]);
	rstar_sandbox_flush(sandbox);
}

void
rstar_sandbox_set_value(rstar_sandbox *sandbox, rstar_sandbox_node handle, double value)
{
	client_node *node = find(sandbox, handle);
	size_t start;

	if (!node || node->value == value)
		return;
	node->value = value;
	if (!node->live || !rstar_sandbox_is_running(sandbox))
		return;
	start = rstar_sandbox_frame_begin(&sandbox->out, RSTAR_FRAME_VALUE);
	/* Out of memory here costs an order of eviction, nothing else. */
	(void) rstar_sandbox_frame_end(&sandbox->out, start,
								   start != SIZE_MAX &&
									   rstar_sandbox_write_u64(&sandbox->out, node->broker_id) &&
									   rstar_sandbox_write_f64(&sandbox->out, value));
}

/* --- results ------------------------------------------------------------------------- */

/* A clean copy; NULL when memory is out. */
static char *
clean_text(const rstar_allocator *allocator, rstar_string text, size_t *length)
{
	rstar_buffer buffer;

	rstar_buffer_init(&buffer, allocator);
	if (!rstar_utf8_append_clean(&buffer, text.data, text.length) ||
		!rstar_buffer_append(&buffer, "", 0))
	{
		rstar_buffer_free(&buffer);
		return NULL;
	}
	*length = buffer.length;
	return buffer.data ? buffer.data : rstar_strndup(allocator, "", 0);
}

/*
 * What the broker sent points into the channel's buffer and may hold any bytes: the result
 * gets clean copies of its own. The node ends as not live; its caller says whether its state
 * was kept. False: out of memory, and nothing is left to free.
 */
bool
rstar_sandbox_finish(rstar_sandbox *sandbox, client_node *node, const rstar_broker_result *came)
{
	const rstar_sandbox_node_result *said = &came->result;
	rstar_sandbox_result *result = &node->result;
	size_t length;
	bool good;

	memset(result, 0, sizeof(*result));
	result->allocator = sandbox->allocator;
	result->node = rstar_sandbox_handle(sandbox, node);
	result->status = (rstar_sandbox_status) said->status;
	result->output = clean_text(sandbox->allocator, said->output, &result->output_length);
	good = result->output != NULL;
	if (said->status == RSTAR_SANDBOX_OK && said->flags & RSTAR_SANDBOX_HAS_VALUE)
	{
		result->value = clean_text(sandbox->allocator, said->value, &result->value_length);
		good = good && result->value;
	}
	if (said->status != RSTAR_SANDBOX_OK)
	{
		result->error = clean_text(sandbox->allocator, said->error, &length);
		result->message = clean_text(sandbox->allocator, said->message, &length);
		good = good && result->error && result->message;
	}
	result->output_cut = said->flags & RSTAR_SANDBOX_OUTPUT_CUT;
	result->value_cut = said->flags & RSTAR_SANDBOX_VALUE_CUT;
	result->line = said->line;
	result->elapsed_ms = (double) came->elapsed_us / 1000;
	result->cpu_ms = (double) came->cpu_us / 1000;
	result->bytes = came->bytes;
	node->status = result->status;
	node->live = false;
	if (!good)
	{
		rstar_sandbox_result_free(result);
		return false;
	}
	node->phase = PHASE_RESULT;
	sandbox->n_results++;
	sandbox->statistics.results++;
	return true;
}

bool
rstar_sandbox_finish_killed(rstar_sandbox *sandbox, client_node *node, const char *message)
{
	rstar_broker_result result = {.result = {.status = RSTAR_SANDBOX_KILLED,
											 .output = {"", 0},
											 .value = {"", 0},
											 .error = {"Killed", 6},
											 .message = {message, strlen(message)}}};

	return rstar_sandbox_finish(sandbox, node, &result);
}

void
rstar_sandbox_drop_all(rstar_sandbox *sandbox)
{
	for (size_t i = 0; i < sandbox->n_nodes; i++)
	{
		client_node *node = &sandbox->nodes[i];

		node->rebuilding = false;
		if (node->phase == PHASE_QUEUED || node->phase == PHASE_WAITING ||
			node->phase == PHASE_FLYING)
		{
			node->phase = PHASE_DONE;
			node->status = RSTAR_SANDBOX_KILLED;
			sandbox->in_flight--;
		}
	}
	sandbox->any_queued = false;
}

void
rstar_sandbox_result_free(rstar_sandbox_result *result)
{
	const rstar_allocator *allocator = result->allocator;

	if (!allocator)
		return;
	rstar_free(allocator, result->output);
	rstar_free(allocator, result->value);
	rstar_free(allocator, result->error);
	rstar_free(allocator, result->message);
	memset(result, 0, sizeof(*result));
}

/* Give a finished result away: one node's, or any. */
static bool
take_result(rstar_sandbox *sandbox, rstar_sandbox_node handle, rstar_sandbox_result *result)
{
	if (sandbox->n_results == 0)
		return false;
	for (size_t i = 0; i < sandbox->n_nodes; i++)
	{
		client_node *node = &sandbox->nodes[i];

		if (node->phase != PHASE_RESULT ||
			(handle != 0 && rstar_sandbox_handle(sandbox, node) != handle))
			continue;
		*result = node->result;
		memset(&node->result, 0, sizeof(node->result));
		node->phase = PHASE_DONE;
		sandbox->n_results--;
		sandbox->in_flight--;
		return true;
	}
	return false;
}

/* --- waiting ---------------------------------------------------------------------------- */

static rstar_status
wait_result(rstar_sandbox *sandbox, rstar_sandbox_node handle, int timeout_ms,
			const rstar_cancel *cancel, rstar_sandbox_result *result, rstar_error *err)
{
	int64_t until = rstar_clock_ns() + (int64_t) timeout_ms * 1000000;
	rstar_status status;

	for (;;)
	{
		int64_t left = until - rstar_clock_ns();

		if (take_result(sandbox, handle, result))
			return RSTAR_OK;
		if (rstar_cancel_requested(cancel))
			return rstar_error_set(err, RSTAR_ERR_CANCELLED, "cancelled");
		status = rstar_sandbox_pump(sandbox, left > 0 ? (int) ((left + 999999) / 1000000) : 0, err);
		if (status != RSTAR_OK && status != RSTAR_AGAIN)
			return status;
		if (take_result(sandbox, handle, result))
			return RSTAR_OK;
		if (status == RSTAR_AGAIN || left <= 0)
			return RSTAR_AGAIN;
	}
}

rstar_status
rstar_sandbox_wait(rstar_sandbox *sandbox, int timeout_ms, const rstar_cancel *cancel,
				   rstar_sandbox_result *result, rstar_error *err)
{
	memset(result, 0, sizeof(*result));
	if (sandbox->in_flight == 0)
		return rstar_error_set(err, RSTAR_ERR_NOT_FOUND, "no step is running in the sandbox");
	return wait_result(sandbox, 0, timeout_ms, cancel, result, err);
}

rstar_status
rstar_sandbox_wait_for(rstar_sandbox *sandbox, rstar_sandbox_node handle, int timeout_ms,
					   const rstar_cancel *cancel, rstar_sandbox_result *result, rstar_error *err)
{
	client_node *node = find(sandbox, handle);

	memset(result, 0, sizeof(*result));
	if (!node || node->phase == PHASE_DONE)
		return rstar_error_set(err, RSTAR_ERR_NOT_FOUND, "the step is not running in the sandbox");
	return wait_result(sandbox, handle, timeout_ms, cancel, result, err);
}

rstar_status
rstar_sandbox_run(rstar_sandbox *sandbox, rstar_sandbox_node parent, const rstar_sandbox_step *step,
				  const rstar_cancel *cancel, rstar_sandbox_result *result, rstar_error *err)
{
	rstar_sandbox_node node;
	rstar_status status = rstar_sandbox_start(sandbox, parent, step, &node, err);

	memset(result, 0, sizeof(*result));
	if (status != RSTAR_OK)
		return status;
	do
		status = rstar_sandbox_wait_for(sandbox, node, 20, cancel, result, err);
	while (status == RSTAR_AGAIN);
	if (status != RSTAR_OK)
		rstar_sandbox_release(sandbox, node);
	return status;
}

int
rstar_sandbox_descriptor(const rstar_sandbox *sandbox)
{
	return sandbox->fd;
}

size_t
rstar_sandbox_in_flight(const rstar_sandbox *sandbox)
{
	return sandbox->in_flight;
}

rstar_status
rstar_sandbox_describe(rstar_sandbox *sandbox, int timeout_ms, const rstar_cancel *cancel,
					   rstar_sandbox_description *info, rstar_error *err)
{
	int64_t until = rstar_clock_ns() + (int64_t) timeout_ms * 1000000;
	rstar_status status = rstar_sandbox_process_start(sandbox, err);

	while (status == RSTAR_OK && !sandbox->info.started)
	{
		int64_t left = until - rstar_clock_ns();

		if (rstar_cancel_requested(cancel))
			return rstar_error_set(err, RSTAR_ERR_CANCELLED, "cancelled");
		status = rstar_sandbox_pump(sandbox, left > 0 ? (int) (left / 1000000 + 1) : 0, err);
		if (status == RSTAR_OK && !sandbox->info.started &&
			(!rstar_sandbox_is_running(sandbox) || rstar_clock_ns() > until))
			status = RSTAR_AGAIN;
	}
	*info = sandbox->info;
	return status;
}

rstar_status
rstar_sandbox_count(rstar_sandbox *sandbox, int timeout_ms, const rstar_cancel *cancel,
					rstar_sandbox_statistics *statistics, rstar_error *err)
{
	int64_t until = rstar_clock_ns() + (int64_t) timeout_ms * 1000000;
	rstar_status status = RSTAR_OK;
	size_t start;

	sandbox->counters_came = false;
	memset(&sandbox->statistics.broker, 0, sizeof(sandbox->statistics.broker));
	if (rstar_sandbox_is_running(sandbox))
	{
		start = rstar_sandbox_frame_begin(&sandbox->out, RSTAR_FRAME_STATS);
		if (!rstar_sandbox_frame_end(&sandbox->out, start, true))
			return rstar_error_memory(err, RSTAR_FRAME_HEADER);
	}
	while (rstar_sandbox_is_running(sandbox) && !sandbox->counters_came && status == RSTAR_OK)
	{
		int64_t left = until - rstar_clock_ns();

		if (rstar_cancel_requested(cancel))
			return rstar_error_set(err, RSTAR_ERR_CANCELLED, "cancelled");
		status = rstar_sandbox_pump(sandbox, left > 0 ? (int) (left / 1000000 + 1) : 0, err);
		if (status == RSTAR_OK && !sandbox->counters_came && rstar_clock_ns() > until)
			status = RSTAR_AGAIN;
	}
	sandbox->statistics.nodes = sandbox->n_used;
	*statistics = sandbox->statistics;
	return status;
}
