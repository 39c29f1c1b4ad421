"""Training: against a loop written out by hand, PIL's resizing, and its own second run."""

from __future__ import annotations

import dataclasses
import itertools
import json
import weakref
from pathlib import Path
from typing import Any

import pytest
import reference
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resnet import BasicBlock, ImageData, Recipe, Run, cifar_resnet, evaluate, fit, load_data
from resnet.training.batches import Batches
from resnet.training.devices import pick_device
from resnet.training.loop import endless_batches, make_optimizer, with_compiled_units
from resnet.training.state import State
from resnet.variants import network


@pytest.fixture(scope="module")
def sample() -> ImageData:
    return load_data("fashion-mnist", sample=True)


@pytest.fixture(scope="module")
def small(sample: ImageData) -> ImageData:
    """The first 130 training and 70 test images: no multiple of the batches used here."""
    return dataclasses.replace(
        sample,
        train_images=sample.train_images[:130],
        train_labels=sample.train_labels[:130],
        test_images=sample.test_images[:70],
        test_labels=sample.test_labels[:70],
    )


def linear(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 10))


def tiny(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return cifar_resnet(8, in_channels=1)


def run(model: nn.Module, data: ImageData, **options: Any) -> Run:
    """Two epochs of batches of 50, unless told otherwise."""
    fields = {"epochs": None if "steps" in options else 2, "batch_size": 50, "lr": 0.1}
    how = {"device": "cpu", "precision": "float32", "progress": False}
    for name in (
        *how, "seed", "compiled", "checkpoint", "save_every", "row_steps", "clean_images"
    ):  # fmt: skip
        if name in options:
            how[name] = options.pop(name)
    return fit(model, data, Recipe(**{**fields, **options}), **how)


def test_fit_is_stochastic_gradient_descent(small: ImageData) -> None:
    """Two epochs written out: shuffled once per epoch, decay, momentum, means over images."""
    lr, momentum, decay, seed = 0.1, 0.9, 0.01, 5
    model = linear()
    weights = [p.detach().clone() for p in model.parameters()]
    record = run(
        model, small, lr=lr, momentum=momentum, weight_decay=decay, seed=seed, batch_size=50
    )  # fmt: skip
    assert len(record.rows) == 2
    x, y = small.train_images.float().flatten(1) / 255, small.train_labels
    test_x, test_y = small.test_images.float().flatten(1) / 255, small.test_labels
    random = torch.Generator().manual_seed(seed)
    speed = [torch.zeros_like(w) for w in weights]
    for epoch, row in enumerate(record.rows, 1):
        loss_sum = hits = 0.0
        for chosen in torch.randperm(130, generator=random).split(50):  # 50, 50, 30
            weights = [w.detach().requires_grad_() for w in weights]
            scores = F.linear(x[chosen], *weights)
            loss = F.cross_entropy(scores, y[chosen])
            gradients = torch.autograd.grad(loss, weights)
            for i, (w, gradient) in enumerate(zip(weights, gradients, strict=True)):
                speed[i] = momentum * speed[i] + gradient + decay * w.detach()
                weights[i] = w.detach() - lr * speed[i]
            loss_sum += loss.item() * len(chosen)
            hits += (scores.argmax(1) == y[chosen]).sum().item()
        scores = F.linear(test_x, *weights)
        assert row == pytest.approx(
            {
                "epoch": epoch,
                "step": 3 * epoch,
                "images": 130,
                "train_loss": loss_sum / 130,
                "train_accuracy": hits / 130,
                "test_loss": F.cross_entropy(scores, test_y).item(),
                "test_accuracy": (scores.argmax(1) == test_y).sum().item() / 70,
            },
            rel=1e-5,
        )
    for parameter, w in zip(model.parameters(), weights, strict=True):
        torch.testing.assert_close(parameter.detach(), w)


def test_one_seed_twice(small: ImageData) -> None:
    """Issue 2: bit-equal records on one machine; another order or other weights differ."""
    first = run(tiny(), small, seed=1, image_size=14)
    again = run(tiny(), small, seed=1, image_size=14)
    assert first == again
    assert first.rows == again.rows
    assert run(tiny(), small, seed=2, image_size=14).rows != first.rows
    assert run(tiny(1), small, seed=1, image_size=14).rows != first.rows


def test_caller_keeps_the_global_generator(small: ImageData) -> None:
    """The order comes from a generator of fit's own."""
    model = tiny()
    torch.manual_seed(0)
    want = torch.rand(3)
    torch.manual_seed(0)
    run(model, small, epochs=1, image_size=8)
    assert torch.equal(torch.rand(3), want)


def test_loss_falls(sample: ImageData) -> None:
    """An 8-layer ResNet learns real images: from chance (2.30 nats, 10%) to well above it."""
    record = run(tiny(), sample, batch_size=100, momentum=0.9, image_size=14)
    losses = record.column("train_loss")
    assert losses[1] < losses[0] < 2.3
    assert record.rows[-1]["test_accuracy"] > 0.5


def test_record(small: ImageData, tmp_path: Path) -> None:
    """What ran, on what, how long; and it can be saved and read again."""
    record = run(tiny(), small, seed=3, image_size=8)
    assert record.network == "ResNet-8"
    assert record.data == small.describe()
    assert record.recipe == Recipe(epochs=2, batch_size=50, lr=0.1, image_size=8).describe()
    assert record.settings == {"precision": "float32", "compiled": False, "processes": 1,
                               "sync_bn": False, "clean_images": 0}  # fmt: skip
    assert record.peak_memory > 100e6
    assert record.images_per_second == pytest.approx(260 / sum(record.seconds))
    assert record.seed == 3
    assert record.column("epoch") == [1, 2]
    assert len(record.seconds) == 2
    assert min(record.seconds) > 0
    record.save(tmp_path / "run.json")
    assert Run.load(tmp_path / "run.json") == record
    assert json.loads((tmp_path / "run.json").read_text())["rows"] == record.rows


def test_rows_every_so_many_steps(small: ImageData) -> None:
    """Epochs of three steps: rows do not end with them, and the training is the same."""
    model, again = tiny(), tiny()
    whole = run(model, small, steps=7, image_size=8, momentum=0.9)
    record = run(again, small, steps=7, image_size=8, momentum=0.9, row_steps=2)
    assert [record.column(name) for name in ("step", "epoch", "images")] == [
        [2, 4, 6, 7], [1, 2, 2, 3], [100, 80, 80, 50]
    ]  # fmt: skip
    for a, b in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
    assert record.rows[2] | {"train_loss": 0, "train_accuracy": 0, "images": 0} == whole.rows[1] | {
        "train_loss": 0, "train_accuracy": 0, "images": 0
    }  # fmt: skip
    seen = [sum(r["train_loss"] * r["images"] for r in rows) for rows in (record.rows, whole.rows)]
    assert seen[0] == pytest.approx(seen[1])
    with pytest.raises(ValueError, match=r"row_steps=0: expected"):
        run(tiny(), small, steps=7, row_steps=0)


@pytest.mark.parametrize("stop", range(1, 7))
def test_rows_every_so_many_steps_resume(small: ImageData, tmp_path: Path, stop: int) -> None:
    """Stopped after any step, inside an epoch, a row, or both: the same record."""
    options: dict[str, Any] = {"steps": 7, "image_size": 8, "row_steps": 2, "pad": 1}
    model, hits = tiny(), itertools.count(1)

    def strike(*_: object) -> None:
        if model.training and next(hits) == stop + 1:
            raise KeyboardInterrupt

    hook = model.register_forward_pre_hook(strike)
    path = tmp_path / "state.pt"
    with pytest.raises(KeyboardInterrupt):
        run(model, small, **options, checkpoint=path, save_every=0)
    hook.remove()
    assert run(tiny(1), small, **options, checkpoint=path) == run(tiny(), small, **options)


@pytest.mark.parametrize("name", ["ResNet-8", "ResNet-8, dropout"])
@pytest.mark.parametrize("count", [100, 1000])
def test_accuracy_on_clean_images(small: ImageData, name: str, count: int) -> None:
    """Of the first images as tests see them, by hand; the training is the same to the last bit."""
    options: dict[str, Any] = {
        "steps": 5, "row_steps": 2, "pad": 2, "flip": True, "subtract_mean": True, "momentum": 0.9,
    }  # fmt: skip
    models, records = [], []
    for clean_images in (0, count):
        torch.manual_seed(0)
        models.append(network(name, 10, 1))
        torch.manual_seed(7)  # of the dropout
        records.append(run(models[-1], small, clean_images=clean_images, **options))
    without, record = records
    accuracies = [row.pop("train_accuracy_clean") for row in record.rows]
    assert len(accuracies) == 3 and record.rows == without.rows
    assert record.settings == without.settings | {"clean_images": count}
    for (at, value), other in zip(
        models[0].state_dict().items(), models[1].state_dict().values(), strict=True
    ):
        assert torch.equal(value, other), at
    x = small.train_images.float() / 255
    x, y = (x - x.mean(0))[:count], small.train_labels[:count]
    model = models[1].eval()
    for at, (mean, var) in reference.statistics(model, x.split(50)).items():
        bn = model.get_submodule(at)
        bn.running_mean.copy_(mean), bn.running_var.copy_(var)
    with torch.no_grad():
        hits = (model(x).argmax(1) == y).sum().item()
    assert accuracies[-1] == pytest.approx(hits / len(y))


@pytest.mark.parametrize("value", [-1, True, 2.5, 2**63])
def test_wrong_seed(small: ImageData, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^seed={value!r}: expected a whole number of at"):
        run(linear(), small, seed=value)


@pytest.mark.parametrize("value", [-1, True, 2.5])
def test_wrong_clean_images(small: ImageData, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^clean_images={value!r}: expected a whole number"):
        run(linear(), small, clean_images=value)


def test_images_are_resized_for_training_and_test(small: ImageData) -> None:
    seen: list[tuple[int, ...]] = []
    model = nn.Sequential(nn.Flatten(), nn.Linear(12 * 12, 10))
    model.register_forward_pre_hook(lambda _m, args: seen.append(tuple(args[0].shape)))
    run(model, small, epochs=1, image_size=12)
    assert seen == [(n, 1, 12, 12) for n in (50, 50, 30, 50, 20)]


def test_modes(small: ImageData) -> None:
    """Every step in training mode, every test, of two batches, in evaluation mode."""
    seen: list[bool] = []
    model = linear().eval()
    model.register_forward_pre_hook(lambda module, _args: seen.append(module.training))
    run(model, small)
    assert seen == [True, True, True, False, False] * 2


def test_three_channels_and_one_class(small: ImageData) -> None:
    """Colour images, and a last batch of a single image: 130 = 3 * 43 + 1."""
    colour = dataclasses.replace(
        small,
        train_images=small.train_images.repeat(1, 3, 1, 1),
        test_images=small.test_images.repeat(1, 3, 1, 1),
    )
    record = run(cifar_resnet(8), colour, batch_size=43, epochs=1)
    assert len(record.rows) == 1


def test_loss_that_is_no_number(small: ImageData) -> None:
    """A learning rate beyond reason: the message names the network, the epoch and the rate."""
    told = r"^the loss of ResNet-8 .* epoch 1: .*lr=1e\+30"
    with pytest.raises(FloatingPointError, match=told) as error:
        run(tiny(), small, lr=1e30, seed=3, clean_images=7)
    record = error.value.run
    assert (record.network, record.seed, record.data) == ("ResNet-8", 3, small.describe())
    assert record.settings["clean_images"] == 7 and record.rows == []


def test_last_step_that_goes_astray(small: ImageData, tmp_path: Path) -> None:
    """Its own loss was a number, what it makes of the weights gives none: no row, no checkpoint."""
    path = tmp_path / "state.pt"
    told = r"^the test loss of ResNet-8 became (nan|inf) in epoch 1: lower lr=1e\+38"
    with pytest.raises(FloatingPointError, match=told):
        run(tiny(), small, steps=1, lr=1e38, checkpoint=path)
    assert not path.exists()


def test_progress(small: ImageData, capfd: pytest.CaptureFixture[str]) -> None:
    """A bar an epoch on stderr, or nothing at all."""
    recipe = Recipe(epochs=2, batch_size=50, lr=0.1, image_size=8)
    fit(tiny(), small, recipe, device="cpu", progress=False)
    assert capfd.readouterr() == ("", "")
    fit(tiny(), small, recipe, device="cpu")
    out, err = capfd.readouterr()
    assert out == ""
    assert "ResNet-8, epoch 2/2" in err
    assert "/3 " in err  # 130 images in batches of 50


def test_no_bar_is_left_in_front_of_a_message(
    small: ImageData, capfd: pytest.CaptureFixture[str]
) -> None:
    """Stopped in the middle of a row: the bar is wiped away before anybody tells of it."""
    recipe = Recipe(epochs=2, batch_size=50, lr=0.1)
    model = linear()
    calls = itertools.count()

    def strike(*_: object) -> None:
        if next(calls) == 1:
            raise KeyboardInterrupt

    model.register_forward_pre_hook(strike)
    with pytest.raises(KeyboardInterrupt):
        fit(model, small, recipe, device="cpu")
    assert "Sequential, epoch 1/2" in (err := capfd.readouterr().err)
    assert err.endswith("\r") and not err.rpartition("\r")[0].rpartition("\r")[2].strip()


@pytest.mark.parametrize("stop", range(8))
def test_onwards_goes_on_where_it_stood(small: ImageData, stop: int) -> None:
    """Batches of three epochs, left off after any of them and taken up from what was saved."""
    cpu = torch.device("cpu")
    recipe = Recipe(epochs=3, batch_size=50, lr=0.1, pad=2, flip=True)
    batches = Batches(small, recipe, cpu)

    def take(state: State, count: int) -> list[Tensor]:
        taken = []
        for x, *_ in itertools.islice(endless_batches(batches, state), count):
            taken.append(x)
            state.step += 1
        return taken

    whole = take(State(3, cpu), 8)
    state, other = State(3, cpu), State(4, cpu)
    before = take(state, stop)
    other.load_state_dict(state.state_dict())
    for a, b in zip(whole, before + take(other, 8 - stop), strict=True):
        assert torch.equal(a, b)


class Always(nn.Module):
    """Says the same class whatever it sees."""

    def __init__(self, chosen: int) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(1)
        self.chosen = chosen

    def forward(self, x: Tensor) -> Tensor:
        return F.one_hot(torch.full((len(x),), self.chosen), 10).float() + 0 * self.bn(x).mean()


@pytest.mark.parametrize("batch_size", [1000, 500, 333])
def test_evaluate_counts(sample: ImageData, batch_size: int) -> None:
    """One class of ten balanced ones: accuracy 0.1, loss log(e + 9) - 0.1, for any batch size."""
    found = evaluate(Always(4), sample, device="cpu", batch_size=batch_size)
    assert found.accuracy == pytest.approx(0.1)
    assert found.loss == pytest.approx((torch.tensor(1.0).exp() + 9).log().item() - 0.1, rel=1e-5)
    assert found.predictions.tolist() == [4] * 1000


def test_evaluate_weighs_images_not_batches(small: ImageData) -> None:
    """70 images in batches of 64: the six of the last count as six."""
    model = linear()
    found = evaluate(model, small, device="cpu", batch_size=64)
    scores = model(small.test_images.float() / 255)
    assert found.loss == pytest.approx(F.cross_entropy(scores, small.test_labels).item(), rel=1e-5)
    right = scores.argmax(1) == small.test_labels
    assert found.accuracy == pytest.approx(right.sum().item() / 70)
    assert torch.equal(found.predictions, scores.argmax(1))


def test_evaluate_changes_nothing(small: ImageData) -> None:
    """Statistics and gradients stay; the model is left in evaluation mode."""
    model = reference.stir(tiny()).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    first = evaluate(model, small, device="cpu")
    assert not model.training
    assert evaluate(model, small, device="cpu").loss == first.loss
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize("value", [0, -1, 2.5])
def test_evaluate_wrong_batch_size(small: ImageData, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^batch_size={value!r}: expected a whole number"):
        evaluate(linear(), small, device="cpu", batch_size=value)


@pytest.mark.parametrize("device", ["cuda:99", "meta", "abacus", "", 3.5])
def test_impossible_device(small: ImageData, device: Any) -> None:
    """The message names it, and the model is still where it was."""
    model = linear()
    for act in (
        lambda: pick_device(device),
        lambda: run(model, small, device=device),
        lambda: evaluate(model, small, device=device),
    ):
        with pytest.raises(ValueError, match=r"^device=.* cannot be used here") as error:
            act()
        assert repr(device) in str(error.value)
    assert next(model.parameters()).device.type == "cpu"


def test_adam(small: ImageData) -> None:
    """Kingma and Ba 2015, Algorithm 1, three steps written out."""
    model = linear()
    weights = [p.detach().clone().double() for p in model.parameters()]
    run(model, small, optimizer="adam", lr=1e-3, epochs=1, batch_size=50, seed=5)
    x, y = small.train_images.double().flatten(1) / 255, small.train_labels
    first = [torch.zeros_like(w) for w in weights]
    second = [torch.zeros_like(w) for w in weights]
    order = torch.randperm(130, generator=torch.Generator().manual_seed(5))
    for t, chosen in enumerate(order.split(50), 1):
        weights = [w.detach().requires_grad_() for w in weights]
        loss = F.cross_entropy(F.linear(x[chosen], *weights), y[chosen])
        for i, g in enumerate(torch.autograd.grad(loss, weights)):
            first[i] = 0.9 * first[i] + 0.1 * g
            second[i] = 0.999 * second[i] + 0.001 * g**2
            m, v = first[i] / (1 - 0.9**t), second[i] / (1 - 0.999**t)
            weights[i] = weights[i].detach() - 1e-3 * m / (v.sqrt() + 1e-8)
    for got, want in zip(model.parameters(), weights, strict=True):
        torch.testing.assert_close(got.double(), want, rtol=1e-4, atol=1e-5)


def test_lars_moves_each_kernel_by_a_share_of_its_norm(small: ImageData) -> None:
    """You et al. 2017, with momentum and weight decay, three steps written out."""
    model = linear()
    weights = [p.detach().clone().double() for p in model.parameters()]
    moved = [torch.zeros_like(w) for w in weights]
    run(model, small, optimizer="lars", lr=0.5, momentum=0.9, weight_decay=0.01, epochs=1,
        batch_size=50, seed=5)  # fmt: skip
    x, y = small.train_images.double().flatten(1) / 255, small.train_labels
    for chosen in torch.randperm(130, generator=torch.Generator().manual_seed(5)).split(50):
        weights = [w.detach().requires_grad_() for w in weights]
        loss = F.cross_entropy(F.linear(x[chosen], *weights), y[chosen])
        kernel, bias = torch.autograd.grad(loss, weights)
        kernel = kernel / kernel.norm() * 0.02 * weights[0].norm()
        for i, g in enumerate((kernel, bias)):
            moved[i] = 0.9 * moved[i] + g + 0.01 * weights[i]
            weights[i] = weights[i].detach() - 0.5 * moved[i]
    for got, want in zip(model.parameters(), weights, strict=True):
        torch.testing.assert_close(got.double(), want.detach(), rtol=1e-4, atol=1e-5)


def test_lars_leaves_a_kernel_without_gradient_where_it_is() -> None:
    model = linear()
    before = model[1].weight.clone()
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    make_optimizer(model, Recipe(epochs=1, batch_size=5, lr=0.1, optimizer="lars")).step()
    assert torch.equal(model[1].weight, before)


def test_schedule_reaches_the_optimizer(small: ImageData) -> None:
    """Milestones and a warm-up, over steps and not epochs; the last epoch is cut short."""
    record = run(linear(), small, steps=5, lr=0.1, milestones=(2, 4), warm_up=(0.5, 1))
    assert record.column("images") == [130, 100]
    weights = list(linear().parameters())
    x, y = small.train_images.float().flatten(1) / 255, small.train_labels
    random = torch.Generator().manual_seed(0)
    chosen = [c for _ in range(2) for c in torch.randperm(130, generator=random).split(50)][:5]
    for batch, lr in zip(chosen, (0.5, 0.1, 0.01, 0.01, 0.001), strict=True):
        weights = [w.detach().requires_grad_() for w in weights]
        loss = F.cross_entropy(F.linear(x[batch], *weights), y[batch])
        gradients = torch.autograd.grad(loss, weights)
        weights = [w - lr * g for w, g in zip(weights, gradients, strict=True)]
    got = linear()
    run(got, small, steps=5, lr=0.1, milestones=(2, 4), warm_up=(0.5, 1))
    for parameter, want in zip(got.parameters(), weights, strict=True):
        torch.testing.assert_close(parameter, want)


def test_label_smoothing(small: ImageData) -> None:
    """A target that is spread over all classes cannot be met as closely: the loss is higher."""
    runs = [run(linear(), small, epochs=1, label_smoothing=e) for e in (0.0, 0.1)]
    assert runs[0].rows[0]["train_loss"] < runs[1].rows[0]["train_loss"]


def test_held_out_images_are_tested_on_and_not_trained_on(small: ImageData) -> None:
    """2016a, Sec. 4.2: a 45k/5k split; here the last 30 of 130."""
    spoilt = dataclasses.replace(small, train_labels=small.train_labels.clone())
    spoilt.train_labels[100:] = (spoilt.train_labels[100:] + 1) % 10
    one, other = (run(linear(), data, held_out=30) for data in (small, spoilt))
    assert one.column("images") == [100, 100]
    assert one.column("train_loss") == other.column("train_loss")
    assert one.column("test_loss") != other.column("test_loss")
    assert one.rows[-1]["test_accuracy"] * 30 == pytest.approx(
        round(one.rows[-1]["test_accuracy"] * 30)
    )


def test_bfloat16_learns_and_weights_stay_float32(small: ImageData) -> None:
    model = tiny()
    record = run(model, small, precision="bfloat16", image_size=14, momentum=0.9, epochs=3)
    assert record.settings["precision"] == "bfloat16"
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert record.rows[-1]["train_loss"] < record.rows[0]["train_loss"]
    exact = run(tiny(), small, image_size=14, momentum=0.9, epochs=3)
    assert 0 < abs(record.rows[0]["train_loss"] - exact.rows[0]["train_loss"]) < 0.05


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")  # the compiler's own look
def test_compiled_gives_the_same(small: ImageData, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a compiler that changes nothing, so that the test needs no C++.

    It is given each kind of unit once, and neither the smaller last batch nor the test.
    """
    real, given = torch.compile, []

    def compiler(graph: nn.Module, inputs: object) -> Any:
        given.append(graph)
        return graph.forward

    monkeypatch.setattr(torch, "compile", lambda m, dynamic: real(m, backend=compiler))
    torch._dynamo.reset()
    deep = [network("ResNet-14", 10, 1) for _ in range(2)]  # two units a stage
    deep[1].load_state_dict(deep[0].state_dict())
    compiled, eager = (
        run(model, small, image_size=8, compiled=model is deep[0]).rows for model in deep
    )
    assert compiled == eager
    assert len(given) == 5  # the first stage has one kind, the others two


def test_units_alone_are_fused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each unit of a network; a unit itself, and what has none, as it is; the rest is shared."""
    given: list[nn.Module] = []

    def fuse(module: nn.Module, dynamic: bool) -> nn.Module:
        given.append(module)
        return nn.Identity()

    monkeypatch.setattr(torch, "compile", fuse)
    net = network("ResNet-14", 10, 1)
    twin = with_compiled_units(net)
    units = [unit for stage in (net.stage1, net.stage2, net.stage3) for unit in stage]
    assert given == units and twin is not net
    assert twin.stem is net.stem and isinstance(net.stage1[0], BasicBlock)
    for alone in (units[0], nn.Sequential(units[0]), linear()):
        given.clear()
        with_compiled_units(alone)
        assert given == [units[0] if units[0] in alone.modules() else alone]


class Greedy(nn.Module):
    """Runs out of memory for more than `limit` images, as a device would say it."""

    def __init__(self, limit: int, message: str) -> None:
        super().__init__()
        self.inside, self.limit, self.message = linear(), limit, message

    def forward(self, x: Tensor) -> Tensor:
        if self.training and len(x) > self.limit:
            if self.message:
                raise RuntimeError(self.message)
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3 GiB")
        scores: Tensor = self.inside(x)
        return scores


@pytest.mark.parametrize(
    ("limit", "message", "told"),
    [
        (20, "", "batch_size=12 does"),
        (25, "DefaultCPUAllocator: can't allocate memory: you tried", "batch_size=25 does"),
        (0, "", "not even one image does"),
    ],
)
def test_out_of_memory_names_a_batch_that_fits(
    small: ImageData, limit: int, message: str, told: str
) -> None:
    with pytest.raises(MemoryError, match=rf"a batch of 50 images .* does not fit .*{told}"):
        run(Greedy(limit, message), small)


def test_a_test_takes_no_more_images_than_a_step(small: ImageData) -> None:
    """Where a training batch fits, so do the test and the clean images; 70 and 130 do not."""
    model, sizes = tiny(), set()
    model.register_forward_pre_hook(lambda _m, args: sizes.add(len(args[0])))
    run(model, small, clean_images=130, epochs=1, image_size=8)
    assert max(sizes) == 50


def test_images_that_do_not_fit(small: ImageData) -> None:
    """Told with what to change, not with where torch stood."""
    with pytest.raises(MemoryError, match=r"^50 images of image_size=100000000 do not fit"):
        run(linear(), small, image_size=100_000_000)


def test_the_failed_step_lets_go_before_a_smaller_one_is_tried(small: ImageData) -> None:
    """What its frames hold would count against the smaller batch."""
    held: list[weakref.ref[Tensor]] = []

    class Holding(Greedy):
        def forward(self, x: Tensor) -> Tensor:
            if len(x) < 50:
                assert held[0]() is None
            activations = 2 * x
            held.append(weakref.ref(activations))
            return super().forward(x)

    with pytest.raises(MemoryError, match="batch_size=25 does"):
        run(Holding(30, ""), small)


def test_other_errors_pass_through(small: ImageData) -> None:
    with pytest.raises(RuntimeError, match="something else"):
        run(Greedy(0, "something else"), small)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "lars"])
def test_every_optimizer_decays(optimizer: str) -> None:
    made = make_optimizer(linear(), Recipe(epochs=1, batch_size=5, lr=0.1, weight_decay=0.25,
                                           optimizer=optimizer))  # fmt: skip
    assert {group["weight_decay"] for group in made.param_groups} == {0.25}


class Noting(nn.Module):
    """Notes what it is given and in which precision its layer computes."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(28 * 28, 10)
        self.dtypes: set[torch.dtype] = set()
        self.sums: list[float] = []

    def forward(self, x: Tensor) -> Tensor:
        out = self.layer(x.flatten(1))
        self.dtypes.add(out.dtype)
        self.sums.append(x.float().sum().item())
        return out


def test_tests_are_in_the_precision_asked_for(small: ImageData) -> None:
    for precision, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        model = Noting()
        evaluate(model, small, precision=precision, device="cpu")  # type: ignore[arg-type]
        assert model.dtypes == {dtype}


def test_evaluate_prepares_images_as_the_recipe_says(small: ImageData) -> None:
    recipe = Recipe(epochs=1, batch_size=50, lr=0.1, subtract_mean=True)
    model = Noting()
    evaluate(model, small, recipe, device="cpu", precision="float32")
    mean = small.train_images.float().mean(0) / 255
    expected = (small.test_images.float() / 255 - mean).sum().item()
    assert sum(model.sums) == pytest.approx(expected, rel=1e-3)
