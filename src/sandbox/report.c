/*
 * report.c
 *	  What a node says about its step: its value or its error, and the output.
 *
 * Texts are copied before the objects are dropped, since finalisers run then and
 * may do anything. Copies go into fixed memory where they fit: the step may have
 * left none.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "sandbox/node.h"
#include "sandbox/program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SMALL_TEXT  8192  /* values up to this size need no allocation */
#define SMALL_FRAME 16384 /* nor do reports */

/* --- texts ------------------------------------------------------------------------ */

/* A copy of a str, cut at `limit`; in `small` (SMALL_TEXT) if need be, cut to that. */
static rstar_string
copy_text(PyObject *text, size_t limit, char *small, bool *cut)
{
	PyObject *owner;
	Py_ssize_t length;
	const char *data = rstar_stream_utf8(text, &length, &owner);
	rstar_string copy = {"", 0};
	char *room = small;

	if (!data)
	{
		PyErr_Clear();
		return copy;
	}
	copy.length = (size_t) length;
	if (copy.length > limit)
		copy.length = rstar_stream_whole(data, limit);
	if (copy.length > SMALL_TEXT)
		room = malloc(copy.length);
	if (!room)
	{
		room = small;
		copy.length = rstar_stream_whole(data, SMALL_TEXT);
	}
	*cut |= copy.length < (size_t) length;
	memcpy(room, data, copy.length);
	copy.data = room;
	Py_XDECREF(owner);
	return copy;
}

void
rstar_report_value(rstar_step_report *report, PyObject *value)
{
	static char small[SMALL_TEXT];
	bool cut = false;

	report->status = RSTAR_SANDBOX_OK;
	if (value == Py_None)
		return;
	report->flags |= RSTAR_SANDBOX_HAS_VALUE;
	report->value = copy_text(value, rstar_stream_output.limit, small, &cut);
	if (cut)
		report->flags |= RSTAR_SANDBOX_VALUE_CUT;
}

/* --- errors ------------------------------------------------------------------------ */

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

/*
 * What Python's message does not say: which wall of the sandbox the step ran into.
 * NULL: nothing to add.
 */
static const char *
explanation(PyObject *error, const char *message)
{
	const struct
	{
		PyObject *type;
		const char *begins, *text;
	} walls[] = {
		{PyExc_ModuleNotFoundError, "", "not in the sandbox (see rstar.sandbox_modules)"},
		{PyExc_EOFError, "EOF when reading", "steps have no input"},
		{PyExc_PermissionError, "", "steps can reach no files, network or processes"},
		{PyExc_MemoryError, "", "the memory of the step is used up"},
		{PyExc_RuntimeError, "can't start new thread", "steps have one thread"},
	};

	for (size_t i = 0; i < sizeof(walls) / sizeof(walls[0]); i++)
		if (Py_TYPE(error) == (PyTypeObject *) walls[i].type &&
			strncmp(message, walls[i].begins, strlen(walls[i].begins)) == 0)
			return walls[i].text;
	return NULL;
}

static rstar_string
error_name(PyObject *error)
{
	static char copy[RSTAR_SANDBOX_NAME_MAX];
	const char *name = Py_TYPE(error)->tp_name;
	const char *dot = strrchr(name, '.');
	rstar_string result = {copy, 0};

	name = dot ? dot + 1 : name;
	result.length = strlen(name);
	if (result.length > sizeof(copy))
		result.length = rstar_stream_whole(name, sizeof(copy));
	memcpy(copy, name, result.length);
	return result;
}

/* Its text; a syntax error's own would repeat the line. */
static rstar_string
error_message(PyObject *error)
{
	static char copy[SMALL_TEXT + 1];
	bool syntax = PyObject_TypeCheck(error, (PyTypeObject *) PyExc_SyntaxError), cut = false;
	PyObject *text = syntax ? PyObject_GetAttrString(error, "msg") : PyObject_Str(error);
	rstar_string result = {copy, 0};
	const char *more;

	if (text && PyUnicode_Check(text))
		result = copy_text(text, RSTAR_SANDBOX_TEXT_MAX, copy, &cut);
	PyErr_Clear();
	copy[result.length] = '\0';
	more = explanation(error, copy);
	if (more && result.length + strlen(more) + 2 <= RSTAR_SANDBOX_TEXT_MAX)
	{
		strcpy(copy + result.length, result.length ? ": " : "");
		strcat(copy, more);
		result.data = copy;
		result.length = strlen(copy);
	}
	return result;
}

void
rstar_report_error(rstar_step_report *report)
{
	PyObject *type, *error, *traceback;

	PyErr_Fetch(&type, &error, &traceback);
	PyErr_NormalizeException(&type, &error, &traceback);
	report->status = RSTAR_SANDBOX_ERROR;
	if (!error)
		return;
	report->error = error_name(error);
	if (wants_sympy(error))
		report->flags |= RSTAR_SANDBOX_WANTS_SYMPY;
	report->line = line_of(error, traceback);
	report->message = error_message(error);
	/* type, error and traceback stay: the process ends now. */
}

/* --- sending ------------------------------------------------------------------------ */

/*
 * Gathers short texts in one buffer, so that a usual report is one write, and sends long ones
 * from where they are. The buffer is static because the stack may be as exhausted as the
 * memory.
 */
bool
rstar_report_write(rstar_step_report *result)
{
	static char small[SMALL_FRAME];
	const rstar_string *texts[] = {&result->output, &result->value, &result->error,
								   &result->message};
	uint32_t size = 6 + 4 * 4;
	size_t used;
	uint32_t line = result->line;

	if (rstar_stream_output.cut)
		result->flags |= RSTAR_SANDBOX_OUTPUT_CUT;
	result->output.data = rstar_stream_output.data ? rstar_stream_output.data : "";
	result->output.length = rstar_stream_output.length;
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
