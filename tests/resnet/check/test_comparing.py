"""Blocks that are right, spoilt, or the book's own, and what five networks cost."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest
import torch
from cells import EVERY
from readers import Raises, Residual, spoilt
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

import resnet
from resnet import check
from resnet.check import feedback


def test_residual_as_it_should_be() -> None:
    assert check.residual(Residual)
    assert check.residual(partial(Residual))
    assert check.residual(lambda *a: Residual(*a).double())
    assert check.residual(lambda *a: Residual(*a).half().eval())


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Residual(3, 3), "the class Residual itself"),
        (lambda *a: Residual, "make a module of it"),
        (lambda *a: Residual(*a).to("meta"), "on the device meta"),
        (spoilt(lambda self, x: (x, x)), "returns a tuple of 2"),
        (spoilt(lambda self, x: None), "returns None"),
        (spoilt(lambda self, x: x.numpy()), "of type ndarray"),
        (spoilt(lambda self, x: Residual.forward(self, x).int()), "returns torch.int32"),
        (spoilt(lambda self, x: Residual.forward(self, x).to("meta")), "on meta"),
        (spoilt(lambda self, x: Residual.forward(self, x) * math.nan), "other outputs"),
        (spoilt(lambda self, x: Residual.forward(self, x)[:, :, :-1]), "returns shape"),
        (spoilt(lambda self, x: Residual.forward(self, x).detach()), "gradients cannot flow"),
        (spoilt(lambda self, x: Residual.forward(self, x).mean()), "returns shape"),
        (spoilt(lambda self, x: Residual.forward(self, x) if x.shape[2] == x.shape[3] else x),
         "Residual"),
        (spoilt(lambda self, x: Residual.forward(self, x) if not self.training else x), "Residual"),
        (spoilt(lambda self, x: Residual.forward(self, x.mul_(1.5))), "in place"),
        (resnet.BasicBlock, "the book's own block"),
        (lambda *a: nn.Sequential(resnet.BasicBlock(*a)), "the book's own block"),
        (Raises, "ZeroDivisionError: by nothing"),
    ],
)  # fmt: skip
def test_spoilt_answers(answer: object, told: str) -> None:
    found = check.residual(answer)
    assert not found
    assert told in repr(found), found


class Counting(TorchDispatchMode):
    """Counts the weights that are drawn, and those that convolutions read."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn = self.read = 0

    def __torch_dispatch__(
        self, func: Any, types: object, args: Any = (), kwargs: Any = None
    ) -> object:
        name = func.overloadpacket.__name__
        if name in ("uniform_", "normal_") and not args[0].is_meta:
            self.drawn += args[0].numel()
        if name in ("convolution", "convolution_backward"):
            self.read += args[1 if name == "convolution" else 2].numel()
        return func(*args, **(kwargs or {}))


def test_table_1_costs_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes the time of five networks: drawing the weights, and reading them.

    Drawn are those of one network and of its twin, the book's; read is each network three times at
    the most, by the answer, by the book's and by the gradients of two.
    """
    monkeypatch.setattr(feedback, "limited", lambda work: work())  # a mode counts in one thread
    space: dict[str, Any] = {}
    exec("\n".join([*EVERY["table-1"].imports, EVERY["table-1"].solution]), space)
    with Counting() as alone:
        for depth in (18, 34, 50, 101, 152):
            space["make"](depth)(torch.rand(2, 3, 33, 40))
    with Counting() as checked:
        assert check.table_1(space["make"])
    assert checked.drawn < 0.2 * alone.drawn
    assert checked.read < 3 * alone.read
