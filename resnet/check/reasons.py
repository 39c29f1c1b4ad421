"""Checks of chapter 2's questions: what adds to what, and why."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from resnet.blocks import ZeroPad
from resnet.check.answers import as_number, check_choices, check_shapes
from resnet.check.comparing import drawn
from resnet.check.running import Wrong, call, function, kind
from resnet.check.verdict import exercise

SHORT = "A convolution of 3x3 with one pixel of padding: (H + 2 - 3) // stride + 1."


@exercise
def block_shapes(answers: object) -> str:
    """Check the shapes that five blocks make of (2, 16, 15, 15)."""
    broadcast = "Without a projection the shortcut keeps its shape, the branch does not."
    check_shapes(
        answers,
        {
            "Residual(16, 16)": (2, 16, 15, 15),
            "Residual(16, 16, stride=2)": "error",
            "Residual(16, 32, project=True)": (2, 32, 15, 15),
            "Residual(16, 32, stride=2, project=True)": (2, 32, 8, 8),
            "Residual(16, 16, stride=3, project=True)": (2, 16, 5, 5),
        },
        {
            "Residual(16, 16, stride=2)": {(2, 16, 8, 8): broadcast, (2, 16, 7, 7): broadcast},
            "Residual(16, 32, stride=2, project=True)": {
                (2, 32, 7, 7): f"the half of 15 is rounded, but which way? {SHORT}"
            },
        },
    )
    return "all five"


@exercise
def prove_identity(answers: object, counterexample: object) -> str:
    """Check the gaps of the proof, and an input for which its claim is false."""
    check_choices(
        answers,
        {"gap 1": "b", "gap 2": "a", "gap 3": "b"},
        {
            "gap 1": {
                "a": "The proof has not touched the convolutions; they may have any weights.",
                "c": "A mean of zero over the batch does not make every value zero.",
            },
            "gap 2": {
                "b": "A ReLU removes what is negative; the mean of what is left is not zero.",
                "c": "A ReLU has no upper bound.",
            },
            "gap 3": {
                "a": "ReLU(-1) is not -ReLU(1).",
                "c": "From ReLU(x) alone, x cannot be found: all negative numbers give 0.",
            },
        },
    )
    if counterexample is ...:
        raise Wrong("The gaps are right. Nothing is written yet for counterexample.")
    number = as_number(counterexample, "counterexample")
    if max(number, 0) == number:
        raise Wrong(
            f"counterexample: for {number:g} the block gives {max(number, 0):g}, which is what "
            "came in. Which step of the proof needs the ReLU before the block?"
        )
    return f"the three gaps; and for {number:g} the block gives 0"


@exercise
def stride_match(outcome: object) -> str:
    """Check `outcome(height, width)`: what a block does whose shortcut lacks the stride."""
    ask = function(outcome, "outcome")
    words = ("right", "wrong", "error")
    for height in range(1, 9):
        for width in range(1, 9):
            shown = f"outcome({height}, {width})"
            said = call(ask, height, width, shown=shown)
            if said not in words:
                raise Wrong(f'{shown} is {said!r}; expected "right", "wrong" or "error".')
            if said != (expected := _meeting(height, width)):
                branch = tuple(math.ceil(side / 2) for side in (height, width))
                raise Wrong(
                    f'{shown} is "{said}". The branch gives {branch[0]} x {branch[1]} pixels, the '
                    f"shortcut {height} x {width}. "
                    + {
                        "right": "Are these shapes different?",
                        "wrong": "PyTorch can add these. How many pixels has the sum, and how many "
                        "should it have?",
                        "error": "PyTorch stretches axes of length 1, and no others.",
                    }[expected]
                )
    return "all sizes up to 8 x 8 pixels"


def _meeting(height: int, width: int) -> str:
    """Add two tensors of the shapes that meet, and see."""
    right = (math.ceil(height / 2), math.ceil(width / 2))
    try:
        total = torch.zeros(right) + torch.zeros(height, width)
    except RuntimeError:
        return "error"
    return "right" if tuple(total.shape) == right else "wrong"


@exercise
def padding_projection(weights: object) -> str:
    """Check `weights(in_channels, channels)`: a 1x1 convolution that is option A."""
    make = function(weights, "weights")
    for inputs, channels in ((2, 4), (3, 7), (5, 5), (64, 128), drawn((2, 9), (10, 20))):
        what = f"weights({inputs}, {channels})"
        weight = call(make, inputs, channels, shown=what)
        if not isinstance(weight, Tensor):
            raise Wrong(f"{what} returns {kind(weight)}; expected a tensor.")
        if inputs != channels and weight.shape == (inputs, channels, 1, 1):
            raise Wrong(
                f"{what} has shape {tuple(weight.shape)}: the channels that come out are first."
            )
        if weight.shape != (channels, inputs, 1, 1):
            raise Wrong(
                f"{what} has shape {tuple(weight.shape)}; expected {(channels, inputs, 1, 1)}."
            )
        if not weight.is_floating_point():
            raise Wrong(f"{what} has whole numbers ({weight.dtype}), and conv2d does not multiply "
                        "an image by them. Of which type is x?")  # fmt: skip
        x = torch.randn(2, inputs, 5, 6, generator=torch.Generator().manual_seed(2))
        given = F.conv2d(x, weight.detach().float(), stride=2)
        expected = ZeroPad(inputs, channels, 2)(x)
        if torch.allclose(given, expected, atol=1e-5):
            continue
        for first in range(1, channels - inputs + 1):
            if torch.allclose(given, expected.roll(first, 1), atol=1e-5):
                raise Wrong(f"{what}: the input's channels begin at channel {first}. On which side "
                            "does the text put the zeros?")  # fmt: skip
        if not torch.allclose(given[:, inputs:], expected[:, inputs:], atol=1e-5):
            raise Wrong(f"{what}: the new channels are not zero.")
        raise Wrong(
            f"{what}: the first {inputs} channels are not handed on as they are, each to the "
            "channel of its own number."
        )
    return "the same outputs as option A, for five pairs of widths"


@exercise
def preact_identity(answers: object) -> str:
    """Check for which inputs each of the five placements is the identity at zero weights."""
    zero_scale = "A BN whose scale and shift are zero stands on the way of the signal itself."
    nothing_after = "What comes after the addition, and what does it do to negative numbers?"
    added = "With zero weights the branch adds 0. Is there anything after the addition?"
    check_choices(
        answers,
        {
            "original": "b",
            "BN after addition": "c",
            "ReLU before addition": "a",
            "ReLU-only pre-activation": "a",
            "full pre-activation": "a",
        },
        {
            "original": {"a": nothing_after, "c": "Try a positive number."},
            "BN after addition": {"a": zero_scale, "b": zero_scale},
            "ReLU before addition": {"b": added, "c": added},
            "ReLU-only pre-activation": {"b": added, "c": added},
            "full pre-activation": {"b": added, "c": added},
        },
    )
    return "all five placements"
