"""Gradients per unit, along a line, and networks without some units."""

import copy
import itertools

import pytest
import torch
import torch.nn.functional as F

from resnet.nets import cifar_resnet
from resnet.probe import (
    gradient_agreement,
    gradient_correlation,
    gradient_norms,
    growth,
    keeps_shape,
    step_gain,
    swapped,
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


def test_swapped_units_stand_in_each_others_place(images: torch.Tensor) -> None:
    torch.manual_seed(0)
    net = cifar_resnet(20).eval()
    whole, found = net(images), units(net)
    with swapped(net, 4, 5):
        other = net(images)
        assert units(net) == [*found[:4], found[5], found[4], *found[6:]]
    x = net.stage1(net.stem(images))
    for i in (3, 5, 4):
        x = found[i](x)
    assert torch.equal(other, net.fc(net.flatten(net.pool(net.stage3(x)))))
    assert not torch.equal(other, whole)
    assert units(net) == found and torch.equal(net(images), whole)


@pytest.mark.parametrize(
    ("pair", "words"),
    [((0, 9), "second=9: expected a number from 0 to 8"), ((-1, 0), "first=-1"),
     ((2, 3), "different shapes"), ((1, 4), "different shapes")],
)  # fmt: skip
def test_units_that_cannot_change_places_are_named(pair: tuple[int, int], words: str) -> None:
    net = cifar_resnet(20)
    found = units(net)
    with pytest.raises(ValueError, match=words), swapped(net, *pair):
        pass
    assert units(net) == found


def test_agreement_of_two_batches(images: torch.Tensor) -> None:
    """One with a batch and itself; the cosine of backward's gradients with another."""
    torch.manual_seed(0)
    net = cifar_resnet(8)
    same = gradient_agreement(net, (images, LABELS), (images, LABELS))
    assert same == pytest.approx([1.0] * 7, abs=1e-5)
    other = images.flip(3) + 0.5 * torch.randn_like(images)
    found = gradient_agreement(net, (images, LABELS), (other, LABELS.flip(0)))
    gradients = []
    for x, y in ((images, LABELS), (other, LABELS.flip(0))):
        net.zero_grad()
        F.cross_entropy(net(x), y).backward()  # type: ignore[no-untyped-call]
        gradients.append(net.stage1[0].branch.conv1.weight.grad.clone())  # type: ignore[union-attr, operator, index]
    a, b = gradients
    assert found[1] == pytest.approx(((a * b).sum() / (a.norm() * b.norm())).item(), abs=1e-5)
    assert len(found) == 7 and max(found) < 0.99


def test_gain_of_a_step(images: torch.Tensor) -> None:
    """Against the loss after SGD's own step; a small one gains what the gradient predicts."""
    torch.manual_seed(0)
    net = cifar_resnet(8)
    state = {name: value.clone() for name, value in net.named_parameters()}
    tiny = step_gain(net, images, LABELS, 1e-4)
    assert tiny.apart == pytest.approx(tiny.predicted, rel=0.05)
    assert tiny.together == pytest.approx(tiny.predicted, rel=0.05)
    large = step_gain(net, images, LABELS, 0.3)
    assert large.predicted == pytest.approx(3000 * tiny.predicted, rel=1e-4)
    assert all(torch.equal(value, state[name]) for name, value in net.named_parameters())
    kernels = [m.weight for m in net.modules() if isinstance(m, torch.nn.Conv2d)]

    def after(moved: list[torch.nn.Parameter]) -> float:
        again = copy.deepcopy(net)
        names = {id(weight): name for name, weight in net.named_parameters()}
        own = dict(again.named_parameters())
        loss = F.cross_entropy(again(images), LABELS)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.optim.SGD([own[names[id(weight)]] for weight in moved], lr=0.3).step()
        return (loss - F.cross_entropy(again(images), LABELS)).item()

    assert large.together == pytest.approx(after(kernels), abs=1e-4)
    assert large.apart == pytest.approx(sum(after([weight]) for weight in kernels), abs=1e-3)
    assert abs(large.together - large.apart) > 0.01
    with pytest.raises(ValueError, match="rate=0"):
        step_gain(net, images, LABELS, 0)
