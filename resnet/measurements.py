"""Timings and comparisons recorded with the book: `results/bench-*.json` and their like."""

import json
from typing import Any

from resnet.runs import results

ABOUT = ("machine", "commit", "date", "rows")


def measured(pattern: str) -> list[dict[str, Any]]:
    """Return recorded measurements, by name: each its rows, and on what and when they were made.

    Args:
        pattern: of the names in results/, without .json, as in a shell: "bench-d2l-*".

    Raises:
        ValueError: naming the file, if it does not say how it was made.

    """
    found = []
    for path in sorted(results().glob(f"{pattern}.json")):
        try:
            content = json.loads(path.read_text())
            if missing := [key for key in ABOUT if key not in content]:
                raise ValueError(f"{', '.join(missing)} missing")
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path} is no recorded measurement: {error}") from error
        found.append(content)
    return found


def made(measurement: dict[str, Any]) -> str:
    """Say in one line on what a measurement was made, and when."""
    machine = measurement["machine"]
    return (
        f"Recorded {measurement['date']} on {machine['device']}, torch {machine['torch']}, "
        f"commit {measurement['commit']}."
    )
