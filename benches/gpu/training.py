"""Training ResNet-56 on CIFAR-100 for some minutes; the next call continues where this one stopped."""

import glob
import os

import running

# recipes/cifar100-resnet56.toml, as flags: the binary travels alone.
RECIPE = (
    "--data cifar100 --augment pad-crop-flip --model resnet56 --sparsity 0.98 --assignment erdos-renyi --method gse-uniform "
    "--scope global --gamma 1 --distinct-candidates --round-batches 8 --alpha 0.2 --round-every 1000 --round-until 120 --epochs 200 "
    "--batch 128 --lr 0.1 --momentum 0.9 --weight-decay 0.0001 --warmup-epochs 5 --milestones 80,120 --lr-decay 0.1"
)
SAVED = 75  # rootlet's exit status if a signal made it save and stop
GRACE = 60  # seconds that saving may take


def part(options):
    runs = os.path.join(options.out, "runs")
    begun = sorted(glob.glob(os.path.join(runs, "*-measure")))
    command = [options.rootlet, "train", "--json", "--data-dir", options.data_dir]
    if options.adapter:
        command += ["--adapter", options.adapter]
    if begun:
        command += ["--resume", begun[-1]]
    else:
        command += [*RECIPE.split(), "--runs", runs, "--name", "measure", "--save-every", "2m"]
    return running.Part("train", command, progress, options.train * 60, grace=GRACE, saved=SAVED)


def progress(base):
    """The last events of the training."""
    with open(base + ".out", errors="replace") as lines:
        return {"events": [line.strip() for line in lines][-40:]}
