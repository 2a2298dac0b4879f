#!/usr/bin/env python3
"""programming.py: small programming tasks with tests, as problems of rstar.

    python3 sql/domains/programming.py | psql -X -v ON_ERROR_STOP=1 mydatabase

Each template below is a task in four variants: a statement, a solution, and what its arguments
are like. Tests are assertions about what the solution returns for arguments drawn at random, so
none is written by hand; the solution is kept in the problem's tags (a check that its own tests
accept it is in test/t/056_verifiers.pl). One template in four is held out, split 'test', with all its
variants: what is learnt from the others is not the same task with other numbers.
"""
import json
import random

TESTS = 8  # of each problem

TEMPLATES = []


def task(name, statement, solution, arguments, **parameters):
    """A template; parameters: four values of each name that stands in braces."""
    TEMPLATES.append((name, statement, solution, arguments, parameters))


# --- what arguments are like -----------------------------------------------------------------

WORDS = ("apple river stone cloud Green paper seven level noon candle bridge kayak winter Anna "
         "quiet yellow otto summer radar island garden silver a ox Eve up").split()


def number(low, high):
    return lambda r: r.randint(low, high)


def numbers(low, high, least=0, most=8):
    return lambda r: [r.randint(low, high) for _ in range(r.randint(least, most))]


def word(r):
    return r.choice(WORDS)


def words(least=0, most=6):
    return lambda r: [r.choice(WORDS) for _ in range(r.randint(least, most))]


def sentence(r):
    return " ".join(r.choice(WORDS) for _ in range(r.randint(1, 6)))


def prices(r):
    return {w: r.randint(1, 30) for w in r.sample(WORDS, r.randint(1, 5))}


def grid(r):
    width = r.randint(1, 4)
    return [[r.randint(-5, 9) for _ in range(width)] for _ in range(r.randint(1, 4))]


# --- the tasks -----------------------------------------------------------------------------------

task("multiples", "returns how many of the numbers from 1 to n are divisible by {a} or by {b}",
     "def multiples(n):\n    return sum(1 for i in range(1, n + 1) if i % {a} == 0 or i % {b} == 0)",
     [("n", number(1, 90))], a=[3, 4, 6, 7], b=[5, 9, 10, 11])
task("digit_sum", "returns the sum of the digits of n, a number that is not negative, plus {a}",
     "def digit_sum(n):\n    return sum(int(d) for d in str(n)) + {a}",
     [("n", number(0, 99999))], a=[0, 1, 10, 100])
task("keep_greater", "returns the list of those numbers of the list xs, in their order, that are greater than {a}",
     "def keep_greater(xs):\n    return [x for x in xs if x > {a}]",
     [("xs", numbers(-20, 20))], a=[0, 5, -3, 10])
task("count_letter", "returns how often the letter '{a}' occurs in the text s, upper or lower case",
     "def count_letter(s):\n    return s.lower().count('{a}')",
     [("s", sentence)], a=["e", "a", "n", "l"])
task("long_words", "returns the words of the text s, separated by blanks, that have more than {a} letters, as a list in their order",
     "def long_words(s):\n    return [w for w in s.split() if len(w) > {a}]",
     [("s", sentence)], a=[3, 4, 5, 6])
task("rotate", "returns the list xs with its first {a} elements moved to the end, in their order; a list that is not longer than that is returned as it is",
     "def rotate(xs):\n    return xs[{a}:] + xs[:{a}] if len(xs) > {a} else xs",
     [("xs", numbers(0, 9))], a=[1, 2, 3, 4])
task("clamp", "returns x if it lies between {a} and {b}, {a} if it is smaller and {b} if it is greater",
     "def clamp(x):\n    return max({a}, min({b}, x))",
     [("x", number(-50, 150))], a=[0, 10, -5, 1], b=[100, 20, 5, 6])
task("collatz", "returns how many steps it takes from n to 1, where a step divides an even number by 2 and makes {a} * n + 1 of an odd one; stop at {b} steps and return {b}",
     "def collatz(n):\n    steps = 0\n    while n != 1 and steps < {b}:\n        n = n // 2 if n % 2 == 0 else {a} * n + 1\n        steps += 1\n    return steps",
     [("n", number(1, 60))], a=[3, 3, 5, 3], b=[1000, 20, 50, 10])
task("second", "returns the {a} smallest of the different numbers in the list xs, or None if there are too few",
     "def second(xs):\n    s = sorted(set(xs))\n    return s[{b} - 1] if len(s) >= {b} else None",
     [("xs", numbers(0, 12))], a=["second", "third", "fourth", "fifth"], b=[2, 3, 4, 5])
task("palindromes", "returns how many strings in the list ws read the same backwards, upper and lower case being the same, and have at least {a} letters",
     "def palindromes(ws):\n    return sum(1 for w in ws if len(w) >= {a} and w.lower() == w.lower()[::-1])",
     [("ws", words())], a=[1, 4, 5, 6])
task("total_price", "returns the sum of the prices in the dictionary d (name to price), each price above {a} being reduced by {b}",
     "def total_price(d):\n    return sum(p - {b} if p > {a} else p for p in d.values())",
     [("d", prices)], a=[10, 20, 5, 15], b=[1, 5, 2, 10])
task("column_sum", "returns the sum of column number {a} (counted from 0) of the matrix m, a list of rows; 0 if the rows are too short",
     "def column_sum(m):\n    return sum(row[{a}] for row in m if len(row) > {a})",
     [("m", grid)], a=[0, 1, 2, 3])
task("caesar", "returns the text s with every small letter a to z moved {a} places on in the alphabet, z being followed by a; other characters stay",
     "def caesar(s):\n    return ''.join(chr((ord(c) - 97 + {a}) % 26 + 97) if 'a' <= c <= 'z' else c for c in s)",
     [("s", sentence)], a=[1, 3, 13, 25])
task("runs", "returns the length of the longest run of equal neighbouring numbers in the list xs, but {a} if the list is empty",
     "def runs(xs):\n    best = now = 0\n    last = None\n    for x in xs:\n        now = now + 1 if x == last else 1\n        last = x\n        best = max(best, now)\n    return best if xs else {a}",
     [("xs", numbers(0, 2, 0, 12))], a=[0, -1, 1, 100])
task("is_power", "returns True if n is {a} to the power of a whole number that is not negative, else False",
     "def is_power(n):\n    if n < 1:\n        return False\n    while n % {a} == 0:\n        n //= {a}\n    return n == 1",
     [("n", lambda r: r.choice([r.randint(-2, 40), 2 ** r.randint(0, 9), 3 ** r.randint(0, 6), 5 ** r.randint(0, 4), 10 ** r.randint(0, 4)]))],
     a=[2, 3, 5, 10])
task("every_nth", "returns a list of every {a} element of the list xs, beginning with the first",
     "def every_nth(xs):\n    return xs[::{b}]",
     [("xs", numbers(0, 30, 0, 12))], a=["second", "third", "fourth", "fifth"], b=[2, 3, 4, 5])
task("merge_counts", "returns a dictionary from each word of the list ws, in lower case, to {b} it occurs",
     "def merge_counts(ws):\n    d = {{}}\n    for w in ws:\n        d[w.lower()] = d.get(w.lower(), 0) + {a}\n    return d",
     [("ws", words(0, 8))], a=[1, 2, 10, -1], b=["how often", "twice how often", "ten times how often", "minus how often"])
task("grade", "returns 'A' for a score of {a} or more, else 'B' for one of {b} or more, else 'C'",
     "def grade(score):\n    return 'A' if score >= {a} else 'B' if score >= {b} else 'C'",
     [("score", number(0, 100))], a=[90, 80, 75, 95], b=[70, 50, 60, 40])
task("difference", "returns the absolute difference between the sum of the even numbers and {a} times the sum of the odd numbers in the list xs",
     "def difference(xs):\n    return abs(sum(x for x in xs if x % 2 == 0) - {a} * sum(x for x in xs if x % 2))",
     [("xs", numbers(-9, 20))], a=[1, 2, 3, 10])
task("compress", "returns the text s with each run of equal neighbouring characters replaced by the character and, where the run has {a} or more of them, their number",
     "def compress(s):\n    out = ''\n    i = 0\n    while i < len(s):\n        j = i\n        while j < len(s) and s[j] == s[i]:\n            j += 1\n        out += s[i] + str(j - i) if j - i >= {a} else s[i:j]\n        i = j\n    return out",
     [("s", lambda r: "".join(r.choice("ab") * r.randint(1, 4) for _ in range(r.randint(0, 5))))], a=[2, 3, 4, 5])
task("primes", "returns the list of all prime numbers that are smaller than n and at least {a}, in ascending order",
     "def primes(n):\n    return [i for i in range(max(2, {a}), n) if all(i % d for d in range(2, int(i ** 0.5) + 1))]",
     [("n", number(0, 80))], a=[2, 10, 20, 30])
task("flatten", "returns one list with the numbers of all lists in the list xss, in their order, each multiplied by {a}",
     "def flatten(xss):\n    return [x * {a} for xs in xss for x in xs]",
     [("xss", grid)], a=[1, 2, 3, -1])
task("interleave", "returns a list that takes in turn {b}, position by position, until the shorter of the lists xs and ys is used up",
     "def interleave(xs, ys):\n    out = []\n    for x, y in zip(xs, ys):\n        out += {a}\n    return out",
     [("xs", numbers(0, 9)), ("ys", numbers(10, 19))], a=["[x, y]", "[y, x]", "[x, y, x]", "[y, y, x]"],
     b=["the element of xs and that of ys", "the element of ys and that of xs", "the element of xs, that of ys and that of xs again",
        "the element of ys twice and that of xs once"])
task("seconds", "returns the number of seconds in h hours, m minutes and {a} seconds",
     "def seconds(h, m):\n    return h * 3600 + m * 60 + {a}",
     [("h", number(0, 30)), ("m", number(0, 59))], a=[0, 1, 30, 59])
task("common", "returns the sorted list of numbers that are in both lists xs and ys, each once, leaving out {a}",
     "def common(xs, ys):\n    return sorted(x for x in set(xs) & set(ys) if x != {a})",
     [("xs", numbers(0, 9)), ("ys", numbers(0, 9))], a=[0, 5, 7, 9])
task("vowels", "returns the text s without the letters {b}, upper and lower case",
     "def vowels(s):\n    return ''.join(c for c in s if c.lower() not in '{a}')",
     [("s", sentence)], a=["aeiou", "ae", "rst", "lmn"], b=["a, e, i, o and u", "a and e", "r, s and t", "l, m and n"])
task("fibonacci", "returns element number n (counted from 0) of the sequence that begins with {a} and {b}, each further element being the sum of the two before it",
     "def fibonacci(n):\n    x, y = {a}, {b}\n    for _ in range(n):\n        x, y = y, x + y\n    return x",
     [("n", number(0, 25))], a=[0, 2, 1, 3], b=[1, 1, 3, 4])
task("moving", "returns the list of the sums of each {a} neighbouring numbers of the list xs; an empty list if there are fewer",
     "def moving(xs):\n    return [sum(xs[i:i + {a}]) for i in range(len(xs) - {a} + 1)]",
     [("xs", numbers(-5, 9))], a=[2, 3, 4, 5])
task("to_base", "returns the number n, which is not negative, written in base {a}, as a string of digits",
     "def to_base(n):\n    digits = ''\n    while n:\n        digits = str(n % {a}) + digits\n        n //= {a}\n    return digits or '0'",
     [("n", number(0, 300))], a=[2, 3, 5, 8])
task("initials", "returns the first {b} of each word of the text s, in {c} case, joined by '{a}'",
     "def initials(s):\n    return '{a}'.join(w[:{d}].{c}() for w in s.split())",
     [("s", sentence)], a=["", ".", "-", " "], b=["letter", "letter", "two letters", "two letters"], c=["upper", "upper", "lower", "upper"], d=[1, 1, 2, 2])
task("pairs_with_sum", "returns how many pairs of positions i < j in the list xs have xs[i] + xs[j] equal to {a}",
     "def pairs_with_sum(xs):\n    return sum(1 for i in range(len(xs)) for j in range(i + 1, len(xs)) if xs[i] + xs[j] == {a})",
     [("xs", numbers(0, 8, 0, 9))], a=[8, 5, 10, 0])
task("transpose", "returns the matrix m, a list of rows of equal length, with rows and columns exchanged and {a} added to every number",
     "def transpose(m):\n    return [[x + {a} for x in column] for column in zip(*m)]",
     [("m", grid)], a=[0, 1, -1, 10])
task("leap", "returns True if the year y is divisible by 4, but not by {a} unless it is divisible by {b} too, else False",
     "def leap(y):\n    return y % 4 == 0 and (y % {a} != 0 or y % {b} == 0)",
     [("y", lambda r: r.choice([r.randint(1, 3000), 100 * r.randint(1, 30), 400 * r.randint(1, 8)]))], a=[100, 200, 50, 20], b=[400, 1000, 300, 100])
task("sort_by_length", "returns the list of words ws sorted by length, {b} first; words of the same length stay in their order",
     "def sort_by_length(ws):\n    return sorted(ws, key=lambda w: {a})",
     [("ws", words())], a=["len(w)", "-len(w)", "len(w.strip('a'))", "-len(w.strip('e'))"],
     b=["short ones", "long ones", "short ones (letters a at either end not counted)", "long ones (letters e at either end not counted)"])
task("steps", "returns in how many ways n stairs can be climbed with steps of 1 or {a} stairs at a time",
     "def steps(n):\n    ways = [1]\n    for i in range(1, n + 1):\n        ways.append(ways[i - 1] + (ways[i - {a}] if i >= {a} else 0))\n    return ways[n]",
     [("n", number(0, 18))], a=[2, 3, 4, 5])
task("balanced", "returns True if the brackets {b} in the text s are balanced, other characters not counting, else False",
     "def balanced(s):\n    depth = 0\n    for c in s:\n        if c == '{a}'[0]:\n            depth += 1\n        elif c == '{a}'[1]:\n            depth -= 1\n            if depth < 0:\n                return False\n    return depth == 0",
     [("s", lambda r: "".join(r.choice("()[]<>x(") for _ in range(r.randint(0, 5))))], a=["()", "[]", "<>", ")("],
     b=["( and )", "[ and ]", "< and >", ") and (, the former opening and the latter closing,"])
task("divisors", "returns the sum of all divisors of n that are {b}",
     "def divisors(n):\n    return sum(d for d in range(1, n + 1) if n % d == 0 and {a})",
     [("n", number(1, 120))], a=["d < n", "d % 2 == 0", "d % 2 == 1", "d > 3"], b=["smaller than n", "even", "odd", "greater than 3"])
task("swap_ends", "returns the list xs with its first {a} and its last {a} elements exchanged as blocks; a list shorter than {b} is returned as it is",
     "def swap_ends(xs):\n    return xs if len(xs) < {b} else xs[-{a}:] + xs[{a}:-{a}] + xs[:{a}]",
     [("xs", numbers(0, 9, 0, 10))], a=[1, 2, 3, 4], b=[2, 4, 6, 8])
task("bounded_sum", "returns the sum of the numbers of the list xs, taken from the front while the sum does not exceed {a}",
     "def bounded_sum(xs):\n    total = 0\n    for x in xs:\n        if total + x > {a}:\n            break\n        total += x\n    return total",
     [("xs", numbers(0, 9))], a=[10, 15, 20, 25])
task("camel", "returns the words of the text s joined by '{a}', each but the first with its first letter in upper case and the rest in lower case, the first word wholly in lower case",
     "def camel(s):\n    ws = s.split()\n    return '{a}'.join([ws[0].lower()] + [w.capitalize() for w in ws[1:]])",
     [("s", sentence)], a=["", "_", "-", "."])
task("peaks", "returns how many numbers in the list xs, the first and the last left out, are greater than both neighbours by at least {a}",
     "def peaks(xs):\n    return sum(1 for i in range(1, len(xs) - 1) if xs[i] - xs[i - 1] >= {a} and xs[i] - xs[i + 1] >= {a})",
     [("xs", numbers(0, 9, 0, 12))], a=[1, 2, 3, 4])
task("invert", "returns a dictionary from each price to the sorted list of the names that have it in the dictionary d (name to price), for prices above {a} only",
     "def invert(d):\n    out = {{}}\n    for name in sorted(d):\n        if d[name] > {a}:\n            out.setdefault(d[name], []).append(name)\n    return out",
     [("d", lambda r: {w: r.randint(1, 6) for w in r.sample(WORDS, r.randint(0, 6))})], a=[0, 1, 2, 3])
task("diagonal", "returns the sum of the numbers on the diagonal from the upper left of the matrix m, a list of rows, each multiplied by {a}; the diagonal ends where the matrix does",
     "def diagonal(m):\n    return {a} * sum(m[i][i] for i in range(min(len(m), len(m[0]))))",
     [("m", grid)], a=[1, 2, 5, -1])
task("median", "returns the middle number of the sorted list xs, which has an odd length, plus {a}",
     "def median(xs):\n    return sorted(xs)[len(xs) // 2] + {a}",
     [("xs", lambda r: [r.randint(-9, 30) for _ in range(2 * r.randint(0, 3) + 1)])], a=[0, 1, 5, -10])
task("replace_negative", "returns the list xs with every negative number replaced by {b}",
     "def replace_negative(xs):\n    return [{a} if x < 0 else x for x in xs]",
     [("xs", numbers(-9, 9))], a=["0", "-x", "x * x", "1"], b=["0", "its absolute value", "its square", "1"])
task("split_at", "returns a list of two lists: the numbers of the list xs that are smaller than {a}, and the others, both in their order",
     "def split_at(xs):\n    return [[x for x in xs if x < {a}], [x for x in xs if x >= {a}]]",
     [("xs", numbers(-9, 20))], a=[0, 5, 10, 3])
task("hamming", "returns at how many positions the texts s and t differ, positions beyond the end of the shorter one {b}",
     "def hamming(s, t):\n    return sum(1 for x, y in zip(s, t) if x != y){a}",
     [("s", word), ("t", word)], a=["", " + abs(len(s) - len(t))", " + 2 * abs(len(s) - len(t))", " - abs(len(s) - len(t))"],
     b=["not counting", "counting as differences", "counting twice", "counting as minus one"])
task("nearest", "returns the number of the list xs that is nearest to {a}, the smaller one of two that are equally near; the list is not empty",
     "def nearest(xs):\n    return min(xs, key=lambda x: (abs(x - {a}), x))",
     [("xs", numbers(-20, 40, 1, 8))], a=[0, 10, 15, 25])
task("repeat_letters", "returns the text s with its first letter once, its second letter {b} and so on, one more time for each further letter{c}",
     "def repeat_letters(s):\n    return {a}.join(c * (i + 1) for i, c in enumerate(s))",
     [("s", word)], a=["''", "'-'", "' '", "'/'"], b=["twice", "twice", "twice", "twice"],
     c=["", ", joined by '-'", ", joined by blanks", ", joined by '/'"])
task("gcd_all", "returns the greatest common divisor of all numbers in the list xs and {a}",
     "def gcd_all(xs):\n    import math\n    g = {a}\n    for x in xs:\n        g = math.gcd(g, x)\n    return g",
     [("xs", lambda r: [6 * r.randint(1, 40) for _ in range(r.randint(0, 4))])], a=[12, 36, 90, 210])
task("top", "returns the names of the {b} highest prices in the dictionary d (name to price), highest first, equal prices in the order of the alphabet; fewer if there are not so many",
     "def top(d):\n    return sorted(d, key=lambda n: (-d[n], n))[:{a}]",
     [("d", prices)], a=[1, 2, 3, 4], b=["one", "two", "three", "four"])
task("zigzag", "returns the text s with the letters at positions that are {b} in upper case and the others in lower case, positions counted from 0",
     "def zigzag(s):\n    return ''.join(c.upper() if {a} else c.lower() for i, c in enumerate(s))",
     [("s", word)], a=["i % 2 == 0", "i % 2 == 1", "i % 3 == 0", "i < 2"], b=["even", "odd", "divisible by 3", "smaller than 2"])


# --- problems ------------------------------------------------------------------------------------

def draw(arguments, rng):
    """Many distinct lists of arguments; fewer if there are not so many."""
    seen = []
    for _ in range(40 * TESTS):
        values = [of(rng) for _, of in arguments]
        if values not in seen:
            seen.append(values)
    return seen


def solution_of(template, variant):
    """(source, function) of one variant of a template."""
    name, _, solution, _, parameters = template
    source = solution.format(**{key: choices[variant] for key, choices in parameters.items()})
    space = {}
    exec(source, space)
    return source, space[name]


def choose(candidates, right, others):
    """Arguments to test with: for each other variant two that tell it from the right one, then the first."""
    chosen = []
    for other in others:
        chosen += [c for c in candidates if c not in chosen and right(*c) != other(*c)][:2]
    return (chosen + [c for c in candidates if c not in chosen])[:TESTS]


def problem(template, variant):
    """(statement, tests, solution) of one variant of a template."""
    name, statement, _, arguments, parameters = template
    source, function = solution_of(template, variant)
    others = [solution_of(template, v)[1] for v in range(4) if v != variant]
    candidates = draw(arguments, random.Random("%s %d" % (name, variant)))
    calls = [("%s(%s)" % (name, ", ".join(map(repr, args))), repr(function(*args)))
             for args in choose(candidates, function, others)]
    text = "Write a Python function %s(%s) that %s. For example, %s is %s." % (
        name, ", ".join(a for a, _ in arguments),
        statement.format(**{key: choices[variant] for key, choices in parameters.items()}), *calls[0])
    return text, "\n".join("assert %s == %s" % call for call in calls), source


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def main():
    print("BEGIN;\nSET LOCAL standard_conforming_strings = on;")
    print("SELECT rstar_verifier_create('program', 'tests', replace => true);")
    for i, template in enumerate(TEMPLATES):
        for variant in range(4):
            statement, tests, solution = problem(template, variant)
            tags = json.dumps({"template": template[0], "variant": variant, "solution": solution})
            print("INSERT INTO rstar.problems (statement, answer, verifier, source, split, tags) VALUES"
                  " (%s, %s, 'program', 'programming', '%s', %s);"
                  % (quoted(statement), quoted(tests), "test" if i % 4 == 3 else "train", quoted(tags)))
    print("COMMIT;")


if __name__ == "__main__":
    main()
