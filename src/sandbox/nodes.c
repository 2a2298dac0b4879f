/*
 * nodes.c
 *	  The table of nodes: by id for the client, by pid for the kernel.
 *
 * Memory is an estimate from the kernel's own figures, never from what a node
 * says: a page that a node does not share with its parent has been faulted in,
 * so min(minor faults x page, resident) bounds what it added, and its page
 * tables and kernel stack come on top. Where /proc cannot be read a node counts
 * as all that its limit allows.
 */
#include "sandbox/broker.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUCKETS 4096
#define FIXED   (64u << 10) /* task, stack, small change */

static node *by_id[BUCKETS];
static node *by_pid[BUCKETS];
static uint64_t tick;

static unsigned
bucket_of(uint64_t key)
{
	return (unsigned) ((key * 0x9e3779b97f4a7c15ull) >> 52);
}

node *
rstar_nodes_add(uint64_t id, pid_t pid, int family_index)
{
	node *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->id = id;
	n->pid = pid;
	n->family = family_index;
	n->channel = -1;
	n->used = ++tick;
	rstar_buffer_init(&n->in, &rstar_allocator_malloc);
	rstar_buffer_init(&n->out, &rstar_allocator_malloc);
	n->next_by_id = by_id[bucket_of(id)];
	by_id[bucket_of(id)] = n;
	n->next_by_pid = by_pid[bucket_of((uint64_t) pid)];
	by_pid[bucket_of((uint64_t) pid)] = n;
	return n;
}

node *
rstar_nodes_by_id(uint64_t id)
{
	node *n = by_id[bucket_of(id)];

	while (n && n->id != id)
		n = n->next_by_id;
	return n;
}

node *
rstar_nodes_by_pid(pid_t pid)
{
	node *n = by_pid[bucket_of((uint64_t) pid)];

	while (n && n->pid != pid)
		n = n->next_by_pid;
	return n;
}

void
rstar_nodes_forget_id(node *n)
{
	node **link = &by_id[bucket_of(n->id)];

	while (*link && *link != n)
		link = &(*link)->next_by_id;
	if (*link)
		*link = n->next_by_id;
}

void
rstar_nodes_free(node *n)
{
	node **link = &by_pid[bucket_of((uint64_t) n->pid)];

	rstar_nodes_forget_id(n);
	while (*link && *link != n)
		link = &(*link)->next_by_pid;
	if (*link)
		*link = n->next_by_pid;
	rstar_nodes_set_bytes(n, 0);
	if (n->channel >= 0)
		close(n->channel);
	rstar_buffer_free(&n->in);
	rstar_buffer_free(&n->out);
	free(n);
}

void
rstar_nodes_set_bytes(node *n, uint64_t bytes)
{
	rstar_sandbox_counters *counters = &rstar_broker.counters;

	n->used = ++tick;
	counters->bytes += bytes - n->bytes;
	n->bytes = bytes;
	if (counters->bytes > counters->peak)
		counters->peak = counters->bytes;
}

/* Fields of /proc/PID/stat, counted from the one behind the name. */
static bool
read_stat(pid_t pid, uint64_t *minor_faults, uint64_t *resident)
{
	char path[32], text[1024], *at;
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "%d/stat", (int) pid);
	fd = openat(rstar_broker.proc_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (length <= 0)
		return false;
	text[length] = '\0';
	at = strrchr(text, ')');
	for (int field = 0; at && field <= 21; field++)
	{
		at = strchr(at + 1, ' ');
		if (at && field == 7)
			*minor_faults = strtoull(at + 1, NULL, 10);
		if (at && field == 21)
			*resident = strtoull(at + 1, NULL, 10);
	}
	return at != NULL;
}

uint64_t
rstar_nodes_measure(const node *n)
{
	const rstar_frame_ready *ready = &rstar_broker.families[n->family].ready;
	uint64_t page = 4096, faults, resident;

	if (rstar_broker.proc_fd < 0 || !read_stat(n->pid, &faults, &resident))
		return n->bytes;
	if (faults < resident)
		resident = faults;
	return resident * page + FIXED + ready->bytes / 512;
}

node *
rstar_nodes_victim(void)
{
	node *victim = NULL;

	for (unsigned i = 0; i < BUCKETS; i++)
		for (node *n = by_id[i]; n; n = n->next_by_id)
			if (n->state == NODE_PARKED && n->id >= RSTAR_SANDBOX_TEMPLATES && n->children == 0 &&
				(!victim || n->value < victim->value ||
				 (!(n->value > victim->value) && n->used < victim->used)))
				victim = n;
	return victim;
}

uint64_t
rstar_nodes_count_parked(void)
{
	uint64_t count = 0;

	for (unsigned i = 0; i < BUCKETS; i++)
		for (node *n = by_id[i]; n; n = n->next_by_id)
			count += n->id >= RSTAR_SANDBOX_TEMPLATES &&
					 (n->state == NODE_PARKED || n->state == NODE_FORKING);
	return count;
}

void
rstar_nodes_kill_all(void)
{
	for (unsigned i = 0; i < BUCKETS; i++)
		for (node *n = by_pid[i]; n; n = n->next_by_pid)
			(void) kill(n->pid, SIGKILL);
}
