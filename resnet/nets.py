"""Networks: a stem, stages of residual units, a head; ImageNet and CIFAR-10 shapes.

He et al. 2016a, Table 1 (ImageNet) and Sec. 4.2 (CIFAR-10); 2016b, appendix (pre-activation).
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import get_args

from torch import Tensor, nn

from resnet.arguments import require_one_of, require_positive
from resnet.blocks import (
    PREACT,
    SHORTCUTS,
    BasicBlock,
    Bottleneck,
    ResidualUnit,
    Shortcut,
    StrideOn,
    activation,
    conv,
    named_layers,
)

# 2016a, Table 1: units in conv2_x, conv3_x, conv4_x, conv5_x; bottlenecks from 50 layers on.
IMAGENET_UNITS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
CIFAR_BOTTLENECKS = (164, 1001)  # 2016b, Sec. 4: these two have bottlenecks and option B

UnitMaker = Callable[[int, int, int], ResidualUnit]


class ResNet(nn.Module):
    """`stem`, `stage1` … `stageN`, (`act`,) `pool`, `flatten`, `fc`, run one after another.

    Args:
        unit: makes a unit from (in_channels, channels, stride).
        channels: channels of each stage's units; the stem has those of the first stage.
        counts: units in each stage; every stage but the first starts with stride 2.
        num_classes: outputs.
        in_channels: channels of the images.
        large_images: stem of a 7x7 convolution and max pooling, both stride 2 (2016a, Table 1),
            instead of one 3x3 convolution (Sec. 4.2).
        name: what figures and records call the network; from the names that this module gives,
            `resnet.variants.network` makes the network again, and it refuses all others.

    Raises:
        ValueError: naming the argument, its value and what is allowed.

    """

    def __init__(
        self,
        unit: UnitMaker,
        channels: Sequence[int],
        counts: Sequence[int],
        *,
        num_classes: int,
        in_channels: int,
        large_images: bool,
        name: str,
    ) -> None:
        require_positive(num_classes=num_classes, in_channels=in_channels)
        super().__init__()
        self.name, self.in_channels = name, in_channels
        self.total_stride = (4 if large_images else 1) * 2 ** (len(counts) - 1)
        self.stem = _stem(in_channels, channels[0], large_images=large_images)
        width = channels[0]
        for i, (stage_channels, count) in enumerate(zip(channels, counts, strict=True)):
            stage = nn.Sequential()
            for j in range(count):
                block = unit(width, stage_channels, 2 if i > 0 and j == 0 else 1)
                if i == j == 0:
                    block.before = nn.Identity()  # the stem has activated this unit's input
                width = block.expansion * stage_channels
                stage.append(block)
            self.add_module(f"stage{i + 1}", stage)
        if block.placement.before:
            self.act = activation(block.placement.before, width)  # no unit follows that would
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(width, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):  # He et al. 2015, Sec. 2.2, fan-out form
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, in_channels, H, W), float, to class scores (N, num_classes).

        Raises:
            ValueError: if x has another shape or type, or is too small to normalise in training.

        """
        if x.ndim != 4 or x.shape[1] != self.in_channels or 0 in x.shape:
            raise ValueError(
                f"x has shape {tuple(x.shape)}: expected (N, {self.in_channels}, H, W) without a 0"
            )
        if not x.is_floating_point():
            raise ValueError(f"x has dtype {x.dtype}: expected floating point; x.float() / 255 is")
        if self.training and x.shape[0] == 1 and max(x.shape[2:]) <= self.total_stride:
            raise ValueError(
                f"x has shape {tuple(x.shape)}: this leaves one value per channel in the last "
                "stage, and batch normalisation in training needs two; use a batch of 2 or more, "
                f"an image of more than {self.total_stride} pixels per side, or model.eval()"
            )
        for part in self.children():
            x = part(x)
        return x


def _stem(in_channels: int, channels: int, *, large_images: bool) -> nn.Sequential:
    kernel, stride = (7, 2) if large_images else (3, 1)
    layers = OrderedDict[str, nn.Module](conv=conv(in_channels, channels, kernel, stride))
    layers.update(named_layers("bn relu", channels))
    if large_images:
        layers["maxpool"] = nn.MaxPool2d(3, stride=2, padding=1)
    return nn.Sequential(layers)


def unit_maker(
    *, bottleneck: bool, preact: bool, shortcut: Shortcut, stride_on: StrideOn
) -> Callable[..., ResidualUnit]:
    """Return what makes the units that the options of `cifar_resnet` describe."""
    require_one_of("bottleneck", bottleneck, (False, True))
    require_one_of("preact", preact, (False, True))
    require_one_of("shortcut", shortcut, SHORTCUTS)
    require_one_of("stride_on", stride_on, get_args(StrideOn))
    placement = PREACT if preact else "original"
    if bottleneck:
        return partial(Bottleneck, shortcut=shortcut, stride_on=stride_on, placement=placement)
    if stride_on != "1x1":
        raise ValueError(f"stride_on={stride_on!r}: only networks of bottlenecks have this choice")
    return partial(BasicBlock, shortcut=shortcut, placement=placement)


# What the name of a network says of its options, where they are not the papers'.
OPTION_WORDS: dict[tuple[str, object], str] = {
    ("bottleneck", False): "basic blocks",
    ("bottleneck", True): "bottlenecks",
    ("shortcut", "A"): "option A",
    ("shortcut", "B"): "option B",
    ("shortcut", "C"): "option C",
    ("stride_on", "3x3"): "stride on 3x3",
}


def papers_options(depth: int, *, cifar: bool) -> dict[str, object]:
    """Return how the papers build a network: what goes without saying in its name."""
    bottleneck = depth in CIFAR_BOTTLENECKS if cifar else depth >= 50
    shortcut = "A" if cifar and not bottleneck else "B"
    return {"width": 16, "bottleneck": bottleneck, "shortcut": shortcut, "stride_on": "1x1"}


def network_name(depth: int, *, cifar: bool, preact: bool = False, **options: object) -> str:
    """Name a network by its depth, its form, and whatever in it is not the papers'.

    Args:
        depth: layers with weights.
        cifar: whether it has the three stages of 2016a, Sec. 4.2, or the four of Table 1.
        preact: whether its units are pre-activation units.
        options: `width`, `bottleneck`, `shortcut`, `stride_on`; default: the papers'.

    """
    usual = papers_options(depth, cifar=cifar)
    plain = options.get("shortcut", usual["shortcut"]) is None
    form = "CIFAR " * (cifar and depth in IMAGENET_UNITS)  # else the depth tells
    form += "pre-activation " * preact + ("plain" if plain else "ResNet")
    words = [f"{form}-{depth}"]
    for name, value in usual.items():
        chosen = options.get(name, value)
        if chosen != value and chosen is not None:
            words.append(f"width {chosen}" if name == "width" else OPTION_WORDS[name, chosen])
    return ", ".join(words)


def imagenet_resnet(
    depth: int,
    num_classes: int = 1000,
    in_channels: int = 3,
    *,
    preact: bool = False,
    shortcut: Shortcut = "B",
    stride_on: StrideOn = "1x1",
) -> ResNet:
    """Build a network of 2016a, Table 1: four stages, 64 to 512 channels, total stride 32.

    `resnet18`, `resnet34`, `resnet50`, `resnet101` and `resnet152` are this with the depth filled
    in. The plain networks of Fig. 3 are `shortcut=None`.

    Args:
        depth: 18 or 34 (basic blocks), 50, 101 or 152 (bottlenecks).
        num_classes: outputs.
        in_channels: channels of the images, (N, in_channels, H, W).
        preact: units of 2016b, Fig. 4e, instead of the original ones.
        shortcut: "A" zero-padded identity, "B" projection where the shape changes,
            "C" always a projection, None the plain network.
        stride_on: where a bottleneck has its stride: on the first "1x1", as in the authors' models,
            or on the "3x3", as in torchvision.

    Raises:
        ValueError: naming the argument, its value and what is allowed.

    """
    require_positive(depth=depth)
    require_one_of("depth", depth, tuple(IMAGENET_UNITS))
    return ResNet(
        unit_maker(bottleneck=depth >= 50, preact=preact, shortcut=shortcut, stride_on=stride_on),
        (64, 128, 256, 512),
        IMAGENET_UNITS[depth],
        num_classes=num_classes,
        in_channels=in_channels,
        large_images=True,
        name=network_name(
            depth, cifar=False, preact=preact, shortcut=shortcut, stride_on=stride_on
        ),
    )


resnet18 = partial(imagenet_resnet, 18)
resnet34 = partial(imagenet_resnet, 34)
resnet50 = partial(imagenet_resnet, 50)
resnet101 = partial(imagenet_resnet, 101)
resnet152 = partial(imagenet_resnet, 152)


def cifar_resnet(
    depth: int,
    num_classes: int = 10,
    in_channels: int = 3,
    *,
    width: int = 16,
    bottleneck: bool = False,
    preact: bool = False,
    shortcut: Shortcut = "A",
    stride_on: StrideOn = "1x1",
) -> ResNet:
    """Build a network of 2016a, Sec. 4.2: three stages of n units, 16 to 64 channels, stride 4.

    Args:
        depth: 6n + 2, or with bottlenecks 9n + 2 (2016b, Sec. 4: 164, 1001).
        num_classes: outputs.
        in_channels: channels of the images, (N, in_channels, H, W).
        width: channels of the first stage, 16 in the papers; twice and four times in the others.
        bottleneck: units of three convolutions instead of two.
        preact: units of 2016b, Fig. 4e, instead of the original ones.
        shortcut: as in `imagenet_resnet`; the paper's choice here is "A".
        stride_on: as in `imagenet_resnet`.

    Raises:
        ValueError: naming the argument, its value and what is allowed.

    """
    unit = unit_maker(bottleneck=bottleneck, preact=preact, shortcut=shortcut, stride_on=stride_on)
    name = network_name(
        depth, cifar=True, preact=preact, width=width, bottleneck=bottleneck, shortcut=shortcut,
        stride_on=stride_on,
    )  # fmt: skip
    return three_stages(
        unit, depth, num_classes, in_channels, width=width, bottleneck=bottleneck, name=name
    )


def three_stages(
    unit: UnitMaker,
    depth: int,
    num_classes: int,
    in_channels: int,
    *,
    width: int,
    bottleneck: bool,
    name: str,
) -> ResNet:
    """Build a network as `cifar_resnet` does, of any units; `bottleneck` says if they are such."""
    require_positive(depth=depth)
    require_positive(width=width)
    step = 9 if bottleneck else 6  # three stages, two or three convolutions a unit
    n, rest = divmod(depth - 2, step)
    if rest or n < 1:
        nearest = [d for d in (step * n + 2, step * (n + 1) + 2) if d > 2]
        raise ValueError(
            f"depth={depth}: expected {step}n + 2; nearest: {' or '.join(map(str, nearest))}"
        )
    return ResNet(
        unit,
        (width, 2 * width, 4 * width),
        (n, n, n),
        num_classes=num_classes,
        in_channels=in_channels,
        large_images=False,
        name=name,
    )
