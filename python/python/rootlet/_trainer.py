"""The trainer."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import _native, layers as _layers
from ._arrays import encoded, feature_names, samples, task_of, to_numpy
from ._model import Model
from ._progress import Bar
from ._weights import Layer

Growth = Callable[[int, np.ndarray, np.ndarray, np.ndarray], Any]


class Event(dict[str, Any]):
    """Something that happened in a training: a dictionary whose values are attributes, too."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"a {self.get('event', '')} event has no {name!r}") from None


class Trainer:
    """Trains a network that is sparse from the first step to the last.

    Parameters
    ----------
    X : array of samples and features, or images `[sample, channel, row, column]`. NumPy arrays, torch tensors on the
        CPU and pandas frames of float32, float64 or uint8 are read where they are; others are converted. In images
        255 of uint8 stands for 1.
    y : a class for each sample, a matrix of 0 and 1 for labels, or numbers.
    task : `classification`, `multi-label` or `regression`; `auto` looks at `y`.
    sample_weight : the weight of each sample in training.
    validation, test : `(X, y)`. The validation part is evaluated after each epoch and chooses the best weights; the test
        part is evaluated once, at the end.
    layers : a list of layers (`rootlet.layers`), instead of a perceptron of `hidden` widths or a named `model`.
    method : the name of a method (`rootlet.methods()`), or a growth rule of your own: a function of a layer's number and
        of its candidates' output units, input units and gradients, which returns a score for each. The candidates with
        the largest are grown.
    candidates : how those of your own rule are drawn: `uniform`, `grabo` or `graest`.
    standardise : whether features, and numbers to predict, are scaled to mean 0 and deviation 1. The scaling becomes
        part of the network.
    device : `cpu`, `auto`, or the number or a part of the name of an adapter (`rootlet.adapters()`).
    run : a folder in which checkpoints are saved. Ctrl-C saves, too.
    options : every key of a run's `config.toml` that is not about files, such as `hidden`, `sparsity`, `epochs`, `batch`,
        `lr`, `optimiser`, `round_every`, `patience`, `seed`.
    """

    def __init__(
        self,
        X: Any,
        y: Any,
        *,
        task: str = "auto",
        sample_weight: Any = None,
        validation: tuple[Any, Any] | None = None,
        test: tuple[Any, Any] | None = None,
        layers: Sequence[_layers.AnyLayer] | None = None,
        method: str | Growth = "gse-uniform",
        candidates: str = "uniform",
        standardise: bool = True,
        device: str = "cpu",
        threads: int = 0,
        run: str | os.PathLike[str] | None = None,
        **options: Any,
    ) -> None:
        inputs, image = samples(X)
        y = to_numpy(y)
        if len(y) != len(inputs):
            raise ValueError(f"X has {len(inputs)} samples, and y has {len(y)}")
        if len(inputs) == 0:
            raise ValueError("X has no samples")
        task = task_of(y) if task == "auto" else task
        self.classes: np.ndarray | None = None
        targets = self._learn(y, task)
        self.history: list[Event] = []
        self.notes: list[str] = []
        self._model: Model | None = None
        self._device = (device, threads)
        parts = {
            name: None if part is None else self._part(part, name, task, inputs.shape[1])
            for name, part in (("validation", validation), ("test", test))
        }
        given = {
            "inputs": inputs,
            "targets": targets,
            "weights": _weights(sample_weight, len(inputs)),
            "task": task,
            "columns": feature_names(X, inputs.shape[1]),
            "outputs": self._output_names(targets, task),
            "standardise": bool(standardise),
            "image": None if image is None else list(image),
            **parts,
        }
        growth = None
        if callable(method):
            growth = (method, getattr(method, "__name__", "growth"))
        else:
            options["method"] = method
        options = {key: _plain(value) for key, value in options.items() if value is not None}
        options.update(adapter=str(device), threads=int(threads))
        text = None if layers is None else _layers.to_json(layers)
        folder = None if run is None else os.fspath(run)
        self._native = _native.Trainer(given, json.dumps(options), text, growth, candidates, folder)

    def _learn(self, y: np.ndarray, task: str) -> np.ndarray:
        """The targets as the network sees them."""
        if task == "classification":
            if y.ndim == 2 and y.shape[1] == 1:
                y = y[:, 0]
            if y.ndim != 1:
                raise ValueError(f"y has {y.ndim} dimensions; a classification takes one class for each sample")
            self.classes, numbers = np.unique(y, return_inverse=True)
            return numbers.astype(np.uint32)
        matrix = y[:, None] if y.ndim == 1 else y
        if matrix.ndim != 2:
            raise ValueError(f"y has {y.ndim} dimensions; expected one row of targets for each sample")
        matrix = matrix.astype(np.float64)
        if not np.isfinite(matrix).all():
            raise ValueError("y has a number that is NaN or infinite")
        if task == "multi-label" and not np.isin(matrix, (0, 1)).all():
            raise ValueError("the labels of y have to be 0 or 1 each")
        return matrix

    def _part(self, part: tuple[Any, Any], name: str, task: str, features: int) -> tuple[np.ndarray, np.ndarray]:
        inputs, _ = samples(part[0], f"X of the {name} part")
        y = to_numpy(part[1])
        if len(inputs) != len(y):
            raise ValueError(f"X of the {name} part has {len(inputs)} samples, and its y has {len(y)}")
        if inputs.shape[1] != features:
            raise ValueError(f"samples of the {name} part have {inputs.shape[1]} features, and those of X {features}")
        if self.classes is not None:
            return inputs, encoded(y.reshape(len(y)), self.classes, f"y of the {name} part")
        return inputs, (y[:, None] if y.ndim == 1 else y).astype(np.float64)

    def _output_names(self, targets: np.ndarray, task: str) -> list[str]:
        if self.classes is not None:
            return [str(name) for name in self.classes]
        if targets.shape[1] == 1 and task == "regression":
            return ["target"]
        return [str(number) for number in range(targets.shape[1])]

    def fit(
        self,
        *,
        on_epoch: Callable[[Event], Any] | None = None,
        on_round: Callable[[Event], Any] | None = None,
        on_event: Callable[[Event], Any] | None = None,
        progress: bool = False,
        save_every: str | None = None,
    ) -> Event:
        """Trains to the end, or on from where it was stopped, and returns the result.

        `on_epoch` and `on_round` hear of each epoch and round, `on_event` of everything, between two steps. A callback
        can `stop()` the training; an exception ends it and comes through. Ctrl-C ends it after the current step. Either
        way what was trained stays, and is saved first if there is a run folder. `progress` shows a bar. `save_every` is
        the time between two checkpoints: epochs (`2`), steps (`500s`) or time (`10m`, `2h`).
        """
        bar = Bar() if progress else None

        def hear(text: str) -> None:
            event = Event(json.loads(text))
            kind = event["event"]
            if bar is not None:
                bar.see(event)
            if kind == "note":
                self.notes.append(event["text"])
            elif kind == "epoch":
                self.history.append(event)
                if on_epoch is not None:
                    on_epoch(event)
            elif kind == "round" and on_round is not None:
                on_round(event)
            if on_event is not None:
                on_event(event)

        self._model = None
        try:
            return Event(json.loads(self._native.fit(hear, save_every)))
        finally:
            if bar is not None:
                bar.close()

    def stop(self) -> None:
        """Has the running training stop after its step: for callbacks and other threads."""
        self._native.stop()

    def restore(self, path: str | os.PathLike[str]) -> list[str]:
        """Goes on from a run's newest checkpoint, or from a checkpoint, of a training like this one.

        Returns what has changed in the data since.
        """
        self._model = None
        return self._native.restore(os.fspath(path))

    def begin_with(self, layers: Sequence[Any]) -> None:
        """Begins with these weights instead of drawn ones: `Layer`s, or matrices of SciPy or torch (without biases).

        They have as many connections in all as the sparsity leaves.
        """
        own = [layer if isinstance(layer, Layer) else Layer.of(layer) for layer in layers]
        self._native.begin_with([vars(layer) for layer in own])

    def evaluate(self, part: str | None = None) -> Event:
        """Loss and metrics of the current weights on the `test` or `validation` part."""
        return Event(json.loads(self._native.evaluate(part)))

    def model(self, best: bool = True) -> Model:
        """The trained network, with its best weights if a validation part chose some."""
        if best and self._model is not None:
            return self._model
        model = Model(self._native.predictor(best), self.classes, *self._device)
        if best:
            self._model = model
        return model

    def predict(self, X: Any) -> np.ndarray:
        """What the trained network predicts."""
        return self.model().predict(X)

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class or label."""
        return self.model().predict_proba(X)

    def weights(self) -> list[Layer]:
        """The sparse layers as they are now, first to last."""
        return [Layer(**layer) for layer in self._native.layers()]

    def save(self, run: str | os.PathLike[str]) -> str:
        """Saves a checkpoint into a run folder and returns its path."""
        return str(self._native.save(os.fspath(run)))

    @property
    def is_done(self) -> bool:
        """Whether no step is left to train."""
        return self._native.is_done

    @property
    def step(self) -> int:
        """Steps done."""
        return self._native.step

    @property
    def epoch(self) -> int:
        """Whole epochs done."""
        return self._native.epoch

    @property
    def config(self) -> str:
        """The configuration, as the text of a `config.toml`."""
        return self._native.config

    @property
    def device(self) -> str:
        """What it runs on, in words."""
        return self._native.adapter


def _weights(given: Any, samples: int) -> np.ndarray | None:
    if given is None:
        return None
    weights = to_numpy(given).astype(np.float32)
    if weights.shape != (samples,):
        raise ValueError(f"sample_weight has the shape {weights.shape}; expected one weight for each of {samples} samples")
    return weights


def _plain(value: Any) -> Any:
    """NumPy's numbers and tuples as JSON has them."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (tuple, list, np.ndarray)):
        return [_plain(one) for one in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value
