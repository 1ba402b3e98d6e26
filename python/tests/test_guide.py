"""The guide's code runs."""

import os
import re
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "python.md"


def blocks():
    return re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_code_of_the_guide_runs(tmp_path):
    pytest.importorskip("pandas")
    here = os.getcwd()
    names = {}
    os.chdir(tmp_path)
    try:
        assert len(blocks()) > 5
        for block in blocks():
            exec(compile(block, str(GUIDE), "exec"), names)
    finally:
        os.chdir(here)
