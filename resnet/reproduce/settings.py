"""How the networks of a claim are trained under a budget: data, recipe, seeds.

Budgets: "smoke" takes seconds and shows that everything runs; "cpu" is scaled down to what two
cores train in an hour or two and can show the direction of a claim; "long" gives the claims about
depth five times as many steps; "gpu" is the papers' scale. Every number here was chosen by the time
it takes. The CPU scale was cut once, after the early accuracies of two networks at a larger scale
had been seen, and "long" was added when the results of "cpu" were known; chapter 6 says so.
"""

import dataclasses
from dataclasses import dataclass

from resnet.recipes import CIFAR, CIFAR_110, D2L, Recipe

BUDGETS = ("smoke", "cpu", "long", "gpu")
WARMED = 110  # layers from which on the papers start at 0.01 (2016a, Sec. 4.2)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One scale of an experiment.

    Attributes:
        folder: below that of the records; settings share one where they share trained networks.
        data: see `load_data`.
        recipe: see `Recipe`.
        deep: the recipe from `WARMED` layers on, where it is another.
        seeds: how many, unless asked for more or fewer.
        row_steps: steps between two rows of a record; None: an epoch.
        part: (training, test) images of the sample that comes with the package; None: whole data.
        responses: whether the layers' responses are measured after training.
        full: whether this is the papers' scale, so that their numbers can be compared.
        note: in words, how it differs from the paper.

    """

    folder: str
    data: str
    recipe: Recipe
    deep: Recipe | None = None
    seeds: int
    row_steps: int | None = None
    part: tuple[int, int] | None = None
    responses: bool = False
    full: bool = False
    note: str = ""

    def recipe_for(self, network: str) -> Recipe:
        """Return the recipe of a network, given by its name."""
        depth = int(network.partition(",")[0].rpartition("-")[2])
        return self.deep if self.deep and depth >= WARMED else self.recipe


def scaled(recipe: Recipe, steps: int, image_size: int) -> Recipe:
    """Shorten a recipe to `steps` and smaller images, with the milestones at the same share.

    The padding, too, stays about the same share of the image, 4 of 32 pixels.
    """
    assert recipe.steps
    milestones = tuple(m * steps // recipe.steps for m in recipe.milestones)
    pad = round(recipe.pad * image_size / 32)
    return dataclasses.replace(
        recipe, steps=steps, milestones=milestones, image_size=image_size, pad=pad
    )


def reduced(recipe: Recipe) -> str:
    """Say in words how a recipe that `scaled` made differs from the paper's."""
    size = recipe.image_size
    return (
        f"resized to {size}×{size} pixels, {recipe.steps:,} steps instead of {CIFAR.steps:,}, "
        "the schedule shortened with them"
    )


SMOKE = Setting(
    folder="smoke",
    data="fashion-mnist",
    recipe=dataclasses.replace(scaled(CIFAR, 4, 8), batch_size=8),
    seeds=2,
    row_steps=2,
    part=(48, 50),
    responses=True,
    note="4 steps on 48 images of 8×8 pixels: shows that everything runs, nothing else",
)
SMOKE_D2L = dataclasses.replace(
    SMOKE,
    folder="smoke-d2l",
    recipe=dataclasses.replace(D2L, epochs=1, batch_size=16, image_size=32),
    row_steps=None,
    responses=False,
    note="one epoch on 48 images: shows that everything runs, nothing else",
)
CPU = Setting(
    folder="cpu-600",
    data="fashion-mnist",
    recipe=scaled(CIFAR, 600, 14),
    seeds=3,
    row_steps=100,
    responses=True,
    note=reduced(scaled(CIFAR, 600, 14)),
)
LONG = dataclasses.replace(
    CPU,
    folder="long-3000",
    recipe=scaled(CIFAR, 3000, 14),
    row_steps=300,
    note=reduced(scaled(CIFAR, 3000, 14)),
)
CPU_UNITS = dataclasses.replace(
    CPU,
    folder="cpu-300",
    recipe=scaled(CIFAR, 300, 14),
    row_steps=150,
    responses=False,
    note=f"20 layers, {reduced(scaled(CIFAR, 300, 14))}",
)
CPU_D2L = Setting(
    folder="cpu-d2l",
    data="fashion-mnist",
    recipe=dataclasses.replace(D2L, epochs=2, image_size=28),
    seeds=3,
    note=f"28×28 pixels instead of {D2L.image_size}×{D2L.image_size}, 2 epochs instead of "
    f"{D2L.epochs}",
)
GPU = Setting(
    folder="gpu",
    data="cifar10",
    recipe=CIFAR,
    deep=CIFAR_110,
    seeds=3,
    row_steps=1000,
    responses=True,
    full=True,
    note="as in the paper",
)
GPU_D2L = Setting(
    folder="gpu-d2l", data="fashion-mnist", recipe=D2L, seeds=5, full=True, note="as in the book"
)
