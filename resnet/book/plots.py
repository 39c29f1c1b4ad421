"""Figures of records over seeds: error by step, layer responses, errors by row of a table."""

import statistics
import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure as Canvas

from resnet.book.figures import BLUE, INK, ORANGE, Figure, look, panel, styled
from resnet.reproduce.checks import values
from resnet.reproduce.gaps import crossing, gaps
from resnet.training.records import Run
from resnet.translation import _

Seeds = Mapping[str, Sequence[Run]]  # by network


def over_seeds(runs: Sequence[Run], column: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps and the errors in percent, (seeds, rows), of an accuracy's column."""
    errors = [[100 * (1 - value) for value in run.column(column)] for run in runs]
    return np.array(runs[0].column("step")), np.array(errors)


def _bands(canvas: Canvas, group: Seeds, column: str) -> dict[str, np.ndarray]:
    """Draw each network's error by step, the mean of its seeds and a band from lowest to highest.

    A network that was not run, or of whose training runs one failed, has no line. Returned are the
    errors, (seeds, rows), of those that have one.
    """
    axes, drawn = canvas.axes[0], {}
    for i, (name, runs) in enumerate(group.items()):
        color, line, _marker = look(name, i)
        if not runs or any("failed" in run.measured for run in runs):
            continue
        steps, errors = over_seeds(runs, column)
        axes.plot(steps, errors.mean(0), line, color=color, lw=1.8, label=name)
        axes.fill_between(steps, errors.min(0), errors.max(0), color=color, alpha=0.25, lw=0)
        drawn[name] = errors
    if drawn:
        columns = 2 if max(map(len, drawn)) < 16 else 1
        canvas.legend(loc="outside upper center", ncols=columns, fontsize=9)
    return drawn


@styled
def errors_by_step(runs: Seeds) -> Figure:
    """Draw the training and the test error of networks by step, a panel for each."""
    panels, ends = [], []
    for column, label in (
        ("train_accuracy", _("training error (%)")),
        ("test_accuracy", _("test error (%)")),
    ):
        canvas, axes = panel(height=3.1)
        axes.set(xlabel=_("gradient steps"), ylabel=label)
        drawn = _bands(canvas, runs, column)
        axes.set_ylim(0, None)
        told = ", ".join(f"{name} {errors.mean(0)[-1]:.1f}" for name, errors in drawn.items())
        ends.append(f"{label} {told or _('no runs yet')}")
        panels.append(canvas)
    return Figure(
        panels,
        _("Error in percent against the gradient steps. At the end: {ends}.", ends="; ".join(ends)),
    )


@styled
def depth_curves(forms: Mapping[str, Seeds]) -> Figure:
    """Draw the training error by step, one panel per form, and the gap between its two depths.

    After 2016a, Fig. 6. Lines are means over the seeds, bands reach from the lowest to the highest;
    a dotted line stands where the deeper network's mean falls below the shallower one's for good.
    A network of whose training runs one failed has no line.

    Args:
        forms: by form, the runs of its shallow and of its deep network.

    """
    panels, ends = [], []
    difference, gap_axes = panel(height=3.1)
    gap_axes.axhline(0, color=INK, lw=0.8)
    top = 0.0
    for i, (form, group) in enumerate(forms.items()):
        gap_color, gap_line, _marker = look(form, i)
        if not any(group.values()):  # nothing of it has been run
            continue
        canvas, axes = panel(height=3.1)
        for name, errors in _bands(canvas, group, "train_accuracy").items():
            top = max(top, errors.max())
            end = f"{errors.mean(0)[-1]:.1f}%"
            ends.append(_("{name}, mean of {n}: {end}.", name=name, n=len(errors), end=end))
        shallow, deep = group.values()
        if found := gaps(deep, shallow):
            steps = np.array(list(found))
            each = np.array(list(found.values()))
            gap_axes.plot(steps, each.mean(1), gap_line, color=gap_color, lw=1.8, label=form)
            gap_axes.fill_between(steps, each.min(1), each.max(1), color=gap_color, alpha=0.2, lw=0)
            if (step := crossing(found)) is not None:
                axes.axvline(step, ls=":", color=INK, lw=1.2)
                below = _("the deeper network is below from step {step:,} on.", step=step)
                ends.append(_("With {form} {below}", form=form, below=below))
        axes.set(xlabel=_("gradient steps"), ylabel=_("training error (%)"))
        panels.append(canvas)
    for canvas in panels:  # one scale for all
        canvas.axes[0].set_ylim(0, 1.05 * top or 1)
    gap_axes.set(xlabel=_("gradient steps"), ylabel=_("deep minus shallow (points)"))
    if gap_axes.get_legend_handles_labels()[1]:
        difference.legend(loc="outside upper center", ncols=2, fontsize=9)
        panels.append(difference)
    alt = _(
        "Training error in percent against the gradient steps, a panel for each form of "
        "the network with two depths in it, and a last panel with the differences "
        "between the depths. At the end: {ends}",
        ends=" ".join(ends) or _("no runs yet"),
    )
    return Figure(panels or [difference], alt)


@styled
def responses(runs: Seeds) -> Figure:
    """Draw the deviation of each layer's response, in order and sorted (2016a, Fig. 7)."""
    means = {
        name: np.mean([run.measured["responses"] for run in seeds], 0)
        for name, seeds in runs.items()
        if seeds and all("responses" in run.measured for run in seeds)
    }
    panels = []
    in_order, by_size = _("layer (1 is the stem)"), _("layers, the largest response first")
    for order, label in ((np.asarray, in_order), (lambda y: -np.sort(-y), by_size)):
        canvas, axes = panel(height=3.1)
        for i, (name, y) in enumerate(means.items()):
            color, line, _marker = look(name, i)
            axes.plot(range(1, len(y) + 1), order(y), line, color=color, label=name)
        axes.set(xlabel=label, ylabel=_("deviation of the response"), ylim=(0, None))
        if means:
            canvas.legend(loc="outside upper center", ncols=2)
        panels.append(canvas)
    ends = ", ".join(f"{name} {y.mean():.2f}" for name, y in means.items()) or _("no runs yet")
    alt = _(
        "Standard deviation of the response of each layer, left in the order of the "
        "layers, right sorted. Means over the layers: {means}.",
        means=ends,
    )
    return Figure(panels, alt)


@styled
def errors_by_row(runs: Seeds, published: Mapping[str, float], published_for: str) -> Figure:
    """Draw the test error of each row: here, one dot per seed and a line at the mean; published.

    Args:
        runs: by row of the paper's table.
        published: in percent; rows that are missing stay empty.
        published_for: the published axis's label.

    """
    errors = {row: values(seeds, "test_error") for row, seeds in runs.items()}
    rows = list(errors)
    here = _dots(rows, _("here: test error (%)"))
    for y, row in enumerate(rows):
        if errors[row]:
            here.axes[0].plot(errors[row], [y] * len(errors[row]), "o", color=BLUE, ms=5, alpha=0.7)
            here.axes[0].plot(statistics.fmean(errors[row]), y, "|", color=INK, ms=16, mew=2)
    panels = [here] if any(errors.values()) or not published else []
    if published:
        there = _dots(rows, published_for)
        for y, row in enumerate(rows):
            if row in published:
                there.axes[0].plot(published[row], y, "D", color=ORANGE, ms=5)
        panels.append(there)
    ends = ", ".join(f"{row} {statistics.fmean(e):.2f}" for row, e in errors.items() if e)
    alt = _(
        "Test errors of {n} networks, one dot per seed. Means in percent: {means}.",
        n=len(rows),
        means=ends or _("no runs yet"),
    )
    return Figure(panels, alt)


def _dots(rows: Sequence[str], label: str) -> Canvas:
    canvas, axes = panel(height=0.9 + 0.38 * len(rows))
    names = [row.replace(" ", "\n", 1) if len(row) > 16 else row for row in rows]
    axes.set_yticks(range(len(rows)), names, fontsize=9)
    lines = textwrap.wrap(label, 28)
    lines += [" "] * (2 - len(lines))  # as many in both panels, so that their rows are level
    axes.set(xlabel="\n".join(lines), ylim=(len(rows) - 0.5, -0.5))
    return canvas
