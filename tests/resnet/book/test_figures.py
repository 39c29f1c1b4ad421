"""Figures: whole, accessible and readable on any page; the words beside them tell the numbers."""

from __future__ import annotations

import inspect
import io
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from typing import Any

import gallery
import matplotlib as mpl
import pytest
import torch
from catalogue import messages
from IPython.core.interactiveshell import InteractiveShell
from matplotlib import pyplot as plt
from PIL import Image

from resnet import translation
from resnet.book import drawings, figures, plots, signals
from resnet.book.figures import INK, Figure

SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"


@pytest.fixture(scope="module", params=gallery.FIGURES)
def figure(request: pytest.FixtureRequest) -> Figure:
    return gallery.made(request.param)


def page(figure: Figure) -> ET.Element:
    """What Jupyter puts into the page; parsing it proves that it is well formed."""
    return ET.fromstring(figure._repr_html_())


def text_of(figure: Figure) -> str:
    return " ".join("".join(element.itertext()) for element in page(figure).iter(f"{SVG}text"))


def test_gallery_is_whole() -> None:
    """Every public function of these modules that returns a figure is in the gallery."""
    made = {
        name
        for module in (figures, drawings, plots, signals)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and function.__annotations__.get("return") is Figure
    }
    assert made == {name for name in gallery.FIGURES if " " not in name}


def test_one_image_with_a_text_alternative(figure: Figure) -> None:
    """A screen reader meets one image with a text, and none of the shapes in it."""
    outer = page(figure)
    assert (outer.tag, outer.get("role")) == ("div", "img")
    assert outer.get("aria-label") == figure.alt == repr(figure)
    assert len(figure.alt) > 40
    assert not re.search(r"[{}]", figure.alt)
    panels = list(outer)
    assert panels
    for svg in panels:
        assert svg.tag == f"{SVG}svg"
        assert svg.get("aria-hidden") == "true"
        assert svg.get("viewBox")
        assert not {"width", "height"} & set(svg.keys())  # it follows the page's width


def test_an_untrusted_notebook_still_has_a_picture(figure: Figure) -> None:
    """JupyterLab takes SVG out of HTML that it does not trust, and falls back on the PNG."""
    bundle = figure._repr_mimebundle_()
    assert list(bundle) == ["text/html", "image/png", "text/plain"]
    assert (bundle["text/html"], bundle["text/plain"]) == (figure._repr_html_(), figure.alt)
    encoded = bundle["image/png"]
    assert isinstance(encoded, bytes) and len(encoded) < 40_000  # a notebook holds a dozen
    picture = Image.open(io.BytesIO(encoded))
    picture.load()
    pixels = picture.convert("L")
    assert pixels.getextrema() == pytest.approx((0, 255), abs=60)  # dark on white
    sizes = [canvas.get_size_inches() for canvas in figure.panels]
    assert picture.width >= 110 * max(width for width, _ in sizes) - 1
    assert picture.width * picture.height >= 110**2 * sum(w * h for w, h in sizes) - 2000


def test_panels_stand_side_by_side_and_then_in_rows() -> None:
    """Two of 3.75 inches fit beside one another in the PNG; a third begins a row."""
    two, four = (
        Image.open(io.BytesIO(figures._png(gallery.made(name).panels)))
        for name in ("curves", "depth_curves")
    )
    assert two.width == four.width == 2 * round(3.75 * 110 - 0.5)
    assert len(gallery.made("depth_curves").panels) == 4 and four.height == 2 * round(3.1 * 110)


def test_jupyter_gets_all_three_forms() -> None:
    formatter = InteractiveShell.instance().display_formatter
    assert formatter is not None
    data, _ = formatter.format(gallery.made("curves"))
    assert set(data) == {"text/html", "image/png", "text/plain"}


def colours(element: ET.Element) -> Iterator[str]:
    for name in ("fill", "stroke"):
        yield from re.findall(rf"\b{name}: ([^;]+)", element.get("style", ""))
        yield from filter(None, [element.get(name)])


def test_reads_on_light_and_dark_pages(figure: Figure) -> None:
    """Text has the page's colour or one of the four; nothing is black or white for good."""
    palette = {figures.BLUE, figures.ORANGE, figures.GREEN, figures.PURPLE}
    outer = page(figure)
    parents = {child: parent for parent in outer.iter() for child in parent}
    for element in outer.iter():
        assert set(colours(element)) <= {"none", "currentColor", *palette}
        if element.tag == f"{SVG}text":  # SVG's own colour is black; an exponent has its group's
            assert set(colours(element)) or set(colours(parents[element]))
    for trace in (INK, "<style", "<script", "<metadata", "#000", "#fff", "black", "white"):
        assert trace not in re.sub('base64,[^"]*', "", figure.svg)


def test_paths_say_their_colour(figure: Figure) -> None:
    """A path without a fill would be black; only those kept for reuse may leave it open."""
    outer = page(figure)
    kept = {path for defs in outer.iter(f"{SVG}defs") for path in defs.iter(f"{SVG}path")}
    for path in outer.iter(f"{SVG}path"):
        if path not in kept:
            assert "fill" in path.get("style", "") or path.get("fill")


def test_ids_and_references(figure: Figure) -> None:
    """No id twice, and every reference has its target in the same figure."""
    elements = list(page(figure).iter())
    ids = Counter(filter(None, (element.get("id") for element in elements)))
    assert [name for name, count in ids.items() if count > 1] == []
    wanted = set(re.findall(r"url\(#([^)]+)\)", figure.svg))
    for element in elements:
        reference = element.get(HREF) or element.get("href") or ""
        if not reference.startswith("data:image/png;base64,"):
            wanted |= {reference[1:]} - {""}
            assert reference == "" or reference[0] == "#"
    assert wanted <= set(ids)


def test_two_figures_share_no_id() -> None:
    """On one page the figures' ids must not meet."""
    seen: Counter[str] = Counter()
    for name in gallery.FIGURES:
        seen.update({e.get("id") for e in page(gallery.made(name)).iter() if e.get("id")})
    assert [name for name, count in seen.items() if count > 1] == []


@pytest.mark.parametrize("name", ["curves", "network"])
def test_the_same_numbers_give_the_same_bytes(name: str) -> None:
    assert gallery.FIGURES[name]().svg == gallery.made(name).svg


def test_the_readers_own_style_is_left_alone() -> None:
    """Drawing changes neither matplotlib's settings nor its list of open figures."""
    before = dict(mpl.rcParams)
    gallery.curves()
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []


def test_every_word_can_be_translated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a figure shows is in the catalogue, but for names and mathematics."""
    foreign = {text: "ж".join(["", *re.findall(r"{[^}]*}", text), ""]) for text in messages()}
    monkeypatch.setattr(translation.catalogue, "gettext", foreign.__getitem__)
    loops = {name: foreign[text] for name, text in figures.LOOPS.items()}
    monkeypatch.setattr(figures, "LOOPS", loops)  # it was made when the module was loaded
    # what the gallery itself names, the classes F1 to F6, and a network's name
    own = {"cat", "dog", "bird", "fish", "a", "net", "b", "plain", "residual", "block", "identity",
           "F", "ResNet", "bottleneck", "new", "f", "x", "e"}  # fmt: skip
    for name, make in gallery.FIGURES.items():
        figure = make()
        assert set(re.findall(r"[A-Za-z]+", f"{figure.alt} {text_of(figure)}")) <= own, name


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        # the fit with 4 pieces is 0.01 away, the other farther
        ("step_fits", ["with 3 and 4 pieces", "one with 4 pieces is closer"]),
        # it rises from 2 to 3 and from 5 to 6; the chain ends at 8
        ("class_distances", ["from 1 to 8", "up 2 times", "ends at 0.125"]),
        ("generalisation", ["to 0.21", "lowest at 2 pieces, 0.62", "rises to 0.94"]),
        # FACTS: Fig. 6 and Table 6
        ("published_depth", ["9.5% at 20", "13.5% at 56", "8.75% at 20", "6.43% at 110"]),
        ("published_depth", ["7.93% at 1202"]),
        ("curves", ["2 lines", "a <net> 1.25, b 0.5.", "a <net> 45.6, b 78.9."]),
        # the last row has the errors given: means of 20 and 22, of 26 and 25, of 19 and 20
        ("depth_curves", ["plain-8, mean of 2: 21.0%.", "plain-14, mean of 2: 25.5%."]),
        ("depth_curves", ["ResNet-8, mean of 2: 19.5%", "ResNet the deeper network is below from"]),
        ("depth_curves none", ["At the end: no runs yet"]),
        # (1 + 0.5 + 0.75) / 3 and (1 + 0.5 + 1) / 3
        ("responses", ["Means over the layers: plain-8 0.79."]),
        ("responses none", ["Means over the layers: no runs yet."]),
        ("errors_by_row", ["of 3 networks", "identity 7.50, block 9.75."]),
        ("gradient_norms", ["40 (plain)", "1.2 (residual)"]),
        ("ladder", ["a <net>, 9 bars", "b, 2 bars", "D2L's loop 50; fit 1,234."]),
        ("confusion", ["for 10 test images", "7 lie on", "<fish> → bird, 2 times"]),
        ("predictions", ["10 test images", "3 are wrong"]),
    ],
)
def test_alternative_tells_the_numbers(name: str, facts: list[str]) -> None:
    for fact in facts:
        assert fact in gallery.made(name).alt


def test_curves_have_a_legend_and_all_points() -> None:
    """Two panels, each with both names and two markers a line."""
    for svg in page(gallery.curves()):
        texts = ["".join(text.itertext()) for text in svg.iter(f"{SVG}text")]
        assert {"a <net>", "b"} <= set(texts)
        uses = Counter(
            use.get(HREF) for use in svg.iter(f"{SVG}use") if figures.BLUE in use.get("style", "")
        )
        assert max(uses.values()) >= 2
    assert "test accuracy (%)" in text_of(gallery.curves())


def test_published_depths_stand_on_the_axis() -> None:
    assert {"20", "32", "56", "110", "1202"} <= set(
        text_of(gallery.made("published_depth")).split()
    )


def test_predictions_mark_the_mistakes() -> None:
    """Three of ten, by a cross and the true class, not by colour alone; ten pictures, no more."""
    figure = gallery.predictions()
    assert text_of(figure).count("✗") == 3
    assert text_of(figure).count("(<fish>)") == 2
    assert len(list(page(figure).iter(f"{SVG}image"))) == 10
    orange = [t for t in page(figure).iter(f"{SVG}text") if figures.ORANGE in t.get("style", "")]
    assert all("✗" in "".join(t.itertext()) or "(" in "".join(t.itertext()) for t in orange)
    assert len(orange) >= 3


@pytest.mark.parametrize("n", [1, 4, 5])
def test_predictions_of_any_number(n: int) -> None:
    images = torch.zeros(n, 1, 4, 4, dtype=torch.uint8)
    labels = torch.zeros(n, dtype=torch.long)
    figure = figures.predictions(images, labels, labels, gallery.CLASSES)
    assert len(list(page(figure).iter(f"{SVG}image"))) == n
    assert not list(page(figure).iter(f"{SVG}use"))  # no ticks, so no empty axes


def test_confusion_rows_are_true_classes() -> None:
    """Of the fish two are taken for birds: third row, second column; empty cells stay empty."""
    figure = gallery.made("confusion")
    at = {
        (float(t.get("x", 0)), float(t.get("y", 0))): t.text
        for t in page(figure).iter(f"{SVG}text")
        if (t.text or "").isdigit()
    }
    rows = sorted({round(y) for _, y in at})
    columns = sorted({round(x) for x, _ in at})
    cells = {(rows.index(round(y)), columns.index(round(x))): text for (x, y), text in at.items()}
    assert cells == {(0, 0): "2", (0, 1): "1", (1, 1): "3", (2, 1): "2", (2, 2): "2"}


def test_confusion_without_a_class() -> None:
    """A class that does not occur divides nothing by zero."""
    labels = torch.tensor([0, 0, 1])
    figure = figures.confusion(labels, torch.tensor([0, 1, 1]), ("a", "b", "c"))
    assert "3 test images" in figure.alt


@pytest.mark.parametrize("name", ["a & b", '"quoted"', "<b>", "ä → ö", "{x}", "100 %", r"$\frac$"])
def test_any_name_will_do(name: str) -> None:
    """Names come from readers: they are shown as they are, and break nothing."""
    drawn = [
        figures.curves({name: gallery.run([1.0], [0.5])}),
        figures.ladder({name: {"d2l": 1.0}}),
        figures.gradient_norms({name: [1.0, 2.0]}),
        plots.errors_by_row({name: gallery.seeds(9.0)}, {}, ""),
    ]
    for figure in drawn:
        assert name in page(figure).get("aria-label", "")
        assert name in text_of(figure)


def test_panels_fit_a_phone() -> None:
    """360 CSS pixels: no panel asks for more before it wraps."""
    for name in gallery.FIGURES:
        basis = [int(b) for b in re.findall(r"flex:1 1 (\d+)px", gallery.made(name).svg)]
        assert basis
        assert max(basis) <= 340


def test_styled_functions_keep_their_signature() -> None:
    """The decorator hides neither names nor documentation from help()."""
    functions: list[Any] = [figures.curves, drawings.network]
    for function in functions:
        assert function.__doc__
    assert list(inspect.signature(figures.curves).parameters) == ["runs"]


def test_depth_curves_which_line_is_which() -> None:
    """Values read back from the lines: the means of each network, the gap, and the crossing."""
    figure = gallery.made("depth_curves")
    plain, residual, half, difference = (canvas.axes[0] for canvas in figure.panels)
    ends = {line.get_label(): line.get_ydata()[-1] for line in plain.lines}
    assert ends == pytest.approx({"plain-8": 21.0, "plain-14": 25.5})
    gaps = {line.get_label(): line.get_ydata() for line in difference.lines[1:]}  # the first is 0
    assert set(gaps) == {"plain", "ResNet"}
    assert gaps["plain"][-1] == pytest.approx(4.5)
    assert gaps["ResNet"][0] > 0 > gaps["ResNet"][-1] == pytest.approx(-2.0)
    assert len(plain.lines) == 2 and len(residual.lines) == 3 and len(half.lines) == 1
    assert residual.lines[-1].get_xdata()[0] == residual.lines[0].get_xdata()[-1]


def test_a_network_looks_the_same_wherever_it_stands() -> None:
    """Its form has a colour and a marker, its depth a stroke; another series has the next look."""
    for i in range(5):
        assert figures.look("plain-56", i) == (figures.BLUE, "-", "o")
        assert figures.look("pre-activation ResNet-20", i) == (figures.GREEN, "--", "^")
    assert figures.look("plain-56, grown start", 3) == (figures.BLUE, ":", "o")
    assert figures.look("ResNet", 3) == (figures.ORANGE, figures.LINES[3][1], "s")
    assert figures.look("no shortcut", 5) == figures.LINES[1]
    looks = {figures.look(f"{form}-{n}", 0) for form in figures.FORM_LOOKS for n in (20, 56, 110)}
    assert len(looks) == 9
