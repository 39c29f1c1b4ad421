"""What becomes of a page's nodes in a notebook, in the cases that no chapter shows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from docutils import nodes
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from sphinx.errors import ExtensionError

from tools.extension import markdown

ENV: Any = SimpleNamespace(
    config=SimpleNamespace(numfig_format={"exercise": "Exercise %s"}, html_secnumber_suffix=". "),
    toc_fignumbers={
        "chapters/one": {"displaymath": {"equation-a": (2, 1)}, "exercise": {"ex-a": (8, 3)}}
    },
    toc_secnumbers={"chapters/one": {"": (2,), "#part": (2, 1)}},
)
PAGE = markdown.Page(ENV, "chapters/one", "https://example.org/")


def paragraph(*children: nodes.Node | str) -> nodes.paragraph:
    found = [nodes.Text(child) if isinstance(child, str) else child for child in children]
    return nodes.paragraph("", "", *found)


def html(text: str) -> str:
    rendered = MarkdownIt("gfm-like", {"linkify": False}).use(dollarmath_plugin).render(text)
    return str(rendered).strip()


@pytest.mark.parametrize(
    "text",
    [
        "a * b * c",
        "_a_ and a_b_c",
        "[a](b) [c]",
        "`x`",
        "<b>x</b>",
        "$5 and $6",
        "a ~~b~~",
        "a \\* b",
        "# no heading",
        "- no list",
        "+ a",
        "2016. No list",
        "3) no",
        "> no quotation",
        "a | b",
    ],
)
def test_text_stays_text(text: str) -> None:
    shown = text.replace("<", "&lt;").replace(">", "&gt;")
    assert html(markdown.block(paragraph(text), PAGE)) == f"<p>{shown}</p>"


@pytest.mark.parametrize("text", ["plain", "a `b` c", "`", "``a`` ", "x | y"])
def test_code_stays_code(text: str) -> None:
    written = markdown.block(paragraph("so ", nodes.literal("", text), "."), PAGE)
    assert html(written) == f"<p>so <code>{text}</code>.</p>".replace("</code>", "</code>")


def test_a_block_of_code_may_hold_a_fence() -> None:
    text = "```\nx\n```"
    written = markdown.block(nodes.literal_block(text, text, language="markdown"), PAGE)
    assert html(written) == f'<pre><code class="language-markdown">{text}\n</code></pre>'


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("https://a.org/x", "https://a.org/x"),
        ("glossary.html#term-a", "https://example.org/chapters/glossary.html#term-a"),
        ("../genindex.html", "https://example.org/genindex.html"),
        ("#fig-a", "#fig-a"),
        ("", "https://example.org/chapters/one.html"),
        ("a (b).html", "<https://example.org/chapters/a (b).html>"),
    ],
)
def test_links(target: str, found: str) -> None:
    link = nodes.reference("", "word", refuri=target)
    assert markdown.block(paragraph(link), PAGE) == f"[word]({found})"


def test_an_equation_has_its_number_and_its_anchor() -> None:
    block = nodes.math_block("", "a\n\nb", label="a", ids=["equation-a"])
    assert markdown.block(block, PAGE) == (
        '<a id="equation-a"></a>\n\n$$\na\nb \\tag{2.1}\n$$'  # an empty line would end it
    )
    assert markdown.block(nodes.math_block("", "a"), PAGE) == "$$\na\n$$"


def test_lists_in_lists() -> None:
    inner = nodes.bullet_list("", nodes.list_item("", paragraph("b")))
    outer = nodes.enumerated_list("", nodes.list_item("", paragraph("a"), inner), start=3)
    assert markdown.block(outer, PAGE) == "3. a\n\n   - b"


def test_a_table_with_what_would_break_it() -> None:
    def row(*cells: nodes.Node) -> nodes.row:
        return nodes.row("", *(nodes.entry("", paragraph(cell)) for cell in cells))

    head, body = (
        nodes.thead("", row("a | b", "c")),
        nodes.tbody("", row(nodes.literal("", "x|y"), "d")),
    )
    written = markdown.block(nodes.table("", nodes.tgroup("", head, body)), PAGE)
    assert html(written).count("<td>") == html(written).count("<th>") == 2
    assert "<code>x|y</code>" in html(written) and "<th>a | b</th>" in html(written)


def test_what_opens_on_the_page_opens_here() -> None:
    told = nodes.hint("", paragraph("Look."), classes=["dropdown"])
    opens = "<details>\n<summary>Hint</summary>\n\nLook.\n\n</details>"
    assert markdown.block(told, PAGE) == opens
    titled = nodes.admonition("", nodes.title("", "If <it> fails"), paragraph("Look."))
    assert markdown.block(titled, PAGE) == "> **If \\<it> fails.**\n>\n> Look."
    titled["classes"].append("dropdown")
    assert "<summary>If &lt;it&gt; fails</summary>" in markdown.block(titled, PAGE)


def test_html_of_the_page_becomes_a_link_to_it() -> None:
    raw = nodes.raw("", '<div class="react"><script>go()</script></div>', format="html")
    assert markdown.block(raw, PAGE) == (
        "[This part works on the page.](https://example.org/chapters/one.html)"
    )
    assert markdown.block(nodes.raw("", "</details>\n", format="html"), PAGE) == "</details>"
    assert markdown.block(nodes.raw("", r"\newpage", format="latex"), PAGE) == ""


def test_a_node_that_is_not_provided_for_is_an_error() -> None:
    line = nodes.line_block("", nodes.line("", "a poem"))
    with pytest.raises(ExtensionError, match=r"chapters/one: no Markdown for a line_block.*a poem"):
        markdown.block(line, PAGE)
    with pytest.raises(ExtensionError, match="superscript"):
        markdown.block(paragraph(nodes.superscript("", "2")), PAGE)


def test_pieces_come_from_the_cells_they_were_written_in_and_solutions_do_not() -> None:
    def at(node: nodes.Element, cell: int) -> nodes.Element:
        node.line = (cell + 1) * markdown.LINES_PER_CELL + 1
        return node

    def code(cell: int) -> nodes.container:
        return nodes.container("", nb_element="cell_code", cell_index=cell)

    title = nodes.title("", " (Widen)", title="Exercise %s")
    asked = nodes.section("", at(paragraph("How?"), 2), ids=["exercise-content"])
    exercise = nodes.admonition("", title, asked, classes=["exercise"], ids=["ex-a"])
    solution = nodes.admonition("", code(4), paragraph("So."), classes=["solution", "dropdown"])
    part = nodes.section("", at(nodes.title("", "Part"), 2), at(exercise, 2), code(3), ids=["part"])
    reacting = code(5)
    reacting += nodes.raw("", "<div><script>ask()</script></div>", format="html")
    part += [solution, reacting, at(paragraph("After."), 7)]
    whole = nodes.section("", at(nodes.title("", "Whole"), 0), code(1), part, ids=["whole"])
    page = nodes.document(None, None)
    page += whole
    found = list(markdown.pieces(page, PAGE))
    assert [(piece.cell, piece.code, piece.text) for piece in found] == [
        (0, False, "# 2. Whole"),
        (1, True, ""),
        (2, False, "## 2.1. Part"),
        (2, False, '<a id="ex-a"></a>\n\n### Exercise 8.3: Widen'),
        (2, False, "How?"),
        (3, True, ""),
        (5, False, "[This part works on the page.](https://example.org/chapters/one.html)"),
        (7, False, "After."),
    ]
