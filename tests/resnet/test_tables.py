"""Tables: aligned as text, escaped as HTML."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from resnet.tables import PLUS_MINUS, Table

ROWS = [("a <b>", 1_234_567, 1.5, True), ("c & d", 12, 22.25, False)]


def test_text_is_aligned() -> None:
    """Numbers stand right, with thousands marked; words left."""
    assert repr(Table(("name", "count", "share", "done"), ROWS)).splitlines() == [
        "name       count  share  done",
        "a <b>  1,234,567    1.5  yes",
        "c & d         12  22.25  no",
    ]


def test_html_is_escaped_and_whole() -> None:
    tree = ET.fromstring(Table(("name", "count", "share", "done"), ROWS)._repr_html_())
    assert [cell.text for cell in tree.iter("th")] == ["name", "count", "share", "done"]
    cells = [[cell.text for cell in row] for row in tree.iter("tr")][1:]
    assert cells == [["a <b>", "1,234,567", "1.5", "yes"], ["c & d", "12", "22.25", "no"]]
    assert len(list(tree.iter("td"))) == 8
    right = [cell.text for cell in tree.iter("th") if "right" in cell.get("style", "")]
    assert right == ["count", "share"]


def test_header_is_escaped() -> None:
    """It may hold the name of a device or a network."""
    shown = Table(("<script>", "a & b"), [("x", 1)])._repr_html_()
    assert "<script>" not in shown
    assert [cell.text for cell in ET.fromstring(shown).iter("th")] == ["<script>", "a & b"]


def test_empty() -> None:
    assert repr(Table(("a", "b"), [])) == "a  b"


def test_means_with_deviations_are_numbers() -> None:
    table = Table(["", "mean"], [("a", f"9.50{PLUS_MINUS}0.21"), ("b", "10.00")])
    assert table.right == [False, True]
    assert "\n" not in PLUS_MINUS and PLUS_MINUS.split() == ["±"]
    assert not Table(["mean"], [(f"a{PLUS_MINUS}1",)]).right[0]


def test_names_are_not_broken() -> None:
    shown = Table(["", "<b"], [("ResNet-20 < plain-56", 1)])._repr_html_()
    assert '<span style="white-space:nowrap">ResNet-20</span> &lt; <span' in shown


def test_transposed() -> None:
    table = Table(["", "a", "b"], [("x", 1000, True), ("y", 2.5, False)]).transposed()
    assert table.header == ["", "x", "y"]
    assert table.rows == [["a", "1,000", "2.5"], ["b", "yes", "no"]]
    assert table.transposed().rows == [["x", "1,000", "yes"], ["y", "2.5", "no"]]
