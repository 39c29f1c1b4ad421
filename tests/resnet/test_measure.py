"""Shapes, parameters and multiply-adds, against a real forward, a formula and the paper."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import reference
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from resnet import (
    BasicBlock,
    cifar_resnet,
    count_parameters,
    imagenet_resnet,
    layer_table,
    multiply_adds,
    resnet18,
)
from resnet.measure import layer_responses, refresh_statistics
from resnet.reproduce import papers
from resnet.variants import network


def by_hand(depth: int, side: int, stride_on: str = "1x1") -> int:
    """Multiply-adds by 2016a, Table 1: k * k * channels in * out * pixels out, option B."""
    counts = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
    counts[152] = (3, 8, 36, 3)
    half = lambda pixels: -(-pixels // 2)  # noqa: E731
    side = half(side)
    total = 49 * 3 * 64 * side**2
    side, width = half(side), 64
    for stage, count in enumerate(counts[depth]):
        channels = 64 * 2**stage
        for unit in range(count):
            before = side
            if stage and not unit:
                side = half(side)
            out = channels if depth < 50 else 4 * channels
            if depth < 50:
                total += 9 * channels * (width + channels) * side**2
            else:
                middle = side if stride_on == "1x1" else before
                total += channels * width * middle**2 + (9 * channels + out) * channels * side**2
            total += width * out * side**2 if width != out else 0
            width = out
    return total + 1000 * width


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_multiply_adds(depth: int) -> None:
    """Exactly the formula, and the paper's Table 1 within its rounding (it cuts 3.66 to 3.6)."""
    found = multiply_adds(imagenet_resnet(depth), (1, 3, 224, 224))
    assert found == by_hand(depth, 224)
    assert found / 1e9 == pytest.approx(papers.MULTIPLY_ADDS[depth], abs=0.07)


def test_multiply_adds_of_v15() -> None:
    """FACTS: 4.1 x 10^9 for 50 layers with the stride on the 3x3."""
    found = multiply_adds(imagenet_resnet(50, stride_on="3x3"), (1, 3, 224, 224))
    assert found == by_hand(50, 224, "3x3")
    assert round(found / 1e9, 1) == 4.1


def test_multiply_adds_at_other_sizes() -> None:
    """The formula again for an odd side; a batch of three costs three times one."""
    assert multiply_adds(resnet18(), (1, 3, 97, 97)) == by_hand(18, 97)
    assert multiply_adds(resnet18(), (3, 3, 97, 97)) == 3 * by_hand(18, 97)


@settings(reference.few, max_examples=15)
@given(
    st.sampled_from(["A", "B", "C", None]),
    st.booleans(),
    st.booleans(),
    st.tuples(st.integers(1, 2), st.integers(1, 2), st.integers(2, 9), st.integers(2, 9)),
)
def test_shapes_are_those_of_a_forward(
    shortcut: Any, preact: bool, bottleneck: bool, shape: tuple[int, ...]
) -> None:
    model = cifar_resnet(
        11 if bottleneck else 8, 10, shape[1],
        shortcut=shortcut, preact=preact, bottleneck=bottleneck,
    ).eval()  # fmt: skip
    seen: dict[str, tuple[int, ...]] = {}
    for name, module in model.named_modules():
        if not any(module.children()):
            module.register_forward_hook(
                lambda _m, _i, out, name=name: seen.update({name: tuple(out.shape)})
            )
    model(torch.zeros(shape))
    for module in model.modules():
        module._forward_hooks.clear()
    assert {row.name: row.output_shape for row in layer_table(model, shape)} == seen


def test_rows_at_depth_1() -> None:
    """Issue 2, chapter 3: one channel, ten classes, 224 pixels per side."""
    table = layer_table(resnet18(10, 1), (1, 1, 224, 224), depth=1)
    assert [(row.name, row.output_shape[1:]) for row in table] == [
        ("stem", (64, 56, 56)),
        ("stage1", (64, 56, 56)),
        ("stage2", (128, 28, 28)),
        ("stage3", (256, 14, 14)),
        ("stage4", (512, 7, 7)),
        ("pool", (512, 1, 1)),
        ("flatten", (512,)),
        ("fc", (10,)),
    ]


@pytest.mark.parametrize("depth", [1, 2, 3, None])
def test_totals_do_not_depend_on_the_depth(depth: int | None) -> None:
    model = cifar_resnet(20, preact=True, shortcut="B")
    table = layer_table(model, (2, 3, 32, 32), depth=depth)
    assert table.parameters == count_parameters(model)
    assert table.multiply_adds == multiply_adds(model, (2, 3, 32, 32))


def test_one_layer() -> None:
    """A 3x3 convolution of 2 to 5 channels on 4x4 pixels, by hand."""
    (row,) = layer_table(nn.Conv2d(2, 5, 3, padding=1), (1, 2, 4, 4))
    assert row == ("Conv2d", "Conv2d", (1, 5, 4, 4), 5 * 2 * 9 + 5, 5 * 2 * 9 * 16)


def test_frozen_parameters_do_not_count() -> None:
    model = nn.Linear(3, 2)
    model.bias.requires_grad_(False)
    assert count_parameters(model) == 6


def test_the_model_is_left_alone() -> None:
    """Mode, weights, statistics, device and hooks are as before."""
    model = reference.stir(cifar_resnet(8)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    layer_table(model, (1, 3, 8, 8))
    multiply_adds(model, (1, 3, 8, 8))
    assert model.training
    assert not any(module._forward_hooks for module in model.modules())
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (nn.Linear(3, 2), (1, 4)),
        (BasicBlock(3, 3), (1, 4, 5, 5)),
        (BasicBlock(3, 3), (1, -3, 5, 5)),
        (BasicBlock(3, 3), ("a", 3)),
    ],
)
def test_wrong_shape(model: nn.Module, shape: Any) -> None:
    with pytest.raises(ValueError) as error:
        layer_table(model, shape)
    assert str(error.value).startswith(f"input_shape={shape}: the model cannot take it")


def test_wrong_channels_of_a_network() -> None:
    """A network's own message names the shape."""
    with pytest.raises(ValueError, match=r"^x has shape \(1, 1, 32, 32\): expected \(N, 3, H, W\)"):
        layer_table(resnet18(), (1, 1, 32, 32))


@pytest.mark.parametrize("depth", [0, -1, 1.0, True])
def test_wrong_depth(depth: Any) -> None:
    with pytest.raises(ValueError, match=f"^depth={depth!r}: expected a whole number"):
        layer_table(nn.Linear(3, 2), (1, 3), depth=depth)


def test_table_as_text_and_html() -> None:
    """The total stands last, in both forms; 896 = 32 * 27 + 32, 7 * 7 outputs."""
    table = layer_table(nn.Conv2d(3, 32, 3), (1, 3, 9, 9))
    assert str(table).splitlines()[1:] == [
        "Conv2d  Conv2d  1 × 32 × 7 × 7         896         42,336",
        "total                                  896         42,336",
    ]
    assert table._repr_html_().count("<tr>") == 3
    assert "1 × 32 × 7 × 7" in table._repr_html_()


@pytest.mark.parametrize("name", ["ResNet-8", "pre-activation ResNet-8", "ResNet-8, dropout"])
def test_refreshed_statistics(name: str) -> None:
    """Those of the batches by hand, each batch counted once; nothing else changes."""
    torch.manual_seed(0)
    model = reference.stir(network(name, in_channels=2)).train()
    for i, bn in enumerate(m for m in model.modules() if isinstance(m, nn.BatchNorm2d)):
        bn.momentum = (0.1, 0.5, None)[i % 3]
        bn.num_batches_tracked.fill_(5)  # type: ignore[union-attr]
    momenta = [getattr(m, "momentum", "") for m in model.modules()]
    weights = {n: p.detach().clone() for n, p in model.named_parameters()}
    batches = [torch.randn(n, 2, 9, 8) * n for n in (4, 4, 3)]
    want = reference.statistics(model, batches)
    refresh_statistics(model, iter(batches))
    state = model.state_dict()
    for at, (mean, var) in want.items():
        torch.testing.assert_close(state[f"{at}.running_mean"], mean, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(state[f"{at}.running_var"], var, rtol=1e-4, atol=1e-5)
        assert state[f"{at}.num_batches_tracked"] == 3
    assert not any(module.training for module in model.modules())
    assert [getattr(m, "momentum", "") for m in model.modules()] == momenta
    for n, p in model.named_parameters():
        assert torch.equal(p, weights[n]) and p.grad is None


def test_refreshing_that_fails_leaves_the_momenta() -> None:
    model = cifar_resnet(8).train()
    with pytest.raises(ValueError, match="x has shape"):
        refresh_statistics(model, [torch.randn(2, 3, 8, 8), torch.randn(2, 1, 8, 8)])
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    assert {norm.momentum for norm in norms} == {0.1}
    assert not any(module.training for module in model.modules())


def test_responses_are_those_of_evaluation_mode() -> None:
    """By the running statistics, whatever mode the model comes in, and leaving them as they are."""
    torch.manual_seed(0)
    model, x = cifar_resnet(8), torch.randn(6, 3, 8, 8)
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.uniform_(-1, 1)
            norm.running_var.uniform_(0.5, 2)
    kept = {name: value.clone() for name, value in model.named_buffers()}
    with torch.no_grad():
        first = model.eval().stem[:2](x).std().item()
    found = layer_responses(model.train(), x)
    assert found[0] == pytest.approx(first) and len(found) == 7
    assert all(torch.equal(kept[name], value) for name, value in model.named_buffers())


def test_a_factor_of_a_unit_is_counted() -> None:
    net = network("ResNet-20, ReZero")
    whole = layer_table(net, (1, 3, 32, 32))
    assert whole.parameters == count_parameters(net) == 269_722 + 9
    assert whole.multiply_adds == layer_table(net, (1, 3, 32, 32), depth=1).multiply_adds
    rows = {row.name: row for row in whole}
    assert (rows["stage2.1"].parameters, rows["stage2.1"].multiply_adds) == (1, 0)
    for depth in (1, 2):
        assert layer_table(net, (1, 3, 32, 32), depth=depth).parameters == count_parameters(net)


def test_no_batch_leaves_the_statistics() -> None:
    net = nn.Sequential(nn.BatchNorm2d(2))
    net(3 + torch.randn(8, 2, 4, 4))
    before = copy.deepcopy(net.state_dict())
    with pytest.raises(ValueError, match="batches has none"):
        refresh_statistics(net, iter([]))
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
