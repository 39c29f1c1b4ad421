"""Checks of chapter 2: the residual block."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resnet.blocks import BasicBlock, ZeroPad
from resnet.check.answers import as_number, judge_choices, judge_numbers, judge_shapes, slip
from resnet.check.comparing import FINE, Cases, drawn, judge_block
from resnet.check.feedback import exercise
from resnet.check.formulas import Conv, originals
from resnet.check.running import Wrong, call, function, kind
from resnet.nets import cifar_resnet

SHORT = "A convolution of 3x3 with one pixel of padding: (H + 2 - 3) // stride + 1."


@exercise
def block_shapes(answers: object) -> str:
    """Check the shapes that five blocks make of (2, 16, 15, 15)."""
    broadcast = "Without a projection the shortcut keeps its shape, the branch does not."
    judge_shapes(
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
def residual(Residual: object) -> str:
    """Check the residual block of 2016a, Fig. 2: `Residual(in_channels, channels, stride=1)`."""

    def branch(_: int, channels: int, stride: int = 1) -> list[Conv]:
        return [Conv(channels, 3, stride), Conv(channels, 3)]

    def second(_: int, channels: int, stride: int = 1) -> list[Conv]:
        return [Conv(channels, 3), Conv(channels, 3, stride)]

    width, wide, height = drawn((3, 6), (7, 12), (6, 12))
    cases: Cases = [
        ((8, 8), (3, 8, 9, 6)),
        ((6, 10, 2), (3, 6, 9, 12)),
        ((5, 9, 1), (2, 5, 7, 8)),
        ((6, 6, 2), (3, 6, 8, 7)),
        ((4, 6, 3), (2, 4, 11, 10)),
        ((width, wide, 2), (2, width, height, 9)),
    ]
    formula, slips = originals(
        branch, also=[(second, "the stride is on the second convolution, not on the first.")]
    )
    judge_block(Residual, cases, formula, slips, "Residual")
    return FINE.format(len(cases))


@exercise
def prove_identity(answers: object, counterexample: object) -> str:
    """Check the gaps of the proof, and an input for which its claim is false."""
    judge_choices(
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


class _Half(nn.Sequential):
    def forward(self, x: Tensor) -> Tensor:
        half: Tensor = 0.5 * super().forward(x)
        return half


def norms(net: nn.Module, images: Tensor, labels: Tensor) -> list[float]:
    """Return the norm of the loss's gradient at the input of every block, first to last."""
    inputs: list[Tensor] = []
    hooks = [
        block.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
        for block in net.modules()
        if isinstance(block, BasicBlock)
    ]
    loss = F.cross_entropy(net(images), labels)
    for hook in hooks:
        hook.remove()
    return [gradient.norm().item() for gradient in torch.autograd.grad(loss, inputs)]


LARGEST = "That is where the gradient is largest; it grows on its way back, broken or not."
DIFFER_MOST = (
    "There the two networks differ most; but this is what a fault does to the blocks around it. "
    "Which of them changes what passes it?"
)


@exercise
def broken_block(find: object) -> str:
    """Check `find(healthy, broken)`: the index of the block that was altered."""
    ask = function(find, "find")
    random = torch.Generator().manual_seed(5)
    images, labels = torch.rand(16, 1, 12, 12, generator=random), torch.arange(16) % 10
    torch.manual_seed(0)
    net = cifar_resnet(44, 10, 1)
    healthy = norms(net, images, labels)
    blocks = [block for block in net.modules() if isinstance(block, BasicBlock)]
    tried = 0
    for place in dict.fromkeys((3, 7, 10, 18, *drawn((4, 9), (11, 17)))):
        for what in ("left out", "halved"):
            whole = blocks[place].shortcut
            if not isinstance(whole, nn.Module):  # for the type checker: option A has one
                continue
            blocks[place].shortcut = None if what == "left out" else _Half(whole)
            broken = norms(net, images, labels)
            blocks[place].shortcut = whole
            said = call(ask, list(healthy), list(broken), shown="find(healthy, broken)")
            index = as_number(said, "find(healthy, broken)")
            tried += 1
            if index == place:
                continue
            moved = [abs(math.log(b / h)) for b, h in zip(broken, healthy, strict=True)]
            grown = [abs(b - h) for b, h in zip(broken, healthy, strict=True)]
            slips = (
                (place + 1, "One too far: entry i is the gradient at the input of block i."),
                (_largest(broken), LARGEST),
                (_largest(grown), DIFFER_MOST),
                (_largest(moved), DIFFER_MOST),
            )
            message = slip(slips, index, "What does one block do to the gradient that passes it?")
            raise Wrong(
                f"With the shortcut of one of {len(blocks)} blocks {what}, block {index} was "
                f"found; it was another. {message}"
            )
    return f"{tried} broken networks"


def _largest(numbers: list[float]) -> int:
    return max(range(len(numbers)), key=numbers.__getitem__)


INCEPTION = {"pool": (192, ((32, 1),)), "1x1": (192, ((64, 1),)),
             "3x3": (192, ((96, 1), (128, 3))), "5x5": (192, ((16, 1), (32, 5)))}  # fmt: skip


def _weights(channels: int, convolutions: tuple[tuple[int, int], ...]) -> int:
    total = 0
    for out, kernel in convolutions:
        total += channels * out * kernel**2
        channels = out
    return total


@exercise
def inception(numbers: object, answers: object) -> str:
    """Check the comparison of GoogLeNet's first Inception block with a residual block."""
    paths = {name: _weights(*path) for name, path in INCEPTION.items()}
    outputs = sum(path[-1][0] for _, path in INCEPTION.values())
    shortcut = _weights(192, ((outputs, 1),))
    residual = _weights(192, ((outputs, 3), (outputs, 3))) + shortcut
    dense = 192 + 6 * 32
    judge_numbers(
        numbers,
        {
            "channels out of Inception": outputs,
            "weights of Inception": sum(paths.values()),
            "weights of the residual block": residual,
            "channels after 6 concatenating blocks": dense,
        },
        {
            "channels out of Inception": {
                128: "the paths are not added; their channels stand side by side."
            },
            "weights of Inception": {
                sum(paths.values()) - paths["pool"]: "the path with the pooling has weights too.",
                _weights(192, ((64, 1), (128, 3), (32, 5), (32, 1))): "the paths do not follow "
                "one another; each starts from the 192 channels.",
                _weights(192, ((64, 1),))
                + _weights(192, ((128, 3),))
                + _weights(192, ((32, 5),))
                + paths["pool"]: "the large kernels do not see all 192 channels: what stands "
                "before them?",
            },
            "weights of the residual block": {
                residual - shortcut: "192 channels come in and 256 go out. What is on the "
                "shortcut?",
                2 * 9 * 192 * 256 + shortcut: "how many channels does the second convolution get?",
            },
            "channels after 6 concatenating blocks": {
                6 * 32: "the input is still among the channels: that is what concatenating means.",
                192 * 2**6: "each block adds 32 channels, however many come in.",
            },
        },
    )
    judge_choices(
        answers,
        {"same": "c", "lost": "a"},
        {
            "same": {
                "a": "Inception adds nothing; it puts channels side by side.",
                "b": "The branch of the residual block has none.",
            },
            "lost": {
                "b": "Gradients reach the input along the channels that are handed on.",
                "c": "Each of its channels is handed on; nothing is lost of the input itself.",
            },
        },
    )
    share = sum(paths.values()) / residual
    return f"four numbers, two choices; Inception has {share:.0%} of the residual block's weights"
