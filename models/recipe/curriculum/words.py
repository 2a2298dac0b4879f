"""Word problems of one and two operations, of our own making."""
import random

MODULES = ["words__one_operation", "words__two_operations"]

PEOPLE = ("Ana Ben Carla David Emma Farid Grace Hugo Irene Jonas Kofi Lena Maria Nadia Omar Paula Quentin Rosa Sam Tara Uma Victor "
          "Wendy Xavier Yusuf Zoe Amir Bella Chen Diego Elif Fatima Gita Hassan Ines Jack Karim Lucy Mia Noah Olga Peter").split()
THINGS = ("apples pears books pencils marbles stamps coins cards shells stickers oranges eggs flowers bottles cookies candles stones "
          "buttons tickets cups plates balls toys lemons plums nuts keys photos ribbons cakes").split()
PLACES = "boxes bags baskets shelves rows drawers tables jars packs crates".split()
FARES = "book ticket shirt cake ball lamp bag cup chair pen toy plant".split()


def n(rng, level, low=2):
    """A number that grows with the level."""
    return rng.randint(low, {"easy": 30, "medium": 300, "hard": 999}[level])


def one(rng, level):
    """(text, steps [(words, name, expression)], answer) with one operation."""
    p, q = rng.sample(PEOPLE, 2)
    t, c, f = rng.choice(THINGS), rng.choice(PLACES), rng.choice(FARES)
    a, b = n(rng, level), n(rng, level)
    big, small = max(a, b) + 1, min(a, b)
    times, other = n(rng, level), rng.randint(2, 12)
    product = times * other
    forms = [
        (f"{p} has {a} {t} and gets {b} more. How many {t} does {p} have now?", f"{a} + {b}", "Add"),
        (f"{p} has {a} {t} and {q} has {b} {t}. How many {t} do they have together?", f"{a} + {b}", "Add"),
        (f"There are {a} {t} on the table and {b} on the floor. How many {t} are there in all?", f"{a} + {b}", "Add"),
        (f"{p} walks {a} km on Monday and {b} km on Tuesday. How far does {p} walk in total?", f"{a} + {b}", "Add"),
        (f"{p} has {big} {t} and gives {small} to {q}. How many {t} are left?", f"{big} - {small}", "Subtract"),
        (f"{p} had {big} {t} and lost {small} of them. How many {t} does {p} have now?", f"{big} - {small}", "Subtract"),
        (f"{p} has {big} {t}. {q} has {small} fewer. How many {t} does {q} have?", f"{big} - {small}", "Subtract"),
        (f"A shop has {big} {t} and sells {small}. How many {t} remain?", f"{big} - {small}", "Subtract"),
        (f"How many more {t} does {p} have than {q} if {p} has {big} and {q} has {small}?", f"{big} - {small}", "Subtract"),
        (f"There are {other} {c} with {times} {t} each. How many {t} are there?", f"{other} * {times}", "Multiply"),
        (f"A {f} costs {times} dollars. How much do {other} of them cost?", f"{times} * {other}", "Multiply"),
        (f"{p} reads {times} pages a day. How many pages does {p} read in {other} days?", f"{times} * {other}", "Multiply"),
        (f"{p} earns {times} dollars an hour. How much does {p} earn in {other} hours?", f"{times} * {other}", "Multiply"),
        (f"{p} shares {product} {t} equally among {other} friends. How many does each get?", f"{product} // {other}", "Divide"),
        (f"{product} {t} are packed into {other} {c}. How many {t} are in each?", f"{product} // {other}", "Divide"),
        (f"{other} equal {f}s cost {product} dollars. What does one cost?", f"{product} // {other}", "Divide"),
        (f"A car drives {product} km in {other} hours. How many km does it drive in one hour?", f"{product} // {other}", "Divide"),
        (f"Each of the {c} holds {other} {t}. How many {c} do {product} {t} need?", f"{product} // {other}", "Divide"),
        (f"{p} is {a} years old. {q} is {b} years older. How old is {q}?", f"{a} + {b}", "Add"),
        (f"A tank holds {a} litres. Then {b} litres are poured in. How many litres are in it now?", f"{a} + {b}", "Add"),
        (f"In the morning {a} people come, in the afternoon {b}. How many people come altogether?", f"{a} + {b}", "Add"),
        (f"{p} is {big} years old. {q} is {small} years younger. How old is {q}?", f"{big} - {small}", "Subtract"),
        (f"A book has {big} pages. {p} has read {small} of them. How many pages are left to read?", f"{big} - {small}", "Subtract"),
        (f"{p} had {big} dollars and spent {small} dollars. How much money is left?", f"{big} - {small}", "Subtract"),
        (f"If one {f} costs {times} dollars, what do {other} {f}s cost?", f"{times} * {other}", "Multiply"),
        (f"{p} runs {times} km every day. How far does {p} run in {other} days?", f"{times} * {other}", "Multiply"),
        (f"A hall has {other} rows of {times} seats. How many seats are there?", f"{other} * {times}", "Multiply"),
        (f"{p} pays {product} dollars for {other} {f}s. How much is one {f}?", f"{product} // {other}", "Divide"),
        (f"{p} has {product} {t} and puts {other} in each of the {c}. How many {c} does {p} need?", f"{product} // {other}", "Divide"),
        (f"{product} {t} are divided equally between {other} children. How many {t} does each child get?", f"{product} // {other}", "Divide"),
    ]
    text, expression, words = rng.choice(forms)
    return text, [(words, "x", expression)]


def two(rng, level):
    """Two operations, the second on the first one's result."""
    p, q = rng.sample(PEOPLE, 2)
    t, c, f = rng.choice(THINGS), rng.choice(PLACES), rng.choice(FARES)
    a, b, d = n(rng, level), rng.randint(2, 12), n(rng, level)
    total = a * b
    less, pay = rng.randint(1, max(1, total - 1)), total + rng.randint(1, 50)
    share = rng.randint(2, 9)
    have = share * rng.randint(1, 40)
    first = rng.randint(1, max(1, have - 1))
    forms = [
        (f"{p} buys {b} {f}s for {a} dollars each and a bag for {d} dollars. How much does {p} pay?",
         [("Cost of all", "x", f"{b} * {a}"), ("Add the bag", "y", f"x + {d}")]),
        (f"{p} buys {b} {f}s for {a} dollars each and pays with {pay} dollars. How much change does {p} get?",
         [("Cost of all", "x", f"{b} * {a}"), ("Subtract from what was paid", "y", f"{pay} - x")]),
        (f"There are {b} {c} with {a} {t} each. {p} takes {less} {t}. How many {t} are left?",
         [("All of them", "x", f"{b} * {a}"), ("Subtract", "y", f"x - {less}")]),
        (f"{p} has {first} {t} and {q} has {have - first}. They share them equally among {share} friends. How many does each friend get?",
         [("All of them", "x", f"{first} + {have - first}"), ("Divide", "y", f"x // {share}")]),
        (f"{p} has {a} {t}. {q} has {b} times as many. How many {t} do they have together?",
         [(f"What {q} has", "x", f"{a} * {b}"), ("Add", "y", f"x + {a}")]),
        (f"{p} had {a + d} {t}, gave away {d} and then found {less}. How many {t} does {p} have now?",
         [("What is left", "x", f"{a + d} - {d}"), ("Add", "y", f"x + {less}")]),
        (f"{p} saves {a} dollars a week for {b} weeks and already had {d} dollars. How many dollars does {p} have?",
         [("Saved in all", "x", f"{a} * {b}"), ("Add", "y", f"x + {d}")]),
        (f"A class has {a} girls and {d} boys. Each child needs {b} {t}. How many {t} are needed?",
         [("All children", "x", f"{a} + {d}"), ("Multiply", "y", f"x * {b}")]),
        (f"{p} picks {a} {t} and {q} picks {d} more than {p}. How many {t} do they pick together?",
         [(f"What {q} picks", "x", f"{a} + {d}"), ("Add", "y", f"x + {a}")]),
        (f"{p} reads {a} pages a day. A book has {total + less} pages. How many pages are left after {b} days?",
         [("Pages read", "x", f"{a} * {b}"), ("Subtract", "y", f"{total + less} - x")]),
    ]
    return rng.choice(forms)


def draw(module, level, seed, count):
    rng = random.Random(f"{module} {level} {seed}")
    result = []
    for _ in range(count):
        text, steps = (one if module == MODULES[0] else two)(rng, level)
        result.append((text, steps))
    return result


def prepare(problem, steps, module, rng):
    """As bootstrap.prepare; the answer is worked out from the template's own numbers, by another route than the code."""
    from . import execute
    from .solution import Solution, answer_text, output_text
    state = {}
    for _, name, expression in steps:
        state[name] = eval(expression, {}, state)
    answer = str(state[steps[-1][1]])
    solution = Solution(rng)
    if len(steps) == 1 and rng.random() < 0.6:
        solution.step(steps[0][0], f"print({steps[0][2]})")
    else:
        for words, name, expression in steps[:-1]:
            solution.step(words, f"{name} = {expression}")
        words, name, expression = steps[-1]
        if rng.random() < 0.5:
            solution.step(words, f"print({expression})")
        else:
            solution.step(words, f"{name} = {expression}", f"print({name})")
    output, error = execute.run([code for _, code in solution.code()])
    if error or not execute.same(answer, output):
        return None, error or "wrong"
    return {"module": module, "problem": problem, "answer": answer, "steps": solution.texts(),
            "output": output_text(output), "closing": answer_text(output)}, "kept"
