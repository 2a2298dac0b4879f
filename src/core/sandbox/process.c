/*
 * process.c
 *	  Starting and ending the program rstar-sandbox.
 *
 * posix_spawn runs nothing of ours between fork and exec, so it is safe in a
 * process of any size with any threads and signal handlers. The program gets
 * its channel as descriptor 3, no environment, default signals and a process
 * group of its own: a cancel request that PostgreSQL sends to a backend's group
 * does not reach it.
 */
#include "core/sandbox/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHANNEL 3

/* Zero, or an errno. */
static int
spawn(rstar_sandbox *sandbox, int theirs)
{
	char *argv[] = {sandbox->program, "supervise",
					sandbox->options.namespaces ? "namespaces" : "plain", NULL};
	char *envp[] = {NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t all, none;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc != 0)
		return rc;
	rc = posix_spawnattr_init(&attributes);
	if (rc == 0)
	{
		sigfillset(&all);
		sigemptyset(&none);
		(void) posix_spawnattr_setsigdefault(&attributes, &all);
		(void) posix_spawnattr_setsigmask(&attributes, &none);
		(void) posix_spawnattr_setpgroup(&attributes, 0);
		(void) posix_spawnattr_setflags(
			&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
		rc = posix_spawn_file_actions_adddup2(&actions, theirs, CHANNEL);
		if (rc == 0)
			rc = posix_spawn(&sandbox->pid, sandbox->program, &actions, &attributes, argv, envp);
		(void) posix_spawnattr_destroy(&attributes);
	}
	(void) posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static rstar_status
send_config(rstar_sandbox *sandbox, rstar_error *err)
{
	const rstar_sandbox_options *options = &sandbox->options;
	rstar_frame_config config = {.version = RSTAR_FRAME_VERSION,
								 .flags = options->replay ? RSTAR_SANDBOX_FORCE_REPLAY : 0,
								 .budget = options->budget,
								 .processes = options->processes,
								 .running = options->running,
								 .idle_ms = options->idle_ms,
								 .modules = {sandbox->modules, strlen(sandbox->modules)}};

	rstar_buffer_clear(&sandbox->in);
	rstar_buffer_clear(&sandbox->out);
	sandbox->out_sent = 0;
	if (!rstar_sandbox_encode_config(&sandbox->out, &config))
		return rstar_error_memory(err, sizeof(config));
	return RSTAR_OK;
}

/* Start a program of this sandbox's own; its channel, or -1. */
static int
start_own(rstar_sandbox *sandbox, rstar_error *err)
{
	int pair[2], rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
	{
		rstar_error_set(err, RSTAR_ERR_IO, "could not create a socket pair: %s", strerror(errno));
		return -1;
	}
	rc = spawn(sandbox, pair[1]);
	close(pair[1]);
	if (rc == 0)
		return pair[0];
	close(pair[0]);
	sandbox->pid = 0;
	rstar_error_set(err, RSTAR_ERR_SANDBOX, "could not start \"%s\": %s", sandbox->program,
					strerror(rc));
	return -1;
}

rstar_status
rstar_sandbox_process_start(rstar_sandbox *sandbox, rstar_error *err)
{
	bool shared = false;

	if (rstar_sandbox_is_running(sandbox))
		return RSTAR_OK;
	if (sandbox->options.connect && !sandbox->alone)
		sandbox->fd = sandbox->options.connect();
	shared = sandbox->fd >= 0;
	if (!shared)
		sandbox->fd = start_own(sandbox, err);
	if (sandbox->fd < 0)
		return err->status;
	(void) fcntl(sandbox->fd, F_SETFL, O_NONBLOCK);
	sandbox->owner = getpid();
	memset(&sandbox->info, 0, sizeof(sandbox->info));
	sandbox->info.pid = (int) sandbox->pid;
	sandbox->info.shared = shared;
	sandbox->statistics.starts++;
	sandbox->heard_ns = rstar_clock_ns();
	sandbox->pinged = false;
	if (sandbox->options.child && sandbox->pid > 0)
		sandbox->options.child((int) sandbox->pid);
	return send_config(sandbox, err);
}

/* true: reaped, or not ours to reap. */
static bool
reaped(pid_t pid)
{
	pid_t rc = waitpid(pid, NULL, WNOHANG);

	return rc == pid || (rc < 0 && errno == ECHILD);
}

/*
 * Only the process that started the program waits for it: a child made by fork closes its copy
 * of the channel and no more. Closing is the request to end; SIGKILL follows after half a
 * second, and after two more the wait is given up, so that no caller hangs here.
 */
void
rstar_sandbox_process_end(rstar_sandbox *sandbox)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	pid_t pid = sandbox->pid;
	int64_t soon = rstar_clock_ns() + 500000000ll;
	int64_t late = soon + 2000000000ll;

	if (sandbox->fd >= 0)
		close(sandbox->fd);
	/* A shared program that ends before it is ready is of no use. */
	if (sandbox->fd >= 0 && sandbox->info.shared && !sandbox->info.started)
		sandbox->alone = true;
	sandbox->fd = -1;
	sandbox->pid = 0;
	sandbox->info.pid = 0;
	sandbox->info.started = false;
	if (pid <= 0 || sandbox->owner != getpid())
		return;
	if (sandbox->options.child)
		sandbox->options.child(0);
	/* It ends by itself when its channel closes. */
	while (!reaped(pid))
	{
		int64_t now = rstar_clock_ns();

		if (now > soon)
		{
			(void) kill(-pid, SIGKILL);
			(void) kill(pid, SIGKILL);
		}
		if (now > late)
			return;
		(void) nanosleep(&pause, NULL);
	}
}
