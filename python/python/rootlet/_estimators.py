"""The estimators: scikit-learn's interface over `Trainer`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ._arrays import to_numpy
from ._trainer import Trainer
from ._weights import Layer

# Read where they are; anything else becomes the first.
_NUMBERS = (np.float64, np.float32, np.uint8)
# Rounds in a training that is too short for one every 100 steps.
_ROUNDS = 10


class _SparseEstimator(BaseEstimator):
    """What the estimators share.

    Parameters
    ----------
    hidden_layer_sizes : widths of the hidden layers.
    sparsity : the share of all possible connections that do not exist.
    method : how connections are pruned and grown: a name (`rootlet.methods()`), or a growth rule of your own.
    epochs : passes over the samples.
    batch_size : samples per step.
    learning_rate : None is 0.003 for adamw and 0.1 for sgd.
    optimizer : `adamw` or `sgd`.
    weight_decay : None is the optimizer's usual one.
    round_every : steps between two prune-and-grow rounds; None is 100, or a tenth of all steps if those are fewer.
    patience : with an `eval_set`, stop after so many epochs in which it was no better.
    standardise : whether features (and numbers to predict) are scaled to mean 0 and deviation 1.
    layers : a list of layers (`rootlet.layers`) instead of hidden layers.
    options : further options of `Trainer`, by their names there.
    device : `cpu`, `auto`, or a part of an adapter's name.
    threads : of the device `cpu`; 0 is one per core. The result does not depend on it.
    random_state : as in scikit-learn.
    verbose : whether a bar shows the progress.
    """

    _task = ""

    def __init__(
        self,
        hidden_layer_sizes: Sequence[int] = (512, 512),
        *,
        sparsity: float = 0.98,
        method: Any = "gse-uniform",
        epochs: int = 50,
        batch_size: int = 64,
        learning_rate: float | None = None,
        optimizer: str = "adamw",
        weight_decay: float | None = None,
        round_every: int | None = None,
        patience: int | None = None,
        standardise: bool = True,
        layers: Any = None,
        options: dict[str, Any] | None = None,
        device: str = "cpu",
        threads: int = 0,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.sparsity = sparsity
        self.method = method
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.optimizer = optimizer
        self.weight_decay = weight_decay
        self.round_every = round_every
        self.patience = patience
        self.standardise = standardise
        self.layers = layers
        self.options = options
        self.device = device
        self.threads = threads
        self.random_state = random_state
        self.verbose = verbose

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, eval_set: Any = None, *, on_epoch: Any = None, on_round: Any = None
    ) -> Any:
        """Trains.

        `eval_set` is `(X, y)`, or a list with one such pair: it is evaluated after each epoch, and chooses the best
        weights. If Ctrl-C or an exception of a callback ends the training, it comes through, and the estimator keeps
        what was trained.
        """
        y = _tensor(y)
        X, y = self._checked(_tensor(X), y)
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(_tensor(sample_weight), X, ensure_non_negative=True)
            if not np.any(weights > 0):
                raise ValueError("sample_weight is 0 for every sample, so nothing can be learned")
        targets = self._targets(y)
        random = check_random_state(self.random_state)
        rows = len(X)
        batch = min(int(self.batch_size), rows) if self.batch_size > 0 else self.batch_size
        steps = int(self.epochs) * -(-rows // max(int(batch), 1))
        options = {
            "hidden": list(np.atleast_1d(self.hidden_layer_sizes)),
            "sparsity": self.sparsity,
            "epochs": self.epochs,
            "batch": batch,
            "lr": self.learning_rate,
            "optimiser": self.optimizer,
            "weight_decay": self.weight_decay,
            "round_every": self.round_every or max(1, min(100, steps // _ROUNDS)),
            "patience": self.patience,
            "seed": int(random.randint(1, 2**31 - 1)),
            **(self.options or {}),
        }
        if options["lr"] is None and self.optimizer == "adamw":
            options["lr"] = 0.003
        trainer = Trainer(
            _Named(X, self),
            targets,
            task=self._task,
            sample_weight=weights,
            validation=self._validation(eval_set),
            layers=self.layers,
            method=self.method,
            standardise=self.standardise,
            device=self.device,
            threads=self.threads,
            **options,
        )
        try:
            trainer.fit(on_epoch=on_epoch, on_round=on_round, progress=bool(self.verbose))
        finally:
            if trainer.step > 0:
                self.model_ = trainer.model()
                self.n_iter_ = trainer.epoch
                self.history_ = trainer.history
                self.loss_curve_ = [event["train_loss"] for event in trainer.history]
        return self

    def _checked(self, X: Any, y: Any) -> tuple[Any, Any]:
        raise NotImplementedError

    def _targets(self, y: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _validation(self, eval_set: Any) -> tuple[Any, Any] | None:
        if eval_set is None:
            return None
        if isinstance(eval_set, list):
            if len(eval_set) != 1:
                raise ValueError(f"eval_set has {len(eval_set)} pairs (X, y); give one")
            eval_set = eval_set[0]
        X, y = eval_set
        X = validate_data(self, _tensor(X), dtype=_NUMBERS, reset=False)
        return X, np.asarray(_tensor(y))

    def _inputs(self, X: Any) -> np.ndarray:
        check_is_fitted(self, "model_")
        return validate_data(self, _tensor(X), dtype=_NUMBERS, reset=False)

    def _outputs(self, X: Any) -> np.ndarray:
        X = self._inputs(X)
        return self.model_.outputs(X)

    @property
    def feature_importances_(self) -> np.ndarray:
        """How strong each feature's connections are: the sum of |w| in the first layer, with a total of 1.

        It says what the network looks at, not what it is worth to it: for that, see
        `sklearn.inspection.permutation_importance`.
        """
        check_is_fitted(self, "model_")
        strengths = self.model_.strengths()
        total = strengths.sum()
        return strengths / total if total > 0 else strengths

    def explain(self, X: Any, target: Any = None, **options: Any) -> np.ndarray:
        """As `Model.explain`: the gradient of an output by each feature of each sample."""
        X = self._inputs(X)
        return self.model_.explain(X, target, **options)

    def weights(self) -> list[Layer]:
        """The sparse layers of the trained network."""
        check_is_fitted(self, "model_")
        return self.model_.weights()


class _Named:
    """An array with the names of its features, as a frame has them."""

    def __init__(self, array: np.ndarray, estimator: Any) -> None:
        self._array = array
        self.columns = getattr(estimator, "feature_names_in_", None)

    def to_numpy(self) -> np.ndarray:
        return self._array


def _tensor(x: Any) -> Any:
    """A torch tensor as an array that shares its memory; anything else as it is, for scikit-learn to judge."""
    return to_numpy(x) if hasattr(x, "detach") else x


class SparseClassifier(ClassifierMixin, _SparseEstimator):
    """A classifier whose network is sparse from the first step to the last."""

    _task = "classification"

    def _checked(self, X: Any, y: Any) -> tuple[Any, Any]:
        X, y = validate_data(self, X, y, dtype=_NUMBERS)
        check_classification_targets(y)
        return X, y

    def _targets(self, y: np.ndarray) -> np.ndarray:
        self.classes_ = np.unique(y)
        return y

    def predict(self, X: Any) -> np.ndarray:
        """The class of each sample."""
        outputs = self._outputs(X)
        return self.classes_[outputs.argmax(axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class, `[sample, class]`."""
        X = self._inputs(X)
        return self.model_.predict_proba(X)


class SparseMultiLabel(SparseClassifier):
    """Several labels for each sample, each of which applies or not.

    `y` is a matrix of 0 and 1, as `sklearn.preprocessing.MultiLabelBinarizer` makes it, and so are predictions. With one
    class for each sample it is a `SparseClassifier`.
    """

    def _checked(self, X: Any, y: Any) -> tuple[Any, Any]:
        if not type_of_target(y, input_name="y").startswith("multilabel"):
            self._task = "classification"
            return super()._checked(X, y)
        self._task = "multi-label"
        return validate_data(self, X, y, dtype=_NUMBERS, multi_output=True)

    def _targets(self, y: np.ndarray) -> np.ndarray:
        if self._task == "classification":
            return super()._targets(y)
        if hasattr(y, "toarray"):
            y = y.toarray()
        self.classes_ = np.arange(y.shape[1])
        return y

    def predict(self, X: Any) -> np.ndarray:
        """Whether each label applies: a matrix of 0 and 1."""
        if self._task == "classification":
            return super().predict(X)
        return (self._outputs(X) > 0).astype(np.int64)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class SparseRegressor(RegressorMixin, _SparseEstimator):
    """A regressor, of one number or several, whose network is sparse from the first step to the last."""

    _task = "regression"

    def _checked(self, X: Any, y: Any) -> tuple[Any, Any]:
        return validate_data(self, X, y, dtype=_NUMBERS, multi_output=True, y_numeric=True)

    def _targets(self, y: np.ndarray) -> np.ndarray:
        self._is_one = y.ndim == 1
        return y

    def predict(self, X: Any) -> np.ndarray:
        """The number or the numbers of each sample."""
        numbers = self._outputs(X).astype(np.float64)
        return numbers[:, 0] if self._is_one else numbers

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
