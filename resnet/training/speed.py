"""How fast training is on this machine, and how near to what its arithmetic can do."""

import statistics
import time
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from resnet.arguments import require_positive
from resnet.data import ImageData
from resnet.measure import multiply_adds
from resnet.nets import ResNet
from resnet.training.devices import Precision, arithmetic
from resnet.training.loop import fit
from resnet.training.recipes import Recipe
from resnet.variants import network

# name, image side, batch size: D2L's training, of grey images, and 2016a's, Sec. 4.2
NETWORKS = (("ResNet-18", 96, 256), ("ResNet-20", 32, 128), ("ResNet-56", 32, 128))


def wait(device: torch.device) -> None:
    """Let the device finish what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def ceiling(device: torch.device, precision: Precision, repeats: int = 5) -> float:
    """Measure the most that matrix products reach here, in floating-point operations per second.

    The best of square matrices of several sizes, each the fastest of `repeats`; a multiply-add is
    two operations.
    """
    sizes = (4096, 8192, 16384) if device.type == "cuda" else (1024, 2048, 4096)
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    best = 0.0
    with arithmetic(device, "float32"):  # TF32, as training has it where float32 stays
        for n in sizes:
            a, b = (torch.rand(n, n, device=device).to(dtype) for _ in range(2))
            for _ in range(repeats):
                wait(device)
                start = time.perf_counter()
                a @ b
                wait(device)
                best = max(best, 2 * n**3 / (time.perf_counter() - start))
    return best


def noise(images: int, channels: int, side: int) -> ImageData:
    """Make images of noise with ten classes; speed does not depend on what images show."""
    random = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (images, channels, side, side), dtype=torch.uint8, generator=random)
    labels = torch.arange(images) % 10
    few = pixels[:10], labels[:10]
    return ImageData("noise", pixels, labels, *few, tuple("0123456789"), sample=False)


def failure(error: Exception, **of: Any) -> dict[str, Any]:
    """Tell of a measurement that failed, so that the others go on: what it is of, and its error."""
    failed = of | {
        "error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    }
    print(*failed.values(), sep=", ", flush=True)
    return failed


def speed(
    model: ResNet,
    side: int,
    batch_size: int,
    *,
    device: torch.device,
    precision: Precision,
    compiled: bool,
    graph: bool = True,
    steps: int,
    repeats: int = 3,
) -> dict[str, Any]:
    """Train by `fit` and return its speed: images per second, and the seconds before it is reached.

    Args:
        model: trained in place, on noise.
        side: pixels per side.
        batch_size: images per step.
        device: where.
        precision: of the layers.
        compiled: with torch.compile.
        graph: see `fit`.
        steps: in an epoch of the measurement.
        repeats: epochs measured, after one that warms up; their median is returned.

    """
    data = noise(steps * batch_size, model.in_channels, side)
    recipe = Recipe(epochs=1 + repeats, batch_size=batch_size, lr=0.01, momentum=0.9)
    run = fit(
        model, data, recipe, device=device, precision=precision, compiled=compiled, graph=graph,
        progress=False,
    )  # fmt: skip
    images_per_second = len(data.train_labels) / statistics.median(run.seconds[1:])
    # a step is a forward pass and two of the same cost backward: for inputs and for weights
    operations = 3 * 2 * multiply_adds(model, (1, model.in_channels, side, side))
    return {
        "images_per_second": round(images_per_second, 1),
        "warm_up_seconds": round(max(0.0, run.seconds[0] - min(run.seconds[1:])), 1),
        "operations_per_second": operations * images_per_second,
    }


def speeds(
    device: torch.device,
    precisions: Sequence[Precision],
    *,
    steps: int | None = None,
    names: Sequence[str] | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield a row for each network and precision; in the first precision also with torch.compile.

    The share of the ceiling says how far a row is from what matrix products reach on this device.
    A measurement that failed is a row as well, with its `error`.
    """
    if steps is None:
        steps = 100 if device.type == "cuda" else 4
    require_positive(steps=steps)
    for precision in precisions:
        most = ceiling(device, precision)
        for name, side, batch_size in NETWORKS:
            if names and name not in names:
                continue
            for compiled in (False, True) if precision == precisions[0] else (False,):
                torch.manual_seed(0)
                torch._dynamo.reset()
                channels = 1 if side == 96 else 3
                about = {
                    "network": name,
                    "input": [batch_size, channels, side, side],
                    "precision": precision,
                    "compiled": compiled,
                }
                try:
                    row = speed(
                        network(name, 10, channels), side, batch_size,
                        device=device, precision=precision, compiled=compiled, steps=steps,
                    )  # fmt: skip
                except Exception as error:
                    yield failure(error, **about)
                    continue
                reached = row.pop("operations_per_second")
                yield (
                    about
                    | row
                    | {
                        "share_of_ceiling": round(reached / most, 3),
                        "ceiling_gigaflops": round(most / 1e9, 1),
                    }
                )
