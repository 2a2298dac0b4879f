/*
 * session.c
 *	  The session's sandbox: opened, kept and closed with the session.
 *
 * The sandbox is made of malloc'ed memory and one descriptor, so it outlives
 * transactions; what an aborted call left running is released in its handler.
 * At backend exit the program is told to end and reaped: an orphan would fall to
 * the postmaster where that is process 1. If the backend is killed the program
 * sees its channel close and ends by itself.
 */
#include "postgres.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/builtins.h"

#include "core/base/clock.h"
#include "pg/admission/admission.h"
#include "pg/base/boundary.h"
#include "pg/base/compat.h"
#include "pg/base/settings.h"
#include "pg/sandbox/server.h"
#include "pg/sandbox/session.h"
#include "pg/sandbox/settings.h"

/* What the session's sandbox was opened with. */
typedef struct opened_with
{
	int mode, memory_mb, processes, parallel, idle_timeout_s;
	bool namespaces, shared;
	char program[MAXPGPATH];
} opened_with;

static rstar_sandbox *session;
static opened_with session_settings;
static uint64 times_opened;

/* --- the program's end ---------------------------------------------------------------- */

static volatile int program_pid; /* the session's child, 0: none to reap */

static void
told_child(int pid)
{
	program_pid = pid;
}

/* A program that was idle for too long ends by itself; an idle session reaps it here. */
static void
reap_program(SIGNAL_ARGS)
{
	int saved = errno, pid = program_pid;

	if (pid > 0 && waitpid(pid, NULL, WNOHANG) == pid)
		program_pid = 0;
	errno = saved;
}

/* --- opening and closing ---------------------------------------------------------------- */

static void
close_session(int code, Datum arg)
{
	rstar_sandbox *closing = session;

	session = NULL;
	rstar_sandbox_close(closing);
}

void
rstar_pg_session_sandbox_program(char *path, Size size)
{
	const char *set = rstar_pg_sandbox_settings.sandbox_program;

	if (set && set[0])
		strlcpy(path, set, size);
	else
		snprintf(path, size, "%s/rstar-sandbox", pkglib_path);
}

char *
rstar_pg_session_sandbox_modules(void)
{
	return rstar_sandbox_module_lines(&rstar_allocator_malloc,
									  rstar_pg_sandbox_settings.sandbox_modules);
}

static void
wanted_settings(opened_with *wanted)
{
	memset(wanted, 0, sizeof(*wanted));
	wanted->mode = rstar_pg_sandbox_settings.sandbox_mode;
	wanted->memory_mb = rstar_pg_sandbox_settings.sandbox_memory_mb;
	wanted->processes = rstar_pg_sandbox_settings.sandbox_processes;
	wanted->parallel = rstar_pg_sandbox_settings.sandbox_parallel;
	wanted->idle_timeout_s = rstar_pg_sandbox_settings.sandbox_idle_timeout_s;
	wanted->namespaces = rstar_pg_sandbox_settings.sandbox_namespaces;
	wanted->shared = rstar_pg_sandbox_settings.sandbox_shared;
	rstar_pg_session_sandbox_program(wanted->program, sizeof(wanted->program));
}

static void
open_session(const opened_with *wanted)
{
	static bool registered = false;
	rstar_sandbox_options options;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	rstar_error err;

	if (!registered)
	{
		on_proc_exit(close_session, (Datum) 0);
		pqsignal(SIGCHLD, reap_program);
	}
	registered = true;
	rstar_sandbox_options_default(&options);
	options.program = wanted->program;
	options.modules = rstar_pg_sandbox_settings.sandbox_modules;
	options.budget = (uint64) wanted->memory_mb << 20;
	options.processes = (uint32) wanted->processes;
	options.running = wanted->parallel > 0 ? wanted->parallel : Max(1, Min(cores, 256));
	options.idle_ms = (uint32) wanted->idle_timeout_s * 1000;
	options.replay = wanted->mode == RSTAR_SANDBOX_MODE_REPLAY;
	options.namespaces = wanted->namespaces;
	options.child = told_child;
	/* Without namespaces only if it is asked for: the shared one takes what it gets. */
	if (wanted->shared && wanted->namespaces)
		options.connect = rstar_pg_sandbox_server_connect;
	rstar_check(rstar_sandbox_open(&options, &rstar_allocator_malloc, &session, &err), &err);
	session_settings = *wanted;
	times_opened++;
}

uint64
rstar_pg_session_sandbox_opened(void)
{
	return times_opened;
}

rstar_sandbox *
rstar_pg_session_sandbox(void)
{
	opened_with wanted;

	wanted_settings(&wanted);
	if (session && memcmp(&wanted, &session_settings, sizeof(wanted)) != 0)
		close_session(0, (Datum) 0);
	if (!session)
		open_session(&wanted);
	return session;
}

void
rstar_pg_session_sandbox_limits(rstar_sandbox_limits *limits)
{
	rstar_sandbox_limits_default(limits);
	limits->wall_ms = (uint32) rstar_pg_option_int("timeout", false, 0, NULL);
	limits->cpu_ms = (uint32) rstar_pg_sandbox_settings.sandbox_cpu_timeout_ms;
	limits->memory = (uint64) rstar_pg_sandbox_settings.sandbox_step_memory_mb << 20;
	limits->output = (uint32) rstar_pg_sandbox_settings.sandbox_output;
}

/* What one running piece of code may take of the server's sandboxes: itself, and the state it left. */
#define BRIEF_PROCESSES 2

static rstar_guard *
take_brief_room(void)
{
	rstar_admission_room room = {.processes = BRIEF_PROCESSES, .brief = true};

	room.sandbox = Min((uint64) rstar_pg_sandbox_settings.sandbox_step_memory_mb << 20,
					   rstar_pg_settings_sandbox_bytes());
	return rstar_pg_admission_enter(&room);
}

void
rstar_pg_session_sandbox_run(rstar_sandbox_node parent, const rstar_sandbox_step *step,
							 rstar_sandbox_result *result)
{
	rstar_sandbox *sandbox = rstar_pg_session_sandbox();
	rstar_guard *room = take_brief_room();
	rstar_sandbox_node node;
	rstar_status status;
	rstar_error err;

	rstar_check(rstar_sandbox_start(sandbox, parent, step, &node, &err), &err);
	PG_TRY();
	{
		while ((status = rstar_sandbox_wait_for(sandbox, node, RSTAR_SLICE_MS, &rstar_pg_cancel,
												result, &err)) == RSTAR_AGAIN)
			CHECK_FOR_INTERRUPTS();
		rstar_check(status, &err);
	}
	PG_CATCH();
	{
		/* Kills it if it runs. */
		rstar_sandbox_release(sandbox, node);
		rstar_pg_admission_leave(room);
		PG_RE_THROW();
	}
	PG_END_TRY();
	rstar_pg_admission_leave(room);
}

void
rstar_pg_session_sandbox_release(rstar_sandbox_node node)
{
	if (session)
		rstar_sandbox_release(session, node);
}

/* --- how results read ------------------------------------------------------------ */

const char *
rstar_pg_session_sandbox_status(rstar_sandbox_status status)
{
	switch (status)
	{
		case RSTAR_SANDBOX_OK:
			return "ok";
		case RSTAR_SANDBOX_ERROR:
			return "error";
		case RSTAR_SANDBOX_TIMEOUT:
			return "timeout";
		case RSTAR_SANDBOX_KILLED:
			break;
	}
	return "killed";
}

/* A text that reached the limit must not pass for a whole one. */
static text *
marked_text(const char *data, size_t length, bool cut, const char *what)
{
	StringInfoData marked;

	if (!cut)
		return cstring_to_text_with_len(data, (int) length);
	initStringInfo(&marked);
	appendBinaryStringInfo(&marked, data, (int) length);
	appendStringInfo(&marked, "\n[%s cut at %zu bytes]", what, length);
	return cstring_to_text_with_len(marked.data, marked.len);
}

text *
rstar_pg_session_sandbox_output(const rstar_sandbox_result *result)
{
	return marked_text(result->output, result->output_length, result->output_cut, "output");
}

text *
rstar_pg_session_sandbox_value(const rstar_sandbox_result *result)
{
	return marked_text(result->value, result->value_length, result->value_cut, "value");
}

char *
rstar_pg_session_sandbox_error(const rstar_sandbox_result *result)
{
	const char *message = result->message ? result->message : "";
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoString(&text, result->error ? result->error : "");
	if (message[0])
		appendStringInfo(&text, ": %s", message);
	if (result->line > 0)
		appendStringInfo(&text, " (line %u)", result->line);
	return text.data;
}
