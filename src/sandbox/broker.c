/*
 * broker.c
 *	  The loop: the client's requests, the nodes' reports, deaths and deadlines.
 *
 * A job waits in the queue until its base is parked, a place is free and the
 * memory budget has room for its limit; snapshots are evicted to make that
 * room. It then becomes a node, which runs it and reports. Deadlines are kept
 * here, with SIGKILL: nothing inside a node takes part in stopping it.
 *
 * What can only mean that somebody broke the rules ends everything: templates'
 * process groups are killed, all children reaped, and the client, seeing its
 * channel close, starts a new broker and replays what it needs.
 */
#include "sandbox/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MILLISECOND 1000000ll
#define PARK_NS     (500 * MILLISECOND) /* from the report to parking */
#define OUT_MAX     (256ul << 20)       /* a client that does not read is gone */

broker rstar_broker;
#define B rstar_broker

static int64_t
clock_ns(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t) != 0)
		return 0;
	return (int64_t) t.tv_sec * 1000000000ll + t.tv_nsec;
}

int64_t
rstar_broker_now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* CPU time of another process: how its clock's number is made is kernel ABI. */
int64_t
rstar_broker_cpu(pid_t pid)
{
	return clock_ns((clockid_t) (~(unsigned) pid << 3 | 2));
}

/* --- ending ------------------------------------------------------------------------ */

static void __attribute__((noreturn)) end_everything(void)
{
	int64_t until = rstar_broker_now() + 2000 * MILLISECOND;

	for (int i = 0; i < RSTAR_SANDBOX_TEMPLATES; i++)
		if (B.families[i].pid > 1)
		{
			(void) kill(-B.families[i].pid, SIGKILL);
			(void) kill(B.families[i].pid, SIGKILL);
		}
	rstar_nodes_kill_all();
	while (rstar_broker_now() < until)
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

static void
flush_client(void)
{
	while (B.out_sent < B.out.length)
	{
		ssize_t n = send(RSTAR_CHANNEL_FD, B.out.data + B.out_sent, B.out.length - B.out_sent,
						 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n <= 0)
			end_everything();
		B.out_sent += (size_t) n;
	}
	if (B.out_sent == B.out.length)
	{
		B.out_sent = 0;
		rstar_buffer_clear(&B.out);
	}
	if (B.out.length > OUT_MAX)
		end_everything();
}

void
rstar_broker_fatal(rstar_sandbox_fatal kind, uint64_t node_id, const char *message,
				   const char *detail)
{
	(void) rstar_sandbox_encode_fatal(&B.out, kind, node_id, message, detail);
	for (int i = 0; i < 100 && B.out.length > 0; i++)
	{
		struct pollfd p = {.fd = RSTAR_CHANNEL_FD, .events = POLLOUT};

		flush_client();
		if (B.out.length > 0 && poll(&p, 1, 10) < 0)
			break;
	}
	end_everything();
}

static void
check_memory(bool good)
{
	if (!good)
		end_everything();
}

/* --- telling the client ---------------------------------------------------------------- */

void
rstar_broker_send_node(rstar_frame_type type, uint64_t node_id)
{
	check_memory(rstar_sandbox_encode_node(&B.out, type, node_id));
}

void
rstar_broker_send_ready(const rstar_frame_ready *ready)
{
	check_memory(rstar_sandbox_encode_ready(&B.out, ready));
}

static void
send_gone(uint64_t node_id, uint64_t base)
{
	size_t start = rstar_sandbox_frame_begin(&B.out, RSTAR_FRAME_GONE);
	bool good = start != SIZE_MAX && rstar_sandbox_write_u64(&B.out, node_id) &&
				rstar_sandbox_write_u64(&B.out, base);

	check_memory(rstar_sandbox_frame_end(&B.out, start, good));
}

static void
send_result(const node *n, uint64_t node_id, rstar_node_result *result, int sig, int64_t cpu)
{
	rstar_broker_result out = {.node = node_id, .signal = (uint32_t) sig, .result = *result};

	if (n)
	{
		int64_t elapsed = rstar_broker_now() - n->started_ns;

		out.elapsed_us = (uint64_t) (elapsed > 0 ? elapsed / 1000 : 0);
		out.cpu_us = (uint64_t) (cpu > n->cpu_started_ns ? (cpu - n->cpu_started_ns) / 1000 : 0);
		out.bytes = n->bytes;
	}
	check_memory(rstar_sandbox_encode_broker_result(&B.out, &out));
}

static rstar_slice
slice_of(const char *text)
{
	rstar_slice slice = {text, strlen(text)};

	return slice;
}

static void
send_stop(const node *n, uint64_t node_id, rstar_sandbox_status status, int sig, const char *error,
		  const char *message)
{
	rstar_node_result result = {.status = (uint8_t) status,
								.output = slice_of(""),
								.value = slice_of(""),
								.error = slice_of(error),
								.message = slice_of(message)};

	if (status == RSTAR_SANDBOX_TIMEOUT)
		B.counters.timeouts++;
	else
		B.counters.killed++;
	send_result(n, node_id, &result, sig, n ? rstar_broker_cpu(n->pid) : 0);
}

void
rstar_broker_send_failure(uint64_t node_id, rstar_sandbox_status status, int sig, const char *error,
						  const char *message)
{
	send_stop(NULL, node_id, status, sig, error, message);
}

/* --- nodes' ends ------------------------------------------------------------------------ */

static void
stop_running(node *n)
{
	for (unsigned i = 0; i < B.n_running; i++)
		if (B.running[i] == n)
		{
			B.running[i] = B.running[--B.n_running];
			break;
		}
	if (n->channel >= 0)
		close(n->channel);
	n->channel = -1;
}

/* Kill it; it stays in the table by pid until it is reaped. */
void
rstar_broker_kill(node *n)
{
	if (n->state == NODE_DEAD)
		return;
	stop_running(n);
	(void) kill(n->pid, SIGKILL);
	n->state = NODE_DEAD;
	rstar_nodes_forget_id(n);
	B.dying += n->bytes;
}

void
rstar_broker_lose(node *n)
{
	rstar_broker_send_node(RSTAR_FRAME_EVICTED, n->id);
	rstar_broker_kill(n);
}

static void
stop(node *n, rstar_sandbox_status status, int sig, const char *error, const char *message)
{
	send_stop(n, n->id, status, sig, error, message);
	rstar_broker_kill(n);
}

/* --- jobs ---------------------------------------------------------------------------------- */

void
rstar_broker_job_free(job *j)
{
	free(j->payload);
	free(j);
}

static bool
encode_job(rstar_buffer *out, const rstar_frame_start *start)
{
	size_t at = rstar_sandbox_frame_begin(out, RSTAR_FRAME_JOB);
	bool good = at != SIZE_MAX && rstar_sandbox_write_u32(out, start->output) &&
				rstar_sandbox_write_u32(out, start->n_pieces) &&
				rstar_buffer_append(out, start->pieces.data, start->pieces.length);

	return rstar_sandbox_frame_end(out, at, good);
}

static void
send_job(node *n)
{
	while (n->out_sent < n->out.length)
	{
		ssize_t sent = send(n->channel, n->out.data + n->out_sent, n->out.length - n->out_sent,
							MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent <= 0)
			return; /* more room later, or its death is on the way */
		n->out_sent += (size_t) sent;
	}
	rstar_buffer_free(&n->out);
	n->out_sent = 0;
}

/* Start the clocks for the next piece. */
static void
start_clocks(node *n)
{
	n->started_ns = rstar_broker_now();
	n->cpu_started_ns = rstar_broker_cpu(n->pid);
	n->deadline_ns = n->started_ns + n->wall_ns;
	n->cpu_check_ns = n->started_ns + n->cpu_limit_ns;
}

/* A fresh process takes a job: limits first, then the bytes. Takes the job. */
void
rstar_broker_adopt(job *j, pid_t pid, int family_index, int channel)
{
	const rstar_frame_start *start = &j->start;
	uint64_t space = B.families[family_index].ready.space + start->memory;
	struct rlimit limit = {.rlim_cur = space, .rlim_max = RLIM_INFINITY};
	node *n = rstar_nodes_add(start->node, pid, family_index);

	check_memory(n != NULL);
	n->state = NODE_RUNNING;
	n->channel = channel;
	n->flags = start->flags;
	n->output = start->output;
	n->value = start->value;
	n->pieces_left = start->n_pieces - 1;
	n->wall_ns = start->wall_ms * MILLISECOND;
	n->cpu_limit_ns = start->cpu_ms * MILLISECOND;
	rstar_nodes_set_bytes(n, start->memory + B.families[family_index].ready.bytes);
	B.running[B.n_running++] = n;
	B.counters.steps++;
	check_memory(encode_job(&n->out, start));
	if (prlimit(pid, RLIMIT_AS, &limit, NULL) != 0)
		stop(n, RSTAR_SANDBOX_KILLED, 0, "Killed", "its memory could not be limited");
	else
		send_job(n);
	start_clocks(n);
	rstar_broker_job_free(j);
}

static void
queue_remove(job *previous, job *j)
{
	node *base = rstar_nodes_by_id(j->start.base);

	if (base && base->children > 0)
		base->children--;
	if (previous)
		previous->next = j->next;
	else
		B.first = j->next;
	if (B.last == j)
		B.last = previous;
}

/*
 * Is there room for a job's limit on top of everything? Evict while there is
 * not; with nothing left to evict a job may run alone, whatever it takes.
 */
static bool
make_room(uint64_t need)
{
	for (;;)
	{
		node *victim;

		if (B.counters.bytes + need <= B.config.budget)
			return true;
		if (B.counters.bytes - B.dying + need > B.config.budget)
		{
			victim = rstar_nodes_victim();
			if (victim)
			{
				B.counters.evictions++;
				rstar_broker_lose(victim);
				continue;
			}
			return B.n_running == 0 && B.dying == 0;
		}
		return false; /* what is dying will make the room */
	}
}

/* Start the job behind `previous` if it can start now; false: it waits. */
static bool
try_start(job *previous, job *j)
{
	node *base = rstar_nodes_by_id(j->start.base);
	family *f;

	if (!base)
	{
		queue_remove(previous, j);
		send_gone(j->start.node, j->start.base);
		rstar_broker_job_free(j);
		return true;
	}
	f = &B.families[base->family];
	if (base->state == NODE_LOADING)
	{
		if (!rstar_family_order(base->family))
			rstar_broker_fatal(RSTAR_SANDBOX_FATAL_LOAD, 0, "a template did not start", "");
		return false;
	}
	if (base->state != NODE_PARKED || B.fork.job || B.n_running >= B.config.running ||
		!make_room(j->start.memory + f->ready.bytes))
		return false;
	queue_remove(previous, j);
	rstar_nodes_set_bytes(base, base->bytes); /* used now */
	if (!rstar_family_fork(base, j))
	{
		if (base->id < RSTAR_SANDBOX_TEMPLATES)
			rstar_broker_fatal(RSTAR_SANDBOX_FATAL_RESTART, 0, "a template died", "");
		send_gone(j->start.node, j->start.base);
		rstar_broker_lose(base);
		rstar_broker_job_free(j);
	}
	return true;
}

static void
start_jobs(void)
{
	job *previous = NULL, *next;

	for (job *j = B.first; j && !B.fork.job; j = next)
	{
		next = j->next;
		if (!try_start(previous, j))
			previous = j;
	}
}

/* --- notifications ---------------------------------------------------------------------------- */

void
rstar_broker_parked(node *n)
{
	bool finished = n->state == NODE_FINISHED;

	if (finished)
		stop_running(n);
	n->state = NODE_PARKED;
	if (n->doomed)
		rstar_broker_kill(n);
}

/* --- what nodes say ---------------------------------------------------------------------------- */

static void
piece_done(node *n)
{
	if (n->pieces_left == 0)
	{
		stop(n, RSTAR_SANDBOX_KILLED, 0, "Killed", "the step's process broke the protocol");
		return;
	}
	n->pieces_left--;
	start_clocks(n);
}

static void
result_came(node *n, rstar_node_result *result)
{
	int64_t cpu = rstar_broker_cpu(n->pid);
	bool keep = result->status == RSTAR_SANDBOX_OK && n->pieces_left == 0 && !B.replay &&
				!(n->flags & RSTAR_SANDBOX_NO_SNAPSHOT);

	/* A failed step's state is the client's to rebuild from its parent's. */
	result->flags &= RSTAR_SANDBOX_HAS_VALUE | RSTAR_SANDBOX_OUTPUT_CUT | RSTAR_SANDBOX_VALUE_CUT |
					 RSTAR_SANDBOX_WANTS_SYMPY;
	if (keep)
		rstar_nodes_set_bytes(n, rstar_nodes_measure(n));
	if (n->pieces_left > 0)
	{
		/* An ancestor's code did not do again what it did before. */
		stop(n, RSTAR_SANDBOX_KILLED, 0, "StateLost", "the state before the step was not rebuilt");
		return;
	}
	send_result(n, n->id, result, 0, cpu);
	if (!keep)
	{
		rstar_broker_kill(n);
		return;
	}
	n->state = NODE_FINISHED;
	n->deadline_ns = rstar_broker_now() + PARK_NS;
	close(n->channel);
	n->channel = -1;
	rstar_buffer_free(&n->in);
}

/* Frames that have arrived from a running node. */
static void
node_frames(node *n)
{
	size_t max = 2 * (size_t) n->output + RSTAR_SANDBOX_NAME_MAX + RSTAR_SANDBOX_TEXT_MAX + 64;
	size_t used = 0;
	rstar_reader payload;
	uint8_t type;
	long size = 0;

	while (n->state == NODE_RUNNING &&
		   (size = rstar_sandbox_frame_peek(n->in.data + used, n->in.length - used, max, &type,
											&payload)) > 0)
	{
		rstar_node_result result;

		used += (size_t) size;
		if (type == RSTAR_FRAME_PIECE && payload.length == 0)
			piece_done(n);
		else if (type == RSTAR_FRAME_RESULT &&
				 rstar_sandbox_decode_node_result(&payload, n->output, &result))
			result_came(n, &result);
		else
			size = -1;
		if (size < 0)
			break;
	}
	if (n->state != NODE_RUNNING)
		return;
	if (size < 0)
	{
		stop(n, RSTAR_SANDBOX_KILLED, 0, "Killed", "the step's process broke the protocol");
		return;
	}
	if (used > 0)
	{
		memmove(n->in.data, n->in.data + used, n->in.length - used);
		n->in.length -= used;
	}
}

/* Read what a running node wrote; false when it has closed its end. */
static bool
read_node(node *n)
{
	static char bytes[65536];

	for (int rounds = 0; n->state == NODE_RUNNING && n->channel >= 0 && rounds < 4; rounds++)
	{
		ssize_t got = recv(n->channel, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK;
		if (got == 0)
			return false;
		check_memory(rstar_buffer_append(&n->in, bytes, (size_t) got));
		node_frames(n);
		if ((size_t) got < sizeof(bytes))
			break;
	}
	return true;
}

/*
 * The base of the fork in flight died. Its child may be there or not; if it
 * does not report soon, nobody can tell it from a later one. A step cannot kill
 * its own process with SIGKILL: then the base is not to blame.
 */
static void
base_died(int sig)
{
	int64_t soon = rstar_broker_now() + 200 * MILLISECOND;

	if (soon < B.fork.deadline_ns)
		B.fork.deadline_ns = soon;
	B.fork.blameless = sig == SIGKILL;
}

static const char *
death_text(int sig)
{
	switch (sig)
	{
		case 0:
			return "the step's process ended before its report";
		case SIGSYS:
			return "a forbidden system call";
		case SIGKILL:
			return "killed: out of memory, or from outside";
		case SIGSEGV:
		case SIGBUS:
			return "a crash: memory access";
		default:
			return "a crash";
	}
}

static void
child_died(pid_t pid, int status)
{
	node *n = rstar_nodes_by_pid(pid);
	int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	job *j = B.fork.job;

	if (!n)
	{
		if (!j)
			return;
		if (B.replay)
		{
			B.fork.dead_pid = pid; /* the template is about to tell this pid */
			B.fork.dead_status = status;
			return;
		}
		/* The child in flight, before its hello. */
		rstar_family_fork_done();
		if (!j->cancelled)
			rstar_broker_send_failure(j->start.node, RSTAR_SANDBOX_KILLED, sig, "Killed",
									  "the step's process did not start");
		rstar_broker_job_free(j);
		return;
	}
	if (n->id < RSTAR_SANDBOX_TEMPLATES)
	{
		/* Its last words, if any, are a FATAL that says more. */
		if (B.families[n->id].channel >= 0)
			rstar_family_read((int) n->id);
		rstar_broker_fatal(RSTAR_SANDBOX_FATAL_RESTART, 0, "a template died", "");
	}
	if (n->state == NODE_RUNNING)
		while (n->state == NODE_RUNNING && n->channel >= 0 && read_node(n) && n->channel >= 0)
		{
			struct pollfd p = {.fd = n->channel, .events = POLLIN};

			if (poll(&p, 1, 0) <= 0 || !(p.revents & POLLIN))
				break;
		}
	if (n->state == NODE_FORKING && j && B.fork.base == n->id)
		base_died(sig);
	if (n->state == NODE_RUNNING)
		stop(n, RSTAR_SANDBOX_KILLED, sig, "Killed", death_text(sig));
	else if (n->state != NODE_DEAD)
		rstar_broker_lose(n);
	B.dying -= n->bytes;
	rstar_nodes_free(n);
}

static void
reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0)
		child_died(pid, status);
}

/* --- what the client says ------------------------------------------------------------------------ */

static void
client_start(rstar_reader *payload)
{
	job *j = calloc(1, sizeof(*j));
	rstar_reader reader;
	node *base;

	check_memory(j != NULL);
	j->payload = malloc(payload->length + 1);
	check_memory(j->payload != NULL);
	memcpy(j->payload, payload->data, payload->length);
	rstar_sandbox_reader_init(&reader, j->payload, payload->length);
	if (!rstar_sandbox_decode_start(&reader, &j->start))
		rstar_broker_fatal(RSTAR_SANDBOX_FATAL_INTERNAL, 0, "the client broke the protocol", "");
	if (B.last)
		B.last->next = j;
	else
		B.first = j;
	B.last = j;
	base = rstar_nodes_by_id(j->start.base);
	if (base)
		base->children++;
}

static void
client_release(uint64_t node_id)
{
	node *n = rstar_nodes_by_id(node_id);
	job *previous = NULL;

	if (node_id < RSTAR_SANDBOX_TEMPLATES)
		return;
	if (n && n->state == NODE_FORKING)
		n->doomed = true;
	else if (n)
		rstar_broker_kill(n);
	if (B.fork.job && B.fork.job->start.node == node_id)
		B.fork.job->cancelled = true;
	for (job *j = B.first; j; previous = j, j = j->next)
		if (j->start.node == node_id)
		{
			queue_remove(previous, j);
			rstar_broker_job_free(j);
			return;
		}
}

static void
client_stats(void)
{
	B.counters.snapshots = rstar_nodes_count_parked();
	B.counters.running = B.n_running;
	B.counters.waiting = B.fork.job != NULL;
	for (job *j = B.first; j; j = j->next)
		B.counters.waiting++;
	B.counters.budget = B.config.budget;
	check_memory(rstar_sandbox_encode_counters(&B.out, &B.counters));
}

static void
client_frame(uint8_t type, rstar_reader *payload)
{
	uint64_t node_id;
	node *n;

	switch (type)
	{
		case RSTAR_FRAME_START:
			client_start(payload);
			break;
		case RSTAR_FRAME_RELEASE:
			client_release(rstar_sandbox_read_u64(payload));
			break;
		case RSTAR_FRAME_VALUE:
			node_id = rstar_sandbox_read_u64(payload);
			n = rstar_nodes_by_id(node_id);
			if (n)
				n->value = rstar_sandbox_read_f64(payload);
			break;
		case RSTAR_FRAME_STATS:
			client_stats();
			break;
		default:
			end_everything();
	}
}

static void
read_client(void)
{
	static char bytes[65536];
	ssize_t got = recv(RSTAR_CHANNEL_FD, bytes, sizeof(bytes), MSG_DONTWAIT);
	size_t used = 0;
	rstar_reader payload;
	uint8_t type;
	long size;

	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (got <= 0)
		end_everything();
	check_memory(rstar_buffer_append(&B.in, bytes, (size_t) got));
	while ((size = rstar_sandbox_frame_peek(B.in.data + used, B.in.length - used, RSTAR_FRAME_MAX,
											&type, &payload)) > 0)
	{
		client_frame(type, &payload);
		used += (size_t) size;
	}
	if (size < 0)
		end_everything();
	memmove(B.in.data, B.in.data + used, B.in.length - used);
	B.in.length -= used;
	B.idle_since_ns = rstar_broker_now();
}

/* --- deadlines -------------------------------------------------------------------------------------- */

static void
check_node(node *n, int64_t now)
{
	char text[96];

	if (n->state == NODE_FINISHED)
	{
		if (now >= n->deadline_ns)
			rstar_broker_lose(n);
		return;
	}
	if (now >= n->deadline_ns)
	{
		/* A report that is already here came in time. */
		if (read_node(n) && n->state == NODE_RUNNING)
		{
			snprintf(text, sizeof(text), "stopped after %lld ms",
					 (long long) (n->wall_ns / MILLISECOND));
			stop(n, RSTAR_SANDBOX_TIMEOUT, 0, "Timeout", text);
		}
		return;
	}
	if (now >= n->cpu_check_ns)
	{
		int64_t used = rstar_broker_cpu(n->pid) - n->cpu_started_ns;

		if (used >= n->cpu_limit_ns)
		{
			snprintf(text, sizeof(text), "stopped after %lld ms of CPU time",
					 (long long) (n->cpu_limit_ns / MILLISECOND));
			stop(n, RSTAR_SANDBOX_TIMEOUT, 0, "Timeout", text);
		}
		else
			n->cpu_check_ns = now + n->cpu_limit_ns - used;
	}
}

static void
check_fork(int64_t now)
{
	node *base;

	if (!B.fork.job)
		return;
	if (now >= B.fork.deadline_ns)
		rstar_broker_fatal(RSTAR_SANDBOX_FATAL_RESTART, B.fork.blameless ? 0 : B.fork.base,
						   "a forked process did not report", "");
	base = rstar_nodes_by_id(B.fork.base);
	if (base && base->state == NODE_FORKING && now >= base->deadline_ns)
		rstar_broker_fatal(RSTAR_SANDBOX_FATAL_RESTART, base->id, "a node did not park again", "");
}

/* A base whose child is up but that does not park again. */
static void
check_forking(int64_t now)
{
	for (job *j = B.first; j; j = j->next)
	{
		node *base = rstar_nodes_by_id(j->start.base);

		if (base && base->state == NODE_FORKING && now >= base->deadline_ns)
		{
			if (base->id < RSTAR_SANDBOX_TEMPLATES)
				rstar_broker_fatal(RSTAR_SANDBOX_FATAL_RESTART, 0, "a template does not park", "");
			rstar_broker_lose(base);
		}
	}
}

static int64_t
check_deadlines(void)
{
	int64_t now = rstar_broker_now(), next = now + 1000 * MILLISECOND;

	for (unsigned i = B.n_running; i-- > 0;)
		if (i < B.n_running)
			check_node(B.running[i], now);
	check_fork(now);
	check_forking(now);
	if (B.config.idle_ms && !B.first && !B.fork.job && B.n_running == 0 &&
		now - B.idle_since_ns > (int64_t) B.config.idle_ms * MILLISECOND)
		end_everything();
	for (unsigned i = 0; i < B.n_running; i++)
	{
		const node *n = B.running[i];

		if (n->deadline_ns < next)
			next = n->deadline_ns;
		if (n->state == NODE_RUNNING && n->cpu_check_ns < next)
			next = n->cpu_check_ns;
	}
	return next > now ? next - now : 0;
}

/* --- starting and the loop ---------------------------------------------------------------------------- */

static void
read_signals(void)
{
	struct signalfd_siginfo info;

	while (read(B.signal_fd, &info, sizeof(info)) == (ssize_t) sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			end_everything();
}

/* Several deaths make one SIGCHLD: always ask the kernel who is gone. */
static void
loop_once(void)
{
	struct pollfd polls[MAX_RUNNING + 8];
	node *nodes[MAX_RUNNING];
	unsigned n = 0, n_nodes = 0, base;
	int64_t wait;
	struct timespec timeout;

	start_jobs();
	flush_client();
	wait = check_deadlines();
	flush_client();
	timeout.tv_sec = (time_t) (wait / 1000000000ll);
	timeout.tv_nsec = (long) (wait % 1000000000ll);
	polls[n++] = (struct pollfd){.fd = RSTAR_CHANNEL_FD,
								 .events = (short) (POLLIN | (B.out.length ? POLLOUT : 0))};
	polls[n++] = (struct pollfd){.fd = B.signal_fd, .events = POLLIN};
	for (int i = 0; i < RSTAR_SANDBOX_TEMPLATES; i++)
	{
		polls[n++] = (struct pollfd){.fd = B.families[i].listener, .events = POLLIN};
		polls[n++] = (struct pollfd){.fd = B.families[i].channel, .events = POLLIN};
	}
	base = n;
	for (unsigned i = 0; i < B.n_running; i++)
		if (B.running[i]->channel >= 0)
		{
			nodes[n_nodes++] = B.running[i];
			polls[n++] = (struct pollfd){
				.fd = B.running[i]->channel,
				.events = (short) (POLLIN | (B.running[i]->out.length ? POLLOUT : 0))};
		}
	if (ppoll(polls, n, &timeout, NULL) < 0)
		return;
	/* Reports first: a node may report and die. Nodes are freed by reap() only. */
	for (unsigned i = 0; i < n_nodes; i++)
	{
		if (polls[base + i].revents & POLLOUT && nodes[i]->channel >= 0)
			send_job(nodes[i]);
		if (polls[base + i].revents & (POLLIN | POLLHUP | POLLERR) &&
			nodes[i]->state == NODE_RUNNING && !read_node(nodes[i]))
		{
			/* It cannot close its channel: it is dead, and wait() will tell how. */
			close(nodes[i]->channel);
			nodes[i]->channel = -1;
		}
	}
	for (int i = 0; i < RSTAR_SANDBOX_TEMPLATES; i++)
	{
		if (polls[2 + 2 * i].revents & POLLIN)
			rstar_family_notified(i);
		if (polls[3 + 2 * i].revents && B.families[i].channel >= 0)
			rstar_family_read(i);
	}
	if (polls[1].revents)
	{
		read_signals();
		reap();
	}
	if (polls[0].revents)
		read_client();
}

static void
read_config(void)
{
	size_t length;
	uint8_t type;
	rstar_reader reader;

	if (!rstar_channel_read_frame(RSTAR_CHANNEL_FD, &type, &B.modules, &length) ||
		type != RSTAR_FRAME_CONFIG)
		_exit(0);
	rstar_sandbox_reader_init(&reader, B.modules, length);
	if (!rstar_sandbox_decode_config(&reader, &B.config) || B.config.version != RSTAR_FRAME_VERSION)
		rstar_broker_fatal(RSTAR_SANDBOX_FATAL_INTERNAL, 0,
						   "the program rstar-sandbox is of another version than the extension",
						   "");
	if (B.config.running > MAX_RUNNING)
		B.config.running = MAX_RUNNING;
}

static void
open_proc(void)
{
	/* In the pid namespace only its own /proc knows our numbers. */
	bool good = !B.namespaces ||
				mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0;

	B.proc_fd = good ? open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (B.proc_fd >= 0)
		B.features |= RSTAR_SANDBOX_HAS_METER;
}

static void
open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	(void) sigprocmask(SIG_BLOCK, &set, NULL);
	B.signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (B.signal_fd < 0)
		_exit(0);
}

static void
confine_broker(void)
{
	struct sock_fprog program;
	int rc = rstar_filter_build(RSTAR_FILTER_BROKER, false, B.proc_fd, &program);
	char text[128];

	if (B.namespaces && !rstar_confine_empty_root())
		rstar_broker_fatal(RSTAR_SANDBOX_FATAL_CONFINE, 0, "cannot empty the root directory", "");
	if (!rstar_confine_drop_capabilities() || !rstar_confine_no_new_privileges())
		rstar_broker_fatal(RSTAR_SANDBOX_FATAL_CONFINE, 0, "cannot give up privileges", "");
	(void) rstar_confine_landlock(B.proc_fd);
	if (rc == 0)
		rc = -rstar_filter_install(&program, false);
	if (rc != 0)
	{
		snprintf(text, sizeof(text), "seccomp filters are not available: %s", strerror(rc));
		rstar_broker_fatal(RSTAR_SANDBOX_FATAL_CONFINE, 0, text, "");
	}
}

/* Does the list name SymPy or its arithmetic? */
static bool
wants_sympy_template(void)
{
	/* The frame that holds the list is NUL-terminated. */
	return strstr(B.config.modules.data, "sympy") || strstr(B.config.modules.data, "mpmath");
}

void
rstar_broker_main(bool namespaces, int executable)
{
	(void) prctl(PR_SET_NAME, "rstar-broker", 0, 0, 0);
	B.namespaces = namespaces;
	B.fork.spawn_fd = -1;
	for (int i = 0; i < RSTAR_SANDBOX_TEMPLATES; i++)
		B.families[i].channel = B.families[i].listener = -1;
	rstar_buffer_init(&B.in, &rstar_allocator_malloc);
	rstar_buffer_init(&B.out, &rstar_allocator_malloc);
	open_signals();
	read_config();
	B.replay = (B.config.flags & RSTAR_SANDBOX_FORCE_REPLAY) || !rstar_filter_probe_notify();
	open_proc();
	/* The second waits, not even loading Python, until SymPy is asked for. */
	if (!rstar_family_spawn(RSTAR_SANDBOX_TEMPLATE_SMALL, executable) ||
		(wants_sympy_template() && !rstar_family_spawn(RSTAR_SANDBOX_TEMPLATE_SYMPY, executable)))
		rstar_broker_fatal(RSTAR_SANDBOX_FATAL_LOAD, 0, "a template did not start", "");
	close(executable);
	if (!rstar_family_order(RSTAR_SANDBOX_TEMPLATE_SMALL))
		rstar_broker_fatal(RSTAR_SANDBOX_FATAL_LOAD, 0, "a template did not start", "");
	confine_broker();
	B.features |= RSTAR_SANDBOX_BROKER_CONFINED;
	B.idle_since_ns = rstar_broker_now();
	for (;;)
		loop_once();
}
