"""What the bootstrap holds back, so that the rounds have something to discover.

Shown: every module, with numbers of at most 3 digits and at most one Let or Suppose clause (polynomials__add and
polynomials__compose need the two functions that they are about), and about 50 solutions for each composed module.
"""
import re

MAX_DIGITS = 3
COMPOSED = 50
CLAUSES = {"polynomials__add": 2, "polynomials__compose": 2}


def composed(module):
    return module.endswith("_composed")


def clauses(problem):
    return len(re.findall(r"(?:^|(?<=[.?] ))(?:Let|Suppose) ", problem))


def longest_number(problem):
    """Digits of the longest number; the decimal point is not counted, nor is a power of ten (a place to round to)."""
    problem = re.sub(r"\b10+\b(?!\.)", "10", problem)
    return max((sum(c.isalnum() for c in t) for t in re.findall(r"[0-9a-f]*\d[0-9a-f]*(?:\.\d+)?", problem)), default=0)


def shown(module, problem):
    return longest_number(problem) <= MAX_DIGITS and clauses(problem) <= CLAUSES.get(module, 1)
