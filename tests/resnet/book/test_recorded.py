"""Recorded measurements say how they were made, or are refused."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from resnet import Run, save_weights
from resnet.book import recorded
from resnet.book.recorded import keep_run, made, measured, trained

GOOD = {
    "machine": {"device": "an abacus", "torch": "2"}, "commit": "ab", "date": "2026-11-01",
    "rows": [],
}  # fmt: skip


def test_every_recorded_measurement_is_read() -> None:
    """The pages show these; the seconds of the two commands are on none."""
    for name in ("equality", "bench-networks-*", "bench-d2l-*", "bench-speed-*", "bench-fast-*",
                 "bench-same-epochs-*"):  # fmt: skip
        found = measured(name)
        assert found and all(measurement["rows"] for measurement in found)


def test_nothing_recorded() -> None:
    assert measured("nothing-*") == []


def test_what_a_page_says() -> None:
    assert made(GOOD) == "Recorded 2026-11-01 on an abacus, torch 2, commit ab."


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "Expecting"),
        ("[]", "machine, commit, date, rows missing"),
        ("3", "not iterable"),
        (json.dumps({k: v for k, v in GOOD.items() if k != "commit"}), "commit missing"),
    ],
)
def test_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, why: str) -> None:
    monkeypatch.setattr(recorded, "results", lambda: tmp_path)
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(ValueError, match=f"x.json is no recorded measurement: .*{why}"):
        measured("x")


def test_a_run_is_kept_where_the_variable_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nowhere without it."""
    run = dataclasses.replace(recorded.recorded("reproduce/depth*/*.json")[0], seed=3)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RESNET_KEEP", raising=False)
    keep_run(run, "it")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("RESNET_KEEP", str(tmp_path / "kept"))
    (tmp_path / "kept").mkdir()
    keep_run(run, "it")
    assert Run.load(tmp_path / "kept" / "it.json").seed == 3
    assert [path.name for path in tmp_path.rglob("*.json")] == ["it.json"]


def test_trained_networks_are_read_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With their weights; another network in the file is refused, and so is no file."""
    net = trained("ResNet-20, width 8")
    assert net.name == "ResNet-20, width 8" and not net.training
    assert net.stem.bn.running_var.sub(1).abs().max() > 0.01
    there = tmp_path / "weights"
    there.mkdir()
    save_weights(net, there / "plain-20-width-8.safetensors")
    monkeypatch.setattr(recorded, "results", lambda: tmp_path)
    with pytest.raises(ValueError, match="holds 'ResNet-20, width 8', not 'plain-20, width 8'"):
        trained("plain-20, width 8")
    with pytest.raises(ValueError, match=r"resnet-56-width-8\.safetensors"):
        trained("ResNet-56, width 8")
