/*
 * node.c
 *	  A node: reads one job, runs its pieces of code in the state it was forked
 *	  with, reports, and parks to be forked from.
 *
 * The code of a job shares the process with this harness and may break it; all
 * it can spoil is its own report and what is forked from it afterwards. The
 * harness holds its own references and looks nothing up by name once it
 * serves, so that code which merely plays with builtins or sys.modules keeps
 * working as it would in an ordinary session.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "sandbox/node.h"
#include "sandbox/program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SMALL_FRAME 16384 /* jobs up to this size need no allocation */

static struct
{
	PyObject *globals; /* __main__'s dictionary: where all steps run */
	PyObject *freeze;  /* gc.freeze */
} harness;

/* --- preparing, in the template ------------------------------------------------ */

bool
rstar_program_prepare(void)
{
	PyObject *main_module = PyImport_AddModule("__main__");
	PyObject *gc = PyImport_ImportModule("gc");

	if (!main_module || !gc || !rstar_stream_install() || !rstar_compile_prepare())
		return false;
	harness.globals = PyModule_GetDict(main_module);
	harness.freeze = PyObject_GetAttrString(gc, "freeze");
	Py_DECREF(gc);
	return harness.globals && harness.freeze &&
		   PyDict_SetItemString(harness.globals, "__builtins__", PyEval_GetBuiltins()) == 0;
}

/* --- running --------------------------------------------------------------------- */

/*
 * sys.exit(0) and exit() behind the output end a piece as its last line does;
 * true when that is what is pending, and clears it. A piece that leaves without
 * a word has not done its work.
 */
static bool
left_in_peace(void)
{
	PyObject *type, *error, *traceback, *code;
	bool good;

	if (rstar_stream_output.length == 0 || !PyErr_ExceptionMatches(PyExc_SystemExit))
		return false;
	PyErr_Fetch(&type, &error, &traceback);
	PyErr_NormalizeException(&type, &error, &traceback);
	code = error ? PyObject_GetAttrString(error, "code") : NULL;
	good = code && (code == Py_None || (PyLong_CheckExact(code) && PyObject_IsTrue(code) == 0));
	Py_XDECREF(code);
	PyErr_Clear();
	PyErr_Restore(type, error, traceback);
	if (good)
		PyErr_Clear();
	return good;
}

/* Is this Python source at all? false with an exception set. */
static bool
check_source(const char *source, size_t length)
{
	PyObject *text;

	if (memchr(source, '\0', length))
	{
		PyErr_SetString(PyExc_ValueError, "source code cannot contain null bytes");
		return false;
	}
	text = PyUnicode_DecodeUTF8(source, (Py_ssize_t) length, NULL);
	Py_XDECREF(text);
	return text != NULL;
}

/* Execute the code and its last expression; the value of that or None. */
static PyObject *
evaluate(PyObject *code, PyObject *last, PyObject *globals)
{
	PyObject *result = PyEval_EvalCode(code, globals, globals), *text;

	if (result && last)
	{
		Py_DECREF(result);
		result = PyEval_EvalCode(last, globals, globals);
	}
	if (!result || result == Py_None)
		return result;
	text = last ? PyObject_Str(result) : Py_NewRef(Py_None);
	Py_DECREF(result);
	return text;
}

PyObject *
rstar_program_run_piece(char *source, size_t length, bool final, PyObject *globals)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	PyObject *last = NULL, *code, *result;

	if (!check_source(source, length))
		return NULL;
	if (length >= 3 && memcmp(source, byte_order_mark, 3) == 0)
		source += 3;
	code = rstar_compile_piece(source, final ? &last : NULL);
	if (!code)
		return NULL;
	result = evaluate(code, last, globals);
	Py_DECREF(code);
	Py_XDECREF(last);
	if (!result && left_in_peace())
		result = Py_NewRef(Py_None);
	return result;
}

/* --- jobs ------------------------------------------------------------------------- */

/*
 * Run the pieces, the last of which is the step; the others rebuild its state.
 * Returns the step's value, NULL when something failed.
 */
static PyObject *
run_pieces(rstar_reader *job, uint32_t n)
{
	static const char piece_frame[RSTAR_FRAME_HEADER] = {0, 0, 0, 0, RSTAR_FRAME_PIECE};
	PyObject *value = NULL;

	for (uint32_t i = 0; i < n; i++)
	{
		rstar_string code = rstar_sandbox_read_string(job);
		char *end = (char *) code.data + code.length;
		char saved = *end;

		/* The reader's next length field stands there; Python wants a NUL. */
		*end = '\0';
		rstar_stream_output.length = 0;
		rstar_stream_output.cut = false;
		value =
			rstar_program_run_piece((char *) code.data, code.length, i + 1 == n, harness.globals);
		*end = saved;
		if (!value || i + 1 == n)
			break;
		Py_DECREF(value);
		if (!rstar_channel_write(RSTAR_CHANNEL_FD, piece_frame, sizeof(piece_frame)))
			_exit(1);
	}
	return value;
}

/* The job's frame: read() usually brings it whole. */
static char *
read_job(size_t *length)
{
	static char small[SMALL_FRAME];
	rstar_reader header;
	size_t have = 0, size;
	char *frame = small;

	while (have < RSTAR_FRAME_HEADER)
	{
		ssize_t n = read(RSTAR_CHANNEL_FD, small + have, sizeof(small) - 1 - have);

		if (n <= 0)
			return NULL;
		have += (size_t) n;
	}
	rstar_sandbox_reader_init(&header, small, RSTAR_FRAME_HEADER);
	size = rstar_sandbox_read_u32(&header);
	if (size > RSTAR_FRAME_MAX || rstar_sandbox_read_u8(&header) != RSTAR_FRAME_JOB)
		return NULL;
	size += RSTAR_FRAME_HEADER;
	if (size > sizeof(small) - 1)
	{
		frame = malloc(size + 1);
		if (!frame)
			return NULL;
		memcpy(frame, small, have);
	}
	if (have > size || !rstar_channel_read(RSTAR_CHANNEL_FD, frame + have, size - have))
		return NULL;
	*length = size - RSTAR_FRAME_HEADER;
	return frame;
}

bool
rstar_program_run_job(void)
{
	size_t length;
	char *frame = read_job(&length);
	rstar_step_report report = {.output = {"", 0}, .value = {"", 0}, .error = {"", 0}};
	rstar_reader job;
	PyObject *value;
	uint32_t n;

	if (!frame)
		return false;
	rstar_sandbox_reader_init(&job, frame + RSTAR_FRAME_HEADER, length);
	rstar_stream_output.limit = rstar_sandbox_read_u32(&job);
	n = rstar_sandbox_read_u32(&job);
	value = run_pieces(&job, n);
	if (value)
	{
		rstar_report_value(&report, value);
		/* Its finaliser is the step's code still, and its time counts. */
		Py_DECREF(value);
		/* Children then do not walk, and so do not copy, what is alive now. */
		Py_XDECREF(PyObject_CallNoArgs(harness.freeze));
		PyErr_Clear();
	}
	else
		rstar_report_error(&report);
	return rstar_report_write(&report);
}

/*
 * Called straight, not through the C library, which would run the handlers of
 * fork() and reseed `random`.
 */
static long
park(void)
{
	return syscall(SYS_clone, (unsigned long) RSTAR_PARK_FLAGS, 0UL, NULL, NULL, 0UL);
}

void
rstar_program_serve(void)
{
	for (;;)
	{
		long child = park();

		if (child > 0)
			continue;
		/* No broker: the listener is closed and the call is unknown. */
		if (child < 0)
			_exit(1);
		/* Before anything else, so that the broker's death reaches us too. */
		(void) prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (syscall(SYS_getsid, 0) != RSTAR_CHANNEL_FD || !rstar_program_run_job())
			_exit(1);
	}
}
