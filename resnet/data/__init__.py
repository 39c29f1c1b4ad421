"""Data sets as tensors, by name."""

import os
from pathlib import Path

from resnet.blocks import check_one_of
from resnet.data import fashion_mnist
from resnet.data.digits import digits, signs
from resnet.data.images import DataError, DataMissingError, ImageData

__all__ = ["DataError", "DataMissingError", "ImageData", "load_data"]

NAMES = ("fashion-mnist", "digits", "signs")


def load_data(name: str, *, root: str | Path | None = None, sample: bool = False) -> ImageData:
    """Load a data set; Fashion-MNIST is downloaded if it is nowhere on this machine.

    Args:
        name: "fashion-mnist"; "digits", which come with scikit-learn; or "signs".
        root: folder that holds the sets: torchvision's `FashionMNIST/raw`, and for "signs" its two
            .h5 files. Default: the environment variable RESNET_DATA, or ~/.cache/resnet-book; for
            Fashion-MNIST also Debian's package dataset-fashion-mnist where it is installed.
        sample: of Fashion-MNIST, the 2,000 + 1,000 images inside this package.

    Raises:
        ValueError: for an unknown name, or a sample of a set that has none.
        DataMissingError: if SIGNS is not on this machine.
        DataError: if a file is missing, damaged or cannot be fetched. The sample never takes the
            place of the whole set.

    """
    check_one_of("name", name, NAMES)
    if sample and name != "fashion-mnist":
        raise ValueError(f"sample=True: only 'fashion-mnist' has a sample, {name!r} has none")
    place = Path(root or os.environ.get("RESNET_DATA") or "~/.cache/resnet-book").expanduser()
    if name == "digits":
        return digits()
    if name == "signs":
        return signs(place)
    return fashion_mnist.load(place, only_there=root is not None, sample=sample)
