"""Checks of chapter 5: the order of layers in a unit, and what is done to its branch."""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from resnet import nets
from resnet.blocks import activation
from resnet.check.answers import FOUR, TWO, as_number, judge_choices, judge_numbers, slip
from resnet.check.comparing import (
    Make,
    alike,
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
from resnet.translation import _


@exercise
def preact_identity(answers: object) -> str:
    """Check for which inputs each of the five placements is the identity at zero weights."""
    zero_scale = _("A BN whose scale and shift are zero stands on the way of the signal itself.")
    nothing_after = _("What comes after the addition, and what does it do to negative numbers?")
    added = _("With zero weights the branch adds 0. Is there anything after the addition?")
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
            "original": {"a": nothing_after, "c": _("Try a positive number.")},
            "BN after addition": {"a": zero_scale, "b": zero_scale},
            "ReLU before addition": {"b": added, "c": added},
            "ReLU-only pre-activation": {"b": added, "c": added},
            "full pre-activation": {"b": added, "c": added},
        },
    )
    return _("all five placements")


@exercise
def preact_bottleneck(PreActBottleneck: object) -> str:
    """Check the pre-activation bottleneck: `(in_channels, channels, stride=1)`, stride first."""

    def branch(_: int, channels: int, stride: int = 1) -> list[Conv]:
        return [Conv(channels, 1, stride), Conv(channels, 3), Conv(4 * channels, 1)]

    def middle(_: int, channels: int, stride: int = 1) -> list[Conv]:
        return [Conv(channels, 1), Conv(channels, 3, stride), Conv(4 * channels, 1)]

    cases = bottleneck_cases()
    formula, slips = preacts(
        branch, also=[(middle, _("the stride is on the 3x3 convolution, not on the first 1x1."))]
    )
    slips.append((originals(branch)[0], _("this is the original block.")))
    judge_block(PreActBottleneck, cases, formula, slips, "PreActBottleneck")
    return alike(len(cases))


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

    no_last = _("nothing activates the sum after the last block: the last BN and ReLU are missing.")
    twice = _("the first block activates what the stem has activated already.")
    bare = _("the first block's shortcut carries the stem's output without BN and ReLU.")
    slips: list[tuple[Callable[[nn.Module], None], str]] = [
        (without("act"), no_last),
        (without("act.relu"), _("the last BN has no ReLU behind it.")),
        (without("act.bn"), _("the last ReLU has no BN before it.")),
        (activated_twice, twice),
        (both(activated_twice, bare_stem), bare),
        (both(activated_twice, without("act")), f"{twice} {no_last}"),
        (bare_stem, _("the stem has no BN and ReLU.")),
    ]
    for n, shape in ((2, (3, 3, 20, 16)), (1, (2, 3, 13, 16)), (3, (2, 3, 12, 20))):
        shown = f"make({n})"
        mistakes: list[tuple[Make, str]] = [
            (with_change(like(n), slip), says) for slip, says in slips
        ]
        originals_ = partial(nets.cifar_resnet, 6 * n + 2)
        projections = partial(originals_, preact=True, shortcut="B")
        mistakes.append((originals_, _("these are original blocks.")))
        mistakes.append((projections, _("the shortcuts are projections; option A is asked for.")))
        compare_networks(not_the_books(built(ask, [n], shown)), shape, like(n), mistakes, shown)
    return _("scores, gradients and layers for n = 1, 2 and 3")


@exercise
def preact_forgotten(numbers: object, answers: object) -> str:
    """Check what a pre-activation network's parameters say of three mistakes."""
    judge_numbers(
        numbers,
        {"a": -2 * 64, "b": 2 * (64 + 128 + 256), "c": 0},
        {
            "a": {
                128: _("more, or fewer?"),
                -64: TWO,
                -256: FOUR,
                -512: _("this network has basic blocks: how many channels come out of the last?"),
            },
            "b": {
                -896: _("more, or fewer?"),
                448: TWO,
                2 * 896: FOUR,
                768: _("the first stage has a projection, too: 16 channels come in, 64 go out."),
                224: _("the projections are as wide as the ends of the bottlenecks."),
            },
            "c": {},
        },
    )
    judge_choices(
        answers,
        {"only by outputs": "c"},
        {
            "only by outputs": {
                "a": _("Its number of parameters differs."),
                "b": _("Its number of parameters differs."),
            }
        },
    )
    return _("three differences, one choice")


@exercise
def learned_factor(factor_gradient: object) -> str:
    """Check `factor_gradient(x, branch, factor, upstream)`, the derivative by the factor."""
    ask = function(factor_gradient, "factor_gradient")
    for seed, factor in enumerate((1.0, 0.5, -2.0)):
        shape = (2 + seed, 3, *drawn((4, 7), (4, 7)))
        random = torch.Generator().manual_seed(seed)
        x, branch, upstream = (torch.randn(shape, generator=random) for _ in range(3))
        what = _("factor_gradient for x of shape {x} and factor {factor:g}", x=shape, factor=factor)
        said = call(ask, x.clone(), branch.clone(), factor, upstream.clone(), shown=what)
        if isinstance(said, Tensor) and said.numel() != 1:
            raise Wrong(
                "{what} returns {kind}. There is one factor, so its derivative is one number: "
                "every value of the block's output depends on it.",
                what=what,
                kind=kind(said),
            )
        number = as_number(said, what)
        right = float((x * upstream).sum())
        if math.isclose(number, right, rel_tol=1e-3, abs_tol=1e-3):
            continue
        slips = (
            (right / len(x), _("The images are not averaged here; upstream has that in it.")),
            (right / x.numel(), _("Sum, not mean: every value contributes.")),
            (factor * right, _("The derivative of factor * x by factor has no factor left in it.")),
            (float(((x + branch) * upstream).sum()), _("Does the branch depend on the factor?")),
            (float((branch * upstream).sum()), _("This goes through the branch.")),
            (float(upstream.sum()), _("This is the derivative by something that is added.")),
            (float(x.sum()), _("The derivative of the loss by the output is missing.")),
            (factor * float(upstream.sum()), _("This is how the gradient goes on to x.")),
        )
        otherwise = _("Write the output of the block as a function of the factor alone.")
        raise Wrong(
            "{what} is {number:.4g}, which is not right. {advice}",
            what=what,
            number=number,
            advice=slip(slips, number, otherwise, relative=1e-3),
        )
    return _("three factors, with a gradient of every sign")


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
        _in_evaluation(module.eval(), x, whole, keep, _("{shown} in evaluation mode", shown=shown))
        training = _("{shown} in training mode", shown=shown)
        _in_training(module.train(), x, whole, keep, training)
        if not any(part is branch for part in given.modules()):
            raise Wrong(
                "{shown} does not contain the branch as a part: its weights would not be trained.",
                shown=shown,
            )
        own = {id(parameter) for parameter in branch.parameters()}
        if strange := [name for name, p in given.named_parameters() if id(p) not in own]:
            raise Wrong(
                "{shown} has a parameter besides the branch's, {name}: training would change it.",
                shown=shown,
                name=strange[0],
            )
        if keep == 1 and not run(module, x, shown).requires_grad:
            raise Wrong("{what}: no gradient reaches the branch's weights.", what=training)
    return _("evaluation and training mode, for probabilities 0, 0.7 and 1")


def _in_evaluation(module: nn.Module, x: Tensor, whole: Tensor, keep: float, what: str) -> None:
    out = run(module, x, what).detach()
    if out.shape == whole.shape and torch.allclose(out, keep * whole, atol=1e-5):
        return
    why = _("expected the branch times the probability of staying.")
    if out.shape == whole.shape and torch.allclose(out, whole, atol=1e-5):
        why = _("the branch has its full size, larger than it was on average in training.")
    elif out.shape == whole.shape and torch.allclose(out, (1 - keep) * whole, atol=1e-5):
        why = _("keep is the probability of staying, not of being left out.")
    elif not out.any():
        why = _("the branch is left out. Does the module look at its mode?")
    raise Wrong(f"{what}: {why}")


def _in_training(module: nn.Module, x: Tensor, whole: Tensor, keep: float, what: str) -> None:
    times, kept = 300, 0
    torch.manual_seed(11)
    for _draw in range(times):
        out = run(module, x, what).detach()
        if out.shape != whole.shape:
            raise Wrong(
                "{what} returns shape {shape}; expected {expected}.",
                what=what,
                shape=tuple(out.shape),
                expected=tuple(whole.shape),
            )
        if torch.allclose(out, whole, atol=1e-5):
            kept += 1
        elif out.any():
            size = out.flatten(1).abs().sum(1) > 0
            if not size.all():
                raise Wrong(
                    "{what} leaves out the branch of some images. One draw is for the whole batch.",
                    what=what,
                )
            if 0 < keep < 1 and torch.allclose(out, whole / keep, atol=1e-4):
                raise Wrong(
                    "{what} divides by keep. Here the scaling is for evaluation.", what=what
                )
            if keep > 0 and torch.allclose(out, whole * keep, atol=1e-4):
                raise Wrong("{what} scales the branch; expected all or nothing.", what=what)
            raise Wrong(
                "{what} returns neither the branch nor zeros. Is single values' dropout meant? "
                "Here the whole branch goes.",
                what=what,
            )
    spread = 5 * math.sqrt(keep * (1 - keep) / times)
    if abs(kept / times - keep) <= spread:
        return
    why = ""
    if abs(kept / times - (1 - keep)) <= spread and keep != 0.5:
        why = _("keep is the probability of staying, not of being left out.")
    elif kept in (0, times):
        why = _("Is it drawn anew at every call, and in training mode?")
    kept_times = counted(kept, _("time"))
    kept_all = _("{what} keeps the branch {kept} in {n}.", what=what, kept=kept_times, n=times)
    raise Wrong(f"{kept_all} {why}".rstrip())
