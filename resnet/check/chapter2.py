"""Checks of chapter 2: the residual block."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from resnet.blocks import BasicBlock, ZeroPad
from resnet.check.answers import as_number, judge_choices, judge_numbers, judge_shapes, plain, slip
from resnet.check.comparing import Cases, alike, close, drawn, judge_block, run
from resnet.check.feedback import exercise
from resnet.check.formulas import Conv, originals
from resnet.check.running import Wrong, built, call, function, kind
from resnet.nets import cifar_resnet
from resnet.probe import gradient_norms
from resnet.translation import _


@exercise
def block_shapes(answers: object) -> str:
    """Check the shapes that five blocks make of (2, 16, 15, 15)."""
    broadcast = _("Without a projection the shortcut keeps its shape, the branch does not.")
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
                (2, 32, 7, 7): _(
                    "the half of 15 is rounded, but which way? "
                    "A convolution of 3x3 with one pixel of padding: (H + 2 - 3) // stride + 1."
                )
            },
        },
    )
    return _("all five")


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
        branch, also=[(second, _("the stride is on the second convolution, not on the first."))]
    )
    judge_block(Residual, cases, formula, slips, "Residual")
    return alike(len(cases))


@exercise
def prove_identity(answers: object, counterexample: object) -> str:
    """Check the gaps of the proof, and an input for which its claim is false."""
    judge_choices(
        answers,
        {"gap 1": "b", "gap 2": "a", "gap 3": "b"},
        {
            "gap 1": {
                "a": _("The proof has not touched the convolutions; they may have any weights."),
                "c": _("A mean of zero over the batch does not make every value zero."),
            },
            "gap 2": {
                "b": _("A ReLU removes what is negative; the mean of what is left is not zero."),
                "c": _("A ReLU has no upper bound."),
            },
            "gap 3": {
                "a": _("ReLU(-1) is not -ReLU(1)."),
                "c": _("From ReLU(x) alone, x cannot be found: all negative numbers give 0."),
            },
        },
    )
    if counterexample is ...:
        raise Wrong("The gaps are right. Nothing is written yet for counterexample.")
    number = as_number(counterexample, "counterexample")
    if max(number, 0) == number:
        raise Wrong(
            "counterexample: for {number:g} the block gives {number:g}, which is what came in. "
            "Which step of the proof needs the ReLU before the block?",
            number=number,
        )
    return _("the three gaps; and for {number:g} the block gives 0", number=number)


@exercise
def stride_match(outcome: object) -> str:
    """Check `outcome(height, width)`: what a block does whose shortcut lacks the stride."""
    ask = function(outcome, "outcome")
    advice = {
        "right": _("Are these shapes different?"),
        "wrong": _("PyTorch can add these. Has the sum as many pixels as it should?"),
        "error": _("PyTorch stretches axes of length 1, and no others."),
    }
    for height, width in itertools.product(range(1, 9), range(1, 9)):
        shown = f"outcome({height}, {width})"
        said = plain(call(ask, height, width, shown=shown))
        if said not in advice:
            raise Wrong(
                '{shown} is {said!r}; expected "right", "wrong" or "error".',
                shown=shown,
                said=said,
            )
        if said != (expected := _meeting(height, width)):
            raise Wrong(
                '{shown} is "{said}". The branch gives {branch} pixels, the shortcut {shortcut}. '
                "{advice}",
                shown=shown,
                said=said,
                branch=f"{math.ceil(height / 2)} x {math.ceil(width / 2)}",
                shortcut=f"{height} x {width}",
                advice=advice[expected],
            )
    return _("all sizes up to 8 x 8 pixels")


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
            raise Wrong("{what} returns {kind}; expected a tensor.", what=what, kind=kind(weight))
        if inputs != channels and weight.shape == (inputs, channels, 1, 1):
            raise Wrong(
                "{what} has shape {shape}: the channels that come out are first.",
                what=what,
                shape=tuple(weight.shape),
            )
        if weight.shape != (channels, inputs, 1, 1):
            raise Wrong(
                "{what} has shape {shape}; expected {expected}.",
                what=what,
                shape=tuple(weight.shape),
                expected=(channels, inputs, 1, 1),
            )
        if not weight.is_floating_point():
            raise Wrong(
                "{what} has whole numbers ({dtype}); conv2d does not multiply an image by them. "
                "Of which type is x?",
                what=what,
                dtype=weight.dtype,
            )
        x = torch.randn(2, inputs, 5, 6, generator=torch.Generator().manual_seed(2))
        given = F.conv2d(x, weight.detach().float(), stride=2)
        expected = ZeroPad(inputs, channels, 2)(x)
        if torch.allclose(given, expected, atol=1e-5):
            continue
        for first in range(1, channels - inputs + 1):
            if torch.allclose(given, expected.roll(first, 1), atol=1e-5):
                raise Wrong(
                    "{what}: the input's channels begin at channel {first}. "
                    "On which side does the text put the zeros?",
                    what=what,
                    first=first,
                )
        if not torch.allclose(given[:, inputs:], expected[:, inputs:], atol=1e-5):
            raise Wrong("{what}: the new channels are not zero.", what=what)
        raise Wrong(
            "{what}: the first {inputs} channels do not come out as they are, each at its own "
            "place.",
            what=what,
            inputs=inputs,
        )
    return _("the same outputs as option A, for five pairs of widths")


class _Half(nn.Sequential):
    def forward(self, x: Tensor) -> Tensor:
        half: Tensor = 0.5 * super().forward(x)
        return half


LARGEST = _("That is where the gradient is largest; it grows on its way back, broken or not.")
DIFFER_MOST = _(
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
    healthy = gradient_norms(net, images, labels)
    blocks = [block for block in net.modules() if isinstance(block, BasicBlock)]
    tried = 0
    otherwise = _("What does one block do to the gradient that passes it?")
    too_far = _("One too far: entry i is the gradient at the input of block i.")
    more = _("The block that was found passes on more than before; the altered one passes on less.")
    for place in dict.fromkeys((3, 7, 10, 18, *drawn((4, 9), (11, 17)))):
        for fault in (_("left out"), _("halved")):
            whole = blocks[place].shortcut
            if not isinstance(whole, nn.Module):  # for the type checker: option A has one
                continue
            blocks[place].shortcut = None if fault == _("left out") else _Half(whole)
            broken = gradient_norms(net, images, labels)
            blocks[place].shortcut = whole
            said = call(ask, list(healthy), list(broken), shown="find(healthy, broken)")
            index = as_number(said, "find(healthy, broken)")
            tried += 1
            if index == place:
                continue
            moved = [abs(math.log(b / h)) for b, h in zip(broken, healthy, strict=True)]
            grown = [abs(b - h) for b, h in zip(broken, healthy, strict=True)]
            ratios = [math.log(b / h) for b, h in zip(broken, healthy, strict=True)]
            rises = [one - other for one, other in itertools.pairwise(ratios)]
            slips = (
                (
                    place + 1,
                    " ".join([too_far, more] if place + 1 == _largest(rises) else [too_far]),
                ),
                (_largest(broken), LARGEST),
                (_largest(rises), more),
                (_largest(grown), DIFFER_MOST),
                (_largest(moved), DIFFER_MOST),
            )
            raise Wrong(
                "With the shortcut of one of {n} blocks {fault}, block {index} was found; it was "
                "another. {advice}",
                n=len(blocks),
                fault=fault,
                index=index,
                advice=slip(slips, index, otherwise),
            )
    return _("{n} broken networks", n=tried)


def _largest(numbers: list[float]) -> int:
    return max(range(len(numbers)), key=numbers.__getitem__)


INCEPTION = {
    "pool": (192, ((32, 1),)),
    "1x1": (192, ((64, 1),)),
    "3x3": (192, ((96, 1), (128, 3))),
    "5x5": (192, ((16, 1), (32, 5))),
}


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
    in_all = sum(paths.values())
    outputs = sum(path[-1][0] for _, path in INCEPTION.values())
    shortcut = _weights(192, ((outputs, 1),))
    residual = _weights(192, ((outputs, 3), (outputs, 3))) + shortcut
    dense = 192 + 6 * 32
    unreduced = _weights(192, ((128, 3),)) + _weights(192, ((32, 5),))
    judge_numbers(
        numbers,
        {
            "channels out of Inception": outputs,
            "weights of Inception": in_all,
            "weights of the residual block": residual,
            "channels after 6 concatenating blocks": dense,
        },
        {
            "channels out of Inception": {
                128: _("the paths are not added; their channels stand side by side.")
            },
            "weights of Inception": {
                in_all - paths["pool"]: _("the path with the pooling has weights too."),
                _weights(192, ((64, 1), (128, 3), (32, 5), (32, 1))): _(
                    "the paths do not follow one another; each starts from the 192 channels."
                ),
                _weights(192, ((64, 1),)) + unreduced + paths["pool"]: _(
                    "the large kernels do not see all 192 channels: what stands before them?"
                ),
            },
            "weights of the residual block": {
                residual - shortcut: _(
                    "192 channels come in, 256 go out: what is on the shortcut?"
                ),
                2 * 9 * 192 * 256 + shortcut: _("how many channels does the second layer get?"),
            },
            "channels after 6 concatenating blocks": {
                6 * 32: _("the input is still there: that is what concatenating means."),
                192 * 2**6: _("each block adds 32 channels, however many come in."),
            },
        },
    )
    judge_choices(
        answers,
        {"same": "c", "lost": "a"},
        {
            "same": {
                "a": _("Inception adds nothing; it puts channels side by side."),
                "b": _("The branch of the residual block has none."),
            },
            "lost": {
                "b": _("Gradients reach the input along the channels that go on."),
                "c": _("Each of its channels goes on; nothing is lost of the input itself."),
            },
        },
    )
    return _(
        "four numbers, two choices; Inception has {share:.0%} of the residual block's weights",
        share=in_all / residual,
    )


STATISTICS = ("running_mean", "running_var")


@exercise
def batch_norm(BatchNorm: object, answers: object) -> str:
    """Check batch normalisation in both modes, and what a forgotten eval() does."""
    make = function(BatchNorm, "BatchNorm")
    for arguments, shape in (((3,), (4, 3, 5, 6)), ((5, 0.3, 0.4), (2, 5, 2, 3))):
        _normalises(make, arguments, shape)
    judge_choices(
        answers,
        {"scores of an image": "b", "running averages": "c"},
        {
            "scores of an image": {
                "a": _("Which mean is subtracted in training mode?"),
                "c": _("Where in the layer would labels come in?"),
            },
            "running averages": {
                "a": _("Does your own forward need a gradient to write them?"),
                "b": _("Is it an optimiser that writes them in your own forward?"),
            },
        },
    )
    return _("both modes, gradients and running averages; two choices")


def _normalises(
    make: Callable[..., object], arguments: Sequence[float], shape: tuple[int, ...]
) -> None:
    shown = f"BatchNorm({', '.join(map(str, arguments))})"
    channels, others = int(arguments[0]), list(map(float, arguments[1:]))
    mine, theirs = built(make, arguments, shown), nn.BatchNorm2d(channels, *others)  # type: ignore[arg-type]
    if any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in mine.modules()):
        raise Wrong("This is PyTorch's own layer. Write one from tensor operations.")
    random = torch.Generator().manual_seed(channels)
    x = [3 * i + (2 + i) * torch.randn(shape, generator=random) for i in range(3)]
    with _Named() as called:
        run(mine, x[0], shown)  # a starter without any parts says so here
    if called.batch_norm:
        raise Wrong(
            "This calls PyTorch's own batch normalisation. Write one from tensor operations."
        )
    mine = built(make, arguments, shown)
    for what, has, names in (
        ("parameter", dict(mine.named_parameters()), ("weight", "bias")),
        ("buffer", dict(mine.named_buffers()), STATISTICS),
    ):
        for name in names:
            if name not in has or has[name].shape != (channels,):
                raise Wrong(
                    "{shown} has no {what} {name} of shape ({channels},).",
                    shown=shown,
                    what=what,
                    name=name,
                    channels=channels,
                )
            if not torch.equal(has[name], theirs.state_dict()[name]):
                raise Wrong(
                    "{shown}: {name} does not start as in the text.", shown=shown, name=name
                )
    weight, bias = torch.rand(2, channels, generator=random) + 0.5
    for module in (mine, theirs):
        module.load_state_dict({"weight": weight, "bias": bias}, strict=False)
    for i, images in enumerate(x[:2]):
        _same_step(mine.train(), theirs.train(), images, f"{shown}, training mode, batch {i + 1}")
    kept = {name: getattr(mine, name).clone() for name in STATISTICS}
    out, right = run(mine.eval(), x[2], shown).detach(), theirs.eval()(x[2]).detach()
    if close(out, _normal(x[2], theirs, *_of_batch(x[2]))):
        told = _("expected the running averages in the place of the batch's mean and variance.")
        raise Wrong("{shown}, evaluation mode: {told}", shown=shown, told=told)
    if any(not torch.equal(kept[name], getattr(mine, name)) for name in STATISTICS):
        raise Wrong(
            "{shown}, evaluation mode: the running averages move; they should stay.", shown=shown
        )
    if not close(out, right):
        mean, var = kept["running_mean"], kept["running_var"]
        told = _("not the right output. Only mean and variance differ from training mode.")
        for wrong, says in (
            ((x[2] - mean[:, None, None]) / (var[:, None, None] + theirs.eps).sqrt(),
             _("weight and bias are missing.")),
            (_normal(x[2], theirs, mean, var, eps=1e-5),
             _("eps is missing, or is not the argument.")),
        ):  # fmt: skip
            told = says if close(out, wrong) else told
        raise Wrong("{shown}, evaluation mode: {told}", shown=shown, told=told)


class _Named(TorchDispatchMode):
    """Notes, while it is active, whether PyTorch's own batch normalisation is called."""

    batch_norm = False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> object:
        """Look at the operation's name, and do it."""
        self.batch_norm |= "batch_norm" in func.overloadpacket.__name__
        return func(*args, **(kwargs or {}))


def _of_batch(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and variance of each channel, as training mode takes them."""
    return x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)


def _normal(
    x: Tensor, norm: nn.BatchNorm2d, mean: Tensor, var: Tensor, eps: float | None = None
) -> Tensor:
    """Normalise by mean and variance; then scale and shift as `norm` does."""
    weight, bias = (norm.get_parameter(n).detach()[:, None, None] for n in ("weight", "bias"))
    root = (var[:, None, None] + (norm.eps if eps is None else eps)).sqrt()
    return (x - mean[:, None, None]) / root * weight + bias


def _same_step(mine: nn.Module, theirs: nn.BatchNorm2d, x: Tensor, what: str) -> None:
    """Compare output, running averages and gradient of one batch in training mode."""
    old = {name: getattr(mine, name).clone() for name in STATISTICS}
    leaf, other = x.clone().requires_grad_(), x.clone().requires_grad_()
    out, right = run(mine, leaf, what), theirs(other)
    scale, shift = (theirs.get_parameter(n).detach()[:, None, None] for n in ("weight", "bias"))
    axes = (0, 2, 3)
    mean, var = x.mean(axes, keepdim=True), x.var(axes, correction=0, keepdim=True)
    many = x.numel() / x.shape[1]
    got, eps = out.detach(), theirs.eps
    if not close(got, right.detach()):
        slips = (
            ((x - mean) / (var * many / (many - 1) + eps).sqrt() * scale + shift,
             _("the variance that normalises divides by M, not by M - 1.")),
            (F.instance_norm(x) * scale + shift,
             _("the mean and the variance are over all images of the batch together.")),
            ((x - x.mean()) / x.std() * scale + shift, _("each channel has a mean of its own.")),
            ((x - mean) / (var + eps).sqrt(), _("weight and bias are missing.")),
            ((x - mean) / (var + eps) * scale + shift, _("divide by the root of the variance.")),
            ((x - mean) / (var.sqrt() + eps) * scale + shift,
             _("eps is added to the variance, inside of the root.")),
            ((x - mean) / (var + 1e-5).sqrt() * scale + shift, _("the argument eps is not used.")),
            ((x - old["running_mean"][:, None, None])
             / (old["running_var"][:, None, None] + eps).sqrt() * scale + shift,
             _("normalise by the batch's own mean and variance, not by the running averages.")),
        )  # fmt: skip
        for wrong, says in slips:
            if close(got, wrong):
                raise Wrong("{what}: {says}", what=what, says=says)
        raise Wrong("{what} has not the right output.", what=what)
    batch = {"running_mean": mean.flatten(), "running_var": var.flatten() * many / (many - 1)}
    for name in STATISTICS:
        now = getattr(mine, name)
        if close(now, getattr(theirs, name)):
            continue
        told = _("is not what the text says.")
        share, square = float(theirs.momentum or 0), x.shape[0] * x.shape[2] ** 2
        if torch.equal(now, old[name]):
            told = _("has not moved.")
        elif close(now, share * old[name] + (1 - share) * batch[name]):
            told = _("moves too much: momentum is the share of the new batch.")
        elif close(now, (1 - share) * old[name] + share * var.flatten()):
            told = _("takes the unbiased variance, which divides by M - 1.")
        elif close(now, (1 - share) * old[name] + share * var.flatten() * square / (square - 1)):
            told = _("takes another M than N H W: an image may be wider than it is high.")
        elif close(now, 0.9 * old[name] + 0.1 * batch[name]):
            told = _("moves as with a momentum of 0.1; the argument is not used.")
        raise Wrong("{what}: {name} {told}", what=what, name=name, told=told)
    if any(getattr(mine, name).requires_grad for name in STATISTICS):
        raise Wrong("{what}: the running averages are part of the graph of gradients.", what=what)
    if not out.requires_grad:
        raise Wrong("{what}: no gradients flow.", what=what)
    (found,) = torch.autograd.grad(out.sin().sum(), leaf, allow_unused=True)
    (wanted,) = torch.autograd.grad(right.sin().sum(), other)
    if found is None or not close(found, wanted):
        raise Wrong(
            "{what}: the gradient of the input is another. It "
            "flows through the mean and the variance of the batch as well.",
            what=what,
        )
