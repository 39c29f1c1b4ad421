"""Make resnet/data/sample from the whole of Fashion-MNIST: `python -m tools.make_sample [ROOT]`.

The first 200 training and the first 100 test images of each class, in the order of the whole set,
written as the four IDX files of the original. Nothing is drawn at random.
"""

import gzip
import hashlib
import struct
import sys

import torch

from resnet.data import load_data
from resnet.data.fashion_mnist import FILES, SAMPLE_FOLDER


def first_of_each_class(labels: torch.Tensor, count: int) -> torch.Tensor:
    """Return the positions of the first `count` images of each class, ascending."""
    chosen = [torch.nonzero(labels == c)[:count, 0] for c in labels.unique()]
    return torch.cat(chosen).sort().values


def idx_files(images: torch.Tensor, labels: torch.Tensor, count: int) -> tuple[bytes, bytes]:
    """Pack the first `count` of each class: the images' file and the labels' file."""
    chosen = first_of_each_class(labels, count)
    return (
        struct.pack(">4i", 0x803, len(chosen), 28, 28) + images[chosen].numpy().tobytes(),
        struct.pack(">2i", 0x801, len(chosen)) + bytes(labels[chosen].tolist()),
    )


def make_sample(root: str | None = None) -> dict[str, bytes]:
    """Return the sample's files, unpacked, by name."""
    data = load_data("fashion-mnist", root=root)
    train = idx_files(data.train_images, data.train_labels, 200)
    test = idx_files(data.test_images, data.test_labels, 100)
    return dict(zip(FILES, train + test, strict=True))


if __name__ == "__main__":
    SAMPLE_FOLDER.mkdir(exist_ok=True)
    for name, content in make_sample(*sys.argv[1:]).items():
        (SAMPLE_FOLDER / f"{name}.gz").write_bytes(gzip.compress(content, 9, mtime=0))
        print(hashlib.sha256(content).hexdigest(), name)
