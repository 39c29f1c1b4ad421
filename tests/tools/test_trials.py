"""`make mutants`: what is broken against which tests, and what is recorded."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from toybook import ROOT

from tools.common import BookError
from tools.trials import mutants


def test_mutants_by_hand_are_in_place() -> None:
    listed = tomllib.loads(mutants.LIST.read_text(encoding="utf-8"))["mutant"]
    assert not [told for one in listed if (told := mutants.misplaced(mutants.Mutant(**one)))]
    lost = mutants.Mutant("nothing", "blocks", "no such text", "")
    assert "blocks.py holds 'no such text' 0 times" in (mutants.misplaced(lost) or "")


@pytest.mark.parametrize("name", mutants.FOLDERS)
def test_a_folder_is_tried_against_its_mirror(name: str) -> None:
    """Its own files, without those of folders in it."""
    lines = mutants.settings(name, ROOT).splitlines()
    chosen = [line.strip() for line in lines if re.fullmatch(r" +.*/.*\.py", line)]
    assert {str(Path(path).parent) for path in chosen} == {name, f"tests/{name}"}


def test_some_files_of_a_folder() -> None:
    text = mutants.settings("resnet/training", ROOT, ["recipes"])
    assert "resnet/training/recipes.py" in text and "test_recipes.py" in text
    assert "loop.py" not in text
    with pytest.raises(BookError, match="no file, or no test file, of nothing"):
        mutants.settings("resnet", ROOT, ["nothing"])


def test_scores_are_kept_by_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder's new score replaces its old one; part of a folder has none."""
    monkeypatch.setattr(mutants, "RECORD", tmp_path / "mutants.json")
    score = {"mutants": 4, "caught": 3, "untested": 0, "unchecked": 0}
    monkeypatch.setattr(mutants, "by_mutmut", lambda *_: dict(score))
    assert mutants.main(["--only", "resnet", "--file", "measure"]) == 0
    assert not mutants.RECORD.exists()
    assert mutants.main(["--only", "resnet", "--only", "resnet/data"]) == 0
    score["caught"] = 4
    assert mutants.main(["--only", "resnet"]) == 0
    record = json.loads(mutants.RECORD.read_text())
    assert {name: one["caught"] for name, one in record.items()} == {"resnet": 4, "resnet/data": 3}


def test_tools_do_not_wait_for_torch() -> None:
    code = "import sys, tools.book; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
