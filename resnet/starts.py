"""Other starting points: what a network computes before its first step, set by its weights.

Each function changes a network of `resnet.nets` in place, and its name: "plain-56, grown start" is
what `resnet.variants.network` calls it, too.
"""

import math
from collections.abc import Callable

import torch
from torch import nn

from resnet.nets import ResNet
from resnet.probe import keeps_shape, units

ZERO_LAST_SCALE, GROWN, DIRAC = "zero last scale", "grown start", "Dirac start"
SHALLOW = 3  # units per stage of a network of 20 layers

# ReLU of a standard normal number: mean and standard deviation
MEAN = 1 / math.sqrt(2 * math.pi)
DEVIATION = math.sqrt(0.5 - MEAN**2)


def zero_last_scale(model: ResNet) -> None:
    """Start each unit that keeps the shape as the identity: its last BN scales by 0.

    Goyal et al. 2017, Sec. 5.1. A unit that changes the shape keeps its scale: with option A its
    new channels would be zero, and a ReLU passes no gradient at zero, so they would stay dead.

    Raises:
        ValueError: unless it is a residual network whose branches end with BN.

    """
    for unit in units(model):
        last = list(unit.branch.children())[-1]
        if unit.shortcut is None or not isinstance(last, nn.BatchNorm2d):
            raise ValueError(f"{model.name}: expected residual units whose branch ends with BN")
        if keeps_shape(unit):
            nn.init.zeros_(last.weight)
    model.name += f", {ZERO_LAST_SCALE}"


def grown(model: ResNet) -> None:
    """Start a plain network as one of 20 layers: all further units pass on what they get.

    Their kernels are Dirac's. What reaches them is a ReLU of normalised numbers; the BNs give it
    back the mean and the deviation that it has if these are normally distributed. So a unit
    computes its input up to what the channels differ from that.

    Raises:
        ValueError: unless it is a plain network of the original form.

    """
    _require_plain(model)
    for name, stage in model.named_children():
        if name.startswith("stage"):
            for unit in list(stage.children())[SHALLOW:]:
                for layer in unit.modules():
                    if isinstance(layer, nn.Conv2d):
                        nn.init.dirac_(layer.weight)
                    if isinstance(layer, nn.BatchNorm2d):
                        nn.init.constant_(layer.weight, DEVIATION)
                        nn.init.constant_(layer.bias, MEAN)
    model.name += f", {GROWN}"


@torch.no_grad()
def dirac(model: ResNet) -> None:
    """Add Dirac kernels to the random ones where the shape is kept (Zagoruyko and Komodakis 2017).

    Raises:
        ValueError: unless it is a plain network of the original form.

    """
    _require_plain(model)
    for unit in filter(keeps_shape, units(model)):
        for layer in unit.branch.children():
            if isinstance(layer, nn.Conv2d):
                layer.weight += nn.init.dirac_(torch.empty_like(layer.weight))
    model.name += f", {DIRAC}"


def _require_plain(model: ResNet) -> None:
    if any(
        unit.shortcut is not None or unit.placement.before or unit.expansion > 1
        for unit in units(model)
    ):
        raise ValueError(f"{model.name}: expected a plain network of original basic blocks")


STARTS: dict[str, Callable[[ResNet], None]] = {
    ZERO_LAST_SCALE: zero_last_scale,
    GROWN: grown,
    DIRAC: dirac,
}
