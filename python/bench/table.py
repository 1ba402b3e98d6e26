"""Trains one network on the same data in turns: by the estimator, by the command, by scikit-learn and by a masked torch
module, and prints one table: `python table.py [--command target/release/rootlet] [--rows 8000] [--turns 5]`.

Each side trains in a process of its own, and the shortest of its turns counts. Sides that are not installed are left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HIDDEN, SPARSITY, BATCH, RATE, SEED = (512, 512), 0.98, 64, 0.003, 1


def data(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Ten classes of 256 numbers; the same in every process."""
    random = np.random.default_rng(SEED)
    y = random.integers(0, 10, rows)
    centres = random.normal(size=(10, 256))
    return (centres[y] + 2 * random.normal(size=(rows, 256))).astype(np.float32), y


def estimator(X: np.ndarray, y: np.ndarray, epochs: int) -> None:
    from rootlet import SparseClassifier

    model = SparseClassifier(
        HIDDEN, sparsity=SPARSITY, epochs=epochs, batch_size=BATCH, learning_rate=RATE, round_every=100, random_state=SEED
    )
    began = time.perf_counter()
    model.fit(X, y)
    print(time.perf_counter() - began, (model.predict(X) == y).mean())


def scikit_learn(X: np.ndarray, y: np.ndarray, epochs: int) -> None:
    import warnings

    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore")
    model = MLPClassifier(
        HIDDEN, max_iter=epochs, batch_size=BATCH, learning_rate_init=RATE, n_iter_no_change=epochs + 1, random_state=SEED
    )
    began = time.perf_counter()
    model.fit(X, y)
    print(time.perf_counter() - began, model.score(X, y))


def masked_torch(X: np.ndarray, y: np.ndarray, epochs: int) -> None:
    import torch

    torch.manual_seed(SEED)
    widths = [X.shape[1], *HIDDEN, 10]
    linear = [torch.nn.Linear(a, b) for a, b in zip(widths, widths[1:])]
    masks = [(torch.rand_like(layer.weight) > SPARSITY).float() for layer in linear]
    optimiser = torch.optim.AdamW([p for layer in linear for p in layer.parameters()], lr=RATE)
    X, y = torch.from_numpy((X - X.mean(0)) / X.std(0)), torch.from_numpy(y)

    def outputs(x: torch.Tensor) -> torch.Tensor:
        for number, (layer, mask) in enumerate(zip(linear, masks)):
            x = torch.nn.functional.linear(x, layer.weight * mask, layer.bias)
            x = x if number + 1 == len(linear) else x.relu()
        return x

    began = time.perf_counter()
    for _ in range(epochs):
        for batch in torch.randperm(len(X)).split(BATCH):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(outputs(X[batch]), y[batch]).backward()
            optimiser.step()
    took = time.perf_counter() - began
    print(took, (outputs(X).argmax(1) == y).float().mean().item())


def by_command(command: str, folder: Path, epochs: int) -> tuple[float, float]:
    """The command on the same rows, without a validation part worth the name; its own count of the seconds."""
    import json

    table = folder / "data.npz"
    if not table.exists():
        X, y = data(int((folder / "rows").read_text()))
        np.savez(table, X=X, y=y)
    arguments = (
        f"train --data {table} --test {table} --adapter cpu --hidden {','.join(map(str, HIDDEN))} --sparsity {SPARSITY} "
        f"--epochs {epochs} --batch {BATCH} --lr {RATE} --round-every 100 --seed {SEED} --json "
        f"--runs {folder / 'runs'}"
    )
    told = subprocess.run([command, *arguments.split()], check=True, stdout=subprocess.PIPE, text=True).stdout
    events = [json.loads(line) for line in told.splitlines()]
    end = next(event for event in events if event["event"] == "finished")
    tests = sum(phase["seconds"] for phase in end["phases"] if phase["name"] == "evaluation")
    return end["seconds"] - tests, end["test_accuracy"]


SIDES = {"estimator": estimator, "MLPClassifier": scikit_learn, "masked torch": masked_torch}
NEEDS = {"estimator": "rootlet", "MLPClassifier": "sklearn", "masked torch": "torch"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--command", help="the program rootlet, built with --release")
    parser.add_argument("--rows", type=int, default=8000)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        SIDES[given.side](*data(given.rows), given.epochs)
        return
    sides = [name for name in SIDES if importlib.util.find_spec(NEEDS[name])]
    if given.command:
        sides.insert(1, "command")
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "rows").write_text(str(given.rows))
        for _ in range(given.turns):
            for name in sides:
                if name == "command":
                    results[name].append(by_command(given.command, folder, given.epochs))
                    continue
                own = [sys.executable, __file__, "--side", name, "--rows", str(given.rows), "--epochs", str(given.epochs)]
                told = subprocess.run(own, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
                results[name].append((float(told[-2]), float(told[-1])))
    print(f"{given.rows} rows of 256 numbers, {given.epochs} epochs, the shortest of {given.turns} turns\n")
    print("| | seconds | accuracy on the rows trained on |\n|---|---|---|")
    for name, turns in results.items():
        print(f"| {name} | {min(took for took, _ in turns):.2f} | {turns[-1][1] * 100:.1f} % |")


if __name__ == "__main__":
    main()
