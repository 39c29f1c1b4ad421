"""Drawings of blocks and networks: made from the modules, so their counts must be the modules'."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable

import gallery
import pytest

from resnet import cifar_resnet, imagenet_resnet, resnet18
from resnet.book import drawings
from resnet.book.figures import Figure
from resnet.nets import ResNet

SVG = "{http://www.w3.org/2000/svg}"


def panels(figure: Figure) -> list[ET.Element]:
    return list(ET.fromstring(figure._repr_html_()))


def texts(svg: ET.Element) -> list[str]:
    return ["".join(text.itertext()) for text in svg.iter(f"{SVG}text")]


def arcs(svg: ET.Element) -> tuple[int, int]:
    """Solid and dashed lines with two corners, open: the ways around a unit."""
    solid = dashed = 0
    for path in svg.iter(f"{SVG}path"):
        style, shape = path.get("style", ""), path.get("d", "")
        if "fill: none" in style and re.fullmatch(r"\s*M[^MLCQz]*L[^MLCQz]*L[^MLCQz]*", shape):
            dashed += "dasharray" in style
            solid += "dasharray" not in style
    return solid, dashed


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        # 2016a, Fig. 3: 18 layers are 8 units; the first of stages 2, 3 and 4 projects
        (lambda: resnet18(), (5, 3)),
        (lambda: resnet18(shortcut=None), (0, 0)),
        # bottlenecks project in stage 1 too; three and more equal units become one box:
        # 1 + 1 + 1 | 1 + 3 | 1 + 5 | 1 + 1 + 1
        (lambda: imagenet_resnet(50, preact=True), (6, 4)),
        # Sec. 4.2, three stages: 2 | 1 + 1 | 1 + 1
        (lambda: cifar_resnet(14, shortcut="A"), (6, 0)),
        (lambda: cifar_resnet(14, shortcut="C"), (0, 6)),
        # 4 | 1 + 3 | 1 + 3
        (lambda: cifar_resnet(26), (5, 0)),
    ],
)
def test_arcs_of_a_network(make: Callable[[], ResNet], expected: tuple[int, int]) -> None:
    (svg,) = panels(drawings.network(make(), 64))
    assert arcs(svg) == expected


def test_network_says_sizes_and_counts() -> None:
    """Issue 2: 56, 28, 14 and 7 pixels per side; 64 to 512 channels; ten classes."""
    figure = drawings.network(resnet18(10, 1), 224)
    (svg,) = panels(figure)
    words = texts(svg)
    for side in ("56×56", "28×28", "14×14", "7×7", "1×1"):
        assert side in words
    lines = [line for text in words for line in text.split("\n")]
    assert "7×7 conv, 64, /2" in lines
    for channels, count in ((64, 4), (128, 3), (256, 3), (512, 3)):
        assert lines.count(f"3×3 conv, {channels}") == count
        assert lines.count(f"3×3 conv, {channels}, /2") == (channels > 64)
    assert "fully connected, 10" in lines
    assert "3×3 max pool, /2" in lines
    for fact in ("ResNet-18 ", "10 scores", "8 blocks in 4 stages", "56, 28, 14, 7", "3 of the 8"):
        assert fact in figure.alt


def test_network_of_many_units_says_how_many() -> None:
    """ResNet-32: 5 units a stage, all equal in the first, all but one in the others."""
    figure = drawings.network(cifar_resnet(32), 32)
    lines = [line for text in texts(panels(figure)[0]) for line in text.split("\n")]
    assert (lines.count("× 5"), lines.count("× 4")) == (1, 2)
    assert "15 blocks in 3 stages with 32, 16, 8 pixels" in figure.alt
    assert "max pool" not in " ".join(lines)


@pytest.mark.parametrize(
    ("stride_on", "line"), [("1x1", "1×1 conv, 32, /2"), ("3x3", "3×3 conv, 32, /2")]
)
def test_network_shows_where_the_stride_is(stride_on: str, line: str) -> None:
    (svg,) = panels(drawings.network(cifar_resnet(11, bottleneck=True, stride_on=stride_on), 32))
    assert line in "\n".join(texts(svg))


def test_plain_network_has_no_arcs_in_words_either() -> None:
    figure = gallery.made("plain network")
    assert "plain-20" in figure.alt
    assert "No line leads around" in figure.alt
    assert "projection" not in figure.alt


def test_plain_beside_residual_block() -> None:
    """The same layers twice; only the right has a way around and a plus sign."""
    left, right = panels(drawings.plain_and_residual())
    assert [sum(arcs(svg)) for svg in (left, right)] == [0, 1]
    layers = ["x", "3×3 conv", "batch norm", "ReLU", "3×3 conv", "batch norm", "ReLU"]
    for svg, plus in ((left, 0), (right, 1)):
        words = [word for word in texts(svg) if word in (*layers, "+")]
        assert words.count("+") == plus
        assert [word for word in words if word != "+"] == layers
    assert "identity" in texts(right)


def test_identity_beside_projection() -> None:
    """Right: stride 2 on the first convolution, and 1x1 convolution and BN on the way around."""
    left, right = panels(drawings.identity_and_projection())
    assert "identity" in texts(left)
    assert "3×3 conv, /2" not in texts(left)
    assert texts(right).count("3×3 conv, /2") == 1
    assert "1×1 conv" in " ".join(texts(right))
    assert "identity" not in texts(right)


def test_units_from_top_to_bottom() -> None:
    """2016a, Fig. 5 right; 2016b, Fig. 4e: every layer in order, the projection beside them."""
    bottleneck, plain, changed = map(texts, panels(gallery.made("units")))
    conv = "{}×{} conv, {}".format
    between = ["batch norm", "ReLU"]
    assert bottleneck == [
        "x", conv(1, 1, 64), *between, conv(3, 3, 64), *between, conv(1, 1, 256),
        "batch norm", "+", "ReLU", "identity", "bottleneck",
    ]  # fmt: skip
    assert "+" not in plain and "identity" not in plain
    assert changed == [
        "x", *between, "3×3 conv, 16, /2", *between, conv(3, 3, 16), "+", "1×1 conv", "new",
    ]  # fmt: skip


def test_units_alternative_says_the_same() -> None:
    alt = gallery.made("units").alt
    assert "bottleneck: the branch is 1×1 conv, 64, batch norm, ReLU, 3×3 conv, 64" in alt
    assert "plain: the branch is" in alt and "no line leads around it; then ReLU." in alt
    assert "new: first batch norm, ReLU; then the branch is 3×3 conv, 16, /2" in alt
    assert "through a 1 by 1 convolution around it to a plus sign; nothing follows" in alt
