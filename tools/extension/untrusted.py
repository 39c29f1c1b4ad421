"""A figure's PNG is for a notebook that its reader's Jupyter does not trust; no page carries it.

myst-nb shows a page the HTML beside it, but would copy the picture into the site all the same.
"""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform


class WithoutPng(SphinxTransform):
    """Take the PNG out of what a cell shows, wherever HTML stands beside it."""

    default_priority = 10  # before Sphinx collects the pictures that pages use

    def apply(self, **_: object) -> None:
        """Look at all outputs of a page."""
        for bundle in list(self.document.findall(nodes.container)):
            if bundle.get("nb_element") != "mime_bundle":
                continue
            forms = {form.get("mime_type"): form for form in bundle.children}
            if "text/html" in forms and "image/png" in forms:
                bundle.remove(forms["image/png"])


def setup(app: Sphinx) -> None:
    """Register the transform."""
    app.add_transform(WithoutPng)
