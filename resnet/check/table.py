"""The check of the five networks of 2016a, Table 1: chapter 4."""

from collections import Counter
from functools import cache

import torch
from torch import Tensor, nn

from resnet import nets
from resnet.check.guard import Wrong, call, function
from resnet.check.handed import built, not_the_books
from resnet.check.layers import Kind, difference, layers_of
from resnet.check.networks import compare_networks, with_change, without
from resnet.check.verdict import exercise


@exercise
def table_1(make: object) -> str:
    """Check `make(depth)` for the five columns of Table 1, 1,000 classes, stride on the 1x1."""
    ask = function(make, "make")
    for depth in nets.IMAGENET_UNITS:
        shown = f"make({depth})"
        with torch.device("meta"):  # shapes are enough, and cost nothing
            try:
                net = call(ask, depth, shown=shown)
            except Wrong as wrong:
                if "meta" not in str(wrong):
                    raise
                net = None
        if not isinstance(net, nn.Module):  # it needs numbers, or is nothing to work with
            net = built(ask, [depth], shown)
        not_the_books(net)
        layers, sizes = _of_table_1(depth)
        found = layers_of(net)
        if found != layers:
            _other_layers(found, depth, shown, layers)
        if call(_sizes, net, shown=f"{shown} on an image of 224 x 224 pixels") != sizes:
            raise Wrong(
                f"{shown} has the right layers, but not all of them work on images of the right "
                "size. Are the strides and the max pooling where they should be?"
            )
    compare_networks(
        built(ask, [50], "make(50)"),
        (2, 3, 33, 40),
        nets.resnet50,
        [(with_change(nets.resnet50, without("stem.relu")), "the stem has no ReLU.")],
        "make(50)",
    )
    return "five networks: layers and their images' sizes; for 50 layers scores and gradients"


@cache
def _of_table_1(depth: int) -> tuple["Counter[Kind]", "Counter[Kind]"]:
    with torch.device("meta"):
        net = nets.imagenet_resnet(depth)
    return layers_of(net), _sizes(net)


def _sizes(net: nn.Module) -> "Counter[Kind]":
    """Count the convolutions by kernel and by height and width of what they give."""
    seen: Counter[Kind] = Counter()

    def note(layer: nn.Module, _: object, out: Tensor) -> None:
        if isinstance(layer, nn.Conv2d):
            seen[str(tuple(layer.weight.shape)), tuple(out.shape[2:])] += 1

    net = net.to("meta").eval()
    hooks = [layer.register_forward_hook(note) for layer in net.modules()]
    with torch.no_grad():
        net(torch.empty(1, 3, 224, 224, device="meta"))
    for hook in hooks:
        hook.remove()
    return seen


def _other_layers(found: "Counter[Kind]", depth: int, shown: str, wanted: "Counter[Kind]") -> None:
    has_narrow = any(kind == "conv" and shape[0] == 2048 for kind, shape in found)
    if (depth >= 50) != has_narrow:
        what = "bottlenecks" if depth >= 50 else "blocks of two convolutions"
        raise Wrong(f"{shown}: with {depth} layers a network is made of {what}.")
    for other in nets.IMAGENET_UNITS:
        if other != depth and _of_table_1(other)[0] == found:
            raise Wrong(f"{shown} has the layers of ResNet-{other}.")
    raise Wrong(f"{shown} has other layers than it should.", *difference(found, wanted))
