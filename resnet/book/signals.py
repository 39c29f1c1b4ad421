"""Figures of chapter 6: gradients before and during training, and lesions after it."""

import itertools
import math
from collections.abc import Mapping, Sequence
from statistics import geometric_mean
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogFormatter

from resnet.book.figures import INK, Figure, look, panel, styled
from resnet.translation import _

Rows = Sequence[Mapping[str, Any]]


def _logarithmic(axes: Axes) -> None:
    """Make the vertical axis logarithmic, with plain numbers: the usual ones are mathematics."""
    axes.set(yscale="log")
    axes.yaxis.set_major_formatter(LogFormatter())
    axes.yaxis.set_minor_formatter(LogFormatter())


def rates(rows: Rows) -> dict[tuple[str, str], list[float]]:
    """Return, by form and variant, by what factor each added unit makes the gradient grow.

    Args:
        rows: measurements with `form`, `variant`, `units` and `growth`, a list over seeds, from
            the shallowest network of a kind to the deepest.

    Returns:
        the factor between each depth and the next, from geometric means over the seeds.

    """
    kinds: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for row in rows:
        place = (row["units"], math.log(geometric_mean(row["growth"])))
        kinds.setdefault((row["form"], row["variant"]), []).append(place)
    return {
        kind: [math.exp((g - f) / (n - m)) for (m, f), (n, g) in itertools.pairwise(found)]
        for kind, found in kinds.items()
    }


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
        for i, (form, measured) in enumerate(rows.items()):
            color, line, marker = look(form, i)
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
        _logarithmic(axes)
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
        for i, row in enumerate(measured):
            color, line, _marker = look(row["network"], i)
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


@styled
def during_training(rows: Mapping[str, Rows]) -> Figure:
    """Draw growth, agreement of two batches and of neighbouring points by step, a panel for each.

    Lines are means over the seeds, of lists the median before; bands reach from lowest to highest.

    Args:
        rows: by network, measurements with `steps`, `growth`, and the lists `agreement` and
            `correlation`.

    """
    panels, ends = [], []
    for key, label in (
        ("growth", _("growth of the gradient")),
        ("agreement", _("cosine of two batches' gradients")),
        ("correlation", _("cosine at neighbouring points")),
    ):
        logarithmic = key == "growth"
        canvas, axes = panel(height=3.1)
        told = []
        for i, (name, measured) in enumerate(rows.items()):
            color, line, marker = look(name, i)
            steps = sorted({row["steps"] for row in measured})
            each = np.array(
                [[np.median(row[key]) for row in measured if row["steps"] == n] for n in steps]
            )
            middle = np.exp(np.log(each).mean(1)) if logarithmic else each.mean(1)
            places = range(len(steps))
            axes.plot(places, middle, line, marker=marker, color=color, lw=1.8, label=name)
            axes.fill_between(places, each.min(1), each.max(1), color=color, alpha=0.2, lw=0)
            axes.set_xticks(places, labels=[f"{n:,}" for n in steps])
            told.append(f"{name} {middle[0]:,.2f}, {middle[-1]:,.2f}")
        axes.set(xlabel=_("gradient steps"), ylabel=label)
        if logarithmic:
            _logarithmic(axes)
            axes.yaxis.set_minor_formatter("")
        else:
            axes.set(ylim=(-0.1, 1.05))
        canvas.legend(loc="outside upper center", ncols=1, fontsize=9)
        panels.append(canvas)
        ends.append(f"{label}: {'; '.join(told)}.")
    return Figure(
        panels,
        _(
            "Three panels against the number of gradient steps, a line for each network. Before "
            "the first step, and after the last: {ends}",
            ends=" ".join(ends),
        ),
    )


@styled
def gains(rows: Mapping[str, Rows]) -> Figure:
    """Draw what part of its predicted gain a step gains, by its rate; a panel for each moment.

    Lines are means over the seeds, bands reach from the lowest to the highest.

    Args:
        rows: by network, measurements with `steps` and `gains`, each of these with `rate`,
            `predicted` and `together`.

    """
    panels, ends = [], []
    moments = sorted({row["steps"] for measured in rows.values() for row in measured})
    for moment in moments:
        canvas, axes = panel(height=3.9)
        told = []
        for i, (name, measured) in enumerate(rows.items()):
            color, line, marker = look(name, i)
            steps = [row["gains"] for row in measured if row["steps"] == moment]
            places = [gain["rate"] for gain in steps[0]]
            each = np.array([[g["together"] / g["predicted"] for g in gains] for gains in steps])
            axes.plot(places, each.mean(0), line, marker=marker, color=color, lw=1.8, label=name)
            axes.fill_between(places, each.min(0), each.max(0), color=color, alpha=0.2, lw=0)
            told.append(f"{name} {each.mean(0)[0]:.2f}, {each.mean(0)[-1]:.2f}")
        axes.axhline(0, color=INK, lw=0.8)
        axes.set(xscale="log", ylim=(-0.75, 1.05), xlabel=_("rate of the step"),
                 ylabel=_("gained / predicted"))  # fmt: skip
        axes.set_xticks(places, labels=[f"{rate:g}" for rate in places])
        axes.minorticks_off()
        after = _("after {n:,} steps", n=moment)
        axes.set_title(after, fontsize=10)
        canvas.legend(loc="outside upper center", ncols=2, fontsize=8)
        panels.append(canvas)
        ends.append(f"{after}: {'; '.join(told)}.")
    return Figure(
        panels,
        _(
            "What a step along the gradient gains, as a share of what the gradient predicts, "
            "against the rate of the step, a line for each network, a panel for each moment of "
            "training. With the smallest and with the largest rate, {ends}",
            ends=" ".join(ends),
        ),
    )


@styled
def lesions(rows: Mapping[str, Rows]) -> Figure:
    """Draw the test error without single units, and against the number of units removed.

    Args:
        rows: by network, measurements with `units`, those removed, and `error` in percent.

    """
    singles, axes = panel(height=3.1)
    several, count_axes = panel(height=3.1)
    longest: list[int] = []
    ends = []
    for i, (name, measured) in enumerate(rows.items()):
        color, line, marker = look(name, i)
        one = [row for row in measured if len(row["units"]) == 1]
        axes.plot([row["units"][0] + 1 for row in one], [row["error"] for row in one], marker,
                  color=color, ls="", label=name)  # fmt: skip
        counts = sorted({len(row["units"]) for row in measured})
        errors = [[row["error"] for row in measured if len(row["units"]) == n] for n in counts]
        places = range(len(counts))
        middle = [float(np.median(each)) for each in errors]
        count_axes.plot(places, middle, line, marker=marker, color=color, lw=1.8, label=name)
        count_axes.fill_between(places, list(map(min, errors)), list(map(max, errors)), color=color,
                                alpha=0.2, lw=0)  # fmt: skip
        longest = max(longest, counts, key=len)
        told = ", ".join(f"{n}: {error:.0f}%" for n, error in zip(counts, middle, strict=True))
        ends.append(f"{name}: {told}.")
    count_axes.set_xticks(range(len(longest)), labels=map(str, longest))
    axes.set(xlabel=_("the unit removed"), ylabel=_("test error (%)"), ylim=(0, 100))
    count_axes.set(xlabel=_("units removed"), ylabel=_("test error (%)"), ylim=(0, 100))
    for canvas in (singles, several):
        canvas.legend(loc="outside upper center", ncols=1, fontsize=9)
    return Figure(
        [singles, several],
        _(
            "Test error in percent of trained networks: first by the one unit that is removed, "
            "then by the number removed. Medians by number: {ends}",
            ends=" ".join(ends),
        ),
    )
