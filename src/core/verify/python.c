/*
 * python.c
 *	  Texts of Python programs: literals, and what both sides of a test share.
 */
#include "core/verify/python.h"

#include <string.h>

bool
rstar_verify_literal(rstar_buffer *out, rstar_string text)
{
	bool done = rstar_buffer_append_text(out, "'");

	for (size_t from = 0; done && from < text.length;)
	{
		size_t at = from;
		char c;

		while (at < text.length && (unsigned char) text.data[at] >= ' ' && text.data[at] != '\'' &&
			   text.data[at] != '\\' && text.data[at] != 0x7f)
			at++;
		done = rstar_buffer_append(out, text.data + from, at - from);
		from = at + 1;
		if (!done || at == text.length)
			continue;
		c = text.data[at];
		if (c == '\'' || c == '\\')
			done = rstar_buffer_printf(out, "\\%c", c);
		else
			done = rstar_buffer_printf(out, "\\x%02x", (unsigned) (unsigned char) c);
	}
	return done && rstar_buffer_append_text(out, "'");
}

bool
rstar_verify_assign(rstar_buffer *out, const char *name, rstar_string text)
{
	return rstar_buffer_append_text(out, name) && rstar_buffer_append_text(out, " = ") &&
		   rstar_verify_literal(out, text) && rstar_buffer_append_text(out, "\n");
}

const char *const rstar_verify_encode_source =
	"def encode(x):\n"
	"    if x is None or isinstance(x, (bool, str)): return x\n"
	"    if isinstance(x, int): return int(x)\n"
	"    if isinstance(x, float): return float(x)\n"
	"    if isinstance(x, complex): return {'c': [x.real, x.imag]}\n"
	"    if isinstance(x, (bytes, bytearray)): return {'b': x.hex()}\n"
	"    if isinstance(x, list): return [encode(v) for v in x]\n"
	"    if isinstance(x, tuple): return {'t': [encode(v) for v in x]}\n"
	"    if isinstance(x, set): return {'s': [encode(v) for v in x]}\n"
	"    if isinstance(x, frozenset): return {'z': [encode(v) for v in x]}\n"
	"    if isinstance(x, dict): return {'d': [[encode(k), encode(v)] for k, v in x.items()]}\n"
	"    if isinstance(x, range): return {'g': [x.start, x.stop, x.step]}\n"
	"    name = type(x).__name__\n"
	"    if name == 'Decimal': return {'m': str(x)}\n"
	"    if name == 'Fraction': return {'r': [x.numerator, x.denominator]}\n"
	"    if getattr(x, 'is_Rational', False): return {'r': [int(x.p), int(x.q)]}\n"
	"    if getattr(x, 'is_Float', False): return float(x)\n"
	"    if name in ('dict_keys', 'dict_values', 'dict_items', 'deque'):\n"
	"        return [encode(v) for v in x]\n"
	"    if hasattr(x, '__next__'): return {'i': [encode(v) for v, _ in zip(x, range(100000))]}\n"
	"    raise TypeError('a value of type %s cannot be compared' % name)\n";

const char *const rstar_verify_decode_source =
	"def decode(x):\n"
	"    if isinstance(x, list): return [decode(v) for v in x]\n"
	"    if not isinstance(x, dict): return x\n"
	"    (kind, v), = x.items()\n"
	"    if kind == 't': return tuple(decode(i) for i in v)\n"
	"    if kind == 's': return {decode(i) for i in v}\n"
	"    if kind == 'z': return frozenset(decode(i) for i in v)\n"
	"    if kind == 'd': return {decode(k): decode(i) for k, i in v}\n"
	"    if kind == 'i': return iter([decode(i) for i in v])\n"
	"    if kind == 'g': return range(*[int(i) for i in v])\n"
	"    if kind == 'b': return bytes.fromhex(v)\n"
	"    if kind == 'c': return complex(float(v[0]), float(v[1]))\n"
	"    if kind == 'r':\n"
	"        p, q = int(v[0]), int(v[1])\n"
	"        return p if q == 1 else fractions.Fraction(p, q)\n"
	"    if kind == 'm': return decimal.Decimal(str(v))\n"
	"    raise ValueError('no value of kind %r' % kind)\n";
