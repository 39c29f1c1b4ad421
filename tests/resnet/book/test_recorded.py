"""Recorded measurements say how they were made, or are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from resnet.book import recorded
from resnet.book.recorded import made, measured

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
