/*
 * reply.c
 *	  What the broker says to its client, and how everything ends.
 */
#include "sandbox/broker.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OUT_MAX (256ul << 20) /* a client that does not read is gone */

/* --- ending ------------------------------------------------------------------------ */

void
rstar_broker_end(void)
{
	int64_t until = rstar_clock_ns() + 2000 * MILLISECOND;

	for (int i = 0; i < RSTAR_SANDBOX_TEMPLATES; i++)
		if (rstar_broker.families[i].pid > 1)
		{
			(void) kill(-rstar_broker.families[i].pid, SIGKILL);
			(void) kill(rstar_broker.families[i].pid, SIGKILL);
		}
	rstar_nodes_kill_all();
	while (rstar_clock_ns() < until)
	{
		struct timespec pause = {.tv_nsec = MILLISECOND};
		pid_t pid = waitpid(-1, NULL, WNOHANG);

		if (pid < 0)
			break;
		if (pid == 0)
			(void) nanosleep(&pause, NULL);
	}
	_exit(0);
}

void
rstar_broker_flush(void)
{
	while (rstar_broker.out_sent < rstar_broker.out.length)
	{
		ssize_t n =
			send(RSTAR_CHANNEL_FD, rstar_broker.out.data + rstar_broker.out_sent,
				 rstar_broker.out.length - rstar_broker.out_sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n <= 0)
			rstar_broker_end();
		rstar_broker.out_sent += (size_t) n;
	}
	if (rstar_broker.out_sent == rstar_broker.out.length)
	{
		rstar_broker.out_sent = 0;
		rstar_buffer_clear(&rstar_broker.out);
	}
	if (rstar_broker.out.length > OUT_MAX)
		rstar_broker_end();
}

void
rstar_broker_fatal(rstar_sandbox_fatal kind, uint64_t node_id, const char *message,
				   const char *detail)
{
	(void) rstar_sandbox_encode_fatal(&rstar_broker.out, kind, node_id, message, detail);
	for (int i = 0; i < 100 && rstar_broker.out.length > 0; i++)
	{
		struct pollfd p = {.fd = RSTAR_CHANNEL_FD, .events = POLLOUT};

		rstar_broker_flush();
		if (rstar_broker.out.length > 0 && poll(&p, 1, 10) < 0)
			break;
	}
	rstar_broker_end();
}

void
rstar_broker_check_memory(bool good)
{
	if (!good)
		rstar_broker_end();
}

/* --- telling the client ---------------------------------------------------------------- */

void
rstar_broker_send_node(rstar_frame_type type, uint64_t node_id)
{
	rstar_broker_check_memory(rstar_sandbox_encode_node(&rstar_broker.out, type, node_id));
}

void
rstar_broker_send_ready(const rstar_frame_ready *ready)
{
	rstar_broker_check_memory(rstar_sandbox_encode_ready(&rstar_broker.out, ready));
}

void
rstar_broker_send_gone(uint64_t node_id, uint64_t base)
{
	size_t start = rstar_sandbox_frame_begin(&rstar_broker.out, RSTAR_FRAME_GONE);
	bool good = start != SIZE_MAX && rstar_sandbox_write_u64(&rstar_broker.out, node_id) &&
				rstar_sandbox_write_u64(&rstar_broker.out, base);

	rstar_broker_check_memory(rstar_sandbox_frame_end(&rstar_broker.out, start, good));
}

void
rstar_broker_send_result(const node *n, uint64_t node_id, rstar_sandbox_node_result *result,
						 int sig, int64_t cpu)
{
	rstar_broker_result out = {.node = node_id, .signal = (uint32_t) sig, .result = *result};

	if (n)
	{
		int64_t elapsed = rstar_clock_ns() - n->started_ns;

		out.elapsed_us = (uint64_t) (elapsed > 0 ? elapsed / 1000 : 0);
		out.cpu_us = (uint64_t) (cpu > n->cpu_started_ns ? (cpu - n->cpu_started_ns) / 1000 : 0);
		out.bytes = n->pages + n->tables;
	}
	rstar_broker_check_memory(rstar_sandbox_encode_broker_result(&rstar_broker.out, &out));
}

static rstar_string
slice_of(const char *text)
{
	rstar_string slice = {text, strlen(text)};

	return slice;
}

void
rstar_broker_send_stop(const node *n, uint64_t node_id, rstar_sandbox_status status, int sig,
					   const char *error, const char *message)
{
	rstar_sandbox_node_result result = {.status = (uint8_t) status,
										.output = slice_of(""),
										.value = slice_of(""),
										.error = slice_of(error),
										.message = slice_of(message)};

	if (status == RSTAR_SANDBOX_TIMEOUT)
		rstar_broker.counters.timeouts++;
	else
		rstar_broker.counters.killed++;
	rstar_broker_send_result(n, node_id, &result, sig, n ? rstar_broker_cpu(n->pid) : 0);
}

void
rstar_broker_send_failure(uint64_t node_id, rstar_sandbox_status status, int sig, const char *error,
						  const char *message)
{
	rstar_broker_send_stop(NULL, node_id, status, sig, error, message);
}
