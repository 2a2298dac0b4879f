"""Writes a trained policy as GGUF v3 (qwen2; F32 or Q8_0), with its vocabulary and prompt template; needs no library for it.

    python -m curriculum.export --model RUN/final.pt --vocabulary vocabulary.json --type q8_0 --out policy.gguf
"""
import argparse
import struct

import torch

from .model import load
from .solution import PROMPT
from .vocabulary import END, NAMES, SPECIAL, Vocabulary

U32, F32, BOOL, STRING, ARRAY = 4, 6, 7, 8, 9
I32 = 5
ALIGN = 32
TYPES = {"f32": (0, 0), "q8_0": (8, 7)}          # tensor type, general.file_type
NORMAL, CONTROL = 1, 3                           # a tag is a control token: a problem's own text never becomes one


def string(text):
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(raw)) + raw


def value(kind, v):
    if kind == STRING:
        return string(v)
    if isinstance(kind, tuple):
        item = kind[1]
        return struct.pack("<IQ", item, len(v)) + b"".join(value(item, x) for x in v)
    return struct.pack({U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}[kind], v)


def pair(key, kind, v):
    return string(key) + struct.pack("<I", ARRAY if isinstance(kind, tuple) else kind) + value(kind, v)


def printable(token):
    return "".join(NAMES[b] for b in token)


def metadata(s, vocabulary, name, file_type):
    p = "qwen2."
    return [
        ("general.architecture", STRING, "qwen2"), ("general.name", STRING, name), ("general.file_type", U32, file_type),
        ("general.quantization_version", U32, 2),
        (p + "block_count", U32, s.layers), (p + "context_length", U32, s.context), (p + "embedding_length", U32, s.width),
        (p + "feed_forward_length", U32, s.ffn), (p + "attention.head_count", U32, s.heads),
        (p + "attention.head_count_kv", U32, s.kv_heads), (p + "attention.layer_norm_rms_epsilon", F32, s.eps),
        (p + "rope.freq_base", F32, s.theta),
        ("tokenizer.ggml.model", STRING, "gpt2"), ("tokenizer.ggml.pre", STRING, "qwen2"),
        ("tokenizer.ggml.tokens", (ARRAY, STRING), [printable(t) for t in vocabulary.tokens] + SPECIAL),
        ("tokenizer.ggml.token_type", (ARRAY, I32), [NORMAL] * len(vocabulary.tokens) + [CONTROL] * len(SPECIAL)),
        ("tokenizer.ggml.merges", (ARRAY, STRING), [printable(a) + " " + printable(b) for a, b in vocabulary.merges]),
        ("tokenizer.ggml.eos_token_id", U32, vocabulary.special[END]), ("tokenizer.ggml.padding_token_id", U32, vocabulary.special[END]),
        ("tokenizer.ggml.add_bos_token", BOOL, False),
        ("rstar.prompt_template", STRING, PROMPT),
    ]


def tensors(model):
    """(name, tensor) in the order and under the names that llama.cpp uses for qwen2; tied, so there is no output.weight."""
    s, w = model.s, model.state_dict()
    sizes = [s.heads * s.head, s.kv_heads * s.head, s.kv_heads * s.head]
    yield "token_embd.weight", w["embed.weight"]
    for n in range(s.layers):
        get = lambda name: w[f"layers.{n}.{name}"]
        out = f"blk.{n}."
        yield out + "attn_norm.weight", get("attn_norm.weight")
        for letter, weight, bias in zip("qkv", get("qkv.weight").split(sizes), get("qkv.bias").split(sizes)):
            yield out + f"attn_{letter}.weight", weight
            yield out + f"attn_{letter}.bias", bias
        yield out + "attn_output.weight", get("attn_output.weight")
        yield out + "ffn_norm.weight", get("ffn_norm.weight")
        for name, weight in zip(("ffn_gate", "ffn_up"), get("gate_up.weight").split([s.ffn, s.ffn])):
            yield out + name + ".weight", weight
        yield out + "ffn_down.weight", get("ffn_down.weight")
    yield "output_norm.weight", w["norm.weight"]


def packed(tensor, kind):
    """(tensor type, bytes).  Vectors stay F32.  Q8_0: 32 weights of a row as a half-precision scale and 32 signed bytes."""
    tensor = tensor.detach().float().contiguous()
    if kind == "f32" or tensor.dim() == 1:
        return 0, tensor.numpy().tobytes()
    block = tensor.view(-1, 32)
    d = block.abs().amax(1, keepdim=True) / 127
    q = torch.where(d > 0, block / d, torch.zeros_like(block)).round().to(torch.int8)
    scale = d.half().view(torch.uint8).view(-1, 2)
    return 8, torch.cat((scale, q.view(torch.uint8)), 1).contiguous().numpy().tobytes()


def write(path, model, vocabulary, kind, name):
    parts, infos, offset = [], [], 0
    for label, tensor in tensors(model):
        code, data = packed(tensor, kind)
        dims = list(tensor.shape)[::-1]
        infos.append(string(label) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, code, offset))
        data += b"\0" * (-len(data) % ALIGN)
        parts.append(data)
        offset += len(data)
    pairs = metadata(model.s, vocabulary, name, TYPES[kind][1])
    head = b"GGUF" + struct.pack("<IQQ", 3, len(infos), len(pairs)) + b"".join(pair(*p) for p in pairs) + b"".join(infos)
    with open(path, "wb") as file:
        file.write(head + b"\0" * (-len(head) % ALIGN) + b"".join(parts))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--vocabulary", required=True)
    parser.add_argument("--type", choices=TYPES, default="q8_0")
    parser.add_argument("--name", default="rstar nano policy")
    parser.add_argument("--out", required=True)
    a = parser.parse_args()
    model, _ = load(a.model)
    write(a.out, model, Vocabulary.load(a.vocabulary), a.type, a.name)


if __name__ == "__main__":
    main()
