"""Running a reader's code safely: copies of modules, a time limit, errors in one line."""

import copy
import ctypes
import difflib
import linecache
import threading
import time
import traceback
import types
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedBuffer, is_lazy

from resnet.nets import ResNet
from resnet.translation import _, ngettext

SECONDS = 15.0  # for one check; a right answer takes one or two
OURS = Path(__file__).parents[1]
T = TypeVar("T")


class Wrong(Exception):
    """The answer is not right yet.

    Args:
        text: why; it is translated, and `values` are put in its places.
        lines: what else there is to say, as it is to be shown.
        values: by the names that the text has for them.

    """

    def __init__(self, text: str, *lines: str, **values: object) -> None:
        super().__init__(_(text, **values), *lines)

    @property
    def says(self) -> tuple[str, ...]:
        """The lines."""
        return tuple(map(str, self.args))


class Missing(Wrong):
    """There is no answer yet: the starter's gaps are as they were."""


def unfilled(gaps: Sequence[object], keys: Collection[object]) -> Wrong:
    """Return what to raise where the gaps among the keys are not filled in."""
    names = ", ".join(map(repr, gaps))
    if len(gaps) == len(keys):
        return Missing("Nothing is written here yet: fill in {gaps}.", gaps=names)
    return Wrong("Nothing is written here yet: fill in {gaps}.", gaps=names)


class TimeUp(BaseException):
    """Raised in a thread that took too long; no Exception, so that answers do not catch it."""


def limited(work: Callable[[], T]) -> T:
    """Return what `work` returns, or raise what it raises, or Wrong after `SECONDS`.

    It runs in a thread of its own, which is what works in Jupyter on every system, and is told to
    stop when its time is up. On a machine that has much else to do it gets up to three times as
    long, so that the others' work does not make a right answer wrong.
    """
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        torch.default_generator.manual_seed(0)  # layers made by the answer start alike every time
        try:
            done.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    busy = time.process_time()
    try:
        thread.join(SECONDS)
        for _again in range(20):
            if thread.is_alive() and time.process_time() - busy < SECONDS / 2:
                thread.join(SECONDS / 10)
    except KeyboardInterrupt:  # the reader interrupts the kernel
        _stop(thread)
        raise
    if thread.is_alive():
        raise Wrong(*_stop(thread))
    if failed:
        error = failed[0]
        if not isinstance(error, Exception):
            raise Wrong("Your code ended with {error!r}.", error=error)
        raise error
    return done[0]


def _stop(thread: threading.Thread) -> tuple[str, ...]:
    """Ask a thread to end; what to tell the reader."""
    said = _(
        "Not finished after {seconds:g} s of computing. Is there a loop that does not end?",
        seconds=SECONDS,
    )
    for _again in range(3):  # more than once: a bare `except:` in a loop swallows the first
        if thread.ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread.ident), ctypes.py_object(TimeUp)
            )
        thread.join(0.3)
    if thread.is_alive():
        return (said, _("It could not be stopped and goes on computing: restart the kernel."))
    return (said,)


# what an error's message contains, and what it usually means in an exercise
ADVICE = (
    (
        ("takes", "positional argument"),
        _("Take the arguments in the order and the number that the starter has."),
    ),
    (
        ("must match the size of tensor",),
        _("Two tensors of different shapes are added. Follow both ways up to the addition."),
    ),
    (
        ("to have", "channels, but got"),
        _("Follow the number of channels from layer to layer."),
    ),
    (
        ("element 0 of tensors does not require grad",),
        _("The output does not depend on the input by way of PyTorch's operations."),
    ),
)


def call(answer: Callable[..., Any], *arguments: object, shown: str = "") -> Any:
    """Call the reader's code; an error in it becomes Wrong, with the reader's own line.

    Args:
        answer: what to call.
        arguments: what it gets.
        shown: the call as the reader would write it.

    """
    try:
        return answer(*arguments)
    except NotImplementedError as error:
        if 'missing the required "forward"' in str(error):
            raise Wrong(*_no_forward(error)) from None
        todo = str(error) or _("fill in the starter")
        raise Missing("Nothing is written here yet: {todo}.", todo=todo) from None
    except (Exception, SystemExit) as error:
        message = f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")
        raise Wrong(
            "{code} raised {message}",
            *(advice for parts, advice in ADVICE if all(part in message for part in parts)),
            code=shown or _("Your code"),
            message=message + _place(error),
        ) from None


def _no_forward(error: BaseException) -> tuple[str, ...]:
    """Say where a module's forward went: under another name, inside another method, or nowhere."""
    *_others, (frame, _line) = traceback.walk_tb(error.__traceback__)
    owner = type(frame.f_locals["self"])
    said = _("{name} has no method forward, which is what PyTorch calls.", name=owner.__name__)
    if owner.__module__.startswith("torch."):
        return (said, _("It only holds its parts: which of nn's containers runs them in order?"))
    methods = {n: m for n, m in vars(owner).items() if isinstance(m, types.FunctionType)}
    if near := difflib.get_close_matches("forward", methods, 1):
        return (said, _("It has a method {near}. Is the name right?", near=near[0]))
    for name, method in methods.items():
        inside = (c.co_name for c in method.__code__.co_consts if isinstance(c, types.CodeType))
        if difflib.get_close_matches("forward", inside, 1):
            inside_it = _("There is one inside {name}. How far is its `def` indented?", name=name)
            return (said, inside_it)
    return (said, _("Is it in the class, with its `def` indented as far as that of __init__?"))


def _place(error: BaseException) -> str:
    """Name the reader's last line in a traceback, if it got that far."""
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [
        frame
        for frame in frames
        if not Path(frame.filename).is_relative_to(OURS) and "site-packages" not in frame.filename
    ]
    if not theirs or not (line := linecache.getline(theirs[-1].filename, theirs[-1].lineno or 0)):
        return ""
    return _(" (at `{line}`)", line=line.strip())


def function(answer: object, name: str) -> Callable[..., Any]:
    """Return a function, or raise Wrong for what is none."""
    if not callable(answer) or isinstance(answer, torch.nn.Module):
        raise Wrong(
            "Hand over the function {name} itself, without calling it; this is {kind}.",
            name=name,
            kind=kind(answer),
        )
    return answer


def counted(number: int, word: str) -> str:
    """Return "1 unit", "2 units"."""
    return ngettext("{n:,} {word}", "{n:,} {word}s", number, word=word)


def kind(answer: object) -> str:
    """Say what something is, in a few words."""
    if answer is None:
        return "None"
    if answer is ...:
        return _("`...`, the starter's gap")
    if isinstance(answer, type):
        return _("the class {name}", name=answer.__name__)
    if isinstance(answer, torch.Tensor):
        return _("a tensor of shape {shape}", shape=tuple(answer.shape))
    if isinstance(answer, torch.nn.Module):
        return _("a module of class {name}", name=type(answer).__name__)
    if isinstance(answer, types.FunctionType):
        return _("the function {name}", name=answer.__name__)
    if isinstance(answer, tuple | list):
        return _("a {type} of {n}", type=type(answer).__name__, n=len(answer))
    return _("of type {type}", type=type(answer).__name__)


def built(make: Callable[..., Any], arguments: Sequence[Any], shown: str) -> nn.Module:
    """Call the reader's class or function; what comes must be a module with numbers in it."""
    return usable(call(make, *arguments, shown=shown), shown)


def usable(module: object, shown: str) -> nn.Module:
    """Return a copy of a module on the processor in float32, or raise Wrong for what is none."""
    if module is ...:
        raise Missing("Nothing is written here yet: {shown}.", shown=shown)
    if isinstance(module, type):
        raise Wrong(
            "{shown} is the class {name}; make a module of it: call it.",
            shown=shown,
            name=module.__name__,
        )
    if not isinstance(module, nn.Module):
        raise Wrong(
            "{shown} is {kind}; expected a module (a subclass of nn.Module).",
            shown=shown,
            kind=kind(module),
        )
    if any(tensor.is_meta for tensor in _tensors(module)):
        raise Wrong(
            "{shown} is on the device meta: it has shapes, no numbers. Make it on cpu.", shown=shown
        )
    return copied(module, shown).cpu().float()


def own_copy(module: object, shown: str) -> nn.Module:
    """Return a copy of the reader's module as `usable` does, with weights that can be trained."""
    mine = usable(module, shown)
    for parameter in mine.parameters():
        parameter.requires_grad = True  # `requires_grad_` refuses lazy ones
    return mine


def not_the_books(module: nn.Module, *, nor_a_librarys: bool = False) -> nn.Module:
    """Return a network, or raise Wrong if one that exists already is in it, whole."""
    for part in module.modules():
        if isinstance(part, ResNet):
            raise Wrong("This is the book's own network. Build one of your own, from its blocks.")
        for base in type(part).__mro__ if nor_a_librarys else ():
            library = base.__module__.partition(".")[0]
            if library in ("torchvision", "timm") and base.__name__ == "ResNet":
                raise Wrong(
                    "This is {library}'s own network. Build one of your own, from blocks.",
                    library=library,
                )
    return module


def copied(module: nn.Module, shown: str) -> nn.Module:
    """Copy a module, run or not; the weights' memory is shared, so replace them, never write it."""
    memo: dict[int, object] = {}
    for part in module.modules():
        for value in vars(part).values():  # of hooks: most of the time would go there
            if type(value) in (dict, OrderedDict) and not value:
                memo[id(value)] = type(value)()
    for tensor in _tensors(module):
        if isinstance(tensor, UninitializedBuffer):  # PyTorch copies lazy parameters, not these
            memo[id(tensor)] = type(tensor)(False, tensor.device, tensor.dtype)  # type: ignore[arg-type]
        elif isinstance(tensor, nn.Parameter) and not is_lazy(tensor):
            memo[id(tensor)] = nn.Parameter(tensor.detach(), tensor.requires_grad)
    try:
        twin = copy.deepcopy(module, memo)
    except Exception as error:
        raise Wrong(
            "{shown} cannot be copied ({error}). Make it anew and do not run it before.",
            shown=shown,
            error=error,
        ) from None
    twins = dict(zip(map(id, module.modules()), twin.modules(), strict=True))
    for part in twin.modules():
        holders: list[dict[Any, Any]] = [vars(part), part._forward_hooks, part._forward_pre_hooks]
        for holder in holders:
            for name, value in holder.items():
                if isinstance(value, types.FunctionType) and value.__closure__:
                    holder[name] = _rebound(value, twins)
    return twin


def _tensors(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(), *module.buffers()]


def _rebound(function: types.FunctionType, twins: Mapping[int, nn.Module]) -> types.FunctionType:
    """Return a function made inside `__init__` that sees the copies of the modules it saw."""
    cells = []
    for cell in function.__closure__ or ():
        try:
            cells.append(types.CellType(twins.get(id(cell.cell_contents), cell.cell_contents)))
        except ValueError:  # nothing in it yet
            cells.append(cell)
    code, names = function.__code__, function.__globals__
    defaults = function.__defaults__
    again = types.FunctionType(code, names, function.__name__, defaults, tuple(cells))
    again.__kwdefaults__ = function.__kwdefaults__
    return again
