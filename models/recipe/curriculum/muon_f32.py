"""torch.optim.Muon with its orthogonalisation in f32.

PyTorch computes that one function in bf16. Where another trainer's steps are to be compared closely with PyTorch's, use() replaces
it by the same iteration in f32 for the rest of the process.
"""
import torch.optim._muon as muon


def orthogonalise(gradient, coefficients, steps, eps):
    a, b, c = coefficients
    x = gradient.clone()
    wide = x.T if x.size(0) > x.size(1) else x
    wide = wide / wide.norm().clamp(min=eps)
    for _ in range(steps):
        gram = wide @ wide.T
        wide = a * wide + (b * gram + c * gram @ gram) @ wide
    return wide.T if x.size(0) > x.size(1) else wide


def use():
    muon._zeropower_via_newtonschulz = orthogonalise
