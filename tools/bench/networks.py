"""Our networks against torchvision's: time and memory."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import torch
import torchvision
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

import resnet
from resnet.training.devices import arithmetic
from resnet.training.speed import failure, wait

DEPTHS = (18, 50)
PAIRS = 15  # measurements of each, in turn


def networks(depth: int) -> tuple[nn.Module, nn.Module]:
    """Return ours and torchvision's, one function: stride on the 3x3, the same weights."""
    theirs = getattr(torchvision.models, f"resnet{depth}")()
    ours = resnet.imagenet_resnet(depth, stride_on="3x3" if depth >= 50 else "1x1")
    return resnet.load_torchvision(ours, theirs.state_dict()), theirs


def scores(model: nn.Module, x: Tensor) -> Tensor:
    """Scores, on a GPU in bfloat16."""
    with arithmetic(x.device, "bfloat16" if x.is_cuda else "float32"):
        found: Tensor = model(x)
        return found


def forward(model: nn.Module, x: Tensor) -> None:
    """Compute scores without a graph for the gradient."""
    with torch.no_grad():
        scores(model, x)


def step(model: nn.Module, x: Tensor) -> None:
    """Compute scores and the gradients of all weights."""
    model.zero_grad()
    scores(model, x).sum().backward()


def seconds(work: Callable[[nn.Module, Tensor], None], model: nn.Module, x: Tensor) -> float:
    """Return the time of one run, the device having finished before and after."""
    wait(x.device)
    start = time.perf_counter()
    work(model, x)
    wait(x.device)
    return time.perf_counter() - start


def saved_bytes(model: nn.Module, x: Tensor) -> int:
    """Return the bytes that a forward pass keeps for the backward pass, each storage once."""
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(note, lambda tensor: tensor):
        score = scores(model, x).sum()
    del score
    return sum(kept.values())


def compare(depth: int, x: Tensor, *, compiled: bool) -> Iterator[dict[str, Any]]:
    """Return rows for one pair of networks: forward, then forward and backward."""
    pair = networks(depth)
    for model in pair:
        model.to(x.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    memory = [saved_bytes(model.train(), x) for model in pair]
    for name, work in (("forward", forward), ("forward and backward", step)):
        for model in pair:
            model.train(work is step)
        ready = [cast(nn.Module, torch.compile(model)) if compiled else model for model in pair]
        for model in ready:  # warm up, and compile
            work(model, x)
            work(model, x)
        times = []
        for i in range(PAIRS):  # who goes first alternates
            taken = [seconds(work, model, x) for model in (ready if i % 2 else ready[::-1])]
            times.append(taken if i % 2 else taken[::-1])
        ratios = sorted(ours / theirs for ours, theirs in times)
        yield {
            "network": f"ResNet-{depth}",
            "what": name,
            "compiled": compiled,
            "images_per_second": round(len(x) / statistics.median(ours for ours, _ in times), 1),
            "time_ratio": round(statistics.median(ratios), 3),
            "time_ratio_quartiles": [round(q, 3) for q in statistics.quantiles(ratios)[::2]],
            "memory_ratio": round(memory[0] / memory[1], 3),
        }
        torch._dynamo.reset()


def bench(
    device: torch.device, batch: int | None = None, size: int | None = None, eager: bool = False
) -> Iterator[dict[str, Any]]:
    """Our networks against torchvision's, paired in one run, eager and compiled.

    Yields the record after every pair. A pair that fails is told in it.
    """
    cuda = device.type == "cuda"
    batch, size = batch or (256 if cuda else 8), size or (224 if cuda else 96)
    torch.manual_seed(0)
    x = torch.rand(batch, 3, size, size, device=device)
    x = x.contiguous(memory_format=torch.channels_last)
    rows: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for compiled, depth in itertools.product([False] if eager else [False, True], DEPTHS):
        try:
            for row in compare(depth, x, compiled=compiled):
                rows.append(row)
                low, high = row["time_ratio_quartiles"]
                print(
                    f"{row['network']:<10} {'compiled' if compiled else 'eager':<9} "
                    f"{row['what']:<21} {row['images_per_second']:>9.1f} images/s   "
                    f"time {row['time_ratio']:.3f} ({low:.3f} to {high:.3f}), "
                    f"memory {row['memory_ratio']:.3f} of torchvision's",
                    flush=True,
                )
        except Exception as error:
            failed.append(failure(error, network=f"ResNet-{depth}", compiled=compiled))
        yield {
            "input": [*x.shape],
            "precision": "bfloat16" if cuda else "float32",
            "pairs": PAIRS,
            "rows": rows,
            "failed": failed,
        }
