"""Running a reader's code: within a time limit, and with errors told in one line."""

import ctypes
import difflib
import linecache
import threading
import time
import traceback
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch

SECONDS = 15.0  # for one check; a right answer takes one or two
OURS = Path(__file__).parents[1]

T = TypeVar("T")


class Wrong(Exception):
    """The answer is not right yet; the arguments say why, a line each."""

    @property
    def says(self) -> tuple[str, ...]:
        """The lines."""
        return tuple(map(str, self.args))


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
        for _ in range(20):
            if thread.is_alive() and time.process_time() - busy < SECONDS / 2:
                thread.join(SECONDS / 10)
    except KeyboardInterrupt:  # the reader interrupts the kernel
        _stop(thread)
        raise
    if thread.is_alive():
        raise Wrong(*_stop(thread))
    if failed:
        error = failed[0]
        raise error if isinstance(error, Exception) else Wrong(f"Your code ended with {error!r}.")
    return done[0]


def _stop(thread: threading.Thread) -> tuple[str, ...]:
    """Ask a thread to end; what to tell the reader."""
    said = f"Not finished after {SECONDS:g} s of computing. Is there a loop that does not end?"
    for _ in range(3):  # more than once: a bare `except:` in a loop swallows the first
        if thread.ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread.ident), ctypes.py_object(TimeUp)
            )
        thread.join(0.3)
    if thread.is_alive():
        return (said, "It could not be stopped and goes on computing: restart the kernel.")
    return (said,)


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
        raise Wrong(f"Nothing is written here yet: {error or 'fill in the starter'}.") from None
    except (Exception, SystemExit) as error:
        told = f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")
        place = _place(error)
        raise Wrong(f"{shown or 'Your code'} raised {told}{place}", *_advice(told)) from None


def _no_forward(error: BaseException) -> tuple[str, ...]:
    """Say where a module's forward went: under another name, inside another method, or nowhere."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    owner = type(frame.f_locals["self"])
    said = f"{owner.__name__} has no method forward, which is what PyTorch calls."
    if owner.__module__.startswith("torch."):
        return (said, "It only holds its parts: which of nn's containers runs them in order?")
    methods = {n: m for n, m in vars(owner).items() if isinstance(m, types.FunctionType)}
    if near := difflib.get_close_matches("forward", methods, 1):
        return (said, f"It has a method {near[0]}. Is the name right?")
    for name, method in methods.items():
        inside = (c.co_name for c in method.__code__.co_consts if isinstance(c, types.CodeType))
        if difflib.get_close_matches("forward", inside, 1):
            return (said, f"There is one inside {name}. How far is its `def` indented?")
    return (said, "Is it in the class, with its `def` indented as far as that of __init__?")


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
    return f" (at `{line.strip()}`)"


def _advice(told: str) -> tuple[str, ...]:
    """What an error of PyTorch's usually means in an exercise."""
    if "takes" in told and "positional argument" in told:
        return ("Take the arguments in the order and the number that the starter has.",)
    if "must match the size of tensor" in told:
        return (
            "Two things that do not have the same shape are added. Follow height, width and "
            "channels along both ways up to the addition.",
        )
    if "to have" in told and "channels, but got" in told:
        return ("Follow the number of channels from layer to layer.",)
    if "element 0 of tensors does not require grad" in told:
        return ("The output does not depend on the input by way of PyTorch's operations.",)
    return ()


def function(answer: object, name: str) -> Callable[..., Any]:
    """Return a function, or raise Wrong for what is none."""
    if not callable(answer) or isinstance(answer, torch.nn.Module):
        raise Wrong(
            f"Hand over the function {name} itself, without calling it; this is {kind(answer)}."
        )
    return answer


def counted(number: int, word: str) -> str:
    """Return "1 unit", "2 units"."""
    return f"{number:,} {word}{'s' * (number != 1)}"


def kind(answer: object) -> str:
    """Say what something is, in a few words."""
    if answer is None:
        return "None"
    if answer is ...:
        return "`...`, the starter's gap"
    if isinstance(answer, type):
        return f"the class {answer.__name__}"
    if isinstance(answer, torch.Tensor):
        return f"a tensor of shape {tuple(answer.shape)}"
    if isinstance(answer, torch.nn.Module):
        return f"a module of class {type(answer).__name__}"
    if isinstance(answer, types.FunctionType):
        return f"the function {answer.__name__}"
    if isinstance(answer, tuple | list):
        return f"a {type(answer).__name__} of {len(answer)}"
    return f"of type {type(answer).__name__}"
