"""notebooks.zip on the site: the readers' notebooks, the module's wheel, and how to use them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ..common import CHAPTERS, ROOT, BookError, version
from . import notebooks

NAME = "notebooks"  # of the archive, and of the folder in it
# in a site: where its pages' download buttons lead to
FOLDER = Path("_sources") / CHAPTERS.name
README = """\
# How ResNet really works: the notebooks

Version {version}, with the outputs of the run that made the book's pages.

1. Python 3.11 to 3.13, in an environment: `python -m venv book`, then `. book/bin/activate`
   (on Windows `book\\Scripts\\activate`)
2. The book's module, which brings PyTorch, and Jupyter: `pip install {wheel} jupyterlab`
3. *Dive into Deep Learning*'s package, without its old pins: `pip install --no-deps {d2l}`
4. What that and some chapters import: `pip install {others}`
5. `jupyter lab 01-function-classes.ipynb`

{links} Text and figures: CC BY 4.0. Code: MIT.
"""
LINKED = "Links lead to the book's pages, {site}."
UNLINKED = "Links lead to the book's pages where this folder is the site's `_sources/chapters`."


def wheel(folder: Path) -> Path:
    """Build the book's package into a folder."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        output = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise BookError(f"the package could not be built:\n{output}")
    return next(folder.glob("*.whl"))


def make(site: Path, address: str) -> None:
    """Put the archive into a site that is built; `address` is where it is published, or ""."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / NAME
        folder.mkdir()
        for path in (site / FOLDER).glob("*.ipynb"):
            shutil.copy(path, folder)
        about = README.format(
            version=version(),
            wheel=wheel(folder).name,
            d2l=notebooks.d2l_requirement(),
            others=notebooks.OTHERS,
            links=LINKED.format(site=address) if address else UNLINKED,
        )
        (folder / "README.md").write_text(about, encoding="utf-8")
        shutil.make_archive(str(site / NAME), "zip", name, NAME)
