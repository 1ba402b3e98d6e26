#!/usr/bin/env python3
"""Times PyTorch and SciPy on the products and training steps that rootlet does, each result checked first.

    python peers.py --case all --n 4096 --batch 128 --sparsity 0.98,0.99 --threads 2 --json peers.json
"""

import argparse
import json
import os
import platform
import sys
import warnings

import scipy
import torch

import kernels
import model_steps
import steps
from shared import models


def numbers(kind):
    return lambda text: [kind(part) for part in text.split(",")]


def cpu_name():
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def identity(threads):
    return {
        "torch": torch.__version__,
        "scipy": scipy.__version__,
        "python": platform.python_version(),
        "threads": threads,
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "mkl": torch.backends.mkl.is_available(),
        "load_average": os.getloadavg()[0],
    }


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cases = [*kernels.CASES, "step", "model-step", "all"]
    parser.add_argument("--case", choices=cases, default="all", help="all: without model-step")
    parser.add_argument("--model", type=numbers(str), default=["resnet20"], help=f"model-step: of {','.join(models.MODELS)}")
    parser.add_argument("--classes", type=int, help="model-step: 10, or 1000 for images of 224 pixels, unless told")
    parser.add_argument("--n", type=numbers(int), default=[4096], help="units (the hidden width for a step); a list")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--sparsity", type=numbers(float), default=[0.98], help="a list")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeats", type=int, default=30, help="timed calls at most")
    parser.add_argument("--seconds", type=float, default=3.0, help="time for one variant, after which fewer repeats do")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-dense", dest="dense", action="store_false", help="kernels: leave the dense product out")
    parser.add_argument("--no-sparse", dest="sparse", action="store_false", help="kernels: the dense product alone")
    parser.add_argument(
        "--variants",
        type=numbers(str),
        help=f"steps: some of {','.join(steps.VARIANTS)}; model-step: some of {','.join(model_steps.VARIANTS)}",
    )
    parser.add_argument("--assignment", choices=["erdos-renyi", "uniform"], default="erdos-renyi")
    parser.add_argument("--connections", type=numbers(int), help="steps: connections of each layer, instead of assigning")
    parser.add_argument("--weight-decay", type=float, default=0.0)
    parser.add_argument("--json", metavar="FILE", help="write the results here (- for standard output)")
    options = parser.parse_args()
    for sparsity in options.sparsity:
        if not 0 <= sparsity < 1:
            parser.error(f"--sparsity {sparsity}: must be at least 0 and below 1")
    known = model_steps.VARIANTS if options.case == "model-step" else steps.VARIANTS
    for variant in options.variants or []:
        if variant not in known:
            parser.error(f"--variants {variant}: unknown; one of {', '.join(known)}")
    for model in options.model:
        if model not in models.MODELS:
            parser.error(f"--model {model}: unknown; one of {', '.join(models.MODELS)}")
    return options


def main():
    options = parse()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)  # repeated steps on one batch must not slow down as its gradients vanish
    warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
    peer = identity(options.threads)
    results = {
        "schema": 2,
        "code": {"name": "pytorch", "version": peer["torch"], "sources": ""},
        "adapter": {
            "name": peer["cpu"],
            "backend": "cpu",
            "device_type": "cpu",
            "driver": f"PyTorch {peer['torch']}, {options.threads} threads, {peer['capability']}",
        },
        "peer": peer,
        "kernels": [],
        "steps": [],
        "models": [],
    }
    say = sys.stderr if options.json == "-" else sys.stdout
    for n in options.n:
        for sparsity in options.sparsity:
            for kernel in kernels.CASES:
                if options.case in (kernel, "all"):
                    found = kernels.run(kernel, n, options.batch, sparsity, options)
                    results["kernels"] += found
                    for r in found:
                        print(
                            f"{kernel:16} {r['variant']:26} n={n} batch={options.batch} sparsity={sparsity} "
                            f"{r['seconds'] * 1e3:9.3f} ms (min {r['seconds_spread']['min'] * 1e3:.3f}) "
                            f"{r['gflop_s']:7.1f} GFLOP/s error {r['max_error']:.0e}",
                            file=say,
                            flush=True,
                        )
            if options.case in ("step", "all"):
                found = steps.run(n, options.batch, sparsity, options)
                results["steps"] += found
                for r in found:
                    print(
                        f"step             {r['variant']:26} {r['model']} batch={options.batch} sparsity={sparsity} "
                        f"{r['seconds'] * 1e3:9.3f} ms (min {r['seconds_spread']['min'] * 1e3:.3f}) "
                        f"{r['state_bytes'] / 2**20:7.1f} MiB error {r['max_error']:.0e}",
                        file=say,
                        flush=True,
                    )
    if options.case == "model-step":
        for model in options.model:
            for sparsity in options.sparsity:
                for r in model_steps.run(model, options.batch, sparsity, options):
                    results["models"].append(r)
                    print(
                        f"step             {r['variant']:26} {r['model']} batch={options.batch} sparsity={sparsity} "
                        f"{r['seconds'] * 1e3:9.3f} ms (min {r['seconds_spread']['min'] * 1e3:.3f}) "
                        f"{r['state_bytes'] / 2**20:7.1f} MiB + {r['activation_bytes'] / 2**20:.1f} MiB activations "
                        f"error {r['max_error']:.0e}",
                        file=say,
                        flush=True,
                    )
    if options.json == "-":
        json.dump(results, sys.stdout, indent=1)
    elif options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
