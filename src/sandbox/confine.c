/*
 * confine.c
 *	  The layers around the filters: namespaces, an empty root, Landlock,
 *	  capabilities, limits.
 *
 * Only the filters are indispensable; every layer here is used where the
 * kernel and the container allow it and reported to the client, so that
 * rstar_sandbox_info() can show what is in force.
 */
#include "sandbox/program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Newer kernels' rights, which older headers lack. */
#define FS_RIGHTS_1  ((1ull << 13) - 1)
#define FS_REFER     (1ull << 13) /* ABI 2 */
#define FS_TRUNCATE  (1ull << 14) /* ABI 3 */
#define FS_IOCTL_DEV (1ull << 15) /* ABI 5 */
#define NET_TCP      3ull         /* ABI 4: bind, connect */
#define SCOPES       3ull         /* ABI 6: abstract sockets, signals */

#define NAMESPACES                                                                                 \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)

bool
rstar_confine_enter_namespaces(void)
{
	if (unshare(NAMESPACES) != 0)
		return false;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

bool
rstar_confine_empty_root(void)
{
	/* Any directory serves as the mount point; these exist everywhere. */
	static const char *const places[] = {"/proc", "/tmp", "/usr"};

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return false;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
	{
		if (mount("none", places[i], "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
				  "size=4k,nr_inodes=4,mode=0555") != 0)
			continue;
		return chdir(places[i]) == 0 && syscall(SYS_pivot_root, ".", ".") == 0 &&
			   umount2(".", MNT_DETACH) == 0 && chdir("/") == 0;
	}
	return false;
}

bool
rstar_confine_child_succeeds(pid_t child)
{
	int status;

	if (child < 0)
		return false;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/*
 * On some systems unshare succeeds and every capability in the new namespace
 * is then denied, so the whole dance is danced in a child first.
 */
bool
rstar_confine_probe_namespaces(void)
{
	pid_t child = fork();

	if (child == 0)
	{
		int status;
		pid_t inner;

		if (!rstar_confine_enter_namespaces())
			_exit(1);
		inner = fork();
		if (inner == 0)
			_exit(rstar_confine_empty_root() ? 0 : 1);
		if (inner < 0 || waitpid(inner, &status, 0) != inner)
			_exit(1);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
	return rstar_confine_child_succeeds(child);
}

bool
rstar_confine_keep_capability(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	data[0].effective = data[0].permitted = data[0].inheritable = 1u << CAP_SYS_ADMIN;
	return syscall(SYS_capset, &header, data) == 0 &&
		   prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0) == 0;
}

bool
rstar_confine_drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	/* The bounding set needs a capability to shrink; without one it is moot. */
	for (int cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0)
			break;
	(void) prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &header, data) == 0;
}

bool
rstar_confine_no_new_privileges(void)
{
	/*
	 * A limit of 1 byte, unlike 0, also stops core dumps into a pipe; not being
	 * dumpable stops both, and tracing by neighbours.
	 */
	rstar_confine_limit(RLIMIT_CORE, 1);
	(void) prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

/*
 * Each version of the interface knows more rights, and an older kernel refuses a rule set with
 * bits or a size that it does not know: so both follow the version. Everything handled is
 * denied, except reading below `proc_fd` where there is one. Returns the version in force, 0
 * for none.
 */
int
rstar_confine_landlock(int proc_fd)
{
	struct
	{
		uint64_t fs, net, scoped;
	} attr = {.fs = FS_RIGHTS_1};
	size_t size = sizeof(uint64_t);
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	long ruleset;
	bool good;

	if (abi < 1)
		return 0;
	attr.fs |=
		(abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0) | (abi >= 5 ? FS_IOCTL_DEV : 0);
	if (abi >= 4)
	{
		attr.net = NET_TCP;
		size = 2 * sizeof(uint64_t);
	}
	/* The broker signals nodes, which lie outside any domain of its own. */
	if (abi >= 6 && proc_fd < 0)
	{
		attr.scoped = SCOPES;
		size = 3 * sizeof(uint64_t);
	}
	ruleset = syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (ruleset < 0)
		return 0;
	good = true;
	if (proc_fd >= 0)
	{
		struct landlock_path_beneath_attr beneath = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
													 .parent_fd = proc_fd};

		good =
			syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) == 0;
	}
	good = good && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
	close((int) ruleset);
	return good ? (int) abi : 0;
}

void
rstar_confine_volunteer_for_oom(const char *score)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
	{
		(void) rstar_channel_write(fd, score, strlen(score));
		close(fd);
	}
}

void
rstar_confine_limit(int resource, rlim_t value)
{
	struct rlimit limit = {.rlim_cur = value, .rlim_max = value};

	(void) setrlimit(resource, &limit);
}

void
rstar_confine_close_from(int first)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, (unsigned) first, ~0u, 0) == 0)
		return;
#endif
	for (int fd = first, end = (int) sysconf(_SC_OPEN_MAX); fd < end; fd++)
		close(fd);
}
