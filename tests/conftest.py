"""Fixtures that several test files share."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
import toybook


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody can reach, unlike pytest's."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def toy(tmp_path: Path) -> Callable[..., Path]:
    """A maker of toy books, each in a folder whose name has a space and a letter beyond ASCII."""

    def make(**chapters: nbformat.NotebookNode) -> Path:
        folder = tmp_path / "ein Büchlein"
        folder.mkdir()
        return toybook.make_toy(folder, **chapters)

    return make
