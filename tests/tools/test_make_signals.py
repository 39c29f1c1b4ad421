"""The measurements of chapter 6: what their rows say, with few and small networks."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import resnet
from resnet.book.recorded import measured
from resnet.measure import refresh_statistics
from resnet.probe import gradient_correlation, growth, units
from tools import make_signals as signals


def test_rows_are_of_the_networks_that_they_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "SEEDS", range(2))
    monkeypatch.setattr(signals, "LINE", [("plain", ""), ("ResNet", "dropout")])
    monkeypatch.setattr(signals, "results", lambda: tmp_path)
    signals.main(["line"])
    rows: list[dict[str, Any]] = json.loads((tmp_path / "why-line.json").read_text())["rows"]
    assert [row["network"] for row in rows] == [
        "plain-20", "plain-56", "plain-110",
        "ResNet-20, dropout", "ResNet-56, dropout", "ResNet-110, dropout",
    ]  # fmt: skip
    assert [row["units"] for row in rows] == [9, 27, 54, 9, 27, 54]
    images, labels = signals.sample(64)
    expected = [growth(signals.make("plain-20", seed), images, labels) for seed in range(2)]
    assert rows[0]["growth"] == pytest.approx(expected, rel=1e-4)


def test_a_factor_is_on_every_shortcut_and_on_nothing_else() -> None:
    """With 1 nothing changes; with 0 the network is the plain one with the same weights."""
    images, labels = signals.sample(8)
    torch.manual_seed(0)
    plain = resnet.cifar_resnet(20, in_channels=1, preact=True, shortcut=None)
    names = {0.0: plain, 1.0: signals.make("pre-activation ResNet-20", 0)}
    for factor, expected in names.items():
        found = signals.scaled(signals.make("pre-activation ResNet-20", 0), factor)
        found.load_state_dict(expected.state_dict())
        assert growth(found, images, labels) == pytest.approx(
            growth(expected, images, labels), rel=1e-4
        )
    half = signals.scaled(signals.make("pre-activation ResNet-20", 0), 0.5)
    unit = units(half)[1]
    x = torch.randn(2, 16, 8, 8)
    torch.testing.assert_close(unit(x) - 0.5 * x, unit.branch(unit.before(x)))


def test_distances_are_shares_of_each_layers_norm() -> None:
    start, end = signals.make("plain-8", 0), signals.make("plain-8", 0)
    with torch.no_grad():
        end.stage2[0].branch.conv1.weight.mul_(1.5)  # type: ignore[union-attr, operator, index]
    found = signals.distances(start, end)
    assert len(found) == 7 and sorted(found) == pytest.approx([0] * 6 + [0.5])
    assert found.index(max(found)) == 3


@pytest.mark.parametrize("what", ["growth", "line", "factors", "shattering"])
def test_records_are_whole(what: str) -> None:
    """From a clean checkout, with a value for each seed."""
    (record,) = measured(f"why-{what}")
    assert not record["commit"].endswith("-dirty")
    for row in record["rows"]:
        lists = [v for v in row.values() if isinstance(v, list)]
        assert all(len(found) == len(signals.SEEDS) for found in lists), row["network"]


def test_what_is_recorded_is_what_is_measured_now() -> None:
    """On the smallest networks, with the first seed."""
    records = {what: measured(f"why-{what}")[0]["rows"] for what in ("growth", "line")}
    for name in ("plain-20", "ResNet-20", "pre-activation ResNet-20"):
        for what, batch in (("growth", 32), ("line", 64)):
            (row,) = (
                row for row in records[what]
                if row["network"] == name and row.get("batch", batch) == batch
            )  # fmt: skip
            now = growth(signals.make(name, 0), *signals.sample(batch))
            assert row["growth"][0] == pytest.approx(now, rel=0.01)
    for row in measured("why-factors")[0]["rows"]:
        if row["units"] == 9:
            net = signals.scaled(signals.make("pre-activation ResNet-20", 0), row["factor"])
            assert row["growth"][0] == pytest.approx(growth(net, *signals.sample(64)), rel=0.01)
    (shattered,) = measured("why-shattering")
    (row,) = (row for row in shattered["rows"] if row["network"] == "ResNet-20")
    images, _ = signals.sample(128)
    net = signals.make("ResNet-20", 0)
    refresh_statistics(net, [images])
    now_alike = gradient_correlation(net, images[0], images[1])
    assert row["correlation"][0][:20] == pytest.approx(now_alike[:20], abs=0.01)
