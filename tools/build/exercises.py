"""The exercises: one source each, from which the committed notebook, the page and the lists come.

A source is `exercises/CC-NN-slug.py`: CC is the chapter it belongs to, NN its place there, and the
slug, with underscores, the name of its check. It is a Python script in cells (jupytext's percent
format), with title, level and one line about it in its docstring.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import jupytext
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from ..common import CHAPTERS, ROOT, BookError
from . import notebooks

FOLDER = ROOT / "exercises"
NAME = "08-exercises"
INTRODUCTION = FOLDER / "introduction.md"
LEVELS = ("warm-up", "core", "research")
LISTED = "exercises"  # the tag of the cell that lists a chapter's exercises
ONCE = ("statement", "starter", "check", "solution", "explanation")
OFFERED = "offered"  # a cell that may be missing: answers that the page offers, the right one first
SUMMARY = {"caption": "The exercises that were tried in this kernel.", "name": "tab-summary"}
PARAMETERS = """\
import os

profile = os.environ.get(
    "RESNET_PROFILE", "quick"
)  # this chapter does the same under both"""


@dataclass(frozen=True)
class Exercise:
    """One exercise: what its file says."""

    chapter: str  # "04"
    slug: str
    title: str
    level: str
    line: str
    imports: tuple[str, ...]
    statement: str
    starter: str
    check: str
    hints: tuple[str, ...]
    solution: str
    explanation: str
    offered: str = ""

    @property
    def label(self) -> str:
        """What a reference to it says."""
        return f"ex-{self.slug}"


def read(path: Path) -> Exercise:
    """Read one source; a BookError names the file and what is wrong in it."""

    def wrong(what: str) -> BookError:
        return BookError(f"exercises/{path.name}: {what}")

    name = re.fullmatch(r"(\d\d)-\d\d-([a-z0-9-]+)", path.stem)
    if name is None:
        raise wrong("its name is not CHAPTER-PLACE-slug.py, as 04-03-bottleneck.py")
    head, *rest = jupytext.read(path, fmt="py:percent").cells
    try:
        tree = ast.parse(head.source)
    except SyntaxError as error:
        raise wrong(f"what stands before its first cell is no Python ({error})") from error
    title, _, facts = (ast.get_docstring(tree) or "").partition("\n\n")
    facts_by_name = dict(re.findall(r"^(\w+): (.+)$", facts, re.MULTILINE))
    cells = [(cell.metadata.get("title", ""), cell.source) for cell in rest]
    kinds = [kind for kind, _ in cells]
    once = sorted(kind for kind in kinds if kind != "hint")
    if once not in (sorted(ONCE), sorted([*ONCE, OFFERED])) or "hint" not in kinds:
        raise wrong(f"it needs one cell each of {', '.join(ONCE)}, and hints; it has {kinds}")
    if facts_by_name.get("level") not in LEVELS or not facts_by_name.get("line") or not title:
        raise wrong(f"its docstring needs a title, `level:` ({', '.join(LEVELS)}) and `line:`")
    part = {kind: body for kind, body in cells if kind != "hint"}
    return Exercise(
        chapter=name[1],
        slug=name[2],
        title=title,
        level=facts_by_name["level"],
        line=facts_by_name["line"],
        imports=tuple(
            ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)
        ),
        statement=part["statement"],
        starter=part["starter"],
        check=part["check"],
        hints=tuple(body for kind, body in cells if kind == "hint"),
        solution=part["solution"],
        explanation=part["explanation"],
        offered=part.get(OFFERED, ""),
    )


def every() -> list[Exercise]:
    """Return the exercises in the order of their files' names; none where there is no folder."""
    return [read(path) for path in sorted(FOLDER.glob("*.py"))]


def notebook(exercises: Iterable[Exercise], *, solutions: bool = False) -> NotebookNode:
    """Make the chapter: for the page with solutions, as it is committed without."""
    exercises = list(exercises)
    introduction, _, end = INTRODUCTION.read_text(encoding="utf-8").partition("\n---\n")
    cells = [
        _markdown(introduction, "start"),
        _code("", "setup", *notebooks.SETUP_TAGS),
        _code(PARAMETERS, "parameters", notebooks.PARAMETERS),
        _code(_imports(exercises), "imports"),
    ]
    titles = _chapter_titles()
    chapter = ""
    for exercise in exercises:
        if exercise.chapter != chapter:
            chapter = exercise.chapter
            page, title = titles[chapter]
            text = f"## Chapter {int(chapter)}: {title}\n\nThese belong to {{doc}}`{page}`."
            cells.append(_markdown(text, f"chapter-{chapter}"))
        cells += _cells(exercise, solutions=solutions)
    cells.append(_markdown(end, "end"))
    summary = _code("resnet.check.summary()", "summary", notebooks.OWN)
    summary.metadata["mystnb"] = {"figure": SUMMARY}
    cells.append(summary)
    return new_notebook(cells=cells, metadata=notebooks.METADATA)


def _imports(exercises: Iterable[Exercise]) -> str:
    """Return the import lines of all, the standard library's first, each once."""
    lines = sorted({line for exercise in exercises for line in exercise.imports}, key=_import_order)
    groups = groupby(lines, key=lambda line: _import_order(line)[0])
    return "\n\n".join("\n".join(group) for _, group in groups)


def _import_order(line: str) -> tuple[bool, bool, str]:
    """Sort as ruff does: standard library or not, `import` before `from`, by name."""
    verb, module = line.split()[:2]
    return module.partition(".")[0] not in sys.stdlib_module_names, verb == "from", line


def _chapter_titles() -> dict[str, tuple[str, str]]:
    """Map a chapter's number to its page's name and its title."""
    found = {}
    for path in CHAPTERS.glob("[0-9][0-9]-*.ipynb"):
        if path.stem != NAME:
            heading = notebooks.read(path).cells[0].source.partition("\n")[0]
            found[path.stem[:2]] = (path.stem, heading.removeprefix("# "))
    return found


def _cells(exercise: Exercise, *, solutions: bool) -> list[NotebookNode]:
    slug = exercise.slug
    head = f":::{{exercise}} {exercise.title}\n:label: {exercise.label}"
    statement = f"{head}\n\n*{exercise.level.capitalize()}.* {exercise.statement}\n:::"
    hints = [
        f"<details>\n<summary>Hint {i}</summary>\n\n{hint}\n\n</details>"
        for i, hint in enumerate(exercise.hints, start=1)
    ]
    cells = [
        _markdown(statement, slug),
        _code(exercise.starter, f"{slug}-starter"),
        _code(exercise.check, f"{slug}-check", notebooks.CHECKED),
        _markdown("\n\n".join(hints), f"{slug}-hints"),
    ]
    if solutions and exercise.offered:
        asked = f"resnet.check.Question(resnet.check.{slug.replace('-', '_')}, {OFFERED})"
        source = f"{exercise.offered}\n{asked}"
        cells.insert(1, _code(source, f"{slug}-{OFFERED}", "remove-input"))
    if solutions:
        gate = f":::{{solution-start}} {exercise.label}\n:class: dropdown\n:::"
        cells += [
            _markdown(gate, f"{slug}-opens"),
            _code(exercise.solution, f"{slug}-solution"),
            _code(exercise.check, f"{slug}-checked"),
            _markdown(exercise.explanation, f"{slug}-explained"),
            _markdown(":::{solution-end}\n:::", f"{slug}-closes"),
        ]
    return cells


def _markdown(text: str, name: str) -> NotebookNode:
    return new_markdown_cell(text.strip(), id=name)


def _code(source: str, name: str, *tags: str) -> NotebookNode:
    return new_code_cell(source, id=name, metadata={"tags": list(tags)} if tags else {})


def write_notebook() -> None:
    """Write the notebook from the sources; `make record` then records its outputs."""
    if exercises := every():
        notebooks.write(notebook(exercises), CHAPTERS / f"{NAME}.ipynb")


def for_page(path: Path) -> NotebookNode:
    """Return the notebook to execute for a page: the committed one, of the exercises solved."""
    committed = notebooks.read(path)
    if path.stem != NAME:
        return committed
    whole = notebook(every(), solutions=True)
    setup = next(cell.source for cell in committed.cells if cell.id == "setup")
    notebooks.refresh_setup(whole, NAME, setup)
    return whole


def listing(exercises: Iterable[Exercise]) -> str:
    """Return the section at a chapter's end that leads to its exercises."""
    lines = [
        f"- {{numref}}`{exercise.label}`, *{exercise.title}* ({exercise.level}): {exercise.line}"
        for exercise in exercises
    ]
    start = f"They stand in {{doc}}`{NAME}`, each with a starter, a check and hints."
    return "\n".join(["## Exercises", "", start, "", *lines])


def refresh_listing(notebook: NotebookNode, name: str) -> None:
    """Put the current list into a chapter's cell for it, if the chapter has one."""
    mine = [exercise for exercise in every() if exercise.chapter == name[:2]]
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and LISTED in notebooks.tags(cell):
            cell.source = listing(mine)
