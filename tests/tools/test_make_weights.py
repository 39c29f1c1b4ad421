"""`make weights`: what it would train, what it leaves alone, and where it stops."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet.__main__ import arguments as parsed
from resnet.training.recipes import RECIPES
from resnet.variants import network
from tools import make_weights


def test_what_is_missing_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every network by its name and recipe, one after the other, until one fails."""
    trained: list[str] = []

    def command(given: list[str]) -> int:
        options = parsed(given)
        assert network(options.network).name == options.network and options.recipe in RECIPES
        assert options.precision == "float32" and options.seed == 10
        trained.append(options.network)
        return int(options.network == "plain-56, width 8")

    monkeypatch.setattr(make_weights, "FOLDER", tmp_path)
    monkeypatch.setattr(make_weights, "command", command)
    (tmp_path / "resnet-8.safetensors").touch()
    assert make_weights.main() == 1
    assert trained == ["plain-20, width 8", "plain-56, width 8"]
    assert len(make_weights.NETWORKS) == 7
