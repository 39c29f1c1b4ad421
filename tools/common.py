"""What every step of the pipeline needs: errors, digests, whole-file writes, provenance."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "_build"
CHAPTERS = ROOT / "chapters"
RESULTS = ROOT / "results"


class BookError(Exception):
    """A failure whose message says what is wrong and what to do; shown without a traceback."""


def write_whole(path: Path, text: str) -> None:
    """Write `text` so that a reader of `path` sees the old file or the new one, never a half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


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


def commit() -> str:
    """Return the commit the working tree is at, with a word on local changes; works without git."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(ROOT), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != ROOT:
            return "unknown (not a git checkout)"
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "--short=12", "HEAD") + (" with local changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown (not a git checkout)"


def cores() -> int:
    """Return the processor cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
