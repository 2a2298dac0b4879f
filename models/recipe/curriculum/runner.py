"""Runs solutions in a process of their own: one small parent with SymPy loaded, a forked and limited child a solution.

JSON lines in (a list of steps' code), JSON lines out ([output, error]).  Executor is the caller's side.
"""
import json
import os
import resource
import subprocess
import sys
import time

SECONDS, MEMORY = 3.0, 2 << 30


class Executor:
    def __init__(self):
        root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        self.process = subprocess.Popen([sys.executable, "-W", "ignore", "-m", "curriculum.runner"], cwd=root, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.seconds, self.count = 0.0, 0

    def __call__(self, codes):
        begin = time.time()
        self.process.stdin.write(json.dumps(codes) + "\n")
        self.process.stdin.flush()
        result = tuple(json.loads(self.process.stdout.readline()))
        self.seconds += time.time() - begin
        self.count += 1
        return result


def child(codes, end):
    """Never returns.  The result goes to a pipe; what the code does to its own process is of no concern."""
    from .execute import run
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (int(SECONDS) + 1, int(SECONDS) + 2))
    try:
        os.write(end, json.dumps(run(codes, SECONDS)).encode())
    finally:
        os._exit(0)


def main():
    import collections, decimal, fractions, math, sympy  # noqa: E401, F401  (what steps import; loaded once)
    for line in sys.stdin:
        mine, theirs = os.pipe()
        pid = os.fork()
        if pid == 0:
            child(json.loads(line), theirs)
        os.close(theirs)
        with os.fdopen(mine, "rb") as end:
            text = end.read()
        os.waitpid(pid, 0)
        try:
            reply = json.loads(text)
        except ValueError:
            reply = ["", "killed"]
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
