"""resnet.data.folders and resnet.training.sources: image files, in memory or read in training."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import resnet
from resnet import DataError, ImageData, ImageFolders, Recipe, load_data
from resnet.data import folders
from resnet.training.batches import Batches

CPU = torch.device("cpu")


def fill(root: Path, sizes: tuple[tuple[int, int], ...] = ((6, 6),), test: str = "test") -> Path:
    """Two classes; image i of a class is grey, 20 * i for cats and 20 * i + 10 for dogs."""
    for part, count in (("train", 6), (test, 3)):
        for kind in ("cat", "dog"):
            folder = root / part / kind
            folder.mkdir(parents=True)
            for i in range(count):
                grey = 20 * i + 10 * (kind == "dog")
                size = sizes[i % len(sizes)]
                Image.new("RGB", size, (grey, grey, 100)).save(folder / f"{i}.png")
    return root


def grey(images: torch.Tensor) -> list[int]:
    return images[:, 0, 0, 0].tolist()


@pytest.mark.parametrize("test", ["test", "val"])
def test_in_memory(tmp_path: Path, test: str) -> None:
    data = load_data(f"folder:{fill(tmp_path / 'pets', test=test)}")
    assert isinstance(data, ImageData)
    assert data.train_images.shape == (12, 3, 6, 6) and data.test_images.shape == (6, 3, 6, 6)
    assert data.classes == ("cat", "dog")
    assert (data.name, data.canonical) == ("images in pets", False)
    for images, labels in (
        (data.train_images, data.train_labels),
        (data.test_images, data.test_labels),
    ):
        assert [value % 20 // 10 for value in grey(images)] == labels.tolist()
    assert sorted(grey(data.train_images)) == list(range(0, 120, 10))
    assert (data.train_images[:, 2] == 100).all()


def test_the_last_images_are_of_all_classes(tmp_path: Path) -> None:
    """Files come class by class; what a recipe holds out must not be one class. Same each time."""
    root = fill(tmp_path)
    data, again = load_data(f"folder:{root}"), load_data(f"folder:{root}")
    assert set(data.train_labels[-5:].tolist()) == {0, 1}
    assert data.digest == again.digest
    files = [f"{kind}" for kind in ("cat", "dog") for _ in range(6)]
    order = torch.randperm(12, generator=torch.Generator().manual_seed(0))
    assert [data.classes[label] for label in data.train_labels] == [files[i] for i in order]


@pytest.mark.parametrize("why", ["sizes", "shape", "memory"])
def test_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    """Several sizes, not square, or too many bytes: the same images, read from the disk."""
    sizes = {"sizes": ((6, 6), (6, 12)), "shape": ((8, 6),), "memory": ((6, 6),)}
    fill(tmp_path, sizes=sizes[why])
    if why == "memory":
        monkeypatch.setattr(folders, "IN_MEMORY", 3 * 6 * 6 * 18 - 1)
    data = load_data(f"folder:{tmp_path}")
    assert isinstance(data, ImageFolders)
    assert (data.channels, data.classes) == (3, ("cat", "dog"))
    recipe = Recipe(epochs=1, batch_size=5, lr=0.1, image_size=4)
    batches = Batches(data, recipe, CPU)
    parts = list(batches.epoch(torch.Generator().manual_seed(0)))
    assert [x.shape for x, _, _ in parts] == [(5, 3, 4, 4), (5, 3, 4, 4), (2, 3, 4, 4)]
    x, y = torch.cat([x for x, _, _ in parts]), torch.cat([y for _, y, _ in parts])
    values = (x[:, 0, 0, 0] * 255).round().int().tolist()
    assert [value % 20 // 10 for value in values] == y.tolist()
    assert sorted(values) == list(range(0, 120, 10))
    tested = (torch.cat(list(batches.test(4)))[:, 0, 0, 0] * 255).round().int().tolist()
    assert [value % 20 // 10 for value in tested] == batches.test_labels.tolist()
    described = data.describe()
    digest = described.pop("sha256")
    assert described == {
        "name": f"images in {tmp_path.name}, read from the disk",
        "sample": False,
        "canonical": False,
        "train_images": 12,
        "test_images": 6,
    }
    first = tmp_path / "train" / "cat" / "0.png"
    first.write_bytes(first.read_bytes() + b" ")
    assert data.describe()["sha256"] != digest, "of names and sizes"


def test_shorter_side_and_middle(tmp_path: Path) -> None:
    """A wide image with a white left third: the square in its middle has none of it."""
    fill(tmp_path, sizes=((12, 4), (4, 4)))
    wide = Image.new("RGB", (12, 4))
    wide.paste((255, 255, 255), (0, 0, 4, 4))
    for path in tmp_path.glob("train/*/0.png"):
        wide.save(path)
    data = load_data(f"folder:{tmp_path}")
    batches = Batches(data, Recipe(epochs=1, batch_size=12, lr=0.1, image_size=4), CPU)
    ((x, _, _),) = batches.epoch(torch.Generator())
    assert x[:, 0].amax() < 0.9 and (x[:, 0].flatten(1).amax(1) == 0).sum() >= 2


def test_training_goes_on_in_the_middle(tmp_path: Path) -> None:
    """Going on from batch 1 gives the batches to come; the caller's generator rests."""
    data = load_data(f"folder:{fill(tmp_path, sizes=((8, 6), (9, 9)))}")
    recipe = Recipe(epochs=1, batch_size=5, lr=0.1, image_size=4, pad=1, flip=True)
    before = torch.get_rng_state()
    random = torch.Generator().manual_seed(3)
    start = random.get_state()
    batches = Batches(data, recipe, CPU).epoch(random)
    next(batches)
    middle = random.get_state()
    expected = list(batches)
    random.set_state(middle)
    found = list(Batches(data, recipe, CPU).epoch(random, start, first=1))
    for (x, y, _), (u, v, _) in zip(expected, found, strict=True):
        assert torch.equal(x, u) and torch.equal(y, v)
    assert torch.equal(before, torch.get_rng_state())


def test_fit_and_evaluate(tmp_path: Path) -> None:
    data = load_data(f"folder:{fill(tmp_path, sizes=((8, 6), (9, 9)))}")
    torch.manual_seed(0)
    net = resnet.cifar_resnet(8, 2, data.channels)
    recipe = Recipe(epochs=1, batch_size=6, lr=0.01, image_size=8, held_out=4)
    run = resnet.fit(net, data, recipe, device="cpu", progress=False)
    assert run.rows[0]["images"] == 8
    assert not run.data["canonical"] and ", a copy" in run.provenance
    found = resnet.evaluate(net, data, dataclasses.replace(recipe, held_out=0), device="cpu")
    assert len(found.predictions) == 6


def test_what_images_on_the_disk_cannot_do(tmp_path: Path) -> None:
    data = load_data(f"folder:{fill(tmp_path, sizes=((8, 6), (9, 9)))}")
    with pytest.raises(ValueError, match=r"image_size=None: images in .* of several sizes"):
        Batches(data, Recipe(epochs=1, batch_size=5, lr=0.1), CPU)
    recipe = Recipe(epochs=1, batch_size=5, lr=0.1, image_size=4, subtract_mean=True)
    with pytest.raises(ValueError, match="subtract_mean=True: the 12 training images are read"):
        Batches(data, recipe, CPU)


def damage(root: Path, what: str) -> None:
    if what == "no image":
        (root / "train" / "cat" / "3.png").write_bytes(b"no image")
    elif what == "cut":
        path = root / "test" / "dog" / "1.png"
        path.write_bytes(path.read_bytes()[:50])
    elif what == "no test":
        (root / "test").rename(root / "elsewhere")
    elif what == "empty class":
        for path in (root / "train" / "dog").iterdir():
            path.unlink()
    elif what == "16 bits":
        pixels = np.full((6, 6), 20_000, np.uint16)
        Image.fromarray(pixels).save(root / "train" / "cat" / "3.png")
    elif what == "program":
        (root / "train" / "cat" / "3.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%EOF\n")
    elif what == "file":
        (root / "train").rename(root / "elsewhere")
        (root / "train").write_text("")
    else:
        (root / "test" / "dog").rename(root / "test" / "wolf")


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("no image", r"3\.png cannot be read as an image"),
        ("cut", r"1\.png cannot be read as an image"),
        ("16 bits", r"3\.png cannot be read as an image \(its mode is I"),
        ("program", r"3\.png cannot be read as an image \(cannot identify"),
        ("file", "is no folder of images"),
        (
            "no test",
            r"is no folder of images .*: expected .*/train and .*/test, each with a folder "
            r"of \.jpg or \.png files for every class$",
        ),
        ("empty class", "is no folder of images.*dog"),
        ("classes", "differ in the classes dog, wolf"),
    ],
)
def test_damage(tmp_path: Path, what: str, why: str) -> None:
    damage(fill(tmp_path), what)
    with pytest.raises(DataError, match=why):
        load_data(f"folder:{tmp_path}")


def test_damage_while_training(tmp_path: Path) -> None:
    """The process that reads tells which file it was."""
    fill(tmp_path, sizes=((8, 6), (9, 9)))
    damage(tmp_path, "no image")
    data = load_data(f"folder:{tmp_path}")
    batches = Batches(data, Recipe(epochs=1, batch_size=5, lr=0.1, image_size=4), CPU)
    with pytest.raises(DataError, match=r"^[^\n]*3\.png cannot be read as an image[^\n]*$"):
        list(batches.epoch(torch.Generator()))


def test_two_sizes_of_one_set(tmp_path: Path) -> None:
    """What one wants of the images is not what the other gets."""
    data = load_data(f"folder:{fill(tmp_path, sizes=((8, 6), (9, 9)))}")
    large, small = (
        Batches(data, Recipe(epochs=1, batch_size=12, lr=0.1, image_size=size), CPU)
        for size in (4, 2)
    )
    assert next(large.source.read([torch.arange(3)])).shape == (3, 3, 4, 4)
    assert next(small.source.read([torch.arange(3)])).shape == (3, 3, 2, 2)


def test_folder_takes_no_root(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=f"root='{tmp_path}': 'folder:{tmp_path}' names its folder"
    ):
        load_data(f"folder:{fill(tmp_path)}", root=tmp_path)
    with pytest.raises(ValueError, match="name='folder:': expected one of"):
        load_data("folder:")
