#!/usr/bin/env python3
"""Write `resnet8.safetensors` and `vit2.safetensors`: whole sparse models, one pass and 20 steps, by PyTorch's autograd.

Run from anywhere: `python tests/parity/make_model_fixtures.py`. The rules are those of `make_fixtures.py`: drawn in float32,
computed in float64, stored as float32, no sparse operation. Seeds are tried in turn until no pre-activation comes near
ReLU's kink, neither in the single pass nor in any step of the training, and until float32 agrees with float64: in the pass,
and in `RERUNS` trainings from weights that differ by about their rounding, half of them with the samples in reverse order.
"""

import argparse
import pathlib

import torch
import torch.nn.functional as F

import functions
from make_fixtures import CONDITION, Layer, clustered, origin, random_mask, relative, sparsity, write

CLASSES = 10
DENSITY = 0.1
BATCH = 13  # of the single pass
BATCHES = [16, 16, 16, 16, 16, 11]  # of the training
STEPS = 20
SMOOTHING = 0.1
EPSILON, MOMENTUM = 1e-5, 0.1  # of the norms, PyTorch's defaults
# No pre-activation comes nearer to ReLU's kink than this, neither of the ResNet's 67,000 of a pass nor of the 1.5 million of
# the training: otherwise its gradient would be a matter of rounding, and so would all later steps.
PASS_CLEARANCE, TRAIN_CLEARANCE = 5e-5, 3e-6
DRIFT = 1e-5  # largest difference allowed, of the largest entry, between float64's and float32's state after the training
RERUNS = 12
ROUNDING = 3e-7  # relative size of the noise on a rerun's starting weights


class Norm:
    """Scale and shift of a layer or batch norm, and a batch norm's running statistics."""

    def __init__(self, features, generator, running):
        self.weight = (0.5 + torch.rand(features, generator=generator)).requires_grad_()
        self.bias = (0.2 * torch.randn(features, generator=generator)).requires_grad_()
        self.running = [torch.zeros(features), torch.ones(features)] if running else []

    def copy(self, dtype):
        other = object.__new__(Norm)
        other.weight = self.weight.detach().to(dtype, copy=True).requires_grad_()
        other.bias = self.bias.detach().to(dtype, copy=True).requires_grad_()
        other.running = [statistic.to(dtype, copy=True) for statistic in self.running]
        return other

    def __call__(self, x, training):
        if self.running:
            return F.batch_norm(x, *self.running, self.weight, self.bias, training, MOMENTUM, EPSILON)
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, EPSILON)


class Model:
    """Sparse layers and norms in order of execution; a forward pass takes one after the other from `next_layer`, `next_norm`."""

    shapes, biases, widths = [], [], []  # of each layer (n_out, n_in), whether it has a bias, each norm's features
    running = False
    image = (3, 1, 1)

    def __init__(self, generator):
        self.layers = [
            Layer(sparse_mask(*shape, generator), generator, torch.float32, bias)
            for shape, bias in zip(self.shapes, self.biases)
        ]
        self.norms = [Norm(features, generator, self.running) for features in self.widths]

    def copy(self, dtype):
        other = object.__new__(type(self))
        other.layers = [layer.copy(dtype) for layer in self.layers]
        other.norms = [norm.copy(dtype) for norm in self.norms]
        other.clearance = float("inf")  # the smallest distance of a pre-activation to ReLU's kink so far
        return other

    def parameters(self):
        layers = [p for layer in self.layers for p in (layer.values, layer.bias) if p is not None]
        return layers + [p for norm in self.norms for p in (norm.weight, norm.bias)]

    def __call__(self, x, training=True):
        self.training = training
        self.weights = []  # the dense matrix of every layer
        self.remaining_layers, self.remaining_norms = iter(self.layers), iter(self.norms)
        logits = self.forward(x)
        assert not [*self.remaining_layers, *self.remaining_norms]
        return logits

    def next_layer(self):
        layer = next(self.remaining_layers)
        self.weights.append(layer.dense())
        return self.weights[-1], layer.bias

    def norm(self, x):
        return next(self.remaining_norms)(x, self.training)

    def linear(self, x):
        return F.linear(x, *self.next_layer())

    def relu(self, x):
        self.clearance = min(self.clearance, x.detach().abs().min().item())
        return F.relu(x)


class ResNet8(Model):
    """The CIFAR form of He et al. (arXiv 1512.03385, section 4.2), one basic block a stage, half the channels."""

    name = "resnet8"
    image = (3, 12, 12)
    shapes = [(8, 27), (8, 72), (8, 72), (16, 72), (16, 144), (32, 144), (32, 288), (CLASSES, 32)]
    biases = [False] * 7 + [True]
    widths = [8, 8, 8, 16, 16, 32, 32]
    running = True
    lr = 0.05
    dense_gradients = [0, 3, 7]  # the layers whose dense gradient is stored

    def conv(self, x, stride=1):
        weight, bias = self.next_layer()
        return F.conv2d(x, weight.view(weight.shape[0], x.shape[1], 3, 3), bias, stride, 1)

    def forward(self, x):
        x = self.relu(self.norm(self.conv(x)))
        for channels, stride in [(8, 1), (16, 2), (32, 2)]:
            y = self.relu(self.norm(self.conv(x, stride)))
            y = self.norm(self.conv(y))
            x = self.relu(y + functions.shortcut(x, stride, channels))
        return self.linear(x.mean((2, 3)))


class ViT2(Model):
    """Simple ViT (arXiv 2205.01580): pre-norm, fixed positions, mean over the tokens; norms around the patches' layer."""

    name = "vit2"
    image = (3, 16, 16)
    patch, dim, heads = 4, 24, 2  # heads of 8 features, MLP of 32
    shapes = [(24, 48)] + [(48, 24), (24, 16), (32, 24), (24, 32)] * 2 + [(CLASSES, 24)]
    biases = [True] + [False, False, True, True] * 2 + [True]
    widths = [48, 24] + [24, 24] * 2 + [24]
    lr = 0.02
    dense_gradients = [1, 8]

    def forward(self, x):
        x = self.norm(functions.patchify(x, self.patch))
        x = self.norm(self.linear(x))
        side = self.image[1] // self.patch
        x = x + functions.positions(side, side, self.dim, x.dtype)
        for _ in range(2):
            x = x + self.linear(functions.attention(self.linear(self.norm(x)), self.heads))
            x = x + self.linear(F.gelu(self.linear(self.norm(x))))
        return self.linear(self.norm(x).mean(1))


def sparse_mask(n_out, n_in, generator):
    """Irregular rows, at least one of them empty."""
    mask = random_mask(n_out, n_in, DENSITY, generator)
    mask[torch.randint(0, n_out, (1,), generator=generator)] = False
    return mask


def loss_of(logits, labels):
    return F.cross_entropy(logits, labels, label_smoothing=SMOOTHING)


def one_pass(initial, x, labels, dtype):
    """Everything that one forward and backward pass yields, by name, and how near a pre-activation came to the kink."""
    model = initial.copy(dtype)
    x = x.to(dtype).requires_grad_()
    logits = model(x)
    for weight in model.weights:
        weight.retain_grad()
    loss = loss_of(logits, labels)
    loss.backward()
    found = {"logits": logits.detach(), "loss": loss.detach().reshape(1), "x_gradient": x.grad}
    for index, (layer, weight) in enumerate(zip(model.layers, model.weights)):
        assert torch.equal(weight.grad[layer.rows, layer.cols], layer.values.grad)
        found[f"layers.{index}.values_gradient"] = layer.values.grad
        if layer.bias is not None:
            found[f"layers.{index}.bias_gradient"] = layer.bias.grad
        if index in model.dense_gradients:
            found[f"layers.{index}.dense_gradient"] = weight.grad
    for index, norm in enumerate(model.norms):
        found |= {f"norms.{index}.weight_gradient": norm.weight.grad, f"norms.{index}.bias_gradient": norm.bias.grad}
    return found, model.clearance


def train(initial, batches, x, dtype, rerun=None):
    """`STEPS` steps of torch.optim.SGD: the losses, the clearance, and by name the trained model and its logits in eval mode."""
    model = initial.copy(dtype)
    permute = rerun is not None and rerun % 2 == 1  # the mean does not depend on the order; its rounding does
    if rerun is not None:
        generator = torch.Generator().manual_seed(rerun)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(1 + ROUNDING * torch.randn(parameter.shape, generator=generator))
    optimiser = torch.optim.SGD(model.parameters(), lr=model.lr, momentum=0.9, weight_decay=1e-4)
    losses = []
    for step in range(STEPS):
        inputs, labels = batches[step % len(batches)]
        if permute:
            inputs, labels = inputs.flip(0), labels.flip(0)
        optimiser.zero_grad()
        loss = loss_of(model(inputs.to(dtype)), labels)
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    clearance = model.clearance
    with torch.no_grad():
        found = {"eval_logits": model(x.to(dtype), training=False)}
    return torch.stack(losses), clearance, found | parameters(model)


def parameters(model):
    found = {}
    for index, layer in enumerate(model.layers):
        found[f"layers.{index}.values"] = layer.values.detach()
        if layer.bias is not None:
            found[f"layers.{index}.bias"] = layer.bias.detach()
    for index, norm in enumerate(model.norms):
        found |= {f"norms.{index}.weight": norm.weight.detach(), f"norms.{index}.bias": norm.bias.detach()}
        found |= zip([f"norms.{index}.running_mean", f"norms.{index}.running_variance"], norm.running)
    return found


def worst(found, expected):
    """The largest difference relative to its tensor's largest entry, and where."""
    return max(((found[n].double() - e).abs().max().item() / e.abs().max().item(), n) for n, e in expected.items())


def make(kind, path):
    for seed in range(10_000):
        generator = torch.Generator().manual_seed(seed)
        initial = kind(generator)
        count = BATCH + sum(BATCHES)
        inputs, labels = clustered(generator, count, torch.Size(kind.image).numel(), CLASSES)
        (x, *rest), (y, *targets) = inputs.view(count, *kind.image).split([BATCH, *BATCHES]), labels.split([BATCH, *BATCHES])
        batches = list(zip(rest, targets))

        found, clearance = one_pass(initial, x, y, torch.float64)
        if clearance < PASS_CLEARANCE:
            continue
        losses, clearance, trained = train(initial, batches, x, torch.float64)
        fell = (losses[-len(batches) :].mean() / losses[: len(batches)].mean()).item()
        if clearance < TRAIN_CLEARANCE or fell > 0.9:
            continue
        condition, where = worst(one_pass(initial, x, y, torch.float32)[0], found)
        reruns = [train(initial, batches, x, torch.float32, rerun) for rerun in range(RERUNS)]
        loss_condition = max(relative(rerun[0], losses) for rerun in reruns)
        drift, drifter = max(worst(rerun[2], trained) for rerun in reruns)
        print(
            f"{path.stem} seed {seed}: clearance {clearance:.1e}; float32 differs by {condition:.1e} in one pass ({where}), "
            f"{loss_condition:.1e} in the losses, {drift:.1e} in the trained model ({drifter}); "
            f"loss {losses[0]:.4f} -> {losses[-1]:.4f}, a batch's by {1 - fell:.0%}"
        )
        if condition < CONDITION and loss_condition < CONDITION and drift < DRIFT:
            break
    else:
        raise SystemExit(f"{path.stem}: no seed is clear of the kinks and well conditioned")

    tensors = parameters(initial) | found | {"x": x, "labels": y.int(), "trained.losses": losses}
    for index, layer in enumerate(initial.layers):
        tensors |= layer.graph(f"layers.{index}")
    tensors |= {f"trained.{name}": tensor for name, tensor in trained.items()}
    for index, (inputs, targets) in enumerate(batches):
        tensors |= {f"batches.{index}.x": inputs, f"batches.{index}.labels": targets.int()}
    metadata = origin() | {
        "case": kind.name,
        "seed": str(seed),
        "sparsity": f"{sparsity(initial.layers):.4f}",
        "label_smoothing": str(SMOOTHING),
        "lr": str(kind.lr),
        "momentum": "0.9",
        "weight_decay": "0.0001",
        "steps": str(STEPS),
        "batches": str(len(batches)),
        "epsilon": str(EPSILON),
        "norm_momentum": str(MOMENTUM),
    }
    write(path, tensors, metadata)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    out = parser.parse_args().out
    torch.set_num_threads(1)
    for kind in (ResNet8, ViT2):
        make(kind, out / f"{kind.name}.safetensors")


if __name__ == "__main__":
    main()
