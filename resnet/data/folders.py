"""Folders of image files, a folder a class: PATH/train/CLASS/*.jpg, and PATH/test or PATH/val.

Square images of one size that fit into memory are read at once; others stay on the disk and are
read while training goes on (`resnet.training.sources`), as ImageNet has to be.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from resnet.data.images import DataError, ImageData

if TYPE_CHECKING:
    from torchvision.datasets import ImageFolder

FORMATS = ("JPEG", "PNG", "BMP", "PPM", "TIFF", "WEBP")  # PIL knows some that start programs
IN_MEMORY = 2**31  # bytes of images, training and test together, that are held in memory


@dataclass(frozen=True, eq=False)
class ImageFolders:
    """Images on the disk, in colour and of any size, with labels (N,) in memory."""

    name: str
    train: "ImageFolder"
    test: "ImageFolder"
    order: tuple[Tensor, Tensor]  # of the training and the test images

    channels = 3
    sample = False

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the folders."""
        return tuple(self.train.classes)

    @property
    def train_labels(self) -> Tensor:
        """Classes of the training images in their order, (N,)."""
        return torch.tensor(self.train.targets)[self.order[0]]

    @property
    def test_labels(self) -> Tensor:
        """Classes of the test images in their order, (N,)."""
        return torch.tensor(self.test.targets)[self.order[1]]

    def describe(self) -> dict[str, object]:
        """Say what a record must say about its data; the digest is of file names and sizes."""
        digest = hashlib.sha256()
        for folder in (self.train, self.test):
            for path, _ in folder.samples:
                name = Path(path).relative_to(folder.root).as_posix()
                digest.update(f"{name} {Path(path).stat().st_size}\n".encode())
        return {
            "name": f"{self.name}, read from the disk",
            "sample": False,
            "canonical": False,
            "train_images": len(self.train),
            "test_images": len(self.test),
            "sha256": digest.hexdigest(),
        }


def load(path: Path) -> ImageData | ImageFolders:
    """Load folders of images, into memory if they are square, of one size and at most `IN_MEMORY`.

    The order of the images is drawn once and always the same, so that the last ones, which a recipe
    may hold out, are of all classes.

    Raises:
        DataError: if folders are missing, have no images or other classes, or a file is no image.

    """
    from torchvision.datasets import ImageFolder  # takes seconds to import

    test = next((path / name for name in ("test", "val") if (path / name).is_dir()), path / "test")
    try:
        folders = [ImageFolder(str(part), loader=open_image) for part in (path / "train", test)]
    except OSError as error:
        raise DataError(
            f"{path} is no folder of images ({error}): expected {path / 'train'} and {test}, each "
            "with a folder of .jpg or .png files for every class"
        ) from error
    if folders[0].classes != folders[1].classes:
        unlike = sorted(set(folders[0].classes) ^ set(folders[1].classes))
        raise DataError(f"{path / 'train'} and {test} differ in the classes {', '.join(unlike)}")
    random = torch.Generator().manual_seed(0)
    orders = [torch.randperm(len(folder), generator=random) for folder in folders]
    name = f"images in {path.resolve().name}"
    first = open_image(folders[0].samples[0][0])
    size = first.size
    # only square ones: `prepare` would squeeze others where `resnet.training.sources` cuts out
    # the middle
    if size[0] == size[1] and 3 * size[0] ** 2 * sum(map(len, folders)) <= IN_MEMORY:
        images = [_read(folder, size) for folder in folders]
        if images[0] is not None and images[1] is not None:
            labels = [torch.tensor(f.targets)[o] for f, o in zip(folders, orders, strict=True)]
            return ImageData(
                name, images[0][orders[0]], labels[0], images[1][orders[1]], labels[1],
                tuple(folders[0].classes), sample=False, canonical=False,
            )  # fmt: skip
    return ImageFolders(name, folders[0], folders[1], (orders[0], orders[1]))


def open_image(path: str) -> Image.Image:
    """Read an image file, in colour; a DataError names one that is none."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.mode.startswith(("I", "F")):  # PIL would clip them
                raise ValueError(f"its mode is {image.mode}, expected 8 bits a channel")
            return image.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{path} cannot be read as an image ({error}): mend it") from error


def _read(folder: "ImageFolder", size: tuple[int, int]) -> Tensor | None:
    """Read all images (N, 3, H, W), or None if one has another size."""
    images = torch.empty(len(folder), 3, size[1], size[0], dtype=torch.uint8)
    progress = {"desc": f"reading {Path(folder.root).name}", "leave": False, "disable": None}
    for i, (path, _) in enumerate(tqdm(folder.samples, **progress)):
        image = open_image(path)
        if image.size != size:
            return None
        images[i] = torch.from_numpy(np.array(image)).permute(2, 0, 1)
    return images
