/*
 * test_sandbox.c
 *	  The sandbox's client against the real program: results, state, eviction,
 *	  replay, deaths of every process, limits of time, and a machine that does
 *	  not allow confinement.
 *
 * Needs src/sandbox/rstar-sandbox (or RSTAR_SANDBOX); skips loudly without it.
 */
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/sandbox/internal.h"
#include "core/sandbox/sandbox.h"

static const char *program;
static bool replay, plain;

static double
now_ms(void)
{
	return (double) rstar_clock_ns() / 1e6;
}

static rstar_sandbox *
open_with(uint64_t budget)
{
	rstar_sandbox_options options;
	rstar_sandbox *sandbox;
	rstar_error err;

	rstar_sandbox_options_default(&options);
	options.program = program;
	options.replay = replay;
	options.namespaces = !plain;
	if (budget)
		options.budget = budget;
	if (rstar_sandbox_open(&options, &rstar_allocator_malloc, &sandbox, &err) != RSTAR_OK)
	{
		printf("Bail out! %s\n", err.message);
		exit(1);
	}
	return sandbox;
}

static rstar_sandbox_step
step_of(const char *code, uint32_t wall_ms)
{
	rstar_sandbox_step step = {.code = code, .length = strlen(code)};

	rstar_sandbox_limits_default(&step.limits);
	step.limits.wall_ms = wall_ms;
	step.limits.cpu_ms = wall_ms;
	return step;
}

/* Run code on a node; the new node is returned, the result filled in. */
static rstar_sandbox_node
run_on(rstar_sandbox *sandbox, rstar_sandbox_node parent, const char *code,
	   rstar_sandbox_result *result)
{
	rstar_sandbox_step step = step_of(code, 20000);
	rstar_error err = {.message = ""};
	rstar_status status = rstar_sandbox_run(sandbox, parent, &step, NULL, result, &err);

	CHECK_MSG(status == RSTAR_OK, "%s %s (%s)", err.message, err.detail, code);
	return result->node;
}

/* Run code that must succeed; compare what it printed (or its value). */
static rstar_sandbox_node
expect(rstar_sandbox *sandbox, rstar_sandbox_node parent, const char *code, const char *expected)
{
	rstar_sandbox_result result;
	rstar_sandbox_node node = run_on(sandbox, parent, code, &result);
	const char *said = result.value ? result.value : result.output ? result.output : "nothing";

	CHECK_MSG(result.status == RSTAR_SANDBOX_OK && strcmp(said, expected) == 0,
			  "%s gave \"%s\" (%s: %s) instead of \"%s\"", code, said,
			  result.error ? result.error : "-", result.message ? result.message : "-", expected);
	rstar_sandbox_result_free(&result);
	return node;
}

/* --- frames ------------------------------------------------------------------------ */

static void
test_frames(void)
{
	rstar_broker_result out = {.node = 7ull << 40,
							   .elapsed_us = 12,
							   .result = {.status = RSTAR_SANDBOX_ERROR,
										  .line = 3,
										  .output = {"abc", 3},
										  .value = {"", 0},
										  .error = {"E", 1},
										  .message = {"m\0n", 3}}},
						in;
	rstar_buffer buffer;
	rstar_reader payload;
	uint8_t type;
	long size;

	rstar_buffer_init(&buffer, &rstar_allocator_malloc);
	CHECK(rstar_sandbox_encode_broker_result(&buffer, &out));
	/* Every prefix is "not yet", and no prefix of the payload decodes. */
	for (size_t n = 0; n < buffer.length; n++)
	{
		CHECK(rstar_sandbox_frame_peek(buffer.data, n, 1 << 20, &type, &payload) == 0);
		if (n >= RSTAR_FRAME_HEADER)
		{
			rstar_sandbox_reader_init(&payload, buffer.data + RSTAR_FRAME_HEADER,
									  n - RSTAR_FRAME_HEADER);
			CHECK(!rstar_sandbox_decode_broker_result(&payload, &in));
		}
	}
	size = rstar_sandbox_frame_peek(buffer.data, buffer.length, 1 << 20, &type, &payload);
	CHECK(size == (long) buffer.length && type == RSTAR_FRAME_RESULT);
	CHECK(rstar_sandbox_decode_broker_result(&payload, &in));
	CHECK(in.node == out.node && in.result.line == 3 && in.result.message.length == 3);
	CHECK(rstar_sandbox_frame_peek(buffer.data, buffer.length, 8, &type, &payload) == -1);
	/* A status that does not exist, and a text longer than its bound. */
	buffer.data[RSTAR_FRAME_HEADER + 8] = 9;
	rstar_sandbox_reader_init(&payload, buffer.data + RSTAR_FRAME_HEADER,
							  buffer.length - RSTAR_FRAME_HEADER);
	CHECK(!rstar_sandbox_decode_broker_result(&payload, &in));
	rstar_buffer_free(&buffer);
}

/* --- results --------------------------------------------------------------------------- */

static void
test_results(void)
{
	rstar_sandbox *sandbox = open_with(0);
	rstar_sandbox_result r;

	expect(sandbox, 0, "6*7", "42");
	expect(sandbox, 0, "print('a', 1)", "a 1\n");
	expect(sandbox, 0, "x = 5", "");
	expect(sandbox, 0, "'\\u00e9' + chr(0x1f600)", "\xc3\xa9\xf0\x9f\x98\x80");
	expect(sandbox, 0, "", "");
	run_on(sandbox, 0, "a = 1\nb = 2\nc = a / (b - 2)", &r);
	CHECK(r.status == RSTAR_SANDBOX_ERROR && r.line == 3);
	CHECK_STR(r.error, "ZeroDivisionError");
	CHECK_STR(r.message, "division by zero");
	rstar_sandbox_result_free(&r);
	run_on(sandbox, 0, "print('before')\nx = = 2", &r);
	CHECK(r.status == RSTAR_SANDBOX_ERROR && r.line == 2);
	CHECK_STR(r.error, "SyntaxError");
	CHECK_STR(r.output, "");
	rstar_sandbox_result_free(&r);
	run_on(sandbox, 0, "print('shown')\nraise ValueError('a\\0b\\ud800')", &r);
	CHECK_STR(r.output, "shown\n");
	CHECK_STR(r.error, "ValueError");
	CHECK(strlen(r.message) >= 3 && r.message[0] == 'a');
	rstar_sandbox_result_free(&r);
	run_on(sandbox, 0, "print('x' * 100000)\n'y' * 100000", &r);
	CHECK(r.status == RSTAR_SANDBOX_OK && r.output_cut && r.value_cut);
	CHECK(r.output_length == 65536 && r.value_length == 65536);
	rstar_sandbox_result_free(&r);
	run_on(sandbox, 0, "import os\nos.abort()", &r);
	CHECK(r.status == RSTAR_SANDBOX_KILLED);
	CHECK_STR(r.error, "Killed");
	rstar_sandbox_result_free(&r);
	rstar_sandbox_close(sandbox);
}

static void
test_state(void)
{
	rstar_sandbox *sandbox = open_with(0);
	rstar_sandbox_result r;
	rstar_sandbox_node a, b, failed;

	a = expect(sandbox, 0, "x = 10\ndata = []", "");
	b = expect(sandbox, a, "x += 1\ndata.append(x)\nx", "11");
	expect(sandbox, a, "x += 5\ndata.append(x)\nprint(x, data)", "15 [15]\n");
	expect(sandbox, b, "print(x, data)", "11 [11]\n");
	/* A failed step counts for nothing; what is started on it sees its parent. */
	failed = run_on(sandbox, b, "x = 99\ndata.append(99)\n1/0", &r);
	CHECK(r.status == RSTAR_SANDBOX_ERROR);
	rstar_sandbox_result_free(&r);
	b = expect(sandbox, failed, "x += 1\nprint(x, data)", "12 [11]\n");
	failed = run_on(sandbox, b, "while True: pass", &r);
	rstar_sandbox_result_free(&r);
	expect(sandbox, failed, "x", "12");
	rstar_sandbox_close(sandbox);
}

static void
test_same_output(void)
{
	const char *code = "import random, os\nprint(random.random(), random.Random().random(), "
					   "os.urandom(4), hash('a'), {'x', 'y', 'zz', object})";
	char *first = NULL;

	for (int i = 0; i < 2; i++)
	{
		rstar_sandbox *sandbox = open_with(0);
		rstar_sandbox_result r;

		run_on(sandbox, 0, code, &r);
		CHECK(r.status == RSTAR_SANDBOX_OK);
		if (i == 0)
			first = strdup(r.output);
		else
			CHECK_STR(r.output, first);
		rstar_sandbox_result_free(&r);
		run_on(sandbox, 0, code, &r);
		CHECK_STR(r.output, first);
		rstar_sandbox_result_free(&r);
		rstar_sandbox_close(sandbox);
	}
	free(first);
}

static void
test_sympy(void)
{
	rstar_sandbox *sandbox = open_with(0);
	rstar_sandbox_node a, b;

	a = expect(sandbox, 0, "n = 3", "");
	b = expect(sandbox, a, "from sympy import *\nx = symbols('x')\nsolve(x**2 - n**2, x)",
			   "[-3, 3]");
	expect(sandbox, b, "diff(x**n, x)", "3*x**2");
	/* Not found by its name, but by the error. */
	expect(sandbox, a, "m = __import__('sym' + 'py')\nm.factorint(12)", "{2: 2, 3: 1}");
	expect(sandbox, a, "n + 1", "4");
	rstar_sandbox_close(sandbox);
}

static void
test_many(void)
{
	enum
	{
		N = 60
	};
	rstar_sandbox *sandbox = open_with(0);
	rstar_sandbox_node parent = expect(sandbox, 0, "x = 100", ""), nodes[N];
	rstar_sandbox_result r;
	rstar_error err;
	int seen = 0;

	for (int i = 0; i < N; i++)
	{
		char code[64];
		rstar_sandbox_step step;

		snprintf(code, sizeof(code), "x += %d\nprint(x)", i);
		step = step_of(code, 20000);
		CHECK(rstar_sandbox_start(sandbox, parent, &step, &nodes[i], &err) == RSTAR_OK);
	}
	CHECK(rstar_sandbox_in_flight(sandbox) == N);
	while (rstar_sandbox_in_flight(sandbox) > 0)
	{
		rstar_status status = rstar_sandbox_wait(sandbox, 1000, NULL, &r, &err);

		if (status == RSTAR_AGAIN)
			continue;
		CHECK(status == RSTAR_OK);
		if (status != RSTAR_OK)
			break;
		for (int i = 0; i < N; i++)
			if (nodes[i] == r.node)
			{
				CHECK_MSG(atoi(r.output) == 100 + i, "%s for %d", r.output, i);
				seen++;
			}
		rstar_sandbox_release(sandbox, r.node);
		rstar_sandbox_result_free(&r);
	}
	CHECK(seen == N);
	CHECK(rstar_sandbox_wait(sandbox, 0, NULL, &r, &err) == RSTAR_ERR_NOT_FOUND);
	rstar_sandbox_close(sandbox);
}

/* A budget for a few snapshots only: everything is rebuilt time and again. */
static void
test_eviction(void)
{
	enum
	{
		DEPTH = 12
	};
	rstar_sandbox *sandbox = open_with(24ull << 20);
	rstar_sandbox_node chain[DEPTH + 1] = {0};
	rstar_sandbox_statistics statistics;
	rstar_error err;
	char expected[32];

	for (int i = 1; i <= DEPTH; i++)
	{
		char code[96];

		snprintf(code, sizeof(code), "k = %d\nkeep%d = [k] * 50000\nprint(len(dir()))", i, i);
		{
			rstar_sandbox_step step = step_of(code, 20000);
			rstar_sandbox_result r;

			step.limits.memory = 8ull << 20;
			CHECK(rstar_sandbox_run(sandbox, chain[i - 1], &step, NULL, &r, &err) == RSTAR_OK);
			CHECK(r.status == RSTAR_SANDBOX_OK);
			chain[i] = r.node;
			rstar_sandbox_result_free(&r);
		}
	}
	for (int i = DEPTH; i >= 1; i--)
	{
		snprintf(expected, sizeof(expected), "%d", i);
		expect(sandbox, chain[i], "k", expected);
		snprintf(expected, sizeof(expected), "%d", i * 50000);
		expect(sandbox, chain[i],
			   "sum(len(v) for n, v in list(globals().items()) if n[:4] == 'keep')", expected);
	}
	CHECK(rstar_sandbox_count(sandbox, 5000, NULL, &statistics, &err) == RSTAR_OK);
	if (!replay)
	{
		CHECK_MSG(statistics.broker.evictions > 0, "%d", (int) statistics.broker.evictions);
		CHECK_MSG(statistics.rebuilds > 0, "%d", (int) statistics.rebuilds);
	}
	CHECK(statistics.starts == 1);
	rstar_sandbox_close(sandbox);
}

/* --- limits ------------------------------------------------------------------------------ */

static void
expect_timeout(rstar_sandbox *sandbox, const char *code, uint32_t wall, uint32_t cpu)
{
	rstar_sandbox_step step = step_of(code, wall);
	rstar_sandbox_result r;
	rstar_error err;
	double started, took, limit = wall < cpu ? wall : cpu;

	step.limits.cpu_ms = cpu;
	started = now_ms();
	CHECK(rstar_sandbox_run(sandbox, 0, &step, NULL, &r, &err) == RSTAR_OK);
	took = now_ms() - started;
	CHECK_MSG(r.status == RSTAR_SANDBOX_TIMEOUT, "%s: %s %s", code, r.error, r.message);
	/* The design allows 50 ms, which the figures show; a test on a busy machine allows much more. */
	CHECK_MSG(r.elapsed_ms >= limit - 1, "%s: after %.0f ms", code, r.elapsed_ms);
	if (wall <= cpu)
		CHECK_MSG(r.elapsed_ms < limit + 10000, "%s: after %.0f ms", code, r.elapsed_ms);
	printf("# %.30s: %.1f ms after the limit, %.1f ms in all\n", code, r.elapsed_ms - limit, took);
	rstar_sandbox_result_free(&r);
}

static void
test_timeouts(void)
{
	rstar_sandbox *sandbox = open_with(0);

	expect(sandbox, 0, "1", "1");
	expect_timeout(sandbox, "while True: pass", 300, 10000);
	expect_timeout(sandbox, "10**10**7", 300, 10000);
	expect_timeout(sandbox, "sum(range(10**12))", 300, 10000);
	expect_timeout(sandbox, "while True:\n try:\n  while True: pass\n except BaseException: pass",
				   300, 10000);
	expect_timeout(sandbox, "while True: pass", 10000, 200);
	expect_timeout(sandbox, "x = 'a'\nwhile True: print(x)", 300, 10000);
	expect(sandbox, 0, "import time\ntime.sleep(1000)\n'slept'", "slept");
	rstar_sandbox_close(sandbox);
}

static void
test_arguments(void)
{
	rstar_sandbox *sandbox = open_with(0);
	rstar_sandbox_step step = step_of("1", 1000);
	rstar_sandbox_node node;
	rstar_sandbox_result r;
	rstar_error err;
	char *big = malloc(RSTAR_SANDBOX_CODE_MAX + 2);

	CHECK(rstar_sandbox_start(sandbox, 12345, &step, &node, &err) == RSTAR_ERR_ARGUMENT);
	step.limits.wall_ms = 0;
	CHECK(rstar_sandbox_start(sandbox, 0, &step, &node, &err) == RSTAR_ERR_ARGUMENT);
	/* The longest code, and a byte more. */
	memset(big, ' ', RSTAR_SANDBOX_CODE_MAX + 1);
	memcpy(big, "77\n#", 4);
	big[RSTAR_SANDBOX_CODE_MAX + 1] = '\0';
	step = step_of(big, 10000);
	CHECK(rstar_sandbox_start(sandbox, 0, &step, &node, &err) == RSTAR_ERR_ARGUMENT);
	step.length--;
	CHECK(rstar_sandbox_run(sandbox, 0, &step, NULL, &r, &err) == RSTAR_OK);
	CHECK(r.status == RSTAR_SANDBOX_OK);
	CHECK_STR(r.value ? r.value : "-", "77");
	rstar_sandbox_result_free(&r);
	step = step_of("a\0b", 1000);
	step.length = 3;
	CHECK(rstar_sandbox_run(sandbox, 0, &step, NULL, &r, &err) == RSTAR_OK);
	CHECK(r.status == RSTAR_SANDBOX_ERROR);
	rstar_sandbox_result_free(&r);
	free(big);
	rstar_sandbox_close(sandbox);
}

static bool
always(void *arg)
{
	(void) arg;
	return true;
}

static void
test_cancel(void)
{
	rstar_sandbox *sandbox = open_with(0);
	rstar_sandbox_step step = step_of("while True: pass", 60000);
	rstar_cancel cancel = {.requested = always};
	rstar_sandbox_result r;
	rstar_error err;
	rstar_sandbox_node node;
	double started;

	expect(sandbox, 0, "1", "1");
	started = now_ms();
	CHECK(rstar_sandbox_run(sandbox, 0, &step, &cancel, &r, &err) == RSTAR_ERR_CANCELLED);
	CHECK(now_ms() - started < 100);
	CHECK(rstar_sandbox_start(sandbox, 0, &step, &node, &err) == RSTAR_OK);
	CHECK(rstar_sandbox_wait(sandbox, 100, NULL, &r, &err) == RSTAR_AGAIN);
	rstar_sandbox_reset(sandbox);
	CHECK(rstar_sandbox_in_flight(sandbox) == 0);
	expect(sandbox, 0, "2", "2");
	rstar_sandbox_close(sandbox);
}

/* --- deaths -------------------------------------------------------------------------------- */

/* Processes below root (itself not), from /proc. */
static int
descendants(pid_t root, pid_t *found, int max)
{
	int n = 0;
	bool grown = true;

	while (grown)
	{
		DIR *proc = opendir("/proc");
		struct dirent *entry;

		grown = false;
		while (proc && (entry = readdir(proc)))
		{
			char path[64], line[512], *end;
			pid_t pid = atoi(entry->d_name), parent = 0;
			bool known = false, below;
			FILE *f;

			if (pid <= 0)
				continue;
			snprintf(path, sizeof(path), "/proc/%d/stat", pid);
			f = fopen(path, "r");
			if (f && fgets(line, sizeof(line), f) && (end = strrchr(line, ')')))
				parent = atoi(end + 4);
			if (f)
				fclose(f);
			below = parent == root;
			for (int i = 0; i < n; i++)
			{
				known |= found[i] == pid;
				below |= found[i] == parent;
			}
			if (below && !known && n < max)
			{
				found[n++] = pid;
				grown = true;
			}
		}
		if (proc)
			closedir(proc);
	}
	return n;
}

static int
count_fds(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int n = 0;

	while (folder && readdir(folder))
		n++;
	closedir(folder);
	return n;
}

static int
alive(const pid_t *pids, int n)
{
	int count = 0;

	for (int i = 0; i < n; i++)
	{
		char path[64], line[512] = "", *end;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/stat", pids[i]);
		f = fopen(path, "r");
		if (!f)
			continue;
		/* A zombie is dead; who adopted it reaps when it likes. */
		if (fgets(line, sizeof(line), f) && (end = strrchr(line, ')')))
			count += end[2] != 'Z';
		fclose(f);
	}
	return count;
}

static int
wait_gone(const pid_t *pids, int n, double limit_ms)
{
	double until = now_ms() + limit_ms;
	int left;

	while ((left = alive(pids, n)) > 0 && now_ms() < until)
		usleep(5000);
	return left;
}

static void
test_nothing_left(void)
{
	int before = count_fds();
	rstar_sandbox *sandbox = open_with(0);
	rstar_sandbox_step step = step_of("while True: pass", 60000);
	rstar_sandbox_node node;
	rstar_sandbox_result r;
	rstar_error err;
	pid_t pids[64];
	int n;

	expect(sandbox, expect(sandbox, 0, "x = 1", ""), "x", "1");
	CHECK(rstar_sandbox_start(sandbox, 0, &step, &node, &err) == RSTAR_OK);
	CHECK(rstar_sandbox_wait(sandbox, 50, NULL, &r, &err) == RSTAR_AGAIN);
	n = descendants(getpid(), pids, 64);
	CHECK_MSG(n >= 4, "%d processes", n);
	rstar_sandbox_close(sandbox);
	CHECK_MSG(wait_gone(pids, n, 1000) == 0, "%d of %d left", alive(pids, n), n);
	CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
	CHECK(count_fds() == before);
}

/* Kill each of the processes in turn; the client must not notice. */
static void
test_kill_each(void)
{
	for (int which = 0; which < 6; which++)
	{
		rstar_sandbox *sandbox = open_with(0);
		rstar_sandbox_node a = expect(sandbox, 0, "x = 20", "");
		rstar_sandbox_node b = expect(sandbox, a, "x += 1", "");
		pid_t pids[64];
		int n = descendants(getpid(), pids, 64);

		/* Order of birth: supervisor, broker, templates, nodes. */
		if (which >= n)
		{
			rstar_sandbox_close(sandbox);
			break;
		}
		/* A node that has just been released may be gone by itself. */
		CHECK_MSG(kill(pids[which], SIGKILL) == 0 || errno == ESRCH, "process %d of %d: %s", which,
				  n, strerror(errno));
		if (which % 2)
			usleep(20000);
		expect(sandbox, b, "x + 1", "22");
		expect(sandbox, a, "x + 1", "21");
		rstar_sandbox_close(sandbox);
		CHECK_MSG(wait_gone(pids, n, 1000) == 0, "after killing process %d of %d: %d left", which,
				  n, alive(pids, n));
	}
}

/* The client is killed outright while steps run. */
static void
test_client_killed(void)
{
	int report[2], n = 0;
	pid_t child, pids[64];

	CHECK(pipe(report) == 0);
	child = fork();
	if (child == 0)
	{
		rstar_sandbox *sandbox = open_with(0);
		rstar_sandbox_step step = step_of("while True: pass", 60000);
		rstar_sandbox_node node;
		rstar_sandbox_result r;
		rstar_error err;
		rstar_sandbox_node a = expect(sandbox, 0, "x = 1", "");

		(void) rstar_sandbox_start(sandbox, a, &step, &node, &err);
		(void) rstar_sandbox_start(sandbox, 0, &step, &node, &err);
		(void) rstar_sandbox_wait(sandbox, 200, NULL, &r, &err);
		n = descendants(getpid(), pids, 64);
		(void) !write(report[1], &n, sizeof(n));
		(void) !write(report[1], pids, sizeof(pids));
		pause();
		_exit(0);
	}
	CHECK(read(report[0], &n, sizeof(n)) == (ssize_t) sizeof(n));
	CHECK(read(report[0], pids, sizeof(pids)) == (ssize_t) sizeof(pids));
	CHECK_MSG(n >= 4, "%d processes", n);
	CHECK(alive(pids, n) == n);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	CHECK_MSG(wait_gone(pids, n, 1000) == 0, "%d of %d left", alive(pids, n), n);
	close(report[0]);
	close(report[1]);
}

/* --- machines that do not allow it ------------------------------------------------------------ */

/* In this process and what it starts: seccomp is forbidden, or has a listener already. */
static bool
outer_filter(bool listener)
{
	struct sock_filter forbid[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog program_ = {.len = listener ? 1 : 4, .filter = listener ? allow : forbid};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return false;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				   listener ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0, &program_) >= 0;
}

/* Run one step in a child process under an outer filter; its exit code tells. */
static int
run_under(bool listener)
{
	pid_t child = fork();
	int status;

	if (child == 0)
	{
		rstar_sandbox *sandbox;
		rstar_sandbox_step step = step_of("6*7", 5000);
		rstar_sandbox_result r;
		rstar_sandbox_description info;
		rstar_error err = {.message = ""};
		rstar_status rc;

		if (!outer_filter(listener))
			_exit(99);
		sandbox = open_with(0);
		rc = rstar_sandbox_run(sandbox, 0, &step, NULL, &r, &err);
		printf("# %s: %s %s\n", rstar_status_name(rc), err.message, err.detail);
		fflush(stdout);
		if (rc == RSTAR_ERR_DENIED)
			_exit(strstr(err.detail, "seccomp") ? 10 : 11);
		if (rc != RSTAR_OK || strcmp(r.value ? r.value : "-", "42") != 0)
			_exit(12);
		(void) rstar_sandbox_describe(sandbox, 1000, NULL, &info, &err);
		rstar_sandbox_close(sandbox);
		_exit(info.snapshots ? 21 : 20);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
test_no_seccomp(void)
{
	int code = run_under(false);

	CHECK_MSG(code == 10, "exit code %d", code);
}

static void
test_outer_listener(void)
{
	int code = run_under(true);

	CHECK_MSG(code == 20, "exit code %d", code);
}

static void
test_no_program(void)
{
	const char *saved = program;
	rstar_sandbox *sandbox;
	rstar_sandbox_step step = step_of("1", 1000);
	rstar_sandbox_result r;
	rstar_error err;

	program = "/nowhere/rstar-sandbox";
	sandbox = open_with(0);
	CHECK(rstar_sandbox_run(sandbox, 0, &step, NULL, &r, &err) == RSTAR_ERR_SANDBOX);
	rstar_sandbox_close(sandbox);
	program = "/bin/true";
	sandbox = open_with(0);
	CHECK(rstar_sandbox_run(sandbox, 0, &step, NULL, &r, &err) == RSTAR_ERR_SANDBOX);
	CHECK(strstr(err.message, "ended"));
	rstar_sandbox_close(sandbox);
	program = saved;
}

static void
test_bad_module(void)
{
	rstar_sandbox_options options;
	rstar_sandbox *sandbox;
	rstar_sandbox_step step = step_of("1", 1000);
	rstar_sandbox_result r;
	rstar_error err;

	rstar_sandbox_options_default(&options);
	options.program = program;
	options.modules = "math, no_such_module";
	CHECK(rstar_sandbox_open(&options, &rstar_allocator_malloc, &sandbox, &err) == RSTAR_OK);
	CHECK(rstar_sandbox_run(sandbox, 0, &step, NULL, &r, &err) == RSTAR_ERR_SANDBOX);
	CHECK_MSG(strstr(err.detail, "no_such_module"), "%s", err.detail);
	rstar_sandbox_close(sandbox);
}

/*
 * A step that parks by its own hand, so that what is forked from it runs its
 * code and never says hello: other problems' nodes must come to no harm, and it
 * must not be tried for ever.
 */
static void
test_hostile_base(void)
{
	static const char evil[] = "import ctypes\nL = ctypes.CDLL(None)\nimport os\n"
							   "def u32(n): return n.to_bytes(4, 'little')\n"
							   "os.write(3, u32(22) + bytes([7]) + bytes(22))\n"
							   "while True:\n"
							   "    if L.syscall(56, 0x8011, 0, 0, 0, 0) == 0:\n"
							   "        while True: pass\n";
	rstar_sandbox_options options;
	rstar_sandbox *sandbox;
	rstar_sandbox_result r;
	rstar_sandbox_statistics statistics;
	rstar_sandbox_node other, base, on_base, on_other;
	rstar_sandbox_step step = step_of("secret + 1", 20000);
	rstar_error err;
	int left = 2;

	rstar_sandbox_options_default(&options);
	options.program = program;
	options.modules = "math, ctypes";
	CHECK(rstar_sandbox_open(&options, &rstar_allocator_malloc, &sandbox, &err) == RSTAR_OK);
	other = expect(sandbox, 0, "secret = 41", "");
	base = run_on(sandbox, 0, evil, &r);
	CHECK(r.status == RSTAR_SANDBOX_OK);
	rstar_sandbox_result_free(&r);
	CHECK(rstar_sandbox_start(sandbox, base, &step, &on_base, &err) == RSTAR_OK);
	CHECK(rstar_sandbox_start(sandbox, other, &step, &on_other, &err) == RSTAR_OK);
	while (left > 0)
	{
		rstar_status status = rstar_sandbox_wait(sandbox, 20000, NULL, &r, &err);

		if (status == RSTAR_AGAIN)
			continue;
		CHECK_MSG(status == RSTAR_OK, "%s", err.message);
		if (status != RSTAR_OK)
			break;
		if (r.node == on_base)
			CHECK(r.status == RSTAR_SANDBOX_KILLED);
		else
			CHECK(r.status == RSTAR_SANDBOX_OK && r.value && strcmp(r.value, "42") == 0);
		rstar_sandbox_result_free(&r);
		left--;
	}
	CHECK(rstar_sandbox_count(sandbox, 10000, NULL, &statistics, &err) == RSTAR_OK);
	CHECK_MSG(statistics.starts == 2, "%d programs", (int) statistics.starts);
	rstar_sandbox_close(sandbox);
}

/* One that parks by its own hand, lets its child say hello, and runs on. */
static void
test_base_runs_on(void)
{
	static const char evil[] = "import ctypes\nL = ctypes.CDLL(None)\nimport os\n"
							   "def u32(n): return n.to_bytes(4, 'little')\n"
							   "os.write(3, u32(22) + bytes([7]) + bytes(22))\n"
							   "if L.syscall(56, 0x8011, 0, 0, 0, 0) == 0:\n"
							   "    L.syscall(124, 0)\n"
							   "while True: pass\n";
	rstar_sandbox_options options;
	rstar_sandbox *sandbox;
	rstar_sandbox_result r;
	rstar_sandbox_statistics statistics;
	rstar_sandbox_node base;
	rstar_sandbox_step step = step_of("1", 300);
	rstar_error err;
	double until = now_ms() + 8000;

	rstar_sandbox_options_default(&options);
	options.program = program;
	options.modules = "math, ctypes";
	CHECK(rstar_sandbox_open(&options, &rstar_allocator_malloc, &sandbox, &err) == RSTAR_OK);
	base = run_on(sandbox, 0, evil, &r);
	CHECK(r.status == RSTAR_SANDBOX_OK);
	rstar_sandbox_result_free(&r);
	CHECK(rstar_sandbox_run(sandbox, base, &step, NULL, &r, &err) == RSTAR_OK);
	CHECK_MSG(r.status == RSTAR_SANDBOX_TIMEOUT || r.status == RSTAR_SANDBOX_KILLED, "status %d",
			  r.status);
	rstar_sandbox_result_free(&r);
	do
	{
		usleep(50000);
		CHECK(rstar_sandbox_count(sandbox, 10000, NULL, &statistics, &err) == RSTAR_OK);
	} while (statistics.broker.snapshots > 0 && now_ms() < until);
	CHECK_MSG(statistics.broker.snapshots == 0 && statistics.starts == 1, "%d parked, %d programs",
			  (int) statistics.broker.snapshots, (int) statistics.starts);
	expect(sandbox, 0, "6*7", "42");
	rstar_sandbox_close(sandbox);
}

/* A node that reports and never parks costs itself only. */
static void
test_never_parks(void)
{
	static const char evil[] = "import os\ndef u32(n): return n.to_bytes(4, 'little')\n"
							   "x = 1\nos.write(3, u32(22) + bytes([7]) + bytes(22))\n"
							   "while x: pass\n";
	rstar_sandbox *sandbox = open_with(0);
	rstar_sandbox_statistics statistics;
	rstar_sandbox_result r;
	rstar_error err;
	rstar_sandbox_node base = run_on(sandbox, 0, evil, &r);

	/* Its report is believed once its state is parked, which never happens. */
	CHECK_MSG(r.status == RSTAR_SANDBOX_TIMEOUT, "status %d", r.status);
	rstar_sandbox_result_free(&r);
	/* A step that failed leaves no state: the next one runs without it. */
	run_on(sandbox, base, "1", &r);
	CHECK_MSG(r.status == RSTAR_SANDBOX_OK, "status %d", r.status);
	rstar_sandbox_result_free(&r);
	expect(sandbox, 0, "6*7", "42");
	CHECK(rstar_sandbox_count(sandbox, 10000, NULL, &statistics, &err) == RSTAR_OK);
	CHECK_MSG(statistics.starts == 1, "%d programs", (int) statistics.starts);
	rstar_sandbox_close(sandbox);
}

static void
test_info(void)
{
	rstar_sandbox *sandbox = open_with(0);
	rstar_sandbox_description info;
	rstar_error err = {.message = ""};

	CHECK_MSG(rstar_sandbox_describe(sandbox, 20000, NULL, &info, &err) == RSTAR_OK, "%s",
			  err.message);
	CHECK(info.seccomp && info.broker_confined && info.pid > 0);
	CHECK(info.snapshots == !replay);
	CHECK(!plain || !info.namespaces);
	CHECK(strncmp(info.python, "3.", 2) == 0);
	printf("# seccomp %d snapshots %d namespaces %d landlock %u measured %d huge pages %d fixed "
		   "addresses %d\n",
		   info.seccomp, info.snapshots, info.namespaces, info.landlock, info.measured,
		   info.huge_pages, info.fixed_addresses);
	rstar_sandbox_close(sandbox);
}

int
main(void)
{
	static const char *const names[] = {"snapshots, namespaces", "replay", "snapshots, plain"};

	setvbuf(stdout, NULL, _IOLBF, 0);
	program = getenv("RSTAR_SANDBOX");
	if (!program)
		program = "src/sandbox/rstar-sandbox";
	RUN(test_frames);
	if (access(program, X_OK) != 0)
	{
		SKIP(test_program,
			 "src/sandbox/rstar-sandbox is not built (make src/sandbox/rstar-sandbox)");
		return CHECK_RESULT();
	}
	for (int mode = 0; mode < 3; mode++)
	{
		replay = mode == 1;
		plain = mode == 2;
		printf("# %s\n", names[mode]);
		RUN(test_info);
		RUN(test_state);
		if (!plain)
		{
			RUN(test_results);
			RUN(test_same_output);
			RUN(test_many);
			RUN(test_eviction);
			RUN(test_timeouts);
		}
		RUN(test_cancel);
		RUN(test_nothing_left);
		RUN(test_kill_each);
		RUN(test_client_killed);
	}
	replay = plain = false;
	RUN(test_sympy);
	RUN(test_arguments);
	RUN(test_hostile_base);
	RUN(test_base_runs_on);
	RUN(test_never_parks);
	RUN(test_no_seccomp);
	RUN(test_outer_listener);
	RUN(test_no_program);
	RUN(test_bad_module);
	return CHECK_RESULT();
}
