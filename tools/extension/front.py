"""The front page's figure: the degradation problem, from recorded runs where there are some."""

from collections import defaultdict
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

NETWORKS = ("plain-20", "plain-56", "ResNet-20", "ResNet-56")


def runs() -> dict[str, Any]:
    """Return one recorded run of each of the networks, or nothing.

    They are of one data set, one recipe and the first seed; of several such sets the longest.
    """
    from resnet import recorded

    sets: defaultdict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    for run in recorded("reproduce/*/*-seed0.json"):
        if run.network in NETWORKS:
            sets[str(sorted(run.data.items())), str(sorted(run.recipe.items()))][run.network] = run
    whole = [found for found in sets.values() if len(found) == len(NETWORKS)]
    longest = max(whole, key=lambda found: sum(found[NETWORKS[0]].column("images")), default={})
    return {name: longest[name] for name in NETWORKS if longest}


def drawn() -> tuple[Any, str]:
    """Return the figure and its caption."""
    from resnet import figures, papers

    if found := runs():
        where = next(iter(found.values())).provenance
        return figures.curves(found), (
            "Four networks of one recipe, trained for this book. Without shortcuts 56 layers do "
            f"worse than 20, on the training images as well; with shortcuts they do not. ({where}.)"
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
        self.add_name_to(figure)
        return [figure]

    def add_name_to(self, figure: nodes.figure) -> None:
        """Make it a target for references."""
        figure["names"].append(self.arguments[0])
        self.state.document.note_explicit_target(figure, figure)


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("front-figure", Front)
