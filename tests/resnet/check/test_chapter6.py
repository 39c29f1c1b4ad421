"""Chapter 6's exercises: the numbers that a statement gives."""

import math

import pytest
import torch

from resnet.check import chapter6
from resnet.nets import cifar_resnet


@pytest.mark.parametrize(("shortcut", "given"), [(None, chapter6.PLAIN), ("A", chapter6.RESIDUAL)])
def test_the_growths_given_are_those_of_the_networks(shortcut, given) -> None:  # type: ignore[no-untyped-def]
    for units, growth in given.items():
        logs = []
        for seed in range(3):
            torch.manual_seed(seed)
            net = cifar_resnet(2 * units + 2, in_channels=1, shortcut=shortcut)
            logs.append(math.log(chapter6.growth(net)))
        assert growth == pytest.approx(math.exp(sum(logs) / 3), rel=0.03)
