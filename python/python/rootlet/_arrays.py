"""From what users have (NumPy, pandas, torch, lists) to arrays that the native half reads where they are."""

from __future__ import annotations

from typing import Any

import numpy as np

_READABLE = (np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.uint8))


def to_numpy(x: Any) -> np.ndarray:
    """As a NumPy array, which shares its memory with a torch tensor on the CPU, or a pandas frame of one type."""
    if hasattr(x, "detach"):  # a torch tensor
        x = x.detach().cpu().numpy()
    elif hasattr(x, "to_numpy"):  # pandas, polars
        x = x.to_numpy()
    if hasattr(x, "toarray"):
        raise TypeError("sparse inputs are not supported; give a dense array, x.toarray()")
    return np.asarray(x)


def samples(x: Any, what: str = "X") -> tuple[np.ndarray, tuple[int, int, int] | None]:
    """Samples as rows, and for images (of three or four dimensions) channels, height and width."""
    x = to_numpy(x)
    image = None
    if x.ndim == 3:
        x = x[:, None]
    if x.ndim == 4:
        image = (int(x.shape[1]), int(x.shape[2]), int(x.shape[3]))
        x = x.reshape(len(x), -1)
    if x.ndim != 2:
        raise ValueError(
            f"{what} has {x.ndim} dimensions; expected samples and features, or images of channels, rows and columns"
        )
    if x.dtype not in _READABLE:
        if x.dtype.kind not in "biufO":
            raise ValueError(f"{what} has the type {x.dtype}; expected numbers")
        exact_in_32_bits = x.dtype.kind in "biu" and x.dtype.itemsize <= 2 or x.dtype == np.float16
        x = x.astype(np.float32 if exact_in_32_bits else np.float64)
    return x, image


def feature_names(x: Any, features: int) -> list[str]:
    """The names of a frame's columns; otherwise numbers, as for arrays in files."""
    columns = getattr(x, "columns", None)
    if columns is not None and len(columns) == features:
        return [str(name) for name in columns]
    return [str(number) for number in range(features)]


def encoded(y: np.ndarray, classes: np.ndarray, what: str) -> np.ndarray:
    """The number of each class."""
    places = np.searchsorted(classes, y)
    places = np.minimum(places, len(classes) - 1)
    unknown = classes[places] != y
    if np.any(unknown):
        raise ValueError(f"{what} has the class {y[unknown][0]!r}, which y does not have")
    return places.astype(np.uint32)


def task_of(y: np.ndarray) -> str:
    """What is learned from such targets: a class, labels or numbers."""
    if y.ndim == 2 and y.shape[1] > 1:
        return "multi-label" if np.isin(y, (0, 1)).all() else "regression"
    if y.dtype.kind == "f" and not np.equal(y, np.floor(y)).all():
        return "regression"
    return "classification"
