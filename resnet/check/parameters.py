"""Checks of parameters counted on paper."""

from collections.abc import Mapping

from resnet.blocks import BasicBlock
from resnet.check.answers import as_number, check_choices, check_numbers, slip
from resnet.check.costs import part_table
from resnet.check.running import Wrong, call, function
from resnet.check.verdict import exercise
from resnet.measure import LayerTable, count_parameters

TWO = "a batch normalisation has two numbers a channel."
FOUR = ("a batch normalisation keeps four numbers a channel, but only two of them are trained: "
        "those are its parameters.")  # fmt: skip


def bn_slips(right: int, channels: int) -> dict[object, str]:
    """Return what a count is if batch normalisation on so many channels is counted wrongly."""
    return {
        right - 2 * channels: "the batch normalisations are missing.",
        right - channels: TWO,
        right + 2 * channels: FOUR,
    }


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
        told = slip(off.items(), given - expected, "Write down convolutions and batch "
                    "normalisations one by one, the shortcut's too.")  # fmt: skip
        raise Wrong(f"{shown} is {given:,}, too {'small' if given < expected else 'large'}: {told}")
    return "the stages of ResNet-18, and others"


def _parts(
    answers: object, table: LayerTable, slips: Mapping[str, Mapping[object, str]], normalised: int
) -> None:
    """Compare the parameters of a network's parts; BN is on `normalised` channels in all."""
    counts = {row.name: row.parameters for row in table if row.parameters}
    of_total = {"total": bn_slips(table.parameters, normalised)}
    check_numbers(answers, {**counts, "total": table.parameters}, {**slips, **of_total})


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
    _parts(answers, table, slips, 16 + 6 * (16 + 32 + 64))
    return f"every part and the total of {table.parameters:,}"


@exercise
def count_50(answers: object) -> str:
    """Check the parameters of ResNet-50 for 1,000 classes."""
    table = part_table(50, 224, 3, 1000)
    slips: dict[str, dict[object, str]] = {
        "stem": {
            **bn_slips(147 * 64 + 128, 64),
            147 * 64: "a batch normalisation follows the convolution.",
        },
        "fc": {2048 * 1000: "the linear layer has biases.", 513_000: "how many channels come out "
               "of the last stage?"},
    }  # fmt: skip
    widths, counts, before, normalised = (64, 128, 256, 512), (3, 4, 6, 3), 64, 64
    for i, (c, n) in enumerate(zip(widths, counts, strict=True), start=1):
        bns = n * 6 * c + 4 * c  # channels
        normalised += bns
        projection = before * 4 * c
        right = next(row.parameters for row in table if row.name == f"stage{i}")
        slips[f"stage{i}"] = {
            **bn_slips(right, bns),
            right - projection - 8 * c: "the projection is missing." if i > 1 else
            "64 channels come in and 256 go out: there is a projection, though no stride.",
            right - projection: "the projection's convolution is missing.",
            right - 8 * c: "the projection has a batch normalisation, too.",
            n * (17 * c * c + 12 * c): "the first block of a stage differs from the others.",
            right + (4 * c - before) * c: "the first 1x1 convolution of the stage has another "
            "number of channels coming in.",
        }  # fmt: skip
        before = 4 * c
    _parts(answers, table, slips, normalised)
    return f"every part and the total of {table.parameters:,}"


@exercise
def preact_forgotten(numbers: object, answers: object) -> str:
    """Check what a pre-activation network's parameters say of three mistakes."""
    check_numbers(
        numbers,
        {"a": -2 * 64, "b": 2 * (64 + 128 + 256), "c": 0},
        {
            "a": {
                128: "more, or fewer?",
                -64: TWO,
                -256: FOUR,
                -512: "this network has basic blocks: how many channels come out of the last?",
            },
            "b": {
                -896: "more, or fewer?",
                448: TWO,
                2 * 896: FOUR,
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
