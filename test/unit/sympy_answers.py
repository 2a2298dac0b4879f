"""Write pairs of answers as SymPy and Python print them, one JSON object a line.

    sympy_answers.py SEED COUNT

For random answers of each kind, every two spellings (str, repr, latex, and where Python has a
value of its own, that value's str) of one answer are a pair that is equal; spellings of an
answer and of an altered one are a pair that is not. test_grade_sympy.c reads them.
"""
import json
import random
import sys
import warnings
from decimal import Decimal
from fractions import Fraction

import sympy as S
from sympy import (And, Eq, FiniteSet, I, Integral, Interval, Matrix, Or, Piecewise, Poly, Product,
                   Rational, Sum, Union, latex, oo, pi, sqrt, symbols)

warnings.simplefilter("ignore")
rng = random.Random(int(sys.argv[1]))
x, y, n, k, t = symbols("x y n k t")
alpha, theta = symbols("alpha theta")


def integer(low=-20, high=20, zero=False):
    value = rng.randint(low, high)
    return value if value or zero else 1


def rational():
    return Rational(integer(), rng.randint(2, 12))


def number():
    """A real constant."""
    return rng.choice([
        lambda: S.Integer(integer()),
        rational,
        lambda: integer() * sqrt(rng.choice([2, 3, 5, 7])),
        lambda: rational() * pi,
        lambda: S.E ** integer(-3, 3),
        lambda: rational() + sqrt(rng.choice([2, 3, 6])),
        lambda: S.log(rng.choice([2, 3, 5])) * integer(),
        lambda: S.Integer(rng.choice([2, 3, 5, 7])) ** Rational(1, 3),
    ])()


def polynomial(names=(x,)):
    return sum(integer(-9, 9, True) * rng.choice(names) ** d for d in range(4)) + x ** 2 + 1


def function():
    p = polynomial()
    return rng.choice([
        lambda: p,
        lambda: p / (x ** 2 + rng.randint(1, 5)),
        lambda: S.factor((x - integer()) * (x + integer())),
        lambda: S.sin(x) ** 2 + rational() * S.cos(2 * x),
        lambda: S.exp(-x) * integer() + x,
        lambda: S.log(x) * rational() + x,
        lambda: sqrt(x ** 2 + rng.randint(1, 9)) + integer(),
        lambda: S.Abs(x - integer()) + x,
        lambda: S.tan(x) + S.atan(x) * integer(),
        lambda: S.sinh(x) + S.cosh(integer() * x),
        lambda: S.asin(x / 3) + S.sec(x),
        lambda: polynomial((x, y)),
        lambda: alpha * x + theta ** 2 + integer(),
        lambda: 2 ** x + x ** Rational(3, 2),
        lambda: S.floor(x) + integer() * S.ceiling(x / 2),
        lambda: S.Max(x, integer()) + S.Min(1, 2 * x),
        lambda: S.factorial(n) / integer(1, 9) + n,
        lambda: S.binomial(n, 2) + integer(),
        lambda: S.Symbol("x_1") ** 2 + S.Symbol("x2") + integer(),
    ])()


def ends():
    low = number() if rng.random() < 0.5 else S.Integer(integer())
    return low, low + rng.randint(1, 9)


def interval():
    low, high = ends()
    return Interval(low, high, rng.random() < 0.5, rng.random() < 0.5)


def shifted(value):
    return value + rng.choice([1, -1, Rational(1, 2), 2])


# Each kind gives (spellings of an answer, spellings of an altered one).


def forms(value):
    out = [str(value), latex(value)]
    if repr(value) not in out:
        out.append(repr(value))
    return out


def kind_number():
    a = number()
    return forms(a), forms(shifted(a))


def kind_rational():
    a = rational()
    f = Fraction(int(a.p), int(a.q))
    b = shifted(a)
    return forms(a) + [str(f), repr(f), S.srepr(a)], forms(b) + [repr(Fraction(int(b.p), int(b.q)))]


def kind_decimal():
    digits = rng.randint(1, 99999)
    a = Decimal(digits) / 100
    b = a + Decimal("0.01") * rng.randint(1, 50)
    return [str(a), repr(a), str(float(a))], [str(b), repr(b), str(float(b))]


def kind_complex():
    re, im = integer(), integer()
    a = S.Integer(re) + im * I
    b = rng.choice([re + (im + 1) * I, re - im * I, re + 1 + im * I, -re + im * I])
    if b == a:
        b = a + 1
    z = complex(re, im)
    return forms(a) + [str(z)], forms(b)


def kind_complex_rational():
    a = rational() + rational() * I
    return forms(a), forms(a + rng.choice([1, I, -2 * I]))


def kind_function():
    a = function()
    b = a + rng.choice([1, -1, x, Rational(1, 3)])
    return forms(a), forms(b)


def kind_set():
    items = [number() for _ in range(rng.randint(2, 4))]
    a = FiniteSet(*items)
    b = FiniteSet(*items[:-1], shifted(items[-1]))
    if a == b or len(a) != len(b):
        b = FiniteSet(*items, 101)
    return forms(a) + ["FiniteSet(%s)" % ", ".join(map(str, a))], forms(b)


def kind_list():
    items = [number() for _ in range(rng.randint(2, 4))]
    other = items[:-1] + [shifted(items[-1])]
    shuffled = rng.sample(items, len(items))
    if sorted(map(str, other)) == sorted(map(str, items)):
        other = items + [101]
    plain = ", ".join(map(str, shuffled))
    return [str(items), plain], [str(other), ", ".join(map(str, other))]


def kind_tuple():
    items = tuple(number() for _ in range(rng.randint(2, 4)))
    other = items[:-1] + (shifted(items[-1]),)
    return [str(items), latex(items), str(S.Tuple(*items))], [str(other), latex(other)]


def kind_interval():
    a = interval()
    change = rng.randrange(3)
    if change == 0:
        b = Interval(a.start, a.end + 1, a.left_open, a.right_open)
    elif change == 1:
        b = Interval(a.start, a.end, not a.left_open, a.right_open)
    else:
        b = Interval(a.start, a.end, a.left_open, not a.right_open)
    return forms(a), forms(b)


def kind_ray():
    bound = number()
    a = rng.choice([Interval(bound, oo), Interval.open(-oo, bound), Interval.open(bound, oo)])
    b = rng.choice([Interval(bound + 1, oo), Interval.open(-oo, bound + 1)])
    return forms(a), forms(b)


def kind_union():
    low = S.Integer(integer())
    a = Union(Interval(low, low + 1), Interval.open(low + 2, low + 3), Interval.Ropen(low + 5, oo))
    b = rng.choice([
        Union(Interval(low, low + 1), Interval.open(low + 2, low + 3)),
        Union(Interval(low, low + 1), Interval.open(low + 2, low + 4), Interval.Ropen(low + 5, oo)),
        Union(Interval.Lopen(low, low + 1), Interval.open(low + 2, low + 3), Interval(low + 5, oo)),
    ])
    return forms(a), forms(b)


def kind_matrix():
    rows, columns = rng.randint(1, 3), rng.randint(1, 3)
    if rows * columns == 1:
        columns = 2
    entries = [[number() for _ in range(columns)] for _ in range(rows)]
    a = Matrix(entries)
    b = a.copy()
    i, j = rng.randrange(rows), rng.randrange(columns)
    b[i, j] = shifted(b[i, j])
    return forms(a) + [str(S.ImmutableMatrix(a))], forms(b)


def kind_matrix_arithmetic():
    size = rng.randint(2, 3)
    a = Matrix(size, size, [integer(-5, 5, True) for _ in range(size * size)])
    b = Matrix(size, size, [integer(-5, 5, True) for _ in range(size * size)])
    c = integer(2, 5)
    how = rng.randrange(5)
    left, right = latex(a), latex(b)
    result = [a + b, a * b, c * a, a.T, a ** 2][how]
    text = [left + " + " + right, left + right, "%d%s" % (c, left), left + "^T", left + "^2"][how]
    wrong = result.copy()
    wrong[0, 0] += 1
    return [text, str(result), latex(result)], [str(wrong), latex(wrong)]


def kind_determinant():
    size = rng.randint(2, 3)
    a = Matrix(size, size, [integer(-5, 5, True) for _ in range(size * size)])
    bars = "\\det" + latex(a)
    if rng.random() < 0.5:
        bars = latex(a, mat_str="vmatrix", mat_delim="")
    return [bars, str(a.det())], [str(a.det() + 1)]


def kind_solution():
    u, v = number(), number()
    a, b = {x: u, y: v}, {x: u, y: shifted(v)}
    text = "x = %s, y = %s" % (latex(u), latex(v))
    return [str(a), latex(a), text], [str(b), latex(b)]


def kind_solutions():
    values = rng.sample(range(-9, 10), 2)
    a = [{x: S.Integer(v)} for v in values]
    b = [{x: S.Integer(values[0])}, {x: S.Integer(values[1] + 20)}]
    return [str(a), latex(a), str(FiniteSet(*values))], [str(b), latex(b)]


def kind_equation():
    c = number()
    return forms(Eq(x, c)), forms(Eq(x, shifted(c))) + forms(Eq(y, c))


def kind_curve():
    p = polynomial()
    return forms(Eq(y, p)), forms(Eq(y, p + 1))


def kind_inequality():
    c = integer()
    relation = rng.choice([lambda a, b: a < b, lambda a, b: a >= b, S.Ne])
    return forms(relation(x, c)), forms(relation(x, c + 1))


def kind_conditions():
    low = integer()
    high = low + rng.randint(1, 9)
    strict = rng.random() < 0.5
    a = And(x > low if strict else x >= low, x <= high)
    b = And(x >= low if strict else x > low, x <= high)
    s, o = Interval(low, high, strict, False), Interval(low, high, not strict, False)
    return forms(a) + forms(s), forms(b) + forms(o)


def kind_alternatives():
    low = integer()
    high = low + rng.randint(1, 9)
    a, b = Or(x < low, x > high), Or(x < low, x >= high)
    s = Union(Interval.open(-oo, low), Interval.open(high, oo))
    o = Union(Interval.open(-oo, low), Interval(high, oo))
    return forms(a) + forms(s), forms(b) + forms(o)


def kind_piecewise():
    p, q, c = polynomial(), polynomial(), integer()
    a = Piecewise((p, x > c), (q, True))
    b = rng.choice([Piecewise((p + 1, x > c), (q, True)), Piecewise((p, x > c + 1), (q, True)),
                    Piecewise((p, x >= c), (q, True))])
    return forms(a), forms(b)


def kind_sum():
    c = integer(1, 9)
    operator = rng.choice([Sum, Product])
    a, b = operator(k ** 2 + c, (k, 1, n)), operator(k ** 2 + c, (k, 0, n))
    return forms(a), forms(b) + forms(operator(k ** 2 + c + 1, (k, 1, n)))


def kind_integral():
    c = integer(1, 9)
    a = Integral(x ** 2 + c, (x, 0, c))
    return forms(a), forms(Integral(x ** 2 + c, (x, 1, c + 1))) + forms(Integral(x ** 3, (x, 0, c)))


def kind_poly():
    p = x ** 3 + integer() * x + integer()
    return forms(Poly(p, x)) + forms(p), forms(Poly(p + 1, x))


def kind_truth():
    a = rng.random() < 0.5
    return [str(a), latex(S.true if a else S.false)], [str(not a)]


def kind_based():
    v = rng.randint(9, 500)
    return [bin(v), "%s_2" % bin(v)[2:], "(%s)_{2}" % bin(v)[2:], "%s_8" % oct(v)[2:]], \
        [bin(v + 1), str(v), "%s_8" % oct(v + 1)[2:]]


def kind_large():
    v = rng.randint(10 ** 20, 10 ** 40)
    return [str(v), "{:,}".format(v), "{:,}".format(v).replace(",", "{,}"), latex(S.Integer(v))], \
        [str(v + 1)]


kinds = [value for name, value in sorted(globals().items()) if name.startswith("kind_")]
for i in range(int(sys.argv[2])):
    kind = kinds[i % len(kinds)]
    same, other = kind()
    name = kind.__name__[5:]
    for first in same:
        for second in same:
            if first != second:
                print(json.dumps({"kind": name, "gold": first, "answer": second, "equal": True}))
        for second in other:
            print(json.dumps({"kind": name, "gold": first, "answer": second, "equal": False}))
            print(json.dumps({"kind": name, "gold": second, "answer": first, "equal": False}))
