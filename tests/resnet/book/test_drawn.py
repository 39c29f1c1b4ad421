"""All that each figure draws, number by number, as somebody has looked at it: drawn.json.

After a change that is meant, look at the figures, then run this file: it writes drawn.json anew.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gallery
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import Patch
from matplotlib.text import Text

from resnet.book import reacting
from resnet.book.figures import Figure
from resnet.training.records import Run

SEEN = Path(__file__).with_name("drawn.json")


def rounded(values: Any) -> Any:
    """Numbers to four digits, in lists."""
    if isinstance(values, (list, tuple, np.ndarray, np.ma.MaskedArray)):
        return [rounded(value) for value in np.asarray(values).tolist()]
    return float(f"{values:.4g}") if isinstance(values, float) else values


def of_text(text: Text) -> list[Any]:
    how = [
        text.get_ha(),
        text.get_va(),
        rounded(float(text.get_fontsize())),
        to_hex(text.get_color()),
    ]
    return [text.get_text(), *how, rounded(float(text.get_rotation()))]


def of_axes(axes: Axes) -> dict[str, Any]:
    return {
        "labels": [of_text(axes.xaxis.label), of_text(axes.yaxis.label), axes.get_title()],
        "scales": [axes.get_xscale(), axes.get_yscale(), axes.axison],
        "limits": rounded([*axes.get_xlim(), *axes.get_ylim()]),
        "ticks": [
            [of_text(label) for label in axis.get_ticklabels() if label.get_text()]
            for axis in (axes.xaxis, axes.yaxis)
        ],
        "lines": [
            [line.get_label(), to_hex(line.get_color()), line.get_linestyle(), line.get_marker(),
             rounded(float(line.get_linewidth())), rounded(float(line.get_markersize())),
             line.get_alpha(), *map(rounded, line.get_data())]
            for line in axes.lines
        ],
        "areas": [
            [rounded(each.get_facecolor()), rounded(each.get_linewidth()),
             [rounded(path.vertices) for path in each.get_paths()]]
            for each in axes.collections
        ],
        "shapes": [of_shape(shape) for shape in axes.patches],
        "texts": [[*of_text(text), *rounded(text.get_position())] for text in axes.texts],
        "images": [rounded(image.get_array()) for image in axes.images],
    }  # fmt: skip


def of_shape(shape: Patch) -> list[Any]:
    box = shape.get_path().get_extents(shape.get_patch_transform())
    colors = [rounded(shape.get_facecolor()), rounded(shape.get_edgecolor())]
    line = [rounded(float(shape.get_linewidth())), shape.get_linestyle()]
    return [type(shape).__name__, *colors, *line, rounded(box.extents)]


def of_canvas(canvas: Canvas) -> dict[str, Any]:
    return {
        "inches": rounded([*canvas.get_size_inches()]),
        "legends": [
            [[of_text(text) for text in legend.get_texts()], legend._ncols]
            for legend in canvas.legends
        ],
        "axes": [of_axes(axes) for axes in canvas.axes],
    }


def of_figure(figure: Figure) -> dict[str, Any]:
    found: dict[str, Any] = {"alt": figure.alt, "panels": [of_canvas(c) for c in figure.panels]}
    if isinstance(figure, reacting.Reacting):
        pattern = r'<script type="application/json">(.*?)</script>'
        found["script"] = json.loads(re.findall(pattern, figure._repr_html_(), re.DOTALL)[0])
    return found


def record(network: str, seed: int, *errors: float) -> Run:
    first = next(iter(reacting.depth_records().values()))
    rows = [
        {"step": 400 * i, "train_accuracy": 1 - e / 100, "test_accuracy": 0.9 - e / 100}
        for i, e in enumerate(errors, 1)
    ]
    machine = {"device": "a machine"}
    return dataclasses.replace(
        first,
        network=network,
        seed=seed,
        rows=rows,
        machine=machine,
        commit="abc",
        date="2026-01-02T",
    )


def two_depths() -> reacting.Reacting:
    """A form whose deeper network ends below, one that failed, one that a seed has not run."""
    records = [
        record("plain-20, width 8", 10, 60, 30, 20),
        record("ResNet-20, width 8", 10, 60.25, 30, 20),
        record("ResNet-56, width 8", 10, 70, 33, 12.5),
        record("ResNet-20, width 8", 11, 50, 20, 10),
        dataclasses.replace(record("ResNet-56, width 8", 11), measured={"failed": "lower lr"}),
        record("pre-activation ResNet-20, width 8", 11, 50, 20, 10),
        record("pre-activation ResNet-56, width 8", 11, 40, 10, 9),
    ]
    return reacting.depths({f"results/{i}.json": run for i, run in enumerate(records)})


def three_factors() -> reacting.Reacting:
    rows = [
        {"factor": factor, "units": n, "growth": [1 + factor * n, 2 + factor * n * n]}
        for factor in (0.5, 0.9, 1.1)
        for n in (9, 18, 36)
    ]
    about = {"machine": {"device": "a machine"}, "commit": "abc", "date": "2026-01-02"}
    return reacting.factors({"rows": rows, **about}, 2.15)


FIGURES: dict[str, Callable[[], Figure]] = {
    **gallery.FIGURES,
    "depths": two_depths,
    "factors": three_factors,
}


@pytest.mark.parametrize("name", FIGURES)
def test_it_is_what_was_looked_at(name: str) -> None:
    seen = json.loads(SEEN.read_text(encoding="utf-8"))
    assert set(seen) == set(FIGURES)
    assert json.loads(json.dumps(of_figure(FIGURES[name]()))) == seen[name]


if __name__ == "__main__":
    lines = [
        f"{json.dumps(name)}: {json.dumps(of_figure(make()), ensure_ascii=False)}"
        for name, make in FIGURES.items()
    ]
    SEEN.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
