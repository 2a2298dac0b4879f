"""Print the modules that a step can import, as README lists them.

Every name of the standard library and of the sandbox's own list is tried in a node
of its own; names that begin with an underscore are left out, __future__ apart.
"""
import argparse
import os
import sys
import textwrap

import client

HERE = os.path.dirname(os.path.abspath(__file__))


def importable(program):
    box = client.Sandbox(program)
    names = set(sys.stdlib_module_names) | set(client.MODULES) | {"numpy", "matplotlib", "pandas"}
    good = []
    for name in sorted(names, key=str.lower):
        if name.startswith("_") and name != "__future__":
            continue
        _, result = box.run("import " + name, template=client.SYMPY, flags=client.NO_SNAPSHOT)
        if result.status == "ok":
            good.append(name)
    box.close()
    return good


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default=os.path.join(HERE, "../../src/sandbox/rstar-sandbox"))
    args = parser.parse_args()
    print(textwrap.fill(", ".join(importable(os.path.abspath(args.program))), 100))


if __name__ == "__main__":
    main()
