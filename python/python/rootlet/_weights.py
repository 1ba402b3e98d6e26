"""A sparse layer's weights."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import scipy.sparse
    import torch


@dataclass(frozen=True, repr=False)
class Layer:
    """A sparse layer as compressed sparse rows: a row is an output unit, a column an input unit.

    The columns of a convolution are channel by channel the taps of its kernel, row by row.
    """

    name: str
    shape: tuple[int, int]
    indptr: np.ndarray
    indices: np.ndarray
    data: np.ndarray
    bias: np.ndarray

    @classmethod
    def of(cls, matrix: Any, bias: Any = None, name: str = "") -> Layer:
        """From a matrix of SciPy or torch, or a dense one, of which all that is not 0 is a connection."""
        if hasattr(matrix, "crow_indices"):  # torch's CSR
            parts = (matrix.crow_indices(), matrix.col_indices(), matrix.values())
            indptr, indices, data = (part.detach().cpu().numpy() for part in parts)
            shape = tuple(matrix.shape)
        else:
            from scipy.sparse import csr_matrix

            if hasattr(matrix, "detach"):
                matrix = matrix.detach().cpu().numpy()
            rows = csr_matrix(matrix)
            rows.sort_indices()
            indptr, indices, data, shape = rows.indptr, rows.indices, rows.data, rows.shape
        if hasattr(bias, "detach"):
            bias = bias.detach().cpu().numpy()
        bias = np.zeros(shape[0], np.float32) if bias is None else np.asarray(bias, np.float32)
        return cls(name, (int(shape[0]), int(shape[1])), indptr, indices, np.asarray(data, np.float32), bias)

    @property
    def density(self) -> float:
        """The share of the possible connections that exist."""
        return len(self.data) / (self.shape[0] * self.shape[1])

    def to_scipy(self) -> scipy.sparse.csr_matrix:
        """The matrix; its arrays are this layer's."""
        from scipy.sparse import csr_matrix

        return csr_matrix((self.data, self.indices, self.indptr), shape=self.shape)

    def to_torch(self) -> torch.Tensor:
        """The matrix as a tensor of torch's CSR layout, which shares this layer's memory."""
        import torch

        parts = (torch.from_numpy(part) for part in (self.indptr, self.indices, self.data))
        with warnings.catch_warnings():
            # torch calls the layout beta, and these three arrays are what it is.
            warnings.filterwarnings("ignore", message="Sparse CSR")
            return torch.sparse_csr_tensor(*parts, size=self.shape, check_invariants=True)

    def __repr__(self) -> str:
        outputs, inputs = self.shape
        return f"Layer({self.name!r}, {inputs} to {outputs}, {len(self.data)} connections, {self.density:.2%})"
