"""Checks of whole networks: chapters 3 to 5."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache

import torch
from torch import Tensor, nn

from resnet import nets
from resnet.blocks import bn_relu, conv
from resnet.check.guard import Wrong, call, function
from resnet.check.layers import Kind, Reference, by_module, difference, layers_of
from resnet.check.modules import built, compare, own_copy
from resnet.check.verdict import exercise
from resnet.measure import multiply_adds

Make = Callable[[], nn.Module]


def _lazily(make: Make) -> Reference:
    """Return the reference of a network that is built, once, when it is needed."""
    net = cache(make)

    def reference(x: Tensor, seed: int, training: bool) -> tuple[Tensor, Counter[Kind]]:
        return by_module(net())(x, seed, training)

    return reference


def _compare(
    net: nn.Module,
    shape: tuple[int, ...],
    make: Make,
    mistakes: Sequence[tuple[Make, str]],
    shown: str,
) -> None:
    compare(net, shape, _lazily(make), [(_lazily(w), says) for w, says in mistakes], shown)


def _with(make: Make, change: Callable[[nn.Module], None]) -> Make:
    """Return a maker of the same network with something done to it."""

    def changed() -> nn.Module:
        net = make()
        change(net)
        return net

    return changed


def _without(name: str) -> Callable[[nn.Module], None]:
    """Return a change that takes a part out."""
    return lambda net: net.set_submodule(name, nn.Identity())


def _stride_in_first_stage(net: nn.Module) -> None:
    block = net.get_submodule("stage1.0")
    block.set_submodule("branch.conv1", conv(64, 64, 3, 2))
    block.set_submodule("shortcut", nn.Sequential(conv(64, 64, 1, 2), nn.BatchNorm2d(64)))


@exercise
def resnet34(net: object) -> str:
    """Check a network with 34 layers for 3 channels and 1,000 classes."""
    mine = own_copy(net, "net")
    with torch.device("meta"):
        smaller = layers_of(nets.resnet18())
    if layers_of(mine) == smaller:
        raise Wrong("This has the layers of ResNet-18. How many blocks has each stage?")
    _compare(
        mine,
        (2, 3, 33, 40),
        nets.resnet34,
        [
            (_with(nets.resnet34, _without("stem.maxpool")),
             "the max pooling of the stem is missing."),
            (_with(nets.resnet34, _without("stem.relu")), "the stem has no ReLU."),
            (_with(nets.resnet34, _without("stem.bn")), "the stem has no batch normalisation."),
            (_with(nets.resnet34, _stride_in_first_stage),
             "the first stage has a stride; the stem has just shrunk the image."),
            (lambda: nets.imagenet_resnet(34, shortcut="A"), "the projections are missing."),
        ],
        "net",
    )  # fmt: skip
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
    given = made()
    answer = built(change, [given], "with_small_stem(net)")
    as_before = layers_of(answer) == layers_of(untouched)
    size = (1, 1, 28, 28)
    if as_before and multiply_adds(answer, size) == multiply_adds(untouched, size):
        raise Wrong("The network that comes back has its stem as it was.")
    _compare(
        answer,
        (3, 1, 28, 20),
        stem(),
        [
            (stem(pool=True), "the max pooling is still there; Sec. 4.2 has none."),
            (stem(stride=2), "the convolution still has stride 2."),
            (stem(stride=2, pool=True), "the stem still shrinks the image, twice."),
            (stem(relu=False), "the new stem has no ReLU."),
            (_with(stem(), _without("stem.1")), "the new stem has no batch normalisation."),
            (_with(stem(relu=False), _without("stem.1")),
             "batch normalisation and ReLU of the stem are missing."),
        ],
        "with_small_stem(net)",
    )  # fmt: skip
    ratio = multiply_adds(answer, size) / multiply_adds(untouched, size)
    return f"the network is right; a small image costs it {ratio:.1f} times as many multiply-adds"


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
        layers, sizes = _of_table_1(depth)
        found = layers_of(net)
        if found != layers:
            _other_layers(found, depth, shown, layers)
        if call(_sizes, net, shown=f"{shown} on an image of 224 x 224 pixels") != sizes:
            raise Wrong(
                f"{shown} has the right layers, but not all of them work on images of the right "
                "size. Are the strides and the max pooling where they should be?"
            )
    _compare(
        built(ask, [50], "make(50)"),
        (2, 3, 33, 40),
        nets.resnet50,
        [(_with(nets.resnet50, _without("stem.relu")), "the stem has no ReLU.")],
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


@exercise
def preact_network(make: object) -> str:
    """Check `make(n)`: the pre-activation network of 6n + 2 layers, option A."""
    ask = function(make, "make")

    def like(n: int) -> Make:
        return lambda: nets.cifar_resnet(6 * n + 2, preact=True)

    def activated_twice(net: nn.Module) -> None:
        net.set_submodule("stage1.0.before", bn_relu(16))

    def bare_stem(net: nn.Module) -> None:
        _without("stem.bn")(net)
        _without("stem.relu")(net)

    def both(*changes: Callable[[nn.Module], None]) -> Callable[[nn.Module], None]:
        def change(net: nn.Module) -> None:
            for part in changes:
                part(net)

        return change

    slips: list[tuple[Callable[[nn.Module], None], str]] = [
        (_without("act"), "nothing activates the sum after the last block: the last BN and ReLU "
         "are missing."),
        (_without("act.relu"), "the last BN has no ReLU behind it."),
        (_without("act.bn"), "the last ReLU has no BN before it."),
        (activated_twice, "the first block activates what the stem has activated already."),
        (both(activated_twice, bare_stem), "the first block's shortcut carries the stem's output "
         "without BN and ReLU."),
        (both(activated_twice, _without("act")), "the first block activates what the stem has "
         "activated already, and nothing activates the sum after the last block."),
        (bare_stem, "the stem has no BN and ReLU."),
    ]  # fmt: skip
    for n, shape in ((2, (3, 3, 20, 16)), (1, (2, 3, 13, 16))):
        shown = f"make({n})"
        mistakes: list[tuple[Make, str]] = [(_with(like(n), slip), says) for slip, says in slips]
        mistakes += [
            (lambda n=n: nets.cifar_resnet(6 * n + 2), "these are original blocks."),  # type: ignore[misc]
            (lambda n=n: nets.cifar_resnet(6 * n + 2, preact=True, shortcut="B"),  # type: ignore[misc]
             "the shortcuts are projections; option A is asked for."),
        ]  # fmt: skip
        _compare(built(ask, [n], shown), shape, like(n), mistakes, shown)
    return "scores, gradients and layers for n = 1 and 2"
