"""Writes a solution for a problem's text, from nothing but the text."""
import re
from dataclasses import dataclass

from . import algebra, arithmetic, calculus, comparison, measurement, numbers_, polynomials, probability
from .clauses import premise
from .solution import Solution, Unwritable

AREAS = (probability, measurement, comparison, numbers_, arithmetic, calculus, algebra, polynomials)
RULES = [(re.compile(pattern), handler) for area in AREAS for pattern, handler in area.RULES]


@dataclass
class Style:
    """Shares of the ways of writing: plain integers and Fraction against SymPy; a rarer way against the usual one."""
    plain: float = 0.5
    other: float = 0.2


def split(problem):
    """Premises and the question."""
    parts = re.split(r"(?<=[.?])\s+(?=Let |Suppose |[A-Z])(?!\()", problem)
    return parts[:-1], parts[-1]


def write(problem, rng, style=None):
    """A Solution, or raises Unwritable."""
    sol = Solution(rng)
    sol.style = style or Style()
    premises, question = split(problem)
    # The last premise may be the equation that the question asks about, or the bag of letters.
    for tail in (0, 1):
        if tail and not premises:
            break
        if tail:
            question = premises.pop() + " " + question
        sol.steps, sol.values, sol.functions = [], set(), set()
        try:
            for text in premises:
                premise(text.rstrip("."), sol, numbers_.noun)
        except (Unwritable, ValueError):
            continue
        for pattern, handler in RULES:
            match = pattern.fullmatch(question)
            if match:
                count = len(sol.steps)
                try:
                    if handler(match, sol):
                        return sol
                except (Unwritable, ValueError):
                    pass
                del sol.steps[count:]
    raise Unwritable(problem)
