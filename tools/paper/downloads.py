"""Where the PDF and the EPUB lie on the site, and the front page's links to them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from ..build import config, pages
from ..common import ROOT, BookError, write_whole
from . import epub, pdf

KINDS: dict[str, Callable[[Path], str]] = {"pdf": pdf.build, "epub": epub.build}
PLACE = re.compile(r'<p class="whole-book screen-only"[^>]*>.*?</p>', re.DOTALL)


def path(kind: str) -> Path:
    """Return where the book in this form lies."""
    return pages.HTML / f"resnet-book.{kind}"


def make(kind: str) -> str:
    """Make one form, and let the front page say which there are; what was made, in a line.

    The site is rebuilt from nothing, so a form on it was never made from an older one.
    """
    target = path(kind)
    if not (pages.HTML / pages.STAMP).is_file():
        raise BookError("there is no site in _build/html; run `make book`.")
    target.unlink(missing_ok=True)
    said = KINDS[kind](target)
    link()
    return f"{target.relative_to(ROOT)}: {said}, {_size(target)}"


def link() -> None:
    """Write the links into the front page, where the place for them is hidden until then."""
    page = pages.HTML / f"{config.pages()[0]}.html"
    up = "../" * config.pages()[0].count("/")
    links = [
        f'<a href="{up}{path(kind).name}" download>{kind.upper()}</a> ({_size(path(kind))})'
        for kind in KINDS
        if path(kind).is_file()
    ]
    hidden = "" if links else " hidden"
    text = f"The whole book to take along: {', '.join(links)}." if links else ""
    place = f'<p class="whole-book screen-only"{hidden}>{text}</p>'
    new, count = PLACE.subn(lambda _: place, page.read_text(encoding="utf-8"))
    if count != 1:
        raise BookError(f"{page.name} has {count} places for links to PDF and EPUB, and needs 1.")
    write_whole(page, new)


def _size(file: Path) -> str:
    return f"{file.stat().st_size / 1e6:.1f} MB"
