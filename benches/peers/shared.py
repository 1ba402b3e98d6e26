"""What lies in benches/gpu, and is used here too."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "gpu"))

import models  # noqa: E402, F401
