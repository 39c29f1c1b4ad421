"""One of every figure, made from numbers small enough to check by eye."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

from resnet import BasicBlock, Bottleneck, PreActBasicBlock, cifar_resnet, resnet18
from resnet.book import drawings, figures, plots, signals
from resnet.book.figures import Figure
from resnet.reproduce import papers
from resnet.training.records import Run

X = np.linspace(0, 1, 20)
CLASSES = ("cat & dog", "bird", "<fish>")
LABELS = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2, 2, 2])
GUESSES = torch.tensor([0, 0, 1, 1, 1, 1, 2, 1, 1, 2])


def run(losses: list[float], accuracies: list[float]) -> Run:
    rows = [
        {"epoch": i, "train_loss": loss, "test_accuracy": accuracy}
        for i, (loss, accuracy) in enumerate(zip(losses, accuracies, strict=True), 1)
    ]
    return Run("a net", {"name": "a set", "sample": True, "train_images": 9}, {}, 0, rows)


def curves() -> Figure:
    names = {"a <net>": run([2.1, 1.25], [0.3, 0.456]), "b": run([2.0, 0.5], [0.4, 0.789])}
    return figures.curves(names)


def seeds(*ends: float) -> list[Run]:
    """Two runs of three rows, whose last errors, in training and test, are `ends` in percent."""
    return [
        Run("net", {}, {}, seed, measured={"responses": [1.0, 0.5, 0.75 + seed / 4]}, rows=[
            {"step": 100 * i, "train_accuracy": 1 - e * (4 - i) / 100,
             "test_accuracy": 1 - e * (4 - i) / 100} for i in (1, 2, 3)
        ])
        for seed, e in enumerate(ends)
    ]  # fmt: skip


def turned(*ends: float) -> list[Run]:
    """The same, with errors that are higher by a third until the last row."""
    runs = seeds(*ends)
    for row in (row for run in runs for row in run.rows[:-1]):
        row["train_accuracy"] = 1 - 4 / 3 * (1 - row["train_accuracy"])
    return runs


def predictions() -> Figure:
    images = torch.arange(10 * 16, dtype=torch.uint8).reshape(10, 1, 4, 4)
    return figures.predictions(images, LABELS, GUESSES, CLASSES)


class Line(NamedTuple):
    """A fit's two numbers."""

    slope: float
    intercept: float


def growths(rate: float) -> list[dict[str, object]]:
    """Measurements of two seeds: a growth of `rate` per unit, and twice that."""
    return [{"units": n, "growth": [rate**n, 2 * rate**n]} for n in (9, 27, 108)]


def alike(name: str, first: float) -> dict[str, object]:
    """Two curves over a line of 40 points that fall from 1 to 0, the second below by a tenth."""
    curve = [1.0, *(first * (40 - i) / 39 for i in range(1, 40))]
    return {"network": name, "correlation": [curve, [0.9 * value for value in curve]]}


def gained(steps: int, *shares: float) -> dict[str, Any]:
    """A measurement of two steps that gain these shares of what is predicted."""
    rates = (0.01, 0.1)
    return {
        "steps": steps,
        "gains": [
            {"rate": rate, "predicted": 50 * rate, "together": 50 * rate * share}
            for rate, share in zip(rates, shares, strict=True)
        ],
    }


def after(steps: int, growth: float) -> dict[str, object]:
    """A measurement of first steps; the median of its lists is half and a quarter."""
    return {"steps": steps, "growth": growth, "agreement": [0.1, 0.5, 0.9],
            "correlation": [0.0, 0.25, 0.5]}  # fmt: skip


FIGURES: dict[str, Callable[[], Figure]] = {
    "nested_classes": figures.nested_classes,
    "step_fits": lambda: figures.step_fits(X, X**2, {3: np.round(X), 4: X**2 + 0.01}),
    "class_distances": lambda: figures.class_distances(
        {1: 0.9, 2: 0.5, 3: 0.6, 4: 0.3, 5: 0.2, 6: 0.25, 7: 0.21, 8: 0.125}
    ),
    "generalisation": lambda: figures.generalisation(
        {1: 1.0, 2: 0.5, 4: 0.21}, {1: 1.1, 2: 0.62, 4: 0.94}
    ),
    "published_depth": lambda: figures.published_depth(papers.CIFAR_PLAIN, papers.CIFAR_RESIDUAL),
    "curves": curves,
    "gradient_norms": lambda: figures.gradient_norms(
        {"plain": [20.0, 3.0, 0.5], "residual": [0.6, 0.4, 0.5]}
    ),
    "gradient_norms by share": lambda: figures.gradient_norms(
        {"plain": [20.0, 3.0, 0.5, 0.4], "residual": [0.6, 0.4]}, by_share=True
    ),
    "zero_unit": lambda: figures.zero_unit(list(X), {"block": list(X), "identity": list(X)}),
    "ladder": lambda: figures.ladder(
        {
            "a <net>": {name: 100.0 * i for i, name in enumerate(figures.LOOPS)},
            "b": {"d2l": 50.0, "fit": 1234.0},
        }
    ),
    "confusion": lambda: figures.confusion(LABELS, GUESSES, CLASSES),
    "predictions": predictions,
    "depth_curves": lambda: plots.depth_curves(
        {
            "plain": {"plain-8": seeds(20, 22), "plain-14": seeds(26, 25)},
            "ResNet": {"ResNet-8": seeds(19, 20), "ResNet-14": turned(17, 18)},
            "pre-activation": {"a & <b>": seeds(19, 20), "pre-14": []},
        }
    ),
    "depth_curves none": lambda: plots.depth_curves({"plain": {"plain-8": [], "plain-14": []}}),
    "errors_by_step": lambda: plots.errors_by_step({"plain-8": seeds(8, 9), "<b>-8": []}),
    "responses": lambda: plots.responses({"plain-8": seeds(1, 2), "ResNet-8": []}),
    "responses none": lambda: plots.responses({"plain-8": []}),
    "errors_by_row": lambda: plots.errors_by_row(
        {"identity": seeds(7, 8), "block": seeds(9, 10.5), "a & <b>": []},
        {"identity": 6.61, "block": 12.22},
        "net (%)",
    ),
    "growth_by_depth": lambda: signals.growth_by_depth(
        {"plain": growths(1.3), "a & <b>": growths(1.02)},
        {"plain": Line(math.log(1.3), 0.3), "a & <b>": Line(1.1, 0.2)},
    ),
    "correlations": lambda: signals.correlations(
        {"plain": [alike("plain-8", 0.5), alike("plain-14", 0.1)], "b": [alike("<b>-8", 0.9)]}
    ),
    "during_training": lambda: signals.during_training(
        {
            "plain-8": [after(0, 100), after(0, 400), after(10, 4), after(10, 4)],
            "<b>-8": [after(0, 10), after(10, 5)],
        }
    ),
    "gains": lambda: signals.gains(
        {
            "plain-8": [gained(400, 0.9, 0.1), gained(400, 0.7, -0.3), gained(1000, 0.5, 0.2)],
            "<b>-8": [gained(400, 1, 0.8), gained(1000, 0.9, 0.6)],
        }
    ),
    "lesions": lambda: signals.lesions(
        {
            "plain-8": [
                {"units": units, "error": error}
                for units, error in (([], 8), ([0], 80), ([2], 90), ([0, 2], 60), ([1, 2], 88))
            ],
            "<b>-8": [{"units": units, "error": error} for units, error in (([], 7), ([1], 9))],
        }
    ),
    "plain_and_residual": drawings.plain_and_residual,
    "identity_and_projection": drawings.identity_and_projection,
    "units": lambda: drawings.units(
        {
            "bottleneck": Bottleneck(256, 64),
            "plain": BasicBlock(8, 8, shortcut=None),
            "new": PreActBasicBlock(8, 16, 2),
        },
        channels=True,
    ),
    "network": lambda: drawings.network(resnet18(10, 1), 224),
    "plain network": lambda: drawings.network(cifar_resnet(20, shortcut=None), 32),
}


@functools.cache
def made(name: str) -> Figure:
    """The figure, drawn once."""
    return FIGURES[name]()
