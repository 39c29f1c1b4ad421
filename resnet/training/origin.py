"""Where a number comes from: the commit of the code, and what was typed."""

import os
import shlex
import subprocess
import sys
from pathlib import Path


def commit() -> str:
    """Return the commit of the checkout this module lies in.

    Outside of one it is what the environment variable RESNET_COMMIT says, or "unknown".
    """
    checkout = Path(__file__).parents[2]
    if not (checkout / ".git").exists():  # installed, perhaps inside somebody's own repository
        return os.environ.get("RESNET_COMMIT", "unknown")
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=checkout,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def command_line() -> str:
    """Return what was typed to start this program, if it is the command; "" in a notebook."""
    started = Path(sys.argv[0])
    if (started.parent.name, started.name) != (Path(__file__).parents[1].name, "__main__.py"):
        return ""
    return f"python -m resnet {shlex.join(sys.argv[1:])}"
