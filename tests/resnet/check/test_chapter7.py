"""What is left on equal terms, and claims of other kinds."""

from __future__ import annotations

import dataclasses
import re

from cells import solved

from resnet import check


def test_what_is_left_on_equal_terms() -> None:
    smallest = solved("best-of-five")["smallest"]
    for left, told in (
        (..., "Nothing is written yet for left"),
        (0.546, "not equal terms"),
        (0.54, "not equal terms|what is printed"),
        (0.174, "for 56 layers only"),
        (-0.36, "the other way round"),
        (3, "taken off the one mean"),
    ):
        found = check.best_of_five(smallest, left)
        assert not found and re.search(told, repr(found)), found


def test_claims_of_other_kinds() -> None:
    claim = solved("missing-depths")["claim"]
    for wrong, told in (
        (dataclasses.asdict(claim), "Hand over a Claim"),
        (dataclasses.replace(claim, only={"cpu": ("plain-21",)}), "no row 'plain-21'"),
        (dataclasses.replace(claim, only=("plain-20",)), "a tuple of 1; expected a dictionary"),
        (dataclasses.replace(claim, settings={}), "no settings for the scale cpu"),
        (dataclasses.replace(claim, rows=dict.fromkeys(claim.rows, "ResNet-8")), "no plain-20"),
    ):
        found = check.missing_depths(wrong)
        assert not found and told in repr(found), found
