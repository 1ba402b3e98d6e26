"""RandAugment's operations by torchvision: python make_rand_augment_fixture.py > rand_augment.json"""

import json

import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms.autoaugment import _apply_op

CASES = [
    ("ShearX", 0.21), ("ShearX", -0.3), ("ShearY", 0.21), ("ShearY", -0.3),
    ("TranslateX", 3.0), ("TranslateX", -2.0), ("TranslateY", 4.0), ("TranslateY", -1.0),
    ("Rotate", 21.0), ("Rotate", -9.0),
    ("Brightness", 0.63), ("Brightness", -0.63), ("Color", 0.63), ("Color", -0.63),
    ("Contrast", 0.63), ("Contrast", -0.63), ("Sharpness", 0.63), ("Sharpness", -0.63),
    ("Posterize", 5), ("Solarize", 127.5), ("AutoContrast", 0.0), ("Equalize", 0.0),
]

generator = torch.Generator().manual_seed(7)
height, width = 16, 18
smooth = torch.linspace(20, 180, width).expand(3, height, width) * torch.tensor([1.0, 0.6, 1.3]).view(3, 1, 1)
noise = torch.randint(0, 60, (3, height, width), generator=generator)
image = (smooth + noise).clamp(0, 255).to(torch.uint8)
text = lambda pixels: bytes(pixels.flatten().tolist()).hex()
cases = [
    {"operation": name, "magnitude": magnitude,
     "pixels": text(_apply_op(image, name, magnitude, interpolation=InterpolationMode.NEAREST, fill=None))}
    for name, magnitude in CASES
]
print(json.dumps({"height": height, "width": width, "pixels": text(image), "cases": cases}, indent=0))
