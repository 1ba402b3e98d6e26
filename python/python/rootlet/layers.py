"""Layers of a model: `Trainer(X, y, layers=[Linear(64, relu=True), Linear()])`.

The weights of `Linear` and `Conv` are sparse, and are pruned and grown. A linear layer without a number of units has one
for each output: it is the last.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Union


@dataclass(frozen=True)
class Linear:
    """A sparse linear layer, at every position; `units=None` is one unit for each output."""

    units: int | None = None
    relu: bool = False
    bias: bool = True


@dataclass(frozen=True)
class Conv:
    """A sparse convolution without biases, with square kernel, stride and padding."""

    channels: int
    kernel: int = 3
    stride: int = 1
    padding: int = 1


@dataclass(frozen=True)
class BatchNorm:
    """Batch norm, with a ReLU after it if asked for."""

    relu: bool = False


@dataclass(frozen=True)
class LayerNorm:
    """Layer norm over the channels of each position."""


@dataclass(frozen=True)
class Relu:
    """ReLU."""


@dataclass(frozen=True)
class Gelu:
    """GELU, the exact form."""


@dataclass(frozen=True)
class Dropout:
    """Dropout of this share."""

    share: float


@dataclass(frozen=True)
class MaxPool:
    """Maximum over square windows."""

    size: int
    stride: int
    padding: int = 0


@dataclass(frozen=True)
class AveragePool:
    """Mean over square windows, including the padding."""

    size: int
    stride: int
    padding: int = 0


@dataclass(frozen=True)
class Mean:
    """Mean over all positions."""


@dataclass(frozen=True)
class Flatten:
    """All channels and positions as one vector."""


@dataclass(frozen=True)
class Residual:
    """Layers whose input is added to their output; a shortcut without parameters makes it as large."""

    layers: Sequence["AnyLayer"]


AnyLayer = Union[
    Linear, Conv, BatchNorm, LayerNorm, Relu, Gelu, Dropout, MaxPool, AveragePool, Mean, Flatten, Residual
]

_NAMES: dict[type, str] = {
    Linear: "linear",
    Conv: "conv",
    BatchNorm: "batch_norm",
    LayerNorm: "layer_norm",
    Relu: "relu",
    Gelu: "gelu",
    Dropout: "dropout",
    MaxPool: "max_pool",
    AveragePool: "average_pool",
    Mean: "mean",
    Flatten: "flatten",
    Residual: "residual",
}


def _described(layer: AnyLayer) -> dict[str, Any]:
    name = _NAMES.get(type(layer))
    if name is None:
        raise TypeError(f"{layer!r} is not a layer of rootlet.layers")
    if isinstance(layer, Residual):
        return {"layer": name, "layers": [_described(own) for own in layer.layers]}
    return {"layer": name, **asdict(layer)}


def to_json(layers: Sequence[AnyLayer]) -> str:
    """The list as the text that run folders keep in `layers.json`."""
    return json.dumps([_described(layer) for layer in layers])
