"""comparison: pairs, the k-th biggest, the closest, sorting."""
import re

from .solution import ORDINALS, is_decimal, names, value


def key(sol, text, offset=""):
    """Code of a key function that gives the value of a choice's text, and whether names occur in it."""
    if any(n in sol.values for n in names(re.sub(r"\([a-z]\)", "", text))):
        return f"S(t{offset}, globals())"
    return f"Fraction(t{offset})"


def target_code(text, sol, k):
    if k.startswith("S("):
        return text if re.fullmatch(r"[a-z]|-?\d+", text) else f"S('{text}', globals())" if names(text) else f"S('{text}')"
    if names(text):
        return text
    return text if re.fullmatch(r"-?\d+", text) else f"Fraction('{text}')"


def choices(text):
    text = text.strip()
    if text.startswith("(a)"):
        return f"'{text}'.split('  ')", "[4:]", "[1]"
    return f"'{text}'.split(', ')", "", ""


def closest(m, sol, target, text):
    code, offset, letter = choices(text)
    k = key(sol, text, offset)
    if k.startswith("Fraction") and names(target):
        k = f"S(t{offset})"
    sol.step("Read the values", f"V = {code}")
    sol.step("Find the smallest distance", f"print(min(V, key=lambda t: abs({k} - {target_code(target, sol, k).lstrip()})){letter})"
             .replace("- -", "- -"))
    return True


def kth(m, sol):
    ordinal, end, text = m.group(1), m.group(2), m.group(3)
    index = ORDINALS.index(ordinal.strip()) if ordinal else 1
    code, offset, letter = choices(text)
    k = key(sol, text, offset)
    function = "Fraction" if k == "Fraction(t)" else f"lambda t: {k}"
    at = f"-{index}" if end in ("biggest", "largest", "greatest") else f"{index - 1}"
    rank = f"{(ordinal or '').strip()} {end}".strip()
    sol.step("Read the values", f"V = {code}")
    if sol.rarely():
        sol.step("Sort", f"V.sort(key={function})")
        sol.step(f"Take the {rank}", f"print(V[{at}]{letter})")
    else:
        sol.step(f"Sort and take the {rank}", f"print(sorted(V, key={function})[{at}]{letter})")
    return True


def sort(m, sol):
    text, direction = m.group(1), m.group(2)
    code, _, _ = choices(text)
    k = key(sol, text)
    function = "Fraction" if k == "Fraction(t)" else f"lambda t: {k}"
    down = direction in ("decreasing", "descending")
    words, reverse = ("Sort, largest first", ", reverse=True") if down else ("Sort, smallest first", "")
    if k.startswith("Fraction") and re.fullmatch(r"[-\d, ]+", text) and sol.rng.random() < sol.style.plain:
        sol.step(words, f"print(*sorted([{text}]{reverse}), sep=', ')")
        return True
    sol.step("Read the values", f"V = {code}")
    sol.step(words, f"print(*sorted(V, key={function}{reverse}), sep=', ')")
    return True


def both(left, right, sol):
    """Code of the two values of a comparison."""
    plain = [re.fullmatch(r"[a-z]|-?\d+", t) is not None for t in (left, right)]
    if all(plain):
        return left, right
    if names(left) or names(right):
        return tuple(t if p else value(t) for t, p in zip((left, right), plain))
    return f"Fraction('{left}')", f"Fraction('{right}')"


COMPARED = {"<": "less", "<=": "at most", ">": "greater", ">=": "at least", "==": "equal", "!=": "different"}


def compare(op):
    def handler(m, sol):
        left, right = both(m.group(1), m.group(2), sol)
        sol.step(f"Is it {COMPARED[op]}", f"print({left} {op} {right})")
        return True
    return handler


def which(m, sol):
    end, left, right = m.groups()
    k = key(sol, f"{left} {right}")
    function = "Fraction" if k == "Fraction(t)" else f"lambda t: {k}"
    wanted, choose = ("smaller", "min") if end == "smaller" else ("larger", "max")
    sol.step(f"Take the {wanted}", f"print({choose}(['{left}', '{right}'], key={function}))")
    return True


V = r"(-?[\w./]+)"
RULES = [
    (rf"Which is (bigger|greater|larger|smaller): {V} or {V}\?", which),
    (rf"Is {V} (?:<|less than|smaller than) {V}\?", compare("<")),
    (rf"Is {V} (?:<=|less than or equal to|at most|at most as big as) {V}\?", compare("<=")),
    (rf"Is {V} (?:>|greater than|bigger than) {V}\?", compare(">")),
    (rf"Is {V} (?:>=|greater than or equal to|at least|at least as big as) {V}\?", compare(">=")),
    (rf"Does {V} = {V}\?", compare("==")), (rf"Are {V} and {V} equal\?", compare("==")),
    (rf"Is {V} equal to {V}\?", compare("==")), (rf"Do {V} and {V} have the same value\?", compare("==")),
    (rf"Is {V} (?:!=|not equal to) {V}\?", compare("!=")), (rf"Are {V} and {V} (?:unequal|nonequal|non-equal)\?", compare("!=")),
    (rf"Do {V} and {V} have different values\?", compare("!=")),
    (rf"(?:What|Which) is the (?:nearest|closest) to {V} in (.+)\?", lambda m, s: closest(m, s, m.group(1), m.group(2))),
    (rf"Which is the (?:nearest|closest) to {V}\?(  \(a\).+)", lambda m, s: closest(m, s, m.group(1), m.group(2))),
    (r"What is the (\w+ )?(biggest|smallest|largest|greatest) value in (.+)\?", kth),
    (r"Which is the (\w+ )?(biggest|smallest|largest|greatest) value\?(  \(a\).+)", kth),
    (r"(?:Sort|Put) ([^?]*, .+?)(?: in (increasing|ascending|decreasing|descending) order)?\.", sort),
]
