"""How the networks of a claim are trained at one scale: data, recipe, seeds, precision.

Scales: "smoke" takes seconds and shows that everything runs; "cpu" is what two processor cores
train in some hours; "gpu" is a quarter of the papers' steps at their width; "papers" is their own
training. All of it was fixed before the first run of seeds 10 and up; what had been seen by then
stands with the claims (`Claim.seen`) and in chapter 7.
"""

import dataclasses
from dataclasses import dataclass, field

from resnet.training.devices import Precision
from resnet.training.recipes import CIFAR, D2L, Recipe
from resnet.translation import _

SCALES = ("smoke", "cpu", "gpu", "papers")
WINDOW = 400  # steps between two rows of a record, at any length, so that they compare
CLEAN_IMAGES = 10_000  # see `fit`
WARM_UP = (0.01, 400)  # 2016b, Sec. 4, for all networks; 2016a has it for 110 layers only


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One scale of an experiment.

    Attributes:
        folder: below that of the records; settings share one where they share trained networks.
        data: see `load_data`.
        recipe: see `Recipe`.
        width: of the CIFAR networks, see `cifar_resnet`.
        seeds: neither more nor fewer are judged.
        precision: of the layers; a record of another one does not count.
        row_steps: steps between two rows of a record; None: an epoch.
        clean_images: see `fit`.
        part: (training, test) images of the sample that comes with the package; None: whole data.
        responses: whether the layers' responses are measured after training.
        full: whether this is the papers' training, so that their numbers can be compared.
        note: in words, how it differs from the paper.

    """

    folder: str
    data: str
    recipe: Recipe
    width: int = 16
    seeds: tuple[int, ...]
    precision: Precision = "float32"
    row_steps: int | None = WINDOW
    clean_images: int = CLEAN_IMAGES
    part: tuple[int, int] | None = None
    responses: bool = False
    full: bool = False
    note: str = ""

    def network(self, name: str) -> str:
        """Return the name of a network of the papers' width with this setting's."""
        if self.width == 16:
            return name
        depth, comma, rest = name.partition(",")
        return f"{depth}, width {self.width}{comma}{rest}"


@dataclass(frozen=True)
class Row:
    """What stands in a row of a claim: a network, and its recipe where that is another.

    Attributes:
        network: its name at the papers' width; `{n}` stands for the depth.
        changes: fields of the setting's recipe, replaced.
        share: of the setting's steps after which the training stops.

    """

    network: str
    changes: dict[str, object] = field(default_factory=dict)
    share: float = 1.0

    def recipe(self, recipe: Recipe) -> Recipe:
        """Return a setting's recipe with this row's changes."""
        if self.share < 1 and recipe.steps:
            steps = max(1, round(recipe.steps * self.share))
            milestones = tuple(m for m in recipe.milestones if m < steps)
            recipe = dataclasses.replace(recipe, steps=steps, milestones=milestones)
        return dataclasses.replace(recipe, **self.changes)  # type: ignore[arg-type]


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


def reduced(setting: Setting) -> str:
    """Say in words how a setting of the CIFAR networks differs from the paper's."""
    parts = []
    if setting.width != 16:
        parts.append(_("{n} channels in the first stage instead of 16", n=setting.width))
    if size := setting.recipe.image_size:
        parts.append(_("images of {size}×{size} pixels instead of 32×32", size=size))
    steps = _("{n:,} steps instead of {all:,}", n=setting.recipe.steps, all=CIFAR.steps)
    parts.append(steps)
    return ", ".join(parts)


def with_note(setting: Setting) -> Setting:
    """Return the setting with its note."""
    return dataclasses.replace(setting, note=reduced(setting))


SMOKE = Setting(
    folder="smoke",
    data="fashion-mnist",
    recipe=dataclasses.replace(scaled(CIFAR, 4, 8), batch_size=8),
    width=8,
    seeds=(0, 1),
    row_steps=2,
    clean_images=16,
    part=(48, 50),
    responses=True,
    note=_("4 steps on 48 images of 8×8 pixels: shows that everything runs, nothing else"),
)
SMOKE_D2L = dataclasses.replace(
    SMOKE,
    folder="smoke-d2l",
    width=16,
    recipe=dataclasses.replace(D2L, epochs=1, batch_size=16, image_size=32),
    row_steps=None,
    responses=False,
    note=_("one epoch on 48 images: shows that everything runs, nothing else"),
)
DEPTH = with_note(
    Setting(
        folder="depth",
        data="cifar10",
        recipe=dataclasses.replace(scaled(CIFAR, 8000, 16), warm_up=WARM_UP),
        width=8,
        seeds=(10, 11, 12),
        responses=True,
    )
)
BLOCKS = with_note(
    dataclasses.replace(
        DEPTH,
        folder="blocks",
        recipe=dataclasses.replace(scaled(CIFAR, 1600, 16), warm_up=(0.01, 80)),
        responses=False,
    )
)
# long enough to see whether training starts; the rate does not fall
START = with_note(
    dataclasses.replace(
        BLOCKS, folder="start", recipe=dataclasses.replace(scaled(CIFAR, 800, 16), milestones=())
    )
)
D2L_FULL = Setting(
    folder="d2l",
    data="fashion-mnist",
    recipe=D2L,
    seeds=(10, 11),
    row_steps=None,
    clean_images=0,
    full=True,
    note=_("the tutorial's own recipe, in full"),
)
GPU = with_note(
    Setting(
        folder="gpu",
        data="cifar10",
        recipe=dataclasses.replace(scaled(CIFAR, 16_000, 32), image_size=None, warm_up=WARM_UP),
        seeds=(10, 11, 12, 13, 14),
        responses=True,
    )
)
GPU_TRIPLE = with_note(
    dataclasses.replace(
        GPU,
        folder="gpu-triple",
        recipe=dataclasses.replace(scaled(CIFAR, 48_000, 32), image_size=None, warm_up=WARM_UP),
    )
)
PAPERS_2016A = Setting(
    folder="papers",
    data="cifar10",
    recipe=CIFAR,
    seeds=(10, 11, 12),
    responses=True,
    full=True,
    note=_("as in the paper, but 110 layers start at 0.1, not at 0.01"),
)
# 2016b compares networks half a point apart: see `power` in chapter 7 for the number of seeds
PAPERS_2016B = dataclasses.replace(
    PAPERS_2016A,
    folder="papers-2016b",
    recipe=dataclasses.replace(CIFAR, warm_up=WARM_UP),
    seeds=tuple(range(10, 20)),
    note=_("as in the paper"),
)
