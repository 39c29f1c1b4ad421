"""The file to copy is short, stands alone, and makes the module's networks."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import reference
import torch

import resnet
from resnet.book import one_file

SOURCE = Path(one_file.__file__).read_text(encoding="utf-8")


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("preact", [False, True])
@pytest.mark.parametrize(("depth", "bottleneck"), [(20, False), (29, True)])
def test_same_weights_same_outputs(
    depth: int, bottleneck: bool, preact: bool, training: bool
) -> None:
    options = {"bottleneck": bottleneck, "preact": preact}
    theirs = reference.stir(resnet.cifar_resnet(depth, 7, 2, shortcut="B", **options))
    copy = one_file.resnet(depth, 7, 2, **options)
    assert resnet.count_parameters(copy) == resnet.count_parameters(theirs)
    state = dict(zip(copy.state_dict(), theirs.state_dict().values(), strict=True))
    copy.load_state_dict(state)
    x = torch.randn(3, 2, 13, 10)
    assert copy.train(training)(x).shape == (3, 7)
    torch.testing.assert_close(copy(x), theirs.train(training)(x))


def test_starts_by_the_fan_out_rule() -> None:
    torch.manual_seed(0)
    weight = one_file.resnet(20, 10, 3)[0].weight
    assert weight.std().item() == pytest.approx((2 / (9 * 16)) ** 0.5, rel=0.1)


@pytest.mark.parametrize(("depth", "bottleneck"), [(21, False), (2, False), (20 + 6, True)])
def test_a_depth_that_does_not_exist(depth: int, bottleneck: bool) -> None:
    with pytest.raises(ValueError, match=f"depth={depth}: expected {9 if bottleneck else 6}n"):
        one_file.resnet(depth, 10, 3, bottleneck=bottleneck)


def test_is_short_and_needs_torch_alone() -> None:
    assert len(SOURCE.splitlines()) <= 60
    nodes = list(ast.walk(ast.parse(SOURCE)))
    assert not any(isinstance(node, ast.Import) for node in nodes)
    assert {node.module for node in nodes if isinstance(node, ast.ImportFrom)} == {"torch"}
