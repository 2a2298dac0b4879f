"""Trains the policy on bootstrap data; resumes by itself from the last checkpoint when it is started again.

    python -m curriculum.train --run RUN --shape small --vocabulary vocabulary.json --tokens 30e6 data/boot1.jsonl ...

Several processes of one thread each, which share every batch, lose less to waiting than several threads where others use
the processors too: start as many with RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT set as torch.distributed reads them.
"""
import argparse
import json
import math
import os
import random
import time
from dataclasses import replace

import torch
import torch.distributed as dist
from torch.nn import functional as F

from .holdback import composed
from .model import SHAPES, Policy, Shape, load, save
from .vocabulary import Vocabulary


def read(paths, vocabulary, context, repeat):
    """[(ids, learned)] of every solution; a composed module's few are seen `repeat` times an epoch."""
    result = []
    for path in paths:
        if not os.path.exists(path):
            continue
        for line in open(path):
            try:
                record = json.loads(line)
            except ValueError:
                continue  # a last line that is still being written
            ids, learned = vocabulary.sequence(record)
            if len(ids) <= context:
                item = (torch.tensor(ids, dtype=torch.int16), torch.tensor(learned))
                result += [item] * (repeat if composed(record["module"]) else 1)
    return result


def batches(data, tokens, seed):
    """One epoch: shuffled, then sorted by length within windows, cut to batches of about `tokens` padded tokens."""
    rng = random.Random(seed)
    order = list(range(len(data)))
    rng.shuffle(order)
    result = []
    for at in range(0, len(order), 2048):
        window = sorted(order[at:at + 2048], key=lambda i: len(data[i][0]))
        batch = []
        for i in window:
            if batch and (len(batch) + 1) * len(data[i][0]) > tokens:
                result.append(batch)
                batch = []
            batch.append(i)
        result.append(batch)
    rng.shuffle(result)
    return result


def collate(data, batch):
    T = max(len(data[i][0]) for i in batch)
    ids = torch.zeros(len(batch), T, dtype=torch.long)
    learned = torch.zeros(len(batch), T, dtype=torch.bool)
    for row, i in enumerate(batch):
        n = len(data[i][0])
        ids[row, :n] = data[i][0].long()
        learned[row, :n] = data[i][1]
    return ids, learned


def loss_of(model, ids, learned):
    hidden = model.hidden(ids[:, :-1])
    where = learned[:, 1:]
    return F.cross_entropy(model.logits(hidden[where]).float(), ids[:, 1:][where])


def optimisers(model, kind, lr, scale):
    """[(optimiser, rate)]: AdamW for all, or Muon (Jordan 2024) for the layers' matrices, its steps as long as AdamW's
    (Liu et al. 2025, arXiv 2502.16982, section 2.2) times `scale`, and AdamW for the rest."""
    matrices = [p for n, p in model.named_parameters() if p.dim() == 2 and not n.startswith("embed")]
    table = [model.embed.weight]
    vectors = [p for p in model.parameters() if p.dim() != 2]
    groups = [{"params": table + (matrices if kind == "adamw" else []), "weight_decay": 0.05}, {"params": vectors, "weight_decay": 0.0}]
    result = [(torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.98), fused=True), lr)]
    if kind == "muon":
        result.append((torch.optim.Muon(matrices, lr=lr * scale, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"), lr * scale))
    return result


def schedule(kind, progress):
    """Share of the rate: one cosine down to 5 %, or even and then, for the last 40 %, straight down to 2 %."""
    if kind == "cosine":
        return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * progress))
    return min(1.0, 0.02 + 0.98 * (1 - progress) / 0.4)


def shape(text):
    """A shape by its name, or by its fields: `width=192,layers=3,heads=6,head=32,ffn=512`, the others as in "design"."""
    if text in SHAPES:
        return SHAPES[text]
    return Shape(**{name: int(value) for name, value in (field.split("=") for field in text.split(","))})


def together(model, progress, finished):
    """The mean of all processes' gradients; how far the furthest of them is."""
    grads = [p.grad for p in model.parameters()]
    flat = torch.cat([g.flatten() for g in grads])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for g, mean in zip(grads, flat.split([g.numel() for g in grads])):
        g.copy_(mean.view_as(g))
    state = torch.tensor([progress, float(finished)], dtype=torch.float64)
    dist.all_reduce(state, dist.ReduceOp.MAX)
    return state[0].item(), state[1].item() > 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+")
    parser.add_argument("--run", required=True)
    parser.add_argument("--vocabulary", required=True)
    parser.add_argument("--shape", type=shape, default="design", help=f"{', '.join(SHAPES)}, or fields: width=192,layers=3,...")
    parser.add_argument("--tokens", type=float, default=50e6, help="length of the schedule, all tokens of the sequences counted")
    parser.add_argument("--batch", type=int, default=4096)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--optimiser", choices=("adamw", "muon"), default="muon")
    parser.add_argument("--muon-scale", type=float, default=1.0, help="Muon's rate over AdamW's")
    parser.add_argument("--decay", choices=("cosine", "even"), default="cosine")
    parser.add_argument("--bf16", action="store_true", help="products in bf16: twice as fast where the processor has them")
    parser.add_argument("--warmup", type=float, default=0.03)
    parser.add_argument("--repeat", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--until", type=float, default=0, help="stop at this Unix time, the rate brought down to its end by then")
    parser.add_argument("--every", type=float, default=240, help="seconds between checkpoints")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--start", help="weights to start from (a file that save() wrote, or GGUF), the optimiser fresh")
    parser.add_argument("--compile", action="store_true")
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    rank, ranks = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if ranks > 1:
        dist.init_process_group("gloo")
    vocabulary = Vocabulary.load(a.vocabulary)
    os.makedirs(a.run, exist_ok=True)
    path = os.path.join(a.run, "last.pt")
    if os.path.exists(path):
        model, state = load(path)
    elif a.start:
        model, state = load(a.start)[0], {}
    else:
        model, state = Policy(replace(a.shape, vocab=vocabulary.size)), {}
    steppers = optimisers(model, a.optimiser, a.lr, a.muon_scale)
    if state:
        for (optimiser, _), saved in zip(steppers, state["optimisers"]):
            optimiser.load_state_dict(saved)
    done, step, epoch, at = (state.get(k, 0) for k in ("done", "step", "epoch", "at"))
    progress = state.get("progress", 0.0)
    lossof = torch.compile(loss_of, dynamic=True) if a.compile else loss_of
    print(f"{model.parameters_count()} parameters, vocabulary {vocabulary.size}, {done / 1e6:.2f}M tokens done", flush=True)
    data = read(a.files, vocabulary, model.s.context, a.repeat)
    print(f"{len(data)} sequences, {sum(len(i) for i, _ in data) / 1e6:.2f}M tokens an epoch", flush=True)
    log = open(os.path.join(a.run, "log.jsonl"), "a")
    begin = saved = time.time()
    start_done, start_progress, mean, finished, agreed = done, progress, None, False, progress
    while not finished:
        plan = batches(data, a.batch // ranks, a.seed * 1000 + epoch)
        plan = plan[rank:len(plan) // ranks * ranks:ranks]
        while at < len(plan) and not finished:
            ids, learned = collate(data, plan[at])
            # How far along: by tokens, or by the clock where an end is given, whichever is further.
            progress = max(progress, done / a.tokens)
            if a.until:
                progress = max(progress, start_progress + (1 - start_progress) * (time.time() - begin) / max(1, a.until - begin))
            # Several processes go by what they agreed on in the step before, so that their weights stay the same.
            pace = progress if ranks == 1 else agreed
            share = schedule(a.decay, min(1, pace)) * min(1, (pace + 1e-4) / a.warmup)
            rate = a.lr * share
            with torch.autocast("cpu", torch.bfloat16, enabled=a.bf16):
                loss = lossof(model, ids, learned)
            loss.backward()
            ended = progress >= 1
            if ranks > 1:
                agreed, ended = together(model, progress, ended)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for optimiser, most in steppers:
                for group in optimiser.param_groups:
                    group["lr"] = most * share
                optimiser.step()
                optimiser.zero_grad(set_to_none=True)
            mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
            done += ranks * sum(len(data[i][0]) for i in plan[at])
            step += 1
            at += 1
            if step % 10 == 0 and rank == 0:
                line = {"step": step, "tokens": done, "loss": round(mean, 4), "rate": rate, "progress": round(progress, 4),
                        "tok_s": round((done - start_done) / (time.time() - begin))}
                print(json.dumps(line), flush=True)
                log.write(json.dumps(line) + "\n")
                log.flush()
            finished = ended
            if rank == 0 and (finished or time.time() - saved > a.every):
                save(path, model, optimisers=[o.state_dict() for o, _ in steppers], done=done, step=step, epoch=epoch, at=at, progress=progress)
                saved = time.time()
        if at >= len(plan):
            epoch, at = epoch + 1, 0
            data = read(a.files, vocabulary, model.s.context, a.repeat)  # files may have grown
    if rank == 0:
        save(os.path.join(a.run, "final.pt"), model, done=done, step=step)


if __name__ == "__main__":
    main()
