"""Sets for chapter 4: scikit-learn's handwritten digits, and SIGNS where a reader has its files.

Digits: Alpaydin and Kaynak 1998, the test half of UCI's "Optical Recognition of Handwritten
Digits"; 1,797 images of 8x8 pixels, 17 levels of grey, in the writers' order.

SIGNS: hands that show 0 to 5, 1,080 training and 120 test images of 64x64 pixels in colour, in two
HDF5 files that a well-known course hands out. Nobody may pass them on, so nobody downloads them.
"""

from pathlib import Path

import numpy as np
import torch

from resnet.data.images import DataError, DataMissingError, ImageData

SIGNS_FILES = ("train_signs.h5", "test_signs.h5")


def digits() -> ImageData:
    """Load the digits; the last tenth, in the order of the file, are the test images."""
    from sklearn.datasets import load_digits  # takes seconds to import

    bunch = load_digits()
    images = torch.from_numpy(np.rint(bunch.images * 255 / 16).astype(np.uint8))[:, None]
    labels = torch.from_numpy(bunch.target).long()
    first = len(labels) - len(labels) // 10
    return ImageData(
        name="scikit-learn's digits",
        train_images=images[:first],
        train_labels=labels[:first],
        test_images=images[first:],
        test_labels=labels[first:],
        classes=tuple(map(str, bunch.target_names)),
        sample=False,
        canonical=True,
    )


def signs(folder: Path) -> ImageData:
    """Read SIGNS from the two files in `folder`."""
    paths = [folder / name for name in SIGNS_FILES]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        kind = DataMissingError if len(missing) == len(paths) else DataError
        raise kind(
            f"{missing[0]} is missing. SIGNS comes with a course and cannot be downloaded: put "
            f"{' and '.join(SIGNS_FILES)} into this folder, or name another by root=... or the "
            "environment variable RESNET_DATA"
        )
    (train_images, train_labels, classes), (test_images, test_labels, _) = (
        _read_signs(path, part) for path, part in zip(paths, ("train", "test"), strict=True)
    )
    return ImageData(
        "SIGNS", train_images, train_labels, test_images, test_labels, classes, sample=False
    )


def _read_signs(path: Path, part: str) -> tuple[torch.Tensor, torch.Tensor, tuple[str, ...]]:
    import h5py  # seldom needed

    try:
        with h5py.File(path) as file:
            images, labels, classes = (
                np.asarray(file[key]) for key in (f"{part}_set_x", f"{part}_set_y", "list_classes")
            )
    except (OSError, KeyError) as error:
        raise DataError(f"{path} cannot be read as SIGNS: {error}") from error
    labels = labels.reshape(-1)
    sound = (
        images.dtype == np.uint8
        and images.ndim == 4
        and images.shape[3] == 3
        and labels.dtype.kind in "iu"
        and len(labels) == len(images) > 0
        and 0 <= labels.min() <= labels.max() < len(classes)
    )
    if not sound:
        raise DataError(
            f"{path} is not SIGNS: expected uint8 images (N, H, W, 3) and N labels below "
            f"{len(classes)}, found {images.dtype} {images.shape} and {labels.dtype} {labels.shape}"
        )
    return (
        torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(),
        torch.from_numpy(labels.astype(np.int64)),
        tuple(map(str, classes)),
    )
