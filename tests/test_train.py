"""Training: against a loop written out by hand, PIL's resizing, and its own second run."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import reference
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn
from torchvision import transforms

import resnet.train
from resnet import D2L, ImageData, Recipe, Run, cifar_resnet, evaluate, fit, load_data
from resnet.train import batches, pick_device, prepare


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
    fields = {"epochs": 2, "batch_size": 50, "lr": 0.1}
    seed, device = options.pop("seed", 0), options.pop("device", "cpu")
    recipe = Recipe(**{**fields, **options})
    return fit(model, data, recipe, seed=seed, device=device, progress=False)


def test_fit_is_stochastic_gradient_descent(small: ImageData) -> None:
    """Two epochs written out: shuffled once an epoch, decay, momentum, means over images."""
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
    assert record.recipe == {
        "epochs": 2, "batch_size": 50, "lr": 0.1, "optimizer": "sgd", "momentum": 0.0,
        "weight_decay": 0.0, "image_size": 8,
    }  # fmt: skip
    assert record.seed == 3
    assert record.column("epoch") == [1, 2]
    assert len(record.seconds) == 2
    assert min(record.seconds) > 0
    record.save(tmp_path / "run.json")
    assert Run.load(tmp_path / "run.json") == record
    assert json.loads((tmp_path / "run.json").read_text())["rows"] == record.rows


def test_images_are_resized_for_training_and_test(small: ImageData) -> None:
    seen: list[tuple[int, ...]] = []
    model = nn.Sequential(nn.Flatten(), nn.Linear(12 * 12, 10))
    model.register_forward_pre_hook(lambda _m, args: seen.append(tuple(args[0].shape)))
    run(model, small, epochs=1, image_size=12)
    assert seen == [(n, 1, 12, 12) for n in (50, 50, 30, 70)]


def test_modes(small: ImageData) -> None:
    """Every step in training mode, every test in evaluation mode, epoch after epoch."""
    seen: list[bool] = []
    model = linear().eval()
    model.register_forward_pre_hook(lambda module, _args: seen.append(module.training))
    run(model, small)
    assert seen == [True, True, True, False] * 2


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
    with pytest.raises(FloatingPointError, match=r"^the loss of ResNet-8 .* epoch 1: .*lr=1e\+30"):
        run(tiny(), small, lr=1e30)


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


@pytest.mark.parametrize("shuffle", [None, 3])
def test_batches_cover_every_image_once(shuffle: int | None) -> None:
    labels = torch.arange(23)
    images = labels.reshape(-1, 1, 1, 1)
    random = None if shuffle is None else torch.Generator().manual_seed(shuffle)
    found = list(batches(images, labels, 5, random))
    assert [len(y) for _, y in found] == [5, 5, 5, 5, 3]
    assert all(torch.equal(x.flatten(), y) for x, y in found)
    order = torch.cat([y for _, y in found])
    assert torch.equal(order.sort().values, labels)
    assert torch.equal(order, labels) == (shuffle is None)


@pytest.mark.parametrize("side", [96, 32, 20, 9])
@pytest.mark.parametrize("channels", [1, 3])
def test_prepare_resizes_as_pil(sample: ImageData, side: int, channels: int) -> None:
    """torchvision's Resize + ToTensor, which D2L uses, up and down.

    PIL rounds to 8 bits after each of its two passes, half a step each: at most 1/255 apart.
    """
    images = sample.train_images[: 4 * channels].reshape(4, channels, 28, 28)
    theirs = transforms.Compose([transforms.Resize(side), transforms.ToTensor()])
    pixels = images.permute(0, 2, 3, 1).squeeze(3).numpy()  # PIL's order; without colour, no axis
    want = torch.stack([theirs(Image.fromarray(image)) for image in pixels])
    got = prepare(images, side)
    assert got.shape == (4, channels, side, side)
    assert (got - want).abs().max() <= 1.001 / 255
    assert (got - want).abs().mean() <= 0.3 / 255


@pytest.mark.parametrize("size", [None, 28])
def test_prepare_without_resizing(sample: ImageData, size: int | None) -> None:
    """From 0 to 1 exactly as ToTensor does it; the memory is channels_last."""
    got = prepare(sample.train_images[:5], size)
    assert torch.equal(got, sample.train_images[:5].float() / 255)
    assert got.max() <= 1
    assert prepare(torch.zeros(2, 3, 4, 4, dtype=torch.uint8)).is_contiguous(
        memory_format=torch.channels_last
    )


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


def test_device_without_a_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA before Apple's MPS before the CPU."""
    assert pick_device("cpu") == torch.device("cpu")
    for cuda, mps, want in (
        (True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu"),
    ):  # fmt: skip
        monkeypatch.setattr(resnet.train.torch.cuda, "is_available", lambda cuda=cuda: cuda)
        monkeypatch.setattr(resnet.train.torch.backends.mps, "is_available", lambda mps=mps: mps)
        assert pick_device() == torch.device(want)


def test_d2l() -> None:
    """Issue 2: 96x96, batch 256, learning rate 0.05, 10 epochs, plain SGD."""
    assert dataclasses.asdict(D2L) == {
        "epochs": 10, "batch_size": 256, "lr": 0.05, "optimizer": "sgd", "momentum": 0.0,
        "weight_decay": 0.0, "image_size": 96,
    }  # fmt: skip


NUMBER = [0, -1, True, 2.0, "3"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[(name, v) for name in ("epochs", "batch_size") for v in (*NUMBER, None)],
        *[("image_size", v) for v in NUMBER],
        *[("lr", v) for v in (0, -0.1, float("nan"), float("inf"), "0.1", None, torch.ones(()))],
        *[
            (name, v)
            for name in ("momentum", "weight_decay")
            for v in (-0.1, 1, 1.5, float("nan"), "0", None)
        ],
    ],
)
def test_recipe_refuses(name: str, value: Any) -> None:
    """The argument, its value and what is allowed."""
    fields = {"epochs": 1, "batch_size": 2, "lr": 0.1, name: value}
    with pytest.raises(ValueError) as error:
        Recipe(**fields)
    assert str(error.value).startswith(f"{name}={value!r}: expected ")


def test_recipe_is_fixed() -> None:
    """What a record says was used cannot be changed afterwards."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        D2L.lr = 1.0  # type: ignore[misc]


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


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"optimizer": "lamb"}, "optimizer='lamb': expected one of 'sgd', 'adam'"),
        ({"optimizer": "adam", "momentum": 0.9}, "momentum=0.9: only optimizer='sgd' has one"),
    ],
)
def test_wrong_optimizer(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Recipe(epochs=1, batch_size=1, lr=0.1, **fields)
