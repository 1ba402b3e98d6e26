#!/usr/bin/env python3
"""Write `adamw.safetensors`: the network and batches of `train.safetensors`, trained by torch.optim.AdamW.

Run from anywhere, after make_fixtures.py: `python tests/parity/make_adamw_fixtures.py`. Computed in float64 and stored as
float32; the script stops if a float32 run differs by more than `CONDITION`.
"""

import argparse
import pathlib

import torch
import torch.nn.functional as F
from safetensors import safe_open

from make_fixtures import CONDITION, forward, origin, relative, write

STEPS, LAYERS, BATCHES = 60, 3, 7
SETTINGS = {"lr": 0.003, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.01}
CLIP = 0.9


class Layer:
    """A layer of the fixture: values scattered into a dense zero matrix."""

    def __init__(self, file, index, dtype):
        get = lambda name: file.get_tensor(f"layers.{index}.{name}")
        crow, self.cols = get("crow_indices").long(), get("col_indices").long()
        self.n_out, self.n_in = crow.numel() - 1, (32, 48, 40)[index]
        self.rows = torch.repeat_interleave(torch.arange(self.n_out), crow.diff())
        # A clone: what is read is the file itself, in memory.
        self.values = get("values").clone().to(dtype).requires_grad_()
        self.bias = get("bias").clone().to(dtype).requires_grad_()

    def dense(self):
        zero = self.values.new_zeros(self.n_out, self.n_in)
        return zero.index_put((self.rows, self.cols), self.values)


def train(file, dtype, clip, permute=False):
    layers = [Layer(file, index, dtype) for index in range(LAYERS)]
    parameters = [p for layer in layers for p in (layer.values, layer.bias)]
    optimiser = torch.optim.AdamW(parameters, **SETTINGS)
    losses, norms = [], []
    for step in range(STEPS):
        x = file.get_tensor(f"batches.{step % BATCHES}.x").to(dtype)
        labels = file.get_tensor(f"batches.{step % BATCHES}.labels").long()
        if permute:
            x, labels = x.flip(0), labels.flip(0)
        optimiser.zero_grad()
        loss = F.cross_entropy(forward(layers, x)[0], labels)
        loss.backward()
        if clip:
            norms.append(torch.nn.utils.clip_grad_norm_(parameters, clip).detach())
        optimiser.step()
        losses.append(loss.detach())
    state = [optimiser.state[p] for p in parameters]
    return torch.stack(losses), layers, state, norms


def main():
    here = pathlib.Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=here)
    out = parser.parse_args().out
    torch.set_num_threads(1)
    tensors = {}
    with safe_open(here / "train.safetensors", "pt") as file:
        for variant, clip in (("adamw", None), ("clipped", CLIP)):
            losses, layers, state, norms = train(file, torch.float64, clip)
            for permute in (False, True):
                single, others, *_ = train(file, torch.float32, clip, permute)
                condition = relative(single, losses)
                weights = max(
                    ((o.values - l.values).abs().max() / l.values.abs().max()).item() for o, l in zip(others, layers)
                )
                print(f"{variant}: loss {losses[0]:.4f} -> {losses[-7:].mean():.4f}, float32 differs by {condition:.1e}, "
                      f"weights by {weights:.1e}")
                if not max(condition, weights) < CONDITION:
                    raise SystemExit(f"{variant}: float32 and float64 differ by more than {CONDITION}")
            if clip and not (min(norms) < clip < max(norms)):
                raise SystemExit("clipped: all steps or none are")
            tensors[f"{variant}.losses"] = losses
            for index, layer in enumerate(layers):
                name = f"{variant}.layers.{index}"
                for array, parameter in (("values", layer.values), ("bias", layer.bias)):
                    own = state[2 * index + (array == "bias")]
                    prefix = "" if array == "values" else "bias_"
                    tensors[f"{name}.{array}"] = parameter.detach()
                    tensors[f"{name}.{prefix}first_moment"] = own["exp_avg"]
                    tensors[f"{name}.{prefix}second_moment"] = own["exp_avg_sq"]
    metadata = origin() | {"case": "adamw", "steps": str(STEPS), "clip": str(CLIP)}
    write(out / "adamw.safetensors", tensors, metadata | {key: str(value) for key, value in SETTINGS.items()})


if __name__ == "__main__":
    main()
