"""From the executed copies to the site: stage Jupyter Book's sources, build, put in place."""

from __future__ import annotations

import errno
import html
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import nbformat
import yaml

from ..common import (
    BUILD,
    CHAPTERS,
    ROOT,
    BookError,
    commit,
    digest_of,
    digest_of_files,
    files_under,
    version,
)
from . import bundle, config
from .execute import DIGEST

SOURCE = BUILD / "source"
WORK = BUILD / "site"
HTML = BUILD / "html"
LOG = BUILD / "jupyter-book.log"
STAMP = ".made-from"
MATHJAX = "sphinx-mathjax-offline"
SHOWN_PROBLEMS = 20
# instead of Jupyter Book's, which has no language, no link to follow and no icon
INDEX = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="0; url={root}">
<link rel="icon" href="_static/favicon.svg">
</head>
<body><main><h1><a href="{root}">{title}</a></h1></main></body>
</html>
"""


def mathjax() -> Path:
    """Return the folder of MathJax 3 in the installed package, so that a page needs no network."""
    try:
        folder = Path(str(distribution(MATHJAX).locate_file(f"{MATHJAX}/static/mathjax")))
    except PackageNotFoundError as error:
        raise BookError(f"the package {MATHJAX} is not installed; run `make setup`.") from error
    return folder


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def stage(copies: Iterable[Path]) -> dict[str, Any]:
    """Put all but the configuration into a fresh `_build/source`; the configuration is returned."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    _copy(config.TOC, SOURCE / config.TOC.name)
    for path in files_under(CHAPTERS):
        if path.suffix != ".ipynb":
            _copy(path, SOURCE / path.relative_to(ROOT))
    for copy in copies:
        _copy(copy, SOURCE / CHAPTERS.name / copy.name)
    for path in files_under(ROOT / "_static"):
        _copy(path, SOURCE / path.relative_to(ROOT))
    # html_extra_path, not _static: Jupyter Book would load every script of the book's own _static
    extra = SOURCE / "_extra"
    _copy(ROOT / "_static" / "favicon.ico", extra / "favicon.ico")
    kept = extra / "_static" / "mathjax"
    _copy(mathjax() / "tex-chtml-full.js", kept / "tex-chtml-full.js")
    fonts = Path("output/chtml/fonts/woff-v2")
    shutil.copytree(mathjax() / fonts, kept / fonts)
    return config.staged_config(config.read_yaml(config.CONFIG))


def site_digest(staged: dict[str, Any]) -> str:
    """Say what the site is made from: staged sources, configuration, tools and versions."""
    tools = [path for path in files_under(ROOT / "tools") if path.suffix == ".py"]
    parts = [
        digest_of_files(files_under(SOURCE), SOURCE),
        digest_of_files([ROOT / "requirements.txt", ROOT / "pyproject.toml", *tools]),
    ]
    return digest_of([*parts, yaml.safe_dump(staged), version()])


def is_current(digest: str) -> bool:
    """Say whether the site in place was made from exactly this."""
    stamp = HTML / STAMP
    return stamp.is_file() and stamp.read_text() == digest and (HTML / "index.html").is_file()


def drop() -> None:
    """Take the old site away, so that the remains of a failed build never pass for a whole one."""
    shutil.rmtree(HTML, ignore_errors=True)
    shutil.rmtree(WORK, ignore_errors=True)


def build(digest: str, profile: str) -> None:
    """Build the staged sources with warnings as errors and put the site in place in one step.

    What is half-built goes, whatever happens.
    """
    drop()
    try:
        _build(digest, profile)
    finally:
        shutil.rmtree(WORK, ignore_errors=True)


def _build(digest: str, profile: str) -> None:
    """Build in `WORK`.

    Sphinx starts from nothing each time: with its own cache a second run does not repeat the
    warnings of pages that it does not read again, and a broken book would pass.
    """
    configuration = config.read_yaml(config.CONFIG)
    staged = config.staged_config(configuration, footer(profile))
    (SOURCE / config.CONFIG.name).write_text(
        yaml.safe_dump(staged, sort_keys=False), encoding="utf-8"
    )
    made = jupyter_book(SOURCE, WORK, "pages") / "html"
    if not (made / "index.html").is_file():
        raise BookError("the pages were not built: jupyter-book wrote no index.html.")
    root = f"{config.pages()[0]}.html"
    title = html.escape(configuration["title"])
    (made / "index.html").write_text(INDEX.format(root=root, title=title), encoding="utf-8")
    bundle.make(made, staged["html"]["baseurl"])
    (made / STAMP).write_text(digest)
    made.rename(HTML)


def jupyter_book(source: Path, work: Path, what: str, *options: str) -> Path:
    """Run Jupyter Book with warnings as errors; the folder in `work` that holds what it built."""
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build"]
    command += ["-W", "-n", "--keep-going", str(source), "--path-output", str(work), *options]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        cwd=ROOT,  # where Sphinx finds tools.extension
        env={**os.environ, "PYTHONUTF8": "1", "NO_COLOR": "1"},
    )
    if done.returncode and (full := os.strerror(errno.ENOSPC)) in done.stdout:
        raise OSError(errno.ENOSPC, full, str(BUILD))
    LOG.write_text(done.stdout, encoding="utf-8")
    if done.returncode:
        ended = f"the {what} were not built (jupyter-book ended with {done.returncode}):"
        raise BookError(f"{ended}\n{_problems(done.stdout, source)}")
    return work / "_build"


def check_links() -> int:
    """Ask every outside address of the staged pages; how many were asked.

    Raises BookError that names those that did not answer, and where they stand. Some publishers
    refuse whatever is no browser (403): such an address counts as there.
    """
    source, work = BUILD / "links-source", BUILD / "links"
    checker = ("--custom-builder", "linkcheck")
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(SOURCE, source)
    staged = config.staged_config(config.read_yaml(config.CONFIG))
    (source / config.CONFIG.name).write_text(yaml.safe_dump(staged), encoding="utf-8")
    try:
        with suppress(BookError):  # its words are about warnings; what did not answer is in a file
            jupyter_book(source, work, "links", "--builder", "custom", *checker)
        report = work / "_build" / "linkcheck" / "output.json"
        if not report.is_file():
            raise BookError(f"the links were not checked; see {LOG.relative_to(ROOT)}.")
        found = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
    finally:
        shutil.rmtree(source, ignore_errors=True)
        shutil.rmtree(work, ignore_errors=True)
    broken = [
        f"  {one['filename']}:{one['lineno']}: {one['uri']}: {one['info']}"
        for one in found
        if one["status"] in ("broken", "timeout") and not one["info"].startswith("403 ")
    ]
    if broken:
        raise BookError("these addresses do not answer:\n" + "\n".join(sorted(set(broken))))
    return len({one["uri"] for one in found if one["uri"].startswith("http")})


def footer(profile: str) -> str:
    """Say how a page was made; a chapter says more about itself."""
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    made = f"Version {version()}, profile {profile}, built on {today} from commit {commit()}"
    for path in sorted((SOURCE / CHAPTERS.name).glob("*.ipynb")):
        on = nbformat.read(path, as_version=4).metadata[DIGEST]["machine"]
        versions = ", ".join(f"{key} {value}" for key, value in on.items() if key != "device")
        return html.escape(f"{made}; chapters run with {versions} on {on['device']}.")
    return f"{made}."


def _problems(output: str, source: Path) -> str:
    """Return the lines of Sphinx's output that say what is wrong, with the book's own paths."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", output).replace(f"{source}{os.sep}", "")
    lines = [
        line
        for line in plain.splitlines()
        if re.search(r"\b(WARNING|ERROR|CRITICAL)\b|Error:", line)
    ]
    shown = lines[:SHOWN_PROBLEMS] or plain.splitlines()[-SHOWN_PROBLEMS:]
    more = [f"… and {len(lines) - SHOWN_PROBLEMS} more"] if len(lines) > SHOWN_PROBLEMS else []
    return "\n".join(
        f"  {line}" for line in [*shown, *more, f"The whole output is in {LOG.relative_to(ROOT)}."]
    )
