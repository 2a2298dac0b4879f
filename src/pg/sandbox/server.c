/*
 * server.c
 *	  Starting the sandbox of the whole server, and connecting to it.
 *
 * Whoever binds the socket's name is the one who starts the program, which gets
 * the socket and accepts; connections made meanwhile wait in the socket. The name
 * is abstract, so nothing is left in the file system: it tells servers, and
 * sandboxes with other settings, apart. It keeps nobody out; both ends ask the
 * kernel whether the other one runs as the same user.
 */
#include "postgres.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/pmsignal.h"
#include "postmaster/postmaster.h"
#include "utils/timestamp.h"

#include "pg/base/compat.h"
#include "pg/sandbox/server.h"
#include "pg/sandbox/session.h"
#include "pg/sandbox/settings.h"

#define LISTENER 3 /* as share.c expects them */
#define LIFELINE 4
#define BACKLOG  1024

static uint64
mix(uint64 seed, const void *data, size_t length)
{
	return hash_bytes_extended(data, (int) length, seed);
}

/*
 * What must be the same for two sessions to share a template: the server, the
 * program (as a file, so that a new version is another one), the modules.
 */
static uint64
identity(const char *program)
{
	struct stat file;
	uint64 key = mix(0, DataDir, strlen(DataDir));

	key = mix(key, &PostmasterPid, sizeof(PostmasterPid));
	key = mix(key, &PgStartTime, sizeof(PgStartTime));
	key = mix(key, program, strlen(program));
	key = mix(key, rstar_pg_sandbox_settings.sandbox_modules,
			  strlen(rstar_pg_sandbox_settings.sandbox_modules));
	if (stat(program, &file) == 0)
	{
		key = mix(key, &file.st_ino, sizeof(file.st_ino));
		key = mix(key, &file.st_mtim, sizeof(file.st_mtim));
	}
	return key;
}

static socklen_t
name_socket(struct sockaddr_un *address, const char *program)
{
	/* An abstract name begins with a zero byte and ends with the length. */
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1, "rstar-sandbox-%016llx",
			 (unsigned long long) identity(program));
	return (socklen_t) (offsetof(struct sockaddr_un, sun_path) + 1 + strlen(address->sun_path + 1));
}

/* Spawn the program, which leaves a process of nobody's behind and returns. */
static bool
spawn_program(char *program, int listener, bool stays)
{
	char idle_ms[24];
	char *modules = rstar_pg_session_sandbox_modules();
	char *argv[] = {program, "share", "namespaces", idle_ms, modules, NULL};
	char *envp[] = {NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t all, none;
	pid_t pid;
	int lifeline = fcntl(postmaster_alive_fds[POSTMASTER_FD_WATCH], F_DUPFD_CLOEXEC, LIFELINE + 1);
	int socket_copy = fcntl(listener, F_DUPFD_CLOEXEC, LIFELINE + 1);
	bool good = modules && lifeline >= 0 && socket_copy >= 0;

	snprintf(idle_ms, sizeof(idle_ms), "%lld",
			 stays ? 0LL : (long long) rstar_pg_sandbox_settings.sandbox_idle_timeout_s * 1000);
	sigfillset(&all);
	sigemptyset(&none);
	(void) posix_spawn_file_actions_init(&actions);
	(void) posix_spawnattr_init(&attributes);
	(void) posix_spawnattr_setsigdefault(&attributes, &all);
	(void) posix_spawnattr_setsigmask(&attributes, &none);
	(void) posix_spawnattr_setpgroup(&attributes, 0);
	(void) posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
													 POSIX_SPAWN_SETPGROUP);
	good = good && posix_spawn_file_actions_adddup2(&actions, socket_copy, LISTENER) == 0 &&
		   posix_spawn_file_actions_adddup2(&actions, lifeline, LIFELINE) == 0 &&
		   posix_spawn(&pid, program, &actions, &attributes, argv, envp) == 0;
	if (good)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	(void) posix_spawnattr_destroy(&attributes);
	(void) posix_spawn_file_actions_destroy(&actions);
	if (lifeline >= 0)
		close(lifeline);
	if (socket_copy >= 0)
		close(socket_copy);
	free(modules);
	return good;
}

bool
rstar_pg_sandbox_server_start(bool stays)
{
	char program[MAXPGPATH];
	struct sockaddr_un address;
	socklen_t length;
	int listener;
	bool good;

	if (!IsUnderPostmaster)
		return false;
	rstar_pg_session_sandbox_program(program, sizeof(program));
	length = name_socket(&address, program);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0)
		return false;
	if (bind(listener, (struct sockaddr *) &address, length) != 0)
		good = errno == EADDRINUSE; /* it is there, or somebody is about to start it */
	else
		good = listen(listener, BACKLOG) == 0 && spawn_program(program, listener, stays);
	close(listener);
	return good;
}

/* A socket that belongs to a process of the same user, or -1. */
static int
try_connect(const struct sockaddr_un *address, socklen_t length)
{
	struct ucred peer;
	socklen_t peer_length = sizeof(peer);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *) address, length) == 0 &&
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_length) == 0 && peer.uid == geteuid())
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

int
rstar_pg_sandbox_server_connect(void)
{
	char program[MAXPGPATH];
	struct sockaddr_un address;
	socklen_t length;

	if (!IsUnderPostmaster)
		return -1;
	rstar_pg_session_sandbox_program(program, sizeof(program));
	length = name_socket(&address, program);
	/* Between another session's bind and listen a connection is refused. */
	for (int i = 0; i < 3; i++)
	{
		int fd = try_connect(&address, length);

		if (fd >= 0)
			return fd;
		if (!rstar_pg_sandbox_server_start(false))
			break;
		if (i > 0)
			pg_usleep(1000L);
	}
	return -1;
}
