"""Checks of chapter 4: bottlenecks, the networks made of them, and what they cost."""

import weakref
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from functools import cache, partial

import torch
from torch import nn

from resnet import nets
from resnet.check.answers import (
    bn_slips,
    judge_numbers,
    judge_parts,
    part_table,
)
from resnet.check.comparing import (
    Cases,
    Reused,
    Undrawn,
    alike,
    bottleneck_cases,
    compare_networks,
    difference,
    drawn,
    judge_block,
    layers_of,
    with_change,
    without,
)
from resnet.check.feedback import exercise
from resnet.check.formulas import Conv, Kind, originals
from resnet.check.running import Wrong, call, function, not_the_books, usable
from resnet.translation import _


@exercise
def bottleneck(Bottleneck: object) -> str:
    """Check the bottleneck of v1.5: `Bottleneck(in_channels, channels, stride=1)`."""

    def branch(_: int, channels: int, stride: int = 1) -> list[Conv]:
        return [Conv(channels, 1), Conv(channels, 3, stride), Conv(4 * channels, 1)]

    def first(_: int, channels: int, stride: int = 1) -> list[Conv]:
        return [Conv(channels, 1, stride), Conv(channels, 3), Conv(4 * channels, 1)]

    def last(_: int, channels: int, stride: int = 1) -> list[Conv]:
        return [Conv(channels, 1), Conv(channels, 3), Conv(4 * channels, 1, stride)]

    cases = bottleneck_cases()
    formula, slips = originals(
        branch,
        also=[
            (first, _("the stride is on the first 1x1 convolution: this is v1.")),
            (last, _("the stride is on the last 1x1 convolution.")),
        ],
    )
    judge_block(Bottleneck, cases, formula, slips, "Bottleneck")
    return alike(len(cases))


FIRST = 18
TRAINING = (18, 50)  # one of each kind of block; the others are compared in evaluation mode


@exercise
def table_1(make: object) -> str:
    """Check `make(depth)` for the five columns of Table 1, 1,000 classes, stride on the 1x1."""
    ask = function(make, "make")
    kept = True  # what outlives its use here needs its initial weights
    for depth in nets.IMAGENET_UNITS:
        shown = f"make({depth})"
        with nullcontext() if kept else Undrawn():
            made = call(ask, depth, shown=shown)
        net = not_the_books(usable(made, shown))
        if depth == FIRST:
            weights = [weakref.ref(weight) for weight in made.parameters()]
            del made
            kept = any(weight() is not None for weight in weights)
        like: Callable[..., nn.Module] = partial(nets.imagenet_resnet, depth)
        no_pool = with_change(like, without("stem.maxpool"))
        slips = [
            (with_change(like, without("stem.relu")), _("the stem has no ReLU.")),
            (no_pool, _("the max pooling of the stem is missing.")),
        ]
        if depth >= 50:
            says = _("the bottlenecks have their stride on the 3x3 convolution: this is v1.5.")
            slips.append((partial(like, stride_on="3x3"), says))
        modes = [depth in TRAINING]
        shape = (2, 3, 33, 40) if depth in TRAINING else (1, 3, 17, 20)
        try:
            compare_networks(net, shape, like, slips, shown, modes=modes)
        except Reused:
            raise
        except Wrong:
            if (found := layers_of(net)) != _layers(depth):
                _other_layers(found, depth, shown)
            raise
    return _("five networks: layers and scores; for 18 and 50 layers gradients, too")


@cache
def _layers(depth: int) -> "Counter[Kind]":
    with torch.device("meta"):
        return layers_of(nets.imagenet_resnet(depth))


def _other_layers(found: "Counter[Kind]", depth: int, shown: str) -> None:
    has_narrow = any(kind == "conv" and shape[0] == 2048 for kind, shape in found)
    if (depth >= 50) != has_narrow:
        raise Wrong(
            "{shown}: with {depth} layers a network is made of {blocks}.",
            shown=shown,
            depth=depth,
            blocks=_("bottlenecks") if depth >= 50 else _("blocks of two convolutions"),
        ) from None
    for other in nets.IMAGENET_UNITS:
        if other != depth and _layers(other) == found:
            name = f"ResNet-{other}"
            raise Wrong("{shown} has the layers of {name}.", shown=shown, name=name) from None
    said = difference(found, _layers(depth))
    raise Wrong("{shown} has other layers than it should.", *said, shown=shown) from None


@exercise
def count_50(answers: object) -> str:
    """Check the parameters of ResNet-50 for 1,000 classes."""
    table = part_table(50, 224, 3, 1000)
    slips: dict[str, dict[object, str]] = {
        "stem": {
            **bn_slips(147 * 64 + 128, 64),
            147 * 64: _("a batch normalisation follows the convolution."),
        },
        "fc": {
            2048 * 1000: _("the linear layer has biases."),
            513_000: _("how many channels come out of the last stage?"),
        },
    }
    without_it = _("the projection is missing.")
    without_stride = _(
        "64 channels come in and 256 go out: this takes a projection, though no stride."
    )
    widths, counts, before, normalised = (64, 128, 256, 512), (3, 4, 6, 3), 64, 64
    for i, (c, n) in enumerate(zip(widths, counts, strict=True), start=1):
        bns = n * 6 * c + 4 * c  # channels
        normalised += bns
        projection = before * 4 * c
        right = next(row.parameters for row in table if row.name == f"stage{i}")
        slips[f"stage{i}"] = {
            **bn_slips(right, bns),
            right - projection - 8 * c: without_it if i > 1 else without_stride,
            right - projection: _("the projection's convolution is missing."),
            right - 8 * c: _("the projection has a batch normalisation, too."),
            n * (17 * c * c + 12 * c): _("the first block of a stage differs from the others."),
            right + (4 * c - before) * c: _("the first 1x1 convolution has other channels in."),
        }
        before = 4 * c
    judge_parts(answers, table, slips, normalised)
    return _("every part and the total of {parameters:,}", parameters=table.parameters)


DOUBLE = _(
    "twice too many. Is a multiplication with its addition counted as one, "
    "and is the middle half as wide as what comes in?"
)


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
        "stage1": {256 * 64 * 56**2: _("has any block of the first stage a stride?")},
    }
    for name, channels, size, blocks in (
        ("stage2", 256, 56, 4),
        ("stage3", 512, 28, 6),
        ("stage4", 1024, 14, 3),
    ):
        whole = channels * (channels // 2) * size**2
        slips[name] = {
            blocks * more[name]: _("only the first block of a stage has a stride."),
            whole: _("this is what it costs in v1.5; the question is how much more."),
            # 4 - 1 for 1 - 1/4; in stage 2 also the difference of all its blocks
            4 * more[name]: _(
                "four times too many. Only the first block of a stage has a stride, and a 1x1 "
                "convolution costs in proportion to the pixels that come out."
            ),
            whole // 4: _("this is what it costs in v1; the question is how much more."),
            whole // 2: _("half in height and half in width are a quarter of the pixels."),
            2 * more[name]: DOUBLE,
            more[name] // 2: _("this is the first stage's ratio: how many channels come in?"),
            9 * (channels // 2) ** 2 * size**2 * 3 // 4: _(
                "the 3x3 convolution gives images of the same size in both forms. "
                "Which other one does not?"
            ),
        }
    slips["total"] = {2 * sum(more.values()): DOUBLE}
    judge_numbers(answers, {**more, "total": sum(more.values())}, slips)
    return _("{n:,} multiply-adds in all", n=sum(more.values()))


FLOPS = _("a multiplication with its addition is counted alike in both blocks.")


@exercise
def how_narrow(answers: object) -> str:
    """Check how the weights of a bottleneck split as its ends get wider."""
    judge_numbers(
        answers,
        {
            "share of the 3x3 at e = 1": 9 / 11,
            "share of the 3x3 at e = 4": 9 / 17,
            "e with equal shares": 4.5,
            "middle at e = 8 for the cost of 64 at e = 4": (64**2 * 17 / 25) ** 0.5,
        },
        {
            "share of the 3x3 at e = 1": {0.9: _("there are two 1x1 convolutions.")},
            "share of the 3x3 at e = 4": {
                9 / 13: _("there are two 1x1 convolutions."),
                9 / 41: _("the wide end enters each 1x1 convolution once."),
                8 / 17: _("this is the share of the 1x1 convolutions."),
            },
            "e with equal shares": {
                9.0: _("there are two 1x1 convolutions."),
                3.0: _("each 1x1 convolution has e times m² weights, not the square of e m."),
            },
            "middle at e = 8 for the cost of 64 at e = 4": {
                32.0: _("only the 1x1 convolutions grow with e."),
                64 * (34 / 25) ** 0.5: FLOPS,
                64 * (17 / 50) ** 0.5: FLOPS,
                64 * 17 / 25: _("the weights go with the square of the middle's width."),
            },
        },
        tolerance=0.006,
    )
    return _("all four")


@exercise
def resnext(Grouped: object) -> str:
    """Check the block with a grouped convolution."""

    def branch(_: int, width: int, out: int, stride: int = 1, groups: int = 32) -> list[Conv]:
        return [Conv(width, 1), Conv(width, 3, stride, groups), Conv(out, 1)]

    def ungrouped(_: int, width: int, out: int, stride: int = 1, groups: int = 32) -> list[Conv]:
        return [Conv(width, 1), Conv(width, 3, stride), Conv(out, 1)]

    def all_grouped(_: int, width: int, out: int, stride: int = 1, groups: int = 32) -> list[Conv]:
        parts = (width, 1, 1), (width, 3, stride), (out, 1, 1)
        return [Conv(*part, groups) for part in parts]

    def last_grouped(_: int, width: int, out: int, stride: int = 1, groups: int = 32) -> list[Conv]:
        return [Conv(width, 1), Conv(width, 3, stride, groups), Conv(out, 1, 1, groups)]

    def first_strided(
        _: int, width: int, out: int, stride: int = 1, groups: int = 32
    ) -> list[Conv]:
        return [Conv(width, 1, stride), Conv(width, 3, 1, groups), Conv(out, 1)]

    (groups,) = drawn((2, 4))
    cases: Cases = [
        ((16, 8, 16, 1, 4), (3, 16, 9, 6)),
        ((8, 12, 16, 2, 4), (3, 8, 9, 12)),
        ((8, 4, 8, 2, 2), (3, 8, 8, 7)),
        ((6, 32, 64), (2, 6, 7, 8)),
        ((3 * groups, 5 * groups, 4 * groups, 2, groups), (2, 3 * groups, 8, 7)),
    ]
    everywhere = _("more than the 3x3 convolution is grouped.")
    formula, slips = originals(
        branch,
        also=[
            (ungrouped, _("the 3x3 convolution is not grouped: every channel sees all others.")),
            (all_grouped, everywhere),
            (last_grouped, everywhere),
            (first_strided, _("the stride is on the first 1x1 convolution, not on the 3x3.")),
        ],
    )
    judge_block(Grouped, cases, formula, slips, "Grouped")
    return alike(len(cases))
