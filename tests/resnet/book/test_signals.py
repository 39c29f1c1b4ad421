"""Figures of growth and of correlations: values read back from what was drawn."""

import math

import gallery
import numpy as np
import pytest

from resnet.book import signals


def test_growth_is_drawn_where_each_law_is_a_line() -> None:
    even, logarithmic = (canvas.axes[0] for canvas in gallery.made("growth_by_depth").panels)
    assert (even.get_xscale(), logarithmic.get_xscale()) == ("linear", "log")
    assert even.get_yscale() == logarithmic.get_yscale() == "log"
    for axes in (even, logarithmic):
        plain, law, other, power = axes.lines
        assert (plain.get_label(), other.get_label()) == ("plain", "a & <b>")
        for points, rate in ((plain, 1.3), (other, 1.02)):  # geometric means of x and 2x
            x, y = points.get_data()
            assert list(x) == [9, 27, 108]
            assert np.asarray(y) == pytest.approx([math.sqrt(2) * rate**n for n in (9, 27, 108)])
        x, y = (np.asarray(values) for values in law.get_data())
        assert y == pytest.approx(np.exp(0.3) * 1.3**x)
        x, y = (np.asarray(values) for values in power.get_data())
        assert y == pytest.approx(np.exp(0.2) * x**1.1)
        assert plain.get_color() == law.get_color() != other.get_color() == power.get_color()


def test_bars_reach_over_the_seeds() -> None:
    (axes, _) = (canvas.axes[0] for canvas in gallery.made("growth_by_depth").panels)
    bars = axes.collections[0].get_segments()  # type: ignore[attr-defined]
    assert [tuple(bar[:, 1]) for bar in bars] == [
        pytest.approx((1.3**n, 2 * 1.3**n)) for n in (9, 27, 108)
    ]


def test_correlations_have_a_panel_per_form() -> None:
    plain, other = (canvas.axes[0] for canvas in gallery.made("correlations").panels)
    assert [line.get_label() for line in plain.lines] == ["plain-8", "plain-14"]
    assert [line.get_label() for line in other.lines] == ["<b>-8"]
    for line, first in zip((*plain.lines, *other.lines), (0.5, 0.1, 0.9), strict=True):
        x, y = (np.asarray(values) for values in line.get_data())
        assert x == pytest.approx(np.linspace(0, 1, 40))
        assert y[0] == pytest.approx(0.95) and y[1] == pytest.approx(0.95 * first)
    assert plain.lines[0].get_color() == plain.lines[1].get_color()
    assert plain.lines[0].get_linestyle() != plain.lines[1].get_linestyle()


def test_alternatives_tell_the_numbers() -> None:
    growth, alike = gallery.made("growth_by_depth").alt, gallery.made("correlations").alt
    assert "plain: 15 with 9 units, 2,8" in growth
    assert "plain-8 0.47" in alike and "<b>-8 0.85" in alike  # at the second of forty points


def test_each_signal_has_a_panel_and_means_over_seeds() -> None:
    growth, agreement, alike = (c.axes[0] for c in gallery.made("during_training").panels)
    assert (growth.get_yscale(), agreement.get_yscale()) == ("log", "linear")
    assert [line.get_label() for line in growth.lines] == ["plain-8", "<b>-8"]
    assert list(np.asarray(growth.lines[0].get_ydata())) == pytest.approx([200, 4])
    assert list(np.asarray(agreement.lines[0].get_ydata())) == pytest.approx([0.5, 0.5])
    assert list(np.asarray(alike.lines[1].get_ydata())) == pytest.approx([0.25, 0.25])
    assert [text.get_text() for text in growth.get_xticklabels()] == ["0", "10"]
    low, high = (growth.collections[0].get_paths()[0].vertices[:, 1].min(),  # type: ignore[index]
                 growth.collections[0].get_paths()[0].vertices[:, 1].max())  # type: ignore[index]  # fmt: skip
    assert (low, high) == pytest.approx((4, 400))
    assert "plain-8 200.00, 4.00; <b>-8 10.00, 5.00" in gallery.made("during_training").alt


def test_gains_have_a_panel_for_each_moment() -> None:
    early, late = (canvas.axes[0] for canvas in gallery.made("gains").panels)
    assert (early.get_title(), late.get_title()) == ("after 400 steps", "after 1,000 steps")
    assert (early.get_xscale(), [line.get_label() for line in early.lines[:2]]) == (
        "log",
        ["plain-8", "<b>-8"],
    )
    assert list(np.asarray(early.lines[0].get_xdata())) == [0.01, 0.1]
    assert list(np.asarray(early.lines[0].get_ydata())) == pytest.approx([0.8, -0.1])
    assert list(np.asarray(late.lines[1].get_ydata())) == pytest.approx([0.9, 0.6])
    alt = gallery.made("gains").alt
    assert "after 400 steps: plain-8 0.80, -0.10; <b>-8 1.00, 0.80." in alt
    assert "after 1,000 steps: plain-8 0.50, 0.20; <b>-8 0.90, 0.60." in alt


def test_lesions_by_unit_and_by_number() -> None:
    single, several = (canvas.axes[0] for canvas in gallery.made("lesions").panels)
    x, y = single.lines[0].get_data()
    assert (list(x), list(y)) == ([1, 3], [80, 90])  # readers count units from 1
    x, y = several.lines[0].get_data()
    assert list(y) == pytest.approx([8, 85, 74])
    assert [text.get_text() for text in several.get_xticklabels()][:2] == ["0", "1"]
    assert "plain-8: 0: 8%, 1: 85%, 2: 74%." in gallery.made("lesions").alt


def test_rates_are_per_unit_between_depths() -> None:
    rows = [
        {"form": "plain", "variant": kind, "units": n, "growth": [2 * rate**n, rate**n / 2]}
        for kind, rate in (("", 1.3), ("b", 1.1))
        for n in (9, 27, 54)
    ]
    rows[2]["growth"] = [rows[1]["growth"][0], rows[1]["growth"][1]]  # type: ignore[index]
    found = signals.rates(rows)
    assert found["plain", ""] == pytest.approx([1.3, 1])
    assert found["plain", "b"] == pytest.approx([1.1, 1.1])
