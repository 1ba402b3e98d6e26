#!/usr/bin/env python3
"""Write the parity fixtures: sparse multilayer perceptrons computed by PyTorch's autograd.

Run from anywhere: `python tests/parity/make_fixtures.py` (it overwrites the .safetensors files beside it).

Everything is computed in float64 and stored as float32. Weights, biases and inputs are drawn in float32 first, so what
is stored is exactly what the computation started from. A second run in float32, with another order of summation, shows
how far apart two honest single-precision implementations may come; the script stops if a fixture is worse conditioned
than `CONDITION`.

The network is written without any sparse operation: values are scattered into a dense zero matrix and autograd does the
rest, so that the fixtures are independent of every sparse kernel, PyTorch's included.
"""

import argparse
import json
import pathlib

import numpy
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

FORMAT = "1"
CONDITION = 1e-5  # largest relative difference allowed between the float64 and the float32 losses
CLEARANCE = 1e-3  # `small`: no pre-activation is nearer to ReLU's kink than this


class Layer:
    """One sparse linear layer: the positions of its connections (CSR order), their values, a bias unless it has none."""

    def __init__(self, mask, generator, dtype, bias=True):
        self.n_out, self.n_in = mask.shape
        self.rows, self.cols = mask.nonzero(as_tuple=True)
        fan_in = mask.sum(1)
        self.crow = torch.cat([torch.zeros(1, dtype=torch.int64), fan_in.cumsum(0)])
        # Unit variance at every output: bounds from the actual number of inputs (arXiv 2401.06898).
        bound = (3.0 / fan_in.clamp(min=1)).sqrt()
        values = (torch.rand(self.rows.numel(), generator=generator) * 2 - 1) * bound[self.rows]
        self.values = values.to(dtype).requires_grad_()
        self.bias = None
        if bias:
            self.bias = ((torch.rand(self.n_out, generator=generator) * 2 - 1) * bound).to(dtype).requires_grad_()

    def copy(self, dtype):
        other = object.__new__(Layer)
        other.__dict__.update(self.__dict__)
        other.values = self.values.detach().clone().to(dtype).requires_grad_()
        if self.bias is not None:
            other.bias = self.bias.detach().clone().to(dtype).requires_grad_()
        return other

    def dense(self):
        zero = self.values.new_zeros(self.n_out, self.n_in)
        return zero.index_put((self.rows, self.cols), self.values)

    def graph(self, name):
        return {
            f"{name}.crow_indices": self.crow.int(),
            f"{name}.col_indices": self.cols.int(),
        }


def random_mask(n_out, n_in, density, generator):
    """Irregular: each row has its own density, so that rows differ in length by more than chance."""
    row_density = density * 2 * torch.rand(n_out, 1, generator=generator)
    return torch.rand(n_out, n_in, generator=generator) < row_density


def forward(layers, x):
    """Logits, and for every layer its dense weight and its output before the ReLU."""
    weights, outputs = [], []
    h = x
    for index, layer in enumerate(layers):
        weight = layer.dense()
        h = F.linear(h, weight, layer.bias)
        weights.append(weight)
        outputs.append(h)
        if index + 1 < len(layers):
            h = F.relu(h)
    return h, weights, outputs


def sparsity(layers):
    return 1 - sum(l.values.numel() for l in layers) / sum(l.n_in * l.n_out for l in layers)


def small_masks(generator):
    """20-24-16-10 with every awkward row and column that a kernel has to survive."""
    shapes = [(24, 20), (16, 24), (10, 16)]
    masks = [random_mask(n_out, n_in, 0.33, generator) for n_out, n_in in shapes]
    masks[0][7, :] = False  # an empty row: the unit sees only its bias
    masks[0][:, 3] = False  # an empty column: this input is read by nobody
    masks[0][11, :] = False
    masks[0][11, 19] = True  # a single connection, in the last column
    masks[1][0, :] = False  # an empty first row
    masks[1][5, :] = True  # a fully dense row
    masks[1][15, :] = False  # an empty last row
    masks[2][9, :] = True  # a fully dense last row
    masks[2][:9, 11] = False  # a column with one connection
    return masks


def make_small(path, metadata):
    """One forward and backward pass with every intermediate gradient."""
    # The first seed whose pre-activations all keep clear of zero: there ReLU's gradient is not a matter of rounding.
    for seed in range(1000):
        generator = torch.Generator().manual_seed(seed)
        layers = [Layer(mask, generator, torch.float64) for mask in small_masks(generator)]
        x = torch.randn(13, 20, generator=generator).double().requires_grad_()
        labels = torch.randint(0, 10, (13,), generator=generator)
        logits, weights, outputs = forward(layers, x)
        if min(o.abs().min().item() for o in outputs[:-1]) > CLEARANCE:
            break
    else:
        raise SystemExit("small: no seed keeps the pre-activations clear of zero")
    for tensor in weights + outputs:
        tensor.retain_grad()
    loss = F.cross_entropy(logits, labels, label_smoothing=0.1)
    loss.backward()

    tensors = {
        "x": x.detach(),
        "x_gradient": x.grad,
        "labels": labels.int(),
        "logits": logits.detach(),
        "loss": loss.detach().reshape(1),
    }
    for index, (layer, weight, output) in enumerate(zip(layers, weights, outputs)):
        name = f"layers.{index}"
        assert torch.equal(weight.grad[layer.rows, layer.cols], layer.values.grad)
        tensors |= layer.graph(name)
        tensors |= {
            f"{name}.values": layer.values.detach(),
            f"{name}.bias": layer.bias.detach(),
            f"{name}.output": output.detach(),
            f"{name}.output_gradient": output.grad,
            f"{name}.values_gradient": layer.values.grad,
            f"{name}.bias_gradient": layer.bias.grad,
            f"{name}.dense_gradient": weight.grad,
        }
    metadata |= {
        "case": "small",
        "shape": "20-24-16-10",
        "batch": "13",
        "label_smoothing": "0.1",
        "seed": str(seed),
        "sparsity": f"{sparsity(layers):.4f}",
    }
    write(path, tensors, metadata)


def clustered(generator, count, n_in, classes):
    """Noisy clusters: learnable, but not to a loss of zero, where a relative comparison would mean nothing."""
    centres = torch.randn(classes, n_in, generator=generator)
    labels = torch.randint(0, classes, (count,), generator=generator)
    x = 0.5 * centres[labels] + torch.randn(count, n_in, generator=generator)
    return x, labels


def train(initial, batches, steps, dtype, nesterov, settings, permute=False):
    """`steps` steps of torch.optim.SGD; returns the losses, the layers and their momentum buffers."""
    layers = [layer.copy(dtype) for layer in initial]
    parameters = [p for layer in layers for p in (layer.values, layer.bias)]
    optimiser = torch.optim.SGD(parameters, nesterov=nesterov, **settings)
    losses = []
    for step in range(steps):
        x, labels = batches[step % len(batches)]
        if permute:  # the mean does not depend on the order; its rounding does
            x, labels = x.flip(0), labels.flip(0)
        optimiser.zero_grad()
        loss = F.cross_entropy(forward(layers, x.to(dtype))[0], labels)
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    momentum = [optimiser.state[p]["momentum_buffer"] for p in parameters]
    return torch.stack(losses), layers, momentum


def relative(found, expected):
    return ((found.double() - expected.double()).abs() / expected.double().abs()).max().item()


def make_train(path, metadata):
    """100 steps of static sparse training, with and without Nesterov momentum, from the same weights."""
    sizes, full, last, steps = [32, 48, 40, 10], 32, 19, 100
    settings = {"lr": 0.1, "momentum": 0.9, "weight_decay": 1e-4}
    generator = torch.Generator().manual_seed(7)
    masks = [random_mask(n_out, n_in, 0.2, generator) for n_in, n_out in zip(sizes, sizes[1:])]
    initial = [Layer(mask, generator, torch.float64) for mask in masks]
    x, labels = clustered(generator, 6 * full + last, sizes[0], sizes[-1])
    batches = list(zip(x.split(full), labels.split(full)))

    tensors = {}
    for index, (inputs, targets) in enumerate(batches):
        tensors[f"batches.{index}.x"] = inputs
        tensors[f"batches.{index}.labels"] = targets.int()
    for index, layer in enumerate(initial):
        name = f"layers.{index}"
        tensors |= layer.graph(name)
        tensors[f"{name}.values"] = layer.values.detach()
        tensors[f"{name}.bias"] = layer.bias.detach()
    for variant, nesterov in (("plain", False), ("nesterov", True)):
        losses, layers, momentum = train(initial, batches, steps, torch.float64, nesterov, settings)
        for permute in (False, True):
            single, _, _ = train(initial, batches, steps, torch.float32, nesterov, settings, permute)
            condition = relative(single, losses)
            print(f"train {variant}: loss {losses[0]:.4f} -> {losses[-7:].mean():.4f}, smallest {losses.min():.4f}, "
                  f"float32 differs by {condition:.1e}")
            if not condition < CONDITION:
                raise SystemExit(f"train {variant}: float32 and float64 losses differ by {condition:.1e}")
        if not losses[-7:].mean() < 0.5 * losses[:7].mean():
            raise SystemExit(f"train {variant}: the losses do not fall")
        tensors[f"{variant}.losses"] = losses
        for index, layer in enumerate(layers):
            name = f"{variant}.layers.{index}"
            tensors[f"{name}.values"] = layer.values.detach()
            tensors[f"{name}.bias"] = layer.bias.detach()
            tensors[f"{name}.momentum"] = momentum[2 * index]
            tensors[f"{name}.bias_momentum"] = momentum[2 * index + 1]
    metadata |= {
        "case": "train",
        "shape": "-".join(map(str, sizes)),
        "steps": str(steps),
        "batches": str(len(batches)),
        "label_smoothing": "0",
        "sparsity": f"{sparsity(initial):.4f}",
        **{key: str(value) for key, value in settings.items()},
    }
    write(path, tensors, metadata)


def write(path, tensors, metadata):
    stored = {
        name: (tensor if tensor.dtype == torch.int32 else tensor.float()).contiguous()
        for name, tensor in tensors.items()
    }
    for name, tensor in stored.items():
        assert tensor.is_floating_point() <= bool(torch.isfinite(tensor).all()), name
    save_file(stored, path, metadata)
    sort_header(path)
    print(f"{path.name}: {path.stat().st_size} bytes, {json.dumps(metadata, sort_keys=True)}")


def origin():
    """What every fixture's metadata begins with."""
    return {
        "format": FORMAT,
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "computed": "float64",
        "stored": "float32",
    }


def sort_header(path):
    """safetensors writes its metadata in a random order; sorted, the same fixtures are the same bytes."""
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode().ljust(size)
    assert len(text) == size
    path.write_bytes(content[:8] + text + content[8 + size :])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    out = parser.parse_args().out
    torch.set_num_threads(1)
    make_small(out / "small.safetensors", origin())
    make_train(out / "train.safetensors", origin())


if __name__ == "__main__":
    main()
