"""Figures of untrained networks and of first steps: how the gradient grows, and what it says."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import LogFormatter

from resnet.book.figures import LINES, Figure, panel, styled
from resnet.translation import _

Rows = Sequence[Mapping[str, Any]]


@styled
def growth_by_depth(rows: Mapping[str, Rows], fits: Mapping[str, Any]) -> Figure:
    """Draw the gradient's growth against the number of units, on axes where each law is a line.

    Args:
        rows: by form, measurements with `units` and `growth`, a list over seeds.
        fits: by form, a fit of log growth with `slope` and `intercept`, as scipy's `linregress`
            has it: against the units for plain networks, against their logarithm for others.

    """
    panels, ends = [], []
    for straight in (False, True):  # over the logarithm of the units?
        canvas, axes = panel(height=3.1)
        for (form, measured), (color, line, marker) in zip(rows.items(), LINES, strict=False):
            units = np.array([row["units"] for row in measured])
            each = np.array([row["growth"] for row in measured])
            middle = np.exp(np.log(each).mean(1))
            axes.plot(units, middle, marker, color=color, ls="", label=form)
            axes.vlines(units, each.min(1), each.max(1), color=color, lw=1.2)
            of_power = form != "plain"
            fine = np.geomspace(units.min(), units.max(), 60)
            x = np.log(fine) if of_power else fine
            axes.plot(fine, np.exp(fits[form].intercept + fits[form].slope * x), line, color=color,
                      lw=1.2)  # fmt: skip
            if not straight:
                ends.append(
                    _("{form}: {first:.0f} with {few} units, {last:,.0f} with {many}.", form=form,
                      first=middle[0], few=units[0], last=middle[-1], many=units[-1])
                )  # fmt: skip
        axes.set(yscale="log")
        for formatter in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
            formatter(LogFormatter())  # the usual one writes mathematics
        axes.set(xlabel=_("residual units"), ylabel=_("growth of the gradient"))
        if straight:
            axes.set(xscale="log", ylim=(1, 2000))
            axes.set_xticks(units, labels=map(str, units))
            axes.minorticks_off()
        canvas.legend(loc="outside upper center", ncols=1, fontsize=9)
        panels.append(canvas)
    return Figure(
        panels,
        _(
            "Growth of the gradient against the number of units, on a logarithmic axis; in the "
            "first panel the units are on an even axis, where the plain networks lie on a straight "
            "line; in the second on a logarithmic one, cut off above 2000, where the other two do. "
            "{ends}",
            ends=" ".join(ends),
        ),
    )


@styled
def correlations(rows: Mapping[str, Rows]) -> Figure:
    """Draw how alike the input's gradients are, by their distance on a line; a panel per form.

    Args:
        rows: by form, measurements with `network` and `correlation`, a list of curves over seeds.

    """
    panels, ends = [], []
    for measured in rows.values():
        canvas, axes = panel(height=3.0)
        for row, (color, line, _marker) in zip(measured, LINES, strict=False):
            curves = np.array(row["correlation"])
            share = np.linspace(0, 1, curves.shape[1])
            axes.plot(share, curves.mean(0), line, color=color, lw=1.8, label=row["network"])
            axes.fill_between(share, curves.min(0), curves.max(0), color=color, alpha=0.2, lw=0)
            value = curves.mean(0)[1]
            ends.append(f"{row['network']} {value:.2f}")
        axes.set(xlabel=_("distance along the line"), ylabel=_("cosine of the gradients"),
                 ylim=(-0.3, 1.05), xlim=(0, 0.2))  # fmt: skip
        canvas.legend(loc="outside upper center", ncols=1, fontsize=9)
        panels.append(canvas)
    return Figure(
        panels,
        _(
            "Mean cosine between the input's gradients at two points of a line between two images, "
            "against their distance as a share of the line, a panel for each form. At neighbouring "
            "points: {ends}.",
            ends=", ".join(ends),
        ),
    )
