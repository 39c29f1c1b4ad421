"""The units of 2016b's tables: their parts in order, and their sums written out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from resnet import count_parameters
from resnet.variants import KINDS, PLACEMENTS, Gate, carried, network, placed


def flat(module: nn.Module) -> list[str]:
    """The layers of a part in their order, without containers."""
    return [type(m).__name__ for m in module.modules() if not list(m.children())]


# 2016b, Fig. 4b to d: before the branch, the branch, after the addition.
FIGURE_4 = {
    "BN after addition": ([], "Conv2d BatchNorm2d ReLU Conv2d", "BatchNorm2d ReLU"),
    "ReLU before addition": ([], "Conv2d BatchNorm2d ReLU Conv2d BatchNorm2d ReLU", ""),
    "ReLU-only pre-activation": (["ReLU"], "Conv2d BatchNorm2d ReLU Conv2d BatchNorm2d", ""),
}


@pytest.mark.parametrize("name", PLACEMENTS)
def test_placements(name: str) -> None:
    before, branch, after = FIGURE_4[name]
    block = placed(name, 16, 16)
    assert [m for m in flat(block.before) if m != "Sequential"] == before
    assert flat(block.branch) == branch.split()
    assert [m for m in flat(block.after) if m != "Sequential"] == after.split()


def block_sum(name: str, F: Tensor, s: Tensor, g: Callable[[Tensor], Tensor]) -> Tensor:
    """2016b, Fig. 2 and Table 1, in evaluation: what the last ReLU gets."""
    return {
        "constant scaling": lambda: 0.5 * F + 0.5 * s,
        "exclusive gating": lambda: g(s) * F + (1 - g(s)) * s,
        "shortcut-only gating": lambda: F + (1 - g(s)) * s,
        "dropout": lambda: F + s,
    }[name]()


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("shape", [(4, 4, 1), (4, 8, 2)])
def test_kinds(name: str, shape: tuple[int, int, int]) -> None:
    """Each against its equation; gates with weights that matter, and one bias per channel."""
    torch.manual_seed(0)
    block = carried(name, *shape).eval()
    gates = [m for m in block.modules() if isinstance(m, Gate)]
    assert len(gates) == ("gating" in name)
    for gate in gates:
        assert gate.bias is not None
        assert set(gate.bias.tolist()) == {-6.0}  # the paper's best
        nn.init.normal_(gate.bias)

    def g(s: Tensor) -> Tensor:
        (gate,) = gates
        weights = gate.weight[:, :, 0, 0]
        return torch.sigmoid(torch.einsum("oc,nchw->nohw", weights, s) + gate.bias[:, None, None])

    x = torch.randn(2, shape[0], 6, 6)
    conv1, conv2 = (m for m in block.branch.modules() if type(m) is nn.Conv2d)
    branch = conv2((conv1(x) / (1 + 1e-5) ** 0.5).relu()) / (1 + 1e-5) ** 0.5  # BN as it starts
    s = x[:, :, :: shape[2], :: shape[2]]
    s = torch.cat([s, torch.zeros(2, shape[1] - shape[0], *s.shape[2:])], 1)
    want = block_sum(name, branch, s, g).relu()
    torch.testing.assert_close(block(x), want)


def test_dropout_is_on_the_shortcut_only() -> None:
    block = carried("dropout", 4, 4)
    nn.init.zeros_(block.branch.bn2.weight)  # type: ignore[union-attr]
    torch.manual_seed(0)
    out = block(torch.ones(2, 4, 6, 6))
    assert {0.0, 2.0} == set(out.unique().tolist())


def test_every_weight_learns() -> None:
    """A gradient reaches all of them, the gates' too, which two parts share."""
    for name in KINDS:
        block = carried(name, 4, 8, 2)
        block(torch.randn(2, 4, 6, 6)).square().sum().backward()
        assert all(p.grad is not None and p.grad.any() for p in block.parameters()), name


@pytest.mark.parametrize(
    ("name", "parameters"),
    [  # FACTS, and the differences by hand
        ("plain-20", 269_722),
        ("ResNet-110", 1_727_962),
        ("pre-activation ResNet-110", 1_727_962),
        ("pre-activation ResNet-164", 1_703_258),
        ("pre-activation ResNet-1001", 10_327_706),
        ("ResNet-20, option B", 269_722 + 16 * 32 + 32 * 64 + 2 * (32 + 64)),
        ("ResNet-20, option C", 269_722 + sum(n * a * b + 2 * n * b for n, a, b in (
            (3, 16, 16), (1, 16, 32), (2, 32, 32), (1, 32, 64), (2, 64, 64)))),
        ("ResNet-20, exclusive gating", 269_722 + 3 * (16 * 17 + 32 * 33 + 64 * 65)),
        ("ResNet-20, shortcut-only gating", 269_722 + 3 * (16 * 17 + 32 * 33 + 64 * 65)),
        ("ResNet-20, constant scaling", 269_722),
        ("ResNet-20, BN after addition", 269_722),
        # a BN of width c at the end of each branch, none before it, none after the last
        ("ResNet-20, ReLU-only pre-activation", 269_722),
        ("ResNet-18", 11_689_512 - 990 * 513),
    ],
)  # fmt: skip
def test_networks_by_name(name: str, parameters: int) -> None:
    with torch.device("meta"):
        net = network(name)
    assert net.name == name
    assert count_parameters(net) == parameters


def test_plain_has_no_shortcut() -> None:
    net = network("plain-8", 7, 1)
    assert all(unit.shortcut is None for unit in net.stage1)  # type: ignore[union-attr]
    assert net(torch.randn(2, 1, 8, 8)).shape == (2, 7)


def test_the_last_activation() -> None:
    """Pre-activation networks activate the last sum: with what is before their branches."""
    ends = {
        name: flat(net.act) if hasattr(net, "act") else None
        for name in ("ResNet-8", "pre-activation ResNet-8", "ResNet-8, ReLU-only pre-activation",
                     "ResNet-8, BN after addition", "ResNet-8, ReLU before addition")
        for net in [network(name)]
    }  # fmt: skip
    assert list(ends.values()) == [None, ["BatchNorm2d", "ReLU"], ["ReLU"], None, None]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("ResNet", r"name='ResNet': expected one like 'plain-56'"),
        ("VGG-16", r"form='VGG': expected one of 'plain', 'ResNet'"),
        ("ResNet-20, magic", r"variant='magic': expected one of 'option B'"),
        ("plain-21", r"depth=21: expected 6n \+ 2; nearest: 20 or 26"),
    ],
)
def test_unknown_names(name: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        network(name)
