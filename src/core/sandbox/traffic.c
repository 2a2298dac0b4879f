/*
 * traffic.c
 *	  The channel to the program: what is sent, what comes back, what to do when
 *	  it ends.
 *
 * What comes back is hostile by policy, although the program is ours: a number
 * that names no node in flight is ignored, nonsense ends the program.
 */
#include "core/sandbox/internal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_NS  60000000000ll /* beyond a job's own limits */
#define SILENCE_NS   3000000000ll  /* then it is asked whether it is there */
#define ANSWER_NS    5000000000ll  /* and has this time to answer, however busy the machine */
#define LOADING_NS   30000000000ll /* until a shared program must be ready */
#define MAX_ATTEMPTS 2             /* a state that fails to come back is given up */
#define MAX_FAILURES 4
#define MAX_BARREN   2 /* rebuilt in vain: memory is too small to keep it until it is used */

/* --- sending -------------------------------------------------------------------- */

/* The node's number for this sending. */
static uint64_t
new_broker_id(rstar_sandbox *sandbox, client_node *node)
{
	node->broker_id =
		(uint64_t) ++sandbox->next_serial << 32 | (uint64_t) (node - sandbox->nodes + 1);
	return node->broker_id;
}

/* What START is to say: run `node` on `base` (NULL: a template). */
typedef struct start_order
{
	client_node *node, *base;
	uint32_t template_index;
	uint32_t n_pieces;
	bool leaf;
} start_order;

/* The pieces, oldest first; recursion would follow the depth of the tree. */
static bool
write_pieces(rstar_sandbox *sandbox, const start_order *order)
{
	client_node *chain[RSTAR_SANDBOX_PIECES_MAX];
	client_node *at = order->node;
	uint32_t n = order->n_pieces;

	for (uint32_t i = n; i-- > 0; at = rstar_sandbox_state_parent(sandbox, at))
		chain[i] = at;
	for (uint32_t i = 0; i < n; i++)
		if (!rstar_sandbox_write_string(&sandbox->out, chain[i]->code, chain[i]->length))
			return false;
	return true;
}

static rstar_status
send_start(rstar_sandbox *sandbox, const start_order *order, rstar_error *err)
{
	client_node *node = order->node;
	const rstar_sandbox_limits *limits = &node->limits;
	uint64_t base = order->base ? order->base->broker_id : order->template_index;
	rstar_buffer *out = &sandbox->out;
	size_t start = rstar_sandbox_frame_begin(out, RSTAR_FRAME_START);
	bool good;

	/* The one template that is shared has everything. */
	node->template_index =
		sandbox->info.shared ? RSTAR_SANDBOX_TEMPLATE_SYMPY : order->template_index;
	node->patience_ns =
		rstar_clock_ns() + PATIENCE_NS + (int64_t) order->n_pieces * limits->wall_ms * 1000000;
	good = start != SIZE_MAX && rstar_sandbox_write_u64(out, new_broker_id(sandbox, node)) &&
		   rstar_sandbox_write_u64(out, base) &&
		   rstar_sandbox_write_u32(out, order->leaf ? RSTAR_SANDBOX_NO_SNAPSHOT : 0) &&
		   rstar_sandbox_write_u32(out, limits->wall_ms) &&
		   rstar_sandbox_write_u32(out, limits->cpu_ms) &&
		   rstar_sandbox_write_u32(out, order->template_index) &&
		   rstar_sandbox_write_u64(out, limits->memory) &&
		   rstar_sandbox_write_u32(out, limits->output) &&
		   rstar_sandbox_write_f64(out, node->value) &&
		   rstar_sandbox_write_u32(out, order->n_pieces) && write_pieces(sandbox, order);
	if (!rstar_sandbox_frame_end(out, start, good))
		return rstar_error_memory(err, node->length);
	return RSTAR_OK;
}

/*
 * The nearest ancestor whose state is parked in a template that will do, and
 * how many pieces lie between it and the node, the node's own included.
 */
static client_node *
living_base(rstar_sandbox *sandbox, client_node *node, uint32_t needs, uint32_t *n_pieces,
			size_t *bytes)
{
	client_node *at = rstar_sandbox_state_parent(sandbox, node);
	bool keeps = sandbox->info.snapshots;

	*n_pieces = 1;
	*bytes = node->length;
	while (at && !(keeps && at->live && at->template_index >= needs))
	{
		++*n_pieces;
		*bytes += at->length;
		at = rstar_sandbox_state_parent(sandbox, at);
	}
	return at;
}

static bool
any_poisoned(rstar_sandbox *sandbox, const client_node *node)
{
	const client_node *at = node;

	while ((at = rstar_sandbox_state_parent(sandbox, at)) != NULL)
		if (at->poisoned)
			return true;
	return false;
}

/* START for the node itself. */
static rstar_status
send_step(rstar_sandbox *sandbox, client_node *node, rstar_error *err)
{
	start_order order = {.node = node, .leaf = node->leaf};
	size_t bytes;

	order.base = living_base(sandbox, node, node->needs, &order.n_pieces, &bytes);
	order.template_index = order.base ? order.base->template_index : node->needs;
	node->phase = PHASE_FLYING;
	return send_start(sandbox, &order, err);
}

/* START for the state of a finished node, on which others wait. */
static rstar_status
send_rebuild(rstar_sandbox *sandbox, client_node *node, uint32_t needs, rstar_error *err)
{
	start_order order = {.node = node};
	size_t bytes;

	rstar_sandbox_send_release(sandbox, node);
	order.base = living_base(sandbox, node, needs, &order.n_pieces, &bytes);
	order.template_index = order.base ? order.base->template_index : needs;
	node->rebuilding = true;
	node->live = false;
	node->barren++;
	sandbox->statistics.rebuilds++;
	return send_start(sandbox, &order, err);
}

rstar_status
rstar_sandbox_submit(rstar_sandbox *sandbox, client_node *node, rstar_error *err)
{
	client_node *parent = rstar_sandbox_state_parent(sandbox, node);
	uint32_t n_pieces;
	size_t bytes;

	(void) living_base(sandbox, node, node->needs, &n_pieces, &bytes);
	if (n_pieces > RSTAR_SANDBOX_PIECES_MAX || bytes > RSTAR_FRAME_MAX / 2)
		return rstar_sandbox_finish_killed(sandbox, node,
										   "too many steps to rebuild its state from")
				   ? RSTAR_OK
				   : rstar_error_memory(err, bytes);
	if (any_poisoned(sandbox, node) || node->attempts >= MAX_ATTEMPTS)
		return rstar_sandbox_finish_killed(sandbox, node, "the state before the step is lost")
				   ? RSTAR_OK
				   : rstar_error_memory(err, bytes);
	if (sandbox->info.snapshots && parent && n_pieces > 1 &&
		(parent->rebuilding || parent->barren < MAX_BARREN))
	{
		node->phase = PHASE_WAITING;
		return parent->rebuilding ? RSTAR_OK : send_rebuild(sandbox, parent, node->needs, err);
	}

	/*
	 * On its parent's state, if that is there. If it was rebuilt in vain before,
	 * then behind its ancestors' code in one process: a state that others
	 * displace before it is used would never be of use.
	 */
	return send_step(sandbox, node, err);
}

void
rstar_sandbox_send_release(rstar_sandbox *sandbox, client_node *node)
{
	bool there = node->live || node->rebuilding || node->phase == PHASE_FLYING;

	node->live = node->rebuilding = false;
	/* If memory is out, the broker evicts it one day. */
	if (there && rstar_sandbox_is_running(sandbox))
		(void) rstar_sandbox_encode_node(&sandbox->out, RSTAR_FRAME_RELEASE, node->broker_id);
}

static rstar_status
submit_queued(rstar_sandbox *sandbox, rstar_error *err)
{
	rstar_status status = RSTAR_OK;

	/* Whether state is kept is known when the first template is up. */
	if (!sandbox->any_queued || !sandbox->info.started)
		return RSTAR_OK;
	sandbox->any_queued = false;
	for (size_t i = 0; i < sandbox->n_nodes && status == RSTAR_OK; i++)
		if (sandbox->nodes[i].phase == PHASE_QUEUED)
			status = rstar_sandbox_submit(sandbox, &sandbox->nodes[i], err);
	return status;
}

/* --- receiving --------------------------------------------------------------------- */

/* The node that was sent under this number. */
static client_node *
by_broker_id(rstar_sandbox *sandbox, uint64_t broker_id)
{
	client_node *node = rstar_sandbox_slot(sandbox, (uint32_t) broker_id);

	return node && node->broker_id == broker_id ? node : NULL;
}

/* Let the steps go on that waited for this node's state. */
static void
requeue_waiting(rstar_sandbox *sandbox, const client_node *parent)
{
	for (size_t i = 0; i < sandbox->n_nodes; i++)
	{
		client_node *node = &sandbox->nodes[i];

		if (node->phase == PHASE_WAITING && rstar_sandbox_state_parent(sandbox, node) == parent)
		{
			node->phase = PHASE_QUEUED;
			sandbox->any_queued = true;
		}
	}
}

static rstar_status
rebuilt(rstar_sandbox *sandbox, client_node *node, const rstar_broker_result *came,
		rstar_error *err)
{
	node->rebuilding = false;
	if (came->result.status == RSTAR_SANDBOX_OK)
	{
		node->live = true;
		node->attempts = 0;
	}
	else if (++node->attempts >= MAX_ATTEMPTS)
		node->poisoned = true; /* it does not do again what it did */
	requeue_waiting(sandbox, node);
	(void) err;
	return RSTAR_OK;
}

static rstar_status
result_came(rstar_sandbox *sandbox, const rstar_broker_result *came, rstar_error *err)
{
	client_node *node = by_broker_id(sandbox, came->node), *parent;

	if (!node)
		return RSTAR_OK;
	sandbox->failures = 0;
	if (node->rebuilding)
		return rebuilt(sandbox, node, came, err);
	if (node->phase != PHASE_FLYING)
		return RSTAR_OK;
	parent = rstar_sandbox_state_parent(sandbox, node);
	if (parent)
		parent->barren = 0;
	if (came->result.status == RSTAR_SANDBOX_ERROR &&
		came->result.flags & RSTAR_SANDBOX_WANTS_SYMPY &&
		node->needs == RSTAR_SANDBOX_TEMPLATE_SMALL && strstr(sandbox->modules, "sympy"))
	{
		node->needs = RSTAR_SANDBOX_TEMPLATE_SYMPY;
		node->phase = PHASE_QUEUED;
		sandbox->any_queued = true;
		return RSTAR_OK;
	}
	if (!rstar_sandbox_finish(sandbox, node, came))
		return rstar_error_memory(err, came->result.output.length);
	node->live = came->result.status == RSTAR_SANDBOX_OK && sandbox->info.snapshots && !node->leaf;
	return RSTAR_OK;
}

/* The base was evicted before the step could start. */
static void
base_gone(rstar_sandbox *sandbox, uint64_t broker_id, uint64_t base_id)
{
	client_node *node = by_broker_id(sandbox, broker_id);
	client_node *base = by_broker_id(sandbox, base_id);

	if (base && !base->rebuilding)
		base->live = false;
	if (!node)
		return;
	if (node->rebuilding)
	{
		node->rebuilding = false;
		requeue_waiting(sandbox, node);
	}
	else if (node->phase == PHASE_FLYING)
	{
		node->phase = PHASE_QUEUED;
		sandbox->any_queued = true;
	}
}

static void
template_ready(rstar_sandbox *sandbox, const rstar_frame_ready *ready)
{
	rstar_sandbox_description *info = &sandbox->info;
	size_t length = ready->python.length < sizeof(info->python) - 1 ? ready->python.length
																	: sizeof(info->python) - 1;

	info->started = true;
	info->seccomp = ready->features & RSTAR_SANDBOX_HAS_SECCOMP;
	info->snapshots = ready->features & RSTAR_SANDBOX_HAS_NOTIFY;
	info->namespaces = ready->features & RSTAR_SANDBOX_HAS_NAMESPACES;
	info->measured = ready->features & RSTAR_SANDBOX_HAS_METER;
	info->huge_pages = ready->features & RSTAR_SANDBOX_HAS_HUGE_PAGES;
	info->fixed_addresses = ready->features & RSTAR_SANDBOX_HAS_FIXED_MAP;
	info->broker_confined = ready->features & RSTAR_SANDBOX_BROKER_CONFINED;
	info->landlock = ready->landlock;
	info->template_bytes[ready->template_index] = ready->bytes;
	for (size_t i = 0; i < length; i++)
		info->python[i] = (ready->python.data[i] & 0x80) || ready->python.data[i] < ' '
							  ? '?'
							  : ready->python.data[i];
	info->python[length] = '\0';
}

/*
 * The text is the program's, so anything but printable ASCII is masked. What a new program may
 * cure becomes a loss, which queues the steps again; the node that was named is marked, so
 * that nothing is built on it again. All else is an error for the caller, and every step in
 * flight is dropped.
 */
static rstar_status
fatal_came(rstar_sandbox *sandbox, const rstar_frame_fatal *fatal, rstar_error *err)
{
	client_node *node = fatal->node ? by_broker_id(sandbox, fatal->node) : NULL;
	char text[400];
	size_t n = 0;

	for (size_t i = 0; i < fatal->message.length && n < sizeof(text) - 1; i++)
		text[n++] = (fatal->message.data[i] & 0x80) || fatal->message.data[i] < ' '
						? '?'
						: fatal->message.data[i];
	text[n] = '\0';
	/* What a shared program cannot do, one of its own may; if not, it says why. */
	if (fatal->kind == RSTAR_SANDBOX_FATAL_RESTART ||
		(sandbox->info.shared && !sandbox->info.started))
	{
		if (node)
			node->poisoned = true;
		return rstar_sandbox_lost(sandbox, err);
	}
	rstar_sandbox_process_end(sandbox);
	rstar_sandbox_drop_all(sandbox);
	if (fatal->kind == RSTAR_SANDBOX_FATAL_CONFINE)
	{
		rstar_error_set(err, RSTAR_ERR_DENIED,
						"model-written code cannot be confined on this machine");
		rstar_error_detail(err, "%s.", text);
		return rstar_error_hint(err, "The kernel and the container must allow seccomp filters.");
	}
	rstar_error_set(err, RSTAR_ERR_SANDBOX, "the sandbox could not be started");
	return rstar_error_detail(err, "%s.", text);
}

/*
 * Every payload must be read to its last byte: a frame that is too long is as corrupt as one
 * that is too short. An answer about a node that this side has forgotten is no error, as the
 * two cross on the way.
 */
static rstar_status
frame_came(rstar_sandbox *sandbox, uint8_t type, rstar_reader *payload, rstar_error *err)
{
	rstar_broker_result result;
	rstar_frame_ready ready;
	rstar_frame_fatal fatal;
	uint64_t id, base;
	client_node *node;

	switch (type)
	{
		case RSTAR_FRAME_READY:
			if (!rstar_sandbox_decode_ready(payload, &ready))
				return RSTAR_ERR_CORRUPT;
			template_ready(sandbox, &ready);
			return RSTAR_OK;
		case RSTAR_FRAME_RESULT:
			if (!rstar_sandbox_decode_broker_result(payload, &result))
				return RSTAR_ERR_CORRUPT;
			return result_came(sandbox, &result, err);
		case RSTAR_FRAME_EVICTED:
			id = rstar_sandbox_read_u64(payload);
			node = by_broker_id(sandbox, id);
			if (node && !node->rebuilding)
				node->live = false;
			return rstar_sandbox_reader_done(payload) ? RSTAR_OK : RSTAR_ERR_CORRUPT;
		case RSTAR_FRAME_GONE:
			id = rstar_sandbox_read_u64(payload);
			base = rstar_sandbox_read_u64(payload);
			if (!rstar_sandbox_reader_done(payload))
				return RSTAR_ERR_CORRUPT;
			base_gone(sandbox, id, base);
			return RSTAR_OK;
		case RSTAR_FRAME_STATS:
			sandbox->counters_came = true;
			return rstar_sandbox_decode_counters(payload, &sandbox->statistics.broker)
					   ? RSTAR_OK
					   : RSTAR_ERR_CORRUPT;
		case RSTAR_FRAME_FATAL:
			if (!rstar_sandbox_decode_fatal(payload, &fatal))
				return RSTAR_ERR_CORRUPT;
			return fatal_came(sandbox, &fatal, err);
		default:
			return RSTAR_ERR_CORRUPT;
	}
}

rstar_status
rstar_sandbox_receive(rstar_sandbox *sandbox, const char *data, size_t length, rstar_error *err)
{
	rstar_buffer *in = &sandbox->in;
	rstar_status status = RSTAR_OK;
	size_t used = 0;
	rstar_reader payload;
	uint8_t type;
	long size = 0;

	if (!rstar_buffer_append(in, data, length))
		return rstar_error_memory(err, length);
	while (status == RSTAR_OK && used < in->length &&
		   (size = rstar_sandbox_frame_peek(in->data + used, in->length - used, RSTAR_FRAME_MAX,
											&type, &payload)) > 0)
	{
		status = frame_came(sandbox, type, &payload, err);
		/* A lost program empties the buffer. */
		if (in->length == 0)
			return status;
		used += (size_t) size;
	}
	if (size < 0)
		status = RSTAR_ERR_CORRUPT;
	if (status == RSTAR_ERR_CORRUPT)
		return rstar_sandbox_lost(sandbox, err);
	memmove(in->data, in->data + used, in->length - used);
	in->length -= used;
	return status;
}

/* --- the program's end ------------------------------------------------------------------ */

/*
 * No state outlives the program, but no step is lost with it: what was on its way is queued
 * again, and the states below it are rebuilt from the code of their steps. The count of
 * failures bounds this, as a step that kills every program must not start one after another.
 */
rstar_status
rstar_sandbox_lost(rstar_sandbox *sandbox, rstar_error *err)
{
	bool flying = false;

	rstar_sandbox_process_end(sandbox);
	rstar_buffer_clear(&sandbox->in);
	rstar_buffer_clear(&sandbox->out);
	sandbox->out_sent = 0;
	for (size_t i = 0; i < sandbox->n_nodes; i++)
	{
		client_node *node = &sandbox->nodes[i];

		node->live = node->rebuilding = false;
		if (node->phase == PHASE_FLYING)
			node->attempts++;
		if (node->phase == PHASE_FLYING || node->phase == PHASE_WAITING)
		{
			node->phase = PHASE_QUEUED;
			sandbox->any_queued = true;
		}
		flying |= node->phase == PHASE_QUEUED;
	}
	if (!flying)
		return RSTAR_OK;
	if (++sandbox->failures > MAX_FAILURES)
	{
		sandbox->failures = 0;
		rstar_sandbox_drop_all(sandbox);
		return rstar_error_set(err, RSTAR_ERR_SANDBOX,
							   "the sandbox ended %d times without a result", MAX_FAILURES + 1);
	}
	return RSTAR_OK;
}

/*
 * The broker answers whatever its nodes do, unless it was stopped. Ask it for its
 * counters when nothing came for a while; true: it did not answer that.
 */
static bool
is_mute(rstar_sandbox *sandbox, int64_t now)
{
	size_t start;

	/* Nobody answers while a shared template is being loaded. */
	if (sandbox->info.shared && !sandbox->info.started)
		return now > sandbox->heard_ns + LOADING_NS;
	if (sandbox->pinged)
		return now > sandbox->heard_ns + ANSWER_NS;
	if (now > sandbox->heard_ns + SILENCE_NS)
	{
		start = rstar_sandbox_frame_begin(&sandbox->out, RSTAR_FRAME_STATS);
		sandbox->pinged = rstar_sandbox_frame_end(&sandbox->out, start, true);
		sandbox->heard_ns = now;
	}
	return false;
}

static bool
hangs(rstar_sandbox *sandbox)
{
	int64_t now = rstar_clock_ns();

	if (is_mute(sandbox, now))
		return true;

	for (size_t i = 0; i < sandbox->n_nodes; i++)
		if ((sandbox->nodes[i].phase == PHASE_FLYING || sandbox->nodes[i].rebuilding) &&
			now > sandbox->nodes[i].patience_ns)
			return true;
	return false;
}

/* --- the pump ----------------------------------------------------------------------------- */

/* false: the program is gone. */
static bool
send_queued(rstar_sandbox *sandbox)
{
	while (sandbox->out_sent < sandbox->out.length)
	{
		ssize_t n = send(sandbox->fd, sandbox->out.data + sandbox->out_sent,
						 sandbox->out.length - sandbox->out_sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return true;
		if (n <= 0)
			return false;
		sandbox->out_sent += (size_t) n;
	}
	rstar_buffer_clear(&sandbox->out);
	sandbox->out_sent = 0;
	return true;
}

void
rstar_sandbox_flush(rstar_sandbox *sandbox)
{
	if (rstar_sandbox_is_running(sandbox))
		(void) send_queued(sandbox);
}

static rstar_status
read_some(rstar_sandbox *sandbox, rstar_error *err)
{
	char bytes[16384];
	ssize_t n = recv(sandbox->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return RSTAR_OK;
	if (n <= 0)
		return rstar_sandbox_lost(sandbox, err);
	sandbox->heard_ns = rstar_clock_ns();
	sandbox->pinged = false;
	return rstar_sandbox_receive(sandbox, bytes, (size_t) n, err);
}

/*
 * One turn: start the program if there is work, submit, send, then wait at most `timeout_ms`
 * for something to read. Results that have come are never waited behind. RSTAR_AGAIN means
 * that nothing came, so that the caller can look for a cancellation between two turns.
 */
rstar_status
rstar_sandbox_pump(rstar_sandbox *sandbox, int timeout_ms, rstar_error *err)
{
	struct pollfd p;
	rstar_status status = RSTAR_OK;
	int rc;

	if (sandbox->in_flight > sandbox->n_results)
		status = rstar_sandbox_process_start(sandbox, err);
	if (status == RSTAR_OK)
		status = submit_queued(sandbox, err);
	if (status != RSTAR_OK)
	{
		rstar_sandbox_drop_all(sandbox);
		return status;
	}
	if (!rstar_sandbox_is_running(sandbox) || sandbox->n_results > 0)
		return RSTAR_OK;
	if (!send_queued(sandbox))
		/* Its last words may say why. */
		return read_some(sandbox, err);
	p.fd = sandbox->fd;
	p.events = (short) (POLLIN | (sandbox->out.length ? POLLOUT : 0));
	rc = poll(&p, 1, timeout_ms);
	if (rc < 0)
		return errno == EINTR
				   ? RSTAR_AGAIN
				   : rstar_error_set(err, RSTAR_ERR_IO, "poll failed: %s", strerror(errno));
	if (rc == 0)
		return hangs(sandbox) ? rstar_sandbox_lost(sandbox, err) : RSTAR_AGAIN;
	return p.revents & (POLLIN | POLLHUP | POLLERR) ? read_some(sandbox, err) : RSTAR_OK;
}
