"""Checks of chapter 5: the order of layers in a unit, and what is done to its branch."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from resnet import nets
from resnet.blocks import activation
from resnet.check.answers import FOUR, TWO, as_number, judge_choices, judge_numbers, slip
from resnet.check.comparing import (
    FINE,
    Make,
    bottleneck_cases,
    compare_networks,
    drawn,
    judge_block,
    run,
    with_change,
    without,
)
from resnet.check.feedback import exercise
from resnet.check.formulas import Conv, originals, preacts
from resnet.check.running import Wrong, built, call, counted, function, kind, not_the_books, usable


@exercise
def preact_identity(answers: object) -> str:
    """Check for which inputs each of the five placements is the identity at zero weights."""
    zero_scale = "A BN whose scale and shift are zero stands on the way of the signal itself."
    nothing_after = "What comes after the addition, and what does it do to negative numbers?"
    added = "With zero weights the branch adds 0. Is there anything after the addition?"
    judge_choices(
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


@exercise
def preact_bottleneck(PreActBottleneck: object) -> str:
    """Check the pre-activation bottleneck: `(in_channels, channels, stride=1)`, stride first."""

    def branch(_: int, channels: int, stride: int = 1) -> list[Conv]:
        return [Conv(channels, 1, stride), Conv(channels, 3), Conv(4 * channels, 1)]

    def middle(_: int, channels: int, stride: int = 1) -> list[Conv]:
        return [Conv(channels, 1), Conv(channels, 3, stride), Conv(4 * channels, 1)]

    cases = bottleneck_cases()
    formula, slips = preacts(
        branch, also=[(middle, "the stride is on the 3x3 convolution, not on the first 1x1.")]
    )
    slips.append((originals(branch)[0], "this is the original block."))
    judge_block(PreActBottleneck, cases, formula, slips, "PreActBottleneck")
    return FINE.format(len(cases))


@exercise
def preact_network(make: object) -> str:
    """Check `make(n)`: the pre-activation network of 6n + 2 layers, option A."""
    ask = function(make, "make")

    def like(n: int) -> Make:
        return lambda: nets.cifar_resnet(6 * n + 2, preact=True)

    def activated_twice(net: nn.Module) -> None:
        net.set_submodule("stage1.0.before", activation("bn relu", 16))

    def bare_stem(net: nn.Module) -> None:
        without("stem.bn")(net)
        without("stem.relu")(net)

    def both(*changes: Callable[[nn.Module], None]) -> Callable[[nn.Module], None]:
        def change(net: nn.Module) -> None:
            for part in changes:
                part(net)

        return change

    slips: list[tuple[Callable[[nn.Module], None], str]] = [
        (without("act"), "nothing activates the sum after the last block: the last BN and ReLU "
         "are missing."),
        (without("act.relu"), "the last BN has no ReLU behind it."),
        (without("act.bn"), "the last ReLU has no BN before it."),
        (activated_twice, "the first block activates what the stem has activated already."),
        (both(activated_twice, bare_stem), "the first block's shortcut carries the stem's output "
         "without BN and ReLU."),
        (both(activated_twice, without("act")), "the first block activates what the stem has "
         "activated already, and nothing activates the sum after the last block."),
        (bare_stem, "the stem has no BN and ReLU."),
    ]  # fmt: skip
    for n, shape in ((2, (3, 3, 20, 16)), (1, (2, 3, 13, 16)), (3, (2, 3, 12, 20))):
        shown = f"make({n})"
        mistakes: list[tuple[Make, str]] = [
            (with_change(like(n), slip), says) for slip, says in slips
        ]
        mistakes += [
            (lambda n=n: nets.cifar_resnet(6 * n + 2), "these are original blocks."),  # type: ignore[misc]
            (lambda n=n: nets.cifar_resnet(6 * n + 2, preact=True, shortcut="B"),  # type: ignore[misc]
             "the shortcuts are projections; option A is asked for."),
        ]  # fmt: skip
        compare_networks(not_the_books(built(ask, [n], shown)), shape, like(n), mistakes, shown)
    return "scores, gradients and layers for n = 1, 2 and 3"


@exercise
def preact_forgotten(numbers: object, answers: object) -> str:
    """Check what a pre-activation network's parameters say of three mistakes."""
    judge_numbers(
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
    judge_choices(
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


@exercise
def learned_factor(factor_gradient: object) -> str:
    """Check `factor_gradient(x, branch, factor, upstream)`, the derivative by the factor."""
    ask = function(factor_gradient, "factor_gradient")
    for seed, factor in enumerate((1.0, 0.5, -2.0)):
        shape = (2 + seed, 3, *drawn((4, 7), (4, 7)))
        random = torch.Generator().manual_seed(seed)
        x, branch, upstream = (torch.randn(shape, generator=random) for _ in range(3))
        what = f"factor_gradient for x of shape {shape} and factor {factor:g}"
        said = call(ask, x.clone(), branch.clone(), factor, upstream.clone(), shown=what)
        if isinstance(said, Tensor) and said.numel() != 1:
            raise Wrong(
                f"{what} returns {kind(said)}. There is one factor, so its derivative is one "
                "number: every value of the block's output depends on it."
            )
        number = as_number(said, what)
        right = float((x * upstream).sum())
        if math.isclose(number, right, rel_tol=1e-3, abs_tol=1e-3):
            continue
        slips = (
            (right / len(x), "The images are not averaged here; upstream has that in it."),
            (right / x.numel(), "Sum, not mean: every value contributes."),
            (factor * right, "The derivative of factor * x by factor has no factor left in it."),
            (float(((x + branch) * upstream).sum()), "Does the branch depend on the factor?"),
            (float((branch * upstream).sum()), "This goes through the branch."),
            (float(upstream.sum()), "This is the derivative by something that is added."),
            (float(x.sum()), "The derivative of the loss by the output is missing."),
            (factor * float(upstream.sum()), "This is how the gradient goes on to x."),
        )
        otherwise = "Write the output of the block as a function of the factor alone."
        message = slip(slips, number, otherwise, relative=1e-3)
        raise Wrong(f"{what} is {number:.4g}, which is not right. {message}")
    return "three factors, with a gradient of every sign"


@exercise
def stochastic_depth(StochasticBranch: object) -> str:
    """Check a module that leaves a branch out at random: `StochasticBranch(branch, keep)`."""
    make = function(StochasticBranch, "StochasticBranch")
    x = torch.randn(6, 4, 5, 7, generator=torch.Generator().manual_seed(3))
    for keep in (0.7, 1.0, 0.0):
        # a branch that changes the shape, and two that keep it
        branch = nn.Conv2d(4, 6, 3, 2, 1) if keep == 0.7 else nn.Conv2d(4, 4, 3, padding=1)
        whole = branch(x).detach()
        shown = f"StochasticBranch(branch, {keep})"
        given = call(make, branch, keep, shown=shown)
        module = usable(given, shown)
        out = run(module.eval(), x, f"{shown} in evaluation mode").detach()
        _in_evaluation(out, whole, keep, shown)
        _in_training(module.train(), x, whole, keep, shown)
        if not any(part is branch for part in given.modules()):
            raise Wrong(f"{shown} does not contain the branch as a part: its weights would not "
                        "be trained.")  # fmt: skip
        if keep == 1 and not run(module, x, shown).requires_grad:
            raise Wrong(f"{shown} in training mode: no gradient reaches the branch's weights.")
    return "evaluation and training mode, for probabilities 0, 0.7 and 1"


def _in_evaluation(out: Tensor, whole: Tensor, keep: float, shown: str) -> None:
    if out.shape == whole.shape and torch.allclose(out, keep * whole, atol=1e-5):
        return
    told = "expected the branch times the probability of staying."
    if out.shape == whole.shape and torch.allclose(out, whole, atol=1e-5):
        told = "the branch has its full size, larger than it was on average in training."
    elif out.shape == whole.shape and torch.allclose(out, (1 - keep) * whole, atol=1e-5):
        told = "keep is the probability of staying, not of being left out."
    elif not out.any():
        told = "the branch is left out. Is training and evaluation told apart?"
    raise Wrong(f"{shown} in evaluation mode: {told}")


def _in_training(module: nn.Module, x: Tensor, whole: Tensor, keep: float, shown: str) -> None:
    times, kept = 300, 0
    torch.manual_seed(11)
    for _ in range(times):
        out = run(module, x, f"{shown} in training mode").detach()
        if out.shape != whole.shape:
            raise Wrong(f"{shown} in training mode returns shape {tuple(out.shape)}; "
                        f"expected {tuple(whole.shape)}.")  # fmt: skip
        if torch.allclose(out, whole, atol=1e-5):
            kept += 1
        elif out.any():
            size = out.flatten(1).abs().sum(1) > 0
            if not size.all():
                raise Wrong(f"{shown} in training mode leaves out the branch of some images. One "
                            "draw is for the whole batch.")  # fmt: skip
            if 0 < keep < 1 and torch.allclose(out, whole / keep, atol=1e-4):
                raise Wrong(f"{shown} in training mode divides by keep. Here the scaling is for "
                            "evaluation.")  # fmt: skip
            if keep > 0 and torch.allclose(out, whole * keep, atol=1e-4):
                raise Wrong(f"{shown} in training mode scales the branch; expected all or nothing.")
            raise Wrong(f"{shown} in training mode returns neither the branch nor zeros. Is "
                        "single values' dropout meant? Here the whole branch goes.")  # fmt: skip
    spread = 5 * math.sqrt(keep * (1 - keep) / times)
    if abs(kept / times - keep) <= spread:
        return
    told = f"keeps the branch {counted(kept, 'time')} in {times}."
    if abs(kept / times - (1 - keep)) <= spread and keep != 0.5:
        told += " keep is the probability of staying, not of being left out."
    elif kept in (0, times):
        told += " Is it drawn anew at every call, and in training mode?"
    raise Wrong(f"{shown} in training mode {told}")
