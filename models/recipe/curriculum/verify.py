"""Checks stored data again, from the text alone: every solution is cut into steps, run, and graded; nothing held back and
nothing excluded may be in it.  Prints coverage and figures; exits with 1 if anything is wrong.

    python -m curriculum.verify data/boot1.jsonl --vocabulary vocabulary.json --exclude dev.jsonl.gz [--sample 2000]
"""
import argparse
import collections
import json
import random
import re
import sys
import time

from . import holdback
from .bootstrap import excluded, normal
from .execute import same
from .runner import Executor
from .solution import output_text, steps_of
from .vocabulary import Vocabulary

SYMPY = re.compile(r"\b(S|symbols|solve|Eq|diff|expand|factor|Lambda|interpolate|isprime|primefactors|gcd|lcm|radsimp)\(")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+")
    parser.add_argument("--vocabulary")
    parser.add_argument("--exclude", action="append", default=[])
    parser.add_argument("--sample", type=int, default=0, help="run only so many, drawn at random (0: all)")
    parser.add_argument("--unrestricted", action="store_true")
    a = parser.parse_args()
    records = [json.loads(line) for path in a.files for line in open(path)]
    hidden = excluded(a.exclude)
    faults = collections.Counter()
    modules, styles, steps, sympy_steps, operations = collections.Counter(), collections.defaultdict(set), 0, 0, 0
    for r in records:
        text = "".join(r["steps"])
        modules[r["module"]] += 1
        styles[r["module"]].add(re.sub(r"[\d.]+|'[^']*'|\b[a-z]\b", "_", text))
        for code in steps_of(text):
            steps += 1
            sympy_steps += SYMPY.search(code) is not None
        if normal(r["problem"]) in hidden or normal(r.get("original", "")) in hidden:
            faults["in an excluded set"] += 1
        if not a.unrestricted and not holdback.shown(r["module"], r.get("original", r["problem"])):
            faults["held back"] += 1
    chosen = random.Random(1).sample(records, a.sample) if a.sample else records
    execute, begin = Executor(), time.time()
    for r in chosen:
        output, error = execute(steps_of("".join(r["steps"])))
        boxed = re.search(r"\\boxed\{(.*)\}", r["closing"], re.S)
        if error:
            faults[error] += 1
        elif output_text(output) != r["output"] or not boxed or boxed.group(1) != output:
            faults["output differs"] += 1
        elif not same(r["answer"], output):
            faults["wrong"] += 1
    seconds = time.time() - begin
    for module in sorted(modules):
        print(f"{module:42s} {modules[module]:6d} solutions, {len(styles[module]):4d} shapes")
    print(f"{len(records)} solutions of {len(modules)} modules; {steps} steps, {sympy_steps / steps:.1%} of them with SymPy")
    print(f"{len(chosen)} run again, each in a fork: {seconds / max(1, len(chosen)) * 1000:.1f} s per 1,000")
    if a.vocabulary:
        vocabulary = Vocabulary.load(a.vocabulary)
        lengths = sorted(len(vocabulary.sequence(r)[0]) for r in records)
        print(f"{sum(lengths) / 1e6:.2f}M tokens, mean {sum(lengths) / len(lengths):.0f}, "
              f"99th percentile {lengths[len(lengths) * 99 // 100]}, longest {lengths[-1]}")
    print("faults:", dict(faults) or "none")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
