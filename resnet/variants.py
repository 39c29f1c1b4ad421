"""The units of 2016b's Table 1, and `network`, which makes any network of this book by its name.

He et al. 2016b (*Identity Mappings in Deep Residual Networks*), Fig. 2; chapter 5 builds the same
by hand. The units of Table 2 are those of `resnet.blocks.PLACEMENTS`.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from resnet.arguments import require_one_of
from resnet.blocks import PLACEMENTS, PREACT, BasicBlock
from resnet.nets import (
    IMAGENET_UNITS,
    OPTION_WORDS,
    ResNet,
    cifar_resnet,
    imagenet_resnet,
    network_name,
    papers_options,
    three_stages,
    unit_maker,
)
from resnet.starts import STARTS, ZERO_LAST_SCALE


class ScaledBlock(BasicBlock):
    """A basic block that halves both the branch and the shortcut (Fig. 2b, constant scaling)."""

    def join(self, branch: Tensor, shortcut: Tensor) -> Tensor:
        """Return half the sum."""
        return 0.5 * branch + 0.5 * shortcut


class GatedBlock(BasicBlock):
    """A basic block with a gate g(s) = sigmoid(W s + b) on what its shortcut carries, s (Fig. 2cd).

    Args:
        in_channels: channels of the input.
        channels: channels of the output, and of the gate: W is a 1x1 convolution.
        stride: of the first convolution.
        exclusive: whether the branch gets g where the shortcut gets 1 - g (Fig. 2c), as in Highway
            networks, or all of itself (Fig. 2d).
        bias: where each b starts; -6 is the paper's best.
        options: see `BasicBlock`.

    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int = 1,
        *,
        exclusive: bool,
        bias: float = -6.0,
        **options: Any,
    ) -> None:
        super().__init__(in_channels, channels, stride, **options)
        self.exclusive, self.gate = exclusive, nn.Conv2d(channels, channels, 1)
        nn.init.constant_(self.gate.bias, bias)  # type: ignore[arg-type]

    def extra_repr(self) -> str:
        """Show which of the two kinds it is."""
        return f"exclusive={self.exclusive}"

    def join(self, branch: Tensor, shortcut: Tensor) -> Tensor:
        """Return the gated sum."""
        g = torch.sigmoid(self.gate(shortcut))
        return (g * branch if self.exclusive else branch) + (1 - g) * shortcut


class DropoutBlock(BasicBlock):
    """A basic block that drops half of what its shortcut carries in training (Fig. 2f)."""

    def __init__(self, *shape: int, **options: Any) -> None:
        super().__init__(*shape, **options)
        self.drop = nn.Dropout(0.5)

    def join(self, branch: Tensor, shortcut: Tensor) -> Tensor:
        """Return the branch and what is left of the shortcut."""
        return branch + self.drop(shortcut)


class ReZeroBlock(BasicBlock):
    """A basic block whose branch has one learned factor, 0 at first (Bachlechner et al. 2021)."""

    def __init__(self, *shape: int, **options: Any) -> None:
        super().__init__(*shape, **options)
        self.factor = nn.Parameter(torch.zeros(()))

    def join(self, branch: Tensor, shortcut: Tensor) -> Tensor:
        """Return the shortcut and so much of the branch."""
        return self.factor * branch + shortcut


# Table 1: what it calls the units, with other biases of the gates behind.
SHORTCUT_KINDS: dict[str, Callable[..., BasicBlock]] = {
    "constant scaling": ScaledBlock,
    "dropout": DropoutBlock,
    **{
        f"{kind} gating" + (f" b={bias}" if bias != -6 else ""): partial(
            GatedBlock, exclusive=kind == "exclusive", bias=bias
        )
        for kind in ("exclusive", "shortcut-only")
        for bias in (-6, 0, -5, -7)
    },
}
UNITS = SHORTCUT_KINDS | {"ReZero": ReZeroBlock}
MOVED = tuple(name for name in PLACEMENTS if name not in ("original", PREACT))  # Table 2's others
OPTIONS = {words: option for option, words in OPTION_WORDS.items()}
NAME = re.compile(r"(CIFAR )?(pre-activation )?(plain|ResNet)-(\d+)((?:, [^,]+)*)")


def _described(name: str) -> dict[str, Any]:
    """Return a name's parts, `variant` and `network_name`'s arguments; ValueError for others."""
    match = NAME.fullmatch(name)
    if not match:
        raise ValueError(f"name={name!r}: expected one like 'plain-56' or 'ResNet-20, dropout'")
    depth = int(match[4])
    cifar = bool(match[1]) or depth not in IMAGENET_UNITS
    parts: dict[str, Any] = {"depth": depth, "cifar": cifar, "preact": bool(match[2])}
    parts |= papers_options(depth, cifar=cifar)
    if match[3] == "plain":
        parts["shortcut"] = None
    variants: list[str] = []
    for words in match[5].split(", ")[1:]:
        if width := re.fullmatch(r"width (\d+)", words):
            parts["width"] = int(width[1])
        elif words in OPTIONS:
            option, value = OPTIONS[words]
            parts[option] = value
        else:
            require_one_of("variant", words, (*OPTIONS, "width 8", *MOVED, *UNITS, *STARTS))
            variants.append(words)
    if len(variants) > 1:
        raise ValueError(f"name={name!r}: {' and '.join(map(repr, variants))} do not go together")
    canonical = ", ".join([network_name(**parts), *variants])
    if canonical != name:
        raise ValueError(f"name={name!r}: expected {canonical!r}")
    return parts | {"variant": "".join(variants)}


def network(name: str, num_classes: int | None = None, in_channels: int = 3) -> ResNet:
    """Make the network of a name: of the attribute `name` of any that this module's functions make.

    "plain-56", "ResNet-50" and "pre-activation ResNet-164" are the papers' networks. What is not
    the papers' stands behind: "ResNet-20, width 8, option C", "ResNet-50, stride on 3x3",
    "ResNet-110, dropout". Depths of 2016a, Table 1, are ImageNet networks, unless "CIFAR" stands
    before; all others are CIFAR networks.

    Args:
        name: see above.
        num_classes: outputs; default: 1000 of an ImageNet network, 10 of a CIFAR network.
        in_channels: channels of the images.

    Raises:
        ValueError: for what is no such name, or a network that there is not.

    """
    parts = _described(name)
    depth, cifar, variant = parts.pop("depth"), parts.pop("cifar"), parts.pop("variant")
    if num_classes is None:
        num_classes = 10 if cifar else 1000
    if not cifar:
        others = variant not in ("", ZERO_LAST_SCALE)
        if others or parts.pop("width") != 16 or parts.pop("bottleneck") != (depth >= 50):
            raise ValueError(
                f"name={name!r}: only CIFAR networks come with other units, widths or starts "
                f"(but for {ZERO_LAST_SCALE!r})"
            )
    if variant in UNITS or variant in MOVED:
        width, bottleneck = parts.pop("width"), parts["bottleneck"]
        unit = unit_maker(**parts)
        if parts["shortcut"] is None or parts["preact"] or (variant in UNITS and bottleneck):
            raise ValueError(f"name={name!r}: {variant!r} goes with original blocks of two layers")
        if variant in UNITS:
            unit = partial(UNITS[variant], shortcut=parts["shortcut"])
        else:
            unit = partial(unit, placement=variant)
        return three_stages(
            unit, depth, num_classes, in_channels, width=width, bottleneck=bottleneck, name=name
        )
    make = cifar_resnet if cifar else imagenet_resnet
    net = make(depth, num_classes, in_channels, **parts)
    if variant:
        STARTS[variant](net)
    return net
