"""Training: the loop, and the record it returns."""

import contextlib
import copy
import math
import traceback
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from resnet.arguments import require_positive, require_whole
from resnet.blocks import ResidualUnit
from resnet.data import ImageData, ImageFolders
from resnet.measure import refresh_statistics
from resnet.training.batches import Batches
from resnet.training.checkpoint import Saver, exclusive
from resnet.training.devices import (
    Precision,
    arithmetic,
    machine,
    out_of_memory,
    peak_memory,
    pick_device,
    pick_precision,
    process,
    reset_peak_memory,
)
from resnet.training.lars import lars
from resnet.training.recipes import Recipe
from resnet.training.records import Run
from resnet.training.state import State
from resnet.training.step import GraphStep, Step, is_repeatable

STATISTICS = 2048  # training images that fresh BN statistics are taken over


class Evaluation(NamedTuple):
    """Mean loss in nats, accuracy from 0 to 1, and the class predicted for each image, (N,)."""

    loss: float
    accuracy: float
    predictions: Tensor


def make_optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Make the optimizer that a recipe asks for."""
    options: dict[str, Any] = {"lr": recipe.lr, "weight_decay": recipe.weight_decay, "fused": True}
    if next(model.parameters()).device.type not in ("cpu", "cuda"):
        options["fused"] = False
    if recipe.optimizer == "adam":
        return torch.optim.Adam(model.parameters(), **options)
    sgd = torch.optim.SGD(
        model.parameters(), momentum=recipe.momentum, nesterov=recipe.nesterov, **options
    )
    if recipe.optimizer == "lars":
        sgd.register_step_pre_hook(lars)
    return sgd


@exclusive
def fit(
    model: nn.Module,
    data: ImageData | ImageFolders,
    recipe: Recipe,
    *,
    seed: int = 0,
    device: torch.device | str | None = None,
    precision: Precision | None = None,
    compiled: bool = False,
    graph: bool = True,
    sync_bn: bool = False,
    checkpoint: str | Path | None = None,
    save_every: float = 60.0,
    row_steps: int | None = None,
    clean_images: int = 0,
    progress: bool = True,
) -> Run:
    """Train `model` in place and return the record.

    The images stay on the device as bytes; each batch is gathered, scaled, resized and augmented
    there. The sums of loss and hits stay there too, so that no step waits for the one before.
    Under torchrun (`resnet.training.devices.process_group`) each process takes its share of each
    batch.

    Args:
        model: maps images (N, C, H, W) to scores (N, classes).
        data: see `load_data`.
        recipe: see `Recipe`.
        seed: of the order of the images and their augmentation; the weights are the caller's.
        device: see `pick_device`.
        precision: see `pick_precision`.
        compiled: let torch.compile fuse the layers of each residual unit; pays in long runs only.
        graph: on a GPU, queue a step by one call where that gives the same (`GraphStep`).
        sync_bn: let BN take its statistics over the images of all processes, not each process's
            own share; torch has this for GPUs only.
        checkpoint: file to resume from, if it is there, and to keep the state in.
        save_every: seconds between checkpoints; a row has one in any case.
        row_steps: steps between two rows of the record; None: an epoch. The training itself is the
            same for any.
        clean_images: so many training images, the first ones, on which each row also has the
            accuracy as a test would find it: not augmented, and with BN statistics of their own.
        progress: show a bar for each row on stderr.

    Raises:
        ValueError: for a device or a precision that is not here, or a checkpoint of another run.
        CheckpointError: if a checkpoint cannot be read or written, or another training uses it.
        DivergedError: when the loss is no longer a number; the message names the epoch.
        MemoryError: when a batch does not fit; the message names one that does.

    """
    require_whole(0, seed=seed)
    if row_steps is not None:
        require_positive(row_steps=row_steps)
    if clean_images:
        require_positive(clean_images=clean_images)
    device = pick_device(device)
    precision = pick_precision(precision, device)
    model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    batches = Batches(data, recipe, device, process())
    optimizer = make_optimizer(model, recipe)
    forward = wrap_model(model, device, compiled=compiled, sync_bn=sync_bn)
    smaller = model if process()[1] == 1 else forward  # the last batch of an epoch
    reset_peak_memory(device)
    run = Run(
        network=getattr(model, "name", type(model).__name__),
        data=data.describe(),
        recipe=recipe.describe(),
        seed=seed,
        settings={
            "precision": precision,
            "compiled": compiled,
            "processes": process()[1],
            "sync_bn": sync_bn,
            "clean_images": clean_images,
        },
        machine=machine(device),
    )
    state = State(seed, device)
    saver = Saver(checkpoint, save_every, state, model, optimizer, run)
    saver.resume()
    kind = GraphStep if graph and is_repeatable(model, optimizer) else Step
    step = kind(forward, smaller, optimizer, recipe, state, precision, batches.share)

    steps_a_row = row_steps or len(batches)
    total = recipe.steps or (recipe.epochs or 0) * len(batches)
    epochs = math.ceil(total / len(batches))
    stream = endless_batches(batches, state)
    while state.step < total:  # a row of the record: some steps, by default an epoch's, and a test
        begun = state.step % steps_a_row  # steps that a resumed row has already
        end = min(state.step - begun + steps_a_row, total)
        epoch = math.ceil(end / len(batches))
        bar = tqdm(
            islice(stream, end - state.step),
            desc=f"{run.network}, epoch {epoch}/{epochs}",
            total=begun + end - state.step,
            initial=begun,
            leave=False,
            disable=not progress,
        )
        model.train()
        state.start_clock()
        for x, y, share in bar:
            with memory_advice(model, x):
                step(x, y, share, recipe.rate(state.step, total))
            if state.step < end:  # the row's last step is saved with its test
                saver.between_steps()
        row, seconds = state.end_row()
        require_finite("loss", row["train_loss"], run, epoch)
        test = score(model, batches, precision, batches.share)
        require_finite("test loss", test.loss, run, epoch)  # of the weights that the last step made
        row |= {"test_loss": test.loss, "test_accuracy": test.accuracy}
        if clean_images:
            row["train_accuracy_clean"] = clean_accuracy(model, batches, precision, clean_images)
        run.rows.append({"epoch": epoch, "step": state.step} | row)
        run.seconds.append(seconds)
        run.peak_memory = peak_memory(device)
        saver.save()
    return run


def endless_batches(batches: Batches, state: State) -> Iterator[tuple[Tensor, Tensor, float]]:
    """Yield images, labels and weight of each batch, epoch after epoch, from where `state` stands.

    It never ends. A batch is made, and its random numbers are drawn, when it is asked for.
    """
    while True:
        first = state.step % len(batches)
        if first == 0:  # a new order; a resumed epoch has its own still
            state.start = state.random.get_state()
        yield from batches.epoch(state.random, state.start, first)


class DivergedError(FloatingPointError):
    """The loss is no longer a number; `run` is the record, with the rows up to then."""

    run: Run


def require_finite(name: str, loss: float, run: Run, epoch: int) -> None:
    """Raise DivergedError unless the loss is a number; the message says what to change."""
    if not math.isfinite(loss):
        error = DivergedError(
            f"the {name} of {run.network} became {loss} in epoch {epoch}: lower "
            f"lr={run.recipe['lr']}; a checkpoint, if you keep one, is from before"
        )
        error.run = run
        raise error


def wrap_model(
    model: nn.Module, device: torch.device, *, compiled: bool, sync_bn: bool
) -> nn.Module:
    """Wrap a model for its training: its units compiled, it itself over all processes.

    Units of one shape are compiled once. The model itself stays as it is, for its tests.

    Raises:
        ValueError: for sync_bn without GPUs.

    """
    if sync_bn:
        if device.type != "cuda":
            raise ValueError(f"sync_bn=True on {device}: torch can do this on GPUs only")
        nn.SyncBatchNorm.convert_sync_batchnorm(model)  # in place, but for a lone BN
    forward = model
    if compiled:
        forward = with_compiled_units(model)
    if process()[1] > 1:
        forward = DistributedDataParallel(forward, [device] if device.type == "cuda" else None)
    return forward


def with_compiled_units(module: nn.Module) -> nn.Module:
    """Return the module with its residual units compiled; without such units, compiled itself.

    All weights and layers are the module's own; what is copied is what contains units.
    """
    units = [m for m in module.modules() if isinstance(m, ResidualUnit)]
    if not units or module is units[0]:
        torch._dynamo.config.recompile_limit = 64  # kinds of units, all with one `forward`
        return cast(nn.Module, torch.compile(module, dynamic=False))
    twin = copy.copy(module)
    twin._modules = {
        name: with_compiled_units(child)
        if child is not None and any(isinstance(m, ResidualUnit) for m in child.modules())
        else child
        for name, child in module._modules.items()
    }
    return twin


@contextlib.contextmanager
def memory_advice(model: nn.Module, x: Tensor) -> Iterator[None]:
    """Turn "out of memory" into an error that names a batch size that fits."""
    try:
        yield
        return
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        reason = str(error).splitlines()[0]
        traceback.clear_frames(error.__traceback__)  # they hold the failed step's tensors
    model.zero_grad()
    n = len(x) // 2
    while n and not _fits(model, x[:n]):
        n //= 2
    raise MemoryError(
        f"a batch of {len(x)} images of shape {tuple(x.shape[1:])} does not fit ({reason}); "
        + (f"batch_size={n} does" if n else "not even one image does")
    )


def _fits(model: nn.Module, x: Tensor) -> bool:
    try:
        model(x).sum().backward()
    except RuntimeError:
        return False
    finally:
        model.zero_grad()
    return True


def evaluate(
    model: nn.Module,
    data: ImageData | ImageFolders,
    recipe: Recipe | None = None,
    *,
    device: torch.device | str | None = None,
    precision: Precision | None = None,
    batch_size: int = 500,
) -> Evaluation:
    """Classify the test images with the model in evaluation mode, and leave it in that mode.

    Args:
        model: maps images (N, C, H, W) to scores (N, classes).
        data: see `load_data`.
        recipe: what the model was trained with, for the size and the mean of the images and, if it
            holds some out, the images tested on; without one, the test images as they are.
        device: see `pick_device`.
        precision: see `pick_precision`.
        batch_size: images at a time.

    Raises:
        ValueError: for a device or a precision that is not here, or a batch_size below 1.

    """
    require_positive(batch_size=batch_size)
    device = pick_device(device)
    model.to(device)
    batches = Batches(data, recipe or Recipe(epochs=1, batch_size=1, lr=1.0), device)
    return score(model, batches, pick_precision(precision, device), batch_size)


@torch.no_grad()
def clean_accuracy(model: nn.Module, batches: Batches, precision: Precision, count: int) -> float:
    """Classify the first training images without augmentation, with BN statistics of their own.

    So it is not the augmentation's noise, nor the lag of BN's averages, that is measured. The
    model's own statistics are put back.
    """
    kept = {name: value.clone() for name, value in model.named_buffers()}
    hits = torch.zeros((), dtype=torch.long, device=batches.device)
    with arithmetic(batches.device, precision):
        size = batches.recipe.batch_size
        refresh_statistics(model, (x for x, _ in batches.clean(min(count, STATISTICS), size)))
        for x, y in batches.clean(count, batches.share):
            hits += (model(x).argmax(1) == y).sum()
    for name, value in model.named_buffers():
        value.copy_(kept[name])
    return hits.item() / min(count, batches.length)


@torch.no_grad()
def score(model: nn.Module, batches: Batches, precision: Precision, batch_size: int) -> Evaluation:
    """Classify the test images of `batches`, which are on the model's device."""
    model.eval()
    with arithmetic(batches.device, precision):
        scores = torch.cat([model(x) for x in batches.test(batch_size)]).float()
    predictions = scores.argmax(1)
    return Evaluation(
        F.cross_entropy(scores, batches.test_labels).item(),
        (predictions == batches.test_labels).float().mean().item(),
        predictions.cpu(),
    )
