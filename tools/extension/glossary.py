"""The first use of a glossary's term on a page is a link to its definition.

Found by the build instead of marked with a role: in Colab and Jupyter a role is shown as it is
typed, and a term that is added to the glossary later is linked everywhere.
"""

import re
from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

PAGE = "chapters/glossary"
# where a link would be wrong, or is one already
KEPT = (nodes.literal, nodes.reference, nodes.math, nodes.title, nodes.caption, nodes.term)


class Link(SphinxPostTransform):
    """Link first uses in paragraphs."""

    default_priority = 20  # after references are resolved

    def run(self, **_: object) -> None:
        """Link each term once."""
        page = self.env.docname
        if page == PAGE:
            return
        standard = self.env.get_domain("std")
        places = {
            name.lower(): (page_of, label)
            for (kind, name), (page_of, label) in standard.data["objects"].items()
            if kind == "term"
        }
        if not places:
            return
        names = "|".join(sorted(map(re.escape, places), key=len, reverse=True))
        pattern = re.compile(rf"(?<![\w/-])({names})(?:e?s)?(?![\w/-])", re.IGNORECASE)
        linked: set[tuple[str, str]] = set()
        for text in list(self._texts()):
            parts: list[nodes.Node] = []
            end = 0
            for match in pattern.finditer(text):
                page_of, label = place = places[match[1].lower()]
                if place in linked:
                    continue
                linked.add(place)
                uri = f"{self.app.builder.get_relative_uri(page, page_of)}#{label}"
                parts.append(nodes.Text(text[end : match.start()]))
                parts.append(nodes.reference("", match[0], refuri=uri, classes=["term"]))
                end = match.end()
            if parts:
                text.parent.replace(text, [*parts, nodes.Text(text[end:])])

    def _texts(self) -> Iterator[nodes.Text]:
        for paragraph in self.document.findall(nodes.paragraph):
            for text in paragraph.findall(nodes.Text):
                around: nodes.Node | None = text
                while around is not None and not isinstance(around, KEPT):
                    around = around.parent
                if around is None:
                    yield text


def setup(app: Sphinx) -> None:
    """Register the transform."""
    app.add_post_transform(Link)
