"""What a check says, and what was tried in this kernel."""

import contextlib
import dataclasses
import html
import inspect
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps

import torch

from resnet.check.running import Missing, Wrong, counted, limited
from resnet.tables import Table
from resnet.translation import _


@dataclass(frozen=True)
class Feedback:
    """The answer to an answer: true if it is right; prints as text and shows in a notebook.

    Attributes:
        name: of the exercise, which is the check's name.
        right: whether the answer is right.
        says: what was looked at if it is right, otherwise what is wrong and where to look.
        tried: whether anything was written into the starter's gaps.

    """

    name: str
    right: bool
    says: tuple[str, ...]
    tried: bool = True

    def __bool__(self) -> bool:
        return self.right

    def __repr__(self) -> str:
        head, (first, *others) = f"{self._word} ({self.name})", self.says
        return "\n".join([f"{head}: {first}", *(f"  {line}" for line in others)])

    def _repr_html_(self) -> str:
        head, (first, *others) = f"<strong>{self._word}</strong> ({self.name})", self.says
        lines = [f"{head}: {html.escape(first)}", *map(html.escape, others)]
        return "".join(f"<p>{line}</p>" for line in lines)

    @property
    def _word(self) -> str:
        return _("Right") if self.right else _("Not yet")


class _Printed(io.TextIOBase):
    """Takes what the reader's code prints while it is checked, and counts the lines."""

    lines = 0

    def write(self, text: str, /) -> int:
        self.lines += text.count("\n")
        return len(text)


Check = Callable[..., Feedback]

CHECKS: dict[str, Check] = {}  # of all exercises, in the book's order
TRIED: dict[str, list[Feedback]] = {}  # of this kernel, by exercise, in the order of trying


def exercise(judge: Callable[..., str]) -> Check:
    """Make a check of a function that says what it found right, or raises Wrong.

    The check takes what `judge` takes and always returns a Feedback, in seconds: whatever the
    answer does is caught, and ended where it takes too long.
    """
    name = judge.__name__

    @wraps(judge)
    def check(*answers: object, **named: object) -> Feedback:
        try:
            inspect.signature(judge).bind(*answers, **named)
        except TypeError:
            how = _("Call it as in the text: {call}.", call=_call(judge))
            feedback = Feedback(name, False, (how,))
        else:
            printed = _Printed()
            with contextlib.redirect_stdout(printed):
                feedback = _judged(judge, answers, named)
            if printed.lines:
                lines = counted(printed.lines, _("line"))
                output = _("Your code printed {lines}, not shown here.", lines=lines)
                feedback = dataclasses.replace(feedback, says=(*feedback.says, output))
        TRIED.setdefault(name, []).append(feedback)
        return feedback

    check.__annotations__["return"] = Feedback
    CHECKS[name] = check
    return check


def _call(judge: Callable[..., str]) -> str:
    return f"resnet.check.{judge.__name__}({', '.join(inspect.signature(judge).parameters)})"


def judged(check: Check, *answers: object) -> Feedback:
    """Ask a check without counting it as a try of the reader's."""
    judge: Callable[..., str] = check.__wrapped__  # type: ignore[attr-defined]
    return _judged(judge, answers, {})


def _judged(
    judge: Callable[..., str], answers: Sequence[object], named: dict[str, object]
) -> Feedback:
    dtype = torch.get_default_dtype()
    try:
        torch.set_default_dtype(torch.float32)
        with torch.random.fork_rng(devices=[]):  # the reader's own random numbers go on undisturbed
            found = limited(lambda: judge(*answers, **named))
    except Wrong as wrong:
        return Feedback(judge.__name__, False, wrong.says, tried=not isinstance(wrong, Missing))
    except Exception as error:  # an answer of a kind that nobody thought of
        message = f"{type(error).__name__}: {error}".splitlines()[0]
        lost = _("The check does not know what to do with this answer ({error}).", error=message)
        return Feedback(judge.__name__, False, (lost, _("Is it of the kind asked for?")))
    finally:
        torch.set_default_dtype(dtype)
    return Feedback(judge.__name__, True, (found,))


def summary() -> Table:
    """Return which exercises were tried in this kernel, how often, and which are solved."""
    states = {True: _("solved"), False: _("open")}
    rows = [(name, len(tries), states[any(tries)]) for name, tries in TRIED.items()]
    solved = sum(any(tries) for tries in TRIED.values())
    total = _("{n} solved", n=solved)
    return Table([_("exercise"), _("tries"), _("state")], [*rows, (total, "", "")])
