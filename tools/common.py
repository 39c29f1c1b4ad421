"""What every step of the pipeline needs: errors, digests, and resnet's own for files and origin."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "_build"
CHAPTERS = ROOT / "chapters"
RESULTS = ROOT / "results"

if TYPE_CHECKING:
    from resnet import files
    from resnet.training import origin
else:  # the files alone: the package imports torch, for which `make book` need not wait

    def _alone(path):
        spec = spec_from_file_location(path.stem, path)
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    files = _alone(ROOT / "resnet" / "files.py")
    origin = _alone(ROOT / "resnet" / "training" / "origin.py")
commit, cores, write_whole = origin.commit, origin.cores, files.write_whole


class BookError(Exception):
    """A failure whose message says what is wrong and what to do; shown without a traceback."""


def files_under(folder: Path) -> Iterator[Path]:
    """Return every file below `folder` in a fixed order, without caches and editors' leavings."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
        if path.is_file() and not hidden:
            yield path


def digest_of(parts: Iterable[str | bytes]) -> str:
    """Return one digest over `parts`, each delimited by its length so that none run together."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(f"{len(data)}:".encode() + data)
    return total.hexdigest()


def digest_of_files(paths: Iterable[Path], base: Path = ROOT) -> str:
    """Return one digest over the names (below `base`) and the bytes of `paths`."""
    parts: list[str | bytes] = []
    for path in paths:
        parts += [path.relative_to(base).as_posix(), path.read_bytes()]
    return digest_of(parts)


def version() -> str:
    """Return the book's version, which stands in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])
