"""D2L's training loop against ours, in turn in one run, and what lies between them.

ResNet-18 on Fashion-MNIST, 96x96 pixels, batches of 256 (Dive into Deep Learning, "Residual
Networks"). D2L's side is `d2l.load_data_fashion_mnist` and `d2l.train_ch6` as they are, but for the
`Animator`: it draws nothing here, which is to D2L's advantage. The steps between the two loops add
one change each, so that each one's gain can be seen.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import statistics
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import resnet
from resnet.data.fashion_mnist import FILES
from resnet.measure import multiply_adds
from resnet.training.batches import Batches
from resnet.training.devices import Precision, arithmetic, pick_precision
from resnet.training.speed import ceiling, failure, wait

NATIVE = ("native precision", "fit", "fit, compiled")  # variants not in float32


@contextlib.contextmanager
def d2l_folder(data: resnet.ImageData) -> Iterator[None]:
    """Make a folder to work in, beside which d2l finds these images as Fashion-MNIST."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder, "data", "FashionMNIST", "raw")
        raw.mkdir(parents=True)
        parts = (data.train_images, data.train_labels, data.test_images, data.test_labels)
        for name, tensor in zip(FILES, parts, strict=True):
            header = struct.pack(">HBB", 0, 8, 3 if "images" in name else 1)  # the idx format
            shape = tensor[:, 0].shape if "images" in name else tensor.shape
            sizes = struct.pack(f">{len(shape)}I", *shape)
            (raw / name).write_bytes(header + sizes + tensor.to(torch.uint8).numpy().tobytes())
        work = Path(folder, "work")
        work.mkdir()
        os.chdir(work)
        try:
            yield
        finally:
            os.chdir(before)


class Timed:
    """A loader of batches that notes how long the loop over it took.

    From the first batch on, to the end of the last step: what a loader needs to start and to stop
    falls on an epoch, not on a step, and would weigh too much in a short one.
    """

    def __init__(self, batches: Any, device: torch.device) -> None:
        self.batches, self.device = batches, device
        self.seconds = 0.0

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Any]:
        start, left = None, len(self)
        for batch in self.batches:
            start = start or time.perf_counter()
            yield batch
            left -= 1
            if not left:
                wait(self.device)
                self.seconds = time.perf_counter() - start


class Prepared:
    """Our batches in the form of D2L's: pairs, images channel by channel unless asked otherwise."""

    def __init__(self, batches: Batches, *, channels_last: bool = False) -> None:
        self.batches = batches
        self.order = torch.channels_last if channels_last else torch.contiguous_format

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for x, y, _ in self.batches.epoch(torch.Generator().manual_seed(0)):
            yield x.contiguous(memory_format=self.order), y


class Silent:
    """Takes the place of d2l.Animator."""

    def __init__(self, **_: object) -> None: ...

    def add(self, *_: object) -> None:
        """Draw nothing."""


def d2l_data(recipe: resnet.Recipe) -> tuple[Any, Any]:
    """Return D2L's loaders of training and test images, in a `d2l_folder`."""
    from d2l import torch as d2l

    loaders: tuple[Any, Any] = d2l.load_data_fashion_mnist(
        recipe.batch_size, resize=recipe.image_size
    )
    return loaders


def train_ch6(
    net: nn.Module, loader: Any, test: Any, lr: float, device: torch.device, epochs: int = 1
) -> float:
    """Train by d2l.train_ch6; the seconds of the last epoch, without the evaluation after it."""
    from d2l import torch as d2l

    d2l.Animator = Silent
    timed = Timed(loader, device)
    with contextlib.redirect_stdout(io.StringIO()):
        d2l.train_ch6(net, timed, test, epochs, lr, device)
    return timed.seconds


def loop(
    batches: Batches, lr: float, *, channels_last: bool, precision: Precision, fused: bool
) -> float:
    """Return the seconds of an epoch of `fit`'s steps, with only some of what makes them fast."""
    device = batches.device
    net = resnet.resnet18(10, 1).to(device)
    if channels_last:
        net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(net.parameters(), lr=lr, fused=fused)
    total = torch.zeros(2, device=device)
    timed = Timed(Prepared(batches, channels_last=channels_last), device)
    for x, y in timed:
        with arithmetic(device, precision):
            scores = net(x)
            loss = F.cross_entropy(scores, y)
            optimizer.zero_grad()
            loss.backward()
        optimizer.step()
        total += torch.stack([loss.detach(), (scores.argmax(1) == y).sum()])
    return timed.seconds


def fitted(
    data: resnet.ImageData, recipe: resnet.Recipe, device: torch.device, **options: Any
) -> float:
    """Return the seconds of an epoch of `fit`; compiled, of the second one."""
    epochs = 2 if options.get("compiled") else 1
    recipe = dataclasses.replace(recipe, epochs=epochs)
    net = resnet.resnet18(10, 1)
    return resnet.fit(net, data, recipe, device=device, progress=False, **options).seconds[-1]


def variants(
    data: resnet.ImageData, recipe: resnet.Recipe, device: torch.device
) -> dict[str, Callable[[], float]]:
    """Return the steps from D2L's loop to ours, a change each; and ours with other settings."""
    lr, native = recipe.lr, pick_precision(None, device)
    train, test = d2l_data(recipe)
    ours = Batches(data, recipe, device)
    steps: dict[str, Callable[[], float]] = {
        "d2l": lambda: train_ch6(resnet.resnet18(10, 1), train, test, lr, device),
        "data on the device": lambda: train_ch6(
            resnet.resnet18(10, 1), Prepared(ours), test, lr, device
        ),
    }
    options: dict[str, Any] = {"channels_last": False, "precision": "float32", "fused": False}
    changes: list[tuple[str, dict[str, Any]]] = [
        ("sums on the device", {}),
        ("channels last", {"channels_last": True}),
        ("fused optimizer", {"fused": True}),
        ("native precision", {"precision": native}),
    ]
    for name, change in changes:
        options = options | change
        steps[name] = lambda options=options: loop(ours, lr, **options)  # type: ignore[misc]
    steps["fit"] = lambda: fitted(data, recipe, device)
    steps["fit, float32"] = lambda: fitted(data, recipe, device, precision="float32")
    if device.type == "cuda":  # on a processor it takes a minute and gains little: `resnet bench`
        steps["fit, compiled"] = lambda: fitted(data, recipe, device, compiled=True)
    return steps


def spread(values: list[float]) -> list[float]:
    """Return lowest, median, highest."""
    return [round(v, 3) for v in (min(values), statistics.median(values), max(values))]


def seconds_to_first(loader: Any) -> float:
    """Say how long a loader takes to start its processes and to give the first batch."""
    start = time.perf_counter()
    batches = iter(loader)
    next(batches)
    seconds = time.perf_counter() - start
    del batches  # which waits for its processes to end
    return seconds


def bench(
    device: torch.device, steps: int | None = None, rounds: int | None = None
) -> Iterator[dict[str, Any]]:
    """D2L's training loop against ours, in turn in one run, and what lies between them.

    Yields the record after every round. A variant that fails is told in it and tried no more.
    """
    cuda = device.type == "cuda"
    rounds = rounds or (3 if cuda else 4)
    recipe = dataclasses.replace(resnet.D2L, epochs=1)
    data = resnet.load_data("fashion-mnist")
    steps = steps or (-(-60_000 // recipe.batch_size) if cuda else 6)
    data = data.first(train=min(60_000, steps * recipe.batch_size), test=recipe.batch_size)
    n = len(data.train_labels)
    native = pick_precision(None, device)
    ceilings = {p: ceiling(device, p) for p in dict.fromkeys([native, "float32"])}
    operations = 6 * multiply_adds(resnet.resnet18(10, 1), (1, 1, 96, 96))
    failed: list[dict[str, str]] = []
    with d2l_folder(data):
        train, _ = d2l_data(recipe)
        starting = statistics.median(seconds_to_first(train) for _ in range(3))
        work = variants(data, recipe, device)
        seconds: dict[str, list[float]] = {name: [] for name in work}
        for i in range(1 + rounds):  # the first one warms up
            for name in list(work):
                torch.manual_seed(i)
                try:
                    taken = work[name]()
                except Exception as error:
                    if name == "d2l":  # nothing can be compared without it
                        raise
                    failed.append(failure(error, variant=name))
                    del work[name], seconds[name]
                    continue
                if i:
                    seconds[name].append(taken)
                print(f"round {i}: {name:<20} {n / taken:10,.1f} images/s", flush=True)
            if not i:
                continue
            rows: list[dict[str, Any]] = []
            for name, times in seconds.items():
                rate = n / statistics.median(times)
                pairs = zip(seconds["d2l"], times, strict=True)
                rows.append(
                    {
                        "variant": name,
                        "precision": (precision := native if name in NATIVE else "float32"),
                        "images_per_second": round(rate, 1),
                        "seconds_per_epoch_of_60000": round(
                            60_000 / rate + (starting if name == "d2l" else 0), 1
                        ),
                        "speed_over_d2l": spread([d / t for d, t in pairs]),
                        "share_of_ceiling": round(operations * rate / ceilings[precision], 3),
                    }
                )
            yield {
                "data": data.describe(),
                "recipe": recipe.describe(),
                "native_precision": native,
                "ceiling_gigaflops": {p: round(most / 1e9, 1) for p, most in ceilings.items()},
                "seconds_to_first_batch": round(starting, 2),
                "rounds": i,
                "rows": rows,
                "failed": failed,
            }
    for row in rows:
        low, middle, high = row["speed_over_d2l"]
        print(
            f"{row['variant']:<20} {row['images_per_second']:10,.1f} images/s, "
            f"{middle:.2f} of D2L's ({low:.2f} to {high:.2f})"
        )
