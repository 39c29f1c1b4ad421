"""The committed chapters: their form, and the proof that nbval compares what they record."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_output
from toybook import chapter, figure_cell, missing, shape_cell

from tools.build import config, execute, exercises, notebooks
from tools.build.pictures import TABLE
from tools.common import BUILD, ROOT, version

CHAPTERS = config.notebooks()
SETUP = notebooks.setup_cell(config.address(config.read_yaml(config.CONFIG)), version())
UNSET = notebooks.setup_cell("", "0.1.0")


def checked(notebook: nbformat.NotebookNode) -> list[int]:
    cells = enumerate(notebook.cells)
    return [i for i, cell in cells if notebooks.CHECKED in notebooks.tags(cell)]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapter_has_the_committed_form(path: Path) -> None:
    found = notebooks.complaints(notebooks.read(path), SETUP)
    assert not found, f"{path.name}: {'; '.join(found)}. `make record` mends most of this."


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapter_records_something_to_compare(path: Path) -> None:
    assert checked(notebooks.read(path)), f"{path.name} has no cell tagged {notebooks.CHECKED}"


def test_no_record_is_read_as_markup() -> None:
    """Tables and prints show it as it is; the one `Markdown` has words of the book's own."""
    found = [
        (path.stem, cell.source)
        for path in CHAPTERS
        for cell in notebooks.read(path).cells
        if cell.cell_type == "code" and re.search(r"\b(Markdown|HTML)\(", cell.source)
    ]
    assert [stem for stem, _ in found] == ["03-resnet-18"]
    assert set(re.findall(r"\{(.*?)\}", found[0][1])) == {"d2l_numbers.note"}


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_prose_cites_every_figure_and_every_numbered_equation(path: Path) -> None:
    cells = notebooks.read(path).cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    names = [cell.metadata.get("mystnb", {}).get("figure", {}).get("name") for cell in cells]
    cited = set(re.findall(r"\{numref\}`((?:fig|tab)-[^`]+)`", prose))
    figures = {name for name in names if name and not name.startswith(TABLE)}
    assert figures <= cited <= set(names)
    equations = set(re.findall(r"^\$\$ \((eq-[^)]+)\)", prose, re.MULTILINE))
    captions = json.dumps([cell.metadata for cell in cells])
    assert equations == set(re.findall(r"\{eq\}`([^`]+)`", prose + captions))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_what_nbval_leaves_out_ran_in_the_book(path: Path) -> None:
    """The executed copy is of this very state of the sources, and no cell of it is left out."""
    notebook = exercises.for_page(path)
    copies = [BUILD / "executed" / profile / path.name for profile in execute.PROFILES]
    wanted = {
        copy: execute.digest(notebook, execute.dependencies(copy.parent.name)) for copy in copies
    }
    current = next((copy for copy in copies if execute.is_current(copy, wanted[copy])), None)
    if current is None:
        missing(f"{path.stem} as it is now has not been executed (`make book` does it)")
    ran = {cell.id: cell for cell in nbformat.read(current, as_version=4).cells}
    left_out = [cell for cell in notebook.cells if notebooks.SKIPPED in notebooks.tags(cell)]
    assert all(ran[cell.id].execution_count for cell in left_out)


def nbval(notebook: nbformat.NotebookNode, folder: Path) -> subprocess.CompletedProcess[str]:
    """nbval alone over one notebook, outside this repository's settings."""
    nbformat.write(notebook, folder / "copy.ipynb")
    (folder / "pytest.ini").write_text("[pytest]\n")
    options = ["--nbval-lax", "--nbval-current-env", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *options, "copy.ipynb"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


def test_nbval_sees_one_changed_digit(tmp_path: Path) -> None:
    """A real chapter up to its first recorded shape, as it is green under nbval above: red."""
    path = next((path for path in CHAPTERS if path.stem.startswith("02")), CHAPTERS[0])
    notebook = notebooks.read(path)
    first = checked(notebook)[0]
    notebook.cells = notebook.cells[: first + 1]
    output = notebook.cells[first].outputs[0]
    holder, key = (output.data, "text/plain") if "data" in output else (output, "text")
    text = re.sub(r"\d", lambda digit: str((int(digit[0]) + 1) % 10), holder[key], count=1)
    assert text != holder[key], f"{path.name}: its first recorded output holds no digit"
    holder[key] = text
    done = nbval(notebook, tmp_path)
    code = sum(cell.cell_type == "code" for cell in notebook.cells)
    assert done.returncode == 1, done.stdout
    assert f"1 failed, {code - 1} passed" in done.stdout, done.stdout


def test_nbval_passes_a_stripped_cell_which_complaints_catch(tmp_path: Path) -> None:
    """Why `complaints` exists: nbval compares nothing where nothing is recorded."""
    stripped = shape_cell()
    stripped.outputs, stripped.execution_count = [], None
    stripped.source = "1 + 1"
    assert nbval(nbformat.v4.new_notebook(cells=[stripped]), tmp_path).returncode == 0
    assert "cell 4 is tagged" in "; ".join(notebooks.complaints(chapter(stripped), UNSET))


def test_complaints() -> None:
    def said(notebook: nbformat.NotebookNode) -> str:
        return "; ".join(notebooks.complaints(notebook, UNSET))

    good = chapter(shape_cell(), figure_cell())
    assert said(good) == ""

    stripped = copy.deepcopy(good)
    stripped.cells[3].outputs = []
    assert said(stripped) == "cell 4 is tagged `nbval-check-output` but has no recorded output"

    kept = copy.deepcopy(good)
    kept.cells[4].outputs = [new_output("stream", name="stdout", text="1")]
    assert "cell 5 is not tagged" in said(kept)
    kept.cells[4].outputs, kept.cells[4].execution_count = [], 4
    assert "cell 5 is not tagged" in said(kept)

    other = copy.deepcopy(good)
    other.cells[1].source += "\n"
    assert "differs from the template" in said(other)
    del other.cells[1]
    assert "first code cell is not tagged `setup`" in said(other)

    both = copy.deepcopy(good)
    both.cells[3].metadata["tags"].append(notebooks.SKIPPED)
    assert said(both) == "cell 4 is tagged both `nbval-check-output` and `nbval-skip`"

    no_profile = copy.deepcopy(good)
    no_profile.cells[2].source = "epochs = 1"
    assert "does not define `profile`" in said(no_profile)
    del no_profile.cells[2]
    assert "no code cell is tagged `parameters`" in said(no_profile)

    early = copy.deepcopy(good)
    early.cells.insert(1, early.cells.pop(2))
    assert "before the set-up cell" in said(early)

    noisy = copy.deepcopy(good)
    noisy.metadata["language_info"]["version"] = "3.11.7"
    noisy.cells[4].metadata["collapsed"] = True
    assert "metadata are not" in said(noisy) and "keeps metadata other than" in said(noisy)


def test_notebooks_without_ids_are_refused(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[new_code_cell("1")])
    notebook.nbformat_minor = 4
    del notebook.cells[0]["id"]
    path = tmp_path / "old.ipynb"
    nbformat.write(notebook, path)
    with pytest.raises(notebooks.BookError, match="no cell ids"):
        notebooks.read(path)
    path.write_text("{")
    with pytest.raises(notebooks.BookError, match=r"old\.ipynb is not a valid notebook"):
        notebooks.read(path)


def test_setup_cell_does_nothing_here_and_says_what_to_do_elsewhere() -> None:
    exec(UNSET, {})  # `resnet` is installed: nothing happens
    blocked = "import sys\nsys.modules['resnet'] = None\n"  # as if it were not
    done = subprocess.run([sys.executable, "-c", blocked + UNSET], capture_output=True, text=True)
    assert done.returncode == 1 and "make setup" in done.stderr
    # the other way out is complete: d2l, and all that it and the module import beyond torch's
    first, second = (line for line in done.stderr.splitlines() if line.startswith("pip install"))
    assert first.split()[2:] == ["--no-deps", "FOLDER_OF_THE_BOOK", notebooks.d2l_requirement()]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {re.split("[<>=]", line)[0] for line in project["dependencies"]}
    assert needed - {"torch", "torchvision", "numpy", "filelock"} < set(second.split()[2:])
    code = "import sys; from d2l import torch; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    extra = {"pandas", "requests", "scipy"}
    assert extra <= set(loaded.split()) and extra <= set(second.split())


def test_setup_cell_installs_the_books_version_without_dependencies() -> None:
    source = notebooks.setup_cell("https://example.org/book", "1.2.3")
    stub = (
        "import subprocess, sys, types\n"
        "sys.modules['resnet'] = None\n"
        "def run(command, check):\n"
        "    print(*command[1:])\n"
        "    sys.modules['resnet'] = types.ModuleType('resnet')\n"
        "subprocess.run = run\n"
    )
    done = subprocess.run([sys.executable, "-c", stub + source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.endswith("--no-deps resnet-book @ git+https://example.org/book@v1.2.3")
    assert second.endswith(f"--no-deps {notebooks.d2l_requirement()}")
