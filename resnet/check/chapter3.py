"""Checks of chapter 3: whole networks, what they count, and how many runs it takes."""

import copy
import math
from collections import Counter
from collections.abc import Mapping
from functools import cache, partial
from itertools import pairwise, product

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from resnet import nets
from resnet.blocks import BasicBlock, conv
from resnet.check import curves
from resnet.check.answers import as_number, bn_slips, given_under, judge_shapes, part_table, slip
from resnet.check.comparing import (
    Make,
    Reused,
    close,
    compare_networks,
    layers_of,
    run,
    with_change,
    without,
)
from resnet.check.feedback import exercise
from resnet.check.formulas import Kind
from resnet.check.running import (
    Wrong,
    built,
    call,
    counted,
    function,
    kind,
    not_the_books,
    own_copy,
)
from resnet.measure import count_parameters, multiply_adds
from resnet.translation import _


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
    changes = {
        without("stem.maxpool"): _("the max pooling of the stem is missing."),
        without("stem.relu"): _("the stem has no ReLU."),
        without("stem.bn"): _("the stem has no batch normalisation."),
        _stride_in_first_stage: _(
            "the first stage has a stride; the stem has just shrunk the image."
        ),
    }
    slips = [(with_change(nets.resnet34, change), says) for change, says in changes.items()]
    padded = partial(nets.imagenet_resnet, 34, shortcut="A")
    slips.append((padded, _("the projections are missing.")))
    try:
        compare_networks(mine, (2, 3, 33, 40), nets.resnet34, slips, "net")
    except Reused:
        raise
    except Wrong:
        if layers_of(mine) == _layers_of_18():
            raise Wrong(
                "This has the layers of ResNet-18. How many blocks has each stage?"
            ) from None
        raise
    return _("scores, gradients and layers agree with ResNet-34")


@exercise
def torchvision_names(renamed: object, net: object) -> str:
    """Check `renamed(state)`: torchvision's ResNet-34 under the names of the reader's own."""
    ask = function(renamed, "renamed")
    mine = own_copy(net, "net")
    if isinstance(mine, torchvision.models.ResNet):
        raise Wrong("net is torchvision's own network: there the tensors have their names already.")
    theirs = torchvision.models.resnet34()
    for name, tensor in theirs.state_dict().items():  # nothing is equal by accident
        if "running" in name or name.endswith("bias") or tensor.ndim == 1:
            tensor.copy_(torch.rand(tensor.shape) + 0.5)
    state = theirs.state_dict()
    given = call(ask, copy.copy(state), shown="renamed(state)")
    if "load_torchvision" in getattr(getattr(renamed, "__code__", None), "co_names", ()):
        raise Wrong("renamed(state) calls resnet.load_torchvision. Write the names yourself.")
    if not isinstance(given, Mapping):
        raise Wrong(
            "renamed(state) is {given}; expected tensors by their names in net.", given=kind(given)
        )
    wanted = mine.state_dict()
    for name, tensor in wanted.items():
        if name not in given:
            missing = sum(n not in given for n in wanted)
            raise Wrong(
                "renamed(state) has nothing for {name!r} of net, one of {missing} that it lacks.",
                name=name,
                missing=counted(missing, "name"),
            )
        if not isinstance(given[name], torch.Tensor) or given[name].shape != tensor.shape:
            raise Wrong(
                "renamed(state)[{name!r}] is {given}; net has shape {tensor} there.",
                name=name,
                given=kind(given[name]),
                tensor=tuple(tensor.shape),
            )
    if strange := [name for name in given if name not in wanted]:
        raise Wrong("renamed(state) has {strange!r}, which is no name in net.", strange=strange[0])
    mine.load_state_dict({name: tensor.clone() for name, tensor in given.items()})
    x = torch.randn(2, 3, 33, 40)
    with torch.no_grad():
        out, right = run(mine.eval(), x, "net"), theirs.eval()(x)
    if close(out, right):
        return _("every tensor has its name, and the scores are torchvision's")
    sources = {tensor.sum().item() for name, tensor in state.items() if tensor.ndim}
    for name, tensor in given.items():
        if tensor.ndim and tensor.sum().item() not in sources:
            raise Wrong("renamed(state)[{name!r}] is none of torchvision's tensors.", name=name)
    raise Wrong("Every name has a tensor of the right shape, but the scores are not torchvision's. "
                "Which tensors of equal shape have changed places?")  # fmt: skip


@exercise
def shapes_97(answers: object) -> str:
    """Check the shapes that ResNet-18 makes of an image of 97x97 pixels."""
    parts = {
        row.name: row.output_shape for row in part_table(18, 97, 1, 10) if row.name != "flatten"
    }
    floor = _("one pixel less than there are. Did you use the padding, and the + 1?")
    sides = {"stem": 24, "stage1": 24, "stage2": 12, "stage3": 6, "stage4": 3}
    slips: dict[str, dict[object, str]] = {
        name: {(1, parts[name][1], side, side): floor} for name, side in sides.items()
    }
    slips["stem"][1, 64, 49, 49] = _("the max pooling belongs to the stem, too.")
    slips["stage1"][1, 64, 13, 13] = _("the first stage has no stride.")
    flat = _("the pooling alone keeps two axes of length 1; the flattening is what removes them.")
    slips["pool"] = {(1, 512): flat}
    judge_shapes(answers, parts, slips)
    return _("all {n} shapes", n=len(parts))


@exercise
def count_18(parameters: object) -> str:
    """Check `parameters(in_channels, channels, blocks)` of a stage of basic blocks."""
    ask = function(parameters, "parameters")
    for inputs, channels, blocks in ((64, 64, 2), (64, 128, 2), (256, 512, 3), (5, 7, 1)):
        shown = f"parameters({inputs}, {channels}, {blocks})"
        given = as_number(call(ask, inputs, channels, blocks, shown=shown), shown)
        first = BasicBlock(inputs, channels, 1 if inputs == channels else 2)
        expected = count_parameters(first) + (blocks - 1) * count_parameters(
            BasicBlock(channels, channels)
        )
        if given == expected:
            continue
        bn = 2 * channels
        has_projection = inputs != channels
        projection = has_projection * inputs * channels
        with_bn = projection + has_projection * bn
        off = {
            **bn_slips(0, (2 * blocks + has_projection) * channels),
            -with_bn: _("the projection is missing."),
            -projection: _("the projection's convolution is missing."),
            -has_projection * bn: _("the projection has a batch normalisation, too."),
            2 * blocks * channels: _("the convolutions have no biases."),
            (2 * blocks + has_projection) * channels: _("the convolutions have no biases."),
            9 * channels * (channels - inputs): _("the first convolution has other channels in."),
            channels * channels + bn: _("no projection where the number of channels stays."),
            blocks * (channels * channels + bn) - with_bn: _("only the first block can need one."),
        }
        otherwise = _("Write down all layers one by one, the shortcut's too.")
        size = _("too small") if given < expected else _("too large")
        raise Wrong(
            "{shown} is {given:,}, {size}: {advice}",
            shown=shown,
            given=given,
            size=size,
            advice=slip(off.items(), given - expected, otherwise),
        )
    return _("the stages of ResNet-18, and others")


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
    if any(map(is_lazy, answer.parameters())):  # they get their shapes from an image
        run(answer, torch.zeros(2, 1, 28, 28), "with_small_stem(net)")
    if isinstance(answer, nets.ResNet):
        parts = [name for name, _ in untouched.named_children()]
        if new := [name for name, _ in answer.named_children() if name not in parts]:
            raise Wrong(
                "The network that comes back has new parts: {new}. It runs its parts in order, and "
                "these behind {last}. What is the stem called in the text?",
                new=", ".join(new),
                last=parts[-1],
            )
    last = untouched.get_parameter("fc.weight")
    if not any(w.shape == last.shape and torch.equal(w, last) for w in answer.parameters()):
        raise Wrong(
            "What comes back is another network: the weights of the one passed in are lost."
        )
    as_before = layers_of(answer) == layers_of(untouched)
    size = (1, 1, 28, 28)
    if as_before and multiply_adds(answer, size) == multiply_adds(untouched, size):
        raise Wrong("The network that comes back has its stem as it was.")
    no_bn = without("stem.1")
    compare_networks(
        answer,
        (3, 1, 28, 20),
        stem(),
        [
            (stem(pool=True), _("the max pooling is still there; Sec. 4.2 has none.")),
            (stem(stride=2), _("the convolution still has stride 2.")),
            (stem(stride=2, pool=True), _("the stem still shrinks the image, twice.")),
            (stem(relu=False), _("the new stem has no ReLU.")),
            (with_change(stem(), no_bn), _("the new stem has no batch normalisation.")),
            (with_change(stem(relu=False), no_bn), _("the new stem has no BN and no ReLU.")),
        ],
        "with_small_stem(net)",
        biased=True,
    )
    ratio = multiply_adds(answer, size) / multiply_adds(untouched, size)
    return _(
        "the network is right; a small image costs it {ratio:.1f} times as many multiply-adds",
        ratio=ratio,
    )


class _Probe(nn.Module):
    """A linear layer that notes what it gets: images, weights, mode."""

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(classes, features) / 3)
        self.calls: list[tuple[Tensor, Tensor, bool]] = []

    def forward(self, x: Tensor) -> Tensor:
        self.calls.append((x.detach().clone(), self.weight.detach().clone(), self.training))
        return x.flatten(1) @ self.weight.T


@exercise
def four_bugs(train: object) -> str:
    """Check a loop: `train(net, images, labels, test_images, test_labels, epochs, lr, batch)`."""
    ask = function(train, "train")
    count, classes, epochs, lr, size = 22, 3, 3, 0.5, 8
    images, tests = torch.randn(count, 1, 2, 3), torch.randn(9, 1, 2, 3)
    labels, test_labels = torch.arange(count) % classes, torch.arange(9) % classes
    net = _Probe(6, classes)
    shown = "train(net, …, epochs=3, lr=0.5, batch_size=8)"
    given = call(ask, net, images, labels, tests, test_labels, epochs, lr, size, shown=shown)
    after = [weight for _x, weight, _mode in net.calls[1:]] + [net.weight.detach()]
    steps, tested, done, idle = [], [], 0, False  # done: training images in the steps so far
    for (x, weight, mode), then in zip(net.calls, after, strict=True):
        if _among(x[:1], tests):
            tested.append((x, weight, mode, done))
        elif not torch.equal(weight, then):
            steps.append((x, weight, mode))
            done += len(x)
        else:  # it only looks at them, which does no harm in evaluation mode
            idle |= mode
    if not tested or all(_among(x[:1], tests) for x, *_ in net.calls):
        raise Wrong("{shown} does not run net on training and on test images.", shown=shown)
    if all(torch.equal(weight, after[-1]) for _x, weight, _mode in net.calls):
        raise Wrong("{shown} makes no steps: the weights stay as they are.", shown=shown)
    if idle:
        raise Wrong(
            "{shown} runs net on training images in training mode, and no step follows: one step "
            "for each batch, and other looks at the images in evaluation mode.",
            shown=shown,
        )
    numbers = [_positions(x, images) for x, *_ in steps]
    whole = [n for batch in numbers for n in batch]
    if sorted(whole) != sorted(list(range(count)) * epochs):
        raise Wrong(
            "{shown} does not go through each training image once per epoch; "
            "the last batch may be smaller.",
            shown=shown,
        )
    orders = [whole[i : i + count] for i in range(0, len(whole), count)]
    if sorted(orders[0]) != list(range(count)) or max(map(len, numbers)) != size:
        raise Wrong(
            "{shown} does not take {size} images per batch, epoch by epoch.", shown=shown, size=size
        )
    if list(range(count)) in orders or orders[0] == orders[1]:
        raise Wrong(
            "{shown} goes through the images in the same order in every epoch.", shown=shown
        )
    _judge_steps(numbers, [c[1] for c in steps] + [net.weight.detach()], images, labels, lr, shown)
    if not all(mode for *_, mode in steps):
        raise Wrong(
            "{shown} makes steps in evaluation mode. What did the last test leave behind?",
            shown=shown,
        )
    if any(mode for _x, _weight, mode, _done in tested):
        raise Wrong("{shown} tests in training mode.", shown=shown)
    by_hand = []
    for epoch in range(1, epochs + 1):
        ends = [(x, weight) for x, weight, _mode, done in tested if done == epoch * count]
        by_hand.append(_accuracy(ends, tests, test_labels, epoch, shown))
    several = isinstance(given, list | tuple | Tensor | np.ndarray)
    found = [as_number(value, shown) for value in given] if several else []
    if len(found) == epochs and np.allclose(found, by_hand, rtol=0, atol=1e-4):
        return _("order, mode, loss and gradient of every step, and the tests")
    if len(found) == epochs and np.allclose(found, 100 * np.array(by_hand), rtol=0, atol=1e-2):
        raise Wrong("{shown} returns per cent; expected numbers from 0 to 1.", shown=shown)
    raise Wrong(
        "{shown} returns {given}; expected the accuracy on the test images "
        "after each epoch, from 0 to 1.",
        shown=shown,
        given=kind(given),
    )


def _among(x: Tensor, images: Tensor) -> bool:
    return bool((images == x).flatten(1).all(1).any())


def _positions(x: Tensor, images: Tensor) -> list[int]:
    return [n for image in x for n in (images == image).flatten(1).all(1).nonzero()[:, 0].tolist()]


def _accuracy(
    ends: list[tuple[Tensor, Tensor]], tests: Tensor, labels: Tensor, epoch: int, shown: str
) -> float:
    """Return the accuracy of the test, in one batch or in several, behind an epoch's last step."""
    if not ends:
        raise Wrong(
            "{shown} has no test behind the last step of epoch {epoch}. Each epoch ends with one.",
            shown=shown,
            epoch=epoch,
        )
    numbers = [n for x, _weight in ends for n in _positions(x, tests)]
    if (seen := len(set(numbers))) < len(tests):
        raise Wrong(
            "{shown} tests on {seen} of the {n} test images.", shown=shown, seen=seen, n=len(tests)
        )
    predicted = torch.cat([(x.flatten(1) @ weight.T).argmax(1) for x, weight in ends])
    return float((predicted == labels[numbers]).float().mean())


def _judge_steps(
    numbers: list[list[int]],
    weights: list[Tensor],
    images: Tensor,
    labels: Tensor,
    lr: float,
    shown: str,
) -> None:
    """Raise Wrong unless each step is the gradient's of its batch; name the first bug otherwise."""

    def follows(softmax: bool, sums: bool, unshuffled: bool, mean: bool) -> bool:
        added = torch.zeros_like(weights[0])
        place = 0
        for batch, (now, then) in zip(numbers, pairwise(weights), strict=True):
            weight = now.clone().requires_grad_()
            scores = images[batch].flatten(1) @ weight.T
            y = labels[place : place + len(batch)] if unshuffled else labels[batch]
            place = (place + len(batch)) % len(images)
            loss = F.cross_entropy(scores.softmax(1) if softmax else scores, y,
                                   reduction="mean" if mean else "sum")  # fmt: skip
            (gradient,) = torch.autograd.grad(loss, weight)
            added = added * sums + gradient
            # a decay of 1e-4 moves a weight of 1 by 5e-5 in a step
            if not torch.allclose(then - now, -lr * added, atol=5e-6):
                return False
        return True

    for softmax, sums, unshuffled, mean in product((False, True), (False, True), (False, True),
                                                   (True, False)):  # fmt: skip
        if not follows(softmax, sums, unshuffled, mean):
            continue
        if unshuffled:
            raise Wrong(
                "{shown}: the images of a batch get the labels of other images.", shown=shown
            )
        if sums:
            raise Wrong(
                "{shown}: a step goes along the gradients of earlier batches, too.", shown=shown
            )
        if softmax:
            raise Wrong(
                "{shown}: the loss is not the cross-entropy. What does it expect?", shown=shown
            )
        if not mean:
            raise Wrong("{shown}: the loss is the sum over the batch, not the mean.", shown=shown)
        return
    raise Wrong(
        "{shown}: a step is not the learning rate times the gradient of its batch's loss. "
        "Plain stochastic gradient descent has no momentum and no decay.",
        shown=shown,
    )


FAULTS = dict(enumerate(("rate too high", "rate too low", "rate lowered too early",
                         "too few images", "labels of other images",
                         "test images prepared otherwise"), start=1))  # fmt: skip
AGAINST = {
    "rate too high": _("Then the losses would be large at first, before they settle."),
    "rate too low": _("Then both losses would fall together all the time, only slowly."),
    "rate lowered too early": _(
        "Then it would be the right training up to some step, and hardly move from there on."
    ),
    "too few images": _("Then the training loss would go to zero, and the test loss would not."),
    "labels of other images": _("Then neither loss would leave ln 10 by much, at any step."),
    "test images prepared otherwise": _(
        "Then the training loss would be that of the right training."
    ),
}


@exercise
def loss_curves(answers: object) -> str:
    """Check which fault each of six recorded training runs has."""
    expected = {letter: next(n for n, f in FAULTS.items() if f == fault)
                for letter, fault in curves.LETTERS.items()}  # fmt: skip
    said = []
    for key, value in given_under(answers, list(expected)).items():
        text = value.strip().strip("()") if isinstance(value, str) else ""
        number = int(text) if text.isdecimal() else as_number(value, key)
        if number not in FAULTS:
            raise Wrong("{key}: expected one of 1 to 6, not {value!r}.", key=key, value=value)
        if number != expected[key]:
            reason = AGAINST[FAULTS[int(number)]]
            said.append(_("{key}: not ({number}). {reason}", key=key, number=number, reason=reason))
    if said:
        raise Wrong(*said)
    return _("all six")


@exercise
def seeds(runs_needed: object) -> str:
    """Check `runs_needed(difference, deviation)`: runs of each recipe to tell two apart."""
    ask = function(runs_needed, "runs_needed")
    rounding = _("Round so that the difference is large enough.")
    both = _("The difference of two means has the errors of both.")
    solve = _("The error of a mean falls with the root of n; solve for n.")
    cases = ((0.5, 0.5), (0.5, 0.3), (0.5, 0.4), (0.1, 0.5), (5.0, 0.2), (0.7, 1.3))
    for difference, deviation in cases:
        shown = f"runs_needed({difference}, {deviation})"
        given = as_number(call(ask, difference, deviation, shown=shown), shown)
        exact = 8 * (deviation / difference) ** 2
        # where n is exact, another order of the same sums may end just above it
        if given in {max(2, math.ceil(exact * (1 + off))) for off in (-1e-9, 1e-9)}:
            continue
        slips = (
            (math.ceil(exact), _("A deviation cannot be taken from one run: at least 2.")),
            (exact, _("A number of runs is whole, and at least 2.")),
            (math.floor(exact), rounding),
            (round(exact), rounding),
            (exact / 2, both),
            (math.ceil(exact / 2), both),
            (math.ceil(exact / 4), _("Two errors are asked for, not one.")),
            (math.ceil(math.sqrt(exact)), solve),
            (math.ceil(8 * deviation / difference), solve),
        )
        how = _("How large is the error of the difference of two means of {n:g} runs?", n=given)
        raise Wrong(
            "{shown} is {given:g}, which is not right. {advice}",
            shown=shown,
            given=given,
            advice=slip(slips, given, how, relative=1e-9),
        )
    return _("six pairs of difference and deviation")
