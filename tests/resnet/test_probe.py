"""Gradients per unit, along a line, and networks without some units."""

import itertools

import pytest
import torch
import torch.nn.functional as F

from resnet.nets import cifar_resnet
from resnet.probe import (
    gradient_correlation,
    gradient_norms,
    growth,
    keeps_shape,
    units,
    without,
)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(8, 3, 12, 12, generator=torch.Generator().manual_seed(0))


LABELS = torch.arange(8)


def test_norms_are_those_of_backward(images: torch.Tensor) -> None:
    torch.manual_seed(0)
    net = cifar_resnet(8)
    x = net.stem(images).detach().requires_grad_()
    F.cross_entropy(net.fc(net.flatten(net.pool(net.stage3(net.stage2(net.stage1(x)))))), LABELS
                    ).backward()  # type: ignore[no-untyped-call]  # fmt: skip
    norms = gradient_norms(net, images, LABELS)
    assert x.grad is not None and len(norms) == 3
    assert norms[0] == pytest.approx(x.grad.norm().item(), rel=1e-5)
    assert growth(net, images, LABELS) == pytest.approx(norms[0] / norms[2], rel=1e-5)
    assert not any(unit._forward_pre_hooks for unit in units(net))


def test_a_line_in_a_linear_network_has_one_gradient() -> None:
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 3))
    found = gradient_correlation(net, torch.zeros(3, 2, 2), torch.ones(3, 2, 2), points=5)
    assert found == pytest.approx([1.0] * 5)


def test_a_kink_is_seen_by_distance() -> None:
    """|x| per pixel: on a line through zero, gradients are alike on a side and opposite across."""

    class Absolute(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.abs().flatten(1).sum(1, keepdim=True)

    start = -torch.ones(1, 2, 2)
    found = gradient_correlation(Absolute(), start, -start, points=4)
    assert found == pytest.approx([1, 1 / 3, -1, -1])  # pairs at distance 1: + + and one across
    with pytest.raises(ValueError, match="points=0"):
        gradient_correlation(Absolute(), start, -start, points=0)


def test_a_unit_that_is_taken_out_passes_its_input_on(images: torch.Tensor) -> None:
    torch.manual_seed(0)
    net = cifar_resnet(20).eval()
    whole = net(images)
    with without(net, [1, 4]):
        less = net(images)
    stages = [list(stage) for stage in (net.stage1, net.stage2, net.stage3)]
    del stages[0][1], stages[1][1]
    x = net.stem(images)
    x = torch.nn.Sequential(*itertools.chain(*stages))(x)
    assert torch.equal(less, net.fc(net.flatten(net.pool(x)))) and not torch.equal(less, whole)
    assert torch.equal(net(images), whole)


def test_what_cannot_be_taken_out_is_named(images: torch.Tensor) -> None:
    net = cifar_resnet(20)
    assert [keeps_shape(unit) for unit in units(net)] == [True] * 3 + [False, True, True] * 2
    for wrong, words in ((3, "changes the shape"), (9, "from 0 to 8"), (-1, "from 0 to 8")):
        with (
            pytest.raises(ValueError, match=rf"removed has {wrong}.*{words}"),
            without(net, [0, wrong]),
        ):
            pass
        assert not any(unit._forward_hooks for unit in units(net))
