"""Where a training run stands, on disk: torch.save's zip file, with one in reserve.

A file is whole or not at all. The zip format has a checksum for each tensor, which torch.load does
not look at; Python's `zipfile` does, before anything is used.
"""

import dataclasses
import functools
import os
import pickle
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from zipfile import BadZipFile, ZipFile

import torch
from filelock import FileLock, Timeout
from torch import Tensor, nn

from resnet.files import replacing, require_writable
from resnet.training.devices import gathered, process
from resnet.training.records import Run
from resnet.training.state import State

CONTENT = {
    "model": dict, "optimizer": dict, "run": dict, "step": int, "start": Tensor, "random": Tensor,
    "sums": Tensor, "seconds": float, "torch": Tensor, "cuda": Tensor | None,
}  # fmt: skip
FOLDER = 0x10  # what marks an entry of a zip file as a folder
P = ParamSpec("P")
T = TypeVar("T")


class CheckpointError(RuntimeError):
    """A checkpoint cannot be written or used; the message names the file and says what to do."""


def previous(path: Path) -> Path:
    """Return the name under which the checkpoint before the last one is kept."""
    return path.with_name(f"{path.name}.previous")


def lock(path: Path) -> Path:
    """Return the name of the file that a training run holds while it uses the checkpoint."""
    return path.with_name(f"{path.name}.lock")


def exclusive(train: Callable[P, T]) -> Callable[P, T]:
    """Let a function that takes `checkpoint` have it to itself.

    Of several processes that train together the first one, which writes, holds it for all. The lock
    ends with its process, however that ends.

    Raises:
        ValueError: if the checkpoint's place cannot be written to.
        CheckpointError: if another training uses the checkpoint.

    """

    @functools.wraps(train)
    def alone(*args: P.args, **options: P.kwargs) -> T:
        checkpoint: Any = options.get("checkpoint")
        if not checkpoint or process()[0] != 0:
            return train(*args, **options)
        require_writable(checkpoint=checkpoint)
        try:
            with FileLock(lock(Path(checkpoint)), timeout=0):
                return train(*args, **options)
        except Timeout as error:
            raise CheckpointError(
                f"{checkpoint} is in use by another training: wait for its end, or name another"
            ) from error

    return alone


def save(state: dict[str, Any], path: Path) -> None:
    """Write a state; until it is whole on the disk, the one before stays in place.

    Raises:
        CheckpointError: if the disk is full or the folder cannot be written to; what was there
            before is there still.

    """
    try:
        with replacing(path) as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
            if path.exists() and _is_sound(path):  # a damaged one must not push out a good one
                os.replace(path, previous(path))
    except OSError as error:
        raise CheckpointError(
            f"{path} could not be written ({error}): make room or name another file; the "
            "checkpoint before it is still there"
        ) from error


def load(path: Path) -> tuple[dict[str, Any] | None, str]:
    """Return the newest sound state and a word about damaged ones; None if there is none at all.

    Raises:
        CheckpointError: if there are files, and all of them are damaged.

    """
    errors: list[str] = []
    for file in (path, previous(path)):
        if not file.exists():
            continue
        try:
            return _read(file), "; ".join(errors)
        except CheckpointError as error:
            errors.append(str(error))
    if errors:
        raise CheckpointError("; ".join(errors) + ": delete these files to train from the start")
    return None, ""


def _read(path: Path, *, mmap: bool = False) -> dict[str, Any]:
    """Check a file and return its state, or raise CheckpointError."""
    try:
        with ZipFile(path) as file:
            spoilt = file.testzip()
            # of what is marked as a folder torch reads nothing; the checksums do not cover the mark
            folders = [entry.filename for entry in file.infolist() if entry.external_attr & FOLDER]
        if spoilt or folders:
            raise BadZipFile(f"{spoilt or folders[0]} is not what was written")
        state: dict[str, Any] = torch.load(path, map_location="cpu", mmap=mmap, weights_only=True)
    except (OSError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{path} cannot be read: {_first_line(error)}") from error
    except Exception as error:  # there is no error that a flipped bit could not cause
        raise CheckpointError(f"{path} is damaged: {_first_line(error)}") from error
    if not isinstance(state, dict) or not CONTENT.keys() <= state.keys():
        raise CheckpointError(f"{path} is not a checkpoint of this module")
    for name, kind in CONTENT.items():
        if not isinstance(state[name], kind):
            raise CheckpointError(f"{path} is not a checkpoint of this module: wrong {name}")
    return state


def _is_sound(path: Path) -> bool:
    try:
        _read(path, mmap=True)
    except CheckpointError:
        return False
    return True


def _first_line(error: Exception) -> str:
    return (str(error) or repr(error)).splitlines()[0]


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
        if not every >= 0:  # nor is NaN
            raise ValueError(f"save_every={every!r}: expected seconds, at least 0")
        self.path, self.every = Path(path) if path else None, every
        self.state, self.model, self.optimizer, self.run = state, model, optimizer, run
        self.last = time.monotonic()

    def resume(self) -> None:
        """Go back to where the file says the training stood, in each of several processes.

        Raises:
            ValueError: if it is the state of another run, naming what differs.
            CheckpointError: if it cannot be read, or holds something else, or not all processes
                have it.

        """
        if self.path is None:
            return
        self._go_back(self.path)
        if len(set(steps := gathered(self.state.step))) > 1:
            raise CheckpointError(
                f"{self.path} is not the same file for all processes, which would go on from the "
                f"steps {', '.join(map(str, steps))}: name one on a disk that all machines share"
            )

    def _go_back(self, path: Path) -> None:
        saved, problem = load(path)
        if problem:
            warnings.warn(f"{problem}; going on from the one before", stacklevel=5)
        if saved is None:
            return
        try:
            difference = _difference(saved["run"], dataclasses.asdict(self.run))
            if not difference:
                self.model.load_state_dict(saved["model"])
                self.optimizer.load_state_dict(saved["optimizer"])
                self.state.load_state_dict(saved)
                self.run.rows[:], self.run.seconds[:] = (
                    saved["run"]["rows"],
                    saved["run"]["seconds"],
                )
        except Exception as error:  # nor one that other content could not
            raise CheckpointError(
                f"{path} does not fit this training ({_first_line(error)}): name another "
                "file, or delete it"
            ) from error
        if difference:
            raise ValueError(
                f"checkpoint={str(path)!r} is of another run, {difference}: name another file, or "
                "delete it"
            )

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
        save(
            {
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "run": dataclasses.asdict(self.run),
                **self.state.state_dict(),
            },
            self.path,
        )
        self.last = time.monotonic()


def _difference(before: dict[str, Any], now: dict[str, Any]) -> str:
    """Say in which field two runs differ that cannot be one; "" if in none."""
    for name in ("network", "data", "recipe", "seed"):
        if before[name] != now[name]:
            return f"its {name} is {before[name]}, not {now[name]}"
    for name, value in now["settings"].items():
        if (found := before["settings"].get(name)) != value:
            return f"its {name} is {found}, not {value}"
    return ""
