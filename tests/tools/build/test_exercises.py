"""The exercises' sources, and what is made from them: notebook, page, lists."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from nbformat.v4 import new_markdown_cell
from toybook import ROOT, chapter, run_book, shape_cell

from tools.build import bundle, exercises, notebooks
from tools.common import CHAPTERS, BookError

EVERY = exercises.every()
COMMITTED = notebooks.read(CHAPTERS / f"{exercises.NAME}.ipynb")
CHAPTERS_WITH_LIST = sorted({exercise.chapter for exercise in EVERY})


def test_the_set_is_whole() -> None:
    assert len(EVERY) >= 20
    assert {exercise.level for exercise in EVERY} == set(exercises.LEVELS)
    assert CHAPTERS_WITH_LIST == ["01", "02", "03", "04", "05", "06", "07"]
    assert len({exercise.slug for exercise in EVERY}) == len(EVERY)


@pytest.mark.parametrize("exercise", EVERY, ids=lambda exercise: exercise.slug)
def test_each_has_what_a_reader_needs(exercise: exercises.Exercise) -> None:
    assert "*Why it matters.*" in exercise.statement
    assert len(exercise.hints) >= 2 and all(len(hint) > 30 for hint in exercise.hints)
    assert len(exercise.explanation) > 200
    assert exercise.solution not in exercise.statement
    assert not any(exercise.solution in hint for hint in exercise.hints)
    assert re.search(r"NotImplementedError|\.\.\.|= \[\]", exercise.starter)
    # a line that happens to start with "1." would make a list of what follows
    words = "\n\n".join([exercise.statement, *exercise.hints, exercise.explanation])
    assert not re.search(r"^\d+[.)] ", words, re.MULTILINE)
    assert exercise.line.endswith(".") and len(exercise.line) < 120


def test_committed_notebook_is_what_the_sources_give() -> None:
    fresh = exercises.notebook(EVERY)
    for cell, want in zip(COMMITTED.cells, fresh.cells, strict=True):
        if cell.id != "setup":  # tests/site/test_chapters.py compares that one
            assert cell.source == want.source, f"{cell.id} is stale; `make record` rewrites it"
        assert (cell.id, cell.cell_type, cell.metadata) == (want.id, want.cell_type, want.metadata)


def test_committed_notebook_has_no_solution() -> None:
    whole = "\n".join(cell.source for cell in COMMITTED.cells)
    for exercise in EVERY:
        assert exercise.solution not in whole
        assert exercise.explanation not in whole
    assert "solution-start" not in whole


def test_recorded_verdicts_are_of_starters() -> None:
    """Every check cell records that nothing is written yet, and nbval compares it."""
    checks = [cell for cell in COMMITTED.cells if cell.id.endswith("-check")]
    assert len(checks) == len(EVERY)
    for cell in checks:
        assert notebooks.CHECKED in notebooks.tags(cell)
        assert "Nothing is written here yet" in cell.outputs[0].data["text/plain"], cell.id


def test_page_has_every_solution_behind_its_exercise() -> None:
    cells = exercises.notebook(EVERY, solutions=True).cells
    ids = [cell.id for cell in cells]
    for exercise in EVERY:
        at = ids.index(f"{exercise.slug}-hints")
        opens, solution, checked, explained, closes = cells[at + 1 : at + 6]
        asks = f"{exercise.slug}-offered" in ids
        assert asks is bool(exercise.offered)
        assert opens.source.startswith(f":::{{solution-start}} {exercise.label}\n:class: dropdown")
        assert (solution.source, checked.source) == (exercise.solution, exercise.check)
        assert explained.source == exercise.explanation
        assert closes.source.startswith(":::{solution-end}")


def test_page_offers_answers_under_the_statement() -> None:
    asking = next(exercise for exercise in EVERY if exercise.offered)
    name = f"{asking.slug}-offered"
    cells = exercises.notebook([asking], solutions=True).cells
    ids = [cell.id for cell in cells]
    assert ids.index(name) == ids.index(asking.slug) + 1
    cell = cells[ids.index(name)]
    check = asking.slug.replace("-", "_")
    assert cell.source.startswith(asking.offered)
    assert cell.source.endswith(f"resnet.check.Question(resnet.check.{check}, offered)")
    assert "remove-input" in notebooks.tags(cell)
    assert name not in [cell.id for cell in exercises.notebook([asking]).cells]


@pytest.mark.parametrize("number", CHAPTERS_WITH_LIST)
def test_chapters_list_their_exercises(number: str) -> None:
    (path,) = CHAPTERS.glob(f"{number}-*.ipynb")
    cells = notebooks.read(path).cells
    (listed,) = [cell for cell in cells if exercises.LISTED in notebooks.tags(cell)]
    assert listed is cells[-1]
    mine = [exercise for exercise in EVERY if exercise.chapter == number]
    assert listed.source == exercises.listing(mine), f"{path.name}: `make record` rewrites it"
    assert not any(":::{exercise}" in cell.source for cell in cells), "it would stand twice"


SOURCE = (exercises.FOLDER / "01-01-steps-nested.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("steps.py", lambda s: s, "its name is not CHAPTER-PLACE-slug.py"),
        ("01-01-a.py", lambda s: s.replace("# %% solution", "# solution"), "one cell each of"),
        ("01-01-a.py", lambda s: s + "\n# %% solution\n1\n", "one cell each of"),
        ("01-01-a.py", lambda s: s + "\n# %% extra\n1\n", "extra"),
        ("01-01-a.py", lambda s: s + "\n# %% offered\n1\n" * 2, "offered"),
        ("01-01-a.py", lambda s: s.replace("level: warm-up", "level: easy"), "`level:`"),
        ("01-01-a.py", lambda s: s.replace("line: ", "about: "), "`line:`"),
        ("01-01-a.py", lambda s: s.replace("import resnet", "import"), "no Python"),
    ],
)
def test_bad_sources_are_named(
    name: str, change: Callable[[str], str], told: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(change(SOURCE), encoding="utf-8")
    with pytest.raises(BookError, match=rf"exercises/{re.escape(name)}: .*{re.escape(told)}"):
        exercises.read(path)


TOY_CHECK = '''
"""Stands for the checks of the real module."""
def steps_nested(answer):
    try:
        print("right" if answer(1, 2) else "wrong")
    except NotImplementedError:
        print("Nothing is written here yet")
class Tried:
    def _repr_html_(self):
        return "<table><tr><th>tried</th></tr></table>"
def summary():
    return Tried()
'''


def test_toy_book_with_an_exercise(toy: Callable[..., Path]) -> None:
    """The page has the executed solution behind a dropdown, the readers' notebook nothing of it."""
    first = chapter(shape_cell(), title="Classes")
    first.cells.append(new_markdown_cell("", metadata={"tags": [exercises.LISTED]}))
    folder = toy(**{"01-one": first, exercises.NAME: chapter(shape_cell())})
    (folder / "exercises").mkdir()
    for name in ("01-01-steps-nested.py", "introduction.md"):
        shutil.copy(ROOT / "exercises" / name, folder / "exercises")
    (folder / "resnet" / "__init__.py").write_text("from resnet import check\n")
    (folder / "resnet" / "check.py").write_text(TOY_CHECK)
    (folder / "chapters" / "intro.md").write_text("# Toy\n\nSee {numref}`ex-steps-nested`.\n")
    done = run_book(folder, "record")
    assert done.returncode == 0, done.stderr
    recorded = (folder / "chapters" / f"{exercises.NAME}.ipynb").read_text()
    assert "Nothing is written here yet" in recorded and "b % a" not in recorded
    assert "ex-steps-nested" in (folder / "chapters" / "01-one.ipynb").read_text()

    done = run_book(folder, "build")
    assert done.returncode == 0, done.stdout + done.stderr
    page = (folder / "_build" / "html" / "chapters" / f"{exercises.NAME}.html").read_text()
    download = folder / "_build" / "html" / bundle.FOLDER / f"{exercises.NAME}.ipynb"
    cells = {cell.id: cell for cell in notebooks.read(download).cells}
    assert "### Exercise 1: Which classes contain which?" in cells["steps-nested"].source
    assert "Nothing is written here yet" in cells["steps-nested-check"].outputs[0].text
    assert "<summary>Hint 1</summary>" in cells["steps-nested-hints"].source
    assert not any("b % a" in cell.source or "explained" in cell.id for cell in cells.values())
    assert not cells["summary"].outputs, "the table of what the page's run tried"
    solution = page[page.index('class="solution dropdown admonition"') :]
    assert "right" in re.sub(r"<[^>]+>", "", solution)
    assert "<summary>Hint 1</summary>" in page and "<th>tried</th>" in page
    assert (folder / "chapters" / f"{exercises.NAME}.ipynb").read_text() == recorded
