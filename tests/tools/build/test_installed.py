"""tools.build.installed: pairs of torch and torchvision that do and do not work together."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError

import pytest

from tools.build import installed


def have(monkeypatch: pytest.MonkeyPatch, **versions: str) -> None:
    def version(name: str) -> str:
        if name not in versions:
            raise PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(installed, "version", version)


@pytest.mark.parametrize(
    ("torch", "torchvision"),
    [("2.11.0", "0.26.0"), ("2.11.0+cpu", "0.26.0+cpu"), ("2.11.0+cu128", "0.26.0")],
)
def test_builds_from_one_place_are_fine(
    monkeypatch: pytest.MonkeyPatch, torch: str, torchvision: str
) -> None:
    have(monkeypatch, torch=torch, torchvision=torchvision)
    assert installed.complaint() is None


def test_one_build_without_cuda_is_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, torch="2.11.0+cpu", torchvision="0.26.0")
    said = installed.complaint() or ""
    assert "torch 2.11.0+cpu and torchvision 0.26.0 do not work together" in said
    assert "--force-reinstall --no-deps torch==2.11.0 torchvision==0.26.0\n" in said
    have(monkeypatch, torch="2.11.0", torchvision="0.26.0+cpu")
    assert "torchvision is built without CUDA" in (installed.complaint() or "")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, torch="2.11.0")
    said = installed.complaint() or ""
    assert "torchvision is not installed; run `make setup`" in said
