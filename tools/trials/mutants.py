"""`make mutants`: break the code on purpose, one place at a time; do the tests notice?

mutmut breaks the functions, folder by folder, each against the tests in the folder's mirror. What
it leaves alone, tables and decorated functions, is broken by hand: tests/mutants.toml. Everything
happens in copies below _build/mutants, and a run that was stopped goes on from there; delete them
to start anew. The score by folder goes into results/mutants.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from ..common import BUILD, RESULTS, ROOT, BookError, commit, cores, write_whole

FOLDERS = (
    "resnet", "resnet/data", "resnet/training", "resnet/reproduce", "resnet/check", "resnet/book",
    "tools", "tools/build",
)  # fmt: skip
BY_HAND = "by hand"
RECORD = RESULTS / "mutants.json"
LIST = ROOT / "tests" / "mutants.toml"
COPIED = (
    "resnet", "results", "tests", "tools", "chapters", "exercises", "conftest.py", "pyproject.toml",
    "requirements.txt", "requirements-d2l.txt", "_config.yml", "_toc.yml", "_static",
)  # fmt: skip
SETTINGS = """\
[mutmut]
source_paths =
    resnet
    tools
only_mutate =
    {files}
pytest_add_cli_args_test_selection =
    {tests}
also_copy =
    {copied}
use_git_change_detection = False
"""


class Mutant(NamedTuple):
    """What is broken by hand, and where."""

    what: str
    file: str
    old: str
    new: str


def copy_of_book(name: str) -> Path:
    """Make a copy to break, or bring the one that is there up to date."""
    folder = BUILD / "mutants" / name.replace("/", "-").replace(" ", "-")
    for part in COPIED:
        source, target = ROOT / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            unwanted = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, target, ignore=unwanted, dirs_exist_ok=True)
        else:
            shutil.copy2(source, target)
    return folder


def settings(name: str, folder: Path, files: Sequence[str] = ()) -> str:
    """Return mutmut's settings for a folder of the copy, or for some of the folder's files."""
    found = [path for path in sorted((folder / name).glob("*.py")) if path.name != "__main__.py"]
    chosen = [path for path in found if not files or path.stem in files]
    tests = [
        path
        for path in sorted((folder / "tests" / name).glob("test_*.py"))
        if not files or path.stem.removeprefix("test_") in files
    ]
    if not chosen or not tests:
        raise BookError(f"{name} has no file, or no test file, of {', '.join(files) or 'Python'}.")

    def lines(paths: Sequence[Path]) -> str:
        return "\n    ".join(path.relative_to(folder).as_posix() for path in paths)

    # mutmut copies the tests by itself
    copied = "\n    ".join(part for part in COPIED if part not in {"resnet", "tools", "tests"})
    return SETTINGS.format(files=lines(chosen), tests=lines(tests), copied=copied)


def by_mutmut(name: str, files: Sequence[str]) -> dict[str, int]:
    """Break a folder's functions; what became of the mutants."""
    folder = copy_of_book(name)
    (folder / "setup.cfg").write_text(settings(name, folder, files), encoding="utf-8")
    mutants = folder / "mutants"
    mutants.mkdir(exist_ok=True)  # else Python remembers at its start that there is no such place
    tool = Path(sys.executable).with_name("mutmut")
    done = subprocess.run(
        [str(tool), "run", "--max-children", str(cores())], cwd=folder, env=environment(mutants)
    )
    if done.returncode:
        raise BookError(f"mutmut ended with {done.returncode} for {name}.")
    subprocess.run([str(tool), "export-cicd-stats"], cwd=folder, check=True, capture_output=True)
    found = json.loads((mutants / "mutmut-cicd-stats.json").read_text(encoding="utf-8"))
    caught = found["killed"] + found["timeout"] + found["segfault"]
    left = {"untested": found["no_tests"], "unchecked": found["not_checked"]}
    return {"mutants": found["total"], "caught": caught, **left}


def environment(place: Path) -> dict[str, str]:
    """Return the environment with the modules of `place`, on one core."""
    return {**os.environ, "PYTHONPATH": str(place), "OMP_NUM_THREADS": "1"}


def by_hand() -> dict[str, int]:
    """Apply the listed mutants in turn, each against its file's tests and those beside."""
    folder = copy_of_book(BY_HAND)
    mutants = [Mutant(**one) for one in tomllib.loads(LIST.read_text(encoding="utf-8"))["mutant"]]
    if lost := [told for mutant in mutants if (told := misplaced(mutant))]:
        raise BookError("\n       ".join(lost))
    caught = 0
    for mutant in mutants:
        path = folder / "resnet" / f"{mutant.file}.py"
        before = path.read_text(encoding="utf-8")
        path.write_text(before.replace(mutant.old, mutant.new), encoding="utf-8")
        noticed = not passes(mutant.file, folder)
        path.write_text(before, encoding="utf-8")
        caught += noticed
        told = "caught" if noticed else "SURVIVES"
        print(f"{told}: {mutant.file}: {mutant.what}", flush=True)
    return {"mutants": len(mutants), "caught": caught, "untested": 0, "unchecked": 0}


def misplaced(mutant: Mutant) -> str | None:
    """Say what is wrong with a mutant's place, which must be there just once."""
    path = ROOT / "resnet" / f"{mutant.file}.py"
    count = path.read_text(encoding="utf-8").count(mutant.old) if path.is_file() else 0
    if count == 1:
        return None
    return f"{mutant.what}: {mutant.file}.py holds {mutant.old!r} {count} times, not once"


def passes(file: str, folder: Path) -> bool:
    """Whether the file's tests, then those beside, pass in the copy; not in ten minutes is no."""
    place = folder / "tests" / "resnet" / file
    tests = sorted(place.parent.glob("test_*.py"), key=lambda p: p.stem != f"test_{place.name}")
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    command += map(str, tests)
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment(folder), capture_output=True, timeout=600
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def main(given: Sequence[str] | None = None) -> int:
    """Try the folders, print and record each one's score; 1 where something could not be tried."""
    parser = argparse.ArgumentParser(prog="python -m tools.trials.mutants", description=__doc__)
    names = [*FOLDERS, BY_HAND]
    parser.add_argument("--only", action="append", choices=names, help="may be repeated")
    parser.add_argument("--file", action="append", default=[], help="of one folder; not recorded")
    options = parser.parse_args(given)
    if options.file and len(options.only or ()) != 1:
        parser.error("--file needs the folder it is in: --only FOLDER")
    try:
        for name in options.only or names:
            score = by_hand() if name == BY_HAND else by_mutmut(name, options.file)
            print(f"{name}: {score['caught']} of {score['mutants']} caught", flush=True)
            if not options.file:
                kept = json.loads(RECORD.read_text()) if RECORD.is_file() else {}
                about = {"commit": commit(), "date": f"{datetime.now(UTC):%Y-%m-%d}"}
                write_whole(RECORD, json.dumps(kept | {name: score | about}, indent=1) + "\n")
    except BookError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
