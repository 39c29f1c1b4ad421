"""Our networks against independent implementations: the same weights in, the differences out.

`make record` runs this file and writes the table to results/equality.json, which the book shows.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import reference
import torch
import torch.nn.functional as F
from d2l import torch as d2l
from torch import Tensor, nn

import resnet
from resnet.blocks import Projection
from resnet.training.records import head, write_json

RECORD = Path(__file__).parents[2] / "results" / "equality.json"
DEEP = {"bottleneck": True, "shortcut": "B"}


class Row(NamedTuple):
    """One comparison in float32; the differences are relative to the largest absolute value."""

    network: str
    reference: str
    scores: float
    gradients: float


def difference(ours: Tensor, theirs: Tensor) -> float:
    return ((ours - theirs).abs().max() / theirs.abs().max()).item()


def compare(
    network: str,
    against: str,
    ours: nn.Module,
    theirs: Callable[[Tensor], Tensor],
    pairs: list[tuple[Tensor, Tensor]],
    x: Tensor,
) -> Row:
    """Scores of a batch in evaluation mode, and every parameter's gradient for one loss.

    Evaluation mode for both: then BN's statistics, which every network here has been given at
    random, are compared as well.
    """
    target = torch.arange(len(x))
    scores = ours.eval()(x), theirs(x)
    mine, other = (
        torch.autograd.grad(F.cross_entropy(score, target), parameters)
        for score, parameters in zip(scores, zip(*pairs, strict=True), strict=True)
    )
    worst = max(difference(a, b) for a, b in zip(mine, other, strict=True))
    return Row(network, against, difference(*scores), worst)


def with_torchvision(depth: int, **options: Any) -> Row:
    torch.manual_seed(depth)
    ours = reference.stir(resnet.imagenet_resnet(depth, 10, **options))
    theirs = reference.torchvision_twin(ours, depth).eval()
    named = dict(theirs.named_parameters())
    pairs = [(p, named[reference.torchvision_name(n)]) for n, p in ours.named_parameters()]
    v15 = " v1.5" if options.get("stride_on") == "3x3" else ""
    x = torch.randn(2, 3, 65, 49)
    return compare(f"ResNet-{depth}{v15}", "torchvision", ours, theirs, pairs, x)


def with_rules(
    make: Callable[..., nn.Module], depth: int, counts: tuple[int, ...], **options: Any
) -> Row:
    """Against the papers' and the authors' rules, written as plain functions in reference.py."""
    torch.manual_seed(depth)
    ours = reference.stir(make(depth, 10, **options))
    state = dict(ours.state_dict())
    copies = {n: p.detach().clone().requires_grad_() for n, p in ours.named_parameters()}
    large = make is resnet.imagenet_resnet
    bottleneck = options.get("bottleneck", large and depth >= 50)
    option = options.get("shortcut", "B" if large else "A")

    def theirs(x: Tensor) -> Tensor:
        return reference.network(
            {**state, **copies}, x, counts, large_images=large, bottleneck=bottleneck,
            preact=options.get("preact", False), option=option,
        )  # fmt: skip

    side = 49 if large else 12
    x = torch.randn(2, 3, side, side)
    family = "ImageNet" if large else "CIFAR"
    words = "plain" if option is None else f"option {option}"
    name = f"{ours.name.partition(',')[0]} ({family}, {words})"
    rules = "rules of 2016b" if options.get("preact") else "rules of 2016a"
    pairs = [(p, copies[n]) for n, p in ours.named_parameters()]
    return compare(name, rules, ours, theirs, pairs, x)


def as_d2l(net: nn.Module) -> nn.Module:
    """Give every convolution a bias and take the BN off the projections, as D2L has them."""
    for module in list(net.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.Conv2d):
                shape = (child.in_channels, child.out_channels, child.kernel_size)
                setattr(module, name, nn.Conv2d(*shape, child.stride, child.padding))
            if isinstance(child, Projection):
                del child[1]
    return net


def d2l_resnet18() -> nn.Module:
    """The network of D2L's chapter, from its own block."""
    blocks = [
        d2l.Residual(channels, use_1x1conv=stride > 1, strides=stride)
        for i, channels in enumerate((64, 128, 256, 512))
        for stride in (1 if i == 0 else 2, 1)
    ]
    stem = [nn.Conv2d(1, 64, 7, 2, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    net = nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))
    net(torch.zeros(2, 1, 64, 64))  # its layers are lazy
    return net


def with_d2l() -> Row:
    torch.manual_seed(0)
    ours = reference.stir(as_d2l(resnet.resnet18(10, 1)))
    theirs = d2l_resnet18()

    def in_order(block: nn.Module) -> list[nn.Module]:
        """D2L lists a block's layers as conv1, conv2, (conv3,) bn1, bn2."""
        if not isinstance(block, d2l.Residual):
            return [block]
        layers = [block.conv1, block.bn1, block.conv2, block.bn2, block.conv3]
        return [layer for layer in layers if layer is not None]

    layers = [layer for child in theirs for layer in in_order(child)]
    values = [t for layer in layers for t in layer.state_dict(keep_vars=True).values()]
    for mine, other in zip(ours.state_dict().values(), values, strict=True):
        other.data.copy_(mine)
    parameters = [p for layer in layers for p in layer.parameters()]
    pairs = list(zip(ours.parameters(), parameters, strict=True))
    x = torch.randn(2, 1, 65, 49)
    return compare("ResNet-18, biases, bare projections", "D2L", ours, theirs.eval(), pairs, x)


def rows() -> Iterator[Row]:
    """Every comparison, one at a time: together they would not fit a small machine."""
    for depth in (18, 34):
        yield with_torchvision(depth)
    for depth in (50, 101, 152):
        yield with_torchvision(depth, stride_on="3x3")
    yield with_d2l()
    large, small = resnet.imagenet_resnet, resnet.cifar_resnet
    units = resnet.nets.IMAGENET_UNITS
    yield with_rules(large, 50, units[50])
    for option in ("A", "C", None):
        yield with_rules(large, 34, units[34], shortcut=option)
    for depth in (18, 50, 101):
        yield with_rules(large, depth, units[depth], preact=True)
    for preact in (False, True):
        for depth in (20, 110):
            yield with_rules(small, depth, 3 * ((depth - 2) // 6,), preact=preact)
        yield with_rules(small, 164, (18, 18, 18), preact=preact, **DEEP)
    yield with_rules(small, 56, (9, 9, 9), shortcut=None)


def main() -> None:
    """Write the table to the record, unless it is the one that is there."""
    table = [row._asdict() for row in rows()]
    if RECORD.exists() and json.loads(RECORD.read_text(encoding="utf-8"))["rows"] == table:
        print(f"{len(table)} comparisons, as {RECORD.name} has them")
        return
    write_json(RECORD, head() | {"rows": table})
    print(f"{len(table)} comparisons written to {RECORD.name}")


if __name__ == "__main__":
    sys.exit(main())
