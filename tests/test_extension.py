"""What the book's Sphinx extension makes that no page of the built site shows in all its cases."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docutils import nodes
from sphinx.errors import ExtensionError

import resnet
from resnet import papers
from tools.extension import citations, front, mend, numbered


def record(network: str, images: int = 100, data: str = "A", seed: int = 0) -> resnet.Run:
    row = {"epoch": 1, "step": 2, "images": images, "train_loss": 1.0, "test_loss": 1.0}
    row |= {"train_accuracy": 0.75 + seed / 10, "test_accuracy": 0.5}
    about = {"name": data, "sample": False, "canonical": True}
    machine = {"device": "a device"}
    recipe = {"steps": images, "batch_size": 8, "image_size": 14}
    return resnet.Run(network, about, recipe, seed, rows=[row], machine=machine)


def test_front_page_takes_recorded_runs_of_one_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """All seeds of the longest set in which no network is missing, never of two sets together."""
    short = [record(name) for name in front.NETWORKS]
    long = [record(name, images=200, seed=seed) for seed in (0, 1) for name in front.NETWORKS]
    incomplete = [record(name, images=900, data="B") for name in front.NETWORKS[:3]]
    other = [record("ResNet-110", images=200)]
    asked: list[str] = []

    def recorded(pattern: str) -> list[resnet.Run]:
        asked.append(pattern)
        return [*short, *incomplete, *other, *long]

    monkeypatch.setattr(resnet, "recorded", recorded)
    assert front.runs() == {name: long[i::4] for i, name in enumerate(front.NETWORKS)}
    assert asked == ["reproduce/*/*.json"]

    plots = SimpleNamespace(error_curves=lambda *groups: groups)
    monkeypatch.setattr(front, "import_module", lambda name: plots)
    groups, caption = front.drawn()
    assert [list(group) for group in groups] == [list(front.NETWORKS[:2]), list(front.NETWORKS[2:])]
    assert "200 steps of 8 images at 14×14 pixels, seeds: 2 or more" in caption
    assert "plain-20 20.0%" in caption
    assert "whole of A, a device" in caption and "Published" not in caption


def test_front_page_without_records_shows_published_numbers_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resnet, "recorded", lambda pattern: [])
    figure, caption = front.drawn()
    assert str(papers.CIFAR_PLAIN[56]) in figure.alt
    assert caption.startswith("Published") and papers.CIFAR_RESIDUAL.place in caption


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
    found = list(numbered.sentence(nodes.caption("", "", *parts)))
    assert [node.astext() for node in found] == ["The norm ", "x", " of it."]


def test_a_mend_that_finds_nothing_is_an_error(tmp_path: Path) -> None:
    """The theme may change: then somebody has to look."""
    (tmp_path / "_static").mkdir()
    (tmp_path / "page.html").write_text("<html></html>")
    app: Any = SimpleNamespace(outdir=tmp_path, builder=SimpleNamespace(format="html"))
    with pytest.raises(ExtensionError, match=r"nothing left to mend: .* MB that draw"):
        mend.mend(app, None)
    mend.mend(app, ValueError())  # nor does it hide what went wrong before
