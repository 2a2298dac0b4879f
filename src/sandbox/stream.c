/*
 * stream.c
 *	  The standard streams of a node.
 *
 * Output goes into a buffer of limited size, which is never asked for more; the
 * error stream is thrown away and the input is at its end from the start.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "sandbox/node.h"

#include <stdlib.h>
#include <string.h>

rstar_step_output rstar_stream_output;

/* --- the streams -------------------------------------------------------------- */

size_t
rstar_stream_whole(const char *text, size_t length)
{
	while (length > 0 && ((unsigned char) text[length] & 0xc0) == 0x80)
		length--;
	return length;
}

static void
output_append(const char *text, size_t length)
{
	if (rstar_stream_output.cut)
		return;
	if (length > rstar_stream_output.limit - rstar_stream_output.length)
	{
		length = rstar_stream_whole(text, rstar_stream_output.limit - rstar_stream_output.length);
		rstar_stream_output.cut = true;
	}
	if (length > rstar_stream_output.capacity - rstar_stream_output.length)
	{
		size_t capacity = 2 * (rstar_stream_output.length + length);
		char *data = realloc(rstar_stream_output.data, capacity);

		if (!data)
		{
			rstar_stream_output.cut = true;
			return;
		}
		rstar_stream_output.data = data;
		rstar_stream_output.capacity = capacity;
	}
	memcpy(rstar_stream_output.data + rstar_stream_output.length, text, length);
	rstar_stream_output.length += length;
}

const char *
rstar_stream_utf8(PyObject *text, Py_ssize_t *length, PyObject **owner)
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
	data = rstar_stream_utf8(text, &length, &owner);
	if (!data)
		return NULL;
	/* Only standard output is kept; the error stream has a false truth value. */
	if (PyObject_IsTrue(self) == 1)
		output_append(data, (size_t) length);
	Py_XDECREF(owner);
	return PyLong_FromSsize_t(PyUnicode_GET_LENGTH(text));
}

static PyObject *
stream_writelines(PyObject *self, PyObject *lines)
{
	PyObject *iterator = PyObject_GetIter(lines), *line, *written;

	if (!iterator)
		return NULL;
	while ((line = PyIter_Next(iterator)) != NULL)
	{
		written = stream_write(self, line);
		Py_DECREF(line);
		if (!written)
			break;
		Py_DECREF(written);
	}
	Py_DECREF(iterator);
	return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

static PyObject *
stream_none(PyObject *self, PyObject *args)
{
	(void) self;
	(void) args;
	return Py_NewRef(Py_None);
}

static PyObject *
stream_false(PyObject *self, PyObject *args)
{
	(void) self;
	(void) args;
	return Py_NewRef(Py_False);
}

static PyObject *
stream_true(PyObject *self, PyObject *args)
{
	(void) self;
	(void) args;
	return Py_NewRef(Py_True);
}

static PyObject *
stream_empty(PyObject *self, PyObject *args)
{
	(void) self;
	(void) args;
	return PyUnicode_FromString("");
}

static PyObject *
stream_lines(PyObject *self, PyObject *args)
{
	(void) self;
	(void) args;
	return PyList_New(0);
}

/* Reading line by line: there is none. */
static PyObject *
stream_iterate(PyObject *self)
{
	PyObject *lines = stream_lines(self, NULL);
	PyObject *iterator = lines ? PyObject_GetIter(lines) : NULL;

	Py_XDECREF(lines);
	return iterator;
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
	{"writelines", stream_writelines, METH_O, "Write strings."},
	{"readlines", stream_lines, METH_VARARGS, "Always at the end."},
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
									 {Py_tp_iter, stream_iterate},
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

bool
rstar_stream_install(void)
{
	PyTypeObject *type = (PyTypeObject *) PyType_FromSpec(&stream_spec);

	return type && install_stream(type, "stdin", "__stdin__", false) &&
		   install_stream(type, "stdout", "__stdout__", true) &&
		   install_stream(type, "stderr", "__stderr__", false);
}
