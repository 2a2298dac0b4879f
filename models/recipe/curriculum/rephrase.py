"""The same problem in a person's words: implicit products, ^, other phrases, other spacing, capital or no capital.

The solution stays as it is: it is written from the original text, so the model learns to read 3x as 3*x.
"""
import re

SWAPS = [
    (r"^Solve (.+ = [^,]+) for ([a-z])\.$", ["What is {1} if {0}?", "Find {1} if {0}.", "If {0}, what is {1}?", "{0}, {1} = ?",
                                           "solve {0}", "Solve for {1}: {0}", "Given {0}, find {1}."]),
    (r"^Solve (.+ = .+), (.+ = .+) for ([a-z])\.$", ["If {0} and {1}, what is {2}?", "Solve the system {0}, {1} for {2}.",
                                                    "Find {2} given {0} and {1}.", "{0} and {1}. What is {2}?"]),
    (r"^(?:Calculate|Evaluate|What is|What is the value of|Work out) ([-+*/()\d. ]+)[.?]$",
     ["{0} = ?", "How much is {0}?", "Compute {0}.", "Find the value of {0}.", "{0}", "what is {0}"]),
    (r"^Multiply (\S+) and (\S+)\.$", ["What do you get if you multiply {0} by {1}?", "{0} x {1}", "Find {0} times {1}."]),
    (r"^Divide (\S+) by (\S+)\.$", ["What is {0} over {1}?", "{0} / {1}", "How much is {0} divided by {1}?"]),
    (r"^(?:Calculate|What is) the (?:greatest|highest) common (?:factor|divisor) of (\d+) and (\d+)[.?]$",
     ["Find the gcd of {0} and {1}.", "gcd of {0} and {1}", "What is the largest number that divides both {0} and {1}?"]),
    (r"^(?:Calculate|What is) the (?:lowest|least|smallest) common multiple of (\d+) and (\d+)[.?]$",
     ["Find the lcm of {0} and {1}.", "lcm of {0} and {1}", "What is the smallest number that both {0} and {1} divide?"]),
    (r"^(?:Calculate|What is) the remainder when (\S+) is divided by (\S+)[.?]$",
     ["What is {0} mod {1}?", "What remains when {0} is divided by {1}?", "Find the remainder of {0} divided by {1}."]),
    (r"^Is (\d+) (?:a prime number|prime)\?$", ["Tell me if {0} is prime.", "Is the number {0} prime?", "Is {0} a prime?"]),
    (r"^(?:What are|List) the prime factors of (\d+)[.?]$", ["Which primes divide {0}?", "Find the prime factors of {0}."]),
    (r"^(?:Find|What is) the (?:first )?derivative of (.+) wrt ([a-z])[.?]$",
     ["Differentiate {0} in {1}.", "Find d/d{1} of {0}.", "What is the derivative of {0} with respect to {1}?"]),
    (r"^Expand (.+)\.$", ["Multiply out {0}.", "Expand and simplify {0}."]),
    (r"^Collect the terms in (.+)\.$", ["Simplify {0}.", "Collect like terms: {0}"]),
    (r"^Factor (.+)\.$", ["Factorise {0}.", "Factor the polynomial {0}."]),
    (r"^(?:Sort|Put) (.+) in (?:increasing|ascending) order\.$", ["Sort {0} from smallest to largest.", "Order {0} from least to greatest."]),
    (r"^(?:Sort|Put) (.+) in (?:decreasing|descending) order\.$", ["Sort {0} from largest to smallest.", "Order {0} from greatest to least."]),
    (r"^What (?:is next in|comes next:|is the next term in) (.+)\?$", ["Which number follows {0}?", "Continue the sequence {0}.", "{0}, ?"]),
    (r"^Round (\S+) to (.+)\.$", ["Round off {0} to {1}.", "Give {0} rounded to {1}."]),
    (r"^What is (\d+) minutes (after|before) (.+)\?$", ["What time is it {0} minutes {1} {2}?"]),
]


def implicit(text, rng):
    """3*x as 3x, x**2 as x^2."""
    if rng.random() < 0.7:
        text = re.sub(r"(?<![\w*.)])(\d+)\*([a-z])\b", r"\1\2", text)
    if rng.random() < 0.8:
        text = text.replace("**", "^")
    return text


def record(original, rng):
    """A copy of a record with its problem said differently (or the same, where there is no other way)."""
    text = original["problem"]
    if rng.random() < 0.75:
        for pattern, forms in SWAPS:
            match = re.match(pattern, text)
            if match:
                text = rng.choice(forms).format(*match.groups())
                break
    if re.search(r"\d\*[a-z]\b|\*\*", text) and rng.random() < 0.6:
        text = implicit(text, rng)
    if rng.random() < 0.1:
        text = text.rstrip(".?")
    if rng.random() < 0.1 and len(text) > 1 and text[0].isupper() and text[1].islower():
        text = text[0].lower() + text[1:]
    return dict(original, problem=text, original=original["problem"])
