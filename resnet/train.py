"""Training: a recipe, the loop, and the record it returns."""

import dataclasses
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from resnet.blocks import check_one_of, check_positive
from resnet.data import ImageData
from resnet.runs import Run, machine


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to train: gradient steps on the cross-entropy.

    Args:
        epochs: passes over the training images.
        batch_size: images a step; the last batch of an epoch may be smaller.
        lr: learning rate, constant.
        optimizer: "sgd", stochastic gradient descent, or "adam" (Kingma and Ba 2015).
        momentum: of SGD; 0 is plain SGD.
        weight_decay: factor of the weights that is added to their gradient, for all parameters.
        image_size: pixels a side the images are resized to; None leaves them alone.

    Raises:
        ValueError: naming the argument, its value and what is allowed.

    """

    epochs: int
    batch_size: int
    lr: float
    optimizer: Literal["sgd", "adam"] = "sgd"
    momentum: float = 0.0
    weight_decay: float = 0.0
    image_size: int | None = None

    def __post_init__(self) -> None:
        check_positive(epochs=self.epochs, batch_size=self.batch_size)
        if self.image_size is not None:
            check_positive(image_size=self.image_size)
        if not isinstance(self.lr, int | float) or not 0 < self.lr < float("inf"):
            raise ValueError(f"lr={self.lr!r}: expected a number above 0")
        for name in ("momentum", "weight_decay"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 <= value < 1:
                raise ValueError(f"{name}={value!r}: expected a number, 0 <= {name} < 1")
        check_one_of("optimizer", self.optimizer, ("sgd", "adam"))
        if self.optimizer == "adam" and self.momentum:
            raise ValueError(f"momentum={self.momentum!r}: only optimizer='sgd' has one")


# Dive into Deep Learning, "Residual Networks (ResNet)", training section.
D2L = Recipe(epochs=10, batch_size=256, lr=0.05, image_size=96)


class Evaluation(NamedTuple):
    """Mean loss in nats, accuracy from 0 to 1, and the class predicted for each image, (N,)."""

    loss: float
    accuracy: float
    predictions: Tensor


def pick_device(device: torch.device | str | None = None) -> torch.device:
    """Return the device asked for, or without a wish: CUDA, else Apple's MPS, else the CPU.

    Raises:
        ValueError: if the device asked for is not on this machine.

    """
    if device is None:
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.zeros((), device=chosen).item()
    except (RuntimeError, AssertionError, TypeError) as error:
        raise ValueError(f"device={device!r} cannot be used here: {error}") from error
    return chosen


def prepare(images: Tensor, image_size: int | None = None) -> Tensor:
    """Turn uint8 images (N, C, H, W) into floats from 0 to 1, resized to a square if asked.

    Bilinear with antialiasing, as torchvision's Resize.
    """
    x = images.float() / 255
    if image_size is not None and x.shape[-2:] != (image_size, image_size):
        x = F.interpolate(x, (image_size, image_size), mode="bilinear", antialias=True)
    return x.contiguous(memory_format=torch.channels_last)


def batches(
    images: Tensor, labels: Tensor, batch_size: int, shuffle: torch.Generator | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield (images, labels) of `batch_size`, in order or shuffled."""
    order = (
        torch.arange(len(labels))
        if shuffle is None
        else torch.randperm(len(labels), generator=shuffle)
    )
    for chosen in order.to(images.device).split(batch_size):
        yield images[chosen], labels[chosen]


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Make the optimizer that a recipe asks for."""
    lr, decay, parameters = recipe.lr, recipe.weight_decay, model.parameters()
    if recipe.optimizer == "adam":
        return torch.optim.Adam(parameters, lr, weight_decay=decay)
    return torch.optim.SGD(parameters, lr, recipe.momentum, weight_decay=decay)


def fit(
    model: nn.Module,
    data: ImageData,
    recipe: Recipe,
    *,
    seed: int = 0,
    device: torch.device | str | None = None,
    progress: bool = True,
) -> Run:
    """Train `model` in place and return the record.

    The images stay on the device as uint8; each batch is gathered, scaled and resized there. The
    sums of loss and hits stay there too, so that no step waits for the one before.

    Args:
        model: maps images (N, C, H, W) from 0 to 1 to scores (N, classes).
        data: see `load_data`.
        recipe: see `Recipe`.
        seed: of the order of the images; the weights are the caller's.
        device: see `pick_device`.
        progress: show a bar an epoch on stderr.

    Raises:
        ValueError: for a device that is not here.
        FloatingPointError: when the loss is no longer a number; the message names the epoch.

    """
    device = pick_device(device)
    model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    images, labels = data.train_images.to(device), data.train_labels.to(device)
    optimizer = make_optimizer(model, recipe)
    shuffle = torch.Generator().manual_seed(seed)
    name = getattr(model, "name", type(model).__name__)
    run = Run(name, data.describe(), dataclasses.asdict(recipe), seed, machine=machine(device))
    for epoch in range(1, recipe.epochs + 1):
        start = time.perf_counter()
        model.train()
        loss_sum, hits = torch.zeros((), device=device), torch.zeros((), device=device)
        steps = tqdm(
            batches(images, labels, recipe.batch_size, shuffle),
            f"{name}, epoch {epoch}/{recipe.epochs}",
            total=-(-len(labels) // recipe.batch_size),
            leave=False,
            disable=not progress,
        )
        for x, y in steps:
            scores = model(prepare(x, recipe.image_size))
            loss = F.cross_entropy(scores, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss_sum += loss.detach() * len(y)
            hits += (scores.argmax(1) == y).sum()
        train_loss = loss_sum.item() / len(labels)
        run.seconds.append(time.perf_counter() - start)
        if not torch.isfinite(torch.tensor(train_loss)):
            raise FloatingPointError(
                f"the loss of {name} became {train_loss} in epoch {epoch}: lower lr={recipe.lr}"
            )
        test = evaluate(model, data, recipe.image_size, device=device)
        run.rows.append(
            {
                "epoch": epoch,
                "train_loss": train_loss,
                "train_accuracy": hits.item() / len(labels),
                "test_loss": test.loss,
                "test_accuracy": test.accuracy,
            }
        )
    return run


@torch.no_grad()
def evaluate(
    model: nn.Module,
    data: ImageData,
    image_size: int | None = None,
    *,
    device: torch.device | str | None = None,
    batch_size: int = 500,
) -> Evaluation:
    """Classify the test images with the model in evaluation mode, and leave it in that mode.

    Args:
        model: maps images (N, C, H, W) from 0 to 1 to scores (N, classes).
        data: see `load_data`.
        image_size: as in the recipe the model was trained with.
        device: see `pick_device`.
        batch_size: images at a time.

    Raises:
        ValueError: for a device that is not here, or a batch_size below 1.

    """
    check_positive(batch_size=batch_size)
    device = pick_device(device)
    model.to(device).eval()
    images, labels = data.test_images.to(device), data.test_labels.to(device)
    scores = torch.cat(
        [model(prepare(x, image_size)) for x, _ in batches(images, labels, batch_size)]
    )
    predictions = scores.argmax(1)
    return Evaluation(
        F.cross_entropy(scores, labels).item(),
        (predictions == labels).float().mean().item(),
        predictions.cpu(),
    )
