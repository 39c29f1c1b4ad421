"""The kinds of wrong answers, and right ones that differ from the solution in a few lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cells import EVERY


@dataclass(frozen=True)
class Slip:
    """A likely mistake in code: a change of the solution, so the mistake itself, nothing else."""

    was: str
    is_now: str  # in the place of `was` in the solution's source
    told: str  # what the check must say, a regular expression


Number = tuple[str, str, float, str]  # exercise, key, wrong number, part of what must be said
Shape = tuple[str, str, object, str]


def rewritten(slug: str, changes: Mapping[str, str]) -> str:
    """Return the solution of an exercise with some parts written in another way."""
    source = EVERY[slug].solution
    for was, is_now in changes.items():
        assert was in source, f"{slug} has no {was!r}"
        source = source.replace(was, is_now)
    return source
