"""Run by torchrun: trains a small network without BN and writes the record."""

from __future__ import annotations

import sys

import torch
from torch import nn

from resnet import Recipe, Run, fit, load_data
from resnet.devices import process, together


def train() -> Run:
    """Two epochs of batches of 50, 50, 50, 50 and 30 images, augmented."""
    data = load_data("fashion-mnist", sample=True).first(train=230, test=50)
    recipe = Recipe(epochs=2, batch_size=50, lr=0.05, momentum=0.9, image_size=12, pad=2, flip=True)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 8, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 25, 10))
    return fit(model, data, recipe, device="cpu", precision="float32", progress=False)


if __name__ == "__main__":
    with together():
        run = train()
        if process()[0] == 0:
            run.save(sys.argv[1])
