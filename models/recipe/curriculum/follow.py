"""One run of the recipe in PyTorch, with all that another trainer needs to follow it: start, batches, losses.

    python -m curriculum.follow --vocabulary vocabulary.json --out FOLDER --steps 500 --batch 2048 data/boot.jsonl

Writes start.gguf (the initial weights), batches.bin (for each step the sequences of its batch) and torch.jsonl (the loss of each
step, as it is done). follow.c trains the same start on the same batches with the extension's own trainer; compare the two with
--compare. PyTorch's Muon orthogonalises in bf16, the extension's in f32; --f32 has PyTorch do so too. batches.bin holds 32-bit
integers: steps, then for each step the number of sequences, and for each of those its length, its ids, and 1 for each that is
learned.
"""
import argparse
import json
import os
import struct
import time

import torch

from . import export, muon_f32
from .model import SHAPES, Policy, save
from .train import batches, collate, loss_of, optimisers, read, schedule
from .vocabulary import Vocabulary


def write_batches(path, data, plan):
    with open(path, "wb") as out:
        out.write(struct.pack("<i", len(plan)))
        for batch in plan:
            out.write(struct.pack("<i", len(batch)))
            for i in batch:
                ids, learned = data[i]
                row = [len(ids), *ids.tolist(), *learned.int().tolist()]
                out.write(struct.pack(f"<{len(row)}i", *row))


def compare(folder):
    """Largest distance of the two curves, each smoothed over 20 steps, in parts of the loss."""
    curves = []
    for name in ("torch", "rstar"):
        losses = [json.loads(line)["loss"] for line in open(os.path.join(folder, name + ".jsonl"))]
        curves.append([sum(losses[max(0, i - 19):i + 1]) / len(losses[max(0, i - 19):i + 1]) for i in range(len(losses))])
    n = min(map(len, curves))
    worst = max(abs(a - b) / a for a, b in zip(*(c[:n] for c in curves)))
    for i in sorted({0, n // 10, n // 4, n // 2, 3 * n // 4, n - 1}):
        print(f"step {i + 1}: torch {curves[0][i]:.4f}, rstar {curves[1][i]:.4f}")
    print(f"{n} steps, at most {100 * worst:.2f} % apart")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*")
    parser.add_argument("--out", required=True)
    parser.add_argument("--vocabulary")
    parser.add_argument("--shape", default="design")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--batch", type=int, default=2048)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--f32", action="store_true", help="Muon's orthogonalisation too, which PyTorch has in bf16")
    parser.add_argument("--compare", action="store_true")
    a = parser.parse_args()
    if a.compare:
        compare(a.out)
        return
    if a.f32:
        muon_f32.use()
    torch.manual_seed(1)
    torch.set_num_threads(a.threads)
    os.makedirs(a.out, exist_ok=True)
    vocabulary = Vocabulary.load(a.vocabulary)
    model = Policy(SHAPES[a.shape])
    data = read(a.files, vocabulary, model.s.context, 1)
    plan = [batch for epoch in range(1000) for batch in batches(data, a.batch, epoch)][:a.steps]
    save(os.path.join(a.out, "start.pt"), model)
    export.write(os.path.join(a.out, "start.gguf"), model, vocabulary, "f32", "start")
    write_batches(os.path.join(a.out, "batches.bin"), data, plan)
    print("written", flush=True)
    steppers, begin = optimisers(model, "muon", a.lr, 1.0), time.time()
    with open(os.path.join(a.out, "torch.jsonl"), "w") as log:
        for step, batch in enumerate(plan):
            share = schedule("cosine", step / a.steps) * min(1, (step / a.steps + 1e-4) / 0.03)
            ids, learned = collate(data, batch)
            loss = loss_of(model, ids, learned)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for optimiser, most in steppers:
                for group in optimiser.param_groups:
                    group["lr"] = most * share
                optimiser.step()
                optimiser.zero_grad(set_to_none=True)
            log.write(json.dumps({"step": step + 1, "loss": loss.item(), "seconds": time.time() - begin}) + "\n")
            log.flush()


if __name__ == "__main__":
    main()
