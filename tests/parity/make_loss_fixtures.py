#!/usr/bin/env python3
"""Write `losses.safetensors` and `mixed.safetensors`: losses of whole batches, by PyTorch's autograd, and
`metrics.safetensors`, by scikit-learn.

Run from anywhere: `python tests/parity/make_loss_fixtures.py`. The rules are those of `make_fixtures.py`: drawn in float32,
computed in float64, stored as float32. A float32 run of every loss shows how well it is conditioned; the script stops if
that is worse than `CONDITION`.
"""

import argparse
import pathlib

import sklearn
import sklearn.metrics as sk
import torch
import torch.nn.functional as F

from make_fixtures import CONDITION, origin, write

# Samples and outputs: one of each, an odd batch, and more outputs than a workgroup has invocations.
SIZES = [(1, 1), (13, 3), (65, 67)]
DELTAS = [1.0, 0.3]
SMOOTHING = [0.0, 0.1]


def losses(n, outputs, generator):
    """Every loss of one size: inputs, targets, weights, and by loss its value and its gradient."""
    randn = lambda *shape: torch.randn(*shape, generator=generator)
    x = 3.0 * randn(n, outputs)
    x[0, 0] = 40.0  # where an exponential of the logit would leave half precision, and a sigmoid rounds to 1
    if n > 1:
        x[1, -1] = -40.0
    values = 2.0 * randn(n, outputs)
    flags = (torch.rand(n, outputs, generator=generator) < 0.3).float()
    labels = torch.randint(0, outputs, (n,), generator=generator)
    positive = 0.25 + 4.0 * torch.rand(outputs, generator=generator)
    of_class = 0.1 + 3.0 * torch.rand(outputs, generator=generator)
    inputs = {"x": x, "values": values, "flags": flags, "positive": positive, "class_weights": of_class}
    functions = {
        "mse": lambda x, t: F.mse_loss(x, t(values)),
        "bce": lambda x, t: F.binary_cross_entropy_with_logits(x, t(flags)),
        "bce_positive": lambda x, t: F.binary_cross_entropy_with_logits(x, t(flags), pos_weight=t(positive)),
        "cross_entropy_weighted": lambda x, t: F.cross_entropy(x, labels, weight=t(of_class)),
    }
    for delta in DELTAS:
        functions[f"huber_{delta}"] = lambda x, t, delta=delta: F.huber_loss(x, t(values), delta=delta)
    return dict(inputs) | {"labels": labels.int()} | differentiated(x, functions)


def mixed(n, outputs, generator):
    """Cross-entropy against two classes, one of them with a share of at most a half, with label smoothing."""
    x = 3.0 * torch.randn(n, outputs, generator=generator)
    labels, others = torch.randint(0, outputs, (2, n), generator=generator)
    shares = 0.5 * torch.rand(n, generator=generator)
    shares[0] = 0.0
    one_hot = lambda labels: F.one_hot(labels, outputs).double()
    parts = (1.0 - shares.double())[:, None] * one_hot(labels) + shares.double()[:, None] * one_hot(others)
    functions = {
        f"mixed_{smoothing}": lambda x, t, smoothing=smoothing: F.cross_entropy(x, t(parts), label_smoothing=smoothing)
        for smoothing in SMOOTHING
    }
    inputs = {"x": x, "labels": labels.int(), "others": others.int(), "shares": shares}
    return inputs | differentiated(x, functions)


def differentiated(x, functions):
    """By function its value and its gradient at x."""
    found = {}
    n, outputs = x.shape
    for name, function in functions.items():
        runs = []
        for dtype in (torch.float64, torch.float32):
            leaf = x.detach().to(dtype).clone().requires_grad_()
            loss = function(leaf, lambda tensor: tensor.to(dtype))
            loss.backward()
            runs.append((loss.detach().reshape(1), leaf.grad))
        for double, single in zip(*runs):
            condition = ((single - double).abs().max() / double.abs().max().clamp(min=1e-30)).item()
            if double.abs().max() > 1e-12 and not condition < CONDITION:
                raise SystemExit(f"{name}, {n} x {outputs}: float32 and float64 differ by {condition:.1e}")
        found[f"{name}.loss"], found[f"{name}.gradient"] = runs[0]
    return found


def one_class(n, classes, generator):
    """Samples of one class each, a class that no sample has among them."""
    labels = torch.randint(0, classes - 1, (n,), generator=generator)
    logits = torch.randn(n, classes, generator=generator)
    logits[torch.arange(n), labels] += 1.0
    told, own = logits.argmax(1).numpy(), labels.numpy()
    probabilities = logits.double().softmax(1).numpy()
    areas = [sk.roc_auc_score(own == c, probabilities[:, c]) for c in range(classes - 1)]
    return {
        "outputs": logits,
        "labels": labels.int(),
        "accuracy": sk.accuracy_score(own, told),
        "top-5": sk.top_k_accuracy_score(own, probabilities, k=5, labels=range(classes)),
        "balanced-accuracy": sk.balanced_accuracy_score(own, told),
        "macro-F1": sk.f1_score(own, told, average="macro"),
        "AUC": sum(areas) / len(areas),
    }


def several_classes(n, classes, generator):
    """Samples with several classes each, one that never applies, and outputs that are equal."""
    flags = (torch.rand(n, classes, generator=generator) < 0.3).float()
    flags[:, -1] = 0.0
    logits = torch.randn(n, classes, generator=generator) + flags - 0.5
    logits = (4.0 * logits).round() / 4.0 + 0.125
    told, own = (logits > 0).numpy(), flags.numpy() > 0.5
    order = logits.sort(dim=1, descending=True, stable=True).indices
    at = lambda k: flags.gather(1, order[:, :k]).double().mean().item()
    areas = [sk.roc_auc_score(own[:, c], logits[:, c]) for c in range(classes - 1)]
    return {
        "outputs": logits,
        "flags": flags,
        "P@1": at(1),
        "P@3": at(3),
        "P@5": at(5),
        "exact-match": sk.accuracy_score(own, told),
        "macro-F1": sk.f1_score(own, told, average="macro", zero_division=0),
        "AUC": sum(areas) / len(areas),
    }


def numbers(n, values, generator):
    """Samples of numbers far from zero, of different spreads."""
    spread = torch.logspace(-2, 2, values)
    targets = 1000.0 * spread + spread * torch.randn(n, values, generator=generator)
    outputs = targets + 0.4 * spread * torch.randn(n, values, generator=generator)
    told, own = outputs.double().numpy(), targets.double().numpy()
    return {
        "outputs": outputs,
        "values": targets,
        "RMSE": sk.root_mean_squared_error(own, told),
        "MAE": sk.mean_absolute_error(own, told),
        "R2": sk.r2_score(own, told),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    out = parser.parse_args().out
    torch.set_num_threads(1)
    seed = 13
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for n, outputs in SIZES:
        tensors |= {f"{n}x{outputs}.{name}": t for name, t in losses(n, outputs, generator).items()}
    write(out / "losses.safetensors", tensors, origin() | {"case": "losses", "seed": str(seed)})
    tensors = {}
    own = torch.Generator().manual_seed(seed + 1)
    for n, outputs in SIZES:
        tensors |= {f"{n}x{outputs}.{name}": t for name, t in mixed(n, outputs, own).items()}
    write(out / "mixed.safetensors", tensors, origin() | {"case": "mixed", "seed": str(seed + 1)})
    tensors = {}
    for case, found in [
        ("labels", one_class(203, 9, generator)),
        ("flags", several_classes(101, 7, generator)),
        ("values", numbers(97, 3, generator)),
    ]:
        for name, value in found.items():
            tensor = value if torch.is_tensor(value) else torch.tensor([value], dtype=torch.float64)
            tensors[f"{case}.{name}"] = tensor
    metadata = origin() | {"case": "metrics", "seed": str(seed), "scikit-learn": sklearn.__version__}
    write(out / "metrics.safetensors", tensors, metadata)


if __name__ == "__main__":
    main()
