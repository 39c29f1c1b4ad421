"""`make mutants`: what is broken against which tests, and what is recorded."""

from __future__ import annotations

import dataclasses
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
    lost = mutants.Mutant("nothing", "resnet/blocks.py", "no such text", "")
    assert "resnet/blocks.py holds 'no such text' 0 times" in (mutants.misplaced(lost) or "")


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
    score = mutants.Score(4, 4, 3, 0, ["f: a -> b"], [])
    monkeypatch.setattr(mutants, "by_mutmut", lambda *_: dataclasses.replace(score))
    assert mutants.main(["--only", "resnet", "--file", "measure"]) == 0
    assert not mutants.RECORD.exists()
    assert mutants.main(["--only", "resnet", "--only", "resnet/data"]) == 0
    score.caught = 4
    assert mutants.main(["--only", "resnet"]) == 0
    record = json.loads(mutants.RECORD.read_text())
    assert {name: one["caught"] for name, one in record.items()} == {"resnet": 4, "resnet/data": 3}


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy in which mutmut would make 50 mutants, of which the tests catch all but every 10th."""
    meta = tmp_path / "mutants" / "resnet" / "nets.py.meta"
    names = [f"resnet.nets.x_f__mutmut_{i}" for i in range(50)]

    def mutmut(_folder: Path, command: str, *given: str, fails: bool = False) -> str:
        if command == "show":
            return f"--- a\n+++ b\n@@\n-    x = {given[0].rpartition('_')[2]}\n+    x = 0\n"
        meta.parent.mkdir(parents=True, exist_ok=True)
        codes = dict.fromkeys(names)
        if meta.exists():
            codes = json.loads(meta.read_text())["exit_code_by_key"]
        for name in set(given) & set(names) or (set() if fails else names):
            codes[name] = 0 if name.endswith("0") else 1
        meta.write_text(json.dumps({"exit_code_by_key": codes}))
        return ""

    monkeypatch.setattr(mutants, "mutmut", mutmut)
    monkeypatch.setattr(mutants, "caught_by_all", lambda *_: {})
    monkeypatch.setattr(mutants, "copy_of_book", lambda name: tmp_path)
    (tmp_path / "resnet").mkdir()
    (tmp_path / "tests" / "resnet").mkdir(parents=True)
    for path in ("resnet/nets.py", "tests/resnet/test_nets.py"):
        (tmp_path / path).write_text("")
    return tmp_path


def test_all_mutants_of_a_folder(broken: Path) -> None:
    found = mutants.by_mutmut("resnet", [])
    assert (found.mutants, found.tried, found.caught, found.equal) == (50, 50, 45, 0)
    assert (
        found.survive == [f"resnet.nets.f: x = {i} -> x = 0" for i in range(0, 50, 10)]
        and not found.untested
    )


def test_a_sample_says_what_is_caught_at_least(broken: Path) -> None:
    found = mutants.by_mutmut("resnet", [], 20)
    codes = [code for code in mutants.results(broken).values() if code is not None]
    assert (found.mutants, found.tried, len(codes)) == (50, 20, 20)
    assert found.caught == sum(codes)
    # of 20, all caught: 0.025 ** (1 / 20) = 0.832; one less and the bound falls
    assert 0 < found.describe()["at least"] <= 0.832  # type: ignore[operator]
    again = mutants.by_mutmut("resnet", [], 20)
    assert again == found, "the same ones are drawn"
    other = mutants.by_mutmut("resnet", [], 20, seed=1)
    assert (other.tried, other != found) == (20, True)


def test_what_changes_nothing_is_counted_apart(
    broken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"equal": [{"change": "nets.f: x = 10 -> x = 0$", "why": "x is not used"}]}
    monkeypatch.setattr(mutants, "listed", lambda: told)
    found = mutants.by_mutmut("resnet", [])
    assert (found.caught, found.equal, len(found.survive)) == (45, 1, 4)


@pytest.mark.parametrize(("code", "word"), [(0, "survive"), (33, "untested"), (5, "untested")])
def test_no_test_and_no_failure_are_not_caught(
    code: int, word: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(mutants, "change", lambda folder, name: name)
    monkeypatch.setattr(mutants, "caught_by_all", lambda *_: {})
    found = mutants.score("resnet", tmp_path, {"a": code, "b": 1}, 9)
    assert (found.caught, getattr(found, word)) == (1, ["a"])


def test_what_was_not_tried_to_the_end_is_no_score(tmp_path: Path) -> None:
    with pytest.raises(BookError, match="1 mutants were not tried to the end"):
        mutants.score("resnet", tmp_path, {"a": 1, "b": 2}, 2)
    with pytest.raises(BookError, match="made no mutant"):
        mutants.results(tmp_path)


def test_tools_do_not_wait_for_torch() -> None:
    code = "import sys, tools.book; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr


def test_all_tests_catch_what_those_that_call_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the mutant in the environment, where mutmut's copies look for it."""
    (tmp_path / "mutants" / "tests").mkdir(parents=True)
    (tmp_path / "mutants" / "tests" / "test_it.py").write_text(
        "import os\ndef test(): assert os.environ['MUTANT_UNDER_TEST'] in ('', 'b')\n"
    )
    monkeypatch.setattr(mutants, "change", lambda folder, name: name)
    monkeypatch.setitem(mutants.COMMANDS, "tools", ("tests",))
    found = mutants.score("tools", tmp_path, {"a": 0, "b": 33, "c": 1}, 3)
    assert (found.caught, found.survive, found.untested) == (2, [], ["b"])
    (tmp_path / "mutants" / "tests" / "test_it.py").write_text("def test(): assert False\n")
    with pytest.raises(BookError, match=r"tests: failed in .*, with nothing broken"):
        mutants.score("tools", tmp_path, {"a": 0}, 1)
