"""Whole training steps of convolutional networks and vision transformers: forward, loss, backward, SGD with momentum.

Variants: `masked` (weight * mask through autograd, as the literature simulates sparsity) and `dense` (no mask); each also with
`_channels_last`, the memory format that convolutions may be faster in, and with `_fused`, PyTorch's fused optimiser.

Before it is timed, every variant takes three small steps from the same weights, without dropout and on a part of the batch,
and is compared with a float64 run of `masked` (`dense` with one of `dense`): the losses as everything else here, and the
change of all weights, in the Euclidean norm, to `CHANGE`. Single weights differ by more, and larger steps drift apart: in
float32 some pre-activations of a deep network lie on the other side of ReLU's kink, and some maxima elsewhere in their window.
"""

import numpy
import torch
import torch.nn.functional as F

from shared import models
from graph import assign, random_csr
from timing import error, measure, require

CHECKED_STEPS, CHECKED_BATCH, CHECKED_RATE = 3, 16, 1e-4
CHANGE = 0.1
VARIANTS = [
    kind + layout + optimiser
    for kind in ("masked", "dense")
    for layout in ("", "_channels_last")
    for optimiser in ("", "_fused")
]


class Problem:
    """A model's connections, its first weights, and one batch."""

    def __init__(self, name, batch, sparsity, options):
        side, self.build = models.MODELS[name]
        self.classes = options.classes or (1000 if side == 224 else 10)
        torch.manual_seed(options.seed)
        self.model = self.build(self.classes)
        layers = models.layers(self.model)
        self.shapes = [(layer.weight.shape[0], layer.weight[0].numel()) for layer in layers]
        self.counts = options.connections or assign(self.shapes, sparsity, options.assignment)
        if len(self.counts) != len(self.shapes):
            raise SystemExit(f"--connections needs {len(self.shapes)} numbers, one for each layer of {name}")
        rng = numpy.random.default_rng(options.seed)
        self.masks = []
        for layer, (n_out, n_in), count in zip(layers, self.shapes, self.counts):
            crow, cols = random_csr(n_out, n_in, count, rng)
            rows = numpy.repeat(numpy.arange(n_out), numpy.diff(crow))
            mask = torch.zeros(n_out, n_in)
            mask[torch.from_numpy(rows), torch.from_numpy(cols.astype(numpy.int64))] = 1
            # Unit variance at every output, as rootlet starts: bounds from the actual number of inputs.
            bound = (3 / mask.sum(1, keepdim=True).clamp(min=1)).sqrt()
            with torch.no_grad():
                weight = (torch.rand(n_out, n_in) * 2 - 1) * bound * mask
                layer.weight.copy_(weight.view_as(layer.weight))
                if layer.bias is not None:
                    layer.bias.copy_((torch.rand(n_out) * 2 - 1) * bound[:, 0])
            self.masks.append(mask.view_as(layer.weight).contiguous())
        self.x = torch.randn(batch, 3, side, side)
        self.labels = torch.randint(0, self.classes, (batch,))
        self.lr, self.momentum, self.weight_decay = 0.01, 0.9, options.weight_decay


class Trainer:
    """Autograd over dense weights, with 0/1 masks or without."""

    def __init__(self, problem, variant, dtype=torch.float32, check=False):
        self.model = problem.build(problem.classes)
        self.model.load_state_dict(problem.model.state_dict())
        self.layers = models.layers(self.model)
        self.masks = [mask.to(dtype, copy=True) for mask in problem.masks]
        self.x, self.labels = problem.x.to(dtype), problem.labels
        if variant.startswith("masked"):
            for layer, mask in zip(self.layers, self.masks):
                layer.mask = mask
        layout = torch.channels_last if "channels_last" in variant else torch.contiguous_format
        self.model.to(dtype).to(memory_format=layout)
        self.x = self.x.contiguous(memory_format=layout)
        if check:
            self.x, self.labels = self.x[:CHECKED_BATCH], self.labels[:CHECKED_BATCH]
            for module in self.model.modules():
                if isinstance(module, torch.nn.Dropout):
                    module.p = 0.0
        self.optimiser = torch.optim.SGD(
            self.model.parameters(),
            lr=CHECKED_RATE if check else problem.lr,
            momentum=problem.momentum,
            weight_decay=problem.weight_decay,
            fused=True if variant.endswith("_fused") else None,
        )

    def loss(self):
        return F.cross_entropy(self.model(self.x), self.labels)

    def step(self):
        self.optimiser.zero_grad()
        loss = self.loss()
        loss.backward()
        self.optimiser.step()
        return loss.detach()

    def trajectory(self):
        """Losses of the first steps, and how far they have moved the weights at the connections."""
        start = self.connected()
        losses = torch.stack([self.step() for _ in range(CHECKED_STEPS)])
        return losses, self.connected() - start

    def connected(self):
        return torch.cat([layer.weight.detach()[mask != 0].double() for layer, mask in zip(self.layers, self.masks)])

    def state_bytes(self):
        """Weights, masks, running statistics, momenta and gradients, all kept between steps."""
        parameters = list(self.model.parameters())
        moments = [self.optimiser.state[p]["momentum_buffer"] for p in parameters]
        kept = parameters + [p.grad for p in parameters] + moments + list(self.model.buffers())
        return sum(tensor.numel() * tensor.element_size() for tensor in kept)

    def saved_bytes(self):
        """What autograd keeps from forward for backward, beyond the state: (activations, masked copies of the weights).

        Distinct storages, each in full, and the images among them. The masked copies are what disappears without masks.
        """
        state = {tensor.untyped_storage().data_ptr() for tensor in [*self.model.parameters(), *self.model.buffers()]}

        def saved():
            storages = {}

            def pack(tensor):
                storage = tensor.untyped_storage()
                if storage.data_ptr() not in state:
                    storages[storage.data_ptr()] = storage.nbytes()
                return tensor.detach()

            with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
                loss = self.loss()  # held until all is counted, so that no address is used twice
                total = sum(storages.values())
            del loss
            return total

        masks = [layer.mask for layer in self.layers]
        total = saved()
        for layer in self.layers:
            layer.mask = None
        activations = saved()
        for layer, mask in zip(self.layers, masks):
            layer.mask = mask
        return activations, total - activations


def run(name, batch, sparsity, options):
    """Every variant of one model at one sparsity, one result after the other."""
    problem = Problem(name, batch, sparsity, options)
    total = sum(n_out * n_in for n_out, n_in in problem.shapes)
    references = {}
    for variant in options.variants or default_variants(name):
        kind = variant.split("_")[0]
        if kind not in references:
            references[kind] = Trainer(problem, kind, torch.float64, check=True).trajectory()
        losses, change = references[kind]
        found_losses, found_change = Trainer(problem, variant, check=True).trajectory()
        found = require(f"{name} {variant} losses", error(found_losses, losses))
        require(f"{name} {variant} change of the weights", ((found_change - change).norm() / change.norm()).item(), CHANGE)
        trainer = Trainer(problem, variant)
        trainer.step()  # so that momenta and gradients exist
        state_bytes = trainer.state_bytes()
        activation_bytes, masked_weight_bytes = trainer.saved_bytes()
        yield {
            "model": name,
            "variant": variant,
            "classes": problem.classes,
            "batch": batch,
            "sparsity": sparsity,
            "layers": problem.counts,
            "connections": sum(problem.counts) if kind == "masked" else total,
            "true_sparsity": 1 - sum(problem.counts) / total,
            "state_bytes": state_bytes,
            "activation_bytes": activation_bytes,
            "masked_weight_bytes": masked_weight_bytes,
            "max_error": found,
            **measure(trainer.step, options.repeats, options.seconds),
        }
        del trainer


def default_variants(name):
    """All that differ: a vision transformer has no planes to lay out."""
    return [variant for variant in VARIANTS if not (name.startswith("simple-vit") and "channels_last" in variant)]
