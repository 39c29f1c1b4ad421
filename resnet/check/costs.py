"""Checks of what is counted on paper: shapes, layers, weights, multiply-adds."""

from functools import cache

import torch
from torch import nn

from resnet import nets
from resnet.check.answers import check_numbers, check_shapes
from resnet.check.verdict import exercise
from resnet.measure import LayerTable, layer_table

DOUBLE = ("twice too many. Is a multiplication with its addition counted as one, and is the middle "
          "half as wide as what comes in?")  # fmt: skip


@cache
def part_table(depth: int, size: int, channels: int, classes: int, **options: str) -> LayerTable:
    """Return what each part of a network costs, for one image; 20 layers are the CIFAR network."""
    with torch.device("meta"):
        if depth == 20:
            net = nets.cifar_resnet(depth, classes, channels)
        else:
            net = nets.imagenet_resnet(depth, classes, channels, **options)  # type: ignore[arg-type]
    return layer_table(net, (1, channels, size, size), depth=1)


@exercise
def shapes_97(answers: object) -> str:
    """Check the shapes that ResNet-18 makes of an image of 97x97 pixels."""
    parts = {
        row.name: row.output_shape for row in part_table(18, 97, 1, 10) if row.name != "flatten"
    }
    floor = "one pixel less than there are. Did you use the padding, and the + 1?"
    sides = {"stem": 24, "stage1": 24, "stage2": 12, "stage3": 6, "stage4": 3}
    slips: dict[str, dict[object, str]] = {
        name: {(1, parts[name][1], side, side): floor} for name, side in sides.items()
    }
    slips["stem"][1, 64, 49, 49] = "the max pooling belongs to the stem, too."
    slips["stage1"][1, 64, 13, 13] = "the first stage has no stride."
    slips["pool"] = {(1, 512): "the pooling alone keeps two axes of length 1; the flattening is "
                     "what removes them."}  # fmt: skip
    check_shapes(answers, parts, slips)
    return f"all {len(parts)} shapes"


@exercise
def count_layers(answers: object) -> str:
    """Check which layers make the 50 of ResNet-50."""
    with torch.device("meta"):
        net = nets.resnet50()
    convolutions = [n for n, layer in net.named_modules() if isinstance(layer, nn.Conv2d)]
    main = sum("shortcut" not in name for name in convolutions)
    beside = len(convolutions) - main
    check_numbers(
        answers,
        {
            "convolutions on the main path": main,
            "linear layers": 1,
            "convolutions in all": len(convolutions),
        },
        {
            "convolutions on the main path": {
                main - 1: "the stem has a convolution.",
                main + 1: "the linear layer is no convolution.",
                main + beside: "projections are beside the main path.",
                33: "a bottleneck has three convolutions.",
            },
            "convolutions in all": {
                main: "the projections count here.",
                main + beside - 1: "the first stage needs a projection as well: what goes in, and "
                "what comes out?",
                main + 16: "only the first block of a stage has a projection.",
            },
        },
    )
    return f"{main} + 1 = 50, and {beside} projections beside them"


@exercise
def cost_v15(answers: object) -> str:
    """Check how many multiply-adds v1.5 needs more than v1, stage by stage."""
    v1, v15 = (part_table(50, 224, 3, 1000, stride_on=kind) for kind in ("1x1", "3x3"))
    more = {
        a.name: b.multiply_adds - a.multiply_adds
        for a, b in zip(v1, v15, strict=True)
        if a.name.startswith("stage")
    }
    slips: dict[str, dict[object, str]] = {
        "stage1": {256 * 64 * 56**2: "has any block of the first stage a stride?"},
    }
    for name, channels, size in (("stage2", 256, 56), ("stage3", 512, 28), ("stage4", 1024, 14)):
        whole = channels * (channels // 2) * size**2
        slips[name] = {
            whole: "this is what the convolution costs in v1.5; the question is how much more.",
            3 * whole: "a 1x1 convolution costs in proportion to the pixels that come out.",
            whole // 4: "this is what the convolution costs in v1; the question is how much more.",
            whole // 2: "half in height and half in width are a quarter of the pixels.",
            2 * more[name]: DOUBLE,
            more[name] // 2: "this is the first stage's ratio: how many channels come in?",
            9 * (channels // 2) ** 2 * size**2 * 3 // 4: "the 3x3 convolution gives images of the "
            "same size in both forms. Which other one does not?",
        }
    slips["total"] = {2 * sum(more.values()): DOUBLE}
    check_numbers(answers, {**more, "total": sum(more.values())}, slips)
    return f"{sum(more.values()):,} multiply-adds in all"


@exercise
def how_narrow(answers: object) -> str:
    """Check how the weights of a bottleneck split as its ends get wider."""
    check_numbers(
        answers,
        {
            "share of the 3x3 at e = 1": 9 / 11,
            "share of the 3x3 at e = 4": 9 / 17,
            "e with equal shares": 4.5,
            "middle at e = 8 for the cost of 64 at e = 4": (64**2 * 17 / 25) ** 0.5,
        },
        {
            "share of the 3x3 at e = 1": {0.9: "there are two 1x1 convolutions."},
            "share of the 3x3 at e = 4": {
                9 / 13: "there are two 1x1 convolutions.",
                9 / 41: "the wide end enters each 1x1 convolution once.",
                8 / 17: "this is the share of the 1x1 convolutions.",
            },
            "e with equal shares": {
                9.0: "there are two 1x1 convolutions.",
                3.0: "each 1x1 convolution has e times m times m weights, not the square of e m.",
            },
            "middle at e = 8 for the cost of 64 at e = 4": {
                32.0: "only the 1x1 convolutions grow with e.",
                64 * 17 / 25: "the weights go with the square of the middle's width.",
            },
        },
        tolerance=0.006,
    )
    return "all four"
