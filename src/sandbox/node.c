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

#define WARM_ROUNDS 4
#define SMALL_FRAME 16384 /* jobs and reports up to this size need no allocation */

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
 * Run one piece in `globals`. The last piece's value is returned as a str, or
 * None; NULL with an exception set when the piece failed.
 */
static PyObject *
run_piece(char *source, size_t length, bool final, PyObject *globals)
{
	PyObject *last = NULL, *code, *result = NULL;

	if (memchr(source, '\0', length))
	{
		PyErr_SetString(PyExc_ValueError, "source code cannot contain null bytes");
		return NULL;
	}
	result = PyUnicode_DecodeUTF8(source, (Py_ssize_t) length, NULL);
	if (!result)
		return NULL;
	Py_DECREF(result);
	code = rstar_compile_piece(source, final ? &last : NULL);
	if (!code)
		return NULL;
	result = PyEval_EvalCode(code, globals, globals);
	Py_DECREF(code);
	if (result && last)
	{
		Py_DECREF(result);
		result = PyEval_EvalCode(last, globals, globals);
	}
	Py_XDECREF(last);
	if (result && result != Py_None)
	{
		PyObject *text = final && last ? PyObject_Str(result) : Py_NewRef(Py_None);

		Py_DECREF(result);
		result = text;
	}
	return result;
}

/* --- reporting --------------------------------------------------------------------- */

/* Texts of a report; owned by Python objects that stay alive until it is sent. */
typedef struct report
{
	rstar_sandbox_node_result result;
	PyObject *owners[3];
} report;

static rstar_string
text_slice(PyObject *text, size_t limit, PyObject **owner, bool *cut)
{
	Py_ssize_t length;
	const char *data = rstar_stream_utf8(text, &length, owner);
	rstar_string slice = {"", 0};

	if (!data)
	{
		PyErr_Clear();
		return slice;
	}
	slice.data = data;
	slice.length = (size_t) length;
	if (slice.length > limit)
	{
		slice.length = rstar_stream_whole(data, limit);
		*cut = true;
	}
	return slice;
}

/* The line in the step: of a syntax error, else where its own frame was. */
static uint32_t
line_of(PyObject *error, PyObject *traceback)
{
	bool syntax = PyObject_TypeCheck(error, (PyTypeObject *) PyExc_SyntaxError);
	PyObject *holder = syntax ? error : traceback;
	PyObject *line =
		holder ? PyObject_GetAttrString(holder, syntax ? "lineno" : "tb_lineno") : NULL;
	long number = line && PyLong_Check(line) ? PyLong_AsLong(line) : 0;

	Py_XDECREF(line);
	PyErr_Clear();
	return number > 0 && number < INT32_MAX ? (uint32_t) number : 0;
}

/* Does the error ask for a module that only the template with SymPy has? */
static bool
wants_sympy(PyObject *error)
{
	PyObject *name;
	const char *text;
	bool wants = false;

	if (!PyObject_TypeCheck(error, (PyTypeObject *) PyExc_ModuleNotFoundError))
		return false;
	name = PyObject_GetAttrString(error, "name");
	text = name && PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
	if (text)
		wants = strncmp(text, "sympy", 5) == 0 || strncmp(text, "mpmath", 6) == 0;
	PyErr_Clear();
	Py_XDECREF(name);
	return wants;
}

static void
report_error(report *r)
{
	PyObject *type, *error, *traceback, *message;
	const char *name, *dot;
	bool cut = false;

	PyErr_Fetch(&type, &error, &traceback);
	PyErr_NormalizeException(&type, &error, &traceback);
	r->result.status = RSTAR_SANDBOX_ERROR;
	if (!error)
		return;
	name = Py_TYPE(error)->tp_name;
	dot = strrchr(name, '.');
	name = dot ? dot + 1 : name;
	r->result.error.data = name;
	r->result.error.length = strlen(name);
	if (r->result.error.length > RSTAR_SANDBOX_NAME_MAX)
		r->result.error.length = rstar_stream_whole(name, RSTAR_SANDBOX_NAME_MAX);
	if (wants_sympy(error))
		r->result.flags |= RSTAR_SANDBOX_WANTS_SYMPY;
	r->result.line = line_of(error, traceback);
	/* A syntax error's own text repeats the line. */
	message = PyObject_TypeCheck(error, (PyTypeObject *) PyExc_SyntaxError)
				  ? PyObject_GetAttrString(error, "msg")
				  : PyObject_Str(error);
	if (message && PyUnicode_Check(message))
		r->result.message = text_slice(message, RSTAR_SANDBOX_TEXT_MAX, &r->owners[1], &cut);
	PyErr_Clear();
	r->owners[0] = message;
	/* type, error and traceback stay: the name points into the type. */
}

static bool
write_report(const report *r)
{
	static char small[SMALL_FRAME];
	const rstar_sandbox_node_result *result = &r->result;
	const rstar_string *texts[] = {&result->output, &result->value, &result->error,
								   &result->message};
	uint32_t size = 6 + 4 * 4;
	size_t used;
	uint32_t line = result->line;

	for (int i = 0; i < 4; i++)
		size += (uint32_t) texts[i]->length;
	/* As rstar_sandbox_encode_node_result, without asking for memory: it may be out. */
	memcpy(small, &size, 4);
	small[4] = RSTAR_FRAME_RESULT;
	small[5] = (char) result->status;
	small[6] = (char) result->flags;
	memcpy(small + 7, &line, 4);
	used = 11;
	for (int i = 0; i < 4; i++)
	{
		uint32_t length = (uint32_t) texts[i]->length;

		if (used + 4 + length > sizeof(small))
		{
			if (!rstar_channel_write(RSTAR_CHANNEL_FD, small, used))
				return false;
			used = 0;
		}
		memcpy(small + used, &length, 4);
		used += 4;
		if (length <= sizeof(small) - used)
		{
			memcpy(small + used, texts[i]->data, length);
			used += length;
		}
		else if (!rstar_channel_write(RSTAR_CHANNEL_FD, small, used) ||
				 !rstar_channel_write(RSTAR_CHANNEL_FD, texts[i]->data, length))
			return false;
		else
			used = 0;
	}
	return rstar_channel_write(RSTAR_CHANNEL_FD, small, used);
}

/* Run the pieces, the last of which is the step; the others rebuild its state. */
static void
run_pieces(rstar_reader *job, uint32_t n, report *r, PyObject *globals)
{
	static const char piece_frame[RSTAR_FRAME_HEADER] = {0, 0, 0, 0, RSTAR_FRAME_PIECE};
	PyObject *value = NULL;
	bool cut = false;

	for (uint32_t i = 0; i < n; i++)
	{
		rstar_string code = rstar_sandbox_read_string(job);
		char *end = (char *) code.data + code.length;
		char saved = *end;

		/* The reader's next length field stands there; Python wants a NUL. */
		*end = '\0';
		rstar_stream_output.length = 0;
		rstar_stream_output.cut = false;
		value = run_piece((char *) code.data, code.length, i + 1 == n, globals);
		*end = saved;
		if (!value)
		{
			report_error(r);
			break;
		}
		if (i + 1 < n)
		{
			Py_DECREF(value);
			if (!rstar_channel_write(RSTAR_CHANNEL_FD, piece_frame, sizeof(piece_frame)))
				_exit(1);
		}
	}
	if (value && value != Py_None)
	{
		r->result.flags |= RSTAR_SANDBOX_HAS_VALUE;
		r->result.value = text_slice(value, rstar_stream_output.limit, &r->owners[1], &cut);
		if (cut)
			r->result.flags |= RSTAR_SANDBOX_VALUE_CUT;
	}
	r->owners[2] = value;
	if (rstar_stream_output.cut)
		r->result.flags |= RSTAR_SANDBOX_OUTPUT_CUT;
	r->result.output.data = rstar_stream_output.data;
	r->result.output.length = rstar_stream_output.length;
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
	report r = {
		.result = {.output = {"", 0}, .value = {"", 0}, .error = {"", 0}, .message = {"", 0}}};
	rstar_reader job;
	uint32_t n;

	if (!frame)
		return false;
	rstar_sandbox_reader_init(&job, frame + RSTAR_FRAME_HEADER, length);
	rstar_stream_output.limit = rstar_sandbox_read_u32(&job);
	n = rstar_sandbox_read_u32(&job);
	run_pieces(&job, n, &r, harness.globals);
	if (!write_report(&r))
		return false;
	for (int i = 0; i < 3; i++)
		Py_XDECREF(r.owners[i]);
	/* Children then do not walk, and so do not copy, what is alive now. */
	Py_XDECREF(PyObject_CallNoArgs(harness.freeze));
	PyErr_Clear();
	return true;
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

/* --- warming up, in the template ------------------------------------------------------ */

static const char *const warm_small[] = {
	"x = 1\ny = x + 2.5\nprint(f'{x:,} {y:.3f}', [x, (y, 'a')], {x: y}, sep=' ')\n",
	"def f(n):\n    return n if n < 2 else f(n - 1) + f(n - 2)\n"
	"t = [f(i) for i in range(10) if i % 2]\nprint(sum(t), max(t), sorted(t, key=lambda v: -v))\nt",
	"from fractions import Fraction\nimport math\nprint(Fraction(3, 4) + 1, math.sqrt(2))\n2 ** "
	"200",
	"class C:\n    def __init__(self, a):\n        self.a = a\nc = C(3)\nwhile c.a > 0:\n    c.a "
	"-= 1\n"
	"s = 'a,b'.split(',')\n','.join(s)",
	"1 / 0",
	"undefined_name",
	"x = = 1",
};

/*
 * Run several times with other numbers each time: the interpreter rewrites code
 * that it meets often, and what it has rewritten here a child need not.
 */
static const char *const warm_sympy[] = {
	"k = globals().get('k', 1) + 1",
	"from sympy import *\nx, y, n = symbols('x y n')\nprint(solve(x**2 - (k + 5)*x + 5*k, x))\n"
	"print(expand((x + k*y)**3), factor(x**2 - k**2), expand((x + k)*(x - 3)))",
	"print(simplify((x**2 - k**2)/(x - k)), simplify(sin(k*x)**2 + cos(k*x)**2))\n"
	"print(solve([Eq(x + y, 10*k), Eq(x - y, 2)], [x, y]), solve([x + y - k, x - 2*y], [x, y]))",
	"print(diff(x**k, x), integrate(k*x**2, x), Rational(k, 4) + Rational(5, 6), sqrt(8*k))\n"
	"print(simplify(k*x + x), Eq(k*x, 3), solve(k*x - 3, x), solve(Eq(3*x + k, 20), x))",
	"print(Matrix([[1, 2], [3, k]]).det(), factorint(360*k), N(pi*k, 10), latex(x/k))\n"
	"print(Poly(x**2 + k, x), nsimplify(0.5), binomial(k + 3, 2), gcd(12, k), k % 7)\nx + k",
	"print(solveset(x**2 - k**2, x, domain=S.Reals), limit(sin(k*x)/x, x, 0))\n"
	"print(summation(n, (n, 1, k)), series(exp(k*x), x, 0, 3), (x + k).subs(x, 2), "
	"sqrt(k).evalf())",
};

static bool
warm_up(const char *const *pieces, size_t n, PyObject *globals)
{
	for (size_t i = 0; i < n; i++)
	{
		report r = {.result = {.output = {"", 0}}};
		char *copy = strdup(pieces[i]);
		PyObject *value = copy ? run_piece(copy, strlen(copy), true, globals) : NULL;

		if (!value)
			report_error(&r);
		Py_XDECREF(value);
		free(copy);
		rstar_stream_output.length = 0;
	}
	return true;
}

bool
rstar_program_warm_up(bool sympy)
{
	PyObject *globals = PyDict_New();

	rstar_stream_output.limit = 4096;
	if (!globals || PyDict_SetItemString(globals, "__builtins__", PyEval_GetBuiltins()) != 0)
		return false;
	for (int i = 0; i < WARM_ROUNDS; i++)
		warm_up(warm_small, sizeof(warm_small) / sizeof(warm_small[0]), globals);
	for (int i = 0; sympy && i < WARM_ROUNDS; i++)
		warm_up(warm_sympy, sizeof(warm_sympy) / sizeof(warm_sympy[0]), globals);
	Py_DECREF(globals);
	rstar_stream_output.length = 0;
	return true;
}
