"""`make colab`: every readers' notebook alone, from top to bottom, as in Colab, without Colab.

The notebooks and the wheel are those of notebooks.zip on the built site. For each Python that is
named: a fresh environment with Colab's versions of the packages; in it, for each notebook, an empty
folder that holds the notebook and nothing else. Its set-up cell is that of a book whose address is
set, with the wheel for the address. Afterwards the environment must be as before but for the
packages that the cell installs.

Within Colab's own image, `--here` takes the Python that runs this, with the packages that it has.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from ..build import bundle, config, notebooks
from ..common import BUILD, ROOT, BookError, version

PACKAGES = ROOT / "tools" / "trials" / "colab.txt"
PAPERMILL = "papermill==2.7.0"
SEEN = ("torch", "torchvision", "numpy", "pandas", "matplotlib", "ipython", "ipykernel")
ARCHIVE = BUILD / "html" / f"{bundle.NAME}.zip"
ADDRESS = "https://example.org/the-book"
INSTALLED = {"resnet-book", "d2l"}  # by the set-up cell


def unpacked(folder: Path) -> tuple[list[Path], Path]:
    """Unpack notebooks.zip into a folder; the notebooks, in the book's order, and the wheel."""
    if not ARCHIVE.is_file():
        raise BookError(f"{ARCHIVE.relative_to(ROOT)} is not there; `make book` makes it.")
    shutil.unpack_archive(ARCHIVE, folder)
    inside = folder / bundle.NAME
    order = [inside / path.name for path in config.notebooks()]
    return order, next(inside.glob("*.whl"))


def alone(path: Path, wheel: Path, folder: Path) -> Path:
    """Write the notebook, with a set-up cell that installs `wheel`, into the empty `folder`."""
    notebook = notebooks.read(path)
    own = notebooks.setup_cell(config.address(config.read_yaml(config.CONFIG)), version())
    cell = next(cell for cell in notebook.cells if notebooks.SETUP in notebooks.tags(cell))
    place = f"git+{ADDRESS}@v{version()}"
    installing = notebooks.setup_cell(ADDRESS, version()).replace(place, wheel.as_uri())
    if own not in cell.source or wheel.as_uri() not in installing:
        raise BookError(f"{path.name}: its set-up cell is not of the form that a reader gets.")
    cell.source = cell.source.replace(own, installing)
    notebooks.write(notebook, folder / path.name)
    return folder / path.name


def freeze(python: Path) -> dict[str, str]:
    """Name the packages and versions that a Python finds."""
    listed = run([str(python), "-m", "pip", "list", "--format=freeze"], Path.cwd())
    return dict(line.split("==", 1) for line in listed.splitlines() if "==" in line)


def try_chapter(python: Path, path: Path, wheel: Path) -> float:
    """Run a readers' notebook in an empty folder; the seconds it took.

    Raises BookError if a cell fails, or the environment has changed in more than what the set-up
    cell installs, which is taken out again.
    """
    before = freeze(python)
    with tempfile.TemporaryDirectory(prefix="colab ") as name:
        folder = Path(name)
        notebook = alone(path, wheel, folder)
        start = time.perf_counter()
        command = [str(python), "-m", "papermill", "-k", "python3", "--no-progress-bar"]
        run([*command, notebook.name, "done.ipynb"], folder)
        seconds = time.perf_counter() - start
    after = freeze(python)
    changed = sorted(package for package in before if after.get(package) != before[package])
    new = sorted(set(after) - set(before))
    if changed or not set(new) <= INSTALLED or "resnet-book" not in new:
        raise BookError(f"{path.stem}: the set-up cell changed {changed} and installed {new}.")
    run([str(python), "-m", "pip", "uninstall", "--yes", "--quiet", *new], Path.cwd())
    return seconds


def environment(python: str, folder: Path, packages: Sequence[str]) -> Path:
    """Make an environment with packages, given as to pip; its Python."""
    if not (found := shutil.which(python)):
        raise BookError(f"there is no {python}; name others with --python")
    run([found, "-m", "venv", str(folder)], ROOT)
    inside = folder / "bin" / "python"
    install = [str(inside), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*install, *packages], ROOT)
    return inside


def run(command: Sequence[str], folder: Path) -> str:
    """Return what a command says, which must succeed, without this Python's variables."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True)
    if done.returncode:
        output = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise BookError(f"{' '.join(command)} ended with {done.returncode}:\n{output}")
    return done.stdout


def try_all(python: Path, chapters: Sequence[Path], wheel: Path) -> None:
    """Run the chapters one after the other; print what there is and how long each took."""
    have = freeze(python)
    said = run([str(python), "--version"], ROOT).strip()
    print(f"{said}, " + ", ".join(f"{p} {have.get(p, 'none')}" for p in SEEN), flush=True)
    for path in chapters:
        seconds = try_chapter(python, path, wheel)
        print(f"  {path.stem:<24}{seconds:>7.1f} s, packages unchanged", flush=True)


def main(given: Sequence[str] | None = None) -> int:
    """Try the chapters with each Python, one environment at a time; print a table."""
    parser = argparse.ArgumentParser(prog="python -m tools.trials.colab", description=__doc__)
    parser.add_argument("--python", action="append", help="default: python3.13; may be repeated")
    parser.add_argument(
        "--here", action="store_true", help="no environments: this Python, as it is"
    )
    parser.add_argument("--chapter", action="append", help="default: all; may be repeated")
    options = parser.parse_args(given)
    try:
        for python in [sys.executable] if options.here else options.python or ["python3.13"]:
            with tempfile.TemporaryDirectory(prefix="colab-") as name:
                every, wheel = unpacked(Path(name))
                chapters = [path for path in every if path.stem in (options.chapter or [path.stem])]
                if not chapters:
                    raise BookError(f"there is no chapter {', '.join(options.chapter)}")
                inside = Path(python)
                if not options.here:
                    inside = environment(
                        python, Path(name) / "environment", ["-r", str(PACKAGES), PAPERMILL]
                    )
                try_all(inside, chapters, wheel)
    except BookError as error:
        print(f"\nerror: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
