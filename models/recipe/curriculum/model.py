"""The policy in PyTorch: qwen2 (RMSNorm, grouped attention with biases on q, k, v, NEOX rope, SwiGLU, tied embeddings)."""
from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.nn import functional as F


@dataclass
class Shape:
    vocab: int = 1024
    width: int = 256
    layers: int = 8
    heads: int = 4
    kv_heads: int = 2
    head: int = 64
    ffn: int = 768
    context: int = 512
    theta: float = 10000.0
    eps: float = 1e-6


SHAPES = {
    "design": Shape(),                                                             # 6.6M parameters (DESIGN 12)
    "small": Shape(width=192, layers=8, heads=6, kv_heads=2, head=32, ffn=512),    # 3.3M
    "tiny": Shape(width=128, layers=6, heads=4, kv_heads=2, head=32, ffn=384),
}


def rope_table(shape, device=None):
    frequency = shape.theta ** (-torch.arange(0, shape.head, 2, device=device).float() / shape.head)
    angle = torch.outer(torch.arange(shape.context, device=device).float(), frequency)
    return angle.cos(), angle.sin()


def rotate(x, cos, sin):
    """NEOX order: the first half of a head pairs with the second.  x: B, heads, T, head; cos, sin: (B,) T, head/2."""
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


def attention(q, k, v):
    """Causal attention of a whole batch, the query heads of one key head as one product; a tenth of a training step
    faster on a processor than scaled_dot_product_attention, whose backward is slow there at these lengths."""
    (B, H, T, D), G = q.shape, k.shape[1]
    scores = torch.bmm((q * D ** -0.5).reshape(B * G, H // G * T, D), k.reshape(B * G, T, D).transpose(1, 2)).view(B * G, H // G, T, T)
    before = torch.ones(T, T, dtype=torch.bool, device=q.device).tril()
    share = torch.where(before, scores.float(), float("-inf")).softmax(-1).to(v.dtype)
    return torch.bmm(share.view(B * G, H // G * T, T), v.reshape(B * G, T, D)).view(B, H, T, D)


class Layer(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.s = s
        self.attn_norm = nn.RMSNorm(s.width, eps=s.eps)
        self.qkv = nn.Linear(s.width, (s.heads + 2 * s.kv_heads) * s.head)
        self.attn_output = nn.Linear(s.heads * s.head, s.width, bias=False)
        self.ffn_norm = nn.RMSNorm(s.width, eps=s.eps)
        self.gate_up = nn.Linear(s.width, 2 * s.ffn, bias=False)
        self.ffn_down = nn.Linear(s.ffn, s.width, bias=False)

    def heads(self, x, cos, sin):
        s, (B, T, _) = self.s, x.shape
        q, k, v = self.qkv(self.attn_norm(x)).split([s.heads * s.head, s.kv_heads * s.head, s.kv_heads * s.head], -1)
        shape = lambda t, n: t.view(B, T, n, s.head).transpose(1, 2)
        return rotate(shape(q, s.heads), cos, sin), rotate(shape(k, s.kv_heads), cos, sin), shape(v, s.kv_heads)

    def rest(self, x, attended):
        x = x + self.attn_output(attended.transpose(1, 2).flatten(2))
        gate, up = self.gate_up(self.ffn_norm(x)).chunk(2, -1)
        return x + self.ffn_down(F.silu(gate) * up)

    def forward(self, x, cos, sin):
        return self.rest(x, attention(*self.heads(x, cos, sin)))


class Policy(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.s = s
        self.embed = nn.Embedding(s.vocab, s.width)
        self.layers = nn.ModuleList(Layer(s) for _ in range(s.layers))
        self.norm = nn.RMSNorm(s.width, eps=s.eps)
        cos, sin = rope_table(s)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                scale = 0.02 if name.startswith("embed") else p.shape[1] ** -0.5 * 0.5
                if "attn_output" in name or "ffn_down" in name:
                    scale /= (2 * s.layers) ** 0.5
                nn.init.normal_(p, std=scale)
            elif name.endswith("bias"):
                nn.init.zeros_(p)

    def hidden(self, ids):
        T = ids.shape[1]
        x = self.embed(ids)
        for layer in self.layers:
            x = layer(x, self.cos[:T], self.sin[:T])
        return self.norm(x)

    def logits(self, hidden):
        return F.linear(hidden, self.embed.weight)

    def parameters_count(self):
        return sum(p.numel() for p in self.parameters())


def save(path, model, **extra):
    import os
    torch.save({"shape": asdict(model.s), "weights": model.state_dict(), **extra}, path + ".tmp")
    os.replace(path + ".tmp", path)


def load_gguf(path):
    """The model of a file that export.py wrote, its weights as F32."""
    from gguf import GGUFReader
    from gguf.quants import dequantize
    reader = GGUFReader(path)
    field = lambda key: reader.fields["qwen2." + key].contents()
    w = {t.name: torch.from_numpy(dequantize(t.data, t.tensor_type).copy()) for t in reader.tensors}
    heads, layers = field("attention.head_count"), field("block_count")
    shape = Shape(vocab=len(w["token_embd.weight"]), width=field("embedding_length"), layers=layers, heads=heads,
                  kv_heads=field("attention.head_count_kv"), head=len(w["blk.0.attn_q.bias"]) // heads, ffn=field("feed_forward_length"),
                  context=field("context_length"), theta=field("rope.freq_base"), eps=field("attention.layer_norm_rms_epsilon"))
    weights = {"embed.weight": w["token_embd.weight"], "norm.weight": w["output_norm.weight"]}
    for n in range(layers):
        for name in ("attn_norm", "attn_output", "ffn_norm", "ffn_down"):
            weights[f"layers.{n}.{name}.weight"] = w[f"blk.{n}.{name}.weight"]
        for name, parts in (("qkv", ("attn_q", "attn_k", "attn_v")), ("gate_up", ("ffn_gate", "ffn_up"))):
            for kind in ("weight", "bias") if name == "qkv" else ("weight",):
                weights[f"layers.{n}.{name}.{kind}"] = torch.cat([w[f"blk.{n}.{part}.{kind}"] for part in parts])
    model = Policy(shape)
    model.load_state_dict(weights)
    return model


def load(path):
    """(model, what save() was told besides); a GGUF file has no such thing."""
    if path.endswith(".gguf"):
        return load_gguf(path), {}
    state = torch.load(path, map_location="cpu", weights_only=False)
    model = Policy(Shape(**state["shape"]))
    model.load_state_dict(state["weights"])
    return model, state


def quantised(model):
    """Rounds every matrix to Q8_0 and back (blocks of 32 of a row: scale = max / 127 in half precision), in place."""
    with torch.no_grad():
        for p in model.parameters():
            if p.dim() == 2:
                block = p.view(-1, 32)
                d = block.abs().amax(1, keepdim=True) / 127
                q = torch.where(d > 0, block / d, torch.zeros_like(block)).round()
                p.copy_((q * d.half().float()).view_as(p))
    return model
