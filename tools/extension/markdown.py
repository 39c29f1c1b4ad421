"""A resolved page, piece by piece, as the Markdown that Jupyter, Colab and VS Code show.

Sphinx has resolved every reference and counted everything before this begins; nothing is looked up
or counted here. A kind of node that is not provided for is an error: nothing is lost in silence.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError

from ..build import pictures

# the elements that a notebook shows as they are; others belong to the page
SHOWN = {"details", "summary", "br", "sub", "sup", "kbd"}


@dataclass(frozen=True)
class Page:
    """What is known of a page beyond its nodes."""

    env: BuildEnvironment
    name: str  # as "chapters/02-residual-block"
    site: str  # what leads to the site's root, with a slash at its end

    @property
    def address(self) -> str:
        """Where the page itself is."""
        return f"{self.site}{self.name}.html"

    def number(self, kind: str, id_: str) -> str:
        """Return the number that Sphinx gave to a figure, table, equation or exercise."""
        return ".".join(map(str, self.env.toc_fignumbers[self.name][kind][id_]))

    def titled(self, kind: str, id_: str) -> str:
        """Return "Fig. 2.1", "Table 2.1" or "Exercise 2.1"."""
        return str(self.env.config.numfig_format[kind] % self.number(kind, id_))

    def section_number(self, section: nodes.section) -> str:
        """Return "2.1. ", or "" where sections are not numbered."""
        numbers = self.env.toc_secnumbers.get(self.name, {})
        own = numbers.get(f"#{section['ids'][0]}", numbers.get(""))
        return ".".join(map(str, own)) + self.env.config.html_secnumber_suffix if own else ""


def heading(section: nodes.Element, title: nodes.Element, page: Page) -> str:
    """Return the line of a section's title or of an exercise's."""
    level = 1
    above = section.parent
    while above is not None:
        level += isinstance(above, nodes.section)
        above = above.parent
    if isinstance(section, nodes.section):
        return f"{'#' * level} {page.section_number(section)}{inline(title, page)}"
    (id_,) = section["ids"]
    name = page.titled("exercise", id_)
    # the page writes the title after the number, in parentheses
    words = re.fullmatch(r" \((.*)\)", inline(title, page))
    return f"{anchor([id_])}\n\n{'#' * level} {name}{f': {words[1]}' if words else ''}"


def caption(figure: nodes.figure, page: Page) -> str:
    """Return what stands under a cell's figure or table: number, caption, and the words for it."""
    (said,) = (child for child in figure.children if isinstance(child, nodes.caption))
    kind = page.env.get_domain("std").get_enumerable_node_type(figure)
    name = page.titled(str(kind), figure["ids"][0])
    text = f"{anchor(figure['ids'])}**{name}** {inline(said, page)}"
    if words := alternatives(figure):
        told = "\n\n".join(escaped(one) for one in words)
        text += f"\n\n<details>\n<summary>{name} in words</summary>\n\n{told}\n\n</details>"
    return text


def alternatives(figure: nodes.figure) -> list[str]:
    """Return the text alternatives of the pictures in a figure."""
    drawn = "".join(raw.astext() for raw in figure.findall(nodes.raw))
    images = [str(image.get("alt", "")) for image in figure.findall(nodes.image)]
    return [*pictures.alternatives(BeautifulSoup(drawn, "html.parser")), *images]


def anchor(ids: Iterable[str]) -> str:
    """Return what a reference on the same page leads to."""
    return "".join(f'<a id="{id_}"></a>' for id_ in ids)


# --- inside a paragraph ---


def inline(node: nodes.Node, page: Page) -> str:
    """Return the Markdown of a node's children."""
    return "".join(_inline(child, page) for child in node.children)


def _inline(node: nodes.Node, page: Page) -> str:
    for kind, write in INLINE.items():
        if isinstance(node, kind):
            return write(node, page)
    raise _unknown(node, page)


def escaped(text: str) -> str:
    """Return a text in which nothing is markup; an underscore within a word never is."""
    text = re.sub(r"([\\`*\[\]<$~|])", r"\\\1", " ".join(text.split("\n")))
    return re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", text)


def _code(node: nodes.Node, _: Page) -> str:
    text = " ".join(node.astext().split("\n"))
    ticks = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    pad = " " * (text.startswith("`") or text.endswith("`"))
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _math(node: nodes.Node, _: Page) -> str:
    return f"${' '.join(node.astext().split())}$"


def _link(node: nodes.Element, page: Page) -> str:
    target = node["refuri"] if "refuri" in node else f"#{node['refid']}"
    target = address(target, page)
    if re.search(r"[\s()]", target):
        target = f"<{target}>"
    return f"[{inline(node, page)}]({target})"


def address(target: str, page: Page) -> str:
    """Return where a link of the page leads from a notebook."""
    if re.match(r"[a-z]+:", target):
        return target
    path, _, fragment = target.partition("#")
    if not path:  # on this page, or the page itself
        return target if fragment else page.address
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page.name), path))
    return f"{page.site}{path}" + (f"#{fragment}" if fragment else "")


def _raw(node: nodes.Element, page: Page) -> str:
    """Return HTML that a notebook shows; for what only works on the page, a link to it."""
    if "html" not in node.get("format", "").split():
        return ""
    return node.astext().strip() if _elements(node) <= SHOWN else _link_to(page)


def _elements(raw: nodes.Element) -> set[str]:
    return set(re.findall(r"</?([A-Za-z][\w-]*)", raw.astext()))


def _link_to(page: Page) -> str:
    return f"[This part works on the page.]({page.address})"


INLINE: Mapping[type[nodes.Node], Callable[[Any, Page], str]] = {
    nodes.Text: lambda node, _: escaped(node.astext()),
    nodes.literal: _code,
    nodes.math: _math,
    nodes.emphasis: lambda node, page: f"*{inline(node, page)}*",
    nodes.strong: lambda node, page: f"**{inline(node, page)}**",
    nodes.reference: _link,
    nodes.raw: _raw,
    nodes.inline: inline,
}


# --- paragraphs and what stands between them ---


def block(node: nodes.Node, page: Page) -> str:
    """Return the Markdown of a node that stands by itself."""
    for kind, write in BLOCKS.items():
        if isinstance(node, kind):
            return write(node, page)
    raise _unknown(node, page)


def blocks(several: Iterable[nodes.Node], page: Page) -> str:
    """Return the Markdown of several, with an empty line between them."""
    return "\n\n".join(text for node in several if (text := block(node, page)))


def _paragraph(node: nodes.Node, page: Page) -> str:
    text = inline(node, page).strip()
    # what would begin a heading, a list or a quotation
    return re.sub(r"^(\d*)(?=[-+>#.)])", r"\1\\", text)


def _list(node: nodes.Element, page: Page) -> str:
    ordered = isinstance(node, nodes.enumerated_list)
    start = node.get("start", 1)
    tight = all(len(item.children) == 1 for item in node.children)
    items = []
    for number, item in enumerate(node.children, start=start):
        mark = f"{number}. " if ordered else "- "
        items.append(_indented(mark, blocks(item.children, page)))
    return ("\n" if tight else "\n\n").join(items)


def _indented(mark: str, text: str, rest: str = "") -> str:
    first, *more = text.split("\n")
    rest = rest or " " * len(mark)
    return "\n".join([mark + first, *((rest + line).rstrip() for line in more)])


def _literal_block(node: nodes.Element, _: Page) -> str:
    text = node.astext()
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    language = node.get("language", "")
    return f"{fence}{'' if language in ('default', 'none') else language}\n{text}\n{fence}"


def _math_block(node: nodes.Element, page: Page) -> str:
    text = re.sub(r"\n\s*\n", "\n", node.astext().strip())  # an empty line would end it
    if node.get("label"):
        id_ = node["ids"][0]
        text = f"{text} \\tag{{{page.number('displaymath', id_)}}}"
        return f"{anchor([id_])}\n\n$$\n{text}\n$$"
    return f"$$\n{text}\n$$"


def _table(node: nodes.Element, page: Page) -> str:
    rows = list(node.findall(nodes.row))
    if len(list(node.findall(nodes.thead))) != 1 or not rows:
        raise _unknown(node, page)
    lines = [f"| {' | '.join(_entry(entry, page) for entry in row.children)} |" for row in rows]
    sides = [":" if "text-right" in e["classes"] else "" for e in rows[0].children]
    return "\n".join([lines[0], f"|{'|'.join(f'---{side}' for side in sides)}|", *lines[1:]])


def _entry(entry: nodes.Element, page: Page) -> str:
    text = "<br>".join(blocks([child], page) for child in entry.children)
    return re.sub(r"(?<!\\)\|", r"\\|", text)


def _admonition(node: nodes.Element, page: Page) -> str:
    """Return what opens on the page as what opens, and the rest as a quotation."""
    title, rest = nodes.title("", node.tagname.capitalize()), list(node.children)
    if rest and isinstance(rest[0], nodes.title):
        title = rest.pop(0)
    text = blocks(rest, page)
    if "dropdown" in node["classes"]:  # within an element Markdown would not be read
        return f"<details>\n<summary>{escape(title.astext())}</summary>\n\n{text}\n\n</details>"
    return _indented("> ", f"**{inline(title, page)}.**\n\n{text}", "> ")


BLOCKS: Mapping[type[nodes.Node], Callable[[Any, Page], str]] = {
    nodes.paragraph: _paragraph,
    nodes.bullet_list: _list,
    nodes.enumerated_list: _list,
    nodes.literal_block: _literal_block,
    nodes.math_block: _math_block,
    nodes.table: _table,
    nodes.block_quote: lambda node, page: _indented("> ", blocks(node.children, page), "> "),
    nodes.raw: _raw,
    nodes.target: lambda *_: "",  # an equation brings its own
    nodes.Invisible: lambda *_: "",
    nodes.Admonition: _admonition,
}


def _unknown(node: nodes.Node, page: Page) -> ExtensionError:
    shown = re.sub(r"\s+", " ", node.astext())[:60]
    return ExtensionError(
        f"{page.name}: no Markdown for a {type(node).__name__} in the readers' notebook "
        f"({shown!r}). Write it otherwise, or add it to tools/extension/markdown.py."
    )


# --- the page, taken apart ---


@dataclass(frozen=True)
class Piece:
    """A piece of a page: text, or a code cell with what stands under it."""

    cell: int  # the notebook's cell that it comes from
    text: str
    code: bool = False


# MyST-NB counts lines from here in each cell
LINES_PER_CELL = 10_000


def pieces(parent: nodes.Element, page: Page, cell: int = 0) -> Iterator[Piece]:
    """Yield the pieces of a page in their order, without solutions."""
    for node in parent.children:
        if node.get("nb_element") == "cell_code":
            cell = node["cell_index"]
            if _is_of_the_page(node):
                yield Piece(cell, _link_to(page))
                continue
            figures = node.findall(nodes.figure)
            yield Piece(cell, "\n\n".join(caption(one, page) for one in figures), code=True)
        elif "solution" in node["classes"]:
            continue
        elif isinstance(node, nodes.title):
            yield Piece(_cell_of(node, cell), heading(parent, node, page))
        elif isinstance(node, nodes.section) or "exercise" in node["classes"]:
            for piece in pieces(node, page, _cell_of(node, cell)):
                cell = piece.cell
                yield piece
        elif text := block(node, page):
            cell = _cell_of(node, cell)
            yield Piece(cell, text)


def _is_of_the_page(cell: nodes.Element) -> bool:
    """Say whether a cell shows what only a page's script brings to life; a figure is more."""
    shown = [raw for raw in cell.findall(nodes.raw) if not isinstance(raw.parent, nodes.figure)]
    return any("script" in _elements(raw) for raw in shown)


def _cell_of(node: nodes.Element, before: int) -> int:
    """Return the cell that a node was written in; a node without a line belongs to the last."""
    return max(before, (node.line or 0) // LINES_PER_CELL - 1)
