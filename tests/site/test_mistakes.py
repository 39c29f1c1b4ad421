"""Chapter 3: a test for each sentence about what the recorded ResNet-8 gets right and wrong."""

from __future__ import annotations

import re

import torch
from toybook import ROOT

import resnet
from resnet.book.recorded import trained
from resnet.data import ImageData

DATA = resnet.load_data("fashion-mnist", sample=True)
assert isinstance(DATA, ImageData)
SAID = resnet.evaluate(trained("ResNet-8"), DATA, resnet.FAST, device="cpu").predictions
COUNTS = torch.zeros(10, 10, dtype=torch.long)
for true, said in zip(DATA.test_labels, SAID, strict=True):
    COUNTS[true, said] += 1
NAMES = {name: i for i, name in enumerate(DATA.classes)}
SHOES = [NAMES[name] for name in ("Sandal", "Sneaker", "Ankle boot")]
UPPER = [NAMES[name] for name in ("T-shirt/top", "Pullover", "Dress", "Coat")]


def test_shirts_are_hardest_and_taken_for_what_looks_like_one() -> None:
    found = COUNTS.diagonal() / COUNTS.sum(1)
    hardest = found.argsort()[:5].tolist()
    assert hardest[0] == NAMES["Shirt"] and set(hardest[1:]) == set(UPPER)
    row = COUNTS[NAMES["Shirt"]].clone()
    assert row[UPPER].sum() == row.sum() - row[NAMES["Shirt"]]


def test_shoes_and_bags_are_found_and_shoes_taken_for_shoes() -> None:
    for i in (*SHOES, NAMES["Bag"]):
        assert COUNTS[i, i] / COUNTS[i].sum() > 0.94
    assert COUNTS[SHOES][:, SHOES].sum() == COUNTS[SHOES].sum()


def test_the_page_shows_this_network() -> None:
    """Its table begins with the hardest class, and has this network's shares."""
    page = (ROOT / "_build" / "html" / "chapters" / "03-resnet-18.html").read_text("utf-8")
    table = page[page.index('id="tab-by-class"') :]
    found = COUNTS.diagonal() / COUNTS.sum(1)
    first = re.findall(r"<td[^>]*>([^<]+)</td>", table)[:2]
    assert first == ["Shirt", f"{found[NAMES['Shirt']]:.3f}"]


def test_its_training_went_above_91_percent_and_gained_most_at_the_end() -> None:
    (run,) = resnet.recorded("weights/resnet-8.json")
    first, second, third = (row["test_accuracy"] for row in run.rows)
    assert third > 0.91 and third - second > second - first
