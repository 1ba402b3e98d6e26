"""What the models of the fixtures are made of, in dense PyTorch, beyond what torch.nn.functional has by name."""

import torch
import torch.nn.functional as F


def shortcut(x, stride, channels):
    """Option A of He et al. (arXiv 1512.03385): every `stride`-th position, the new channels zero, half on each side."""
    pad = (channels - x.shape[1]) // 2
    return F.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, pad, channels - x.shape[1] - pad))


def patchify(x, patch):
    """[b, c, h * patch, w * patch] to tokens [b, h * w, patch * patch * c]: 'b c (h p1) (w p2) -> b (h w) (p1 p2 c)'."""
    b, c, height, width = x.shape
    h, w = height // patch, width // patch
    return x.reshape(b, c, h, patch, w, patch).permute(0, 2, 4, 3, 5, 1).reshape(b, h * w, patch * patch * c)


def positions(h, w, dim, dtype):
    """Simple ViT's fixed positions (arXiv 2205.01580), [h * w, dim]: a quarter each of sin x, cos x, sin y, cos y."""
    y, x = torch.meshgrid(torch.arange(h, dtype=dtype), torch.arange(w, dtype=dtype), indexing="ij")
    omega = 10000.0 ** -(torch.arange(dim // 4, dtype=dtype) / (dim // 4 - 1))
    x, y = x.reshape(-1, 1) * omega, y.reshape(-1, 1) * omega
    return torch.cat([x.sin(), x.cos(), y.sin(), y.cos()], 1)


def attention(qkv, heads):
    """[b, tokens, 3 * heads * d] to [b, tokens, heads * d]; features are q, k, v, in each head after head of d."""
    b, tokens, features = qkv.shape
    d = features // (3 * heads)
    q, k, v = qkv.reshape(b, tokens, 3, heads, d).permute(2, 0, 3, 1, 4)
    weights = (q @ k.transpose(-1, -2) * d**-0.5).softmax(-1)
    return (weights @ v).permute(0, 2, 1, 3).reshape(b, tokens, heads * d)
