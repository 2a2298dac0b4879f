"""The vocabulary: byte-level BPE with the Qwen2 pre-tokenizer and merges forbidden by rule (see ../README.md).

    python -m curriculum.vocabulary --size 1024 --out vocabulary.json data/boot1.jsonl ...
"""
import argparse
import collections
import json
import re

# The tags, one token each; they take the last ids.
SPECIAL = ["<|endoftext|>", "<|user|>", "<|assistant|>", "<code>", "<end_of_step>", "<end_of_code>", "<output>",
           "<end_of_output>", "<answer>", "<end_of_answer>"]
END = "<|endoftext|>"

# Qwen2's pre-tokenizer: \p{L} is [^\W\d_], \p{N} is \d (one at a time).
SPLIT = re.compile(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|(?:(?![\r\n])(?:[\W_]))?[^\W\d_]+|\d| ?(?:[^\s\w]|_)+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def byte_names():
    """GPT-2's printable stand-in for each byte."""
    keep = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    names, extra = {b: chr(b) for b in keep}, 0
    for b in range(256):
        if b not in names:
            names[b] = chr(256 + extra)
            extra += 1
    return [names[b] for b in range(256)]


NAMES = byte_names()
ALLOWED = re.compile(r" ?[A-Za-z]{2,}| [-+*/=<>]|\*\*|//|==|\n\n")


def allowed(merged):
    """May these bytes become one token?  Letters, with a space before two or more of them; a space and an operator;
    `**`, `//` and `==`; two newlines.  Nothing else: no digits, no punctuation with letters, no space with one letter."""
    return ALLOWED.fullmatch(merged.decode("latin-1")) is not None


def train(texts, size, rare):
    """Merges in order.  Pre-tokens seen fewer than `rare` times take no part, so no merge is made for a rare word.
    Each round joins the most frequent allowed pair (ties: the smaller pair of byte strings)."""
    counts = collections.Counter(piece for text in texts for piece in SPLIT.findall(text))
    words = [([bytes([b]) for b in piece.encode()], n) for piece, n in counts.items() if n >= rare and len(piece) > 1]
    merges = []
    while len(merges) < size - 256 - len(SPECIAL):
        pairs = collections.Counter()
        for word, n in words:
            for a, b in zip(word, word[1:]):
                pairs[a, b] += n
        best = min(((-n, pair) for pair, n in pairs.items() if n >= rare and allowed(pair[0] + pair[1])), default=None)
        if best is None:
            break
        a, b = best[1]
        merges.append((a, b))
        for word, _ in words:
            at = 0
            while at < len(word) - 1:
                if word[at] == a and word[at + 1] == b:
                    word[at:at + 2] = [a + b]
                at += 1
    return merges


class Vocabulary:
    """encode() of plain text, encode_marked() where tags count as tags; ids: bytes, merges, tags."""

    def __init__(self, merges):
        self.merges = [(bytes(a), bytes(b)) for a, b in merges]
        self.rank = {pair: i for i, pair in enumerate(self.merges)}
        self.tokens = [bytes([b]) for b in range(256)] + [a + b for a, b in self.merges]
        self.ids = {}
        for i, token in enumerate(self.tokens):
            self.ids.setdefault(token, i)
        self.special = {name: len(self.tokens) + i for i, name in enumerate(SPECIAL)}
        self.size = len(self.tokens) + len(SPECIAL)
        self.cache = {}
        self.tags = re.compile("(" + "|".join(map(re.escape, SPECIAL)) + ")")

    @classmethod
    def load(cls, path):
        with open(path) as file:
            return cls([(bytes(a, "latin-1"), bytes(b, "latin-1")) for a, b in json.load(file)["merges"]])

    def save(self, path):
        with open(path, "w") as file:
            json.dump({"merges": [(a.decode("latin-1"), b.decode("latin-1")) for a, b in self.merges]}, file, indent=0)

    def word(self, piece):
        if piece not in self.cache:
            parts = [bytes([b]) for b in piece.encode()]
            while len(parts) > 1:
                rank, at = min((self.rank.get(pair, 1 << 30), i) for i, pair in enumerate(zip(parts, parts[1:])))
                if rank == 1 << 30:
                    break
                parts[at:at + 2] = [parts[at] + parts[at + 1]]
            if len(self.cache) > 200000:
                self.cache.clear()
            self.cache[piece] = [self.ids[p] for p in parts]
        return self.cache[piece]

    def encode(self, text):
        return [i for piece in SPLIT.findall(text) for i in self.word(piece)]

    def encode_marked(self, text):
        result = []
        for part in self.tags.split(text):
            if part in self.special:
                result.append(self.special[part])
            elif part:
                result.extend(self.encode(part))
        return result

    def decode(self, ids):
        base = len(self.tokens)
        return b"".join(self.tokens[i] if i < base else SPECIAL[i - base].encode() for i in ids).decode("utf-8", "replace")

    def prompt(self, problem):
        """The problem's own text is encoded without tags, so that it cannot forge one."""
        return [self.special["<|user|>"]] + self.encode(problem) + [self.special["<|assistant|>"]]

    def sequence(self, record):
        """(ids, learned): the tokens of a solution as the search will see them, and which of them the policy writes."""
        ids = self.prompt(record["problem"])
        learned = [False] * len(ids)
        for text, mine in [(t, True) for t in record["steps"]] + [(record["output"], False), (record["closing"], True)]:
            part = self.encode_marked(text)
            ids += part
            learned += [mine] * len(part)
        return ids + [self.special[END]], learned + [True]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+")
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--rare", type=int, default=100)
    parser.add_argument("--out", required=True)
    a = parser.parse_args()
    records = [json.loads(line) for path in a.files for line in open(path)]
    tags = re.compile("|".join(map(re.escape, SPECIAL)))
    texts = [part for r in records for t in [r["problem"], *r["steps"], r["closing"]] for part in tags.split(t)]
    vocabulary = Vocabulary(train(texts, a.size, a.rare))
    vocabulary.save(a.out)
    lengths = [len(vocabulary.sequence(r)[0]) for r in records]
    print(f"{vocabulary.size} tokens; {len(records)} sequences, mean length {sum(lengths) / len(lengths):.1f}, longest {max(lengths)}")
    print(" ".join(repr((x + y).decode("latin-1")) for x, y in vocabulary.merges))


if __name__ == "__main__":
    main()
