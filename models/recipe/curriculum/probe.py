"""Cheap look at a checkpoint: given the right text so far, how often is the likeliest token the right one?  By kind of token.

    python -m curriculum.probe --model RUN/last.pt --vocabulary vocabulary.json --count 200 held_out.jsonl
"""
import argparse
import collections
import json
import random
import re

import torch
from torch.nn import functional as F

from .model import load, quantised
from .train import collate
from .vocabulary import Vocabulary


def kind(token):
    if re.fullmatch(r"\d", token):
        return "digit"
    if re.fullmatch(r"[a-z]", token):
        return "variable or letter"
    if re.fullmatch(r" ?[A-Za-z]{2,}|[A-Z]", token):
        return "word"
    return "tag" if token.startswith("<") and len(token) > 2 else "sign or blank"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+")
    parser.add_argument("--model", required=True)
    parser.add_argument("--vocabulary", required=True)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--q8", action="store_true")
    a = parser.parse_args()
    vocabulary = Vocabulary.load(a.vocabulary)
    model, state = load(a.model)
    if a.q8:
        quantised(model)
    records = random.Random(1).sample([json.loads(line) for path in a.files for line in open(path)], a.count)
    data = []
    for r in records:
        ids, learned = vocabulary.sequence(r)
        data.append((torch.tensor(ids), torch.tensor(learned)))
    order = sorted(range(len(data)), key=lambda i: len(data[i][0]))
    right, all_, loss = collections.Counter(), collections.Counter(), 0.0
    whole = 0
    with torch.no_grad():
        for at in range(0, len(order), 25):
            ids, learned = collate(data, order[at:at + 25])
            logits = model.logits(model.hidden(ids[:, :-1]))
            where, target = learned[:, 1:], ids[:, 1:]
            hit = logits.argmax(-1) == target
            loss += F.cross_entropy(logits[where], target[where], reduction="sum").item()
            whole += (hit | ~where).all(1).sum().item()
            for t, h in zip(target[where].tolist(), hit[where].tolist()):
                k = kind(vocabulary.decode([t]))
                all_[k] += 1
                right[k] += h
    print(f"{state.get('done', 0) / 1e6:.2f}M tokens: loss {loss / sum(all_.values()):.4f}, {loss / len(data):.2f} nats a solution, all tokens {sum(right.values()) / sum(all_.values()):.2%}, "
          f"whole solutions {whole / len(data):.1%}; " + ", ".join(f"{k} {right[k] / all_[k]:.2%}" for k in sorted(all_)))


if __name__ == "__main__":
    main()
