"""Draws problems of DeepMind's mathematics dataset by seed.

The generator (PyPI mathematics_dataset 1.0.1) was written for older libraries; it works unchanged with SymPy 1.14 and
NumPy 1.26 once the three names below are put back.  Limits as upstream: 160 characters a question, 30 an answer.
"""
import random
import sys

MAX_QUESTION, MAX_ANSWER = 160, 30
LEVELS = {"easy": (0, 3), "medium": (1, 3), "hard": (2, 3), "all": (0, 1)}


def _load():
    import numpy
    import sympy.solvers.diophantine  # noqa: F401  (the module is shadowed by a function of its name)
    for name in ("object", "int", "float", "bool"):
        if name not in vars(numpy):
            setattr(numpy, name, {"object": object, "int": int, "float": float, "bool": bool}[name])
    package = sys.modules["sympy.solvers.diophantine"]
    from sympy.solvers.diophantine.diophantine import base_solution_linear
    package.base_solution_linear = base_solution_linear
    from mathematics_dataset.modules import modules
    return modules


def _entropy(level):
    part, parts = LEVELS[level]

    def narrow(bounds):
        length = bounds[1] - bounds[0]
        return bounds[0] + part / parts * length, bounds[0] + (part + 1) / parts * length
    return narrow


def flatten(tree, prefix=""):
    for name, item in tree.items():
        if isinstance(item, dict):
            yield from flatten(item, prefix + name + "__")
        else:
            yield prefix + name, item


_cache = {}


def modules(level):
    """{module name: function} of one training level; 56 modules."""
    if level not in _cache:
        _cache[level] = dict(sorted(flatten(_load().train(_entropy(level)))))
    return _cache[level]


def draw(module, level, seed, count):
    """Problems (text, answer) of one module, by seed."""
    import numpy
    function = modules(level)[module]
    random.seed(seed)
    numpy.random.seed(seed % 2**32)
    result = []
    while len(result) < count:
        try:
            problem = function()
        except (ValueError, RecursionError, ZeroDivisionError, AssertionError):
            continue
        question, answer = str(problem.question), str(problem.answer)
        if len(question) <= MAX_QUESTION and len(answer) <= MAX_ANSWER:
            result.append((question, answer))
    return result
