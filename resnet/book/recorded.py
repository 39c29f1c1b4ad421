"""What a chapter does under its profile, and what was recorded with the book."""

import json
import os
from pathlib import Path
from typing import Any, TypeVar

from resnet.nets import ResNet
from resnet.reproduce.work import slug
from resnet.training.records import Run, results
from resnet.weights import load_weights

T = TypeVar("T")

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


def choose(profile: str, *, quick: T, full: T) -> T:
    """Return what a chapter does under its profile.

    Raises:
        ValueError: if the profile is neither "quick" nor "full".

    """
    if profile not in ("quick", "full"):
        raise ValueError(f"profile={profile!r}: expected 'quick' or 'full'")
    return quick if profile == "quick" else full


def keep_run(run: Run, name: str) -> None:
    """Save a run as NAME.json in the folder that the environment variable RESNET_KEEP names.

    So the runs in results/ were recorded: RESNET_KEEP=results make book. Without the variable
    nothing is kept.
    """
    if folder := os.environ.get("RESNET_KEEP"):
        run.save(Path(folder, f"{name}.json"))


def recorded(pattern: str) -> list[Run]:
    """Return the runs recorded with the book whose file in results/ matches, by name.

    Args:
        pattern: as in a shell, for instance "reproduce/d2l/*.json".

    Raises:
        ValueError: naming the file, if it is no record of this schema.

    """
    return [Run.load(path) for path in sorted(results().glob(pattern))]


def trained(name: str) -> ResNet:
    """Return the network of this name that was trained for the book (`make weights`).

    Raises:
        ValueError: naming the file, if there is none for it.

    """
    return load_weights(results() / "weights" / f"{slug(name)}.safetensors", name)
