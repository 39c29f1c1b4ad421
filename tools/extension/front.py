"""The front page's figure: the degradation problem, from recorded runs.

A directive, not a notebook with one cell: a cell's caption is fixed text, while this one has
numbers of the records; and a notebook would need exceptions from what every chapter has, the set-up
cell, the parameters, the section on how it was made, the download and the place in notebooks.zip.
"""

from statistics import fmean
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

FORMS = ("plain", "ResNet")


def drawn() -> tuple[Any, str]:
    """Return the figure and its caption."""
    from resnet.book import plots
    from resnet.reproduce import CLAIMS, load_records, verdict
    from resnet.reproduce.checks import values

    found = verdict(CLAIMS["degradation"], load_records())
    groups = {form: {f"{form}-{n}": found.runs[f"{form}-{n}"] for n in (20, 56)} for form in FORMS}
    ends = [
        f"{name} {fmean(values(runs, 'train_error')):.1f}%"
        for group in groups.values()
        for name, runs in group.items()
    ]
    return plots.depth_curves(groups), (
        "Training error of networks without and with shortcuts, of 20 and of 56 layers, and what "
        "the greater depth adds to it; all trained for this book with one recipe. At the end: "
        f"{', '.join(ends)}. Seeds per network: {found.seeds} of {len(found.planned)} planned. "
        f"{found.conditions}."
    )


class Front(SphinxDirective):
    """`{front-figure} NAME`."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the figure's node."""
        picture, caption = drawn()
        figure = nodes.figure("", nodes.raw("", picture._repr_html_(), format="html"))
        figure += nodes.caption(caption, caption)
        figure["names"].append(self.arguments[0])
        self.state.document.note_explicit_target(figure, figure)
        return [figure]


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("front-figure", Front)
