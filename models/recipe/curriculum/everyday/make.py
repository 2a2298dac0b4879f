"""Makes the everyday data: draws problems, runs every solution step by step, keeps those that print the answer.

    python -m curriculum.everyday.make --out data/every1 --count 50000 --seed 1 [--frames held] [--situations held]

Records are those of bootstrap.py, with `held` naming what of the problem is held out of training.
"""
import argparse
import json
import multiprocessing
import os
import random
import re
import sys
import time
import warnings

from ..bootstrap import excluded, normal

DECLINE = "I do not know."


def topics():
    from . import algebra, chance, integers, measures, money, nothing, shapes, stories, sums
    return [(f"{area.__name__.rpartition('.')[2]}__{draw.__name__}", draw, weight) for area in (sums, stories, money, measures, shapes, integers, algebra, chance, nothing) for draw, weight in area.TOPICS]


def record(problem, module, d):
    """A stored solution, or (None, why not)."""
    from .. import execute
    from ..solution import Solution, answer_text, output_text
    from .grammar import finish
    text = finish(d, problem.text)
    held = [name for name, is_held in (("frame", d.held_frame), ("situation", d.held_situation)) if is_held]
    base = {"module": "everyday__" + module, "problem": text, "answer": problem.answer, "held": held}
    if not problem.steps:
        return {**base, "answer": None, "steps": [], "output": "", "closing": f"<answer>{DECLINE}<end_of_answer>"}, "kept"
    solution = Solution(d.rng)
    # A decimal is copied as the question has it, its zeros too.
    as_said = lambda m: f"'{m.group(1)}0'" if re.search(rf"(?<![\d.]){re.escape(m.group(1))}0(?!\d)", text) else m.group()
    for words, lines in problem.steps:
        solution.step(words, *(re.sub(r"'(\d+\.\d)'", as_said, line) for line in lines))
    output, error = execute.run([code for _, code in solution.code()])
    if error:
        return None, error
    if not execute.same(problem.answer, output):
        return None, f"wrong: {output}"
    return {**base, "steps": solution.texts(), "output": output_text(output), "closing": answer_text(output)}, "kept"


def chunk(job):
    seed, count, frames, situations, only, exclude = job
    warnings.simplefilter("ignore")
    from .grammar import Draw
    rng = random.Random(seed)
    rows = [t for t in topics() if re.search(only, t[0])]
    records, tally = [], {}
    while len(records) < count:
        name, draw, _ = rng.choices(rows, [w for _, _, w in rows])[0]
        d = Draw(rng, frames, situations)
        problem = draw(d)
        if problem is None or len(problem.text) > 400:
            continue
        if "held" in (frames, situations) and not (d.held_frame and frames == "held" or d.held_situation and situations == "held"):
            continue
        got, why = record(problem, name, d)
        if got and normal(got["problem"]) in exclude:
            why, got = "excluded", None
        key = name, why if got or why == "excluded" else why.split(":")[0]
        tally[key] = tally.get(key, 0) + 1
        if got:
            records.append(got)
    return records, tally


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--count", type=int, default=50000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--frames", choices=("shown", "held", "all"), default="shown")
    parser.add_argument("--situations", choices=("shown", "held", "all"), default="shown")
    parser.add_argument("--only", default="", help="modules that match this expression")
    parser.add_argument("--exclude", action="append", default=[])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--nice", type=int, default=10)
    a = parser.parse_args()
    import sympy  # noqa: F401  (loaded once, before the processes part; within a step's time limit it might be cut short)
    exclude = excluded(a.exclude)
    jobs = [(a.seed * 100003 + i, min(500, a.count - at), a.frames, a.situations, a.only, exclude) for i, at in enumerate(range(0, a.count, 500))]
    begin, kept, seen, tallies = time.time(), 0, set(), {}
    with multiprocessing.get_context("fork").Pool(a.processes, os.nice, (a.nice,)) as pool, open(a.out + ".jsonl", "w") as out:
        for records, tally in pool.imap_unordered(chunk, jobs):
            for record in records:
                key = normal(record["problem"])
                if key not in seen:
                    seen.add(key)
                    kept += 1
                    out.write(json.dumps(record) + "\n")
            out.flush()
            for key, n in tally.items():
                tallies[key] = tallies.get(key, 0) + n
    for (module, why), n in sorted(tallies.items()):
        print(f"{module:32s} {why:20s} {n}")
    print(f"{kept} solutions in {time.time() - begin:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
