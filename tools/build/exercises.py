"""The exercises: one source each, from which notebooks, pages and the list come.

A source is `exercises/CC-NN-slug.py`: CC is the chapter it belongs to, NN its place there, and the
slug, with underscores, the name of its check. It is a Python script in cells (jupytext's percent
format), with title, level, minutes, importance and one line about it in its docstring.

A chapter's notebook ends with its exercises: all that follows the cell tagged `exercises` is made
from the sources. As it is committed it has starters, so that a reader starts from nothing and a
test sees what the checks say to that; as a page is executed it has the solutions besides. Cells
carry a tag that says what they are: `exercise`, `starter`, `hints`, `help`, `solution`.
"""

from __future__ import annotations

import ast
import html
import re
import sys
from collections.abc import Iterable, Sequence
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
IMPORTANCE = ("essential", "useful", "extra")
SOLUTION = "solution"
START = """\
## Exercises

The next cell has all imports. Each exercise has a starter to fill in, a check to run after it and \
hints. {doc}`08-exercises` says how it goes, and lists the exercises of all chapters. They do not \
need what the chapter has computed: after the first cell of the notebook you can go on here."""
SPANNING = """\
## Exercises that span chapters

These need what several chapters have said. The next cell has all imports."""
ONCE = ("statement", "starter", "check", "solution", "explanation")
OFFERED = "offered"  # a cell that may be missing: answers that the page offers, the right one first
GIVEN = "given"  # a cell that may be missing: it shows a table that the statement refers to
SUMMARY = {"caption": "The exercises that were tried in this kernel.", "name": "tab-summary"}
PARAMETERS = """\
import os

profile = os.environ.get(
    "RESNET_PROFILE", "quick"
)  # this chapter does the same under both"""


@dataclass(frozen=True)
class Help:
    """What to do about something that the check says."""

    says: str  # part of the check's message; "…" stands for what differs from answer to answer
    text: str


@dataclass(frozen=True)
class Exercise:
    """One exercise: what its file says."""

    chapter: str  # "04"
    place: int  # in the chapter, from 1
    slug: str
    title: str
    level: str
    minutes: int
    importance: str
    line: str
    imports: tuple[str, ...]
    statement: str
    starter: str
    check: str
    hints: tuple[str, ...]
    helps: tuple[Help, ...]
    solution: str
    explanation: str
    offered: str = ""
    given: str = ""
    caption: str = ""  # of the table that `given` shows

    @property
    def label(self) -> str:
        """What a reference to it says."""
        return f"ex-{self.slug}"

    @property
    def number(self) -> str:
        """Its number on the page, as "Exercise 4.3"."""
        return f"Exercise {int(self.chapter)}.{self.place}"

    @property
    def facts(self) -> str:
        """What one wants to know before one starts."""
        return f"{self.level}, {self.minutes} minutes, {self.importance}"


def read(path: Path) -> Exercise:
    """Read one source; a BookError names the file and what is wrong in it."""

    def wrong(what: str) -> BookError:
        return BookError(f"exercises/{path.name}: {what}")

    name = re.fullmatch(r"(\d\d)-(\d\d)-([a-z0-9-]+)", path.stem)
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
    optional = [kind for kind in (OFFERED, GIVEN) if kind in kinds]
    once = sorted(kind for kind in kinds if kind not in ("hint", "help"))
    if once != sorted([*ONCE, *optional]) or "hint" not in kinds:
        needed = (
            f"one cell each of {', '.join(ONCE)}, hints, and perhaps help, {OFFERED} and {GIVEN}"
        )
        raise wrong(f"it needs {needed}; it has {kinds}")
    choices = {"level": LEVELS, "importance": IMPORTANCE}
    for field, words in choices.items():
        if facts_by_name.get(field) not in words:
            raise wrong(f"its docstring needs `{field}:` ({', '.join(words)})")
    if not facts_by_name.get("minutes", "").isdecimal():
        raise wrong("its docstring needs `minutes:`, a whole number")
    if not facts_by_name.get("line") or not title:
        raise wrong("its docstring needs a title and `line:`")
    helps = [body.partition("\n\n") for kind, body in cells if kind == "help"]
    if any(not text or "\n" in says for says, _, text in helps):
        raise wrong("a help is one line of the check's message, an empty line, and what to do")
    part = {kind: body for kind, body in cells if kind in (*ONCE, *optional)}
    captions = [cell.metadata.get("caption", "") for cell, kind in zip(rest, kinds, strict=True)
                if kind == GIVEN]  # fmt: skip
    if not all(captions):
        raise wrong(f'its cell {GIVEN} needs a caption: `# %% {GIVEN} caption="…"`')
    return Exercise(
        chapter=name[1],
        place=int(name[2]),
        slug=name[3],
        title=title,
        level=facts_by_name["level"],
        minutes=int(facts_by_name["minutes"]),
        importance=facts_by_name["importance"],
        line=facts_by_name["line"],
        imports=tuple(
            ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)
        ),
        statement=part["statement"],
        starter=part["starter"],
        check=part["check"],
        hints=tuple(body for kind, body in cells if kind == "hint"),
        helps=tuple(Help(says, text) for says, _, text in helps),
        solution=part["solution"],
        explanation=part["explanation"],
        offered=part.get(OFFERED, ""),
        given=part.get(GIVEN, ""),
        caption="".join(captions),
    )


def every() -> list[Exercise]:
    """Return the exercises in the order of their files' names; none where there is no folder."""
    return [read(path) for path in sorted(FOLDER.glob("*.py"))]


def notebook(exercises: Iterable[Exercise], *, solutions: bool = False) -> NotebookNode:
    """Make the chapter on exercises: introduction, list, the ones that span chapters, progress."""
    exercises = list(exercises)
    introduction, _, end = INTRODUCTION.read_text(encoding="utf-8").partition("\n---\n")
    cells = [
        _markdown(introduction, "start"),
        _code("", "setup", *notebooks.SETUP_TAGS),
        _code(PARAMETERS, "parameters", notebooks.PARAMETERS),
        *_listing(exercises),
        _markdown(SPANNING, "spanning", notebooks.EXERCISES),
        *_section([each for each in exercises if each.chapter == NAME[:2]], solutions=solutions),
        _markdown(end, "end"),
    ]
    summary = _code("resnet.check.summary()", "summary", notebooks.OWN)
    summary.metadata["mystnb"] = {"figure": SUMMARY}
    cells.append(summary)
    return new_notebook(cells=cells, metadata=notebooks.METADATA)


def _listing(exercises: Iterable[Exercise]) -> list[NotebookNode]:
    """Return the list of all, chapter by chapter."""
    titles = _chapter_titles()
    cells = [_markdown("## All exercises", "all")]
    for chapter, group in groupby(exercises, key=lambda exercise: exercise.chapter):
        lines = [
            f"- {{numref}}`{each.label}`, *{each.title}* ({each.facts}): {each.line}"
            for each in group
        ]
        head = "Several chapters"
        if chapter in titles:
            page, title = titles[chapter]
            head = f"Chapter {int(chapter)}: {title}"
            lines = [f"They stand at the end of {{doc}}`{page}`.", "", *lines]
        cells.append(_markdown("\n".join([f"### {head}", "", *lines]), f"chapter-{chapter}"))
    return cells


def complete(notebook: NotebookNode, name: str, *, solutions: bool) -> None:
    """Put a chapter's exercises behind its cell tagged `exercises`, in place of what is there."""
    exercises = every()
    mine = [exercise for exercise in exercises if exercise.chapter == name[:2]]
    places = [
        i for i, cell in enumerate(notebook.cells) if notebooks.EXERCISES in notebooks.tags(cell)
    ]
    if len(places) != bool(mine):
        where = f"{len(places)} of its cells are tagged `{notebooks.EXERCISES}`"
        raise BookError(f"{name} has {len(mine)} exercises, and {where}: it takes one, or none.")
    if not mine:
        return
    opening = notebook.cells[places[0]]
    opening.source = START
    notebook.cells[places[0] + 1 :] = _section(mine, solutions=solutions)
    ids = [cell.id for cell in notebook.cells]
    if twice := sorted({each for each in ids if ids.count(each) > 1}):
        raise BookError(f"{name}: a cell has the id {twice[0]!r}, and an exercise's has it too.")


def _section(exercises: Sequence[Exercise], *, solutions: bool) -> list[NotebookNode]:
    """Return the exercises' cells, with a cell of imports before them."""
    imports = _code(_imports(exercises), "exercises-imports", "imports")
    return [imports, *(cell for each in exercises for cell in _cells(each, solutions=solutions))]


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
    statement = f"{head}\n\n*{exercise.facts.capitalize()}.* {exercise.statement}\n:::"
    hints = [_dropdown(f"Hint {i}", hint) for i, hint in enumerate(exercise.hints, start=1)]
    cells = [
        _markdown(statement, slug, "exercise"),
        _code(exercise.starter, f"{slug}-starter", "starter"),
        _code(exercise.check, f"{slug}-check", notebooks.CHECKED),
        _markdown("\n\n".join(hints), f"{slug}-hints", "hints"),
    ]
    if exercise.given:
        shows = _code(exercise.given, f"{slug}-{GIVEN}", notebooks.CHECKED)
        figure = {"caption": exercise.caption, "name": f"tab-{slug}"}
        shows.metadata["mystnb"] = {"figure": figure}
        cells.insert(1, shows)
    if solutions and exercise.offered:
        asked = f"resnet.check.Question(resnet.check.{slug.replace('-', '_')}, {OFFERED})"
        source = f"{exercise.offered}\n{asked}"
        cells.insert(1, _code(source, f"{slug}-{OFFERED}", "remove-input"))
    if exercise.helps:
        answers = [_dropdown(f"“{each.says}”", each.text) for each in exercise.helps]
        helps = _dropdown("Help with what the check says", "\n\n".join(answers))
        cells.append(_markdown(helps, f"{slug}-help", "help"))
    if solutions:
        gate = f":::{{solution-start}} {exercise.label}\n:class: dropdown\n:::"
        cells += [
            _markdown(gate, f"{slug}-opens", SOLUTION),
            _code(exercise.solution, f"{slug}-solution", SOLUTION),
            _code(exercise.check, f"{slug}-checked", SOLUTION),
            _markdown(exercise.explanation, f"{slug}-explained", SOLUTION),
            _markdown(":::{solution-end}\n:::", f"{slug}-closes", SOLUTION),
        ]
    return cells


def _dropdown(summary: str, body: str) -> str:
    """Return Markdown that opens on a click, on a page and in a notebook."""
    summary = html.escape(summary, quote=False)
    return f"<details>\n<summary>{summary}</summary>\n\n{body}\n\n</details>"


def _markdown(text: str, name: str, *tags: str) -> NotebookNode:
    return new_markdown_cell(text.strip(), id=name, metadata={"tags": list(tags)} if tags else {})


def _code(source: str, name: str, *tags: str) -> NotebookNode:
    return new_code_cell(source, id=name, metadata={"tags": list(tags)} if tags else {})


def write_notebook() -> None:
    """Write the chapter on exercises from the sources; `make record` then records its outputs."""
    if exercises := every():
        notebooks.write(notebook(exercises), CHAPTERS / f"{NAME}.ipynb")


def for_page(path: Path) -> NotebookNode:
    """Return the notebook to execute for a page: the committed one, its exercises solved."""
    committed = notebooks.read(path)
    if path.stem != NAME:
        complete(committed, path.stem, solutions=True)
        return committed
    whole = notebook(every(), solutions=True)
    setup = next(cell.source for cell in committed.cells if cell.id == "setup")
    notebooks.refresh_setup(whole, NAME, setup)
    return whole
