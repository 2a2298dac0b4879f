/*
 * filter.c
 *	  The seccomp filters, written by libseccomp.
 *
 * A node carries two: the first hands two calls to the broker's listener, the
 * second is its allowlist. Where both match, the stricter action wins, so the
 * second may simply allow what the first hands over.
 *
 * Programs are exported and installed by hand rather than by seccomp_load():
 * a template that forks by itself installs the node's filter once per child
 * and should not write it anew each time, and the flags are ours to choose.
 */
#include "sandbox/program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_NEW_LISTENER
#define SECCOMP_FILTER_FLAG_NEW_LISTENER (1ul << 3)
#endif

/* Collects the first failure, so that a list of rules reads as a list. */
typedef struct rules
{
	scmp_filter_ctx ctx;
	int error;
} rules;

static void
rule(rules *r, uint32_t action, int call, unsigned n, const struct scmp_arg_cmp *args)
{
	int rc;

	if (r->error || call == __NR_SCMP_ERROR)
		return;
	rc = seccomp_rule_add_array(r->ctx, action, call, n, args);
	/* A call that this architecture lacks, or an action equal to the default. */
	if (rc != 0 && rc != -EACCES && rc != -EDOM)
		r->error = -rc;
}

static void
allow(rules *r, int call)
{
	rule(r, SCMP_ACT_ALLOW, call, 0, NULL);
}

static void
allow_if(rules *r, int call, struct scmp_arg_cmp one)
{
	rule(r, SCMP_ACT_ALLOW, call, 1, &one);
}

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Calls that take nothing from outside the process and give nothing to it. */
static const int harmless_calls[] = {
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(times),
	SCMP_SYS(getrusage),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getppid),
	SCMP_SYS(sched_yield),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(getsid),
};

/* File system calls answer EACCES, so that Python says PermissionError. */
static const int path_calls[] = {
	SCMP_SYS(open),       SCMP_SYS(openat),    SCMP_SYS(openat2),    SCMP_SYS(creat),
	SCMP_SYS(stat),       SCMP_SYS(lstat),     SCMP_SYS(newfstatat), SCMP_SYS(statx),
	SCMP_SYS(access),     SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink),
	SCMP_SYS(readlinkat), SCMP_SYS(getcwd),    SCMP_SYS(chdir),      SCMP_SYS(mkdir),
	SCMP_SYS(mkdirat),    SCMP_SYS(unlink),    SCMP_SYS(unlinkat),   SCMP_SYS(rename),
	SCMP_SYS(renameat),   SCMP_SYS(renameat2), SCMP_SYS(rmdir),      SCMP_SYS(execve),
	SCMP_SYS(execveat),
};

/* Anonymous private memory, never executable. */
static void
allow_memory(rules *r)
{
	struct scmp_arg_cmp map[] = {
		SCMP_A2_64(SCMP_CMP_MASKED_EQ, ~(scmp_datum_t) (PROT_READ | PROT_WRITE), 0),
		SCMP_A3_64(SCMP_CMP_MASKED_EQ, ~(scmp_datum_t) MAP_NORESERVE, MAP_PRIVATE | MAP_ANONYMOUS),
	};

	rule(r, SCMP_ACT_ALLOW, SCMP_SYS(mmap), LENGTH(map), map);
	allow_if(r, SCMP_SYS(mprotect),
			 SCMP_A2_64(SCMP_CMP_MASKED_EQ, ~(scmp_datum_t) (PROT_READ | PROT_WRITE), 0));
	allow_if(r, SCMP_SYS(mremap), SCMP_A3_64(SCMP_CMP_EQ, MREMAP_MAYMOVE));
	allow_if(r, SCMP_SYS(madvise), SCMP_A2_64(SCMP_CMP_EQ, MADV_DONTNEED));
}

/* Its own clocks; a negative number would be another process's. */
static void
allow_own_clocks(rules *r)
{
	allow_if(r, SCMP_SYS(clock_gettime), SCMP_A0_64(SCMP_CMP_LE, 11));
	allow_if(r, SCMP_SYS(clock_getres), SCMP_A0_64(SCMP_CMP_LE, 11));
}

static void
allow_death_signal(rules *r)
{
	struct scmp_arg_cmp args[] = {SCMP_A0_64(SCMP_CMP_EQ, PR_SET_PDEATHSIG),
								  SCMP_A1_64(SCMP_CMP_EQ, SIGKILL)};

	rule(r, SCMP_ACT_ALLOW, SCMP_SYS(prctl), LENGTH(args), args);
}

/*
 * Sleeping returns at once, waiting for a lock that nobody can release kills:
 * a node has one thread, so it would wait for ever.
 */
static void
never_wait(rules *r)
{
	static const unsigned wakes[] = {FUTEX_WAKE, FUTEX_WAKE_BITSET};
	static const unsigned waits[] = {FUTEX_WAIT, FUTEX_WAIT_BITSET, FUTEX_LOCK_PI, FUTEX_LOCK_PI2,
									 FUTEX_WAIT_REQUEUE_PI};

	rule(r, SCMP_ACT_ERRNO(0), SCMP_SYS(nanosleep), 0, NULL);
	rule(r, SCMP_ACT_ERRNO(0), SCMP_SYS(clock_nanosleep), 0, NULL);
	for (size_t i = 0; i < LENGTH(wakes); i++)
		allow_if(r, SCMP_SYS(futex),
				 SCMP_A1_64(SCMP_CMP_MASKED_EQ, FUTEX_CMD_MASK & 0xffffffffu, wakes[i]));
	for (size_t i = 0; i < LENGTH(waits); i++)
	{
		struct scmp_arg_cmp wait =
			SCMP_A1_64(SCMP_CMP_MASKED_EQ, FUTEX_CMD_MASK & 0xffffffffu, waits[i]);

		rule(r, SCMP_ACT_KILL_PROCESS, SCMP_SYS(futex), 1, &wait);
	}
}

static void
node_rules(rules *r, bool parks)
{
	for (size_t i = 0; i < LENGTH(harmless_calls); i++)
		allow(r, harmless_calls[i]);
	for (size_t i = 0; i < LENGTH(path_calls); i++)
		rule(r, SCMP_ACT_ERRNO(EACCES), path_calls[i], 0, NULL);
	allow_if(r, SCMP_SYS(read), SCMP_A0_64(SCMP_CMP_EQ, RSTAR_CHANNEL_FD));
	allow_if(r, SCMP_SYS(write), SCMP_A0_64(SCMP_CMP_EQ, RSTAR_CHANNEL_FD));
	allow_memory(r);
	allow_own_clocks(r);
	allow_death_signal(r);
	never_wait(r);
	if (parks)
		allow_if(r, SCMP_SYS(clone), SCMP_A0_64(SCMP_CMP_EQ, RSTAR_PARK_FLAGS));
	/* The C library falls back to clone. */
	rule(r, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, NULL);
}

static void
replay_template_rules(rules *r)
{
	static const int calls[] = {SCMP_SYS(read),           SCMP_SYS(write),    SCMP_SYS(recvmsg),
								SCMP_SYS(dup3),           SCMP_SYS(close),    SCMP_SYS(seccomp),
								SCMP_SYS(madvise),        SCMP_SYS(mprotect), SCMP_SYS(futex),
								SCMP_SYS(mremap),         SCMP_SYS(prctl),    SCMP_SYS(nanosleep),
								SCMP_SYS(clock_nanosleep)};

	for (size_t i = 0; i < LENGTH(harmless_calls); i++)
		allow(r, harmless_calls[i]);
	for (size_t i = 0; i < LENGTH(path_calls); i++)
		rule(r, SCMP_ACT_ERRNO(EACCES), path_calls[i], 0, NULL);
	for (size_t i = 0; i < LENGTH(calls); i++)
		allow(r, calls[i]);
	allow_memory(r);
	allow_own_clocks(r);
	allow_if(r, SCMP_SYS(clone), SCMP_A0_64(SCMP_CMP_EQ, RSTAR_PARK_FLAGS));
	rule(r, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0, NULL);
}

/*
 * Whoever breaks into the broker from a node's report gains what stands here: it can open
 * nothing, or for reading what lies below the one descriptor of /proc (Landlock holds the path
 * there), and it can start no program.
 */
static void
broker_rules(rules *r, int proc_fd)
{
	static const int calls[] = {
		SCMP_SYS(read),
		SCMP_SYS(write),
		SCMP_SYS(close),
		SCMP_SYS(sendmsg),
		SCMP_SYS(recvmsg),
		SCMP_SYS(sendto),
		SCMP_SYS(recvfrom),
		SCMP_SYS(ppoll),
		SCMP_SYS(poll),
		SCMP_SYS(kill),
		SCMP_SYS(wait4),
		SCMP_SYS(prlimit64),
		SCMP_SYS(mremap),
		SCMP_SYS(madvise),
		SCMP_SYS(nanosleep),
		SCMP_SYS(clock_nanosleep),
		SCMP_SYS(socketpair),
		SCMP_SYS(clock_gettime),
		SCMP_SYS(restart_syscall),
	};

	for (size_t i = 0; i < LENGTH(harmless_calls); i++)
		allow(r, harmless_calls[i]);
	for (size_t i = 0; i < LENGTH(calls); i++)
		allow(r, calls[i]);
	allow_memory(r);
	/* Only the listener's requests: type '!'. */
	allow_if(r, SCMP_SYS(ioctl), SCMP_A1_64(SCMP_CMP_MASKED_EQ, 0xff00, SECCOMP_IOC_MAGIC << 8));
	if (proc_fd >= 0)
	{
		struct scmp_arg_cmp args[] = {
			SCMP_A0_64(SCMP_CMP_EQ, (scmp_datum_t) proc_fd),
			SCMP_A2_64(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY)};

		rule(r, SCMP_ACT_ALLOW, SCMP_SYS(openat), LENGTH(args), args);
	}
}

static void
supervisor_rules(rules *r)
{
	static const int calls[] = {SCMP_SYS(wait4), SCMP_SYS(exit_group), SCMP_SYS(exit),
								SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall)};

	for (size_t i = 0; i < LENGTH(calls); i++)
		allow(r, calls[i]);
}

static void
share_rules(rules *r)
{
	static const int calls[] = {SCMP_SYS(accept4), SCMP_SYS(getsockopt), SCMP_SYS(sendmsg),
								SCMP_SYS(poll),    SCMP_SYS(ppoll),      SCMP_SYS(close),
								SCMP_SYS(kill)};

	supervisor_rules(r);
	for (size_t i = 0; i < LENGTH(calls); i++)
		allow(r, calls[i]);
}

static void
notify_rules(rules *r)
{
	struct scmp_arg_cmp park = SCMP_A0_64(SCMP_CMP_EQ, RSTAR_PARK_FLAGS);

	rule(r, SCMP_ACT_NOTIFY, SCMP_SYS(clone), 1, &park);
	rule(r, SCMP_ACT_NOTIFY, SCMP_SYS(getsid), 0, NULL);
}

/* Let libseccomp write the program into memory that stays. */
static int
export_program(scmp_filter_ctx ctx, struct sock_fprog *program)
{
	int fd = (int) syscall(SYS_memfd_create, "filter", MFD_CLOEXEC);
	off_t size;
	int rc = -EIO;

	if (fd < 0)
		return errno;
	if (seccomp_export_bpf(ctx, fd) == 0 && (size = lseek(fd, 0, SEEK_END)) > 0 &&
		size % (off_t) sizeof(struct sock_filter) == 0)
	{
		program->len = (unsigned short) (size / (off_t) sizeof(struct sock_filter));
		program->filter = malloc((size_t) size);
		if (program->filter && lseek(fd, 0, SEEK_SET) == 0 &&
			rstar_channel_read(fd, program->filter, (size_t) size))
			rc = 0;
	}
	close(fd);
	return -rc;
}

/*
 * Lists of what is allowed, so that a call which a later kernel adds is refused; only the
 * filter that notifies lets the rest through, as it is there for the calls that the broker
 * answers. A call of another architecture, with other numbers, kills. The first error stays in
 * `r` and is returned.
 */
int
rstar_filter_build(rstar_filter_kind kind, bool parks, int proc_fd, struct sock_fprog *program)
{
	rules r = {.error = 0};

	r.ctx = seccomp_init(kind == RSTAR_FILTER_NOTIFY ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM));
	if (!r.ctx)
		return ENOMEM;
	(void) seccomp_attr_set(r.ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	switch (kind)
	{
		case RSTAR_FILTER_NOTIFY:
			notify_rules(&r);
			break;
		case RSTAR_FILTER_NODE:
			node_rules(&r, parks);
			break;
		case RSTAR_FILTER_REPLAY_TEMPLATE:
			replay_template_rules(&r);
			break;
		case RSTAR_FILTER_BROKER:
			broker_rules(&r, proc_fd);
			break;
		case RSTAR_FILTER_SUPERVISOR:
			supervisor_rules(&r);
			break;
		case RSTAR_FILTER_SHARE:
			share_rules(&r);
			break;
	}
	if (!r.error)
		r.error = export_program(r.ctx, program);
	seccomp_release(r.ctx);
	return r.error;
}

int
rstar_filter_install(const struct sock_fprog *program, bool listen)
{
	unsigned long flags = listen ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
	long rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);

	return rc < 0 ? -errno : (int) rc;
}

/*
 * Snapshots need a listener (not there in gVisor; refused where an outer one is
 * in force) that injects descriptors (Linux 5.9). An unknown id shows without
 * harm whether the kernel knows that request.
 */
bool
rstar_filter_probe_notify(void)
{
	struct sock_fprog program;
	pid_t child;

	if (rstar_filter_build(RSTAR_FILTER_NOTIFY, true, -1, &program) != 0)
		return false;
	child = fork();
	if (child == 0)
	{
		struct seccomp_notif_addfd request = {.id = 0};
		int listener;

		(void) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		listener = rstar_filter_install(&program, true);
		_exit(listener >= 0 && ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &request) < 0 &&
					  errno == ENOENT
				  ? 0
				  : 1);
	}
	free(program.filter);
	return rstar_confine_child_succeeds(child);
}
