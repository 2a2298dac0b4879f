"""calculus: derivatives of polynomials."""
import re

from .clauses import derivative
from .solution import ORDINALS, names


def differentiate(m, sol):
    nth = m.groupdict().get("nth") or "first"
    expr, variable = m.group("eq"), m.group("var")
    if variable is None:
        unknown = [n for n in names(expr) if n not in sol.values and n not in sol.functions]
        if len(unknown) != 1:
            return False
        variable = unknown[0]
    code = derivative(expr, variable, ORDINALS.index(nth), sol)
    words = f"Take the {nth} derivative"
    if sol.rarely():
        sol.step(words, f"P = {code}")
        sol.step("Expand", "print(expand(P))")
    else:
        sol.step(words, f"print(expand({code}))")
    return True


WRT = r"(?: (?:wrt|with respect to) (?P<var>[a-z]))?[.?]"
RULES = [
    (rf"(?:Find|What is) the (?:(?P<nth>first|second|third|fourth|fifth) )?derivative of (?P<eq>.+?){WRT}", differentiate),
    (rf"Differentiate (?P<eq>.+?){WRT}", differentiate),
]
