"""Data sets as tensors, by name."""

import os
from pathlib import Path
from typing import Literal, overload

from resnet.arguments import require_one_of
from resnet.data import cifar10, fashion_mnist, folders
from resnet.data.digits import digits, signs
from resnet.data.folders import ImageFolders
from resnet.data.images import DataError, DataMissingError, ImageData

__all__ = ["DataError", "DataMissingError", "ImageData", "ImageFolders", "load_data"]

NAMES = ("fashion-mnist", "cifar10", "digits", "signs", "folder:PATH")


@overload
def load_data(
    name: Literal["fashion-mnist", "cifar10", "digits", "signs"],
    *,
    root: str | Path | None = None,
    sample: bool = False,
) -> ImageData: ...
@overload
def load_data(
    name: str, *, root: str | Path | None = None, sample: bool = False
) -> ImageData | ImageFolders: ...
def load_data(
    name: str, *, root: str | Path | None = None, sample: bool = False
) -> ImageData | ImageFolders:
    """Load a data set; Fashion-MNIST and CIFAR-10 are downloaded if they are not on this machine.

    Args:
        name: "fashion-mnist"; "cifar10"; "digits", which come with scikit-learn; "signs"; or
            "folder:PATH", image files in PATH/train/CLASS and PATH/test/CLASS.
        root: folder that holds the sets: torchvision's `FashionMNIST/raw`, the archive
            cifar-10-binary.tar.gz, the two .h5 files of SIGNS. Default: the environment variable
            RESNET_DATA, or ~/.cache/resnet-book; for Fashion-MNIST also Debian's package
            dataset-fashion-mnist where it is installed.
        sample: of Fashion-MNIST, the 2,000 + 1,000 images inside this package.

    Raises:
        ValueError: for an unknown name, a sample of a set that has none, or a root beside a folder.
        DataMissingError: if SIGNS is not on this machine.
        DataError: if a file is missing, damaged or cannot be fetched. The sample never takes the
            place of the whole set.

    """
    path = name.removeprefix("folder:") if str(name).startswith("folder:") else ""
    require_one_of("name", "folder:PATH" if path else name, NAMES)
    if sample and name != "fashion-mnist":
        raise ValueError(f"sample=True: only 'fashion-mnist' has a sample, {name!r} has none")
    if path:
        if root is not None:
            raise ValueError(f"root={str(root)!r}: {name!r} names its folder itself")
        return folders.load(_expanded(path))
    if name == "digits":
        return digits()
    if sample:
        return fashion_mnist.sample()
    place = _expanded(root or os.environ.get("RESNET_DATA") or "~/.cache/resnet-book")
    if name == "signs":
        return signs(place)
    if name == "cifar10":
        return cifar10.load(place)
    return fashion_mnist.load(place, only_there=root is not None)


def _expanded(path: str | Path) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError as error:  # a user whom the machine does not know, or who has no home
        raise DataError(
            f"{path} leads nowhere ({error}): name a folder without ~, or by root=... or the "
            "environment variable RESNET_DATA"
        ) from error
