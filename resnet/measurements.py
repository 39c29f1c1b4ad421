"""Timings and comparisons recorded with the book: `results/bench-*.json` and their like."""

import json
from typing import Any

from resnet.runs import results

ABOUT = ("machine", "commit", "date", "rows")


def measured(name: str) -> dict[str, Any]:
    """Return a recorded measurement: its rows, and on what and when they were made.

    Args:
        name: of the file in results/, without .json.

    Raises:
        ValueError: naming the file, if it is not there or does not say how it was made.

    """
    path = results() / f"{name}.json"
    try:
        content: dict[str, Any] = json.loads(path.read_text())
        if missing := [key for key in ABOUT if key not in content]:
            raise ValueError(f"{', '.join(missing)} missing")
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(f"{path} is no recorded measurement: {error}") from error
    return content


def made(measurement: dict[str, Any]) -> str:
    """Say in one line on what a measurement was made, and when."""
    machine = measurement["machine"]
    return (
        f"Recorded {measurement['date']} on {machine['device']}, torch {machine['torch']}, "
        f"commit {measurement['commit']}."
    )
