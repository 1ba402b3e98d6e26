"""What benches/gpu has, and this folder uses too."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "gpu"))

import models  # noqa: E402, F401
