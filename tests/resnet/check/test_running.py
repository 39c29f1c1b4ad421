"""Answers that raise, hang or are interrupted; what the reader keeps is as it was."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

import pytest
import torch
from cells import EVERY, run
from readers import Raises, Residual, spin, swallow
from torch import nn

import resnet
from resnet import check
from resnet.check import running


def test_an_error_is_told_with_the_readers_own_line() -> None:
    said = repr(check.residual(Raises))
    assert '(at `raise ZeroDivisionError("by nothing")`)' in said
    assert "Residual(8, 8) on an input of shape (3, 8, 9, 6)" in said


@pytest.mark.parametrize("answer", [spin, swallow, lambda *_: time.sleep(30)])
def test_what_hangs_is_ended(answer: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "SECONDS", 0.3)
    start = time.monotonic()
    found = check.steps_nested(answer)
    assert time.monotonic() - start < 20  # it would sleep for 30
    assert not found and "Is there a loop that does not end?" in repr(found)
    if answer is spin:
        assert "restart" not in repr(found)


def test_a_loop_really_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "SECONDS", 0.2)
    before = threading.active_count()
    check.steps_nested(spin)
    assert threading.active_count() <= before


def test_an_interrupt_stops_the_answer_too() -> None:
    before = threading.active_count()
    threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        check.steps_nested(spin)
    time.sleep(0.1)
    assert threading.active_count() <= before


def test_works_outside_the_main_thread() -> None:
    found: list[check.Feedback] = []
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
    "residual": ("Residual",),
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


def test_frozen_and_used_networks_are_judged_like_new_ones() -> None:
    parts = resnet.resnet34().named_children()
    net = torch.nn.Sequential(OrderedDict(parts)).requires_grad_(False).eval()
    net(torch.rand(1, 3, 33, 33))
    assert check.resnet34(net)
