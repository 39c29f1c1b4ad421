"""Comparing closed answers: numbers, shapes and choices under given keys, counted parameters."""

import math
import numbers
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import numpy as np
import torch

from resnet import nets
from resnet.check.running import Wrong, counted, kind, unfilled
from resnet.measure import LayerTable, layer_table
from resnet.translation import _

# What a wrong value tells about how it came about: {key: {value: what to say}}
Slips = Mapping[str, Mapping[object, str]]


def given_under(answers: object, keys: Sequence[str]) -> dict[str, object]:
    """Return what the reader wrote under each key; Wrong for gaps and for other keys."""
    if not isinstance(answers, Mapping):
        raise Wrong(
            "Hand over the starter's dictionary, filled in; this is {kind}.", kind=kind(answers)
        )
    if unknown := [key for key in answers if key not in keys]:
        raise Wrong(
            "There is no {unknown!r} here; the keys are {keys}.",
            unknown=unknown[0],
            keys=", ".join(map(repr, keys)),
        )
    if gaps := [key for key in keys if answers.get(key, ...) is ...]:
        raise unfilled(gaps, keys)
    return {key: answers[key] for key in keys}


def judge_numbers(
    answers: object,
    expected: Mapping[str, float],
    slips: Slips | None = None,
    *,
    tolerance: float = 0.0,
) -> None:
    """Raise Wrong unless each number is right, to a relative `tolerance`."""
    said = []
    for key, value in given_under(answers, list(expected)).items():
        number = as_number(value, key)
        if abs(number - expected[key]) <= tolerance * abs(expected[key]):
            continue
        otherwise = _("too small.") if number < expected[key] else _("too large.")
        of_key = (slips or {}).get(key, {}).items()
        message = slip(of_key, number, otherwise, relative=tolerance)
        shown = f"{number:,}" if isinstance(number, int) else f"{number:,.6g}"
        said.append(_not_right(key, shown, message))
    if said:
        raise Wrong(*said)


def _not_right(key: str, given: object, message: str) -> str:
    return _("{key}: {given} is not right: {message}", key=key, given=given, message=message)


def slip(
    slips: Iterable[tuple[object, str]],
    given: object,
    otherwise: str,
    *,
    relative: float = 0.0,
    absolute: float = 0.0,
) -> str:
    """Return what to say of the first slip that gives this value, or `otherwise`.

    Numbers may differ by the `relative` or the `absolute` tolerance, whichever is larger; of
    several such slips it is the nearest.
    """
    found = []
    for value, says in slips:
        if isinstance(value, int | float) and isinstance(given, int | float):
            if math.isclose(given, value, rel_tol=relative, abs_tol=absolute):
                found.append((abs(given - value), says))
        elif given == value:
            return says
    return min(found, key=lambda one: one[0])[1] if found else otherwise


def plain(value: object) -> object:
    """Return what a tensor or an array of one entry holds, a word in small letters, all else."""
    if isinstance(value, torch.Tensor | np.ndarray | np.generic) and math.prod(value.shape) == 1:
        return value.item()
    return value.strip().lower() if isinstance(value, str) else value


def as_number(value: object, key: str) -> float:
    """Return a number, or raise Wrong for text, yes and no, and all that is none."""
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise Wrong("{key}: expected a number, not {kind}.", key=key, kind=kind(value))
    number = float(value)
    if not math.isfinite(number):
        raise Wrong("{key}: {number} is not a number that can be right.", key=key, number=number)
    return int(number) if number == int(number) else number


def judge_shapes(
    answers: object, expected: Mapping[str, tuple[int, ...] | str], slips: Slips | None = None
) -> None:
    """Raise Wrong unless each shape is right; "error" stands for what does not run."""
    said = []
    for key, value in given_under(answers, list(expected)).items():
        given = _shape(value, key)
        if given == expected[key]:
            continue
        of_key = (slips or {}).get(key, {}).items()
        message = slip(of_key, given, _compared(given, expected[key]))
        said.append(_not_right(key, given, message))
    if said:
        raise Wrong(*said)


def _shape(value: object, key: str) -> tuple[int, ...] | str:
    if isinstance(value, str):
        if plain(value) == "error":
            return "error"
        raise Wrong('{key}: {value!r} is neither a shape nor "error".', key=key, value=value)
    if isinstance(value, torch.Tensor) and value.ndim > 1:
        raise Wrong("{key}: this is a tensor; its shape is asked for.", key=key)
    try:
        numbers = [as_number(entry, key) for entry in value]  # type: ignore[attr-defined]
    except TypeError:
        raise Wrong(
            "{key}: expected a shape such as (2, 16, 15, 15), not {value!r}.", key=key, value=value
        ) from None
    if broken := [number for number in numbers if number != int(number)]:
        raise Wrong(
            "{key}: {broken:.4g} in a shape; expected whole numbers. What does the formula "
            "in the text do with a fraction?",
            key=key,
            broken=broken[0],
        )
    return tuple(map(int, numbers))


def _compared(given: tuple[int, ...] | str, expected: tuple[int, ...] | str) -> str:
    if given == "error":
        return _("it runs. Do the two ways have the same shape at the addition?")
    if expected == "error":
        return _("it does not run. Which shapes meet at the addition?")
    if len(given) != len(expected):
        numbers = counted(len(given), _("number"))
        return _("it has {numbers}; the shape has {n}.", numbers=numbers, n=len(expected))
    names = (_("the batch"), _("the channels"), _("the height"), _("the width"))
    pairs = zip(names, given, expected, strict=False)
    return _("look at {axes}.", axes=_(" and ").join(name for name, a, b in pairs if a != b))


def judge_choices(
    answers: object, expected: Mapping[str, str], reasons: Mapping[str, Mapping[str, str]]
) -> None:
    """Raise Wrong unless each letter is right; `reasons` says for each wrong one why it is not."""
    said = []
    for key, value in given_under(answers, list(expected)).items():
        letters = sorted([expected[key], *reasons[key]])
        letter = plain(value)
        letter = letter.strip("()") if isinstance(letter, str) else letter
        if letter not in letters:
            raise Wrong(
                "{key}: expected one of {letters}, not {value!r}.",
                key=key,
                letters=", ".join(letters),
                value=value,
            )
        if letter != expected[key]:
            reason = reasons[key][str(letter)]
            said.append(_("{key}: not ({letter}). {reason}", key=key, letter=letter, reason=reason))
    if said:
        raise Wrong(*said)


@cache
def part_table(depth: int, size: int, channels: int, classes: int, **options: str) -> LayerTable:
    """Return what each part of a network of Table 1 costs, for one image."""
    with torch.device("meta"):
        net = nets.imagenet_resnet(depth, classes, channels, **options)  # type: ignore[arg-type]
    return layer_table(net, (1, channels, size, size), depth=1)


TWO = _("a batch normalisation has two numbers per channel.")
FOUR = _(
    "a batch normalisation keeps four numbers per channel, but only two of them "
    "are trained: those are its parameters."
)


def bn_slips(right: int, channels: int) -> dict[object, str]:
    """Return what a count is if batch normalisation on so many channels is counted wrongly."""
    return {
        right - 2 * channels: _("the batch normalisations are missing."),
        right - channels: TWO,
        right + 2 * channels: FOUR,
    }


def judge_parts(
    answers: object, table: LayerTable, slips: Mapping[str, Mapping[object, str]], normalised: int
) -> None:
    """Compare the parameters of a network's parts; BN is on `normalised` channels in all."""
    counts = {row.name: row.parameters for row in table if row.parameters}
    of_total = {"total": bn_slips(table.parameters, normalised)}
    judge_numbers(answers, {**counts, "total": table.parameters}, {**slips, **of_total})
