"""Images and labels in memory, and what goes wrong on the way there."""

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from resnet.blocks import check_positive


class DataError(RuntimeError):
    """A data set is missing, damaged or out of reach; the message says what to do."""


class DataMissingError(DataError):
    """None of the files of a data set is on this machine, and none can be fetched."""


@dataclass(frozen=True, eq=False)
class ImageData:
    """Images and labels in memory.

    Images are uint8 of shape (N, channels, height, width), labels int64 of shape (N,). A set is
    `canonical` if it is known to be what its authors published, by its digest or because it comes
    with a pinned package; otherwise every record made with it calls it a copy.
    """

    name: str
    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    classes: tuple[str, ...]
    sample: bool
    canonical: bool = False

    @property
    def channels(self) -> int:
        """Channels of an image."""
        return self.train_images.shape[1]

    @property
    def digest(self) -> str:
        """SHA-256 of all pixels and labels, so that a record can say what it was made with."""
        digest = hashlib.sha256()
        for tensor in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            digest.update(tensor.contiguous().numpy().tobytes())
        return digest.hexdigest()

    def first(self, train: int, test: int) -> "ImageData":
        """Return the first `train` training and `test` test images; fewer than all are a sample.

        Raises:
            ValueError: naming the argument, if the set has not so many.

        """
        check_positive(train=train, test=test)
        for name, wanted, images in (
            ("train", train, self.train_images),
            ("test", test, self.test_images),
        ):
            if wanted > len(images):
                raise ValueError(f"{name}={wanted}: the set has {len(images)} such images")
        return dataclasses.replace(
            self,
            train_images=self.train_images[:train],
            train_labels=self.train_labels[:train],
            test_images=self.test_images[:test],
            test_labels=self.test_labels[:test],
            sample=self.sample or (train, test) != (len(self.train_labels), len(self.test_labels)),
        )

    def only(self, labels: Sequence[int]) -> "ImageData":
        """Return the images of some classes, relabelled 0, 1, … in the order given.

        Raises:
            ValueError: if a label is not one of this set's, or given twice.

        """
        known = range(len(self.classes))
        if not labels or any(c not in known for c in labels) or len(set(labels)) < len(labels):
            raise ValueError(f"labels={list(labels)}: expected different ones of {known}")
        new = torch.full((len(known),), -1)
        new[list(labels)] = torch.arange(len(labels))
        train, test = new[self.train_labels], new[self.test_labels]
        return dataclasses.replace(
            self,
            name=f"{self.name}, {len(labels)} of {len(known)} classes",
            train_images=self.train_images[train >= 0],
            train_labels=train[train >= 0],
            test_images=self.test_images[test >= 0],
            test_labels=test[test >= 0],
            classes=tuple(self.classes[c] for c in labels),
        )

    def describe(self) -> dict[str, object]:
        """Say what a record must say about its data."""
        return {
            "name": self.name,
            "sample": self.sample,
            "canonical": self.canonical,
            "train_images": len(self.train_images),
            "test_images": len(self.test_images),
            "sha256": self.digest,
        }
