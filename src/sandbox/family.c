/*
 * family.c
 *	  Templates and the forks that are made of them and of their nodes.
 *
 * Forking through the listener takes three messages of the kernel's:
 *
 *		1. the base is parked: its clone() waits for our answer;
 *		2. we let it through; the base returns and parks again, and
 *		3. its child calls getsid(): we learn its pid, put a channel with the job
 *		   into its descriptor 3 and let it go.
 *
 * 2 and 3 come in any order. Only one fork is in flight at a time, so the
 * unknown pid that says hello is the child of the base that was let through,
 * and of no other. The base's code may be hostile and keep its child from
 * saying hello, hoping to be taken for somebody else's later; a hello that does
 * not come in time therefore costs the whole family (and the broker).
 */
#include "sandbox/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SECCOMP_ADDFD_FLAG_SEND
#define SECCOMP_ADDFD_FLAG_SEND (1ul << 1)
#endif

#define HELLO_NS 4000000000ll /* generous: a busy machine may take its time */

/* --- templates -------------------------------------------------------------------- */

static void __attribute__((noreturn)) become_template(int channel, int executable)
{
	char *argv[] = {"rstar-sandbox", "template", NULL};
	char *envp[] = {NULL};
	long persona = personality(0xffffffff);
	sigset_t none;

	(void) setpgid(0, 0);
	sigemptyset(&none);
	(void) sigprocmask(SIG_SETMASK, &none, NULL);
	/* The same addresses in every run: the same order of sets, the same output. */
	if (persona != -1)
		(void) personality((unsigned long) persona | ADDR_NO_RANDOMIZE);
	if (rstar_broker.namespaces && !rstar_confine_keep_capability())
		_exit(1);
	/* The broker's own descriptors close on exec. */
	if (channel != RSTAR_CHANNEL_FD && dup2(channel, RSTAR_CHANNEL_FD) != RSTAR_CHANNEL_FD)
		_exit(1);
	syscall(SYS_execveat, executable, "", argv, envp, AT_EMPTY_PATH);
	_exit(1);
}

bool
rstar_family_take(int index, pid_t pid, int channel)
{
	family *f = &rstar_broker.families[index];

	f->pid = pid;
	(void) setpgid(pid, pid);
	(void) fcntl(channel, F_SETFL, O_NONBLOCK);
	f->channel = channel;
	f->root = rstar_nodes_add((uint64_t) index, pid, index);
	if (f->root)
		f->root->state = NODE_LOADING;
	rstar_buffer_init(&f->in, &rstar_allocator_malloc);
	return f->root != NULL;
}

bool
rstar_family_spawn(int index, int executable)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return false;
	pid = fork();
	if (pid == 0)
		become_template(pair[1], executable);
	close(pair[1]);
	if (pid < 0)
	{
		close(pair[0]);
		return false;
	}
	return rstar_family_take(index, pid, pair[0]);
}

bool
rstar_family_order(int index)
{
	family *f = &rstar_broker.families[index];
	rstar_buffer frame;
	size_t start;
	bool good;

	if (f->ordered || f->channel < 0)
		return f->ordered;
	rstar_buffer_init(&frame, &rstar_allocator_malloc);
	start = rstar_sandbox_frame_begin(&frame, RSTAR_FRAME_LOAD);
	good = start != SIZE_MAX && rstar_sandbox_write_u32(&frame, (uint32_t) index) &&
		   rstar_sandbox_write_u32(&frame, rstar_broker.replay ? RSTAR_SANDBOX_FORCE_REPLAY : 0) &&
		   rstar_sandbox_write_u8(&frame, rstar_broker.namespaces) &&
		   rstar_sandbox_write_string(&frame, rstar_broker.config.modules.data,
									  rstar_broker.config.modules.length);
	good = rstar_sandbox_frame_end(&frame, start, good) &&
		   rstar_channel_write(f->channel, frame.data, frame.length);
	rstar_buffer_free(&frame);
	f->ordered = good;
	return good;
}

static void
template_ready(family *f, int index, rstar_reader *payload)
{
	if (!rstar_sandbox_decode_ready(payload, &f->ready) ||
		f->ready.template_index != (uint32_t) index)
		rstar_broker_fatal(RSTAR_SANDBOX_FATAL_INTERNAL, 0, "the template broke the protocol", "");
	snprintf(f->python, sizeof(f->python), "%.*s", (int) f->ready.python.length,
			 f->ready.python.data);
	f->ready.python.data = f->python;
	f->ready.python.length = strlen(f->python);
	f->ready.features |= rstar_broker.features;
	/* A shared template is measured when it parks: most of its memory is all sessions'. */
	if (!rstar_broker.shared)
		rstar_nodes_set_bytes(f->root, f->ready.bytes, 0);
	if (rstar_broker.replay)
		f->root->state = NODE_PARKED;
	rstar_broker_send_ready(&f->ready);
}

/* Replay: the child is there; it waits for its job. */
static void
spawned(int index, rstar_reader *payload)
{
	pending_fork *fork_ = &rstar_broker.fork;
	pid_t pid = (pid_t) rstar_sandbox_read_u32(payload);
	job *j = fork_->job;
	int channel = fork_->spawn_fd;

	if (!rstar_sandbox_reader_done(payload) || !j || channel < 0)
		rstar_broker_fatal(RSTAR_SANDBOX_FATAL_INTERNAL, 0, "the template broke the protocol", "");
	rstar_family_fork_done();
	if (pid <= 0 || pid == fork_->dead_pid)
	{
		close(channel);
		rstar_broker_send_failure(j->start.node, RSTAR_SANDBOX_KILLED,
								  pid <= 0 ? 0 : fork_->dead_status & 0x7f, "Killed",
								  "the step's process did not start");
		rstar_broker_job_free(j);
	}
	else
		rstar_broker_adopt(j, pid, index, channel);
	fork_->dead_pid = 0;
}

static void
template_frame(family *f, int index, uint8_t type, rstar_reader *payload)
{
	rstar_frame_fatal fatal;
	char message[1024];

	if (type == RSTAR_FRAME_READY)
		template_ready(f, index, payload);
	else if (type == RSTAR_FRAME_SPAWNED)
		spawned(index, payload);
	else if (type == RSTAR_FRAME_FATAL && rstar_sandbox_decode_fatal(payload, &fatal))
	{
		snprintf(message, sizeof(message), "%.*s", (int) fatal.message.length, fatal.message.data);
		rstar_broker_fatal(fatal.kind, 0, message, "");
	}
	else
		rstar_broker_fatal(RSTAR_SANDBOX_FATAL_INTERNAL, 0, "the template broke the protocol", "");
}

/*
 * A read may end anywhere in a frame, so bytes collect in `in` and only whole frames are
 * taken. A descriptor comes with the bytes that it was sent with: the first is the listener, a
 * second would be a trick and is closed.
 */
void
rstar_family_read(int index)
{
	family *f = &rstar_broker.families[index];
	char bytes[4096];
	int passed;
	ssize_t n = rstar_channel_receive_fd(f->channel, bytes, sizeof(bytes), &passed);
	rstar_reader payload;
	uint8_t type;
	long size;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
	{
		/* Its end is closed when it first forks a node; its death comes as SIGCHLD. */
		close(f->channel);
		f->channel = -1;
		return;
	}
	if (passed >= 0)
	{
		if (f->listener >= 0)
			close(passed);
		else
			f->listener = passed;
	}
	if (!rstar_buffer_append(&f->in, bytes, (size_t) n))
		rstar_broker_fatal(RSTAR_SANDBOX_FATAL_INTERNAL, 0, "out of memory", "");
	while ((size = rstar_sandbox_frame_peek(f->in.data, f->in.length, 65536, &type, &payload)) > 0)
	{
		template_frame(f, index, type, &payload);
		memmove(f->in.data, f->in.data + size, f->in.length - (size_t) size);
		f->in.length -= (size_t) size;
	}
	if (size < 0)
		rstar_broker_fatal(RSTAR_SANDBOX_FATAL_INTERNAL, 0, "the template broke the protocol", "");
}

/* --- forking ----------------------------------------------------------------------- */

static bool
answer(int listener, uint64_t id, int error, bool let_through)
{
	struct seccomp_notif_resp response = {
		.id = id, .error = -error, .flags = let_through ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0};

	return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0;
}

static bool
order_spawn(family *f)
{
	static const char command[RSTAR_FRAME_HEADER] = {0, 0, 0, 0, RSTAR_FRAME_SPAWN};
	int pair[2];

	if (f->channel < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return false;
	if (!rstar_channel_send_fd(f->channel, command, sizeof(command), pair[1]))
	{
		close(pair[0]);
		close(pair[1]);
		return false;
	}
	close(pair[1]);
	rstar_broker.fork.spawn_fd = pair[0];
	return true;
}

bool
rstar_family_fork(node *base, job *j)
{
	family *f = &rstar_broker.families[base->family];
	pending_fork *fork_ = &rstar_broker.fork;

	if (rstar_broker.replay ? !order_spawn(f) : !answer(f->listener, base->park_id, 0, true))
		return false;
	if (!rstar_broker.replay)
	{
		rstar_jobs_forking(base);
		base->deadline_ns = rstar_clock_ns() + HELLO_NS;
	}
	fork_->job = j;
	fork_->base = base->id;
	fork_->origin = rstar_nodes_hold(base);
	fork_->blameless = false;
	fork_->family = base->family;
	fork_->deadline_ns = rstar_clock_ns() + HELLO_NS;
	rstar_broker.counters.forks++;
	return true;
}

void
rstar_family_fork_done(void)
{
	rstar_broker.fork.job = NULL;
	rstar_broker.fork.spawn_fd = -1;
}

/* Give the child its channel as descriptor 3, and its answer, which is 3. */
static bool
inject(int listener, uint64_t id, int fd)
{
	static bool separate = false;
	struct seccomp_notif_addfd add = {.id = id,
									  .flags = SECCOMP_ADDFD_FLAG_SETFD,
									  .srcfd = (uint32_t) fd,
									  .newfd = RSTAR_CHANNEL_FD};
	struct seccomp_notif_resp response = {.id = id, .val = RSTAR_CHANNEL_FD};

	if (!separate)
	{
		add.flags |= SECCOMP_ADDFD_FLAG_SEND;
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) >= 0)
			return true;
		if (errno != EINVAL)
			return false;
		separate = true; /* before Linux 5.14: in two calls */
		add.flags = SECCOMP_ADDFD_FLAG_SETFD;
	}
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) >= 0 &&
		   ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0;
}

/* The child of the fork in flight says hello. */
static void
hello(int index, const struct seccomp_notif *call)
{
	family *f = &rstar_broker.families[index];
	job *j = rstar_broker.fork.job;
	pid_t pid = (pid_t) call->pid;
	int pair[2];

	rstar_family_fork_done();
	if (j->cancelled || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
	{
		node *n = rstar_nodes_add(j->start.node, pid, index);

		if (n)
		{
			n->origin = rstar_broker.fork.origin;
			rstar_broker.fork.origin = NULL;
			rstar_broker_kill(n);
		}
		else
			(void) kill(pid, SIGKILL);
		if (!j->cancelled)
			rstar_broker_send_failure(j->start.node, RSTAR_SANDBOX_KILLED, 0, "Killed",
									  "the step's process did not start");
		rstar_broker_job_free(j);
		return;
	}
	/* The job and the limits are in place before the child moves. */
	rstar_broker_adopt(j, pid, index, pair[0]);
	if (!inject(f->listener, call->id, pair[1]))
		(void) kill(pid, SIGKILL);
	close(pair[1]);
}

/*
 * Whoever calls waits in the kernel until it is answered, which is what parks a state. getsid
 * is a new child's hello, clone a state that parks. A call out of turn is code that forges it,
 * and its process is killed.
 */
void
rstar_family_notified(int index)
{
	family *f = &rstar_broker.families[index];
	struct
	{
		struct seccomp_notif call;
		char room[64]; /* a newer kernel's may be larger */
	} buffer = {0};
	const struct seccomp_notif *call = &buffer.call;
	node *n;

	if (ioctl(f->listener, SECCOMP_IOCTL_NOTIF_RECV, &buffer) != 0)
		return; /* it died meanwhile */
	n = rstar_nodes_by_pid((pid_t) call->pid);
	if (call->data.nr == SYS_getsid)
	{
		if (n)
			/* Once is enough; a step that asks gets an error. */
			(void) answer(f->listener, call->id, EPERM, false);
		else if (rstar_broker.fork.job && rstar_broker.fork.family == index)
			hello(index, call);
		else
			(void) kill((pid_t) call->pid, SIGKILL);
		return;
	}
	/* Its report may have come after the wait that woke us; all of it is there before the call. */
	if (n && n->family == index)
		rstar_reports_finish(n);
	if (n && n->family == index &&
		(n->state == NODE_LOADING || n->state == NODE_FINISHED || n->state == NODE_FORKING))
	{
		n->park_id = call->id;
		rstar_broker_parked(n);
	}
	else
		/* A clone out of turn; a running step's death is reported as such. */
		(void) kill((pid_t) call->pid, SIGKILL);
}
