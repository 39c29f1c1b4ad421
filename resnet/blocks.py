"""Residual units: basic and bottleneck, with the activation in any of the five places.

All of them are one unit with four replaceable parts::

    a = before(x)                      # original: nothing; pre-activation: BN-ReLU
    y = branch(a) + shortcut(x)        # convolutions + a way around them; a projection gets a
    after(y)                           # original: ReLU; pre-activation: nothing

He et al. 2016a (*Deep Residual Learning for Image Recognition*), Eq. 1 and 2, Fig. 2 and 5;
He et al. 2016b (*Identity Mappings in Deep Residual Networks*), Eq. 1 and 2, Fig. 4.
"""

from collections import OrderedDict
from collections.abc import Sequence
from functools import partialmethod
from typing import Literal, NamedTuple, get_args

import torch.nn.functional as F
from torch import Tensor, nn

from resnet.arguments import require_one_of, require_positive

Shortcut = Literal["A", "B", "C"] | None
StrideOn = Literal["1x1", "3x3"]

SHORTCUTS = ("A", "B", "C", None)


class Placement(NamedTuple):
    """Where a unit has its BNs and ReLUs, each part in words."""

    before: str  # the branch
    between: str  # two convolutions of the branch
    end: str  # of the branch
    after: str  # the addition


# 2016b, Fig. 4a to 4e and Table 2
PLACEMENTS = {
    "original": Placement("", "bn relu", "bn", "relu"),
    "BN after addition": Placement("", "bn relu", "", "bn relu"),
    "ReLU before addition": Placement("", "bn relu", "bn relu", ""),
    "ReLU-only pre-activation": Placement("relu", "bn relu", "bn", ""),
    "full pre-activation": Placement("bn relu", "bn relu", "", ""),
}
PREACT = "full pre-activation"


def conv(in_channels: int, channels: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """Make a convolution that keeps the image size at stride 1; BN follows, so no bias."""
    require_positive(in_channels=in_channels, channels=channels, stride=stride)
    return nn.Conv2d(in_channels, channels, kernel, stride, padding=kernel // 2, bias=False)


def named_layers(words: str, channels: int, number: str = "") -> list[tuple[str, nn.Module]]:
    """Make the layers that words name, for example "bn relu"; `number` ends their names."""
    make = {"bn": lambda: nn.BatchNorm2d(channels), "relu": lambda: nn.ReLU(inplace=True)}
    return [(word + number, make[word]()) for word in words.split()]


def activation(words: str, channels: int) -> nn.Module:
    """Make what words name as one module; "" makes the identity."""
    layers = OrderedDict(named_layers(words, channels))
    if len(layers) == 1:
        return layers.popitem()[1]
    return nn.Sequential(layers) if layers else nn.Identity()


class ZeroPad(nn.Module):
    """Option A: drop pixels to apply the stride, append channels of zeros; no parameters.

    2016a, Sec. 3.3 and Sec. 4.1 "Identity vs. Projection Shortcuts".
    """

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        if channels < in_channels:
            raise ValueError(
                f"shortcut='A' appends channels, it cannot go from {in_channels} to {channels}: "
                "use shortcut='B'"
            )
        self.stride, self.extra = stride, channels - in_channels

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, channels, ceil(H/stride), ceil(W/stride))."""
        kept = F.avg_pool2d(x, 1, self.stride)  # x[..., ::s, ::s], but keeps channels_last
        return F.pad(kept, (0, 0, 0, 0, 0, self.extra))

    def extra_repr(self) -> str:
        """Show the stride and the channels added."""
        return f"stride={self.stride}, extra={self.extra}"


class Projection(nn.Sequential):
    """Options B and C: a 1x1 convolution W_s, with BN where no BN-ReLU came before (2016a, Eq. 2).

    Maps (N, in_channels, H, W) to (N, channels, ceil(H/stride), ceil(W/stride)).
    """

    def __init__(self, in_channels: int, channels: int, stride: int, *, bn: bool) -> None:
        super().__init__(conv(in_channels, channels, 1, stride))
        if bn:
            self.append(nn.BatchNorm2d(channels))


class ResidualUnit(nn.Module):
    """A stack of convolutions with a way around it: the base of the four public blocks.

    Args:
        convolutions: the branch's convolutions, in order.
        shortcut: "A" zero-padded identity, "B" projection where the shape changes,
            "C" always a projection, None the plain network.
        placement: of BNs and ReLUs, a key of `PLACEMENTS`.

    Raises:
        ValueError: for an unknown shortcut or placement, or option A with fewer channels out than
            in.

    """

    expansion = 1  # channels out = expansion * channels

    def __init__(
        self,
        convolutions: Sequence[nn.Conv2d],
        shortcut: Shortcut,
        placement: str = "original",
    ) -> None:
        super().__init__()
        require_one_of("shortcut", shortcut, SHORTCUTS)
        require_one_of("placement", placement, tuple(PLACEMENTS))
        self.placement = PLACEMENTS[placement]
        in_channels, channels = convolutions[0].in_channels, convolutions[-1].out_channels
        stride = max(c.stride[0] for c in convolutions)
        self.before = activation(self.placement.before, in_channels)
        if isinstance(self.before, nn.ReLU):
            self.before.inplace = False  # the shortcut carries the same input
        self.branch: nn.Module = self._branch(convolutions)
        self.shortcut = self._shortcut(shortcut, in_channels, channels, stride)
        self.after = activation(self.placement.after, channels)

    def _branch(self, convolutions: Sequence[nn.Conv2d]) -> nn.Sequential:
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for i, convolution in enumerate(convolutions, 1):
            words = self.placement.between if i < len(convolutions) else self.placement.end
            layers[f"conv{i}"] = convolution
            layers.update(named_layers(words, convolution.out_channels, str(i)))
        return nn.Sequential(layers)

    def _shortcut(
        self, option: Shortcut, in_channels: int, channels: int, stride: int
    ) -> nn.Module | None:
        changes = stride != 1 or in_channels != channels
        if option is None:
            return None
        if option == "C" or (option == "B" and changes):
            bn = "bn" not in self.placement.before
            return Projection(in_channels, channels, stride, bn=bn)
        return ZeroPad(in_channels, channels, stride) if changes else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, expansion * channels, ceil(H/s), ceil(W/s))."""
        a = self.before(x)
        y: Tensor = self.branch(a)
        if self.shortcut is not None:
            # A projection shares the unit's activation; an identity carries the raw input.
            y = self.join(y, self.shortcut(a if isinstance(self.shortcut, Projection) else x))
        out: Tensor = self.after(y)
        return out

    def join(self, branch: Tensor, shortcut: Tensor) -> Tensor:
        """Add what the branch and the shortcut give, both (N, C, H, W) (2016a, Eq. 1)."""
        return branch + shortcut


class BasicBlock(ResidualUnit):
    """Two 3x3 convolutions (2016a, Fig. 5 left; Table 1, 18 and 34 layers).

    Args:
        in_channels: channels of the input.
        channels: channels of both convolutions and of the output.
        stride: of the first convolution; the output is ceil(H/stride) pixels high.
        shortcut: see `ResidualUnit`.
        placement: see `ResidualUnit`.

    Raises:
        ValueError: naming the argument, its value and what is allowed.

    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int = 1,
        *,
        shortcut: Shortcut = "B",
        placement: str = "original",
    ) -> None:
        super().__init__(
            [conv(in_channels, channels, 3, stride), conv(channels, channels, 3)],
            shortcut,
            placement,
        )


class Bottleneck(ResidualUnit):
    """1x1, 3x3, 1x1 convolutions; 4 * channels out (2016a, Fig. 5 right; Table 1, 50 and more).

    Args:
        in_channels: channels of the input.
        channels: channels of the narrow middle.
        stride: the output is ceil(H/stride) pixels high.
        shortcut: see `ResidualUnit`.
        stride_on: "1x1" as in the authors' models (v1), "3x3" as in torchvision (v1.5).
        placement: see `ResidualUnit`.

    Raises:
        ValueError: naming the argument, its value and what is allowed.

    """

    expansion = 4

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int = 1,
        *,
        shortcut: Shortcut = "B",
        stride_on: StrideOn = "1x1",
        placement: str = "original",
    ) -> None:
        require_one_of("stride_on", stride_on, get_args(StrideOn))
        first, middle = (stride, 1) if stride_on == "1x1" else (1, stride)
        super().__init__(
            [
                conv(in_channels, channels, 1, first),
                conv(channels, channels, 3, middle),
                conv(channels, self.expansion * channels, 1),
            ],
            shortcut,
            placement,
        )
        self.stride_on = stride_on


class PreActBasicBlock(BasicBlock):
    """`BasicBlock` with BN-ReLU before each convolution (2016b, Fig. 4e)."""

    __init__ = partialmethod(BasicBlock.__init__, placement=PREACT)


class PreActBottleneck(Bottleneck):
    """`Bottleneck` with BN-ReLU before each convolution (2016b, Fig. 4e)."""

    __init__ = partialmethod(Bottleneck.__init__, placement=PREACT)
