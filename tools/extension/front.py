"""The front page's figure: the degradation problem, from recorded runs where there are some."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

FORMS = ("plain", "ResNet")


def drawn() -> tuple[Any, str]:
    """Return the figure and its caption."""
    from resnet.book import figures, plots
    from resnet.reproduce import CLAIMS, load_records, papers, verdict
    from resnet.reproduce.checks import values

    found = verdict(CLAIMS["degradation"], load_records())
    rows = {form: [f"{form}-{depth}" for depth in (20, 56)] for form in FORMS}
    if all(found.runs.get(row) for names in rows.values() for row in names):
        ends = {row: values(runs, "train_error") for row, runs in found.runs.items()}
        last = ", ".join(f"{row} {sum(e) / len(e):.1f}%" for row, e in ends.items() if e)
        groups = {form: {row: found.runs[row] for row in names} for form, names in rows.items()}
        return plots.depth_curves(groups), (
            "Training error of networks without and with shortcuts, of 20 and of 56 layers, and "
            "what the greater depth adds to it; all trained for this book with one recipe. At the "
            f"end: {last}. Seeds per network: {found.seeds} of {len(found.planned)} planned. "
            f"{found.conditions}."
        )
    return figures.published_depth(papers.CIFAR_PLAIN, papers.CIFAR_RESIDUAL), (
        f"Published test errors on CIFAR-10 ({papers.CIFAR_RESIDUAL.source}, "
        f"{papers.CIFAR_RESIDUAL.place}; plain networks {papers.CIFAR_PLAIN.note}, "
        f"{papers.CIFAR_PLAIN.place}). Plain networks get worse with depth, networks with "
        "shortcuts better, up to a point."
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
