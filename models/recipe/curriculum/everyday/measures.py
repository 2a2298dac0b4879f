"""Units and compound units, time, dates, speed."""
import datetime
from decimal import Decimal
from fractions import Fraction

from . import people
from .grammar import SHOW, Problem, calculate, held, plain
from .people import Person, capital, distract

# (names of the unit, its size in the smallest one of its kind)
LENGTH = ((("mm", "millimetres", "millimeters"), 1), (("cm", "centimetres", "centimeters"), 10), (("m", "metres", "meters"), 1000), (("km", "kilometres", "kilometers"), 10**6), (("dm", "decimetres"), 100))
MASS = ((("mg", "milligrams"), 1), (("g", "grams"), 1000), (("kg", "kilograms", "kilos"), 10**6), (("tonnes", "tons", "t"), 10**9))
VOLUME = ((("ml", "millilitres", "milliliters"), 1), (("cl", "centilitres"), 10), (("dl", "decilitres"), 100), (("litres", "liters", "l"), 1000))
TIME = ((("seconds", "s", "sec"), 1), (("minutes", "min"), 60), (("hours", "h"), 3600), (("days",), 86400), (("weeks",), 604800))
LONG = ((("days",), 1), (("weeks",), 7), (("fortnights",), 14))
YEARS = ((("months",), 1), (("quarters",), 3), (("years",), 12), (("decades",), 120), (("centuries",), 1200))
IMPERIAL = ((("inches", "in"), 1), (("feet", "ft"), 12), (("yards",), 36))
WEIGHT = ((("ounces", "oz"), 1), (("pounds", "lb"), 16))
COUNT = ((("pieces", "eggs", "items", "things"), 1), (("dozen",), 12), (("pairs",), 2), (("scores",), 20))
COINS = ((("cents",), 1), (("dollars", "euros"), 100))
BITS = ((("bits",), 1), (("bytes",), 8))
AREA = ((("square centimetres", "cm²", "cm^2"), 1), (("square metres", "m²", "m^2"), 10000))
KINDS = (LENGTH, LENGTH, MASS, MASS, VOLUME, TIME, TIME, TIME, LONG, YEARS, IMPERIAL, WEIGHT, COUNT, COINS, BITS, AREA)
CONVERT = ("how many {b} [are|are there in|is|make|are in|do you get from] {x} {a}?", "[convert|change|turn] {x} {a} [to|into|in] {b}", "[what is|express|write|give|] {x} {a} in {b}[?|.|]", "{x} {a} [to|in|into|=] [? |]{b}", "{x} {a} [are|is|equals|make] how many {b}?", "how much is {x} {a} in {b}?", "{x} {a}: how many {b}?", "a [rope|film|bag|tank|walk|job|thing] has {x} {a}. How many {b} is that?", "how many {b} in {x} {a}?",
    "[I wonder|Can you tell me|Do you know|I'd like to know] how many {b} [there are|] in {x} {a}", "[I have|We have|Here are] {x} {a}. [What is that|How much is that] in {b}?", "[expressed|measured|given] in {b}, [what|how much] is {x} {a}?",
    "[state|show|put|rewrite] {x} {a} [as|in] {b}[.|]", "{x} {a} [correspond|come] to how many {b}?", "[from|given] {x} {a}: [the same|amount] in {b}?",
    "if something [is|measures|comes to] {x} {a}, what is it in {b}?", "[work out|find|calculate] the number of {b} in {x} {a}[.|]", "how many {b} [make up|equal|would be] {x} {a}?")


def convert(d):
    kind = d.one(*KINDS)
    (an, a), (bn, b) = d.rng.sample(kind, 2)
    factor = Fraction(a, b)
    x = d.int(1, d.one(12, 60, 400))
    if factor < 1:
        x = x * factor.denominator if d.some(0.6) and factor.denominator <= 604800 else x
    if d.some(0.25) and kind in (LENGTH, MASS, VOLUME, COINS, AREA) or d.some(0.08):
        x = Decimal(d.rng.randint(1, 400)) / d.one(2, 4, 10, 100)
    answer = Fraction(x) * factor
    if answer.denominator not in (1, 2, 4, 5, 8, 10, 20, 25, 40, 50, 100, 125, 200, 250, 500, 1000, 2000, 10000, 100000, 10**6, 5000):
        return None
    if not 0 < answer < 10**10:
        return None
    names = d.one(*an), d.one(*bn)
    text = d.frame(CONVERT, x=d.say(x) if isinstance(x, int) else plain(x), a=names[0] if x != 1 else names[0].rstrip("s") or names[0], b=names[1])
    one = factor if factor.denominator == 1 else 1 / factor
    sign = "*" if factor.denominator == 1 else "/"
    words = f"1 {an[0]} = {one} {bn[0]}" if sign == "*" else f"1 {bn[0]} = {one} {an[0]}"
    if one.denominator != 1:
        return None
    return Problem(capital(text), answer if answer.denominator == 1 else Decimal(answer.numerator) / answer.denominator, calculate(words, "{0} %s {1}" % sign, x, int(one)))


COMPOUND = ((("hours", "h", "hrs"), ("minutes", "min"), 60), (("minutes", "min"), ("seconds", "s"), 60), (("weeks",), ("days",), 7), (("days",), ("hours",), 24), (("metres", "m"), ("centimetres", "cm"), 100), (("kilometres", "km"), ("metres", "m"), 1000), (("kg", "kilograms"), ("g", "grams"), 1000), (("feet", "ft"), ("inches", "in"), 12),
            (("dollars", "euros"), ("cents",), 100), (("litres", "l"), ("millilitres", "ml"), 1000), (("years",), ("months",), 12), (("pounds",), ("ounces",), 16), (("dozen",), ("pieces",), 12))
MIXED = ("how many {b} are [in|there in|] {x} {a} [and|] {y} {b}?", "[convert|change] {x} {a} [and|] {y} {b} [to|into] {b}", "{x} {a} [and|] {y} {b} in {b}[?|]", "[express|write|give] {x} {a} {y} {b} in {b}", "a film lasts {x} {a} [and|] {y} {b}. How many {b} is that?", "{x} {a} {y} {b} [is|are|=] how many {b}?", "[what is|how much is] {x} {a} and {y} {b} in {b}?",
    "[I wonder|Can you tell me|Do you know] how many {b} there are in {x} {a} [and|] {y} {b}", "[work out|find|calculate] the number of {b} in {x} {a} and {y} {b}[.|]", "[in all|altogether], how many {b} [do|would] {x} {a} and {y} {b} make?",
    "[something|a thing] measures {x} {a} and {y} {b}. [What is that|Give it] in {b}[?|]", "[turn|put|rewrite] {x} {a} and {y} {b} [as|into] {b} only[.|]")
SPLIT = ("[write|express|give|convert] {t} {b} [in|as|to] {a} and {b}", "how many {a} and {b} are {t} {b}?", "{t} {b} in {a} and {b}[?|]", "[what is|] {t} {b} in {a} and {b}[?|]",
    "[turn|change|break] {t} {b} [into|up into] {a} and {b}[.|]", "[I wonder|Can you tell me] how many {a} and {b} [there are|] in {t} {b}", "[something|it] is {t} {b}. How many {a} and {b} is that?",
    "how do you [say|write] {t} {b} in {a} and {b}?")
SUMS = ("add {x} {a} {y} {b} and {z} {a} {w} {b}[. How many {b} is that?| in {b}]", "how many {b} are {x} {a} {y} {b} and {z} {a} {w} {b} together?", "{x} {a} {y} {b} plus {z} {a} {w} {b} in {b}[?|]",
    "what is the total of {x} {a} {y} {b} and {z} {a} {w} {b} in {b}?", "first {x} {a} {y} {b}, then {z} {a} {w} {b} more. How many {b} altogether?",
    "[put|join] {x} {a} {y} {b} and {z} {a} {w} {b} together. How many {b} are there?")


def compound(d):
    an, bn, k = d.situation(COMPOUND)
    a, b = d.one(*an), d.one(*bn)
    x, y, z, w = d.rng.randint(1, 12), d.rng.randint(1, k - 1), d.rng.randint(1, 9), d.rng.randint(1, k - 1)
    kind = d.rng.random()
    if kind < 0.6:
        return Problem(capital(d.frame(MIXED, x=d.say(x), y=y, a=a, b=b)), x * k + y, (f"1 {an[0]} = {k} {bn[0]}", (f"print({x} * {k} + {y})",)))
    if kind < 0.85:
        t = x * k + y
        return Problem(capital(d.frame(SPLIT, t=t, a=a, b=b)), f"{x} {a} {y} {b}", (f"1 {an[0]} = {k} {bn[0]}", (f"print({t} // {k}, '{a}', {t} % {k}, '{b}')",)))
    return Problem(capital(d.frame(SUMS, x=x, y=y, z=z, w=w, a=a, b=b)), (x + z) * k + y + w, (f"1 {an[0]} = {k} {bn[0]}", (f"print(({x} + {z}) * {k} + {y} + {w})",)))


EVENTS = (("a film", "begins", "ends", "lasts"), ("a lesson", "starts", "ends", "lasts"), ("a train", "leaves", "arrives", "needs"), ("a bus", "departs", "arrives", "takes"), ("a match", "starts", "ends", "lasts"), ("a concert", "begins", "finishes", "lasts"), ("a meeting", "starts", "ends", "takes"), ("a flight", "leaves", "lands", "takes"), ("a show", "starts", "finishes", "runs"),
          ("a walk", "begins", "ends", "takes"), ("the exam", "starts", "ends", "lasts"), ("a ferry", "sails", "lands", "needs"), ("work", "starts", "stops", "lasts"), ("a party", "begins", "ends", "lasts"), ("the play", "starts", "ends", "lasts"), ("a class", "begins", "is over", "lasts"), ("the cake", "goes into the oven", "comes out", "bakes"), ("a race", "starts", "ends", "lasts"))


def clock(minutes, half):
    minutes %= 1440
    if not half:
        return f"{minutes // 60}:{minutes % 60:02d}"
    return f"{minutes // 60 % 12 or 12}:{minutes % 60:02d} {'AM' if minutes < 720 else 'PM'}"


END = ("{e} {v} at {t} and {l} {n}. [When|At what time] does it [end|stop|finish|arrive]?", "{e} {v} at {t} and {l} {n}. [What time is it over|What time does it end]?", "[what time is it|what is the time|what time will it be] {n} after {t}?", "it is {t}. What time [is it|will it be] in {n}?", "[when|at what time] does {e} {w} [if|when] it {v} at {t} and {l} {n}?", "{t} plus {n} is [what time|when]?", "{e} {v} at {t}. It {l} {n}. [When does it end|End time][?|]", "{n} [after|later than] {t}[?|]", "add {n} to {t}", "now it is {t}; [what time|how late] is it {n} later?",
    "if {e} {v} at {t} and {l} {n}, [what time|when] does it [end|finish|stop]?", "[what will the clock show|where will the clock stand] {n} after {t}?", "my watch says {t}. What will it say in {n}?",
    "{n} from {t}: what time is that?", "[I wonder|Can you tell me] what time it will be {n} after {t}", "start {t}, duration {n}. [End|Finish]?")
BEGIN = ("{e} {l} {n} and {w} at {t}. [When|At what time] does it [begin|start|leave]?", "[what time was it|what is the time|what time is] {n} before {t}?", "it is {t}. What time was it {n} ago?", "{e} {w} at {t} and {l} {n}. When [did it start|does it begin]?", "{n} [before|earlier than] {t}[?|]", "[what time must I leave|when must I go] to arrive at {t} if [it takes|the way takes] {n}?",
    "my watch says {t}. What did it say {n} ago?", "[what did the clock show|what time did the clock say] {n} before {t}?", "{e} {w} at {t} after {n}. What time was the start?",
    "go back {n} from {t}[.|. What time is it?]", "[subtract|take] {n} from {t}", "end {t}, duration {n}. [Start|When did it begin]?")
BETWEEN = ("how many minutes [are there|are|pass|is it|lie] [between|from] {t} [and|to] {u}?", "how [long|many minutes] is it from {t} to {u} [in minutes|]?", "{e} {v} at {t} and {w} at {u}. How many minutes [does it last|is that|does it take]?", "{e} {v} at {t} and {w} at {u}. How long [does it last|is that|does it take] in minutes?", "from {t} to {u}, how many minutes?", "minutes [between|from] {t} [and|to] {u}?",
    "[work out|find|count] the minutes from {t} to {u}[.|]", "[I wonder|Can you tell me] how many minutes [there are|pass] between {t} and {u}", "{e} {v} at {t}. It {w} at {u}. How many minutes [in between|from start to end]?",
    "it is {t} now. How many minutes until {u}?", "start {t}, end {u}: how many minutes?")
BETWEEN_LONG = ("{e} {v} at {t} and {w} at {u}. How long [does it last|is that|does it take] in hours and minutes?", "how many hours and minutes [are there|are|is it] from {t} to {u}?", "{e} {v} at {t} and {w} at {u}. How many hours and minutes [is that|does it last]?",
    "it is {t} now. How many hours and minutes until {u}?", "from {t} to {u}, how many hours and minutes?", "[find|work out] the time from {t} to {u} in hours and minutes[.|]",
    "start {t}, end {u}: how many hours and minutes?")


def shown_span(d, minutes):
    h, m = divmod(minutes, 60)
    if h and d.some(0.7):
        hours = f"{h} hour{'s' if h > 1 else ''}" if d.some(0.7) else f"{h} h"
        return (hours + (d.one(" and ", " ", " and ") + f"{m} {d.one('minutes', 'min')}" if m else "")), f"{h} * 60 + {m}" if m else f"{h} * 60"
    return f"{minutes} {d.one('minutes', 'min', 'minutes')}", str(minutes)


def times(d):
    e, v, w, l = d.situation(EVENTS)
    half = d.some(0.4)
    start, length = d.rng.randint(0, 1439) // 5 * 5 if d.some(0.75) else d.rng.randint(0, 1439), d.rng.randint(1, 240)
    if d.some(0.6):
        length = length // 5 * 5 + 5
    written = clock(start, half)
    read = lambda text: f"{int(text.partition(':')[0])} * 60 + {int(text[text.index(':') + 1:][:2])}" if "M" not in text else f"{text.partition(':')[0]} % 12 * 60 + {int(text[text.index(':') + 1:][:2])}" + (" + 720" if "P" in text else "")
    show = ("print(f'{t // 60}:{t % 60:02d}')",) if not half else ("h = t // 60 % 12 or 12", "print(f\"{h}:{t % 60:02d} {'AM' if t < 720 else 'PM'}\")")
    kind = d.rng.random()
    said, span = shown_span(d, length)
    slots = dict(e=e, v=v, w=w, l=l, n=said)
    lower = lambda t: t.replace(" AM", d.one(" AM", " am", "am", " a.m.")).replace(" PM", d.one(" PM", " pm", "pm", " p.m.")) if d.some(0.4) else t
    if kind < 0.6:
        forward = kind < 0.4
        sign = "+" if forward else "-"
        text = d.frame(END if forward else BEGIN, t=lower(written), **slots)
        answer = clock(start + length if forward else start - length, half)
        return Problem(capital(text), answer, ("Minutes since midnight", (f"t = {read(written)}", f"t = (t {sign} ({span})) % 1440" if "*" in span else f"t = (t {sign} {span}) % 1440")), ("Write the time", show))
    other = clock(start + length, half)
    if kind < 0.85:
        text = d.frame(BETWEEN, t=lower(written), u=lower(other), **slots)
        return Problem(capital(text), length, ("Minutes since midnight", (f"a = {read(written)}", f"b = {read(other)}")), ("Take the difference", ("print((b - a) % 1440)",)))
    text = d.frame(BETWEEN_LONG, t=lower(written), u=lower(other), **slots)
    return Problem(capital(text), f"{length // 60} hours {length % 60} minutes", ("Minutes since midnight", (f"a = {read(written)}", f"b = {read(other)}")), ("Take the difference", ("n = (b - a) % 1440", "print(n // 60, 'hours', n % 60, 'minutes')")))


WEEK = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
DAY = ("[today is|it is] {d}. [What day|Which day] [of the week|] [is it|will it be] in {n} days?", "[what|which] day [of the week|] is {n} days after {d}?", "{n} days after {d} is [what day|which day]?", "if today is {d}, what day is it [in {n} days|{n} days from now]?",
    "what day will it be {n} days from {d}?", "[count|go] {n} days [on|forward] from {d}. [Which|What] day is it?", "it's {d}. {n} days from now is [what|which] day?",
    "[I wonder|Can you tell me] what day [it is|comes] {n} days after {d}")
DAY_AGO = ("[today is|it is] {d}. [What day|Which day] was it {n} days ago?", "[what|which] day is {n} days before {d}?",
    "it's {d}. {n} days ago was [what|which] day?", "[count|go] {n} days back from {d}. Which day is it?", "{n} days before {d} is [what|which] day?",
    "[I wonder|Can you tell me] what day it was {n} days before, if today is {d}")
DATE = ("[what is the date|what date is it|which date is] {n} days after {a}?", "{n} days after {a} is [what date|which date]?", "[it is|today is] {a}. [What is|What will be] the date in {n} days?",
    "[count|go] {n} days [on|forward] from {a}. What is the date?", "starting on {a}, what date is it {n} days later?", "today's date is {a}. What will it be in {n} days?",
    "[I wonder|Can you tell me] the date {n} days after {a}")
DAYS = ("how many days [are there|are|is it|] from {a} to {b}?", "how many days [lie|are there|are] between {a} and {b}?", "from {a} to {b}, how many days?", "[the holiday|a trip|the course] starts on {a} and ends on {b}. How many days later is that?",
    "it is {a}. How many days until {b}?", "[find|count|work out] the number of days from {a} to {b}[.|]", "how many days after {a} is {b}?",
    "[I wonder|Can you tell me] how many days it is from {a} to {b}")
MONTH_DAYS = ("how many days [are in|has|does] {m} [have|][?|]",)
HOUR_COUNT = ("how many days are in {n} weeks?",)


def dates(d):
    kind = d.rng.random()
    if kind < 0.5:
        i, n = d.rng.randrange(7), d.rng.randint(1, d.one(14, 100))
        ago = d.some(0.25)
        text = d.frame(DAY_AGO if ago else DAY, d=WEEK[i], n=n)
        lines = ("W = 'Monday Tuesday Wednesday Thursday Friday Saturday Sunday'.split()", f"print(W[(W.index('{WEEK[i]}') {'-' if ago else '+'} {n}) % 7])")
        return Problem(capital(text), WEEK[(i + (-n if ago else n)) % 7], ("Count on in the week", lines))
    first = datetime.date(2023, 1, 1) + datetime.timedelta(d.rng.randint(0, 330))
    n = d.rng.randint(2, d.one(30, 150))
    second = first + datetime.timedelta(n)
    if second.year != first.year:
        return None
    say = lambda x: d.one("{0} {1}", "{1} {0}", "{1} {0}", "the {2} of {1}").format(x.day, MONTHS[x.month - 1], f"{x.day}{'th' if 4 <= x.day <= 20 or x.day % 10 not in (1, 2, 3) else ('st', 'nd', 'rd')[x.day % 10 - 1]}")
    code = lambda x: f"date(2023, {x.month}, {x.day})"
    if first <= datetime.date(2023, 2, 28) < second:
        return None
    if kind < 0.75:
        return Problem(capital(d.frame(DATE, a=say(first), n=n)), f"{second.day} {MONTHS[second.month - 1]}", ("Add the days", (f"t = {code(first)} + timedelta({n})", "print(t.day, t.strftime('%B'))")))
    return Problem(capital(d.frame(DAYS, a=say(first), b=say(second))), n, ("Subtract the dates", (f"print(({code(second)} - {code(first)}).days)",)))


MOVERS = ("a car", "a train", "a bus", "a cyclist", "a runner", "a ship", "a plane", "a truck", "a horse", "a boat", "a walker", "a bird", "a motorbike", "a tram", "a snail", "a rocket", "a drone", "the ferry", "a skier", "a dog")
DISTANCE = ("{m} [travels|goes|drives|moves] [at|with] {v} {vu} for {t} {tu}. How [far|many {du}] [does it go|is that|does it travel]?", "how far does {m} go in {t} {tu} at {v} {vu}?", "at {v} {vu}, how [far|many {du}] [do you go|is it|does one get] in {t} {tu}?", "speed {v} {vu}, time {t} {tu}: [distance|how far]?", "{m} does {v} {vu}. What distance does it cover in {t} {tu}?", "what distance does {m} [cover|travel] in {t} {tu} at [a speed of|] {v} {vu}?",
    "[I wonder|Can you tell me] how far {m} goes in {t} {tu} at {v} {vu}", "{m} keeps up {v} {vu} for {t} {tu}. [How far is that|What distance is covered|How many {du} is that]?", "going at {v} {vu}, how many {du} does {m} cover in {t} {tu}?",
    "{t} {tu} at {v} {vu}: how [far|many {du}]?", "the speed is {v} {vu} and the [trip|journey] takes {t} {tu}. How [long is the way|many {du} is it|far is it]?")
SPEED = ("{m} [travels|goes|drives|covers] {s} {du} in {t} {tu}. What is its [average|] speed [in {vu}|]?", "what is the [average|] speed [in {vu}|] of {m} that [goes|covers] {s} {du} in {t} {tu}?", "{s} {du} in {t} {tu}[. How fast is that| is what speed| is how many {vu}| is how fast][?|]", "{m} [needs|takes] {t} {tu} for {s} {du}. [How fast is it|What is its speed|Find the speed][?|]", "how fast [is|does] {m} [going|move] if it [covers|does] {s} {du} in {t} {tu}?", "distance {s} {du}, time {t} {tu}: [speed|what speed]?", "{s} {du} took {t} {tu}. Find the average speed.",
    "{m} [covers|does] {s} {du}. It takes {t} {tu}. How fast does it go?", "at what speed does {m} go to cover {s} {du} in {t} {tu}?", "a [journey|trip] of {s} {du} takes {t} {tu}. What is the [average|mean] speed?",
    "[find|calculate|work out] the speed: {s} {du} in {t} {tu}[.|]", "how fast must {m} go to [do|cover] {s} {du} in {t} {tu}?")
DURATION = ("how long does {m} need for {s} {du} at {v} {vu}?", "{m} [goes|travels|drives] {s} {du} at {v} {vu}. How [long|many {tu}] does it take?", "at {v} {vu}, how [long|many {tu}] [does it take|is it] [for|to go] {s} {du}?", "distance {s} {du}, speed {v} {vu}: time?", "how many {tu} does it take to [go|travel|drive] {s} {du} at {v} {vu}?", "the way is {s} {du} long and {m} goes {v} {vu}. How many {tu} does it [take|need]?",
    "[I wonder|Can you tell me] how many {tu} {m} needs for {s} {du} at {v} {vu}", "{m} has {s} {du} to go at {v} {vu}. How many {tu} is that?", "[going|moving] at {v} {vu}, {m} covers {s} {du} in how many {tu}?",
    "a [trip|journey] of {s} {du} at {v} {vu} takes how [long|many {tu}]?", "[find|calculate|work out] the time for {s} {du} at {v} {vu}[.|]")
SYSTEMS = (("km/h", "km", "hours"), ("km/h", "kilometres", "hours"), ("kilometres per hour", "kilometres", "hours"), ("mph", "miles", "hours"), ("miles per hour", "miles", "hours"), ("m/s", "m", "seconds"), ("metres per second", "metres", "seconds"), ("km an hour", "km", "hours"), ("metres a minute", "metres", "minutes"), ("km per minute", "km", "minutes"), ("miles an hour", "miles", "hours"))
KMH = ("[convert|change] {x} {a} [to|into] {b}", "[what is|how much is|] {x} {a} in {b}[?|]", "how many {b} are {x} {a}?", "{x} {a} [is|are] how many {b}?",
    "[express|write|give] {x} {a} in {b}[.|]", "{x} {a} in {b}[?|]", "a speed of {x} {a} is how many {b}?",
    "[a car|a train|a bird] goes {x} {a}. How fast is that in {b}?")
MEET = ("two [trains|cars|cyclists|walkers|ships] are {s} km apart and [go|drive|move] towards each other at {a} and {b} km/h. After how many hours do they meet?", "two [cars|trains|bikes] start [at the same place|together] and go in opposite directions at {a} km/h and {b} km/h. How far apart are they after {t} hours?", "two [trains|cars] go the same way at {a} and {b} km/h. How [far apart|many km apart] are they after {t} hours?",
    "{s} km lie between two [riders|cars|trains]. They come towards each other at {a} km/h and {b} km/h. How many hours until they meet?", "from the same town two [buses|riders] leave in opposite directions, one at {a} km/h, the other at {b} km/h. How many km apart are they after {t} hours?", "one [car|bus] goes {a} km/h and another {b} km/h, along the same road in the same direction, from the same start. What is the gap in km after {t} hours?",
    "two cyclists, {s} km apart, ride towards each other, one at {a} km/h, one at {b} km/h. In how many hours do they meet?")
PARTS = ("{m} goes {a} km/h for {t} hours and then {b} km/h for {u} hours. How far [does it go|is that] [in all|]?", "{m} travels {x} km in {t} hours, then {y} km in {u} hours. What is the average speed [in km/h|]?",
    "{m} covers {x} km in {t} hours and {y} km in the next {u} hours. Find the average speed in km/h for the whole trip.")


def speed(d):
    vu, du, tu = d.one(*SYSTEMS)
    m = d.situation(MOVERS)
    v, t = d.int(2, d.one(20, 120)), d.rng.randint(2, 12)
    if d.some(0.15):
        t = Decimal(d.rng.randint(1, 11)) + Decimal("0.5")
    kind = d.rng.random()
    shown_t, shown_tu = (plain(t) if isinstance(t, Decimal) else d.say(t)), tu
    half = tu == "hours" and kind < 0.6 and d.some(0.25)
    if half:
        minutes = d.one(15, 30, 45, 30, 20, 40, 10)
        v = v * 60 // __import__("math").gcd(60, minutes) if (v * minutes) % 60 else v
        h = d.rng.randint(0, 4)
        total = h * 60 + minutes
        shown_t, shown_tu = (f"{h} hours {minutes}" if h > 1 else f"1 hour and {minutes}" if h else f"{minutes}"), "minutes"
        t = Fraction(total, 60)
    slots = dict(m=m, v=v, t=shown_t, vu=vu, du=du, tu=shown_tu)
    clean = lambda text: text.replace("1 hours", "1 hour")
    if kind < 0.32:
        text = clean(capital(d.frame(DISTANCE, **slots)))
        s = Fraction(t) * v
        if half:
            if s.denominator != 1:
                return None
            return Problem(text, int(s), ("Speed times time, in hours", (f"print({v} * ({total}) // 60)" if not h else f"print({v} * ({h} * 60 + {minutes}) // 60)",)))
        return Problem(text, t * v, calculate("Speed times time", "{0} * {1}", v, t))
    if kind < 0.6:
        s = Fraction(t) * v
        if s.denominator != 1:
            return None
        s = int(s)
        text = clean(capital(d.frame(SPEED, s=s, **slots)))
        if half:
            if "[in" in text:
                return None
            return Problem(text, v, ("Way over time, in hours", (f"print({s} * 60 // ({h} * 60 + {minutes}))" if h else f"print({s} * 60 // {minutes})",)))
        return Problem(text, v, calculate("Way over time", "{0} / {1}", s, t))
    if kind < 0.8:
        return Problem(capital(d.frame(DURATION, s=plain(t * v), **slots)), t, calculate("Way over speed", "{0} / {1}", t * v, v))
    a, b, t, u = d.rng.randint(2, 20) * 5, d.rng.randint(2, 20) * 5, d.rng.randint(2, 6), d.rng.randint(2, 6)
    if kind < 0.86:
        x = d.rng.randint(1, 20) * 18
        to_ms = d.some(0.5)
        x = x if to_ms else x // 18 * 5
        names = (d.one("km/h", "kilometres per hour"), d.one("m/s", "metres per second"))
        names = names if to_ms else names[::-1]
        answer = x * 5 // 18 if to_ms else x * 18 // 5
        if x * (5 if to_ms else 18) % (18 if to_ms else 5):
            return None
        return Problem(capital(d.frame(KMH, x=x, a=names[0], b=names[1])), answer, ("3.6 km/h = 1 m/s", (f"print({x} * 10 // 36)" if to_ms else f"print({x} * 36 // 10)",)))
    if kind < 0.95:
        text = d._pick(MEET, d.frames)
        d.held_frame |= held(text)
        if a == b:
            a += 5
        out = capital(d.fill(text, s=(a + b) * t, a=a, b=b, t=t))
        if "towards" in text:
            return Problem(out, t, ("Way over both speeds", (f"print({(a + b) * t} // ({a} + {b}))",)))
        sign = "+" if "opposite" in text else "-"
        return Problem(out, abs(eval(f"a {sign} b")) * t, ("Both speeds times the time", (f"print(abs({a} {sign} {b}) * {t})",)))
    if d.some(0.6):
        return Problem(capital(d.frame(PARTS[:1], m=m, a=a, b=b, t=t, u=u)), a * t + b * u, ("Way by way", (f"print({a} * {t} + {b} * {u})",)))
    mean = d.rng.randint(4, 90)
    x = d.rng.randint(1, mean * (t + u) - 1)
    return Problem(capital(d.frame(PARTS[1:], m=m, x=x, y=mean * (t + u) - x, t=t, u=u)), mean, ("All the way over all the time", (f"print(({x} + {mean * (t + u) - x}) // ({t} + {u}))",)))


TOPICS = ((convert, 10), (compound, 5), (times, 8), (dates, 3), (speed, 8))
