"""CIFAR-10: Krizhevsky 2009; 50,000 training and 10,000 test images of 32x32 pixels in colour.

The form without Python pickles ("binary version") is read straight from its archive. Nothing of it
is unpacked to the disk, so no path in it can lead anywhere.
"""

import hashlib
import os
import tarfile
import tempfile
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from resnet.data.images import DataError, ImageData, storing

ARCHIVE = "cifar-10-binary.tar.gz"
URL = f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}"
SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
TRAIN = tuple(f"cifar-10-batches-bin/data_batch_{i}.bin" for i in range(1, 6))
TEST = ("cifar-10-batches-bin/test_batch.bin",)
SHAPE = (3, 32, 32)  # a record is the label's byte and the image's, channel by channel
CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip


def load(place: Path) -> ImageData:
    """Load CIFAR-10 from its archive in `place`, which is downloaded if it is not there.

    Raises:
        DataError: if the archive cannot be fetched, stored or read, or has another digest; it is
            not opened then.

    """
    path = place / ARCHIVE
    if not path.is_file():
        _download(place)
    try:
        _check(path)
        with tarfile.open(path) as archive:
            (train_images, train_labels), (test_images, test_labels) = (
                _read(archive, names) for names in (TRAIN, TEST)
            )
    except (OSError, EOFError, KeyError, tarfile.TarError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({error}): delete it to fetch it again") from error
    return ImageData(
        "CIFAR-10", train_images, train_labels, test_images, test_labels, CLASSES,
        sample=False, canonical=True,
    )  # fmt: skip


def _check(path: Path) -> None:
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != SHA256:
        raise DataError(
            f"{path} is damaged: {path.stat().st_size} bytes with SHA-256 {found}, expected "
            f"{SHA256}; delete it to fetch it again"
        )


def _read(archive: tarfile.TarFile, names: tuple[str, ...]) -> tuple[Tensor, Tensor]:
    """Read images (N, 3, 32, 32) and labels (N,) from members of the archive."""
    members = (archive.extractfile(name) for name in names)
    content = b"".join(member.read() for member in members if member)
    records = np.frombuffer(content, np.uint8).reshape(-1, 1 + int(np.prod(SHAPE)))
    labels, pixels = records[:, 0], records[:, 1:]
    return (
        torch.from_numpy(pixels.reshape(-1, *SHAPE).copy()),
        torch.from_numpy(labels.astype(np.int64)),
    )


def _download(place: Path) -> None:
    """Fetch the archive; it appears under its name only when it is whole and right."""
    from torchvision.datasets.utils import download_url  # takes seconds to import

    with (
        storing("CIFAR-10", place, f"put {ARCHIVE} into {place}"),
        tempfile.TemporaryDirectory(dir=place, prefix=".download-") as partial,
    ):
        download_url(URL, partial, ARCHIVE)
        _check(Path(partial, ARCHIVE))
        os.replace(Path(partial, ARCHIVE), place / ARCHIVE)
