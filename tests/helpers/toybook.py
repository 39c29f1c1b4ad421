"""A toy book, small enough to build in seconds, and ways to run its commands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.build import notebooks

ROOT = Path(__file__).resolve().parents[2]
IN_CI = bool(os.environ.get("CI"))

FIGURE = """\
from IPython.display import HTML
HTML('<svg role="img" aria-label="A line that rises." width="60" height="30" viewBox="0 0 60 30">'
     '<path d="M0 30L60 0" stroke="currentColor"/></svg>')"""
FIGURE_METADATA = {"mystnb": {"figure": {"caption": "A line.", "name": "fig-line"}}}
MODULE = '''"""Stands for the real module, without torch."""
def machine(device):
    return {"device": "a toy", "python": "3", "torch": "none"}


def pick_device():
    return "cpu"
'''


def missing(what: str) -> NoReturn:
    """Skip where something is not there; in CI that is a failure."""
    if IN_CI:
        pytest.fail(f"{what}, and CI is set")
    pytest.skip(what)


def chapter(*cells: nbformat.NotebookNode, title: str = "First") -> nbformat.NotebookNode:
    """A chapter in the committed form: heading, set-up, parameters, then `cells`."""
    start = [
        new_markdown_cell(f"# {title}"),
        new_code_cell(notebooks.setup_cell("", "0.1.0"), metadata={"tags": notebooks.SETUP_TAGS}),
        new_code_cell('profile = "quick"', metadata={"tags": [notebooks.PARAMETERS]}),
    ]
    return new_notebook(cells=[*start, *cells], metadata=notebooks.METADATA)


def shape_cell(source: str = "(4, 3 * profile.count('q'), 6, 6)") -> nbformat.NotebookNode:
    """A cell whose output is recorded and compared."""
    result = nbformat.v4.new_output(
        "execute_result", {"text/plain": "(4, 3, 6, 6)"}, execution_count=3
    )
    tagged = {"tags": [notebooks.CHECKED]}
    return new_code_cell(source, metadata=tagged, outputs=[result], execution_count=3)


def figure_cell(source: str = FIGURE, **metadata: object) -> nbformat.NotebookNode:
    return new_code_cell(source, metadata=metadata or FIGURE_METADATA)


def make_toy(folder: Path, **chapters: nbformat.NotebookNode) -> Path:
    """A whole book in `folder`: the real tools and configuration, a root page and `chapters`."""
    for name in ("tools", "_static", "_config.yml", "requirements.txt", "requirements-d2l.txt"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT"):  # of the wheel
        shutil.copy(ROOT / name, folder)
    for name in ("chapters", "results", "resnet", "resnet/training"):
        (folder / name).mkdir()
    (folder / "resnet" / "__init__.py").write_text("")
    for name in ("files.py", "training/origin.py"):
        shutil.copy(ROOT / "resnet" / name, folder / "resnet" / name)
    (folder / "resnet" / "training" / "devices.py").write_text(MODULE)
    (folder / "chapters" / "references.bib").write_text("")
    (folder / "chapters" / "intro.md").write_text("# Toy\n\nSee {numref}`fig-line`.\n")
    toc = ["format: jb-book", "root: chapters/intro", "chapters:"]
    for name, notebook in chapters.items():
        notebooks.write(notebook, folder / "chapters" / f"{name}.ipynb")
        toc.append(f"  - file: chapters/{name}")
    (folder / "_toc.yml").write_text("\n".join(toc) + "\n")
    return folder


def book_environment(folder: Path) -> dict[str, str]:
    """The toy's own `resnet`, in the kernels as well."""
    kept = {key: value for key, value in os.environ.items() if key != "RESNET_PROFILE"}
    before = [path] if (path := os.environ.get("PYTHONPATH")) else []
    return {**kept, "PYTHONPATH": os.pathsep.join([str(folder), *before])}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tools.book", *arguments]


def _offline() -> list[str]:
    """What to put before a command to take the network away from it, if that is possible here."""
    prefix = [
        "unshare",
        "--map-root-user",
        "--net",
        "sh",
        "-c",
        'ip link set lo up && exec "$0" "$@"',
    ]
    tried = shutil.which("unshare") and subprocess.run([*prefix, "true"], capture_output=True)
    return prefix if tried and tried.returncode == 0 else []


OFFLINE = _offline()


def run_book(
    folder: Path, *arguments: str, alone: bool = False
) -> subprocess.CompletedProcess[str]:
    """One command of the toy book, ended; `alone`, without a git and if possible a network."""
    environment = book_environment(folder)
    if alone:
        empty = folder.parent / "no git"
        empty.mkdir()
        for name in ("sh", "ip", "unshare"):
            if found := shutil.which(name):
                (empty / name).symlink_to(found)
        environment["PATH"] = str(empty)
    return subprocess.run(
        [*(OFFLINE if alone else ()), *command(*arguments)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
    )
