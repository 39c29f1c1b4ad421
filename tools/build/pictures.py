"""Every picture and every table of a cell is captioned and numbered; a picture has an alternative.

A figure whose name starts with "tab-" is a table.
"""

from __future__ import annotations

from html.parser import HTMLParser

from nbformat import NotebookNode

from ..common import BookError
from . import notebooks

TABLE = "tab-"


class _Pictures(HTMLParser):
    """Collects the text alternative of every picture in a piece of HTML, "" where it has none.

    A picture is an img, an svg, or an element with role="img" whatever is inside it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.alternatives: list[str] = []
        self._around: str | None = None
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        have = dict(attrs)
        if self._depth:
            self._depth += tag == self._around
        elif tag == "img":
            self.alternatives.append(have.get("alt") or "")
        elif tag == "svg" or have.get("role") == "img":
            labelled = have.get("role") == "img"
            self.alternatives.append(have.get("aria-label") or "" if labelled else "")
            self._around, self._depth = tag, 1

    def handle_endtag(self, tag: str) -> None:
        self._depth -= bool(self._depth) and tag == self._around


def require_alternatives(executed: NotebookNode, name: str) -> None:
    """Require a caption (so a number) of pictures and tables, of pictures a text alternative."""
    hidden = {"remove-output", "remove-cell"}
    number = 0
    for cell in executed.cells:
        if "injected-parameters" in notebooks.tags(cell):
            continue
        number += 1
        if cell.cell_type != "code" or hidden & set(notebooks.tags(cell)):
            continue
        if problem := _problem(cell):
            raise BookError(f"{name}, cell {number}: {problem}.")


def _problem(cell: NotebookNode) -> str | None:
    """Say what a cell's figure lacks, with the way to mend it."""
    settings = cell.metadata.get("mystnb", {})
    figure, alt = settings.get("figure"), (settings.get("image") or {}).get("alt")
    bundles = [out.get("data", {}) for out in cell.outputs]
    images = any(
        kind.startswith("image/") for data in bundles for kind in data if "text/html" not in data
    )
    parser = _Pictures()
    for data in bundles:
        parser.feed("".join(data.get("text/html", "")))
    if images and not str(alt or "").strip():
        return "its image has no text alternative; write it into the metadata mystnb.image.alt"
    if not all(text.strip() for text in parser.alternatives):
        return 'its picture has no text alternative; svg: role="img", aria-label; img: alt'
    if (images or parser.alternatives) and not figure:
        return "its picture is no figure; write caption and name into the metadata mystnb.figure"
    tables = any("<table" in "".join(data.get("text/html", "")) for data in bundles)
    if tables and not figure:
        return f'its table has no caption; write it, and a name "{TABLE}…", into mystnb.figure'
    if figure is None:
        return None
    if missing := [key for key in ("caption", "name") if not str(figure.get(key) or "").strip()]:
        return f"its figure has no {' and no '.join(missing)} in the metadata mystnb.figure"
    if str(figure["name"]).startswith(TABLE):
        return None if tables else "it is declared a table (mystnb.figure) but shows none"
    if not images and not parser.alternatives:
        return "it is declared a figure (mystnb.figure) but shows no picture"
    return None
