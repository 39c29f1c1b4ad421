"""What a filled notebook is worth: its exercises' checks, run in a process of their own."""

import contextlib
import json
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from resnet.check.feedback import CHECKS
from resnet.files import require_writable, write_whole
from resnet.tables import Table
from resnet.translation import _

SECONDS = 120.0  # for one exercise; its check by itself takes a few
STARTING = 300.0  # for the process to import torch, on a machine that has much else to do
SHOWN = 90  # characters of a message in the table; the JSON has all
CALL = re.compile(r"\bcheck\s*\.\s*(\w+)\s*\(")
OPENS = "exercises"  # the tag of the cell behind which a chapter's exercises stand


@dataclass(frozen=True)
class Step:
    """An exercise of a notebook: the cells up to its check, which is in the last of them."""

    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What came out of one exercise."""

    exercise: str  # "4.3"
    name: str
    tried: bool
    passed: bool
    message: str


def report(*notebooks: str | Path, seconds: float = SECONDS) -> Table:
    """Run the checks of filled notebooks, and write what they say beside each, as JSON.

    The cells of the exercises are run in order, in a process of their own and an empty folder; of a
    chapter's own cells only imports and definitions. An answer that fails, does not end or ends the
    process is told so in its row, and the others are judged all the same.

    This is no sandbox: the code has the rights of whoever calls this. And it is no invigilator: a
    notebook that reaches into this module can make a check say what it likes.

    Args:
        notebooks: files of Jupyter's format 4. What is found in `answers.ipynb` is written to
            `answers.report.json`.
        seconds: what the cells of one exercise may take, with its check.

    Returns:
        A row for each exercise: whether it was tried, whether it passed, what the check said.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: naming the file that is no notebook or has no exercise, or whose JSON cannot be
            written; and for `seconds` that are no positive number.

    """
    if not notebooks:
        raise ValueError("notebooks: name at least one file, such as answers.ipynb")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
        raise ValueError(f"seconds={seconds!r}; it can be any positive number")
    if find_spec("IPython") is None:
        raise ValueError("report runs cells with IPython, which is missing: pip install ipython")
    paths = [Path(notebook) for notebook in notebooks]
    plans = [_plan(path) for path in paths]
    targets = [path.with_suffix(".report.json") for path in paths]
    for target in targets:
        require_writable(report=target)
    rows: list[list[object]] = []
    for path, (before, steps), target in zip(paths, plans, targets, strict=True):
        found = _outcomes(before, steps, seconds)
        content = {
            "notebook": path.name,
            "module": sys.modules["resnet"].__version__,  # it is loaded: this is a part of it
            "exercises": [asdict(outcome) for outcome in found],
        }
        write_whole(target, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        names = [path.name] if len(paths) > 1 else []
        for each in found:
            message = textwrap.shorten(each.message, SHOWN, placeholder=" …")
            label = f"{each.exercise} {each.name}"
            rows.append([*names, label, each.tried, each.passed, message])
    head = [_("exercise"), _("tried"), _("passed"), _("message")]
    return Table([_("notebook"), *head] if len(paths) > 1 else head, rows)


def _plan(path: Path) -> tuple[list[str], list[Step]]:
    """Return the code before a notebook's exercises, and the exercises."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {path}: is the name right?") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read as a notebook ({error})") from None
    try:
        cells = [_cell(cell) for cell in json.loads(text)["cells"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError(
            f"{path} is no notebook of Jupyter's format 4: open it in Jupyter and save it"
        ) from None
    first = next((i for i, (kind, source) in enumerate(cells) if _named(kind, source)), None)
    if first is None:
        raise ValueError(
            f"{path} has no exercise: no cell calls a check, such as resnet.check.residual(…)"
        )
    opening = max((i for i in range(first) if cells[i][0] == OPENS), default=-1)
    before = [source for kind, source in cells[: max(opening, 0)] if kind == "code"]
    steps: list[Step] = []
    waiting: list[str] = []
    for kind, source in cells[opening + 1 :]:
        if kind != "code":
            continue
        waiting.append(source)
        if name := _named(kind, source):
            steps.append(Step(name, tuple(waiting)))
            waiting = []
    return before, steps


def _cell(cell: Mapping[str, Any]) -> tuple[str, str]:
    """Return a cell's kind, which is `OPENS` where the exercises begin, and its source."""
    source = cell["source"]
    source = source if isinstance(source, str) else "".join(source)
    kind = str(cell["cell_type"])
    opens = OPENS in cell.get("metadata", {}).get("tags", []) or source.startswith("## Exercises")
    return (OPENS if kind == "markdown" and opens else kind), source


def _named(kind: str, source: str) -> str:
    """Return the exercise whose check a cell calls, the last if there are several, or ""."""
    lines = (line.partition("#")[0] for line in source.splitlines()) if kind == "code" else ()
    names = [name for line in lines for name in CALL.findall(line) if name in CHECKS]
    return names[-1] if names else ""


def _number(name: str) -> str:
    """Return an exercise's number, "4.3", from its chapter and its place there."""
    module = CHECKS[name].__module__
    chapter = [other for other, check in CHECKS.items() if check.__module__ == module]
    return f"{module.rpartition('chapter')[2]}.{chapter.index(name) + 1}"


def _outcomes(before: Sequence[str], steps: Sequence[Step], seconds: float) -> list[Outcome]:
    """Return one outcome for each exercise; of one that is there twice, that of its last check."""
    said: dict[int, dict[str, Any]] = {}
    left_out: set[int] = set()  # they did not end, or ended the process
    while len(said) < len(steps):
        job = {
            "before": list(before),
            "steps": [asdict(step) for step in steps],
            "left_out": sorted(left_out),
        }
        at = -1
        with _worker(job) as worker:
            lost = worker.next(STARTING)
            while isinstance(lost, dict):  # ready, or what one exercise came to
                if at >= 0:
                    said.setdefault(at, lost)
                at = next((i for i in range(at + 1, len(steps)) if i not in left_out), len(steps))
                lost = worker.next(seconds) if at < len(steps) else ""
        if at < 0 and before:
            before = []  # a definition ends the process: without them, then
        elif at < len(steps):
            told = lost or _("Not finished after {seconds:g} s.", seconds=seconds)
            for i in [at] if at >= 0 else range(len(steps)):
                left_out.add(i)
                said.setdefault(i, {"tried": True, "passed": False, "message": told})
    by_name = {step.name: said[i] for i, step in enumerate(steps)}
    return [
        Outcome(
            exercise=_number(name),
            name=name,
            tried=found.get("tried") is True,
            passed=found.get("passed") is True,
            message=_plain(str(found.get("message"))),
        )
        for name, found in by_name.items()
    ]


def _plain(message: str) -> str:
    """Return a message without what a terminal or a file would trip over, and not endless."""
    return "".join(c if c.isprintable() else " " for c in message[:2000]).strip()


class _Worker:
    """The process that runs the cells, and what it says, line by line."""

    def __init__(self, job: Mapping[str, Any], folder: str) -> None:
        self.lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        own = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "IPYTHONDIR": folder}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "resnet.check.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            cwd=folder, env={**os.environ, "MPLBACKEND": "Agg", **own},
            start_new_session=True,
        )  # fmt: skip
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        with contextlib.suppress(OSError):  # it ended at once: `next` tells
            assert self.process.stdin is not None
            self.process.stdin.write(json.dumps(job).encode())
            self.process.stdin.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(b"")  # the end

    def next(self, seconds: float) -> dict[str, Any] | str:
        """Return what comes next; how the process ended if it did, "" if nothing came in time."""
        try:
            line = self.lines.get(timeout=seconds)
        except queue.Empty:
            return ""
        try:
            said = json.loads(line)
        except ValueError:
            said = None
        if isinstance(said, dict):
            return said
        return _("The code ended the process.")

    def end(self) -> None:
        """End the process, and on POSIX all that it started."""
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self.reader.join(10)  # until the pipe's other end is closed
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextlib.contextmanager
def _worker(job: Mapping[str, Any]) -> Iterator[_Worker]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        worker = _Worker(job, folder)
        try:
            yield worker
        finally:
            worker.end()
