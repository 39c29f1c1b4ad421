"""The process behind `resnet.check.report`: runs a notebook's cells and says what checks say.

It reads one job from its standard input, and writes one line of JSON when it is ready and one after
each exercise. What the cells print goes nowhere.
"""

import ast
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from resnet.check.feedback import TRIED
from resnet.translation import _

DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Shell(InteractiveShell):
    """As in a notebook; there is no window to draw in, and `%matplotlib` need not fail."""

    def enable_gui(self, gui: str | None = None) -> None:
        """Do nothing."""


def main() -> None:
    """Do the job."""
    job = json.load(sys.stdin)
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    shell = Shell.instance(config=Config(HistoryManager={"enabled": False}))
    shell.run_cell("import resnet")  # as the set-up cell, which is not run, does
    for source in _definitions(shell, job["before"]):
        shell.run_cell(source)
    _say(channel, ready=True)
    for i, step in enumerate(job["steps"]):
        if i not in job["left_out"]:
            _say(channel, **_judged(shell, step["name"], step["cells"]))


def _say(channel: TextIO, **what: object) -> None:
    channel.write(json.dumps(what) + "\n")
    channel.flush()


def _definitions(shell: InteractiveShell, sources: Sequence[str]) -> Iterator[str]:
    """Yield the imports, functions and classes of cells that are not run."""
    for source in sources:
        try:
            tree = ast.parse(shell.transform_cell(source))
        except SyntaxError:
            continue
        yield from (ast.unparse(node) for node in tree.body if isinstance(node, DEFINITIONS))


def _judged(shell: InteractiveShell, name: str, cells: Sequence[str]) -> dict[str, Any]:
    """Run an exercise's cells; what its check said, or why it said nothing."""
    TRIED.pop(name, None)
    raised = ""
    for source in cells:
        result = shell.run_cell(source)
        if error := result.error_before_exec or result.error_in_exec:
            raised = raised or f"{type(error).__name__}: {error}"
    told = [_("A cell raised {error}", error=raised)] if raised else []
    if not (found := TRIED.get(name)):
        told = told or [_("The check was not run.")]
        return {"tried": True, "passed": False, "message": told[0]}
    last = found[-1]
    if last.right:
        told = []
    message = " ".join([*last.says, *told])
    return {"tried": last.tried or bool(raised), "passed": last.right, "message": message}


if __name__ == "__main__":
    main()
