"""The finished pages: lighter, usable without a server, and for those who do not see them.

Each mend says what the theme or an extension does wrong. One that finds nothing to mend is an
error: then its cause has gone, or its pattern is out of date.
"""

import re
import shutil
from pathlib import Path
from typing import NamedTuple

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError


class Mend(NamedTuple):
    """Replace `pattern` by `new` in all pages whose name matches `pages`."""

    why: str
    pattern: str
    new: str
    pages: str = r".*\.html"
    optional: bool = False  # where a book may well have nothing of the kind


NOT_SEARCH = r"(?!search\.html$).*\.html"
MENDS = (
    Mend(
        "1.5 MB that draw a dozen icons, which the theme's style sheet and font draw as well",
        r'\s*<script defer src="[^"]*/fontawesome\.js[^"]*"></script>',
        "",
    ),
    Mend(
        "the search's index on every page, for a search while typing that is switched off",
        r'\s*<script src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*"></script>',
        "",
        NOT_SEARCH,
    ),
    Mend(
        "a script for tabs; the book has none",
        r'\s*<script data-sd-tabs-storage-prefix="[^"]*" src="[^"]*design-tabs\.js[^"]*"></script>',
        "",
    ),
    Mend(
        "a list whose children are no list items; the entries' role is deprecated",
        r'(?<=<div) role="list"(?= class="citation-list")|(?<=") role="doc-biblioentry"',
        "",
        optional=True,
    ),
    Mend(
        "a cell of the head without text is no header of anything",
        r"<th( [^>]*)?></th>",
        r"<td\1></td>",
        optional=True,
    ),
    Mend(
        "a search that fetches pages to quote from them, which a page from a file must not do",
        r"SHOW_SEARCH_SUMMARY: true",
        'SHOW_SEARCH_SUMMARY: location.protocol !== "file:"',
        r"_static/documentation_options\.js",
    ),
)
# the theme's sources, other formats of its fonts, and what only this extension's mends made useless
UNUSED = (
    "**/*.map", "**/*.ttf", "**/fontawesome.js*", "design-tabs.js", "book.png",
    "**/fa-brands-400.*", "*-macros.html", "locales",
)  # fmt: skip


def mend(app: Sphinx, exception: Exception | None) -> None:
    """Mend all pages and remove what no page uses."""
    if exception is not None or app.builder.name != "html":
        return
    site = Path(app.outdir)
    found: set[str] = set()
    for path in sorted([*site.rglob("*.html"), *site.glob("_static/*.js")]):
        name = path.relative_to(site).as_posix()
        before = text = path.read_text(encoding="utf-8")
        for one in MENDS:
            if re.fullmatch(one.pages, name):
                text, count = re.subn(one.pattern, one.new, text)
                if count:
                    found.add(one.why)
        if text != before:
            path.write_text(text, encoding="utf-8")
    if lost := [one.why for one in MENDS if one.why not in found and not one.optional]:
        raise ExtensionError(f"nothing left to mend: {'; '.join(lost)} (tools/extension/mend.py)")
    for pattern in UNUSED:
        for path in (site / "_static").glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def setup(app: Sphinx) -> None:
    """Mend when everything is written."""
    app.connect("build-finished", mend)
