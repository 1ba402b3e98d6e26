#!/usr/bin/env python3
"""The convolutional networks and vision transformers of the comparison, in plain PyTorch.

`python models.py` prints their parameter counts.

Weights of convolutions and linear layers may have a 0/1 mask: then they apply `weight * mask`, which is how the literature
simulates sparsity.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn


class Conv(nn.Conv2d):
    """A convolution without bias."""

    def __init__(self, c_in, c_out, kernel, stride=1, padding=None):
        super().__init__(c_in, c_out, kernel, stride, kernel // 2 if padding is None else padding, bias=False)
        self.register_buffer("mask", None)

    def forward(self, x):
        return self._conv_forward(x, effective(self), None)


class Linear(nn.Linear):
    def __init__(self, n_in, n_out, bias=True):
        super().__init__(n_in, n_out, bias)
        self.register_buffer("mask", None)

    def forward(self, x):
        return F.linear(x, effective(self), self.bias)


def effective(layer):
    return layer.weight if layer.mask is None else layer.weight * layer.mask


def layers(model):
    """The layers that may be sparse, in order of execution (a block's shortcut last)."""
    return [module for module in model.modules() if isinstance(module, (Conv, Linear))]


class Basic(nn.Module):
    """Two 3×3 convolutions and a shortcut: option A (no parameters) or B (1×1 convolution where the shape changes)."""

    expansion = 1

    def __init__(self, c_in, channels, stride, option):
        super().__init__()
        self.conv1, self.norm1 = Conv(c_in, channels, 3, stride), nn.BatchNorm2d(channels)
        self.conv2, self.norm2 = Conv(channels, channels, 3), nn.BatchNorm2d(channels)
        self.shortcut = shortcut(c_in, channels, stride, option)

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)), inplace=True)
        y = self.norm2(self.conv2(y))
        return F.relu(y + self.shortcut(x), inplace=True)


class Bottleneck(nn.Module):
    """1×1, 3×3 (which takes the stride) and 1×1 to four times the channels."""

    expansion = 4

    def __init__(self, c_in, channels, stride, option):
        super().__init__()
        c_out = self.expansion * channels
        self.conv1, self.norm1 = Conv(c_in, channels, 1), nn.BatchNorm2d(channels)
        self.conv2, self.norm2 = Conv(channels, channels, 3, stride), nn.BatchNorm2d(channels)
        self.conv3, self.norm3 = Conv(channels, c_out, 1), nn.BatchNorm2d(c_out)
        self.shortcut = shortcut(c_in, c_out, stride, option)

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)), inplace=True)
        y = F.relu(self.norm2(self.conv2(y)), inplace=True)
        y = self.norm3(self.conv3(y))
        return F.relu(y + self.shortcut(x), inplace=True)


class PaddedShortcut(nn.Module):
    """Option A: every `stride`-th position, and channels of zeros, half of them on each side."""

    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.stride = stride
        self.before = (c_out - c_in) // 2
        self.after = c_out - c_in - self.before

    def forward(self, x):
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.before, self.after))


def shortcut(c_in, c_out, stride, option):
    if c_in == c_out and stride == 1:
        return nn.Identity()
    if option == "A":
        return PaddedShortcut(c_in, c_out, stride)
    return nn.Sequential(Conv(c_in, c_out, 1, stride, 0), nn.BatchNorm2d(c_out))


class ResNet(nn.Module):
    """He et al. (arXiv 1512.03385): `blocks` blocks in each stage, of `widths` channels."""

    def __init__(self, classes, block, blocks, widths, stem, option):
        super().__init__()
        self.stem = stem
        stages, c_in = [], widths[0]
        for stage, (count, channels) in enumerate(zip(blocks, widths)):
            for index in range(count):
                stages.append(block(c_in, channels, 2 if stage and not index else 1, option))
                c_in = channels * block.expansion
        self.blocks = nn.Sequential(*stages)
        self.classifier = Linear(c_in, classes)

    def forward(self, x):
        return self.classifier(self.blocks(self.stem(x)).mean((2, 3)))


def cifar_resnet(depth, classes):
    """16-32-64 channels, (depth - 2) / 6 blocks a stage, option A."""
    widths = [16, 32, 64]
    stem = nn.Sequential(Conv(3, widths[0], 3), nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True))
    return ResNet(classes, Basic, [(depth - 2) // 6] * 3, widths, stem, "A")


def imagenet_resnet(block, blocks, classes):
    """64-128-256-512 channels (four times as many behind bottlenecks), option B, the bottleneck's stride in its 3×3."""
    widths = [64, 128, 256, 512]
    stem = nn.Sequential(
        Conv(3, 64, 7, 2), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, stride=2, padding=1)
    )
    return ResNet(classes, block, blocks, widths, stem, "B")


class SmallVgg(nn.Module):
    """VGG (arXiv 1409.1556) with a quarter of the channels and batch norm, for 32×32 images; classifier 128-512-512."""

    def __init__(self, depth, classes):
        super().__init__()
        counts = {11: [1, 1, 2, 2, 2], 13: [2, 2, 2, 2, 2], 16: [2, 2, 3, 3, 3], 19: [2, 2, 4, 4, 4]}[depth]
        features, c_in = [], 3
        for count, channels in zip(counts, [16, 32, 64, 128, 128]):
            for _ in range(count):
                features += [Conv(c_in, channels, 3), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
                c_in = channels
            features.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(
            Linear(128, 512),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            Linear(512, 512),
            nn.ReLU(inplace=True),
            nn.Dropout(0.5),
            Linear(512, classes),
        )

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class Attention(nn.Module):
    def __init__(self, dim, heads, head):
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(dim)
        self.qkv = Linear(dim, 3 * heads * head, bias=False)
        self.out = Linear(heads * head, dim, bias=False)

    def forward(self, x):
        b, tokens, _ = x.shape
        qkv = self.qkv(self.norm(x)).view(b, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(*qkv)
        return self.out(y.transpose(1, 2).reshape(b, tokens, -1))


class Residual(nn.Module):
    def __init__(self, branch):
        super().__init__()
        self.branch = branch

    def forward(self, x):
        return x + self.branch(x)


class SimpleViT(nn.Module):
    """Beyer et al. (arXiv 2205.01580), with layer norms before and after the patches' layer, and no biases in qkv and out."""

    def __init__(self, image, patch, dim, depth, heads, head, mlp, classes):
        super().__init__()
        self.patch = patch
        self.patches = nn.Sequential(nn.LayerNorm(3 * patch**2), Linear(3 * patch**2, dim), nn.LayerNorm(dim))
        self.register_buffer("positions", positions(image // patch, dim))
        self.blocks = nn.Sequential()
        for _ in range(depth):
            self.blocks.append(Residual(Attention(dim, heads, head)))
            self.blocks.append(Residual(nn.Sequential(nn.LayerNorm(dim), Linear(dim, mlp), nn.GELU(), Linear(mlp, dim))))
        self.norm = nn.LayerNorm(dim)
        self.classifier = Linear(dim, classes)

    def forward(self, x):
        b, c, height, width = x.shape
        h, w = height // self.patch, width // self.patch
        x = x.reshape(b, c, h, self.patch, w, self.patch).permute(0, 2, 4, 3, 5, 1).reshape(b, h * w, -1)
        x = self.blocks(self.patches(x) + self.positions)
        return self.classifier(self.norm(x).mean(1))


def positions(side, dim):
    """Fixed positions of side² tokens, row major: sin x, cos x, sin y, cos y, a quarter of the features each."""
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    omega = 10000.0 ** -(torch.arange(dim // 4) / (dim // 4 - 1))
    x, y = x.reshape(-1, 1) * omega, y.reshape(-1, 1) * omega
    return torch.cat([x.sin(), x.cos(), y.sin(), y.cos()], 1)


# Name: (side of the images, model for a number of classes).
MODELS = {
    **{f"resnet{depth}": (32, lambda classes, depth=depth: cifar_resnet(depth, classes)) for depth in (20, 32, 44, 56, 110)},
    **{f"vgg{depth}-small": (32, lambda classes, depth=depth: SmallVgg(depth, classes)) for depth in (11, 13, 16, 19)},
    "simple-vit-tiny": (32, lambda classes: SimpleViT(32, 4, 512, 4, 6, 64, 256, classes)),
    "simple-vit": (224, lambda classes: SimpleViT(224, 16, 384, 12, 6, 64, 1536, classes)),
    "resnet18": (224, lambda classes: imagenet_resnet(Basic, [2, 2, 2, 2], classes)),
    "resnet34": (224, lambda classes: imagenet_resnet(Basic, [3, 4, 6, 3], classes)),
    "resnet50": (224, lambda classes: imagenet_resnet(Bottleneck, [3, 4, 6, 3], classes)),
}


def count(model):
    """Parameters in all, of them weights that may be sparse, biases of layers, and parameters of norms."""
    weights = sum(layer.weight.numel() for layer in layers(model))
    biases = sum(layer.bias.numel() for layer in layers(model) if layer.bias is not None)
    total = sum(parameter.numel() for parameter in model.parameters())
    return total, weights, biases, total - weights - biases


def main():
    print(f"{'model':16} {'classes':>7} {'parameters':>11} {'weights':>11} {'biases':>7} {'norms':>7} {'layers':>6}")
    for name, (side, build) in MODELS.items():
        for classes in (10, 100, 1000):
            with torch.device("meta"):
                model = build(classes)
                assert model(torch.empty(2, 3, side, side)).shape == (2, classes)
            total, weights, biases, norms = count(model)
            print(f"{name:16} {classes:7} {total:11,} {weights:11,} {biases:7,} {norms:7,} {len(layers(model)):6}")


if __name__ == "__main__":
    main()
