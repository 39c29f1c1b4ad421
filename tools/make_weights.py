"""`make weights`: train the networks of results/weights that are missing; resumes."""

from __future__ import annotations

import sys

from resnet.__main__ import main as command
from resnet.reproduce.work import slug

from .common import BUILD, RESULTS

FOLDER = RESULTS / "weights"
# network: recipe
NETWORKS = {"ResNet-8": "fast"} | {
    f"{form}-{depth}, width 8": "small"
    for form in ("plain", "ResNet", "pre-activation ResNet")
    for depth in (20, 56)
}


def arguments(network: str) -> list[str]:
    """Say what `python -m resnet` is told for a network."""
    name = slug(network)
    return [
        "train", "--network", network, "--recipe", NETWORKS[network], "--seed", "10",
        "--precision", "float32", "--checkpoint", str(BUILD / f"{name}.pt"),
        "--record", str(FOLDER / f"{name}.json"),
        "--weights", str(FOLDER / f"{name}.safetensors"),
    ]  # fmt: skip


def main() -> int:
    """Train what is missing; stop at the first that fails."""
    for network in NETWORKS:
        there = (FOLDER / f"{slug(network)}.safetensors").exists()
        if not there and (status := command(arguments(network))):
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
