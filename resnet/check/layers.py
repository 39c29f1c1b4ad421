"""Layers whose weights depend on their shape alone.

So two modules get the same weights whatever their layers are called and in whatever order they were
made, and a block can be written down, rightly or wrongly, in a few lines without any weights.
"""

import math
import zlib
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from resnet.check.guard import counted

Kind = tuple[str, tuple[int, ...]]  # of a layer: "conv" and its weight's shape, "bn" and channels
# What a module must compute: (input, seed of the weights, training) to output and layers used.
Reference = Callable[[Tensor, int, bool], tuple[Tensor, "Counter[Kind]"]]
Formula = Callable[..., Tensor]  # (layers, input, *arguments) to output


@lru_cache(200)
def values(name: str, shape: tuple[int, ...], seed: int) -> Tensor:
    """Return the numbers that every tensor of this name and shape gets."""
    random = torch.Generator().manual_seed(zlib.crc32(f"{name} {tuple(shape)} {seed}".encode()))
    if name in ("bn.weight", "bn.running_var"):
        return torch.empty(shape).uniform_(0.5, 1.5, generator=random)
    fan_in = math.prod(shape[1:]) if name in ("conv.weight", "linear.weight") else 10
    return torch.empty(shape).normal_(0, math.sqrt(1 / fan_in), generator=random)


class Layers:
    """The layers a formula uses, made as they are called; `used` counts them."""

    def __init__(self, seed: int, training: bool) -> None:
        self.seed, self.training = seed, training
        self.used: Counter[Kind] = Counter()

    def conv(
        self, x: Tensor, channels: int, kernel: int, stride: int = 1, *, groups: int = 1
    ) -> Tensor:
        """Convolve without bias, padded by half the kernel."""
        shape = (channels, x.shape[1] // groups, kernel, kernel)
        self.used["conv", shape] += 1
        weight = values("conv.weight", shape, self.seed)
        return F.conv2d(x, weight, None, stride, kernel // 2, 1, groups)

    def bn(self, x: Tensor) -> Tensor:
        """Normalise by the batch, or when not training by running statistics."""
        shape = (x.shape[1],)
        self.used["bn", shape] += 1
        weight, bias, mean, var = (
            values(f"bn.{part}", shape, self.seed).clone()  # training moves the statistics
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        return F.batch_norm(x, mean, var, weight, bias, training=self.training)

    relu = staticmethod(torch.relu)


def by_formula(formula: Formula, *arguments: object) -> Reference:
    """Return the reference that a formula describes."""

    def reference(x: Tensor, seed: int, training: bool) -> tuple[Tensor, Counter[Kind]]:
        layers = Layers(seed, training)
        return formula(layers, x, *arguments), layers.used

    return reference


def by_module(module: nn.Module) -> Reference:
    """Return the reference that a module is."""

    def reference(x: Tensor, seed: int, training: bool) -> tuple[Tensor, Counter[Kind]]:
        fill(module, seed)
        out: Tensor = module.train(training)(x)
        return out, layers_of(module)

    return reference


class Undrawn(TorchFunctionMode):
    """While it is active, no initial weights are drawn: the check sets them all."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> object:
        """Leave out what draws."""
        kwargs = kwargs or {}
        if func.__name__.rstrip("_") in ("normal", "uniform", "kaiming_uniform", "kaiming_normal"):
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)


NAMES = {nn.Conv2d: "conv", nn.BatchNorm2d: "bn", nn.Linear: "linear"}


def _name(module: nn.Module) -> str:
    return next((name for kind, name in NAMES.items() if isinstance(module, kind)), "")


@torch.no_grad()
def fill(module: nn.Module, seed: int) -> None:
    """Give a module the values of `Layers`; biases of convolutions become zero.

    Its own numbers are not overwritten: they may be the reader's.
    """
    for layer in module.modules():
        name = _name(layer) or type(layer).__name__
        own = [*layer.named_parameters(recurse=False), *layer.named_buffers(recurse=False)]
        for part, tensor in own:
            if is_lazy(tensor):
                continue
            shape = tuple(tensor.shape)
            if name == "conv" and part == "bias":
                tensor.data = torch.zeros(shape)
            elif not _name(layer) and tensor.ndim == 4:  # a convolution written as a function
                tensor.data = values("conv.weight", shape, seed)
            elif isinstance(tensor, nn.Parameter):
                tensor.data = values(f"{name}.{part}", shape, seed)
            elif tensor.is_floating_point() and _name(layer):  # training moves the statistics
                tensor.data = values(f"{name}.{part}", shape, seed).clone()


def layers_of(module: nn.Module) -> "Counter[Kind]":
    """Count a module's layers that have parameters."""
    found: Counter[Kind] = Counter()
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            found["bn", (layer.num_features,)] += 1
        elif isinstance(layer, nn.Conv2d | nn.Linear):
            found[_name(layer), () if is_lazy(layer.weight) else tuple(layer.weight.shape)] += 1
        else:
            for parameter in layer.parameters(recurse=False):
                is_kernel = parameter.ndim == 4
                found["conv" if is_kernel else type(layer).__name__,
                      tuple(parameter.shape) if is_kernel else ()] += 1  # fmt: skip
    return found


def difference(found: "Counter[Kind]", expected: "Counter[Kind]") -> tuple[str, ...]:
    """Say in which layers a module differs from what is expected, without listing what it needs."""
    said = []
    strange = {name for name, _ in found} - {name for name, _ in expected}
    if strange:
        said.append(f"It has parameters in {', '.join(sorted(strange))}, which do not belong here.")
    words = {"conv": "convolution", "bn": "batch normalisation", "linear": "linear layer"}
    for name, word in words.items():
        has, wanted = (
            sum(n for (kind, _), n in count.items() if kind == name) for count in (found, expected)
        )
        if has != wanted:
            said.append(_more_or_fewer(has, wanted, word))
        elif odd := [shape for kind, shape in found - expected if kind == name]:
            what = f"{odd[0][0]} channels" if name == "bn" else f"weights of shape {odd[0]}"
            said.append(f"One of its {word}s has {what}, which none should have at this place.")
    return tuple(said)


def _more_or_fewer(has: int, wanted: int, word: str) -> str:
    return f"It has {counted(has, word)}, {'fewer' if has < wanted else 'more'} than needed."


# what the operations of layers without weights are called
WITHOUT_WEIGHTS = {"relu": "ReLU", "clamp": "ReLU", "clamp_min": "ReLU", "threshold": "ReLU",
                   "hardtanh": "ReLU6", "leaky_relu": "leaky ReLU", "_prelu_kernel": "PReLU",
                   "max_pool2d_with_indices": "max pooling", "avg_pool2d": "average pooling",
                   "adaptive_max_pool2d": "max pooling",
                   "_softmax": "softmax", "_log_softmax": "softmax", "native_dropout": "dropout",
                   "gelu": "GELU", "silu": "SiLU", "elu": "ELU", "mish": "Mish",
                   "hardswish": "hardswish", "softplus": "softplus", "sigmoid": "sigmoid",
                   "tanh": "tanh"}  # fmt: skip


class Activity(TorchDispatchMode):
    """Counts, while it is active, what is computed by layers without weights."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> object:
        """Note the operation, and do it."""
        word = WITHOUT_WEIGHTS.get(func.overloadpacket.__name__.removesuffix("_"))
        # an average over one pixel only leaves out pixels
        if word and not (word == "average pooling" and set(args[1]) == {1}):
            self.found[word] += 1
        return func(*args, **(kwargs or {}))


def other_activity(found: "Counter[str]", expected: "Counter[str]") -> tuple[str, ...]:
    """Say which activations and poolings a module has that it should not have, or lacks."""
    return tuple(
        _more_or_fewer(found[word], expected[word], word)
        if expected[word]
        else f"It has {counted(found[word], word)}, which does not belong here."
        for word in sorted(found | expected)
        if found[word] != expected[word]
    )
