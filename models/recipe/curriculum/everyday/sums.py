"""Bare sums in every wording; powers, roots, factorials, fractions, brackets."""
import math
from decimal import Decimal
from fractions import Fraction

from .grammar import SHOW, Problem, calculate, plain

ASK = "[What is|What's|How much is|Calculate|Compute|Work out|Find|Evaluate|What does|Tell me|Give me|I need|Solve|Can you work out|Do you know|Could you compute|Figure out|]"
TAIL = "[?|.|| =| = ?| equals what?| equals| is what?| makes| =?|, please| makes how much?|?]"

PLUS = (
    ASK + " {a} [+|plus|+] {b}" + TAIL, "{a} + {b} [=|= ?|=?|]", "{a} + {b} =", "{a}+{b}[=||?|=?]", "[What is|Find|Give|Calculate|Compute|] the [sum|total] of {a} and {b}[?|.|]", "[Add|Sum|Put together|Please add] {a} [and|to|with|plus] {b}[.|]",
    "[What do|What will|What would] [you|I|we] get [if|when] [you|I|we] add {b} to {a}?", "{a} and {b} [together|added together|added up|combined|in total] [is|are|make|gives|makes] [what|how much]?",
    "[What|How much] [do|does] {a} and {b} [add up to|make|come to|make together|sum to|total|give]?", "[How much is|What is] {b} more than {a}?", "[Increase|Raise] {a} by {b}[.|]", "[What is|Find|] {a} increased by {b}[?|]",
    "If [I|you] have {a} and add {b}, what [do I|do you|is it] [get|have|then]?", "[What number|Which number] is {b} more than {a}?", "{b} added to {a}[?|.| is what?|]", "Start with {a}[,|and] add {b}[.|. What do you get?]",
    "Add {a} to {b}. [What is the result?|Result?|]", "sum of {a} and {b}", "[Total|Sum]: {a} + {b}", "[What is|How much is] {a} and {b}?", "{a} plus {b}, how much is [that|it]?",
    "[I wonder|I'd like to know|Do you know|Can you tell me] [what|how much] {a} [plus|and] {b} [is|makes|comes to].", "[My homework says|Question:|Quick one:|Next sum:] {a} + {b}[.|. Answer?|?]", "To {a}, add {b}[.|. What's the answer?|. What do we have now?]",
    "[Find out|Say|State] [what|how much] you get by adding {a} and {b} [together|][.|]", "By adding {b} to {a} we get [what|which number]?", "[Combine|Tot up|Total|Count together] {a} and {b}[.|]",
    "[Which number|What number] is the sum of {a} and {b}?", "Two numbers are {a} and {b}. [What is their sum|What do they add up to|Find their total][?|]", "When {b} is added to {a}, what is the [result|answer|total]?",
    "{b} on top of {a} [is|makes] [what|how much]?", "Go up {b} from {a}[.|. Where are you now?|. Which number is that?]", "[The answer to|The result of] {a} plus {b}[?| is?| is what?]",
    "Count on {b} from {a}[.|. What number do you reach?]")
MINUS = (
    ASK + " {a} [-|minus|-] {b}" + TAIL, "{a} - {b} [=|= ?|=?|]", "{a} - {b} =", "{a}-{b}[=||?|=?]", "[What is|Find|Give|Calculate|] the difference [between|of] {a} and {b}[?|.|]", "[Subtract|Take|Deduct] {b} from {a}[.|]", "[Take|Taking] {b} away from {a}[.|, what is left?| leaves what?]",
    "[What do|What will|What would] [you|I|we] get [if|when] [you|I|we] [take|subtract] {b} from {a}?", "{a} take away {b}[?|.| is what?|]", "[What is|How much is] {b} less than {a}?", "[What is|] {a} less {b}[?|]", "[Decrease|Reduce|Lower] {a} by {b}[.|]",
    "[What is|Find|] {a} [decreased|reduced] by {b}[?|]", "[What is|How much is] left [if|when] [you|I] take {b} [away from|from|out of] {a}?", "[By how much is|How much is] {a} [more|greater|bigger|larger] than {b}?",
    "[What number|Which number] is {b} less than {a}?", "How much [do I have to|must I|must be] add[| to] {b} to [get|reach|make] {a}?", "Start with {a}[,|and] [subtract|take off|take away] {b}[.|. What do you get?]",
    "How far is it from {b} to {a}?", "[What must be added to|What do I add to] {b} to [get|make] {a}?", "{a} minus {b}, how much is [that|it]?", "[What remains|What is left] of {a} after taking [away|off|out] {b}?",
    "[I wonder|I'd like to know|Can you tell me] [what|how much] {a} [minus|take away|less] {b} [is|makes|comes to].", "[My homework says|Question:|Quick one:|Next one:] {a} - {b}[.|. Answer?|?]", "From {a}, [take|subtract|remove|knock off] {b}[.|. What's the answer?|. What's left?]",
    "When {b} is [subtracted|taken|taken away] from {a}, what is the [result|answer|difference]?", "[Which number|What number] do we get by [subtracting|taking] {b} from {a}?", "Go down {b} from {a}[.|. Where are you now?|. Which number is that?]",
    "Two numbers are {a} and {b}. [Take the second from the first.|What is the first minus the second?]", "{b} [subtracted|taken] from {a} [is|leaves|gives] [what|how much]?", "If {b} [comes|is taken] off {a}, [what|how much] [is left|remains]?",
    "Count back {b} from {a}[.|. What number do you reach?]", "[The answer to|The result of] {a} minus {b}[?| is?| is what?]", "You have {a} and lose {b}. [What's left|How many remain|How much is left over]?",
    "[Remove|Knock|Take off] {b} from {a}[.|]",
    "What do you have [when|once] {b} [is|has been] taken off {a}?", "{b} fewer than {a}[ is how many|][?|]")
TIMES = (
    ASK + " {a} [*|times|x|×|multiplied by] {b}" + TAIL, "{a} [x|*|×] {b} [=|= ?|=?|]", "{a} [x|*|×] {b} =", "{a}[*|x|×]{b}[=||?|=?]", "[What is|Find|Give|Calculate|] the product of {a} and {b}[?|.|]", "[Multiply|Please multiply] {a} [by|with|and|times] {b}[.|]",
    "[What do|What will|What would] [you|I|we] get [if|when] [you|I|we] multiply {a} [by|with|and] {b}?", "[How much is|What is|How many are|] {a} [groups|lots|sets|bunches] of {b}[?|]", "{a} times {b}, how much is [that|it]?",
    "{a} multiplied by {b}[?|.| is what?|]", "product of {a} and {b}", "[How much is|What is] {b} {a} times?", "[How much|What] [does|do] {a} times {b} [make|give|equal|come to]?", "[What number|Which number] is {a} times as [big|large|great] as {b}?",
    "[Times table|Multiplication]: {a} x {b} = ?", "If [you|I] take {b} {a} times, [what do you get|how much is it|what is the total]?",
    "[I wonder|I'd like to know|Can you tell me] [what|how much] {a} times {b} [is|makes|comes to].", "[My homework says|Question:|Quick one:|Next one:] {a} x {b}[.|. Answer?|?]", "When {a} is multiplied by {b}, what is the [result|answer|product]?",
    "[Which number|What number] do we get by multiplying {a} [by|with] {b}?", "Two numbers are {a} and {b}. [What is their product|Find their product|Multiply them][?|]", "By multiplying {a} and {b} we get [what|which number]?",
    "[The answer to|The result of] {a} times {b}[?| is?| is what?]", "[Say|State|Find out] what {a} multiplied by {b} comes to[.|]", "Work out the product: {a} and {b}[.|]",
    "[Times|Multiply up] {a} by {b}[.|. Answer?]",
    "{a} [boxes|rows|bags] of {b}: how many [altogether|in all]?")
OVER = (
    ASK + " {a} [/|divided by|÷|over] {b}" + TAIL, "{a} [/|÷|:] {b} [=|= ?|=?|]", "{a} [/|÷|:] {b} =", "{a}[/|÷|:]{b}[=||?|=?]", "[What is|Find|Give|Calculate|] the quotient of {a} and {b}[?|.|]", "[Divide|Please divide|Split] {a} by {b}[.|]", "[How many times|How often] does {b} [go into|fit into|fit in] {a}?",
    "[What do|What will|What would] [you|I|we] get [if|when] [you|I|we] divide {a} by {b}?", "[What is|Find] {a} split into {b} equal [parts|groups|shares]?", "Share {a} [equally|] [among|between|by] {b}[.|. How much is one share?]",
    "{a} divided by {b}, how much is [that|it]?", "{a} over {b}[?| is what?|]", "[How many|] {b}s [are there|are] in {a}?", "[What number|Which number] times {b} [is|makes|gives] {a}?", "[How much is|What is] one {b}th of {a}?", "{b} into {a}[?| goes how many times?]",
    "[How much|What] [does|do] {a} divided by {b} [make|give|equal|come to]?",
    "[I wonder|I'd like to know|Can you tell me] [what|how much] {a} divided by {b} [is|makes|comes to].", "[My homework says|Question:|Quick one:|Next one:] {a} ÷ {b}[.|. Answer?|?]", "When {a} is divided by {b}, what is the [result|answer|quotient]?",
    "[Which number|What number] do we get by dividing {a} by {b}?", "If {a} is [shared|split|divided] [equally|evenly] into {b} [parts|shares|groups], how [big|much] is each?", "[The answer to|The result of] {a} divided by {b}[?| is?| is what?]",
    "By dividing {a} by {b} we get [what|which number]?", "{a} [shared|split] [equally|evenly] between {b}[?| is how much each?]", "[Cut|Break] {a} into {b} equal [parts|pieces|portions]. [How big is each one?|What is one part?]",
    "What do I multiply {b} by to [get|reach|make] {a}?", "[Say|State|Find out] what {a} over {b} comes to[.|]")
OPERATIONS = (("+", PLUS, "Add"), ("-", MINUS, "Subtract"), ("*", TIMES, "Multiply"), ("/", OVER, "Divide"))


def number(d, kind=None):
    kind = kind or d.one("digit", "digit", "two", "two", "three", "long", "decimal")
    if kind == "decimal":
        return Decimal(d.int(1, 999)) / d.one(10, 10, 100)
    low, high = {"digit": (1, 9), "two": (2, 99), "three": (2, 999), "long": (100, 99999)}[kind]
    return d.rng.randint(low, high)


def binary(d):
    """Two numbers and one sign."""
    sign, frames, words = d.one(*OPERATIONS)
    small = d.some(0.4)
    a, b = (number(d, "digit" if small else None) for _ in "ab")
    if sign == "-" and a < b and d.some(0.8):
        a, b = b, a
    if sign == "*" and not small:
        b = number(d, d.one("digit", "two"))
    if sign == "/":
        b = d.rng.randint(1, 9) if small or d.some(0.6) else d.rng.randint(2, 40)
        a = b * number(d, "digit" if small else d.one("digit", "two", "three"))
        if d.some(0.15):
            a = d.rng.randint(1, 200)
    return solve(d, sign, frames, words, a, b)


def solve(d, sign, frames, words, a, b):
    shown = a, b
    if d.some(0.04) and isinstance(a, int) and a > 999:
        shown = f"{a:,}", b
    text = d.frame(frames, a=shown[0] if isinstance(shown[0], str) else d.say(a), b=d.say(b))
    if sign == "/":
        answer = Fraction(a) / Fraction(b)
        if isinstance(a, Decimal) or isinstance(b, Decimal):
            return None
        return Problem(text, answer, (words, (f"print(Fraction({a}, {b}))",)))
    answer = a + b if sign == "+" else a - b if sign == "-" else a * b
    return Problem(text, answer, calculate(words, "{0} " + sign + " {1}", a, b))


def table(d):
    """The little sums and tables, which everyone asks first."""
    sign, frames, words = d.one(*OPERATIONS)
    a, b = d.rng.randint(0, 12), d.rng.randint(1 if sign == "/" else 0, 12)
    if sign == "/" and d.some(0.6):
        a = a * b
    return solve(d, sign, frames, words, a, b)


CHAIN_ASK = ("[What is|Calculate|Compute|Work out|Evaluate|How much is|Find|Solve|Simplify|]" + " {e}[?|.||=| = ?]", "{e}[=| = ?||?]", "[What is the result of|What is the value of|Find the value of|What does|Give the value of] {e}[?|]",
             "I need the [value|result] of {e}", "{e} equals [what|how much]?", "[My calculator is broken.|Order of operations:|In the right order:] {e}[?|=|]",
    "[I wonder|I'd like to know|Can you tell me|Does anyone know] what {e} [is|comes to|works out to][?|.]", "[Question|Exercise|Task|Homework]: {e}[.|?|]", "What do [you|I|we] get for {e}?",
    "[Give me|Show|Get] the answer to {e}[.|]", "{e} [comes to|works out as|makes|gives] [what|how much]?", "Here is a [sum|calculation|problem]: {e}. [What's the answer?|Work it out.|Result?]")


def chain(d):
    """Several numbers, signs and brackets."""
    n = d.rng.randint(3, 5)
    nums = [d.rng.randint(1, d.one(9, 20, 100)) for _ in range(n)]
    signs = [d.one("+", "-", "*", "+", "-") for _ in range(n - 1)]
    parts = [str(x) for x in nums]
    if d.some(0.5):
        at = d.rng.randrange(n - 1)
        parts[at], parts[at + 1] = "(" + parts[at], parts[at + 1] + ")"
    expression = parts[0] + "".join(f" {s} {p}" for s, p in zip(signs, parts[1:]))
    if d.some(0.2) and "(" not in expression:
        q = d.rng.randint(2, 9)
        expression = f"{q * d.rng.randint(2, 12)} / {q} " + d.one("+", "-", "*") + " " + expression
    answer = eval(__import__("re").sub(r"(\d+)", r"Fraction(\1)", expression))
    shown = expression
    if d.some(0.4):
        shown = shown.replace("*", d.one("x", "×", "times" if d.some(0.3) else "x"))
    if d.some(0.3) and "times" not in shown:
        shown = shown.replace(" ", "")
    text = d.frame(CHAIN_ASK, e=shown.replace("/", d.one("/", "/", "÷")))
    if "/" in expression:
        return Problem(text, answer, ("Evaluate exactly", (f"print(S('{expression}'))",)))
    return Problem(text, answer, ("Evaluate", (f"print({expression})",)))


MANY = ("[What is|Find|] the [sum|total] of {l}[?|.|]", "[Add|Add up|Sum|Add together] {l}[.|]", "[How much is|What is|] {p}[?|.|]", "[How much|What] do {l} [make|add up to|come to] [together|]?", "[The numbers|Numbers] {l}: [what is their sum|sum|add them up|total][?|]",
        "[I have|We have] [the numbers|] {l}. What is the [sum|total]?",
    "Here are some numbers: {l}. [Add them up.|What do they come to?|Find the total.]", "What do you get [when|if] you add [up|together] {l}?", "[I wonder|Can you tell me|Please say] what {l} come to [in all|altogether|when added together].",
    "[Tot up|Total|Combine] {l}[.|, please.]", "{l}: [grand total|altogether|in all]?")
MANY_TIMES = ("[What is|Find|] the product of {l}[?|.|]", "[Multiply|Multiply together] {l}[.|]", "[How much is|What is|] {p}[?|.|]", "[The numbers|Numbers] {l}: what is their product?",
    "Here are some numbers: {l}. [Multiply them.|What is their product?]", "What do you get [when|if] you multiply [together|] {l}?", "[I wonder|Can you tell me|Please say] what the product of {l} is.",
    "[Work out|Calculate] {l}, all multiplied together[.|]")


def many(d):
    """A sum, or a product, of three numbers or more."""
    times = d.some(0.25)
    n = d.rng.randint(3, 3 if times else 6)
    decimals = d.some(0.25)
    nums = [Decimal(d.int(1, 999)) / 10 if decimals else d.int(1, 20 if times else 300) for _ in range(n)]
    sign = "*" if times else "+"
    shown = [plain(x) for x in nums]
    joined = f" {d.one('times', 'x', '*') if times else d.one('plus', '+', '+')} ".join(shown)
    listed = ", ".join(shown[:-1]) + d.one(" and ", ", ", ", and ") + shown[-1]
    text = d.frame(MANY_TIMES if times else MANY, l=listed, p=joined)
    answer = math.prod(nums) if times else sum(nums)
    return Problem(text, answer, calculate("Multiply" if times else "Add", f" {sign} ".join("{%d}" % i for i in range(n)), *nums))


POWER = ("[What is|How much is|Calculate|Find|Evaluate|Compute|] {a}[^{n}|**{n}| to the power of {n}| to the power {n}| raised to {n}| raised to the power of {n}|^{n}|^{n}][?|.||=]",
         "[What is|How much is|] {a} to the {o} [power|][?|]", "{a} [multiplied by itself|as a factor] {n} times[?|: how much?|]", "[Raise|Take] {a} to the [power|exponent] {n}[.|]", "[Find|Give] the {o} power of {a}[.|]",
    "[I wonder|Can you tell me|Do you know] what {a} to the power [of|] {n} is[?|.]", "Base {a}, exponent {n}: [what is the power|value|how much]?", "What do you get when you raise {a} to the {o} power?",
    "If {a} is raised to the power {n}, what is the [result|answer]?")
SQUARE = ("[What is|How much is|Calculate|Find|] {a} squared[?|.|]", "[What is|Find|Calculate|] the square of {a}[?|.|]", "[Square|Please square] {a}[.|]", "[What is|Calculate|How much is|] {a}²[?||=]", "{a} [times itself|multiplied by itself] [is what?|equals?|?|]",
    "[I wonder|Can you tell me|Do you know] what {a} squared is[?|.]", "What do you get [when|if] you square {a}?", "[Multiply|Times] {a} by itself[.|. What is the result?]",
    "The number is {a}. What is its square?", "{a} to the second power[?|]")
CUBE = ("[What is|How much is|Calculate|Find|] {a} cubed[?|.|]", "[What is|Find|Calculate|] the cube of {a}[?|.|]", "[What is|Calculate|] {a}³[?||=]",
    "[I wonder|Can you tell me|Do you know] what {a} cubed is[?|.]", "What do you get [when|if] you cube {a}?", "[Cube|Please cube] {a}[.|]",
    "{a} to the third power[?|]")
ROOT = ("[What is|Find|Calculate|How much is|Give|Work out|] the square root of {a}[?|.|]", "sqrt({a})[?|=||]", "[What is|Calculate|How much is|] [sqrt({a})|√{a}|sqrt {a}][?||=]", "[Take|Extract] the square root of {a}[.|]", "[Which|What] [positive number|number] [squared|times itself] [is|gives|makes|equals] {a}?",
        "root of {a}[?|]", "square root {a}[?|]",
    "[I wonder|Can you tell me|Do you know] what the square root of {a} is[?|.]", "What do you get [when|if] you take the square root of {a}?", "{a} is the square of [what|which] positive number?",
    "Square root, number {a}[: answer?|.|]", "[What|Which] positive number multiplied by itself [gives|makes|is] {a}?")
CUBE_ROOT = ("[What is|Find|Calculate|How much is|Give|] the cube root of {a}[?|.|]", "[What|Which] number cubed [is|gives|makes] {a}?", "[What is|] ∛{a}[?|]", "cube root {a}", "[What is|Find] the third root of {a}[?|.]",
    "[I wonder|Can you tell me|Do you know] what the cube root of {a} is[?|.]", "{a} is the cube of [what|which number]?", "[Take|Extract|Work out] the cube root of {a}[.|]",
    "What do you get [when|if] you take the cube root of {a}?")
FACTORIAL = ("[What is|Calculate|Compute|Find|How much is|] {a}![?||=]", "[What is|Calculate|Find|Give|] [the factorial of {a}|{a} factorial][?|.|]", "[Work out|Evaluate] {a} factorial[.|]",
    "[I wonder|Can you tell me|Do you know] what {a} factorial is[?|.]", "How [big|large|much] is {a} factorial?", "{a} factorial [is|equals|=] [what|how much]?",
    "What do you get when you multiply all whole numbers from 1 to {a}?")
NTH = "zeroth first second third fourth fifth sixth seventh eighth ninth tenth".split()


def power(d):
    kind = d.rng.randrange(6)
    if kind == 0:
        a, n = d.one((2, d.rng.randint(2, 12)), (3, d.rng.randint(2, 6)), (10, d.rng.randint(2, 9)), (d.rng.randint(2, 15), d.rng.randint(2, 4)), (-d.rng.randint(2, 9), d.rng.randint(2, 4)))
        shown = f"({a})" if a < 0 else a
        return Problem(d.frame(POWER, a=shown, n=n, o=d.one(NTH[n] if n < 11 else f"{n}th", f"{n}th" if n > 3 else NTH[n])), a**n, ("Take the power", (f"print({shown} ** {n})",)))
    if kind == 1:
        a = d.int(2, 60) if d.some(0.8) else Decimal(d.int(11, 99)) / 10
        return Problem(d.frame(SQUARE, a=d.say(a)), a * a, calculate("Take the power", "{0} ** 2", a))
    if kind == 2:
        a = d.int(2, 20)
        return Problem(d.frame(CUBE, a=d.say(a)), a**3, ("Take the power", (f"print({a} ** 3)",)))
    if kind == 3:
        root = d.int(2, 60)
        a = root * root
        if d.some(0.12):
            a = d.int(2, 90)
            import sympy
            return Problem(d.frame(ROOT, a=a), str(sympy.sqrt(a)), ("Take the square root", (f"print(sqrt(S('{a}')))",)))
        if d.some(0.1):
            a, root = Decimal(a) / 100, Decimal(root) / 10
            return Problem(d.frame(ROOT, a=plain(a)), root, ("Take the square root", (f"x = Decimal('{plain(a)}').sqrt()", SHOW)))
        return Problem(d.frame(ROOT, a=a), root, ("Take the square root", (f"print(sqrt(S('{a}')))",)))
    if kind == 4:
        root = d.rng.randint(1, 20)
        return Problem(d.frame(CUBE_ROOT, a=root**3), root, ("Take the cube root", (f"print(root(S('{root**3}'), 3))",)))
    a = d.rng.randint(1, 12)
    return Problem(d.frame(FACTORIAL, a=a), math.factorial(a), ("Multiply up", (f"print(factorial({a}))",)))


FRACTION_ASK = ("[What is|Calculate|Work out|How much is|Find|Compute|] {p} {s} {q}[?|.||=| = ?]", "[Add|Combine] {p} and {q}[.|]", "{p} {s} {q}[=||?| as a fraction| in lowest terms]", "[What is|Find|] the sum of {p} and {q}[?|]",
    "[I wonder|Can you tell me] what {p} {s} {q} [is|comes to].", "[What do you get|What is the result] [when|if] you add {q} to {p}?", "{p} and {q} [together|added together|in total] [is|are|make] what?")
SIMPLIFY = ("[Simplify|Reduce|Cancel|Please simplify] [the fraction|] {a}/{b}[.|]", "[Write|Give|Express|What is] {a}/{b} in [lowest terms|simplest form|its simplest form][.|?]", "[Simplest form|Lowest terms] of {a}/{b}[?|]", "{a}/{b} [simplified|in simplest form|reduced]",
    "[How do I|Can you|Could you] [simplify|reduce] [the fraction|] {a}/{b}[ fully|]?", "[Bring|Put|Get] {a}/{b} [into|to] [its lowest terms|its simplest form][.|]", "What does {a}/{b} [simplify|reduce|cancel down] to?",
    "{a}/{b}: simplest form[?|]")
HALF = {"half": (1, 2), "a half": (1, 2), "one third": (1, 3), "a third": (1, 3), "two thirds": (2, 3), "a quarter": (1, 4), "one quarter": (1, 4), "three quarters": (3, 4), "one fifth": (1, 5), "two fifths": (2, 5), "three fifths": (3, 5),
        "a fifth": (1, 5), "four fifths": (4, 5), "a tenth": (1, 10), "three tenths": (3, 10), "an eighth": (1, 8), "three eighths": (3, 8), "five sixths": (5, 6), "a sixth": (1, 6)}
PART = ("[What is|How much is|Find|Calculate|Work out|] {f} of {b}[?|.|]", "[Take|Find] {f} of {b}[.|]", "{f} of {b} is [what|how much]?", "[How many are|How much would] {f} of {b}[| be]?",
    "[I wonder|Can you tell me|I'd like to know] [what|how much] {f} of {b} is.", "Out of {b}, how [much|many] is {f}?", "[There are|We have] {b} in all. How many is {f} of them?",
    "[Work out|Say|Give me] what {f} of {b} comes to[.|]")
TO_DECIMAL = ("[Write|Express|Give|Turn|Convert] {a}/{b} [as|into|to|in] [a decimal|decimals|a decimal number][.|]", "[What is|] {a}/{b} [as a decimal|in decimals|as a decimal number][?|]", "Decimal [form|value] of {a}/{b}[?|]",
    "[How do you write|How is] {a}/{b} [written|] as a decimal?", "[Which|What] decimal [number|] is [equal to|the same as] {a}/{b}?", "As a decimal, {a}/{b} is [what|how much]?",
    "[I wonder|Can you tell me] what {a}/{b} is as a decimal.")
TO_FRACTION = ("[Write|Express|Give|Turn|Convert] {x} [as|into|to] a [fraction|simple fraction][.|]", "[What is|] {x} as a [fraction|fraction in lowest terms][?|]", "Which fraction is {x}?", "[What|Which] fraction [equals|is equal to|is the same as] {x}?",
    "[How do you write|How would I write] {x} as a fraction?", "As a fraction, what is {x}?", "[Put|Rewrite] the decimal {x} as a fraction[ in its simplest form|][.|]",
    "[I wonder|Can you tell me] what {x} is as a fraction.")


def fraction(d):
    kind = d.rng.randrange(6)
    if kind <= 1:
        p, q = (Fraction(d.rng.randint(1, 11), d.rng.randint(2, 12)) for _ in "pq")
        if p.denominator == 1 or q.denominator == 1:
            return None
        sign = d.one("+", "-", "*", "/", "+")
        said = {"+": d.one("+", "+", "plus", "and"), "-": d.one("-", "-", "minus"), "*": d.one("*", "x", "times", "×"), "/": d.one("÷", "divided by")}[sign]
        frames = FRACTION_ASK if sign == "+" else (FRACTION_ASK[0], FRACTION_ASK[2])
        if said == "and":
            frames = (FRACTION_ASK[1], FRACTION_ASK[3])
        answer = eval("p %s q" % sign)
        return Problem(d.frame(frames, p=p, q=q, s=said), answer, ("Write it with fractions", (f"print(Fraction('{p}') {sign} Fraction('{q}'))",)))
    if kind == 2:
        k = d.rng.randint(2, 12)
        a, b = d.rng.randint(1, 12) * k, d.rng.randint(2, 15) * k
        return Problem(d.frame(SIMPLIFY, a=a, b=b), Fraction(a, b), ("Reduce it", (f"print(Fraction({a}, {b}))",)))
    if kind == 3:
        name = d.one(*HALF)
        a, b = HALF[name]
        if d.some(0.4):
            name = f"{a}/{b}"
        whole = b * d.int(1, 120)
        return Problem(d.frame(PART, f=name, b=whole), whole * a // b, ("Take the part", (f"print({whole} * {a} // {b})",)))
    if kind == 4:
        b = d.one(2, 4, 5, 8, 10, 20, 25, 40, 50, 100)
        a = d.rng.randint(1, 2 * b)
        return Problem(d.frame(TO_DECIMAL, a=a, b=b), Decimal(a) / b, calculate("Divide", "{0} / {1}", a, b))
    x = Decimal(d.rng.randint(1, 99)) / d.one(10, 100, 100)
    return Problem(d.frame(TO_FRACTION, x=plain(x)), Fraction(x), ("Read it as a fraction", (f"print(Fraction('{plain(x)}'))",)))


WORDY = (
    ("[Take|Start with|Think of] {a}[,|and|. Then] [double|multiply by two] [it|] [and|, then] add {b}[.|. What do you get?|. Result?]", "2 * {a} + {b}", lambda a, b: 2 * a + b),
    ("[What is|Calculate|] {a} plus {b}, [times|multiplied by|then times] {c}[?|]", "({a} + {b}) * {c}", None),
    ("[What is|Calculate|] [twice|double|two times] {a} [plus|and] {b}[?|]", "2 * {a} + {b}", None),
    ("[What is|How much is|] {a} more than [twice|double] {b}[?|]", "2 * {b} + {a}", None),
    ("[What is|How much is|] {a} less than {b} times {c}[?|]", "{b} * {c} - {a}", None),
    ("[Multiply|Take] {a} [by|times] {b} [and|, then] [add|plus] {c}[.|]", "{a} * {b} + {c}", None),
    ("[Multiply|Take] {a} [by|times] {b} [and|, then] [subtract|take away] {c}[.|]", "{a} * {b} - {c}", None),
    ("Add {a} and {b}[, then|. Then|and] multiply [the result|by|the sum] [by|] {c}[.|]", "({a} + {b}) * {c}", None),
    ("[What is|Find|] {a} times the [sum of|] {b} and {c}[?|]", "{a} * ({b} + {c})", None),
    ("[How much is|What is|] {a} times {b} [plus|and] {c} times {e}[?|]", "{a} * {b} + {c} * {e}", None),
    ("[What is|] double {a}[?|]", "2 * {a}", None), ("[What is|] triple {a}[?|]", "3 * {a}", None), ("[What is|] [twice|two times] {a}[?|]", "2 * {a}", None),
    ("Subtract {a} from the product of {b} and {c}[.|]", "{b} * {c} - {a}", None), ("[What is|Find] the sum of {a} and {b} minus {c}[?|]", "{a} + {b} - {c}", None),
    ("[How much is|] {a} minus {b} minus {c}[?|]", "{a} - {b} - {c}", None), ("[What is|] {a} plus {b} minus {c}[?|]", "{a} + {b} - {c}", None),
    ("[From|If from] {a} [you|I] take {b} and then {c}[,|.] [what|how much] is left?", "{a} - {b} - {c}", None),
    ("[I think of a number.|] [It is|A number is] {a} more than {b} times {c}. [What is it|Which number is it]?", "{b} * {c} + {a}", None),
    ("the [square|second power] of {a} plus {b}", "{a} ** 2 + {b}", None), ("[What is|] the sum of the squares of {a} and {b}[?|]", "{a} ** 2 + {b} ** 2", None),
    ("[What is|] {a} squared [plus|and] {b} squared[?|]", "{a} ** 2 + {b} ** 2", None), ("[What is|] {a} squared minus {b} squared[?|]", "{a} ** 2 - {b} ** 2", None),
    ("[What is|] the square of the sum of {a} and {b}[?|]", "({a} + {b}) ** 2", None), ("[What is|] the difference of {a} and {b} times {c}[?|]", "({a} - {b}) * {c}", None),
    ("[Reverse it:|] [add|put] {a} to [three|3] times {b}", "3 * {b} + {a}", None), ("half of {e}0 plus {a}", "{e}0 // 2 + {a}", None), ("[What is|] half of {e}0 minus {a}[?|]", "{e}0 // 2 - {a}", None),
    ("[What do you get when you|Please] add {a} to twice {b}[?|]", "2 * {b} + {a}", None), ("[What is|] {b} lots of {c} with {a} taken [off|away][?|]", "{b} * {c} - {a}", None), ("[What is|Find|] {a} plus the product of {b} and {c}[?|]", "{a} + {b} * {c}", None),
    ("Multiply {b} by {c}. Then add {a}. [Result?|What do you have?|What is it now?]", "{b} * {c} + {a}", None), ("Start with {a}. Add {b}, then take away {c}. [What's left?|Where do you end up?]", "{a} + {b} - {c}", None), ("[What is|] three times {a}[?|]", "3 * {a}", None),
    ("Double the number {a}[.|]", "2 * {a}", None), ("Triple the number {a}[.|]", "3 * {a}", None), ("A number is doubled and then {a} is added. The number was {b}. What is the result?", "2 * {b} + {a}", None),
    ("Take {b} and {c} [off|away from] {a}. [What|How much] is left?", "{a} - {b} - {c}", None), ("[Square|Please square] {a} and add {b}[.|]", "{a} ** 2 + {b}", None), ("[Find|What is] {c} times the sum of {a} and {b}[?|]", "({a} + {b}) * {c}", None),
    ("Halve {e}0 and add {a}[.|. What do you get?]", "{e}0 // 2 + {a}", None), ("Halve {e}0, then subtract {a}[.|. What do you get?]", "{e}0 // 2 - {a}", None), ("I multiply {a} by {b} and {c} by {e} and add the [results|products]. What do I get?", "{a} * {b} + {c} * {e}", None))


def wordy(d):
    """Operations named in words."""
    chosen = d._pick(WORDY, d.frames)
    from .grammar import held
    d.held_frame |= held(chosen)
    n = {k: d.int(2, 50 if k == "a" else 20) for k in "abce"}
    if chosen[1].startswith("{a} -") or chosen[1].startswith("({a} -"):
        n["a"] += n["b"] + n["c"]
    text = d.fill(chosen[0], **n)
    expression = chosen[1].format(**n)
    return Problem(text, eval(expression), ("Evaluate", (f"print({expression})",)))


TOPICS = ((table, 8), (binary, 8), (chain, 4), (many, 2), (power, 6), (fraction, 6), (wordy, 4))
