"""measurement: units and times."""
import re

from .solution import number_of

# Every unit as an integer number of the smallest one of its kind.
LENGTH = {"nanometer": "1", "micrometer": "10**3", "millimeter": "10**6", "centimeter": "10**7", "meter": "10**9", "kilometer": "10**12"}
TIME = {"nanosecond": "1", "microsecond": "10**3", "millisecond": "10**6", "second": "10**9", "minute": "60 * 10**9",
        "hour": "3600 * 10**9", "day": "86400 * 10**9", "week": "604800 * 10**9"}
YEARS = {"month": "1", "year": "12", "decade": "120", "century": "1200", "millennium": "12000"}
MASS = {"nanogram": "1", "microgram": "10**3", "milligram": "10**6", "gram": "10**9", "kilogram": "10**12", "tonne": "10**15"}
VOLUME = {"millilitre": "1", "litre": "1000"}
KINDS = (LENGTH, TIME, YEARS, MASS, VOLUME)
SYMBOLS = {"m": "meter", "km": "kilometer", "cm": "centimeter", "mm": "millimeter", "um": "micrometer", "nm": "nanometer",
           "s": "second", "ms": "millisecond", "us": "microsecond", "ns": "nanosecond", "kg": "kilogram", "t": "tonne",
           "g": "gram", "mg": "milligram", "ug": "microgram", "ng": "nanogram", "l": "litre", "ml": "millilitre"}
PLURALS = {"centuries": "century", "millennia": "millennium"}
DIVISORS = {"half": 2, "halves": 2, "third": 3, "quarter": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10,
            "twentieth": 20, "twenty-fifth": 25, "fortieth": 40, "fourtieth": 40, "fiftieth": 50}


def unit(name):
    """(kind, singular) of a unit's name or symbol."""
    name = SYMBOLS.get(name, PLURALS.get(name, name))
    for candidate in (name, name[:-1]):
        for kind in KINDS:
            if candidate in kind:
                return kind, candidate
    return None


def plural(name):
    return {"century": "centuries", "millennium": "millennia"}.get(name, name + "s")


def spelled(word):
    """Code of a number word, part by part: 20 + 9 for twenty-nine."""
    parts = [number_of(part) for part in word.split("-")]
    return None if None in parts or len(parts) > 2 else " + ".join(map(str, parts))


def fraction(text):
    """(numerator, denominator) as code, of 3/4 or three quarters."""
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if match:
        return match.groups()
    match = re.fullmatch(r"([\w-]+?)[ -](\w+)", text)
    numerator = match and spelled(match.group(1))
    if numerator:
        d = DIVISORS.get(match.group(2)) or DIVISORS.get(match.group(2).rstrip("s"))
        if d:
            return numerator, str(d)
    return None


def convert(amount, said, source, target, sol):
    a, b = unit(source), unit(target)
    if not a or not b or a[0] is not b[0]:
        return False
    # One unit at a time: the amount is copied together with its unit, whose symbol becomes its name, and then the target.
    f, t = a[0][a[1]], b[0][b[1]]
    base = next(iter(a[0]))
    if isinstance(amount, tuple):
        sol.step(f"{said} in {plural(base)}", f"x = Fraction({', '.join(amount)}) * {f}")
        show = "print(x)"
    else:
        sol.step(f"{said} in {plural(base)}", f"x = Decimal('{amount}') * {f}")
        show = "print(f'{x:f}')"
    sol.step(f"{plural(base)} to {plural(b[1])}", f"x /= {t}", show)
    return True


def amount_convert(m, sol):
    g = m.groupdict()
    if g.get("frac"):
        pair = fraction(g["frac"])
        said = f"{g['frac']} of a {g['source']}"
        return pair is not None and convert(pair, said, g["source"], g["target"], sol)
    known = unit(g["source"])
    return known is not None and convert(g["amount"], f"{g['amount']} {plural(known[1])}", g["source"], g["target"], sol)


def clock(text):
    match = re.fullmatch(r"(\d+):(\d\d) ([AP])M", text)
    hour, minute, half = match.groups()
    return f"{hour} % 12 * 60 + {int(minute)}" + (" + 720" if half == "P" else "")


def shift(m, sol):
    minutes, way, time = m.groups()
    sol.step("Minutes since midnight", f"t = {clock(time)} {'+' if way == 'after' else '-'} {minutes}", "t %= 1440")
    sol.step("Write the time", "h = t // 60 % 12 or 12", "print(f\"{h}:{t % 60:02d} {'AM' if t < 720 else 'PM'}\")")
    return True


def between(m, sol):
    sol.step("Minutes since midnight", f"a = {clock(m.group(1))}", f"b = {clock(m.group(2))}")
    sol.step("Take the difference", "print((b - a) % 1440)")
    return True


FRAC = r"(?P<frac>\d+/\d+|[a-z]+(?:[ -][a-z]+)+)"
AMOUNT = r"(?P<amount>\d+(?:\.\d+)?) ?(?P<source>[a-z]+)"
TIME_OF_DAY = r"(\d+:\d\d [AP]M)"
RULES = [
    (rf"How many (?P<target>[a-z]+) are there in {FRAC} of an? (?P<source>[a-z]+)\?", amount_convert),
    (rf"What is {FRAC} of an? (?P<source>[a-z]+) in (?P<target>[a-z]+)\?", amount_convert),
    (rf"How many (?P<target>[a-z]+) are there in {AMOUNT}\?", amount_convert),
    (rf"What is {AMOUNT} in (?P<target>[a-z]+)\?", amount_convert),
    (rf"Convert {AMOUNT} to (?P<target>[a-z]+)\.", amount_convert),
    (rf"What is (\d+) minutes (before|after) {TIME_OF_DAY}\?", shift),
    (rf"How many minutes are there between {TIME_OF_DAY} and {TIME_OF_DAY}\?", between),
]
