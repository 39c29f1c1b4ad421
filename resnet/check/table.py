"""The check of the five networks of 2016a, Table 1: chapter 4."""

import weakref
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from functools import cache, partial

import torch
from torch import nn

from resnet import nets
from resnet.check.comparing import Reused, Undrawn, difference, layers_of
from resnet.check.formulas import Kind
from resnet.check.networks import compare_networks, with_change, without
from resnet.check.running import Wrong, call, function, not_the_books, usable
from resnet.check.verdict import exercise

FIRST = 18
TRAINING = (18, 50)  # one of each kind of block; the others are compared in evaluation mode


@exercise
def table_1(make: object) -> str:
    """Check `make(depth)` for the five columns of Table 1, 1,000 classes, stride on the 1x1."""
    ask = function(make, "make")
    kept = True  # what outlives its use here needs its initial weights
    for depth in nets.IMAGENET_UNITS:
        shown = f"make({depth})"
        with nullcontext() if kept else Undrawn():
            made = call(ask, depth, shown=shown)
        net = not_the_books(usable(made, shown))
        if depth == FIRST:
            weights = [weakref.ref(weight) for weight in made.parameters()]
            del made
            kept = any(weight() is not None for weight in weights)
        like: Callable[..., nn.Module] = partial(nets.imagenet_resnet, depth)
        slips = [
            (with_change(like, without("stem.relu")), "the stem has no ReLU."),
            (with_change(like, without("stem.maxpool")), "the max pooling of the stem is missing."),
        ]
        if depth >= 50:
            says = "the bottlenecks have their stride on the 3x3 convolution: this is v1.5."
            slips.append((partial(like, stride_on="3x3"), says))
        modes = [depth in TRAINING]
        shape = (2, 3, 33, 40) if depth in TRAINING else (1, 3, 17, 20)
        try:
            compare_networks(net, shape, like, slips, shown, modes=modes)
        except Reused:
            raise
        except Wrong:
            if (found := layers_of(net)) != _layers(depth):
                _other_layers(found, depth, shown)
            raise
    return "five networks: layers and scores; for 18 and 50 layers gradients, too"


@cache
def _layers(depth: int) -> "Counter[Kind]":
    with torch.device("meta"):
        return layers_of(nets.imagenet_resnet(depth))


def _other_layers(found: "Counter[Kind]", depth: int, shown: str) -> None:
    has_narrow = any(kind == "conv" and shape[0] == 2048 for kind, shape in found)
    if (depth >= 50) != has_narrow:
        what = "bottlenecks" if depth >= 50 else "blocks of two convolutions"
        raise Wrong(f"{shown}: with {depth} layers a network is made of {what}.") from None
    for other in nets.IMAGENET_UNITS:
        if other != depth and _layers(other) == found:
            raise Wrong(f"{shown} has the layers of ResNet-{other}.") from None
    said = difference(found, _layers(depth))
    raise Wrong(f"{shown} has other layers than it should.", *said) from None
