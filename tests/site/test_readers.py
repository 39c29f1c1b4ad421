"""The readers' notebooks: Jupyter, Colab and VS Code show of a chapter what its page shows."""

from __future__ import annotations

import copy
import re
import zipfile
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
from bs4 import BeautifulSoup, Tag
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from toybook import ROOT, missing

from tools.build import bundle, config, execute, exercises, notebooks
from tools.common import version

SITE = ROOT / "_build" / "html"
NAMES = [path.stem for path in config.notebooks()]
MARKDOWN = MarkdownIt("gfm-like", {"linkify": False}).use(dollarmath_plugin, double_inline=True)
# what only Sphinx understands, and what no renderer has taken for markup
RAW = re.compile(r"\{[a-z][\w:+-]*\}|:::|```|^:[\w-]+:|\]\(|\*\*|\$|\\|</?\w+", re.MULTILINE)
PAGES_TAG = re.compile("hide-|remove-|nbval-")
# these are executed here, `make colab` executes all
QUICK = ("02-residual-block", "06-why-it-trains", "before-and-after")

every = pytest.mark.parametrize("name", NAMES)


@cache
def readers(name: str) -> NotebookNode:
    path = SITE / bundle.FOLDER / f"{name}.ipynb"
    if not path.is_file():
        missing("no site in _build/html (`make book` builds it)")
    return notebooks.read(path)


@cache
def article(name: str) -> BeautifulSoup:
    """The page's text, without its solutions."""
    html = (SITE / "chapters" / f"{name}.html").read_text(encoding="utf-8")
    found = BeautifulSoup(html, "html.parser").select_one("article")
    assert found is not None
    for part in found.select(".solution, .headerlink"):
        part.decompose()
    return found


def rendered(cells: list[NotebookNode]) -> BeautifulSoup:
    texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
    return BeautifulSoup("\n".join(MARKDOWN.render(text) for text in texts), "html.parser")


def words(part: Tag, *without: str) -> str:
    """The text of a part, apart from equations and from what is named."""
    part = copy.copy(part)
    for other in part.select(", ".join([".math", *without])):
        other.replace_with(" ")
    return " ".join(part.get_text().split())


def captioned(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.id.endswith("-caption")]


@every
def test_nothing_is_left_that_only_sphinx_understands(name: str) -> None:
    text = words(rendered(readers(name).cells), "pre", "code")
    assert not RAW.search(text), text[max(0, RAW.search(text).start() - 60) :][:120]


def test_what_is_left_would_be_seen() -> None:
    bad = ("{numref}`fig-a`", ":::{note}", "a ```{figure}", "[a] (b)[c](d", "**a", "$x", "</div")
    for text in bad:
        assert RAW.search(words(rendered([new_markdown_cell(text)]), "pre", "code")), text


@every
def test_reads_like_the_page(name: str) -> None:
    """The same words in the same order; headings, captions and equations are compared below."""
    headings = "h1, h2, h3, h4, h5, h6"
    cells = [cell for cell in readers(name).cells if not cell.id.endswith("-caption")]
    said = words(rendered(cells), headings, f'a[href$="{name}.html"]')
    wanted = words(article(name), headings, ".cell", ".exercise > .admonition-title")
    assert said == wanted


@every
def test_headings_are_the_pages(name: str) -> None:
    def of(part: BeautifulSoup) -> list[str]:
        return [words(heading) for heading in part.select("h1, h2, h3, h4, h5, h6")]

    found = of(rendered(readers(name).cells))
    assert [text for text in found if not text.startswith("Exercise ")] == of(article(name))
    shown = [words(title) for title in article(name).select(".exercise > .admonition-title")]
    asked = [text.replace(": ", " (", 1) + ")" for text in found if text.startswith("Exercise ")]
    assert asked == shown


@every
def test_every_figure_and_table_has_its_caption(name: str) -> None:
    """Number and words of the page's; below the cell that draws it; a picture also in words."""
    notebook = readers(name)
    shown = [words(caption) for caption in article(name).select("figure figcaption")]
    found = [rendered([cell]) for cell in captioned(notebook)]
    assert [words(text, "details") for text in found] == shown
    for cell, below in zip(notebook.cells, notebook.cells[1:], strict=False):
        data = [out.data for out in cell.get("outputs", []) if "data" in out]
        pictures = any(kind.startswith("image/") or "<svg" in str(text)
                       for one in data for kind, text in one.items())  # fmt: skip
        tables = any("<table" in one.get("text/html", "") for one in data)
        if pictures or tables:
            assert below.id == f"{cell.id}-caption"
            assert pictures == ("in words</summary>" in below.source)
        for out in cell.get("outputs", []):
            images = [kind for kind in out.get("data", {}) if kind.startswith("image/")]
            assert all(out.metadata[kind]["alt"].strip() for kind in images)


def test_the_losses_to_judge_are_there() -> None:
    """Exercise 3.7 asks about a table, which has to be seen before anything is run."""
    cells = {cell.id: cell for cell in readers("03-resnet-18").cells}
    (shown,) = cells["loss-curves-given"].outputs
    table = BeautifulSoup(shown.data["text/html"], "html.parser")
    assert len(table.select("tbody tr")) == 16
    assert [head.get_text() for head in table.select("th")][-2:] == ["F train", "F test"]
    assert words(table) in words(article("03-resnet-18"))


@every
def test_equations_have_the_pages_numbers(name: str) -> None:
    source = "\n".join(cell.source for cell in readers(name).cells if cell.cell_type == "markdown")
    shown = [number.get_text() for number in article(name).select(".eqno")]
    assert [f"({number})" for number in re.findall(r"\\tag\{([^}]+)\}", source)] == shown


@every
def test_links_lead_somewhere(name: str) -> None:
    """To an anchor of the notebook, to an anchor of the site, or out of it."""
    text = rendered(readers(name).cells)
    own = {anchor["id"] for anchor in text.select("a[id]")}
    for link in text.select("a[href]"):
        target = str(link["href"])
        path, _, anchor = target.partition("#")
        if not path:
            assert unquote(anchor) in own, target
        elif not re.match(r"https://[\w.-]+\.\w+/", target):
            page = (SITE / bundle.FOLDER / path).resolve()
            assert page.is_relative_to(SITE) and page.is_file(), target
            assert not anchor or f'id="{unquote(anchor)}"' in page.read_text("utf-8"), target
    terms = {str(link["href"]).rpartition("/")[2] for link in article(name).select("a.term")}
    linked = {str(link["href"]).rpartition("/")[2] for link in text.select("a[href*='#term-']")}
    assert terms == linked


@every
def test_form(name: str) -> None:
    """Set-up first, with the profile in it; no tag for the page; pictures of every program."""
    notebook = readers(name)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    own = notebooks.setup_cell(config.address(config.read_yaml(config.CONFIG)), version())
    assert code[0].source.startswith(own) and re.search(r"^profile = ", code[0].source, re.M)
    assert notebooks.tags(code[0]) == [notebooks.SETUP, notebooks.PARAMETERS]
    assert not [tag for c in notebook.cells for tag in notebooks.tags(c) if PAGES_TAG.match(tag)]
    assert not any(out.get("name") == "stderr" for cell in code for out in cell.outputs)
    html = "".join(out.get("data", {}).get("text/html", "") for c in code for out in c.outputs)
    assert "<svg" not in html
    assert not any("script" in source for source in re.findall(r"<\w+", html))


def test_no_notebook_holds_a_solution() -> None:
    cells = [cell for name in NAMES for cell in readers(name).cells]
    sources = "\n".join(cell.source for cell in cells)
    assert not [one.slug for one in exercises.every() if one.solution in sources]
    assert "Solution to" not in sources
    assert sum(cell.source.count("<summary>Hint 1</summary>") for cell in cells) >= 20


def test_the_archive_holds_them_all_and_the_front_page_leads_to_it() -> None:
    archive = zipfile.ZipFile(SITE / f"{bundle.NAME}.zip")
    inside = [name for name in archive.namelist() if not name.endswith("/")]
    assert {Path(name).parent.as_posix() for name in inside} == {bundle.NAME}
    held = {Path(name).name: archive.read(name) for name in inside}
    for name in NAMES:
        assert held.pop(f"{name}.ipynb") == (SITE / bundle.FOLDER / f"{name}.ipynb").read_bytes()
    (wheel,) = set(held) - {"README.md"}
    assert wheel == f"resnet_book-{version()}-py3-none-any.whl"
    about = held["README.md"].decode()
    assert wheel in about and 8 <= len(about.splitlines()) <= 12
    front = (SITE / f"{config.pages()[0]}.html").read_text(encoding="utf-8")
    assert f'href="../{bundle.NAME}.zip"' in front


@pytest.mark.parametrize("name", QUICK)
def test_runs_in_an_empty_folder(name: str) -> None:
    executed = execute.run(readers(name), name, parameters={}, cell_seconds=300)
    before = {cell.id: cell.get("outputs") for cell in readers(name).cells}
    for cell in executed.cells:
        assert bool(before.get(cell.id)) == bool(cell.get("outputs")), cell.id
    nbformat.validate(executed)
