"""Every network of both papers equals an independent implementation; the table is printed."""

from __future__ import annotations

import json

import equality
import pytest

from resnet.tables import Table

TOLERANCE = 1e-5  # relative, float32


def test_networks_equal_their_references(capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(equality.rows())
    table = Table(
        ["network", "reference", "scores", "gradients"],
        [(*row[:2], f"{row.scores:.1e}", f"{row.gradients:.1e}") for row in rows],
    )
    with capsys.disabled():
        print(f"\nLargest relative differences, float32\n{table}")
    assert all(row.scores < TOLERANCE and row.gradients < TOLERANCE for row in rows)
    recorded = json.loads(equality.RECORD.read_text(encoding="utf-8"))["rows"]
    assert [(r["network"], r["reference"]) for r in recorded] == [row[:2] for row in rows], (
        "results/equality.json lists other comparisons; run `make record`"
    )
    assert all(max(r["scores"], r["gradients"]) < TOLERANCE for r in recorded)


def test_a_moved_stride_shows() -> None:
    row = equality.with_torchvision(50, stride_on="1x1")
    assert row.scores > 1e-2 and row.gradients > 1e-2
