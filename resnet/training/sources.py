"""Where the images of a batch come from: the device's memory, or the disk."""

import copy
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import torch
from torch import Tensor

from resnet.data import DataError, ImageData, ImageFolders
from resnet.training.origin import cores

Part = Literal["train", "test"]


class MemoryImages:
    """Images of a set, as bytes in the device's memory."""

    def __init__(self, data: ImageData, part: Part, device: torch.device) -> None:
        images = data.train_images if part == "train" else data.test_images
        self.images = images.to(device)

    def read(self, batches: Sequence[Tensor]) -> Iterator[Tensor]:
        """Yield images (N, C, H, W) for each tensor (N,) of image numbers, on the CPU."""
        here = torch.cat(list(batches)).to(self.images.device)  # one transfer for all
        for chosen in here.split([len(numbers) for numbers in batches]):
            yield self.images[chosen]

    def mean(self, count: int) -> Tensor:
        """Return the mean of the first images, (C, H, W), from 0 to 1."""
        total = self.images[:count].sum(0)  # a sum needs no floating-point copy of all images
        mean = total.cpu().double() / (255 * count)  # not every device has doubles
        return mean.float().to(self.images.device)


class DiskImages:
    """Images of a set, read in processes of their own while the device computes.

    Each is resized so that its shorter side has `image_size` pixels, and cut to the square in its
    middle. Where processes are started anew (macOS, Windows), a script that trains needs the line
    `if __name__ == "__main__":` before its work.

    Raises:
        ValueError: without an image_size, since a batch needs images of one size.

    """

    def __init__(
        self, data: ImageFolders, part: Part, device: torch.device, image_size: int | None
    ) -> None:
        from torchvision.transforms import v2  # takes seconds to import

        if image_size is None:
            raise ValueError(
                f"image_size=None: {data.name} do not fit into memory or are of several sizes; "
                "expected the pixels per side that all are brought to"
            )
        self.device = device
        self.folder = copy.copy(data.train if part == "train" else data.test)
        self.order = data.order[0 if part == "train" else 1]
        self.folder.transform = v2.Compose(
            [v2.PILToTensor(), v2.Resize(image_size, antialias=True), v2.CenterCrop(image_size)]
        )

    def read(self, batches: Sequence[Tensor]) -> Iterator[Tensor]:
        """Yield images (N, 3, image_size, image_size) for each tensor (N,) of image numbers."""
        processes = cores() // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))  # see torchrun
        loader = torch.utils.data.DataLoader(
            self.folder,
            batch_sampler=[self.order[numbers].tolist() for numbers in batches],
            num_workers=min(16, max(1, processes)),
            pin_memory=self.device.type == "cuda",
            generator=torch.Generator(),  # the global one is the caller's
        )
        for images in _with_message(loader):
            yield images.to(self.device, non_blocking=self.device.type == "cuda")

    def mean(self, count: int) -> Tensor:
        """Refuse: the mean of all images would take a pass over the disk.

        Raises:
            ValueError: always.

        """
        raise ValueError(
            f"subtract_mean=True: the {count} training images are read from the disk as they are "
            "needed, and have no mean image; use subtract_mean=False"
        )


def _with_message(loader: Iterable[tuple[Tensor, Tensor]]) -> Iterator[Tensor]:
    """Yield the images; of an error in another process only its own words, without its stack."""
    try:
        for images, _ in loader:
            yield images
    except DataError as error:
        raise DataError(str(error).strip().rpartition("DataError: ")[2]) from None


def source(
    data: ImageData | ImageFolders, part: Part, device: torch.device, image_size: int | None
) -> MemoryImages | DiskImages:
    """Return the source of a set's training or test images."""
    if isinstance(data, ImageFolders):
        return DiskImages(data, part, device, image_size)
    return MemoryImages(data, part, device)
