"""How soon `fit` is as good as D2L's loop, and how good both are after equal epochs.

Two parts. `fast`: the recipe FAST with an 8-layer network, seeds fixed here, the last epoch's
accuracy against the median of D2L's public recordings, and the seconds it took. `same`: ResNet-18
and D2L's recipe, through D2L's loop and through `fit`, from the same initial weights; on a GPU
D2L's ten epochs at 96x96 pixels, on a processor fewer epochs of fewer and smaller images.
"""

from __future__ import annotations

import copy
import dataclasses
import statistics
import time
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

import resnet
from resnet.reproduce.papers import D2L_FASHION_MNIST
from resnet.training.speed import noise

from ..common import RESULTS
from .d2l import d2l_data, d2l_folder, train_ch6

FAST_DEPTH = 8
FAST_SEEDS = (10, 11, 12, 13, 14)  # not those the recipe was chosen on


def fast(device: torch.device, seeds: int | None = None) -> Iterator[dict[str, Any]]:
    """Train by the recipe FAST, once per seed; after each, yield the record.

    The seconds in all are of training and of the test after each epoch; not of loading the data
    and, on a GPU, not of compiling, which a run on noise has done before.
    """
    data = resnet.load_data("fashion-mnist")
    compiled = device.type == "cuda"  # there it pays, once it has warmed up
    options: dict[str, Any] = {"device": device, "compiled": compiled, "progress": False}
    if compiled:
        net = resnet.cifar_resnet(FAST_DEPTH, 10, 1)
        resnet.fit(net, noise(1000, 1, 28), resnet.FAST, **options)
    rows = []
    for seed in FAST_SEEDS[: seeds or (5 if compiled else 3)]:
        torch.manual_seed(seed)
        start = time.perf_counter()
        net = resnet.cifar_resnet(FAST_DEPTH, 10, 1)
        run = resnet.fit(net, data, resnet.FAST, seed=seed, **options)
        seconds = time.perf_counter() - start
        run.command = "python -m tools.bench fast"
        run.save(RESULTS / f"fast-resnet{FAST_DEPTH}-{device.type}-seed{seed}.json")
        row = {
            "seed": seed,
            "test_accuracy": run.rows[-1]["test_accuracy"],
            "best_epoch": run.best("test_accuracy")["epoch"],
            "seconds_of_training": round(sum(run.seconds), 2),
            "seconds_in_all": round(seconds, 2),
        }
        rows.append(row)
        print(
            f"seed {seed}: test accuracy {row['test_accuracy']:.4f} after {seconds:.1f} s, "
            f"{row['seconds_of_training']:.1f} s of them training",
            flush=True,
        )
        accuracies = [row["test_accuracy"] for row in rows]
        yield {
            "network": run.network,
            "recipe": run.recipe,
            "data": run.data,
            "settings": run.settings,
            "goal": D2L_FASHION_MNIST["median of 106 public copies"],
            "mean_test_accuracy": round(statistics.mean(accuracies), 5),
            "mean_seconds_in_all": round(statistics.mean(r["seconds_in_all"] for r in rows), 2),
            "rows": rows,
        }


def same(
    device: torch.device,
    seeds: int | None = None,
    epochs: int | None = None,
    image_size: int | None = None,
    images: int | None = None,
    rows: Sequence[dict[str, Any]] = (),
) -> Iterator[dict[str, Any]]:
    """Train ResNet-18 by both loops from the same weights, for each seed; yield the record.

    The last epoch's accuracy. Both are evaluated in the same way, by `resnet.evaluate` in float32.
    Seeds that are in `rows` are not trained again.
    """
    cuda = device.type == "cuda"
    recipe = dataclasses.replace(
        resnet.D2L,
        epochs=epochs or (10 if cuda else 3),
        image_size=image_size or (96 if cuda else 28),
    )
    images = images or (None if cuda else 12_000)
    data = resnet.load_data("fashion-mnist")
    if images:
        data = data.first(images, len(data.test_labels))
    rows = list(rows)
    with d2l_folder(data):
        train, test = d2l_data(recipe)
        few = [next(iter(test))]  # train_ch6 evaluates after every epoch, which nobody needs here
        for seed in range(len(rows), seeds or (5 if cuda else 3)):
            torch.manual_seed(seed)
            by_d2l, ours = resnet.resnet18(10, 1), resnet.resnet18(10, 1)
            start = by_d2l_from(by_d2l, train, few, recipe, device)
            ours.load_state_dict(start)
            resnet.fit(ours, data, recipe, seed=seed, device=device, progress=False)
            row: dict[str, Any] = {"seed": seed}
            for name, net in (("d2l", by_d2l), ("fit", ours)):
                found = resnet.evaluate(net, data, recipe, device=device, precision="float32")
                row[name] = round(found.accuracy, 4)
            rows.append(row)
            print(f"seed {seed}: d2l {row['d2l']:.4f}, fit {row['fit']:.4f}", flush=True)
            yield {
                "network": "ResNet-18",
                "recipe": recipe.describe(),
                "data": data.describe(),
                "mean_test_accuracy": {
                    name: round(statistics.mean(row[name] for row in rows), 5)
                    for name in ("d2l", "fit")
                },
                "rows": rows,
            }


def by_d2l_from(
    net: nn.Module, train: Any, test: Any, recipe: resnet.Recipe, device: torch.device
) -> dict[str, Tensor]:
    """Train by D2L's loop, which draws new weights itself; return those it started from."""
    start: dict[str, Tensor] = {}

    def keep(module: nn.Module, _: object) -> None:
        start.update(copy.deepcopy(module.state_dict()))
        hook.remove()

    hook = net.register_forward_pre_hook(keep)
    train_ch6(net, train, test, recipe.lr, device, recipe.epochs or 1)
    return start
