"""What the book's Sphinx extension makes that no page of the built site shows in all its cases."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docutils import nodes
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from sphinx.errors import ExtensionError

import resnet
from resnet.reproduce import CLAIMS
from tools.build import notebooks
from tools.extension import citations, front, mend, numbered, times


def record(network: str, error: float, seed: int) -> resnet.Run:
    """A record at the CPU scale of the claims about depth, with this last training error."""
    setting = CLAIMS["degradation"].settings["cpu"]
    row = {"epoch": 1, "step": 2, "images": 100, "train_loss": 1.0, "test_loss": 1.0}
    row |= {"train_accuracy": 1 - error / 100, "test_accuracy": 0.5}
    about = {"name": "images in A", "sample": False, "canonical": False, "sha256": "1"}
    return resnet.Run(
        setting.network(network), about, setting.recipe.describe(), seed, rows=[row],
        settings={"precision": setting.precision}, machine={"device": "a device"},
    )  # fmt: skip


def test_front_page_takes_the_ledgers_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first claim's, as the ledger takes them; what is missing of the plan is said."""
    names = ("plain-20", "plain-56", "ResNet-20", "ResNet-56")
    records = [record(name, 20 + i + seed - 10, seed) for i, name in enumerate(names)
               for seed in (10, 11, 99)]  # fmt: skip
    monkeypatch.setattr("resnet.reproduce.load_records", lambda: records)
    figure, caption = front.drawn()
    assert "plain-20, mean of 2: 20.5%." in figure.alt
    assert "plain-20 20.5%, plain-56 21.5%, ResNet-20 22.5%, ResNet-56 23.5%" in caption
    assert "Seeds per network: 2 of 3 planned. A, a copy; 8 channels" in caption
    assert "Published" not in caption


@pytest.mark.parametrize(
    ("names", "label"),
    [
        (["He", "Zhang", "Ren"], "He et al. 2016"),
        (["De", "Smith"], "De and Smith 2016"),
        (["{Doe}"], "Doe 2016"),
    ],
)
def test_labels(names: list[str], label: str) -> None:
    persons = {"author": [SimpleNamespace(last_names=[name]) for name in names]}
    entry: Any = SimpleNamespace(persons=persons, fields={"year": "2016"})
    assert citations.Names().format_label(entry) == label
    assert list(citations.Names().format_labels([entry, entry])) == [f"{label}a", f"{label}b"]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One. Two.", "One."),
        ("After He et al. 2016a, Fig. 2. Two.", "After He et al. 2016a, Fig. 2."),
        ("No end", "No end"),
        ("Factors from 0.5 to 1.1 and more. Two.", "Factors from 0.5 to 1.1 and more."),
    ],
)
def test_first_sentence(text: str, first: str) -> None:
    caption = nodes.caption("", text)
    assert "".join(node.astext() for node in numbered.sentence(caption)) == first


def test_first_sentence_may_hold_other_things() -> None:
    parts = [
        nodes.Text("The norm "),
        nodes.math("", "x"),
        nodes.Text(" of it. More."),
        nodes.math(),
    ]
    parts[1]["ids"] = ["id3"]
    found = list(numbered.sentence(nodes.caption("", "", *parts)))
    assert found[1]["ids"] == [] and parts[1]["ids"] == ["id3"]  # else twice on the page of lists
    assert [node.astext() for node in found] == ["The norm ", "x", " of it."]


def test_a_mend_that_finds_nothing_is_an_error(tmp_path: Path) -> None:
    """The theme may change: then somebody has to look."""
    (tmp_path / "_static").mkdir()
    (tmp_path / "page.html").write_text("<html></html>")
    app: Any = SimpleNamespace(outdir=tmp_path, builder=SimpleNamespace(name="html"))
    with pytest.raises(ExtensionError, match=r"nothing left to mend: .* MB that draw"):
        mend.mend(app, None)
    mend.mend(app, ValueError())  # nor does it hide what went wrong before


def test_the_time_to_read_is_without_the_exercises(tmp_path: Path) -> None:
    """As long as the text and the code before the cell behind which they stand."""
    opens = new_markdown_cell("word " * 3000, metadata={"tags": [notebooks.EXERCISES]})
    cells = [new_markdown_cell("word " * 1000), new_code_cell("1\n" * 60)]
    (tmp_path / "chapters").mkdir()
    path = tmp_path / "chapters" / "01.ipynb"
    notebooks.write(new_notebook(cells=[*cells, opens]), path)
    role = times.Reading()
    role.text = "01"
    environment = SimpleNamespace(srcdir=tmp_path, note_dependency=lambda _: None)
    role.inliner = SimpleNamespace(  # type: ignore[assignment]
        document=SimpleNamespace(settings=SimpleNamespace(env=environment))
    )
    assert role.run()[0][0].astext() == "10 min"
