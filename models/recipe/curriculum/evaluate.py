"""Samples solutions, runs their code in processes of their own, grades them; a table per module.

    python -m curriculum.evaluate --model RUN/last.pt --vocabulary vocabulary.json --per-module 10 --samples 16 FILE.jsonl.gz ...
"""
import argparse
import collections
import gzip
import json
import random
import re
import time

import torch
from torch.nn import functional as F

from .execute import same
from .model import load, quantised
from .runner import Executor
from .solution import output_text, steps_of
from .vocabulary import END, Vocabulary

MAX_TOKENS = 512
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
    limit = min(s.context, T + 384)
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
        x = layer.rest(x, F.scaled_dot_product_attention(q, k.repeat_interleave(repeat, 1), v.repeat_interleave(repeat, 1), is_causal=True))
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


def copying(problem, text):
    """(numbers of two digits or more in the first step's code, those of them that the problem does not have)."""
    codes = steps_of(text)
    have = set(re.findall(r"\d+", problem))
    there = [n for n in re.findall(r"\d+", codes[0] if codes else "") if len(n) > 1 and n not in CONSTANTS and not re.fullmatch("10+", n)]
    return len(there), sum(n not in have for n in there)


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
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    vocabulary = Vocabulary.load(a.vocabulary)
    model, state = load(a.model)
    if a.q8:
        quantised(model)
    model.eval()
    problems = collections.defaultdict(list)
    for path in a.files:
        with (gzip.open(path, "rt") if path.endswith(".gz") else open(path)) as lines:
            for line in lines:
                r = json.loads(line)
                if re.search(a.modules, r["module"]):
                    problems[r["module"]].append((r["problem"], r["answer"]))
    rng = random.Random(a.seed)
    work = [(m, p, g) for m in sorted(problems) for p, g in rng.sample(problems[m], min(a.per_module, len(problems[m])))]
    execute = Executor()
    begin, tokens = time.time(), 0
    results = collections.defaultdict(list)   # (module, problem, gold) -> [(greedy?, right, why, text)]
    kinds = [("greedy", 0.0)] * 1 + ([("sample", a.temperature)] * a.samples)
    jobs = [(item, kind) for kind in kinds for item in work]
    jobs.sort(key=lambda job: (job[1][0], len(job[0][1])))
    tally, copied, missing, right_all = collections.Counter(), 0, 0, collections.Counter()
    shown = 0
    for kind in ("greedy", "sample"):
        mine = [item for item, k in jobs if k[0] == kind]
        for at in range(0, len(mine), a.batch):
            part = mine[at:at + a.batch]
            rows = generate(model, vocabulary, [p for _, p, _ in part], 0.0 if kind == "greedy" else a.temperature, execute, a.seed + at)
            for (m, p, gold), r in zip(part, rows):
                right = r.answer is not None and same(gold, r.answer)
                text = vocabulary.decode(r.ids)
                tokens += len(r.ids)
                results[m, p, gold].append((kind == "greedy", right))
                if kind == "greedy":
                    tally["right" if right else "wrong answer" if r.why == "answered" else r.why] += 1
                    there, absent = copying(p, text)
                    copied, missing = copied + there, missing + absent
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
    print(f"copying: {missing} of {copied} numbers of the first step are not in the problem ({missing / max(1, copied):.2%})")
    print(f"{tokens} tokens in {time.time() - begin:.0f} s; {execute.count} solutions run, {execute.seconds / max(1, execute.count) * 1000:.1f} s per 1,000; "
          f"model trained on {state.get('done', 0) / 1e6:.2f}M tokens")
    if a.out:
        with open(a.out, "w") as file:
            json.dump({"table": table, "average": average, "tally": tally, "copying": [missing, copied]}, file)


if __name__ == "__main__":
    main()
