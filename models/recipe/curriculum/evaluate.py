"""Samples solutions, runs their code in processes of their own, grades them; a table per module.

    python -m curriculum.evaluate --model RUN/last.pt --vocabulary vocabulary.json --per-module 10 --samples 16 FILE.jsonl.gz ...

PyTorch samples, or with --engine the extension's own engine (sample.c), which needs a tenth of the time.
"""
import argparse
import collections
import gzip
import json
import os
import random
import re
import subprocess
import tempfile
import time

import torch
from torch.nn import functional as F

from . import export
from .everyday.make import DECLINE
from .execute import same
from .measurement import DIVISORS
from .model import attention, load, quantised
from .runner import Executor
from .solution import number_of, output_text, steps_of
from .vocabulary import END, Vocabulary

MAX_NEW = 320   # tokens behind the longest prompt of a batch
# Numbers that the ways of writing bring along; all others in the first step must come from the problem.
CONSTANTS = {"10", "12", "60", "720", "1440", "16", "3600", "86400", "604800", "120", "1200", "12000", "15"}


class Row:
    """One sequence being written."""

    def __init__(self, index, problem, prompt):
        self.index, self.problem, self.prompt = index, problem, prompt
        self.ids, self.forced, self.why, self.answer, self.ran = [], [], None, None, False


@torch.no_grad()
def generate(model, vocabulary, problems, temperature, execute, seed=0):
    """[(row)] for each problem of the list, side by side, each with its own keys and values."""
    torch.manual_seed(seed)
    s = model.s
    rows = [Row(i, p, vocabulary.prompt(p)) for i, p in enumerate(problems)]
    everything = rows
    B, T = len(rows), max(len(r.prompt) for r in rows)
    limit = min(s.context, T + MAX_NEW)
    ids = torch.zeros(B, T, dtype=torch.long)
    for i, r in enumerate(rows):
        ids[i, :len(r.prompt)] = torch.tensor(r.prompt)
    keys = [torch.zeros(B, s.kv_heads, limit, s.head) for _ in range(s.layers)]
    values = [torch.zeros(B, s.kv_heads, limit, s.head) for _ in range(s.layers)]
    repeat = s.heads // s.kv_heads
    x = model.embed(ids)
    for n, layer in enumerate(model.layers):
        q, k, v = layer.heads(x, model.cos[:T], model.sin[:T])
        keys[n][:, :, :T], values[n][:, :, :T] = k, v
        x = layer.rest(x, attention(q, k, v))
    position = torch.tensor([len(r.prompt) for r in rows])
    logits = model.logits(model.norm(x[torch.arange(B), position - 1]))
    end_code, end_answer = vocabulary.special["<end_of_code>"], vocabulary.special["<end_of_answer>"]
    stop = {end_answer, vocabulary.special[END]}
    while rows:
        if temperature:
            choice = torch.multinomial(F.softmax(logits / temperature, -1), 1)[:, 0].tolist()
        else:
            choice = logits.argmax(-1).tolist()
        keep = []
        for i, r in enumerate(rows):
            token = r.forced.pop(0) if r.forced else choice[i]
            r.ids.append(token)
            if token == end_code and not r.forced and not r.ran:
                r.ran = True
                output, error = execute(steps_of(vocabulary.decode(r.ids)))
                if error:
                    r.why = error
                else:
                    r.forced = vocabulary.encode_marked(output_text(output))
            elif token in stop and not r.forced:
                match = re.search(r"\\boxed\{(.*)\}\n<end_of_answer>$", vocabulary.decode(r.ids[-100:]), re.S)
                r.why, r.answer = ("answered", match.group(1)) if match and r.ran else ("unparsable", None)
            elif len(r.prompt) + len(r.ids) >= limit - 1:
                r.why = "length"
            if r.why is None:
                keep.append(i)
        if not keep:
            break
        if len(keep) < len(rows):
            chosen = torch.tensor(keep)
            rows = [rows[i] for i in keep]
            position = position[chosen]
            keys = [k[chosen] for k in keys]
            values = [v[chosen] for v in values]
        B = len(rows)
        top = int(position.max()) + 1
        mask = (torch.arange(top)[None] <= position[:, None])[:, None, None]
        cos, sin = model.cos[position][:, None, None], model.sin[position][:, None, None]
        x = model.embed(torch.tensor([[r.ids[-1]] for r in rows]))
        index = torch.arange(B)
        for n, layer in enumerate(model.layers):
            q, k, v = layer.heads(x, cos, sin)
            keys[n][index, :, position], values[n][index, :, position] = k[:, :, 0], v[:, :, 0]
            attended = F.scaled_dot_product_attention(q, keys[n][:, :, :top].repeat_interleave(repeat, 1),
                                                      values[n][:, :, :top].repeat_interleave(repeat, 1), attn_mask=mask)
            x = layer.rest(x, attended)
        logits = model.logits(model.norm(x[:, 0]))
        position = position + 1
    return everything


def engine_jobs(engine, gguf, stops, jobs):
    """[[ids] * samples] of each job (samples, max tokens, seed, temperature, ids), by sample.c."""
    text = "".join(f"{s} {m} {seed} {t} {' '.join(map(str, ids))}\n" for s, m, seed, t, ids in jobs)
    out = subprocess.run([engine, gguf, *map(str, stops)], input=text, capture_output=True, text=True, check=True).stdout.splitlines()
    lines = iter([int(x) for x in line.replace(".", "").split()] for line in out)
    return [[next(lines) for _ in range(job[0])] for job in jobs]


def generate_engine(engine, gguf, context, vocabulary, problems, samples, temperature, execute, seed):
    """As generate, `samples` rows for each problem in turn; code first, then the answers behind the outputs."""
    end_code, end_answer = vocabulary.special["<end_of_code>"], vocabulary.special["<end_of_answer>"]
    stops = [end_code, end_answer]
    prompts = [vocabulary.prompt(p) for p in problems]
    first = engine_jobs(engine, gguf, stops, [(samples, min(MAX_NEW, context - len(ids) - 1), seed + i, temperature, ids)
                                              for i, ids in enumerate(prompts)])
    rows, waiting = [], []
    for i, several in enumerate(first):
        for ids in several:
            r = Row(i, problems[i], prompts[i])
            r.ids = ids
            rows.append(r)
            if not ids or ids[-1] != end_code:
                r.why = "declined" if DECLINE in vocabulary.decode(ids) else "unparsable" if ids and ids[-1] == end_answer or len(ids) < MAX_NEW else "length"
                continue
            r.ran = True
            output, error = execute(steps_of(vocabulary.decode(ids)))
            if error:
                r.why = error
                continue
            r.ids = ids + vocabulary.encode_marked(output_text(output))
            if len(r.prompt) + len(r.ids) > context - 2:
                r.why = "length"
            else:
                waiting.append(r)
    second = engine_jobs(engine, gguf, stops, [(1, min(128, context - len(r.prompt) - len(r.ids) - 1), seed, temperature, r.prompt + r.ids)
                                               for r in waiting]) if waiting else []
    for r, (ids,) in zip(waiting, second):
        r.ids = r.ids + ids
        match = re.search(r"\\boxed\{(.*)\}\n<end_of_answer>$", vocabulary.decode(r.ids[-150:]), re.S)
        r.why, r.answer = ("answered", match.group(1)) if match else ("unparsable", None)
    return rows


def numbers_said(problem):
    """The numbers of a problem, in digits or in words (twenty-nine: 29, 20 and 9; fiftieths: 50), as digits."""
    words = re.findall(r"[a-z]+(?:-[a-z]+)*", problem.lower())
    values = [number_of(part) for word in words for part in {word, *word.split("-")}]
    parts = [d for name, d in DIVISORS.items() if name in problem.lower()]
    return {*re.findall(r"\d+", problem), *(str(v) for v in values + parts if v is not None)}


def copying(problem, text):
    """[(digits, is it missing from the problem?)] of the numbers of two digits or more in the first step's code."""
    codes = steps_of(text)
    have = numbers_said(problem)
    there = [n for n in re.findall(r"\d+", codes[0] if codes else "") if len(n) > 1 and n not in CONSTANTS and not re.fullmatch("10+", n)]
    return [(len(n), n not in have) for n in there]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+")
    parser.add_argument("--model", required=True)
    parser.add_argument("--vocabulary", required=True)
    parser.add_argument("--per-module", type=int, default=10)
    parser.add_argument("--samples", type=int, default=0)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--q8", action="store_true", help="weights rounded to Q8_0")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--modules", default="")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out")
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--engine", help="the program of sample.c")
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    vocabulary = Vocabulary.load(a.vocabulary)
    model, state = load(a.model)
    if a.q8:
        quantised(model)
    model.eval()
    gguf = None
    if a.engine:
        gguf = tempfile.NamedTemporaryFile(suffix=".gguf")
        export.write(gguf.name, model, vocabulary, "q8_0" if a.q8 else "f32", "under test")
    problems = collections.defaultdict(list)
    for path in a.files:
        with (gzip.open(path, "rt") if path.endswith(".gz") else open(path)) as lines:
            for line in lines:
                r = json.loads(line)
                module = r.get("module") or r["topic"]
                if re.search(a.modules, module):
                    problems[module].append((r["problem"], r["answer"]))
    rng = random.Random(a.seed)
    work = [(m, p, g) for m in sorted(problems) for p, g in rng.sample(problems[m], min(a.per_module, len(problems[m])))]
    execute = Executor()
    begin, tokens = time.time(), 0
    results = collections.defaultdict(list)   # (module, problem, gold) -> [(greedy?, right, why, text)]
    kinds = [("greedy", 0.0)] * 1 + ([("sample", a.temperature)] * a.samples)
    jobs = [(item, kind) for kind in kinds for item in work]
    jobs.sort(key=lambda job: (job[1][0], len(job[0][1])))
    tally, copied, missing = collections.Counter(), collections.Counter(), collections.Counter()
    shown = digit_tokens = 0
    for kind in ("greedy", "sample"):
        mine = [item for item, k in jobs if k[0] == kind]
        if kind == "greedy" and a.engine:
            mine = work
        size = len(work) if a.engine else a.batch
        for at in range(0, len(mine), size):
            part = mine[at:at + size]
            heat = 0.0 if kind == "greedy" else a.temperature
            if a.engine and kind == "sample":
                if at:
                    break  # all samples of a problem come at once
                part = [item for item in work for _ in range(a.samples)]
            if a.engine:
                rows = generate_engine(a.engine, gguf.name, model.s.context, vocabulary, [p for _, p, _ in work],
                                       1 if kind == "greedy" else a.samples, heat, execute, a.seed * 1000)
            else:
                rows = generate(model, vocabulary, [p for _, p, _ in part], heat, execute, a.seed + at)
            for (m, p, gold), r in zip(part, rows):
                # Without a known answer the right thing is to give none.
                right = r.answer is None if gold is None else r.answer is not None and same(gold, r.answer)
                text = vocabulary.decode(r.ids)
                tokens += len(r.ids)
                results[m, p, gold].append((kind == "greedy", right))
                if kind == "greedy":
                    tally["right" if right else "wrong answer" if r.why == "answered" else r.why] += 1
                    for digits, absent in copying(p, text):
                        digit_tokens += digits
                        copied[min(digits, 7)] += 1
                        missing[min(digits, 7)] += absent
                    if not right and shown < a.show:
                        shown += 1
                        print(f"--- {m}: {p} => {gold}\n{text}\n   [{r.why}]")
    table = {}
    for module in sorted(problems):
        items = [v for (m, _, _), v in results.items() if m == module]
        greedy = sum(r for v in items for g, r in v if g) / len(items)
        samples = [[r for g, r in v if not g] for v in items]
        mean = sum(sum(v) for v in samples) / max(1, sum(len(v) for v in samples))
        best = sum(any(v) for v in samples) / len(items)
        table[module] = (greedy, mean, best)
        print(f"{module:42s} greedy {greedy:5.0%}" + (f"  mean {mean:5.0%}  pass@{a.samples} {best:5.0%}" if a.samples else ""))
    average = [sum(v[i] for v in table.values()) / len(table) for i in range(3)]
    print(f"ALL {len(work)} problems: greedy {average[0]:.1%}" + (f"  mean@{a.samples} {average[1]:.1%}  pass@{a.samples} {average[2]:.1%}  "
          f"modules at 5 % or less: {sum(v[2] <= 0.05 for v in table.values())}" if a.samples else ""))
    print(f"greedy outcomes: {dict(tally.most_common())}")
    print(f"copying: {missing.total()} of {copied.total()} numbers of the first step are not in the problem "
          f"({missing.total() / max(1, copied.total()):.2%}; {missing.total() / max(1, digit_tokens):.3%} of {digit_tokens} digit tokens); by digits (7: or more) "
          + ", ".join(f"{d}: {missing[d]}/{copied[d]}" for d in sorted(copied)))
    print(f"{tokens} tokens in {time.time() - begin:.0f} s; {execute.count} solutions run, {execute.seconds / max(1, execute.count) * 1000:.1f} s per 1,000; "
          f"model trained on {state.get('done', 0) / 1e6:.2f}M tokens")
    if a.out:
        with open(a.out, "w") as file:
            json.dump({"problems": len(work), "per_module": a.per_module, "samples": a.samples, "temperature": a.temperature, "seed": a.seed, "q8": a.q8,
                       "files": [os.path.basename(path) for path in a.files], "tokens": state.get("done", 0), "table": table,
                       "average": average, "tally": tally, "copying": [dict(missing), dict(copied)], "digit_tokens": digit_tokens}, file)


if __name__ == "__main__":
    main()
