"""`make mutants`: break the code on purpose, one place at a time; do the tests notice?

mutmut breaks the functions, folder by folder, each against the tests in the folder's mirror. What
it leaves alone, tables and decorated functions, is broken by hand: tests/mutants.toml. Everything
happens in copies below _build/mutants, and a run that was stopped goes on from there; delete them
to start anew. The score by folder goes into results/mutants.json. All of a folder's mutants take
hours: `--sample` draws some of them at random, and the record says how many, and what share of all
mutants is caught at least (95% Clopper-Pearson interval). Tests that were written for one sample's
survivors are judged by another's: `--seed`. A survivor that changes nothing that
anybody could see is listed in tests/mutants.toml with the reason, and counted apart.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from scipy.stats import binomtest

from ..common import BUILD, RESULTS, ROOT, BookError, commit, cores, write_whole

FOLDERS = (
    "resnet", "resnet/data", "resnet/training", "resnet/reproduce", "resnet/check", "resnet/book",
    "tools", "tools/build",
)  # fmt: skip
# Of what tests do in other processes mutmut knows nothing: a mutant that it leaves alive is tried
# against all tests of its folder; the build's whole commands are tested in other files.
COMMANDS = {"tools/build": ("tests/tools/test_book.py", "tests/tools/test_package.py")}
BY_HAND = "by hand"
RECORD = RESULTS / "mutants.json"
LIST = ROOT / "tests" / "mutants.toml"
COPIED = (
    "resnet", "results", "tests", "tools", "chapters", "exercises", "conftest.py", "pyproject.toml",
    "requirements.txt", "requirements-d2l.txt", "_config.yml", "_toc.yml", "_static", "README.md",
    "LICENSE", "LICENSE-TEXT", "CITATION.cff", "Makefile", "environment.yml", ".github", ".ci",
    "CONTRIBUTING.md", "CHANGELOG.md", ".gitignore", ".pre-commit-config.yaml",
)  # fmt: skip
# parts of the names of tests that cannot be made in mutmut's copies: it puts lines around every
# function, which torch.compile cannot follow and which tests of the source see; one takes a book
LEFT_OUT = ("compil", "the_catalogue", "short_and_needs", "branch_of_their_own")
# For the processes that a test starts, in folders of its own: mutmut looks for its settings where a
# process runs, and counts in one process only which functions a test calls.
OTHER_PROCESSES = """\
import os

if "MUTANT_UNDER_TEST" in os.environ:
    here = os.getcwd()
    os.chdir(os.path.dirname(__file__))
    try:
        from mutmut.configuration import config

        config()
    except ImportError:  # another Python
        pass
    os.chdir(here)
    if os.environ["MUTANT_UNDER_TEST"] == "stats":
        os.environ["MUTANT_UNDER_TEST"] = ""
"""
SETTINGS = """\
[mutmut]
source_paths =
    resnet
    tools
only_mutate =
    {files}
pytest_add_cli_args =
    -k
    {others}
pytest_add_cli_args_test_selection =
    {tests}
also_copy =
    {copied}
use_git_change_detection = False
"""


@dataclass
class Score:
    """What became of a folder's mutants.

    Attributes:
        mutants: how many there are.
        tried: how many of them were drawn.
        caught: how many of these the tests notice.
        equal: how many are listed as changing nothing.
        survive: what is changed where the tests pass all the same.
        untested: what is changed where no test comes.

    """

    mutants: int
    tried: int
    caught: int
    equal: int
    survive: list[str]
    untested: list[str]

    def describe(self) -> dict[str, object]:
        """Return the fields, and the lower bound of the share that is caught of all mutants."""
        bound = binomtest(self.caught, self.tried - self.equal).proportion_ci(0.95, "exact").low
        return {**asdict(self), "at least": round(bound, 3)}


class Mutant(NamedTuple):
    """What is broken, and where: a text of a file, and what stands there instead."""

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
    others = " and ".join(f"not {part}" for part in LEFT_OUT)
    return SETTINGS.format(files=lines(chosen), tests=lines(tests), copied=copied, others=others)


def by_mutmut(name: str, files: Sequence[str], sample: int | None = None, seed: int = 0) -> Score:
    """Break a folder's functions, or draw some of the mutants; what became of them."""
    folder = copy_of_book("-".join([name, *files]))  # mutmut breaks what it has broken before
    (folder / "setup.cfg").write_text(settings(name, folder, files), encoding="utf-8")
    mutants = folder / "mutants"
    mutants.mkdir(exist_ok=True)  # else Python remembers at its start that there is no such place
    (folder / "sitecustomize.py").write_text(OTHER_PROCESSES, encoding="utf-8")
    if sample is None:
        mutmut(folder, "run", "--max-children", str(cores()))
        return score(name, folder, found := results(folder), len(found))
    # asked for a mutant that there is not, mutmut makes them all and tries none
    mutmut(folder, "run", "--max-children", str(cores()), "none", fails=True)
    names = sorted(results(folder))
    drawn = random.Random(seed).sample(names, min(sample, len(names)))
    if left := [one for one in drawn if results(folder)[one] is None]:
        mutmut(folder, "run", "--max-children", str(cores()), *left)
    found = results(folder)
    return score(name, folder, {one: found[one] for one in drawn}, len(names))


def caught_by_all(folder: Path, tests: Sequence[str], mutants: Sequence[str]) -> dict[str, int]:
    """Return those that one of the tests notices, with a failed test's status."""
    place = folder / "mutants"
    others = " and ".join(f"not {part}" for part in LEFT_OUT)
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    command += ["-k", others, *tests]

    def status(mutant: str) -> int:
        env = {**environment(place, folder), "MUTANT_UNDER_TEST": mutant}
        try:
            return subprocess.run(
                command, cwd=place, env=env, capture_output=True, timeout=limit
            ).returncode
        except subprocess.TimeoutExpired:
            return 1

    limit, start = 1800.0, time.monotonic()
    if mutants and status(""):
        raise BookError(f"{' '.join(tests)}: failed in {place}, with nothing broken.")
    limit = 60 + 3 * (time.monotonic() - start)  # a mutant may well wait for ever
    with ThreadPoolExecutor(cores()) as pool:
        return {
            one: 1 for one, failed in zip(mutants, pool.map(status, mutants), strict=True) if failed
        }


def mutmut(folder: Path, *given: str, fails: bool = False) -> str:
    """Run mutmut in the copy, and return what it prints."""
    tool = Path(sys.executable).with_name("mutmut")
    done = subprocess.run(
        [str(tool), *given], cwd=folder, env=environment(folder / "mutants", folder),
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode and not fails:
        told = (done.stdout + done.stderr)[-2000:]
        raise BookError(f"mutmut {given[0]} ended with {done.returncode}: {told}")
    return done.stdout


def results(folder: Path) -> dict[str, int | None]:
    """Return each mutant's name and the exit status of its tests; None where it was not tried."""
    found: dict[str, int | None] = {}
    for path in sorted((folder / "mutants").rglob("*.py.meta")):
        found |= json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
    if not found:
        raise BookError(f"mutmut made no mutant in {folder}.")
    return found


# what mutmut writes: a test failed (or pytest itself did), or did not end, or the process died;
# the tests passed; no test comes there
CAUGHT = {1, 3, 36, 24, -24, 152, 255, -11, -9}
SURVIVED = {0}
UNTESTED = {5, 33}


def score(name: str, folder: Path, found: dict[str, int | None], count: int) -> Score:
    """Count what was caught of the mutants that were tried, and say how each survivor differs."""
    alive = [one for one, code in found.items() if code in SURVIVED | UNTESTED]
    own = [f"tests/{name}/{path.name}" for path in (folder / "tests" / name).glob("test_*.py")]
    tests = [*sorted(own), *COMMANDS.get(name, ())]
    found = {**found, **caught_by_all(folder, tests, alive)}
    lives = {one: change(folder, one) for one, code in found.items() if code in SURVIVED}
    untested = {one: change(folder, one) for one, code in found.items() if code in UNTESTED}
    patterns = [re.compile(one["change"]) for one in listed().get("equal", [])]
    alike = [
        one
        for one, text in (lives | untested).items()
        if any(pattern.search(text) for pattern in patterns)
    ]
    caught = sum(code in CAUGHT for code in found.values())
    if strange := len(found) - caught - len(lives) - len(untested):
        raise BookError(f"{strange} mutants were not tried to the end: run this again.")
    return Score(
        mutants=count,
        tried=len(found),
        caught=caught,
        equal=len(alike),
        survive=[text for one, text in lives.items() if one not in alike],
        untested=[text for one, text in untested.items() if one not in alike],
    )


def change(folder: Path, mutant: str) -> str:
    """Return the mutant's function and what is different there: old lines, an arrow, new lines."""
    lines = mutmut(folder, "show", mutant).splitlines()
    old = [line[1:].strip() for line in lines if line.startswith("-") and line[:3] != "---"]
    new = [line[1:].strip() for line in lines if line.startswith("+") and line[:3] != "+++"]
    place = mutant.rpartition("__mutmut_")[0].replace(".x_", ".")
    return f"{place}: {' '.join(old)} -> {' '.join(new)}"


def listed() -> dict[str, list[dict[str, str]]]:
    """Return what tests/mutants.toml holds."""
    return tomllib.loads(LIST.read_text(encoding="utf-8"))


def environment(*places: Path) -> dict[str, str]:
    """Return the environment with the modules of the places, on one core."""
    path = os.pathsep.join(map(str, places))
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


def by_hand() -> Score:
    """Apply the listed mutants in turn, each against its file's tests and those beside."""
    folder = copy_of_book(BY_HAND)
    mutants = [Mutant(**one) for one in listed()["mutant"]]
    if lost := [told for mutant in mutants if (told := misplaced(mutant))]:
        raise BookError("\n       ".join(lost))
    lives = []
    for mutant in mutants:
        path = folder / mutant.file
        before = path.read_text(encoding="utf-8")
        path.write_text(before.replace(mutant.old, mutant.new), encoding="utf-8")
        noticed = not passes(mutant.file, folder)
        path.write_text(before, encoding="utf-8")
        lives += [] if noticed else [mutant.what]
        told = "caught" if noticed else "SURVIVES"
        print(f"{told}: {mutant.file}: {mutant.what}", flush=True)
    return Score(len(mutants), len(mutants), len(mutants) - len(lives), 0, lives, [])


def misplaced(mutant: Mutant) -> str | None:
    """Say what is wrong with a mutant's place, which must be there just once."""
    path = ROOT / mutant.file
    count = path.read_text(encoding="utf-8").count(mutant.old) if path.is_file() else 0
    if count == 1:
        return None
    return f"{mutant.what}: {mutant.file} holds {mutant.old!r} {count} times, not once"


def passes(file: str, folder: Path) -> bool:
    """Whether the file's tests, then those beside, pass in the copy; not in ten minutes is no."""
    place = folder / "tests" / file
    tests = sorted(place.parent.glob("test_*.py"), key=lambda p: p.stem != f"test_{place.stem}")
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
    parser.add_argument("--sample", type=int, metavar="N", help="draw N mutants of each folder")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the draw")
    options = parser.parse_args(given)
    if options.file and len(options.only or ()) != 1:
        parser.error("--file needs the folder it is in: --only FOLDER")
    try:
        for name in options.only or names:
            made = (
                by_hand()
                if name == BY_HAND
                else by_mutmut(name, options.file, options.sample, options.seed)
            )
            print(f"{name}: {made.caught} of {made.tried - made.equal} caught", flush=True)
            for text in [*made.survive, *made.untested]:
                print(f"  lives: {text}")
            if not options.file:
                kept = json.loads(RECORD.read_text()) if RECORD.is_file() else {}
                about = {"seed": options.seed} if options.sample and name != BY_HAND else {}
                about |= {"commit": commit(), "date": f"{datetime.now(UTC):%Y-%m-%d}"}
                write_whole(
                    RECORD, json.dumps(kept | {name: made.describe() | about}, indent=1) + "\n"
                )
    except BookError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
