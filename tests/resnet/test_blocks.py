"""The residual units: against the papers' rules written as functions, and as identities."""

from __future__ import annotations

from typing import Any

import pytest
import reference
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from resnet import BasicBlock, Bottleneck, PreActBasicBlock, PreActBottleneck
from resnet.blocks import PLACEMENTS, Projection, ResidualUnit, ZeroPad

BLOCKS = (BasicBlock, Bottleneck, PreActBasicBlock, PreActBottleneck)
BOTTLENECKS = (Bottleneck, PreActBottleneck)
PREACTS = (PreActBasicBlock, PreActBottleneck)


@st.composite
def blocks(draw: st.DrawFn, kinds: tuple[type, ...] = BLOCKS) -> tuple[ResidualUnit, Tensor, Any]:
    """A block of any kind, an input of odd or even sides that fits it, and its options."""
    kind = draw(st.sampled_from(kinds))
    channels, stride = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    in_channels = draw(st.integers(1, kind.expansion * channels))
    options = {"shortcut": draw(st.sampled_from(["A", "B", "C", None]))}
    if kind in BOTTLENECKS:
        options["stride_on"] = draw(st.sampled_from(["1x1", "3x3"]))
    torch.manual_seed(draw(st.integers(0, 9)))
    block = reference.stir(kind(in_channels, channels, stride, **options)).double()
    shape = (draw(st.integers(1, 2)), in_channels, draw(st.integers(2, 9)), draw(st.integers(2, 9)))
    return block, torch.randn(shape, dtype=torch.float64), {"stride": stride, **options}


@reference.few
@given(blocks())
def test_output_shape(case: tuple[ResidualUnit, Tensor, Any]) -> None:
    """ceil(H/s) by ceil(W/s), as padding k//2 and stride s give it for every odd kernel k."""
    block, x, options = case
    n, _, height, width = x.shape
    stride = options["stride"]
    channels = block.branch.conv1.out_channels * block.expansion
    assert block.eval()(x).shape == (n, channels, -(-height // stride), -(-width // stride))


@pytest.mark.parametrize("training", [False, True])
def test_equals_transcription(training: bool) -> None:
    """Every kind, option and stride computes the papers' rules; the batch's statistics too."""

    @reference.few
    @given(blocks())
    def holds(case: tuple[ResidualUnit, Tensor, Any]) -> None:
        block, x, options = case
        x = torch.cat([x, x.flip(0) * 2])  # two values a channel at least, for BN
        strides = reference.unit_strides(
            options["stride"],
            bottleneck=isinstance(block, BOTTLENECKS),
            stride_on=options.get("stride_on", "1x1"),
        )
        rule = reference.preact_unit if isinstance(block, PREACTS) else reference.original_unit
        option = options["shortcut"]
        want = rule(block.state_dict(), "", x, strides, option, training=training)
        torch.testing.assert_close(block.train(training)(x), want)

    holds()


@reference.few
@given(blocks())
def test_option_a_adds_no_parameter(case: tuple[ResidualUnit, Tensor, Any]) -> None:
    block, _, options = case
    in_shortcut = sum(p.numel() for n, p in block.named_parameters() if n.startswith("shortcut"))
    if options["shortcut"] in ("A", None):
        assert in_shortcut == 0
    elif options["shortcut"] == "C":
        assert in_shortcut > 0


def test_zero_pad_appends_zeros_and_keeps_every_second_pixel() -> None:
    x = torch.arange(1.0, 26).reshape(1, 1, 5, 5)
    y = ZeroPad(1, 3, 2)(x)
    assert y.shape == (1, 3, 3, 3)
    assert y[0, 0].tolist() == [[1, 3, 5], [11, 13, 15], [21, 23, 25]]
    assert not y[0, 1:].any()


@pytest.mark.parametrize("kind", BLOCKS)
@pytest.mark.parametrize("shortcut", ["A", "B"])
def test_zero_weights_leave_the_identity(kind: type[ResidualUnit], shortcut: Any) -> None:
    """FACTS, confusions: the original only where its input is not negative; the other always."""
    block = kind(kind.expansion * 3, 3, shortcut=shortcut)
    for layer in block.branch:
        if isinstance(layer, nn.Conv2d):
            nn.init.zeros_(layer.weight)
    x = torch.randn(2, kind.expansion * 3, 5, 5)
    for mode in (True, False):
        assert torch.equal(block.train(mode)(x), x if kind in PREACTS else x.relu())


@pytest.mark.parametrize("kind", BLOCKS)
def test_shortcut_kinds(kind: type[ResidualUnit]) -> None:
    """B projects only where channels or size change; C always; None never has a way around."""
    wide = kind.expansion * 8
    assert isinstance(kind(wide, 8).shortcut, nn.Identity)
    assert isinstance(kind(wide, 8, shortcut="A").shortcut, nn.Identity)
    assert isinstance(kind(wide, 8, 2, shortcut="A").shortcut, ZeroPad)
    for block in (kind(wide, 8, 2), kind(wide - 1, 8), kind(wide, 8, shortcut="C")):
        assert isinstance(block.shortcut, Projection)
        # 2016b, authors' code: the projection of a pre-activation unit has no BN
        assert len(block.shortcut) == (1 if kind in PREACTS else 2)
    assert kind(wide, 8, 2, shortcut=None).shortcut is None


@pytest.mark.parametrize("name", PLACEMENTS)
def test_projections_of_every_placement(name: str) -> None:
    """They share what is before the branch, and have a BN of their own unless there is one."""
    before = PLACEMENTS[name].before
    block = reference.stir(BasicBlock(4, 6, 2, placement=name)).eval()
    x = torch.randn(2, 4, 5, 5)
    assert len(block.shortcut) == (1 if "bn" in before else 2)  # type: ignore[arg-type]
    active = block.before(x.clone())
    assert torch.equal(active, x) == (before == "")
    state = block.state_dict()
    projected = reference.conv(active, state["shortcut.0.weight"], 2)
    if "bn" not in before:
        projected = reference.bn(projected, state, "shortcut.1", training=False)
    want = block.after(block.branch(active.clone()) + projected)
    torch.testing.assert_close(block(x), want)


def test_no_convolution_has_a_bias() -> None:
    """2016a, Sec. 3.4: BN right after each convolution; a bias before it would be cancelled."""
    for kind in BLOCKS:
        for layer in kind(4, 8, 2).modules():
            assert not (isinstance(layer, nn.Conv2d) and layer.bias is not None)


@pytest.mark.parametrize("kind", BLOCKS)
@pytest.mark.parametrize("shortcut", ["A", "B", "C", None])
def test_input_is_left_alone(kind: type[ResidualUnit], shortcut: Any) -> None:
    """The ReLUs work in place: never on what the caller holds, and autograd can still go back."""
    block = kind(4 * kind.expansion, 4, shortcut=shortcut)
    x = torch.randn(2, 4 * kind.expansion, 6, 6, requires_grad=True)
    before = x.detach().clone()
    block(x).square().sum().backward()
    assert torch.equal(x, before)
    assert x.grad is not None
    assert all(p.grad is not None for p in block.parameters())


@pytest.mark.parametrize("kind", BLOCKS)
@pytest.mark.parametrize("argument", ["in_channels", "channels", "stride"])
@pytest.mark.parametrize("value", [0, -3, True, 2.0, "2", None])
def test_numbers_must_be_positive_and_whole(kind: Any, argument: str, value: Any) -> None:
    arguments = {"in_channels": 4, "channels": 4, "stride": 1, argument: value}
    with pytest.raises(ValueError, match=f"^{argument}={value!r}: expected a whole number"):
        kind(**arguments)


@pytest.mark.parametrize("kind", BLOCKS)
@pytest.mark.parametrize("value", ["D", "a", "", 1, True, ["A"]])
def test_unknown_shortcut(kind: Any, value: Any) -> None:
    with pytest.raises(ValueError) as error:
        kind(4, 4, shortcut=value)
    assert str(error.value) == f"shortcut={value!r}: expected one of 'A', 'B', 'C', None"


@pytest.mark.parametrize("kind", BOTTLENECKS)
@pytest.mark.parametrize("value", ["2x2", None, 3])
def test_unknown_stride_on(kind: Any, value: Any) -> None:
    with pytest.raises(ValueError) as error:
        kind(4, 4, stride_on=value)
    assert str(error.value) == f"stride_on={value!r}: expected one of '1x1', '3x3'"


@pytest.mark.parametrize("kind", [BasicBlock, Bottleneck])
@pytest.mark.parametrize("value", ["", "bn", "pre-activation", None, ["original"]])
def test_unknown_placement(kind: Any, value: Any) -> None:
    with pytest.raises(ValueError) as error:
        kind(4, 4, placement=value)
    choices = ", ".join(map(repr, PLACEMENTS))
    assert str(error.value) == f"placement={value!r}: expected one of {choices}"


@pytest.mark.parametrize("kind", BLOCKS)
def test_option_a_cannot_shrink(kind: Any) -> None:
    out = 4 * kind.expansion
    with pytest.raises(ValueError, match=rf"^shortcut='A' .* from {out + 1} to {out}: use .*'B'"):
        kind(out + 1, 4, shortcut="A")


def test_zero_pad_says_what_it_does() -> None:
    assert repr(ZeroPad(16, 32, 2)) == "ZeroPad(stride=2, extra=16)"
