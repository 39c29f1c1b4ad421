"""Checks of whole networks: chapters 3 to 5."""

import copy
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache

import torch
from torch import Tensor, nn

from resnet import nets
from resnet.blocks import activation, conv
from resnet.check.comparing import Reused, Undrawn, by_module, compare, layers_of
from resnet.check.formulas import Kind, Reference
from resnet.check.running import Wrong, built, function, not_the_books, own_copy
from resnet.check.verdict import exercise
from resnet.measure import multiply_adds

Make = Callable[[], nn.Module]


def _lazily(make: Make) -> Reference:
    """Return the reference of a network that is built, once, when it is needed."""

    @cache
    def net() -> nn.Module:
        with Undrawn():
            return make()

    def reference(x: Tensor, seed: int, training: bool) -> tuple[Tensor, Counter[Kind]]:
        return by_module(net())(x, seed, training)

    return reference


def compare_networks(
    net: nn.Module,
    shape: tuple[int, ...],
    make: Make,
    mistakes: Sequence[tuple[Make, str]],
    shown: str,
    *,
    biased: bool = False,
    modes: Sequence[bool] = (True, False),
) -> None:
    """Compare a network with one that `make` makes; see `compare`. Its stem may not be `biased`."""
    slips = [(_lazily(wrong), says) for wrong, says in mistakes]
    compare(net, shape, _lazily(make), slips, shown, modes=modes)
    convolutions = (layer for layer in net.modules() if isinstance(layer, nn.Conv2d))
    if not biased and any(c.in_channels == shape[1] and c.bias is not None for c in convolutions):
        raise Wrong(f"{shown}: the stem's convolution has a bias; the text has it without one.")


def with_change(make: Make, change: Callable[[nn.Module], None]) -> Make:
    """Return a maker of the same network with something done to it."""

    def changed() -> nn.Module:
        net = make()
        change(net)
        return net

    return changed


def without(name: str) -> Callable[[nn.Module], None]:
    """Return a change that takes a part out."""
    return lambda net: net.set_submodule(name, nn.Identity())


def _stride_in_first_stage(net: nn.Module) -> None:
    block = net.get_submodule("stage1.0")
    block.set_submodule("branch.conv1", conv(64, 64, 3, 2))
    block.set_submodule("shortcut", nn.Sequential(conv(64, 64, 1, 2), nn.BatchNorm2d(64)))


@cache
def _layers_of_18() -> Counter[Kind]:
    with torch.device("meta"):
        return layers_of(nets.resnet18())


@exercise
def resnet34(net: object) -> str:
    """Check a network with 34 layers for 3 channels and 1,000 classes."""
    mine = not_the_books(own_copy(net, "net"), nor_a_librarys=True)
    slips = [
        (with_change(nets.resnet34, without("stem.maxpool")),
         "the max pooling of the stem is missing."),
        (with_change(nets.resnet34, without("stem.relu")), "the stem has no ReLU."),
        (with_change(nets.resnet34, without("stem.bn")), "the stem has no batch normalisation."),
        (with_change(nets.resnet34, _stride_in_first_stage),
         "the first stage has a stride; the stem has just shrunk the image."),
        (lambda: nets.imagenet_resnet(34, shortcut="A"), "the projections are missing."),
    ]  # fmt: skip
    try:
        compare_networks(mine, (2, 3, 33, 40), nets.resnet34, slips, "net")
    except Reused:
        raise
    except Wrong:
        if layers_of(mine) == _layers_of_18():
            told = "This has the layers of ResNet-18. How many blocks has each stage?"
            raise Wrong(told) from None
        raise
    return "scores, gradients and layers agree with ResNet-34"


@exercise
def small_stem(with_small_stem: object) -> str:
    """Check a function that gives ResNet-18 the stem of Sec. 4.2: one 3x3 convolution."""
    change = function(with_small_stem, "with_small_stem")

    def stem(*, stride: int = 1, pool: bool = False, relu: bool = True) -> Make:
        def make() -> nn.Module:
            net = nets.resnet18(10, 1)
            net.stem = nn.Sequential(conv(1, 64, 3, stride), nn.BatchNorm2d(64))
            if relu:
                net.stem.append(nn.ReLU())
            if pool:
                net.stem.append(nn.MaxPool2d(3, 2, 1))
            return net

        return make

    def made() -> nn.Module:
        return nets.resnet18(10, 1)

    untouched = made()
    given = copy.deepcopy(untouched)
    answer = built(change, [given], "with_small_stem(net)")
    if isinstance(answer, nets.ResNet):
        parts = [name for name, _ in untouched.named_children()]
        if new := [name for name, _ in answer.named_children() if name not in parts]:
            raise Wrong(f"The network that comes back has new parts: {', '.join(new)}. It runs its "
                        f"parts in order, and these behind {parts[-1]}. What is the stem called "
                        "in the text?")  # fmt: skip
    last = untouched.get_parameter("fc.weight")
    if not any(w.shape == last.shape and torch.equal(w, last) for w in answer.parameters()):
        raise Wrong("What comes back is another network: the weights of the one that was handed "
                    "over are lost.")  # fmt: skip
    as_before = layers_of(answer) == layers_of(untouched)
    size = (1, 1, 28, 28)
    if as_before and multiply_adds(answer, size) == multiply_adds(untouched, size):
        raise Wrong("The network that comes back has its stem as it was.")
    compare_networks(
        answer,
        (3, 1, 28, 20),
        stem(),
        [
            (stem(pool=True), "the max pooling is still there; Sec. 4.2 has none."),
            (stem(stride=2), "the convolution still has stride 2."),
            (stem(stride=2, pool=True), "the stem still shrinks the image, twice."),
            (stem(relu=False), "the new stem has no ReLU."),
            (with_change(stem(), without("stem.1")), "the new stem has no batch normalisation."),
            (with_change(stem(relu=False), without("stem.1")),
             "batch normalisation and ReLU of the stem are missing."),
        ],
        "with_small_stem(net)",
        biased=True,
    )  # fmt: skip
    ratio = multiply_adds(answer, size) / multiply_adds(untouched, size)
    return f"the network is right; a small image costs it {ratio:.1f} times as many multiply-adds"


@exercise
def preact_network(make: object) -> str:
    """Check `make(n)`: the pre-activation network of 6n + 2 layers, option A."""
    ask = function(make, "make")

    def like(n: int) -> Make:
        return lambda: nets.cifar_resnet(6 * n + 2, preact=True)

    def activated_twice(net: nn.Module) -> None:
        net.set_submodule("stage1.0.before", activation("bn relu", 16))

    def bare_stem(net: nn.Module) -> None:
        without("stem.bn")(net)
        without("stem.relu")(net)

    def both(*changes: Callable[[nn.Module], None]) -> Callable[[nn.Module], None]:
        def change(net: nn.Module) -> None:
            for part in changes:
                part(net)

        return change

    slips: list[tuple[Callable[[nn.Module], None], str]] = [
        (without("act"), "nothing activates the sum after the last block: the last BN and ReLU "
         "are missing."),
        (without("act.relu"), "the last BN has no ReLU behind it."),
        (without("act.bn"), "the last ReLU has no BN before it."),
        (activated_twice, "the first block activates what the stem has activated already."),
        (both(activated_twice, bare_stem), "the first block's shortcut carries the stem's output "
         "without BN and ReLU."),
        (both(activated_twice, without("act")), "the first block activates what the stem has "
         "activated already, and nothing activates the sum after the last block."),
        (bare_stem, "the stem has no BN and ReLU."),
    ]  # fmt: skip
    for n, shape in ((2, (3, 3, 20, 16)), (1, (2, 3, 13, 16)), (3, (2, 3, 12, 20))):
        shown = f"make({n})"
        mistakes: list[tuple[Make, str]] = [
            (with_change(like(n), slip), says) for slip, says in slips
        ]
        mistakes += [
            (lambda n=n: nets.cifar_resnet(6 * n + 2), "these are original blocks."),  # type: ignore[misc]
            (lambda n=n: nets.cifar_resnet(6 * n + 2, preact=True, shortcut="B"),  # type: ignore[misc]
             "the shortcuts are projections; option A is asked for."),
        ]  # fmt: skip
        compare_networks(not_the_books(built(ask, [n], shown)), shape, like(n), mistakes, shown)
    return "scores, gradients and layers for n = 1, 2 and 3"
