"""Figures that react: a still figure, and beside it the data that `_static/reacting.js` draws.

Where no script runs (a notebook, an editor, print) the still figure stands. The script knows
nothing of networks: the controls, what is drawn for each choice, and the sentences all come from
here, computed from records.
"""

import itertools
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import geometric_mean
from typing import Any

from matplotlib.figure import Figure as Canvas

from resnet.book.figures import INK, LINES, PURPLE, Figure, look, panel, styled
from resnet.reproduce import settings
from resnet.reproduce.gaps import crossing, gaps
from resnet.training.records import Run, results
from resnet.translation import _

DASHES = {"-": "", "--": "6 3", "-.": "8 2 1.5 2", ":": "1.5 2.5"}  # of SVG, for matplotlib's
FORMS = {
    "plain": _("plain"),
    "ResNet": _("original"),
    "pre-activation ResNet": _("pre-activation"),
}
DEPTHS = (20, 56)
Look = tuple[str, str, str]
Mark = tuple[float, str]
ERRORS = {"train_accuracy": _("training error"), "test_accuracy": _("test error")}


@dataclass(frozen=True)
class Control:
    """Something to choose: `options` are (value, text); a slider where they are numbers."""

    label: str
    options: Sequence[tuple[str, str]]
    start: str
    slider: bool = False


@dataclass(frozen=True)
class Line:
    """A curve and its look (colour, line, marker); with `low` and `high` it is points with bars."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    look: Look
    low: Sequence[float] = ()
    high: Sequence[float] = ()


@dataclass(frozen=True)
class Panel:
    """Axes with their limits and what is on them; on a logarithmic axis limits are powers of 10."""

    x: str
    y: str
    across: tuple[float, float]
    up: tuple[float, float]
    lines: Sequence[Line]
    log: bool = False


@dataclass(frozen=True)
class View:
    """What one choice shows: panels by number, on each the marked x, and what is said of it.

    A mark is an x and the colour of the line that it belongs to, or "".
    """

    panels: Sequence[int]
    marks: Sequence[Sequence[Mark]]
    says: Sequence[str]
    sources: Sequence[str] = field(default=())


class Reacting(Figure):
    """A figure with controls; still, it is what the controls show at first.

    Args:
        controls: by name.
        panels: that views show.
        views: for each choice, the values of the controls in their order, joined by "|".

    """

    def __init__(
        self, controls: Mapping[str, Control], panels: Sequence[Panel], views: Mapping[str, View]
    ) -> None:
        self.controls, self.drawn, self.views = controls, panels, views
        first = views["|".join(control.start for control in controls.values())]
        still = [_still(panels[i], at) for i, at in zip(first.panels, first.marks, strict=True)]
        super().__init__(still, " ".join(first.says))

    def _repr_html_(self) -> str:
        lines = [{**asdict(panel), "lines": [_styled_line(line) for line in panel.lines]}
                 for panel in self.drawn]  # fmt: skip
        content = {
            "controls": {name: asdict(control) for name, control in self.controls.items()},
            "panels": lines,
            "views": {key: asdict(view) for key, view in self.views.items()},
            "words": {
                "picture": _("Curves for the choice above; what they show is said below."),
                "values": _("The values as tables"),
                "sources": _("Records"),
            },
        }
        data = json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace(
            "<", r"\u003c"
        )
        return (
            f'<div class="reacting">{super()._repr_html_()}'
            f'<script type="application/json">{data}</script></div>'
        )


def _styled_line(line: Line) -> dict[str, Any]:
    content = asdict(line)
    color, dash, marker = content.pop("look")
    return {**content, "color": color, "dash": DASHES[dash], "marker": marker}


@styled
def _still(spec: Panel, marks: Iterable[Mark]) -> Canvas:
    """Draw a panel for a page without script."""
    canvas, axes = panel(height=3.1)
    for line in spec.lines:
        color, dash, marker = line.look
        bars = bool(line.low)
        axes.plot(line.x, line.y, marker if bars else dash, color=color, lw=1.8, label=line.label)
        if bars:
            axes.vlines(line.x, line.low, line.high, color=color, lw=1.2)
    if spec.up[0] < 0:
        axes.axhline(0, color=INK, lw=0.8)
    for x, color in marks:
        axes.axvline(x, ls=":", color=color or INK, lw=1.2)
    axes.set(xlabel=spec.x, ylabel=spec.y, xlim=spec.across, ylim=spec.up)
    if spec.log:
        axes.set_yscale("log")
        powers = range(round(math.log10(spec.up[0])), round(math.log10(spec.up[1])) + 1, 2)
        axes.set_yticks([10.0**n for n in powers], [f"1e{n}" for n in powers])
        axes.minorticks_off()
    if spec.lines:
        canvas.legend(loc="outside upper center", ncols=1, fontsize=9)
    return canvas


def depth_records() -> dict[str, Run]:
    """Return the records of the depth setting that chapter 7 judges, by their files' names."""
    root, setting = results(), settings.DEPTH
    found = {
        f"results/{path.relative_to(root).as_posix()}": Run.load(path)
        for path in sorted(root.glob(f"reproduce/{setting.folder}*/*.json"))
    }
    return {
        name: run
        for name, run in found.items()
        if run.recipe == setting.recipe.describe()
        and run.settings["precision"] == setting.precision
        and run.seed in setting.seeds
    }


def depths(records: Mapping[str, Run]) -> Reacting:
    """Show the errors of networks of two depths by step, one record a curve, and their difference.

    Forms, seeds and data without any record are not offered; where a network has not run with a
    seed, the figure says so.

    Args:
        records: by the names of their files, of one recipe.

    Raises:
        ValueError: if there is no record of a network that the figure is about.

    """
    found: dict[tuple[str, str, int, int], tuple[str, Run]] = {}
    for name, run in records.items():
        for form, n in itertools.product(FORMS, DEPTHS):
            if run.network == settings.DEPTH.network(f"{form}-{n}"):
                found.setdefault((run.data_name, form, run.seed, n), (name, run))
    if not found:
        names = ", ".join(sorted({run.network for run in records.values()})) or "none"
        raise ValueError(
            f"records has no network that is one of {', '.join(FORMS)} with {DEPTHS[0]} or "
            f"{DEPTHS[1]} layers (it has {names}): "
            "`python -m resnet reproduce degradation --scale cpu` makes them"
        )
    data = sorted({key[0] for key in found})
    forms = [form for form in FORMS if any(key[1] == form for key in found)]
    seeds = sorted({key[2] for key in found})
    shown_layers = [("both", _("both")), *((str(n), str(n)) for n in DEPTHS)]
    whole = [key[:3] for key in found if all((*key[:3], n) in found for n in DEPTHS)]
    of_residual = [key for key in whole if key[1] != "plain"]
    start = next(iter([*of_residual, *whole, *[key[:3] for key in found]]))
    controls = {
        "data": Control(_("Data"), [(name, name) for name in data], start[0]),
        "form": Control(_("Form"), [(form, FORMS[form]) for form in forms], start[1]),
        "layers": Control(_("Layers"), shown_layers, "both"),
        "seed": Control(_("Seed"), [(str(seed), str(seed)) for seed in seeds], str(start[2])),
    }
    panels: list[Panel] = []
    views = {}
    scale = _scale(found)
    for of, form, (shown, _text), seed in itertools.product(data, forms, shown_layers, seeds):
        chosen = DEPTHS if shown == "both" else (int(shown),)
        runs = {n: found.get((of, form, seed, n)) for n in chosen}
        view, drawn = _depth_view(form, seed, runs, scale, len(panels))
        panels += drawn
        views[f"{of}|{form}|{shown}|{seed}"] = view
    return Reacting(controls, panels, views)


Found = tuple[str, Run] | None  # a file's name and its record


def _errors(run: Run, column: str) -> list[float]:
    return [round(100 * (1 - value), 2) for value in run.column(column)]


def _scale(found: Mapping[tuple[str, str, int, int], tuple[str, Run]]) -> dict[str, float]:
    """Return limits that hold for every choice, so that curves can be compared between choices."""
    runs = {key: run for key, (_name, run) in found.items()}
    differences = [
        gap
        for key, run in runs.items()
        if key[3] == DEPTHS[1] and (shallow := runs.get((*key[:3], DEPTHS[0])))
        for column in ERRORS
        for each in gaps([run], [shallow], column).values()
        for gap in each
    ]
    tops = [max(_errors(run, column)) for run in runs.values() for column in ERRORS if run.rows]
    return {
        "steps": max(run.rows[-1]["step"] for run in runs.values() if run.rows),
        "error": 10 * math.ceil(max(tops) / 10),
        "low": min(-5, 5 * math.floor(min(differences, default=0) / 5)),
        "high": max(5, 5 * math.ceil(max(differences, default=0) / 5)),
    }


def _depth_view(
    form: str, seed: int, runs: Mapping[int, Found], scale: Mapping[str, float], before: int
) -> tuple[View, list[Panel]]:
    """Return what is shown of one form and seed; its panels get the numbers from `before` on."""
    there = {n: found[1] for n, found in runs.items() if found}
    across = (0, scale["steps"])
    panels = [
        Panel(_("gradient steps"), f"{words} (%)", across, (0, scale["error"]),
              [Line(f"{form}-{n}", run.column("step"), _errors(run, column), look(f"{form}-{n}", 0))
               for n, run in there.items()])
        for column, words in ERRORS.items()
    ]  # fmt: skip
    says: list[str] = []
    marks: list[list[Mark]] = [[] for _panel in panels]
    for n, found in runs.items():
        name = f"{form}-{n}"
        if found is None:
            says.append(_("{name} has not run with seed {seed}.", name=name, seed=seed))
            continue
        run = found[1]
        if "failed" in run.measured:
            says.append(_("{name}, seed {seed}: the training failed.", name=name, seed=seed))
        if run.rows:
            ends = [f"{words} {_errors(run, column)[-1]:.1f}%" for column, words in ERRORS.items()]
            says.append(
                _("{name}, seed {seed}, at step {step:,}: {ends}.", name=name, seed=seed,
                  step=run.rows[-1]["step"], ends=", ".join(ends))
            )  # fmt: skip
    if len(there) == len(DEPTHS):
        shallow, deep = (there[n] for n in DEPTHS)
        lines: list[Line] = []
        crossed: list[Mark] = []
        gap_looks = (look(form, 0), (PURPLE, "--", "s"))
        for gap_look, (column, words) in zip(gap_looks, ERRORS.items(), strict=True):
            by_step = gaps([deep], [shallow], column)
            if not by_step:
                continue
            values = [each[0] for each in by_step.values()]
            rounded = [round(value, 2) for value in values]
            lines.append(Line(words, list(by_step), rounded, gap_look))
            step = crossing(by_step)
            crossed += [(step, gap_look[0])] if step is not None else []
            says.append(_said_of_gap(words, values, step))
        up = (scale["low"], scale["high"])
        label = _("{deep} minus {shallow} layers (points)", deep=DEPTHS[1], shallow=DEPTHS[0])
        panels.append(Panel(_("gradient steps"), label, across, up, lines))
        marks.append(crossed)
    sources = [_source(*found) for found in runs.values() if found]
    return View([before + i for i in range(len(panels))], marks, says, sources), panels


def _said_of_gap(words: str, values: Sequence[float], step: int | None) -> str:
    """Say where a difference between two depths ends, and where it falls below zero."""
    if step is not None:
        where = _("it is below zero for good from step {step:,} on", step=step)
    elif all(value < 0 for value in values):
        where = _("it is below zero at every mark")
    else:
        where = _("it does not end below zero")
    return _(
        "The greater depth changes the {error} by {first:+.1f} points at the first mark, by "
        "{last:+.1f} at the last; {where}.",
        error=words, first=values[0], last=values[-1], where=where,
    )  # fmt: skip


def _source(name: str, run: Run) -> str:
    return _(
        "{name}: {data}; {device}; commit {commit}; {date}",
        name=name, data=run.data_name, device=run.machine["device"], commit=run.commit,
        date=run.date[:10],
    )  # fmt: skip


def factors(record: Mapping[str, Any], gamma: float) -> Reacting:
    """Show the growth by the factor on every shortcut and the number of units, and the argument's.

    Args:
        record: of `tools/make_signals.py`: rows with `factor`, `units` and `growth` over seeds.
        gamma: what the layers of a branch do to the square of a gradient.

    """
    rows = {(row["factor"], row["units"]): row["growth"] for row in record["rows"]}
    every, counts = sorted({key[0] for key in rows}), sorted({key[1] for key in rows})
    top = max(itertools.chain.from_iterable(rows.values()))
    up = (1.0, 10.0 ** math.ceil(math.log10(top)))

    def lines(keys: Sequence[tuple[float, int]], x: Sequence[float]) -> list[Line]:
        measured = [rows[key] for key in keys]
        return [
            Line(_("measured"), x, [_digits(geometric_mean(found)) for found in measured], LINES[0],
                 [_digits(min(found)) for found in measured],
                 [_digits(max(found)) for found in measured]),
            Line(_("argument"), x, [_digits(argued(*key, gamma)) for key in keys], LINES[1]),
        ]  # fmt: skip

    growth = _("growth of the gradient")
    by_count = [
        Panel(_("residual units"), growth, (0, 1.05 * counts[-1]), up,
              lines([(factor, n) for n in counts], counts), log=True)
        for factor in every
    ]  # fmt: skip
    by_factor = [
        Panel(_("factor on the shortcut"), growth, (0, 1.05 * every[-1]), up,
              lines([(factor, n) for factor in every], every), log=True)
        for n in counts
    ]  # fmt: skip
    views = {}
    for (i, factor), (j, n) in itertools.product(enumerate(every), enumerate(counts)):
        found = rows[factor, n]
        says = [
            _("Factor {factor:g} on every shortcut, {n} units.", factor=factor, n=n),
            _("The direct term of the gradient, over the {passed} shortcuts from the last unit's "
              "input to the first's: {term:.2g}.", passed=n - 1, term=factor ** (n - 1)),
            _("The growth that is measured: {middle:.3g} (over {seeds} seeds {low:.3g} to "
              "{high:.3g}); by the argument: {argued:.3g}.", middle=geometric_mean(found),
              seeds=len(found), low=min(found), high=max(found), argued=argued(factor, n, gamma)),
        ]  # fmt: skip
        source = _(
            "results/why-factors.json: {device}; commit {commit}; {date}; seeds 0 to {last}",
            device=record["machine"]["device"], commit=record["commit"], date=record["date"],
            last=len(found) - 1,
        )  # fmt: skip
        views[f"{factor:g}|{n}"] = View(
            [i, len(every) + j], [[(n, "")], [(factor, "")]], says, [source]
        )
    start = max(n for n in counts if n <= 27)
    controls = {
        "factor": Control(_("Factor on every shortcut"),
                          [(f"{f:g}", f"{f:g}") for f in every], "0.9", slider=True),
        "units": Control(_("Residual units"), [(str(n), str(n)) for n in counts], str(start),
                         slider=True),
    }  # fmt: skip
    return Reacting(controls, [*by_count, *by_factor], views)


def argued(factor: float, units: int, gamma: float) -> float:
    """Return the growth from the last of so many units' input to the first's, by chapter 6.

    A unit whose input has the variance v multiplies the gradient's square by factor² + gamma / v;
    the first v is 1, and the next is factor² v + 1.
    """
    square, variance = 1.0, 1.0
    for _unit in range(units - 1):
        square *= factor**2 + gamma / variance
        variance = factor**2 * variance + 1
    return math.sqrt(square)


def _digits(value: float) -> float:
    """Round to three digits."""
    return float(f"{value:.3g}")
