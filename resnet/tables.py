"""Tables that read in a terminal and in a notebook."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

from resnet.translation import _

PLUS_MINUS = "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}"  # between a mean and its deviation


class Table:
    """Rows of text or numbers under a header; numbers are written as they are given.

    Jupyter shows it as HTML, `print` as aligned text. Columns of numbers stand right.
    """

    def __init__(self, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        self.header = list(header)
        self.rows = [[_text(cell) for cell in row] for row in rows]
        self.right = [
            bool(self.rows) and all(_is_number(row[i]) for row in self.rows if row[i])
            for i in range(len(self.header))
        ]

    def transposed(self) -> Table:
        """Return it with columns and rows exchanged: long and narrow, for a small screen."""
        header, *rows = zip(self.header, *self.rows, strict=True)
        return Table(header, rows)

    def __repr__(self) -> str:
        lines = [self.header, *self.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self.header))]
        return "\n".join(
            "  ".join(
                cell.rjust(width) if right else cell.ljust(width)
                for cell, width, right in zip(line, widths, self.right, strict=True)
            ).rstrip()
            for line in lines
        )

    def _repr_html_(self) -> str:
        def row(cells: Sequence[str], tag: str) -> str:
            align = (' style="text-align:right"' if right else "" for right in self.right)
            inside = "".join(
                f"<{tag}{style}>{_whole_names(html.escape(cell))}</{tag}>"
                for cell, style in zip(cells, align, strict=True)
            )
            return f"<tr>{inside}</tr>"

        body = "".join(row(cells, "td") for cells in self.rows)
        return f"<table><thead>{row(self.header, 'th')}</thead><tbody>{body}</tbody></table>"


def _whole_names(cell: str) -> str:
    """Keep names such as ResNet-20 on one line."""
    return re.sub(r"\w+-\d+", r'<span style="white-space:nowrap">\g<0></span>', cell)


def _text(cell: object) -> str:
    if isinstance(cell, bool):
        return _("yes") if cell else _("no")
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def _is_number(cell: str) -> bool:
    parts = cell.split(PLUS_MINUS)
    return all(p.replace(",", "").replace(".", "", 1).strip("-+%e ").isdigit() for p in parts)
