"""Equations as people write them, systems, quadratics, formulas; expanding, factoring, derivatives and integrals."""
import random
import re
from fractions import Fraction

from .grammar import Problem, held, plain
from .people import capital

LETTERS = "x x x x y n a t z k m b w p".split()


def shown(d, text):
    """Python's spelling as a person's: 3x, x^2."""
    text = re.sub(r"(\d)\*(?=[a-z(])", r"\1" if d.some(0.85) else r"\1*", text)
    text = text.replace(")*(", ")(") if d.some(0.85) else text
    power = d.rng.random()
    text = text.replace("**", "^") if power < 0.75 else re.sub(r"\*\*2", "²", re.sub(r"\*\*3", "³", text)).replace("**", "^") if power < 0.88 else text
    if d.some(0.2):
        text = text.replace(" ", "")
    return text.replace("*", d.one("*", "*", "·", " * ")) if "*" in text and "**" not in text else text


SOLVE = ("[solve|please solve|solve the equation|can you solve] {e}[.|?|]", "[solve|please solve] {e} for {x}[.|]", "[solve for|find] {x}: {e}[.|]", "{e}[, {x} = ?|, what is {x}?|, find {x}| find {x}|. What is {x}?|, {x}?|. Find {x}.|. How big is {x}?]", "[what is|find|determine|calculate|give] {x} [if|when|for] {e}[?|.|]", "if {e}, [what is|find|then] {x}[?| = ?| is what?]", "[find|give] the [value|solution] of {x} [if|in|when|for which] {e}[.|]", "for [what|which] [value of|] {x} is {e}[?| true?]", "[which|what] [number|value of|] {x} [solves|makes|satisfies|gives] {e}[?| true?]", "[find|determine|give] {x} [such that|so that|where|with] {e}[.|]",
         "{e}", "[I have|given|suppose|let] {e}[. What is {x}?|; find {x}.|, how much is {x}?]", "{x} = ? if {e}", "[the equation|] {e} has which solution?", "[find all|give all|what are all] {x} with {e}[.|?|]", "work out {x}: {e}",
    "[I need|tell me|show me] the [value of|] {x} [for which|such that] {e}[.|]", "[how big|how much|how large] is {x} if {e}?", "[can you|could you|please] [find|work out|tell me] {x} [if|when] {e}[?|]", "knowing that {e}, [find|what is|determine] {x}[?|]", "I wonder what {x} is if {e}[.|]", "given that {e}, [find|work out|solve for] {x}[.|]", "what must {x} be [so that|for] {e}[?|]", "[equation|problem]: {e}. {x}?", "[help me|I want to] solve {e}[.|]", "what does {x} equal [if|when|in] {e}?", "make {x} the unknown and solve {e}")


def term(a, x):
    return x if a == 1 else f"-{x}" if a == -1 else f"{a}*{x}"


def plus(text, b):
    return text if b == 0 else f"{text} + {b}" if b > 0 else f"{text} - {-b}"


def equation(d):
    """One unknown, linear, in the shapes that people write."""
    x = d.one(*LETTERS)
    v = d.rng.randint(-12, 20) if d.some(0.8) else d.int(2, 120)
    a, b, c = d.rng.randint(2, 12), d.rng.randint(1, 30), d.rng.randint(1, 9)
    kind = d.rng.choice(["ax+b", "ax+b", "ax+b", "b+ax", "x/a", "x/a", "x/a+b", "x+b", "x+b", "ax", "b-x", "b-ax", "a(x+b)", "both", "both", "a/x", "frac"])
    s = d.one(1, 1, -1)
    left, right = {"ax+b": (plus(term(a, x), s * b), a * v + s * b), "b+ax": (f"{b} + {term(a, x)}", b + a * v), "x/a": (f"{x}/{a}", v), "x/a+b": (plus(f"{x}/{a}", s * b), v + s * b), "x+b": (plus(x, s * b), v + s * b), "ax": (term(a * s, x), a * s * v), "b-x": (f"{b} - {x}", b - v), "b-ax": (f"{b} - {term(a, x)}", b - a * v),
                   "a(x+b)": (f"{a}*({plus(x, s * b)})", a * (v + s * b)), "both": (plus(term(a + c, x), s * b), plus(term(c, x), a * v + s * b)), "a/x": (f"{a * c}/{x}", a), "frac": (f"({plus(x, s * b)})/{a}", v)}[kind]
    answer = {"x/a": v * a, "x/a+b": v * a, "a/x": c, "frac": v * a - s * b}.get(kind, v)
    if d.some(0.08):
        left, right = right, left
    if d.some(0.12) and kind in ("ax+b", "ax"):
        right_value = d.rng.randint(-20, 40)
        answer = Fraction(right_value - (s * b if kind == "ax+b" else 0), a if kind == "ax+b" else a * s)
        left, right = (plus(term(a, x), s * b) if kind == "ax+b" else term(a * s, x)), right_value
    said = shown(d, f"{left} = {right}")
    text = d.frame(SOLVE, e=said, x=x)
    return Problem(capital(text) if d.some(0.7) else text, answer, (f"Solve for {x}", (f"print(*solve('{left} - ({right})'), sep=', ')",)))


QUADRATIC = SOLVE[:4] + ("[find|give|what are|determine] [the|all|both] [roots|solutions|zeros] of {e}[.|?|]", "[solve|find all {x} with|find all solutions of|find both solutions of|what are the solutions of] {e}[.|?|]", "{e}[, find all {x}|, {x} = ?|. What can {x} be?|. Which values can {x} take?|. Find {x}.|, solve|]", "for which {x} is {e}?", "[which|what] numbers [{x} |]satisfy {e}?", "[what|which] values of {x} [make {e} true|solve {e}|satisfy {e}]?", "[use the quadratic formula|factor and solve|solve by factoring]: {e}",
    "[work out|tell me|list|I need] [all|both|the] [solutions|roots] of {e}[.|]", "what [are the roots|are the solutions] of {e}?", "{e} has [what|which] [solutions|roots]?", "[roots|solutions] of {e}?", "[help me|I want to|can you] solve {e}[?|.|]", "which values of {x} satisfy {e}?", "given {e}, find every [possible|] {x}[.|]")


def quadratic(d):
    import sympy
    x = d.one(*LETTERS)
    p, q = d.rng.randint(-9, 9), d.rng.randint(-9, 9)
    kind = d.rng.random()
    if kind < 0.55:
        b, c = -(p + q), p * q
        k = d.one(1, 1, 1, 1, 2, 3)
        left = plus(f"{term(k, x)}**2" + ("" if b == 0 else f" + {term(k * b, x)}" if b > 0 else f" - {term(-k * b, x)}"), k * c)
        right = "0"
        if d.some(0.2) and c:
            left, right = left.rpartition(" + " if c > 0 else " - ")[0], str(-k * c)
        answer = sorted({p, q})
    elif kind < 0.8:
        n = d.rng.randint(1, 15)
        b = d.one(0, 0, 0, d.rng.randint(1, 20))
        k = d.one(1, 1, 1, 2, 3)
        left, right = plus(f"{term(k, x)}**2", b), str(k * n * n + b)
        if d.some(0.15):
            left, right = f"{x}**2 - {n * n}", "0"
        answer = [-n, n]
    elif kind < 0.9:
        left, right = f"({plus(x, -p)})*({plus(x, -q)})", "0"
        left = left.replace(f"({x})", x)
        answer = sorted({p, q})
    else:
        n = d.rng.randint(1, 7)
        left, right, answer = f"{x}**3", str(n**3), None
        text = d.frame(QUADRATIC[:4], e=shown(d, f"{left} = {right}"), x=x)
        return Problem(capital(text), n, (f"Take the cube root", (f"print(root(S('{n ** 3}'), 3))",)))
    text = d.frame(QUADRATIC, e=shown(d, f"{left} = {right}"), x=x)
    return Problem(capital(text) if d.some(0.7) else text, ", ".join(map(str, answer)), ("Find all solutions", (f"print(*sorted(solve('{left} - ({right})')), sep=', ')",)))


SYSTEM = ("[solve|solve the system|solve the equations|solve simultaneously|find the solution of] {e} and {f}[.|]", "[solve|solve the system|find {x} and {y}:] {e}, {f}[.|]", "{e}[, | and |; ]{f}[. Find {x} and {y}.|. What are {x} and {y}?|, {x} and {y} = ?|, solve| solve for {x} and {y}|]", "[find|what are|calculate|determine] {x} and {y} [if|when|given] {e} and {f}[?|.|]", "if {e} and {f}, [what are|find] {x} and {y}[?|]", "[for which|find] {x} and {y} [are|with|such that] {e} and {f}[?|]", "[solve for|find] {x} and {y}: {e}, {f}",
    "[work out|tell me|I need] {x} and {y}: {e} and {f}[.|]", "which {x} and {y} [satisfy|solve] both {e} and {f}?", "[two equations|a system|simultaneous equations]: {e}, {f}. [Solve|Find {x} and {y}].", "given that {e} and {f}, [find|work out] {x} and {y}[.|]", "[help me|can you] solve {e} and {f} [together|for {x} and {y}][?|]")
SYSTEM_ONE = ("[find|what is|calculate] {x} [if|when|given] {e} and {f}[?|.|]", "{e}[, | and ]{f}[. What is {x}?|. Find {x}.|, {x} = ?]", "if {e} and {f}, what is {x}?", "[solve|] {e}, {f} for {x}",
    "given that {e} and {f}, [work out|find|what is] {x}[?|.|]", "[how big is|what must be|tell me] {x} if both {e} and {f}[?|]", "what does {x} equal when {e} and {f}?")


def system(d):
    x, y = d.one(("x", "y"), ("x", "y"), ("a", "b"), ("m", "n"), ("p", "q"))
    u, v = d.rng.randint(-9, 15), d.rng.randint(-9, 15)
    rows = []
    for _ in "ef":
        a, b = d.one(1, 1, 2, 3, 4, 5), d.one(1, 1, -1, 2, 3, -2, -1)
        rows.append((a, b, a * u + b * v))
    if rows[0][0] * rows[1][1] == rows[0][1] * rows[1][0]:
        return None
    sides = [(f"{term(a, x)} {'+' if b > 0 else '-'} {term(abs(b), y)}", str(c)) for a, b, c in rows]
    if d.some(0.15):
        k, m = d.one(2, 3, 1), v
        rest = u - k * v
        sides[1] = (x, plus(term(k, y), rest))
        if rows[0][0] * k + rows[0][1] == 0:
            return None
    e, f = (shown(d, f"{l} = {r}") for l, r in sides)
    line = f"R = solve(['{sides[0][0]} - ({sides[0][1]})', '{sides[1][0]} - ({sides[1][1]})'])"
    if d.some(0.3):
        w = d.one(x, y)
        return Problem(capital(d.frame(SYSTEM_ONE, e=e, f=f, x=w)), u if w == x else v, ("Solve the equations", (line, f"print(R[S('{w}')])")))
    return Problem(capital(d.frame(SYSTEM, e=e, f=f, x=x, y=y)), f"{x} = {u}, {y} = {v}", ("Solve the equations", (line, f"print('{x} =', R[S('{x}')], end=', ')", f"print('{y} =', R[S('{y}')])")))


EVALUATE = ("[if|for|with|when] {x} = {v}, [what is|find|calculate|how much is] {e}[?|.|]", "[what is|find|calculate|evaluate|work out] {e} [if|for|when|at|with] {x} = {v}[?|.|]", "[evaluate|find the value of] {e} [for|at|when] {x} = {v}[.|]", "{x} = {v}. [What is|How much is|Find] {e}[?|]", "[let|put|set] {x} = {v}. [Calculate|Find|What is] {e}[.|?|]", "{e} for {x} = {v}[?|]", "[plug|put] {x} = {v} into {e}", "{e}, {x} = {v}, value?",
    "[substitute|insert] {x} = {v} [into|in] {e}[.|]", "given {x} = {v}, [work out|find|evaluate] {e}[.|]", "what [value|number] does {e} [have|take|give] [at|for|when] {x} = {v}?", "how much is {e} if {x} is {v}?", "{x} is {v}. [What is|Work out] {e}[?|]", "[tell me|I need] the value of {e} when {x} is {v}[.|]")
FUNCTION = ("[if|let|given|suppose] {f}({x}) = {e}[, what is|. Find|. What is|, find|, calculate] {f}({v})[?|.|]", "{f}({x}) = {e}[. What is|. Find|, find|; calculate] {f}({v})[?|]", "[find|what is] {f}({v}) [if|for|when] {f}({x}) = {e}[?|]",
    "[the|a] function is {f}({x}) = {e}. [Work out|Evaluate|What is] {f}({v})[?|.|]", "[evaluate|work out|calculate] {f}({v}) for {f}({x}) = {e}[.|]", "given {f}({x}) = {e}, [evaluate|work out|determine] {f}({v})[.|]")
FORMULA = ("[if|for|with] {x} = {v} and {y} = {w}, [what is|find|calculate] {e}[?|.|]", "[what is|find|calculate|evaluate] {e} [if|for|when] {x} = {v} and {y} = {w}[?|.|]", "{x} = {v}, {y} = {w}. [What is|Find] {e}[?|]", "[let|] {x} = {v} and {y} = {w}. [Find|Calculate] {e}[.|]",
    "[substitute|put] {x} = {v} and {y} = {w} into {e}[.|]", "given {x} = {v} and {y} = {w}, [work out|evaluate] {e}[.|]", "how much is {e} if {x} is {v} and {y} is {w}?")


def expression(d, x, degree=None):
    degree = degree or d.one(1, 1, 2, 2, 3)
    parts = []
    for k in range(degree, -1, -1):
        c = d.rng.randint(-9, 9) if k < degree else d.one(1, 1, 2, 3, 4, 5, 6)
        if c:
            power = "" if k == 0 else x if k == 1 else f"{x}**{k}"
            body = str(abs(c)) if k == 0 else power if abs(c) == 1 else f"{abs(c)}*{power}"
            parts.append(("-" if c < 0 else "+", body))
    text = "".join(f" {s} {b}" for s, b in parts).strip()
    return text[2:] if text.startswith("+ ") else "-" + text[2:]


def evaluate(d):
    x = d.one(*LETTERS)
    v = d.rng.randint(-6, 12)
    kind = d.rng.random()
    if kind < 0.45:
        e = expression(d, x)
        return Problem(capital(d.frame(EVALUATE, x=x, v=v, e=shown(d, e))), eval(e, {x: v}), (f"Put {v} for {x}", (f"{x} = {v}", f"print({e})")))
    if kind < 0.75:
        f = d.one("f", "f", "g", "h", "p")
        x = d.one("x", "x", "t", "n")
        e = expression(d, x)
        return Problem(capital(d.frame(FUNCTION, f=f, x=x, v=v, e=shown(d, e))) if d.some(0.3) else d.frame(FUNCTION, f=f, x=x, v=v, e=shown(d, e)), eval(e, {x: v}), (f"Put {v} for {x}", (f"{f} = lambda {x}: {e}", f"print({f}({v}))")))
    x, y = d.one(("x", "y"), ("a", "b"), ("m", "n"))
    w = d.rng.randint(-5, 10)
    e = d.one(f"{x}*{y}", f"2*{x} + {y}", f"{x} + 2*{y}", f"3*{x} - {y}", f"{x}**2 + {y}**2", f"{x}**2 - {y}", f"({x} + {y})**2", f"{x}*{y} + {x}", f"{x} - {y}", f"4*{x} - 3*{y}", f"2*{x}*{y}", f"{x}**2*{y}", f"{x} + {y}", f"5*{x} + 2*{y}")
    display = re.sub(r"([a-z])\*(?=[a-z])", r"\1", e)
    return Problem(capital(d.frame(FORMULA, x=x, y=y, v=v, w=w, e=shown(d, display))), eval(e, {x: v, y: w}), (f"Put {v} for {x} and {w} for {y}", (f"{x}, {y} = {v}, {w}", f"print({e})")))


EXPAND = ("[expand|multiply out|please expand|expand and simplify|multiply] {e}[.|]", "[what is|] {e} [expanded|multiplied out|without brackets|without parentheses][?|]", "[remove|get rid of|open|clear] the [brackets|parentheses][ in|:] {e}[.|]", "[write|give] {e} without [brackets|parentheses][.|]", "{e} = ? (expand)", "[what do you get when you expand|the expanded form of] {e}[?|]",
    "[can you|could you|help me] [expand|multiply out] {e}[?|]", "[multiply out|expand] the [brackets|parentheses] in {e}[.|]", "{e} - [expand|multiply out] please", "expansion of {e}[?|]", "[I need|show me] the expanded form of {e}[.|]")
FACTOR = ("[factor|factorise|factorize|please factor|fully factor|completely factor] {e}[.|]", "[write|express] {e} as a product[.|]", "[what is|] {e} [factored|factorised|in factored form][?|]", "[factor|factorise] the expression {e}", "the factored form of {e}[?|]", "[find|what are] the factors of {e}[?|.|]", "[put|bring] {e} [in|into] factored form", "{e}: factor it",
    "[can you|could you|help me] [factor|factorise|factorize] {e}[?|]", "[factorisation|factorization] of {e}[?|]", "how does {e} factor?", "[split|break] {e} into factors[.|]", "[rewrite|give] {e} in factored form[.|]", "what is the factorization of {e}?")
SIMPLIFY = ("[simplify|please simplify|tidy up|collect like terms in|collect like terms:|combine like terms:|reduce] {e}[.|]", "[what is|] {e} [simplified|in simplest form|in short][?|]", "{e} = ?", "[write|give] {e} as simply as possible[.|]", "[add|put] together: {e}", "[what is|how much is|] {e}[?|]",
    "[can you|could you|help me] simplify {e}[?|]", "[make|write] {e} simpler", "[gather|collect] the like terms[ in|:] {e}[.|]", "[bring|put] {e} into [its|] simplest form[.|]", "what does {e} simplify to?")


def expand(d):
    import sympy
    x = d.one(*LETTERS)
    p, q, a, b = (d.rng.randint(-9, 9) or 4 for _ in range(4))
    k = d.one(1, 1, 1, 2, 3)
    e = d.one(f"({plus(x, p)})*({plus(x, q)})", f"({plus(x, p)})*({plus(x, q)})", f"({plus(term(k, x), p)})*({plus(x, q)})", f"{abs(a)}*({plus(term(k, x), p)})", f"({plus(x, p)})**2", f"({plus(term(k + 1, x), p)})**2", f"{x}*({plus(x, p)})", f"{x}*({plus(term(k, x), p)})", f"({plus(x, abs(p))})*({plus(x, -abs(p))})", f"{abs(a)}*({plus(x, p)}) + {abs(b)}*({plus(x, q)})", f"{abs(a) + 1}*{x}*({plus(x, p)})")
    display = e.replace(f"{x}*(", f"{x}(") if d.some(0.7) else e
    answer = str(sympy.expand(e))
    return Problem(capital(d.frame(EXPAND, e=shown(d, display))), answer, ("Expand", (f"print(expand('{e}'))",)))


def factoring(d):
    import sympy
    x = d.one(*LETTERS)
    p, q = d.rng.randint(-9, 9) or 3, d.rng.randint(-9, 9) or -2
    kind = d.rng.random()
    k = d.one(1, 1, 1, 2, 3)
    if kind < 0.45:
        poly = sympy.expand(f"{k}*({plus(x, p)})*({plus(x, q)})")
    elif kind < 0.65:
        poly = sympy.expand(f"{k}*({plus(x, p)})*({plus(x, -p)})")
    elif kind < 0.8:
        g = d.rng.randint(2, 9)
        poly = sympy.expand(f"{g}*({plus(term(d.rng.randint(1, 6), x), d.rng.randint(-9, 9) or 2)})")
    elif kind < 0.92:
        poly = sympy.expand(f"{d.rng.randint(1, 5)}*{x}*({plus(x, p)})")
    else:
        poly = sympy.expand(f"({plus(x, p)})**2")
    e = str(poly)
    return Problem(capital(d.frame(FACTOR, e=shown(d, e))), str(sympy.factor(e)), ("Factor", (f"print(factor('{e}'))",)))


def simplify(d):
    import sympy
    x = d.one(*LETTERS)
    n = d.rng.randint(2, 5)
    parts = []
    for _ in range(n):
        c, k = d.rng.randint(1, 9), d.one(0, 1, 1, 1)
        parts.append((d.one("+", "+", "-"), str(c) if k == 0 else term(c, x)))
    e = "".join(f" {s} {b}" for s, b in parts).strip()
    e = e[2:] if e.startswith("+ ") else "-" + e[2:]
    if x not in e or (x == "a" and False):
        return None
    if d.some(0.15):
        a, b = d.rng.randint(2, 7), d.rng.randint(2, 7)
        e = d.one(f"{x}**{a}*{x}**{b}", f"{x}**{a + b}/{x}**{a}", f"({x}**{a})**{b}", f"{a * b}*{x}/{a}", f"{a}*{x}*{b}*{x}")
    return Problem(capital(d.frame(SIMPLIFY, e=shown(d, e))) if d.some(0.5) else d.frame(SIMPLIFY, e=shown(d, e)), str(sympy.simplify(sympy.expand(e))), ("Simplify", (f"print(expand('{e}'))",)))


DIFF = ("[differentiate|please differentiate|derive] {e}[.| with respect to {x}.|]", "[what is|find|give|calculate|compute|] the derivative of {e}[?|.|| with respect to {x}]", "derivative of {e}[?|]", "d/d{x} [of|] {e}[?|]", "[find|what is] f'({x}) [if|for] f({x}) = {e}[?|]", "f({x}) = {e}. [Find|What is] f'({x})[?|]", "y = {e}[. Find|, find] dy/d{x}", "[what is|find] the slope function of {e}[?|]", "[what is the rate of change of|how fast does] {e}[?| change?]", "{e} differentiated[?|]", "({e})'[?| = ?|]",
    "[can you|could you|help me] differentiate {e}[?|]", "[I need|tell me|work out|determine|show me] the derivative of {e}[.|]", "what do you get when you differentiate {e}?", "[take|form] the derivative of {e} with respect to {x}[.|]", "what is d/d{x} of {e}?", "{e}, [derivative|differentiate]?", "[let|suppose] f({x}) = {e}. [Determine|Work out] f'({x})[.|]", "the derivative of {e} [is what|is|=][?|]", "given y = {e}, [work out|find] dy/d{x}[.|]", "find the first derivative of {e}[.|]")
SECOND = ("[what is|find|calculate|] the second derivative of {e}[?|.|]", "differentiate {e} twice[.|]", "second derivative of {e}[?|]",
    "[take|find] the derivative of {e} two times[.|]", "f({x}) = {e}. [Find|What is] f''({x})[?|]", "[work out|determine] the second derivative of {e}[.|]", "y = {e}. Find the second derivative.")
AT = ("[what is|find|] the [derivative|slope] of {e} at {x} = {v}[?|.|]", "f({x}) = {e}. [Find|What is] f'({v})[?|]", "slope of y = {e} at {x} = {v}[?|]",
    "how steep is y = {e} at {x} = {v}?", "[work out|calculate] the [gradient|slope] of [the curve|] y = {e} at {x} = {v}[.|]", "differentiate {e} and put {x} = {v}", "what is the slope of the tangent to y = {e} at {x} = {v}?")
INTEGRAL = ("[integrate|please integrate] {e}[.| with respect to {x}.|]", "[what is|find|give|calculate|] [the|an] [integral|antiderivative|indefinite integral] of {e}[?|.|| with respect to {x}]", "integral of {e}[ d{x}|][?|]", "∫ {e} d{x}[?| = ?|]", "[find|give] [an antiderivative|the antiderivative] of {e}",
    "[can you|could you|help me] integrate {e}[?|]", "[work out|determine|I need|tell me] the [indefinite integral|antiderivative] of {e}[.|]", "what [function has the derivative|differentiates to] {e}?", "antiderivative of {e}[?|]", "what do you get when you integrate {e}?", "[which|what] function has derivative {e}?", "{e}, [integral|integrate|antiderivative]?", "the integral of {e} with respect to {x}[?| is what?|]")
DEFINITE = ("[what is|find|calculate|evaluate|] the integral of {e} from {a} to {b}[?|.|]", "integrate {e} from {a} to {b}[.|]", "[what is|find] the area under [y = |the curve |]{e} from {x} = {a} to {x} = {b}[?|]", "definite integral of {e} [from|between] {a} [to|and] {b}[?|]", "[calculate|] the integral of {e} between {a} and {b}[.|]",
    "[work out|determine|tell me] the [definite|] integral of {e} from {x} = {a} to {x} = {b}[.|]", "what do you get when you integrate {e} from {a} to {b}?", "∫ from {a} to {b} of {e} d{x}[?| = ?|]", "{e}, integrated from {a} to {b}[?|]", "integrate {e} [with respect to {x}|] between {a} and {b}[.|]")
FUNCTIONS = ("sin({x})", "cos({x})", "exp({x})", "e^{x}", "ln({x})", "log({x})", "sin(2*{x})", "cos(3*{x})", "exp(2*{x})", "sqrt({x})", "1/{x}", "tan({x})", "{x}*sin({x})", "{x}*exp({x})", "sin({x}) + cos({x})", "3*sin({x})", "2*cos({x})", "{x} + sin({x})", "{x}**2 + exp({x})", "5*exp({x})", "{x}*ln({x})", "sin({x})**2", "{x}**2*ln({x})", "2**{x}")


def calculus(d):
    import sympy
    x = d.one("x", "x", "x", "x", "t", "y", "u")
    S = lambda e: sympy.sympify(e.replace("e^", "exp(").replace("exp(" + x, "exp(" + x + ")") if "e^" in e else e.replace("ln(", "log("))
    kind = d.rng.random()
    common = d.some(0.4)
    if common:
        e = d.situation(FUNCTIONS).replace("{x}", x)
        code = f"exp({x})" if e.startswith("e^") else e
        code = code.replace("ln(", "log(")
        said = e if e.startswith("e^") else shown(d, e) if d.some(0.8) else re.sub(r"(sin|cos|ln|log)\((\w)\)", r"\1 \2", e)
    else:
        code = expression(d, x, d.one(1, 2, 2, 3, 3, 4, 5))
        if d.some(0.2):
            code = d.one(f"{x}**{d.rng.randint(2, 9)}", f"{d.rng.randint(2, 9)}*{x}**{d.rng.randint(2, 7)}", f"({x} + {d.rng.randint(1, 9)})**2", f"{d.rng.randint(2, 9)}*{x}")
        said = shown(d, code)
    slots = dict(e=said, x=x)
    expr = sympy.sympify(code)
    line = lambda f: f"print({f})"
    if kind < 0.5:
        text = d.frame(DIFF, **slots)
        return Problem(capital(text) if d.some(0.6) else text, str(sympy.diff(expr, sympy.Symbol(x))), ("Take the derivative", (line(f"diff('{code}', '{x}')"),)))
    if kind < 0.57:
        return Problem(capital(d.frame(SECOND, **slots)), str(sympy.diff(expr, sympy.Symbol(x), 2)), ("Take the second derivative", (line(f"diff('{code}', '{x}', 2)"),)))
    if kind < 0.66 and not common:
        v = d.rng.randint(-3, 6)
        return Problem(capital(d.frame(AT, v=v, **slots)), str(sympy.diff(expr, sympy.Symbol(x)).subs(x, v)), (f"The derivative, {v} for {x}", (line(f"diff('{code}', '{x}').subs('{x}', {v})"),)))
    if kind < 0.86:
        result = sympy.integrate(expr, sympy.Symbol(x))
        return Problem(capital(d.frame(INTEGRAL, **slots)), str(result), ("Integrate", (line(f"integrate('{code}', S('{x}'))"),)))
    if common:
        return None
    a, b = sorted(d.rng.sample(range(0, 8), 2))
    result = sympy.integrate(expr, (sympy.Symbol(x), a, b))
    return Problem(capital(d.frame(DEFINITE, a=a, b=b, **slots)), str(result), (f"Integrate from {a} to {b}", (line(f"integrate('{code}', (S('{x}'), {a}, {b}))"),)))


TOPICS = ((equation, 12), (quadratic, 7), (system, 5), (evaluate, 5), (expand, 4), (factoring, 4), (simplify, 3), (calculus, 8))
