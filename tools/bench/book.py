"""`make bench`: how long the two commands take on this machine, the environment being there."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import time
from datetime import UTC, datetime
from importlib.metadata import version as installed

from ..common import BUILD, RESULTS, ROOT, commit, cores, write_whole

RECORD = RESULTS / "bench-book.json"
PACKAGES = ("torch", "torchvision", "numpy", "jupyter-book", "papermill", "nbval", "pytest")


def device() -> str:
    """Return the processor's name where the system tells it, else its kind."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def timed(*command: str) -> float:
    """Return the seconds that a command takes; it must succeed."""
    print(f"\n$ {' '.join(command)}", flush=True)
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True)
    return round(time.perf_counter() - start, 1)


def main() -> None:
    """Time the commands, print a table, write the record."""
    shutil.rmtree(BUILD / "executed", ignore_errors=True)
    shutil.rmtree(BUILD / "html", ignore_errors=True)
    seconds = {
        "make book, everything anew": timed("make", "book", "PROFILE=quick"),
        "make book, nothing changed": timed("make", "book", "PROFILE=quick"),
        "make test": timed("make", "test", "PROFILE=quick"),
    }
    record = {
        "device": device(),
        "cores": cores(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": commit(),
        "versions": {"python": platform.python_version()}
        | {name: installed(name) for name in PACKAGES},
        "seconds": seconds,
    }
    write_whole(RECORD, json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    print(f"\n{record['device']}, {record['cores']} cores")
    for name, value in seconds.items():
        print(f"{name:<28}{value:>8.1f} s")
    print(f"Written to {RECORD.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
