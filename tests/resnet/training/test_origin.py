"""The commit of the code and what was typed, in a checkout and outside of one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from resnet.training import origin


def test_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkout's commit, marked when its code was changed; outside one, not somebody else's."""

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    module = tmp_path / "resnet" / "training" / "origin.py"
    installed = tmp_path / ".venv" / "lib" / "resnet" / "training" / "origin.py"
    for file in (module, installed):
        file.parent.mkdir(parents=True)
        file.write_text("")
    monkeypatch.setattr(origin, "__file__", str(module))
    monkeypatch.delenv("RESNET_COMMIT", raising=False)
    assert origin.commit() == "unknown"
    monkeypatch.setenv("RESNET_COMMIT", "0123abc")  # of a copy whose maker knows it
    assert origin.commit() == "0123abc"
    git("init", "--quiet")
    assert origin.commit() == "unknown"  # no commit yet; a checkout speaks for itself
    record = tmp_path / "results" / "run.json"
    record.parent.mkdir()
    record.write_text("1")
    git("add", "resnet", "results")
    git("commit", "--quiet", "--message", "one")
    assert origin.commit() == git("rev-parse", "HEAD")[:12]
    record.write_text("2")  # a run's own product does not make the next one's code another
    assert origin.commit() == git("rev-parse", "HEAD")[:12]
    module.write_text("changed")
    assert origin.commit() == git("rev-parse", "HEAD")[:12] + "-dirty"
    monkeypatch.setattr(origin, "__file__", str(installed))
    assert origin.commit() == "0123abc"
    monkeypatch.delenv("RESNET_COMMIT")
    assert origin.commit() == "unknown"
    monkeypatch.setattr(origin, "__file__", str(module))
    monkeypatch.setenv("PATH", "")  # no git
    assert origin.commit() == "unknown"


@pytest.mark.parametrize(
    ("started", "typed"),
    [
        (Path(origin.__file__).parents[1] / "__main__.py", "python -m resnet train --sample"),
        ("/usr/lib/ipykernel_launcher.py", ""),
        ("/elsewhere/__main__.py", ""),
        ("", ""),
    ],
)
def test_what_was_typed(started: str | Path, typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [str(started), "train", "--sample"])
    assert origin.command_line() == typed
