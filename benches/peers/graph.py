"""Random sparse graphs and their storage: what both sides of a comparison have to agree on."""

import numpy
import torch


def random_csr(n_out, n_in, count, rng):
    """`count` distinct connections drawn uniformly (a G(n, M) graph): crow_indices, col_indices as int32, sorted."""
    total = n_out * n_in
    if not 0 <= count <= total:
        raise ValueError(f"{count} connections asked of a layer with {total} pairs")
    if count > total // 2:  # draw the absent ones instead
        absent = distinct(total, total - count, rng)
        pairs = numpy.setdiff1d(numpy.arange(total), absent, assume_unique=True)
    else:
        pairs = distinct(total, count, rng)
    rows, cols = numpy.divmod(pairs, n_in)
    crow = numpy.zeros(n_out + 1, dtype=numpy.int64)
    numpy.cumsum(numpy.bincount(rows, minlength=n_out), out=crow[1:])
    return crow.astype(numpy.int32), cols.astype(numpy.int32)


def distinct(total, count, rng):
    """`count` of `range(total)` without replacement, sorted, in memory that grows with `count` only."""
    found = numpy.empty(0, dtype=numpy.int64)
    while found.size < count:
        more = rng.integers(0, total, size=int((count - found.size) * 1.2) + 16)
        found = numpy.unique(numpy.concatenate([found, more]))
    if found.size > count:
        drop = rng.choice(found.size, found.size - count, replace=False)
        found = numpy.delete(found, drop)
    return found


def transpose(crow, cols, n_in):
    """CSR of the transpose, and the permutation that takes the values there."""
    rows = numpy.repeat(numpy.arange(crow.size - 1), numpy.diff(crow))
    order = numpy.argsort(cols, kind="stable")
    crow_t = numpy.zeros(n_in + 1, dtype=numpy.int64)
    numpy.cumsum(numpy.bincount(cols, minlength=n_in), out=crow_t[1:])
    return crow_t.astype(numpy.int32), rows[order].astype(numpy.int32), order


def csr_tensor(crow, cols, values, shape):
    """A torch CSR tensor over `values` itself (no copy: updating `values` in place updates the tensor).

    int32 indices, which MKL takes as they are; int64 ones were no faster.
    """
    tensor = torch.sparse_csr_tensor(
        torch.from_numpy(crow), torch.from_numpy(cols), values, size=shape, check_invariants=True
    )
    assert tensor.values().data_ptr() == values.data_ptr()
    return tensor


def assign(shapes, sparsity, assignment):
    """Connections of every layer [(n_out, n_in)]: `erdos-renyi`, one scale times (n_in + n_out), clipped to dense, or `uniform`."""
    sizes = [n_out * n_in for n_out, n_in in shapes]
    wanted = (1 - sparsity) * sum(sizes)
    if assignment == "uniform":
        return [round((1 - sparsity) * size) for size in sizes]
    scale = wanted / sum(n_out + n_in for n_out, n_in in shapes)
    return [min(size, round(scale * (n_out + n_in))) for size, (n_out, n_in) in zip(sizes, shapes)]
