"""Where a training run stands, in memory: its steps, sums, clock and random numbers."""

import time
from typing import Any

import torch
from torch import Tensor

from resnet.training.devices import summed


class State:
    """Where a training run stands, besides model and optimizer.

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

    def state_dict(self) -> dict[str, Any]:
        """Return all this, and the states of torch's own generators, from which dropout draws."""
        cuda = torch.cuda.get_rng_state(self.sums.device) if self.sums.is_cuda else None
        return {
            "step": self.step,
            "random": self.random.get_state(),
            "start": self.start,
            "sums": self.sums,
            "seconds": self.seconds,
            "torch": torch.get_rng_state(),
            "cuda": cuda,
        }

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Go back to what `state_dict` has returned."""
        self.step, self.seconds = saved["step"], saved["seconds"]
        self.sums.copy_(saved["sums"].view(3))
        for state in (saved["start"], saved["random"]):  # the first, too, must be one
            self.random.set_state(state)
        self.start = saved["start"]
        torch.set_rng_state(saved["torch"])
        if saved["cuda"] is not None:
            torch.cuda.set_rng_state(saved["cuda"], self.sums.device)

    def start_clock(self) -> None:
        """Count the seconds from now on, on top of those counted before."""
        self._clock = time.perf_counter() - self.seconds

    def stop_clock(self) -> None:
        """Note the seconds since the last row up to now."""
        self.seconds = time.perf_counter() - self._clock

    def count(self, loss: Tensor, scores: Tensor, labels: Tensor) -> None:
        """Add a batch to the sums; they stay on the device, so that nothing waits for it."""
        n = len(labels)
        hits = (scores.argmax(1) == labels).sum()
        self.sums += torch.stack([loss.detach() * n, hits, torch.full_like(hits, n)])

    def end_row(self) -> tuple[dict[str, float], float]:
        """Return a row's means, for all processes, and its seconds; begin the next row."""
        loss, hits, images = summed(self.sums).tolist()
        self.stop_clock()
        seconds = self.seconds
        self.sums.zero_()  # in place: a CUDA graph adds to this memory
        self.seconds = 0.0
        return {
            "images": images,
            "train_loss": loss / images,
            "train_accuracy": hits / images,
        }, seconds
