#!/usr/bin/env python3
"""PyTorch on the products and training steps that rootlet does: one JSON object a line, each as soon as it is measured.

    python torch_side.py products --n 4096 --sparsity 0.9,0.98,0.99
    python torch_side.py steps --model resnet56 [--compile]

A case that fails is a line with its `error`, and the next one begins. Times are medians of calls between two events of
the device, many calls a sample.
"""

import argparse
import json
import statistics
import time
import warnings

import torch
import torch.nn.functional as F

import models

warnings.filterwarnings("ignore")
CLASSES, FEATURES = 10, 3072
PRECISIONS = ("fp32", "tf32", "bf16")


def emit(**line):
    print(json.dumps(line), flush=True)


def guarded(work, **case):
    """Prints the result of `work` for a case, or why there is none."""
    try:
        emit(**case, **work())
    except Exception as error:
        emit(**case, error=f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}")
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def precision(name):
    """Whether float32 products may round their inputs to TF32."""
    tf32 = name == "tf32"
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    try:
        torch.backends.cudnn.allow_tf32 = tf32
    except RuntimeError:  # versions that know only the newer setting
        torch.backends.cudnn.conv.fp32_precision = "tf32" if tf32 else "ieee"


class Clock:
    def __init__(self, device, budget):
        self.cuda, self.budget = device.type == "cuda", budget

    def sample(self, call, count):
        """Seconds of a call, of `count` one after the other."""
        if not self.cuda:
            begin = time.perf_counter()
            for _ in range(count):
                call()
            return (time.perf_counter() - begin) / count
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda.synchronize()
        start.record()
        for _ in range(count):
            call()
        end.record()
        end.synchronize()
        return start.elapsed_time(end) / 1e3 / count

    def measure(self, call):
        for _ in range(2):
            call()
        once = self.sample(call, 1)
        count = max(1, min(1000, int(min(0.02, self.budget / 4) / max(once, 1e-7))))
        taken, begin = [], time.perf_counter()
        while len(taken) < 3 or (len(taken) < 51 and time.perf_counter() - begin < self.budget):
            taken.append(self.sample(call, count))
        q1, median, q3 = statistics.quantiles(taken, n=4, method="inclusive")
        return {"seconds": median, "spread": {"min": min(taken), "q1": q1, "q3": q3, "max": max(taken), "samples": len(taken)}}


def about(_options, device):
    line = {"case": "about", "torch": torch.__version__, "cuda": torch.version.cuda, "device": str(device)}
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        line.update(name=properties.name, memory=properties.total_memory, capability=[properties.major, properties.minor])
        torch.zeros(1, device=device)  # fails here, if it does
    emit(**line)


def random_graph(n, density, device):
    """Rows, columns and row offsets of random connections, each pair with the same probability, by rows."""
    at_a_time = max(1, (1 << 26) // n)
    rows, cols = [], []
    for first in range(0, n, at_a_time):
        chosen = torch.rand(min(at_a_time, n - first), n, device=device) < density
        row, col = chosen.nonzero(as_tuple=True)
        rows.append(row + first)
        cols.append(col)
    return torch.cat(rows), torch.cat(cols)


def csr(rows, cols, values, n):
    offsets = torch.zeros(n + 1, dtype=torch.int64, device=rows.device)
    offsets[1:] = torch.bincount(rows, minlength=n).cumsum(0)
    return torch.sparse_csr_tensor(offsets.int(), cols.int(), values, size=(n, n))


def relative(found, expected):
    return ((found.float() - expected).abs().max() / expected.abs().max()).item()


def products(options, device):
    clock, batch = Clock(device, options.seconds), options.batch
    for n in options.n:
        x, delta = torch.randn(n, batch, device=device), torch.randn(n, batch, device=device)
        for sparsity in options.sparsity:
            sparse_products(clock, n, sparsity, x, delta)
        dense_products(clock, n, x, delta)


def sparse_products(clock, n, sparsity, x, delta):
    precision("fp32")
    case = {"case": "product", "n": n, "batch": x.shape[1], "sparsity": sparsity}
    try:
        rows, cols = random_graph(n, 1 - sparsity, x.device)
        values = torch.randn(rows.numel(), device=x.device)
        forward = csr(rows, cols, values, n)
        order = torch.argsort(cols * n + rows)
        transposed = csr(cols[order], rows[order], values[order], n)
        checked = torch.zeros(n, n, device=x.device).index_put_((rows, cols), values) if n <= 8192 else None
    except Exception as error:
        emit(**case, error=f"no such layer: {str(error).splitlines()[0]}")
        return
    operations = 2 * rows.numel() * x.shape[1]

    def of(call, expected):
        def work():
            found = {"connections": rows.numel(), **clock.measure(call)}
            if checked is not None:
                found["max_error"] = relative(call(), expected())
            return {**found, "gflop_s": operations / found["seconds"] / 1e9}

        return work

    sampled = lambda: torch.sparse.sampled_addmm(forward, delta, x.t(), beta=0.0)
    guarded(of(lambda: forward @ x, lambda: checked @ x), **case, kernel="spmm", variant="csr")
    guarded(of(lambda: transposed @ delta, lambda: checked.t() @ delta), **case, kernel="spmm_transposed", variant="csr")
    guarded(
        of(lambda: sampled().values(), lambda: (delta @ x.t())[rows, cols]), **case, kernel="sddmm", variant="sampled_addmm"
    )


def dense_products(clock, n, x, delta):
    for name in PRECISIONS:
        dtype = torch.bfloat16 if name == "bf16" else torch.float32

        def work(kind):
            precision(name)
            a, b = x.to(dtype), delta.to(dtype)
            weight = torch.randn(n, n, device=x.device, dtype=dtype) if kind != "dense_gradient" else None
            call = {
                "dense": lambda: weight @ a,
                "dense_transposed": lambda: weight.t() @ b,
                "dense_gradient": lambda: b @ a.t(),
            }[kind]
            found = clock.measure(call)
            return {**found, "gflop_s": 2 * n * n * x.shape[1] / found["seconds"] / 1e9}

        for kind in ("dense", "dense_transposed", "dense_gradient"):
            guarded(lambda: work(kind), case="product", kernel=kind, variant=name, n=n, batch=x.shape[1], sparsity=0.0)


def build(name, width):
    """A model for 32×32 images of 10 classes, and whether it takes flat vectors."""
    if name != "mlp":
        return models.MODELS[name][1](CLASSES), False
    sizes = [FEATURES, width, width, CLASSES]
    layers = []
    for n_in, n_out in zip(sizes, sizes[1:]):
        layers += [models.Linear(n_in, n_out), torch.nn.ReLU(inplace=True)]
    return torch.nn.Sequential(*layers[:-1]), True


def put_masks(model, sparsity):
    """Erdős–Rényi as rootlet divides connections: one scale times inputs + outputs, clipped to dense."""
    layers = models.layers(model)
    shapes = [(layer.weight.shape[0], layer.weight[0].numel()) for layer in layers]
    wanted = (1 - sparsity) * sum(a * b for a, b in shapes)
    scale = wanted / sum(a + b for a, b in shapes)
    total = 0
    for layer, (n_out, n_in) in zip(layers, shapes):
        count = min(n_out * n_in, max(1, round(scale * (n_out + n_in))))
        mask = torch.zeros(n_out * n_in)
        mask[torch.randperm(n_out * n_in)[:count]] = 1
        layer.mask = mask.view_as(layer.weight)
        total += count
    return total


def variants(compiled, cuda):
    """(name, masked, precision, how it is run)"""
    if compiled:
        return [("masked tf32, compiled", True, "tf32", "compile"), ("dense tf32, compiled", False, "tf32", "compile")]
    plain = [(f"masked {name}", True, name, "eager") for name in (PRECISIONS if cuda else ("fp32",))]
    graphs = [
        ("masked tf32, CUDA graph", True, "tf32", "graph"),
        ("masked bf16, CUDA graph", True, "bf16", "graph"),
        ("dense tf32, CUDA graph", False, "tf32", "graph"),
    ]
    return plain + (graphs if cuda else [("dense fp32", False, "fp32", "eager")])


def steps(options, device):
    clock = Clock(device, options.seconds)
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True
    for name in options.model:
        for variant, masked, kind, how in variants(options.compile, device.type == "cuda"):
            guarded(
                lambda: training_step(name, masked, kind, how, options, clock, device),
                case="step",
                model=name if name != "mlp" else f"{FEATURES}-{options.hidden}-{options.hidden}-{CLASSES}",
                variant=variant,
                batch=options.batch,
                sparsity=options.step_sparsity,
            )


def training_step(name, masked, kind, how, options, clock, device):
    """Forward, loss, backward, SGD with momentum on a batch in place; images and weights channels last."""
    torch.manual_seed(1)
    precision(kind)
    model, flat = build(name, options.hidden)
    connections = put_masks(model, options.step_sparsity) if masked else sum(p.weight.numel() for p in models.layers(model))
    model = model.to(device).train()
    x = torch.randn(options.batch, FEATURES) if flat else torch.randn(options.batch, 3, 32, 32)
    x, labels = x.to(device), torch.randint(0, CLASSES, (options.batch,), device=device)
    if not flat and not name.startswith("simple-vit"):
        model, x = model.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4, fused=device.type == "cuda" or None)
    network = torch.compile(model) if how == "compile" else model

    def step():
        optimiser.zero_grad(set_to_none=True)
        # Weights are cast again in each step; a cache of them would outlive a captured one.
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=kind == "bf16", cache_enabled=how != "graph"):
            loss = F.cross_entropy(network(x), labels)
        loss.backward()
        optimiser.step()
        return loss

    call = captured(step) if how == "graph" else step
    first = call().item()
    found = clock.measure(call)
    last = call().item()
    return {"connections": connections, "losses": [first, last], **found}


def captured(step):
    """A step as one CUDA graph, which is replayed without PyTorch's own work between the kernels."""
    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        loss = step()

    def replay():
        graph.replay()
        return loss

    return replay


def numbers(kind):
    return lambda text: [kind(part) for part in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("case", choices=["about", "products", "steps"])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--n", type=numbers(int), default=[4096])
    parser.add_argument("--sparsity", type=numbers(float), default=[0.9, 0.98, 0.99])
    parser.add_argument("--model", type=numbers(str), default=["resnet56"])
    parser.add_argument("--hidden", type=int, default=4096)
    parser.add_argument("--step-sparsity", type=float, default=0.98)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--compile", action="store_true", help="steps: through torch.compile alone")
    options = parser.parse_args()
    {"about": about, "products": products, "steps": steps}[options.case](options, torch.device(options.device))


if __name__ == "__main__":
    main()
