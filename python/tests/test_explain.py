"""What answers depend on: gradients, and the strength of features."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError

from rootlet import SparseClassifier, SparseRegressor, Trainer, load
from rootlet.layers import BatchNorm, Conv, Dropout, Linear, Mean

X, Y = load_digits(return_X_y=True)
TRAIN, REST = slice(0, 1400), slice(1400, None)


def by_hand(layers, deviation, mean, x, output):
    """The gradient of a logit of a perceptron, in 64 bits."""
    weights = [layer.to_scipy().toarray().astype(np.float64) for layer in layers]
    value, masks = (x - mean) / deviation, []
    for weight, layer in zip(weights[:-1], layers):
        value = weight @ value + layer.bias
        masks.append(value > 0)
        value = np.maximum(value, 0)
    gradient = weights[-1][output]
    for weight, mask in zip(weights[-2::-1], masks[::-1]):
        gradient = (gradient * mask) @ weight
    return gradient / deviation


def test_a_gradient_is_that_of_the_answer_by_the_own_numbers_of_the_features(tmp_path):
    own = Trainer(X[TRAIN], Y[TRAIN], hidden=[48, 32], sparsity=0.8, epochs=3, seed=1, run=tmp_path / "run")
    own.fit()
    deviation = X[TRAIN].std(axis=0)
    deviation[deviation == 0] = 1
    few, mean = X[REST][:40], X[TRAIN].mean(axis=0)
    model = own.model()
    found, answers = model.explain(few), model.outputs(few).argmax(axis=1)
    assert found.shape == few.shape and found.dtype == np.float32
    for sample in range(len(few)):
        expected = by_hand(own.weights(), deviation, mean, few[sample], answers[sample])
        assert np.allclose(found[sample], expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max())
    threes = model.explain(few, 3)
    expected = by_hand(own.weights(), deviation, mean, few[0], 3)
    assert np.allclose(threes[0], expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max())
    assert np.array_equal(load(tmp_path / "run").explain(few), found)
    smooth = model.explain(few[:2], copies=8)
    assert not np.array_equal(smooth, found[:2])
    assert np.array_equal(smooth, model.explain(few[:2], copies=8))
    assert not np.array_equal(smooth, model.explain(few[:2], copies=8, seed=1))
    with pytest.raises(ValueError, match="`target` must be one of 0, 1"):
        model.explain(few, 10)
    with pytest.raises(ValueError, match="3 features, and the network takes 64"):
        model.explain(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="noise"):
        model.explain(few, copies=2, noise=-1.0)


def test_images_have_the_gradient_of_a_prediction():
    """Norms by their running statistics, and no dropout."""
    images = (X.reshape(-1, 1, 8, 8) / 16).astype(np.float32)
    net = [Conv(8), BatchNorm(relu=True), Conv(8), BatchNorm(), Mean(), Dropout(0.5), Linear()]
    own = Trainer(images[TRAIN], Y[TRAIN], layers=net, sparsity=0.3, epochs=2, lr=0.05)
    own.fit()
    model = own.model()
    few = images[REST][:3]
    found = model.explain(few, 5)
    assert found.shape == few.shape
    random = np.random.default_rng(3)
    for _ in range(4):
        way = random.normal(size=few.shape).astype(np.float32)
        step = np.float32(2e-3)
        differences = (model.outputs(few + step * way) - model.outputs(few - step * way))[:, 5] / (2 * step)
        expected = (found * way).reshape(3, -1).sum(axis=1)
        size = np.linalg.norm(found.reshape(3, -1), axis=1)
        assert np.all(np.abs(differences - expected) < 0.03 * size + 1e-3)
    with pytest.raises(ValueError, match="first layer is a convolution"):
        model.strengths()


def test_a_regression_has_slopes_in_its_own_units():
    random = np.random.default_rng(1)
    inputs = random.normal(size=(600, 3)) * [1, 10, 100]
    target = 50 * inputs[:, 0] - 2 * inputs[:, 1] + 7
    model = SparseRegressor((), sparsity=0.0, epochs=60, learning_rate=0.01, random_state=1).fit(inputs, target)
    slopes = model.explain(inputs[:5])
    assert np.allclose(slopes, [50, -2, 0], atol=0.5)
    # By deviations of the features: 50, 20 and nothing.
    assert np.allclose(model.feature_importances_, [5 / 7, 2 / 7, 0], atol=0.02)


def test_importances_are_the_weights_of_the_first_layer():
    model = SparseClassifier((24,), sparsity=0.7, epochs=2, random_state=1)
    with pytest.raises(NotFittedError):
        model.feature_importances_
    model.fit(X[TRAIN], Y[TRAIN])
    first = model.weights()[0]
    expected = np.bincount(first.indices, weights=np.abs(first.data), minlength=64)
    assert np.allclose(model.model_.strengths(), expected, rtol=1e-6)
    assert np.allclose(model.feature_importances_, expected / expected.sum(), rtol=1e-6)
    assert model.explain(X[REST][:2]).shape == (2, 64)
