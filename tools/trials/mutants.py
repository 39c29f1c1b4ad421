"""`make mutants`: break the module on purpose, one place at a time; do the tests notice?

A mutant is one text of one file replaced; tests/mutants.toml lists them. Each is tried in a copy
of the book, against the file's own tests and those beside them; whatever survives is looked at, and
gets a test or a reason.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..common import ROOT, BookError

LIST = ROOT / "tests" / "mutants.toml"
COPIED = (
    "resnet", "results", "tests", "tools", "chapters", "exercises", "conftest.py", "pyproject.toml",
)  # fmt: skip
WANTED = 0.95


class Mutant(NamedTuple):
    """What is broken, and where."""

    what: str
    file: str
    old: str
    new: str


def apply(mutant: Mutant, folder: Path) -> str:
    """Break the copy in `folder`; the text that was there."""
    path = folder / "resnet" / f"{mutant.file}.py"
    before = path.read_text(encoding="utf-8")
    path.write_text(before.replace(mutant.old, mutant.new), encoding="utf-8")
    return before


def misplaced(mutant: Mutant, folder: Path) -> str | None:
    """Say what is wrong with a mutant's place, which must be there just once."""
    path = folder / "resnet" / f"{mutant.file}.py"
    count = path.read_text(encoding="utf-8").count(mutant.old) if path.is_file() else 0
    if count == 1:
        return None
    return f"{mutant.what}: {mutant.file}.py holds {mutant.old!r} {count} times, not once"


def tests_of(file: str, folder: Path) -> list[str]:
    """Return the tests in the place that mirrors the file's: its own first, then those beside."""
    place = folder / "tests" / "resnet" / file
    beside = sorted(place.parent.glob("test_*.py"))
    return [str(path) for path in sorted(beside, key=lambda p: p.stem != f"test_{place.name}")]


def passes(files: Sequence[str], folder: Path, seconds: int = 600) -> bool:
    """Say whether the test files pass in the copy; not within `seconds` is no."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *files]
    environment = {**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def main(given: Sequence[str] | None = None) -> int:
    """Try the mutants; 1 if fewer than 95% are caught."""
    parser = argparse.ArgumentParser(prog="python -m tools.trials.mutants", description=__doc__)
    parser.add_argument("--only", help="those of which this is a part of the description or file")
    parser.add_argument("--check", action="store_true", help="only see that every place is there")
    options = parser.parse_args(given)
    listed = tomllib.loads(LIST.read_text(encoding="utf-8"))["mutant"]
    chosen = [Mutant(**one) for one in listed]
    chosen = [m for m in chosen if not options.only or options.only in f"{m.what} {m.file}"]
    survivors = []
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = Path(name)
        for part in COPIED:
            source = ROOT / part
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, folder / part)
        try:
            lost = [problem for mutant in chosen if (problem := misplaced(mutant, folder))]
            if lost:
                raise BookError("\n       ".join(lost))
            if not options.check:
                places = {Path(m.file).parent: tests_of(m.file, folder) for m in chosen}
                for place, tests in places.items():
                    if not passes(tests, folder):
                        message = f"tests of resnet/{place} fail before anything is broken"
                        raise BookError(message)
            for number, mutant in enumerate(chosen, start=1):
                before = apply(mutant, folder)
                if not options.check:
                    caught = not passes(tests_of(mutant.file, folder), folder)
                    survivors += [] if caught else [mutant]
                    message = f"{'caught' if caught else 'SURVIVES'}: {mutant.file}: {mutant.what}"
                    print(f"[{number}/{len(chosen)}] {message}", flush=True)
                (folder / "resnet" / f"{mutant.file}.py").write_text(before, encoding="utf-8")
        except BookError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    if options.check:
        return 0
    share = 1 - len(survivors) / len(chosen) if chosen else 0.0
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} caught, {share:.0%}")
    return 0 if share >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
