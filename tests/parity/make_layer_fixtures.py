#!/usr/bin/env python3
"""Write `layers.safetensors`: single layers, forward and backward, computed by PyTorch's autograd.

Run from anywhere: `python tests/parity/make_layer_fixtures.py`. The rules are those of `make_fixtures.py`: drawn in float32,
computed in float64, stored as float32, no sparse operation. Each case takes an output gradient that is drawn as the inputs
are, and stores the gradient at everything that has one. A float32 run of every case shows how well it is conditioned; the
script stops if that is worse than `CONDITION`.
"""

import argparse
import pathlib

import torch
import torch.nn.functional as F

import functions
from make_fixtures import CLEARANCE, CONDITION, Layer, origin, random_mask, write

BATCH = 5  # not a multiple of the engine's vector of 4
EPSILON, MOMENTUM = 1e-5, 0.1  # of the norms, PyTorch's defaults

# Name, kernel, stride, padding, input plane (planes of odd and of even size: a stride of 2 may or may not reach the far edge).
CONVOLUTIONS = [
    ("conv_3x3_s1_p1", (3, 3), 1, (1, 1), (6, 5)),
    ("conv_3x3_s2_p1", (3, 3), 2, (1, 1), (8, 7)),
    ("conv_7x7_s2_p3", (7, 7), 2, (3, 3), (10, 9)),
    ("conv_1x1_s2", (1, 1), 2, (0, 0), (8, 7)),
    ("conv_5x3_s1_p2x1", (5, 3), 1, (2, 1), (6, 7)),
]


class Cases:
    """Collects the tensors of every case."""

    def __init__(self, generator):
        self.generator = generator
        self.tensors = {}
        self.worst = (0.0, "")

    def randn(self, *shape):
        return torch.randn(*shape, generator=self.generator)

    def run(self, function, leaves, dtype, output_gradient=None):
        """The output and every gradient; `function` may put further tensors into `more`, those with gradients by retain_grad."""
        leaves = {name: leaf.detach().to(dtype).requires_grad_() for name, leaf in leaves.items()}
        more = {}
        output = function(leaves, more)
        if output_gradient is None:
            output_gradient = self.randn(*output.shape)
        output.backward(output_gradient.to(dtype))
        found = {"output": output.detach()}
        found |= {f"{name}_gradient": leaf.grad for name, leaf in leaves.items()}
        for name, tensor in more.items():
            found[name] = tensor.grad if tensor.requires_grad else tensor
        return found, output_gradient

    def add(self, case, function, leaves, fixed=None):
        """`leaves` are the tensors that have a gradient, `fixed` what else the layer needs."""
        found, output_gradient = self.run(function, leaves, torch.float64)
        single, _ = self.run(function, leaves, torch.float32, output_gradient)
        for name, tensor in found.items():
            condition = ((single[name] - tensor).abs().max() / tensor.abs().max()).item()
            self.worst = max(self.worst, (condition, f"{case}.{name}"))
            if not condition < CONDITION:
                raise SystemExit(f"{case}.{name}: float32 and float64 differ by {condition:.1e} of the largest entry")
        stored = {name: leaf.detach() for name, leaf in leaves.items()} | (fixed or {}) | found
        stored["output_gradient"] = output_gradient
        self.tensors |= {f"{case}.{name}": tensor for name, tensor in stored.items()}

    def sparse(self, case, mask, x, bias, apply):
        """A layer over a sparse matrix; `apply(x, dense matrix, bias)`."""
        layer = Layer(mask, self.generator, torch.float32, bias)

        def function(leaves, more):
            weight = leaves["values"].new_zeros(mask.shape).index_put((layer.rows, layer.cols), leaves["values"])
            weight.retain_grad()
            more["dense_gradient"] = weight
            return apply(leaves["x"], weight, leaves.get("bias"))

        leaves = {"x": x, "values": layer.values} | ({"bias": layer.bias} if bias else {})
        graph = {name.removeprefix("."): tensor for name, tensor in layer.graph("").items()}
        self.add(case, function, leaves, graph)


def awkward_mask(n_out, n_in, generator):
    """Irregular rows, the second empty, the fourth with a single connection (in the last column), the last dense."""
    mask = random_mask(n_out, n_in, 0.3, generator)
    mask[1] = False
    mask[3] = False
    mask[3, -1] = True
    mask[-1] = True
    return mask


def convolutions(cases):
    c_in, c_out = 3, 6
    for name, kernel, stride, padding, plane in CONVOLUTIONS:
        for bias in (False, True):

            def apply(x, weight, bias):
                return F.conv2d(x, weight.view(c_out, c_in, *kernel), bias, stride, padding)

            mask = awkward_mask(c_out, c_in * kernel[0] * kernel[1], cases.generator)
            x = cases.randn(BATCH, c_in, *plane)
            cases.sparse(name + "_bias" * bias, mask, x, bias, apply)


def token_linear(cases):
    for bias in (False, True):
        mask = awkward_mask(10, 12, cases.generator)
        cases.sparse("token_linear" + "_bias" * bias, mask, cases.randn(BATCH, 7, 12), bias, F.linear)


def batch_norms(cases):
    shape, channels = (BATCH, 3, 4, 5), 3
    for name, training, relu, residual in [
        ("batch_norm_train", True, False, False),
        ("batch_norm_train_relu", True, True, False),
        ("batch_norm_train_residual_relu", True, True, True),
        ("batch_norm_eval", False, False, False),
        ("batch_norm_eval_relu", False, True, False),
        ("batch_norm_eval_residual_relu", False, True, True),
    ]:

        def before_relu(leaves, more):
            # Copies: batch_norm updates them in place.
            mean = running["running_mean"].to(leaves["x"].dtype, copy=True)
            variance = running["running_variance"].to(leaves["x"].dtype, copy=True)
            y = F.batch_norm(leaves["x"], mean, variance, leaves["weight"], leaves["bias"], training, MOMENTUM, EPSILON)
            if training:
                more |= {"running_mean_after": mean, "running_variance_after": variance}
            return y + leaves["residual"] if residual else y

        def function(leaves, more):
            y = before_relu(leaves, more)
            return F.relu(y) if relu else y

        # As in make_fixtures.py: draw until no sum is near ReLU's kink.
        for _ in range(1000):
            # Channels that differ in mean and scale; the middle one's mean is 16 times its deviation.
            scale, offset = torch.tensor([1.0, 0.25, 2.0]), torch.tensor([0.5, 4.0, -1.0])
            leaves = {"x": cases.randn(*shape) * scale.view(3, 1, 1) + offset.view(3, 1, 1)}
            leaves["weight"] = 0.5 + torch.rand(channels, generator=cases.generator)
            leaves["bias"] = 0.5 * cases.randn(channels)
            running = {"running_mean": offset + 0.3 * cases.randn(channels)}
            running["running_variance"] = scale**2 * (0.5 + torch.rand(channels, generator=cases.generator))
            if residual:
                leaves["residual"] = cases.randn(*shape)
            if not relu or before_relu(leaves, {}).abs().min() > CLEARANCE:
                break
        else:
            raise SystemExit(f"{name}: no draw is clear of the kink")
        cases.add(name, function, leaves, running)


def layer_norm(cases):
    features = 12
    leaves = {"x": 2 * cases.randn(BATCH, 7, features) + cases.randn(BATCH, 7, 1)}
    leaves["weight"] = 0.5 + torch.rand(features, generator=cases.generator)
    leaves["bias"] = 0.5 * cases.randn(features)
    cases.add("layer_norm", lambda l, _: F.layer_norm(l["x"], (features,), l["weight"], l["bias"], EPSILON), leaves)


def gelu(cases):
    x = 2 * cases.randn(BATCH, 7, 12)
    x[0, 0] = torch.tensor([0, 1, -1, 3, -3, 5, -5, 8, -8, 1e-3, -1e-3, -0.75])  # -0.75: close to its smallest value
    cases.add("gelu", lambda l, _: F.gelu(l["x"]), {"x": x})


def pools(cases):
    def add(name, function, plane):
        while True:
            x = cases.randn(BATCH, 3, *plane)
            x[:, 0] -= 5  # one channel below zero throughout: padding must not win its maxima
            values = x.flatten().sort().values
            if (values[1:] > values[:-1]).all():  # ties would leave open where a maximum's gradient goes
                break
        cases.add(name, lambda l, _: function(l["x"]), {"x": x})

    add("max_pool_3x3_s2_p1", lambda x: F.max_pool2d(x, 3, 2, 1), (8, 7))
    add("max_pool_2x2", lambda x: F.max_pool2d(x, 2), (6, 8))
    add("max_pool_2x2_odd", lambda x: F.max_pool2d(x, 2), (7, 5))
    add("avg_pool_2x2", lambda x: F.avg_pool2d(x, 2), (6, 8))
    add("avg_pool_3x3_s2_p1", lambda x: F.avg_pool2d(x, 3, 2, 1), (8, 7))
    add("avg_pool_3x3_s2_p1_inside", lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False), (8, 7))
    add("global_average", lambda x: x.mean((2, 3)), (4, 5))
    cases.add("token_mean", lambda l, _: l["x"].mean(1), {"x": cases.randn(BATCH, 7, 12)})


def shortcuts(cases):
    for name, plane in [("shortcut", (6, 8)), ("shortcut_odd", (7, 5))]:
        cases.add(name, lambda l, _: functions.shortcut(l["x"], 2, 8), {"x": cases.randn(BATCH, 4, *plane)})


def attentions(cases):
    for name, heads, d, spread in [("attention_2x8", 2, 8, 1.0), ("attention_3x4_sharp", 3, 4, 3.0)]:
        leaves = {"x": spread * cases.randn(BATCH, 7, 3 * heads * d)}
        cases.add(name, lambda l, _: functions.attention(l["x"], heads), leaves)


def patches(cases):
    for name, patch in [("patchify_4", 4), ("patchify_2", 2)]:
        cases.add(name, lambda l, _: functions.patchify(l["x"], patch), {"x": cases.randn(BATCH, 3, 8, 12)})
    for h, w, dim in [(4, 3, 24), (2, 5, 16)]:
        cases.tensors[f"positions_{h}x{w}x{dim}"] = functions.positions(h, w, dim, torch.float64)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    out = parser.parse_args().out
    torch.set_num_threads(1)
    seed = 11
    cases = Cases(torch.Generator().manual_seed(seed))
    for layers in (convolutions, token_linear, batch_norms, layer_norm, gelu, pools, shortcuts, attentions, patches):
        layers(cases)
    print(f"layers: float32 differs by {cases.worst[0]:.1e} of the largest entry at most ({cases.worst[1]})")
    metadata = origin() | {"case": "layers", "seed": str(seed), "batch": str(BATCH)}
    write(out / "layers.safetensors", cases.tensors, metadata | {"epsilon": str(EPSILON), "norm_momentum": str(MOMENTUM)})


if __name__ == "__main__":
    main()
