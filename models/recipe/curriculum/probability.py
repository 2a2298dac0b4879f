"""probability: letters picked without replacement."""
import re

from .solution import number_of


def bag(text):
    """Counter's arguments for a bag, as a word or as {a: 2, b: 3}."""
    if text.startswith("{"):
        return text[1:-1].replace(": ", "=")
    return f"'{text}'"


def sequence(word, contents, sol):
    sol.step("Count the letters", f"c = Counter({bag(contents)})", "n = sum(c.values())")
    sol.step("Multiply the chances one by one", "p = Fraction(1)", f"for x in '{word}':", "    p *= Fraction(c[x], n)",
             "    c[x] -= 1", "    n -= 1", "print(p)")
    return True


def level_set(event, contents, count, sol):
    parts = re.findall(r"(\d+) ([a-z])", event)
    sol.step("Count the letters", f"c = Counter({bag(contents)})", "n = sum(c.values())")
    ways = " * ".join(f"comb(c['{letter}'], {k})" for k, letter in parts)
    sol.step("Good choices over all choices", f"print(Fraction({ways}, comb(n, {count})))")
    return True


def handler(m, sol):
    g = m.groupdict()
    count = number_of(g["count"].lower())
    if count is None:
        return False
    if g.get("word"):
        return sequence(g["word"], g["bag"], sol)
    return level_set(g["event"], g["bag"], count, sol)


BAG = r"(?P<count>\w+) letters picked without replacement from (?P<bag>\w+|\{[^}]*\})"
EVENT = r"(?:sequence (?P<word>\w+)|picking (?P<event>[\w, ]+?))"
RULES = [
    (rf"{BAG}\. (?:What is|Give) prob of {EVENT}[.?]", handler),
    (rf"(?:What is|Calculate) prob of {EVENT} when {BAG}[.?]", handler),
]
