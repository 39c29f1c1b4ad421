"""Checks of chapter 3: whole networks, what they count, and how many runs it takes."""

import copy
import math
from collections import Counter
from functools import cache, partial

import torch
from torch import nn

from resnet import nets
from resnet.blocks import BasicBlock, conv
from resnet.check.answers import as_number, bn_slips, judge_shapes, part_table, slip
from resnet.check.comparing import Make, Reused, compare_networks, layers_of, with_change, without
from resnet.check.feedback import exercise
from resnet.check.formulas import Kind
from resnet.check.running import Wrong, built, call, function, not_the_books, own_copy
from resnet.measure import count_parameters, multiply_adds
from resnet.translation import _


def _stride_in_first_stage(net: nn.Module) -> None:
    block = net.get_submodule("stage1.0")
    block.set_submodule("branch.conv1", conv(64, 64, 3, 2))
    block.set_submodule("shortcut", nn.Sequential(conv(64, 64, 1, 2), nn.BatchNorm2d(64)))


@cache
def _layers_of_18() -> Counter[Kind]:
    with torch.device("meta"):
        return layers_of(nets.resnet18())


@exercise
def resnet34(net: object) -> str:
    """Check a network with 34 layers for 3 channels and 1,000 classes."""
    mine = not_the_books(own_copy(net, "net"), nor_a_librarys=True)
    changes = {
        without("stem.maxpool"): _("the max pooling of the stem is missing."),
        without("stem.relu"): _("the stem has no ReLU."),
        without("stem.bn"): _("the stem has no batch normalisation."),
        _stride_in_first_stage: _(
            "the first stage has a stride; the stem has just shrunk the image."
        ),
    }
    slips = [(with_change(nets.resnet34, change), says) for change, says in changes.items()]
    padded = partial(nets.imagenet_resnet, 34, shortcut="A")
    slips.append((padded, _("the projections are missing.")))
    try:
        compare_networks(mine, (2, 3, 33, 40), nets.resnet34, slips, "net")
    except Reused:
        raise
    except Wrong:
        if layers_of(mine) == _layers_of_18():
            raise Wrong(
                "This has the layers of ResNet-18. How many blocks has each stage?"
            ) from None
        raise
    return _("scores, gradients and layers agree with ResNet-34")


@exercise
def shapes_97(answers: object) -> str:
    """Check the shapes that ResNet-18 makes of an image of 97x97 pixels."""
    parts = {
        row.name: row.output_shape for row in part_table(18, 97, 1, 10) if row.name != "flatten"
    }
    floor = _("one pixel less than there are. Did you use the padding, and the + 1?")
    sides = {"stem": 24, "stage1": 24, "stage2": 12, "stage3": 6, "stage4": 3}
    slips: dict[str, dict[object, str]] = {
        name: {(1, parts[name][1], side, side): floor} for name, side in sides.items()
    }
    slips["stem"][1, 64, 49, 49] = _("the max pooling belongs to the stem, too.")
    slips["stage1"][1, 64, 13, 13] = _("the first stage has no stride.")
    flat = _("the pooling alone keeps two axes of length 1; the flattening is what removes them.")
    slips["pool"] = {(1, 512): flat}
    judge_shapes(answers, parts, slips)
    return _("all {n} shapes", n=len(parts))


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
        with_bn = projection + has_projection * bn
        off = {
            **bn_slips(0, (2 * blocks + has_projection) * channels),
            -with_bn: _("the projection is missing."),
            -projection: _("the projection's convolution is missing."),
            -has_projection * bn: _("the projection has a batch normalisation, too."),
            2 * blocks * channels: _("the convolutions have no biases."),
            (2 * blocks + has_projection) * channels: _("the convolutions have no biases."),
            9 * channels * (channels - inputs): _("the first convolution has other channels in."),
            channels * channels + bn: _("no projection where the number of channels stays."),
            blocks * (channels * channels + bn) - with_bn: _("only the first block can need one."),
        }
        otherwise = _("Write down all layers one by one, the shortcut's too.")
        size = _("too small") if given < expected else _("too large")
        raise Wrong(
            "{shown} is {given:,}, {size}: {advice}",
            shown=shown,
            given=given,
            size=size,
            advice=slip(off.items(), given - expected, otherwise),
        )
    return _("the stages of ResNet-18, and others")


@exercise
def small_stem(with_small_stem: object) -> str:
    """Check a function that gives ResNet-18 the stem of Sec. 4.2: one 3x3 convolution."""
    change = function(with_small_stem, "with_small_stem")

    def stem(*, stride: int = 1, pool: bool = False, relu: bool = True) -> Make:
        def make() -> nn.Module:
            net = nets.resnet18(10, 1)
            net.stem = nn.Sequential(conv(1, 64, 3, stride), nn.BatchNorm2d(64))
            if relu:
                net.stem.append(nn.ReLU())
            if pool:
                net.stem.append(nn.MaxPool2d(3, 2, 1))
            return net

        return make

    def made() -> nn.Module:
        return nets.resnet18(10, 1)

    untouched = made()
    given = copy.deepcopy(untouched)
    answer = built(change, [given], "with_small_stem(net)")
    if isinstance(answer, nets.ResNet):
        parts = [name for name, _ in untouched.named_children()]
        if new := [name for name, _ in answer.named_children() if name not in parts]:
            raise Wrong(
                "The network that comes back has new parts: {new}. It runs its parts in order, and "
                "these behind {last}. What is the stem called in the text?",
                new=", ".join(new),
                last=parts[-1],
            )
    last = untouched.get_parameter("fc.weight")
    if not any(w.shape == last.shape and torch.equal(w, last) for w in answer.parameters()):
        raise Wrong(
            "What comes back is another network: the weights of the one passed in are lost."
        )
    as_before = layers_of(answer) == layers_of(untouched)
    size = (1, 1, 28, 28)
    if as_before and multiply_adds(answer, size) == multiply_adds(untouched, size):
        raise Wrong("The network that comes back has its stem as it was.")
    no_bn = without("stem.1")
    compare_networks(
        answer,
        (3, 1, 28, 20),
        stem(),
        [
            (stem(pool=True), _("the max pooling is still there; Sec. 4.2 has none.")),
            (stem(stride=2), _("the convolution still has stride 2.")),
            (stem(stride=2, pool=True), _("the stem still shrinks the image, twice.")),
            (stem(relu=False), _("the new stem has no ReLU.")),
            (with_change(stem(), no_bn), _("the new stem has no batch normalisation.")),
            (with_change(stem(relu=False), no_bn), _("the new stem has no BN and no ReLU.")),
        ],
        "with_small_stem(net)",
        biased=True,
    )
    ratio = multiply_adds(answer, size) / multiply_adds(untouched, size)
    return _(
        "the network is right; a small image costs it {ratio:.1f} times as many multiply-adds",
        ratio=ratio,
    )


@exercise
def seeds(runs_needed: object) -> str:
    """Check `runs_needed(difference, deviation)`: runs of each recipe to tell two apart."""
    ask = function(runs_needed, "runs_needed")
    rounding = _("Round so that the difference is large enough.")
    both = _("The difference of two means has the errors of both.")
    solve = _("The error of a mean falls with the root of n; solve for n.")
    cases = ((0.5, 0.5), (0.5, 0.3), (0.5, 0.4), (0.1, 0.5), (5.0, 0.2), (0.7, 1.3))
    for difference, deviation in cases:
        shown = f"runs_needed({difference}, {deviation})"
        given = as_number(call(ask, difference, deviation, shown=shown), shown)
        exact = 8 * (deviation / difference) ** 2
        # where n is exact, another order of the same sums may end just above it
        if given in {max(2, math.ceil(exact * (1 + off))) for off in (-1e-9, 1e-9)}:
            continue
        slips = (
            (math.ceil(exact), _("A deviation cannot be taken from one run: at least 2.")),
            (exact, _("A number of runs is whole, and at least 2.")),
            (math.floor(exact), rounding),
            (round(exact), rounding),
            (exact / 2, both),
            (math.ceil(exact / 2), both),
            (math.ceil(exact / 4), _("Two errors are asked for, not one.")),
            (math.ceil(math.sqrt(exact)), solve),
            (math.ceil(8 * deviation / difference), solve),
        )
        how = _("How large is the error of the difference of two means of {n:g} runs?", n=given)
        raise Wrong(
            "{shown} is {given:g}, which is not right. {advice}",
            shown=shown,
            given=given,
            advice=slip(slips, given, how, relative=1e-9),
        )
    return _("six pairs of difference and deviation")
