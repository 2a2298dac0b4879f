/*
 * node.h
 *	  The parts of a node's harness.
 *
 * stream.c		sys.stdin, sys.stdout and sys.stderr; what was printed
 * compile.c	from a step's text to code, its last expression apart
 * report.c		what is said about a step
 * warm.c		the first steps, run in the template
 * node.c		running a job, parking
 */
#ifndef RSTAR_SANDBOX_NODE_H
#define RSTAR_SANDBOX_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/sandbox/frame.h"

/* As Python.h has it, which this header does without. */
typedef struct _object PyObject;

/* --- stream.c ------------------------------------------------------------------ */

/* What the code printed; kept by the stream object that is sys.stdout. */
typedef struct rstar_step_output
{
	char *data;
	size_t length, capacity, limit;
	bool cut;
} rstar_step_output;

extern rstar_step_output rstar_stream_output;

/* Put our streams in place of Python's. false with an exception set. */
extern bool rstar_stream_install(void);

/* UTF-8 of a str object; lone surrogates become '?'. *owner holds the bytes. */
extern const char *rstar_stream_utf8(PyObject *text, ssize_t *length, PyObject **owner);

/* Cut back to the start of the UTF-8 character that `length` would split. */
extern size_t rstar_stream_whole(const char *text, size_t length);

/* --- compile.c ----------------------------------------------------------------- */

/* false with an exception set. */
extern bool rstar_compile_prepare(void);

/*
 * Compile one piece, NUL-terminated; it is written to and restored. When its
 * last statement is an expression, *last becomes the code of that and the rest
 * is returned; with last NULL all of it is.
 */
extern PyObject *rstar_compile_piece(char *source, PyObject **last);

/* --- report.c ------------------------------------------------------------------ */

/* Its texts are copies, which last until the next report. */
typedef rstar_sandbox_node_result rstar_step_report;

/* `value` is a str or None. */
extern void rstar_report_value(rstar_step_report *report, PyObject *value);

/* The pending exception, which it takes. */
extern void rstar_report_error(rstar_step_report *report);

/* Send it, with the output; asks for no memory. false: the channel is at its end. */
extern bool rstar_report_write(rstar_step_report *report);

/* --- node.c -------------------------------------------------------------------- */

/*
 * Run one piece in `globals`; the source is written to and restored. The last
 * piece's value comes as a str or None; NULL with an exception set: it failed.
 */
extern PyObject *rstar_program_run_piece(char *source, size_t length, bool final,
										 PyObject *globals);

#endif
