"""Draws loss curves, the stages of a run one behind the other.

    python -m curriculum.plot --out figures/loss.svg policy=figures/stage1.log.jsonl,figures/stage2.log.jsonl bootstrap=...
"""
import argparse
import json

from matplotlib import pyplot


def curve(paths):
    """(million tokens, losses, where the stages end) of log.jsonl files, whose tokens each count from zero."""
    tokens, losses, ends, before = [], [], [], 0
    for path in paths:
        lines = [json.loads(line) for line in open(path)]
        for last, line in zip([None] + lines, lines):
            if last and line["tokens"] < last["tokens"]:   # stages kept in one file
                before += last["tokens"]
                ends.append(before / 1e6)
            tokens.append((before + line["tokens"]) / 1e6)
            losses.append(line["loss"])
        before += lines[-1]["tokens"]
        ends.append(before / 1e6)
    return tokens, losses, ends


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", nargs="+", help="NAME=LOG.jsonl,LOG.jsonl,...")
    parser.add_argument("--out", required=True)
    a = parser.parse_args()
    pyplot.rcParams["svg.hashsalt"] = "rstar"   # equal input, equal file
    figure, axes = pyplot.subplots(figsize=(8, 4), layout="constrained")
    for run in a.runs:
        name, _, paths = run.partition("=")
        tokens, losses, ends = curve(paths.split(","))
        line, = axes.plot(tokens, losses, label=name, linewidth=1.2)
        for end in ends[:-1]:
            axes.axvline(end, color=line.get_color(), linewidth=0.6, linestyle=":")
    axes.set(yscale="log", xlabel="million tokens", ylabel="nats a token (running mean)", title="Training loss; dotted: a stage ends")
    axes.grid(alpha=0.3, which="both", linewidth=0.4)
    axes.legend()
    figure.savefig(a.out, metadata={"Date": None})


if __name__ == "__main__":
    main()
