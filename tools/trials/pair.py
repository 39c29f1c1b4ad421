"""`make pair`: the module's own tests with another torch and torchvision than the pinned ones.

In a fresh environment, with the other packages as pinned; removed afterwards. Only what has passed
here may lie within the ranges of pyproject.toml.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..common import ROOT, BookError
from .colab import environment, run

TESTS = ROOT / "tests" / "resnet"  # the module's own
# what comes with torch, in the versions that it wants
TORCHS = r"(torch|torchvision|triton|nvidia|cuda|sympy|networkx)\b"


def requirements(torch: str, torchvision: str) -> list[str]:
    """Return the pinned packages, with another torch and what comes with it."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line and not re.match(rf"#|{TORCHS}", line)]
    return [*kept, f"torch=={torch}", f"torchvision=={torchvision}"]


def main(given: Sequence[str] | None = None) -> int:
    """Install, run the tests, say how they ended."""
    parser = argparse.ArgumentParser(prog="python -m tools.trials.pair", description=__doc__)
    parser.add_argument("torch")
    parser.add_argument("torchvision")
    parser.add_argument("--python", default=sys.executable)
    options = parser.parse_args(given)
    try:
        with tempfile.TemporaryDirectory(prefix="pair-") as name:
            wanted = Path(name) / "requirements.txt"
            wanted.write_text("\n".join(requirements(options.torch, options.torchvision)))
            inside = environment(options.python, Path(name) / "environment", ["-r", str(wanted)])
            d2l = ["--no-deps", "--quiet", "-r", str(ROOT / "requirements-d2l.txt")]
            run([str(inside), "-m", "pip", "install", *d2l], ROOT)
            pytest = [str(inside), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
            result = run([*pytest, str(TESTS)], ROOT).strip().splitlines()[-1]
    except BookError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"torch {options.torch}, torchvision {options.torchvision}: {result}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
