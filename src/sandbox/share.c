/*
 * share.c
 *	  The server-wide sandbox: one warm template for all sessions of a server.
 *
 *		starter ──> share ──> zygote ──> session's broker ──> its root, its nodes
 *
 * share		accepts connections of this server's user and hands them on; ends
 *				everything when the server ends. Nobody's child: it outlives the
 *				session that started it, and never exits by a signal of its own.
 * zygote		has loaded Python and SymPy. For each connection it forks a process
 *				that forks the session's root and then becomes, by exec, the
 *				session's broker. No code of a model ever runs in it.
 *
 * So a session has a broker, a root and nodes as it would have alone; only the
 * loading is shared. Between sessions lie their brokers, their seccomp listeners,
 * and where the machine has namespaces a pid and a mount namespace each.
 */
#include "sandbox/program.h"

#include "core/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LISTENER_FD  3 /* of share, from its starter */
#define LIFELINE_FD  4 /* closed at the other end when the server is gone */
#define MAX_SESSIONS 4096
#define GRACE_NS     2000000000ll /* from a session's end to its broker's, then it is killed */

/* --- the zygote: sessions ------------------------------------------------------------- */

typedef struct session
{
	pid_t pid;       /* its broker */
	int fd;          /* its connection, watched for its end */
	int64_t gone_ns; /* when that was seen; 0: it is there */
} session;

static struct
{
	session sessions[MAX_SESSIONS];
	unsigned n;
	int signals, executable;
	bool namespaces;
	rstar_frame_ready ready;
} zygote;

/* The session's root: waits for its order, confines itself, is forked from. */
static void __attribute__((noreturn)) become_root(int channel)
{
	sigset_t none;

	(void) setpgid(0, 0);
	(void) prctl(PR_SET_NAME, "rstar-template", 0, 0, 0);
	(void) prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	sigemptyset(&none);
	(void) sigprocmask(SIG_SETMASK, &none, NULL);
	rstar_confine_volunteer_for_oom("1000");
	if (dup2(channel, RSTAR_CHANNEL_FD) != RSTAR_CHANNEL_FD)
		_exit(1);
	rstar_confine_close_from(RSTAR_CHANNEL_FD + 1);
	rstar_template_serve(&zygote.ready);
}

/*
 * In the process that will be the broker: fork the root, which inherits Python,
 * then exec, which leaves all of that behind and keeps the child.
 */
static void __attribute__((noreturn)) become_session(int connection, int peer)
{
	char root_text[24], peer_text[24];
	char *argv[] = {"rstar-sandbox", "session", zygote.namespaces ? "namespaces" : "plain",
					root_text,       peer_text, NULL};
	char *envp[] = {NULL};
	int pair[2], executable;
	long root;
	sigset_t none;

	(void) setpgid(0, 0);
	(void) prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	sigemptyset(&none);
	(void) sigprocmask(SIG_SETMASK, &none, NULL);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		_exit(1);
	root = syscall(SYS_clone, (unsigned long) SIGCHLD, 0UL, NULL, NULL, 0UL);
	if (root == 0)
		become_root(pair[1]);
	executable = fcntl(zygote.executable, F_DUPFD, RSTAR_ROOT_FD + 1);
	if (root < 0 || executable < 0)
		_exit(1);
	/* Out of each other's way first. */
	connection = fcntl(connection, F_DUPFD, executable + 1);
	pair[0] = fcntl(pair[0], F_DUPFD, executable + 1);
	if (dup2(connection, RSTAR_CHANNEL_FD) != RSTAR_CHANNEL_FD ||
		dup2(pair[0], RSTAR_ROOT_FD) != RSTAR_ROOT_FD)
		_exit(1);
	executable = dup2(executable, RSTAR_ROOT_FD + 1);
	rstar_confine_close_from(RSTAR_ROOT_FD + 2);
	(void) fcntl(executable, F_SETFD, FD_CLOEXEC);
	snprintf(root_text, sizeof(root_text), "%ld", root);
	snprintf(peer_text, sizeof(peer_text), "%d", peer);
	syscall(SYS_execveat, executable, "", argv, envp, AT_EMPTY_PATH);
	_exit(1);
}

static void
start_session(int connection, int peer)
{
	unsigned long flags = SIGCHLD | (zygote.namespaces ? CLONE_NEWPID | CLONE_NEWNS : 0);
	long pid = -1;

	if (zygote.n < MAX_SESSIONS)
		pid = syscall(SYS_clone, flags, 0UL, NULL, NULL, 0UL);
	if (pid == 0)
		become_session(connection, peer);
	if (pid < 0)
	{
		close(connection);
		return;
	}
	zygote.sessions[zygote.n++] = (session){.pid = (pid_t) pid, .fd = connection};
}

/* Brokers that ended: their clients are to see it. */
static void
reap_sessions(void)
{
	struct signalfd_siginfo info;
	pid_t pid;

	while (read(zygote.signals, &info, sizeof(info)) == (ssize_t) sizeof(info))
		continue;
	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		for (unsigned i = 0; i < zygote.n; i++)
			if (zygote.sessions[i].pid == pid)
			{
				close(zygote.sessions[i].fd);
				zygote.sessions[i] = zygote.sessions[--zygote.n];
				break;
			}
}

/* Clients that ended: their brokers do so too, unless somebody stopped them. */
static void
watch_sessions(const struct pollfd *polls, unsigned n, int64_t now)
{
	for (unsigned i = 0; i < n; i++)
	{
		session *s = &zygote.sessions[i];

		if (polls[i].revents & (POLLHUP | POLLERR) && s->gone_ns == 0)
			s->gone_ns = now;
		if (s->gone_ns != 0 && now > s->gone_ns + GRACE_NS)
			(void) kill(s->pid, SIGKILL);
	}
}

static void
take_connection(void)
{
	int peer = 0, connection;
	ssize_t n = rstar_channel_receive_fd(RSTAR_CHANNEL_FD, &peer, sizeof(peer), &connection);

	if (n == 0)
		_exit(0);
	if (n == (ssize_t) sizeof(peer) && connection >= 0)
		start_session(connection, peer);
	else if (connection >= 0)
		close(connection);
}

/*
 * Sessions are watched for their end only (no events: a hangup always shows), since what is on
 * their sockets is for their brokers. The wait is short only while a session that is gone has
 * yet to be killed. Without sessions for `idle_ns` it exits, and the next session starts
 * another.
 */
static void __attribute__((noreturn)) serve_sessions(int64_t idle_ns)
{
	static struct pollfd polls[MAX_SESSIONS + 2];
	int64_t idle_since = rstar_clock_ns();

	for (;;)
	{
		unsigned n = 0, n_sessions = zygote.n;
		bool any_gone = false;
		int64_t now;

		polls[n++] = (struct pollfd){.fd = RSTAR_CHANNEL_FD, .events = POLLIN};
		polls[n++] = (struct pollfd){.fd = zygote.signals, .events = POLLIN};
		for (unsigned i = 0; i < n_sessions; i++)
		{
			any_gone |= zygote.sessions[i].gone_ns != 0;
			/* A negative number is left out: its end would wake us again and again. */
			polls[n++].fd = zygote.sessions[i].gone_ns ? -1 : zygote.sessions[i].fd;
			polls[n - 1].events = 0;
			polls[n - 1].revents = 0;
		}
		(void) poll(polls, n, any_gone ? 200 : 10000);
		now = rstar_clock_ns();
		watch_sessions(polls + 2, n_sessions, now);
		if (polls[1].revents)
			reap_sessions();
		if (polls[0].revents)
			take_connection();
		if (zygote.n > 0)
			idle_since = now;
		if (idle_ns > 0 && now > idle_since + idle_ns)
			_exit(0);
	}
}

int
rstar_zygote_main(bool namespaces, const char *idle_ms, const char *modules)
{
	rstar_string names = {modules, strlen(modules)};
	sigset_t set;

	(void) prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void) prctl(PR_SET_NAME, "rstar-zygote", 0, 0, 0);
	(void) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	zygote.namespaces = namespaces;
	zygote.executable = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	if (zygote.executable < 0)
		return 1;
	rstar_template_load(names, RSTAR_SANDBOX_TEMPLATE_SYMPY, &zygote.ready);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	(void) sigprocmask(SIG_BLOCK, &set, NULL);
	zygote.signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (zygote.signals < 0)
		return 1;
	serve_sessions(strtoll(idle_ms, NULL, 10) * 1000000);
}

/* --- share: connections --------------------------------------------------------------- */

static void __attribute__((noreturn))
become_zygote(int control, int executable, bool namespaces, char *idle_ms, char *modules)
{
	char *argv[] = {"rstar-sandbox", "zygote", namespaces ? "namespaces" : "plain",
					idle_ms,         modules,  NULL};
	char *envp[] = {NULL};
	long persona = personality(0xffffffff);

	(void) setpgid(0, 0);
	rstar_confine_volunteer_for_oom("500");
	/* The same addresses in every run: the same order of sets, the same output. */
	if (persona != -1)
		(void) personality((unsigned long) persona | ADDR_NO_RANDOMIZE);
	if (namespaces && !rstar_confine_keep_capability())
		_exit(1);
	if (dup2(control, RSTAR_CHANNEL_FD) != RSTAR_CHANNEL_FD)
		_exit(1);
	syscall(SYS_execveat, executable, "", argv, envp, AT_EMPTY_PATH);
	_exit(1);
}

/* In the namespaces the zygote is the first process, below one that made them. */
static void __attribute__((noreturn))
start_zygote(int control, int executable, bool namespaces, char *idle_ms, char *modules)
{
	int status = 0;
	pid_t child;

	(void) prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	close(LISTENER_FD);
	close(LIFELINE_FD);
	if (!namespaces)
		become_zygote(control, executable, false, idle_ms, modules);
	if (!rstar_confine_enter_namespaces())
		_exit(1);
	child = fork();
	if (child == 0)
		become_zygote(control, executable, true, idle_ms, modules);
	close(control);
	if (child > 0)
		(void) waitpid(child, &status, 0);
	_exit(0);
}

static void
hand_on(int control, uid_t owner)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);
	int connection = accept4(LISTENER_FD, NULL, NULL, SOCK_CLOEXEC);

	if (connection < 0)
		return;
	if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == owner)
		(void) rstar_channel_send_fd(control, &peer.pid, sizeof(peer.pid), connection);
	close(connection);
}

static void
serve_connections(int control, uid_t owner)
{
	struct pollfd polls[] = {{.fd = LISTENER_FD, .events = POLLIN},
							 {.fd = LIFELINE_FD, .events = 0},
							 {.fd = control, .events = POLLIN}};

	for (;;)
	{
		(void) poll(polls, 3, -1);
		if (polls[1].revents || polls[2].revents)
			return;
		if (polls[0].revents)
			hand_on(control, owner);
	}
}

/*
 * The zygote is forked first, while this process still has its rights, and gives connections a
 * home; then this one drops them and does nothing but accept. It reaps all that is below it,
 * and it ends last, after the server.
 */
int
rstar_share_main(bool namespaces, char *idle_ms, char *modules)
{
	int control[2], executable;
	uid_t owner = geteuid();
	struct sock_fprog program;
	pid_t zygote_pid;

	/* The starter waits for this process only. */
	if (fork() != 0)
		_exit(0);
	(void) setsid();
	(void) umask(077);
	if (chdir("/") != 0 || !rstar_program_clean(LIFELINE_FD, &executable))
		return 1;
	(void) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	(void) prctl(PR_SET_NAME, "rstar-share", 0, 0, 0);
	namespaces = namespaces && rstar_confine_probe_namespaces();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) != 0)
		return 1;
	zygote_pid = fork();
	if (zygote_pid == 0)
		start_zygote(control[1], executable, namespaces, idle_ms, modules);
	close(control[1]);
	close(executable);
	if (zygote_pid < 0)
		return 1;
	(void) rstar_confine_drop_capabilities();
	if (rstar_confine_no_new_privileges() &&
		rstar_filter_build(RSTAR_FILTER_SHARE, false, -1, &program) == 0)
		(void) rstar_filter_install(&program, false);
	serve_connections(control[0], owner);
	close(LISTENER_FD);
	(void) kill(zygote_pid, SIGKILL);
	/* Orphans of the zygote are ours: brokers that clean up. */
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		continue;
	return 0;
}
