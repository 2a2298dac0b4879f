"""Tests of the recipe without DeepMind's generator or PyTorch: python3 selftest.py (needs python3-sympy only)."""
import random
import sys
import unittest

from curriculum import holdback, rephrase
from curriculum.execute import run, same
from curriculum.solution import number_of, steps_of
from curriculum.vocabulary import SPECIAL, SPLIT, Vocabulary, allowed, train
from curriculum.write import Style, write

try:
    import torch
except ImportError:
    torch = None

# Problems of our own in the generator's manner, and their answers worked out by hand.
CASES = [
    ("Solve 3*k + 5 = 20 for k.", "5"), ("Solve 2*a - b = 1, a + b = 8 for b.", "5"),
    ("Let t = 4 - 9. Solve 3*y = t*y + 16 for y.", "2"), ("Suppose 2*w = 3*d + 1, w + d = 3. Solve w*k = 8 for k.", "4"),
    ("Let -x**2/2 + 8 = 0. What is x?", "-4, 4"), ("Factor 2*u**2 - 18.", "2*(u - 3)*(u + 3)"),
    ("Let f(n) be the first derivative of n**3/3 - 4*n. Factor f(r).", "(r - 2)*(r + 2)"),
    ("What is the next term in 1, 4, 9, 16?", "25"), ("What is the s'th term of 7, 9, 11, 13?", "2*s + 5"),
    ("Add 1.75 and -4.", "-2.25"), ("What is 12 less than 5?", "-7"), ("What is the difference between 2 and 9?", "7"),
    ("In base 7, what is 16 + 5?", "24"), ("In base 16, what is -a - 1?", "-b"), ("Evaluate (-4)/6*9/(-2).", "3"),
    ("Calculate -14 divided by 21.", "-2/3"), ("-0.5*0.25", "-0.125"), ("What is 70 to the power of 1/3, to the nearest integer?", "4"),
    ("What is the cube root of 130 to the nearest integer?", "5"), ("Simplify (sqrt(12) + 2)**2.", "16 + 8*sqrt(3)"),
    ("What is the second derivative of 2*c**4 - 7*c wrt c?", "24*c**2"), ("Differentiate 5*z**3*y - y with respect to z.", "15*y*z**2"),
    ("Which is the closest to 0.4?  (a) -3  (b) 1/2  (c) 2", "b"), ("What is the nearest to -1 in 3, -2/3, -7?", "-2/3"),
    ("Let p = 0.7 - 0.2. What is the second smallest value in p, 1/3, 4?", "p"), ("Which is the biggest value?  (a) -1/2  (b) -0.4  (c) -2", "b"),
    ("Is -3/4 less than -0.7?", "True"), ("Which is smaller: 5 or -8?", "-8"), ("Do 2 and 2 have different values?", "False"),
    ("Sort 4, -1/2, 0.3 in descending order.", "4, 0.3, -1/2"), ("How many grams are there in 2.5kg?", "2500"),
    ("What is three quarters of a day in minutes?", "1080"), ("Convert 0.36 minutes to milliseconds.", "21600"),
    ("What is 50 minutes after 11:45 PM?", "12:35 AM"), ("How many minutes are there between 11:30 AM and 1:05 PM?", "95"),
    ("101101 (base 2) to base 16", "2d"), ("What is -777 (base 8) in base 10?", "-511"),
    ("Calculate the remainder when 100 is divided by 7.", "2"), ("What is the highest common factor of 84 and 126?", "42"),
    ("Calculate the lowest common multiple of 8 and 12.", "24"), ("Find the common denominator of 5/6 and -3/8.", "24"),
    ("Does 9 divide 3834?", "True"), ("Is 121 a composite number?", "True"), ("List the prime factors of 360.", "2, 3, 5"),
    ("What is the hundreds digit of 40917?", "9"), ("Round 0.04567 to three decimal places.", "0.046"),
    ("What is -12867 rounded to the nearest one hundred?", "-12900"),
    ("Round -12867 to the nearest 100.", "-12900"), ("Round 1236.5 to the nearest 10.", "1240"), ("Let n = 12.5 - 462. Round n to the nearest 100.", "-400"),
    ("Suppose 2*w = 3*d + 1, w + d = 3. What is the units digit of w?", "2"), ("How many meters are there in 2500nm?", "0.0000025"), ("Let m(v) = v - 2. Let g(v) = v**2. What is g(m(q))?", "q**2 - 4*q + 4"),
    ("Let m(a) = 2*a. Let g(b) = b + 1. Give 3*m(k) - g(k).", "5*k - 1"), ("Expand (2*j - 1)*(j + 4) - 3.", "2*j**2 + 7*j - 7"),
    ("Express 3 - 2*n + 5*n**2 + 9*n as a*n**2 + b + c*n and give c.", "7"), ("Simplify (s**2*s)**(2/9)/s assuming s is positive.", "s**(-1/3)"),
    ("How many meters are there in twenty-nine quarters of a kilometer?", "7250"), ("Convert 9.5ug to nanograms.", "9500"),
    ("Let a(r) be the third derivative of r**5 - r**3. What is the derivative of a(o) wrt o?", "120*o"), ("Which is the third biggest value?  (a) 1  (b) 2  (c) -3", "c"),
    ("Two letters picked without replacement from aabbb. Give prob of sequence ab.", "3/10"),
    ("What is prob of picking 1 x and 1 y when two letters picked without replacement from {x: 2, y: 2}?", "2/3"),
]


class Recipe(unittest.TestCase):
    def test_every_case_in_every_style(self):
        for problem, answer in CASES:
            for seed in range(6):
                solution = write(problem, random.Random(seed), Style(plain=seed % 2, other=seed % 3 / 2))
                output, error = run([code for _, code in solution.code()])
                self.assertIsNone(error, (problem, solution.texts()))
                self.assertTrue(same(answer, output), (problem, output, answer, solution.texts()))

    def test_texts_give_their_code_back(self):
        for problem, _ in CASES:
            solution = write(problem, random.Random(1))
            codes = steps_of("".join(solution.texts()))
            self.assertEqual(codes, [f"# {words}\n{code}" for words, code in solution.code()])

    def test_grading(self):
        for a, b in (("1/2", "0.5"), ("3*x + 1", "1 + 3*x"), ("-7", "-7.0"), ("b", "b")):
            self.assertTrue(same(a, b))
        for a, b in (("1/2", "0.51"), ("3*x + 1", "3*x - 1"), ("True", "False"), ("2, 3", "3, 2"), ("7", ""), ("2*(x - 1)", "2*(x + 1)")):
            self.assertFalse(same(a, b), (a, b))

    def test_failures_are_reported(self):
        self.assertEqual(run(["x = 1", "print(x / 0)"])[1], "ZeroDivisionError")
        self.assertEqual(run(["while True: pass"], 0.2)[1], "timeout")
        self.assertEqual(run(["a = 2", "a + 1"]), ("3", None))
        self.assertEqual(len(run(["print('x' * 5000)"])[0]), 1024)

    def test_hold_back(self):
        self.assertTrue(holdback.shown("numbers__gcd", "Calculate the highest common factor of 432 and 999."))
        self.assertFalse(holdback.shown("numbers__gcd", "Calculate the highest common factor of 432 and 1000001."))
        self.assertFalse(holdback.shown("arithmetic__mul", "Multiply 1.234 and 5."))
        self.assertTrue(holdback.shown("numbers__is_prime_composed", "Let a = 80 - -7. Is a a prime number?"))
        self.assertFalse(holdback.shown("numbers__is_prime_composed", "Let a = 80 - -7. Let b = a + 1. Is b prime?"))

    def test_rephrasing_keeps_the_numbers(self):
        rng = random.Random(3)
        digits = lambda t: sorted(c for c in t.replace("²", "2").replace("³", "3") if c.isdigit())
        for problem, _ in CASES:
            for _ in range(20):
                said = rephrase.record({"problem": problem}, rng)["problem"]
                self.assertEqual(digits(problem), digits(said), (problem, said))

    def test_vocabulary(self):
        texts = [p for p, _ in CASES] * 5 + ["".join(write(p, random.Random(1)).texts()) for p, _ in CASES]
        for tag in SPECIAL:
            texts = [t.replace(tag, " ") for t in texts]
        vocabulary = Vocabulary(train(texts, 700, 4))
        for t in texts + ["naïve 1234 <code>", "\n\n# x\n"]:
            self.assertEqual("".join(SPLIT.findall(t)), t)
            self.assertEqual(vocabulary.decode(vocabulary.encode(t)), t)
        for token in vocabulary.tokens[256:]:
            self.assertTrue(allowed(token))
        for text in (" x", "(a", "12", "')", "x)", " 1", ").", "\n#"):
            self.assertFalse(allowed(text.encode()), text)
        self.assertNotIn(vocabulary.special["<code>"], vocabulary.prompt("What is <code>?"))

    def test_number_words(self):
        for word, n in (("forty-two", 42), ("one hundred thousand", 100000), ("seven", 7), ("12", 12), ("fourty-five", 45)):
            self.assertEqual(number_of(word), n)
        self.assertIsNone(number_of("apple"))


class Everyday(unittest.TestCase):
    def problems(self, frames, situations, count=12, seed=5):
        from curriculum.everyday.grammar import Draw
        from curriculum.everyday.make import topics
        for name, draw, _ in topics():
            rng = random.Random(f"{name} {seed}")
            got = tries = 0
            while got < count and tries < 400:
                tries += 1
                d = Draw(rng, frames, situations)
                problem = draw(d)
                if problem:
                    got += 1
                    yield name, d, problem

    def test_every_topic_prints_its_answer(self):
        from curriculum.everyday.make import record
        names = set()
        for name, d, problem in self.problems("all", "all"):
            got, why = record(problem, name, d)
            self.assertIsNotNone(got, (name, why, problem.text, problem.steps))
            self.assertNotRegex(got["problem"], r"[\[\]|{}]", name)
            if got["answer"] is None:
                self.assertEqual(got["closing"], "<answer>I do not know.<end_of_answer>")
            else:
                self.assertIn("\\boxed{", got["closing"])
            names.add(name)
        self.assertGreater(len(names), 35)

    def test_what_is_held_out_stays_out(self):
        for name, d, problem in self.problems("shown", "shown"):
            self.assertFalse(d.held_frame or d.held_situation, (name, problem.text))

    def test_held_out_frames_are_drawn_when_asked_for(self):
        held = {name for name, d, _ in self.problems("held", "all", 30) if d.held_frame}
        self.assertGreater(len(held), 20)

    def test_decimals_are_copied_as_they_stand(self):
        from curriculum.everyday.grammar import Draw, Problem, calculate
        from curriculum.everyday.make import record
        d = Draw(random.Random(1))
        got, _ = record(Problem("A pen costs $2.50. What do 3 cost?", "7.5", calculate("Multiply", "{0} * {1}", "2.5", 3)), "x", d)
        self.assertIn("Decimal('2.50') * 3", got["steps"][0])


@unittest.skipUnless(torch, "needs PyTorch")
class Spike(unittest.TestCase):
    def test_attention_is_pytorchs(self):
        from curriculum.model import attention
        torch.manual_seed(0)
        q, k, v = (torch.randn(3, heads, 37, 64, requires_grad=True) for heads in (4, 2, 2))
        ours, theirs = attention(q, k, v), torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
        for a, b in zip(*(torch.autograd.grad(x.square().sum(), (q, k, v)) for x in (ours, theirs))):
            torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-3)

    def test_copying_counts_numbers_that_are_not_in_the_problem(self):
        from curriculum.evaluate import copying
        code = "<code>\n# x\nx = Fraction(20 + 9, 50) * 31 + 417\n<end_of_step>\n\n# y\nprint(88)\n<end_of_code>"
        self.assertEqual(copying("How many months are there in twenty-nine fiftieths of a decade? 417", code),
                         [(2, False), (2, False), (2, True), (3, False)])

    def test_mean_of_weights(self):
        from curriculum.average import mean
        from curriculum.model import Policy
        from curriculum.train import shape
        tiny = shape("width=64,layers=1,heads=2,kv_heads=1,head=32,ffn=64")
        first, second = Policy(tiny), Policy(tiny)
        middle = (first.embed.weight + second.embed.weight).detach() / 2
        self.assertTrue(torch.equal(mean([first, second]).embed.weight, middle))
        with self.assertRaises(ValueError):
            mean([first, Policy(shape("width=32,layers=1,heads=1,kv_heads=1,head=32,ffn=64"))])


if __name__ == "__main__":
    sys.exit(unittest.main())
