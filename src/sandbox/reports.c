/*
 * reports.c
 *	  What becomes of running nodes: their reports, their deaths, their deadlines.
 *
 * A report is hostile: its frames are bounded and checked, there are no more of
 * them than the job has pieces, and they say something about this node only.
 * Deadlines are kept here, with SIGKILL: nothing inside a node takes part in
 * stopping it.
 */
#include "sandbox/broker.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- what nodes say ---------------------------------------------------------------------------- */

static void
piece_done(node *n)
{
	if (n->pieces_left == 0)
	{
		rstar_jobs_stop(n, RSTAR_SANDBOX_KILLED, 0, "Killed",
						"the step's process broke the protocol");
		return;
	}
	n->pieces_left--;
	rstar_jobs_start_clocks(n);
}

/*
 * Only a state that may be used again is kept, and only what a node can know is believed: the
 * flags that are the broker's to set are masked out of what it sent.
 */
static void
result_came(node *n, rstar_sandbox_node_result *result)
{
	int64_t cpu = rstar_broker_cpu(n->pid);
	bool keep = result->status == RSTAR_SANDBOX_OK && n->pieces_left == 0 && !rstar_broker.replay &&
				!(n->flags & RSTAR_SANDBOX_NO_SNAPSHOT);

	/* A failed step's state is the client's to rebuild from its parent's. */
	result->flags &= RSTAR_SANDBOX_HAS_VALUE | RSTAR_SANDBOX_OUTPUT_CUT | RSTAR_SANDBOX_VALUE_CUT |
					 RSTAR_SANDBOX_WANTS_SYMPY;
	if (n->pieces_left > 0)
	{
		/* An ancestor's code did not do again what it did before. */
		rstar_jobs_stop(n, RSTAR_SANDBOX_KILLED, 0, "StateLost",
						"the state before the step was not rebuilt");
		return;
	}
	if (!keep)
	{
		rstar_broker_send_result(n, n->id, result, 0, cpu);
		rstar_broker_kill(n);
		return;
	}
	/*
	 * The step is over when its state is parked: until then its code may still run,
	 * in a finaliser, and take time and memory. Its limits stay in force.
	 */
	n->report = *result;
	n->state = NODE_FINISHED;
	close(n->channel);
	n->channel = -1;
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
		rstar_sandbox_node_result result;

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
		rstar_jobs_stop(n, RSTAR_SANDBOX_KILLED, 0, "Killed",
						"the step's process broke the protocol");
		return;
	}
	if (used > 0)
	{
		memmove(n->in.data, n->in.data + used, n->in.length - used);
		n->in.length -= used;
	}
}

/* Read what a running node wrote; false when it has closed its end. */
bool
rstar_reports_read(node *n)
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
		rstar_broker_check_memory(rstar_buffer_append(&n->in, bytes, (size_t) got));
		node_frames(n);
		if ((size_t) got < sizeof(bytes))
			break;
	}
	return true;
}

/* Read all that a running node has written: it waits for us, or it is dead, and writes no more. */
void
rstar_reports_finish(node *n)
{
	while (n->state == NODE_RUNNING && n->channel >= 0 && rstar_reports_read(n) && n->channel >= 0)
	{
		struct pollfd p = {.fd = n->channel, .events = POLLIN};

		if (poll(&p, 1, 0) <= 0 || !(p.revents & POLLIN))
			break;
	}
}

/*
 * The base of the fork in flight died. Its child may be there or not; if it
 * does not report soon, nobody can tell it from a later one. A step cannot kill
 * its own process with SIGKILL: then the base is not to blame.
 */
static void
base_died(int sig)
{
	int64_t soon = rstar_clock_ns() + 200 * MILLISECOND;

	if (soon < rstar_broker.fork.deadline_ns)
		rstar_broker.fork.deadline_ns = soon;
	rstar_broker.fork.blameless = sig == SIGKILL;
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

/*
 * Any child: the one being forked, a template or a node. What a node sent before its death is
 * read first, as SIGCHLD may overtake it, and a result that is complete counts. Then those
 * that wait for it are told, and the counts of processes and memory go down last, once it is
 * truly gone.
 */
static void
child_died(pid_t pid, int status)
{
	node *n = rstar_nodes_by_pid(pid);
	int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	job *j = rstar_broker.fork.job;

	if (!n)
	{
		if (!j)
			return;
		if (rstar_broker.replay)
		{
			rstar_broker.fork.dead_pid = pid; /* the template is about to tell this pid */
			rstar_broker.fork.dead_status = status;
			return;
		}
		/* The child in flight, before its hello. */
		rstar_family_fork_done();
		rstar_nodes_release(rstar_broker.fork.origin);
		rstar_broker.fork.origin = NULL;
		if (!j->cancelled)
			rstar_broker_send_failure(j->start.node, RSTAR_SANDBOX_KILLED, sig, "Killed",
									  "the step's process did not start");
		rstar_broker_job_free(j);
		return;
	}
	if (n->id < RSTAR_SANDBOX_TEMPLATES)
	{
		/* Its last words, if any, are a FATAL that says more. */
		if (rstar_broker.families[n->id].channel >= 0)
			rstar_family_read((int) n->id);
		rstar_broker_fatal(RSTAR_SANDBOX_FATAL_RESTART, 0, "a template died", "");
	}
	rstar_reports_finish(n);
	if (n->state == NODE_FORKING && j && rstar_broker.fork.base == n->id)
		base_died(sig);
	if (n->state == NODE_RUNNING || n->state == NODE_FINISHED)
		rstar_jobs_stop(n, RSTAR_SANDBOX_KILLED, sig, "Killed", death_text(sig));
	else if (n->state != NODE_DEAD)
		rstar_broker_lose(n);
	rstar_broker.dying -= n->freeing;
	rstar_broker.n_dying--;
	rstar_broker.n_processes--;
	rstar_nodes_reaped(n);
}

void
rstar_reports_reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0)
		child_died(pid, status);
}

/* --- deadlines -------------------------------------------------------------------------------------- */

static void
check_node(node *n, int64_t now)
{
	char text[96];

	if (now >= n->deadline_ns)
	{
		/* A report that is already here came in time; without parking it is none. */
		if (n->state == NODE_FINISHED || (rstar_reports_read(n) && n->state == NODE_RUNNING))
		{
			snprintf(text, sizeof(text), "stopped after %lld ms",
					 (long long) (n->wall_ns / MILLISECOND));
			rstar_jobs_stop(n, RSTAR_SANDBOX_TIMEOUT, 0, "Timeout", text);
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
			rstar_jobs_stop(n, RSTAR_SANDBOX_TIMEOUT, 0, "Timeout", text);
		}
		else
			n->cpu_check_ns = now + n->cpu_limit_ns - used;
	}
}

static void
check_fork(int64_t now)
{
	if (!rstar_broker.fork.job)
		return;
	if (now >= rstar_broker.fork.deadline_ns)
		rstar_broker_fatal(RSTAR_SANDBOX_FATAL_RESTART,
						   rstar_broker.fork.blameless ? 0 : rstar_broker.fork.base,
						   "a forked process did not report", "");
}

/* Bases that do not park again. */
static void
check_forking(int64_t now)
{
	for (unsigned i = rstar_broker.n_forking; i-- > 0;)
	{
		node *base = rstar_broker.forking[i];

		if (now < base->deadline_ns)
			continue;
		if (base->id < RSTAR_SANDBOX_TEMPLATES)
			rstar_broker_fatal(RSTAR_SANDBOX_FATAL_RESTART, 0, "a template does not park", "");
		rstar_broker_lose(base);
	}
}

int64_t
rstar_reports_check_deadlines(void)
{
	int64_t now = rstar_clock_ns(), next = now + 1000 * MILLISECOND;

	for (unsigned i = rstar_broker.n_running; i-- > 0;)
		if (i < rstar_broker.n_running)
			check_node(rstar_broker.running[i], now);
	check_fork(now);
	check_forking(now);
	if (rstar_broker.config.idle_ms && !rstar_broker.first && !rstar_broker.fork.job &&
		rstar_broker.n_running == 0 &&
		now - rstar_broker.idle_since_ns > (int64_t) rstar_broker.config.idle_ms * MILLISECOND)
		rstar_broker_end();
	for (unsigned i = 0; i < rstar_broker.n_running; i++)
	{
		const node *n = rstar_broker.running[i];

		if (n->deadline_ns < next)
			next = n->deadline_ns;
		if (n->cpu_check_ns < next)
			next = n->cpu_check_ns;
	}
	for (unsigned i = 0; i < rstar_broker.n_forking; i++)
		if (rstar_broker.forking[i]->deadline_ns < next)
			next = rstar_broker.forking[i]->deadline_ns;
	if (rstar_broker.fork.job && rstar_broker.fork.deadline_ns < next)
		next = rstar_broker.fork.deadline_ns;
	return next > now ? next - now : 0;
}
