"""Compares gradients at the pixels with those that PyTorch's autograd finds in 64 bits. Prints how many images agree, and
the largest difference of the images that have no kink, both as a share of the largest gradient.

    python gradient.py EXPORT IMAGES GRADIENTS FIRST SECOND

EXPORT is a folder of `rootlet export --format torch`, IMAGES an IDX file. GRADIENTS are 32-bit numbers `[image][pixel]`: the
gradient of the logit of class FIRST less that of class SECOND, which the logarithms of their probabilities have, too.

An image has a kink if a sum that enters a ReLU is so close to 0 that rounding decides its sign: whoever rounds otherwise
has another gradient there. PyTorch itself in 32 bits differs from 64 bits by 2.5e-3 on one of the 20 images of resnet20,
where a sum is 3e-8, and by less than 3e-7 on the others.
"""
import importlib.util
import pathlib
import sys

import numpy as np
import torch

# Differences of images that agree, as a share of the largest gradient.
AGREES = 1e-5
# Sums below this share of their layer's usual size may have either sign in 32 bits.
KINK = 1e-5


class Watched:
    """torch.nn.functional, which keeps for each image how close to 0 the sums are that enter a ReLU."""

    def __init__(self, functional):
        self.functional = functional
        self.least = np.inf

    def __getattr__(self, name):
        return getattr(self.functional, name)

    def relu(self, x):
        sums = x.detach().flatten(1)
        # Sums that are exactly 0 are no accident: nothing enters them.
        sizes = torch.where(sums == 0, torch.inf, sums.abs()).amin(1) / sums.square().mean().sqrt()
        self.least = np.minimum(self.least, sizes.numpy())
        return self.functional.relu(x)


def main(export, images, gradients, first, second):
    spec = importlib.util.spec_from_file_location("network", pathlib.Path(export) / "network.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.F = watched = Watched(module.F)
    content = pathlib.Path(images).read_bytes()
    count, height, width = np.frombuffer(content, ">i4", 3, 4)
    pixels = np.frombuffer(content, np.uint8, offset=16).reshape(count, 1, height, width)
    told = np.fromfile(gradients, "<f4").reshape(count, -1)
    x = torch.from_numpy(pixels.astype(np.float32) / np.float32(255)).double().requires_grad_()
    shares = module.Network().eval().double()(x)
    (shares[:, int(first)].log() - shares[:, int(second)].log()).sum().backward()
    expected = x.grad.numpy().reshape(count, -1)
    differences = np.abs(told - expected).max(1) / np.abs(expected).max()
    has_kink = np.broadcast_to(watched.least, count) < KINK
    print((differences < AGREES).sum(), differences[~has_kink].max(initial=0))


main(*sys.argv[1:])
