/*
 * fuzz_sandbox_broker.c
 *	  The broker's books under hostile nodes and a confused client.
 *
 * The broker's own sources are compiled into this program; the kernel around
 * them is played: kill and wait only note what they are asked, channels deliver
 * bytes of the input, forks come about or fail as the input says. Afterwards the
 * books must balance: the bytes of all nodes make the total, what runs is in
 * the table, and nothing has been freed that is still named.
 *
 *		input: operations of u8 kind | u8 which | u16 length | bytes
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
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

/* The broker's exit is a jump here, which leaves behind what an exit would not. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}

static jmp_buf over;            /* where the broker's _exit leads */
static const uint8_t *incoming; /* what the next recv() brings */
static size_t incoming_length;
static int dead_pid; /* what the next waitpid() reaps */
static int dead_status;

static int
fake_kill(pid_t pid, int sig)
{
	(void) sig;
	return pid ? 0 : -1;
}

static pid_t
fake_waitpid(pid_t pid, int *status, int options)
{
	pid_t reaped = dead_pid;

	(void) pid;
	(void) options;
	dead_pid = 0;
	if (reaped == 0)
	{
		errno = ECHILD;
		return -1;
	}
	if (status)
		*status = dead_status;
	return reaped;
}

static ssize_t
fake_recv(int fd, void *data, size_t length, int flags)
{
	(void) fd;
	(void) flags;
	if (incoming_length == 0)
	{
		errno = EAGAIN;
		return -1;
	}
	if (length > incoming_length)
		length = incoming_length;
	memcpy(data, incoming, length);
	incoming += length;
	incoming_length -= length;
	return (ssize_t) length;
}

static ssize_t
fake_send(int fd, const void *data, size_t length, int flags)
{
	(void) fd;
	(void) data;
	(void) flags;
	return (ssize_t) length;
}

static int
fake_close(int fd)
{
	(void) fd;
	return 0;
}

static int
fake_prlimit(pid_t pid, int resource, const struct rlimit *new_limit, struct rlimit *old)
{
	(void) pid;
	(void) resource;
	(void) new_limit;
	(void) old;
	return 0;
}

static int
fake_poll(struct pollfd *polls, nfds_t n, int timeout)
{
	(void) polls;
	(void) n;
	(void) timeout;
	return 0;
}

static void __attribute__((noreturn)) fake_exit(int code)
{
	(void) code;
	longjmp(over, 1);
}

#define kill         fake_kill
#define waitpid      fake_waitpid
#define recv         fake_recv
#define send         fake_send
#define close        fake_close
#define prlimit(...) fake_prlimit(__VA_ARGS__)
#define _exit        fake_exit
#define poll         fake_poll

#include "../../src/sandbox/nodes.c"
#undef FIXED
#include "../../src/sandbox/broker.c"
#include "../../src/sandbox/jobs.c"
#include "../../src/sandbox/reply.c"
#include "../../src/sandbox/reports.c"

/* --- what family.c, confine.c and filter.c do, played ------------------------------ */

bool
rstar_family_spawn(int index, int executable)
{
	(void) index;
	(void) executable;
	return true;
}

bool
rstar_family_order(int index)
{
	rstar_broker.families[index].ordered = true;
	return true;
}

void
rstar_family_read(int index)
{
	(void) index;
}

void
rstar_family_notified(int index)
{
	(void) index;
}

bool
rstar_family_fork(node *base, job *j)
{
	rstar_jobs_forking(base);
	base->deadline_ns = rstar_clock_ns() + 1000000000ll;
	rstar_broker.fork.job = j;
	rstar_broker.fork.base = base->id;
	rstar_broker.fork.family = base->family;
	rstar_broker.fork.deadline_ns = base->deadline_ns;
	return true;
}

void
rstar_family_fork_done(void)
{
	rstar_broker.fork.job = NULL;
	rstar_broker.fork.spawn_fd = -1;
}

bool
rstar_confine_empty_root(void)
{
	return true;
}

bool
rstar_confine_drop_capabilities(void)
{
	return true;
}

bool
rstar_confine_no_new_privileges(void)
{
	return true;
}

int
rstar_confine_landlock(int proc_fd)
{
	return proc_fd;
}

int
rstar_filter_build(rstar_filter_kind kind, bool parks, int proc_fd, struct sock_fprog *program)
{
	(void) kind;
	(void) parks;
	(void) proc_fd;
	(void) program;
	return 0;
}

int
rstar_filter_install(const struct sock_fprog *program, bool listen_)
{
	(void) program;
	(void) listen_;
	return 0;
}

bool
rstar_filter_probe_notify(void)
{
	return true;
}

bool
rstar_channel_read_frame(int fd, uint8_t *type, char **data, size_t *length)
{
	(void) fd;
	(void) type;
	(void) data;
	(void) length;
	return false;
}

/* --- the play -------------------------------------------------------------------------- */

static pid_t next_pid;

static void
begin(void)
{
	memset(&rstar_broker, 0, sizeof(rstar_broker));
	rstar_broker.config.budget = 64ull << 20;
	rstar_broker.config.running = 3;
	rstar_broker.config.processes = 12;
	rstar_broker.proc_fd = -1;
	rstar_broker.fork.spawn_fd = -1;
	rstar_buffer_init(&rstar_broker.in, &rstar_allocator_malloc);
	rstar_buffer_init(&rstar_broker.out, &rstar_allocator_malloc);
	next_pid = 1000;
	for (int i = 0; i < RSTAR_SANDBOX_TEMPLATES; i++)
	{
		rstar_broker.families[i].pid = next_pid;
		rstar_broker.families[i].channel = rstar_broker.families[i].listener = -1;
		rstar_broker.families[i].root = rstar_nodes_add((uint64_t) i, next_pid++, i);
		rstar_broker.families[i].root->state = NODE_PARKED;
		rstar_broker.families[i].ready.bytes = 1 << 20;
		rstar_nodes_set_bytes(rstar_broker.families[i].root, 1 << 20, 0);
	}
}

/* A node in some state, by its place in the table. */
static node *
pick(unsigned which, node_state state)
{
	node *candidates[64];
	unsigned n = 0;

	for (unsigned i = 0; i < BUCKETS; i++)
		for (node *at = by_pid[i]; at && n < 64; at = at->next_by_pid)
			if (at->state == state)
				candidates[n++] = at;
	return n ? candidates[which % n] : NULL;
}

/* The pages of ghosts above a node that were not counted yet, and are not free. */
static uint64_t
ghosts_above(const node *n, const node **seen, unsigned *n_seen)
{
	uint64_t bytes = 0;

	for (const node *at = n->origin; at && at->state == NODE_GHOST; at = at->origin)
	{
		unsigned i = 0;

		if (at->heirs == 0 || at->tables != 0)
			abort();
		while (i < *n_seen && seen[i] != at)
			i++;
		if (i < *n_seen || *n_seen == 4096)
			continue;
		seen[(*n_seen)++] = at;
		bytes += at->pages;
	}
	return bytes;
}

static void
balance(void)
{
	static const node *seen[4096];
	uint64_t bytes = 0, dying = 0;
	unsigned running = 0, forking = 0, processes = 0, dead = 0, n_seen = 0;

	for (unsigned i = 0; i < BUCKETS; i++)
		for (node *at = by_pid[i]; at; at = at->next_by_pid)
		{
			bytes += at->pages + at->tables + ghosts_above(at, seen, &n_seen);
			dying += at->state == NODE_DEAD ? at->freeing : 0;
			dead += at->state == NODE_DEAD;
			processes += at->id >= RSTAR_SANDBOX_TEMPLATES;
			running += at->state == NODE_RUNNING || at->state == NODE_FINISHED;
			forking += at->state == NODE_FORKING;
			if (at->state != NODE_DEAD && rstar_nodes_by_pid(at->pid) != at)
				abort();
		}
	/* A child on its way holds a ghost too. */
	if (rstar_broker.fork.origin)
	{
		node child = {.origin = rstar_broker.fork.origin};

		bytes += ghosts_above(&child, seen, &n_seen);
	}
	if (bytes != rstar_broker.counters.bytes || dying != rstar_broker.dying ||
		running != rstar_broker.n_running || forking != rstar_broker.n_forking ||
		processes != rstar_broker.n_processes || dead != rstar_broker.n_dying)
		abort();
}

static void
operate(uint8_t kind, uint8_t which, const uint8_t *bytes, size_t length)
{
	node *n;

	incoming = bytes;
	incoming_length = length;
	switch (kind % 7)
	{
		case 0: /* the client says something */
			if (length > 0)
				read_client();
			break;
		case 1: /* a running node says something */
			n = pick(which, NODE_RUNNING);
			if (n && n->channel >= 0 && length > 0)
				(void) rstar_reports_read(n);
			break;
		case 2: /* the fork in flight comes about */
			if (rstar_broker.fork.job && !rstar_broker.fork.job->cancelled)
			{
				job *j = rstar_broker.fork.job;

				rstar_family_fork_done();
				rstar_broker_adopt(j, next_pid++, (int) (which % RSTAR_SANDBOX_TEMPLATES), 50);
			}
			break;
		case 3: /* somebody parks */
			n = pick(which, which % 2 ? NODE_FINISHED : NODE_FORKING);
			if (n)
				rstar_broker_parked(n);
			break;
		case 4: /* somebody dies */
			n = pick(which, (node_state) (1 + which % 5));
			if (n && n->id >= RSTAR_SANDBOX_TEMPLATES)
			{
				dead_pid = n->pid;
				dead_status = which % 3 ? SIGKILL : 0;
				rstar_reports_reap();
			}
			break;
		case 5: /* the child in flight dies before its hello */
			dead_pid = next_pid++;
			dead_status = SIGKILL;
			rstar_reports_reap();
			break;
		case 6: /* time passes for one node */
			n = pick(which, NODE_RUNNING);
			if (n)
				n->deadline_ns = 0;
			(void) rstar_reports_check_deadlines();
			break;
	}
	rstar_jobs_start();
	rstar_broker_flush();
	balance();
}

static void
end(void)
{
	while (rstar_broker.first)
	{
		job *j = rstar_broker.first;

		rstar_broker.first = j->next;
		rstar_broker_job_free(j);
	}
	if (rstar_broker.fork.job)
		rstar_broker_job_free(rstar_broker.fork.job);
	rstar_nodes_release(rstar_broker.fork.origin);
	for (unsigned i = 0; i < BUCKETS; i++)
		while (by_pid[i])
			rstar_nodes_reaped(by_pid[i]);
	rstar_buffer_free(&rstar_broker.in);
	rstar_buffer_free(&rstar_broker.out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	begin();
	if (setjmp(over) == 0)
		while (length >= 4)
		{
			size_t n = (size_t) data[2] | (size_t) data[3] << 8;

			if (n > length - 4)
				n = length - 4;
			operate(data[0], data[1], data + 4, n);
			data += 4 + n;
			length -= 4 + n;
		}
	end();
	return 0;
}
