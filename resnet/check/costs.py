"""Checks of what is counted on paper: layers, parameters, multiply-adds, shapes."""

from collections.abc import Mapping
from functools import cache

import torch
from torch import nn

from resnet import nets
from resnet.blocks import BasicBlock
from resnet.check.answers import as_number, check_choices, check_numbers, check_shapes
from resnet.check.guard import Wrong, call, function
from resnet.check.verdict import exercise
from resnet.measure import LayerTable, count_parameters, layer_table


@cache
def _table(depth: int, size: int, channels: int, classes: int, **options: str) -> LayerTable:
    with torch.device("meta"):
        if depth == 20:
            net = nets.cifar_resnet(depth, classes, channels)
        else:
            net = nets.imagenet_resnet(depth, classes, channels, **options)  # type: ignore[arg-type]
    return layer_table(net, (1, channels, size, size), depth=1)


@exercise
def shapes_97(answers: object) -> str:
    """Check the shapes that ResNet-18 makes of an image of 97x97 pixels."""
    parts = {row.name: row.output_shape for row in _table(18, 97, 1, 10) if row.name != "flatten"}
    floor = "one pixel less than there are. What do the padding and the last step add?"
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
def count_18(parameters: object) -> str:
    """Check `parameters(in_channels, channels, blocks)` of a stage of basic blocks."""
    ask = function(parameters, "parameters")
    for inputs, channels, blocks in ((64, 64, 2), (64, 128, 2), (256, 512, 3), (5, 7, 1)):
        shown = f"parameters({inputs}, {channels}, {blocks})"
        given = as_number(call(ask, inputs, channels, blocks, shown=shown), shown)
        first = BasicBlock(inputs, channels, 1 if inputs == channels else 2)
        expected = count_parameters(first) + (blocks - 1) * count_parameters(
            BasicBlock(channels, channels)
        )
        if given == expected:
            continue
        bn = 2 * channels
        has_projection = inputs != channels
        projection = has_projection * inputs * channels
        off = {
            -(2 * blocks + has_projection) * bn: "the batch normalisations are missing.",
            -(2 * blocks + has_projection) * channels: "a batch normalisation has two numbers a "
            "channel.",
            -projection - has_projection * bn: "the projection is missing.",
            -projection: "the projection's convolution is missing.",
            -has_projection * bn: "the projection has a batch normalisation, too.",
            2 * blocks * channels: "the convolutions have no biases.",
            (2 * blocks + has_projection) * channels: "the convolutions have no biases.",
            9 * channels * (channels - inputs): "the first convolution of the stage has another "
            "number of channels coming in.",
            channels * channels + bn: "no projection where the number of channels stays.",
            blocks * (channels * channels + bn) - projection - has_projection * bn: "only the "
            "first block can need a projection.",
        }
        told = off.get(int(given - expected)) or (
            "Write down convolutions and batch normalisations one by one, the shortcut's too."
        )
        raise Wrong(f"{shown} is {given:,}, too {'small' if given < expected else 'large'}: {told}")
    return "the stages of ResNet-18, and others"


def _parts(answers: object, table: LayerTable, slips: Mapping[str, Mapping[object, str]]) -> None:
    """Compare the parameters of a network's parts, and their total."""
    counts = {row.name: row.parameters for row in table if row.parameters}
    check_numbers(answers, {**counts, "total": table.parameters}, slips)


@exercise
def count_20(answers: object) -> str:
    """Check the parameters of the CIFAR network with 20 layers, option A."""
    table = _table(20, 32, 3, 10)
    stage = 6 * 9 * 16 * 16
    slips: dict[str, dict[object, str]] = {
        "stem": {
            27 * 16: "a batch normalisation follows the convolution.",
            27 * 16 + 16: "a batch normalisation has two numbers a channel.",
            9 * 16 + 32: "the images have three channels.",
        },
        "stage1": {
            stage: "six batch normalisations are missing.",
            stage + 6 * 16: "a batch normalisation has two numbers a channel.",
        },
        "fc": {640: "the linear layer has biases."},
    }
    for i, (channels, before) in ((2, (32, 16)), (3, (64, 32))):
        full = 6 * (9 * channels**2 + 2 * channels)
        right = full - 9 * channels * (channels - before)
        slips[f"stage{i}"] = {
            full: "the first convolution of the stage has fewer channels coming in.",
            right - 12 * channels: "the batch normalisations are missing.",
            right + before * channels + 2 * channels: "option A has no projection.",
            right + before * channels: "option A has no projection.",
        }
    _parts(answers, table, slips)
    return f"every part and the total of {table.parameters:,}"


@exercise
def count_50(answers: object) -> str:
    """Check the parameters of ResNet-50 for 1,000 classes."""
    table = _table(50, 224, 3, 1000)
    slips: dict[str, dict[object, str]] = {
        "stem": {147 * 64: "a batch normalisation follows the convolution."},
        "fc": {2048 * 1000: "the linear layer has biases.", 513_000: "how many channels come out "
               "of the last stage?"},
    }  # fmt: skip
    widths, counts, before = (64, 128, 256, 512), (3, 4, 6, 3), 64
    for i, (c, n) in enumerate(zip(widths, counts, strict=True), start=1):
        bns = n * (2 * c + 2 * c + 8 * c) + 8 * c
        projection = before * 4 * c
        right = next(row.parameters for row in table if row.name == f"stage{i}")
        slips[f"stage{i}"] = {
            right - bns: "the batch normalisations are missing.",
            right - projection - 8 * c: "the projection is missing." if i > 1 else
            "64 channels come in and 256 go out: there is a projection, though no stride.",
            right - projection: "the projection's convolution is missing.",
            right - 8 * c: "the projection has a batch normalisation, too.",
            right + (4 * c - before) * c: "the first 1x1 convolution of the stage has another "
            "number of channels coming in.",
        }  # fmt: skip
        before = 4 * c
    _parts(answers, table, slips)
    return f"every part and the total of {table.parameters:,}"


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
    v1, v15 = (_table(50, 224, 3, 1000, stride_on=kind) for kind in ("1x1", "3x3"))
    more = {
        a.name: b.multiply_adds - a.multiply_adds
        for a, b in zip(v1, v15, strict=True)
        if a.name.startswith("stage")
    }
    slips: dict[str, dict[object, str]] = {
        "stage1": {256 * 64 * 56**2: "has any block of the first stage a stride?"},
        "total": {},
    }
    for name, channels, size in (("stage2", 256, 56), ("stage3", 512, 28), ("stage4", 1024, 14)):
        whole = channels * (channels // 2) * size**2
        slips[name] = {
            whole: "this is what the convolution costs in v1.5; the question is how much more.",
            3 * whole: "a 1x1 convolution costs in proportion to the pixels that come out.",
            whole // 4: "this is what the convolution costs in v1; the question is how much more.",
            whole // 2: "half in height and half in width are a quarter of the pixels.",
            2 * more[name]: "the middle has half as many channels as what comes in.",
            more[name] // 2: "this is the first stage's ratio: how many channels come in?",
        }
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


@exercise
def preact_forgotten(numbers: object, answers: object) -> str:
    """Check what a pre-activation network's parameters say of three mistakes."""
    check_numbers(
        numbers,
        {"a": -2 * 64, "b": 2 * (64 + 128 + 256), "c": 0},
        {
            "a": {
                128: "more, or fewer?",
                -64: "a batch normalisation has two numbers a channel.",
                -512: "this network has basic blocks: how many channels come out of the last?",
            },
            "b": {
                -896: "more, or fewer?",
                448: "a batch normalisation has two numbers a channel.",
                768: "the first stage has a projection, too: 16 channels come in, 64 go out.",
                224: "the projections are as wide as the ends of the bottlenecks.",
            },
            "c": {},
        },
    )
    check_choices(
        answers,
        {"only by outputs": "c"},
        {
            "only by outputs": {
                "a": "Its number of parameters differs.",
                "b": "Its number of parameters differs.",
            }
        },
    )
    return "three differences, one choice"
