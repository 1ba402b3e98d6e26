"""Compares gradients at the pixels with those that PyTorch's autograd finds: prints the largest difference, as a share of
the largest gradient.

    python gradient.py EXPORT IMAGES GRADIENTS FIRST SECOND

EXPORT is a folder of `rootlet export --format torch`, IMAGES an IDX file. GRADIENTS are 32-bit numbers `[image][pixel]`: the
gradient of the logit of class FIRST less that of class SECOND, which the logarithms of their probabilities have, too.
"""
import importlib.util
import pathlib
import sys

import numpy as np
import torch


def main(export, images, gradients, first, second):
    spec = importlib.util.spec_from_file_location("network", pathlib.Path(export) / "network.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    content = pathlib.Path(images).read_bytes()
    count, height, width = np.frombuffer(content, ">i4", 3, 4)
    pixels = np.frombuffer(content, np.uint8, offset=16).reshape(count, 1, height, width)
    told = np.fromfile(gradients, "<f4").reshape(-1, 1, height, width)
    x = torch.from_numpy(pixels[: len(told)].astype(np.float32) / np.float32(255)).requires_grad_()
    shares = module.Network().eval()(x)
    (shares[:, int(first)].log() - shares[:, int(second)].log()).sum().backward()
    expected = x.grad.numpy()
    print(np.abs(told - expected).max() / np.abs(expected).max())


main(*sys.argv[1:])
