"""The mean of the weights of several runs of one shape, such as a run and a finer one that began with it.

    python -m curriculum.average --out RUN.pt FIRST/final.pt SECOND/final.pt
"""
import argparse

from .model import load, save


def mean(models):
    """The first of the models, its weights now the mean of all."""
    if any(m.s != models[0].s for m in models):
        raise ValueError("the runs have different shapes")
    several = [m.state_dict() for m in models]
    models[0].load_state_dict({name: sum(w[name] for w in several) / len(several) for name in several[0]})
    return models[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+")
    parser.add_argument("--out", required=True)
    a = parser.parse_args()
    save(a.out, mean([load(path)[0] for path in a.files]))


if __name__ == "__main__":
    main()
