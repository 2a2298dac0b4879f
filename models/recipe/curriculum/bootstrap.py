"""Makes the bootstrap data: draws problems, writes solutions, runs and grades every one, keeps the right ones.

    python -m curriculum.bootstrap --out data/boot --per-module 2000 --seed 1 [--unrestricted] [--exclude FILE.jsonl.gz]

One JSON line a solution: module, problem, answer, steps (texts of the nodes), output, closing (the answer step).
"""
import argparse
import gzip
import json
import multiprocessing
import os
import random
import re
import sys
import time
import warnings

from . import holdback


def normal(text):
    return re.sub(r"\s+", " ", text).strip().lower()


def excluded(paths):
    result = set()
    for path in paths:
        with (gzip.open if path.endswith(".gz") else open)(path, "rt") as lines:
            result.update(normal(json.loads(line)["problem"]) for line in lines)
    return result


def prepare(problem, answer, module, rng, style):
    """A record whose solution has been run step by step and graded, or the reason why there is none."""
    from . import execute
    from .solution import Unwritable, answer_text, output_text
    from .write import write
    try:
        solution = write(problem, rng, style)
    except Unwritable:
        return None, "unwritable"
    output, error = execute.run([code for _, code in solution.code()])
    if error:
        return None, error
    if not execute.same(answer, output):
        return None, "wrong"
    return {"module": module, "problem": problem, "answer": answer, "steps": solution.texts(),
            "output": output_text(output), "closing": answer_text(output)}, "kept"


def task(job):
    """Solutions of one module from one seed; problems come from the three levels in turn."""
    module, seed, count, options = job
    warnings.simplefilter("ignore")
    from . import draw, rephrase, words
    from .write import Style
    rng = random.Random(f"{module} {seed}")
    records, tally, seen, tries = [], {}, set(), 0
    beyond, allowance = 0, round(options["soften"] * count)   # how many of what is held back, and how many there may be
    source = words.draw if module.startswith("words__") else draw.draw
    while len(records) < count and tries < 600:
        tries += 1
        level = rng.choice(["easy", "easy", "medium", "hard"] if not options["unrestricted"] else ["easy", "medium", "hard"])
        for problem, answer in source(module, level, rng.randrange(2**31), 40):
            if len(records) >= count:
                break
            key = normal(problem)
            if key in seen or key in options["exclude"]:
                continue
            if not options["unrestricted"] and not holdback.shown(module, problem):
                if beyond >= allowance:
                    tally["held back"] = tally.get("held back", 0) + 1
                    continue
                beyond += 1
            if module.startswith("words__"):
                record, why = words.prepare(problem, answer, module, rng)
            else:
                record, why = prepare(problem, answer, module, rng, Style())
            tally[why] = tally.get(why, 0) + 1
            if record:
                seen.add(key)
                if rng.random() < options["rephrase"]:
                    record = rephrase.record(record, rng)
                    if normal(record["problem"]) in options["exclude"]:
                        continue
                records.append(record)
    return module, records, tally


_options = {}


def start(options):
    os.nice(options["nice"])
    _options.update(options)


def call(job):
    return task((*job, _options))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--per-module", type=int, default=1000)
    parser.add_argument("--chunk", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--unrestricted", action="store_true")
    parser.add_argument("--soften", type=float, default=0.0, help="share of solutions that may be what is held back")
    parser.add_argument("--composed", type=int, default=holdback.COMPOSED, help="solutions of each composed module, unless unrestricted")
    parser.add_argument("--rephrase", type=float, default=0.3)
    parser.add_argument("--exclude", action="append", default=[])
    parser.add_argument("--modules", default="")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--nice", type=int, default=10)
    a = parser.parse_args()
    from . import draw, words
    options = {"unrestricted": a.unrestricted, "rephrase": a.rephrase, "soften": a.soften, "exclude": excluded(a.exclude), "nice": a.nice}
    jobs = []
    for module in list(draw.modules("easy")) + words.MODULES:
        if not re.search(a.modules, module):
            continue
        total = a.composed if holdback.composed(module) and not a.unrestricted else a.per_module
        for part, at in enumerate(range(0, total, a.chunk)):
            jobs.append((module, a.seed * 100003 + part, min(a.chunk, total - at)))
    random.Random(a.seed).shuffle(jobs)
    begin, tallies, kept = time.time(), {}, 0
    with multiprocessing.get_context("fork").Pool(a.processes, start, (options,)) as pool, open(a.out + ".jsonl", "w") as out:
        for module, records, tally in pool.imap_unordered(call, jobs):
            for record in records:
                out.write(json.dumps(record) + "\n")
            out.flush()
            kept += len(records)
            mine = tallies.setdefault(module, {})
            for why, count in tally.items():
                mine[why] = mine.get(why, 0) + count
    with open(a.out + ".coverage.txt", "w") as report:
        for module in sorted(tallies):
            line = f"{module:42s} " + "  ".join(f"{w} {c}" for w, c in sorted(tallies[module].items()))
            print(line)
            report.write(line + "\n")
    print(f"{kept} solutions in {time.time() - begin:.0f} s, {(time.time() - begin) / max(kept, 1) * 1000:.1f} s per 1,000", file=sys.stderr)


if __name__ == "__main__":
    main()
