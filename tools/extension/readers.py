"""The readers' notebooks: the chapters as Jupyter, Colab and VS Code can show them.

sphinx-tojupyter 0.6.0 was tried on this book and drops every output of MyST-NB, so all captions,
keeps solutions, and writes cells without ids and tags.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import nbformat
from bs4 import BeautifulSoup
from docutils import nodes
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from sphinx.application import Sphinx

from ..build import notebooks, pictures
from .markdown import Page, pieces

SOURCES = "_sources"  # where the page's download button leads to
BRANCH = "notebooks"
UP = "../../"  # from there to the site, while it has no address
HIDDEN = {"hide-input": "source_hidden", "remove-input": "source_hidden"}
HIDDEN |= {"hide-output": "outputs_hidden"}
# for the page, or for its tests
LEFT = {*HIDDEN, "remove-cell", "remove-output", "remove-stderr", notebooks.OWN}
LEFT |= {notebooks.CHECKED, notebooks.SKIPPED}


class Readers:
    """The notebooks of one build."""

    def __init__(self) -> None:
        self.made: dict[str, NotebookNode] = {}

    def collect(self, app: Sphinx, page: nodes.document, name: str) -> None:
        """Make the notebook of a page whose references are resolved."""
        source = Path(app.env.doc2path(name))
        if app.builder.name == "html" and source.suffix == ".ipynb":
            executed = nbformat.read(source, as_version=4)
            site = app.config.html_baseurl.rstrip("/")
            known = Page(app.env, name, f"{site}/" if site else UP)
            self.made[name] = notebook(executed, page, known)

    def write(self, app: Sphinx, exception: Exception | None) -> None:
        """Put them where the pages lead, in place of what the pages were made from."""
        if exception is None:
            for name, made in self.made.items():
                notebooks.write(made, Path(app.outdir) / SOURCES / f"{name}.ipynb")


def notebook(executed: NotebookNode, page: nodes.document, known: Page) -> NotebookNode:
    """Return the notebook that says what a page says."""
    cells: list[NotebookNode] = []
    of_cells = groupby(pieces(page, known), key=lambda piece: (piece.cell, piece.code))
    for (at, code), group in of_cells:
        texts = [piece.text for piece in group if piece.text]
        source = executed.cells[at]
        if code:
            cells.append(code_cell(source))
            source = NotebookNode(id=f"{source.id}-caption", metadata={})
        if texts:
            metadata = tagged(source)
            cells.append(new_markdown_cell("\n\n".join(texts), id=source.id, metadata=metadata))
    return new_notebook(cells=list(merged(cells)), metadata=notebooks.METADATA)


def tagged(cell: NotebookNode) -> dict[str, Any]:
    """Return the metadata of a copy of a cell: its tags, without those of the page."""
    kept = [tag for tag in notebooks.tags(cell) if tag not in LEFT]
    return {"tags": kept} if kept else {}


def code_cell(cell: NotebookNode) -> NotebookNode:
    """Return a cell without marks for the page; what is folded there is folded here."""
    tags = set(notebooks.tags(cell))
    metadata = tagged(cell)
    folded = {HIDDEN[tag]: True for tag in tags & set(HIDDEN)}
    if folded and notebooks.SETUP not in tags:
        metadata["jupyter"] = folded
        if "source_hidden" in folded:
            metadata["cellView"] = "form"  # Colab's word for it
    outputs = [shown(out, cell) for out in cell.outputs if out.get("name") != "stderr"]
    if tags & {notebooks.OWN, "remove-output"}:
        outputs = []
    return new_code_cell(cell.source, id=cell.id, metadata=metadata, outputs=outputs)


def shown(output: NotebookNode, cell: NotebookNode) -> NotebookNode:
    """Return an output as it was before the reader runs anything.

    Of a picture the image alone: Jupyter takes drawings in HTML out of a notebook that it does not
    trust, and shows the rest of the HTML.
    """
    data = dict(output.get("data", {}))
    kept = NotebookNode({key: value for key, value in output.items() if key != "execution_count"})
    if output.output_type == "execute_result":
        kept.execution_count = None
    if images := [kind for kind in data if kind.startswith("image/")]:
        words = pictures.alternatives(BeautifulSoup(data.pop("text/html", ""), "html.parser"))
        alt = " ".join(words) or cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        kept.data = NotebookNode(data)
        kept.metadata = NotebookNode({kind: {"alt": alt} for kind in images})
    return kept


def merged(cells: Iterable[NotebookNode]) -> Iterator[NotebookNode]:
    """Yield the cells, the parameters' at the end of the set-up cell: it is for papermill."""
    cells = list(cells)
    of = {tag: cell for cell in cells for tag in cell.metadata.get("tags", [])}
    setup, parameters = of.get(notebooks.SETUP), of.get(notebooks.PARAMETERS)
    for cell in cells:
        if cell is setup and parameters is not None:
            cell.source += f"\n\n{parameters.source}"
            cell.metadata["tags"] += parameters.metadata["tags"]
        if cell is not parameters:
            yield cell


def colab(app: Sphinx, name: str, _: str, context: dict[str, Any], __: Any) -> None:
    """Let the Colab button open the readers' notebook, on the branch that holds nothing else."""
    branch = f"/blob/{app.config.html_theme_options.get('repository_branch')}/"
    for group in context.get("header_buttons", []):
        for button in group.get("buttons", []):
            if button.get("text") == "Colab":
                before = button["url"].partition(branch)[0]
                button["url"] = f"{before}/blob/{BRANCH}/{Path(name).name}.ipynb"


def setup(app: Sphinx) -> None:
    """Make them while the pages are written; put them there when the sources are."""
    readers = Readers()
    app.connect("doctree-resolved", readers.collect)
    app.connect("build-finished", readers.write)
    app.connect("html-page-context", colab, priority=900)  # after the theme's
