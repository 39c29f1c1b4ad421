"""Make resnet/check/curves.json, the training runs of the exercise "What went wrong?".

`python -m tools.make_curves` trains ResNet-8 for 160 steps on the sample of Fashion-MNIST, at
14x14 pixels, once rightly and once with each of six faults, in two minutes on one core. The file
has the loss of every ten steps: the mean over their batches, and that of 500 test images after
them.
"""

import json
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from resnet.check.curves import PATH
from resnet.data import ImageData, load_data
from resnet.nets import cifar_resnet

STEPS, EVERY, BATCH, SIZE = 160, 10, 50, 14


class Fault(NamedTuple):
    """What is different from the right training; the defaults are right."""

    lr: float = 0.05
    images: int = 2000  # trained on
    lowered_at: int = STEPS  # the step from which on the rate is a hundredth
    labels_shuffled: bool = False
    test_scale: float = 1.0  # of the pixels, beside that of the training images


FAULTS = {
    "none": Fault(),
    "rate too high": Fault(lr=6.0),
    "rate too low": Fault(lr=1e-3),
    "too few images": Fault(images=100),
    "rate lowered too early": Fault(lowered_at=30),
    "labels of other images": Fault(labels_shuffled=True),
    "test images prepared otherwise": Fault(test_scale=255.0),
}


def losses(data: ImageData, fault: Fault) -> dict[str, list[float]]:
    """Train with a fault; return the losses."""
    torch.manual_seed(0)
    net = cifar_resnet(8, 10, 1)
    optimizer = torch.optim.SGD(net.parameters(), fault.lr, momentum=0.9)
    images, labels = _small(data.train_images)[: fault.images], data.train_labels[: fault.images]
    test_images, test_labels = _small(data.test_images)[:500], data.test_labels[:500]
    if fault.labels_shuffled:
        labels = labels[torch.randperm(len(labels))]
    found: dict[str, list[float]] = {"train": [], "test": []}
    recent: list[float] = []
    order = torch.empty(0, dtype=torch.long)
    for step in range(1, STEPS + 1):
        if not len(order):
            order = torch.randperm(len(labels))
        batch, order = order[:BATCH], order[BATCH:]
        if step == fault.lowered_at:
            optimizer.param_groups[0]["lr"] /= 100
        net.train()
        loss = F.cross_entropy(net(images[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        recent.append(loss.item())
        if step % EVERY == 0:
            with torch.no_grad():
                test = F.cross_entropy(net.eval()(test_images * fault.test_scale), test_labels)
            found["train"].append(round(sum(recent) / EVERY, 3))
            found["test"].append(round(test.item(), 3))
            recent.clear()
    return found


def _small(images: Tensor) -> Tensor:
    return F.interpolate(images / 255, size=SIZE, mode="area")


if __name__ == "__main__":
    data = load_data("fashion-mnist", sample=True)
    made = {
        "about": "ResNet-8 on the sample of Fashion-MNIST at 14x14 pixels, batches of 50, SGD with "
        f"momentum 0.9, seed 0, torch {torch.__version__}; made by tools/make_curves.py",
        "steps": list(range(EVERY, STEPS + 1, EVERY)),
        "runs": {name: losses(data, fault) for name, fault in FAULTS.items()},
    }
    PATH.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
