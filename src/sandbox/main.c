/*
 * main.c
 *	  rstar-sandbox: runs a step's Python where it can reach nothing.
 *
 * Started by the client (src/core/sandbox) with its channel as descriptor 3 and
 * an empty environment; program.h describes the processes. This file holds the
 * supervisor. It exists because of two accidents that would otherwise reach the
 * database server: where the postmaster is process 1, as in most containers, it
 * adopts orphans and takes one that died by a signal for a crashed backend. The
 * supervisor adopts them instead and never exits by a signal of its own accord.
 */
#include "sandbox/program.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

/* Root has no business here: a shell run by root becomes nobody. */
static bool
drop_root(void)
{
	if (geteuid() != 0 && getuid() != 0)
		return true;
	return setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
		   setresuid(NOBODY, NOBODY, NOBODY) == 0 && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

/* Nothing inherited but 3 to `last`; descriptors 0 to 2 lead nowhere. */
static bool
clean_descriptors(int last)
{
	int null;

	rstar_confine_close_from(last + 1);
	null = open("/dev/null", O_RDWR);
	if (null < 0)
		return false;
	for (int fd = 0; fd < RSTAR_CHANNEL_FD; fd++)
		if (dup2(null, fd) != fd)
			return false;
	if (null > last)
		close(null);
	for (int fd = RSTAR_CHANNEL_FD; fd <= last; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
			return false;
	return true;
}

static void
reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < 65; sig++)
		(void) signal(sig, SIG_DFL);
	(void) signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	(void) sigprocmask(SIG_SETMASK, &none, NULL);
}

bool
rstar_program_clean(int last, int *executable)
{
	if (!clean_descriptors(last))
		return false;
	reset_signals();
	*executable = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	return *executable >= 0 && drop_root();
}

/* Reap until nothing is left. The broker's own status says how it went. */
static int
reap_all(pid_t broker)
{
	int result = 1, status;

	for (;;)
	{
		pid_t pid = waitpid(-1, &status, 0);

		if (pid == broker)
			result = WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
		if (pid < 0 && errno == ECHILD)
			return result;
	}
}

static void
confine_supervisor(void)
{
	struct sock_fprog program;

	(void) rstar_confine_drop_capabilities();
	if (rstar_confine_no_new_privileges() &&
		rstar_filter_build(RSTAR_FILTER_SUPERVISOR, false, -1, &program) == 0)
		(void) rstar_filter_install(&program, false);
}

int
rstar_supervisor_main(bool namespaces)
{
	int executable;
	pid_t self = getpid(), broker;

	(void) umask(077);
	(void) setpgid(0, 0);
	rstar_confine_volunteer_for_oom("1000");
	if (chdir("/") != 0 || !rstar_program_clean(RSTAR_CHANNEL_FD, &executable))
		return 1;
	(void) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	(void) prctl(PR_SET_NAME, "rstar-sandbox", 0, 0, 0);
	if (namespaces)
		namespaces = rstar_confine_probe_namespaces() && rstar_confine_enter_namespaces();
	broker = fork();
	if (broker < 0)
		return 1;
	if (broker == 0)
	{
		/* SIGTERM, not SIGKILL: an orphaned broker cleans up and exits by itself. */
		(void) prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
		if (!namespaces && getppid() != self)
			_exit(0);
		rstar_broker_main(namespaces, executable, 0);
	}
	close(RSTAR_CHANNEL_FD);
	close(executable);
	confine_supervisor();
	return reap_all(broker);
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "supervise") == 0)
		return rstar_supervisor_main(strcmp(argv[2], "namespaces") == 0);
	if (argc == 2 && strcmp(argv[1], "template") == 0)
		return rstar_template_main();
	if (argc == 5 && strcmp(argv[1], "share") == 0)
		return rstar_share_main(strcmp(argv[2], "namespaces") == 0, argv[3], argv[4]);
	if (argc == 5 && strcmp(argv[1], "zygote") == 0)
		return rstar_zygote_main(strcmp(argv[2], "namespaces") == 0, argv[3], argv[4]);
	/* The last argument is for people: the backend whose session it is. */
	if (argc == 5 && strcmp(argv[1], "session") == 0)
		rstar_broker_main(strcmp(argv[2], "namespaces") == 0, -1,
						  (pid_t) strtol(argv[3], NULL, 10));
	fprintf(stderr, "rstar-sandbox is started by the rstar extension, not by hand\n");
	return 2;
}
