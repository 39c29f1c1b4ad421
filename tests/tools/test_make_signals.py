"""The measurements of chapter 6: what their rows say, with few and small networks."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch

import resnet
from resnet.book import recorded
from resnet.book.recorded import measured
from resnet.data import ImageData, load_data
from resnet.measure import refresh_statistics
from resnet.probe import gradient_correlation, growth, step_gain, swapped, units, without
from resnet.training.loop import evaluate
from resnet.training.recipes import SMALL
from resnet.variants import network
from resnet.weights import load_weights, save_weights
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


def test_lesions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of networks kept as weights; each change is undone before the next."""
    (tmp_path / "weights").mkdir()
    torch.manual_seed(1)
    file = tmp_path / "weights" / "plain-20-width-8.safetensors"
    save_weights(network("plain-20, width 8", 10, 1), file)
    sample = load_data("fashion-mnist", sample=True)
    assert isinstance(sample, ImageData)
    few = dataclasses.replace(
        sample, test_images=sample.test_images[:100], test_labels=sample.test_labels[:100]
    )
    monkeypatch.setattr(signals, "load_data", lambda name: few)
    monkeypatch.setattr(signals, "FORMS", ("plain",))
    monkeypatch.setattr(signals, "DEPTHS", (20,))
    monkeypatch.setattr(signals, "STATISTICS", 64)
    monkeypatch.setattr(signals, "results", lambda: tmp_path)
    monkeypatch.setattr(recorded, "results", lambda: tmp_path)
    signals.main(["lesions"])
    rows = json.loads((tmp_path / "why-lesions.json").read_text())["rows"]
    assert {row["network"] for row in rows} == {"plain-20, width 8"}
    removed = [row["units"] for row in rows if row["change"] == "removed"]
    assert removed[:8] == [[], [0], [1], [2], [4], [5], [7], [8]]
    assert [len(chosen) for chosen in removed[8:]] == 10 * [2] + 10 * [5]
    pairs = [row["units"] for row in rows if row["change"] == "swapped"]
    assert sorted(pairs) == [[0, 1], [0, 2], [1, 2], [4, 5], [7, 8]]
    net = load_weights(file)
    for row in (rows[-20], rows[-1], rows[0], rows[5]):  # in any order
        change = (
            swapped(net, *row["units"])
            if row["change"] == "swapped"
            else without(net, row["units"])
        )
        with change:
            accuracy = evaluate(net, few, SMALL, device="cpu", precision="float32").accuracy
        assert row["error"] == pytest.approx(100 - 100 * accuracy)


def test_first_steps_are_those_of_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "TRAINED", ("plain-8, width 8",))
    monkeypatch.setattr(signals, "FIRST", ((0, True), (1, True), (1, False)))
    monkeypatch.setattr(
        signals, "load_data", lambda name, sample=True: load_data("fashion-mnist", sample=True)
    )
    rows = list(signals.first_steps())
    assert [row["rate"] for row in rows] == [0.01, 0.01, 0.1] * 2
    assert set(rows[0]["moved"]) == {0.0}
    assert rows[2]["moved"] == pytest.approx([10 * m for m in rows[1]["moved"]], rel=0.01)
    images, labels = signals.sample(128)
    assert rows[0]["growth"] == pytest.approx(
        growth(signals.make("plain-8, width 8", 0), images, labels), rel=1e-4
    )
    for key, length in (("agreement", 7), ("moved", 7), ("scales", 7), ("correlation", 5)):
        assert all(len(row[key]) == length for row in rows)


@pytest.mark.parametrize("what", ["growth", "line", "factors", "shattering"])
def test_records_are_whole(what: str) -> None:
    """From a clean checkout, with a value for each seed."""
    (record,) = measured(f"why-{what}")
    assert not record["commit"].endswith("-dirty")
    for row in record["rows"]:
        lists = [v for v in row.values() if isinstance(v, list)]
        assert all(len(found) == len(signals.SEEDS) for found in lists), row["network"]


def test_trained_networks_were_measured_whole() -> None:
    """From clean checkouts: each network, seed and step; each lesion that the plan has."""
    (during,), (lesions,) = measured("why-training"), measured("why-lesions")
    assert not during["commit"].endswith("-dirty") and not lesions["commit"].endswith("-dirty")
    assert [(r["network"], r["seed"], r["steps"], r["rate"] == 0.1) for r in during["rows"]] == [
        (name, seed, steps, steps == 1000 or not warm_up)
        for name in signals.TRAINED
        for seed in signals.SEEDS[:2]
        for steps, warm_up in signals.FIRST
    ]
    for depth, count in ((20, 33), (56, 66)):  # whole, single, ten each of several, swapped
        for form in signals.FORMS:
            name = f"{form}-{depth}, width 8"
            assert sum(row["network"] == name for row in lesions["rows"]) == count


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


def test_gains_are_of_the_trained_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "STEPPED", ("ResNet-8, width 8",))
    monkeypatch.setattr(signals, "MOMENTS", (1, 3))
    monkeypatch.setattr(signals, "RATES", (0.01, 0.1))
    monkeypatch.setattr(
        signals, "load_data", lambda name, sample=True: load_data("fashion-mnist", sample=True)
    )
    monkeypatch.setattr(signals, "results", lambda: tmp_path)
    signals.main(["gains"])
    rows = json.loads((tmp_path / "why-gains.json").read_text())["rows"]
    assert [(row["seed"], row["steps"]) for row in rows] == [(1, 1), (1, 3), (2, 1), (2, 3)]
    net = signals.training_run("ResNet-8, width 8", 2, 3)
    images, labels = signals.sample(256)
    loss = torch.nn.functional.cross_entropy(net(images), labels).item()
    assert rows[-1]["loss"] == pytest.approx(loss, rel=1e-4)
    (small, large) = rows[-1]["gains"]
    assert (small["rate"], large["rate"]) == (0.01, 0.1)
    assert large["predicted"] == pytest.approx(10 * small["predicted"], rel=1e-3)
    expected = step_gain(net, images, labels, 0.1)
    assert large["together"] == pytest.approx(expected.together, rel=1e-2, abs=1e-4)
