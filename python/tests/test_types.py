"""The package is typed: a type checker accepts it, and knows what a user's program gets from it."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytest.importorskip("mypy")

PROGRAM = """
import numpy as np
from rootlet import SparseClassifier, Trainer, load

model = load("run")
gradients: np.ndarray = model.explain(np.zeros((1, 2)), 0, copies=3)
names: list[str] = model.feature_names
steps: int = model.step
trainer = Trainer(np.zeros((2, 2)), np.zeros(2), hidden=[3], run=None)
trainer.stop()
importances: np.ndarray = SparseClassifier((3,)).feature_importances_
wrong: int = model.task
"""


def test_a_type_checker_accepts_the_package_and_finds_a_mistake(tmp_path):
    """One run for both: reading NumPy's types takes it some seconds."""
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM))
    check = [sys.executable, "-m", "mypy", "--ignore-missing-imports", "--cache-dir", str(tmp_path / "cache")]
    told = subprocess.run([*check, "-p", "rootlet", "-m", "program"], capture_output=True, text=True, cwd=tmp_path)
    errors = [line for line in told.stdout.splitlines() if ": error: " in line]
    assert len(errors) == 1 and Path(errors[0].split(":")[0]).name == "program.py", told.stdout + told.stderr
    assert 'expression has type "str"' in errors[0]
