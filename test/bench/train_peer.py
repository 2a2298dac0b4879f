"""Steps of the recipe's training in PyTorch, for bench_train.sh: tokens a second of one shape in one mode.

    python train_peer.py 6.6M|25M THREADS STEPS f32|bf16|f32-compiled|bf16-compiled
"""
import os
import sys
import time

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "models", "recipe"))
from curriculum.model import Policy, Shape  # noqa: E402
from curriculum.train import loss_of, optimisers  # noqa: E402

SHAPES = {"6.6M": Shape(), "25M": Shape(width=448, layers=10, heads=7, kv_heads=7, ffn=1216)}
LENGTH, SEQUENCES = 200, 40   # as bench_train.c


def main():
    shape, threads, steps, mode = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    model = Policy(SHAPES[shape])
    ids = torch.randint(0, 1000, (SEQUENCES, LENGTH))
    learned = torch.rand(SEQUENCES, LENGTH) < 0.6
    steppers = optimisers(model, "muon", 2e-3, 1.0)
    lossof = torch.compile(loss_of, dynamic=True) if mode.endswith("compiled") else loss_of
    times = []
    for _ in range(steps + 1):
        begin = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=mode.startswith("bf16")):
            loss = lossof(model, ids, learned)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser, _ in steppers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        times.append(time.perf_counter() - begin)
    times = sorted(times[1:])
    print(f"  PyTorch {torch.__version__}, {mode}: {ids.numel() / times[len(times) // 2]:.0f} tokens/s (best {ids.numel() / times[0]:.0f})")


if __name__ == "__main__":
    main()
