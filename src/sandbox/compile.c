/*
 * compile.c
 *	  From the text of a step to code objects, its last expression apart.
 *
 * Python's own way to divide a program goes through a tree of Python objects,
 * and a child that makes one copies some fifty pages. Most steps can be divided
 * from their text: compile_by_text() says why that is safe. What is unclear
 * goes through the tree.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "sandbox/node.h"

#include <stdlib.h>
#include <string.h>

static struct
{
	PyObject *filename;   /* "<step>" */
	PyObject *compile;    /* builtins.compile */
	PyObject *expr;       /* ast.Expr */
	PyObject *expression; /* ast.Expression */
} compiler;

static PyObject *
attribute_of(const char *module_name, const char *name)
{
	PyObject *module = PyImport_ImportModule(module_name);
	PyObject *attribute = module ? PyObject_GetAttrString(module, name) : NULL;

	Py_XDECREF(module);
	return attribute;
}

bool
rstar_compile_prepare(void)
{
	compiler.filename = PyUnicode_FromString("<step>");
	compiler.compile = attribute_of("builtins", "compile");
	compiler.expr = attribute_of("_ast", "Expr");
	compiler.expression = attribute_of("_ast", "Expression");
	return compiler.filename && compiler.compile && compiler.expr && compiler.expression;
}

static PyObject *
compile_text(const char *source, int start, int extra)
{
	PyCompilerFlags flags = {.cf_flags = PyCF_SOURCE_IS_UTF8 | PyCF_IGNORE_COOKIE | extra,
							 .cf_feature_version = PY_MINOR_VERSION};

	return Py_CompileStringObject(source, compiler.filename, start, &flags, 0);
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
	if (n > 0 && PyObject_TypeCheck(PyList_GET_ITEM(body, n - 1), (PyTypeObject *) compiler.expr))
	{
		PyObject *value = PyObject_GetAttrString(PyList_GET_ITEM(body, n - 1), "value");
		PyObject *expression =
			value ? PyObject_CallFunctionObjArgs(compiler.expression, value, NULL) : NULL;

		if (expression && PyList_SetSlice(body, n - 1, n, NULL) == 0)
			*last = PyObject_CallFunction(compiler.compile, "OOsii", expression, compiler.filename,
										  "eval", 0, 1);
		Py_XDECREF(value);
		Py_XDECREF(expression);
	}
	if (!PyErr_Occurred())
		code =
			PyObject_CallFunction(compiler.compile, "OOsii", tree, compiler.filename, "exec", 0, 1);
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
PyObject *
rstar_compile_piece(char *source, PyObject **last)
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
