"""Checks of chapter 1: what a class of functions contains, and a claim tried again."""

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from resnet.check.answers import as_number, judge_choices, plain
from resnet.check.feedback import exercise
from resnet.check.running import Wrong, call, counted, function, kind, unfilled
from resnet.translation import _


@exercise
def steps_nested(contained: object) -> str:
    """Check `contained(a, b)`: does every step function with a pieces have b pieces too?"""
    ask = function(contained, "contained")
    pairs = list(itertools.product(range(1, 31), range(1, 31)))
    said: dict[tuple[int, int], bool] = {}
    for a, b in pairs:
        answer = plain(call(ask, a, b, shown=f"contained({a}, {b})"))
        if isinstance(answer, Tensor) or answer not in (True, False):
            shown = f"contained({a}, {b})"
            raise Wrong("{shown} is {said!r}; expected True or False.", shown=shown, said=answer)
        said[a, b] = bool(answer)
    right = {(a, b): b % a == 0 for a, b in pairs}
    if said == right:
        return _("all {n} pairs up to 30 pieces", n=len(pairs))
    halving = _("Halving every piece is one way to keep the jumps. Is it the only one?")
    rules: list[tuple[Callable[[int, int], bool], str]] = [
        (
            lambda a, b: a <= b,
            _("More pieces are not enough: the chapter's first figure of a fit has 4 and 5."),
        ),
        (
            lambda a, b: a % b == 0,
            _("Right, but for the other direction: which class is the larger?"),
        ),
        (lambda a, b: a < b and b % a == 0, _("What about a class and itself?")),
        (lambda a, b: b in (a, 2 * a), halving),
        (lambda a, b: b in {a * 2**i for i in range(6)}, halving),
    ]
    for rule, says in rules:
        if all(said[pair] == rule(*pair) for pair in pairs):
            raise Wrong(says)
    a, b = next(pair for pair in pairs if said[pair] != right[pair])
    raise Wrong(
        "contained({a}, {b}) is {said}. Write down where the functions in S_{a} may "
        "jump, and where those in S_{b} may.",
        a=a,
        b=b,
        said=said[a, b],
    )


TINY = 1e-12


def _network(w: Tensor, b: Tensor, v: Tensor, x: Tensor) -> Tensor:
    return torch.relu(x @ w.T + b) @ v


@exercise
def width_nested(widen: object) -> str:
    """Check `widen(w, b, v)`: the same function with one hidden unit more."""
    make = function(widen, "widen")
    # beside tiny weights, nothing that is added to the sum is too small to be noticed
    cases = [(1, 1, 1.0), (2, 3, 1.0), (5, 2, 1.0), (4, 1, 1.0), (2, 2, TINY), (3, 1, TINY)]
    for n, inputs, scale in cases:
        random = torch.Generator().manual_seed(n)
        given = [scale * torch.randn(shape, generator=random) for shape in ((n, inputs), n, n)]
        copies = [tensor.clone() for tensor in given]
        units = counted(n, _("unit"))
        what = _("widen for {units} and {inputs}", units=units, inputs=counted(inputs, _("input")))
        if scale != 1:
            what += _(", with weights near {scale:g}", scale=scale)
        answer = call(make, *copies, shown=what)
        if not isinstance(answer, tuple | list) or len(answer) != 3:
            raise Wrong(
                "{what} returns {kind}; expected the three tensors w, b and v.",
                what=what,
                kind=kind(answer),
            )
        for name, tensor, old in zip(("w", "b", "v"), answer, given, strict=True):
            if not isinstance(tensor, Tensor):
                raise Wrong(
                    "{what}: {name} is {kind}; expected a tensor.",
                    what=what,
                    name=name,
                    kind=kind(tensor),
                )
            if tensor.shape == old.shape:
                raise Wrong(
                    "{what}: {name} has still the size for {units}.",
                    what=what,
                    name=name,
                    units=units,
                )
            if tensor.shape != (expected := (n + 1, *old.shape[1:])):
                raise Wrong(
                    "{what}: {name} has shape {shape}; expected {expected}.",
                    what=what,
                    name=name,
                    shape=tuple(tensor.shape),
                    expected=expected,
                )
        sizes = 10 ** torch.arange(7).repeat(100)[:, None].double()  # up to a million
        x = sizes * torch.randn(len(sizes), inputs, generator=random).double()
        w, b, v = (tensor.double() for tensor in answer)
        before = [tensor.double() for tensor in given]
        error = _network(w, b, v, x) - _network(before[0], before[1], before[2], x)
        most = 5e-7 * scale**2  # of rounding, at inputs near 1
        if not torch.isfinite(error).all() or (error / sizes[:, 0]).abs().max() > most:
            if error.std() < 200 * most:
                raise Wrong(
                    "{what}: the function is shifted by a constant. "
                    "What does the new unit add to the sum?",
                    what=what,
                )
            raise Wrong(
                "{what}: the function has changed, at one input by {most:.2g}. "
                "What does the new unit add to the sum, and are the old ones as they were?",
                what=what,
                most=error.abs().max(),
            )
    return _("the same function with one unit more, for {n} networks", n=len(cases))


DENSE = torch.linspace(-1, 1, 2001, dtype=torch.double)
FAR = 10 ** torch.arange(0, 20, dtype=torch.double)

# where the identity is asked for, and the fewest units
WHERE = {"on [-1, 1]": (DENSE, 1), "everywhere": (torch.cat([DENSE, FAR, -FAR]), 2)}


@exercise
def plain_identity(answers: object) -> str:
    """Check two lists of units (a, b, c) and a d: sum of c relu(a x + b), plus d, is x."""
    if not isinstance(answers, Mapping) or set(answers) != set(WHERE):
        keys = ", ".join(WHERE)
        raise Wrong("Hand over the starter's dictionary with the keys {keys}.", keys=keys)
    if gaps := [key for key in WHERE if answers[key] is ...]:
        raise unfilled(gaps, WHERE)
    said = []
    for key, (x, fewest) in WHERE.items():
        units, shift = _units(answers[key], key)
        y = shift + sum((c * torch.relu(a * x + b) for a, b, c in units), torch.zeros_like(x))
        off = (y - x).abs() / x.abs().clamp(min=1)
        if off.max() > 1e-6:
            at, y_at = float(x[off.argmax()]), float(y[off.argmax()])
            said.append(_("{key}: at x = {x:g} it gives {y:.4g}.", key=key, x=at, y=y_at))
        elif len(units) > fewest:
            more = _("it is the identity, with {n} units; fewer are enough.", n=len(units))
            said.append(f"{key}: {more}")
    if said:
        raise Wrong(*said)
    return _("the identity on both sets, with the fewest units")


def _units(answer: Any, key: str) -> tuple[list[tuple[float, float, float]], float]:
    form = _("{key}: expected a pair ([(a, b, c), …], d)", key=key)
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise Wrong("{form}, not {kind}.", form=form, kind=kind(answer))
    units, shift = answer
    if not isinstance(units, tuple | list) or not all(
        isinstance(unit, tuple | list) and len(unit) == 3 for unit in units
    ):
        raise Wrong("{form}; a unit is three numbers.", form=form)
    numbers = [(as_number(a, key), as_number(b, key), as_number(c, key)) for a, b, c in units]
    return numbers, as_number(shift, key)


@exercise
def grow_order(answers: object) -> str:
    """Check what happens in each stage if the added blocks come first."""
    shape = _("Write down the channels in and out of the stage's first and second block.")
    fits = _("Which block of the trained network changes the channels, and where does it end up?")
    judge_choices(
        answers,
        {"stage 1": "a", "stage 2": "b", "stage 3": "b"},
        {
            "stage 1": {"b": shape, "c": _("What comes in here has been through a ReLU.")},
            "stage 2": {"a": fits, "c": fits},
            "stage 3": {"a": fits, "c": fits},
        },
    )
    return _("all three stages")


@exercise
def no_bound(answers: object) -> str:
    """Check the three questions on growing without bound."""
    judge_choices(
        answers,
        {"promise": "b", "data": "b", "training": "a"},
        {
            "promise": {
                "a": _("The inequality has the training inputs and labels in it, nothing else."),
                "c": _("The inequality is about the best function. Does training find it?"),
            },
            "data": {
                "a": _("There the classes are not nested; the question is about nested ones."),
                "c": _("That table has errors of networks whose training was worse too."),
            },
            "training": {
                "b": _("There the training error was as low as with 110 layers."),
                "c": _("There every fit is the exact optimum; nothing is trained."),
            },
        },
    )
    return _("all three; for your own words, the solution on the book's page has a rubric")
