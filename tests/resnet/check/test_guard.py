"""What a check says to what is no answer: in seconds, in words, and without a traceback."""

from __future__ import annotations

import contextlib
import math
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from cells import EVERY, run
from torch import nn
from toybook import ROOT

import resnet
from resnet import check
from resnet.check import formulas, running, verdict


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    before = dict(verdict.TRIED)
    verdict.TRIED.clear()
    yield
    verdict.TRIED.clear()
    verdict.TRIED.update(before)


class Raises(nn.Module):
    def __init__(self, *_: object) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 3, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise ZeroDivisionError("by nothing")


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


@pytest.mark.parametrize("name", verdict.CHECKS)
def test_no_answer_is_told_so(name: str) -> None:
    """Any object in the place of an answer gives a verdict in words."""
    judge = getattr(check, name)
    count = judge.__wrapped__.__code__.co_argcount
    for what, oddity in ODDITIES.items():
        found = judge(*[oddity] * count)
        assert isinstance(found, check.Verdict) and not found, what
        assert found.says and all(line.strip() for line in found.says), what
        assert "Traceback" not in repr(found) and "site-packages" not in repr(found), what
        assert found._repr_html_().startswith("<p><strong>Not yet</strong>"), what


def test_wrong_number_of_answers() -> None:
    assert "resnet.check.residual(Residual)" in repr(check.residual())
    assert "resnet.check.keras_blocks(IdentityBlock, ConvolutionalBlock)" in repr(
        check.keras_blocks(1, 2, 3)
    )
    assert "Call it as in the text" in repr(check.residual(answer=1))


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


def test_an_error_is_told_with_the_readers_own_line() -> None:
    said = repr(check.residual(Raises))
    assert '(at `raise ZeroDivisionError("by nothing")`)' in said
    assert "Residual(8, 8) on an input of shape (3, 8, 9, 6)" in said


def spin(*_: object) -> None:
    while True:
        pass


def swallow(*_: object) -> None:
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(0.01)


@pytest.mark.parametrize("answer", [spin, swallow, lambda *_: time.sleep(30)])
def test_what_hangs_is_ended(answer: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "SECONDS", 0.3)
    start = time.monotonic()
    found = check.steps_nested(answer)
    assert time.monotonic() - start < 5
    assert not found and "Is there a loop that does not end?" in repr(found)
    if answer is spin:
        assert "restart" not in repr(found)


def test_a_loop_really_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "SECONDS", 0.2)
    before = threading.active_count()
    check.steps_nested(spin)
    assert threading.active_count() <= before


def test_works_outside_the_main_thread() -> None:
    found: list[check.Verdict] = []
    thread = threading.Thread(target=lambda: found.append(check.residual(Residual)))
    thread.start()
    thread.join()
    assert found and found[0]


def test_leaves_random_numbers_and_weights_alone() -> None:
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    net = resnet.resnet18()
    weight, training = net.fc.weight.clone(), net.training
    torch.manual_seed(4)
    check.residual(Residual)
    assert torch.equal(torch.rand(3), expected)
    check.resnet34(net)
    assert torch.equal(net.fc.weight, weight) and net.training is training


KEPT = {
    "residual": ("Residual",), "keras-blocks": ("IdentityBlock", "ConvolutionalBlock"),
    "bottleneck": ("Bottleneck",), "resnext": ("Grouped",), "table-1": ("make",),
    "preact-bottleneck": ("PreActBottleneck",), "preact-network": ("make",),
    "stochastic-depth": ("StochasticBranch",),
}  # fmt: skip


def fingerprint(net: nn.Module) -> list[object]:
    """What a check could change: modes, and of each tensor its kind, its place and its numbers."""
    tensors = [*net.parameters(), *net.buffers()]
    return [
        [part.training for part in net.modules()],
        [(t.data_ptr(), t.dtype, t.device, t.requires_grad, t.double().sum()) for t in tensors],
    ]


@pytest.mark.parametrize("slug", KEPT)
def test_what_the_reader_keeps_is_judged_and_not_changed(slug: str) -> None:
    """Blocks and networks made once, and handed over every time they are asked for."""
    exercise, names = EVERY[slug], {}
    run("\n".join([*exercise.imports, "import torch", exercise.starter]), names)
    run(exercise.solution, names)
    for name in KEPT[slug]:
        names[name] = kept(names[name])
    for _ in range(2):
        found = run(exercise.check, names)
        assert found, found
        made = [kept for name in KEPT[slug] for kept in names[name].made.values()]
        assert made and all(fingerprint(net) == before for net, before in made)
    weights = [w for net, _ in made for w in net.parameters() if w.ndim == 4]
    assert all(0 < w.std() < 1 for w in weights), "their initial weights were not drawn"


def kept(make: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
    def remembered(*arguments: object) -> nn.Module:
        key = repr([(a, id(a) if isinstance(a, nn.Module) else 0) for a in arguments])
        if key not in made:
            net = make(*arguments)
            made[key] = net, fingerprint(net)
        return made[key][0]

    made: dict[str, tuple[nn.Module, list[object]]] = remembered.__dict__.setdefault("made", {})
    return remembered


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


def test_prints_are_held_back_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    def chatty(self: Residual, x: torch.Tensor) -> torch.Tensor:
        print("shape", x.shape)
        return Residual.forward(self, x)

    found = check.residual(spoilt(chatty))
    assert found and not capsys.readouterr().out
    assert re.search(r"Your code printed \d+ lines, held back here\.", repr(found))
    assert "1 line, held" in repr(check.steps_nested(lambda a, b: print("?")))
    print("shown again")
    assert capsys.readouterr().out == "shown again\n"


def test_default_dtype_is_the_readers() -> None:
    torch.set_default_dtype(torch.float64)
    try:
        assert check.residual(Residual)
        assert torch.get_default_dtype() is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_an_interrupt_stops_the_answer_too() -> None:
    before = threading.active_count()
    threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        check.steps_nested(spin)
    time.sleep(0.1)
    assert threading.active_count() <= before


def test_frozen_and_used_networks_are_judged_like_new_ones() -> None:
    parts = resnet.resnet34().named_children()
    net = torch.nn.Sequential(OrderedDict(parts)).requires_grad_(False).eval()
    net(torch.rand(1, 3, 33, 33))
    assert check.resnet34(net)


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


def test_values_depend_on_shape_alone_and_are_not_spoilt_by_use() -> None:
    first = formulas.Layers(3, True)
    x = torch.randn(4, 5, 6, 6)
    once = first.bn(first.conv(x, 5, 3))
    again = formulas.Layers(3, True)
    assert torch.equal(again.bn(again.conv(x, 5, 3)), once)
    evaluated = formulas.Layers(3, False)
    assert torch.equal(evaluated.bn(x), formulas.Layers(3, False).bn(x))
    weight, bias = (formulas.values(f"bn.{part}", (5,), 3) for part in ("weight", "bias"))
    assert not torch.equal(weight, bias)
