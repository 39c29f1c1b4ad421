"""What runs on a GPU, on a simulated one; and faults, planted to see that it shows them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from simulated_gpu import Graph, SimulatedGpu
from torch import Tensor, nn

import resnet
import resnet.__main__ as commands
from resnet import ImageData, Recipe, Run
from resnet.training import loop
from resnet.training.batches import Batches, prepare
from resnet.training.state import State
from resnet.training.step import GraphStep, Step, is_repeatable
from resnet.variants import network

FIELDS: dict[str, Any] = {"steps": 8, "batch_size": 8, "lr": 0.1, "milestones": (5,), "pad": 1}
RECIPE = Recipe(**FIELDS, momentum=0.9, weight_decay=1e-3, flip=True, image_size=8)


@pytest.fixture
def gpu() -> Iterator[SimulatedGpu]:
    torch.set_num_threads(1)
    with SimulatedGpu() as simulated:
        yield simulated


@pytest.fixture(scope="module")
def few() -> ImageData:
    """44 images: five batches of 8, and one of 4."""
    return resnet.load_data("fashion-mnist", sample=True).first(train=44, test=20)


def fit(data: ImageData, name: str = "ResNet-8, width 4", **options: Any) -> tuple[Run, nn.Module]:
    torch.manual_seed(0)
    model = network(name, 10, 1)
    how = {"recipe": RECIPE, "row_steps": 3, "precision": "float32", "progress": False} | options
    return resnet.fit(model, data, **how), model


def same_weights(a: nn.Module, b: nn.Module) -> bool:
    """Of two models, weights and buffers, wherever they are."""
    pairs = zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    return all(torch.equal(x.cpu(), y.cpu()) for x, y in pairs)


def waits_a_step(gpu: SimulatedGpu, monkeypatch: pytest.MonkeyPatch, data: ImageData) -> list[str]:
    """What the host waits for between the ends of two steps, the batch included."""
    marks: list[dict[str, int]] = []
    call = Step.__call__

    def marked(self: Step, *args: Any) -> None:
        call(self, *args)
        marks.append(dict(gpu.waits))

    monkeypatch.setattr(Step, "__call__", marked)
    fit(data, recipe=dataclasses.replace(RECIPE, subtract_mean=True), row_steps=8)
    steps = marks[1:5]  # of one epoch
    assert len(marks) == 8
    return [name for name in steps[-1] if steps[-1][name] != steps[0].get(name)]


# ---- the simulation ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (lambda a, b: a + b, "same device"),
        (lambda a, b: b[a.long()], "same device"),
        (lambda a, b: nn.Linear(3, 2).to("cuda")(b), "same device"),
        (lambda a, b: a.numpy(), "can't convert cuda:0"),
        (lambda a, b: torch.rand(2, device="cuda", generator=torch.Generator()), "generator"),
    ],
)
def test_mixing_devices_is_an_error(
    gpu: SimulatedGpu, fault: Callable[[Tensor, Tensor], Any], told: str
) -> None:
    with pytest.raises((RuntimeError, TypeError), match=told):
        fault(torch.ones(3, device="cuda"), torch.ones(3))


@pytest.mark.parametrize(
    "wait",
    [
        lambda a: a.sum().item(), lambda a: a.tolist(), lambda a: a.cpu(), lambda a: a[a > 0],
        lambda a: a.nonzero(), lambda a: torch.ones(3).to("cuda"), lambda a: bool(a.sum() > 0),
        lambda a: a[torch.tensor([0, 1])],
    ],
)  # fmt: skip
def test_waiting_is_noted_and_forbidden_in_a_capture(
    gpu: SimulatedGpu, wait: Callable[[Tensor], Any]
) -> None:
    a = torch.ones(3, device="cuda")
    before = gpu.waits.total()
    wait(a)
    assert gpu.waits.total() > before
    with pytest.raises(RuntimeError, match="capturing"), torch.cuda.graph(torch.cuda.CUDAGraph()):
        wait(a)


def test_a_graph_works_on_fixed_memory(gpu: SimulatedGpu) -> None:
    graph, x, total = torch.cuda.CUDAGraph(), torch.ones(2, device="cuda"), torch.zeros(2).cuda()
    with torch.cuda.graph(graph):
        total += x * 3
    assert total.tolist() == [0, 0]
    graph.replay()
    x.fill_(2.0)
    graph.replay()
    assert total.tolist() == [9, 9]


def test_bfloat16_is_of_the_layers(gpu: SimulatedGpu) -> None:
    layer = nn.Linear(3, 2).to("cuda")
    with torch.autocast("cuda", torch.bfloat16):
        scores = layer(torch.ones(4, 3, device="cuda"))
        assert scores.dtype == torch.bfloat16
        assert (
            nn.functional.cross_entropy(scores, torch.zeros(4).long().cuda()).dtype == torch.float
        )


# ---- training ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ResNet-8, width 4", "ResNet-8, width 4, dropout"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_graph_is_the_eager_step(
    gpu: SimulatedGpu, few: ImageData, monkeypatch: pytest.MonkeyPatch, name: str, precision: str
) -> None:
    """Rates change, an epoch ends with fewer images, a row in the middle: the same to the bit."""
    replays: list[Graph] = []
    replay = Graph.replay
    monkeypatch.setattr(Graph, "replay", lambda self: replays.append(self) or replay(self))
    (eager, by_eager), (graphed, by_graph) = (
        fit(few, name, graph=graph, precision=precision, clean_images=10) for graph in (False, True)
    )
    assert len(replays) == 4 and len({*map(id, replays)}) == 1  # but for 3 to warm up, and 1 small
    assert eager == graphed and same_weights(by_eager, by_graph)


@pytest.mark.parametrize("changes", [{"clip": 0.5}, {"optimizer": "lars"}, {"nesterov": True}])
def test_the_graph_has_all_that_changes_a_gradient(
    gpu: SimulatedGpu, few: ImageData, changes: dict[str, Any]
) -> None:
    """Clipping and LARS take norms; in a capture nothing may wait for them."""
    recipe = dataclasses.replace(RECIPE, **changes)
    (eager, by_eager), (graphed, by_graph) = (
        fit(few, recipe=recipe, graph=graph) for graph in (False, True)
    )
    assert eager == graphed and same_weights(by_eager, by_graph)
    assert not same_weights(by_graph, fit(few)[1])


def test_what_the_graph_is_for(few: ImageData) -> None:
    """For what Python has no say in."""
    made = [nn.Sequential(nn.Flatten(), nn.Linear(784, 10)) for _ in range(4)]
    made[1].register_forward_hook(lambda *_: None)
    made[2].append(type("Own", (nn.Module,), {"forward": lambda self, x: x})())
    with SimulatedGpu():
        found = []
        for model in made[:3]:
            model.to("cuda")
            found.append(is_repeatable(model, torch.optim.SGD(model.parameters(), lr=1.0)))
        assert not is_repeatable(made[0], torch.optim.Adam(made[0].parameters(), fused=True))
    assert found == [True, False, False]
    assert not is_repeatable(made[3], torch.optim.SGD(made[3].parameters(), lr=1.0))  # on the CPU


def test_on_a_processor_the_same(few: ImageData) -> None:
    """In float32 and without resizing, which a GPU does in its own way."""
    recipe = dataclasses.replace(RECIPE, image_size=None, steps=5)
    on_cpu, _ = fit(few, recipe=recipe, device="cpu")
    with SimulatedGpu():
        run, _ = fit(few, recipe=recipe)
    assert run.rows == on_cpu.rows and run.machine["device"] == "simulated GPU"


@pytest.mark.parametrize("stop", [2, 5, 7])
def test_resume(
    gpu: SimulatedGpu, few: ImageData, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stop: int
) -> None:
    """Stopped in the warm-up, in the middle of a row, and in the second epoch."""
    whole, weights = fit(few)
    call, how = Step.__call__, {"checkpoint": tmp_path / "run.pt", "save_every": 0}

    def struck(self: Step, *args: Any) -> None:
        if self.state.step == stop:
            raise KeyboardInterrupt
        call(self, *args)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Step, "__call__", struck)
        fit(few, **how)
    again, resumed = fit(few, **how)
    assert again == whole and same_weights(resumed, weights)


def test_no_wait_in_a_step(
    gpu: SimulatedGpu, few: ImageData, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert waits_a_step(gpu, monkeypatch, few) == []


def test_each_run_has_a_peak_of_its_own(gpu: SimulatedGpu, few: ImageData) -> None:
    run, _ = fit(few)
    assert gpu.peaks_reset == 1 and run.peak_memory == 12345


def test_evaluate(gpu: SimulatedGpu, few: ImageData) -> None:
    """What it gives is for the processor, as the labels are."""
    _, model = fit(few)
    found = resnet.evaluate(model, few, RECIPE)
    assert next(model.parameters()).is_cuda
    assert found.accuracy == pytest.approx((found.predictions == few.test_labels).float().mean())


@pytest.mark.filterwarnings("ignore:This DataLoader will create|'pin_memory' argument")
def test_images_from_the_disk(gpu: SimulatedGpu, tmp_path: Path) -> None:
    for part, name in ((p, n) for p in ("train", "test") for n in ("a", "b")):
        (tmp_path / part / name).mkdir(parents=True)
        for i in range(4):
            Image.new("RGB", (9, 10), (20 * i, 0, 200)).save(tmp_path / part / name / f"{i}.png")
    recipe = Recipe(epochs=2, batch_size=4, lr=0.1, image_size=8)
    run = resnet.fit(
        network("ResNet-8, width 4", 2, 3), resnet.load_data(f"folder:{tmp_path}"), recipe,
        progress=False,
    )  # fmt: skip
    assert run.column("images") == [8, 8] and run.settings["precision"] == "bfloat16"


@pytest.mark.parametrize("side", [96, 32, 20, 9])
def test_resizing_is_two_matrix_products(gpu: SimulatedGpu, few: ImageData, side: int) -> None:
    images = few.train_images[:4].repeat(1, 3, 1, 1)[:, :, 2:]  # 26 x 28 pixels
    resized = prepare(images.cuda(), side).cpu()
    assert (resized - prepare(images, side)).abs().max() < 3e-7
    assert resized.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")  # torch's own import
@pytest.mark.parametrize(
    "line",
    [
        "train --network ResNet-8 --sample --steps 2 --batch-size 4 --image-size 8 --record {}/a",
        "bench --steps 1 --precision float32 --record {}/a",
        "reproduce d2l --folder {} --seeds 0",
    ],
)
def test_commands(
    gpu: SimulatedGpu, few: ImageData, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from resnet.training import speed

    monkeypatch.setattr(resnet, "load_data", lambda *_, **__: few)
    monkeypatch.setattr(speed, "NETWORKS", (("ResNet-8", 8, 4),))
    monkeypatch.setattr(speed, "ceiling", lambda *_: 1e12)
    arguments = [*line.format(tmp_path).split(), "--device", "cuda"]
    assert commands.main([*arguments, *(["--quiet"] if "bench" not in line else [])]) == 0
    found = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert found and all("simulated GPU" in text for text in found)


# ---- planted faults: each of these tests must be able to fail ------------------------------------


def test_fault_labels_on_the_processor(
    gpu: SimulatedGpu, few: ImageData, monkeypatch: pytest.MonkeyPatch
) -> None:
    epoch = Batches.epoch
    monkeypatch.setattr(
        Batches, "epoch", lambda *args: ((x, y.cpu(), share) for x, y, share in epoch(*args))
    )
    with pytest.raises(RuntimeError, match="same device"):
        fit(few, graph=False)


def test_fault_predictions_left_on_the_gpu(
    gpu: SimulatedGpu, few: ImageData, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluation = loop.Evaluation
    monkeypatch.setattr(loop, "Evaluation", lambda a, b, found: evaluation(a, b, found.cuda()))
    with pytest.raises(RuntimeError, match="same device"):
        test_evaluate(gpu, few)


def test_fault_a_wait_in_a_step(
    gpu: SimulatedGpu, few: ImageData, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eager it is noted, in a graph it is an error."""
    count = State.count
    monkeypatch.setattr(State, "count", lambda self, loss, *a: (loss.item(), count(self, loss, *a)))
    with pytest.raises(RuntimeError, match="capturing"):
        fit(few)
    monkeypatch.setattr(GraphStep, "take", Step.take)
    assert waits_a_step(gpu, monkeypatch, few)


def test_fault_a_rate_that_is_a_number(
    gpu: SimulatedGpu, few: ImageData, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The graph goes on with the one that it was captured with."""
    right, _ = fit(few)
    call = Step.__call__

    def as_number(self: Step, *args: Any) -> None:
        self.rate = 0.0
        call(self, *args)

    monkeypatch.setattr(Step, "__call__", as_number)
    assert fit(few, graph=False)[0].rows == right.rows != fit(few)[0].rows


def test_fault_sums_in_other_memory(
    gpu: SimulatedGpu, few: ImageData, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The graph adds to those that it was captured with, and nothing comes to the others."""
    end = State.end_row

    def renewed(self: State) -> Any:
        found = end(self)
        self.sums = torch.zeros_like(self.sums)
        return found

    monkeypatch.setattr(State, "end_row", renewed)
    with pytest.raises(ZeroDivisionError):
        fit(few)


def test_fault_a_batch_that_is_not_copied(
    gpu: SimulatedGpu, few: ImageData, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, _ = fit(few)
    take = GraphStep.take

    def stale(self: GraphStep, x: Tensor, y: Tensor, share: float) -> None:
        old = self.graph is not None and len(x) == self.whole
        take(self, self.x if old else x, y, share)

    monkeypatch.setattr(GraphStep, "take", stale)
    assert fit(few)[0].rows != right.rows
