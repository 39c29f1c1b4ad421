"""Run a chapter with papermill and make the executed copy that the site shows."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from typing import Any, TypeVar

import nbformat
import psutil
from nbclient.exceptions import CellTimeoutError
from nbformat import NotebookNode

from ..common import (
    BUILD,
    RESULTS,
    ROOT,
    BookError,
    commit,
    digest_of,
    digest_of_files,
    files_under,
)
from . import notebooks, pictures

# seconds that one cell may take
PROFILES = {"quick": 300, "full": 3600}
DIGEST = "resnet_book"
SOURCE_LINES = 8
TRACEBACK_LINES = 12
T = TypeVar("T")


def dependencies(profile: str) -> str:
    """Return a digest of everything but its own source that a chapter's outputs depend on."""
    watched = [path for name in ("resnet", "results") for path in files_under(ROOT / name)]
    unread = {RESULTS / "bench-book.json", RESULTS / "mutants.json"}  # by any chapter
    watched = [path for path in watched if path not in unread]
    watched += [ROOT / "requirements.txt", ROOT / "requirements-d2l.txt", Path(__file__)]
    return digest_of([profile, digest_of_files(path for path in watched if path.is_file())])


def digest(notebook: NotebookNode, others: str) -> str:
    """Say what an executed copy was made from; recorded outputs do not count."""
    cells = [[cell.id, cell.cell_type, cell.source, cell.metadata] for cell in notebook.cells]
    return digest_of([others, json.dumps(cells, sort_keys=True)])


def is_current(copy: Path, wanted: str) -> bool:
    """Say whether `copy` was made from exactly what `wanted` stands for."""
    try:
        return bool(nbformat.read(copy, as_version=4).metadata[DIGEST]["digest"] == wanted)
    except Exception:  # absent, unreadable or from another version: make it again
        return False


def all_of(work: Callable[[Any], T], items: Sequence[Any], jobs: int) -> Iterator[T]:
    """Yield `work(item)` as they end, `jobs` at a time, each in a process of its own.

    Processes, because papermill changes the working folder of the one it runs in. The first failure
    ends the others, kernels included, and so does Ctrl-C.
    """
    workers = max(1, min(jobs, len(items)))
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_end_with_parent)
    futures = [pool.submit(work, item) for item in items]
    try:
        for future in as_completed(futures):
            yield future.result()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        _kill([worker.pid for worker in active_children() if worker.pid])
        raise
    finally:
        pool.shutdown()
        for folder in BUILD.glob("run-*"):  # of those that were killed
            shutil.rmtree(folder, ignore_errors=True)


def _end_with_parent() -> None:
    """Let this worker and its kernel end when the build is gone without a word, as by `kill -9`."""
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            _kill([os.getpid()])

    threading.Thread(target=watch, daemon=True).start()


def _kill(workers: Sequence[int]) -> None:
    """End processes and all they started; found first, since a pool ends what is left by itself."""
    found = []
    for pid in workers:
        with suppress(psutil.NoSuchProcess):
            worker = psutil.Process(pid)
            found += [*worker.children(recursive=True), worker]
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def run(
    notebook: NotebookNode, name: str, *, parameters: dict[str, str], cell_seconds: int
) -> NotebookNode:
    """Execute a notebook in an empty folder; the copy, or a BookError naming the failing cell."""
    import papermill  # slow to import, and not needed when every chapter is up to date

    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # _failure tells it
    # else each kernel warns of its debugger
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    with tempfile.TemporaryDirectory(dir=BUILD, prefix="run-") as folder:
        output = Path(folder) / f"{name}.ipynb"
        scratch = Path(folder) / "empty"
        scratch.mkdir()
        try:
            papermill.execute_notebook(
                notebook,
                str(output),
                parameters=parameters,
                kernel_name="python3",
                language="python",
                cwd=str(scratch),
                progress_bar=False,
                execution_timeout=cell_seconds,
                # the kernel's own log is about sockets, not about the book
                extra_arguments=["--IPKernelApp.log_level=50"],
            )
        except Exception as error:
            # papermill's own, as of a full disk: `output` may be half a notebook
            if isinstance(error, OSError) and not isinstance(error, CellTimeoutError):
                raise
            raise BookError(_failure(notebook, name, output, error, cell_seconds)) from error
        return nbformat.read(output, as_version=4)


def _failure(
    source: NotebookNode, name: str, output: Path, error: Exception, cell_seconds: int
) -> str:
    """Say what went wrong, where, and in which lines."""
    kind = getattr(error, "ename", type(error).__name__)
    told = {
        "DeadKernelError": "the kernel died (out of memory, or the process ended itself)",
        "CellTimeoutError": f"not finished within {cell_seconds} s (--cell-timeout sets the limit)",
    }
    lines = [f"{name} failed: {kind}: {told.get(kind) or getattr(error, 'evalue', error)}"]
    if (at := _last_started(source, output)) is not None:
        shown = source.cells[at].source.splitlines()
        lines += [f"  in cell {at + 1} of {len(source.cells)}, which starts:"]
        lines += [f"    | {line}" for line in shown[:SOURCE_LINES]]
        lines += ["    | …"] if len(shown) > SOURCE_LINES else []
    trace = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(getattr(error, "traceback", []))).splitlines()
    if trace:
        lines += ["  its traceback ends:", *(f"    {line}" for line in trace[-TRACEBACK_LINES:])]
    return "\n".join(lines)


def _last_started(source: NotebookNode, output: Path) -> int | None:
    """Return the index of the code cell that ran last; papermill calls even that one completed."""
    if not output.exists():
        return None
    cells = nbformat.read(output, as_version=4).cells
    started = {cell.id for cell in cells if cell.metadata.get("papermill", {}).get("start_time")}
    running = (i for i, cell in enumerate(source.cells) if cell.id in started)
    return max((i for i in running if source.cells[i].cell_type == "code"), default=None)


def warnings_of(executed: NotebookNode) -> list[str]:
    """Return the warnings that the cells wrote to stderr, which the pages do not show."""
    streams = [
        out
        for cell in executed.cells
        for out in cell.get("outputs", [])
        if out.get("name") == "stderr"
    ]
    lines = [line for out in streams for line in out.text.splitlines()]
    return [line.strip() for line in lines if re.search(r"\w(Warning|Error)\b", line)]


@dataclass(frozen=True)
class Task:
    """A chapter to execute, where its page goes, and under what circumstances."""

    notebook: NotebookNode
    copy: Path
    wanted: str  # the digest
    profile: str
    cell_seconds: int
    jobs: int  # chapters at once

    @property
    def name(self) -> str:
        """The chapter's."""
        return self.copy.stem


def page(executed: NotebookNode, task: Task, seconds: float) -> NotebookNode:
    """Return the copy as the site shows it: its figures checked, papermill's traces hidden."""
    from resnet.training.devices import machine, pick_device

    pictures.require_alternatives(executed, task.name)
    for cell in executed.cells:
        cell.metadata.pop("papermill", None)
        if "injected-parameters" in notebooks.tags(cell):
            cell.metadata["tags"] = ["remove-cell"]
    made_on = machine(pick_device())
    closing_cell = nbformat.v4.new_markdown_cell(closing(task, seconds, made_on), id="how-made")
    executed.cells.append(closing_cell)
    facts = {"digest": task.wanted, "profile": task.profile, "seconds": seconds, "machine": made_on}
    executed.metadata = NotebookNode({**notebooks.METADATA, DIGEST: facts})
    return executed


def closing(task: Task, seconds: float, made_on: dict[str, str]) -> str:
    """Return the section under a chapter that says how its outputs came about."""
    facts = {key.replace("_", " "): _escaped(value) for key, value in made_on.items()}
    facts = {"profile": f"`{task.profile}`", **facts}
    facts |= {
        "commit": commit(),
        "executed on": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "time to run": f"{seconds:.0f} s, {beside(task.jobs)}",
    }
    lines = [f"- {key[:1].upper()}{key[1:]}: {value}" for key, value in facts.items()]
    return "\n".join(
        ["## How this page was made", "", "Every output above came out of one run.", "", *lines]
    )


def _escaped(text: str) -> str:
    """Return a text as Markdown: it takes a backslash before any ASCII punctuation."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def beside(jobs: int) -> str:
    """Say what else kept the machine busy."""
    return "alone" if jobs == 1 else f"up to {jobs} chapters at once"


def execute(task: Task) -> tuple[Task, float, list[str]]:
    """Execute a chapter and put its page in place; the seconds it took and what it warned of."""
    if problem := notebooks.parameter_complaint(task.notebook):
        raise BookError(f"{task.name}: {problem}.")
    start = time.perf_counter()
    parameters = {"profile": task.profile}
    executed = run(task.notebook, task.name, parameters=parameters, cell_seconds=task.cell_seconds)
    seconds = time.perf_counter() - start
    warned = warnings_of(executed)
    notebooks.write(page(executed, task, seconds), task.copy)
    return task, seconds, warned
