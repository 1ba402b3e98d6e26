"""The three sparse products of a training step, by every way PyTorch offers and by SciPy's CSR, and the dense product beside them.

Shapes: W [n, n] with M connections, x and delta [n, batch] (batch innermost, which is also what suits PyTorch's CSR
kernels best). Every variant is checked against the dense product in float64 before it is timed.
"""

import numpy
import scipy.sparse
import torch

from graph import csr_tensor, random_csr, transpose
from timing import error, measure, require

BLOCK = 1024  # rows of the dense reference held at a time


def dense_rows(crow, cols, values, first, last, n):
    """Rows first..last of W as a dense float64 matrix."""
    rows = numpy.repeat(numpy.arange(last - first), numpy.diff(crow[first : last + 1]))
    span = slice(int(crow[first]), int(crow[last]))
    dense = torch.zeros(last - first, n, dtype=torch.float64)
    dense[torch.from_numpy(rows), torch.from_numpy(cols[span].astype(numpy.int64))] = values[span].double()
    return dense


def dense_product(crow, cols, values, x, n):
    """W x in float64, through dense blocks of rows."""
    x = x.double()
    blocks = range(0, n, BLOCK)
    return torch.cat([dense_rows(crow, cols, values, r, min(r + BLOCK, n), n) @ x for r in blocks])


def dense_sampled(crow, cols, delta, x, n):
    """(delta x^T) at the connections in float64, through dense blocks of rows."""
    delta, x_t = delta.double(), x.double().t()
    found = []
    for first in range(0, n, BLOCK):
        last = min(first + BLOCK, n)
        rows = numpy.repeat(numpy.arange(last - first), numpy.diff(crow[first : last + 1]))
        span = slice(int(crow[first]), int(crow[last]))
        block = delta[first:last] @ x_t
        found.append(block[torch.from_numpy(rows), torch.from_numpy(cols[span].astype(numpy.int64))])
    return torch.cat(found)


def scatter(crow, cols, values, n):
    """W as a dense float32 matrix."""
    rows = torch.from_numpy(numpy.repeat(numpy.arange(n), numpy.diff(crow)))
    dense = torch.zeros(n, n)
    dense[rows, torch.from_numpy(cols.astype(numpy.int64))] = values
    return dense


def scipy_csr(crow, cols, values, n):
    """W as SciPy has it, over `values` itself."""
    return scipy.sparse.csr_array((values.numpy(), cols, crow), shape=(n, n))


def spmm(problem):
    """W x: the forward pass."""
    n, x, csr = problem["n"], problem["x"], problem["csr"]
    out = torch.empty_like(x)
    expected = dense_product(*problem["parts"], x, n)
    scipy_w, scipy_x = scipy_csr(*problem["parts"], n), x.numpy()
    variants = {
        "scipy_csr": lambda: torch.from_numpy(scipy_w @ scipy_x),
        "sparse.mm": lambda: torch.sparse.mm(csr, x),
        "mm_out": lambda: torch.mm(csr, x, out=out),
        "sparse.mm_reduce": lambda: torch.sparse.mm(csr, x, "sum"),
    }
    return variants, expected, lambda dense: torch.mm(dense, x, out=out)


def spmm_transposed(problem):
    """W^T delta: the backward pass. `permuted_*` bring the values into the transpose's order first, as every step must."""
    n, delta, csr, values = problem["n"], problem["delta"], problem["csr"], problem["parts"][2]
    crow_t, cols_t, order = transpose(problem["parts"][0], problem["parts"][1], n)
    order = torch.from_numpy(order)
    values_t = values[order].clone()
    csr_t = csr_tensor(crow_t, cols_t, values_t, (n, n))
    csc = csr.t()
    out = torch.empty_like(delta)
    expected = dense_product(crow_t, cols_t, values_t, delta, n)

    def permuted(product):
        torch.index_select(values, 0, order, out=values_t)
        return product()

    scipy_w, scipy_delta = scipy_csr(crow_t, cols_t, values_t, n), delta.numpy()
    variants = {
        "scipy_csr": lambda: permuted(lambda: torch.from_numpy(scipy_w @ scipy_delta)),
        "permuted_mm_out": lambda: permuted(lambda: torch.mm(csr_t, delta, out=out)),
        "permuted_sparse.mm_reduce": lambda: permuted(lambda: torch.sparse.mm(csr_t, delta, "sum")),
        "csc_mm": lambda: torch.mm(csc, delta),
    }
    return variants, expected, lambda dense: torch.mm(dense.t(), delta, out=out)


def sddmm(problem):
    """(delta x^T) at the connections: the weight gradient. SciPy has no such product."""
    n, x, delta, csr = problem["n"], problem["x"], problem["delta"], problem["csr"]
    crow, cols, values = problem["parts"]
    expected = dense_sampled(crow, cols, delta, x, n)
    zero = csr_tensor(crow, cols, torch.zeros_like(values), (n, n))
    x_t = x.t()
    out = torch.empty(n, n) if problem["dense"] else None
    variants = {
        "sampled_addmm": lambda: torch.sparse.sampled_addmm(csr, delta, x_t, beta=0.0).values(),
        "sampled_addmm_out": lambda: torch.sparse.sampled_addmm(zero, delta, x_t, beta=0.0, out=zero).values(),
    }
    return variants, expected, lambda _: torch.mm(delta, x_t, out=out)


CASES = {"spmm": spmm, "spmm_transposed": spmm_transposed, "sddmm": sddmm}


def run(kernel, n, batch, sparsity, options):
    """Every variant of one kernel at one size: a list of results."""
    rng = numpy.random.default_rng(options.seed)
    generator = torch.Generator().manual_seed(options.seed)
    count = round((1 - sparsity) * n * n)
    crow, cols = random_csr(n, n, count, rng)
    values = torch.randn(count, generator=generator)
    problem = {
        "n": n,
        "parts": (crow, cols, values),
        "csr": csr_tensor(crow, cols, values, (n, n)),
        "x": torch.randn(n, batch, generator=generator),
        "delta": torch.randn(n, batch, generator=generator),
        "dense": options.dense,
    }
    variants, expected, dense_call = CASES[kernel](problem)
    results = []
    for variant, call in (variants if options.sparse else {}).items():
        found = require(f"{kernel} {variant} n={n} sparsity={sparsity}", error(call(), expected))
        results.append(
            {
                "kernel": kernel,
                "variant": variant,
                "n": n,
                "rows": n,
                "cols": n,
                "batch": batch,
                "sparsity": sparsity,
                "connections": count,
                "max_error": found,
                **rate(measure(call, options.repeats, options.seconds), 2 * count * batch),
            }
        )
    if options.dense:
        weight = scatter(crow, cols, values, n)
        found = dense_call(weight)
        if kernel == "sddmm":
            rows = torch.from_numpy(numpy.repeat(numpy.arange(n), numpy.diff(crow)))
            found = found[rows, torch.from_numpy(cols.astype(numpy.int64))]
        found = require(f"{kernel} dense n={n}", error(found, expected))
        results.append(
            {
                "kernel": kernel,
                "variant": "dense",
                "n": n,
                "rows": n,
                "cols": n,
                "batch": batch,
                "sparsity": sparsity,
                "connections": n * n,
                "max_error": found,
                **rate(measure(lambda: dense_call(weight), options.repeats, options.seconds), 2 * n * n * batch),
            }
        )
    return results


def rate(timing, operations):
    return {**timing, "gflop_s": operations / timing["seconds"] / 1e9}
