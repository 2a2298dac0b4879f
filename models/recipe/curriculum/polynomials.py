"""polynomials: sums, compositions, values, expansion, coefficients, powers."""
import re

from .algebra import span
from .solution import names, symbols_line


def composed(m, sol):
    """What is 3*d(w) + p(w)?  Also a plain value: What is c(-5)?"""
    text = m.group(1)
    if not sol.functions or not any(re.search(rf"\b{f}\(", text) for f in sol.functions):
        return False
    if re.search(r"[a-z]{2}", text) or re.search(r"[/.]", text):
        return False
    unknown = [n for n in names(text) if n not in sol.values and n not in sol.functions]
    if unknown:
        if sol.rarely():
            sol.step(f"Put {unknown[0]} in", symbols_line(unknown), f"P = {text}")
            sol.step("Expand", "print(expand(P))")
        else:
            sol.step(f"Expand in {unknown[0]}", symbols_line(unknown), f"print(expand({text}))")
    else:
        sol.step("Evaluate", f"print({text})")
    return True


def expand(m, sol):
    if sol.rarely():
        sol.step("Expand", f"P = expand({span(m.group(1), sol)})")
        sol.step("Print it", "print(P)")
    else:
        sol.step("Expand", f"print(expand({span(m.group(1), sol)}))")
    return True


def coefficient(m, sol):
    expr, form, target = m.groups()
    variable = next(iter(names(expr)), None)
    if variable is None or target not in names(form):
        return False
    # The form is copied as a whole; which power a name belongs to is left to the code.
    sol.step("Expand", symbols_line([variable]), f"P = expand({expr})")
    sol.step(f"Find the power of {variable} beside {target}", f"F = S('{form}')", f"print(P.coeff({variable}, degree(F.coeff('{target}'), {variable})))")
    return True


def power(m, sol):
    expr, v = m.groups()
    sol.step(f"Let {v} be positive", f"{v} = symbols('{v}', positive=True)")
    sol.step("Combine the powers", f"print(S('{expr}', globals()))")
    return True


ASK = r"(?:What is|Calculate|Give|Determine|Find)"
RULES = [
    (r"Expand (.+)\.", expand),
    (r"Collect the terms in (.+)\.", expand),
    (r"(?:Express|Rearrange) (.+?) (?:as|to the form|in the form|to) (.+) and give ([a-z])\.", coefficient),
    (r"Simplify (.+) assuming ([a-z]) is positive\.", power),
    (rf"{ASK} (.+)[.?]", composed),
]
