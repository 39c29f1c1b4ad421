"""What readers may hand over: a right block and how it is spoilt, and code that does not end."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn


class Raises(nn.Module):
    def __init__(self, *_: object) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 3, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise ZeroDivisionError("by nothing")


class Residual(nn.Module):
    """A right answer, to be spoilt."""

    def __init__(self, i: int, o: int, stride: int = 1) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(i, o, 3, stride, 1), nn.BatchNorm2d(o), nn.ReLU(),
            nn.Conv2d(o, o, 3, 1, 1), nn.BatchNorm2d(o),
        )  # fmt: skip
        self.shortcut = nn.Sequential()
        if stride != 1 or i != o:
            self.shortcut = nn.Sequential(nn.Conv2d(i, o, 1, stride), nn.BatchNorm2d(o))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.branch(x) + self.shortcut(x)).relu()


def spoilt(change: Callable[[Residual, torch.Tensor], Any]) -> type[Residual]:
    class Spoilt(Residual):
        def forward(self, x: torch.Tensor) -> Any:
            return change(self, x)

    return Spoilt


def spin(*_: object) -> None:
    while True:
        pass


def swallow(*_: object) -> None:
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(0.01)
