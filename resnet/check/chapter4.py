"""Checks of chapter 4: bottlenecks, the networks made of them, and what they cost."""

import copy
import math
import weakref
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from functools import cache, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from resnet import nets
from resnet.check.answers import (
    as_number,
    bn_slips,
    judge_numbers,
    judge_parts,
    part_table,
    slip,
)
from resnet.check.comparing import (
    Cases,
    Reused,
    Undrawn,
    alike,
    bottleneck_cases,
    close,
    compare_networks,
    difference,
    drawn,
    judge_block,
    layers_of,
    run,
    with_change,
    without,
)
from resnet.check.feedback import exercise
from resnet.check.formulas import Conv, Kind, originals
from resnet.check.running import Wrong, call, function, kind, not_the_books, own_copy, usable
from resnet.data import load_data
from resnet.measure import refresh_statistics
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
    for name, channels, size in (("stage2", 256, 56), ("stage3", 512, 28), ("stage4", 1024, 14)):
        whole = channels * (channels // 2) * size**2
        slips[name] = {
            whole: _("this is what it costs in v1.5; the question is how much more."),
            3 * whole: _("a 1x1 convolution costs in proportion to the pixels that come out."),
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


@exercise
def recalibrate(recalibrate: object, net: object, worth: object) -> str:
    """Check `recalibrate(net, batches)`, and by how many points it raises the accuracy of `net`."""
    ask = function(recalibrate, "recalibrate")
    _averages(ask)
    mine = own_copy(net, "net").eval()
    data = load_data("fashion-mnist", sample=True)
    train, test = (
        F.interpolate(i / 255, size=8, mode="area") for i in (data.train_images, data.test_images)
    )
    again = copy.deepcopy(mine)
    refresh_statistics(again, train.split(100))
    before, after = (
        100 * (run(each, test, "net").argmax(1) == data.test_labels).float().mean().item()
        for each in (mine, again)
    )
    if worth is ...:
        raise Wrong("Nothing is written here yet: worth.")
    given = as_number(worth, "worth")
    if abs(after - before) <= 0.3:
        raise Wrong("net has up-to-date averages already: hand it over as the starter made it.")
    if abs(given - (after - before)) <= 0.3:
        return _("the averages, and {after:.1f} points", after=after - before)
    slips = (
        (before - after, _("Is it a gain or a loss?")),
        ((after - before) / 100, _("Points are hundredths.")),
        (after, _("This is the accuracy afterwards. What was it before?")),
    )
    how = _("With the batches of the starter, how many test images are right, before and after?")
    raise Wrong(
        "worth: {given:g} is not right. {slip}",
        given=given,
        slip=slip(slips, given, how, absolute=0.3),
    )


def _averages(ask: Callable[..., Any]) -> None:
    """Raise Wrong unless the running averages of a small network become those of the batches."""
    net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Conv2d(3, 2, 1),
                        nn.BatchNorm2d(2))  # fmt: skip
    batches = [i + torch.randn(4 + 2 * i, 1, 6, 5) for i in range(4)]
    right = copy.deepcopy(net)
    refresh_statistics(right, batches)
    net(9 + torch.randn(8, 1, 6, 5))  # averages of something else
    before = [p.detach().clone() for p in net.parameters()]
    call(ask, net, list(batches), shown="recalibrate(net, batches)")
    if any(not torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True)):
        raise Wrong("recalibrate(net, batches) changes a parameter.")
    for i in (1, 4):
        for name in ("running_mean", "running_var"):
            found, wanted = getattr(net[i], name), getattr(right[i], name)
            if not close(found, wanted):
                told = f"recalibrate(net, batches): {name} of BN {i} is not the mean over batches."
                raise Wrong(
                    told, _("Do the old averages count, and does the last batch count more?")
                )
        if net[i].momentum != 0.1:
            raise Wrong(
                "recalibrate(net, batches) leaves a momentum of {net} behind.", net=net[i].momentum
            )
    if net.training or any(part.training for part in net.modules()):
        raise Wrong("recalibrate(net, batches) leaves the network in training mode.")


PASSED = 0.8  # of the test digits


@exercise
def fine_tune(prepare: object, net: object, tuned: object) -> str:
    """Check `prepare(net)`, what is frozen and what the optimiser gets, and the tuned network."""
    ask = function(prepare, "prepare")
    _prepared(ask)
    before, after = own_copy(net, "net"), own_copy(tuned, "tuned").eval()
    data = load_data("digits")
    out = run(after, data.test_images / 255, "tuned")
    if out.shape != (len(data.test_labels), 10):
        raise Wrong(
            "tuned gives scores of shape {out}; expected ten per image.", out=tuple(out.shape)
        )
    old, new = before.state_dict(), after.state_dict()
    for name in old:
        if name.startswith(("stem.", "stage1.", "stage2.")) and not (
            name in new and torch.equal(old[name], new[name])
        ):
            raise Wrong(
                "tuned is not net with a new end: {name} differs, which was to be frozen.",
                _("In which mode was it trained?")
                if _("running") in name or _("num_") in name
                else _("Was it made from a copy of net?"),
                name=name,
            )
    for name in ("running_mean", "running_var"):
        if any(not torch.equal(old[n], new[n]) for n in old if n.endswith(name)):
            raise Wrong("In tuned, the running averages of stage3 have moved. In which mode was it "
                        "trained?")  # fmt: skip
    accuracy = (out.argmax(1) == data.test_labels).float().mean().item()
    if accuracy <= PASSED:
        raise Wrong(
            "tuned finds {accuracy:.1%} of the test digits; more than {PASSED:.0%} are "
            "asked for. Train longer, or with another rate.",
            accuracy=accuracy,
            PASSED=PASSED,
        )
    return _("what is frozen and trained; {accuracy:.1%} of the test digits", accuracy=accuracy)


def _prepared(ask: Callable[..., Any]) -> None:
    shown = "prepare(net)"
    net = nets.cifar_resnet(8, 10, 1)
    old = {id(p) for p in net.parameters()}
    given = call(ask, net, shown=shown)
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise Wrong(
            "{shown} is {given}; expected net and an optimiser.", shown=shown, given=kind(given)
        )
    made, optimizer = given
    if not isinstance(made, nn.Module) or not isinstance(optimizer, torch.optim.Optimizer):
        raise Wrong(
            "{shown} returns {made} and {optimizer}; expected net, optimiser.",
            shown=shown,
            made=kind(made),
            optimizer=kind(optimizer),
        )
    names = {id(p): name for name, p in made.named_parameters()}
    fc = getattr(made, "fc", None)
    if not isinstance(fc, nn.Linear) or fc.out_features != 10:
        raise Wrong("{shown}: net.fc is no linear layer to 10 classes.", shown=shown)
    if any(id(p) in old for p in fc.parameters()):
        raise Wrong("{shown}: net.fc is the old layer.", shown=shown)
    for name, parameter in made.named_parameters():
        trained = name.startswith(("fc.", "stage3."))
        if parameter.requires_grad != trained:
            raise Wrong(
                "{shown}: {name} is {frozen}.",
                shown=shown,
                name=name,
                frozen="frozen" if trained else "not frozen",
            )
    rates: dict[str, float] = {}
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if id(parameter) not in names:
                raise Wrong(
                    "{shown}: the optimiser has a parameter that is not in net.", shown=shown
                )
            rates[names[id(parameter)]] = float(group["lr"])
    for name, parameter in made.named_parameters():
        if parameter.requires_grad != (name in rates):
            has = "has" if name in rates else "lacks"
            raise Wrong("{shown}: the optimiser {has} {name}.", shown=shown, has=has, name=name)
    ends, body = ({r for n, r in rates.items() if n.startswith(p)} for p in ("fc.", "stage3."))
    if len(ends) != 1 or len(body) != 1 or not math.isclose(ends.pop(), 10 * body.pop()):
        raise Wrong("{shown}: the rate of stage3 is not a tenth of that of fc.", shown=shown)
    if any(part.training for part in made.modules()):
        raise Wrong("{shown}: the network, or a part of it, is in training mode.", shown=shown)
