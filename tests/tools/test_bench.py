"""The benches: what they hand to D2L's loop, and what they record."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torchvision.datasets import FashionMNIST

import resnet
from resnet.training.batches import Batches
from tools.bench import __main__ as command
from tools.bench import accuracy, book, networks
from tools.bench import d2l as bench_d2l

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def few() -> resnet.ImageData:
    return resnet.load_data("fashion-mnist", sample=True).first(train=20, test=10)


def test_d2l_finds_these_images(few: resnet.ImageData) -> None:
    """torchvision reads them as Fashion-MNIST from ../data, as d2l asks it to, and fetches none."""
    before = Path.cwd()
    with bench_d2l.d2l_folder(few):
        for train, images, labels in (
            (True, few.train_images, few.train_labels),
            (False, few.test_images, few.test_labels),
        ):
            found = FashionMNIST(root="../data", train=train, download=True)
            assert torch.equal(found.data, images[:, 0])
            assert torch.equal(found.targets, labels)
    assert Path.cwd() == before


def test_the_clock_runs_from_the_first_batch_to_the_end_of_the_last_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither the loader's start nor its end counts."""
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    class Slow:
        def __len__(self) -> int:
            return 2

        def __iter__(self) -> Iterator[int]:
            now[0] += 50  # to start
            yield 1
            now[0] += 1  # to fetch
            yield 2
            now[0] += 500  # to end

    timed = bench_d2l.Timed(Slow(), CPU)
    assert len(timed) == 2
    for _ in timed:
        now[0] += 10  # a step
    assert timed.seconds == 21


def test_time_to_the_first_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    def batches() -> Iterator[int]:
        now[0] += 3
        try:
            yield 1
        finally:
            now[0] += 100

    assert bench_d2l.seconds_to_first(batches()) == 3


def test_prepared_batches_are_d2ls(few: resnet.ImageData) -> None:
    """Pairs, channel by channel in memory."""
    recipe = resnet.Recipe(epochs=1, batch_size=8, lr=0.1, image_size=12)
    loader = bench_d2l.Prepared(Batches(few, recipe, CPU))
    batches = list(loader)
    assert len(loader) == len(batches) == 3
    assert [len(y) for _, y in batches] == [8, 8, 4]
    assert all(x.shape[1:] == (1, 12, 12) and x.is_contiguous() for x, _ in batches)


@pytest.mark.parametrize("channels_last", [False, True])
def test_the_loop_trains(
    few: resnet.ImageData, monkeypatch: pytest.MonkeyPatch, channels_last: bool
) -> None:
    """One epoch of gradient steps, whatever makes it fast."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 10))
    before = net[1].weight.detach().clone()
    monkeypatch.setattr(resnet, "resnet18", lambda *_: net)
    batches = Batches(few, resnet.Recipe(epochs=1, batch_size=8, lr=0.1), CPU)
    seconds = bench_d2l.loop(
        batches, 0.1, channels_last=channels_last, precision="float32", fused=True
    )
    assert seconds > 0 and not torch.equal(net[1].weight, before)


def test_d2l_record(few: resnet.ImageData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Speeds are ratios of the same round; the first round is not counted, each other recorded.

    A variant that fails is told of, and costs none of the others.
    """
    seconds = {
        "d2l": iter([9.0, 2.0, 4.0]), "broken": iter(()), "fit": iter([9.0, 1.0, 1.0])
    }  # fmt: skip
    monkeypatch.setattr(
        bench_d2l, "variants", lambda *_: {n: lambda n=n: next(seconds[n]) for n in seconds}
    )
    monkeypatch.setattr(command, "RESULTS", tmp_path)
    monkeypatch.setattr(bench_d2l, "ceiling", lambda _, p: 1e12 if p == "float32" else 4e12)
    monkeypatch.setattr(bench_d2l, "pick_precision", lambda *_: "bfloat16")
    monkeypatch.setattr(bench_d2l, "d2l_data", lambda _: ([1], [1]))
    monkeypatch.setattr(resnet, "load_data", lambda *_: few)
    monkeypatch.setattr(resnet, "D2L", resnet.Recipe(epochs=1, batch_size=4, lr=0.1))
    written: list[dict[str, Any]] = []
    write = command.write_json
    monkeypatch.setattr(
        command,
        "write_json",
        lambda path, content: (written.append(copy.deepcopy(content)), write(path, content)),
    )
    command.main(["d2l", "--device", "cpu", "--steps", "5", "--rounds", "2"])
    assert [content["rounds"] for content in written] == [1, 2]
    assert [row["speed_over_d2l"] for row in written[0]["rows"]] == [[1, 1, 1], [2, 2, 2]]
    content = json.loads((tmp_path / "bench-d2l-cpu.json").read_text())
    d2l, fit = content["rows"]
    assert content["failed"] == [{"variant": "broken", "error": "StopIteration: "}]
    assert d2l["speed_over_d2l"] == [1, 1, 1]
    assert fit["speed_over_d2l"] == [2.0, 3.0, 4.0]
    assert [row["precision"] for row in content["rows"]] == ["float32", "bfloat16"]
    assert fit["share_of_ceiling"] / d2l["share_of_ceiling"] == pytest.approx(
        fit["images_per_second"] / d2l["images_per_second"] / 4, abs=0.2
    )
    assert content["seconds_to_first_batch"] >= 0
    assert fit["images_per_second"] == 20 and fit["seconds_per_epoch_of_60000"] == 3000
    assert content["machine"]["device"] and content["data"]["name"] == "Fashion-MNIST"


@pytest.mark.parametrize("options", [["--steps", "4"], ["--steps", "0"], ["--rounds", "0"]])
def test_too_few_steps(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["d2l", *options])
    assert ended.value.code == 2 and "--steps 5 or more" in capsys.readouterr().err


def test_fast_records_every_seed(
    few: resnet.ImageData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accuracy, "RESULTS", tmp_path)
    monkeypatch.setattr(resnet, "load_data", lambda *_: few)
    monkeypatch.setattr(resnet, "FAST", resnet.Recipe(epochs=2, batch_size=10, lr=0.01))
    first, found = map(copy.deepcopy, accuracy.fast(CPU, 2))
    assert len(first["rows"]) == 1  # a record after each seed
    assert [row["seed"] for row in found["rows"]] == list(accuracy.FAST_SEEDS[:2])
    accuracies = []
    for row in found["rows"]:
        run = resnet.Run.load(tmp_path / f"fast-resnet8-cpu-seed{row['seed']}.json")
        assert row["test_accuracy"] == run.rows[-1]["test_accuracy"] and len(run.rows) == 2
        assert row["seconds_in_all"] >= row["seconds_of_training"] - 0.01
        accuracies.append(row["test_accuracy"])
    assert found["mean_test_accuracy"] == pytest.approx(sum(accuracies) / 2, abs=1e-5)


def test_a_record_of_seeds_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On --resume with those that are there, unless they are of another commit."""
    asked: list[Any] = []

    def same(device: torch.device, rows: Any = (), **_: Any) -> Iterator[dict[str, Any]]:
        asked.append(list(rows))
        yield {"rows": [*rows, {"seed": len(rows)}]}

    monkeypatch.setattr(command, "RESULTS", tmp_path)
    monkeypatch.setitem(command.BENCHES, "same", ("same-{}", same))
    for options in ([], ["--resume"], []):
        command.main(["same", "--device", "cpu", *options])
    assert asked == [[], [{"seed": 0}], []]
    monkeypatch.setattr("resnet.training.records.commit", lambda: "another")
    command.main(["same", "--device", "cpu", "--resume"])
    assert asked[-1] == []


def test_seeds_that_are_there_are_not_trained_again(
    few: resnet.ImageData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resnet, "load_data", lambda *_: few)
    monkeypatch.setattr(resnet, "D2L", resnet.Recipe(epochs=1, batch_size=4, lr=0.1))
    monkeypatch.setattr(torch.utils.data, "DataLoader", one_process(torch.utils.data.DataLoader))
    done = [{"seed": 0, "d2l": 0.5, "fit": 0.7}]
    options = {"epochs": 1, "image_size": 32, "images": 20, "rows": done}
    assert list(accuracy.same(CPU, 1, **options)) == []


def test_both_loops_start_from_the_same_weights(
    few: resnet.ImageData, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a step too small to move a weight, both end with the same ones; each seed has others."""
    made: list[nn.Module] = []

    class Net(nn.Sequential):
        def __init__(self, *_: Any) -> None:
            super().__init__(nn.Flatten(), nn.Linear(64, 10))
            made.append(self)

    monkeypatch.setattr(resnet, "load_data", lambda *_: few)
    monkeypatch.setattr(resnet, "resnet18", Net)
    monkeypatch.setattr(resnet, "D2L", resnet.Recipe(epochs=1, batch_size=4, lr=1e-12))
    monkeypatch.setattr(torch.utils.data, "DataLoader", one_process(torch.utils.data.DataLoader))
    first, found = map(copy.deepcopy, accuracy.same(CPU, 2, epochs=1, image_size=8, images=20))
    assert found["rows"][:1] == first["rows"]
    weights = [net[1].weight for net in made]
    assert torch.equal(weights[0], weights[1]) and torch.equal(weights[2], weights[3])
    assert not torch.equal(weights[0], weights[2])
    assert [row["d2l"] for row in found["rows"]] == [row["fit"] for row in found["rows"]]
    assert found["recipe"]["image_size"] == 8


def one_process(loader: type) -> Any:
    """D2L's loader without processes of its own, which a test need not wait for."""
    return lambda *args, **options: loader(*args, **{**options, "num_workers": 0})


def test_the_two_commands_are_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[tuple[str, ...]] = []

    def timed(*command: str) -> float:
        commands.append(command)
        return 1.5

    monkeypatch.setattr(command, "RESULTS", tmp_path)
    monkeypatch.setattr(book, "BUILD", tmp_path)
    monkeypatch.setattr(book, "timed", timed)
    command.main(["book", "--device", "cpu"])
    record = json.loads((tmp_path / "bench-book.json").read_text())
    assert {"machine", "commit", "date", "versions", "seconds"} == set(record)
    assert len(record["seconds"]) == len(commands) == 3
    assert commands[-1][:2] == ("make", "test")


def test_networks_that_fail_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def compare(depth: int, *_: Any, compiled: bool) -> Iterator[dict[str, Any]]:
        if depth == 18:
            raise RuntimeError("no compiler\nhere")
        yield {
            "network": "ResNet-50", "what": "", "images_per_second": 1.0, "time_ratio": 1.0,
            "time_ratio_quartiles": [1.0, 1.0], "memory_ratio": 1.0,
        }  # fmt: skip

    monkeypatch.setattr(networks, "compare", compare)
    *_, record = networks.bench(CPU, 2, 33, eager=True)
    assert len(record["rows"]) == 1
    told = "RuntimeError: no compiler"
    assert record["failed"] == [{"network": "ResNet-18", "compiled": False, "error": told}]


def test_networks_bench_measures_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rows it promises, at a size that takes no time; equal networks keep equal memory."""
    monkeypatch.setattr(command, "RESULTS", tmp_path)
    monkeypatch.setattr(networks, "PAIRS", 2)
    command.main(["networks", "--device", "cpu", "--eager", "--batch", "2", "--size", "33"])
    record = json.loads((tmp_path / "bench-networks-cpu.json").read_text())
    assert record["input"] == [2, 3, 33, 33] and record["precision"] == "float32"
    assert [(row["network"], row["what"]) for row in record["rows"]] == [
        (f"ResNet-{depth}", what)
        for depth in (18, 50)
        for what in ("forward", "forward and backward")
    ]
    assert all(row["memory_ratio"] == 1 and row["time_ratio"] > 0 for row in record["rows"])
    assert capsys.readouterr().out.count("images/s") == 4
