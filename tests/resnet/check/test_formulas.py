"""The values of the formulas' layers."""

from __future__ import annotations

import torch

from resnet.check import formulas


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
