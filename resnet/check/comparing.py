"""Comparing a reader's module with a reference: behaviour, not names."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from resnet.blocks import ResidualUnit
from resnet.check.formulas import Formula, Kind, Reference, by_formula, values
from resnet.check.running import Wrong, built, call, counted, kind
from resnet.translation import _

# a formula and what it means if the reader's module computes the same
Mistakes = Sequence[tuple[Formula, str]]
Cases = list[tuple[tuple[Any, ...], tuple[int, ...]]]  # arguments, and the shape of an input
Make = Callable[[], nn.Module]

EPS = 1e-5  # PyTorch's, of batch normalisation


def alike(cases: int) -> str:
    """Say what was compared of a block that is right."""
    return _("outputs in both modes, gradients and layers, for {n} shapes", n=cases)


def judge_block(
    answer: object,
    cases: Sequence[tuple[tuple[Any, ...], tuple[int, ...]]],
    formula: Formula,
    mistakes: Mistakes,
    name: str,
) -> None:
    """Raise Wrong unless `answer(*arguments)` is a block that computes `formula`.

    Args:
        answer: the reader's class, or a function that returns a module.
        cases: arguments and the shape of an input.
        formula: called with (layers, x, *arguments).
        mistakes: formulas of likely wrong answers, and what to say about each.
        name: what the text calls the answer.

    """
    if not callable(answer) or isinstance(answer, nn.Module):
        raise Wrong(
            "Hand over the class {name} itself, without brackets behind it, so that the "
            "check can make blocks of several sizes; this is {kind}.",
            name=name,
            kind=kind(answer),
        )
    for arguments, shape in cases:
        shown = f"{name}({', '.join(map(repr, arguments))})"
        module = built(answer, arguments, shown)
        if any(isinstance(part, ResidualUnit) for part in module.modules()):
            raise Wrong("This is the book's own block. Write one of your own, from nn's layers.")
        compare(
            module,
            shape,
            by_formula(formula, *arguments),
            [(by_formula(wrong, *arguments), says) for wrong, says in mistakes],
            shown,
        )


def compare(
    module: nn.Module,
    shape: tuple[int, ...],
    reference: Reference,
    mistakes: Sequence[tuple[Reference, str]],
    shown: str,
    *,
    modes: Sequence[bool] = (True, False),
) -> None:
    """Raise Wrong unless a module computes what `reference` does, gradients included.

    Outputs are compared with equal weights, in training (True in `modes`) and in evaluation mode,
    gradients in training mode.
    """
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    what = f"{shown} on an input of shape {shape}"
    for part in module.modules():
        if "running_var" in part._buffers and not isinstance(part, nn.modules.batchnorm._NormBase):
            raise Wrong(
                "{shown} has a batch normalisation of its own making, {name}. The check sets the "
                "weights of both networks, and knows those of nn.BatchNorm2d: use that here.",
                shown=shown,
                name=type(part).__name__,
            )
    lazy = any(map(is_lazy, module.parameters()))
    with torch.no_grad():
        with reused(module, what):
            got = {modes[0]: filled(module, x, modes[0], what)}
        leaf = x.clone().requires_grad_()
        with torch.enable_grad():  # its graph serves the gradients below
            tracked, layers = reference(leaf, 3, True) if True in modes else (x, Counter())
        want = {t: (tracked.detach(), layers) if t else reference(x, 3, t) for t in modes}
        got = {t: filled(module, x, t, what) if lazy or t not in got else got[t] for t in modes}
    expected, layers = want[modes[0]]
    if all(close(got[t], want[t][0]) for t in want):
        if said := difference(layers_of(module), layers):
            raise Wrong("{what} gives the right numbers, but with other layers.", *said, what=what)
        if True in modes:
            (gradient,) = torch.autograd.grad(tracked.sin().sum(), leaf)
            _compare_gradients(module, x, gradient, what)
        return
    if (shape := got[modes[0]].shape) != expected.shape:
        raise Wrong(
            "{what} returns shape {shape}; expected {expected}.",
            what=what,
            shape=tuple(shape),
            expected=tuple(expected.shape),
        )
    for wrong, says in mistakes:
        try:
            with torch.no_grad():
                if all(close(got[t], wrong(x, 3, t)[0]) for t in got):
                    raise Wrong(f"{what}: {says}")
        except (RuntimeError, IndexError):  # this mistake cannot be made with this shape
            continue
    _compare_eps(module, x, want, what)
    if said := difference(layers_of(module), layers):
        raise Wrong("{what} does not compute what it should.", *said, what=what)
    with torch.no_grad(), Activity() as has:
        filled(module, x, True, what)
    with torch.no_grad(), Activity() as wanted:
        reference(x, 3, True)
    if said := other_activity(has.found, wanted.found):
        raise Wrong(
            "{what} has the right layers with weights, but not the right activations and poolings.",
            *said,
            what=what,
        )
    mode = {True: _("training"), False: _("evaluation")}
    differ = [mode[t] for t in modes if not close(got[t], want[t][0])]
    raise Wrong(
        "{what} has the right shape and the right layers with weights, but with equal "
        "weights other outputs (in {differ} mode).",
        _("Compare strides, paddings, the order of the layers and what is added with the text."),
        what=what,
        differ=_(" and ").join(differ),
    )


class Reused(Wrong):
    """A part of the answer stands at several places."""


@contextmanager
def reused(module: nn.Module, what: str) -> Iterator[None]:
    """Raise Reused if a part with weights is used more than once in what is run meanwhile.

    This is said before whatever else went wrong there.
    """
    used: dict[nn.Module, list[Tensor]] = {part: [] for part in module.modules()}
    hooks = [
        part.register_forward_pre_hook(lambda part, x: used[part].append(x[0].detach().clone()))
        for part in used
    ]
    failed = None
    try:
        yield
    except Wrong as wrong:
        failed = wrong
    for hook in hooks:
        hook.remove()
    for part in module.modules():  # from the outside in
        if len(used[part]) > 1 and any(True for _ in part.parameters()):
            first, *others = used[part]
            names = module.named_modules(remove_duplicate=False)
            about = {
                "what": what,
                "name": type(part).__name__,
                "used": len(used[part]),
                "places": ", ".join(name for name, other in names if other is part),
            }
            if all(x.shape == first.shape and torch.equal(x, first) for x in others):
                raise Reused(
                    "{what}: the {name} {places} is called {used} times on the same input. Call it "
                    "once and keep what it returns: in training mode a batch normalisation moves "
                    "its running averages at every call.",
                    **about,
                )
            raise Reused(
                "{what}: one {name} is used {used} times (at {places}), with the same weights "
                "each time. Every place needs one of its own.",
                **about,
            )
    if failed:
        raise failed


def _compare_eps(
    module: nn.Module, x: Tensor, want: Mapping[bool, tuple[Tensor, object]], what: str
) -> None:
    """Raise Wrong if all that is wrong is the eps of batch normalisation."""
    norms = [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]
    if odd := {layer.eps for layer in norms} - {EPS}:
        for layer in norms:
            layer.eps = EPS
        with torch.no_grad():
            if all(close(filled(module, x, t, what), want[t][0]) for t in want):
                raise Wrong(
                    "{what} normalises with eps={eps:g}; the text does with PyTorch's own.",
                    what=what,
                    eps=odd.pop(),
                )


def run(module: nn.Module, x: Tensor, what: str) -> Tensor:
    """Run a module; its output must be a tensor, and the input as it was."""
    before = x.clone()
    try:
        out = call(module, x, shown=what)
    except Wrong as wrong:
        if "must match the size" in wrong.says[0]:
            raise Wrong(*wrong.says, *_strided(module)) from None
        raise
    if not isinstance(out, Tensor):
        raise Wrong("{what} returns {kind}; expected one tensor.", what=what, kind=kind(out))
    if out.shape and x.shape == before.shape and not torch.equal(x, before):
        raise Wrong(
            "{what} changes its own input, in place; on the shortcut, and outside of the "
            "block, the input is needed as it was. Look for `+=` and `inplace=True`.",
            what=what,
        )
    if not out.is_floating_point() or out.device.type != "cpu":
        raise Wrong(
            "{what} returns {dtype} on {device}; expected float32 on cpu.",
            what=what,
            dtype=out.dtype,
            device=out.device,
        )
    return out.float()


def _strided(module: nn.Module) -> tuple[str, ...]:
    """Say what the strides of the convolutions tell, where two ways do not fit together."""
    strided = sum(
        isinstance(layer, nn.Conv2d) and max(layer.stride) > 1 for layer in module.modules()
    )
    if strided == 1:
        return (_("Only one convolution has a stride, so only one of the two ways shrinks."),)
    if strided > 2:
        return (_("More than one convolution on the same way has a stride: it shrinks twice."),)
    return ()


def filled(module: nn.Module, x: Tensor, training: bool, what: str) -> Tensor:
    """Run a module with the weights of `Layers`."""
    fill(module, 3)
    return run(module.train(training), x, what)


def close(a: Tensor, b: Tensor) -> bool:
    """Say whether two outputs agree, to what another order of the same sums may change."""
    if a.shape != b.shape or not torch.isfinite(a).all():
        return False
    return bool((a - b).abs().max() <= 1e-3 * max(1.0, float(b.abs().max())))


def _compare_gradients(module: nn.Module, x: Tensor, expected: Tensor, what: str) -> None:
    fill(module, 3)
    module.train()
    leaf = x.clone().requires_grad_()
    try:
        out = module(leaf * 1)
        (to_input,) = torch.autograd.grad(out.sin().sum(), leaf, allow_unused=True)
    except RuntimeError as error:
        if "inplace operation" in str(error):
            raise Wrong(
                "{what} runs, but gradients cannot flow back: a value that they need was "
                "changed in place. Look for `+=` and `inplace=True`.",
                what=what,
            ) from None
        raise Wrong(
            "{what} runs, but gradients cannot flow back: {error}",
            _("Is part of it computed under torch.no_grad() or detached?"),
            what=what,
            error=error,
        ) from None
    used = _leaves(out)
    if idle := [name for name, p in module.named_parameters() if id(p) not in used]:
        raise Wrong(
            "{what} does not use {idle}, or no gradient reaches it.",
            what=what,
            idle=", ".join(idle[:3]),
        )
    if to_input is None or not close(to_input, expected):
        raise Wrong(
            "{what} gives the right numbers, but another gradient for its input. Is part "
            "of it computed under torch.no_grad() or detached?",
            what=what,
        )


def _leaves(out: Tensor) -> set[int]:
    """Return the ids of the tensors that a gradient of `out` reaches; computing it takes longer."""
    waiting, seen, found = [out.grad_fn], set(), set()
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            found.add(id(getattr(node, "variable", None)))
            waiting += [following for following, _place in node.next_functions]
    return found


def drawn(*ranges: tuple[int, int]) -> tuple[int, ...]:
    """Draw a whole number from each range, anew at every call, so that no answer is made to fit."""
    source = random.Random()
    return tuple(source.randint(low, high) for low, high in ranges)


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
                kernel = ("conv", tuple(parameter.shape))
                found[kernel if parameter.ndim == 4 else (type(layer).__name__, ())] += 1
    return found


def difference(found: "Counter[Kind]", expected: "Counter[Kind]") -> tuple[str, ...]:
    """Say in which layers a module differs from what is expected, without listing what it needs."""
    said = []
    strange = {name for name, _ in found} - {name for name, _ in expected}
    if strange:
        names = ", ".join(sorted(strange))
        said.append(_("It has parameters in {names}, which do not belong here.", names=names))
    words = {
        "conv": _("convolution"),
        "bn": _("batch normalisation"),
        "linear": _("linear layer"),
    }
    for name, word in words.items():
        has, wanted = (
            sum(n for (kind, _), n in count.items() if kind == name) for count in (found, expected)
        )
        if has != wanted:
            said.append(_more_or_fewer(has, wanted, word))
        elif odd := [shape for kind, shape in found - expected if kind == name]:
            one = (
                _("One batch normalisation has {n} channels", n=odd[0][0])
                if name == "bn"
                else _("One {layer} has weights of shape {shape}", layer=word, shape=odd[0])
            )
            said.append(_("{one}, which none should have at this place.", one=one))
    return tuple(said)


def _more_or_fewer(has: int, wanted: int, word: str) -> str:
    layers = counted(has, word)
    if has < wanted:
        return _("It has {layers}, fewer than needed.", layers=layers)
    return _("It has {layers}, more than needed.", layers=layers)


# what the operations of layers without weights are called
AVERAGE_POOLING = _("average pooling")
WITHOUT_WEIGHTS = {
    **dict.fromkeys(("relu", "clamp", "clamp_min", "threshold"), "ReLU"),
    **dict.fromkeys(("max_pool2d_with_indices", "adaptive_max_pool2d"), _("max pooling")),
    **dict.fromkeys(("_softmax", "_log_softmax"), "softmax"),
    **{name: name for name in ("hardswish", "softplus", "sigmoid", "tanh")},
    **{name.lower(): name for name in ("GELU", "SiLU", "ELU", "Mish")},
    "hardtanh": "ReLU6",
    "leaky_relu": "leaky ReLU",
    "_prelu_kernel": "PReLU",
    "avg_pool2d": AVERAGE_POOLING,
    "native_dropout": "dropout",
}


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
        if word and not (word == AVERAGE_POOLING and set(args[1]) == {1}):
            self.found[word] += 1
        return func(*args, **(kwargs or {}))


def other_activity(found: "Counter[str]", expected: "Counter[str]") -> tuple[str, ...]:
    """Say which activations and poolings a module has that it should not have, or lacks."""
    return tuple(
        _more_or_fewer(found[word], expected[word], word)
        if expected[word]
        else _("It has {layers}, which does not belong here.", layers=counted(found[word], word))
        for word in sorted(found | expected)
        if found[word] != expected[word]
    )


def bottleneck_cases() -> Cases:
    """Return (in_channels, channels, stride) that keep and change the shape, one pair drawn."""
    width, narrow, height = drawn((9, 15), (2, 4), (6, 12))
    return [
        ((12, 3), (3, 12, 9, 6)),
        ((6, 4, 2), (3, 6, 9, 12)),
        ((5, 5, 1), (2, 5, 7, 8)),
        ((8, 2, 2), (3, 8, 8, 7)),
        ((width, narrow, 2), (2, width, height, 9)),
    ]


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
        raise Wrong(
            "{shown}: the stem's convolution has a bias; the text has it without one.", shown=shown
        )


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
