"""Fixtures that several test files share."""

from __future__ import annotations

import gc
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
import toybook


@pytest.fixture(scope="session", autouse=True)
def nothing_remembered() -> None:
    """Forget what was computed before: `make mutants` makes tests again in forks of a process."""
    if "MUTANT_UNDER_TEST" not in os.environ:
        return
    caches = [one for one in gc.get_objects() if type(one).__name__ == "_lru_cache_wrapper"]
    for cache in caches:
        if not str(cache.__module__).startswith(("torch", "_pytest")):
            cache.cache_clear()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody can reach, unlike pytest's."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 100 kB, so full after little; to mount one takes root on Linux."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "small", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True)
    except OSError as error:
        pytest.skip(f"no small disk can be mounted here: {error}")
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def toy(tmp_path: Path) -> Callable[..., Path]:
    """A maker of toy books, each in a folder whose name has a space and a letter beyond ASCII."""

    def make(**chapters: nbformat.NotebookNode) -> Path:
        folder = tmp_path / "ein Büchlein"
        folder.mkdir()
        return toybook.make_toy(folder, **chapters)

    return make
