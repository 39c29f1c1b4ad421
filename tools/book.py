"""`python -m tools.book COMMAND`: behind `make book`, `make record`, `make pdf` and `make epub`."""

from __future__ import annotations

import argparse
import errno
import os
import signal
import sys
import time
from collections.abc import Sequence
from functools import partial
from io import TextIOWrapper
from pathlib import Path

from filelock import FileLock, Timeout

from .build import config, execute, exercises, installed, notebooks, pages
from .common import BUILD, ROOT, BookError, cores, version

# More chapters at once need more memory, about a gigabyte each, and pay little.
JOBS = 4


def build(options: argparse.Namespace) -> None:
    """Execute what changed, build the site if anything in it did; a failure leaves no site."""
    try:
        _build(options.profile, options.cell_timeout, options.jobs)
    except (BookError, OSError):
        pages.drop()
        raise


def _build(profile: str, cell_seconds: int | None, jobs: int) -> None:
    chapters = config.notebooks()
    address = config.address(config.read_yaml(config.CONFIG))
    if not address:
        print(
            "No repository address in _config.yml: no Colab, source and issue buttons on the pages."
        )
    seconds = cell_seconds or execute.PROFILES[profile]
    copies = _execute_changed(chapters, profile, seconds, jobs)
    digest = pages.site_digest(pages.stage(copies))
    if pages.is_current(digest):
        print("The pages are up to date.")
    else:
        print("Building the pages … ", end="", flush=True)
        start = time.perf_counter()
        pages.build(digest, profile)
        print(f"{time.perf_counter() - start:.1f} s")
    print(
        f"Open {(pages.HTML / 'index.html').relative_to(ROOT)} in a browser, or run `make serve`."
    )


def _execute_changed(
    chapters: Sequence[Path], profile: str, cell_seconds: int, jobs: int
) -> list[Path]:
    """Execute the chapters that changed, or whose dependencies did; the executed copies of all."""
    folder = BUILD / "executed" / profile
    others = execute.dependencies(profile)
    tasks = []
    for path in chapters:
        copy, notebook = folder / path.name, exercises.for_page(path)
        wanted = execute.digest(notebook, others)
        if execute.is_current(copy, wanted):
            print(f"{path.stem}: up to date")
        else:
            tasks.append(execute.Task(notebook, copy, wanted, profile, cell_seconds, jobs))
    if tasks:
        if problem := installed.complaint():
            raise BookError(problem)
        pages.drop()
        _announce([task.copy for task in tasks], jobs)
    for number, (task, seconds, warned) in enumerate(
        execute.all_of(execute.execute, tasks, jobs), start=1
    ):
        print(f"[{number}/{len(tasks)}] {task.name}: {seconds:.1f} s", flush=True)
        for line in warned:
            print(f"      warned: {line}")
    return [folder / path.name for path in chapters]


def _announce(paths: Sequence[Path], jobs: int) -> None:
    names = ", ".join(path.stem for path in paths)
    print(f"Executing {names} ({execute.beside(jobs)}) …", flush=True)


def record(jobs: int) -> None:
    """Rewrite every committed chapter: fresh set-up cell, fresh checked outputs, nothing else."""
    os.environ.pop("RESNET_PROFILE", None)  # what is committed is what the quick profile gives
    exercises.write_notebook()
    chapters = config.notebooks()
    setup = notebooks.setup_cell(config.address(config.read_yaml(config.CONFIG)), version())
    _announce(chapters, jobs)
    for number, (name, changed, seconds) in enumerate(
        execute.all_of(partial(_record, setup), chapters, jobs), start=1
    ):
        state = "rewritten" if changed else "unchanged"
        print(f"[{number}/{len(chapters)}] {name}: {seconds:.1f} s, {state}", flush=True)


def _record(setup: str, path: Path) -> tuple[str, bool, float]:
    start = time.perf_counter()
    before = path.read_bytes()
    notebook = notebooks.read(path)
    notebooks.refresh_setup(notebook, path.stem, setup)
    if path.stem != exercises.NAME:
        exercises.complete(notebook, path.stem, solutions=False)
    seconds = execute.PROFILES["quick"]
    executed = execute.run(notebook, path.stem, parameters={}, cell_seconds=seconds)
    notebooks.write(notebooks.recorded(notebook, executed, path.stem), path)
    return path.stem, path.read_bytes() != before, time.perf_counter() - start


def paper(kind: str) -> None:
    """Make the PDF or the EPUB from the site in place, and link it on the front page."""
    from .paper import downloads  # playwright and pypdf, for which the other commands need not wait

    start = time.perf_counter()
    print(f"Making the {kind.upper()} … ", end="", flush=True)
    made = downloads.make(kind)
    print(f"{time.perf_counter() - start:.1f} s\n{made}")


def links() -> None:
    """Ask every address outside the book that a page links to whether it is still there."""
    if not pages.SOURCE.is_dir():
        raise BookError("there is no staged book in _build/source; run `make book`.")
    asked = pages.check_links()
    print(f"{asked} addresses outside the book answer.")


def ran(profile: str, gpu: bool) -> None:
    """Say on what each chapter ran; with `gpu`, a BookError names those that ran elsewhere."""
    folder = BUILD / "executed" / profile
    print("| chapter | device | seconds |\n|---|---|---:|")
    elsewhere = []
    for path in config.notebooks():
        if not (folder / path.name).is_file():
            raise BookError(f"{path.stem} has not run: `make book PROFILE={profile}`.")
        about = notebooks.read(folder / path.name).metadata[execute.DIGEST]
        device = str(about["machine"]["device"])
        print(f"| {path.stem} | {device} | {about['seconds']:.0f} |")
        if " CPU, " in device:
            elsewhere.append(path.stem)
    if gpu and elsewhere:
        raise BookError(f"these chapters ran on a processor, not on a GPU: {', '.join(elsewhere)}.")


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.book", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help="execute the chapters and build the site")
    default = os.environ.get("RESNET_PROFILE") or "quick"
    building.add_argument("--profile", default=default, help=" or ".join(execute.PROFILES))
    building.add_argument(
        "--cell-timeout", type=int, metavar="SECONDS", help="what one cell may take"
    )
    recording = commands.add_parser(
        "record", help="rewrite the committed notebooks with fresh checked outputs"
    )
    commands.add_parser("pdf", help="print the built site to one PDF")
    commands.add_parser("epub", help="make an EPUB from what the site was built from")
    commands.add_parser("links", help="check the addresses outside the book (needs a network)")
    telling = commands.add_parser("ran", help="say on what device each chapter ran")
    telling.add_argument("--profile", default=default, help=" or ".join(execute.PROFILES))
    telling.add_argument("--gpu", action="store_true", help="fail if one did not run on a GPU")
    for command in (building, recording):
        command.add_argument(
            "--jobs",
            type=int,
            help=f"chapters at once; default {JOBS}, or the number of processor cores where that "
            "is less, and 1 under the full profile",
        )
    options = parser.parse_args(given)
    if "profile" in options and options.profile not in execute.PROFILES:
        parser.error(f"profile is {options.profile!r}; it can be {' or '.join(execute.PROFILES)}")
    if "jobs" not in options:
        return options
    if options.jobs is None:
        full = options.command == "build" and options.profile == "full"
        options.jobs = 1 if full else min(JOBS, cores())
    if options.jobs < 1:
        parser.error(f"jobs is {options.jobs}; it can be 1 or more")
    return options


def main(given: Sequence[str] | None = None) -> int:
    """Run one command under the lock; the exit status."""
    options = arguments(given)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # "…" on a terminal that cannot show it
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Kernels that each use all cores slow one another down several times.
    if "jobs" in options:
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores() // options.jobs)))
    lock = BUILD / ".lock"
    try:
        BUILD.mkdir(exist_ok=True)
        with FileLock(lock, timeout=0):
            if options.command == "build":
                build(options)
            elif options.command in ("pdf", "epub"):
                paper(options.command)
            elif options.command == "links":
                links()
            elif options.command == "ran":
                ran(options.profile, options.gpu)
            else:
                record(options.jobs)
    except Timeout:
        return _fail(f"another build of this book holds {lock.relative_to(ROOT)}. Wait for it.")
    except BookError as error:
        return _fail(str(error))
    except OSError as error:
        if error.errno not in {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC}:
            raise
        return _fail(
            f"{error}. The book is built inside its own folder: {ROOT} must be writable, with room."
        )
    except KeyboardInterrupt:
        print(
            "\nStopped. Nothing is left half-written; the same command goes on from here.",
            file=sys.stderr,
        )
        return 130
    return 0


def _fail(message: str) -> int:
    sys.stdout.flush()
    print(f"\nerror: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
