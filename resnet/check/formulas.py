"""Blocks as formulas: rightly, and with the mistakes that are made with them.

Their layers have weights that depend on the shape alone. So two modules get the same weights
whatever their layers are called and in whatever order they were made, and a block is written down
in a few lines without any weights.
"""

import math
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from resnet.translation import _

Kind = tuple[str, tuple[int, ...]]  # of a layer: "conv" and its weight's shape, "bn" and channels

# What a module must compute: (input, seed of the weights, training) to output and layers used.
Reference = Callable[[Tensor, int, bool], tuple[Tensor, "Counter[Kind]"]]
Formula = Callable[..., Tensor]  # (layers, input, *arguments) to output


@lru_cache(200)
def values(name: str, shape: tuple[int, ...], seed: int) -> Tensor:
    """Return the numbers that every tensor of this name and shape gets."""
    random = torch.Generator().manual_seed(zlib.crc32(f"{name} {tuple(shape)} {seed}".encode()))
    if name in ("bn.weight", "bn.running_var"):
        return torch.empty(shape).uniform_(0.5, 1.5, generator=random)
    fan_in = math.prod(shape[1:]) if name in ("conv.weight", "linear.weight") else 10
    return torch.empty(shape).normal_(0, math.sqrt(1 / fan_in), generator=random)


class Layers:
    """The layers a formula uses, made as they are called; `used` counts them."""

    def __init__(self, seed: int, training: bool) -> None:
        self.seed, self.training = seed, training
        self.used: Counter[Kind] = Counter()

    def conv(
        self, x: Tensor, channels: int, kernel: int, stride: int = 1, *, groups: int = 1
    ) -> Tensor:
        """Convolve without bias, padded by half the kernel."""
        shape = (channels, x.shape[1] // groups, kernel, kernel)
        self.used["conv", shape] += 1
        weight = values("conv.weight", shape, self.seed)
        return F.conv2d(x, weight, None, stride, kernel // 2, 1, groups)

    def bn(self, x: Tensor) -> Tensor:
        """Normalise by the batch, or when not training by running statistics."""
        shape = (x.shape[1],)
        self.used["bn", shape] += 1
        weight, bias, mean, var = (
            values(f"bn.{part}", shape, self.seed).clone()  # training moves the statistics
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        return F.batch_norm(x, mean, var, weight, bias, training=self.training)

    relu = staticmethod(torch.relu)


def by_formula(formula: Formula, *arguments: object) -> Reference:
    """Return the reference that a formula describes."""

    def reference(x: Tensor, seed: int, training: bool) -> tuple[Tensor, Counter[Kind]]:
        layers = Layers(seed, training)
        return formula(layers, x, *arguments), layers.used

    return reference


class Conv(NamedTuple):
    """One convolution of a branch."""

    channels: int
    kernel: int
    stride: int = 1
    groups: int = 1


Convs = Callable[..., Sequence[Conv]]  # (in_channels, …) to the branch's convolutions


def original(
    convs: Convs,
    layers: Layers,
    x: Tensor,
    *arguments: Any,
    skip_bn: int | None = None,
    skip_relu: int | None = None,
    relu_before: bool = False,
    relu_after: bool = True,
    add: bool = True,
    project_always: bool = False,
    project_bn: bool = True,
    project_relu: bool = False,
    project_stride: bool = True,
) -> Tensor:
    """Compute the unit of 2016a, Fig. 5: conv-BN-ReLU-…-conv-BN, the addition, a ReLU.

    The options are mistakes. Indices count from the end: -1 is the last.
    """
    parts = convs(*arguments)
    y, stride = x, 1
    for i, part in enumerate(parts, start=-len(parts)):
        y = layers.conv(y, part.channels, part.kernel, part.stride, groups=part.groups)
        stride *= part.stride
        if i != skip_bn:
            y = layers.bn(y)
        if i == -1:
            y = layers.relu(y) if relu_before else y
        elif i != skip_relu:
            y = layers.relu(y)
    if add:
        s = x
        if project_always or stride != 1 or x.shape[1] != y.shape[1]:
            s = layers.conv(x, y.shape[1], 1, stride if project_stride else 1)
            s = layers.bn(s) if project_bn else s
            s = layers.relu(s) if project_relu else s
        y = y + s
    return layers.relu(y) if relu_after else y


ORIGINAL_SLIPS: list[tuple[dict[str, Any], str]] = [
    (
        {"relu_before": True, "relu_after": False},
        _("the last ReLU comes before the addition. Where does it stand in the text?"),
    ),
    (
        {"relu_before": True},
        _(
            "there is a ReLU between the last batch normalisation and the addition, so "
            "that the branch can only add."
        ),
    ),
    ({"relu_after": False}, _("nothing happens after the addition.")),
    ({"add": False}, _("the input is not added: this is the plain block, without a shortcut.")),
    (
        {"add": False, "relu_after": False},
        _("the input is not added, and the last ReLU is missing."),
    ),
    (
        {"project_bn": False},
        _("the projection has no batch normalisation. Which convolutions are followed by one?"),
    ),
    (
        {"project_always": True},
        _("there is a projection on the shortcut although the shape is kept. When is one needed?"),
    ),
    ({"project_relu": True}, _("there is a ReLU on the shortcut, before the addition.")),
    ({"skip_bn": -1}, _("the branch's last convolution has no batch normalisation behind it.")),
    ({"skip_bn": -2}, _("a convolution inside the branch has no batch normalisation behind it.")),
    ({"skip_bn": -3}, _("the branch's first convolution has no batch normalisation behind it.")),
    ({"skip_relu": -2}, _("a ReLU between two convolutions of the branch is missing.")),
    ({"skip_relu": -3}, _("a ReLU between two convolutions of the branch is missing.")),
]


def originals(
    convs: Convs, *, also: Sequence[tuple[Convs, str]] = ()
) -> tuple[Formula, list[tuple[Formula, str]]]:
    """Return the formula of an original unit, and of the mistakes, with what to say about each.

    Args:
        convs: of the branch.
        also: mistaken branches.

    """
    slips: list[tuple[Formula, str]] = [(partial(original, wrong), says) for wrong, says in also]
    slips += [(partial(original, convs, **options), says) for options, says in ORIGINAL_SLIPS]
    return partial(original, convs), slips


def preact(
    convs: Convs,
    layers: Layers,
    x: Tensor,
    *arguments: Any,
    raw_projection: bool = False,
    project_bn: bool = False,
    active_identity: bool = False,
    relu_after: bool = False,
    last_bn: bool = False,
    skip_before: bool = False,
    skip_relu: bool = False,
    add: bool = True,
) -> Tensor:
    """Compute the unit of 2016b, Fig. 4e: BN-ReLU before each convolution, nothing at the end.

    A projection gets the first BN-ReLU's output, an identity the input. The options are mistakes.
    """
    parts = convs(*arguments)
    active = x if skip_before else layers.bn(x)
    active = active if skip_before or skip_relu else layers.relu(active)
    y, stride = active, 1
    for i, part in enumerate(parts):
        if i:
            y = layers.relu(layers.bn(y))
        y = layers.conv(y, part.channels, part.kernel, part.stride, groups=part.groups)
        stride *= part.stride
    if last_bn:
        y = layers.bn(y)
    if add:
        if stride != 1 or x.shape[1] != y.shape[1]:
            s = layers.conv(x if raw_projection else active, y.shape[1], 1, stride)
            s = layers.bn(s) if project_bn else s
        else:
            s = active if active_identity else x
        y = y + s
    return layers.relu(y) if relu_after else y


PREACT_SLIPS: list[tuple[dict[str, Any], str]] = [
    (
        {"raw_projection": True},
        _("the projection gets the raw input. In the text it starts from something else."),
    ),
    (
        {"project_bn": True},
        _(
            "the projection has a batch normalisation of its own. What does the next block "
            "begin with?"
        ),
    ),
    (
        {"raw_projection": True, "project_bn": True},
        _(
            "the projection gets the raw input and has a batch normalisation, as in the "
            "original block."
        ),
    ),
    (
        {"active_identity": True},
        _(
            "where the shape is kept, the shortcut carries the activated input, and the "
            "sum of the chapter is broken."
        ),
    ),
    ({"relu_after": True}, _("there is a ReLU after the addition.")),
    ({"last_bn": True}, _("a batch normalisation follows the last convolution.")),
    (
        {"last_bn": True, "skip_before": True, "relu_after": True},
        _("this is the original order: convolution first, then batch normalisation and ReLU."),
    ),
    (
        {"last_bn": True, "skip_before": True},
        _("this is the original order: convolution first, then batch normalisation and ReLU."),
    ),
    (
        {"skip_before": True},
        _("the first convolution gets its input without BN and ReLU before it."),
    ),
    ({"skip_relu": True}, _("the first batch normalisation has no ReLU behind it.")),
    ({"add": False}, _("nothing is added: the shortcut is missing.")),
]


def preacts(
    convs: Convs, *, also: Sequence[tuple[Convs, str]] = ()
) -> tuple[Formula, list[tuple[Formula, str]]]:
    """Return the formula of a pre-activation unit, and of the mistakes; see `originals`."""
    slips: list[tuple[Formula, str]] = [(partial(preact, wrong), says) for wrong, says in also]
    slips += [(partial(preact, convs, **options), says) for options, says in PREACT_SLIPS]
    return partial(preact, convs), slips
