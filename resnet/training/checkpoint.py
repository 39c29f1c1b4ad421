"""Where a training stands, in memory and on disk.

On disk a state is whole or not at all, is checked before it is read, and has one in reserve.
"""

import dataclasses
import hashlib
import io
import os
import pickle
import time
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from resnet.training.devices import process, summed
from resnet.training.records import Run

MARK = b"resnet checkpoint 1 "  # then the SHA-256 of what follows the line


class CheckpointError(RuntimeError):
    """A checkpoint cannot be written or used; the message names the file and says what to do."""


def previous(path: Path) -> Path:
    """Return the name under which the checkpoint before the last one is kept."""
    return path.with_name(f"{path.name}.previous")


def save(state: dict[str, Any], path: Path) -> None:
    """Write a state; until it is whole on the disk, the one before stays in place.

    Raises:
        CheckpointError: if the disk is full or the folder cannot be written to; what was there
            before is there still.

    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getvalue()
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(partial, "wb") as file:
            file.write(MARK + hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists() and _is_sound(path.read_bytes()):  # a damaged one must not push out a good
            os.replace(path, previous(path))
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise CheckpointError(
            f"{path} could not be written ({error}): make room or name another file; the "
            "checkpoint before it is still there"
        ) from error


def load(path: Path) -> tuple[dict[str, Any] | None, str]:
    """Return the newest sound state and a word about damaged ones; None if there is none at all.

    Raises:
        CheckpointError: if there are files, and all of them are damaged.

    """
    told: list[str] = []
    for file in (path, previous(path)):
        if not file.exists():
            continue
        try:
            return _read(file), "; ".join(told)
        except CheckpointError as error:
            told.append(str(error))
    if told:
        raise CheckpointError("; ".join(told) + ": delete these files to train from the start")
    return None, ""


def _read(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
    if not content.startswith(MARK):
        raise CheckpointError(f"{path} is not a checkpoint of this module")
    if not _is_sound(content):
        raise CheckpointError(f"{path} is damaged: its content does not fit its SHA-256")
    body = content.partition(b"\n")[2]
    try:
        state: dict[str, Any] = torch.load(io.BytesIO(body), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise CheckpointError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error
    return state


def _is_sound(content: bytes) -> bool:
    head, _, body = content.partition(b"\n")
    return head == MARK + hashlib.sha256(body).hexdigest().encode()


class State:
    """Where a training stands, besides model and optimizer.

    Attributes:
        step: steps done.
        random: the generator of order and augmentation.
        start: its state when the epoch's order was drawn.
        sums: of loss, hits and images since the last row, on the device.
        seconds: of training since then.

    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self.step = 0
        self.random = torch.Generator().manual_seed(seed)
        self.start = self.random.get_state()
        dtype = torch.float32 if device.type == "mps" else torch.double  # MPS has no double
        self.sums = torch.zeros(3, dtype=dtype, device=device)
        self.seconds = 0.0

    def start_clock(self) -> None:
        """Count the seconds from now on, on top of those counted before."""
        self._clock = time.perf_counter() - self.seconds

    def stop_clock(self) -> None:
        """Note the seconds since the last row up to now."""
        self.seconds = time.perf_counter() - self._clock

    def count(self, loss: Tensor, scores: Tensor, labels: Tensor) -> None:
        """Note a step; the sums stay on the device, so that nothing waits for it."""
        n = len(labels)
        hits = (scores.argmax(1) == labels).sum()
        self.sums += torch.stack([loss.detach() * n, hits, torch.full_like(hits, n)])
        self.step += 1

    def end_row(self) -> tuple[dict[str, float], float]:
        """Return a row's means, for all processes, and its seconds; begin the next row."""
        loss, hits, images = summed(self.sums).tolist()
        self.stop_clock()
        seconds = self.seconds
        self.sums, self.seconds = torch.zeros_like(self.sums), 0.0
        return {
            "images": images,
            "train_loss": loss / images,
            "train_accuracy": hits / images,
        }, seconds


class Saver:
    """Keeps a training's state in a file, and brings it back; without a file it does nothing.

    With several processes the first one writes, with the rows only, because the sums
    between are spread over all.

    Args:
        path: of the file, or None.
        every: seconds between two states; a row has one in any case.
        state: see `State`.
        model: the one in training.
        optimizer: its optimizer.
        run: its record.

    """

    def __init__(
        self,
        path: str | Path | None,
        every: float,
        state: State,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        run: Run,
    ) -> None:
        self.path, self.every = Path(path) if path else None, every
        self.state, self.model, self.optimizer, self.run = state, model, optimizer, run
        self.last = time.monotonic()

    def resume(self) -> None:
        """Go back to where the file says the training stood.

        Raises:
            ValueError: if it is the state of another run, naming what differs.
            CheckpointError: if it cannot be read.

        """
        if self.path is None:
            return
        saved, told = load(self.path)
        if told:
            warnings.warn(f"{told}; going on from the one before", stacklevel=3)
        if saved is None:
            return
        for name in ("network", "data", "recipe", "seed", "settings"):
            before, now = saved["run"][name], dataclasses.asdict(self.run)[name]
            if before != now:
                raise ValueError(
                    f"checkpoint={str(self.path)!r} is of another run, its {name} is {before}, not "
                    f"{now}: name another file, or delete it"
                )
        self.model.load_state_dict(saved["model"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.run.rows[:], self.run.seconds[:] = saved["run"]["rows"], saved["run"]["seconds"]
        self.state.step, self.state.start = saved["step"], saved["start"]
        self.state.random.set_state(saved["random"])
        self.state.sums.copy_(saved["sums"])
        self.state.seconds = saved["seconds"]
        torch.set_rng_state(saved["torch"])
        if saved["cuda"] is not None:
            torch.cuda.set_rng_state(saved["cuda"], self.state.sums.device)

    def between_steps(self) -> None:
        """Save if it is time to; not after a row's last step, whose row is still to come."""
        due = time.monotonic() - self.last >= self.every
        # a loss that is no number is told at the end of the epoch, and never saved
        if self.path and due and process()[1] == 1 and self.state.sums.isfinite().all():
            self.state.stop_clock()
            self.save()

    def save(self) -> None:
        """Save now."""
        if self.path is None or process()[0] != 0:
            return
        cuda = self.state.sums.is_cuda
        save(
            {
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "run": dataclasses.asdict(self.run),
                "step": self.state.step,
                "start": self.state.start,
                "random": self.state.random.get_state(),
                "sums": self.state.sums,
                "seconds": self.state.seconds,
                "torch": torch.get_rng_state(),
                "cuda": torch.cuda.get_rng_state(self.state.sums.device) if cuda else None,
            },
            self.path,
        )
        self.last = time.monotonic()
