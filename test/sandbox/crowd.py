"""Many short steps at once: each has its own outcome, and none is killed.

Some steps are kept, some fail, some are dropped the moment they are done, so that
processes report, park and die at the same time. Prints TAP. Two of these beside
each other on two cores show what one alone does not.
"""
import argparse
import random

import client

# A step and what must come of it.
STEPS = (
    ("print(1)", "ok", b"1\n"),
    ("x = 1\nprint(x)", "ok", b"1\n"),
    ("1/0", "error", b""),
    ("raise ValueError('no')", "error", b""),
    ("y = list(range(1000))\nprint(len(y))", "ok", b"1000\n"),
    ("print('a' * 60000)", "ok", b"a" * 60000 + b"\n"),
)


def crowd(box, steps, in_flight, choose):
    """Run `steps` steps on random bases, `in_flight` at a time; what came out wrong."""
    root, _ = box.run("v = 3")
    kept, flying, wrong, done = [], {}, [], 0
    while done < steps:
        while len(flying) < in_flight:
            base = choose.choice(kept) if kept and choose.random() < 0.8 else root
            step = choose.choice(STEPS)
            flags = choose.choice((0, 0, client.NO_SNAPSHOT))
            flying[box.start(step[0], base=base, flags=flags)] = step, flags
        if not box.pump(30):
            raise TimeoutError("no reply")
        for node in [n for n in flying if n in box.results]:
            (code, status, output), flags = flying.pop(node)
            result = box.results.pop(node)
            done += 1
            if (result.status, result.output) != (status, output):
                wrong.append("%r: %r" % (code, result))
            if result.status == "ok" and not flags:
                kept.append(node)
        while len(kept) > 40:
            box.release(kept.pop(choose.randrange(len(kept))))
    return wrong


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--program", required=True)
    options.add_argument("--steps", type=int, default=8000)
    options.add_argument("--running", type=int, default=2)
    options = options.parse_args()
    box = client.Sandbox(options.program, running=options.running)
    wrong = crowd(box, options.steps, options.running + 2, random.Random(options.running))
    box.close()
    for line in wrong:
        print("#", line)
    print("%s 1 - %d steps, %d of them with a wrong outcome" %
          ("not ok" if wrong else "ok", options.steps, len(wrong)))
    print("1..1")


main()
