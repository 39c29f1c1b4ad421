"""The pipeline, on toy books: what it does when all is well, and how it fails when it is not."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NoReturn

import nbformat
import psutil
import pytest
import yaml
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from toybook import (
    FIGURE,
    OFFLINE,
    ROOT,
    book_environment,
    chapter,
    command,
    figure_cell,
    make_toy,
    run_book,
    shape_cell,
)

from tools import book
from tools.build import bundle, config, execute, notebooks, pages, pictures
from tools.common import BookError, version

Toy = Callable[..., Path]
ADDRESS = "https://github.com/someone/a-book"


def site(folder: Path) -> Path:
    return folder / "_build" / "html"


def page(folder: Path, name: str = "one") -> str:
    return (site(folder) / "chapters" / f"{name}.html").read_text(encoding="utf-8")


def set_address(folder: Path, url: str) -> None:
    path = folder / "_config.yml"
    path.write_text(path.read_text().replace('url: ""', f'url: "{url}"'))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A toy book, built once, and what the build printed."""
    folder = make_toy(
        tmp_path_factory.mktemp("a toy, naïve"), one=chapter(shape_cell(), figure_cell())
    )
    done = run_book(folder, "build", alone=True)
    assert done.returncode == 0, done.stdout + done.stderr
    yield folder, done.stdout


def test_build_needs_neither_network_nor_git(built: tuple[Path, str]) -> None:
    """The fixture was built without either, where the system can take a network away."""
    html = page(built[0])
    assert "Commit: unknown</p>" in html
    if not OFFLINE:
        pytest.skip("this system does not let a process give up its network (unshare, ip)")
    looked = [
        *OFFLINE,
        sys.executable,
        "-c",
        "import socket; socket.create_connection(('1.1.1.1', 80))",
    ]
    done = subprocess.run(looked, capture_output=True, text=True)
    assert done.returncode and "unreachable" in done.stderr, done.stderr


def test_build_says_what_it_did(built: tuple[Path, str]) -> None:
    folder, printed = built
    assert "Executing one (" in printed
    assert re.search(r"^\[1/1\] one: \d+\.\d s$", printed, flags=re.MULTILINE)
    assert "No repository address" in printed
    assert "Open _build/html/index.html" in printed.splitlines()[-1]
    assert (site(folder) / "index.html").is_file()


def test_page_shows_outputs_and_how_it_was_made(built: tuple[Path, str]) -> None:
    html = page(built[0])
    assert "(4, 3, 6, 6)" in html
    assert "How this page was made" in html and "Device: a toy" in html
    assert "Profile: " in html and "Commit: " in html
    assert "# Parameters" not in html, "papermill's injected cell is shown"
    assert f"Version {version()}, profile quick, built on" in html
    assert "Fig. 1" in html


def test_download_is_the_readers_notebook(built: tuple[Path, str]) -> None:
    """Without an address its links lead into the site; notebooks.zip holds it."""
    path = site(built[0]) / bundle.FOLDER / "one.ipynb"
    figure, caption = notebooks.read(path).cells[-3:-1]
    assert caption.id == f"{figure.id}-caption"
    assert caption.source.startswith('<a id="fig-line"></a>**Fig. 1** A line.\n\n<details>')
    assert "A line that rises." in caption.source
    assert f"_sources/chapters/{path.name}" in page(built[0])
    archive = zipfile.ZipFile(site(built[0]) / "notebooks.zip")
    assert archive.read(f"notebooks/{path.name}") == path.read_bytes()
    assert "is the site's `_sources/chapters`" in archive.read("notebooks/README.md").decode()


def test_page_has_no_link_to_a_repository_that_is_not_known(built: tuple[Path, str]) -> None:
    for name in ("one", "intro"):
        html = page(built[0], name)
        assert "github.com" not in html and "colab" not in html


def test_second_run_does_only_what_changed(built: tuple[Path, str], tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(built[0], folder)
    before = (site(folder) / "index.html").stat().st_mtime_ns

    done = run_book(folder, "build")
    assert "one: up to date" in done.stdout and "pages are up to date" in done.stdout
    assert (site(folder) / "index.html").stat().st_mtime_ns == before

    (folder / "chapters" / "intro.md").write_text("# Toy\n\nAnother sentence.\n")
    done = run_book(folder, "build")
    assert "one: up to date" in done.stdout and "Building the pages" in done.stdout
    assert "Another sentence." in page(folder, "intro")

    module = folder / "resnet" / "training" / "devices.py"
    module.write_text(module.read_text().replace("a toy", "another toy"))
    done = run_book(folder, "build")
    assert re.search(r"one: \d", done.stdout), "a change in resnet/ did not run the chapter again"
    assert "Device: another toy" in page(folder)


FAILING = "total = 1\nfor step in range(3):\n    total /= 2 - step"


@pytest.mark.parametrize(
    ("source", "options", "told"),
    [
        (FAILING, (), ["ZeroDivisionError", "float division by zero", "| total = 1"]),
        ("import os\nos._exit(1)", (), ["the kernel died", "| import os"]),
        (
            "import time\ntime.sleep(60)",
            ("--cell-timeout", "1"),
            ["not finished within 1 s", "| time.sleep(60)"],
        ),
    ],
    ids=["error", "dead kernel", "time-out"],
)
def test_failing_cell_stops_the_build(
    toy: Toy, source: str, options: tuple[str, ...], told: list[str]
) -> None:
    folder = toy(one=chapter(shape_cell(), new_code_cell(source)))
    site(folder).mkdir(parents=True)
    (site(folder) / "index.html").write_text("an earlier build")
    done = run_book(folder, "build", *options)
    assert done.returncode == 1
    for words in [*told, "one failed", "in cell 5 of 5"]:
        assert words in done.stderr, done.stderr
    assert 'File "' not in done.stderr, "a traceback of the tools themselves is shown"
    assert not site(folder).exists(), "a failed build left a site behind"
    assert sorted(path.name for path in (folder / "_build").iterdir()) in (
        [".lock"],
        [],
    ), "a failed build left something half-made behind"


def test_broken_cross_reference_fails_every_time(built: tuple[Path, str], tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(built[0], folder)
    (folder / "chapters" / "intro.md").write_text("# Toy\n\nSee {numref}`fig-of-nothing`.\n")
    for _ in range(2):
        done = run_book(folder, "build")
        assert done.returncode == 1
        assert re.search(r"chapters/intro\.md.*fig-of-nothing", done.stderr), done.stderr
        assert not site(folder).exists()


def test_contents_and_folder_must_agree(toy: Toy) -> None:
    folder = toy(one=chapter(shape_cell()))
    (folder / "chapters" / "two.md").write_text("# Two\n")
    done = run_book(folder, "build")
    assert done.returncode == 1 and "chapters/two.md is not in _toc.yml" in done.stderr
    (folder / "chapters" / "two.md").unlink()
    (folder / "chapters" / "one.ipynb").unlink()
    done = run_book(folder, "build")
    assert done.returncode == 1 and "_toc.yml lists chapters/one" in done.stderr


def test_profile_cell_is_demanded(toy: Toy) -> None:
    notebook = chapter(shape_cell())
    notebook.cells[2].metadata["tags"] = []
    done = run_book(toy(one=notebook), "build")
    assert done.returncode == 1 and "no code cell is tagged `parameters`" in done.stderr


def kernels_of(pid: int) -> list[psutil.Process]:
    found = []
    for process in psutil.Process(pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it may end meanwhile
            if "ipykernel_launcher" in process.cmdline():
                found.append(process)
    return found


def test_first_failure_ends_the_chapters_beside_it(toy: Toy) -> None:
    slow = new_code_cell("import time\ntime.sleep(100)")
    folder = toy(one=chapter(slow), two=chapter(new_code_cell(FAILING)), three=chapter(slow))
    start = time.monotonic()
    done = run_book(folder, "build", "--jobs", "2")
    assert done.returncode == 1 and "two failed: ZeroDivisionError" in done.stderr
    # a kernel that is ended while it starts may show its own traceback, the tools none of theirs
    assert not re.search(r'File ".*[/\\]tools[/\\]', done.stderr)
    assert time.monotonic() - start < 60, "it waited for the others"
    assert [path.name for path in (folder / "_build").iterdir()] in ([".lock"], [])


@contextmanager
def running_build(folder: Path) -> Iterator[tuple[subprocess.Popen[str], list[psutil.Process]]]:
    """A build in the midst of a chapter, with all that it started; nothing of it lives on."""
    build = subprocess.Popen(
        command("build"),
        cwd=folder,
        env={**book_environment(folder), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    started: list[psutil.Process] = []
    try:
        deadline = time.monotonic() + 60
        while not kernels_of(build.pid):
            assert time.monotonic() < deadline and build.poll() is None
            time.sleep(0.05)
        started = psutil.Process(build.pid).children(recursive=True)
        yield build, started
    finally:
        for process in [*started, build]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        build.communicate()


SLOW = "import time\ntime.sleep(60)"


def test_two_builds_at_once_and_an_interrupt(toy: Toy) -> None:
    folder = toy(one=chapter(new_code_cell(SLOW)))
    with running_build(folder) as (first, started):
        second = run_book(folder, "build")
        assert second.returncode == 1
        assert "another build of this book holds" in second.stderr

        first.send_signal(signal.SIGINT)
        _, errors = first.communicate(timeout=30)
        assert first.returncode == 130
        assert "Stopped. Nothing is left half-written" in errors and "Traceback" not in errors
        _, alive = psutil.wait_procs(started, timeout=5)
        assert not alive, "a kernel lives on"
        left = {path.name for path in (folder / "_build").iterdir()}
        assert left <= {".lock"}, "an interrupted build left something half-made behind"


def test_nothing_outlives_a_killed_build(toy: Toy) -> None:
    with running_build(toy(one=chapter(new_code_cell(SLOW)))) as (build, started):
        build.kill()
        _, alive = psutil.wait_procs(started, timeout=20)
        assert not alive, alive


@pytest.mark.parametrize("kind", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_unwritable_folder_is_named(
    kind: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(jobs: int) -> None:
        raise OSError(kind, os.strerror(kind), "chapters/one.ipynb")

    monkeypatch.setattr(book, "BUILD", tmp_path)
    monkeypatch.setattr(book, "record", fail)
    assert book.main(["record"]) == 1
    said = capsys.readouterr().err
    assert "chapters/one.ipynb" in said and "must be writable" in said


def full_disk(*_: object) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_disk_full_while_the_book_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Told as such; no site is left that the chapters do not fit."""
    old = tmp_path / "html"
    old.mkdir()
    monkeypatch.setattr(book, "BUILD", tmp_path)
    monkeypatch.setattr(pages, "HTML", old)
    monkeypatch.setattr(book, "_build", full_disk)
    assert book.main(["build"]) == 1
    said = capsys.readouterr().err
    assert "No space left on device" in said and "must be writable, with room" in said
    assert not old.exists()


@pytest.mark.parametrize("filled", [60, 98])  # kB of 100: it fills while pages are built, or before
def test_a_disk_that_is_really_full(toy: Toy, small_disk: Path, filled: int) -> None:
    """The book's _build lies on it."""
    folder = toy(one=chapter(shape_cell()))
    (folder / "_build").symlink_to(small_disk)
    (small_disk / "other").write_bytes(b"0" * 1000 * filled)
    done = run_book(folder, "build")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "No space left on device" in done.stderr and "with room" in done.stderr
    assert not (small_disk / "html").exists() and not (small_disk / "_site").exists()


def test_disk_full_while_papermill_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is told, not the half notebook; nothing is left."""

    def half(_path: str, output: str, **_: object) -> None:
        Path(output).write_text('{"cells": [')
        full_disk()

    monkeypatch.setattr(execute, "BUILD", tmp_path)
    monkeypatch.setattr("papermill.execute_notebook", half)
    with pytest.raises(OSError, match="No space left on device"):
        execute.run(chapter(shape_cell()), "one", parameters={}, cell_seconds=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("how", "error"),
    [("disk", OSError), ("log", OSError), ("Ctrl-C", KeyboardInterrupt), ("page", BookError)],
)
def test_no_half_built_pages_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, error: type[BaseException]
) -> None:
    """Whatever ends the build; a full disk is told by Sphinx first, and by us as elsewhere."""
    for name in ("SOURCE", "WORK", "HTML", "LOG", "BUILD"):
        monkeypatch.setattr(pages, name, tmp_path / name)
    pages.SOURCE.mkdir()
    if how == "log":
        pages.LOG.mkdir()

    def run(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        (pages.WORK / "_build" / "html").mkdir(parents=True)
        if how == "Ctrl-C":
            raise KeyboardInterrupt
        told = "OSError: [Errno 28] No space left on device" if how == "disk" else "ERROR: a page"
        return subprocess.CompletedProcess([], 1, told)

    monkeypatch.setattr(pages, "ROOT", tmp_path)
    monkeypatch.setattr(pages, "footer", lambda _: "")
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(error) as raised:
        pages.build("a digest", "quick")
    if how == "disk":
        assert isinstance(raised.value, OSError) and raised.value.errno == errno.ENOSPC
    assert not pages.WORK.exists() and not pages.HTML.exists()


def test_a_device_is_no_markup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it is called: under a chapter, where it is Markdown, and at a page's foot."""
    device = "<b>a</b> `b` *c* [d](e) $f$ 1_000"
    task = execute.Task(Path("one"), Path("one"), "", "quick", 1, 1)
    text = execute.closing(task, 1.0, {"device": device})
    (line,) = (line for line in text.splitlines() if "Device" in line)
    shown = MarkdownIt().use(dollarmath_plugin).render(line)
    assert "<b>" not in shown
    assert unescape(shown) == f"<ul>\n<li>Device: {device}</li>\n</ul>\n"
    copy = chapter(shape_cell())
    copy.metadata[execute.DIGEST] = {"machine": {"device": device, "torch": "2"}}
    (tmp_path / "chapters").mkdir()
    nbformat.write(copy, tmp_path / "chapters" / "one.ipynb")
    monkeypatch.setattr(pages, "SOURCE", tmp_path)
    foot = pages.footer("quick")
    assert "<b>" not in foot and unescape(foot).endswith(f"with torch 2 on {device}.")


def test_links_follow_the_address(toy: Toy) -> None:
    back = new_markdown_cell("Back to {doc}`intro`.")
    folder = toy(one=chapter(shape_cell(), figure_cell(), back))
    set_address(folder, ADDRESS)
    done = run_book(folder, "build")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No repository address" not in done.stdout
    colab = "https://colab.research.google.com/github/someone/a-book/blob/notebooks/one.ipynb"
    assert re.findall(r'href="(https://colab[^"]*)"', page(folder)) == [colab]
    assert f'href="{ADDRESS}"' in page(folder)
    public = "https://someone.github.io/a-book/"
    notebook = notebooks.read(site(folder) / bundle.FOLDER / "one.ipynb")
    assert f"[Toy]({public}chapters/intro.html)" in "".join(c.source for c in notebook.cells)
    about = zipfile.ZipFile(site(folder) / "notebooks.zip").read("notebooks/README.md").decode()
    assert public in about
    # what sets the address sets the set-up cells too
    done = run_book(folder, "record")
    assert done.returncode == 0, done.stderr
    recorded = (folder / "chapters" / "one.ipynb").read_text()
    assert f"git+{ADDRESS}@v{version()}" in recorded
    assert notebooks.d2l_requirement() in recorded


def test_address_must_be_whole(toy: Toy) -> None:
    with pytest.raises(BookError, match="https://"):
        config.address({"repository": {"url": "someone/a-book"}})
    assert config.address({"repository": {"url": f"{ADDRESS}.git"}}) == ADDRESS
    assert config.address({}) == ""


@pytest.mark.parametrize(
    ("address", "public"),
    [
        (ADDRESS, "https://someone.github.io/a-book/"),
        ("https://github.com/Someone/someone.github.io", "https://someone.github.io/"),
        ("https://example.org/a/book", ""),
        ("", ""),
    ],
)
def test_where_the_site_is(address: str, public: str) -> None:
    assert config.site(address) == public
    given = {"repository": {"url": address}, "html": {"baseurl": "https://book.example/"}}
    assert config.staged_config(given)["html"]["baseurl"] == "https://book.example/"


def test_unset_address_switches_every_button_off() -> None:
    staged = config.staged_config(config.read_yaml(config.CONFIG) | {"repository": {"url": ""}})
    assert not staged["launch_buttons"]["colab_url"]
    assert not any(staged["html"][button] for button in config.BUTTONS)


def test_record_rewrites_outputs_and_nothing_else(toy: Toy) -> None:
    notebook = chapter(shape_cell(), figure_cell())
    good = nbformat.writes(notebook)
    notebook.cells[1].source = "import resnet"
    notebook.cells[2].execution_count = 7
    notebook.cells[2].outputs = [new_output("stream", name="stdout", text="left over")]
    notebook.cells[3].outputs, notebook.cells[3].execution_count = [], None
    notebook.cells[4].metadata["collapsed"] = True
    notebook.metadata["papermill"] = {"duration": 1}
    folder = toy(one=notebook)
    done = run_book(folder, "record")
    assert done.returncode == 0 and "rewritten" in done.stdout, done.stderr
    assert (folder / "chapters" / "one.ipynb").read_text() == good + "\n"
    assert "unchanged" in run_book(folder, "record").stdout


def test_record_joins_what_was_printed() -> None:
    """How a cell's printing is cut into messages depends on the clock."""
    notebook = chapter(shape_cell("print(1); print(2)"))
    executed = chapter(shape_cell("print(1); print(2)"))
    executed.cells[-1].id = notebook.cells[-1].id
    executed.cells[-1].outputs = [
        new_output("stream", name=name, text=text)
        for name, text in (("stdout", "1\n"), ("stderr", "bar"), ("stdout", "2\n"))
    ]
    (output,) = notebooks.recorded(notebook, executed, "one").cells[-1].outputs
    assert (output.name, output.text) == ("stdout", "1\n2\n")


@pytest.mark.parametrize(
    ("source", "told"),
    [("x = 1", "prints and returns nothing"), (FIGURE, "its output is a picture")],
)
def test_record_refuses_what_cannot_be_compared(toy: Toy, source: str, told: str) -> None:
    folder = toy(one=chapter(shape_cell(source)))
    before = (folder / "chapters" / "one.ipynb").read_bytes()
    done = run_book(folder, "record")
    assert done.returncode == 1 and told in done.stderr
    assert (folder / "chapters" / "one.ipynb").read_bytes() == before


NAMED = 'role="img" aria-label="A line."'
LABELLED = f"<svg {NAMED}>"
CAPTIONED = {"mystnb": {"figure": {"caption": "A line.", "name": "fig-line"}}}


@pytest.mark.parametrize(
    ("data", "metadata", "told"),
    [
        ({"text/html": LABELLED}, CAPTIONED, None),
        ({"text/html": "<table></table>"}, {}, "its table has no caption"),
        ({"text/html": "<table></table>"},
         {"mystnb": {"figure": {"caption": "Numbers.", "name": "tab-numbers"}}}, None),
        ({"text/html": "nothing"},
         {"mystnb": {"figure": {"caption": "Numbers.", "name": "tab-numbers"}}}, "shows none"),
        ({"text/html": f"<div {NAMED}><div><svg/></div><svg aria-hidden='true'></svg></div>"},
         CAPTIONED, None),
        ({"text/html": f"<div {NAMED}><div></div></div><svg></svg>"}, CAPTIONED, "no text alt"),
        ({"image/png": "iVBOR", "text/plain": "<Figure>"}, {"tags": ["remove-output"]}, None),
        ({"image/png": "iVBOR"},
         {"mystnb": {**CAPTIONED["mystnb"], "image": {"alt": "A line."}}}, None),
        ({"text/html": LABELLED}, {}, "no figure"),
        ({"text/html": LABELLED}, {"mystnb": {"figure": {"name": "fig-line"}}}, "no caption"),
        ({"text/html": LABELLED}, {"mystnb": {"figure": {"caption": "A line."}}}, "no name"),
        ({"text/html": '<svg role="img">'}, CAPTIONED, "no text alternative"),
        ({"text/html": '<svg aria-label="A line.">'}, CAPTIONED, "no text alternative"),
        ({"text/html": '<img src="x">'}, CAPTIONED, "no text alternative"),
        ({"image/png": "iVBOR"}, CAPTIONED, "no text alternative"),
        ({"image/svg+xml": "<svg/>"}, {"mystnb": {"image": {"alt": "A line."}}}, "no figure"),
        ({"text/plain": "nothing drawn"}, CAPTIONED, "shows no picture"),
    ],
)  # fmt: skip
def test_figures_are_checked(
    data: dict[str, str], metadata: dict[str, object], told: str | None
) -> None:
    cell = new_code_cell("draw()", metadata=metadata, outputs=[new_output("display_data", data)])
    notebook = nbformat.v4.new_notebook(cells=[new_markdown_cell("# One"), cell])
    if told is None:
        pictures.require_alternatives(notebook, "one")
    else:
        with pytest.raises(BookError, match=rf"^one, cell 2: .*{told}"):
            pictures.require_alternatives(notebook, "one")


def test_missing_alternative_fails_the_build(toy: Toy) -> None:
    bare = figure_cell(FIGURE.replace(' aria-label="A line that rises."', ""))
    done = run_book(toy(one=chapter(bare)), "build")
    assert done.returncode == 1
    assert "one, cell 4: its picture has no text alternative" in done.stderr


def test_mathjax_comes_from_the_pinned_package() -> None:
    folder = pages.mathjax()
    assert (folder / "tex-chtml-full.js").stat().st_size > 1_000_000
    assert len(list((folder / "output/chtml/fonts/woff-v2").glob("*.woff"))) > 15


# The files around the pipeline agree with one another.

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = [
    Requirement(line)
    for line in (ROOT / "requirements.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


def test_lock_holds_exact_versions_and_no_address() -> None:
    text = (ROOT / "requirements.txt").read_text()
    assert "://" not in text and "index-url" not in text
    assert all(re.fullmatch(r"==[^*,]+", str(line.specifier)) for line in LOCK)
    for name in ("torch", "torchvision", "numpy", "scipy", "pandas", "matplotlib"):
        pins = [line for line in LOCK if line.name == name]
        assert len(pins) == 1 and pins[0].marker is None, f"{name} differs between Pythons"


def test_lock_meets_the_ranges_of_the_package() -> None:
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *extras["book"], *extras["test"]]
    for requirement in map(Requirement, wanted):
        pins = [line for line in LOCK if line.name == requirement.name.lower()]
        assert pins, f"{requirement.name} is not in requirements.txt; run `make lock`"
        for pin in pins:
            pinned = str(pin.specifier).removeprefix("==")
            assert requirement.specifier.contains(pinned), f"{pin} is outside {requirement}"


def test_versions_stand_in_agreement() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())
    pythons = [entry for entry in conda["dependencies"] if str(entry).startswith("python ")]
    assert SpecifierSet(pythons[0].removeprefix("python ")) == SpecifierSet(
        PROJECT["requires-python"]
    )
    assert conda["dependencies"][-1]["pip"] == ["-r requirements.txt", "-e ."]
    assert "pip install --no-deps -r requirements-d2l.txt" in (ROOT / "environment.yml").read_text()
    d2l = notebooks.d2l_requirement()
    elsewhere = ["requirements.txt", "pyproject.toml", "environment.yml", "Makefile", ".ci/run"]
    assert not [name for name in elsewhere if d2l in (ROOT / name).read_text()]


def test_address_stands_in_one_place() -> None:
    url = config.address(config.read_yaml(config.CONFIG))
    outside = ["pyproject.toml", "CITATION.cff", "environment.yml", "Makefile", "CONTRIBUTING.md"]
    outside += ["CHANGELOG.md"]
    outside += [path.relative_to(ROOT).as_posix() for path in (ROOT / ".github").rglob("*.yml")]
    for name in outside:
        text = (ROOT / name).read_text()
        assert not url or url not in text, f"{name} repeats the address of _config.yml"
        assert "https://github.com/" not in text, f"{name} names a repository"


# The Makefile


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    outer = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")  # those of the `make test` that runs this
    environment = {key: value for key, value in os.environ.items() if key not in outer}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_make_help_lists_every_target() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert phony
    listed = re.findall(r"^make (\w+)", make(ROOT, "help").stdout, flags=re.MULTILINE)
    assert sorted(listed) == sorted(phony[1].split())


def test_setup_without_a_fitting_python_says_so(toy: Toy) -> None:
    folder = toy()
    shutil.copy(ROOT / "Makefile", folder)
    old = folder / "old python"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2\nexit 1\n')
    old.chmod(0o755)
    done = make(folder, "setup", f"PYTHON={old}")
    assert done.returncode != 0
    assert "needs Python 3.11 to 3.13" in done.stderr and "Python 3.9.2" in done.stderr
    assert "python3-venv" in done.stderr


def test_failed_setup_leaves_no_stamp(toy: Toy) -> None:
    folder = toy()
    shutil.copy(ROOT / "Makefile", folder)
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$@" >> calls\n[ "$1" = -c ]\n')  # fits; cannot install
    python.chmod(0o755)
    stamp = folder / ".venv" / ".stamp"
    stamp.touch()
    os.utime(stamp, (0, 0))  # older than the requirements
    done = make(folder, "setup")
    assert done.returncode != 0
    assert "-m pip install" in (folder / "calls").read_text()
    assert not stamp.exists()


# Links, and where chapters ran


def test_links_that_do_not_answer_are_named(
    tmp_path: Path,
) -> None:
    """A page here answers, one is gone, one refuses machines, as publishers do."""
    answers = {"/there": 200, "/gone": 404, "/refused": 403}
    with answering(answers) as origin:
        (tmp_path / "toy").mkdir()
        toy = make_toy(tmp_path / "toy", one=chapter(shape_cell(), figure_cell()))
        intro = toy / "chapters" / "intro.md"
        intro.write_text(
            f"{intro.read_text()}\n[a]({origin}/there) [b]({origin}/gone) [c]({origin}/refused)\n"
        )
        assert run_book(toy, "links").returncode == 1  # nothing is staged yet
        assert run_book(toy, "build").returncode == 0
        done = run_book(toy, "links")
        assert done.returncode == 1
        assert re.search(r"chapters/intro\.md:\d+: .*/gone: 404", done.stderr), done.stderr
        assert "/there" not in done.stderr and "/refused" not in done.stderr
        assert sorted(path.name for path in (toy / "_build").glob("links*")) == []
        answers["/gone"] = 200
        done = run_book(toy, "links")
        assert done.returncode == 0, done.stderr
        assert re.search(r"^\d+ addresses outside the book answer", done.stdout, re.MULTILINE)


@contextmanager
def answering(answers: dict[str, int]) -> Iterator[str]:
    """A server with these answers; its origin."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answers.get(self.path, 404))
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_says_on_what_chapters_ran(
    built: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = built[0] / "_build" / "executed" / "quick" / "one.ipynb"
    monkeypatch.setattr(book, "BUILD", built[0] / "_build")
    monkeypatch.setattr(config, "notebooks", lambda: [copy])
    book.ran("quick", gpu=True)  # "a toy" is no processor
    assert re.search(r"^\| one \| a toy \| \d+ \|$", capsys.readouterr().out, re.MULTILINE)
    notebook = notebooks.read(copy)
    notebook.metadata[execute.DIGEST]["machine"]["device"] = "AMD EPYC CPU, 1 thread"
    changed = built[0] / "_build" / "executed" / "full" / "one.ipynb"
    notebooks.write(notebook, changed)
    book.ran("full", gpu=False)
    with pytest.raises(BookError, match="ran on a processor, not on a GPU: one"):
        book.ran("full", gpu=True)
    shutil.rmtree(changed.parent)
    with pytest.raises(BookError, match="one has not run: `make book PROFILE=full`"):
        book.ran("full", gpu=False)
