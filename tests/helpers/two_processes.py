"""Run by torchrun: trains small networks, without and with BN, and writes their records.

Then it goes on from checkpoints that only the first process has, and writes what that tells.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from resnet import CheckpointError, Recipe, Run, fit, load_data
from resnet.training.devices import process, process_group


class Shares(nn.Module):
    """What two processes make of a batch, in one: each half is normalised by itself."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([self.model(x[0::2]), self.model(x[1::2])], 1).flatten(0, 1)


def train(*, bn: bool, by_share: bool = False, checkpoint: Path | None = None) -> Run:
    """Two epochs of batches of 50, 50, 50, 50 and 30 images, augmented."""
    data = load_data("fashion-mnist", sample=True).first(train=230, test=50)
    recipe = Recipe(epochs=2, batch_size=50, lr=0.05, momentum=0.9, image_size=12, pad=2, flip=True)
    torch.manual_seed(0)
    normalise = nn.BatchNorm2d(8) if bn else nn.Identity()
    model: nn.Module = nn.Sequential(
        nn.Conv2d(1, 8, 3, 2), normalise, nn.ReLU(), nn.Flatten(), nn.Linear(8 * 25, 10)
    )
    if by_share:
        model = Shares(model)
    return fit(
        model, data, recipe, device="cpu", precision="float32", progress=False,
        checkpoint=checkpoint,
    )  # fmt: skip


if __name__ == "__main__":
    with process_group():
        for bn in (False, True):
            run = train(bn=bn)
            if process()[0] == 0:
                run.save(Path(sys.argv[1], f"bn-{bn}.json"))
        own = Path(sys.argv[1], f"disk-{process()[0]}", "run.pt")  # the first one alone writes it
        train(bn=False, checkpoint=own)
        try:
            train(bn=False, checkpoint=own)
        except CheckpointError as error:
            Path(sys.argv[1], f"told-{process()[0]}").write_text(str(error))
