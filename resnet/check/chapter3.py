"""Checks of chapter 3: whole networks, what they count, and how many runs it takes."""

import copy
import math
from collections import Counter
from functools import cache

import torch
from torch import nn

from resnet import nets
from resnet.blocks import BasicBlock, conv
from resnet.check.answers import as_number, bn_slips, judge_parts, judge_shapes, part_table, slip
from resnet.check.comparing import Make, Reused, compare_networks, layers_of, with_change, without
from resnet.check.feedback import exercise
from resnet.check.formulas import Kind
from resnet.check.running import Wrong, built, call, function, not_the_books, own_copy
from resnet.measure import count_parameters, multiply_adds


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
    slips = [
        (with_change(nets.resnet34, without("stem.maxpool")),
         "the max pooling of the stem is missing."),
        (with_change(nets.resnet34, without("stem.relu")), "the stem has no ReLU."),
        (with_change(nets.resnet34, without("stem.bn")), "the stem has no batch normalisation."),
        (with_change(nets.resnet34, _stride_in_first_stage),
         "the first stage has a stride; the stem has just shrunk the image."),
        (lambda: nets.imagenet_resnet(34, shortcut="A"), "the projections are missing."),
    ]  # fmt: skip
    try:
        compare_networks(mine, (2, 3, 33, 40), nets.resnet34, slips, "net")
    except Reused:
        raise
    except Wrong:
        if layers_of(mine) == _layers_of_18():
            told = "This has the layers of ResNet-18. How many blocks has each stage?"
            raise Wrong(told) from None
        raise
    return "scores, gradients and layers agree with ResNet-34"


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
    judge_shapes(answers, parts, slips)
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
            **bn_slips(0, (2 * blocks + has_projection) * channels),
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
        message = slip(off.items(), given - expected, "Write down convolutions and batch "
                       "normalisations one by one, the shortcut's too.")  # fmt: skip
        size = "small" if given < expected else "large"
        raise Wrong(f"{shown} is {given:,}, too {size}: {message}")
    return "the stages of ResNet-18, and others"


@exercise
def count_20(answers: object) -> str:
    """Check the parameters of the CIFAR network with 20 layers, option A."""
    table = part_table(20, 32, 3, 10)
    stage = 6 * 9 * 16 * 16
    slips: dict[str, dict[object, str]] = {
        "stem": {
            **bn_slips(27 * 16 + 32, 16),
            27 * 16: "a batch normalisation follows the convolution.",
            9 * 16 + 32: "the images have three channels.",
        },
        "stage1": {
            **bn_slips(stage + 6 * 2 * 16, 6 * 16),
            stage: "six batch normalisations are missing.",
        },
        "fc": {640: "the linear layer has biases."},
    }
    for i, (channels, before) in ((2, (32, 16)), (3, (64, 32))):
        full = 6 * (9 * channels**2 + 2 * channels)
        right = full - 9 * channels * (channels - before)
        slips[f"stage{i}"] = {
            **bn_slips(right, 6 * channels),
            full: "the first convolution of the stage has fewer channels coming in.",
            right + before * channels + 2 * channels: "option A has no projection.",
            right + before * channels: "option A has no projection.",
        }
    judge_parts(answers, table, slips, 16 + 6 * (16 + 32 + 64))
    return f"every part and the total of {table.parameters:,}"


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
            raise Wrong(f"The network that comes back has new parts: {', '.join(new)}. It runs its "
                        f"parts in order, and these behind {parts[-1]}. What is the stem called "
                        "in the text?")  # fmt: skip
    last = untouched.get_parameter("fc.weight")
    if not any(w.shape == last.shape and torch.equal(w, last) for w in answer.parameters()):
        raise Wrong("What comes back is another network: the weights of the one that was handed "
                    "over are lost.")  # fmt: skip
    as_before = layers_of(answer) == layers_of(untouched)
    size = (1, 1, 28, 28)
    if as_before and multiply_adds(answer, size) == multiply_adds(untouched, size):
        raise Wrong("The network that comes back has its stem as it was.")
    compare_networks(
        answer,
        (3, 1, 28, 20),
        stem(),
        [
            (stem(pool=True), "the max pooling is still there; Sec. 4.2 has none."),
            (stem(stride=2), "the convolution still has stride 2."),
            (stem(stride=2, pool=True), "the stem still shrinks the image, twice."),
            (stem(relu=False), "the new stem has no ReLU."),
            (with_change(stem(), without("stem.1")), "the new stem has no batch normalisation."),
            (with_change(stem(relu=False), without("stem.1")),
             "batch normalisation and ReLU of the stem are missing."),
        ],
        "with_small_stem(net)",
        biased=True,
    )  # fmt: skip
    ratio = multiply_adds(answer, size) / multiply_adds(untouched, size)
    return f"the network is right; a small image costs it {ratio:.1f} times as many multiply-adds"


SOLVE = "The error of a mean falls with the root of n; solve for n."


@exercise
def seeds(runs_needed: object) -> str:
    """Check `runs_needed(difference, deviation)`: runs of each recipe to tell two apart."""
    ask = function(runs_needed, "runs_needed")
    for difference, deviation in (
        (0.5, 0.5), (0.5, 0.3), (0.5, 0.4), (0.1, 0.5), (5.0, 0.2), (0.7, 1.3),
    ):  # fmt: skip
        shown = f"runs_needed({difference}, {deviation})"
        given = as_number(call(ask, difference, deviation, shown=shown), shown)
        exact = 8 * (deviation / difference) ** 2
        # where n is exact, another order of the same sums may end just above it
        if given in {max(2, math.ceil(exact * (1 + off))) for off in (-1e-9, 1e-9)}:
            continue
        slips = (
            (math.ceil(exact), "A deviation cannot be taken from one run: at least 2."),
            (exact, "A number of runs is whole, and at least 2."),
            (math.floor(exact), "Round so that the difference is large enough."),
            (round(exact), "Round so that the difference is large enough."),
            (exact / 2, "The difference of two means has the errors of both."),
            (math.ceil(exact / 2), "The difference of two means has the errors of both."),
            (math.ceil(exact / 4), "Two errors are asked for, not one."),
            (math.ceil(math.sqrt(exact)), SOLVE),
            (math.ceil(8 * deviation / difference), SOLVE),
        )
        how = f"With n runs of each, how large is the error of the difference for n = {given:g}?"
        message = slip(slips, given, how, relative=1e-9)
        raise Wrong(f"{shown} is {given:g}, which is not right. {message}")
    return "six pairs of difference and deviation"
