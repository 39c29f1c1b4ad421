"""`python -m tools.book build | record`: the commands behind `make book` and `make record`."""

from __future__ import annotations

import argparse
import errno
import os
import signal
import sys
import time
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path

from filelock import FileLock, Timeout

from . import config, execute, notebooks, pages
from .common import BUILD, ROOT, BookError, version


def build(profile: str, cell_seconds: int | None = None) -> None:
    """Execute what changed, build the site if anything in it did; a failure leaves no site."""
    try:
        _build(profile, cell_seconds)
    except BookError:
        pages.drop()
        raise


def _build(profile: str, cell_seconds: int | None) -> None:
    chapters = config.notebooks()
    address = config.address(config.read_yaml(config.CONFIG))
    if not address:
        print(
            "No repository address in _config.yml: no Colab, source and issue buttons on the pages."
        )
    copies = _execute_changed(chapters, profile, cell_seconds or execute.PROFILES[profile])
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


def _execute_changed(chapters: Sequence[Path], profile: str, cell_seconds: int) -> list[Path]:
    """Execute the chapters that changed, or whose dependencies did; the executed copies of all."""
    folder = BUILD / "executed" / profile
    others = execute.dependencies(profile)
    copies = []
    for number, path in enumerate(chapters, start=1):
        copies.append(copy := folder / path.name)
        wanted = execute.digest(notebooks.read(path), others)
        print(f"[{number}/{len(chapters)}] {path.stem} ", end="", flush=True)
        if execute.is_current(copy, wanted):
            print("up to date")
            continue
        print("… ", end="", flush=True)
        pages.drop()
        seconds = execute.execute(
            path, copy, wanted=wanted, profile=profile, cell_seconds=cell_seconds
        )
        print(f"{seconds:.1f} s")
    return copies


def record() -> None:
    """Rewrite every committed chapter: fresh set-up cell, fresh checked outputs, nothing else."""
    os.environ.pop("RESNET_PROFILE", None)  # what is committed is what the quick profile gives
    chapters = config.notebooks()
    setup = notebooks.setup_cell(config.address(config.read_yaml(config.CONFIG)), version())
    for number, path in enumerate(chapters, start=1):
        print(f"[{number}/{len(chapters)}] {path.stem} … ", end="", flush=True)
        start = time.perf_counter()
        before = path.read_bytes()
        executed = execute.run(path, parameters={}, cell_seconds=execute.PROFILES["quick"])
        notebook = notebooks.read(path)
        notebooks.refresh_setup(notebook, path.stem, setup)
        notebooks.write(notebooks.recorded(notebook, executed, path.stem), path)
        changed = "unchanged" if path.read_bytes() == before else "rewritten"
        print(f"{time.perf_counter() - start:.1f} s, {changed}")


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.book", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help="execute the chapters and build the site")
    default = os.environ.get("RESNET_PROFILE") or "quick"
    building.add_argument("--profile", default=default, help=" or ".join(execute.PROFILES))
    building.add_argument(
        "--cell-timeout", type=int, metavar="SECONDS", help="what one cell may take"
    )
    commands.add_parser("record", help="rewrite the committed notebooks with fresh checked outputs")
    options = parser.parse_args(given)
    if options.command == "build" and options.profile not in execute.PROFILES:
        parser.error(f"profile is {options.profile!r}; it can be {' or '.join(execute.PROFILES)}")
    return options


def main(given: Sequence[str] | None = None) -> int:
    """Run one command under the lock; the exit status."""
    options = arguments(given)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # "…" on a terminal that cannot show it
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    lock = BUILD / ".lock"
    try:
        BUILD.mkdir(exist_ok=True)
        with FileLock(lock, timeout=0):
            if options.command == "build":
                build(options.profile, options.cell_timeout)
            else:
                record()
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
