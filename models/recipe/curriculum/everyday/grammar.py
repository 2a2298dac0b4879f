"""Sentences by grammar: frames with alternatives and slots, situations, and what of them is held out.

A frame is a text such as "[What is|How much is] {a} [plus|and] {b}?": one alternative of each bracket is taken (brackets
nest), then the slots are filled.  Frames and situations are held out whole, by a hash of their own text, so that it can be
measured what a policy makes of sentences and stories that it has never met.
"""
import re
import zlib
from decimal import Decimal
from fractions import Fraction

HELD = 24   # one frame, and one situation, in so many is held out

WORDS = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
         "nineteen twenty").split()


def held(item):
    return zlib.crc32(repr(item).encode()) % HELD == 0


def plain(number):
    """A number as a person writes it: no trailing zeros, no exponent."""
    if isinstance(number, Fraction):
        return str(number)
    if isinstance(number, Decimal):
        text = f"{number:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(number)


class Problem:
    """A question, the answer worked out beside the code, and steps (words, lines); no steps: the answer is to decline."""

    def __init__(self, text, answer, *steps):
        self.text, self.answer, self.steps = text, answer if isinstance(answer, str) else plain(answer), steps


class Draw:
    """Random choices of one problem.  `wanted` is what may be used of frames and of situations: "shown", "held" or "all"."""

    def __init__(self, rng, frames="shown", situations="shown"):
        self.rng, self.frames, self.situations = rng, frames, situations
        self.held_frame = self.held_situation = False

    def _pick(self, items, wanted, held_out=held):
        if wanted != "all":
            mine = [i for i in items if held_out(i) == (wanted == "held")]
            items = mine or items
        return self.rng.choice(items)

    def situation(self, rows):
        row = self._pick(rows, self.situations)
        self.held_situation |= held(row)
        return row

    def frame(self, frames, **slots):
        """The first frame of a kind, its plainest wording, is never held out."""
        held_out = lambda frame: frame is not frames[0] and held(frame)
        chosen = self._pick(frames, self.frames, held_out)
        self.held_frame |= held_out(chosen)
        return self.fill(chosen, **slots)

    def fill(self, text, **slots):
        inner = re.compile(r"\[([^\[\]]*)\]")
        while "[" in text:
            match = inner.search(text)
            if not match:
                break
            text = text[:match.start()] + self.rng.choice(match.group(1).split("|")) + text[match.end():]
        text = re.sub(r"\{(\w+)\}", lambda m: str(slots[m.group(1)]), text)
        text = re.sub(r"\b([Aa]) (octagon)", r"\1n \2", re.sub(r" +", " ", text)).strip()
        return re.sub(r" ([,?.!])(?!\d)", r"\1", text)

    def one(self, *items):
        return self.rng.choice(items)

    def some(self, share):
        return self.rng.random() < share

    def int(self, low, high):
        """A number of this range, small ones more often: half of the draws from its lowest part."""
        if high > 40 and self.rng.random() < 0.4:
            high = low + max(8, (high - low) // 10)
        return self.rng.randint(low, high)

    def say(self, number):
        """A count in digits or, if small, now and then as a word."""
        return WORDS[number] if isinstance(number, int) and 2 <= number <= 12 and self.rng.random() < 0.12 else plain(number)

    def money(self, high=60, cents=0.5):
        """A price."""
        if self.rng.random() < cents:
            return Decimal(self.rng.randint(1, high) * 100 + self.rng.choice([50, 25, 75, 20, 99, 5, 40, 95, 80, 10, 60])) / 100
        return Decimal(self.int(2, high))


def code(number):
    """A literal for exact arithmetic: an integer as it is, a decimal as Decimal."""
    text = number if isinstance(number, str) else plain(number)
    return f"Decimal('{text}')" if "." in text else text


SHOW = "print(f'{x.normalize():f}')"


def calculate(words, expression, *numbers):
    """A step that prints an expression of {0}, {1}, ...: integers as they stand; with a point or a quotient in Decimal."""
    texts = [n if isinstance(n, str) else plain(n) for n in numbers]
    if "/" in expression.replace("//", "") or any("." in t for t in texts):
        first = True
        parts = []
        for t in texts:
            parts.append(f"Decimal('{t}')" if "." in t or first else t)
            first = False
        return words, (f"x = {expression.format(*parts)}", SHOW)
    return words, (f"print({expression.format(*texts)})",)


def listing(items, last="and"):
    items = [str(i) for i in items]
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + f" {last} " + items[-1]


COURTESY = ("Please [help|help me with this]: {0}", "[Quick|Short|Small] question: {0}", "{0} Please.", "{0} [Thanks|Thank you][.|!]", "Hi[!|,] {0}", "Hello, {0}",
            "Homework: {0}", "{0} [Show|Give] only the answer.", "Can you help? {0}", "My teacher asks: {0}", "Question: {0}", "Q: {0}", "[Hey|OK], {0}",
            "I am stuck. {0}", "Exercise {1}. {0}", "{1}) {0}", "Help! {0}", "Tell me: {0}", "I wonder: {0}")


def finish(d, text):
    """The small things in which one person's writing differs from another's."""
    if d.some(0.07):
        frame = d.frame(COURTESY, **{"0": "\0", "1": d.rng.randint(1, 30)})
        text = frame.replace("\0", text)
    if not text[1:2].isspace() and text[1:2] not in "(=+-*/^²":
        text = text[:1].upper() + text[1:]
    r = d.rng.random()
    if r < 0.12:
        text = text.rstrip("?.")
    if d.some(0.12):
        text = text[:1].lower() + text[1:]
    if d.some(0.03):
        text = text.lower() if not re.search(r"[A-Z]{2}|\b[A-Z]\b|[AP]M", text) else text
    if d.some(0.2):
        text = text.replace("What is", d.one("What's", "what is", "Whats"))
    return text
