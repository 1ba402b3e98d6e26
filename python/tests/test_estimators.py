"""The estimators: scikit-learn's own checks, and what they do not look at."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris, make_multilabel_classification
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from rootlet import SparseClassifier, SparseMultiLabel, SparseRegressor, layers, load

# scikit-learn wants the same bits to 1e-7, and networks add up in 32 bits; below it is checked to 1e-3.
NOT_EXACT = {"check_sample_weight_equivalence_on_dense_data": "sums of 32 bits in another order"}


@parametrize_with_checks(
    [SparseClassifier(random_state=0), SparseRegressor(random_state=0), SparseMultiLabel(random_state=0)],
    expected_failed_checks=lambda _: NOT_EXACT,
)
def test_scikit_learn_accepts_it(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return train_test_split(X, y, test_size=0.25, random_state=0)


def test_it_learns_the_digits(digits):
    X, X_test, y, y_test = digits
    model = SparseClassifier((128, 128), sparsity=0.9, epochs=20, random_state=0).fit(X, y)
    assert model.score(X_test, y_test) > 0.93
    assert model.n_iter_ == 20 and model.loss_curve_[-1] < model.loss_curve_[0]
    dense = sum(layer.shape[0] * layer.shape[1] for layer in model.weights())
    assert sum(len(layer.data) for layer in model.weights()) == pytest.approx(0.1 * dense, rel=0.01)


def test_the_same_seed_gives_the_same_bits_and_pickles_keep_them(digits):
    X, X_test, y, _ = digits
    fit = lambda seed: SparseClassifier((32,), epochs=3, random_state=seed).fit(X, y)  # noqa: E731
    first = fit(1)
    expected = first.predict_proba(X_test)
    assert np.array_equal(fit(1).predict_proba(X_test), expected)
    assert not np.array_equal(fit(2).predict_proba(X_test), expected)
    assert np.array_equal(pickle.loads(pickle.dumps(first)).predict_proba(X_test), expected)


def test_a_weight_of_two_is_the_sample_twice():
    X, y = load_iris(return_X_y=True)
    weights = np.arange(len(X)) % 3
    # All samples in one step: their order does not matter.
    build = lambda: SparseClassifier((16,), sparsity=0.5, epochs=20, batch_size=1000, random_state=0)  # noqa: E731
    weighted = build().fit(X, y, sample_weight=weights)
    repeated = build().fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    assert np.allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-3)
    assert not np.allclose(build().fit(X, y).predict_proba(X), repeated.predict_proba(X), atol=1e-3)


def test_an_evaluation_set_chooses_the_weights_and_stops(digits):
    X, X_test, y, y_test = digits
    model = SparseClassifier((64,), epochs=60, patience=2, random_state=0)
    model.fit(X, y, eval_set=(X_test, y_test))
    accuracies = [event["validation"]["accuracy"] for event in model.history_]
    assert len(accuracies) < 60 and len(accuracies) == np.argmax(accuracies) + 3
    assert model.score(X_test, y_test) == pytest.approx(max(accuracies), abs=1e-6)
    with pytest.raises(ValueError, match="has the class"):
        model.fit(X, y, eval_set=(X_test, y_test + 10))


def test_it_is_searched_and_piped(digits):
    X, _, y, _ = digits
    pipe = make_pipeline(StandardScaler(), SparseClassifier((32,), epochs=20, random_state=0))
    search = GridSearchCV(pipe, {"sparseclassifier__sparsity": [0.5, 0.9]}, cv=2, n_jobs=2)
    search.fit(X[:400], y[:400])
    assert search.best_score_ > 0.5


def test_several_labels_and_several_numbers():
    X, labels = make_multilabel_classification(400, n_features=12, n_classes=4, random_state=0)
    model = SparseMultiLabel((64,), sparsity=0.5, epochs=200, random_state=0).fit(X, labels)
    assert model.predict(X).shape == labels.shape and (model.predict(X) == labels).mean() > 0.85
    numbers = np.stack([X.sum(axis=1) * 100, X[:, 0] - 1000], axis=1)
    regressor = SparseRegressor((64,), sparsity=0.5, random_state=0).fit(X, numbers)
    assert regressor.score(X, numbers) > 0.95


def test_frames_keep_their_names(tmp_path):
    pandas = pytest.importorskip("pandas")
    data = load_iris(as_frame=True)
    names = data.target_names[data.target]
    model = SparseClassifier((16,), sparsity=0.5, random_state=0).fit(data.data, names)
    assert list(model.feature_names_in_) == list(data.data.columns)
    assert set(model.predict(data.data)) == set(data.target_names)
    model.model_.save(tmp_path / "run")
    loaded = load(tmp_path / "run")
    assert loaded.feature_names == list(data.data.columns) and list(loaded.classes) == sorted(data.target_names)
    # Rows of a file, with the columns in another order.
    pandas.DataFrame(data.data.iloc[:, ::-1]).to_csv(tmp_path / "rows.csv", index=False)
    assert (loaded.predict_file(tmp_path / "rows.csv") == model.predict(data.data)).all()


def test_torch_tensors_are_taken(digits):
    torch = pytest.importorskip("torch")
    X, X_test, y, y_test = digits
    arrays = SparseClassifier((16,), epochs=2, random_state=0).fit(X, y).predict_proba(X_test)
    X, X_test, y = (torch.from_numpy(array) for array in (X, X_test, y))
    tensors = SparseClassifier((16,), epochs=2, random_state=0).fit(X, y).predict_proba(X_test)
    assert np.array_equal(arrays, tensors)


def test_exceptions_of_callbacks_come_through_and_what_was_trained_stays(digits):
    X, X_test, y, _ = digits

    def stop(event):
        if event.epoch == 2:
            raise KeyError("enough")

    model = SparseClassifier((16,), epochs=9, random_state=0)
    with pytest.raises(KeyError, match="enough"):
        model.fit(X, y, on_epoch=stop)
    assert model.n_iter_ == 2 and model.predict(X_test).shape == (len(X_test),)


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (dict(sparsity=2), "sparsity"),
        (dict(epochs=0), "epochs"),
        (dict(batch_size=0), "batch_size"),
        (dict(hidden_layer_sizes=(0,)), "hidden_layer_sizes"),
        (dict(learning_rate=-1), "learning_rate"),
        (dict(method="other"), "unknown name `other`"),
        (dict(device="other"), "other"),
        (dict(layers=[layers.Linear(7)]), "7 units"),
    ],
)
def test_what_cannot_be_used_is_named(bad, says):
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=says) as raised:
        SparseClassifier(**bad).fit(X, y)
    assert "--" not in str(raised.value)
