"""algebra: linear equations, roots and factors of polynomials, sequences."""
import re

from .clauses import equation, sides, solve_linear, system
from .solution import names, symbols_line


def linear_one(text, v, sol):
    left, right = equation(text)
    if "**" in text or f"{v}*{v}" in text or "/" in text:
        return False
    if sol.rng.random() < sol.style.plain:
        sol.step(f"Move all to one side", f"P = lambda {v}: {left} - ({right})")
        if sol.rarely():
            sol.step(f"Solve for {v}", f"{v} = -P(0) // (P(1) - P(0))")
            sol.step("Check and print it", f"assert P({v}) == 0", f"print({v})")
        else:
            sol.step(f"Solve for {v}", f"print(-P(0) // (P(1) - P(0)))")
    else:
        sol.step(f"Solve for {v}", symbols_line([v]), f"print(solve(Eq({left}, {right}))[0])")
    return True


def linear(m, sol):
    text, v = m.groups()
    equations = text.split(", ")
    unknown = solve_linear(equations, sol)
    if v not in unknown:
        return False
    if len(equations) == 1:
        return linear_one(text, v, sol)
    sol.step("Solve the equations", system(equations), f"print(R[S('{v}')])")
    return True


def span(text, sol):
    """A polynomial as the question writes it: a string for SymPy, with what is known put in."""
    call = re.fullmatch(r"([a-z])\(([a-z])\)", text)
    if call and call.group(1) in sol.functions:
        return f"{call.group(1)}(S('{call.group(2)}'))"
    if any(n in sol.values or n in sol.functions for n in names(text)):
        return f"S('{text}', globals())"
    return f"'{text}'"


def roots(v, text, sol):
    left, right = equation(text)
    if left == "0":
        left, right = right, left
    expr = left if right == "0" else f"{left} - ({right})"
    unknown = [n for n in names(text) if n not in sol.values and n not in sol.functions]
    if v is not None and unknown != [v]:
        return False
    if sol.rarely():
        sol.step("Factor it", f"P = factor({span(expr, sol)})")
        sol.step("Find the roots", "print(*sorted(solve(P)), sep=', ')")
    else:
        sol.step("Find the roots", f"print(*sorted(solve({span(expr, sol)})), sep=', ')")
    return True


def factor(m, sol):
    sol.step("Factor", f"print(factor({span(m.group(1), sol)}))")
    return True


def next_term(m, sol):
    if sol.rng.random() < sol.style.plain:
        sol.step("Read the terms", f"s = [{m.group(1)}]")
        sol.step("Add the last differences of every order", "t = 0", "while s:", "    t += s[-1]",
                 "    s = [b - a for a, b in zip(s, s[1:])]", "print(t)")
    else:
        sol.step("Read the terms", f"s = [{m.group(1)}]")
        sol.step("Fit a polynomial and take the next value", "print(interpolate(s, len(s) + 1))")
    return True


def nth_term(m, sol):
    if sol.rarely():
        sol.step("Read the terms", f"V = [{m.group(2)}]")
        sol.step("Fit a polynomial through them", f"print(expand(interpolate(V, S('{m.group(1)}'))))")
    else:
        sol.step("Fit a polynomial through the terms", f"print(expand(interpolate([{m.group(2)}], S('{m.group(1)}'))))")
    return True


EQ = r"([^=?]+ = [^=?]+?)"
RULES = [
    (rf"Solve ([^?]+) for ([a-z])\.", linear),
    (rf"(?:Solve) {EQ} for ([a-z])\.", lambda m, s: roots(m.group(2), m.group(1), s)),
    (rf"(?:Let|Suppose) {EQ}\. (?:What is|Calculate) ([a-z])[.?]", lambda m, s: roots(m.group(2), m.group(1), s)),
    (rf"What is ([a-z]) in {EQ}\?", lambda m, s: roots(m.group(1), m.group(2), s)),
    (rf"(?:Find|Determine) ([a-z])(?:,? given that| such that| so that) {EQ}\.", lambda m, s: roots(m.group(1), m.group(2), s)),
    (rf"Solve {EQ}\.", lambda m, s: roots(None, m.group(1), s)),
    (r"Factor (.+)\.", factor),
    (r"What (?:is next in|comes next:|is the next term in) ([-\d, ]+)\?", next_term),
    (r"What is the ([a-z])'th term of ([-\d, ]+)\?", nth_term),
]
