"""numbers: primes, factors, multiples, digits, bases, rounding."""
import re

from .solution import is_decimal, names, number_of, value

PLACES = ["units", "tens", "hundreds"] + [a + b for b in ("thousands", "millions", "billions", "trillions")
                                          for a in ("", "ten ", "hundred ")]


def noun(text, sol):
    """Code for a phrase that names a number, or None."""
    text = re.sub(r"^the ", "", text)
    match = re.fullmatch(r"(?:greatest|highest) common (?:factor|divisor) of (.+) and (.+)|gcd of (.+) and (.+)", text)
    if match:
        p, q = [g for g in match.groups() if g]
        return f"gcd({value(p)}, {value(q)})"
    match = re.fullmatch(r"(?:smallest|lowest|least) common multiple of (.+) and (.+)", text)
    if match:
        return f"lcm({value(match.group(1))}, {value(match.group(2))})"
    match = re.fullmatch(r"remainder when (.+) is divided by (.+)", text)
    if match:
        p, q = value(match.group(1)), value(match.group(2))
        return f"{wrap(p)} % {wrap(q)}"
    match = re.fullmatch(r"common denominator of (.+) and (.+)", text)
    if match:
        return "lcm(" + ", ".join(denominator(g, sol) for g in match.groups()) + ")"
    match = re.fullmatch(r"(.+) divided by (.+)", text)
    if match:
        return f"S({value(match.group(1))}) / {wrap(value(match.group(2)))}"
    match = re.fullmatch(r"([\w ]+?) digit of (.+)", text)
    if match and match.group(1) in PLACES:
        return f"{wrap(value(match.group(2)))} // {10 ** PLACES.index(match.group(1))} % 10"
    return None


def wrap(code):
    return f"({code})" if re.search(r"[-+*] ?", code.lstrip("-")) and not code.startswith("S(") else code


def denominator(text, sol):
    if re.fullmatch(r"-?\d+(/\d+)?", text) and not sol.values:
        return f"Fraction('{text}').denominator"
    if re.fullmatch(r"[a-z]", text):
        return f"S({text}).q"
    return f"S('{text}', globals()).q"


def noun_question(m, sol):
    phrase = noun(m.group(1), sol)
    if phrase is None:
        return False
    pair = re.fullmatch(r"(gcd|lcm)\((-?\w+), (-?\w+)\)", phrase)
    if pair and sol.rarely():
        name, p, q = pair.groups()
        first = [f"a, b = {p}, {q}", "while b: a, b = b, a % b"]
        if name == "gcd":
            sol.step("Euclid's algorithm", *first, "print(abs(a))")
        else:
            sol.step("Greatest common divisor by Euclid", *first)
            sol.step("Product over it", f"print(abs({p} * {q}) // abs(a))")
        return True
    if sol.rarely():
        sol.step(words_for(m.group(1)), f"x = {phrase}")
        sol.step("Print it", "print(x)")
        return True
    sol.step(words_for(m.group(1)), f"print({phrase})")
    return True


def words_for(text):
    return WORDS.get(next((k for k in WORDS if k in text), ""), "Compute it")


WORDS = {"remainder": "Take the remainder", "denominator": "Common multiple of the denominators",
         "multiple": "Least common multiple", "factor": "Greatest common divisor", "divisor": "Greatest common divisor",
         "digit": "Take the digit"}


def remainder(m, sol):
    p, q = wrap(value(m.group(1))), wrap(value(m.group(2)))
    if sol.rarely():
        sol.step("Divide", f"q = {p} // {q}" if "q" not in sol.values else f"Q = {p} // {q}")
        name = sol.steps[-1][1][0][0]
        sol.step("Subtract the multiple", f"print({p} - {name} * {q})")
    else:
        sol.step("Take the remainder", f"print({p} % {q})")
    return True


def digit(m, sol):
    n = wrap(value(m.group(2)))
    place = PLACES.index(m.group(1))
    words = f"Take the {m.group(1)} digit"
    if sol.rarely():
        sol.step(words, f"print(str({n})[-{place + 1}])")
    else:
        sol.step(words, f"print({n} // 10**{place} % 10)")
    return True


def factor_of(p, q, sol):
    if sol.rarely():
        sol.step("Take the remainder", f"R = {wrap(value(q))} % {wrap(value(p))}")
        sol.step("Is it zero", "print(R == 0)")
    else:
        sol.step("Check the remainder", f"print({wrap(value(q))} % {wrap(value(p))} == 0)")
    return True


def prime(m, sol):
    text, kind = m.group(1), m.group(2)
    n = value(text)
    negate = "composite" in kind
    if not names(text) and sol.rng.random() < sol.style.plain:
        sol.step("Try divisors up to the root", f"n = {n}",
                 f"p = all(n % d for d in range(2, int(n**0.5) + 1))", f"print({'not ' if negate else ''}p)")
    else:
        sol.step(f"Test whether it is {'composite' if negate else 'prime'}", f"print({'not ' if negate else ''}isprime({n}))")
    return True


def even(m, sol):
    sol.step("Check the remainder", f"print({wrap(value(m.group(1)))} % 2 == 0)")
    return True


def prime_factors(m, sol):
    n = value(m.group(1))
    if not names(n) and sol.rng.random() < sol.style.plain:
        sol.step("Divide by each factor found", f"n, d, f = {n}, 2, []", "while d * d <= n:", "    if n % d == 0:",
                 "        f.append(d)", "        while n % d == 0: n //= d", "    d += 1")
        sol.step("What is left is prime", "if n > 1: f.append(n)", "print(*f, sep=', ')")
    else:
        sol.step("List the prime factors", f"print(*primefactors({n}), sep=', ')")
    return True


def to_base(name, base):
    """Two steps' worth of code that prints an integer in a base."""
    return [f"m, r = abs({name}), ''",
            f"while m: m, r = m // {base}, '0123456789abcdef'[m % {base}] + r",
            f"print('-' * ({name} < 0) + (r or '0'))"]


def convert_base(m, sol):
    text, source, target = m.groups()
    sol.step(f"Read it in base {source}", f"n = int('{text}', {source})")
    if target == "10":
        sol.step("Print it", "print(n)")
    else:
        sol.step(f"Write it in base {target}", *to_base("n", target))
    return True


POWERS = {10 ** k: k for k in range(1, 10)}


def over(text, number):
    """Code of the exact quotient of a value by an integer."""
    if names(text):
        return f"S({text}) / {number}"
    return f"Decimal('{text}') / {number}" if is_decimal(text) else f"Fraction({text}, {number})"


def rounding(m, sol):
    text, how = m.group(1), m.group(2)
    match = re.fullmatch(r"the nearest (.+)", how)
    if how == "the nearest integer":
        digits = 0
    elif match:
        number = number_of(match.group(1))
        if number not in POWERS:
            return False
        if match.group(1).isdigit() and number > 1:
            sol.step(f"Round to the nearest {number}", f"print(round({over(text, number)}) * {number})")
            return True
        digits = -POWERS[number]
    else:
        match = re.fullmatch(r"([\w-]+) (?:decimal places?|dps?)", how)
        digits = number_of(match.group(1)) if match else None
        if digits is None:
            return False
    sol.step(*rounded(text, digits))
    return True


def rounded(text, digits):
    words = f"Round to {digits} places"
    if names(text):
        if digits <= 0:
            return words, f"print(round({value(text)}, {digits}))"
        return words, f"print(f'{{float({value(text)}):.{digits}f}}')"
    if is_decimal(text):
        return words, f"x = round(Decimal('{text}'), {digits})", "print(f'{x:f}')"
    return words, f"print(round({value(text)}, {digits}))"


ASK = r"(?:What is|Calculate|Find|Give|Determine)"
RULES = [
    (rf"{ASK} the remainder when (.+) is divided by (.+)[.?]", remainder),
    (rf"{ASK} the ({'|'.join(PLACES[::-1])}) digit of (.+)[.?]", digit),
    (rf"{ASK} (the .*common .+ of .+ and .+)[.?]", noun_question),
    (r"Is (.+) a factor of (.+)\?", lambda m, s: factor_of(m.group(1), m.group(2), s)),
    (r"Is (.+) a multiple of (.+)\?", lambda m, s: factor_of(m.group(2), m.group(1), s)),
    (r"Does (.+) divide (.+)\?", lambda m, s: factor_of(m.group(1), m.group(2), s)),
    (r"Is (.+) even\?", even),
    (r"Is (.+) (a prime number|prime|a composite number|composite)\?", prime),
    (r"(?:What are|List) the prime factors of (.+)[.?]", prime_factors),
    (r"(?:Convert |What is )?(-?\w+) \(base (\d+)\) (?:to|in) base (\d+)[.?]?", convert_base),
    (r"Round (.+) to (.+)\.", rounding),
    (r"What is (.+) rounded to (.+)\?", rounding),
]
