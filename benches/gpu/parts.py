"""The parts, the most important first."""

import json
import os
import subprocess

from running import Part

HERE = os.path.dirname(os.path.abspath(__file__))


class Sizes:
    """What is measured, and how long each measurement takes."""

    def __init__(self, small):
        self.first, self.others = (256, [64]) if small else (4096, [1024, 16384])
        self.sparsities = [0.9, 0.98] if small else [0.9, 0.98, 0.99]
        self.models = ["resnet20"] if small else ["resnet56", "resnet20", "vgg16-small", "simple-vit-tiny"]
        self.hidden = 64 if small else 4096
        self.batch = 8 if small else 128
        self.seconds = 0.01 if small else 0.1
        self.patience = 3 if small else 1  # software adapters are slow


def all_parts(options, found):
    """Every part, in order; later parts use the results of earlier ones."""
    sizes = Sizes(options.small)
    sides = [Rootlet(options, sizes, found), Torch(options, sizes, found)]
    ours, theirs = sides
    planned = [ours.adapters(), theirs.about(), ours.verify(), ours.bench("ceilings", ["--only", "ceilings"], 60)]
    planned += [ours.products(sizes.first), theirs.products(sizes.first)]
    for name in [sizes.models[0], "mlp", *sizes.models[1:]]:
        planned += [ours.step(name), theirs.step(name)]
    for n in sizes.others:
        planned += [ours.products(n), theirs.products(n)]
    planned += [ours.bench("products dense", ["--only", "dense", "--sizes", str(sizes.first), "--batch", str(sizes.batch)], 60)]
    planned += ours.where_there("crossover", lambda: [ours.bench("crossover", ["--only", "crossover"], 90)])
    planned += ours.where_there("--tune", lambda: ours.variants("tune", ["off"]))
    planned += ours.where_there("--activations", lambda: ours.variants("activations", ["bf16", "f16"]))
    planned += [theirs.step(name, compiled=True) for name in (sizes.models[0], "mlp")]
    return planned


def read_json(base):
    with open(base + ".json") as file:
        return json.load(file)


def read_lines(base):
    """The JSON objects among the lines of standard output."""
    with open(base + ".out", errors="replace") as lines:
        found = []
        for line in lines:
            if line.startswith("{"):
                try:
                    found.append(json.loads(line))
                except ValueError:  # the last one, if the part was stopped
                    pass
        return found


class Rootlet:
    """Our side."""

    def __init__(self, options, sizes, found):
        self.options, self.sizes, self.found = options, sizes, found
        self.help = self.told(["bench", "--help"])

    def told(self, arguments):
        try:
            done = subprocess.run([self.options.rootlet, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20)
            return done.stdout.decode("utf-8", "replace")
        except (OSError, subprocess.SubprocessError):
            return ""

    def quick(self):
        return ["--quick"] if self.options.small else []

    def where_there(self, word, make):
        """Parts for which the binary has a flag or a name."""
        return make() if word in self.help else []

    def adapter(self):
        return self.options.adapter or "auto"

    def needs_gpu(self):
        """Without a GPU there is nothing to measure, unless an adapter was named."""
        if self.options.adapter or self.options.small:
            return None
        chosen = [a for a in self.found.result("adapters") or [] if a.get("chosen")]
        if not chosen:
            return "rootlet lists no adapters"
        if chosen[0].get("name") == "cpu":
            return "rootlet finds no GPU (`rootlet adapters`); name one with --adapter to measure another adapter"
        return None

    def nothing_to_verify(self):
        if self.adapter() == "cpu":
            return "the CPU executor is what others are compared with"
        return self.needs_gpu()

    def adapters(self):
        return Part("adapters", [self.options.rootlet, "adapters", "--json"], read_lines, 30)

    def verify(self):
        command = [self.options.rootlet, "verify", "--json", "--adapter", self.adapter(), *self.quick()]
        return Part("verify", command, lambda base: read_lines(base)[0], 75, self.nothing_to_verify)

    def bench(self, name, arguments, limit):
        """`rootlet bench`: measurements that other work disturbed are kept, and marked."""
        command = [self.options.rootlet, "bench", "--adapter", self.adapter(), "--seconds", str(self.sizes.seconds)]
        command += ["--keep-doubtful", "--json", "{base}.json", *self.quick(), *arguments]
        return Part(name, command, read_json, limit * self.sizes.patience, self.needs_gpu)

    def products(self, n, more=(), name=None):
        arguments = ["--only", "spmm,spmm_transposed,sddmm", "--sizes", str(n), "--batch", str(self.sizes.batch)]
        # Making a layer of tens of millions of connections takes the host some time.
        arguments += ["--sparsities", ",".join(map(str, self.sizes.sparsities)), "--limit", "30", *more]
        return self.bench(name or f"products {n}", arguments, 90)

    def step(self, model, more=(), name=None):
        arguments = ["--models", model] if model != "mlp" else ["--only", "step", "--hidden", str(self.sizes.hidden)]
        return self.bench(name or f"step {model}", [*arguments, "--batch", str(self.sizes.batch), *more], 60)

    def variants(self, flag, values):
        """The first products and steps again, with another value of a flag."""
        parts = []
        for value in values:
            more = ["--" + flag, value]
            parts.append(self.step(self.sizes.models[0], more, f"step {self.sizes.models[0]}, {flag} {value}"))
            parts.append(self.products(self.sizes.first, more, f"products {self.sizes.first}, {flag} {value}"))
        return parts


class Torch:
    """PyTorch's side."""

    def __init__(self, options, sizes, found):
        self.options, self.sizes, self.found = options, sizes, found

    def part(self, name, arguments, limit, needs):
        command = [self.options.python, os.path.join(HERE, "torch_side.py"), *arguments, "--device", self.options.torch_device]
        return Part(name, command, read_lines, limit, needs)

    def about(self):
        return self.part("torch", ["about"], 60, None)

    def missing(self):
        if self.found.status("torch") == "done":
            return None
        return "PyTorch does not run here on " + self.options.torch_device

    def products(self, n):
        arguments = ["products", "--n", str(n), "--sparsity", ",".join(map(str, self.sizes.sparsities))]
        return self.part(f"torch products {n}", arguments + self.common(), 60, self.missing)

    def step(self, model, compiled=False):
        name = f"torch step {model}" + (", compiled" if compiled else "")
        arguments = ["steps", "--model", model, "--hidden", str(self.sizes.hidden)] + (["--compile"] if compiled else [])
        return self.part(name, arguments + self.common(), 120 if compiled else 60, self.missing)

    def common(self):
        return ["--batch", str(self.sizes.batch), "--seconds", str(self.sizes.seconds)]
