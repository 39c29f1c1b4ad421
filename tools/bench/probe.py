"""Whether training works on this device, whether it repeats, and which way is the fastest."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import torch

import resnet
from resnet.training.devices import Precision, pick_precision
from resnet.training.speed import NETWORKS, failure, speed
from resnet.variants import network

from ..common import cores

DEEP = ("ResNet-110", 32, 128)
WAYS: dict[str, dict[str, bool]] = {
    "eager": {"graph": False, "compiled": False},
    "graph": {"graph": True, "compiled": False},
    "graph, units compiled": {"graph": True, "compiled": True},
}


def trained(name: str, device: torch.device, precision: Precision, **options: Any) -> resnet.Run:
    """Train for twelve steps."""
    data = resnet.load_data("fashion-mnist", sample=True).first(train=400, test=200)
    recipe = dataclasses.replace(resnet.CIFAR, steps=12, batch_size=64, milestones=(6, 9))
    torch.manual_seed(0)
    return resnet.fit(
        network(name, 10, 1), data, recipe, device=device, precision=precision, row_steps=4,
        progress=False, **options,
    )  # fmt: skip


def correct(device: torch.device) -> dict[str, Any]:
    """Say how far losses are from a processor's, and which runs are equal to the bit."""
    found: dict[str, Any] = {"what": "correct", "cores": cores()}
    on_cpu = trained("ResNet-8", torch.device("cpu"), "float32").column("train_loss")
    for precision in dict.fromkeys([pick_precision(None, device), "float32"]):
        here = trained("ResNet-8", device, precision).column("train_loss")
        pairs = zip(on_cpu, here, strict=True)
        found[f"difference of losses, {precision}"] = max(abs(a - b) for a, b in pairs)
    before = torch.backends.cudnn.deterministic
    for deterministic in (False, True):
        torch.backends.cudnn.deterministic = deterministic
        for name in ("ResNet-8", "ResNet-8, dropout"):
            runs = [trained(name, device, "float32", graph=graph) for graph in (False, False, True)]
            about = f"{name}, cuDNN {'deterministic' if deterministic else 'as it is'}"
            found[f"twice the same: {about}"] = runs[0] == runs[1]
            found[f"the graph as eager: {about}"] = runs[0] == runs[2]
    torch.backends.cudnn.deterministic = before
    return found


def bench(device: torch.device, steps: int | None = None) -> Iterator[dict[str, Any]]:
    """Whether training works and repeats on this device, and which way is the fastest."""
    rows: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    content = {"rows": rows, "failed": failed}
    try:
        rows.append(correct(device))
    except Exception as error:
        failed.append(failure(error, what="correct"))
    yield content
    for name, side, batch in (*NETWORKS, DEEP):
        for way, options in WAYS.items():
            about = {"what": "speed", "network": name, "way": way}
            try:
                torch.manual_seed(0)
                torch._dynamo.reset()
                found = speed(
                    network(name, 10, 1 if side == 96 else 3), side, batch, device=device,
                    precision=pick_precision(None, device), steps=steps or 60, **options,
                )  # fmt: skip
            except Exception as error:
                failed.append(failure(error, **about))
            else:
                rows.append(about | found)
                print(
                    f"{name:<10} {way:<22} {found['images_per_second']:>10,.1f} images/s",
                    flush=True,
                )
            yield content
