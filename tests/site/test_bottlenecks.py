"""Chapter 4: a test for what its prose says and no cell of it shows."""

from __future__ import annotations

from itertools import pairwise

import nbformat
import pytest
import torch
from toybook import ROOT

import resnet
from resnet.book.recorded import trained
from resnet.measure import refresh_statistics
from resnet.reproduce import papers
from resnet.training.batches import prepare
from resnet.training.recipes import SMALL

IMAGE = (1, 3, 224, 224)


def cost(depth: int, **options: str) -> float:
    with torch.device("meta"):
        return resnet.multiply_adds(resnet.imagenet_resnet(depth, **options), IMAGE) / 1e9


def test_branch_adds_from_a_quarter_of_the_dimensions() -> None:
    torch.manual_seed(0)
    unit, x = resnet.Bottleneck(256, 64), torch.rand(4, 256, 14, 14)
    with torch.no_grad():
        before_last_bn = unit.branch[:-1](x)
    for images, rank in ((before_last_bn, 64), (x, 256)):
        pixels = images.movedim(1, -1).reshape(-1, 256)
        assert torch.linalg.matrix_rank(pixels, rtol=1e-5) == rank


@pytest.mark.parametrize(("stride_on", "by_branch"), [("1x1", 0.25), ("3x3", 1.0)])
def test_which_pixels_are_read(stride_on: str, by_branch: float) -> None:
    torch.manual_seed(0)
    unit = resnet.Bottleneck(256, 128, stride=2, stride_on=stride_on).eval()
    read = {}
    for name in ("branch", "shortcut"):
        x = torch.rand(2, 256, 16, 16, requires_grad=True)
        (gradient,) = torch.autograd.grad(getattr(unit, name)(x).sum(), x)
        read[name] = gradient.abs().sum((0, 1)) > 0
    assert read["branch"].float().mean() == by_branch
    assert read["shortcut"].float().mean() == 0.25
    assert (read["branch"] | read["shortcut"]).float().mean() == by_branch  # the same ones


def test_where_the_published_costs_differ() -> None:
    published = papers.MULTIPLY_ADDS
    rounded = {depth: round(cost(depth), 1) for depth in published.values}
    assert [d for d in rounded if rounded[d] != published[d]] == [34, 50]
    assert published[34] == round(cost(34, shortcut="A"), 1) == 3.6
    assert (published[50], rounded[50]) == (3.8, 3.9)


def test_what_depth_costs_and_brings() -> None:
    errors = papers.IMAGENET_DEPTH.values
    depths = sorted(errors)
    falls = {deep: errors[d] - errors[deep] for d, deep in pairwise(depths)}
    assert max(falls, key=falls.__getitem__) == 50 and cost(50) < 1.1 * cost(34)
    assert falls[152] == pytest.approx(1 / 3, abs=0.02)
    assert cost(152) / cost(101) == pytest.approx(1.5, abs=0.05)


def test_after_a_long_training_the_averages_agree() -> None:
    clothes = resnet.load_data("fashion-mnist", sample=True)
    net = trained("ResNet-20, width 8")
    running = resnet.evaluate(net, clothes, SMALL, device="cpu").accuracy
    mean = clothes.train_images.float().mean(0) / 255
    images = prepare(clothes.train_images, SMALL.image_size, mean)
    refresh_statistics(net, images.split(128))
    fresh = resnet.evaluate(net, clothes, SMALL, device="cpu").accuracy
    assert fresh == pytest.approx(running, abs=0.01)


def test_fine_tuning_prepares_images_as_the_network_has_learned_them() -> None:
    (learned,) = resnet.recorded("weights/resnet-20-width-8.json")
    chapter = nbformat.read(ROOT / "chapters" / "04-bottlenecks.ipynb", as_version=4)
    (source,) = (cell.source for cell in chapter.cells if "prepare(few." in cell.source)
    for option in ("image_size", "subtract_mean"):
        assert f"{option}={learned.recipe[option]}," in source
    assert "prepare(few.train_images, recipe.image_size, mean)" in source
