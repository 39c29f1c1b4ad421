"""Look into a network: the gradient at each block and along a line, what a step gains, lesions.

Chapter 6 uses these to ask why residual networks train.
"""

import contextlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resnet.arguments import require_positive, require_rate
from resnet.blocks import ResidualUnit


def units(model: nn.Module) -> list[ResidualUnit]:
    """Return a network's residual units, first to last."""
    return [module for module in model.modules() if isinstance(module, ResidualUnit)]


def gradient_norms(model: nn.Module, images: Tensor, labels: Tensor) -> list[float]:
    """Return the norm of the loss's gradient at the input of each unit, first to last.

    Args:
        model: of `resnet.nets`; its mode counts, and in training mode its BN averages move on.
        images: (N, C, H, W).
        labels: (N,), whole numbers.

    """
    inputs: list[Tensor] = []
    hooks = [
        unit.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
        for unit in units(model)
    ]
    try:
        loss = F.cross_entropy(model(images), labels)
    finally:
        for hook in hooks:
            hook.remove()
    return [gradient.norm().item() for gradient in torch.autograd.grad(loss, inputs)]


def growth(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return how much larger the gradient is at the first unit's input than at the last's."""
    norms = gradient_norms(model, images, labels)
    return norms[0] / norms[-1]


def gradient_correlation(
    model: nn.Module, start: Tensor, end: Tensor, *, points: int = 256
) -> list[float]:
    """Return how alike the input's gradients are at two points of a line, by their distance.

    Balduzzi et al. 2017 (*The Shattered Gradients Problem*), Sec. 2, for images: the gradient of
    the first score for the input is taken at equally spaced points from `start` to `end`.

    Args:
        model: left in evaluation mode, so that the points do not normalise one another.
        start: an image (C, H, W).
        end: another.
        points: on the line, both ends included.

    Returns:
        for each distance from 0 to points - 1, in steps of the line, the mean over pairs of the
        cosine between their gradients.

    """
    require_positive(points=points)
    model.eval()
    share = torch.linspace(0, 1, points, device=start.device).view(-1, 1, 1, 1)
    line = torch.lerp(start[None], end[None], share).requires_grad_()
    (gradients,) = torch.autograd.grad(model(line)[:, 0].sum(), line)
    directions = F.normalize(gradients.flatten(1))
    cosines = directions @ directions.T
    return [cosines.diagonal(lag).mean().item() for lag in range(points)]


def gradient_agreement(
    model: nn.Module, first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]
) -> list[float]:
    """Return how alike the loss's gradients of two batches are, for each convolution's weights.

    If they have nothing in common, a step that helps one batch says nothing about the next.

    Args:
        model: its mode counts, and in training mode its BN averages move on.
        first: images (N, C, H, W) and labels (N,) of one batch.
        second: those of the other.

    Returns:
        the cosine between the two gradients, first convolution to last.

    """
    weights = [m.weight for m in model.modules() if isinstance(m, nn.Conv2d)]
    both = [
        torch.autograd.grad(F.cross_entropy(model(images), labels), weights)
        for images, labels in (first, second)
    ]
    return [
        F.cosine_similarity(a.flatten(), b.flatten(), dim=0).item()
        for a, b in zip(*both, strict=True)
    ]


class Gain(NamedTuple):
    """How much a step lowers the loss: as the gradient predicts, kernel by kernel, all at once."""

    predicted: float
    apart: float
    together: float


def step_gain(model: nn.Module, images: Tensor, labels: Tensor, rate: float) -> Gain:
    """Return how much a step along the gradient lowers the loss of the batch that it is made for.

    What moves are the kernels of all convolutions, by `rate` times their gradient; afterwards they
    are as they were. The prediction is of first order: `rate` times the square of the gradient's
    norm. `apart` is the sum of what the kernels gain if each moves alone: the loss's curvature
    within a kernel makes it less than the prediction, and what the moves of two kernels do to each
    other makes `together` differ from it.

    Args:
        model: its mode counts, and in training mode its BN averages move on.
        images: (N, C, H, W).
        labels: (N,), whole numbers.
        rate: the learning rate.

    Raises:
        ValueError: if `rate` is not above 0.

    """
    require_rate("rate", rate)
    weights = [m.weight for m in model.modules() if isinstance(m, nn.Conv2d)]
    before = F.cross_entropy(model(images), labels)
    moves = [rate * gradient for gradient in torch.autograd.grad(before, weights)]
    kept = [weight.detach().clone() for weight in weights]

    @torch.no_grad()
    def gained(moved: Iterable[int]) -> float:
        for i in moved:
            weights[i].sub_(moves[i])
        after = F.cross_entropy(model(images), labels)
        for weight, old in zip(weights, kept, strict=True):
            weight.copy_(old)
        return (before - after).item()

    places = range(len(weights))
    return Gain(
        predicted=sum(move.square().sum().item() for move in moves) / rate,
        apart=sum(gained([i]) for i in places),
        together=gained(places),
    )


@contextlib.contextmanager
def without(model: nn.Module, removed: Iterable[int]) -> Iterator[None]:
    """Take some units out for a while: their input is passed on (Veit et al. 2016, Sec. 4.1).

    Args:
        model: of `resnet.nets`.
        removed: numbers of units, the first has 0; units that change the shape cannot be removed.

    Raises:
        ValueError: for a unit that is not there, or changes the shape.

    """
    found, removed = units(model), list(removed)
    for number in removed:
        if not 0 <= number < len(found):
            raise ValueError(f"removed has {number}: expected numbers from 0 to {len(found) - 1}")
        if not keeps_shape(found[number]):
            raise ValueError(f"removed has {number}: this unit changes the shape of its input")
    hooks = [found[i].register_forward_hook(lambda _, args, __: args[0]) for i in removed]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@contextlib.contextmanager
def swapped(model: nn.Module, first: int, second: int) -> Iterator[None]:
    """Let two units change places for a while (Veit et al. 2016, Sec. 4.3).

    Args:
        model: of `resnet.nets`.
        first: number of a unit, the first has 0.
        second: number of another; both keep the shape of their input, and it is the same shape.

    Raises:
        ValueError: for units that are not there, or do not fit each other's place.

    """
    found = units(model)
    for name, number in (("first", first), ("second", second)):
        if not 0 <= number < len(found):
            raise ValueError(f"{name}={number}: expected a number from 0 to {len(found) - 1}")
    if not exchangeable(model, first, second):
        raise ValueError(f"first={first}, second={second}: these units work on different shapes")
    a, b = found[first], found[second]
    places = {
        id(child): (parent, key)
        for parent in model.modules()
        for key, child in parent._modules.items()
    }
    (parent_a, key_a), (parent_b, key_b) = places[id(a)], places[id(b)]
    parent_a._modules[key_a], parent_b._modules[key_b] = b, a
    try:
        yield
    finally:
        parent_a._modules[key_a], parent_b._modules[key_b] = a, b


def keeps_shape(unit: ResidualUnit) -> bool:
    """Say whether a unit's output has its input's shape."""
    convolutions = [m for m in unit.branch.children() if isinstance(m, nn.Conv2d)]
    first, last = convolutions[0], convolutions[-1]
    return first.in_channels == last.out_channels and all(c.stride == (1, 1) for c in convolutions)


def exchangeable(model: nn.Module, first: int, second: int) -> bool:
    """Say whether two units keep the shape of their input, and it is the same shape."""
    a, b = (units(model)[i] for i in (first, second))
    wide, other = (
        next(m for m in unit.branch.children() if isinstance(m, nn.Conv2d)).in_channels
        for unit in (a, b)
    )
    return keeps_shape(a) and keeps_shape(b) and wide == other
