"""Recipes: the papers' numbers, the rates they give, and wrong ones refused."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import pytest
import torch

from resnet import CIFAR, CIFAR_110, D2L, FAST, Recipe
from resnet.training.recipes import SMALL


def test_d2l() -> None:
    """Issue 2: 96x96, batch 256, learning rate 0.05, 10 epochs, plain SGD."""
    assert Recipe(epochs=10, batch_size=256, lr=0.05, image_size=96) == D2L
    assert (D2L.optimizer, D2L.momentum, D2L.weight_decay, D2L.pad, D2L.flip) == (
        "sgd",
        0,
        0,
        0,
        False,
    )


NUMBER = [0, -1, True, 2.0, "3"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[
            (name, v)
            for name in ("epochs", "batch_size", "milestones[0]", "warm_up[1]")
            for v in NUMBER
        ],
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
    fields: dict[str, Any] = {"epochs": 1, "batch_size": 2, "lr": 0.1}
    fields |= {
        "milestones[0]": {"milestones": (value,)},
        "warm_up[1]": {"warm_up": (0.1, value)},
    }.get(name, {name: value})
    with pytest.raises(ValueError) as error:
        Recipe(**fields)
    assert str(error.value).startswith(f"{name}={value!r}: expected ")


def test_recipe_is_fixed() -> None:
    """What a record says was used cannot be changed afterwards."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        D2L.lr = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"optimizer": "lamb"}, "optimizer='lamb': expected one of 'sgd', 'adam', 'lars'"),
        ({"optimizer": "adam", "momentum": 0.9}, "momentum=0.9: expected 0, Adam has its own"),
        ({"nesterov": True}, "nesterov=True: expected momentum above 0"),
        ({"schedule": "cosine"}, "schedule='cosine': expected one of 'steps', 'one-cycle'"),
        (
            {"schedule": "one-cycle", "milestones": (3,)},
            r"milestones=\(3,\): only schedule='steps'",
        ),
        ({"steps": 3}, "epochs=1, steps=3: expected one of the two"),
        ({"epochs": None}, "epochs=None, steps=None: expected one of the two"),
        ({"pad": -1}, "pad=-1: expected a whole number of at least 0"),
        ({"held_out": 2.0}, "held_out=2.0: expected a whole number of at least 0"),
        ({"flip": 1.5}, "flip=1.5: expected one of False, True"),
        ({"label_smoothing": 1}, "label_smoothing=1: expected a number"),
        ({"warm_up": (0, 3)}, r"warm_up\[0\]=0: expected a number above 0"),
    ],
)
def test_wrong_optimizer(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Recipe(**{"epochs": 1, "batch_size": 1, "lr": 0.1, **fields})


def test_the_papers_recipe() -> None:
    """FACTS, "CIFAR recipe": batch 128, decay 1e-4, momentum 0.9, 0.1 / 10 at 32k and 48k, 64k."""
    assert (CIFAR.batch_size, CIFAR.weight_decay, CIFAR.momentum) == (128, 1e-4, 0.9)
    assert (CIFAR.steps, CIFAR.pad, CIFAR.flip, CIFAR.subtract_mean) == (64_000, 4, True, True)
    rates = [CIFAR.rate(step, 64_000) for step in (0, 31_999, 32_000, 47_999, 48_000, 63_999)]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001, 0.001])
    assert dataclasses.replace(CIFAR_110, warm_up=None) == CIFAR
    assert [CIFAR_110.rate(step, 64_000) for step in (0, 399, 400)] == [0.01, 0.01, 0.1]


def test_one_cycle() -> None:
    """Up from 0 to lr over a quarter of the steps, down to 0 over the rest; never 0 itself."""
    recipe = Recipe(steps=99, batch_size=1, lr=1.0, schedule="one-cycle")
    rates = [recipe.rate(step, 99) for step in range(99)]
    assert rates[24] == max(rates) == pytest.approx(1)
    assert rates[0] == pytest.approx(0.04) and rates[-1] == pytest.approx(1 / 75)
    assert all(a < b for a, b in itertools.pairwise(rates[:25]))
    assert all(a > b for a, b in itertools.pairwise(rates[24:]))


def test_described_as_json() -> None:
    assert CIFAR.describe()["milestones"] == [32_000, 48_000]
    assert Recipe(**CIFAR_110.describe()) == CIFAR_110
    assert Recipe(**FAST.describe()) == FAST


def test_small_is_the_papers_shape() -> None:
    """At 3,000 steps and 14 pixels, with 2016b's warm-up; nothing else differs."""
    assert (SMALL.steps, SMALL.milestones, SMALL.warm_up) == (3000, (1500, 2250), (0.01, 400))
    assert (SMALL.image_size, SMALL.pad) == (14, 2)
    usual = {"steps": 64_000, "milestones": (32_000, 48_000), "warm_up": None, "pad": 4}
    assert dataclasses.replace(SMALL, **usual, image_size=None) == CIFAR


def test_clip_is_a_norm() -> None:
    with pytest.raises(ValueError, match="clip=0"):
        Recipe(epochs=1, batch_size=1, lr=0.1, clip=0)
    assert Recipe(epochs=1, batch_size=1, lr=0.1).clip is None


def test_fast() -> None:
    """As it was chosen by its six trial runs; the records of the speed page are its."""
    assert Recipe(epochs=3, batch_size=100, lr=0.4, momentum=0.9, nesterov=True,
                          weight_decay=5e-4, schedule="one-cycle", label_smoothing=0.1,
                          flip=True) == FAST  # fmt: skip
