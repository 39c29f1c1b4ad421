"""Fixtures that several test files share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
import toybook


@pytest.fixture
def toy(tmp_path: Path) -> Callable[..., Path]:
    """A maker of toy books, each in a folder whose name has a space and a letter beyond ASCII."""

    def make(**chapters: nbformat.NotebookNode) -> Path:
        folder = tmp_path / "ein Büchlein"
        folder.mkdir()
        return toybook.make_toy(folder, **chapters)

    return make
