/*
 * broker.c
 *	  The broker's start, its loop, and the client's requests.
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
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

broker rstar_broker;

static int64_t
clock_ns(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t) != 0)
		return 0;
	return (int64_t) t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* CPU time of another process: how its clock's number is made is kernel ABI. */
int64_t
rstar_broker_cpu(pid_t pid)
{
	return clock_ns((clockid_t) (~(unsigned) pid << 3 | 2));
}

/* --- what the client says ------------------------------------------------------------------------ */

static void
client_start(rstar_reader *payload)
{
	job *j = calloc(1, sizeof(*j));
	rstar_reader reader;
	node *base;

	rstar_broker_check_memory(j != NULL);
	j->payload = malloc(payload->length + 1);
	rstar_broker_check_memory(j->payload != NULL);
	memcpy(j->payload, payload->data, payload->length);
	rstar_sandbox_reader_init(&reader, j->payload, payload->length);
	if (!rstar_sandbox_decode_start(&reader, &j->start))
		rstar_broker_fatal(RSTAR_SANDBOX_FATAL_INTERNAL, 0, "the client broke the protocol", "");
	/* One template does for both. */
	if (rstar_broker.shared && j->start.base < RSTAR_SANDBOX_TEMPLATES)
		j->start.base = RSTAR_SANDBOX_TEMPLATE_SYMPY;
	if (rstar_broker.last)
		rstar_broker.last->next = j;
	else
		rstar_broker.first = j;
	rstar_broker.last = j;
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
	if (rstar_broker.fork.job && rstar_broker.fork.job->start.node == node_id)
		rstar_broker.fork.job->cancelled = true;
	for (job *j = rstar_broker.first; j; previous = j, j = j->next)
		if (j->start.node == node_id)
		{
			rstar_jobs_unqueue(previous, j);
			rstar_broker_job_free(j);
			return;
		}
}

static void
client_stats(void)
{
	rstar_broker.counters.snapshots = rstar_nodes_count_parked();
	rstar_broker.counters.running = rstar_broker.n_running;
	rstar_broker.counters.waiting = rstar_broker.fork.job != NULL;
	for (job *j = rstar_broker.first; j; j = j->next)
		rstar_broker.counters.waiting++;
	rstar_broker.counters.budget = rstar_broker.config.budget;
	rstar_broker_check_memory(
		rstar_sandbox_encode_counters(&rstar_broker.out, &rstar_broker.counters));
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
			rstar_broker_end();
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
		rstar_broker_end();
	rstar_broker_check_memory(rstar_buffer_append(&rstar_broker.in, bytes, (size_t) got));
	while (
		(size = rstar_sandbox_frame_peek(rstar_broker.in.data + used, rstar_broker.in.length - used,
										 RSTAR_FRAME_MAX, &type, &payload)) > 0)
	{
		client_frame(type, &payload);
		used += (size_t) size;
	}
	if (size < 0)
		rstar_broker_end();
	memmove(rstar_broker.in.data, rstar_broker.in.data + used, rstar_broker.in.length - used);
	rstar_broker.in.length -= used;
	rstar_broker.idle_since_ns = rstar_clock_ns();
}

/* --- starting and the loop ---------------------------------------------------------------------------- */

static void
read_signals(void)
{
	struct signalfd_siginfo info;

	while (read(rstar_broker.signal_fd, &info, sizeof(info)) == (ssize_t) sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			rstar_broker_end();
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

	rstar_jobs_start();
	rstar_broker_flush();
	wait = rstar_reports_check_deadlines();
	rstar_broker_flush();
	timeout.tv_sec = (time_t) (wait / 1000000000ll);
	timeout.tv_nsec = (long) (wait % 1000000000ll);
	polls[n++] =
		(struct pollfd){.fd = RSTAR_CHANNEL_FD,
						.events = (short) (POLLIN | (rstar_broker.out.length ? POLLOUT : 0))};
	polls[n++] = (struct pollfd){.fd = rstar_broker.signal_fd, .events = POLLIN};
	for (int i = 0; i < RSTAR_SANDBOX_TEMPLATES; i++)
	{
		polls[n++] = (struct pollfd){.fd = rstar_broker.families[i].listener, .events = POLLIN};
		polls[n++] = (struct pollfd){.fd = rstar_broker.families[i].channel, .events = POLLIN};
	}
	base = n;
	for (unsigned i = 0; i < rstar_broker.n_running; i++)
		if (rstar_broker.running[i]->channel >= 0)
		{
			nodes[n_nodes++] = rstar_broker.running[i];
			polls[n++] = (struct pollfd){
				.fd = rstar_broker.running[i]->channel,
				.events = (short) (POLLIN | (rstar_broker.running[i]->out.length ? POLLOUT : 0))};
		}
	if (ppoll(polls, n, &timeout, NULL) < 0)
		return;
	/* Reports first: a node may report and die. Nodes are freed by rstar_reports_reap() only. */
	for (unsigned i = 0; i < n_nodes; i++)
	{
		if (polls[base + i].revents & POLLOUT && nodes[i]->channel >= 0)
			rstar_jobs_send(nodes[i]);
		if (polls[base + i].revents & (POLLIN | POLLHUP | POLLERR) &&
			nodes[i]->state == NODE_RUNNING && !rstar_reports_read(nodes[i]))
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
		if (polls[3 + 2 * i].revents && rstar_broker.families[i].channel >= 0)
			rstar_family_read(i);
	}
	if (polls[1].revents)
	{
		read_signals();
		rstar_reports_reap();
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

	if (!rstar_channel_read_frame(RSTAR_CHANNEL_FD, &type, &rstar_broker.modules, &length) ||
		type != RSTAR_FRAME_CONFIG)
		_exit(0);
	rstar_sandbox_reader_init(&reader, rstar_broker.modules, length);
	if (!rstar_sandbox_decode_config(&reader, &rstar_broker.config) ||
		rstar_broker.config.version != RSTAR_FRAME_VERSION)
		rstar_broker_fatal(RSTAR_SANDBOX_FATAL_INTERNAL, 0,
						   "the program rstar-sandbox is of another version than the extension",
						   "");
	if (rstar_broker.config.running > MAX_RUNNING)
		rstar_broker.config.running = MAX_RUNNING;
}

static void
open_proc(void)
{
	/* In the pid namespace only its own /proc knows our numbers. */
	bool good = !rstar_broker.namespaces ||
				mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0;

	rstar_broker.proc_fd = good ? open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (rstar_broker.proc_fd >= 0)
		rstar_broker.features |= RSTAR_SANDBOX_HAS_METER;
}

static void
open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	(void) sigprocmask(SIG_BLOCK, &set, NULL);
	rstar_broker.signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (rstar_broker.signal_fd < 0)
		_exit(0);
}

static void
confine_broker(void)
{
	struct sock_fprog program;
	int rc = rstar_filter_build(RSTAR_FILTER_BROKER, false, rstar_broker.proc_fd, &program);
	char text[128];

	if (rstar_broker.namespaces && !rstar_confine_empty_root())
		rstar_broker_fatal(RSTAR_SANDBOX_FATAL_CONFINE, 0, "cannot empty the root directory", "");
	if (!rstar_confine_drop_capabilities() || !rstar_confine_no_new_privileges())
		rstar_broker_fatal(RSTAR_SANDBOX_FATAL_CONFINE, 0, "cannot give up privileges", "");
	(void) rstar_confine_landlock(rstar_broker.proc_fd);
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
	return strstr(rstar_broker.config.modules.data, "sympy") ||
		   strstr(rstar_broker.config.modules.data, "mpmath");
}

static void
start_families(int executable, pid_t root)
{
	bool good;

	if (rstar_broker.shared)
		good = rstar_family_take(RSTAR_SANDBOX_TEMPLATE_SYMPY, root, RSTAR_ROOT_FD) &&
			   rstar_family_order(RSTAR_SANDBOX_TEMPLATE_SYMPY);
	else
		/* The second waits, not even loading Python, until SymPy is asked for. */
		good = rstar_family_spawn(RSTAR_SANDBOX_TEMPLATE_SMALL, executable) &&
			   (!wants_sympy_template() ||
				rstar_family_spawn(RSTAR_SANDBOX_TEMPLATE_SYMPY, executable)) &&
			   rstar_family_order(RSTAR_SANDBOX_TEMPLATE_SMALL);
	if (!good)
		rstar_broker_fatal(RSTAR_SANDBOX_FATAL_LOAD, 0, "a template did not start", "");
	if (executable >= 0)
		close(executable);
}

void
rstar_broker_main(bool namespaces, int executable, pid_t root)
{
	(void) prctl(PR_SET_NAME, "rstar-broker", 0, 0, 0);
	rstar_broker.namespaces = namespaces;
	rstar_broker.shared = root > 0;
	rstar_broker.fork.spawn_fd = -1;
	for (int i = 0; i < RSTAR_SANDBOX_TEMPLATES; i++)
		rstar_broker.families[i].channel = rstar_broker.families[i].listener = -1;
	rstar_buffer_init(&rstar_broker.in, &rstar_allocator_malloc);
	rstar_buffer_init(&rstar_broker.out, &rstar_allocator_malloc);
	open_signals();
	read_config();
	rstar_broker.replay =
		(rstar_broker.config.flags & RSTAR_SANDBOX_FORCE_REPLAY) || !rstar_filter_probe_notify();
	open_proc();
	start_families(executable, root);
	confine_broker();
	rstar_broker.features |= RSTAR_SANDBOX_BROKER_CONFINED;
	rstar_broker.idle_since_ns = rstar_clock_ns();
	for (;;)
		loop_once();
}
