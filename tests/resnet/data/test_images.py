"""Parts of a set."""

from __future__ import annotations

import pytest
import torch

from resnet import ImageData


@pytest.mark.parametrize(
    ("train", "test", "sample"), [(6, 4, False), (5, 4, True), (6, 3, True), (1, 1, True)]
)
def test_a_part_is_a_sample_and_the_whole_is_none(train: int, test: int, sample: bool) -> None:
    images, labels = torch.zeros(6, 1, 2, 2, dtype=torch.uint8), torch.zeros(6, dtype=torch.long)
    whole = ImageData("set", images, labels, images[:4], labels[:4], ("a",), sample=False)
    part = whole.first(train, test)
    for none in ({"train": 0, "test": 1}, {"train": 1, "test": 0}):
        with pytest.raises(ValueError, match="=0: expected a whole number of at least 1"):
            whole.first(**none)
    assert (len(part.train_labels), len(part.test_labels)) == (train, test)
    assert (len(part.train_images), len(part.test_images)) == (train, test)
    assert part.sample is sample and part.describe()["sample"] is sample
