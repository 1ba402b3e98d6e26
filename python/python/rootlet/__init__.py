"""Neural networks that are sparse from the first training step to the last.

`SparseClassifier`, `SparseRegressor` and `SparseMultiLabel` are scikit-learn estimators. `Trainer` is what they are made
of: callbacks, models from a list of layers, growth rules of your own, run folders. `load` opens what was trained, by
Python or by the command `rootlet`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import layers
from ._model import Model, load
from ._native import __version__, adapters, methods
from ._trainer import Event, Trainer
from ._weights import Layer

if TYPE_CHECKING:
    from ._estimators import SparseClassifier, SparseMultiLabel, SparseRegressor

__all__ = [
    "Event",
    "Layer",
    "Model",
    "SparseClassifier",
    "SparseMultiLabel",
    "SparseRegressor",
    "Trainer",
    "__version__",
    "adapters",
    "layers",
    "load",
    "methods",
]

_ESTIMATORS = ("SparseClassifier", "SparseMultiLabel", "SparseRegressor")


def __getattr__(name: str) -> Any:
    # scikit-learn takes a second to import, and a Trainer does not need it.
    if name in _ESTIMATORS:
        from . import _estimators

        return getattr(_estimators, name)
    raise AttributeError(f"module 'rootlet' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
