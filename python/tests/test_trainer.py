"""The trainer: callbacks, interrupts, layers, growth rules, weights, run folders."""

import csv
import json
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest
from sklearn.datasets import load_digits

from rootlet import Layer, Trainer, adapters, load, methods
from rootlet.layers import BatchNorm, Conv, Flatten, Linear, MaxPool, Mean, Residual

X, Y = load_digits(return_X_y=True)
TRAIN, REST = slice(0, 1400), slice(1400, None)
SMALL = dict(hidden=[32], sparsity=0.8, epochs=3, round_every=20, seed=1)


def trainer(**options):
    return Trainer(X[TRAIN], Y[TRAIN], **{**SMALL, **options})


def test_it_tells_of_epochs_and_rounds():
    epochs, rounds, kinds = [], [], set()
    own = trainer(validation=(X[REST], Y[REST]))
    end = own.fit(on_epoch=epochs.append, on_round=rounds.append, on_event=lambda event: kinds.add(event.event))
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3] == [epoch.epoch for epoch in own.history]
    assert rounds and rounds[0].step == 20 and rounds[0].layers[0]["grown"] > 0
    assert {"started", "epoch", "round", "finished"} <= kinds
    assert end.validation["accuracy"] > 0.7 and own.is_done and own.epoch == 3
    with pytest.raises(AttributeError, match="epoch event has no 'other'"):
        epochs[0].other


def test_arrays_of_any_layout_give_the_same_bits():
    """Nothing is copied, so strides and types are read as they are."""
    def outputs(inputs):
        own = Trainer(inputs[TRAIN], Y[TRAIN], **SMALL)
        own.fit()
        return own.model().outputs(inputs[REST])

    expected = outputs(X)
    wide = np.zeros((len(X), 2 * X.shape[1]))
    wide[:, ::2] = X
    for other in (X.astype(np.float32), X.astype(np.uint8), np.asfortranarray(X), wide[:, ::2], X.astype(int), X[::-1][::-1]):
        assert np.array_equal(outputs(other), expected)


def test_the_array_itself_is_read():
    inputs = X[TRAIN].astype(np.float32)
    own = Trainer(inputs, Y[TRAIN], standardise=False, **SMALL)
    before = sys.getrefcount(inputs)
    inputs[:] = 0.0
    own.fit()
    # All samples are alike now: only the classes' sizes can be learned.
    assert own.history[-1].train_loss > 2.2
    del own
    assert sys.getrefcount(inputs) < before


def test_callbacks_run_on_the_calling_thread_and_others_run_meanwhile():
    threads, ticks, done = set(), [], threading.Event()

    def tick():
        while not done.wait(0.001):
            ticks.append(1)

    beside = threading.Thread(target=tick)
    beside.start()
    try:
        trainer(hidden=[512, 512], epochs=6).fit(on_epoch=lambda _: threads.add(threading.get_ident()))
    finally:
        done.set()
        beside.join()
    assert threads == {threading.get_ident()}
    assert len(ticks) > 10, "the lock of the interpreter was held"


def test_a_callback_can_stop_and_training_goes_on_to_the_same_bits():
    own = trainer()

    def stop(event):
        if event.epoch == 1:
            own.stop()
        with pytest.raises(RuntimeError, match="is training"):
            own.weights()

    assert own.fit(on_epoch=stop).interrupted and own.epoch == 1
    own.fit()
    whole = trainer()
    whole.fit()
    assert own.epoch == 3
    for layer, other in zip(own.weights(), whole.weights()):
        assert np.array_equal(layer.data, other.data) and np.array_equal(layer.indices, other.indices)


def test_ctrl_c_saves_and_comes_through(tmp_path):
    run = tmp_path / "run"
    own = trainer(epochs=100_000, run=run)
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    # What a shell starts in the background ignores the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            own.fit()
    finally:
        signal.signal(signal.SIGINT, before)
    assert own.step > 0
    saved = load(run)
    assert saved.step == own.step
    assert np.array_equal(saved.outputs(X[REST]), own.model().outputs(X[REST]))


def test_a_run_is_restored_to_the_same_bits(tmp_path):
    run = tmp_path / "run"
    own = trainer(run=run)
    own.fit(on_epoch=lambda event: own.stop() if event.epoch == 2 else None)
    again = trainer(run=run)
    with pytest.raises(ValueError, match="another training"):
        again.fit()
    assert again.restore(run) == [] and again.epoch == 2
    again.fit()
    whole = trainer()
    whole.fit()
    assert np.array_equal(again.model().outputs(X), whole.model().outputs(X))
    assert np.array_equal(load(run).predict(X), whole.predict(X))
    # The tables go on, too: every epoch and round is there once.
    assert [row["epoch"] for row in table(run / "metrics.csv")] == ["1", "2", "3"]
    steps = [int(row["step"]) for row in table(run / "topology.csv") if row["layer"] == "0"]
    assert steps == sorted(set(steps)) and len(steps) > 1


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_has_the_files_of_a_run_of_the_command(tmp_path):
    run = tmp_path / "run"
    own = trainer(validation=(X[REST], Y[REST]), run=run)
    rounds = []
    own.fit(on_round=rounds.append)
    epochs = table(run / "metrics.csv")
    assert [float(row["train_loss"]) for row in epochs] == pytest.approx([event.train_loss for event in own.history])
    assert {row["step"] for row in table(run / "topology.csv")} == {str(event.step) for event in rounds}
    summary = json.loads((run / "summary.json").read_text())
    assert summary["finished"]["epochs"] == 3 and summary["failed"] is None and summary["started"]["model_name"] == "mlp"
    assert json.loads((run / "progress.json").read_text())["progress"]["step"] == own.step
    # Nobody holds the folder any more, and while somebody trains there nobody else does.
    (tmp_path / "two").mkdir()
    first, second = (trainer(run=tmp_path / "two") for _ in range(2))

    def beside(event):
        if event.epoch == 1:
            with pytest.raises(RuntimeError, match="is in use by process"):
                second.fit()

    first.fit(on_epoch=beside)
    # A failure is noted.
    failing = trainer(lr=1e6, run=tmp_path / "failed")
    with pytest.raises(FloatingPointError):
        failing.fit()
    assert json.loads((tmp_path / "failed" / "summary.json").read_text())["failed"]["diverged"]


def test_a_model_of_layers(tmp_path):
    images = (X.reshape(-1, 1, 8, 8) * 15).astype(np.uint8)
    net = [
        Conv(8),
        BatchNorm(relu=True),
        Residual([Conv(16, stride=2), BatchNorm(relu=True), Conv(16), BatchNorm()]),
        MaxPool(2, 2),
        Flatten(),
        Linear(32, relu=True),
        Linear(),
    ]
    run = tmp_path / "run"
    own = Trainer(images[TRAIN], Y[TRAIN], layers=net, sparsity=0.5, epochs=3, lr=0.05, run=run)
    own.fit()
    assert (own.predict(images[REST]) == Y[REST]).mean() > 0.8
    expected = own.model().outputs(images[REST])
    assert np.array_equal(load(run).outputs(images[REST]), expected)
    assert np.array_equal(pickle.loads(pickle.dumps(own.model())).outputs(images[REST]), expected)
    with pytest.raises(ValueError, match="does not fit"):
        Trainer(images, Y, layers=[MaxPool(16, 16), Mean(), Linear()])
    with pytest.raises(TypeError, match="is not a layer"):
        Trainer(images, Y, layers=["linear"])


def test_a_growth_rule_of_python():
    seen = []

    def by_gradient(layer, outputs, inputs, gradients):
        seen.append((layer, len(gradients)))
        return gradients

    own = trainer(method=by_gradient)
    own.fit()
    plain = trainer(method="gse-uniform")
    plain.fit()
    assert seen and seen[0][0] == 0
    for layer, other in zip(own.weights(), plain.weights()):
        assert np.array_equal(layer.data, other.data)
    low = trainer(method=lambda layer, outputs, inputs, gradients: np.where(inputs < 16, 2.0, 1.0), epochs=6)
    low.fit()
    share = lambda trained: (trained.weights()[0].indices < 16).mean()  # noqa: E731
    assert share(low) > share(plain) + 0.05

    def wrong(layer, outputs, inputs, gradients):
        return gradients[1:]

    with pytest.raises(ValueError, match="one finite number for each"):
        trainer(method=wrong).fit()


def test_weights_go_out_and_come_in():
    own = trainer()
    own.fit()
    layers = own.weights()
    hidden = X[REST] - X[TRAIN].mean(axis=0)
    deviation = X[TRAIN].std(axis=0)
    hidden = hidden / np.where(deviation > 0, deviation, 1)
    hidden = np.maximum(hidden @ layers[0].to_scipy().T + layers[0].bias, 0)
    logits = hidden @ layers[1].to_scipy().T + layers[1].bias
    assert np.allclose(logits, own.model().outputs(X[REST]), atol=1e-3)
    other = trainer(seed=7)
    other.begin_with(layers)
    assert np.array_equal(other.model().outputs(X[REST]), own.model().outputs(X[REST]))
    by_matrix = trainer(seed=7)
    by_matrix.begin_with([layer.to_scipy() for layer in layers])
    assert np.array_equal(by_matrix.weights()[0].data, layers[0].data)
    with pytest.raises(ValueError):
        trainer().begin_with(layers[:1])


def test_weights_of_torch():
    torch = pytest.importorskip("torch")
    layer = trainer().weights()[0]
    tensor = layer.to_torch()
    assert tensor.values().data_ptr() == layer.data.ctypes.data
    assert np.array_equal(Layer.of(tensor).data, layer.data)
    assert torch.equal(tensor.to_dense(), torch.from_numpy(layer.to_scipy().toarray()))


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        (dict(other=1), TypeError, "no option `other`"),
        (dict(data="digits"), TypeError, "no option `data`"),
        (dict(sample_weight=[1.0]), ValueError, "one weight for each"),
        (dict(sample_weight=-np.ones(1400)), ValueError, "weight of sample 0 is -1"),
        (dict(validation=(X[REST, :5], Y[REST])), ValueError, "5 features"),
        (dict(candidates="other", method=print), ValueError, "must be uniform"),
        (dict(task="other"), ValueError, "task"),
        (dict(lr=1e6), FloatingPointError, "the loss became"),
    ],
)
def test_errors_are_fitting_exceptions(options, error, says):
    with pytest.raises(error, match=says) as raised:
        trainer(**options).fit()
    assert "--" not in str(raised.value).replace("rootlet train --print-config", "")


def test_numbers_that_are_none_are_refused():
    bad = X[TRAIN].copy()
    bad[3, 5] = np.nan
    with pytest.raises(ValueError, match="sample 3 .* feature 5"):
        Trainer(bad, Y[TRAIN])
    own = trainer()
    with pytest.raises(ValueError, match="3 features, and the network takes 64"):
        own.predict(np.zeros((2, 3)))
    with pytest.raises(FileNotFoundError):
        load("there is no such run")


def test_it_imports_without_scikit_learn():
    code = "import sys, rootlet; rootlet.Trainer; assert 'sklearn' not in sys.modules; rootlet.SparseClassifier"
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)
    assert "gse-uniform" in methods() and isinstance(adapters(), list)


def test_a_bar_shows_the_progress(capsys):
    trainer().fit(progress=True)
    told = capsys.readouterr()
    assert "loss" in told.err + told.out
