"""Permutation importance by scikit-learn of an exported network: prints for each column by how much the accuracy falls, and
the deviation over the repeats.

    python permutation.py EXPORT TABLE TARGET REPEATS

EXPORT is a folder of `rootlet export --format torch`, TABLE a CSV file without quotes that has the column TARGET.
"""
import csv
import importlib.util
import pathlib
import sys

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.inspection import permutation_importance


class Exported(ClassifierMixin, BaseEstimator):
    """The network as a classifier, which is trained already."""

    def __init__(self, module=None):
        self.module = module
        self.classes_ = np.array(module.OUTPUTS)

    def fit(self, X, y):
        return self

    def predict(self, X):
        with torch.no_grad():
            shares = self.module.Network().eval()(torch.from_numpy(X))
        return self.classes_[shares.argmax(1).numpy()]


def main(export, table, target, repeats):
    spec = importlib.util.spec_from_file_location("network", pathlib.Path(export) / "network.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rows = list(csv.DictReader(open(table, newline="")))
    number = lambda row, name: module.CATEGORIES[name].index(row[name]) if name in module.CATEGORIES else float(row[name])
    X = np.array([[number(row, name) for name in module.COLUMNS] for row in rows], np.float32)
    y = np.array([row[target] for row in rows])
    told = permutation_importance(Exported(module), X, y, scoring="accuracy", n_repeats=int(repeats), random_state=1)
    for name, mean, deviation in zip(module.COLUMNS, told.importances_mean, told.importances_std):
        print(name, mean, deviation)


main(*sys.argv[1:])
