"""Whole numbers and their looks: factors, primes, multiples, remainders, rounding, comparing, binary, sequences and series."""
import math
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from .grammar import SHOW, Problem, calculate, held, listing, plain
from .people import COUNTED, NAMES, capital

FACTORS = ("[what are|find|list|give|write down|name|] [all|] the [factors|divisors] of {a}[?|.|]", "[which|what] numbers divide {a} [evenly|without remainder|exactly]?", "[list|find] all [positive|] divisors of {a}[.|]", "factors of {a}[?|]", "by which numbers can {a} be divided [evenly|without remainder]?", "all numbers that [divide|go into] {a}[?|]",
    "[I wonder|Can you tell me] [which|what] numbers [divide|go into] {a} [evenly|exactly]", "[write|give|show] every [factor|divisor] of {a}[.|]", "{a}: [list its factors|what are its divisors|all divisors]?",
    "what can {a} be divided by without [a|any] remainder?")
COUNT_FACTORS = ("how many [factors|divisors|positive divisors] [does|has] {a} [have|][?|]", "[what is|find] the number of [factors|divisors] of {a}[?|]",
    "how many numbers divide {a} [evenly|exactly|without remainder]?", "[say|find out|tell me] how many [factors|divisors] {a} has", "by how many [whole|positive whole] numbers can {a} be divided evenly?",
    "{a}: how many divisors?")
PRIME_FACTORS = ("[what are|find|list|give] the prime factors of {a}[?|.|]", "[which|what] primes [divide|go into] {a}?", "which prime numbers are factors of {a}?",
    "[I wonder|Can you tell me] which primes divide {a}", "{a}: [which prime factors does it have|its prime factors]?", "[name|write down] every prime [that divides|dividing] {a}[.|]")
FACTORISE = ("[write|express] {a} as a product of [primes|prime numbers|prime factors][.|]", "[what is|find|give] the prime [factorisation|factorization|decomposition] of {a}[?|.|]", "[factorise|factorize|factor|decompose] {a} into [primes|prime factors][.|]", "prime factorization of {a}",
    "[break|split] {a} [up|] into [primes|prime factors][.|]", "{a} as a product of primes[?|]", "which primes multiply to [give|make] {a}?")
GCD = ("[what is|find|calculate|give|] the [greatest|highest|largest|biggest] common [factor|divisor] of {l}[?|.|]", "[gcd|GCD|hcf|HCF|gcf|GCF] of {l}[?|]", "gcd({c})[?|]", "[what is|] the [largest|biggest|greatest] number that divides {l}[ evenly|][?|]",
    "[I wonder|Can you tell me] the [greatest|highest] common [factor|divisor] of {l}", "{l}: [greatest|highest|largest] common [divisor|factor]?", "which is the [largest|greatest] number that goes into {l} [evenly|exactly]?",
    "what is the [biggest|largest] factor that {l} share?", "by which largest number can {l} be divided evenly?")
LCM = ("[what is|find|calculate|give|] the [least|lowest|smallest] common multiple of {l}[?|.|]", "[lcm|LCM] of {l}[?|]", "lcm({c})[?|]", "[what is|] the [smallest|least] number that {l} [all|both|] divide[?|]", "[what is|] the smallest number divisible by {l}[?|]",
    "[I wonder|Can you tell me] the [least|lowest] common multiple of {l}", "{l}: [least|lowest|smallest] common multiple?", "which is the smallest positive number that is a multiple of {l}?",
    "what is the smallest number in the times tables of {l}?", "{l} go into which smallest number?")
GCD_STORY = ("{a} {t} and {b} {u} are [packed|put|made] into [equal|identical] [bags|boxes|groups|baskets] with nothing left [over|]. [What is the greatest number of|At most how many] [bags|boxes|groups|baskets][ are possible|]?", "two ropes of {a} m and {b} m are cut into equal pieces, as long as possible. How long is [a|one] piece?", "a floor of {a} by {b} [cm|m] is covered with equal square tiles, as large as possible. What is the side of a tile?",
    "what is the greatest number of [identical|equal] [packs|gift bags|plates] that can be made from {a} {t} and {b} {u}, using all of them?", "a sheet of paper, {a} cm by {b} cm, is cut into equal squares, as large as possible, with nothing wasted. How long is the side of a square?")
LCM_STORY = ("one [bus|lamp|bell|tram|ship] [leaves|flashes|rings|comes] every {a} minutes, another every {b} minutes. They [start|leave|begin] together. After how many minutes are they together again?", "{s} [goes swimming|visits] every {a} days and {q} every {b} days. Today both. In how many days [both again|will both meet again]?", "two [bells|lights|alarms] [ring|flash] every {a} and {b} seconds. After how many seconds do they [ring|flash] together [again|]?", "sausages come in packs of {a} and rolls in packs of {b}. What is the smallest number of each to have the same [number|]?",
    "two [runners|cyclists] start a lap together; one needs {a} minutes a lap and the other {b}. After how many minutes are they at the start together for the first time?", "a [tap|light] [drips|blinks] every {a} seconds and another every {b} seconds, both now. In how many seconds is it both at once again?")
IS_PRIME = ("is {a} [a|] prime [number|][?|]", "is the number {a} prime?", "{a}: prime [or not|yes or no|]?", "[tell me if|check whether|say whether] {a} is [a prime number|prime][.|]", "is it true that {a} is prime?", "can {a} be a prime[ number|]?",
    "[I wonder|Can you tell me] whether {a} is [prime|a prime number]", "does {a} count as a prime number?", "{a} is [prime|a prime number], [right|true or false|yes or no]?",
    "is {a} among the prime numbers?")
IS_EVEN = ("is {a} [an|] {w} [number|]?", "is the number {a} {w}?", "{a}: is it {w}?", "[tell me if|check whether] {a} is {w}",
    "[I wonder|Can you tell me] whether {a} is {w}", "{a} is {w}, [right|true or false|yes or no]?", "does {a} count as an {w} number?",
    "true or false: {a} is {w}?")
ODD_OR = ("is {a} even or odd?", "is {a} odd or even?", "{a}: [even or odd|odd or even]?", "[tell me whether|say whether] {a} is [even or odd|odd or even]",
    "which is {a}, [even or odd|odd or even]?", "[I wonder|Can you tell me] if {a} is odd or even", "is the number {a} [odd or even|even or odd]?",
    "{a}: odd number or even number?")
IS_DIV = ("is {a} [divisible|evenly divisible] by {b}?", "[can|could] {a} be divided [evenly|without remainder] by {b}?", "does {b} [divide|go into] {a} [evenly|exactly|without remainder|][?|]", "is {b} a [factor|divisor] of {a}?", "is {a} a multiple of {b}?", "can you divide {a} by {b} without remainder?", "[tell me if|check whether] {b} divides {a}",
    "[I wonder|Can you tell me] whether {a} is divisible by {b}", "is there no remainder when {a} is divided by {b}?", "{a} is a multiple of {b}, [right|true or false|yes or no]?",
    "is {a} in the {b} times table?", "can {a} things be shared equally among {b} people, with none left over?")
IS_SQUARE = ("is {a} a [perfect|] square [number|]?", "is {a} the square of a whole number?", "[tell me if|check whether] {a} is a [perfect|] square",
    "[I wonder|Can you tell me] whether {a} is a [perfect|] square", "{a} is a [perfect square|square number], [right|true or false|yes or no]?", "is the square root of {a} a whole number?",
    "can {a} be written as a whole number times itself?")
REMAINDER = ("[what is|find|calculate|give] the remainder [when|if|of|on dividing] {a} [is divided by|divided by|is divided by] {b}[?|.|]", "{a} mod {b}[?|=|]", "[what|how much] is left [over|] [when|if] [you|I] divide {a} by {b}?", "what remainder does {a} leave [when divided|on division] by {b}?", "divide {a} by {b}[. What is the remainder?|: remainder?|; what remains?]", "remainder of {a} [/|divided by|over] {b}[?|]", "[what is|calculate|] {a} modulo {b}[?|]",
    "[I wonder|Can you tell me] what remains when {a} is divided by {b}", "{a} divided by {b} leaves what remainder?", "{a} [eggs|cards|sweets] are put in rows of {b}, as many full rows as possible. How many are left over?",
    "dividing {a} by {b}, what is the remainder?", "{a} : {b}, remainder?")
NEXT_PRIME = ("[what is|find|] the [next|first|smallest] prime [number|] [after|above|greater than|larger than] {a}[?|]", "which prime comes after {a}?",
    "{a}: what is the next prime after it?", "[I wonder|Can you tell me] which prime is the first after {a}", "what is the smallest prime bigger than {a}?",
    "go up from {a} to the next prime. Which is it?")
PRIMES_TO = ("[list|find|give|what are|name] [all|] the primes [up to|below|less than|under|smaller than] {a}[?|.|]", "[which|what] numbers [up to|below] {a} are prime?", "[all|] primes [below|under|less than|smaller than] {a}[?|]",
    "[write|show] every prime [up to|below|less than] {a}[.|]", "which primes are [less than|below|smaller than] {a}?", "[I wonder|Can you tell me] which primes are below {a}")
MULTIPLES = ("[list|find|give|what are|name] the first {n} multiples of {a}[?|.|]", "the first {n} multiples of {a}[?|]",
    "[write|show] {n} multiples of {a}, starting with {a}[.|]", "which are the first {n} multiples of {a}?")
DIGITS = ("[what is|find] the sum of the digits of {a}[?|]", "[what is|] the digit sum of {a}[?|]", "add [up|] the digits of {a}", "how many digits [does|has] {a} [have|]?",
    "what do the digits of {a} add up to?", "how many digits are there in {a}?", "{a}: what is the sum of its digits?")
BETWEEN = ("how many [whole numbers|integers|numbers] are [there|] [between|strictly between] {a} and {b}?", "how many [even|odd] numbers are there from {a} to {b}?")


def integer(d):
    kind = d.rng.choice(["factors", "factors", "count", "pf", "pfz", "gcd", "gcd", "lcm", "lcm", "gstory", "lstory", "prime", "prime", "even", "oddor", "div", "div", "square", "rem", "rem", "next", "primes", "multiples", "digits"])
    a = d.one(d.rng.randint(2, 100), d.rng.randint(2, 100), d.rng.randint(10, 400))
    yes = lambda v: "yes" if v else "no"
    ask = lambda test: (f"print('yes' if {test} else 'no')",)
    divisors = lambda n: [x for x in range(1, n + 1) if n % x == 0]
    prime = lambda n: n > 1 and all(n % x for x in range(2, math.isqrt(n) + 1))
    if kind == "factors":
        return Problem(capital(d.frame(FACTORS, a=a)), ", ".join(map(str, divisors(a))), ("Find all divisors", (f"print(*divisors({a}), sep=', ')",)))
    if kind == "count":
        return Problem(capital(d.frame(COUNT_FACTORS, a=a)), len(divisors(a)), ("Count the divisors", (f"print(len(divisors({a})))",)))
    if kind in ("pf", "pfz"):
        factors, n, p = [], a, 2
        while n > 1:
            while n % p == 0:
                factors.append(p)
                n //= p
            p += 1
        if kind == "pf":
            return Problem(capital(d.frame(PRIME_FACTORS, a=a)), ", ".join(map(str, sorted(set(factors)))), ("Find the prime factors", (f"print(*primefactors({a}), sep=', ')",)))
        return Problem(capital(d.frame(FACTORISE, a=a)), " * ".join(map(str, factors)), ("Divide by primes", (f"F = factorint({a}, multiple=True)", "print(*F, sep=' * ')")))
    if kind in ("gcd", "lcm"):
        n = d.one(2, 2, 2, 3)
        low = d.rng.randint(1, 12)
        v = [low * d.rng.randint(1, 12 if kind == "lcm" else 20) for _ in range(n)]
        if len(set(v)) < n:
            return None
        inner = ", ".join(map(str, v))
        f = math.gcd if kind == "gcd" else math.lcm
        return Problem(capital(d.frame(GCD if kind == "gcd" else LCM, l=listing(v), c=inner)), f(*v), ("Greatest common divisor" if kind == "gcd" else "Least common multiple", (f"print({kind}({inner}))",)))
    if kind == "gstory":
        g = d.rng.randint(2, 12)
        x, y = g * d.rng.randint(2, 9), g * d.rng.randint(2, 9)
        if x == y:
            return None
        t, u = d.situation(COUNTED), d.situation(COUNTED)
        return Problem(capital(d.frame(GCD_STORY, a=x, b=y, t=t, u=u)), math.gcd(x, y), ("Greatest common divisor", (f"print(gcd({x}, {y}))",)))
    if kind == "lstory":
        x, y = d.rng.randint(2, 20), d.rng.randint(2, 20)
        s, q = d.rng.sample(NAMES, 2)
        if x == y:
            return None
        return Problem(capital(d.frame(LCM_STORY, a=x, b=y, s=s, q=q)), math.lcm(x, y), ("Least common multiple", (f"print(lcm({x}, {y}))",)))
    if kind == "prime":
        a = d.rng.choice([n for n in range(2, 250) if prime(n) or (n % 2 and n % 5)]) if d.some(0.8) else a
        return Problem(capital(d.frame(IS_PRIME, a=a)), yes(prime(a)), ("Is it prime?", ask(f"isprime({a})")))
    if kind == "even":
        w = d.one("even", "odd")
        return Problem(capital(d.frame(IS_EVEN, a=a, w=w).replace("an odd", "an odd")), yes(a % 2 == (w == "odd")), (f"Is it {w}?", ask(f"{a} % 2 == {int(w == 'odd')}")))
    if kind == "oddor":
        return Problem(capital(d.frame(ODD_OR, a=a)), "odd" if a % 2 else "even", ("Look at the remainder by 2", (f"print('odd' if {a} % 2 else 'even')",)))
    if kind == "div":
        b = d.rng.randint(2, 15)
        a = b * d.rng.randint(2, 60) if d.some(0.5) else d.rng.randint(10, 900)
        return Problem(capital(d.frame(IS_DIV, a=a, b=b)), yes(a % b == 0), (f"Is there no remainder?", ask(f"{a} % {b} == 0")))
    if kind == "square":
        a = d.rng.randint(2, 40) ** 2 if d.some(0.5) else a
        return Problem(capital(d.frame(IS_SQUARE, a=a)), yes(math.isqrt(a) ** 2 == a), ("Is the root whole?", ask(f"sqrt(S('{a}')).is_integer")))
    if kind == "rem":
        b = d.rng.randint(2, 30)
        a = d.int(b, 2000)
        return Problem(capital(d.frame(REMAINDER, a=a, b=b)), a % b, ("Take the remainder", (f"print({a} % {b})",)))
    if kind == "next":
        p = a + 1
        while not prime(p):
            p += 1
        return Problem(capital(d.frame(NEXT_PRIME, a=a)), p, ("The next prime", (f"print(nextprime(S('{a}')))",)))
    if kind == "primes":
        a = d.rng.randint(5, 60)
        text = capital(d.frame(PRIMES_TO, a=a))
        top = a + 1 if "up to" in text else a
        return Problem(text, ", ".join(str(n) for n in range(2, top) if prime(n)), ("Sieve", (f"print(*primerange(S('2'), {a}{' + 1' if 'up to' in text else ''}), sep=', ')",)))
    if kind == "multiples":
        n = d.rng.randint(3, 6)
        a = d.rng.randint(2, 25)
        return Problem(capital(d.frame(MULTIPLES, a=a, n=d.say(n))), ", ".join(str(a * i) for i in range(1, n + 1)), ("Multiply by 1, 2, 3 and so on", (f"print(*({a} * n for n in range(1, {n} + 1)), sep=', ')",)))
    a = d.rng.randint(10, 10**d.rng.randint(2, 7))
    text = capital(d.frame(DIGITS, a=a))
    if "how many digits" in text.lower():
        return Problem(text, len(str(a)), ("Count the digits", (f"print(len('{a}'))",)))
    return Problem(text, sum(map(int, str(a))), ("Add the digits", (f"print(sum(map(int, '{a}')))",)))


PLACES = ("ten", "hundred", "thousand", "ten thousand", "million")
ROUND = ("round {a} to the nearest {p}[.|]", "[what is|] {a} [rounded|] to the nearest {p}[?|]", "{a} to the nearest {p}[?|]", "[give|write] {a} to the nearest {p}[.|]", "round off {a} to the nearest {p}", "round {a} to {p}s", "[what is|] {a} rounded to {p}s[?|]",
    "[I wonder|Can you tell me] what {a} is to the nearest {p}", "to the nearest {p}, what is {a}?", "{a}, rounded to the nearest {p}, is what?",
    "what do you get [when|if] you round {a} to the nearest {p}?")
ROUND_INT = ("round {a} to the nearest [whole number|integer|unit][.|]", "[what is|] {a} [rounded|] to the nearest [whole number|integer][?|]", "round {a} to a whole number", "[what is|] {a} rounded[?|]", "round {a}[.|]",
    "to the nearest whole number, what is {a}?", "which whole number is nearest to {a}?", "what do you get when you round {a} to the nearest whole number?",
    "[give|write] {a} to the nearest whole number[.|]")
ROUND_DEC = ("round {a} to {n} decimal [place|places|s|digits][.|]", "[what is|] {a} [rounded|] to {n} decimal [places|place|digits][?|]", "{a} to {n} [decimal places|decimals|d.p.][?|]", "[give|write] {a} [with|to] {n} decimal [places|digits][.|]", "round {a} to {n} decimals",
    "to {n} decimal places, what is {a}?", "what do you get [when|if] you round {a} to {n} decimal places?", "{a}, rounded to {n} decimals, is what?")
ROUND_NAMED = ("round {a} to the nearest {w}[.|]", "[what is|] {a} to the nearest {w}[?|]",
    "to the nearest {w}, what is {a}?", "{a} to the nearest {w}[?|]",
    "what do you get when you round {a} to the nearest {w}?")


def rounding(d):
    kind = d.rng.randrange(4)
    if kind == 0:
        i = d.rng.randrange(5)
        p = d.one(PLACES[i], str(10 ** (i + 1)) if i < 3 else PLACES[i])
        a = d.rng.randint(10 ** (i + 1) // 2, 10 ** (i + 3)) if i < 3 else d.rng.randint(10 ** (i + 1), 10 ** (i + 3))
        frame = [f for f in ROUND if not (p[0].isdigit() and "{p}s" in f)]
        k = (1, 2, 3, 4, 6)[i]
        answer = (2 * a + 10**k) // (2 * 10**k) * 10**k
        return Problem(capital(d.frame(frame, a=f"{a:,}" if a > 9999 and d.some(0.15) else a, p=p)), answer, (f"Round to {10**k}", (f"x = Decimal('{a}') / {10**k}", f"print(int(x.quantize(1, 'ROUND_HALF_UP')) * {10**k})")))
    digits = d.rng.randint(1, 5)
    a = Decimal(d.rng.randint(1, 10 ** (digits + d.rng.randint(0, 3)))) / 10**digits
    text = f"{a:.{digits}f}"
    if kind == 1:
        return Problem(capital(d.frame(ROUND_INT, a=text)), a.quantize(1, ROUND_HALF_UP), ("Round to whole numbers", (f"print(Decimal('{text}').quantize(1, 'ROUND_HALF_UP'))",)))
    n = d.rng.randint(1, 3)
    answer = a.quantize(Decimal(1).scaleb(-n), ROUND_HALF_UP)
    if kind == 2 or n > 2:
        said = d.one(str(n), str(n), ("one", "two", "three")[n - 1])
        frame = d.frame(ROUND_DEC, a=text, n=said)
        return Problem(capital(frame), str(answer), (f"Round to {n} decimals", (f"print(Decimal('{text}').quantize(Decimal('{Decimal(1).scaleb(-n)}'), 'ROUND_HALF_UP'))",)))
    word = ("tenth", "hundredth")[n - 1]
    return Problem(capital(d.frame(ROUND_NAMED, a=text, w=word)), str(answer), (f"Round to {n} decimals", (f"print(Decimal('{text}').quantize(Decimal('{Decimal(1).scaleb(-n)}'), 'ROUND_HALF_UP'))",)))


WHICH = ("which [number|one|] is {w}[,|:] {a} or {b}?", "which [is|number is] {w}: {a} or {b}?", "what is {w}, {a} or {b}?", "[which of|of] {a} and {b}[, which|] is [the {w} one|{w}]?", "{a} or {b}: which is {w}?", "[compare|] {a} and {b}: which is {w}?", "is {a} or {b} {w}?",
    "of the two numbers {a} and {b}, which is {w}?", "[I wonder|Can you tell me|Tell me] which is {w}, {a} or {b}", "[pick|choose|name] the {w} one: {a} or {b}[.|]",
    "here are {a} and {b}. Which of them is {w}?")
IS_MORE = ("is {a} {w} than {b}?", "is it true that {a} is {w} than {b}?", "[tell me if|check whether|say if] {a} is {w} than {b}", "{a} is {w} than {b}, [right|true or false|yes or no|is that true]?",
    "[I wonder|Can you tell me] whether {a} is {w} than {b}", "would you say {a} is {w} than {b}?", "true or false: {a} is {w} than {b}?")
IS_SAME = ("is {a} [equal to|the same as|equal] {b}?", "are {a} and {b} [equal|the same]?", "does {a} equal {b}?", "is {a} = {b}?", "do {a} and {b} have the same value?",
    "[I wonder|Can you tell me] whether {a} and {b} are equal", "true or false: {a} equals {b}?", "{a} and {b}: are they [equal|the same number]?")
ORDER = ("[put|arrange|write|sort] {l} in {o} order[.|]", "[sort|order|arrange] {l} from {x}[.|]", "[order|sort] the numbers {l}[,|] {x}[.|]", "{l}: [sort|order] [them|] from {x}", "[put|arrange] these [numbers|] in order[,|] {x}: {c}[.|]",
    "rank these from {x}: {c}", "how do {l} go in {o} order?", "here are some numbers: {c}. [Put|List|Sort] them from {x}.",
    "[list|write out] the numbers {l} from {x}[.|]")
BIGGEST = ("[what is|which is|find|give] the {w} [number|one|] [of|among|in|out of] {l}[?|.|]", "which of {l} is the {w}?", "{w} of {l}[?|]", "{l}: which is the {w}?", "[which|what] number is the {w}: {c}?",
    "here are some numbers: {c}. Which is the {w}?", "[pick|pick out|choose|name] the {w}: {c}", "[I wonder|Can you tell me] which of {l} is the {w}",
    "among {l}, which is the {w}?")


def value(d, kind):
    if kind == "int":
        return str(d.rng.randint(-30, 200))
    if kind == "dec":
        return plain(Decimal(d.rng.randint(1, 999)) / d.one(10, 100, 1000))
    return f"{d.rng.randint(1, 11)}/{d.rng.randint(2, 12)}"


def compare(d):
    kinds = d.one(("int", "int"), ("dec", "dec"), ("frac", "frac"), ("frac", "dec"), ("dec", "frac"), ("frac", "frac"))
    kind = d.rng.randrange(6)
    if kind <= 3:
        a, b = value(d, kinds[0]), value(d, kinds[1])
        if kinds == ("dec", "dec") and d.some(0.5):
            b = a[:-1] + str(d.rng.randint(0, 9)) + (str(d.rng.randint(1, 9)) if d.some(0.6) else "")
            if b.endswith("."):
                return None
        x, y = Fraction(a), Fraction(b)
        plainly = kinds == ("int", "int")
        A, B = (a, b) if plainly else (f"Fraction('{a}')", f"Fraction('{b}')")
        more = d.some(0.55)
        if kind <= 1:
            if x == y:
                return None
            w = d.one("bigger", "larger", "greater", "more") if more else d.one("smaller", "less", "lower")
            f = "max" if more else "min"
            return Problem(capital(d.frame(WHICH, a=a, b=b, w=w)), a if (x > y) == more else b, (f"The {'greater' if more else 'smaller'} one", (f"print({f}('{a}', '{b}', key=Fraction))",)))
        if kind == 2:
            w = d.one("bigger", "larger", "greater", "more") if more else d.one("smaller", "less")
            sign = ">" if more else "<"
            return Problem(capital(d.frame(IS_MORE, a=a, b=b, w=w)), "yes" if eval(f"x {sign} y") else "no", (f"Is it {'greater' if more else 'smaller'}?", (f"print('yes' if {A} {sign} {B} else 'no')",)))
        if d.some(0.5) and "/" in a:
            k = d.rng.randint(2, 5)
            n, m = a.split("/")
            b = d.one(f"{int(n) * k}/{int(m) * k}", plain(Decimal(int(n)) / int(m)) if Fraction(a) * 1000 % 1 == 0 else f"{int(n) * k}/{int(m) * k}")
            y = Fraction(b)
            B = f"Fraction('{b}')"
        return Problem(capital(d.frame(IS_SAME, a=a, b=b)), "yes" if x == y else "no", ("Are they equal?", (f"print('yes' if {A} == {B} else 'no')",)))
    n = d.rng.randint(3, 5)
    mixed = d.one("int", "int", "dec", "mix")
    v = [value(d, d.one("int", "dec", "frac") if mixed == "mix" else mixed) for _ in range(n)]
    if len({Fraction(x) for x in v}) < n:
        return None
    inner = ", ".join(v)
    listed = listing(v) if d.some(0.6) else inner
    if kind == 4:
        up = d.some(0.6)
        o, x = (d.one("increasing", "ascending"), d.one("smallest to largest", "least to greatest", "small to big", "low to high")) if up else (d.one("decreasing", "descending"), d.one("largest to smallest", "greatest to least", "big to small", "high to low"))
        text = d.frame(ORDER, l=listed, o=o, x=x, c=inner)
        result = sorted(v, key=Fraction, reverse=not up)
        return Problem(capital(text), ", ".join(result), (f"{o.capitalize()}", (f"V = '{inner}'.split(', ')", f"print(*sorted(V, key=Fraction{'' if up else ', reverse=True'}), sep=', ')")))
    up = d.some(0.5)
    w = d.one("largest", "biggest", "greatest", "highest") if up else d.one("smallest", "least", "lowest")
    return Problem(capital(d.frame(BIGGEST, w=w, l=listed, c=inner)), (max if up else min)(v, key=Fraction), (f"The {'greatest' if up else 'smallest'}", (f"V = '{inner}'.split(', ')", f"print({'max' if up else 'min'}(V, key=Fraction))")))


TO_BASE = ("[write|express|convert|give|turn] {a} [in|into|to|as] {w}[.|]", "[what is|] {a} in {w}[?|]", "{a} [to|in] {w}[?|]", "[convert|change] the [number|decimal number] {a} [to|into] {w}[.|]", "how [is|do you write] {a} [written|] in {w}?", "decimal {a} in {w}[?|]", "{w} of {a}[?|]",
    "[I wonder|Can you tell me] what {a} is in {w}", "in {w}, what is {a}?", "what does {a} look like in {w}?",
    "I have the decimal number {a}. What is it in {w}?")
FROM_BASE = ("[what is|] [the {w} number|{w}] {b} in [decimal|base 10|base ten][?|]", "[convert|change|turn] [{w}|the {w} number] {b} [to|into] [decimal|base 10|a decimal number][.|]", "{w} {b} [in|to|as] decimal[?|]", "[what|which] [decimal|] number is {b} in {w}?", "{b} in {w} is what in decimal?", "the decimal value of {w} {b}[?|]",
    "[I wonder|Can you tell me] what {w} {b} is in decimal", "in {w} a number is written {b}. What is it in [decimal|base ten]?", "which decimal number does {w} {b} stand for?",
    "read {b} as {w}: what decimal number is it?")
ROMAN = ("[write|give] {a} [in|as] [roman|Roman] numerals[.|]", "[what is|] {a} in Roman numerals[?|]", "{a} as a Roman numeral[?|]",
    "how do you write {a} in Roman numerals?", "in Roman numerals, what is {a}?")


def bases(d):
    name, k = d.one(("binary", 2), ("binary", 2), ("binary", 2), ("base 2", 2), ("hexadecimal", 16), ("octal", 8), ("hex", 16))
    a = d.int(2, 300)
    letter = {2: "b", 8: "o", 16: "x"}[k]
    written = format(a, letter)
    if d.some(0.55):
        return Problem(capital(d.frame(TO_BASE, a=a, w=name)), written, (f"Write it in base {k}", (f"print(f'{{{a}:{letter}}}')",)))
    return Problem(capital(d.frame(FROM_BASE, b=written.upper() if d.some(0.5) else written, w=name)), a, (f"Read it in base {k}", (f"print(int('{written}', {k}))",)))


NEXT = ("[what is|which is|find|give] the next [number|term|one] [in|of] [the sequence|the series|the pattern|] {l}[?|...?|, ...|.]", "what comes next[?|:|in] {l}[?|, ...|...]", "{l}, ...[ What comes next?| next?| What is the next number?|?]", "[continue|complete|extend] {l}[, ...|]", "[what|which] number [follows|comes after|is next after] {l}?", "{l}, _[?|]", "{l}, ?[ Find the missing number.|]", "the sequence {l} goes on with [what|which number]?", "fill in the next number: {l}, [_|?|...]",
    "here is a [pattern|sequence|row of numbers]: {l}. What comes next?", "[I wonder|Can you tell me] which number comes after {l}", "the numbers go {l}, and then?",
    "after {l}, what is next?", "what should follow {l}?")
TERM = ("[what is|find] the {n}th term of [the sequence|the arithmetic sequence|] {l}, ...[?|]", "[the|] [sequence|series] {l}, ... [goes on|continues]. [What is|Find] the {n}th [term|number][?|]", "{l}, ...: [what is|find] [the {n}th term|term {n}|term number {n}][?|]", "what number stands at place {n} in {l}, ...?",
    "{l}, ... and so on. Which number is the {n}th?", "the pattern {l}, ... goes on in the same way. What is the {n}th number?", "find term number {n} in {l}, ...")
TERM_WORDS = ("an arithmetic sequence [starts|begins] with {a} and has [the|a] common difference [of|] {b}. [What is|Find] the {n}th term[?|]", "[find|what is] the {n}th term of the arithmetic sequence with first term {a} and difference {b}[?|]", "first term {a}, common difference {b}: [{n}th term|the {n}th term][?|]", "start at {a} and add {b} each time. What is the {n}th number?",
    "a sequence starts at {a}, with a constant difference of {b} from each term to the next. What is term number {n}?", "what is the {n}th term if the first term is {a} and the common difference is {b}?", "arithmetic sequence: first term {a}, difference {b}. Term {n}?")
GEO_WORDS = ("a geometric sequence [starts|begins] with {a} and has [the|a] [common|] ratio [of|] {b}. [What is|Find] the {n}th term[?|]", "[find|what is] the {n}th term of the geometric sequence with first term {a} and ratio {b}[?|]", "[something|a colony|a number] starts at {a} and is multiplied by {b} each [day|step|hour]. What is the {n}th [value|number]?",
    "what is the {n}th term if the first term is {a} and each term is {b} times the one before?", "first term {a}, ratio {b}: the {n}th term of the geometric sequence?")
SUM_TO = ("[what is|find|calculate|] the sum of [the|all|] [first {n} [numbers|positive integers|natural numbers|whole numbers]|[whole numbers|integers|numbers] from 1 to {n}][?|.|]", "[what is|calculate|] 1 + 2 + 3 + ... + {n}[?|=|]", "add [up|] all [the|] [numbers|integers] from 1 to {n}[.|]", "sum of the numbers from 1 to {n}[?|]", "1+2+3+...+{n}[=?|?|]", "how much is 1 + 2 + ... + {n}?", "sum [up|] the first {n} [integers|natural numbers]",
    "what do the [numbers|whole numbers] from 1 to {n} add up to?", "[I wonder|Can you tell me] the sum of all whole numbers from 1 to {n}", "if you add every [number|whole number] from 1 up to {n}, what do you get?",
    "total of 1, 2, 3 and so on up to {n}?")
SUM_SPECIAL = (("even", "[what is|find] the sum of the first {n} even numbers[?|]"), ("odd", "[what is|find] the sum of the first {n} odd numbers[?|]"), ("sq", "[what is|find] the sum of the first {n} squares[?|]"), ("sq", "[what is|calculate|] 1² + 2² + ... + {n}²[?|]"), ("cube", "[what is|find] the sum of the first {n} cubes[?|]"), ("range", "[what is|find|] the sum of [all|the] [integers|whole numbers|numbers] from {a} to {n}[?|]"), ("range", "add [up|] the numbers from {a} to {n}"), ("pow", "[what is|] the sum of the first {m} powers of 2, starting with 1[?|]"),
    ("even", "what do the first {n} positive even numbers add up to?"), ("odd", "what do the first {n} odd numbers add up to?"), ("sq", "add [up|] the squares of the whole numbers from 1 to {n}"),
    ("cube", "add [up|] the cubes of the whole numbers from 1 to {n}"), ("range", "what do the whole numbers from {a} to {n} add up to?"),
    ("range", "total of all whole numbers from {a} up to {n}?"), ("odd", "add [up|] the first {n} odd numbers"), ("even", "add [up|] the first {n} positive even numbers"),
    ("sq", "[I wonder|Can you tell me] the sum of the squares of the first {n} whole numbers, from 1 on"))
SUM_AP = ("[what is|find] the sum of the first {n} terms of [the sequence|] {l}, ...[?|]", "an arithmetic sequence [starts|begins] with {a} and has common difference {b}. [What is|Find] the sum of the first {n} terms[?|]", "add the first {n} terms of {l}, ...",
    "what do the first {n} terms of {l}, ... add up to?", "first term {a}, common difference {b}: sum of the first {n} terms?",
    "the sequence {l}, ... goes on in the same way. What is the total of the first {n} terms?")


def sequences(d):
    kind = d.rng.random()
    n_shown = d.rng.randint(4, 6)
    a, b = d.rng.randint(-5, 40), d.one(d.rng.randint(2, 12), d.rng.randint(2, 12), -d.rng.randint(1, 9))
    if kind < 0.45:
        style = d.rng.choice(["ap", "ap", "ap", "gp", "gp", "sq", "fib", "quad", "half", "cube", "tri"])
        if style == "ap":
            v = [a + b * i for i in range(n_shown + 1)]
        elif style == "gp":
            k = d.rng.randint(2, 5)
            v = [d.one(1, 2, 3, 4, 5, 7) * 1 for _ in "x"]
            v = [v[0] * k**i for i in range(n_shown + 1)]
        elif style == "half":
            k = d.rng.randint(2, 3)
            v = [d.rng.randint(1, 9) * k**n_shown]
            for _ in range(n_shown):
                v.append(v[-1] // k)
        elif style == "sq":
            s = d.rng.randint(1, 4)
            v = [(s + i) ** 2 for i in range(n_shown + 1)]
        elif style == "cube":
            v = [(1 + i) ** 3 for i in range(n_shown + 1)]
        elif style == "tri":
            v = [(1 + i) * (2 + i) // 2 for i in range(n_shown + 1)]
        elif style == "fib":
            v = [d.rng.randint(1, 4), d.rng.randint(1, 5)]
            n_shown = max(5, n_shown)
            while len(v) <= n_shown:
                v.append(v[-1] + v[-2])
        else:
            s, t = d.rng.randint(1, 6), d.rng.randint(1, 3)
            v = [a + s * i + t * i * (i - 1) // 2 for i in range(n_shown + 1)]
            v = [a + s * i + t * i * i for i in range(n_shown + 1)]
        shown = ", ".join(map(str, v[:-1]))
        if d.some(0.08):
            shown = shown.replace(",", "")
        text = capital(d.frame(NEXT, l=shown))
        terms = ", ".join(map(str, v[:-1]))
        if style in ("gp", "half"):
            return Problem(text, v[-1], ("Each is a multiple of the one before", (f"s = [{terms}]", "print(s[-1] * s[-1] // s[-2])")))
        if style == "fib":
            return Problem(text, v[-1], ("Each is the sum of the two before", (f"s = [{terms}]", "print(s[-1] + s[-2])")))
        return Problem(text, v[-1], ("Read the terms", (f"s = [{terms}]",)), ("Add the last differences of every order", ("t = 0", "while s:", "    t += s[-1]", "    s = [b - a for a, b in zip(s, s[1:])]", "print(t)")))
    n = d.rng.randint(5, d.one(20, 100))
    if 11 <= n % 100 <= 13 or n % 10 not in (1, 2, 3):
        pass
    else:
        n += 4 if n % 10 != 1 else 3
    if kind < 0.6:
        if d.some(0.5):
            text = d.frame(TERM, n=n, l=", ".join(str(a + b * i) for i in range(d.rng.randint(3, 4))))
        else:
            text = d.frame(TERM_WORDS, a=a, b=b, n=n)
        if "{l}" not in text and "difference" in text or "add" in text:
            return Problem(capital(text), a + b * (n - 1), ("First term and differences", (f"print({a} + ({n} - 1) * {b if b > 0 else f'({b})'})",))) if "-" not in str(b) or True else None
        return Problem(capital(text), a + b * (n - 1), ("First term and differences", (f"a, b = {a}, {a + b}", f"print(a + ({n} - 1) * (b - a))")))
    if kind < 0.68:
        n, k, s = d.rng.randint(4, 8), d.rng.randint(2, 5), d.rng.randint(1, 9)
        return Problem(capital(d.frame(GEO_WORDS, a=s, b=k, n=n)), s * k ** (n - 1), ("First term times powers of the ratio", (f"print({s} * {k} ** ({n} - 1))",)))
    if kind < 0.85:
        n = d.one(10, 20, 50, 100, 1000, 5, d.rng.randint(4, 300))
        return Problem(capital(d.frame(SUM_TO, n=n)), n * (n + 1) // 2, ("Add them", (f"print(sum(range(1, {n} + 1)))",)))
    if kind < 0.94:
        what, text = d._pick(SUM_SPECIAL, d.frames)
        d.held_frame |= held((what, text))
        n, low, m = d.rng.randint(3, 60), d.rng.randint(2, 30), d.rng.randint(3, 12)
        n += low if what == "range" else 0
        text = capital(d.fill(text, n=n, a=low, m=m))
        line, answer = {"even": (f"print(sum(range(2, 2 * {n} + 1, 2)))", n * (n + 1)), "odd": (f"print(sum(range(1, 2 * {n}, 2)))", n * n), "sq": (f"print(sum(n ** 2 for n in range(1, {n} + 1)))", n * (n + 1) * (2 * n + 1) // 6), "cube": (f"print(sum(n ** 3 for n in range(1, {n} + 1)))", (n * (n + 1) // 2) ** 2),
                        "range": (f"print(sum(range({low}, {n} + 1)))", (low + n) * (n - low + 1) // 2), "pow": (f"print(sum(2 ** n for n in range({m})))", 2**m - 1)}[what]
        return Problem(text, answer, ("Add them", (line,)))
    n = d.rng.randint(5, 40)
    a, b = d.rng.randint(1, 20), d.rng.randint(2, 9)
    text = d.frame(SUM_AP, n=n, a=a, b=b, l=", ".join(str(a + b * i) for i in range(3)))
    total = n * a + b * n * (n - 1) // 2
    if "difference" in text:
        return Problem(capital(text), total, ("Add the terms", (f"print(sum({a} + {b} * n for n in range({n})))",)))
    return Problem(capital(text), total, ("Add the terms", (f"a, b = {a}, {a + b}", f"print(sum(a + (b - a) * n for n in range({n})))")))


TOPICS = ((integer, 14), (rounding, 5), (compare, 7), (bases, 4), (sequences, 8))
