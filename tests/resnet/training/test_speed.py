"""resnet.training.speed: what it measures, on networks small enough to be quick."""

from __future__ import annotations

import time
from typing import Any

import pytest
import torch
from torch import nn

import resnet
from resnet import ImageData, Recipe, Run
from resnet.training import speed as bench
from resnet.training.devices import Precision
from resnet.training.speed import NETWORKS, ceiling, noise, speed, speeds

CPU = torch.device("cpu")


def test_ceiling_counts_two_operations_a_multiply_add(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a clock on which every product takes a second, the largest matrix gives the ceiling."""
    ticks = iter(float(i) for i in range(1000))
    monkeypatch.setattr(time, "perf_counter", lambda: next(ticks))
    monkeypatch.setattr(torch, "rand", lambda n, _, device: torch.zeros(2, 2))
    assert ceiling(CPU, "float32") == 2 * 4096**3


@pytest.mark.parametrize(
    ("precision", "dtype"), [("bfloat16", torch.bfloat16), ("float32", torch.float32)]
)
def test_ceiling_of_each_precision(
    precision: Precision, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Matrix:
        def to(self, given: torch.dtype) -> Matrix:
            asked.append(given)
            return self

        def __matmul__(self, other: Matrix) -> None:
            pass

    asked: list[torch.dtype] = []
    monkeypatch.setattr(torch, "rand", lambda *_, device: Matrix())
    assert ceiling(CPU, precision) > 0
    assert set(asked) == {dtype}


def test_noise_is_a_data_set() -> None:
    data = noise(30, 3, 8)
    assert data.train_images.shape == (30, 3, 8, 8) and data.channels == 3
    assert data.train_labels.bincount().tolist() == [3] * 10
    assert data.digest == noise(30, 3, 8).digest


@pytest.mark.parametrize(("name", "channels"), [("ResNet-18", 1), ("ResNet-20", 3)])
def test_networks(name: str, channels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Grey images as in D2L's training, colour as in CIFAR-10, ten classes; by their names."""
    made: list[resnet.nets.ResNet] = []

    def measured(model: resnet.nets.ResNet, *_: Any, **options: Any) -> dict[str, Any]:
        made.append(model)
        return {"operations_per_second": 1.0}

    monkeypatch.setattr(bench, "speed", measured)
    monkeypatch.setattr(bench, "ceiling", lambda *_: 1.0)
    rows = list(speeds(CPU, ["float32"], names=[name]))
    assert name in [name for name, *_ in NETWORKS]
    for net, row in zip(made, rows, strict=True):
        assert net.in_channels == channels == row["input"][1]
        assert net.name == name == row["network"]
        assert net.fc.out_features == 10


def test_speed_is_of_epochs_after_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """20 images per epoch in 3 s, the median of three; the first took 99 s longer than the best."""
    asked: list[Any] = []

    def fitted(model: nn.Module, data: ImageData, recipe: Recipe, **options: Any) -> Run:
        asked.append((len(data.train_labels), recipe.epochs, recipe.batch_size, options))
        seconds = [100.0, 1.0, 3.0, 4.0]
        return Run("a net", data.describe(), recipe.describe(), 0, seconds=seconds)

    monkeypatch.setattr(bench, "fit", fitted)
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 10, bias=False))
    net.in_channels = 1
    found = speed(net, 4, 10, device=CPU, precision="float32", compiled=True, steps=2)
    assert found["images_per_second"] == pytest.approx(20 / 3, abs=0.05)
    assert found["warm_up_seconds"] == 99
    # two operations for each of 160 multiply-adds, forward and twice backward
    assert found["operations_per_second"] == pytest.approx(6 * 160 * 20 / 3)
    options = {
        "device": CPU, "precision": "float32", "compiled": True, "graph": True, "progress": False
    }  # fmt: skip
    assert asked == [(20, 4, 10, options)]


def test_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled in the first precision only; the share is against that precision's ceiling."""
    asked: list[Any] = []

    def measured(model: nn.Module, side: int, batch_size: int, **options: Any) -> dict[str, Any]:
        asked.append(
            (model.name, side, batch_size, options.pop("precision"), options.pop("compiled"))
        )
        assert options == {"device": CPU, "steps": 4}
        return {"images_per_second": 1.0, "warm_up_seconds": 0.0, "operations_per_second": 2e9}

    monkeypatch.setattr(bench, "speed", measured)
    monkeypatch.setattr(bench, "ceiling", lambda _, p: 8e9 if p == "bfloat16" else 4e9)
    rows = list(speeds(CPU, ["bfloat16", "float32"], names=["ResNet-20"]))
    assert asked == [
        ("ResNet-20", 32, 128, "bfloat16", False),
        ("ResNet-20", 32, 128, "bfloat16", True),
        ("ResNet-20", 32, 128, "float32", False),
    ]
    assert [row["share_of_ceiling"] for row in rows] == [0.25, 0.25, 0.5]
    assert rows[0]["input"] == [128, 3, 32, 32]
    assert "operations_per_second" not in rows[0]


def test_a_measurement_that_fails_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(model: nn.Module, *_: Any, compiled: bool, **__: Any) -> dict[str, Any]:
        if compiled:
            raise RuntimeError("no compiler")
        return {"operations_per_second": 1.0}

    monkeypatch.setattr(bench, "speed", measured)
    monkeypatch.setattr(bench, "ceiling", lambda *_: 1.0)
    eager, compiled = speeds(CPU, ["float32"], names=["ResNet-20"])
    assert "error" not in eager and eager["share_of_ceiling"] == 1
    assert compiled["compiled"] and compiled["error"] == "RuntimeError: no compiler"


def test_of_an_error_the_first_line_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.failure(ValueError("one\ntwo"), of="a") == {"of": "a", "error": "ValueError: one"}
    assert capsys.readouterr().out == "a, ValueError: one\n"
    assert bench.failure(KeyError())["error"] == "KeyError: "


def test_noise_trains() -> None:
    found = speed(
        resnet.cifar_resnet(8), 8, 4, device=CPU, precision="float32", compiled=False, steps=1,
        repeats=1,
    )  # fmt: skip
    assert found["images_per_second"] > 0


@pytest.mark.parametrize("steps", [0, -1])
def test_wrong_steps(steps: int) -> None:
    with pytest.raises(ValueError, match=f"steps={steps}"):
        next(speeds(CPU, ["float32"], steps=steps))
