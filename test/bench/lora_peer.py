"""LoRA in PyTorch with peft on given examples, for lora.sh: loss on the held-out ones before and after, tokens a second, memory.

    python lora_peer.py HF_DIRECTORY IDS.bin RANK ALPHA RATE EPOCHS BATCH_TOKENS THREADS

As the extension's run: adapters on every matrix of the layers, AdamW (0.9, 0.98, no decay), warm-up over the first 3 %,
then straight down, gradients clipped at 1, batches of at most so many tokens, single precision.
"""
import random
import resource
import struct
import sys
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM


def read(path):
    numbers = memoryview(open(path, "rb").read()).cast("i")
    rows, at = ([], []), 1
    for _ in range(numbers[0]):
        held_out, n = numbers[at], numbers[at + 1]
        ids, learned = numbers[at + 2:at + 2 + n].tolist(), numbers[at + 2 + n:at + 2 + 2 * n].tolist()
        rows[held_out].append((ids, learned))
        at += 2 + 2 * n
    return rows


def loss_of(model, ids, learned):
    """Sum over the learned tokens, and how many they are; the first is predicted by nothing."""
    x = torch.tensor([ids])
    logits = model(input_ids=x).logits[0, :-1]
    marks = torch.tensor(learned[1:], dtype=torch.bool)
    return torch.nn.functional.cross_entropy(logits[marks], x[0, 1:][marks], reduction="sum"), int(marks.sum())


def held_out_loss(model, rows):
    with torch.no_grad():
        sums = [loss_of(model, *row) for row in rows]
    return sum(float(s) for s, _ in sums) / sum(n for _, n in sums)


def batches(rows, most, seed):
    order = list(rows)
    random.Random(seed).shuffle(order)
    batch, tokens = [], 0
    for row in order:
        if batch and tokens + len(row[0]) > most:
            yield batch
            batch, tokens = [], 0
        batch.append(row)
        tokens += len(row[0])
    if batch:
        yield batch


def main():
    directory, path, rank, alpha, rate, epochs, most, threads = sys.argv[1:9]
    torch.set_num_threads(int(threads))
    torch.manual_seed(0)
    train, held_out = read(path)
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32)
    model = get_peft_model(model, LoraConfig(r=int(rank), lora_alpha=float(alpha), lora_dropout=0.0, target_modules=[
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]))
    trained = [p for p in model.parameters() if p.requires_grad]
    print(f"  peft: {sum(p.numel() for p in trained)} trained parameters, {len(train)} examples, {len(held_out)} held out", flush=True)
    optimiser = torch.optim.AdamW(trained, lr=float(rate), betas=(0.9, 0.98), eps=1e-8, weight_decay=0)
    before = held_out_loss(model, held_out)
    print(f"  peft: held-out loss before {before:.4f}", flush=True)
    plan = [b for epoch in range(int(epochs)) for b in batches(train, int(most), epoch)]
    tokens, seconds = 0, 0.0
    for step, batch in enumerate(plan):
        begin, progress = time.perf_counter(), step / len(plan)
        learned = sum(sum(row[1][1:]) for row in batch)
        for row in batch:
            loss, _ = loss_of(model, *row)
            (loss / learned).backward()
            tokens += len(row[0])
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        share = min(1, (progress + 1e-4) / 0.03) * (1 - progress)
        for group in optimiser.param_groups:
            group["lr"] = float(rate) * share
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        seconds += time.perf_counter() - begin
    print(f"  peft: held-out loss after {held_out_loss(model, held_out):.4f}, {len(plan)} steps, {tokens / seconds:.0f} tokens/s, "
          f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB at most")


if __name__ == "__main__":
    main()
