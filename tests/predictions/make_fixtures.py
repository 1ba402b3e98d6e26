"""Trains two small networks on tables and stores what NumPy predicts by their checkpoints for new rows.

    python make_fixtures.py ROOTLET

ROOTLET is the command. The tables lie in /data while they are trained on, since checkpoints keep their path.
"""
import csv
import json
import os
import pathlib
import shutil
import subprocess
import sys

import numpy as np

HERE = pathlib.Path(__file__).parent
DATA = pathlib.Path("/data")


def rows(count, seed):
    random = np.random.default_rng(seed)
    for _ in range(count):
        length, width = random.normal(5, 2), random.normal(1e4, 30)
        colour = random.choice(["red", "green", "blue", "light, dark", ""])
        kind = ["ash", "elm", "oak"][int(np.clip((length - 3) / 2, 0, 2))]
        price = 3000 + 100 * length - (width - 1e4)
        yield {
            "length": "" if random.random() < 0.1 else f"{length:.3f}",
            "width": f"{width:.2f}",
            "colour": colour,
            "kind": kind,
            "price": f"{price:.1f}",
            "rent": f"{price / 50 + length:.2f}",
        }


def write(path, table, columns):
    with open(path, "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(columns)
        out.writerows([row[column] for column in columns] for row in table)


def tensors(path):
    """A safetensors file, by its specification."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    kinds = {"F32": np.float32, "I32": np.int32, "U32": np.uint32, "I64": np.int64}
    return {
        name: np.frombuffer(content[8 + length :][slice(*about["data_offsets"])], kinds[about["dtype"]]).reshape(about["shape"])
        for name, about in header.items()
        if name != "__metadata__"
    }


def inputs(rules, table):
    columns = []
    for column in rules["columns"]:
        cells = [row[column["name"]] for row in table]
        (kind, rule), = column["rule"].items()
        missing = np.array([cell == "" for cell in cells])
        if kind == "number":
            numbers = np.array([rule.get("fill") if cell == "" else np.float32(cell) for cell in cells], np.float64)
            columns.append((numbers - rule["mean"]) / rule["deviation"])
        else:
            columns.extend(np.array([cell == name for cell in cells]) for name in rule["names"])
        if rule.get("missing_input"):
            columns.append(missing)
    return np.stack(columns, 1).astype(np.float32).astype(np.float64)


def forward(model, x):
    last = max(int(name.split(".")[1]) for name in model if name.startswith("layers."))
    for layer in range(last + 1):
        rows, columns, values = (model[f"layers.{layer}.{part}"] for part in ("crow_indices", "col_indices", "values"))
        weights = np.zeros((len(rows) - 1, x.shape[1]))
        weights[np.repeat(np.arange(len(rows) - 1), np.diff(rows)), columns] = values
        x = x @ weights.T + model[f"layers.{layer}.bias"]
        if layer < last:
            x = np.maximum(x, 0)
    return x


def main(rootlet):
    for name, targets, more in [
        ("classes", ["kind"], ["--lr=0.05"]),
        ("values", ["price", "rent"], ["--optimiser=adamw", "--lr=0.01"]),
    ]:
        columns = ["length", "width", "colour", *targets]
        table = DATA / f"{name}.csv"
        write(table, rows(200, 1), columns)
        runs = DATA / "runs"
        shutil.rmtree(runs, ignore_errors=True)
        train = ["train", f"--data={table}", f"--target={','.join(targets)}", "--missing=category", "--hidden=12"]
        train += ["--sparsity=0.4", "--epochs=30", "--batch=16", "--threads=1", "--quiet", f"--runs={runs}"]
        subprocess.run([rootlet, *train, *more], check=True, cwd=DATA, env={**os.environ, "ROOTLET_ADAPTER": "cpu"})
        run, = runs.iterdir()
        checkpoint = sorted((run / "checkpoints").iterdir())[-1]
        shutil.rmtree(HERE / name, ignore_errors=True)
        shutil.copytree(checkpoint, HERE / name)
        new = list(rows(20, 2))
        new[3]["colour"] = "violet"
        write(HERE / f"{name}.csv", new, columns[:3])
        rules = json.loads((checkpoint / "manifest.json").read_text())["data"]["preprocessing"]
        told = forward(tensors(checkpoint / "model.safetensors"), inputs(rules, new))
        (kind, target), = rules["target"].items()
        if kind == "classes":
            shares = np.exp(told - told.max(1, keepdims=True))
            told, names = shares / shares.sum(1, keepdims=True), target["names"]
        else:
            told, names = told * target["deviation"] + target["mean"], target["columns"]
        with open(HERE / f"{name}.expected.csv", "w", newline="") as file:
            out = csv.writer(file, lineterminator="\n")
            out.writerow(names)
            out.writerows(told)
        shutil.rmtree(runs)
        table.unlink()


main(*sys.argv[1:])
