"""How long the two commands take on this machine, the environment being there."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from importlib.metadata import version as installed
from typing import Any

import torch

from ..common import BUILD, ROOT

PACKAGES = ("numpy", "jupyter-book", "papermill", "nbval", "pytest")


def timed(*command: str) -> float:
    """Return the seconds that a command takes; it must succeed."""
    print(f"\n$ {' '.join(command)}", flush=True)
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True)
    return round(time.perf_counter() - start, 1)


def bench(_: torch.device) -> Iterator[dict[str, Any]]:
    """`make book`, twice, and `make test`."""
    shutil.rmtree(BUILD / "executed", ignore_errors=True)
    shutil.rmtree(BUILD / "html", ignore_errors=True)
    seconds = {
        "make book, everything anew": timed("make", "book", "PROFILE=quick"),
        "make book, nothing changed": timed("make", "book", "PROFILE=quick"),
        "make test": timed("make", "test", "PROFILE=quick"),
    }
    print()
    for name, value in seconds.items():
        print(f"{name:<28}{value:>8.1f} s")
    yield {"versions": {name: installed(name) for name in PACKAGES}, "seconds": seconds}
