"""Greedy text and perplexity of model files in this engine and in llama.cpp (PyPI's llama-cpp-python), side by side.

    python llama_text.py TOKEN_SCORES PROBLEMS.jsonl PAGE.txt FILE.gguf... [--prompts 50] [--tokens 48] [--threads 2]

llama.cpp continues each prompt greedily; this engine (token_scores.c) reads the same ids and says at each place what it would have
written. Told are the prompts whose ids and whose continuations are the same throughout, and for each of the others by how much llama.cpp
preferred its own token where the two part, in log-probability (a near-tie is small). The page's perplexity: both, and the ratio.
Prompts: every second a problem in the model's own chat template's words, every second the first half of a problem, to be continued.
"""
import argparse
import gzip
import json
import math
import subprocess

import numpy
from llama_cpp import Llama


def log_softmax(row):
    row = row.astype(numpy.float64)
    return row - row.max() - math.log(numpy.exp(row - row.max()).sum())


def prompts_of(path, n):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt") as file:
        problems = [json.loads(line)["problem"] for _, line in zip(range(n), file)]
    return [f"Question: {p}\nAnswer:" if i % 2 else p[:len(p) // 2].rstrip() for i, p in enumerate(problems)]


def greedy(model, text, n):
    """Ids of the prompt and its continuation, and how much better each written id was than the next best."""
    ids = model.tokenize(text.encode(), add_bos=True, special=True)
    model.reset()
    model.eval(ids)
    margins = []
    for _ in range(n):
        row = log_softmax(model.scores[model.n_tokens - 1])
        second, best = numpy.argsort(row)[-2:]
        margins.append(float(row[best] - row[second]))
        ids.append(int(best))
        if best == model.token_eos():
            break
        model.eval([int(best)])
    return ids, margins


def perplexity(logprobs):
    return math.exp(-sum(logprobs) / len(logprobs))


def ours(program, path, threads, rows):
    text = "\n".join(json.dumps({"text": t, "ids": ids}) for t, ids in rows)
    out = subprocess.run([program, path, str(threads)], input=text, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def compare(a, path):
    model = Llama(path, n_ctx=1024, n_threads=a.threads, n_threads_batch=a.threads, logits_all=True, verbose=False)
    prompts = prompts_of(a.problems, a.prompts)
    continued = [greedy(model, p, a.tokens) for p in prompts]
    page = open(a.page).read()[:4000]
    ids = model.tokenize(page.encode(), add_bos=True, special=True)[:1000]
    model.reset()
    model.eval(ids)
    theirs = [float(log_softmax(model.scores[i])[ids[i + 1]]) for i in range(len(ids) - 1)]
    del model
    said = ours(a.program, path, a.threads, [(p, row[0]) for p, row in zip(prompts, continued)] + [("", ids)])
    same_ids, same_text, parted = 0, 0, []
    for (row, margins), s in zip(continued, said):
        same_ids += s["same_ids"]
        n = len(margins)
        other = [i for i, (best, id) in enumerate(zip(s["best"][-n:], row[-n:])) if best != id]
        same_text += not other
        parted += [round(margins[other[0]], 3)] if other else []
    a_, b_ = perplexity(said[-1]["logprob"]), perplexity(theirs)
    print(f"{path.split('/')[-1]}: ids {same_ids} and text {same_text} of {len(prompts)} prompts the same, parted at margins of "
          f"{sorted(parted)}; perplexity {a_:.4f}, llama.cpp {b_:.4f}, {100 * (a_ / b_ - 1):+.2f} %", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("problems")
    parser.add_argument("page")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--prompts", type=int, default=50)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    for path in a.files:
        compare(a, path)


if __name__ == "__main__":
    main()
