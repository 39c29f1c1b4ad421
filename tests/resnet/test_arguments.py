"""What a wrong argument is told: its name, its value and what was expected."""

from __future__ import annotations

import math

import pytest

from resnet.arguments import MOST, require_one_of, require_positive, require_rate, require_whole


@pytest.mark.parametrize("value", [0, 1, MOST])
def test_whole_numbers(value: int) -> None:
    require_whole(0, seed=value)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (-1, "seed=-1: expected a whole number of at least 0"),
        (1.5, "seed=1.5: expected a whole number of at least 0"),
        (True, "seed=True: expected a whole number of at least 0"),
        ("1", "seed='1': expected a whole number of at least 0"),
        (MOST + 1, f"seed={MOST + 1}: expected a whole number of at most {MOST}"),
    ],
)
def test_what_is_no_such_number(value: object, told: str) -> None:
    with pytest.raises(ValueError) as caught:
        require_whole(0, first=3, seed=value)  # type: ignore[arg-type]
    assert str(caught.value) == told


def test_positive_begins_at_1() -> None:
    require_positive(count=1)
    with pytest.raises(ValueError, match=r"^count=0: expected a whole number of at least 1$"):
        require_positive(other=2, count=0)


@pytest.mark.parametrize("value", [0, 0.0, -1, math.nan, math.inf, "1", None])
def test_what_is_no_rate(value: object) -> None:
    require_rate("lr", 1e-9)
    with pytest.raises(ValueError) as caught:
        require_rate("lr", value)  # type: ignore[arg-type]
    assert str(caught.value) == f"lr={value!r}: expected a number above 0"


def test_one_of() -> None:
    require_one_of("kind", "a", ("a", None))
    with pytest.raises(ValueError, match=r"^kind='b': expected one of 'a', None$"):
        require_one_of("kind", "b", ("a", None))
