"""The kinds of wrong answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Slip:
    """A likely mistake in code: a change of the solution, so the mistake itself, nothing else."""

    was: str
    is_now: str  # in the place of `was` in the solution's source
    told: str  # what the check must say, a regular expression


Number = tuple[str, str, float, str]  # exercise, key, wrong number, part of what must be said
Shape = tuple[str, str, object, str]
