/*
 * warm.c
 *	  Small pieces of everything that steps do, run once in the template, so that
 *	  nodes find modules loaded, caches filled and code rewritten by the interpreter.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "sandbox/node.h"
#include "sandbox/program.h"

#include <stdlib.h>
#include <string.h>

/*
 * The interpreter rewrites code that it meets often: small pieces run several
 * times. SymPy's run once: more rounds make no step faster, and each takes 0.1 s.
 */
#define SMALL_ROUNDS 4

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

static const char *const warm_sympy[] = {
	"k = 2",
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
		rstar_step_report report = {.status = RSTAR_SANDBOX_OK};
		char *copy = strdup(pieces[i]);
		PyObject *value = copy ? rstar_program_run_piece(copy, strlen(copy), true, globals) : NULL;

		if (!value)
			rstar_report_error(&report);
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
	for (int i = 0; i < SMALL_ROUNDS; i++)
		warm_up(warm_small, sizeof(warm_small) / sizeof(warm_small[0]), globals);
	if (sympy)
		warm_up(warm_sympy, sizeof(warm_sympy) / sizeof(warm_sympy[0]), globals);
	Py_DECREF(globals);
	rstar_stream_output.length = 0;
	return true;
}
