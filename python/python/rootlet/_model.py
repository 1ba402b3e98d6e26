"""A trained network."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import _native, layers as _layers
from ._arrays import samples
from ._weights import Layer


class Model:
    """A trained network: what it predicts, and its weights. It can be pickled and saved."""

    def __init__(
        self, native: _native.Predictor, classes: np.ndarray | None = None, device: str = "cpu", threads: int = 0
    ) -> None:
        self._native = native
        self._device = (device, threads)
        if classes is None and native.task != "regression":
            classes = _classes_of(native.output_names, len(native.layers()[-1]["bias"]))
        self.classes = classes

    @property
    def task(self) -> str:
        """What it predicts: `classification`, `multi-label` or `regression`."""
        return self._native.task

    @property
    def feature_names(self) -> list[str]:
        """The names of the features; empty for images."""
        return self._native.feature_names

    @property
    def output_names(self) -> list[str]:
        """The names of the classes, labels or values."""
        return self._native.output_names

    @property
    def config(self) -> str:
        """The configuration of its training, as the text of a `config.toml`."""
        return self._native.config

    @property
    def step(self) -> int:
        """How many steps its training took."""
        return self._native.step

    def weights(self) -> list[Layer]:
        """The sparse layers, first to last."""
        return [Layer(**layer) for layer in self._native.layers()]

    def outputs(self, X: Any) -> np.ndarray:
        """The network's outputs, `[sample, output]`: logits, or numbers in their own unit."""
        return self._native.outputs(samples(X)[0], False)

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class or label, `[sample, class]`."""
        self._refuse_numbers()
        return self._native.outputs(samples(X)[0], True)

    def predict(self, X: Any) -> np.ndarray:
        """The class of each sample, its labels (0 or 1 each), or its numbers."""
        return self._answers(self.outputs(X))

    def predict_file(self, path: str | os.PathLike[str]) -> np.ndarray:
        """As `predict`, for the rows of a table's file, whose columns are found by name."""
        return self._answers(self._native.outputs_of_file(os.fspath(path), False))

    def predict_proba_file(self, path: str | os.PathLike[str]) -> np.ndarray:
        """As `predict_proba`, for the rows of a table's file."""
        self._refuse_numbers()
        return self._native.outputs_of_file(os.fspath(path), True)

    def explain(
        self, X: Any, target: Any = None, *, copies: int = 0, noise: float = 0.15, seed: int = 0
    ) -> np.ndarray:
        """What the answers depend on: the gradient of an output by each number of `X`, in the shape of `X`.

        The output is that of the class, of the label or of the value `target`, without it each sample's largest one: a
        logit, or a number in its own unit. `copies` takes the mean over so many noisy copies of each sample (SmoothGrad),
        whose deviation is `noise` of the sample's range. In images of uint8, the gradient is by numbers from 0 to 1.
        """
        inputs, _ = samples(X)
        gradient = self._native.explain(inputs, self._output(target), int(copies), float(noise), int(seed))
        return gradient.reshape(np.shape(X))

    def strengths(self) -> np.ndarray:
        """For each feature, the sum of |w| over its connections in the first layer; for a column of categories over those
        of all of them."""
        return np.array(self._native.strengths())

    def _output(self, target: Any) -> int | None:
        """The number of an output."""
        if target is None:
            return None
        known: list[Any] = self.output_names if self.classes is None else list(self.classes)
        if target not in known:
            raise ValueError(f"`target` must be one of {', '.join(map(str, known))}, not {target!r}")
        return known.index(target)

    def save(self, run: str | os.PathLike[str]) -> str:
        """Saves it as a run folder, which `load` and the command `rootlet` take. Returns the checkpoint's path."""
        return str(self._native.save(os.fspath(run)))

    def _answers(self, outputs: np.ndarray) -> np.ndarray:
        if self.task == "classification" and self.classes is not None:
            return self.classes[outputs.argmax(axis=1)]
        if self.task == "multi-label":
            return (outputs > 0).astype(np.int64)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    def _refuse_numbers(self) -> None:
        if self.task == "regression":
            raise ValueError("the network predicts numbers, which have no probabilities; use predict()")

    def __reduce__(self) -> tuple[Any, ...]:
        return _from_bytes, (*self._native.to_bytes(), self.classes, *self._device)

    def __repr__(self) -> str:
        connections = sum(len(layer["data"]) for layer in self._native.layers())
        return f"Model({self.task}, {connections} connections, {self.step} steps)"


def _classes_of(names: list[str], outputs: int) -> np.ndarray:
    """The classes that have these names: whole numbers if all of them are."""
    if not names:
        return np.arange(outputs)
    if all(name.lstrip("-").isdecimal() for name in names):
        return np.array([int(name) for name in names])
    return np.array(names)


def _from_bytes(
    model: bytes, manifest: bytes, layers: str | None, classes: np.ndarray | None, device: str, threads: int
) -> Model:
    native = _native.Predictor.from_bytes(model, manifest, layers, device, threads)
    return Model(native, classes, device, threads)


def load(
    run: str | os.PathLike[str],
    *,
    layers: Sequence[_layers.AnyLayer] | None = None,
    device: str = "cpu",
    threads: int = 0,
) -> Model:
    """Loads the network of a run folder, of which the best checkpoint is used, or of a checkpoint.

    Runs of the command `rootlet` and of `Trainer` are the same. `layers` are needed for a model that was made from a
    list of layers if the folder does not have them.
    """
    text = None if layers is None else _layers.to_json(layers)
    native = _native.Predictor.load(os.fspath(run), text, device, threads)
    return Model(native, None, device, threads)
