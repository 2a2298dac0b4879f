/*
 * bench_sandbox.c
 *	  Steps per second in the sandbox, against what people do without it.
 *
 *		build/bench/bench_sandbox [seconds per figure]
 *
 * Two solutions of six steps, arithmetic and SymPy, run step by step, each step
 * on its ancestors' state. Peers, in the same run: a fresh python3 for every
 * step (safe from leftovers, not from the code), and exec() in one long-lived
 * python3, ancestors' code included, as the reference implementation's pool
 * does (no isolation whatever). "fork" is the floor: fork, exit and wait of a
 * process as large as the template.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/sandbox/sandbox.h"

#define STEPS     6
#define MAX_TIMES 200000

static const char *const arithmetic[STEPS] = {
	"total = 2 * 20 * 12\nrate = 3.5",
	"reps = total / (2 * 15)\nprint(reps)",
	"def area(w, h):\n    return w * h\na = area(reps, total)",
	"values = [i * i for i in range(1, 20) if i % 3]\ns = sum(values)",
	"answer = int(a + s) % 1000\nprint(f'{answer:,}')",
	"answer * 2",
};

static const char *const sympy[STEPS] = {
	"from sympy import symbols, solve, expand, simplify, Rational\nx, y = symbols('x y')",
	"p = expand((x + 2) * (x - 3))\nprint(p)",
	"roots = solve(p, x)\nprint(roots)",
	"q = simplify((x**2 - 9) / (x - 3))\nprint(q)",
	"r = solve([x + y - 10, x - y - 2], [x, y])\nprint(r)",
	"Rational(3, 4) + r[x]",
};

static double times[MAX_TIMES];
static int n_times;
static double budget_s = 4;

static double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return x < y ? -1 : x > y;
}

static double
percentile(double p)
{
	return n_times ? times[(int) (p * (n_times - 1))] : 0;
}

/* Prints a row; returns the rate. */
static double
row(const char *what, double seconds, int steps, double goal)
{
	double rate = steps / seconds;

	qsort(times, (size_t) n_times, sizeof(double), compare);
	printf("%-44s %8.1f steps/s", what, rate);
	if (n_times)
		printf("  p50 %7.2f ms  p99 %7.2f ms", percentile(0.5) * 1e3, percentile(0.99) * 1e3);
	if (goal > 0)
		printf("  asked for %.0f", goal);
	printf("\n");
	fflush(stdout);
	n_times = 0;
	return rate;
}

static void
die(const char *what, const rstar_error *err)
{
	fprintf(stderr, "bench_sandbox: %s: %s %s\n", what, err->message, err->detail);
	exit(1);
}

static rstar_sandbox *
open_sandbox(bool replay, uint32_t running)
{
	rstar_sandbox_options options;
	rstar_sandbox *sandbox;
	rstar_error err;

	rstar_sandbox_options_default(&options);
	options.program =
		getenv("RSTAR_SANDBOX") ? getenv("RSTAR_SANDBOX") : "src/sandbox/rstar-sandbox";
	options.replay = replay;
	options.running = running;
	if (rstar_sandbox_open(&options, &rstar_allocator_malloc, &sandbox, &err) != RSTAR_OK)
		die("open", &err);
	return sandbox;
}

static rstar_sandbox_step
step_of(const char *code)
{
	rstar_sandbox_step step = {.code = code, .length = strlen(code)};

	rstar_sandbox_limits_default(&step.limits);
	step.limits.wall_ms = step.limits.cpu_ms = 30000;
	return step;
}

static void
check_result(const rstar_sandbox_result *r, const char *code)
{
	if (r->status != RSTAR_SANDBOX_OK)
	{
		fprintf(stderr, "bench_sandbox: %s: %s %s\n", code, r->error, r->message);
		exit(1);
	}
}

/* One step after the other, one in flight. */
static double
one_in_flight(rstar_sandbox *sandbox, const char *const *steps, const char *what, double goal,
			  bool keeps)
{
	double started = now_s();
	int done = 0;
	uint64_t bytes = 0;
	double cpu_ms = 0;

	while (now_s() - started < budget_s)
	{
		rstar_sandbox_node nodes[STEPS + 1] = {0};

		for (int i = 0; i < STEPS; i++)
		{
			rstar_sandbox_step step = step_of(steps[i]);
			rstar_sandbox_result r;
			rstar_error err;
			double t = now_s();

			if (rstar_sandbox_run(sandbox, nodes[i], &step, NULL, &r, &err) != RSTAR_OK)
				die("run", &err);
			check_result(&r, steps[i]);
			if (n_times < MAX_TIMES)
				times[n_times++] = now_s() - t;
			nodes[i + 1] = r.node;
			bytes += r.bytes;
			cpu_ms += r.cpu_ms;
			rstar_sandbox_result_free(&r);
			done++;
		}
		for (int i = STEPS; i > 0; i--)
			rstar_sandbox_release(sandbox, nodes[i]);
	}
	started = now_s() - started;
	printf("%-44s %8.3f ms of CPU time in the step's own process", "", cpu_ms / done);
	if (keeps)
		printf(", %.0f kB a snapshot", (double) bytes / done / 1024);
	printf("\n");
	return row(what, started, done, goal);
}

/* Many solutions side by side, each step on its own parent. */
static double
in_batch(rstar_sandbox *sandbox, const char *const *steps, const char *what, double goal)
{
	enum
	{
		SIDE_BY_SIDE = 16
	};
	rstar_sandbox_node nodes[SIDE_BY_SIDE][STEPS + 1];
	int at[SIDE_BY_SIDE], done = 0;
	double started = now_s();
	bool more = true;
	rstar_error err;
	rstar_sandbox_result r;

	memset(nodes, 0, sizeof(nodes));
	for (int k = 0; k < SIDE_BY_SIDE; k++)
	{
		rstar_sandbox_step step = step_of(steps[0]);

		at[k] = 0;
		if (rstar_sandbox_start(sandbox, 0, &step, &nodes[k][1], &err) != RSTAR_OK)
			die("start", &err);
	}
	while (rstar_sandbox_in_flight(sandbox) > 0)
	{
		rstar_status status = rstar_sandbox_wait(sandbox, 1000, NULL, &r, &err);
		rstar_sandbox_step step;
		int k = 0;

		if (status == RSTAR_AGAIN)
			continue;
		if (status != RSTAR_OK)
			die("wait", &err);
		while (nodes[k][at[k] + 1] != r.node)
			k++;
		check_result(&r, steps[at[k]]);
		rstar_sandbox_result_free(&r);
		done++;
		more = now_s() - started < budget_s;
		if (++at[k] == STEPS)
		{
			for (int i = STEPS; i > 0; i--)
				rstar_sandbox_release(sandbox, nodes[k][i]);
			at[k] = 0;
			if (!more)
			{
				nodes[k][1] = 0;
				continue;
			}
		}
		step = step_of(steps[at[k]]);
		if (rstar_sandbox_start(sandbox, at[k] ? nodes[k][at[k]] : 0, &step, &nodes[k][at[k] + 1],
								&err) != RSTAR_OK)
			die("start", &err);
	}
	return row(what, now_s() - started, done, goal);
}

/* --- peers ---------------------------------------------------------------------- */

extern char **environ;

/* Ancestors' code and the step's, in one text. */
static char *
whole_code(const char *const *steps, int last)
{
	static char text[16384];

	text[0] = '\0';
	for (int i = 0; i <= last; i++)
	{
		strcat(text, steps[i]);
		strcat(text, "\n");
	}
	return text;
}

static double
fresh_python(const char *const *steps, const char *what)
{
	double started = now_s();
	int done = 0;
	posix_spawn_file_actions_t actions;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	while (now_s() - started < budget_s || done < STEPS)
	{
		char *argv[] = {"python3", "-c", whole_code(steps, done % STEPS), NULL};
		double t = now_s();
		int status;
		pid_t pid;

		if (posix_spawn(&pid, "/usr/bin/python3", &actions, NULL, argv, environ) != 0 ||
			waitpid(pid, &status, 0) != pid || status != 0)
		{
			fprintf(stderr, "bench_sandbox: /usr/bin/python3 failed\n");
			return 0;
		}
		if (n_times < MAX_TIMES)
			times[n_times++] = now_s() - t;
		done++;
	}
	posix_spawn_file_actions_destroy(&actions);
	return row(what, now_s() - started, done, 0);
}

static const char pool_source[] =
	"import sys, io, contextlib, struct, math, fractions\n"
	"if sys.argv[1] == 'sympy':\n    import sympy\n"
	"while True:\n"
	"    head = sys.stdin.buffer.read(4)\n"
	"    if len(head) < 4:\n        break\n"
	"    code = sys.stdin.buffer.read(struct.unpack('<I', head)[0]).decode()\n"
	"    out = io.StringIO()\n"
	"    with contextlib.redirect_stdout(out):\n        exec(code, {})\n"
	"    data = out.getvalue().encode()\n"
	"    sys.stdout.buffer.write(struct.pack('<I', len(data)) + data)\n"
	"    sys.stdout.buffer.flush()\n";

static bool
exchange(int in, int out, const char *text)
{
	uint32_t length = (uint32_t) strlen(text), got = 0;
	char buffer[65536];

	if (write(in, &length, 4) != 4 || write(in, text, length) != (ssize_t) length ||
		read(out, &got, 4) != 4 || got > sizeof(buffer))
		return false;
	return got == 0 || read(out, buffer, got) > 0;
}

static double
one_process(const char *const *steps, const char *kind, const char *what)
{
	int in[2], out[2], done = 0;
	char *argv[] = {"python3", "-c", (char *) pool_source, (char *) kind, NULL};
	posix_spawn_file_actions_t actions;
	double started;
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		return 0;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	if (posix_spawn(&pid, "/usr/bin/python3", &actions, NULL, argv, environ) != 0)
		return 0;
	close(in[0]);
	close(out[1]);
	if (!exchange(in[1], out[0], steps[0])) /* up and warm */
		return 0;
	started = now_s();
	while (now_s() - started < budget_s)
	{
		double t = now_s();

		if (!exchange(in[1], out[0], whole_code(steps, done % STEPS)))
			return 0;
		if (n_times < MAX_TIMES)
			times[n_times++] = now_s() - t;
		done++;
	}
	started = now_s() - started;
	close(in[1]);
	close(out[0]);
	waitpid(pid, NULL, 0);
	posix_spawn_file_actions_destroy(&actions);
	return row(what, started, done, 0);
}

/* fork + exit + wait of a process with so much memory. */
static void
bare_fork(size_t megabytes)
{
	size_t size = megabytes << 20;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	double started;
	char what[64];
	int n = 0;

	if (memory == MAP_FAILED)
		return;
	memset(memory, 1, size);
	started = now_s();
	while (now_s() - started < budget_s / 4)
	{
		pid_t pid = fork();
		double t = now_s();

		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
		if (n_times < MAX_TIMES)
			times[n_times++] = now_s() - t;
		n++;
	}
	snprintf(what, sizeof(what), "bare fork, exit, wait: %zu MB in small pages", megabytes);
	row(what, now_s() - started, n, 0);
	munmap(memory, size);
}

static void
start_up(bool with_sympy)
{
	rstar_sandbox *sandbox = open_sandbox(false, 2);
	rstar_sandbox_step step = step_of(with_sympy ? sympy[0] : arithmetic[0]);
	rstar_sandbox_description info;
	rstar_sandbox_result r;
	rstar_error err;
	double started = now_s();

	if (rstar_sandbox_run(sandbox, 0, &step, NULL, &r, &err) != RSTAR_OK)
		die("start-up", &err);
	check_result(&r, step.code);
	rstar_sandbox_result_free(&r);
	printf("%-44s %8.0f ms",
		   with_sympy ? "start-up to the first SymPy result" : "start-up to the first result",
		   (now_s() - started) * 1e3);
	if (rstar_sandbox_describe(sandbox, 0, NULL, &info, &err) == RSTAR_OK)
		printf("   template %.0f MB%s%s", (double) info.template_bytes[with_sympy] / 1048576,
			   info.huge_pages ? ", huge pages" : "", info.namespaces ? ", namespaces" : "");
	printf("\n");
	rstar_sandbox_close(sandbox);
}

static void
compare_all(const char *name, const char *const *steps, double goal_one, double goal_batch)
{
	rstar_sandbox *sandbox = open_sandbox(false, 2), *replay = open_sandbox(true, 2);
	char what[80];
	double one, batch, again, fresh, pool;
	rstar_error err;
	rstar_sandbox_result r;
	rstar_sandbox_step step = step_of(steps[0]);

	if (rstar_sandbox_run(sandbox, 0, &step, NULL, &r, &err) != RSTAR_OK)
		die("run", &err);
	rstar_sandbox_result_free(&r);
	if (rstar_sandbox_run(replay, 0, &step, NULL, &r, &err) != RSTAR_OK)
		die("run", &err);
	rstar_sandbox_result_free(&r);
	printf("\n%s\n", name);
	snprintf(what, sizeof(what), "snapshots, one in flight");
	one = one_in_flight(sandbox, steps, what, goal_one, true);
	batch = in_batch(sandbox, steps, "snapshots, batch of 16, 2 at a time", goal_batch);
	again = one_in_flight(replay, steps, "replay, one in flight", 0, false);
	(void) again;
	fresh = fresh_python(steps, "peer: a fresh python3 per step");
	pool = one_process(steps, steps == sympy ? "sympy" : "plain",
					   "peer: exec in one process, no isolation");
	if (fresh > 0 && pool > 0)
		printf("ratios: one in flight %.0fx fresh, %.2fx one process; batch %.0fx and %.2fx\n",
			   one / fresh, one / pool, batch / fresh, batch / pool);
	rstar_sandbox_close(sandbox);
	rstar_sandbox_close(replay);
}

int
main(int argc, char **argv)
{
	if (argc > 1)
		budget_s = atof(argv[1]);
	if (access(getenv("RSTAR_SANDBOX") ? getenv("RSTAR_SANDBOX") : "src/sandbox/rstar-sandbox",
			   X_OK) != 0)
	{
		printf("src/sandbox/rstar-sandbox is not built: nothing measured\n");
		return 0;
	}
	bare_fork(1);
	bare_fork(16);
	bare_fork(96);
	start_up(false);
	start_up(true);
	compare_all("six arithmetic steps", arithmetic, 450, 900);
	compare_all("six SymPy steps", sympy, 70, 150);
	return 0;
}
