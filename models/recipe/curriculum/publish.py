"""Writes a shipped model: models/NAME.gguf (Q8_0) and its card models/NAME.md.

    python -m curriculum.publish cards/rstar-policy.json --weights RUN/final.pt --vocabulary vocabulary.json --to ..

Weights may also be a GGUF file that rstar_train_policy made.

The JSON file holds what only a person knows (what data, which commands, limits) and names the files that
`evaluate --out` wrote; size, checksum, shape and figures are taken from the files themselves. Without --weights the
model stays as it is and only its card is written again.
"""
import argparse
import hashlib
import json
import os

from . import export
from .model import load
from .vocabulary import Vocabulary


def items(lines):
    return "".join(f"- {line}\n" for line in lines)


def percent(x):
    return f"{x:.1%}".replace("%", " %")


def summary(reports):
    """One row an evaluation."""
    result = ["| problems | weights | a module | greedy | mean@k | pass@k | k | temperature |", "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for what, r in reports:
        greedy, mean, best = r["average"]
        k = r["samples"]
        result.append(f"| {what} | {'Q8_0' if r['q8'] else 'F32'} | {r['per_module']} | {percent(greedy)} | "
                      + (f"{percent(mean)} | {percent(best)} | {k} | {r['temperature']:g} |" if k else "| | | |"))
    return "\n".join(result) + "\n"


def by_module(reports):
    """One row a module, one column an evaluation (greedy; pass@k behind it where samples were drawn)."""
    modules = sorted({m for _, r in reports for m in r["table"]})
    result = ["| module | " + " | ".join(what for what, _ in reports) + " |", "| --- |" + " ---: |" * len(reports)]
    for m in modules:
        cells = []
        for _, r in reports:
            if m not in r["table"]:
                cells.append("")
                continue
            greedy, mean, best = r["table"][m]
            cells.append(f"{greedy:.0%}" + (f" / {mean:.0%} / {best:.0%}" if r["samples"] else ""))
        result.append(f"| {m} | " + " | ".join(cells) + " |")
    return "\n".join(result) + "\n"


def card(facts, model, gguf, reports):
    s, size = model.s, os.path.getsize(gguf)
    digest = hashlib.sha256(open(gguf, "rb").read()).hexdigest()
    name = os.path.basename(gguf)
    text = f"# {name}\n\n{facts['what']}\n\n"
    text += (f"**A stand-in.** These weights were trained {facts['trained']}, on solutions that the programs of `models/recipe` wrote, not by the\n"
             "extension's own rounds: they are there so that everything else runs on real input, and will be replaced by weights that the rounds have made.\n\n")
    text += (f"qwen2, {model.parameters_count():,} parameters: width {s.width}, {s.layers} layers, {s.heads} heads over {s.kv_heads} KV heads of {s.head}, "
             f"FFN {s.ffn},\ntied, vocabulary {s.vocab:,}, context {s.context}. Matrices Q8_0, vectors F32. {size:,} bytes.\nSHA-256 `{digest}`.\n\n")
    text += "## Data\n\n" + items(facts["data"])
    text += "\n## Training\n\n" + items(facts["training"])
    text += "\n## Commands\n\nIn `models/recipe`, with what its README says installed:\n\n" + "".join(f"    {c}\n" for c in facts["commands"])
    if reports:
        text += ("\n## Figures\n\nThe code of every solution executed, the answer graded; means over the modules. With k samples: the mean share "
                 "right, and the share\nof problems with at least one right.\n\n" + summary(reports) + "\n"
                 + "".join(line + "\n\n" for line in facts.get("remarks", []))
                 + "By module (greedy; mean and pass@k behind it where there were samples):\n\n" + by_module(reports))
    text += "\n## Limits\n\n" + items(facts["limits"])
    return text


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("facts")
    parser.add_argument("--weights")
    parser.add_argument("--vocabulary", required=True)
    parser.add_argument("--to", required=True)
    a = parser.parse_args()
    facts = json.load(open(a.facts))
    here = os.path.dirname(a.facts)
    name = os.path.splitext(os.path.basename(a.facts))[0]
    gguf = os.path.join(a.to, name + ".gguf")
    if a.weights:
        export.write(gguf, load(a.weights)[0], Vocabulary.load(a.vocabulary), "q8_0", facts["name"])
    model = load(gguf)[0]
    reports = [(what, json.load(open(os.path.join(here, path)))) for what, path in facts["figures"]]
    with open(os.path.join(a.to, name + ".md"), "w") as file:
        file.write(card(facts, model, gguf, reports))
    print(gguf, os.path.getsize(gguf), "bytes")


if __name__ == "__main__":
    main()
