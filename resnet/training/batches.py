"""Images on the device: scaled, resized, augmented and shuffled there, a batch at a time."""

import functools
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from resnet.data import ImageData, ImageFolders
from resnet.training.devices import out_of_memory
from resnet.training.recipes import Recipe
from resnet.training.sources import source


def prepare(images: Tensor, image_size: int | None = None, mean: Tensor | None = None) -> Tensor:
    """Turn uint8 images (N, C, H, W) into floats from 0 to 1, channels last in memory.

    Args:
        images: any number of them.
        image_size: pixels per side to resize to, bilinear, antialiased as in torchvision's Resize.
        mean: (C, H, W), from 0 to 1, subtracted before resizing.

    Raises:
        MemoryError: if the resized images do not fit.

    """
    x = images.float() / 255
    if mean is not None:
        x = x - mean
    if image_size is not None and x.shape[-2:] != (image_size, image_size):
        try:
            x = resize(x, image_size)
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            raise MemoryError(
                f"{len(images)} images of image_size={image_size} do not fit into memory: lower it "
                "or batch_size"
            ) from error
    return x.contiguous(memory_format=torch.channels_last)


def resize(x: Tensor, side: int) -> Tensor:
    """Resize images (N, C, H, W) to (N, C, side, side), bilinear, antialiased.

    On a GPU as two matrix products, because torch's kernel for it is slow there: the new rows are
    weighted sums of the old ones, and so are the columns.
    """
    if not x.is_cuda:
        return F.interpolate(x, (side, side), mode="bilinear", antialias=True)
    rows, columns = (resizing_matrix(n, side, x.device) for n in x.shape[2:])
    tf32 = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        return rows @ x @ columns.T
    finally:
        torch.set_float32_matmul_precision(tf32)


@functools.cache
def resizing_matrix(before: int, after: int, device: torch.device) -> Tensor:
    """Return the weights (after, before) with which a row of pixels is resized."""
    image = torch.eye(before)[None, None]  # each pixel for itself; only its columns are resized
    resized = F.interpolate(image, (before, after), mode="bilinear", antialias=True)
    return resized[0, 0].T.to(device)


def crop(x: Tensor, pad: int, rows: Tensor, columns: Tensor) -> Tensor:
    """Put zeros around images (N, C, H, W) and cut out a window of the old size from each.

    Args:
        x: the images.
        pad: zeros on each side.
        rows: (N,), from 0 to 2 * pad, where the window starts.
        columns: likewise.

    """
    n, _, height, width = x.shape
    padded = F.pad(x, (pad, pad, pad, pad)).permute(0, 2, 3, 1)
    image = torch.arange(n, device=x.device)[:, None, None]
    row = rows[:, None, None] + torch.arange(height, device=x.device)[:, None]
    column = columns[:, None, None] + torch.arange(width, device=x.device)
    return padded[image, row, column].permute(0, 3, 1, 2)


def mirror(x: Tensor, chosen: Tensor) -> Tensor:
    """Exchange left and right in the images (N, C, H, W) that are chosen, (N,)."""
    return torch.where(chosen[:, None, None, None], x.flip(3), x)


class Batches:
    """A data set on a device, as a recipe wants it.

    Of several processes each gets its share of every batch, so that the batches are the same for
    any number of them.

    Args:
        data: see `load_data`.
        recipe: see `Recipe`.
        device: where the images are held, as bytes, or where they are sent when they are read.
        process: (number, of how many).

    Raises:
        ValueError: if the recipe holds out more images than there are, a batch has fewer images
            than there are processes, or images on the disk are given no size.

    """

    def __init__(
        self,
        data: ImageData | ImageFolders,
        recipe: Recipe,
        device: torch.device,
        process: tuple[int, int] = (0, 1),
    ) -> None:
        self.recipe, self.device, self.process = recipe, device, process
        self.length = len(data.train_labels) - recipe.held_out
        if self.length < 1:
            raise ValueError(
                f"held_out={recipe.held_out}: the set has {len(data.train_labels)} training images"
            )
        smallest = self.length % recipe.batch_size or min(recipe.batch_size, self.length)
        if smallest < process[1]:
            raise ValueError(
                f"batch_size={recipe.batch_size}: it leaves a batch of {smallest} for {process[1]} "
                "processes: choose another"
            )
        self.source = source(data, "train", device, recipe.image_size)
        self.labels = data.train_labels.to(device)
        if recipe.held_out:
            self.test_source, self.first_test = self.source, self.length
            self.test_labels = self.labels[self.length :]
        else:
            self.test_source = source(data, "test", device, recipe.image_size)
            self.first_test = 0
            self.test_labels = data.test_labels.to(device)
        self.mean = self.source.mean(self.length) if recipe.subtract_mean else None

    @property
    def share(self) -> int:
        """Images of a whole batch that one process takes; where a step fits, a test does."""
        first, count = self.process
        return len(range(first, min(self.recipe.batch_size, self.length), count))

    def __len__(self) -> int:
        """Count the batches of an epoch."""
        return -(-self.length // self.recipe.batch_size)

    def epoch(
        self, random: torch.Generator, start: Tensor | None = None, first: int = 0
    ) -> Iterator[tuple[Tensor, Tensor, float]]:
        """Yield images and labels of this process's share of each training batch, and a weight.

        The weight makes the mean over processes the mean over images where shares are unequal.

        Args:
            random: on the CPU, so that all devices get the same numbers; it gives the order at the
                start and the augmentation of each batch when the batch is made.
            start: state of `random` when the order was drawn, to go on in the middle of an epoch.
            first: the batch to go on with.

        """
        now = random.get_state()
        if first and start is not None:
            random.set_state(start)
        order = torch.randperm(self.length, generator=random)
        if first:
            random.set_state(now)
        batches = order.split(self.recipe.batch_size)[first:]
        shares = [self._share(chosen) for chosen in batches]
        for chosen, here, images in zip(batches, shares, self.source.read(shares), strict=True):
            x = prepare(images, self.recipe.image_size, self.mean)
            x = self._augment(x, len(chosen), random)
            y = self.labels[self._sent(here)]
            yield x, y, len(here) * self.process[1] / len(chosen)

    def _augment(self, x: Tensor, n: int, random: torch.Generator) -> Tensor:
        """Crop and mirror a share of n images; the numbers are drawn for all n."""
        if pad := self.recipe.pad:
            rows, columns = torch.randint(2 * pad + 1, (2, n), generator=random)
            x = crop(x, pad, *(self._sent(self._share(c)) for c in (rows, columns)))
        if self.recipe.flip:
            x = mirror(x, self._sent(self._share(torch.rand(n, generator=random) < 0.5)))
        return x.contiguous(memory_format=torch.channels_last)

    def _share(self, numbers: Tensor) -> Tensor:
        number, count = self.process
        return numbers[number::count]

    def _sent(self, numbers: Tensor) -> Tensor:
        """Bring numbers to the device; to a GPU without waiting for what it is at."""
        return numbers.to(self.device, non_blocking=self.device.type == "cuda")

    def clean(self, count: int, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the first training images in order, as tests see images, and their labels."""
        batches = torch.arange(min(count, self.length)).split(batch_size)
        for numbers, images in zip(batches, self.source.read(batches), strict=True):
            x = prepare(images, self.recipe.image_size, self.mean)
            yield x, self.labels[self._sent(numbers)]

    def test(self, batch_size: int) -> Iterator[Tensor]:
        """Yield the test images, or those held out, in order and as they are."""
        numbers = torch.arange(self.first_test, self.first_test + len(self.test_labels))
        for images in self.test_source.read(numbers.split(batch_size)):
            yield prepare(images, self.recipe.image_size, self.mean)
