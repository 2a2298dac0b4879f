"""Math-Verify on the clean cases of a file: right, false accepts, time per case."""
import json
import logging
import statistics
import sys
import time

from math_verify import parse, verify
from math_verify.parser import ExprExtractionConfig, LatexExtractionConfig, StringExtractionConfig

logging.disable(logging.CRITICAL)


def config(note):
    """What Math-Verify's own test let its extractor look for; else everything."""
    mode = next((part[5:] for part in note.split("; ") if part.startswith("mode=")), "")
    return {
        "latex": [LatexExtractionConfig()],
        "expr": [ExprExtractionConfig()],
        "string": [StringExtractionConfig()],
    }.get(mode, [LatexExtractionConfig(), ExprExtractionConfig()])


def grade(case):
    extraction = config(case["note"])
    texts = case["gold"], case["answer"]
    if "mode=grade" in case["note"] or "mode=normalize" in case["note"] or "source" not in case \
            or case["source"] == "own":
        # bare answers: it wants mathematics between dollar signs
        texts = tuple(t if "$" in t or "boxed" in t else f"${t}$" for t in texts)
    gold, answer = (parse(t, extraction_config=extraction) for t in texts)
    return bool(verify(gold, answer))


def main():
    right = accepts = rejects = 0
    times = []
    for line in open(sys.argv[1], encoding="utf-8"):
        case = json.loads(line)
        if any(mark in case["note"] for mark in ("label=", "text=corrupt", "option=")):
            continue
        start = time.perf_counter()
        try:
            equal = grade(case)
        except Exception:  # pylint: disable=broad-except
            equal = False
        times.append((time.perf_counter() - start) * 1e6)
        right += equal == case["equal"]
        accepts += equal and not case["equal"]
        rejects += not equal and case["equal"]
    times.sort()
    print(f"{'Math-Verify':34} {len(times):6} pairs, {100 * right / len(times):6.2f} % right, "
          f"{accepts} false accepts, {rejects} false rejects; median {statistics.median(times):.1f} us, "
          f"p99 {times[int(len(times) * 0.99)]:.1f} us, worst {times[-1]:.0f} us")


if __name__ == "__main__":
    main()
