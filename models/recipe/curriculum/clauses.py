"""The premises of a composed problem: Let and Suppose clauses, one step of code each."""
import re

from .solution import ORDINALS, Unwritable, is_decimal, names, series, symbols_line, value

EXPR = r"[^?]+"


def equation(text):
    left, right = text.split(" = ")
    return left.strip(), right.strip()


def sides(text):
    left, right = equation(text)
    return f"Eq({left}, {right})"


def system(equations):
    """Code that solves several equations: one string for SymPy, so that nothing has to be said of the unknowns beforehand."""
    return f"R = solve(S('{', '.join(sides(e) for e in equations)}', globals()))"


def derivative(expr, variable, order, sol):
    """Code of a derivative: of a span of the question, or of a function that is already there."""
    call = re.fullmatch(r"(\w)\((\w)\)", expr)
    tail = f", '{variable}'" + (f", {order}" if order > 1 else "")
    if call and call.group(1) in sol.functions:
        return f"diff({call.group(1)}(S('{call.group(2)}')){tail})"
    if any(name in sol.values or re.search(rf"\b{name}\(", expr) for name in names(expr)):
        return f"diff(S('{expr}', globals()){tail})"
    return f"diff('{expr}'{tail})"


def solve_linear(equations, sol):
    """One or two linear equations; the names that nothing has defined are the unknowns."""
    unknown = sorted(n for n in dict.fromkeys(n for e in equations for n in names(e))
                     if n not in sol.values and n not in sol.functions)
    if not unknown or len(unknown) > len(equations):
        raise Unwritable("unknowns")
    return unknown


def suppose(text, sol, noun):
    equations = text.split(", ")
    if any(is_decimal(e) or "/" in e for e in equations):
        raise Unwritable("suppose")
    if len(equations) == 1:
        left, right = equation(equations[0])
        single = [side for side in ((left, right), (right, left)) if re.fullmatch(r"[a-z]", side[0])
                  and side[0] not in sol.values and side[0] not in names(side[1])]
    else:
        single = []
    unknown = solve_linear(equations, sol)
    words = f"Solve for {series(unknown)}"
    if single:
        sol.step(f"Find {single[0][0]}", f"{single[0][0]} = {single[0][1]}")
    elif len(unknown) == 1 and len(equations) == 1:
        v = unknown[0]
        left, right = equation(equations[0])
        if sol.rng.random() < sol.style.plain:
            sol.step(words, f"P = lambda {v}: {left} - ({right})", f"{v} = -P(0) // (P(1) - P(0))")
        else:
            sol.step(words, symbols_line([v]), f"{v} = solve(Eq({left}, {right}))[0]")
    else:
        sol.step("Solve the equations", system(equations), "globals().update((str(v), R[v]) for v in R)")
    sol.values.update(unknown)


def premise(text, sol, noun):
    """Writes the step of one clause; noun(text, sol) gives code for phrases such as 'the gcd of a and b'."""
    match = re.fullmatch(r"Suppose (.+ = .+)", text)
    if match:
        return suppose(match.group(1), sol, noun)
    match = re.fullmatch(r"Let (\w)\((\w)\) be the (\w+) derivative of (.+)", text)
    if match:
        name, variable, order, expr = match.groups()
        code = derivative(expr, variable, ORDINALS.index(order), sol)
        sol.step(f"Find {name}({variable}), the {order} derivative", f"{name} = Lambda('{variable}', {code})")
        sol.functions.add(name)
        return None
    match = re.fullmatch(r"Let (\w)\((\w)\) = (.+)", text)
    if match:
        name, variable, expr = match.groups()
        if "/" in expr or is_decimal(expr):
            code = f"Lambda('{variable}', {value(expr)})"
        else:
            code = f"lambda {variable}: {expr}"
        sol.step(f"Define {name}({variable})", f"{name} = {code}")
        sol.functions.add(name)
        return None
    match = re.fullmatch(r"Let (\w) (?:be|=) (.+)", text)
    if match:
        name, expr = match.groups()
        phrase = noun(expr, sol)
        if phrase is None and re.search(r"[a-z]{2}|=", expr):
            raise Unwritable(text)
        sol.step(f"Find {name}", f"{name} = {phrase or value(expr)}")
        sol.values.add(name)
        return None
    raise Unwritable(text)
