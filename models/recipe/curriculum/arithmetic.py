"""arithmetic: sums, products, quotients, bases, roots, surds."""
import re

from .numbers_ import to_base
from .solution import ORDINALS, is_decimal, value

NUM = r"-?\d+(?:\.\d+)?"


def apply(p, op, q, sol, absolute=False):
    words = {"+": "Add", "-": "Subtract", "*": "Multiply"}[op]
    exact = is_decimal(p + " " + q)
    a, b = (f"Decimal('{p}')", f"Decimal('{q}')") if exact else (p, q)
    expr = f"abs({a} - {b})" if absolute else f"{a} {op} {b}"
    if exact:
        sol.step(words, f"x = {expr}", "print(f'{x:f}')")
    else:
        sol.step(words, f"print({expr})")
    return True


def divide(p, q, sol):
    if sol.rarely():
        sol.step("Divide", f"x = Fraction({p}) / {q}", "print(x)")
    else:
        sol.step("Divide", f"print(Fraction({p}, {q}))")
    return True


def evaluate(m, sol):
    text = m.group(1)
    if not re.fullmatch(r"[-+*/()\d ]+", text) or not re.search(r"[-+*/]", text):
        return False
    if "/" not in text:
        if sol.rarely():
            sol.step("Evaluate", f"x = {text}")
            sol.step("Print it", "print(x)")
        else:
            sol.step("Evaluate", f"print({text})")
    elif len(re.findall(r"\d+", text)) <= 5 and sol.rng.random() < sol.style.plain:
        sol.step("Write it with fractions", "x = " + re.sub(r"(\d+)", r"Fraction(\1)", text))
        sol.step("Print it", "print(x)")
    else:
        sol.step("Evaluate exactly", f"print(S('{text}'))")
    return True


def in_base(m, sol):
    base, p, op, q = m.groups()
    sol.step(f"Read them in base {base}", f"n = int('{p}', {base}) {op} int('{q}', {base})")
    if base == "10":
        sol.step("Print it", "print(n)")
    else:
        sol.step(f"Write it in base {base}", *to_base("n", base))
    return True


def root(n, k, sol):
    if sol.rarely():
        sol.step("Take the root", f"x = {n} ** (1/{k})")
        sol.step("Round it", "print(round(x))")
    else:
        sol.step("Take the root and round", f"print(round({n} ** (1/{k})))")
    return True


def named_root(m, sol):
    k = {"square": 2, "cube": 3}.get(m.group(1)) or (ORDINALS.index(m.group(1)) if m.group(1) in ORDINALS else None)
    return bool(k) and root(m.group(2), k, sol)


def surd(m, sol):
    if "sqrt" not in m.group(1):
        return False
    sol.step("Simplify", f"print(radsimp(expand('{m.group(1)}')))")
    return True


def rule(pattern, op, swap=False, absolute=False):
    def handler(m, sol):
        p, q = m.groups()
        return apply(*((q, op, p) if swap else (p, op, q)), sol, absolute)
    return (pattern.replace("#", f"({NUM})"), handler)


ASK = r"(?:What is|Calculate|Work out|Evaluate) "
RULES = [
    rule(rf"(?:{ASK})?# ?\+ ?#[.?]?", "+"), rule(r"(?:Add|Put together|Sum|Add together) # and #\.", "+"),
    rule(r"Total of # and #\.", "+"), rule(r"What is (?:the sum of )?# (?:plus|and) #\?", "+"),
    rule(rf"(?:{ASK})?# - #[.?]?", "-"), rule(r"What is # (?:minus|take away) #\?", "-"),
    rule(r"What is # less than #\?", "-", swap=True), rule(r"Subtract # from #\.", "-", swap=True),
    rule(r"What is the (?:distance|difference) between # and #\?", "-", absolute=True),
    rule(rf"(?:{ASK})?# ?\* ?#[.?]?", "*"), rule(r"(?:What is )?# times #[.?]?", "*"),
    rule(r"(?:Multiply |Product of |What is the product of )# and #[.?]", "*"),
    (rf"(?:What is |Calculate )?({NUM}) divided by ({NUM})[.?]?", lambda m, s: divide(*m.groups(), s)),
    (rf"Divide ({NUM}) by ({NUM})\.", lambda m, s: divide(*m.groups(), s)),
    (r"In base (\d+), what is (-?\w+) ([-+]) (-?\w+)\?", in_base),
    (r"What is (\d+) to the power of 1/(\d+), to the nearest integer\?", lambda m, s: root(*m.groups(), s)),
    (r"What is the (\w+) root of (\d+) to the nearest integer\?", named_root),
    (r"Simplify (.+)\.", surd),
    (r"(?:What is the value of |What is |Evaluate |Calculate )?([-+*/()\d ]+?)[.?]?", evaluate),
]
