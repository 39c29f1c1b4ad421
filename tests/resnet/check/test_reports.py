"""Reports on filled notebooks: right, wrong and untried answers, hostile ones, and none at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from cells import EVERY
from nbformat import NotebookNode, write
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import resnet
from resnet.__main__ import main
from resnet.check import reports
from tools.build import notebooks
from tools.common import CHAPTERS

CONTAINED = "def contained(a, b):\n    return {}\n"
RIGHT = CONTAINED.format("b % a == 0")
STEPS = "resnet.check.steps_nested(contained)"
SHAPES = EVERY["block-shapes"]


def notebook(*sources: str) -> NotebookNode:
    return new_notebook(cells=[new_code_cell(source) for source in sources])


def judged(path: Path, *sources: str, seconds: float = 120) -> dict[str, dict[str, Any]]:
    """What the JSON has for each exercise."""
    write(notebook(*sources), path)
    table = resnet.check.report(path, seconds=seconds)
    found = json.loads(path.with_suffix(".report.json").read_text(encoding="utf-8"))
    assert [row[0].split()[0] for row in table.rows] == [e["exercise"] for e in found["exercises"]]
    assert (found["notebook"], found["module"]) == (path.name, resnet.__version__)
    return {each["name"]: each for each in found["exercises"]}


def test_a_chapter_that_was_filled_in(tmp_path: Path) -> None:
    """Of the chapter's own cells imports and definitions are there, and nothing is trained."""
    (source,) = CHAPTERS.glob("01-*.ipynb")
    filled = notebooks.read(source)
    filled.cells.insert(3, new_code_cell("import fractions as own\n1 / 0\nMISSING = 1"))
    filled.cells.insert(4, new_code_cell("def divides(a, b):\n    return own.Fraction(b, a)"))
    rule = "divides(a, b).denominator == 1"
    answers = {
        "steps-nested-starter": CONTAINED.format(rule),
        "width-nested-starter": "%matplotlib inline\n" + EVERY["width-nested"].solution,
        "plain-identity-starter": "answers = {'on [-1, 1]': ([(1, 1, 2)], -1), 'everywhere': ...}",
        "no-bound-starter": "answers = dict(promise='b', data='b', training=MISSING)",
    }
    for cell in filled.cells:
        cell.source = answers.get(cell.id, cell.source)
    path = tmp_path / "answers.ipynb"
    write(filled, path)
    table = resnet.check.report(path)
    assert table.header == ["exercise", "tried", "passed", "message"]
    assert [row[:3] for row in table.rows] == [
        ["1.1 steps_nested", "yes", "yes"],
        ["1.2 width_nested", "yes", "yes"],
        ["1.3 plain_identity", "yes", "no"],
        ["1.4 grow_order", "no", "no"],
        ["1.5 no_bound", "yes", "no"],
    ]
    assert "Nothing is written here yet" in table.rows[3][3]
    assert {file.name for file in tmp_path.iterdir()} == {path.name, "answers.report.json"}
    last = json.loads((tmp_path / "answers.report.json").read_text())["exercises"][-1]
    assert "NameError: name 'MISSING' is not defined" in last["message"]


def test_hostile_and_endless_answers_have_their_rows(tmp_path: Path) -> None:
    """Each is told in its row, and what comes behind it is judged all the same."""
    found = judged(
        tmp_path / "hostile.ipynb",
        "while True:\n    pass",
        STEPS,
        "def widen(w, b, v):\n    raise ValueError('\\x1b[2J\\ud800' + 'x' * 10**6)",
        "print(resnet.check.width_nested(widen))",
        "import os\nos.write(1, b'{\"passed\": true}\\n')\nos._exit(0)",
        "resnet.check.grow_order({})",
        "resnet.check.no_bound = lambda _: 'Right'",
        "resnet.check.no_bound({})",
        "open('left-behind', 'w').write('x')\nimport subprocess\nsubprocess.Popen(['sleep', '99'])",
        f"{SHAPES.solution}\n{SHAPES.check};",
        seconds=10,
    )
    assert {name: each["passed"] for name, each in found.items()} == {
        "steps_nested": False,
        "width_nested": False,
        "grow_order": False,
        "no_bound": False,
        "block_shapes": True,
    }
    assert all(each["tried"] for each in found.values())
    assert "Not finished after 10 s" in found["steps_nested"]["message"]
    assert "ValueError" in found["width_nested"]["message"]
    assert found["width_nested"]["message"].isprintable()
    assert "ended the process" in found["grow_order"]["message"]
    assert "check was not run" in found["no_bound"]["message"]
    assert {file.name for file in tmp_path.iterdir()} == {"hostile.ipynb", "hostile.report.json"}


def test_definitions_that_end_the_process_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    ends = "import os\n@(lambda f: os._exit(1))\ndef f():\n    pass"
    cells = [new_code_cell(ends), new_markdown_cell("## Exercises"), new_code_cell(RIGHT + STEPS)]
    write(new_notebook(cells=cells), path)
    assert resnet.check.report(path).rows[0][2] == "yes"


def test_the_last_check_of_an_exercise_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    wrong = CONTAINED.format("a <= b")
    assert judged(path, wrong, STEPS, RIGHT, f"# again\n{STEPS}")["steps_nested"]["passed"]
    assert not judged(path, RIGHT, STEPS, wrong, STEPS)["steps_nested"]["passed"]


def test_several_notebooks_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        write(notebook(RIGHT, STEPS), f"{name}.ipynb")
    assert main(["report", "one.ipynb", "two.ipynb"]) == 0
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["notebook", "exercise", "tried", "passed", "message"]
    assert [line.split()[:5] for line in (first, second)] == [
        [f"{name}.ipynb", "1.1", "steps_nested", "yes", "yes"] for name in ("one", "two")
    ]
    assert main(["report", "three.ipynb"]) == 1
    assert "there is no file three.ipynb" in capsys.readouterr().err
    assert main(["report", "one.ipynb", "--seconds", "-1"]) == 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "is no notebook of Jupyter's format 4"),
        ("[]", "is no notebook"),
        ('{"cells": 3}', "is no notebook"),
        ('{"cells": [{"cell_type": "code"}]}', "is no notebook"),
        ('{"worksheets": []}', "is no notebook"),
        ("[" * 100_000, "is no notebook"),
        ("\xff", "cannot be read as a notebook"),
        ('{"cells": []}', "has no exercise"),
        ('{"cells": [{"cell_type": "code", "source": ["#resnet.check.seeds(n)"]}]}', "no exercise"),
        ('{"cells": [{"cell_type": "code", "source": "resnet.check.what(1)"}]}', "no exercise"),
    ],
    ids=[
        "empty",
        "list",
        "no list",
        "no source",
        "old",
        "deep",
        "no text",
        "no cell",
        "comment",
        "unknown",
    ],
)
def test_what_is_no_notebook_with_exercises_is_named(
    content: str, told: str, tmp_path: Path
) -> None:
    path = tmp_path / "bad.ipynb"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(ValueError, match=rf"bad\.ipynb {told}|bad\.ipynb has {told}"):
        resnet.check.report(path)
    assert list(tmp_path.iterdir()) == [path]


def test_bad_arguments_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="name at least one file"):
        resnet.check.report()
    path = tmp_path / "a.ipynb"
    with pytest.raises(FileNotFoundError, match=r"there is no file .*a\.ipynb"):
        resnet.check.report(path)
    with pytest.raises(ValueError, match="cannot be read as a notebook"):
        resnet.check.report(tmp_path)
    write(notebook(STEPS), path)
    for seconds in (0, -1, float("nan"), "1", True):
        with pytest.raises(ValueError, match="seconds="):
            resnet.check.report(path, seconds=seconds)  # type: ignore[arg-type]
    target = tmp_path / "a.report.json"
    target.mkdir()
    with pytest.raises(ValueError, match=r"report=.*a\.report\.json.* cannot be written"):
        resnet.check.report(path)
    monkeypatch.setattr(reports, "find_spec", lambda _: None)
    with pytest.raises(ValueError, match="pip install ipython"):
        resnet.check.report(path)


def test_nothing_is_written_if_it_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.ipynb"
    write(notebook("import time\ntime.sleep(99)", STEPS), path)
    started = []

    class Stopped(reports._Worker):
        def next(self, seconds: float) -> dict[str, Any] | str:
            started.append(self.process.pid)
            raise KeyboardInterrupt

    monkeypatch.setattr(reports, "_Worker", Stopped)
    with pytest.raises(KeyboardInterrupt):
        resnet.check.report(path)
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(ProcessLookupError):
        os.kill(started[0], 0)
