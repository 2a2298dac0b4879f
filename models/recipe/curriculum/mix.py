"""Puts problems of several files together, to calibrate a policy on: what it is asked and was not trained on.

    python -m curriculum.mix --out data/calib.jsonl data/frames.jsonl dm_math_train_hard.jsonl.gz:400 gsm8k_train.jsonl.gz:-2000

FILE takes all of its lines, FILE:N draws N of them, FILE:-N takes the last N.
"""
import argparse
import gzip
import json
import random


def rows(spec, rng):
    path, _, count = spec.partition(":")
    with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    n = int(count) if count else len(lines)
    if abs(n) > len(lines):
        raise SystemExit(f"mix: {path} has {len(lines)} lines, not {abs(n)}")
    taken = lines[n:] if n < 0 else rng.sample(lines, n)
    return [{"problem": r["problem"], "answer": r["answer"], "module": r.get("module") or r.get("source")} for r in taken]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("files", nargs="+", metavar="FILE[:N]")
    a = parser.parse_args()
    rng = random.Random(a.seed)
    with open(a.out, "w", encoding="utf-8") as out:
        for spec in a.files:
            for row in rows(spec, rng):
                out.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
