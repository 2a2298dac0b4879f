/*
 * jobs.c
 *	  The queue of jobs and how a job becomes a running node.
 *
 * A job waits until its base is parked, a place is free and the memory budget
 * has room for its limit; snapshots are evicted to make that room. A process is
 * limited before it gets the first byte of its job.
 */
#include "sandbox/broker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- nodes' ends ------------------------------------------------------------------------ */

void
rstar_jobs_stop_running(node *n)
{
	for (unsigned i = 0; i < rstar_broker.n_running; i++)
		if (rstar_broker.running[i] == n)
		{
			rstar_broker.running[i] = rstar_broker.running[--rstar_broker.n_running];
			break;
		}
	if (n->channel >= 0)
		close(n->channel);
	n->channel = -1;
}

void
rstar_jobs_forking(node *n)
{
	n->state = NODE_FORKING;
	/* Each has had a child since it last parked: they cannot be more than run. */
	if (rstar_broker.n_forking < MAX_RUNNING)
		rstar_broker.forking[rstar_broker.n_forking++] = n;
	else
		rstar_broker_fatal(RSTAR_SANDBOX_FATAL_RESTART, n->id, "too many nodes do not park", "");
}

void
rstar_jobs_forked(node *n)
{
	for (unsigned i = 0; i < rstar_broker.n_forking; i++)
		if (rstar_broker.forking[i] == n)
		{
			rstar_broker.forking[i] = rstar_broker.forking[--rstar_broker.n_forking];
			return;
		}
}

/* Kill it; it stays in the table by pid until it is reaped. */
void
rstar_broker_kill(node *n)
{
	if (n->state == NODE_DEAD)
		return;
	rstar_jobs_stop_running(n);
	rstar_jobs_forked(n);
	(void) kill(n->pid, SIGKILL);
	n->state = NODE_DEAD;
	rstar_nodes_forget_id(n);
	n->freeing = rstar_nodes_freeing(n);
	rstar_broker.dying += n->freeing;
	rstar_broker.n_dying++;
}

void
rstar_broker_lose(node *n)
{
	rstar_broker_send_node(RSTAR_FRAME_EVICTED, n->id);
	rstar_broker_kill(n);
}

void
rstar_jobs_stop(node *n, rstar_sandbox_status status, int sig, const char *error,
				const char *message)
{
	rstar_broker_send_stop(n, n->id, status, sig, error, message);
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

void
rstar_jobs_send(node *n)
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
void
rstar_jobs_start_clocks(node *n)
{
	n->started_ns = rstar_clock_ns();
	n->cpu_started_ns = rstar_broker_cpu(n->pid);
	n->deadline_ns = n->started_ns + n->wall_ns;
	n->cpu_check_ns = n->started_ns + n->cpu_limit_ns;
}

/* A fresh process takes a job: limits first, then the bytes. Takes the job. */
void
rstar_broker_adopt(job *j, pid_t pid, int family_index, int channel)
{
	const rstar_frame_start *start = &j->start;
	uint64_t space = rstar_broker.families[family_index].ready.space + start->memory;
	struct rlimit limit = {.rlim_cur = space, .rlim_max = RLIM_INFINITY};
	node *n = rstar_nodes_add(start->node, pid, family_index);

	rstar_broker_check_memory(n != NULL);
	n->state = NODE_RUNNING;
	n->channel = channel;
	n->flags = start->flags;
	n->output = start->output;
	n->value = start->value;
	n->pieces_left = start->n_pieces - 1;
	n->wall_ns = start->wall_ms * MILLISECOND;
	n->cpu_limit_ns = start->cpu_ms * MILLISECOND;
	rstar_nodes_set_bytes(n, start->memory + rstar_broker.families[family_index].ready.bytes, 0);
	n->origin = rstar_broker.fork.origin;
	rstar_broker.fork.origin = NULL;
	rstar_broker.running[rstar_broker.n_running++] = n;
	rstar_broker.counters.steps++;
	rstar_broker_check_memory(encode_job(&n->out, start));
	if (prlimit(pid, RLIMIT_AS, &limit, NULL) != 0)
		rstar_jobs_stop(n, RSTAR_SANDBOX_KILLED, 0, "Killed", "its memory could not be limited");
	else
		rstar_jobs_send(n);
	rstar_jobs_start_clocks(n);
	rstar_broker_job_free(j);
}

void
rstar_jobs_unqueue(job *previous, job *j)
{
	node *base = rstar_nodes_by_id(j->start.base);

	if (base && base->children > 0)
		base->children--;
	if (previous)
		previous->next = j->next;
	else
		rstar_broker.first = j->next;
	if (rstar_broker.last == j)
		rstar_broker.last = previous;
}

static bool
has_room(uint64_t need, bool without_dying)
{
	uint64_t bytes = rstar_broker.counters.bytes - (without_dying ? rstar_broker.dying : 0);
	unsigned n = rstar_broker.n_processes - (without_dying ? rstar_broker.n_dying : 0);

	return bytes + need <= rstar_broker.config.budget && n < rstar_broker.config.processes;
}

/*
 * Is there room for one more process and its limit on top of everything? Evict
 * while there is not; with nothing left to evict a job may run alone, whatever
 * it takes.
 */
static bool
make_room(uint64_t need)
{
	while (!has_room(need, true))
	{
		node *victim = rstar_nodes_victim();

		/* With heirs that run it gives a process back, but no memory. */
		if (!victim ||
			(victim->heirs > 0 && rstar_broker.n_processes < rstar_broker.config.processes))
			return rstar_broker.n_running == 0 && rstar_broker.dying == 0;
		rstar_broker.counters.evictions++;
		rstar_broker_lose(victim);
	}
	/* If not, then what is dying will make the room. */
	return has_room(need, false);
}

/* Start the job behind `previous` if it can start now; false: it waits. */
static bool
try_start(job *previous, job *j)
{
	node *base = rstar_nodes_by_id(j->start.base);
	family *f;

	if (!base)
	{
		rstar_jobs_unqueue(previous, j);
		rstar_broker_send_gone(j->start.node, j->start.base);
		rstar_broker_job_free(j);
		return true;
	}
	f = &rstar_broker.families[base->family];
	if (base->state == NODE_LOADING)
	{
		if (!rstar_family_order(base->family))
			rstar_broker_fatal(RSTAR_SANDBOX_FATAL_LOAD, 0, "a template did not start", "");
		return false;
	}
	if (base->state != NODE_PARKED || rstar_broker.fork.job ||
		rstar_broker.n_running >= rstar_broker.config.running ||
		!make_room(j->start.memory + f->ready.bytes))
		return false;
	rstar_jobs_unqueue(previous, j);
	rstar_nodes_touch(base);
	if (!rstar_family_fork(base, j))
	{
		if (base->id < RSTAR_SANDBOX_TEMPLATES)
			rstar_broker_fatal(RSTAR_SANDBOX_FATAL_RESTART, 0, "a template died", "");
		rstar_broker_send_gone(j->start.node, j->start.base);
		rstar_broker_lose(base);
		rstar_broker_job_free(j);
	}
	return true;
}

void
rstar_jobs_start(void)
{
	job *previous = NULL, *next;

	for (job *j = rstar_broker.first; j && !rstar_broker.fork.job; j = next)
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
		rstar_jobs_stop_running(n);
	else
		rstar_jobs_forked(n);
	n->state = NODE_PARKED;
	/* What it holds now is what its children will share. */
	if (n->id >= RSTAR_SANDBOX_TEMPLATES || rstar_broker.shared)
		rstar_nodes_measure(n);
	if (finished)
	{
		rstar_nodes_touch(n);
		rstar_broker_send_result(n, n->id, &n->report, 0, rstar_broker_cpu(n->pid));
		rstar_buffer_free(&n->in);
	}
	if (n->doomed)
		rstar_broker_kill(n);
	else if (rstar_broker.config.budget < rstar_broker.counters.bytes)
		(void) make_room(0);
}
