"""The front page's figure: the degradation problem, from recorded runs where there are some."""

import statistics
from collections import defaultdict
from importlib import import_module
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

NETWORKS = ("plain-20", "plain-56", "ResNet-20", "ResNet-56")
Runs = dict[str, list[Any]]  # by network, a run a seed


def runs() -> Runs:
    """Return the recorded runs of the networks, or nothing.

    They are of one data set and one recipe; of several such sets the one of most images is taken,
    and of all only those that hold every network.
    """
    from resnet import recorded

    sets: defaultdict[str, Runs] = defaultdict(dict)
    for run in recorded("reproduce/*/*.json"):
        if run.network in NETWORKS:
            kind = sets[str((sorted(run.data.items()), sorted(run.recipe.items())))]
            kind.setdefault(run.network, []).append(run)
    whole = [found for found in sets.values() if len(found) == len(NETWORKS)]
    longest = max(whole, key=lambda found: sum(found[NETWORKS[0]][0].column("images")), default={})
    return {name: longest[name] for name in NETWORKS if longest}


def drawn() -> tuple[Any, str]:
    """Return the figure and its caption."""
    from resnet import figures, papers

    if found := runs():
        plots = import_module("resnet.reproduce.plots")  # there where such records are
        groups = [{name: found[name] for name in NETWORKS[i : i + 2]} for i in (0, 2)]
        ends = {
            name: statistics.mean(100 * (1 - run.rows[-1]["train_accuracy"]) for run in seeds)
            for name, seeds in found.items()
        }
        count = min(len(seeds) for seeds in found.values())
        last = ", ".join(f"{name} {error:.1f}%" for name, error in ends.items())
        run = found[NETWORKS[0]][0]
        side = run.recipe["image_size"]
        scale = f"{run.recipe['steps']:,} steps of {run.recipe['batch_size']} images"
        scale += f" at {side}×{side} pixels" if side else ""
        return plots.error_curves(*groups), (
            "Training error (thin, dashed) and test error (bold) of networks without and with "
            f"shortcuts, trained for this book with one recipe: {scale}, seeds: {count} or more. "
            f"Training errors at the end: {last}. Data and device: {run.provenance}."
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
