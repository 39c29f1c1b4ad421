"""Comparing a reader's module with what it should compute: behaviour, not names."""

import random
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from resnet.blocks import ResidualUnit
from resnet.check.guard import Wrong, call, kind
from resnet.check.handed import built
from resnet.check.layers import (
    Formula,
    Reference,
    by_formula,
    difference,
    fill,
    layers_of,
)

# a formula and what it means if the reader's module computes the same
Mistakes = Sequence[tuple[Formula, str]]


def check_block(
    answer: object,
    cases: Sequence[tuple[tuple[Any, ...], tuple[int, ...]]],
    formula: Formula,
    mistakes: Mistakes,
    name: str,
) -> None:
    """Raise Wrong unless `answer(*arguments)` is a block that computes `formula`.

    Args:
        answer: the reader's class, or a function that returns a module.
        cases: arguments and the shape of an input.
        formula: called with (layers, x, *arguments).
        mistakes: formulas of likely wrong answers, and what to say about each.
        name: what the text calls the answer.

    """
    if not callable(answer) or isinstance(answer, nn.Module):
        raise Wrong(
            f"Hand over the class {name} itself, without brackets behind it, so that the check "
            f"can make blocks of several sizes; this is {kind(answer)}."
        )
    for arguments, shape in cases:
        shown = f"{name}({', '.join(map(repr, arguments))})"
        module = built(answer, arguments, shown)
        if any(isinstance(part, ResidualUnit) for part in module.modules()):
            raise Wrong("This is the book's own block. Write one of your own, from nn's layers.")
        compare(
            module,
            shape,
            by_formula(formula, *arguments),
            [(by_formula(wrong, *arguments), says) for wrong, says in mistakes],
            shown,
        )


def compare(
    module: nn.Module,
    shape: tuple[int, ...],
    reference: Reference,
    mistakes: Sequence[tuple[Reference, str]],
    shown: str,
) -> None:
    """Raise Wrong unless a module computes what `reference` does, gradients included.

    Outputs are compared with equal weights, in training and in evaluation mode.
    """
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    what = f"{shown} on an input of shape {shape}"
    with torch.no_grad():
        run(module.train(), x, what)  # lazy layers get their shapes
        want = {training: reference(x, 3, training) for training in (True, False)}
        got = {training: filled(module, x, training, what) for training in want}
    layers = want[True][1]
    if all(close(got[t], want[t][0]) for t in want):
        if said := difference(layers_of(module), layers):
            raise Wrong(f"{what} gives the right numbers, but with other layers.", *said)
        _compare_gradients(module, x, reference, what)
        return
    expected = tuple(want[True][0].shape)
    if tuple(got[True].shape) != expected:
        raise Wrong(f"{what} returns shape {tuple(got[True].shape)}; expected {expected}.")
    for wrong, says in mistakes:
        try:
            with torch.no_grad():
                if all(close(got[t], wrong(x, 3, t)[0]) for t in got):
                    raise Wrong(f"{what}: {says}")
        except (RuntimeError, IndexError):  # this mistake cannot be made with this shape
            continue
    if said := difference(layers_of(module), layers):
        raise Wrong(f"{what} does not compute what it should.", *said)
    modes = [word for t, word in ((True, "training"), (False, "evaluation")) if not close(
        got[t], want[t][0])]  # fmt: skip
    raise Wrong(
        f"{what} has the right layers and the right shape, but with equal weights other outputs "
        f"(in {' and '.join(modes)} mode).",
        "Compare strides, paddings, the order of the layers and what is added with the text.",
    )


def run(module: nn.Module, x: Tensor, what: str) -> Tensor:
    """Run a module; its output must be a tensor, and the input as it was."""
    before = x.clone()
    try:
        out = call(module, x, shown=what)
    except Wrong as wrong:
        if "must match the size" in wrong.says[0]:
            raise Wrong(*wrong.says, *_strided(module)) from None
        raise
    if not isinstance(out, Tensor):
        raise Wrong(f"{what} returns {kind(out)}; expected one tensor.")
    if out.shape and x.shape == before.shape and not torch.equal(x, before):
        raise Wrong(
            f"{what} changes its own input, in place; on the shortcut, and outside of the block, "
            "the input is needed as it was. Look for `+=` and `inplace=True`."
        )
    if not out.is_floating_point() or out.device.type != "cpu":
        raise Wrong(f"{what} returns {out.dtype} on {out.device}; expected float32 on cpu.")
    return out.float()


def _strided(module: nn.Module) -> tuple[str, ...]:
    """What the strides of the convolutions say, where two ways do not fit together."""
    strided = sum(
        isinstance(layer, nn.Conv2d) and max(layer.stride) > 1 for layer in module.modules()
    )
    if strided == 1:
        return ("Only one convolution has a stride, so only one of the two ways shrinks.",)
    if strided > 2:
        return ("More than one convolution on the same way has a stride: it shrinks twice.",)
    return ()


def filled(module: nn.Module, x: Tensor, training: bool, what: str) -> Tensor:
    """Run a module with the weights of `Layers`."""
    fill(module, 3)
    return run(module.train(training), x, what)


def close(a: Tensor, b: Tensor) -> bool:
    """Whether two outputs agree, to what another order of the same sums may change."""
    if a.shape != b.shape or not torch.isfinite(a).all():
        return False
    return bool((a - b).abs().max() <= 1e-3 * max(1.0, float(b.abs().max())))


def _compare_gradients(module: nn.Module, x: Tensor, reference: Reference, what: str) -> None:
    fill(module, 3)
    module.train()
    leaf = x.clone().requires_grad_()
    names, parameters = zip(*module.named_parameters(), strict=True)
    try:
        out = module(leaf * 1)
        to_input, *others = torch.autograd.grad(
            out.sin().sum(), [leaf, *parameters], allow_unused=True
        )
    except RuntimeError as error:
        if "inplace operation" in str(error):
            raise Wrong(
                f"{what} runs, but gradients cannot flow back: a value that they need was changed "
                "in place. Look for `+=` and `inplace=True`."
            ) from None
        raise Wrong(
            f"{what} runs, but gradients cannot flow back: {error}",
            "Is part of it computed under torch.no_grad() or detached?",
        ) from None
    if idle := [name for name, g in zip(names, others, strict=True) if g is None]:
        raise Wrong(f"{what} does not use {', '.join(idle[:3])}, or no gradient reaches it.")
    other = x.clone().requires_grad_()
    (expected,) = torch.autograd.grad(reference(other, 3, True)[0].sin().sum(), other)
    if to_input is None or not close(to_input, expected):
        raise Wrong(
            f"{what} gives the right numbers, but another gradient for its input. Is part of it "
            "computed under torch.no_grad() or detached?"
        )


def drawn(*ranges: tuple[int, int]) -> tuple[int, ...]:
    """Draw a whole number from each range, anew at every call, so that no answer is made to fit."""
    source = random.Random()
    return tuple(source.randint(low, high) for low, high in ranges)
