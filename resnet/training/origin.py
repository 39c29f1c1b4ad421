"""What a record needs of the system: its origin, and the cores.

The book's tools load this file alone, which needs no torch: see tools/common.py.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path


def commit() -> str:
    """Return the commit of the checkout this module lies in, and "-dirty" if files were changed.

    Changed records do not count, or the second of two runs would be called dirty for the first
    one's sake. Outside of a checkout: what the environment variable RESNET_COMMIT says, or
    "unknown".
    """
    checkout = Path(__file__).parents[2]
    if not (checkout / ".git").exists():  # installed, perhaps inside somebody's own repository
        return os.environ.get("RESNET_COMMIT", "unknown")

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=checkout, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    try:
        name = git("describe", "--always", "--abbrev=12")
        changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!results")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{name}-dirty" if changed else name


def command_line() -> str:
    """Return what was typed to start this program, if it is the command; "" in a notebook."""
    started = Path(sys.argv[0])
    if (started.parent.name, started.name) != (Path(__file__).parents[1].name, "__main__.py"):
        return ""
    return f"python -m resnet {shlex.join(sys.argv[1:])}"


def cores() -> int:
    """Count the processor cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
