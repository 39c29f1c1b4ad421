"""Figures: records and numbers in, pictures with a text alternative out.

A figure is one or more panels that stand side by side on a wide page and below one another on a
phone. Text and axes take the page's colour, so that a figure reads on light and dark; the other
colours are near Okabe and Ito's, told apart by colour-blind readers, and never the only
distinction. Words go through `_`, so that they can be translated.
"""

import html
import io
import itertools
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import LogFormatter, MaxNLocator
from PIL import Image
from torch import Tensor

from resnet.reproduce.papers import Published
from resnet.training.records import Run
from resnet.translation import _

INK = "#010203"  # stands for the page's text colour
BLUE, ORANGE, GREEN, PURPLE = "#2b83c6", "#d55e00", "#009e73", "#b9609a"
LINES = ((BLUE, "-", "o"), (ORANGE, "--", "s"), (GREEN, "-.", "^"), (PURPLE, ":", "D"))
# a network looks the same in every figure: its form has a colour and a marker, its depth a stroke
FORM_LOOKS = {"plain": (BLUE, "o"), "ResNet": (ORANGE, "s"), "pre-activation ResNet": (GREEN, "^")}
STROKES = {"20": "--", "56": "-", "110": ":"}

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a dollar in a name is a dollar
    "svg.hashsalt": "resnet",
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "lines.markersize": 4,
    **{f"{part}.color": INK for part in ("text", "grid", "xtick", "ytick")},
    **{f"axes.{part}color": INK for part in ("edge", "label", "title")},
}
styled = mpl.rc_context(STYLE)  # decorates every function that draws

Numbers = Sequence[float] | np.ndarray
Series = Mapping[str, tuple[Numbers, Numbers]]  # a name and its x and y


class Figure:
    """Panels with a text alternative; Jupyter shows them as HTML with inline SVG.

    JupyterLab takes SVG out of the HTML of a notebook that it does not trust, and shows the PNG.
    """

    def __init__(self, panels: Sequence[Canvas], alt: str) -> None:
        self.panels = panels
        self.svg, self.alt = "".join(map(_svg, panels)), alt

    def _repr_mimebundle_(self, **_kwargs: object) -> dict[str, str | bytes]:
        """Return the figure in three forms; a page or an editor shows the first that it can."""
        return {
            "text/html": self._repr_html_(),
            "image/png": _png(self.panels),
            "text/plain": self.alt,
        }

    def _repr_html_(self) -> str:
        label = html.escape(self.alt, quote=True)
        style = "display:flex;flex-wrap:wrap;gap:1rem;justify-content:center;align-items:flex-start"
        return f'<div role="img" aria-label="{label}" style="{style}">{self.svg}</div>'

    def __repr__(self) -> str:
        return self.alt


def panel(width: float = 3.75, height: float = 2.8) -> tuple[Canvas, Axes]:
    """Make an empty panel; 3.75 inches are 360 pixels, a phone's width."""
    canvas = Canvas((width, height), layout="constrained")
    return canvas, canvas.add_subplot()


@styled
def _svg(canvas: Canvas) -> str:
    buffer = io.StringIO()
    canvas.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'(<g) id="[^"]*"| id="image[^"]*"', r"\1", text)  # nothing refers to these
    mark = f"p{zlib.crc32(text.encode()):08x}"  # two panels may have markers of one name
    text = re.sub(r'\bid="|url\(#|href="#', rf"\g<0>{mark}", text)
    text = text[text.index("<svg") :].replace(INK, "currentColor")
    pixels = round(96 * canvas.get_figwidth())
    style = f"flex:1 1 {min(pixels, 280)}px;max-width:{round(1.2 * pixels)}px;height:auto"
    size = r'width="[^"]*" height="[^"]*"'
    return re.sub(size, f'style="{style}" aria-hidden="true"', text, count=1)


@styled
def _png(panels: Sequence[Canvas]) -> bytes:
    """Draw panels on white, side by side as far as `inches` go, the others in rows below."""
    dpi, inches = 110, 8.0
    rows: list[list[np.ndarray]] = []
    for canvas in panels:
        drawn = io.BytesIO()
        canvas.savefig(drawn, format="png", dpi=dpi, facecolor="white")
        pixels = np.asarray(Image.open(drawn).convert("RGB"))
        if not rows or sum(p.shape[1] for p in (*rows[-1], pixels)) > inches * dpi:
            rows.append([])
        rows[-1].append(pixels)
    tall = [max(p.shape[0] for p in row) for row in rows]
    wide = max(sum(p.shape[1] for p in row) for row in rows)
    whole = np.full((sum(tall), wide, 3), 255, np.uint8)
    for row, top in zip(rows, np.cumsum([0, *tall]), strict=False):
        for p, left in zip(row, np.cumsum([0, *(p.shape[1] for p in row)]), strict=False):
            whole[top : top + p.shape[0], left : left + p.shape[1]] = p
    encoded = io.BytesIO()
    Image.fromarray(whole).quantize(64).save(encoded, "PNG", optimize=True)  # a third of the bytes
    return encoded.getvalue()


def look(name: str, i: int) -> tuple[str, str, str]:
    """Return colour, line and marker of the i-th series, which may be a network or a form.

    A network with something else about it, said behind a comma, is dotted.
    """
    color, line, marker = LINES[i % len(LINES)]
    plain_name, _comma, variant = name.partition(", ")
    form, _dash, depth = plain_name.rpartition("-")
    color, marker = FORM_LOOKS.get(form if depth.isdigit() else name, (color, marker))
    dotted = variant and depth.isdigit()
    return color, ":" if dotted else STROKES.get(depth, line), marker


def _lines(series: Series, x_label: str, y_label: str, *, markers: bool = True) -> Canvas:
    canvas, axes = panel()
    for i, (name, (x, y)) in enumerate(series.items()):
        color, line, marker = look(name, i)
        axes.plot(x, y, line, color=color, marker=marker if markers else "", label=name)
    axes.set(xlabel=x_label, ylabel=y_label)
    if markers:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    canvas.legend(loc="outside upper center", ncols=2)
    return canvas


@styled
def nested_classes() -> Figure:
    """Draw six growing function classes, not nested and nested, and the function wanted."""
    rng = np.random.default_rng(4)
    angles = np.linspace(0, 2 * np.pi, 80)
    drift = np.array([(0, 0), (0.5, 0.35), (0.9, 0.75), (0.35, -0.2), (-0.2, 0.2), (-0.75, -0.5)])
    panels = []
    for nested, centres in ((False, drift), (True, np.zeros((6, 2)))):
        canvas, axes = panel(3.0, 3.0)
        for i, centre in enumerate(centres):
            wobble = sum(
                rng.normal(0, 0.03) * np.sin(k * angles + rng.uniform(0, 6)) for k in (2, 3)
            )
            radius = (0.42 + 0.28 * i) * (1 + wobble)
            x, y = centre[0] + radius * np.cos(angles), centre[1] + radius * np.sin(angles)
            axes.fill(x, y, color=BLUE, alpha=0.12)
            axes.plot(x, y, color=BLUE, lw=1)
            at = 60 if nested else (5, 12, 18, 68, 30, 45)[i]
            axes.annotate(f"F{i + 1}", (x[at], y[at]), ha="center", va="bottom", fontsize=9)
        axes.plot(1.75, 1.75, "*", color=ORANGE, ms=12)
        axes.annotate("f*", (1.85, 1.95), fontsize=12)
        title = _("nested") if nested else _("not nested")
        axes.set(title=title, aspect="equal", xlim=(-2.7, 2.5), ylim=(-2.7, 2.5))
        axes.axis("off")
        panels.append(canvas)
    alt = _(
        "Two drawings of six growing regions F1 to F6 and a star, the function f* that "
        "we want. Left, not nested: the regions wander, and the largest, F6, is farther "
        "from the star than F3. Right, nested: each region holds the one before, and "
        "each comes closer to the star or stays as close."
    )
    return Figure(panels, alt)


@styled
def step_fits(x: np.ndarray, target: np.ndarray, fits: Mapping[int, np.ndarray]) -> Figure:
    """Draw a target and, a panel each, its best step functions by number of pieces."""
    panels = [
        _lines(
            {"f*": (x, target), _("best with k = {k}", k=k): (x, fit)}, "x", "f(x)", markers=False
        )
        for k, fit in fits.items()
    ]
    better = min(fits, key=lambda k: np.square(fits[k] - target).mean())
    a, b = fits
    alt = _(
        "The curve f* on the interval from 0 to 1, with a jump in the middle, and its "
        "best step functions with {a} and {b} pieces. The one with {better} pieces is "
        "closer: a step of it falls on the jump.",
        a=a,
        b=b,
        better=better,
    )
    return Figure(panels, alt)


@styled
def class_distances(distances: Mapping[int, float]) -> Figure:
    """Draw the distance to f* by number of pieces, for every number and along 1, 2, 4, …."""
    ks = sorted(distances)
    chain = [k for k in ks if k & (k - 1) == 0]
    values = [distances[k] for k in ks]
    canvas = _lines(
        {
            _("every k: not nested"): (ks, values),
            _("k doubles: nested"): (chain, [distances[k] for k in chain]),
        },
        _("pieces k"),
        _("distance to f* (rms)"),
    )
    rises = sum(b > a for a, b in itertools.pairwise(values))
    alt = _(
        "Distance to f* against the number of pieces from 1 to {last}. Over every k the "
        "line goes up {rises} times on its way down; along the doubling chain it never "
        "goes up, and ends at {end:.3f}.",
        last=ks[-1],
        rises=rises,
        end=distances[chain[-1]],
    )
    return Figure([canvas], alt)


@styled
def generalisation(seen: Mapping[int, float], unseen: Mapping[int, float]) -> Figure:
    """Draw the error on the points seen and on the function wanted, by number of pieces."""
    canvas = _lines(
        {
            _("64 noisy points seen"): (list(seen), list(seen.values())),
            _("f* itself"): (list(unseen), list(unseen.values())),
        },
        _("pieces k"),
        _("rms error"),
    )
    canvas.axes[0].set_xscale("log", base=2)
    canvas.axes[0].set_xticks(list(seen), list(map(str, seen)))
    best = min(unseen, key=lambda k: unseen[k])
    alt = _(
        "Error against the number of pieces along the nested chain. On the points seen "
        "the error falls at every step, to {seen:.2f}. Against f* itself it is lowest at "
        "{best} pieces, {low:.2f}, and rises to {high:.2f} at the end.",
        seen=list(seen.values())[-1],
        best=best,
        low=unseen[best],
        high=list(unseen.values())[-1],
    )
    return Figure([canvas], alt)


@styled
def published_depth(plain: Published, residual: Published) -> Figure:
    """Draw two columns of published errors against the depth."""
    (plain_depths, p), (depths, r) = (
        (list(map(int, column.values)), list(column.values.values()))
        for column in (plain, residual)
    )
    canvas = _lines(
        {_("plain"): (plain_depths, p), _("residual"): (depths, r)},
        _("layers"),
        _("test error (%)"),
    )
    canvas.axes[0].set_xscale("log")
    ticks = [20, 32, 56, 110, 1202]  # 44 would touch its neighbours
    canvas.axes[0].set_xticks(ticks, list(map(str, ticks)))
    canvas.axes[0].minorticks_off()
    best = min(depths, key=lambda depth: residual[depth])
    alt = _(
        "Published CIFAR-10 test error against depth. Plain networks get worse, from {p[0]}% at "
        "{plain[0]} layers to {p[1]}% at {plain[1]}; residual networks get better, from {r[0]}% at "
        "{depths[0]} layers to {least}% at {best}, and rise again to {r[1]}% at {depths[1]}.",
        p=(p[0], p[-1]),
        plain=(plain_depths[0], plain_depths[-1]),
        r=(r[0], r[-1]),
        depths=(depths[0], depths[-1]),
        least=residual[best],
        best=best,
    )
    return Figure([canvas], alt)


@styled
def curves(runs: Mapping[str, Run]) -> Figure:
    """Draw the training loss and, beside it, the test accuracy of runs by epoch."""
    panels, ends = [], []
    for column, label, scale in (
        ("train_loss", _("training loss (nats)"), 1),
        ("test_accuracy", _("test accuracy (%)"), 100),
    ):
        series = {
            name: (run.column("epoch"), [scale * v for v in run.column(column)])
            for name, run in runs.items()
        }
        panels.append(_lines(series, _("epoch"), label))
        last = ", ".join(f"{name} {y[-1]:.3g}" for name, (_, y) in series.items())
        what = _("{quantity} against the epoch, {n} lines.", quantity=label, n=len(runs))
        at_end = _("At the last epoch: {ends}.", ends=last)
        ends.append(f"{what} {at_end}")
    return Figure(panels, " ".join(ends))


@styled
def gradient_norms(norms: Mapping[str, Sequence[float]], *, by_share: bool = False) -> Figure:
    """Draw the norm of the loss's gradient at the input of each unit, by unit.

    Args:
        norms: a name and the norms, first unit to last.
        by_share: place units by their share of the depth, to compare networks of several depths.

    """
    series: dict[str, tuple[Numbers, Numbers]] = {
        name: ((np.arange(len(y)) + 0.5) / len(y) if by_share else range(1, len(y) + 1), y)
        for name, y in norms.items()
    }
    by_unit, share = _("block (1 is next to the stem)"), _("block, as a share of the depth")
    canvas = _lines(
        series,
        share if by_share else by_unit,
        _("gradient norm at the block's input"),
        markers=not by_share,
    )
    canvas.axes[0].set_yscale("log")
    plain = LogFormatter()  # the usual one writes mathematics
    canvas.axes[0].yaxis.set_major_formatter(plain)
    canvas.axes[0].yaxis.set_minor_formatter(plain)
    factors = ", ".join(f"{y[0] / y[-1]:.2g} ({name})" for name, y in norms.items())
    alt = _(
        "Gradient norm at each block's input on a logarithmic scale. From the last block "
        "to the first it changes by a factor of {factors}.",
        factors=factors,
    )
    return Figure([canvas], alt)


@styled
def zero_unit(x: Sequence[float], outputs: Mapping[str, Sequence[float]]) -> Figure:
    """Draw what a block with zero weights makes of a range of inputs."""
    series = {name: (x, y) for name, y in outputs.items()}
    canvas = _lines(series, _("input"), _("output"), markers=False)
    alt = _(
        "Output against input of a block with all weights zero. For positive inputs the "
        "output is the input. For negative inputs the original block gives 0, while the "
        "pre-activation block still gives the input."
    )
    return Figure([canvas], alt)


# the variants of D2L's loop, by their names in the records of `tools/bench/d2l.py`
LOOPS = {
    "d2l": _("D2L's loop"),
    "data on the device": _("+ data on device"),
    "sums on the device": _("+ sums on device"),
    "channels last": _("+ channels last"),
    "fused optimizer": _("+ fused optimizer"),
    "native precision": _("+ native precision"),
    "fit": _("fit"),
    "fit, float32": _("fit, float32"),
    "fit, compiled": _("fit, compiled"),
}


@styled
def ladder(devices: Mapping[str, Mapping[str, float]]) -> Figure:
    """Draw images per second: one panel per device, in it one bar per loop, the first on top.

    Args:
        devices: a device's name, and its rates by the names in `LOOPS`.

    """
    panels, alts = [], []
    for device, rates in devices.items():
        canvas, axes = panel(3.75, 0.8 + 0.3 * len(rates))
        names, values = [LOOPS[name] for name in rates], list(rates.values())
        bars = axes.barh(names, values, color=BLUE, alpha=0.8)
        axes.bar_label(bars, [f"{value:,.0f}" for value in values], padding=3, fontsize=9)
        axes.invert_yaxis()
        axes.set(title=device, xlabel=_("training images per second"))
        axes.set_xlim(0, 1.25 * max(values))  # for the numbers
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.grid(visible=False, axis="y")
        panels.append(canvas)
        ends = "; ".join(f"{n} {value:,.0f}" for n, value in zip(names, values, strict=True))
        what = _("{n} bars, training images per second from top to bottom:", n=len(rates))
        alts.append(f"{device}, {what} {ends}.")
    return Figure(panels, " ".join(alts))


@styled
def confusion(labels: Tensor, predictions: Tensor, classes: Sequence[str]) -> Figure:
    """Draw how often each true class (row) was predicted as each class (column)."""
    n = len(classes)
    counts = torch.bincount(labels * n + predictions, minlength=n * n).reshape(n, n).numpy()
    canvas, axes = panel(4.6, 4.4)
    share = counts / counts.sum(1, keepdims=True).clip(1)
    axes.imshow(
        np.zeros((n, n)), cmap=ListedColormap([BLUE]), alpha=share / 2
    )  # text stays legible
    for (row, column), count in np.ndenumerate(counts):
        if count:
            axes.annotate(count, (column, row), ha="center", va="center", fontsize=9)
    axes.set(xlabel=_("predicted class"), ylabel=_("true class"))
    axes.set_xticks(range(n), classes, rotation=60, ha="right", fontsize=9)
    axes.set_yticks(range(n), classes, fontsize=9)
    axes.grid(visible=False)
    mistakes = counts - np.diag(np.diag(counts))
    row, column = np.unravel_index(mistakes.argmax(), mistakes.shape)
    alt = _(
        "Table of true against predicted class for {n} test images. {right} lie on the "
        "diagonal; the most common mistake is {worst}, {count} times.",
        n=len(labels),
        right=int(np.trace(counts)),
        worst=f"{classes[row]} → {classes[column]}",
        count=mistakes[row, column],
    )
    return Figure([canvas], alt)


@styled
def predictions(
    images: Tensor, labels: Tensor, predicted: Tensor, classes: Sequence[str]
) -> Figure:
    """Draw images (N, 1, H, W) in a grid, titled with the predicted class; mistakes are marked."""
    columns = 4
    rows = -(-len(images) // columns)
    canvas = Canvas((3.75, 1.15 * rows), layout="constrained")
    for place, (image, label, guess) in enumerate(
        zip(images, labels.tolist(), predicted.tolist(), strict=True), 1
    ):
        axes = canvas.add_subplot(rows, columns, place)
        axes.imshow(image[0].numpy(), cmap="gray")
        axes.axis("off")
        right = label == guess
        title = classes[guess] if right else f"✗ {classes[guess]}\n({classes[label]})"
        axes.set_title(title, fontsize=8.5, color=INK if right else ORANGE, pad=3)
    wrong = int((labels != predicted).sum())
    alt = _(
        "{n} test images with the predicted class above each; {wrong} are wrong and "
        "marked with a cross and the true class in brackets.",
        n=len(images),
        wrong=wrong,
    )
    return Figure([canvas], alt)
