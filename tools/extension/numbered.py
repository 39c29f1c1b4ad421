"""Numbered tables, and lists of all figures and tables.

MyST-NB makes a figure of an output that has `mystnb.figure` in its cell's metadata. Where the name
there starts with "tab-", it becomes a table: counted as one, its caption above it.
"""

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

from ..build.pictures import TABLE


class Tabular(nodes.figure):
    """A captioned table from a cell's output."""


class numbered_list(nodes.General, nodes.Element):
    """Where the list of all figures or tables goes."""


class MakeTables(SphinxTransform):
    """Turn figures that are tables into tables, before anything is numbered."""

    default_priority = 400

    def apply(self, **_: object) -> None:
        """Replace the nodes."""
        for figure in list(self.document.findall(nodes.figure)):
            if any(name.startswith(TABLE) for name in figure["names"]):
                table = Tabular("", *figure.children, **figure.attributes)
                table["classes"].append("tabular")
                figure.replace_self(table)
                self.document.ids.update(dict.fromkeys(table["ids"], table))  # for numref


class Index(SphinxDirective):
    """`{numbered-list} figure` or `table`: all of the book, with their numbers."""

    required_arguments = 1
    kinds: ClassVar = {"figure": (nodes.figure, "Fig."), "table": (Tabular, "Table")}

    def run(self) -> list[nodes.Node]:
        """Leave the place; the numbers are known when all pages are read."""
        if (kind := self.arguments[0]) not in self.kinds:
            raise self.error(f"numbered-list of {kind!r}; it can be {' or '.join(self.kinds)}")
        return [numbered_list(kind=kind)]


class FillIndex(SphinxPostTransform):
    """Put the lists into their places."""

    default_priority = 5  # before references are resolved

    def run(self, **_: object) -> None:
        """Replace each place by a list."""
        for place in list(self.document.findall(numbered_list)):
            items = nodes.bullet_list("", *self._items(place["kind"]))
            place.replace_self(items if items.children else nodes.paragraph("", "None yet."))
            math = self.env.get_domain("math").data["has_equations"]
            math[self.env.docname] = any(self.document.findall(nodes.math))  # loads MathJax

    def _items(self, kind: str) -> Iterator[nodes.Node]:
        class_, word = Index.kinds[kind]
        for page in self._pages():
            numbers = self.env.toc_fignumbers.get(page, {}).get(kind, {})
            for node in self.env.get_doctree(page).findall(class_):
                captions = [child for child in node.children if isinstance(child, nodes.caption)]
                if type(node) is class_ and captions and node["ids"][0] in numbers:
                    number = ".".join(map(str, numbers[node["ids"][0]]))
                    uri = self.app.builder.get_relative_uri(self.env.docname, page)
                    link = nodes.reference("", f"{word} {number}", internal=True)
                    link["refuri"] = f"{uri}#{node['ids'][0]}"
                    line = nodes.paragraph("", "", link, nodes.Text(" "), *sentence(captions[0]))
                    yield nodes.list_item("", line)

    def _pages(self) -> Iterator[str]:
        """Return all pages in the order of the table of contents."""
        waiting = [self.config.root_doc]
        while waiting:
            page = waiting.pop(0)
            yield page
            waiting = [*self.env.toctree_includes.get(page, []), *waiting]


# a full stop that ends a sentence, and not "et al.", "Fig. 2" or "e.g."
END = re.compile(r"(?<!\bal)(?<!\bFig)(?<!\bSec)(?<!\bEq)(?<!\.\w)\.(?= |$)")


def sentence(caption: nodes.caption) -> Iterator[nodes.Node]:
    """Yield a caption's first sentence; references in it are resolved as those of its page."""
    for child in caption.children:
        if isinstance(child, nodes.Text) and (end := END.search(child)):
            yield nodes.Text(child[: end.end()])
            return
        copied = child.deepcopy()
        for element in copied.findall(nodes.Element):
            element["ids"] = []  # unique on their own page, not among copies from several
        yield copied


def _title(node: nodes.Node) -> str:
    return next(c.astext() for c in node.children if isinstance(c, nodes.caption))


def _visit(translator: Any, node: nodes.Node) -> None:
    translator.visit_figure(node)


def _depart(translator: Any, node: nodes.Node) -> None:
    translator.depart_figure(node)


def setup(app: Sphinx) -> None:
    """Register nodes, directive and transforms."""
    app.add_enumerable_node(Tabular, "table", _title, html=(_visit, _depart))
    app.add_node(numbered_list)
    app.add_directive("numbered-list", Index)
    app.add_transform(MakeTables)
    app.add_post_transform(FillIndex)
