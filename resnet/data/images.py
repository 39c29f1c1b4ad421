"""Images and labels in memory, and what goes wrong on the way there."""

import contextlib
import dataclasses
import hashlib
import http.client
import socket
import urllib.error
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from resnet.arguments import require_positive


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
        require_positive(train=train, test=test)
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


PATIENCE = 60.0  # seconds that a server may take for its next word

NO_ANSWER = (  # what torchvision's download raises when the net is at fault, not the disk
    urllib.error.URLError,
    http.client.HTTPException,
    ConnectionError,
    TimeoutError,
    RuntimeError,
)


@contextlib.contextmanager
def storing(name: str, place: Path, otherwise: str) -> Iterator[None]:
    """Make `place` and turn what goes wrong inside into a DataError.

    Args:
        name: of the data set.
        place: the folder it is stored in.
        otherwise: what a reader can do without a connection.

    """
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)  # torchvision's download has no other way to be told
    try:
        place.mkdir(parents=True, exist_ok=True)
        yield
    except DataError:
        raise
    except NO_ANSWER as error:
        raise DataError(
            f"{name} could not be downloaded ({error}). Connect to the internet, or {otherwise}"
        ) from error
    except OSError as error:
        raise DataError(
            f"{name} cannot be stored in {place} ({error}): name a folder that can be written to, "
            "root=... or the environment variable RESNET_DATA"
        ) from error
    finally:
        socket.setdefaulttimeout(before)
