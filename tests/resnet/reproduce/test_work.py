"""What is measured of a network after its training."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from resnet import CIFAR, ImageData
from resnet.measure import layer_responses, refresh_statistics
from resnet.reproduce import settings, work
from resnet.reproduce.work import Job, do
from resnet.training.batches import prepare


def test_responses_are_of_test_images_with_fresh_statistics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sized and centred as in training; BN's averages are of training images, not of the lag."""
    random = torch.Generator().manual_seed(0)
    images = torch.randint(256, (60, 3, 9, 9), dtype=torch.uint8, generator=random)
    images = images // 4 + torch.arange(9, dtype=torch.uint8) * 20  # with a mean of its own
    labels = torch.arange(60) % 10
    data = ImageData(
        "noise", images[:40], labels[:40], images[40:], labels[40:], tuple("0123456789"), False
    )
    monkeypatch.setattr(work, "_data", lambda *_: data)
    recipe = dataclasses.replace(
        CIFAR, steps=3, batch_size=20, milestones=(), image_size=8, pad=1, lr=0.5
    )
    setting = dataclasses.replace(settings.SMOKE, recipe=recipe, responses=True)
    seen: list[tuple[nn.Module, Tensor]] = []

    def measured(model: nn.Module, given: Tensor) -> list[float]:
        seen.append((copy.deepcopy(model), given))
        return layer_responses(model, given)

    monkeypatch.setattr(work, "layer_responses", measured)
    job = Job("ResNet-8, width 8", recipe, 0, setting, "noise", tmp_path / "a.json")
    run = do(job, device="cpu")

    ((model, given),) = seen
    mean = images[:40].float().mean(0) / 255
    torch.testing.assert_close(given, prepare(images[40:], 8, mean))
    twin = copy.deepcopy(model)
    refresh_statistics(twin, prepare(images[:40], 8, mean).split(20))
    for name, wanted in twin.named_buffers():
        torch.testing.assert_close(model.get_buffer(name), wanted, msg=name)
    assert run.measured["responses"] == pytest.approx(layer_responses(twin, given), rel=1e-5)
    assert len(run.measured["responses"]) == 7  # of 8 layers the last has no BN
