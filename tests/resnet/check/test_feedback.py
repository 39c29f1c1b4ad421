"""What a check says to what is no answer: in words, and without a traceback."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from readers import Raises, Residual, spoilt
from torch import nn

import resnet
from resnet import check
from resnet.check import feedback


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    before = dict(feedback.TRIED)
    feedback.TRIED.clear()
    yield
    feedback.TRIED.clear()
    feedback.TRIED.update(before)


class Odd:
    """Whatever is asked of it, it objects."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(f"no {name}")

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


ODDITIES: dict[str, object] = {
    "None": None,
    "gap": ...,
    "number": 3,
    "nan": math.nan,
    "text": "answer",
    "bytes": b"x",
    "list": [1, 2],
    "empty": {},
    "nested": {"a": {"b": ...}},
    "class": nn.ReLU,
    "instance": nn.Conv2d(3, 3, 1),
    "function": lambda *_: None,
    "no arguments": lambda: None,
    "exits": lambda *_: exit(3),
    "interrupts": partial(next, iter(())),
    "module that raises": Raises,
    "tensor": torch.ones(3),
    "array": np.ones((2, 2)),
    "type": int,
    "odd": Odd(),
    "the book's block": resnet.BasicBlock,
    "the book's network": resnet.cifar_resnet(8),
}


@pytest.mark.parametrize("name", feedback.CHECKS)
def test_no_answer_is_told_so(name: str) -> None:
    """Any object in the place of an answer gets an answer in words."""
    judge = getattr(check, name)
    count = judge.__wrapped__.__code__.co_argcount
    for what, oddity in ODDITIES.items():
        found = judge(*[oddity] * count)
        assert isinstance(found, check.Feedback) and not found, what
        assert found.says and all(line.strip() for line in found.says), what
        assert "Traceback" not in repr(found) and "site-packages" not in repr(found), what
        assert found._repr_html_().startswith("<p><strong>Not yet</strong>"), what


def test_wrong_number_of_answers() -> None:
    assert "resnet.check.residual(Residual)" in repr(check.residual())
    assert "resnet.check.preact_forgotten(numbers, answers)" in repr(check.preact_forgotten(1))
    assert "Call it as in the text" in repr(check.residual(answer=1))


def test_prints_are_held_back_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    def chatty(self: Residual, x: torch.Tensor) -> torch.Tensor:
        print("shape", x.shape)
        return Residual.forward(self, x)

    found = check.residual(spoilt(chatty))
    assert found and not capsys.readouterr().out
    assert re.search(r"Your code printed \d+ lines, not shown here\.", repr(found))
    assert "1 line, not shown" in repr(check.steps_nested(lambda a, b: print("?")))
    print("shown again")
    assert capsys.readouterr().out == "shown again\n"


def test_default_dtype_is_the_readers() -> None:
    torch.set_default_dtype(torch.float64)
    try:
        assert check.residual(Residual)
        assert torch.get_default_dtype() is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_summary_counts_tries() -> None:
    assert "0 solved" in repr(check.summary())
    check.steps_nested(None)
    check.steps_nested(lambda a, b: b % a == 0)
    check.grow_order({})
    rows = check.summary().rows
    assert rows == [
        ["steps_nested", "2", "solved"],
        ["grow_order", "1", "open"],
        ["1 solved", "", ""],
    ]
