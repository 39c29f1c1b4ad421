"""Images on the device: sizes as PIL's, every image once, augmentation with its distribution."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from PIL import Image
from torch import Tensor
from torchvision import transforms

from resnet import ImageData, Recipe, load_data
from resnet.training.batches import Batches, crop, mirror, prepare

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def sample() -> ImageData:
    return load_data("fashion-mnist", sample=True)


def counted(n: int, test: int = 4) -> ImageData:
    """n training images whose only pixel and label is their number."""

    def part(first: int, count: int) -> tuple[Tensor, Tensor]:
        numbers = torch.arange(first, first + count)
        return numbers.to(torch.uint8).reshape(-1, 1, 1, 1), numbers

    return ImageData("numbers", *part(0, n), *part(100, test), ("a",), sample=True)


def recipe(**options: object) -> Recipe:
    return Recipe(**{"epochs": 1, "batch_size": 5, "lr": 0.1, **options})


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_an_epoch_has_every_image_once() -> None:
    found = list(Batches(counted(23), recipe(), CPU).epoch(generator(3)))
    assert [len(y) for _, y, _ in found] == [5, 5, 5, 5, 3]
    assert all(torch.equal((x * 255).round().long().flatten(), y) for x, y, _ in found)
    assert all(weight == 1 for _, _, weight in found)
    order = torch.cat([y for _, y, _ in found])
    assert torch.equal(order.sort().values, torch.arange(23))
    assert torch.equal(order, torch.randperm(23, generator=generator(3)))


def test_going_on_in_the_middle() -> None:
    """From the third batch: the same images with the same augmentation."""
    batches = Batches(counted(23), recipe(pad=1, flip=True), CPU)
    random = generator(3)
    start, whole, states = random.get_state(), [], []
    for batch in batches.epoch(random):
        whole.append(batch)
        states.append(random.get_state())
    random = generator(7)
    random.set_state(states[1])
    rest = list(batches.epoch(random, start, first=2))
    assert len(rest) == 3
    for (x, y, _), (x2, y2, _) in zip(whole[2:], rest, strict=True):
        assert torch.equal(x, x2) and torch.equal(y, y2)


def test_processes_share_every_batch() -> None:
    """Three processes: together the batches of one, with the weights that make means right."""
    whole = [y for _, y, _ in Batches(counted(23), recipe(), CPU).epoch(generator())]
    shares = [
        list(Batches(counted(23), recipe(), CPU, (i, 3)).epoch(generator())) for i in range(3)
    ]
    for i, batch in enumerate(whole):
        parts = [share[i] for share in shares]
        assert sorted(torch.cat([y for _, y, _ in parts]).tolist()) == sorted(batch.tolist())
        means = [y.double().mean() * weight for _, y, weight in parts]
        assert sum(means) / 3 == pytest.approx(batch.double().mean().item())


def test_a_batch_must_be_enough_for_all_processes() -> None:
    with pytest.raises(ValueError, match="batch_size=5: it leaves a batch of 1 for 2 processes"):
        Batches(counted(21), recipe(), CPU, (0, 2))


def test_held_out() -> None:
    batches = Batches(counted(23), recipe(held_out=3), CPU)
    trained = torch.cat([y for _, y, _ in batches.epoch(generator())])
    assert sorted(trained.tolist()) == list(range(20))
    assert batches.test_labels.tolist() == [20, 21, 22]
    assert sum(map(len, batches.test(2))) == 3
    assert Batches(counted(23), recipe(), CPU).test_labels.tolist() == [100, 101, 102, 103]
    with pytest.raises(ValueError, match="held_out=23: the set has 23 training images"):
        Batches(counted(23), recipe(held_out=23), CPU)


def test_clean_images_are_the_first_as_tests_see_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, not augmented, none that is held out; read in one go, which on a disk matters."""
    batches = Batches(counted(23), recipe(pad=1, flip=True, held_out=3), CPU)
    reads: list[int] = []
    real = batches.source.read
    monkeypatch.setattr(batches.source, "read", lambda b: reads.append(len(b)) or real(b))
    for count, sizes in ((12, [5, 5, 2]), (5, [5]), (100, [5, 5, 5, 5])):
        found = list(batches.clean(count, 5))
        assert [len(y) for _, y in found] == sizes
        assert torch.cat([y for _, y in found]).tolist() == list(range(sum(sizes)))
        assert all(torch.equal((x * 255).round().long().flatten(), y) for x, y in found)
    assert reads == [3, 1, 4]
    less_mean = Batches(counted(23), recipe(subtract_mean=True, held_out=3), CPU)
    ((x, _),) = less_mean.clean(4, 5)
    torch.testing.assert_close(x.flatten(), (torch.arange(4.0) - 9.5) / 255)


def test_mean_of_the_training_images_is_subtracted(sample: ImageData) -> None:
    """2016a, Sec. 4.2: the per-pixel mean; of the images trained on, for test images as well."""
    data = dataclasses.replace(
        sample.first(20, 5), train_images=torch.randint(0, 256, (20, 3, 6, 7), dtype=torch.uint8)
    )
    batches = Batches(data, recipe(batch_size=20, subtract_mean=True, held_out=4), CPU)
    mean = data.train_images[:16].double().mean(0) / 255
    ((x, _, _),) = list(batches.epoch(generator()))
    torch.testing.assert_close(x.double().mean(0), torch.zeros(3, 6, 7).double(), atol=1e-6, rtol=0)
    (test,) = batches.test(10)
    torch.testing.assert_close(test.double(), data.train_images[16:].double() / 255 - mean)


def test_crop_takes_the_window() -> None:
    """Every window of a 3x4 image with two zeros around it, against slices."""
    x = torch.arange(1.0, 25).reshape(1, 2, 3, 4)
    padded = torch.nn.functional.pad(x, (2, 2, 2, 2))
    places = [(r, c) for r in range(5) for c in range(5)]
    rows, columns = map(torch.tensor, zip(*places, strict=True))
    found = crop(x.expand(25, -1, -1, -1), 2, rows, columns)
    for image, (r, c) in zip(found, places, strict=True):
        assert torch.equal(image, padded[0, :, r : r + 3, c : c + 4])


def test_mirror() -> None:
    x = torch.arange(12.0).reshape(2, 1, 2, 3)
    found = mirror(x, torch.tensor([True, False]))
    assert found[0, 0].tolist() == [[2, 1, 0], [5, 4, 3]]
    assert torch.equal(found[1], x[1])


def test_augmentation_is_uniform() -> None:
    """9 windows and 2 directions of one image: each in 1 of 18 cases, within 5 deviations."""
    n = 9000
    image = torch.arange(1, 10, dtype=torch.uint8).reshape(1, 1, 3, 3)
    data = dataclasses.replace(
        counted(1), train_images=image.expand(n, -1, -1, -1), train_labels=torch.zeros(n).long()
    )
    batches = Batches(data, recipe(batch_size=n, pad=1, flip=True), CPU)
    ((x, _, _),) = list(batches.epoch(generator()))
    counts = torch.unique((x * 255).round().flatten(1), dim=0, return_counts=True)[1]
    assert len(counts) == 18
    deviation = (n * 1 / 18 * 17 / 18) ** 0.5
    assert (counts - n / 18).abs().max() < 5 * deviation


def test_without_augmentation_only_the_order_is_drawn() -> None:
    random = generator()
    list(Batches(counted(23), recipe(), CPU).epoch(random))
    want = generator()
    torch.randperm(23, generator=want)
    assert torch.equal(random.get_state(), want.get_state())


def test_batches_are_channels_last(sample: ImageData) -> None:
    data = dataclasses.replace(
        sample.first(20, 5), train_images=sample.train_images[:20].repeat(1, 3, 1, 1)
    )
    for options in ({}, {"pad": 2, "flip": True}, {"image_size": 14, "subtract_mean": True}):
        for x, _, _ in Batches(data, recipe(**options), CPU).epoch(generator()):
            assert x.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("side", [96, 32, 20, 9])
@pytest.mark.parametrize("channels", [1, 3])
def test_prepare_resizes_as_pil(sample: ImageData, side: int, channels: int) -> None:
    """torchvision's Resize + ToTensor, which D2L uses, up and down.

    PIL rounds to 8 bits after each of its two passes, half a step each: at most 1/255 apart.
    """
    images = sample.train_images[: 4 * channels].reshape(4, channels, 28, 28)
    theirs = transforms.Compose([transforms.Resize(side), transforms.ToTensor()])
    pixels = images.permute(0, 2, 3, 1).squeeze(3).numpy()  # PIL's order; without colour, no axis
    want = torch.stack([theirs(Image.fromarray(image)) for image in pixels])
    got = prepare(images, side)
    assert got.shape == (4, channels, side, side)
    assert (got - want).abs().max() <= 1.001 / 255
    assert (got - want).abs().mean() <= 0.3 / 255


@pytest.mark.parametrize("size", [None, 28])
def test_prepare_without_resizing(sample: ImageData, size: int | None) -> None:
    """From 0 to 1 exactly as ToTensor does it; the memory is channels_last."""
    got = prepare(sample.train_images[:5], size)
    assert torch.equal(got, sample.train_images[:5].float() / 255)
    assert got.max() <= 1
    assert prepare(torch.zeros(2, 3, 4, 4, dtype=torch.uint8)).is_contiguous(
        memory_format=torch.channels_last
    )


def test_prepare_resizes_what_has_one_side_right() -> None:
    for height, width in ((4, 8), (8, 4)):
        images = torch.zeros(1, 1, height, width, dtype=torch.uint8)
        assert prepare(images, 8).shape == (1, 1, 8, 8)
