/*
 * nodes.c
 *	  The table of nodes: by id for the client, by pid for the kernel.
 *
 * Memory is taken from the kernel's own figures while a node is blocked, never
 * from what it says: a page that a node does not share with what it was forked
 * from has been faulted in by it, so min(minor faults x page, anonymous memory)
 * bounds what it added. Its page tables and what the kernel keeps for a process
 * come on top. Where /proc cannot be read a node counts as all that its limit
 * allows.
 *
 * What a node added stays in memory after its death as long as nodes forked from
 * it are there. It then stays on the books as a ghost, and goes with the last of
 * its heirs: every page is charged once, and until nobody holds it any more.
 */
#include "sandbox/broker.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUCKETS 4096

/*
 * What a process costs beyond its faults and page tables: the task, its stack, its
 * mappings, pages that fork itself copies. 600 parked nodes took 125 to 135 kB each.
 */
#define KERNEL_BYTES (140u << 10)

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
	rstar_broker.n_processes += id >= RSTAR_SANDBOX_TEMPLATES;
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

static void
forget_pid(node *n)
{
	node **link = &by_pid[bucket_of((uint64_t) n->pid)];

	while (*link && *link != n)
		link = &(*link)->next_by_pid;
	if (*link)
		*link = n->next_by_pid;
}

void
rstar_nodes_set_bytes(node *n, uint64_t pages, uint64_t tables)
{
	rstar_sandbox_counters *counters = &rstar_broker.counters;

	counters->bytes += pages + tables - n->pages - n->tables;
	n->pages = pages;
	n->tables = tables;
	if (counters->bytes > counters->peak)
		counters->peak = counters->bytes;
}

void
rstar_nodes_touch(node *n)
{
	n->used = ++tick;
}

node *
rstar_nodes_hold(node *origin)
{
	if (origin->id < RSTAR_SANDBOX_TEMPLATES)
		return NULL;
	origin->heirs++;
	return origin;
}

/* Ghosts end with their last heir, and so on upwards. */
void
rstar_nodes_release(node *origin)
{
	while (origin && --origin->heirs == 0 && origin->state == NODE_GHOST)
	{
		node *ghost = origin;

		origin = ghost->origin;
		rstar_nodes_set_bytes(ghost, 0, 0);
		free(ghost);
	}
}

uint64_t
rstar_nodes_freeing(const node *n)
{
	uint64_t bytes = n->tables;

	/* Each ghost on the way up whose only heir this is goes as well. */
	for (const node *at = n; at && at->heirs == (at == n ? 0u : 1u); at = at->origin)
		if (at == n || at->state == NODE_GHOST)
			bytes += at->pages;
		else
			break;
	return bytes;
}

void
rstar_nodes_reaped(node *n)
{
	forget_pid(n);
	rstar_nodes_forget_id(n);
	if (n->channel >= 0)
		close(n->channel);
	rstar_buffer_free(&n->in);
	rstar_buffer_free(&n->out);
	rstar_nodes_set_bytes(n, n->heirs > 0 ? n->pages : 0, 0);
	n->state = NODE_GHOST;
	if (n->heirs > 0)
		return;
	rstar_nodes_release(n->origin);
	free(n);
}

/* Read a file of /proc/PID into `text`, NUL-terminated. */
static bool
read_proc(pid_t pid, const char *name, char *text, size_t size)
{
	char path[32];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "%d/%s", (int) pid, name);
	fd = openat(rstar_broker.proc_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	length = read(fd, text, size - 1);
	close(fd);
	if (length <= 0)
		return false;
	text[length] = '\0';
	return true;
}

/* The field of /proc/PID/stat with minor faults is the eighth behind the name. */
static bool
read_faults(pid_t pid, uint64_t *faults)
{
	char text[1024], *at;

	if (!read_proc(pid, "stat", text, sizeof(text)))
		return false;
	at = strrchr(text, ')');
	for (int field = 0; at && field <= 7; field++)
		at = strchr(at + 1, ' ');
	if (at)
		*faults = strtoull(at + 1, NULL, 10);
	return at != NULL;
}

/* A line of /proc/PID/status in kilobytes, as bytes; 0 where it is missing. */
static uint64_t
status_line(const char *status, const char *name)
{
	const char *line = strstr(status, name);

	return line ? strtoull(line + strlen(name), NULL, 10) << 10 : 0;
}

void
rstar_nodes_measure(node *n)
{
	char status[4096];
	uint64_t faults, anonymous;

	if (rstar_broker.proc_fd < 0 || !read_faults(n->pid, &faults) ||
		!read_proc(n->pid, "status", status, sizeof(status)))
		return;
	anonymous = status_line(status, "\nRssAnon:") + status_line(status, "\nVmSwap:");
	if (faults * 4096 < anonymous)
		anonymous = faults * 4096;
	rstar_nodes_set_bytes(n, anonymous, status_line(status, "\nVmPTE:") + KERNEL_BYTES);
}

/* The death of a node whose heirs live gives next to nothing back. */
static bool
is_better_victim(const node *n, const node *than)
{
	if ((n->heirs == 0) != (than->heirs == 0))
		return n->heirs == 0;
	if (n->value < than->value || n->value > than->value)
		return n->value < than->value;
	return n->used < than->used;
}

node *
rstar_nodes_victim(void)
{
	node *victim = NULL;

	for (unsigned i = 0; i < BUCKETS; i++)
		for (node *n = by_id[i]; n; n = n->next_by_id)
			if (n->state == NODE_PARKED && n->id >= RSTAR_SANDBOX_TEMPLATES && n->children == 0 &&
				(!victim || is_better_victim(n, victim)))
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
