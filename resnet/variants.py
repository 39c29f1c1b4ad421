"""The units of 2016b's Tables 1 and 2, each a basic block with some of its parts replaced.

He et al. 2016b (*Identity Mappings in Deep Residual Networks*), Fig. 2 and 4; chapter 5 builds the
same by hand. `network` makes any network that the papers' claims speak of, by its name.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from resnet.blocks import BasicBlock, ResidualUnit, check_one_of
from resnet.nets import IMAGENET_UNITS, ResNet, cifar_resnet, imagenet_resnet

# Table 2: the layers before the branch, of the branch, and after the addition.
PLACEMENTS = {
    "BN after addition": ("", "conv bn relu conv", "bn relu"),
    "ReLU before addition": ("", "conv bn relu conv bn relu", ""),
    "ReLU-only pre-activation": ("relu", "conv bn relu conv bn", ""),
}
GATE_BIAS = -6.0  # Table 1: the best of the initial biases for both kinds of gates


def layers(words: str, width: int) -> nn.Sequential:
    """Make BNs and ReLUs from their names; "" makes the identity."""
    return nn.Sequential(
        *(nn.BatchNorm2d(width) if word == "bn" else nn.ReLU() for word in words.split())
    )


def placed(name: str, in_channels: int, channels: int, stride: int = 1) -> ResidualUnit:
    """Make a basic block (option A) whose layers stand in another order.

    Args:
        name: a key of `PLACEMENTS`.
        in_channels: channels of the input.
        channels: channels of the output.
        stride: of the first convolution.

    """
    before, branch, after = PLACEMENTS[name]
    block = BasicBlock(in_channels, channels, stride, shortcut="A")
    convolutions = (m for m in block.branch.children() if isinstance(m, nn.Conv2d))
    parts = [next(convolutions) if w == "conv" else layers(w, channels) for w in branch.split()]
    block.branch = nn.Sequential(*parts)
    block.before, block.after = layers(before, in_channels), layers(after, channels)
    if before:
        block.preact, block.activation = True, partial(layers, before)
    return block


class Scale(nn.Module):
    """Multiply by a fixed factor."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """Map x to factor * x."""
        return self.factor * x


class Gate(nn.Conv2d):
    """A number from 0 to 1 for each value: g(x) = sigmoid(W x + b), W a 1x1 convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels, 1)
        nn.init.constant_(self.bias, GATE_BIAS)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels, H, W) to its gate, of the same shape."""
        return torch.sigmoid(super().forward(x))


class GatedShortcut(nn.Module):
    """Carry s and let 1 - g(s) of it pass; Fig. 2d, and the left half of Fig. 2c."""

    def __init__(self, shortcut: nn.Module, gate: Gate) -> None:
        super().__init__()
        self.shortcut, self.gate = shortcut, gate

    def forward(self, x: Tensor) -> Tensor:
        """Map the unit's input to what its shortcut adds."""
        s = self.shortcut(x)
        return (1 - self.gate(s)) * s


class GatedBranch(nn.Module):
    """Let g(s) of the branch pass, with the shortcut's own gate; the right half of Fig. 2c."""

    def __init__(self, branch: nn.Module, gated: GatedShortcut) -> None:
        super().__init__()
        self.branch = branch
        self.gated = [gated]  # in a list: its weights are the shortcut's already

    def forward(self, x: Tensor) -> Tensor:
        """Map the unit's input to what its branch adds."""
        (gated,) = self.gated
        return gated.gate(gated.shortcut(x)) * self.branch(x)


def _gated(
    branch: nn.Module, shortcut: nn.Module, channels: int, *, exclusive: bool
) -> tuple[nn.Module, nn.Module]:
    gated = GatedShortcut(shortcut, Gate(channels))
    return GatedBranch(branch, gated) if exclusive else branch, gated


# Table 1: what becomes of the branch and the shortcut (option A) of a basic block.
KINDS: dict[str, Callable[[nn.Module, nn.Module, int], tuple[nn.Module, nn.Module]]] = {
    "constant scaling": lambda branch, shortcut, _: (
        nn.Sequential(branch, Scale(0.5)),
        nn.Sequential(shortcut, Scale(0.5)),
    ),
    "exclusive gating": partial(_gated, exclusive=True),
    "shortcut-only gating": partial(_gated, exclusive=False),
    "dropout": lambda branch, shortcut, _: (branch, nn.Sequential(shortcut, nn.Dropout(0.5))),
}


def carried(name: str, in_channels: int, channels: int, stride: int = 1) -> ResidualUnit:
    """Make a basic block with another kind of shortcut, a key of `KINDS`; see `placed`."""
    block = BasicBlock(in_channels, channels, stride, shortcut="A")
    assert block.shortcut is not None
    block.branch, block.shortcut = KINDS[name](block.branch, block.shortcut, channels)
    return block


FORMS: dict[str, dict[str, Any]] = {
    "plain": {"shortcut": None},
    "ResNet": {},
    "pre-activation ResNet": {"preact": True},
}
VARIANTS: dict[str, dict[str, Any]] = {
    "option B": {"shortcut": "B"},
    "option C": {"shortcut": "C"},
    **{name: {"unit": partial(placed, name)} for name in PLACEMENTS},
    **{name: {"unit": partial(carried, name)} for name in KINDS},
}
BOTTLENECKS = (164, 1001)  # 2016b, Sec. 4: these two are made of bottlenecks, with projections


def network(name: str, num_classes: int = 10, in_channels: int = 3) -> ResNet:
    """Make the network of a name such as "plain-56", "ResNet-110" or "ResNet-20, dropout".

    Args:
        name: a form, a depth and, after a comma, a variant: "option B", "option C", or a key of
            `PLACEMENTS` or `KINDS`. Depths of `IMAGENET_UNITS` that are no CIFAR depth (18, 34,
            101) make an ImageNet network, all others a CIFAR network with option A.
        num_classes: outputs.
        in_channels: channels of the images.

    Raises:
        ValueError: for a form, a variant or a depth that there is not.

    """
    match = re.fullmatch(r"(.+)-(\d+)(?:, (.+))?", name)
    if not match:
        raise ValueError(f"name={name!r}: expected one like 'plain-56' or 'ResNet-20, dropout'")
    form, depth, variant = match[1], int(match[2]), match[3]
    check_one_of("form", form, tuple(FORMS))
    options = dict(FORMS[form])
    if variant:
        check_one_of("variant", variant, tuple(VARIANTS))
        options |= VARIANTS[variant]
    if depth in IMAGENET_UNITS and (depth - 2) % 6:
        net = imagenet_resnet(depth, num_classes, in_channels, **options)
    else:
        if depth in BOTTLENECKS:
            options = {"bottleneck": True, "shortcut": "B", **options}
        net = cifar_resnet(depth, num_classes, in_channels, **options)
    net.name = name
    return net
