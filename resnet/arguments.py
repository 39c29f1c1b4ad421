"""Arguments looked at before they are used: errors name the argument and its value."""

from collections.abc import Sequence

MOST = 2**63 - 1  # torch's whole numbers have 64 bits


def require_positive(**arguments: int) -> None:
    """Raise ValueError for the first argument that is not a positive whole number."""
    require_whole(1, **arguments)


def require_whole(least: int, /, **arguments: int) -> None:
    """Raise ValueError for the first argument that is not a whole number from `least` to `MOST`."""
    for name, value in arguments.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ValueError(f"{name}={value!r}: expected a whole number of at least {least}")
        if value > MOST:
            raise ValueError(f"{name}={value!r}: expected a whole number of at most {MOST}")


def require_rate(name: str, value: float) -> None:
    """Raise ValueError unless `value` is above 0 and finite, such as a learning rate."""
    if not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ValueError(f"{name}={value!r}: expected a number above 0")


def require_one_of(name: str, value: object, allowed: Sequence[object]) -> None:
    """Raise ValueError unless `value` is one of `allowed`."""
    if value not in allowed:
        choices = ", ".join(map(repr, allowed))
        raise ValueError(f"{name}={value!r}: expected one of {choices}")
