"""Every picture and every table of a cell is captioned and numbered; a picture has an alternative.

A figure whose name starts with "tab-" is a table.
"""

from __future__ import annotations

import re
from itertools import count

from bs4 import BeautifulSoup, Tag
from nbformat import NotebookNode

from ..common import BookError
from . import notebooks

TABLE = "tab-"
PICTURE = "img, svg, [role=img]"


def alternatives(page: BeautifulSoup) -> list[str]:
    """Return the text alternative of every picture, "" where it has none.

    A picture is an img, an svg, or an element with role="img" whatever is inside it.
    """
    found = page.select(PICTURE)
    whole = [tag for tag in found if tag.find_parent(_holds_all) is None]
    return [
        str(tag.get("alt" if tag.name == "img" else "aria-label") or "")
        if tag.name == "img" or tag.get("role") == "img"
        else ""
        for tag in whole
    ]


def _holds_all(tag: Tag) -> bool:
    """Say whether an element is one picture, whatever is inside it."""
    return tag.name == "svg" or tag.get("role") == "img"


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
    page = BeautifulSoup("".join(data.get("text/html", "") for data in bundles), "html.parser")
    words = alternatives(page)
    if images and not str(alt or "").strip():
        return "its image has no text alternative; write it into the metadata mystnb.image.alt"
    if not all(text.strip() for text in words):
        return 'its picture has no text alternative; svg: role="img", aria-label; img: alt'
    if (images or words) and not figure:
        return "its picture is no figure; write caption and name into the metadata mystnb.figure"
    tables = page.table is not None
    if tables and not figure:
        return f'its table has no caption; write it, and a name "{TABLE}…", into mystnb.figure'
    if figure is None:
        return None
    if missing := [key for key in ("caption", "name") if not str(figure.get(key) or "").strip()]:
        return f"its figure has no {' and no '.join(missing)} in the metadata mystnb.figure"
    if str(figure["name"]).startswith(TABLE):
        return None if tables else "it is declared a table (mystnb.figure) but shows none"
    if not images and not words:
        return "it is declared a figure (mystnb.figure) but shows no picture"
    return None


def own_ids(text: str, prefix: str) -> str:
    """Rename the parts of each drawing in a piece of HTML: drawings share names, as of clips."""
    numbers = count()

    def renamed(drawing: re.Match[str]) -> str:
        own = f"{prefix}{next(numbers)}-"
        return re.sub(r'(?<=\bid=")|(?<=href="#)|(?<=url\(#)', own, drawing[0])

    return re.sub(r"<svg\b.*?</svg>", renamed, text, flags=re.DOTALL)
