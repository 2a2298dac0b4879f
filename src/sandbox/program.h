/*
 * program.h
 *	  The parts of rstar-sandbox and how they fit together.
 *
 *		backend ──> supervisor ──> broker ──> template, template with SymPy
 *		                              └─────> nodes (children of the broker)
 *
 * supervisor	makes the namespaces, forks the broker, reaps what outlives it,
 *				so that no stranger's death ever reaches the postmaster.
 * broker		holds the channel to the client, starts templates and nodes,
 *				measures and limits them, and is the parent of all of them.
 * template		loads Python and its modules, confines itself, and from then on
 *				is node zero: it never runs anything but is forked from.
 * share, zygote	one warm template for all sessions of a server (share.c).
 * node			a fork of its parent's state; runs one job, reports, parks.
 *
 * A process parks by calling clone(CLONE_PARENT | SIGCHLD), which its filter
 * hands to the broker; the broker lets the call through when it wants a child.
 * The child's first act is getsid(), handed over too, which tells its pid; the
 * answer puts its channel into descriptor 3. Where notification is missing the
 * template forks on command instead and nodes do not park ("replay").
 */
#ifndef RSTAR_SANDBOX_PROGRAM_H
#define RSTAR_SANDBOX_PROGRAM_H

#include <linux/filter.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "core/sandbox/frame.h"

#define RSTAR_CHANNEL_FD 3 /* each process's channel to the one above it */
#define RSTAR_ROOT_FD    4 /* a session's broker: its channel to its root */

/* The one clone that a filter lets reach the broker. */
#define RSTAR_PARK_FLAGS (CLONE_PARENT | SIGCHLD)

/* --- main.c ----------------------------------------------------------------- */

extern int rstar_supervisor_main(bool namespaces);

/*
 * Keep descriptors 3 to `last`, which close on exec; 0 to 2 lead nowhere. Default
 * signals, no root. *executable: this program. false: something failed.
 */
extern bool rstar_program_clean(int last, int *executable);

/* --- share.c ----------------------------------------------------------------- */

/*
 * Started with a listening socket as descriptor 3 and, as 4, the reading end of
 * a pipe that closes when the server ends. Returns at once in the starter's child.
 */
extern int rstar_share_main(bool namespaces, char *idle_ms, char *modules);
extern int rstar_zygote_main(bool namespaces, const char *idle_ms, const char *modules);

/* --- broker.c: never returns ------------------------------------------------- */

/* root: of a session whose template is shared, else 0. */
extern void rstar_broker_main(bool namespaces, int executable_fd, pid_t root)
	__attribute__((noreturn));

/* --- template.c --------------------------------------------------------------- */

extern int rstar_template_main(void);

/* Load Python and the modules; says what it is. Ends the process when that fails. */
extern void rstar_template_load(rstar_string modules, uint32_t index, rstar_frame_ready *ready);

/* Wait for the order on the channel, confine this process, be forked from. */
extern void rstar_template_serve(rstar_frame_ready *ready) __attribute__((noreturn));

/* --- node.c ------------------------------------------------------------------- */

/* Prepare the harness; Python is loaded. false with a Python exception set. */
extern bool rstar_program_prepare(void);

/* Run small pieces of everything once, so that children need not. */
extern bool rstar_program_warm_up(bool sympy);

/* Read a job from the channel, run it, report. false: the channel is at its end. */
extern bool rstar_program_run_job(void);

/* Park, and run a job in each child; never returns. */
extern void rstar_program_serve(void) __attribute__((noreturn));

/* --- confine.c ---------------------------------------------------------------- */

/* Wait for the child of a probe, from fork(): did it end with status 0? */
extern bool rstar_confine_child_succeeds(pid_t child);

/* Can this process make the namespaces and an empty root? Tried in a child. */
extern bool rstar_confine_probe_namespaces(void);
extern bool rstar_confine_enter_namespaces(void);

/* Replace the root by an empty read-only file system (own mount namespace). */
extern bool rstar_confine_empty_root(void);

/* Give up every capability, for good. */
extern bool rstar_confine_drop_capabilities(void);

/* Keep the namespaces' capability over exec. */
extern bool rstar_confine_keep_capability(void);

/* Forbid new privileges, core dumps and tracing. */
extern bool rstar_confine_no_new_privileges(void);

/*
 * Landlock: nothing may be reached; with proc_fd >= 0 files under it may be
 * read. Returns the ABI in force, 0 where Landlock is missing.
 */
extern int rstar_confine_landlock(int proc_fd);

/* Be among the kernel's first choices when memory is out: 1000 is the very first. */
extern void rstar_confine_volunteer_for_oom(const char *score);

extern void rstar_confine_limit(int resource, rlim_t value);
extern void rstar_confine_close_from(int first);

/* --- filter.c ----------------------------------------------------------------- */

typedef enum rstar_filter_kind
{
	RSTAR_FILTER_NOTIFY,          /* hands the parking clone and getsid to a listener */
	RSTAR_FILTER_NODE,            /* what a node may call */
	RSTAR_FILTER_REPLAY_TEMPLATE, /* what a template may call that forks by itself */
	RSTAR_FILTER_BROKER,
	RSTAR_FILTER_SUPERVISOR,
	RSTAR_FILTER_SHARE
} rstar_filter_kind;

/*
 * Write a filter; its program belongs to the caller for good. `parks`: a node
 * that may call the parking clone. 0, or an errno.
 */
extern int rstar_filter_build(rstar_filter_kind kind, bool parks, int proc_fd,
							  struct sock_fprog *program);

/* Does notification work here to its full extent? Tried in a child. */
extern bool rstar_filter_probe_notify(void);

/* Install a program: a listener's descriptor or 0, else -errno. */
extern int rstar_filter_install(const struct sock_fprog *program, bool listen);

/* --- channel.c: blocking helpers ------------------------------------------------ */

extern bool rstar_channel_write(int fd, const void *data, size_t length);
extern bool rstar_channel_read(int fd, void *data, size_t length);
extern bool rstar_channel_send_fd(int fd, const void *data, size_t length, int passed_fd);

/* As read(), with at most one descriptor; *passed_fd is -1 when none came. */
extern ssize_t rstar_channel_receive_fd(int fd, void *data, size_t length, int *passed_fd);

/* Read one whole frame; *data is malloc'ed. false at end or on nonsense. */
extern bool rstar_channel_read_frame(int fd, uint8_t *type, char **data, size_t *length);

#endif
