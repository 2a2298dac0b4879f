/*
 * python.h
 *	  Texts of Python programs: literals, and what both sides of a test share.
 *
 * A value passes between two processes as JSON. What JSON has no form for is an
 * object with one key that names the type:
 *
 *		{"t": [..]} tuple	{"s": [..]} set		{"z": [..]} frozenset	{"d": [[key, value], ..]} dict
 *		{"b": "hex"} bytes	{"c": [re, im]} complex	{"r": [p, q]} fraction	{"m": "1.50"} decimal
 *		{"i": [..]} iterator	{"g": [start, stop, step]} range
 */
#ifndef RSTAR_VERIFY_PYTHON_H
#define RSTAR_VERIFY_PYTHON_H

#include "core/base/memory.h"
#include "core/base/string.h"

/* Append a string literal that means exactly this text. False: no memory. */
extern bool rstar_verify_literal(rstar_buffer *out, rstar_string text);

/* Append NAME = 'text' and a line end. False: no memory. */
extern bool rstar_verify_assign(rstar_buffer *out, const char *name, rstar_string text);

/* Defines encode(value), which gives what json.dumps takes; raises TypeError. */
extern const char *const rstar_verify_encode_source;

/* Defines decode(value), its inverse; raises for whatever encode would not give. */
extern const char *const rstar_verify_decode_source;

#endif
