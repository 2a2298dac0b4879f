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
	PyObject *globals;    /* __main__'s dictionary: where all steps run */
	PyObject *filename;   /* "<step>" */
	PyObject *compile;    /* builtins.compile */
	PyObject *expr;       /* ast.Expr */
	PyObject *expression; /* ast.Expression */
	PyObject *freeze;     /* gc.freeze */
} harness;

/* What the code printed; kept by the stream object that is sys.stdout. */
static struct
{
	char *data;
	size_t length, capacity, limit;
	bool cut;
} output;

/* --- the streams -------------------------------------------------------------- */

/* Cut back to the start of the UTF-8 character that `length` would split. */
static size_t
whole_characters(const char *text, size_t length)
{
	while (length > 0 && ((unsigned char) text[length] & 0xc0) == 0x80)
		length--;
	return length;
}

static void
output_append(const char *text, size_t length)
{
	if (output.cut)
		return;
	if (length > output.limit - output.length)
	{
		length = whole_characters(text, output.limit - output.length);
		output.cut = true;
	}
	if (length > output.capacity - output.length)
	{
		size_t capacity = 2 * (output.length + length);
		char *data = realloc(output.data, capacity);

		if (!data)
		{
			output.cut = true;
			return;
		}
		output.data = data;
		output.capacity = capacity;
	}
	memcpy(output.data + output.length, text, length);
	output.length += length;
}

/* UTF-8 of a str object; lone surrogates become '?'. *owner holds the bytes. */
static const char *
utf8_of(PyObject *text, Py_ssize_t *length, PyObject **owner)
{
	const char *data = PyUnicode_AsUTF8AndSize(text, length);

	*owner = NULL;
	if (data)
		return data;
	PyErr_Clear();
	*owner = PyUnicode_AsEncodedString(text, "utf-8", "replace");
	if (!*owner)
		return NULL;
	*length = PyBytes_GET_SIZE(*owner);
	return PyBytes_AS_STRING(*owner);
}

static PyObject *
stream_write(PyObject *self, PyObject *text)
{
	PyObject *owner;
	Py_ssize_t length;
	const char *data;

	if (!PyUnicode_Check(text))
		return PyErr_Format(PyExc_TypeError, "write() argument must be str, not %.100s",
							Py_TYPE(text)->tp_name);
	data = utf8_of(text, &length, &owner);
	if (!data)
		return NULL;
	/* Only standard output is kept; the error stream has a false truth value. */
	if (PyObject_IsTrue(self) == 1)
		output_append(data, (size_t) length);
	Py_XDECREF(owner);
	return PyLong_FromSsize_t(PyUnicode_GET_LENGTH(text));
}

static PyObject *
stream_none(PyObject *self, PyObject *args)
{
	(void) self;
	(void) args;
	Py_RETURN_NONE;
}

static PyObject *
stream_false(PyObject *self, PyObject *args)
{
	(void) self;
	(void) args;
	Py_RETURN_FALSE;
}

static PyObject *
stream_true(PyObject *self, PyObject *args)
{
	(void) self;
	(void) args;
	Py_RETURN_TRUE;
}

static PyObject *
stream_empty(PyObject *self, PyObject *args)
{
	(void) self;
	(void) args;
	return PyUnicode_FromString("");
}

typedef struct stream
{
	PyObject_HEAD int kept;
} stream;

static int
stream_bool(PyObject *self)
{
	return ((stream *) self)->kept;
}

static PyObject *
stream_encoding(PyObject *self, void *closure)
{
	(void) self;
	return PyUnicode_FromString(closure);
}

static PyMethodDef stream_methods[] = {
	{"write", stream_write, METH_O, "Write a string."},
	{"flush", stream_none, METH_NOARGS, "Do nothing."},
	{"close", stream_none, METH_NOARGS, "Do nothing."},
	{"isatty", stream_false, METH_NOARGS, "Always false."},
	{"readable", stream_true, METH_NOARGS, "Always true."},
	{"writable", stream_true, METH_NOARGS, "Always true."},
	{"read", stream_empty, METH_VARARGS, "Always at the end."},
	{"readline", stream_empty, METH_VARARGS, "Always at the end."},
	{NULL, NULL, 0, NULL}};

static PyGetSetDef stream_getset[] = {
	{"encoding", stream_encoding, NULL, "The encoding.", (void *) "utf-8"},
	{"errors", stream_encoding, NULL, "What happens to surrogates.", (void *) "replace"},
	{NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot stream_slots[] = {{Py_tp_methods, stream_methods},
									 {Py_tp_getset, stream_getset},
									 {Py_nb_bool, stream_bool},
									 {0, NULL}};

static PyType_Spec stream_spec = {.name = "rstar.Stream",
								  .basicsize = sizeof(stream),
								  .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
								  .slots = stream_slots};

/* sys.<name> and sys.__<name>__ become our stream. */
static bool
install_stream(PyTypeObject *type, const char *name, const char *dunder, bool kept)
{
	stream *s = PyObject_New(stream, type);

	if (!s)
		return false;
	s->kept = kept;
	return PySys_SetObject(name, (PyObject *) s) == 0 &&
		   PySys_SetObject(dunder, (PyObject *) s) == 0;
}

/* --- preparing, in the template ------------------------------------------------ */

static PyObject *
attribute_of(const char *module_name, const char *name)
{
	PyObject *module = PyImport_ImportModule(module_name);
	PyObject *attribute = module ? PyObject_GetAttrString(module, name) : NULL;

	Py_XDECREF(module);
	return attribute;
}

bool
rstar_node_prepare(void)
{
	PyObject *type = PyType_FromSpec(&stream_spec);
	PyObject *main_module = PyImport_AddModule("__main__");

	if (!type || !main_module ||
		!install_stream((PyTypeObject *) type, "stdin", "__stdin__", false) ||
		!install_stream((PyTypeObject *) type, "stdout", "__stdout__", true) ||
		!install_stream((PyTypeObject *) type, "stderr", "__stderr__", false))
		return false;
	harness.globals = PyModule_GetDict(main_module);
	harness.filename = PyUnicode_FromString("<step>");
	harness.compile = attribute_of("builtins", "compile");
	harness.expr = attribute_of("_ast", "Expr");
	harness.expression = attribute_of("_ast", "Expression");
	harness.freeze = attribute_of("gc", "freeze");
	return harness.globals && harness.filename && harness.compile && harness.expr &&
		   harness.expression && harness.freeze &&
		   PyDict_SetItemString(harness.globals, "__builtins__", PyEval_GetBuiltins()) == 0;
}

/* --- running --------------------------------------------------------------------- */

static PyObject *
compile_text(const char *source, int start, int extra)
{
	PyCompilerFlags flags = {.cf_flags = PyCF_SOURCE_IS_UTF8 | PyCF_IGNORE_COOKIE | extra,
							 .cf_feature_version = PY_MINOR_VERSION};

	return Py_CompileStringObject(source, harness.filename, start, &flags, 0);
}

/*
 * Compile through a tree of Python objects: always right, but it touches some
 * fifty pages that a child would else not copy. When the last statement is an
 * expression, *last becomes its code and the rest is returned.
 */
static PyObject *
compile_by_tree(const char *source, PyObject **last)
{
	PyObject *tree = compile_text(source, Py_file_input, PyCF_ONLY_AST);
	PyObject *body, *code = NULL;
	Py_ssize_t n;

	if (!tree)
		return NULL;
	body = PyObject_GetAttrString(tree, "body");
	n = body && PyList_Check(body) ? PyList_GET_SIZE(body) : 0;
	if (n > 0 && PyObject_TypeCheck(PyList_GET_ITEM(body, n - 1), (PyTypeObject *) harness.expr))
	{
		PyObject *value = PyObject_GetAttrString(PyList_GET_ITEM(body, n - 1), "value");
		PyObject *expression =
			value ? PyObject_CallFunctionObjArgs(harness.expression, value, NULL) : NULL;

		if (expression && PyList_SetSlice(body, n - 1, n, NULL) == 0)
			*last = PyObject_CallFunction(harness.compile, "OOsii", expression, harness.filename,
										  "eval", 0, 1);
		Py_XDECREF(value);
		Py_XDECREF(expression);
	}
	if (!PyErr_Occurred())
		code =
			PyObject_CallFunction(harness.compile, "OOsii", tree, harness.filename, "exec", 0, 1);
	Py_XDECREF(body);
	Py_DECREF(tree);
	return code;
}

/* Where the last line begins that is not blank, indented or a comment. */
static char *
last_statement(char *source)
{
	char *found = NULL;

	for (char *line = source; line && *line;)
	{
		if (!strchr(" \t\f\r\n#", *line))
			found = line;
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	return found;
}

typedef enum tail_kind
{
	TAIL_ASSIGNMENT, /* or another statement that is not an expression, for sure */
	TAIL_EXPRESSION, /* it may be one: try */
	TAIL_UNCLEAR
} tail_kind;

/*
 * A glance at the last statement. An "=" outside brackets and quotes that is
 * no comparison makes it an assignment; quotes that span lines, joined lines
 * and several statements on a line are left to the tree.
 */
static tail_kind
glance(const char *tail)
{
	static const char *const words[] = {"def ",    "class ", "for ", "while ", "if ",    "with ",
										"import ", "from ",  "try:", "del ",   "assert "};
	int depth = 0;

	if (strchr(tail, ';'))
		return TAIL_UNCLEAR;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strncmp(tail, words[i], strlen(words[i])) == 0)
			return TAIL_ASSIGNMENT;
	for (const char *at = tail; *at; at++)
	{
		if (*at == '"' || *at == '\'')
		{
			char quote = *at;

			if (at[1] == quote && at[2] == quote)
				return TAIL_UNCLEAR;
			for (at++; *at != quote; at++)
				if (*at == '\0' || *at == '\n' || *at == '\\')
					return TAIL_UNCLEAR;
		}
		else if (*at == '\\' || *at == '@')
			return TAIL_UNCLEAR;
		else if (*at == '#')
			at += strcspn(at, "\n") - 1;
		else if (strchr("([{", *at))
			depth++;
		else if (strchr(")]}", *at))
			depth--;
		else if (*at == '=' && depth == 0 && at[1] != '=' && at > tail && !strchr("=!<>:", at[-1]))
			return TAIL_ASSIGNMENT;
		else if (*at == ':' && depth == 0)
			return TAIL_UNCLEAR;
	}
	return depth == 0 ? TAIL_EXPRESSION : TAIL_UNCLEAR;
}

/*
 * Compile the last statement as an expression and what is before it as a
 * program, from the text alone. If both parts compile the division was right:
 * a construct that continues into the last line (brackets, quotes, a clause)
 * leaves a first part that is not a program.
 */
static PyObject *
compile_by_text(char *source, char *tail, PyObject **last)
{
	size_t lines = 0;
	char saved = *tail, *padded;
	PyObject *code;

	for (char *at = source; at < tail; at++)
		lines += *at == '\n';
	padded = malloc(lines + strlen(tail) + 1);
	if (!padded)
		return PyErr_NoMemory();
	memset(padded, '\n', lines);
	strcpy(padded + lines, tail);
	*last = compile_text(padded, Py_eval_input, 0);
	free(padded);
	if (!*last)
		return NULL;
	*tail = '\0';
	code = compile_text(source, Py_file_input, 0);
	*tail = saved;
	if (!code)
		Py_CLEAR(*last);
	return code;
}

/*
 * Might the text before the last line leave something open? Quotes of several
 * lines and joined lines count as open; so may brackets inside quotes.
 */
static bool
unbalanced_before(const char *source, const char *tail)
{
	int depth = 0;

	for (const char *at = source; at < tail; at++)
	{
		if ((*at == '"' || *at == '\'') && at[1] == *at && at[2] == *at)
			return true;
		if (strchr("([{", *at))
			depth++;
		else if (strchr(")]}", *at))
			depth--;
		else if (*at == '\\')
			return true;
	}
	return depth != 0;
}

/* Compile one piece; *last as in compile_by_tree, last NULL: nobody asks for it. */
static PyObject *
compile_piece(char *source, PyObject **last)
{
	char *tail = last ? last_statement(source) : NULL;
	tail_kind kind = tail ? glance(tail) : TAIL_ASSIGNMENT;
	PyObject *code;

	if (kind == TAIL_EXPRESSION && !strstr(source, "__future__"))
	{
		code = compile_by_text(source, tail, last);
		if (code)
			return code;
		PyErr_Clear();
		kind = TAIL_UNCLEAR;
	}
	/*
	 * Inside quotes or brackets of several lines a line that looks like an
	 * assignment may be none; then the last line does not begin a statement.
	 */
	if (kind == TAIL_ASSIGNMENT && tail && unbalanced_before(source, tail))
		kind = TAIL_UNCLEAR;
	return kind == TAIL_ASSIGNMENT ? compile_text(source, Py_file_input, 0)
								   : compile_by_tree(source, last);
}

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
	code = compile_piece(source, final ? &last : NULL);
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
	rstar_node_result result;
	PyObject *owners[3];
} report;

static rstar_slice
text_slice(PyObject *text, size_t limit, PyObject **owner, bool *cut)
{
	Py_ssize_t length;
	const char *data = utf8_of(text, &length, owner);
	rstar_slice slice = {"", 0};

	if (!data)
	{
		PyErr_Clear();
		return slice;
	}
	slice.data = data;
	slice.length = (size_t) length;
	if (slice.length > limit)
	{
		slice.length = whole_characters(data, limit);
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
		r->result.error.length = whole_characters(name, RSTAR_SANDBOX_NAME_MAX);
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
	const rstar_node_result *result = &r->result;
	const rstar_slice *texts[] = {&result->output, &result->value, &result->error,
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
		rstar_slice code = rstar_sandbox_read_string(job);
		char *end = (char *) code.data + code.length;
		char saved = *end;

		/* The reader's next length field stands there; Python wants a NUL. */
		*end = '\0';
		output.length = 0;
		output.cut = false;
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
		r->result.value = text_slice(value, output.limit, &r->owners[1], &cut);
		if (cut)
			r->result.flags |= RSTAR_SANDBOX_VALUE_CUT;
	}
	r->owners[2] = value;
	if (output.cut)
		r->result.flags |= RSTAR_SANDBOX_OUTPUT_CUT;
	r->result.output.data = output.data;
	r->result.output.length = output.length;
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
rstar_node_run_job(void)
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
	output.limit = rstar_sandbox_read_u32(&job);
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
rstar_node_serve(void)
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
		if (syscall(SYS_getsid, 0) != RSTAR_CHANNEL_FD || !rstar_node_run_job())
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
		output.length = 0;
	}
	return true;
}

bool
rstar_node_warm_up(bool sympy)
{
	PyObject *globals = PyDict_New();

	output.limit = 4096;
	if (!globals || PyDict_SetItemString(globals, "__builtins__", PyEval_GetBuiltins()) != 0)
		return false;
	for (int i = 0; i < WARM_ROUNDS; i++)
		warm_up(warm_small, sizeof(warm_small) / sizeof(warm_small[0]), globals);
	for (int i = 0; sympy && i < WARM_ROUNDS; i++)
		warm_up(warm_sympy, sizeof(warm_sympy) / sizeof(warm_sympy[0]), globals);
	Py_DECREF(globals);
	output.length = 0;
	return true;
}
