"""A run's record: written whole or not at all, read back equal, or refused by name."""

from __future__ import annotations

import builtins
import dataclasses
import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from resnet import files
from resnet.book.recorded import choose, keep_run, recorded
from resnet.training import records
from resnet.training.devices import machine
from resnet.training.records import Run


def make(**changes: Any) -> Run:
    """A record of two epochs over 300 images, in 2 and 3 seconds."""
    row = {
        "step": 3,
        "images": 300,
        "train_loss": 0.7,
        "train_accuracy": 0.5,
        "test_loss": 0.8,
        "test_accuracy": 0.45,
    }
    content: dict[str, Any] = {
        "network": "ResNet-18",
        "data": {
            "name": "Fashion-MNIST",
            "sample": True,
            "canonical": True,
            "train_images": 300,
            "test_images": 100,
            "sha256": "ab",
        },
        "recipe": {"epochs": 2, "lr": 0.1, "image_size": None},
        "seed": 3,
        "rows": [{"epoch": 1, **row}, {"epoch": 2, **row, "step": 6, "test_accuracy": 0.6}],
        "seconds": [2.0, 3.0],
    }
    return Run(**{**content, **changes})


def test_round_trip(tmp_path: Path) -> None:
    """Every field comes back, in a folder that was not there; nothing else stays behind."""
    path = tmp_path / "results" / "run.json"
    run = make(machine={"device": "Größe"}, commit="abc", date="2026-11-01T00:00:00+00:00")
    run.save(path)
    assert dataclasses.asdict(Run.load(path)) == dataclasses.asdict(run)
    assert list(path.parent.iterdir()) == [path]
    json.loads(path.read_text(), parse_constant=pytest.fail)  # plain JSON


def test_equal_is_what_can_be_repeated() -> None:
    """Time and machine are noted, not compared; everything else is."""
    run = make()
    for same in ({"seconds": [9.0, 9.0]}, {"machine": {}}, {"commit": "x"}, {"date": "1999"}):
        assert make(**same) == run
    for other in (
        {"network": "x"},
        {"data": {}},
        {"recipe": {}},
        {"settings": {"precision": "x"}},
        {"seed": 4},
        {"rows": []},
    ):
        assert make(**other) != run


def test_what_a_record_says() -> None:
    run = make(machine={"device": "a CPU"}, date="2026-11-01T12:00:00+00:00")
    assert run.column("test_accuracy") == [0.45, 0.6]
    assert run.images_per_second == 2 * 300 / (2.0 + 3.0)
    assert run.provenance == "sample of Fashion-MNIST, a CPU, 2026-11-01"
    copy = make(data={**run.data, "sample": False, "canonical": False}, machine=run.machine)
    assert copy.provenance.startswith("whole of Fashion-MNIST, a copy, a CPU")


def test_how_a_measurement_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The committed ones do."""
    monkeypatch.setattr(records, "commit", lambda: "0123abc")
    head = records.head("cpu")
    assert head["machine"] == machine("cpu") and head["commit"] == "0123abc"
    assert dt.date.fromisoformat(head["date"]) - dt.datetime.now(dt.UTC).date() <= dt.timedelta(0)
    for path in records.results().glob("why-*.json"):
        found = json.loads(path.read_text())
        assert list(found) == [*head, "rows"] and found["machine"].keys() == head["machine"].keys()


def test_best_row_beside_the_last() -> None:
    run = make()
    assert run.best("test_accuracy") is run.rows[1]
    assert run.best("train_loss") is run.rows[0]  # the first of equals


@pytest.mark.parametrize("schema", range(1, 5))
def test_older_schemas_are_refused(tmp_path: Path, schema: int) -> None:
    """By their number, whatever else they hold."""
    path = tmp_path / "old.json"
    make().save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": schema}))
    told = rf"old\.json is not a run's record: schema {schema}, expected 5$"
    with pytest.raises(ValueError, match=told):
        Run.load(path)


def damaged(change: Callable[[dict[str, Any]], Any]) -> Callable[[str], str]:
    def apply(text: str) -> str:
        content = json.loads(text)
        change(content)
        return json.dumps(content)

    return apply


FIELDS = [field.name for field in dataclasses.fields(Run)]


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda text: "", "Expecting value"),
        (lambda text: text[: len(text) // 2], ""),
        (lambda text: "[1, 2]", ""),
        (lambda text: "3", ""),
        (lambda text: "null", ""),
        (lambda text: "{}", "schema"),
        (damaged(lambda c: c.update(schema=6)), "schema 6, expected 5"),
        (damaged(lambda c: c.update(schema=0)), "schema 0, expected 5"),
        (damaged(lambda c: c.update(schema="5")), "schema 5, expected 5"),
        *[
            (damaged(lambda c, name=name: c["data"].pop(name)), f"data: {name} missing")
            for name in ("name", "sample", "canonical", "train_images", "test_images", "sha256")
        ],
        (damaged(lambda c: c["data"].update(sha256=3)), "sha256 is 3, expected str"),
        (damaged(lambda c: c["data"].update(sample="no")), "sample is 'no', expected bool"),
        (damaged(lambda c: c.update(seed="3")), "seed is '3', expected int"),
        (damaged(lambda c: c.update(rows={})), r"rows is \{\}, expected list"),
        (damaged(lambda c: c.update(network=None)), "network is None, expected str"),
        (damaged(lambda c: c.update(colour=1)), "colour unknown"),
        *[
            (damaged(lambda c, name=name: c["rows"][1].pop(name)), f"a row has no {name}")
            for name in (
                "step",
                "images",
                "train_loss",
                "train_accuracy",
                "test_loss",
                "test_accuracy",
            )
        ],
        (damaged(lambda c: c["rows"][0].update(epoch="one")), "a row's epoch is 'one', expected a"),
        (damaged(lambda c: c["rows"][0].update(step=True)), "a row's step is True, expected a"),
        (damaged(lambda c: c["rows"][0].update(test_loss=None)), "a row's test_loss is None"),
        (damaged(lambda c: c["rows"][0].update(test_loss=float("nan"))), "test_loss is nan"),
        (damaged(lambda c: c["rows"][0].update(train_loss=float("inf"))), "train_loss is inf"),
        (damaged(lambda c: c["rows"][0].update(train_loss=-0.1)), "train_loss is -0.1, expected 0"),
        (damaged(lambda c: c["rows"][0].update(test_accuracy=45.0)), "45.0, expected 0 to 1"),
        (damaged(lambda c: c["rows"][0].update(train_accuracy_clean=1.5)), "1.5, expected 0 to 1"),
        (damaged(lambda c: c["rows"].__setitem__(0, [1, 2])), ""),
        (damaged(lambda c: c["seconds"].pop()), "1 seconds for 2 rows"),
        (damaged(lambda c: c.update(rows=[], seconds=[])), "no rows, and no training that failed"),
        (damaged(lambda c: c.pop("schema")), "schema"),
        (damaged(lambda c: c.update(colour="red")), "colour"),
        *[(damaged(lambda c, name=name: c.pop(name)), f"{name} missing") for name in FIELDS],
    ],
)
def test_damaged_record(tmp_path: Path, damage: Callable[[str], str], why: str) -> None:
    """The file and what is wrong with it; no field is filled with this machine's or today's."""
    path = tmp_path / "run.json"
    make().save(path)
    path.write_text(damage(path.read_text()))
    with pytest.raises(ValueError, match=r"run\.json is not a run's record: .*" + why) as error:
        Run.load(path)
    assert str(error.value).startswith(str(path))


def test_a_failed_training_has_no_rows(tmp_path: Path) -> None:
    run = make(rows=[], seconds=[], measured={"failed": "the loss became nan"})
    run.save(tmp_path / "run.json")
    assert Run.load(tmp_path / "run.json") == run


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_is_not_written(tmp_path: Path, value: float) -> None:
    """JSON has no word for it; the record that was there stays, and nothing else."""
    path = tmp_path / "run.json"
    for before in ([], [path]):
        with pytest.raises(ValueError, match="not JSON compliant"):
            records.write_json(path, {"rows": [{"test_loss": value}]})
        assert list(tmp_path.iterdir()) == before
        records.write_json(path, {"rows": []})
    assert json.loads(path.read_text()) == {"rows": []}


def test_not_text(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(b"\xff\xfe\x80")
    with pytest.raises(ValueError, match=r"run\.json is not a run's record"):
        Run.load(tmp_path / "run.json")


def test_missing_record(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        Run.load(tmp_path / "nowhere.json")


@pytest.mark.parametrize("fault", ["content", "disk", "rename"])
def test_failing_save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """What cannot be written leaves the record that was there, whole."""
    path = tmp_path / "run.json"
    make().save(path)
    before = path.read_text()
    run = make(seed=4)
    if fault == "content":
        run.data["tensor"] = torch.zeros(1)
    else:

        def full(*_args: object, **_options: object) -> None:
            raise OSError("No space left on device")

        owner, name = (builtins, "open") if fault == "disk" else (files.os, "replace")
        monkeypatch.setattr(owner, name, full)
    with pytest.raises((TypeError, OSError)):
        run.save(path)
    monkeypatch.undo()
    assert path.read_text() == before
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]


def test_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The records beside the package, or inside it once installed; by name, or none."""
    package = tmp_path / "resnet"
    package.mkdir()
    monkeypatch.setattr(records, "__file__", str(package / "training" / "records.py"))
    assert recorded("*.json") == []
    for seed in (2, 1):
        make(seed=seed).save(tmp_path / "results" / f"a-{seed}.json")
    make(seed=7).save(tmp_path / "results" / "b-7.json")
    assert [run.seed for run in recorded("a-*.json")] == [1, 2]
    assert [run.seed for run in recorded("*.json")] == [1, 2, 7]
    (tmp_path / "results" / "a-3.json").write_text("{}")
    with pytest.raises(ValueError, match=r"a-3\.json is not a run's record"):
        recorded("a-*.json")
    make(seed=9).save(package / "results" / "a-9.json")
    assert [run.seed for run in recorded("a-*.json")] == [9]


def test_choose() -> None:
    assert choose("quick", quick=1, full=2) == 1
    assert choose("full", quick=1, full=2) == 2
    for wrong in ("Quick", "", None):
        with pytest.raises(ValueError, match=f"^profile={wrong!r}: expected 'quick' or 'full'"):
            choose(wrong, quick=1, full=2)


def test_keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written unless a folder is named."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RESNET_KEEP", raising=False)
    keep_run(make(seed=3), "a")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("RESNET_KEEP", str(tmp_path / "kept"))
    keep_run(make(seed=3), "a")
    assert Run.load(tmp_path / "kept" / "a.json") == make(seed=3)
