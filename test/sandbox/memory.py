"""Attacks on the sandbox's memory budget: what the kernel counts must stay within it.

Prints TAP. Each state here is forked from its own root, so the anonymous memory of
one process is shared with no other, the template's apart.
"""
import argparse
import os
import sys
import time

import client

HERE = os.path.dirname(os.path.abspath(__file__))
MB = 1 << 20


def descendants(root):
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name) as f:
                    parents[int(name)] = int(f.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                pass
    found, grown = {root}, True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        grown = bool(more)
        found |= more
    return found - {root}


def anonymous(pid):
    """Bytes of anonymous memory, what is swapped included."""
    total = 0
    try:
        with open("/proc/%d/status" % pid) as f:
            for line in f:
                if line.startswith(("RssAnon:", "VmSwap:")):
                    total += int(line.split()[1]) << 10
    except OSError:
        pass
    return total


class Checks:
    def __init__(self):
        self.count = self.failed = 0

    def ok(self, good, what):
        self.count += 1
        self.failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.count, what), flush=True)


def held(box, at_least=20 * MB):
    """Memory beyond the template's in nodes that hold much."""
    sizes = [anonymous(pid) for pid in descendants(box.process.pid)]
    base = box.ready[client.SMALL][2]
    return sum(size - base for size in sizes if size - base > at_least)


def finalisers(checks, program):
    """The report comes, then a finaliser takes what the limit allows."""
    box = client.Sandbox(program, budget=512 * MB)
    code = ("class Big:\n    def __str__(self): return 'x'\n"
            "    def __del__(self):\n        global hold\n        hold = bytearray(%d)\n"
            "        for i in range(0, len(hold), 4096): hold[i] = 1\nBig()" % (180 * MB))
    nodes = [box.start(code, memory=256 * MB) for _ in range(16)]
    peak = 0
    for node in nodes:
        box.wait(node, 60)
        peak = max(peak, held(box))
    stats = box.get_stats()
    checks.ok(peak <= 540 * MB, "16 finalisers hold %d MB of 512" % (peak // MB))
    checks.ok(stats["bytes"] <= 512 * MB and stats["bytes"] >= held(box),
              "the books say %d MB, the kernel %d" % (stats["bytes"] // MB, held(box) // MB))
    box.close()


def dropped_parents(checks, program):
    """Big roots are released or evicted while small children hold their pages."""
    box = client.Sandbox(program, budget=512 * MB)
    children = []
    for i in range(20):
        root, result = box.run("x = bytearray(b'1') * %d" % (200 * MB), memory=256 * MB)
        if result.status != "ok":
            continue
        try:
            child, result = box.run("y = x[%d]" % i, base=root, memory=256 * MB, value=1.0)
            children.append(child)
        except KeyError:
            pass
        box.release(root)
    time.sleep(0.3)
    stats = box.get_stats()
    real = held(box)
    checks.ok(real <= 520 * MB, "20 dropped parents of 200 MB: their children hold %d MB of 512" %
              (real // MB))
    checks.ok(stats["bytes"] + 20 * MB >= real, "the books say %d MB" % (stats["bytes"] // MB))
    for child in children:
        box.release(child)
    time.sleep(0.3)
    left = box.get_stats()["bytes"]
    checks.ok(left < 100 * MB, "and %d MB when the children are released" % (left // MB))
    box.close()


def many_processes(checks, program):
    """Small states are bounded in number, and cost what is booked."""
    box = client.Sandbox(program, processes=64)
    before = box.get_stats()["bytes"] if box.run("1") else 0
    for i in range(200):
        box.run("x = %d" % i)
    stats = box.get_stats()
    alive = len(descendants(box.process.pid))
    checks.ok(stats["snapshots"] <= 64 and alive <= 64 + 4,
              "200 small states make %d processes, %d parked" % (alive, stats["snapshots"]))
    each = (stats["bytes"] - before) // max(1, stats["snapshots"] - 1)
    checks.ok(200 << 10 < each < 2 * MB, "each is booked at %d kB" % (each >> 10))
    box.close()


def never_parks(checks, program, replay):
    """A finaliser that does not end: the step says so, and costs its children nothing."""
    box = client.Sandbox(program, replay=replay)
    box.run("1")
    _, result = box.run("class C:\n    def __str__(self): return 'x'\n    def __del__(self):\n"
                        "        while True: pass\nC()", wall=500, cpu=500)
    checks.ok(result.status == "timeout", "a finaliser that never ends is a time-out: %r" % result)
    box.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default=os.path.join(HERE, "../../src/sandbox/rstar-sandbox"))
    args = parser.parse_args()
    program = os.path.abspath(args.program)
    checks = Checks()
    finalisers(checks, program)
    dropped_parents(checks, program)
    many_processes(checks, program)
    never_parks(checks, program, False)
    never_parks(checks, program, True)
    print("1..%d" % checks.count)
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
