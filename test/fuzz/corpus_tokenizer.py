#!/usr/bin/env python3
"""Write the seeds of test/fuzz/corpus/tokenizer: small vocabularies with a text each."""
import os
import struct

STRING, ARRAY, U32, I32, F32, BOOL = 8, 9, 4, 5, 6, 7
NORMAL, UNKNOWN, CONTROL, USER, UNUSED, BYTE = 1, 2, 3, 4, 5, 6


def string(text):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(data)) + data


def value(kind, item):
    if kind == STRING:
        return string(item)
    return struct.pack({U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}[kind], item)


def gguf(keys):
    out = b"GGUF" + struct.pack("<IQQ", 3, 0, len(keys))
    for name, kind, item in keys:
        out += string(name)
        if isinstance(item, list):
            out += struct.pack("<IIQ", ARRAY, kind, len(item))
            out += b"".join(value(kind, x) for x in item)
        else:
            out += struct.pack("<I", kind) + value(kind, item)
    return out + b"\0" * (-len(out) % 32)


def alphabet():
    own = [b for b in range(256) if 0x21 <= b <= 0x7E or 0xA1 <= b <= 0xAC or b >= 0xAE]
    codes, extra = {}, 0x100
    for b in range(256):
        if b in own:
            codes[b] = chr(b)
        else:
            codes[b] = chr(extra)
            extra += 1
    return codes


def bpe(pre):
    codes = alphabet()
    tokens = [codes[b] for b in range(256)]
    pairs = [("t", "h"), ("th", "e"), ("\u0120", "the"), ("a", "b"), ("b", "c"), ("ab", "c"),
             ("\u0120", "\u0120"), ("\u0120\u0120", "\u0120\u0120"), ("a", "a"), ("aa", "aa"), ("o", "n")]
    tokens += ["".join(p) for p in pairs[:-1]]
    types = [NORMAL] * len(tokens) + [CONTROL, CONTROL, USER, UNUSED]
    tokens += ["<end_of_step>", "<|endoftext|>", "<code>", "[PAD1]"]
    return gguf([
        ("tokenizer.ggml.model", STRING, "gpt2"),
        ("tokenizer.ggml.pre", STRING, pre),
        ("tokenizer.ggml.tokens", STRING, tokens),
        ("tokenizer.ggml.token_type", I32, types),
        ("tokenizer.ggml.merges", STRING, [" ".join(p) for p in pairs]),
        ("tokenizer.ggml.eos_token_id", U32, tokens.index("<|endoftext|>")),
        ("tokenizer.ggml.bos_token_id", U32, tokens.index("<|endoftext|>")),
        ("tokenizer.ggml.add_bos_token", BOOL, False),
    ])


def sentencepiece(name):
    tokens = ["<unk>", "<s>", "</s>"] + ["<0x%02X>" % b for b in range(256)]
    types = [UNKNOWN, CONTROL, CONTROL] + [BYTE] * 256
    words = ["\u2581", "t", "h", "e", "th", "the", "\u2581the", "\u2581\u2581", "a", "b", "ab", "aa", "\u20ac"]
    tokens += words + ["<|end|>"]
    types += [NORMAL] * len(words) + [USER]
    return gguf([
        ("general.name", STRING, name),
        ("tokenizer.ggml.model", STRING, "llama"),
        ("tokenizer.ggml.tokens", STRING, tokens),
        ("tokenizer.ggml.scores", F32, [-float(i) for i in range(len(tokens))]),
        ("tokenizer.ggml.token_type", I32, types),
        ("tokenizer.ggml.bos_token_id", U32, 1),
        ("tokenizer.ggml.eos_token_id", U32, 2),
        ("tokenizer.ggml.unknown_token_id", U32, 0),
    ])


def main():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus", "tokenizer")
    os.makedirs(folder, exist_ok=True)
    texts = [b"the abc   the<end_of_step>  12345 don't\r\n\n x",
             b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
             "\u2581the \u20ac<|end|> \n a\xff".encode("utf-8") + b"\xff\xe2\x82<s></s>"]
    files = {"qwen2": bpe("qwen2"), "llama3": bpe("llama-bpe"),
             "phi3": sentencepiece("Phi3"), "llama": sentencepiece("tiny")}
    for name, data in files.items():
        for i, text in enumerate(texts):
            with open(os.path.join(folder, "%s-%d" % (name, i)), "wb") as f:
                f.write(struct.pack("<I", len(data)) + data + text)


if __name__ == "__main__":
    main()
