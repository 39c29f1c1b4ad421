"""How long a chapter takes: to read, from its length; to run, from the run that made its page."""

import math
import re
from typing import cast

import nbformat
from docutils import nodes
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole

from ..build.execute import DIGEST
from ..build.notebooks import EXERCISES, tags

WORDS = 150  # a minute, of a text with equations
LINES = 20  # of code, a minute


class Reading(SphinxRole):
    """`{reading}chapter`: minutes to read it, in steps of five, without its exercises."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the text."""
        minutes = 0.0
        for cell in self.chapter().cells:
            if EXERCISES in tags(cell):
                break
            if cell.cell_type == "markdown":
                minutes += len(re.findall(r"\w+", cell.source)) / WORDS
            elif not {"hide-input", "remove-cell"} & set(tags(cell)):
                minutes += len(cell.source.splitlines()) / LINES
        return [nodes.Text(f"{5 * max(1, math.ceil(minutes / 5))} min")], []

    def chapter(self) -> NotebookNode:
        """Read the executed copy that the role names."""
        path = f"chapters/{self.text}.ipynb"
        self.env.note_dependency(path)
        return nbformat.read(f"{self.env.srcdir}/{path}", as_version=4)


class Running(Reading):
    """`{running}chapter`: what its run took, under the profile that the foot of the page names."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the text."""
        seconds = cast(float, self.chapter().metadata[DIGEST]["seconds"])
        return [nodes.Text(f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min")], []


def setup(app: Sphinx) -> None:
    """Register the roles."""
    app.add_role("reading", Reading())
    app.add_role("running", Running())
