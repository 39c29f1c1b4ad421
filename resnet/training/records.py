"""What a training run leaves behind: a record that says what ran, on what, with what result."""

import dataclasses
import datetime
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_origin

import torch

from resnet.files import write_whole
from resnet.training.devices import machine
from resnet.training.origin import commit

SCHEMA = 5  # raised when a field changes its meaning
DATA_FIELDS = {
    "name": str, "sample": bool, "canonical": bool, "train_images": int, "test_images": int,
    "sha256": str,
}  # fmt: skip
ROW_FIELDS = ("step", "images", "train_loss", "train_accuracy", "test_loss", "test_accuracy")


def write_json(path: str | Path, content: dict[str, Any]) -> None:
    """Write a record; the file is there whole or not at all.

    Raises:
        ValueError: if a number is not finite, which JSON cannot hold.

    """
    write_whole(Path(path), json.dumps(content, indent=1, allow_nan=False) + "\n")


def head(device: torch.device | str = "cpu") -> dict[str, Any]:
    """Return what the record of a measurement begins with: on what, of which code and when."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return {"machine": machine(device), "commit": commit(), "date": today}


@dataclass
class Run:
    """The record of one training run.

    Two runs are equal when all that can be repeated is equal: `network`, `data`, `recipe`, `seed`,
    `settings` and the `rows`. The machine, the date and the seconds are noted, not compared.

    Attributes:
        network: its name.
        data: what `ImageData.describe` says.
        recipe: the recipe's fields.
        seed: of the order of the images.
        settings: `precision`, `compiled`, `processes`, `sync_bn`, `clean_images`.
        rows: one dict an epoch, or every so many steps: `epoch`, `step`, `images`,
            `train_loss`, `train_accuracy`, `test_loss`, `test_accuracy`; losses in nats,
            accuracies from 0 to 1. With `clean_images` also
            `train_accuracy_clean`, see `fit`.
        seconds: of training, one number per row, evaluation not included.
        measured: what was measured on the trained network besides, by name.
        machine: see `devices.machine`.
        peak_memory: see `devices.peak_memory`.
        command: what was typed, if it was a command.
        commit: see `origin.commit`.
        date: when the record was made, ISO 8601, UTC.

    """

    network: str
    data: dict[str, Any]
    recipe: dict[str, Any]
    seed: int
    rows: list[dict[str, float]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list, compare=False)
    measured: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    machine: dict[str, str] = field(default_factory=machine, compare=False)
    peak_memory: int = field(default=0, compare=False)
    command: str = field(default="", compare=False)
    commit: str = field(default_factory=commit, compare=False)
    date: str = field(
        default_factory=lambda: datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        compare=False,
    )

    def column(self, name: str) -> list[float]:
        """Return one column of the rows, an entry an epoch."""
        return [row[name] for row in self.rows]

    @property
    def images_per_second(self) -> float:
        """Training images per second over all epochs."""
        return sum(self.column("images")) / sum(self.seconds)

    def best(self, column: str) -> dict[str, float]:
        """Return the row with the highest value; the last row, not this one, is the result."""
        return max(self.rows, key=lambda row: row[column])

    @property
    def data_name(self) -> str:
        """Name the data; a sample and a copy are called so."""
        name = self.data["name"].removeprefix("images in ")
        copy = "" if self.data["canonical"] or name.endswith("copy") else ", a copy"
        return f"{'sample of ' * self.data['sample']}{name}{copy}"

    @property
    def provenance(self) -> str:
        """Say in one line on what the run was made."""
        part = "" if self.data["sample"] else "whole of "
        return f"{part}{self.data_name}, {self.machine['device']}, {self.date[:10]}"

    def save(self, path: str | Path) -> None:
        """Write the record as JSON; the file is there whole or not at all."""
        write_json(path, {"schema": SCHEMA, **dataclasses.asdict(self)})

    @classmethod
    def load(cls, path: str | Path) -> "Run":
        """Read a record.

        Raises:
            ValueError: naming the file, if it is no record of this schema.

        """
        try:
            content = json.loads(Path(path).read_text())
            if (schema := content.pop("schema")) != SCHEMA:
                raise ValueError(f"schema {schema}, expected {SCHEMA}")
            fields = [f.name for f in dataclasses.fields(cls)]
            if missing := [name for name in fields if name not in content]:
                raise ValueError(f"{', '.join(missing)} missing")
            if unknown := [name for name in content if name not in fields]:
                raise ValueError(f"{', '.join(unknown)} unknown")
            run = cls(**content)
            _check(run)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path} is not a run's record: {error}") from error
        return run


def _check(run: Run) -> None:
    """Raise ValueError or KeyError unless the fields are what `Run` says."""
    for field_ in dataclasses.fields(Run):
        kind, value = get_origin(field_.type) or field_.type, getattr(run, field_.name)
        if not isinstance(value, kind):  # type: ignore[arg-type]
            raise ValueError(f"{field_.name} is {value!r}, expected {kind.__name__}")  # type: ignore[union-attr]
    if missing := [name for name in DATA_FIELDS if name not in run.data]:
        raise ValueError(f"data: {', '.join(missing)} missing")
    for name, kind in DATA_FIELDS.items():
        if not isinstance(run.data[name], kind):
            raise ValueError(f"data: {name} is {run.data[name]!r}, expected {kind.__name__}")
    if not run.rows and "failed" not in run.measured:
        raise ValueError("it has no rows, and no training that failed")
    if len(run.seconds) != len(run.rows):
        raise ValueError(f"{len(run.seconds)} seconds for {len(run.rows)} rows")
    for row in run.rows:
        if missing := [name for name in ROW_FIELDS if name not in row]:
            raise ValueError(f"a row has no {', '.join(missing)}")
        for name, value in row.items():
            most = 1 if "accuracy" in name else math.inf
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"a row's {name} is {value!r}, expected a number")
            if not (0 <= value <= most and math.isfinite(value)):
                raise ValueError(f"a row's {name} is {value!r}, expected 0 to {most}")


def results() -> Path:
    """Return the folder of what was recorded with the book: in its checkout, or in the package."""
    here = Path(__file__).parents[1]
    return next((f for f in (here / "results", here.parent / "results") if f.is_dir()), here)
