"""Which series is which: values read back from a figure's artists, not from its text."""

from __future__ import annotations

import gallery
import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import FancyBboxPatch

from resnet.blocks import BasicBlock, PreActBasicBlock
from resnet.book import drawings, figures, plots
from resnet.book.figures import INK, ORANGE, Figure
from resnet.nets import cifar_resnet
from resnet.reproduce import papers


def series(canvas: Canvas) -> dict[str, list[tuple[float, float]]]:
    """The points of each line of a panel, by the name that its legend has for it."""
    (axes,) = canvas.axes
    named = {line.get_label(): line for line in axes.lines}
    (legend,) = canvas.legends
    texts, handles = legend.get_texts(), legend.legend_handles
    for text, handle in zip(texts, handles, strict=True):
        assert handle.get_color() == named[text.get_text()].get_color()
    return {name: points(line) for name, line in named.items()}


def points(line: object) -> list[tuple[float, float]]:
    x, y = line.get_data()  # type: ignore[attr-defined]
    return [(float(a), float(b)) for a, b in zip(x, y, strict=True)]


def test_nested_classes_grow_and_only_the_nested_share_their_centre() -> None:
    for canvas, nested in zip(figures.nested_classes().panels, (False, True), strict=True):
        (axes,) = canvas.axes
        *classes, wanted = axes.lines
        assert points(wanted) == [(1.75, 1.75)] and wanted.get_color() == ORANGE
        middles = [np.mean(line.get_data(), 1) for line in classes]
        sizes = [np.ptp(line.get_data()[0]) for line in classes]
        assert sizes == sorted(sizes) and len(classes) == 6
        spread = float(max(np.abs(m).max() for m in middles))
        assert (spread < 0.1) is nested
        for i, text in enumerate(axes.texts[:6]):  # the name stands on its own class's edge
            assert text.get_text() == f"F{i + 1}"
            edge = np.array(classes[i].get_data()).T
            assert np.abs(edge - text.xy).sum(1).min() == 0


def test_step_fits_have_target_and_fit_in_their_places() -> None:
    x, target = [0.0, 0.5, 1.0], [1.0, 2.0, 4.0]
    fits = {3: [7.0, 7.0, 7.0], 4: [1.0, 2.0, 5.0]}
    arrays = {k: np.array(fit) for k, fit in fits.items()}
    figure = figures.step_fits(np.array(x), np.array(target), arrays)
    for canvas, (k, fit) in zip(figure.panels, fits.items(), strict=True):
        first, second = series(canvas).items()
        assert first[1] == list(zip(x, target, strict=True))
        assert str(k) in second[0] and second[1] == list(zip(x, fit, strict=True))


def test_class_distances_in_order_and_the_chain_of_powers_of_two() -> None:
    distances = {4: 0.3, 1: 0.9, 2: 0.5, 3: 0.6}
    every, chain = series(figures.class_distances(distances).panels[0]).items()
    assert "every" in every[0] and every[1] == [(1, 0.9), (2, 0.5), (3, 0.6), (4, 0.3)]
    assert "doubles" in chain[0] and chain[1] == [(1, 0.9), (2, 0.5), (4, 0.3)]


def test_generalisation_seen_and_unseen() -> None:
    seen, unseen = {1: 0.9, 2: 0.5, 4: 0.1}, {1: 0.8, 2: 0.6, 4: 0.95}
    one, other = series(figures.generalisation(seen, unseen).panels[0]).items()
    assert "seen" in one[0] and one[1] == list(seen.items())
    assert "f*" in other[0] and other[1] == list(unseen.items())


def test_published_depth_plain_and_residual() -> None:
    plain, residual = papers.CIFAR_PLAIN, papers.CIFAR_RESIDUAL
    found = series(figures.published_depth(plain, residual).panels[0])
    for name, column in (("plain", plain), ("residual", residual)):
        assert found[name] == [(int(depth), error) for depth, error in column.values.items()]


def test_curves_loss_beside_accuracy() -> None:
    loss, accuracy = map(series, gallery.curves().panels)
    assert loss == {"a <net>": [(1, 2.1), (2, 1.25)], "b": [(1, 2.0), (2, 0.5)]}
    assert [y for _, y in accuracy["a <net>"]] == pytest.approx([30, 45.6])
    assert [y for _, y in accuracy["b"]] == pytest.approx([40, 78.9])


def test_gradient_norms_by_unit_and_by_share() -> None:
    norms = {"plain": [20.0, 3.0, 0.5, 0.4], "residual": [0.6, 0.4]}
    by_unit, by_share = (
        series(figures.gradient_norms(norms, by_share=share).panels[0]) for share in (False, True)
    )
    assert by_unit["plain"] == [(1, 20.0), (2, 3.0), (3, 0.5), (4, 0.4)]
    assert by_unit["residual"] == [(1, 0.6), (2, 0.4)]
    assert by_share["residual"] == [(0.25, 0.6), (0.75, 0.4)]


def test_zero_unit_lines() -> None:
    outputs = {"plain": [0.0, 0.0], "residual": [0.0, 1.0]}
    found = series(figures.zero_unit([-1.0, 1.0], outputs).panels[0])
    assert found == {"plain": [(-1, 0), (1, 0)], "residual": [(-1, 0), (1, 1)]}


def test_ladder_first_bar_on_top() -> None:
    figure = figures.ladder({"one": {"d2l": 50.0, "fit": 1234.0}, "two": {"fit": 7.0}})
    assert [canvas.axes[0].get_title() for canvas in figure.panels] == ["one", "two"]
    axes = figure.panels[0].axes[0]
    names = [text.get_text() for text in axes.get_yticklabels()]
    bars = {names[i]: bar.get_width() for i, bar in enumerate(axes.patches)}
    assert bars == {"D2L's loop": 50.0, "fit": 1234.0}
    assert [text.get_text() for text in axes.texts] == ["50", "1,234"]
    assert axes.yaxis_inverted() and axes.patches[0].get_y() < axes.patches[1].get_y()


def test_confusion_shades_shares_of_the_true_class() -> None:
    axes = gallery.made("confusion").panels[0].axes[0]
    (image,) = axes.images
    shares = np.array([[2 / 3, 1 / 3, 0], [0, 1, 0], [0, 0.5, 0.5]])
    assert np.allclose(image.get_alpha(), shares / 2)
    for ticks in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [text.get_text() for text in ticks] == list(gallery.CLASSES)
    # (column, row) of each number: the true class goes down
    at = {tuple(map(int, text.xy)): text.get_text() for text in axes.texts}
    assert at == {(0, 0): "2", (1, 0): "1", (1, 1): "3", (1, 2): "2", (2, 2): "2"}
    assert not axes.yaxis_inverted() or axes.images[0].origin == "upper"


def test_predictions_show_each_image_under_its_title() -> None:
    images = torch.arange(3 * 4, dtype=torch.uint8).reshape(3, 1, 2, 2)
    labels, guesses = torch.tensor([0, 1, 2]), torch.tensor([0, 2, 2])
    figure = figures.predictions(images, labels, guesses, ("cat", "dog", "fish"))
    shown = figure.panels[0].axes
    assert [axes.get_title() for axes in shown] == ["cat", "✗ fish\n(dog)", "fish"]
    assert [to_hex(axes.title.get_color()) for axes in shown] == [INK, ORANGE.lower(), INK]
    for axes, image in zip(shown, images, strict=True):
        assert np.array_equal(axes.images[0].get_array(), image[0])
    tops = [axes.get_subplotspec().colspan.start for axes in shown]
    assert tops == [0, 1, 2]


def test_depth_curves_bands_and_crossing() -> None:
    """Bands from the lowest to the highest seed, in the colour of their line."""
    figure = gallery.made("depth_curves")
    axes = figure.panels[0].axes[0]
    ends = {"plain-8": (20, 22), "plain-14": (25, 26)}  # of the seeds, at the last row
    for line, band in zip(axes.lines, axes.collections, strict=True):
        assert to_hex(band.get_facecolor()[0]) == to_hex(line.get_color())
        last = line.get_xdata()[-1]
        edge = [y for x, y in band.get_paths()[0].vertices if x == last]
        assert (min(edge), max(edge)) == pytest.approx(ends[line.get_label()])


def test_responses_in_order_and_sorted_downwards() -> None:
    """Each layer's mean over the seeds: 1, 0.5 and 0.75, and one more quarter per seed."""
    ordered, falling = map(series, gallery.made("responses").panels)
    for name, line in ordered.items():
        assert [x for x, _ in line] == [1, 2, 3]
        assert [y for _, y in line][:2] == [1.0, 0.5]
        assert [y for _, y in falling[name]] == sorted((y for _, y in line), reverse=True)
    assert set(ordered) == set(falling) == {"plain-8"}


def test_errors_by_row_dots_stand_in_their_rows() -> None:
    runs = {"identity": gallery.seeds(7.0, 8.0), "none yet": [], "block": gallery.seeds(9.0, 12.0)}
    figure = plots.errors_by_row(runs, {"block": 3.0, "identity": 1.0}, "published")
    here, there = (canvas.axes[0] for canvas in figure.panels)
    names = [text.get_text() for text in here.get_yticklabels()]
    assert names == list(runs)
    assert here.yaxis_inverted() and there.yaxis_inverted()  # the first row is on top
    each = {("identity", 7.0), ("identity", 8.0), ("block", 9.0), ("block", 12.0)}
    assert marks(here, "o") == each
    assert marks(here, "|") == {("identity", 7.5), ("block", 10.5)}
    assert marks(there, "D") == {("identity", 1.0), ("block", 3.0)}


def marks(axes: Axes, marker: str) -> set[tuple[str, float]]:
    names = [text.get_text() for text in axes.get_yticklabels()]
    return {
        (names[int(y)], round(x, 3))
        for line in axes.lines
        if line.get_marker() == marker
        for x, y in points(line)
    }


def boxes(canvas: Canvas) -> list[str]:
    """The texts in a drawing's boxes, from top to bottom."""
    (axes,) = canvas.axes
    filled = [p for p in axes.patches if isinstance(p, FancyBboxPatch)]
    inside = [
        (-text.get_position()[1], text.get_text())
        for text in axes.texts
        if text.get_text() and any(_holds(patch, *text.get_position()) for patch in filled)
    ]
    return [text for _, text in sorted(inside)]


def _holds(patch: FancyBboxPatch, x: float, y: float) -> bool:
    left, low = patch.get_x(), patch.get_y()
    return left <= x <= left + patch.get_width() and low <= y <= low + patch.get_height()


ORIGINAL = ["3×3 conv", "batch norm", "ReLU", "3×3 conv", "batch norm", "+", "ReLU"]


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        (
            lambda: drawings.units({"a": BasicBlock(8, 8), "b": PreActBasicBlock(8, 8)}),
            [ORIGINAL, ["batch norm", "ReLU", "3×3 conv"] * 2 + ["+"]],
        ),
        (drawings.plain_and_residual, [[word for word in ORIGINAL if word != "+"], ORIGINAL]),
    ],
)
def test_units_have_their_layers_from_top_to_bottom(figure: object, expected: object) -> None:
    made: Figure = figure()  # type: ignore[operator]
    found = [[text for text in boxes(canvas) if text != "x"] for canvas in made.panels]
    assert found == expected


def test_projection_stands_in_the_second_panel() -> None:
    one, two = drawings.identity_and_projection().panels
    words = [[text.get_text() for text in canvas.axes[0].texts] for canvas in (one, two)]
    assert "identity" in words[0] and not any("1×1" in word for word in words[0])
    assert any("1×1" in word for word in words[1]) and "identity" not in words[1]


def test_network_from_the_input_to_the_scores() -> None:
    found = boxes(drawings.network(cifar_resnet(8), 32).panels[0])
    widths = [next(w for w in ("16", "32", "64") if f", {w}" in text) for text in found[1:-2]]
    assert widths == ["16", "16", "32", "64"]
    assert "32 × 32" in found[0] and "10" in found[-1]


def test_errors_by_step_have_a_panel_for_training_and_one_for_the_test() -> None:
    found = gallery.made("errors_by_step")
    training, test = (canvas.axes[0] for canvas in found.panels)
    assert (training.get_ylabel(), test.get_ylabel()) == ("training error (%)", "test error (%)")
    for axes in (training, test):
        (line,) = axes.lines  # nothing of the other was run
        assert list(np.asarray(line.get_xdata())) == [100, 200, 300]
        assert list(np.asarray(line.get_ydata())) == pytest.approx([25.5, 17.0, 8.5])
    assert "training error (%) plain-8 8.5; test error (%) plain-8 8.5" in found.alt
