"""Runs a solution's code step by step on one state and grades what it prints.

This is the stand-in for the sandbox while data is made and a model is judged.  It does not confine anything: it runs code
that this recipe wrote itself, or a small model's, in a process of its own with limits.
"""
import ast
import contextlib
import io
import re
import signal
from fractions import Fraction

from .solution import MAX_OUTPUT


class TimeOut(BaseException):
    pass


def _alarm(*_):
    raise TimeOut()


def run(codes, seconds=5.0):
    """(output, error) of a list of steps.  The output is all that was printed, or the last expression's value."""
    state = {"__name__": "__main__"}
    printed = io.StringIO()
    last = None
    signal.signal(signal.SIGALRM, _alarm)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        with contextlib.redirect_stdout(printed):
            for code in codes:
                tree = ast.parse(code)
                last = None
                final = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
                exec(compile(tree, "<step>", "exec"), state)
                if final is not None:
                    last = eval(compile(ast.Expression(final.value), "<step>", "eval"), state)
    except TimeOut:
        return "", "timeout"
    except BaseException as error:  # model code may raise anything, SystemExit included
        return "", type(error).__name__
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    text = printed.getvalue() or ("" if last is None else str(last))
    return text.strip()[:MAX_OUTPUT], None


def number(text):
    try:
        return Fraction(text.replace(" ", ""))
    except (ValueError, ZeroDivisionError):
        return None


def terms(text):
    """The terms of a sum outside all brackets, signed and sorted."""
    result, depth, start = [], 0, 0
    for at, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if c in "+-" and depth == 0 and at > start and text[at - 1] not in "*/,":
            result.append(text[start:at])
            start = at
    result.append(text[start:])
    return sorted(t if t[:1] in ("+", "-") else "+" + t for t in result)


def same(gold, answer):
    """Equality of two answers: the same text, the same number, or the same sum in another order."""
    gold, answer = gold.strip(), answer.strip()
    if gold == answer:
        return True
    if len(answer) > 200:
        return False
    a, b = number(gold), number(answer)
    if a is not None and b is not None:
        return a == b
    squash = lambda t: re.sub(r"\s+", "", t)
    if squash(gold) == squash(answer):
        return True
    return bool(gold) and bool(answer) and terms(squash(gold)) == terms(squash(answer))
