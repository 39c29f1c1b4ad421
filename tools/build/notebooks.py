"""The committed form of a chapter: its set-up cell, what it may hold, and how it is recorded.

A committed notebook keeps outputs only in cells tagged `nbval-check-output`, which nbval compares.
nbval passes a tagged cell with nothing recorded in silence: hence `complaints`. A cell that trains
or only shows what was trained is tagged `nbval-skip`: it has nothing to compare and runs once, when
the book is built.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from ..common import ROOT, BookError, write_whole

CHECKED = "nbval-check-output"
SKIPPED = "nbval-skip"
PARAMETERS = "parameters"
OWN = "own-answers"  # the output depends on what the reader wrote: none is handed out
SETUP = "setup"
EXERCISES = "exercises"  # of the cell behind which a chapter has them; see `exercises`
SETUP_TAGS = [SETUP, "hide-input"]
KEPT_METADATA = ("tags", "mystnb")
METADATA: dict[str, Any] = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

_SETUP = """\
# Does nothing where the book's module is installed{otherwise}.
try:
    import resnet
"""
_SETUP_UNSET = """\
except ImportError as error:
    raise ImportError(
        "This notebook needs the book's module `resnet`. Get the book's repository, run "
        "`make setup` in it and open the notebook with the Python of its .venv. Or run these two "
        "commands in a Jupyter environment that has torch and torchvision. If you have "
        "notebooks.zip, its wheel, the file .whl beside this notebook, stands for the folder:\\n"
        "pip install --no-deps FOLDER_OF_THE_BOOK {d2l}\\n"
        "pip install {others}"
    ) from error"""
_SETUP_SET = """\
except ImportError:
    import importlib
    import subprocess
    import sys

    for package in ("resnet-book @ git+{address}@v{version}", "{d2l}"):
        # --no-deps: torch and numpy stay as they are, and d2l's old pins are ignored
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", package]
        subprocess.run(command, check=True)
    importlib.invalidate_caches()
    import resnet"""


# What the module and d2l import beyond torch, torchvision, numpy and what Jupyter's kernel brings.
OTHERS = "h5py matplotlib pandas requests safetensors scikit-learn scipy tqdm"


def d2l_requirement() -> str:
    """Return the one line of requirements-d2l.txt that names d2l and its version."""
    lines = (ROOT / "requirements-d2l.txt").read_text(encoding="utf-8").splitlines()
    return next(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def setup_cell(address: str, version: str) -> str:
    """Return the source of every chapter's first code cell.

    With an address it installs the module at the book's version where it is missing (Colab, a page
    somebody downloaded); without one it can only say what to do.
    """
    if not address:
        return _SETUP.format(otherwise="") + _SETUP_UNSET.format(
            d2l=d2l_requirement(), others=OTHERS
        )
    otherwise = "; installs it elsewhere (Colab)"
    rest = _SETUP_SET.format(address=address, version=version, d2l=d2l_requirement())
    return _SETUP.format(otherwise=otherwise) + rest


def tags(cell: NotebookNode) -> list[str]:
    """Return a cell's tags."""
    return list(cell.metadata.get("tags", []))


def read(path: Path) -> NotebookNode:
    """Return a notebook, valid and with cell ids; BookError says what is wrong with it."""
    try:
        notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
        nbformat.validate(notebook)
    except Exception as error:  # nbformat raises half a dozen kinds
        raise BookError(
            f"{path.name} is not a valid notebook: {str(error).splitlines()[0]}"
        ) from error
    if (notebook.nbformat, notebook.nbformat_minor) < (4, 5):
        raise BookError(
            f"{path.name} has notebook format {notebook.nbformat}.{notebook.nbformat_minor}, "
            "which has no cell ids. Save it with a current Jupyter (format 4.5)."
        )
    return notebook


def _first(notebook: NotebookNode, tag: str) -> int | None:
    """Return the index of the first code cell that carries `tag`."""
    cells = enumerate(notebook.cells)
    return next((i for i, cell in cells if cell.cell_type == "code" and tag in tags(cell)), None)


def parameter_complaint(notebook: NotebookNode) -> str | None:
    """Say why `profile` could not be passed to this notebook (papermill itself would only warn)."""
    at = _first(notebook, PARAMETERS)
    if at is None:
        return f'no code cell is tagged `{PARAMETERS}`; add one that says profile = "quick"'
    if not re.search(r"^profile\s*=", notebook.cells[at].source, flags=re.MULTILINE):
        return f"cell {at + 1} is tagged `{PARAMETERS}` but does not define `profile`"
    return None


def complaints(notebook: NotebookNode, setup_source: str) -> list[str]:
    """Say what keeps a notebook from being committed as it is; cells are counted from 1."""
    found = []
    first = next((i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"), None)
    setup = _first(notebook, SETUP)
    if setup is None or setup != first:
        found.append(f"the first code cell is not tagged `{SETUP}`")
    elif notebook.cells[setup].source != setup_source or tags(notebook.cells[setup]) != SETUP_TAGS:
        found.append("the set-up cell differs from the template in tools/build/notebooks.py")
    if problem := parameter_complaint(notebook):
        found.append(problem)
    elif setup is not None and (_first(notebook, PARAMETERS) or 0) < setup:
        found.append(f"the cell tagged `{PARAMETERS}` stands before the set-up cell")
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type != "code":
            continue
        if {CHECKED, SKIPPED} <= set(tags(cell)):
            found.append(f"cell {number} is tagged both `{CHECKED}` and `{SKIPPED}`")
        if CHECKED in tags(cell):
            if cell.execution_count is None or not cell.outputs:
                found.append(f"cell {number} is tagged `{CHECKED}` but has no recorded output")
        elif cell.execution_count is not None or cell.outputs:
            found.append(f"cell {number} is not tagged `{CHECKED}` but keeps an output or a count")
        if set(cell.metadata) - set(KEPT_METADATA):
            found.append(f"cell {number} keeps metadata other than {' and '.join(KEPT_METADATA)}")
    if dict(notebook.metadata) != METADATA:
        found.append("the notebook's metadata are not in the committed form")
    return found


def refresh_setup(notebook: NotebookNode, name: str, source: str) -> None:
    """Put the current template into the set-up cell; a notebook without one is a BookError."""
    at = _first(notebook, SETUP)
    if at is None:
        raise BookError(
            f"{name}: no code cell is tagged `{SETUP}`. Make the first code cell an empty one "
            f"with the tags {' and '.join(SETUP_TAGS)}; `make record` fills it."
        )
    notebook.cells[at].source = source
    notebook.cells[at].metadata["tags"] = list(SETUP_TAGS)


def recorded(notebook: NotebookNode, executed: NotebookNode, name: str) -> NotebookNode:
    """Return `notebook` in the committed form, with what `executed` gave for its checked cells."""
    results = {cell.id: cell for cell in executed.cells}
    count = 0
    for number, cell in enumerate(notebook.cells, start=1):
        cell.metadata = NotebookNode({k: v for k, v in cell.metadata.items() if k in KEPT_METADATA})
        if cell.cell_type != "code":
            continue
        count += 1
        cell.outputs, cell.execution_count = [], None
        if CHECKED in tags(cell):
            cell.outputs = _kept_outputs(results[cell.id].outputs, f"{name}, cell {number}", count)
            cell.execution_count = count
    notebook.metadata = NotebookNode(METADATA)
    return notebook


def _kept_outputs(outputs: list[NotebookNode], place: str, count: int) -> list[NotebookNode]:
    """Return the outputs to record: no stderr, which varies, no pictures, which nbval skips.

    What is printed arrives in pieces that depend on the clock; they are joined, as nbval does.
    """
    kept: list[NotebookNode] = []
    for out in outputs:
        if out.get("name") == "stderr":
            continue
        if kept and out.output_type == kept[-1].output_type == "stream":
            kept[-1].text += out.text
        else:
            kept.append(out)
    for out in kept:
        if any(
            kind.startswith("image/") or "<svg" in str(data)
            for kind, data in out.get("data", {}).items()
        ):
            raise BookError(
                f"{place}: tagged `{CHECKED}`, but its output is a picture. Take the tag off."
            )
        if "metadata" in out:
            out.metadata = NotebookNode()
        if "execution_count" in out:
            out.execution_count = count
    if not kept:
        raise BookError(
            f"{place}: tagged `{CHECKED}`, but it prints and returns nothing to compare."
        )
    return kept


def write(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook whole, in nbformat's own layout."""
    write_whole(path, nbformat.writes(notebook).rstrip("\n") + "\n")
