"""Whole training steps of the 3072-h-h-10 perceptron: forward, loss, backward, SGD with momentum.

Variants:
- `masked`: weight * mask through autograd and torch.optim.SGD, as the literature simulates sparsity;
- `masked_fused`, `dense_fused`: the same with PyTorch's fused optimiser, its fastest;
- `dense`: no mask at all;
- `csr_mkl`, `csr_reduce`: only the connections in memory and a backward pass written by hand, with PyTorch's two CSR
  products (`torch.mm` over MKL, and its own `torch.sparse.mm(…, reduce)`). They are as fast as we could make them: nothing is
  allocated twice, and gradient and momentum are one call;
- `csr_plain`: the same written straight down, as one would first write it: `torch.sparse.mm`, the gradient by itself,
  then the update, new tensors for every result.

Before it is timed, every variant takes three steps from the same weights and is compared with a float64 run of `masked`
(`dense` with one of `dense`): the losses, and the weights of every layer.
"""

import numpy
import torch
import torch.nn.functional as F

from graph import assign, csr_tensor, random_csr, transpose
from timing import error, measure, require

INPUTS, CLASSES = 3072, 10
CHECKED_STEPS = 3
DOUBLE_LIMIT = 64_000_000  # dense weights up to which the reference is kept in float64 (5 copies of 8 bytes each)


class Problem:
    """The network, its connections, its first weights, and one batch."""

    def __init__(self, hidden, batch, sparsity, options):
        sizes = [INPUTS, hidden, hidden, CLASSES]
        self.shapes = [(n_out, n_in) for n_in, n_out in zip(sizes, sizes[1:])]
        self.counts = options.connections or assign(self.shapes, sparsity, options.assignment)
        if len(self.counts) != len(self.shapes):
            raise SystemExit(f"--connections needs {len(self.shapes)} numbers, one for each layer")
        rng = numpy.random.default_rng(options.seed)
        generator = torch.Generator().manual_seed(options.seed)
        self.layers = []
        for (n_out, n_in), count in zip(self.shapes, self.counts):
            crow, cols = random_csr(n_out, n_in, count, rng)
            rows = torch.from_numpy(numpy.repeat(numpy.arange(n_out), numpy.diff(crow)))
            bound = torch.from_numpy(numpy.sqrt(3 / numpy.maximum(numpy.diff(crow), 1))).float()
            values = (torch.rand(count, generator=generator) * 2 - 1) * bound[rows]
            bias = (torch.rand(n_out, generator=generator) * 2 - 1) * bound
            self.layers.append((crow, cols, rows, values, bias))
        self.x = torch.randn(batch, INPUTS, generator=generator)
        self.labels = torch.randint(0, CLASSES, (batch,), generator=generator)
        self.lr, self.momentum, self.weight_decay = 0.01, 0.9, options.weight_decay


class Dense:
    """Autograd over dense weights, with a 0/1 mask or without."""

    def __init__(self, problem, masked, dtype=torch.float32, fused=None):
        self.x, self.labels = problem.x.to(dtype), problem.labels
        self.weights, self.biases, self.masks, self.positions = [], [], [], []
        for (n_out, n_in), (_, cols, rows, values, bias) in zip(problem.shapes, problem.layers):
            at = (rows, torch.from_numpy(cols.astype(numpy.int64)))
            weight = torch.zeros(n_out, n_in, dtype=dtype)
            weight[at] = values.to(dtype)
            if masked:
                mask = torch.zeros(n_out, n_in, dtype=dtype)
                mask[at] = 1
                self.masks.append(mask)
            self.weights.append(weight.requires_grad_())
            self.biases.append(bias.clone().to(dtype).requires_grad_())
            self.positions.append(at)
        self.optimiser = torch.optim.SGD(
            self.weights + self.biases,
            lr=problem.lr,
            momentum=problem.momentum,
            weight_decay=problem.weight_decay,
            fused=fused,
        )

    def step(self):
        self.optimiser.zero_grad()
        h = self.x
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            h = F.linear(h, weight * self.masks[index] if self.masks else weight, bias)
            if index + 1 < len(self.weights):
                h = F.relu(h)
        loss = F.cross_entropy(h, self.labels)
        loss.backward()
        self.optimiser.step()
        return loss.detach()

    def values(self):
        return [weight.detach()[at] for weight, at in zip(self.weights, self.positions)]

    def state(self):
        moments = [self.optimiser.state[p]["momentum_buffer"] for p in self.weights + self.biases]
        return self.weights + self.biases + self.masks + moments + [p.grad for p in self.weights + self.biases]


class CsrLayer:
    """One layer's connections, the same in the transpose's order, and its momentum: all that stays in memory."""

    def __init__(self, shape, parts, batch, inner):
        crow, cols, _, values, bias = parts
        self.values, self.bias = values.clone(), bias.clone()[:, None]
        self.csr = csr_tensor(crow, cols, self.values, shape)
        self.buffer = csr_tensor(crow, cols, torch.zeros_like(values), shape)
        self.bias_buffer = torch.zeros_like(self.bias)
        self.output = torch.empty(shape[0], batch)
        self.inner = inner
        if inner:  # nobody needs the first layer's input gradient
            crow_t, cols_t, order = transpose(crow, cols, shape[1])
            self.order = torch.from_numpy(order.astype(numpy.int32))
            self.values_t = self.values[self.order].clone()
            self.csr_t = csr_tensor(crow_t, cols_t, self.values_t, shape[::-1])
            self.input_gradient = torch.empty(shape[1], batch)

    def forward(self, h, reduce):
        if reduce:
            return torch.sparse.mm(self.csr, h, "sum").add_(self.bias)
        return torch.addmm(self.bias, self.csr, h, out=self.output)

    def backward(self, delta, reduce):
        if reduce:
            return torch.sparse.mm(self.csr_t, delta, "sum")
        return torch.mm(self.csr_t, delta, out=self.input_gradient)

    def update(self, delta, h, problem):
        # One call computes the gradient and the momentum: buffer = momentum * buffer + (delta h^T at the connections).
        torch.sparse.sampled_addmm(self.buffer, delta, h.t(), beta=problem.momentum, out=self.buffer)
        if problem.weight_decay:
            self.buffer.values().add_(self.values, alpha=problem.weight_decay)
        self.values.add_(self.buffer.values(), alpha=-problem.lr)
        if self.inner:
            torch.index_select(self.values, 0, self.order, out=self.values_t)

    def state(self):
        kept = [self.values, self.buffer.values(), self.csr.crow_indices(), self.csr.col_indices()]
        if self.csr.crow_indices().data_ptr() != self.buffer.crow_indices().data_ptr():
            kept += [self.buffer.crow_indices(), self.buffer.col_indices()]
        if self.inner:
            kept += [self.values_t, self.order, self.csr_t.crow_indices(), self.csr_t.col_indices()]
        return kept + [self.bias, self.bias_buffer]


class PlainLayer(CsrLayer):
    """The straightforward version of the same: every result is a new tensor; gradient and update are apart."""

    def forward(self, h, _reduce):
        return torch.sparse.mm(self.csr, h) + self.bias

    def backward(self, delta, _reduce):
        return torch.sparse.mm(self.csr_t, delta)

    def update(self, delta, h, problem):
        gradient = torch.sparse.sampled_addmm(self.csr, delta, h.t(), beta=0.0).values()
        if problem.weight_decay:
            gradient = gradient + problem.weight_decay * self.values
        self.buffer.values().mul_(problem.momentum).add_(gradient)
        self.values.add_(self.buffer.values(), alpha=-problem.lr)
        if self.inner:
            self.values_t.copy_(self.values[self.order])


class FullLayer:
    """A layer whose every pair is a connection (clipped to dense): PyTorch's dense products suit it better than CSR."""

    def __init__(self, shape, parts, batch, inner):
        self.weight, self.bias = parts[3].clone().view(shape), parts[4].clone()[:, None]
        self.values = self.weight.view(-1)
        self.buffer, self.bias_buffer = torch.zeros(shape), torch.zeros_like(self.bias)
        self.output = torch.empty(shape[0], batch)
        self.input_gradient = torch.empty(shape[1], batch) if inner else None

    def forward(self, h, _reduce):
        return torch.addmm(self.bias, self.weight, h, out=self.output)

    def backward(self, delta, _reduce):
        return torch.mm(self.weight.t(), delta, out=self.input_gradient)

    def update(self, delta, h, problem):
        self.buffer.addmm_(delta, h.t(), beta=problem.momentum)
        if problem.weight_decay:
            self.buffer.add_(self.weight, alpha=problem.weight_decay)
        self.weight.add_(self.buffer, alpha=-problem.lr)

    def state(self):
        return [self.weight, self.buffer, self.bias, self.bias_buffer]


class Csr:
    """A step by hand over CSR weights, batch innermost, every tensor allocated once."""

    def __init__(self, problem, reduce=False, sparse_layer=CsrLayer):
        self.problem, self.reduce = problem, reduce
        self.x, self.labels = problem.x.t().contiguous(), problem.labels
        batch = self.labels.numel()
        self.lanes = torch.arange(batch)
        self.layers = []
        for index, (shape, parts) in enumerate(zip(problem.shapes, problem.layers)):
            full = parts[1].size == shape[0] * shape[1]
            self.layers.append((FullLayer if full else sparse_layer)(shape, parts, batch, index > 0))

    @torch.no_grad()
    def step(self):
        problem, batch = self.problem, self.labels.numel()
        inputs = [self.x]
        for layer in self.layers[:-1]:
            inputs.append(layer.forward(inputs[-1], self.reduce).relu_())
        logits = self.layers[-1].forward(inputs[-1], self.reduce)
        log_p = torch.log_softmax(logits, 0)
        loss = -log_p[self.labels, self.lanes].mean()
        delta = log_p.exp_()
        delta[self.labels, self.lanes] -= 1
        delta /= batch
        for index in reversed(range(len(self.layers))):
            layer, h = self.layers[index], inputs[index]
            below = layer.backward(delta, self.reduce) if index else None
            layer.update(delta, h, problem)
            layer.bias_buffer.mul_(problem.momentum).add_(delta.sum(1, keepdim=True))
            if problem.weight_decay:
                layer.bias_buffer.add_(layer.bias, alpha=problem.weight_decay)
            layer.bias.add_(layer.bias_buffer, alpha=-problem.lr)
            if index:  # ReLU's gradient, in place
                delta = torch.ops.aten.threshold_backward.grad_input(below, h, 0, grad_input=below)
        return loss

    def values(self):
        return [layer.values for layer in self.layers]

    def state(self):
        return [tensor for layer in self.layers for tensor in layer.state()]


VARIANTS = {
    "masked": lambda problem: Dense(problem, masked=True),
    "masked_fused": lambda problem: Dense(problem, masked=True, fused=True),
    "dense": lambda problem: Dense(problem, masked=False),
    "dense_fused": lambda problem: Dense(problem, masked=False, fused=True),
    "csr_mkl": lambda problem: Csr(problem, reduce=False),
    "csr_reduce": lambda problem: Csr(problem, reduce=True),
    "csr_plain": lambda problem: Csr(problem, sparse_layer=PlainLayer),
}


def trajectory(model):
    """Losses of the first steps and the weights after them."""
    losses = torch.stack([model.step() for _ in range(CHECKED_STEPS)])
    return losses, [values.clone() for values in model.values()]


def run(hidden, batch, sparsity, options):
    """Every variant at one size: a list of results."""
    problem = Problem(hidden, batch, sparsity, options)
    total = sum(n_out * n_in for n_out, n_in in problem.shapes)
    dtype = torch.float64 if total <= DOUBLE_LIMIT else torch.float32
    references, results = {}, []
    for variant in options.variants or VARIANTS:
        masked = not variant.startswith("dense")
        if masked not in references:
            references[masked] = trajectory(Dense(problem, masked, dtype))
        losses, weights = references[masked]
        model = VARIANTS[variant](problem)
        found_losses, found_weights = trajectory(model)
        name = f"step {variant} {hidden}"
        found = max(
            require(f"{name} losses", error(found_losses, losses)),
            *(require(f"{name} layer {i}", error(f, w)) for i, (f, w) in enumerate(zip(found_weights, weights))),
        )
        results.append(
            {
                "model": "-".join(str(n) for n in [INPUTS, hidden, hidden, CLASSES]),
                "variant": variant,
                "n": hidden,
                "batch": batch,
                "sparsity": sparsity,
                "layers": problem.counts,
                "connections": sum(problem.counts) if masked else total,
                "true_sparsity": 1 - sum(problem.counts) / total,
                "state_bytes": sum(tensor.numel() * tensor.element_size() for tensor in model.state()),
                "max_error": found,
                **measure(model.step, options.repeats, options.seconds),
            }
        )
        del model
    return results
