"""Blocks that are right, spoilt, or the book's own, and how long five networks take."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from functools import partial

import pytest
from cells import EVERY
from readers import Raises, Residual, spoilt
from torch import nn
from toybook import ROOT

import resnet
from resnet import check


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


TIMED = """
import time, torch
x = torch.rand(2, 3, 33, 40)
start = time.process_time()
assert resnet.check.table_1(make)
middle = time.process_time()
for depth in (18, 34, 50, 101, 152):
    make(depth)(x)
print(middle - start, time.process_time() - middle)
"""


def test_table_1_is_checked_in_seconds() -> None:
    """In a new kernel: hardly longer than it takes to make five networks and to run each once."""
    source = "\n".join([*EVERY["table-1"].imports, EVERY["table-1"].solution, TIMED])
    done = subprocess.run([sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip
    assert done.returncode == 0, done.stderr
    for_check, alone = map(float, done.stdout.split())
    assert for_check < 2.5 * alone
