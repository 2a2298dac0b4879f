"""A solution under construction: steps of words and code, rendered in the step format.

A step is a comment (words) and lines of Python.  A module is imported in the first step that needs it, so that a
writer of code (a person or a very small model) never has to look ahead.
"""
import re

# What the text of a sequence looks like.  The inserted part is never learned, only read.
PROMPT = "<|user|>{problem}<|assistant|>"
STEP_END, CODE_END, ANSWER_END = "<end_of_step>", "<end_of_code>", "<end_of_answer>"
MAX_OUTPUT = 1024

IMPORTS = (
    ("from fractions import Fraction", r"\bFraction\b"),
    ("from decimal import Decimal", r"\bDecimal\b"),
    ("from collections import Counter", r"\bCounter\b"),
    ("from math import comb", r"\bcomb\("),
    ("from math import perm", r"\bperm\("),
    ("from math import factorial", r"\bfactorial\("),
    ("from math import pi", r"\bpi \*"),
    ("from datetime import date, timedelta", r"\bdate\("),
    ("from sympy import *", r"\b(S|symbols|solve|Eq|diff|expand|factor|Lambda|interpolate|isprime|primefactors|radsimp|integrate|divisors|factorint|nextprime|primerange)\("),
    # SymPy brings its own of these.
    ("from math import gcd", r"\bgcd\("),
    ("from math import lcm", r"\blcm\("),
)


class Unwritable(Exception):
    """No writer knows this problem."""


class Solution:
    """The steps so far and what they have defined."""

    def __init__(self, rng):
        self.rng = rng
        self.steps = []          # (words, [lines])
        self.values = set()      # names that hold numbers
        self.functions = set()   # names that hold functions
        self.decimal = False     # has a decimal been read?

    def rarely(self):
        """Shall this solution take the less usual way?"""
        return self.rng.random() < self.style.other

    def step(self, words, *lines):
        self.steps.append((words, list(lines)))

    def code(self):
        """The code of each step, imports put where they are first needed."""
        done, result = set(), []
        for words, lines in self.steps:
            body = "\n".join(lines)
            need = []
            for line, pattern in IMPORTS:
                if line not in done and re.search(pattern, body):
                    need.append(line)
                    done.add(line)
                    if "sympy" in line:
                        done.update(("from math import gcd", "from math import lcm"))
            result.append((words, "\n".join(need + [body])))
        return result

    def texts(self):
        """The text of each node of the code block, as the model writes it."""
        result = []
        for number, (words, code) in enumerate(self.code()):
            head = "<code>\n" if number == 0 else "\n\n"
            end = CODE_END if number == len(self.steps) - 1 else STEP_END
            result.append(f"{head}# {words}\n{code}\n{end}")
        return result


def steps_of(text):
    """The code of each step of a code block."""
    body = text.partition("<code>\n")[2].partition("<end_of_code>")[0]
    return [part.strip("\n") for part in body.split("<end_of_step>")]


def output_text(output):
    """What the executor inserts behind <end_of_code>."""
    return f"\n<output>{output}<end_of_output>\n"


def answer_text(answer):
    return f"<answer>\\boxed{{{answer}}}\n{ANSWER_END}"


NAME = re.compile(r"(?<![A-Za-z0-9_.])[A-Za-z](?![A-Za-z0-9_])")


def names(text):
    """Single-letter names of an expression, in the order in which they appear."""
    return list(dict.fromkeys(NAME.findall(text)))


def is_decimal(text):
    return re.search(r"\d\.\d", text) is not None


def value(text, sol=None):
    """Code for the exact value of an expression: itself where integers do, SymPy's S where it divides."""
    text = text.strip()
    inexact = "/" in text or is_decimal(text)
    if not inexact:
        return text
    if re.fullmatch(r"-?[\d.]+(/\d+)?", text) and not is_decimal(text):
        return f"S('{text}')"
    code = f"S('{text}', globals()"   # with or without names in it, so that nobody has to look
    if is_decimal(text):
        code += ", rational=True"
    return code + ")"


def symbols_line(variables):
    return f"{', '.join(variables)} = symbols('{' '.join(variables)}')"


def series(words):
    words = list(words)
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


SMALL = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
         "eighteen nineteen").split()
TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()
ORDINALS = "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()


def number_of(word):
    """The integer that a number word or a numeral stands for (to 999,999,999), or None."""
    word = word.strip()
    if re.fullmatch(r"\d+", word):
        return int(word)
    total = part = 0
    for piece in re.split(r"[\s-]+", word):
        if piece in SMALL:
            part += SMALL.index(piece)
        elif piece in TENS:
            part += 10 * TENS.index(piece)
        elif piece == "fourty":  # as the generator spells it
            part += 40
        elif piece == "hundred":
            part *= 100
        elif piece in ("thousand", "million", "billion"):
            total, part = total + part * {"thousand": 10**3, "million": 10**6, "billion": 10**9}[piece], 0
        elif piece != "and":
            return None
    return total + part
