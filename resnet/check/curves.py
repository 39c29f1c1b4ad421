"""The recorded training runs of the exercise "What went wrong?": one is right, six have a fault."""

import json
from functools import cache
from pathlib import Path

from resnet.tables import Table

PATH = Path(__file__).with_name("curves.json")  # written by tools/make_curves.py
LETTERS = {
    "A": "labels of other images",
    "B": "too few images",
    "C": "rate too low",
    "D": "rate lowered too early",
    "E": "test images prepared otherwise",
    "F": "rate too high",
}


@cache
def recorded() -> dict[str, dict[str, list[float]]]:
    """Return the losses by "step", "right" and letter, each "train" and "test"."""
    made = json.loads(PATH.read_text(encoding="utf-8"))
    letters = {letter: made["runs"][fault] for letter, fault in LETTERS.items()}
    return {"steps": {"steps": made["steps"]}, "right": made["runs"]["none"], **letters}


def losses() -> Table:
    """Return the losses as a table: a row per ten steps, two columns per training."""
    runs = {name: run for name, run in recorded().items() if name != "steps"}
    header = ["step", *(f"{name} {part}" for name in runs for part in ("train", "test"))]
    columns = [run[part] for run in runs.values() for part in ("train", "test")]
    steps = recorded()["steps"]["steps"]
    rows = [(step, *map("{:.2f}".format, row)) for step, *row in zip(steps, *columns, strict=True)]
    return Table(header, rows)
