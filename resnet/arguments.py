"""Arguments looked at before they are used: errors name the argument and its value."""

from collections.abc import Sequence


def require_positive(**arguments: int) -> None:
    """Raise ValueError for the first argument that is not a positive whole number."""
    for name, value in arguments.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{name}={value!r}: expected a whole number of at least 1")


def require_one_of(name: str, value: object, allowed: Sequence[object]) -> None:
    """Raise ValueError unless `value` is one of `allowed`."""
    if value not in allowed:
        choices = ", ".join(map(repr, allowed))
        raise ValueError(f"{name}={value!r}: expected one of {choices}")
