"""Compares an exported network with a file of `rootlet predict`: prints the largest difference.

    python check.py onnx|torch|scipy EXPORT INPUTS PREDICTIONS

INPUTS is a CSV table without quotes, or an IDX file of images. SciPy's files are read by NumPy alone, and by
`scipy.sparse.load_npz` if it is there; of them, only perceptrons are computed.
"""
import csv
import importlib.util
import json
import pathlib
import sys

import numpy as np


def samples(path, columns):
    """Rows of numbers, with the numbers of categories; or images with pixels from 0 to 1."""
    if columns is None:
        content = pathlib.Path(path).read_bytes()
        count, height, width = np.frombuffer(content, ">i4", 3, 4)
        return np.frombuffer(content, np.uint8, offset=16).reshape(count, 1, height, width).astype(np.float32) / np.float32(255)

    def number(cell, column):
        if cell == "":
            return np.nan
        names = column.get("categories")
        if names is None:
            return np.float32(cell)
        return names.index(cell) if cell in names else -1

    table = list(csv.DictReader(open(path, newline="")))
    return np.array([[number(row[c["name"]], c) for c in columns] for row in table], np.float32)


def columns_of(description):
    return description["prepare"].get("rows", {}).get("columns")


def onnx(path, inputs):
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    description = json.loads(session.get_modelmeta().custom_metadata_map["network"])
    return session.run(["output"], {"input": samples(inputs, columns_of(description))})[0]


def torch(path, inputs):
    import torch

    spec = importlib.util.spec_from_file_location("network", pathlib.Path(path) / "network.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    columns = None
    if hasattr(module, "COLUMNS"):
        columns = [{"name": name} for name in module.COLUMNS]
        for column in columns:
            if column["name"] in module.CATEGORIES:
                column["categories"] = module.CATEGORIES[column["name"]]
    with torch.no_grad():
        return module.Network().eval()(torch.from_numpy(samples(inputs, columns))).numpy()


def scipy(path, inputs):
    folder = pathlib.Path(path)
    network = json.loads((folder / "network.json").read_text())
    arrays = np.load(folder / "arrays.npz")
    x = samples(inputs, columns_of(network)).astype(np.float64)
    if "rows" in network["prepare"]:
        rows = {name: arrays[f"rows.{name}"] for name in ("source", "fill", "first", "second", "number", "category")}
        x = x[:, rows["source"]]
        missing = np.isnan(x)
        x = np.where(missing, rows["fill"], x)
        flags = np.where(rows["category"] > 0, x == rows["first"], missing)
        x = np.where(rows["number"] > 0, (x - rows["first"]) / rows["second"], flags)
    else:
        shape = (-1, 1, 1)
        x = (x - arrays["pixels.mean"].reshape(shape)) / arrays["pixels.std"].reshape(shape)
        x = x.reshape(len(x), -1)
    for step in network["steps"]:
        if step["operation"] == "connections":
            layer = f"layers.{step['layer']}"
            file = np.load(folder / f"{layer}.npz")
            assert bytes(file["format"]) == b"csr", file["format"]
            weights = np.zeros(file["shape"])
            weights[np.repeat(np.arange(len(weights)), np.diff(file["indptr"])), file["indices"]] = file["data"]
            try:
                from scipy.sparse import load_npz

                assert (load_npz(folder / f"{layer}.npz").toarray() == weights).all()
            except ImportError:
                pass
            x = x @ weights.T + arrays[f"{layer}.bias"]
            x = np.maximum(x, 0) if step["relu"] else x
        else:
            assert step["operation"] in ("input", "flatten"), step
    if network["units"]:
        return x * np.array(network["units"]["scale"]) + np.array(network["units"]["shift"])
    shares = np.exp(x - x.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)


def main(kind, path, inputs, predictions):
    rows = list(csv.DictReader(open(predictions, newline="")))
    names = [name for name in rows[0] if name.startswith("probability of ")]
    names = names or [name for name in rows[0] if name not in ("input", "row", "image", "truth")]
    expected = np.array([[float(row[name]) for name in names] for row in rows])
    told = {"onnx": onnx, "torch": torch, "scipy": scipy}[kind](path, inputs)
    assert told.shape == expected.shape, (told.shape, expected.shape)
    print(np.max(np.abs(told - expected) / np.maximum(1, np.abs(expected))))


main(*sys.argv[1:])
