"""The units of 2016b's tables: their parts in order, and their sums written out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from resnet import (
    BasicBlock,
    Bottleneck,
    cifar_resnet,
    count_parameters,
    imagenet_resnet,
    nets,
    variants,
)
from resnet.blocks import PLACEMENTS, SHORTCUTS
from resnet.nets import IMAGENET_UNITS
from resnet.reproduce import CLAIMS, EXPERIMENTS
from resnet.reproduce.checks import Counted
from resnet.starts import STARTS
from resnet.training.speed import NETWORKS
from resnet.variants import MOVED, SHORTCUT_KINDS, GatedBlock, network


def flat(module: nn.Module) -> list[str]:
    """The layers of a part in their order, without containers."""
    return [type(m).__name__ for m in module.modules() if not list(m.children())]


# 2016b, Fig. 4: before the branch, between its convolutions, at its end, after the addition.
FIGURE_4 = {
    "original": ([], ["BatchNorm2d", "ReLU"], ["BatchNorm2d"], ["ReLU"]),
    "BN after addition": ([], ["BatchNorm2d", "ReLU"], [], ["BatchNorm2d", "ReLU"]),
    "ReLU before addition": ([], ["BatchNorm2d", "ReLU"], ["BatchNorm2d", "ReLU"], []),
    "ReLU-only pre-activation": (["ReLU"], ["BatchNorm2d", "ReLU"], ["BatchNorm2d"], []),
    "full pre-activation": (["BatchNorm2d", "ReLU"], ["BatchNorm2d", "ReLU"], [], []),
}


@pytest.mark.parametrize("kind", [BasicBlock, Bottleneck])
@pytest.mark.parametrize("name", PLACEMENTS)
def test_placements(name: str, kind: type[BasicBlock] | type[Bottleneck]) -> None:
    before, between, end, after = FIGURE_4[name]
    block = kind(64, 16, placement=name)
    assert [m for m in flat(block.before) if m != "Identity"] == before
    convolutions = 2 if kind is BasicBlock else 3
    branch = [*["Conv2d", *between] * (convolutions - 1), "Conv2d", *end]
    assert flat(block.branch) == branch
    assert [m for m in flat(block.after) if m != "Identity"] == after


def test_relu_before_the_branch_leaves_the_shortcut_alone() -> None:
    """In place it would also cut what the identity carries."""
    block = BasicBlock(4, 4, placement="ReLU-only pre-activation").eval()
    nn.init.zeros_(block.branch.bn2.weight)  # type: ignore[union-attr]
    x = torch.randn(2, 4, 5, 5)
    assert x.min() < 0
    assert torch.equal(block(x.clone()), x)


def block_sum(name: str, F: Tensor, s: Tensor, g: Callable[[Tensor], Tensor]) -> Tensor:
    """2016b, Fig. 2 and Table 1, in evaluation: what the last ReLU gets."""
    return {
        "constant scaling": lambda: 0.5 * F + 0.5 * s,
        "exclusive gating": lambda: g(s) * F + (1 - g(s)) * s,
        "shortcut-only gating": lambda: F + (1 - g(s)) * s,
        "dropout": lambda: F + s,
    }[name.partition(" b=")[0]]()


@pytest.mark.parametrize("name", SHORTCUT_KINDS)
@pytest.mark.parametrize("shape", [(4, 4, 1), (4, 8, 2)])
def test_kinds(name: str, shape: tuple[int, int, int]) -> None:
    """Each against its equation; gates with weights that matter, and one bias per channel."""
    torch.manual_seed(0)
    block = SHORTCUT_KINDS[name](*shape, shortcut="A").eval()
    gates = [block.gate] if isinstance(block, GatedBlock) else []
    assert len(gates) == ("gating" in name)
    for gate in gates:
        assert gate.bias is not None
        bias = float(name.partition(" b=")[2] or -6)  # the paper's best
        assert set(gate.bias.tolist()) == {bias}
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
    block = SHORTCUT_KINDS["dropout"](4, 4)
    nn.init.zeros_(block.branch.bn2.weight)  # type: ignore[union-attr]
    torch.manual_seed(0)
    out = block(torch.ones(2, 4, 6, 6))
    assert {0.0, 2.0} == set(out.unique().tolist())


def test_every_weight_learns() -> None:
    """A gradient reaches all of them, the gates' too."""
    for name in SHORTCUT_KINDS:
        block = SHORTCUT_KINDS[name](4, 8, 2)
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
        ("ResNet-18", 11_689_512),  # with ImageNet's 1000 classes
        ("CIFAR ResNet-50", 755_802),
    ],
)  # fmt: skip
def test_networks_by_name(name: str, parameters: int) -> None:
    with torch.device("meta"):
        net = network(name)
    assert net.name == name
    assert count_parameters(net) == parameters


def test_a_gate_is_computed_once() -> None:
    gates: list[nn.Module] = []
    for name in (n for n in SHORTCUT_KINDS if "gating" in n):
        block = SHORTCUT_KINDS[name](4, 8, 2)
        block.gate.register_forward_hook(lambda gate, *_: gates.append(gate))
        block(torch.randn(2, 4, 6, 6))
        assert gates.pop() is block.gate and not gates


def every_name() -> list[str]:
    """Networks that claims, recipes and commands can name, and what the makers can make."""
    names = [name for name, *_ in NETWORKS]
    for claim in (CLAIMS | EXPERIMENTS).values():
        names += [name for s in claim.settings for name, _ in claim.trained(s).values()]
        names += [check.network for check in claim.checks if isinstance(check, Counted)]
    for depth in (20, 50, 56, 110, 152, 164, 1001):
        names += [f"{form}{depth}" for form in ("plain-", "ResNet-", "pre-activation ResNet-")]
    names += [f"ResNet-56, {other}" for other in (*MOVED, *SHORTCUT_KINDS, "option B", "option C")]
    names += [f"ResNet-56, width 8, {kind}" for kind in SHORTCUT_KINDS]
    names += [f"ResNet-164{where}, {name}" for where in ("", ", stride on 3x3") for name in MOVED]
    return list(dict.fromkeys(names))


class Form:
    """What a network is made of, in place of the network, which takes longer to make."""

    def __init__(
        self, unit: nets.UnitMaker, channels: Any, counts: Any, *, name: str, **options: Any
    ) -> None:
        first = unit(8, 8, 2)
        units = [first, unit(8 * first.expansion, 8, 1)]
        gates = [u.gate.bias.tolist() for u in units if isinstance(u, GatedBlock)]  # type: ignore
        self.name, self.form = name, str((channels, counts, options, units, gates))


def mark(net: Any, words: str) -> None:
    """Set a form apart whose weights start otherwise."""
    net.form += words
    net.name += f", {words}"


def test_names_and_networks_are_each_others_inverse(monkeypatch: pytest.MonkeyPatch) -> None:
    """By everything that can be chosen: no two networks share a name, and each name finds its."""
    monkeypatch.setattr(nets, "ResNet", Form)
    marks = {words: partial(mark, words=words) for words in STARTS}
    monkeypatch.setattr(variants, "STARTS", marks)
    seen: dict[str, str] = {}
    for name in every_name():
        net: Any = network(name)
        assert net.name == name
        assert net.form not in seen, f"{name} and {seen[net.form]} are one network"
        seen[net.form] = name
    made: list[Any] = [
        cifar_resnet(depth, width=width, bottleneck=bottleneck, preact=preact,
                     shortcut=shortcut, stride_on=stride)
        for depth in (20, 32, 50, 101, 110, 152, 164, 1001)
        for bottleneck, step in ((False, 6), (True, 9)) if depth % step == 2
        for preact in (False, True)
        for width in (8, 16)
        for shortcut in SHORTCUTS
        for stride in (("1x1", "3x3") if bottleneck else ("1x1",))
    ] + [
        imagenet_resnet(depth, preact=preact, shortcut=shortcut, stride_on=stride)
        for depth in IMAGENET_UNITS
        for preact in (False, True)
        for shortcut in SHORTCUTS
        for stride in (("1x1", "3x3") if depth >= 50 else ("1x1",))
    ]  # fmt: skip
    assert len({net.name for net in made}) == len({net.form for net in made}) == len(made)
    for net in made:
        again: Any = network(net.name)
        assert (again.name, again.form) == (net.name, net.form)


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
        ("VGG-16", r"name='VGG-16': expected one like 'plain-56'"),
        ("resnet18", r"name='resnet18': expected one like 'plain-56'"),
        ("ResNet-20, stride on 3x3, dropout", r"stride_on='3x3': only networks of bottlenecks"),
        ("ResNet-18, stride on 3x3", r"stride_on='3x3': only networks of bottlenecks"),
        ("ResNet-020", r"expected 'ResNet-20'"),
        ("plain-20, option B", r"expected 'ResNet-20, option B'"),
        ("ResNet-20, width 8, width 12", r"expected 'ResNet-20, width 12'"),
        ("ResNet-20, width 0", r"width=0: expected a whole number of at least 1"),
        ("ResNet-20, magic", r"variant='magic': expected one of 'basic blocks'"),
        ("ResNet-20, option A", r"expected 'ResNet-20'"),
        ("ResNet-20, width 16", r"expected 'ResNet-20'"),
        ("CIFAR ResNet-20", r"expected 'ResNet-20'"),
        ("ResNet-20, dropout, option B", r"expected 'ResNet-20, option B, dropout'"),
        ("ResNet-20, ReZero, Dirac start", r"'ReZero' and 'Dirac start' do not go together"),
        ("ResNet-18, dropout", r"only CIFAR networks"),
        ("plain-34, grown start", r"only CIFAR networks .*but for 'zero last scale'"),
        ("ResNet-18, width 8", r"only CIFAR networks"),
        ("plain-20, dropout", r"'dropout' goes with original blocks"),
        ("ResNet-164, dropout", r"'dropout' goes with original blocks"),
        ("pre-activation ResNet-20, BN after addition", r"goes with original blocks"),
        ("plain-21", r"depth=21: expected 6n \+ 2; nearest: 20 or 26"),
    ],
)
def test_unknown_names(name: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        network(name)
