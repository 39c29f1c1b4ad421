"""Fashion-MNIST, whole or as the sample that comes with the package.

Xiao, Rasul and Vollgraf 2017; 60,000 training and 10,000 test images of 28x28 pixels, ten classes.
The sample holds the first 200 training and 100 test images of each class.
"""

import gzip
import hashlib
import os
import tempfile
import zlib
from pathlib import Path

import numpy as np
import torch

from resnet.data.images import DataError, ImageData, storing

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
SAMPLE_FOLDER = Path(__file__).parent / "sample"
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")  # package dataset-fashion-mnist

LARGEST = 16 + 60_000 * 28 * 28  # bytes of the largest file, unpacked; of others no more are read

# SHA-256 of the unpacked files, in the order of FILES.
WHOLE = (
    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
)
SAMPLE = (
    "a724cd72799a6b1c3a81c4263865a75a73bb6473673b3394e34adf222930f19e",
    "4738fd437c0f8d6498ae7f6f5c86f1cc3c878d4116ff169fc5635bd6847899cc",
    "7cee33c3c6414b1b86c25e665a6c4f41584269de3b7cc9768b1d351922845eef",
    "3128d790775889812b73c4f13923559c8b9e281d112c6ea7862acf60a206a909",
)


def sample() -> ImageData:
    """Load the sample."""
    return read(SAMPLE_FOLDER, SAMPLE, sample=True)


def load(place: Path, *, only_there: bool) -> ImageData:
    """Load the whole set; download it if it is nowhere on this machine."""
    raw = place / "FashionMNIST" / "raw"
    for folder in (raw,) if only_there else (raw, DEBIAN_FOLDER):
        if any(_find(folder, file) for file in FILES):
            return read(folder, WHOLE, sample=False)
    _download(place)
    return read(raw, WHOLE, sample=False)


def _find(folder: Path, file: str) -> Path | None:
    candidates = (folder / file, folder / f"{file}.gz")
    return next((path for path in candidates if os.path.isfile(path)), None)


def read(folder: Path, digests: tuple[str, ...], *, sample: bool) -> ImageData:
    """Read the four files, unpacked or not, after checking their digests."""
    contents = [_read(folder, *pair) for pair in zip(FILES, digests, strict=True)]
    images, labels = (
        [torch.from_numpy(np.frombuffer(c, np.uint8, offset=offset).copy()) for c in part]
        for part, offset in ((contents[::2], 16), (contents[1::2], 8))
    )
    return ImageData(
        name="Fashion-MNIST",
        train_images=images[0].reshape(-1, 1, 28, 28),
        train_labels=labels[0].long(),
        test_images=images[1].reshape(-1, 1, 28, 28),
        test_labels=labels[1].long(),
        classes=CLASSES,
        sample=sample,
        canonical=True,
    )


def _read(folder: Path, file: str, digest: str) -> bytes:
    path = _find(folder, file)
    if path is None:
        raise DataError(
            f"{folder / file} is missing, though other files of the set are there: "
            "delete this folder to download all four again"
        )
    try:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as stream:
            content = stream.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({error}): delete it and its folder") from error
    found = hashlib.sha256(content).hexdigest()
    if found != digest:
        least = "at least " * (len(content) > LARGEST)
        raise DataError(
            f"{path} is damaged: {least}{len(content)} bytes with SHA-256 {found}, "
            f"expected {digest}; delete its folder to download the set again"
        )
    return content


def _download(place: Path) -> None:
    """Fetch by torchvision, which checks the archives' MD5; all four files appear, or none."""
    from torchvision.datasets import FashionMNIST  # takes seconds to import

    raw = place / "FashionMNIST" / "raw"
    otherwise = (
        f"put its four files into {raw}, or install Debian's package dataset-fashion-mnist, or ask "
        "for the small sample with sample=True"
    )
    with (
        storing("Fashion-MNIST", place, otherwise),
        tempfile.TemporaryDirectory(dir=place, prefix=".download-") as partial,
    ):
        FashionMNIST(partial, download=True)
        raw.parent.mkdir(exist_ok=True)
        try:
            os.replace(Path(partial, "FashionMNIST", "raw"), raw)
        except OSError:
            if not all(_find(raw, file) for file in FILES):  # unless another process was quicker
                raise
