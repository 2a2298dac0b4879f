/*
 * template.c
 *	  A template: loads Python and every allowed module, confines itself, and
 *	  serves as the root that nodes are forked from.
 *
 * Loading happens before confinement, from fixed folders of the distribution
 * and with an empty environment; afterwards no import reads a file. What can be
 * done once is done here rather than in every child: modules loaded, caches
 * filled, the collector's objects frozen, the heap in huge pages.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "preload.inc" /* preload_source: preload.py as text */
#include "sandbox/program.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#define HUGE_PAGE (2ul << 20)
#define ARENAS    (16ul << 20) /* address space taken at a time for Python's objects */

/* The folders of the Python that this program was built with (sandbox.mk). */
static const wchar_t *const search_path[] = {RSTAR_PYTHON_STDLIB, RSTAR_PYTHON_DYNLOAD,
											 RSTAR_PYTHON_PACKAGES};

/*
 * The C library's getrandom(), which libpython calls, is overridden: inside a
 * node the call is forbidden, and the same code must give the same output. A
 * counter and a mixer; nothing here needs secrets.
 */
ssize_t getrandom(void *buffer, size_t length, unsigned flags)
	__attribute__((visibility("default")));

ssize_t
getrandom(void *buffer, size_t length, unsigned flags)
{
	static uint64_t counter = 0;
	unsigned char *bytes = buffer;

	(void) flags;
	for (size_t i = 0; i < length; i++)
	{
		uint64_t z = (counter += 0x9e3779b97f4a7c15ull);

		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
		bytes[i] = (unsigned char) (z >> 56);
	}
	return (ssize_t) length;
}

/* --- telling the broker ---------------------------------------------------------- */

static void __attribute__((noreturn, format(printf, 2, 3)))
fail(rstar_sandbox_fatal kind, const char *format, ...)
{
	char text[1024];
	rstar_buffer frame;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	rstar_buffer_init(&frame, &rstar_allocator_malloc);
	if (rstar_sandbox_encode_fatal(&frame, kind, 0, text, ""))
		(void) rstar_channel_write(RSTAR_CHANNEL_FD, frame.data, frame.length);
	_exit(1);
}

/* The pending Python exception, in a line. */
static void __attribute__((noreturn)) fail_python(const char *what)
{
	PyObject *type, *value, *traceback, *text;
	const char *name = "unknown error", *message = "";

	PyErr_Fetch(&type, &value, &traceback);
	PyErr_NormalizeException(&type, &value, &traceback);
	if (value)
	{
		name = Py_TYPE(value)->tp_name;
		text = PyObject_Str(value);
		message = text ? PyUnicode_AsUTF8(text) : "";
	}
	fail(RSTAR_SANDBOX_FATAL_LOAD, "%s: %s: %.600s", what, name, message ? message : "");
}

/* --- loading ------------------------------------------------------------------------ */

static void
start_python(void)
{
	PyPreConfig before;
	PyConfig config;
	PyStatus status;

	PyPreConfig_InitIsolatedConfig(&before);
	before.utf8_mode = 1;
	status = Py_PreInitialize(&before);
	if (PyStatus_Exception(status))
		fail(RSTAR_SANDBOX_FATAL_LOAD, "python does not start: %s", status.err_msg);
	PyConfig_InitIsolatedConfig(&config);
	config.site_import = 0;
	config.write_bytecode = 0;
	config.install_signal_handlers = 0;
	config.pathconfig_warnings = 0;
	config.use_hash_seed = 1;
	config.hash_seed = 0;
	config.module_search_paths_set = 1;
	for (size_t i = 0; i < sizeof(search_path) / sizeof(search_path[0]); i++)
		PyWideStringList_Append(&config.module_search_paths, search_path[i]);
	status = Py_InitializeFromConfig(&config);
	PyConfig_Clear(&config);
	if (PyStatus_Exception(status))
		fail(RSTAR_SANDBOX_FATAL_LOAD, "python does not start: %s",
			 status.err_msg ? status.err_msg : "unknown error");
}

/* The names, one per line, as a list. */
static PyObject *
module_names(rstar_string modules)
{
	PyObject *text = PyUnicode_DecodeUTF8(modules.data, (Py_ssize_t) modules.length, NULL);
	PyObject *names = text ? PyUnicode_Split(text, NULL, -1) : NULL;

	Py_XDECREF(text);
	return names;
}

static void
load_modules(rstar_string modules, bool sympy)
{
	PyObject *scope = PyDict_New();
	PyObject *names = module_names(modules);
	PyObject *done = NULL;

	if (!scope || !names || PyDict_SetItemString(scope, "__builtins__", PyEval_GetBuiltins()) != 0)
		fail_python("python does not start");
	done = PyRun_String(preload_source, Py_file_input, scope, scope);
	if (done)
	{
		Py_DECREF(done);
		done = PyObject_CallFunction(PyDict_GetItemString(scope, "load"), "Oi", names, sympy);
	}
	if (!done)
		fail_python("a module of rstar.sandbox_modules does not load");
	Py_DECREF(done);
	if (!rstar_program_prepare() || !rstar_program_warm_up(sympy))
		fail_python("the harness does not start");
	done = PyObject_CallNoArgs(PyDict_GetItemString(scope, "settle"));
	if (!done)
		fail_python("the harness does not start");
	Py_DECREF(done);
	Py_DECREF(names);
	Py_DECREF(scope);
}

/* --- memory --------------------------------------------------------------------------- */

typedef struct mapping
{
	unsigned long from, to;
	char rights[8];
	bool file;
} mapping;

/* This process's private mappings, the stack and the kernel's own left out. */
static size_t
read_mappings(mapping *out, size_t max)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	size_t n = 0;

	while (maps && n < max && fgets(line, sizeof(line), maps))
	{
		unsigned long inode;
		mapping *m = &out[n];

		if (sscanf(line, "%lx-%lx %7s %*s %*s %lu", &m->from, &m->to, m->rights, &inode) == 4 &&
			m->rights[3] == 'p' && (inode != 0 || !strchr(line, '[') || strstr(line, "[heap]")))
		{
			m->file = inode != 0;
			n++;
		}
	}
	if (maps)
		fclose(maps);
	return n;
}

/*
 * Fork copies a page-table entry per page of anonymous memory, which is most of
 * its time; in huge pages it copies one entry per 2 MB. The page that a child
 * writes is still copied alone.
 */
static bool
collapse_heap(const mapping *maps, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < n; i++)
	{
		unsigned long from = (maps[i].from + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);

		if (maps[i].file || strncmp(maps[i].rights, "rw", 2) != 0)
			continue;
		for (unsigned long at = from; at + HUGE_PAGE <= maps[i].to; at += HUGE_PAGE)
			any |= madvise((void *) at, HUGE_PAGE, MADV_COLLAPSE) == 0;
	}
	return any;
}

/*
 * The other way round for libraries: fork leaves out the entries of file
 * mappings, and every child would fault the same code in again, unless a page
 * of the mapping was written once. So one is, with what it holds already.
 */
static void
adopt_libraries(const mapping *maps, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		volatile char *page = (volatile char *) maps[i].from;
		size_t size = maps[i].to - maps[i].from;
		int rights = PROT_READ | (maps[i].rights[2] == 'x' ? PROT_EXEC : 0);

		if (!maps[i].file || maps[i].rights[0] != 'r' || maps[i].rights[1] == 'w' ||
			mprotect((void *) maps[i].from, size, rights | PROT_WRITE) != 0)
			continue;
		*page = *page;
		(void) mprotect((void *) maps[i].from, size, rights);
	}
}

/*
 * Python's object memory comes from here, in huge pages from the start: putting
 * small pages together afterwards takes 0.1 s for SymPy.
 */
static void *
arena_alloc(void *context, size_t size)
{
	static char *next = NULL, *end = NULL;
	char *arena;

	(void) context;
	if ((size_t) (end - next) < size)
	{
		char *region = mmap(NULL, ARENAS + HUGE_PAGE, PROT_READ | PROT_WRITE,
							MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (region == MAP_FAILED || size > ARENAS)
			return NULL;
		next = (char *) (((uintptr_t) region + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
		end = next + ARENAS;
		(void) madvise(next, ARENAS, MADV_HUGEPAGE);
	}
	arena = next;
	next += size;
	return arena;
}

static void
arena_free(void *context, void *arena, size_t size)
{
	(void) context;
	(void) munmap(arena, size);
}

/*
 * Leave children a tidy C heap. Otherwise each of them sorts and merges the
 * chunks that loading left free, all over the heap, and so copies hundreds of
 * pages: nothing is kept in fast bins (start_heap), and the holes are filled
 * for good, so that children allocate from the top.
 */
static void
start_heap(void)
{
	PyObjectArenaAllocator arenas = {.alloc = arena_alloc, .free = arena_free};

	PyObject_SetArenaAllocator(&arenas);
	(void) mallopt(M_MXFAST, 0);
	(void) mallopt(M_TOP_PAD, 256 << 10);
	(void) mallopt(M_TRIM_THRESHOLD, 64 << 20);
}

static void
settle_heap(void)
{
	struct mallinfo2 info;
	char *top;

	(void) malloc_trim(256 << 10);
	info = mallinfo2();
	top = (char *) sbrk(0) - info.keepcost;
	for (size_t size = 128 << 10; size >= 24; size -= size > 1024 ? size / 8 : 16)
		for (;;)
		{
			char *hole = malloc(size);

			if (!hole)
				return;
			/* From the top, or a mapping of its own: no more holes of this size. */
			if (hole >= top)
			{
				free(hole);
				break;
			}
		}
}

static bool
arrange_memory(void)
{
	static mapping maps[2048];
	size_t n;

	settle_heap();
	n = read_mappings(maps, sizeof(maps) / sizeof(maps[0]));
	adopt_libraries(maps, n);
	return collapse_heap(maps, n);
}

/* Bytes of address space and resident, of this process. */
static void
measure(uint64_t *space, uint64_t *resident)
{
	unsigned long pages[2] = {0, 0};
	FILE *statm = fopen("/proc/self/statm", "re");

	if (statm)
	{
		if (fscanf(statm, "%lu %lu", &pages[0], &pages[1]) != 2)
			pages[0] = pages[1] = 0;
		fclose(statm);
	}
	*space = (uint64_t) pages[0] * (uint64_t) sysconf(_SC_PAGESIZE);
	*resident = (uint64_t) pages[1] * (uint64_t) sysconf(_SC_PAGESIZE);
}

/* A second thread would not survive the fork and might hold a lock. */
static int
count_threads(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	int threads = 0;

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "Threads: %d", &threads) == 1)
			break;
	if (status)
		fclose(status);
	return threads;
}

/* --- confinement ------------------------------------------------------------------------ */

/* Written early: doing so takes a descriptor and a file, which the limits forbid. */
static struct sock_fprog notify_filter, node_filter, replay_filter;

static void
write_filters(bool replay)
{
	int rc = rstar_filter_build(RSTAR_FILTER_NODE, !replay, -1, &node_filter);

	if (rc == 0)
		rc = rstar_filter_build(RSTAR_FILTER_NOTIFY, true, -1, &notify_filter);
	if (rc == 0)
		rc = rstar_filter_build(RSTAR_FILTER_REPLAY_TEMPLATE, true, -1, &replay_filter);
	if (rc != 0)
		fail(RSTAR_SANDBOX_FATAL_CONFINE, "cannot write the seccomp filters: %s", strerror(rc));
}

static void
limit_resources(void)
{
	rstar_confine_limit(RLIMIT_FSIZE, 0);
	rstar_confine_limit(RLIMIT_MEMLOCK, 0);
	rstar_confine_limit(RLIMIT_MSGQUEUE, 0);
	rstar_confine_limit(RLIMIT_NICE, 0);
	rstar_confine_limit(RLIMIT_RTPRIO, 0);
	rstar_confine_limit(RLIMIT_STACK, 8ul << 20);
	rstar_confine_limit(RLIMIT_CPU, 3600);
}

/*
 * After the listener was sent: the kernel holds this limit against all descriptors
 * that the user's processes have on their way, and refuses to send one more.
 */
static void
limit_descriptors(void)
{
	rstar_confine_limit(RLIMIT_NOFILE, RSTAR_CHANNEL_FD + 1);
}

/* Which of the optional layers could be put on. */
static uint32_t
confine_process(bool namespaces, int *landlock)
{
	uint32_t features = RSTAR_SANDBOX_HAS_SECCOMP;

	if (namespaces)
	{
		if (!rstar_confine_empty_root())
			fail(RSTAR_SANDBOX_FATAL_CONFINE, "cannot empty the root directory: %s",
				 strerror(errno));
		features |= RSTAR_SANDBOX_HAS_NAMESPACES;
	}
	if (!rstar_confine_drop_capabilities())
		fail(RSTAR_SANDBOX_FATAL_CONFINE, "cannot give up capabilities: %s", strerror(errno));
	if (!rstar_confine_no_new_privileges())
		fail(RSTAR_SANDBOX_FATAL_CONFINE, "cannot forbid new privileges: %s", strerror(errno));
	*landlock = rstar_confine_landlock(-1);
	return features | (*landlock > 0 ? RSTAR_SANDBOX_HAS_LANDLOCK : 0);
}

static void
check_filter(int rc)
{
	if (rc < 0)
		fail(RSTAR_SANDBOX_FATAL_CONFINE, "seccomp filters are not available: %s", strerror(-rc));
}

static void
send_ready(rstar_frame_ready *ready, int listener)
{
	rstar_buffer frame;

	rstar_buffer_init(&frame, &rstar_allocator_malloc);
	if (!rstar_sandbox_encode_ready(&frame, ready))
		_exit(1);
	if (!(listener >= 0
			  ? rstar_channel_send_fd(RSTAR_CHANNEL_FD, frame.data, frame.length, listener)
			  : rstar_channel_write(RSTAR_CHANNEL_FD, frame.data, frame.length)))
		_exit(1);
	rstar_buffer_free(&frame);
}

/* --- replay: fork on command ---------------------------------------------------------------- */

/*
 * Each child starts from the template as it is now, and the template runs no step itself, so
 * it stays clean. The filter goes on in the child before it reads its job. A fork that failed
 * is reported as pid 0; a broker that is gone ends the template.
 */
static void __attribute__((noreturn)) serve_by_fork(void)
{
	for (;;)
	{
		char command[RSTAR_FRAME_HEADER];
		int fd;
		long child;

		if (rstar_channel_receive_fd(RSTAR_CHANNEL_FD, command, sizeof(command), &fd) !=
				(ssize_t) sizeof(command) ||
			fd < 0)
			_exit(0);
		child = syscall(SYS_clone, (unsigned long) RSTAR_PARK_FLAGS, 0UL, NULL, NULL, 0UL);
		if (child == 0)
		{
			(void) prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
			if (dup3(fd, RSTAR_CHANNEL_FD, 0) != RSTAR_CHANNEL_FD || close(fd) != 0 ||
				rstar_filter_install(&node_filter, false) < 0)
				_exit(1);
			(void) rstar_program_run_job();
			_exit(0);
		}
		close(fd);
		{
			char answer[RSTAR_FRAME_HEADER + 4] = {4, 0, 0, 0, RSTAR_FRAME_SPAWNED};
			uint32_t pid = child > 0 ? (uint32_t) child : 0;

			for (int i = 0; i < 4; i++)
				answer[RSTAR_FRAME_HEADER + i] = (char) (pid >> (8 * i) & 0xff);
			if (!rstar_channel_write(RSTAR_CHANNEL_FD, answer, sizeof(answer)))
				_exit(0);
		}
	}
}

/* --- the life of a template -------------------------------------------------------------------- */

typedef struct order
{
	uint32_t index, flags;
	bool namespaces;
	rstar_string modules;
} order;

static void
read_order(order *out)
{
	char *data;
	size_t length;
	uint8_t type;
	rstar_reader reader;

	if (!rstar_channel_read_frame(RSTAR_CHANNEL_FD, &type, &data, &length) ||
		type != RSTAR_FRAME_LOAD)
		_exit(0);
	rstar_sandbox_reader_init(&reader, data, length);
	out->index = rstar_sandbox_read_u32(&reader);
	out->flags = rstar_sandbox_read_u32(&reader);
	out->namespaces = rstar_sandbox_read_u8(&reader) != 0;
	out->modules = rstar_sandbox_read_string(&reader);
	if (!rstar_sandbox_reader_done(&reader) || out->index >= RSTAR_SANDBOX_TEMPLATES)
		_exit(0);
}

static void __attribute__((noreturn)) confine_and_serve(const order *o, rstar_frame_ready *ready)
{
	int landlock, listener;

	limit_resources();
	ready->features |= confine_process(o->namespaces, &landlock);
	ready->landlock = (uint32_t) landlock;
	if (o->flags & RSTAR_SANDBOX_FORCE_REPLAY)
	{
		limit_descriptors();
		check_filter(rstar_filter_install(&replay_filter, false));
		send_ready(ready, -1);
		serve_by_fork();
	}
	/* The listener leaves before the second filter forbids that. */
	listener = rstar_filter_install(&notify_filter, true);
	check_filter(listener);
	ready->features |= RSTAR_SANDBOX_HAS_NOTIFY;
	send_ready(ready, listener);
	close(listener);
	limit_descriptors();
	check_filter(rstar_filter_install(&node_filter, false));
	rstar_program_serve();
}

void
rstar_template_load(rstar_string modules, uint32_t index, rstar_frame_ready *ready)
{
	int threads;

	start_heap();
	start_python();
	load_modules(modules, index == RSTAR_SANDBOX_TEMPLATE_SYMPY);
	threads = count_threads();
	if (threads != 1)
		fail(RSTAR_SANDBOX_FATAL_LOAD, threads
										   ? "a module of rstar.sandbox_modules started a thread"
										   : "the number of threads cannot be read from /proc");
	if (arrange_memory())
		ready->features |= RSTAR_SANDBOX_HAS_HUGE_PAGES;
	(void) prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	if (personality(0xffffffff) & ADDR_NO_RANDOMIZE)
		ready->features |= RSTAR_SANDBOX_HAS_FIXED_MAP;
	ready->template_index = index;
	ready->python.data = Py_GetVersion();
	ready->python.length = strcspn(ready->python.data, " ");
}

static void __attribute__((noreturn)) become_root(const order *o, rstar_frame_ready *ready)
{
	write_filters(o->flags & RSTAR_SANDBOX_FORCE_REPLAY);
	measure(&ready->space, &ready->bytes);
	/* Keep the channel only. */
	for (int fd = 0; fd < RSTAR_CHANNEL_FD; fd++)
		close(fd);
	rstar_confine_close_from(RSTAR_CHANNEL_FD + 1);
	confine_and_serve(o, ready);
}

void
rstar_template_serve(rstar_frame_ready *ready)
{
	order o;

	read_order(&o);
	become_root(&o, ready);
}

int
rstar_template_main(void)
{
	order o;
	rstar_frame_ready ready = {.features = 0};

	(void) prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void) prctl(PR_SET_NAME, "rstar-template", 0, 0, 0);
	read_order(&o);
	rstar_template_load(o.modules, o.index, &ready);
	become_root(&o, &ready);
}
