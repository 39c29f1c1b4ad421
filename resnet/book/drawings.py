"""Drawings of blocks and networks, top to bottom, made from the modules themselves."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from types import NoneType
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.patches import FancyBboxPatch
from torch import nn

from resnet.blocks import BasicBlock, Projection, ResidualUnit
from resnet.book.figures import BLUE, GREEN, INK, ORANGE, Figure, panel, styled
from resnet.measure import layer_table
from resnet.nets import ResNet
from resnet.translation import _

WIDTH, LINE, GAP = 1.7, 0.24, 0.17  # inches: a box, a line of text in it, the arrow below
OUT = WIDTH / 2 + 0.35  # where shortcuts run


class Box(NamedTuple):
    """One step of a drawing; a plus sign is a box of its own shape."""

    text: str
    color: str
    note: str = ""  # stands left of the box

    @property
    def height(self) -> float:
        """Inches, by the lines of text."""
        return LINE * (self.text.count("\n") + 1) + 0.1


PLUS = Box("+", ORANGE)


def _blank(width: float, boxes: Sequence[Box]) -> tuple[Canvas, Axes]:
    height = sum(box.height + GAP for box in boxes) + GAP
    canvas, axes = panel(width, height)
    axes.set(xlim=(-width / 2, width / 2), ylim=(-height, 0), aspect="equal")
    axes.axis("off")
    return canvas, axes


def _path(axes: Axes, points: Sequence[tuple[float, float]], *, dashed: bool = False) -> None:
    """Draw a line through `points` with an arrow's head at the last."""
    style = (0, (3, 2)) if dashed else "-"
    axes.plot(*zip(*points[:-1], strict=True), color=INK, lw=1, ls=style)
    arrow = {"arrowstyle": "-|>", "color": INK, "lw": 1, "ls": style, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", points[-1], points[-2], arrowprops=arrow)


def _round(
    axes: Axes, x: float, y: float, width: float, height: float, color: str,
    shape: str = "round,pad=0,rounding_size=0.06",
) -> None:  # fmt: skip
    """Draw a filled shape with its lower left corner at (x, y)."""
    box = FancyBboxPatch((x, y), width, height, boxstyle=shape, fc=color + "2c", ec=color, lw=1.2)
    axes.add_patch(box)


def _column(axes: Axes, boxes: Sequence[Box], x: float = 0.0) -> list[tuple[float, float]]:
    """Draw boxes below one another, joined by arrows; return the upper and lower edge of each."""
    edges, y = [], -GAP / 2
    for box in boxes:
        half = 0.13 if box is PLUS else WIDTH / 2
        shape = "circle,pad=0" if box is PLUS else "round,pad=0,rounding_size=0.06"
        _round(axes, x - half, y - box.height, 2 * half, box.height, box.color, shape)
        middle = y - box.height / 2
        axes.annotate(box.text, (x, middle), ha="center", va="center_baseline", fontsize=10)
        axes.annotate(box.note, (x - half - 0.08, middle), ha="right", va="center", fontsize=9)
        edges.append((y, y - box.height))
        y -= box.height + GAP
    for (_top, lower), (upper, _bottom) in itertools.pairwise(edges):
        _path(axes, [(x, lower), (x, upper)])
    return edges


def _around(axes: Axes, top: float, bottom: float, into: float, *, dashed: bool = False) -> None:
    """Draw a shortcut from the line above a block, out to the right, and back in at `bottom`."""
    _path(axes, [(0, top), (OUT, top), (OUT, bottom), (into, bottom)], dashed=dashed)


def _around_projection(axes: Axes, top: float, bottom: float, into: float, *, bn: bool) -> None:
    """Draw a shortcut that passes a box."""
    middle, half = (top + bottom) / 2, 0.62
    axes.plot([0, OUT, OUT], [top, top, middle + half], color=INK, lw=1)
    _path(axes, [(OUT, middle - half), (OUT, bottom), (into, bottom)])
    _round(axes, OUT - 0.2, middle - half, 0.4, 2 * half, BLUE)
    _upright(axes, OUT, middle, _("1×1 conv\n+ batch norm") if bn else _("1×1 conv"))


def _upright(axes: Axes, x: float, y: float, text: str) -> None:
    axes.annotate(text, (x, y), ha="center", va="center", rotation=90, fontsize=10)


def _layers(part: nn.Module) -> Iterator[nn.Module]:
    """Yield the layers of a unit's part, without containers and identities."""
    return (m for m in part.modules() if not isinstance(m, nn.Sequential | nn.Identity))


def _boxes(part: nn.Module, *, channels: bool) -> list[Box]:
    words = {nn.BatchNorm2d: _("batch norm"), nn.ReLU: _("ReLU")}
    boxes = []
    for layer in _layers(part):
        if isinstance(layer, nn.Conv2d):
            width = _(", {channels}", channels=layer.out_channels) if channels else ""
            text = _("{k}×{k} conv", k=layer.kernel_size[0]) + width + _stride_text(layer)
            boxes.append(Box(text, BLUE))
        else:
            boxes.append(Box(words[type(layer)], GREEN))
    return boxes


def _unit(unit: ResidualUnit, title: str, *, channels: bool, learns: bool) -> Canvas:
    """Draw one unit with all its layers, and if asked what they learn."""
    before, inside, after = (
        _boxes(part, channels=channels) for part in (unit.before, unit.branch, unit.after)
    )
    plus = [] if unit.shortcut is None else [PLUS]
    boxes = [Box("x", INK), *before, *inside, *plus, *after]
    canvas, axes = _blank(3.5, boxes)
    axes.set_title(title)
    edges = _column(axes, boxes)
    if not after:
        _path(axes, [(0, edges[-1][1]), (0, edges[-1][1] - GAP)])
    first, last = edges[1 + len(before)][0], edges[len(before) + len(inside)][1]
    projects = isinstance(unit.shortcut, Projection)
    if learns:
        left = -WIDTH / 2 - 0.15
        bracket = [left + 0.08, left, left, left + 0.08]
        axes.plot(bracket, [first, first, last, last], color=INK, lw=1)
        projected, g, f = _("learns f(x) − Wₛ x"), _("learns g(x) = f(x) − x"), _("learns f(x)")
        what = projected if projects else g if plus else f
        _upright(axes, left - 0.15, (first + last) / 2, what)
    if plus:
        # a projection starts behind the unit's activation, an identity before it
        start = edges[len(before)][1] if projects else edges[0][1]
        top, bottom = start - GAP / 2, sum(edges[1 + len(before) + len(inside)]) / 2
        if projects:
            _around_projection(axes, top, bottom, 0.14, bn="bn" not in unit.placement.before)
        else:
            _around(axes, top, bottom, 0.14)
            _upright(axes, OUT + 0.15, (top + bottom) / 2, _("identity"))
    return canvas


@styled
def units(named: Mapping[str, ResidualUnit], *, channels: bool = False) -> Figure:
    """Draw residual units side by side with all their layers, each under its name.

    Args:
        named: a title and a unit a panel.
        channels: write the channels into the convolutions.

    """
    panels = [_unit(unit, name, channels=channels, learns=False) for name, unit in named.items()]
    return Figure(panels, " ".join(_unit_alt(name, unit) for name, unit in named.items()))


def _unit_alt(name: str, unit: ResidualUnit) -> str:
    """Say in words what `_unit` draws."""
    before, inside, after = (
        ", ".join(box.text for box in _boxes(part, channels=True))
        for part in (unit.before, unit.branch, unit.after)
    )
    ways = {
        NoneType: _("no line leads around it;"),
        Projection: _("a line leads through a 1 by 1 convolution around it to a plus sign;"),
    }
    identity = _("a line leads the input around it, unchanged, to a plus sign;")
    return _(
        "{name}: {before}the branch is {branch}; {way} {after}",
        name=name,
        before=_("first {layers}; then ", layers=before) if before else "",
        branch=inside,
        way=ways.get(type(unit.shortcut), identity),
        after=_("then {layers}.", layers=after) if after else _("nothing follows the sum."),
    )


@styled
def plain_and_residual() -> Figure:
    """Draw the plain block beside the residual block (2016a, Fig. 2)."""
    panels = [
        _unit(BasicBlock(64, 64, shortcut=None), _("plain block"), channels=False, learns=True),
        _unit(BasicBlock(64, 64), _("residual block"), channels=False, learns=True),
    ]
    alt = _(
        "Two columns of boxes. Left, the plain block: x goes through convolution, batch "
        "norm, ReLU, convolution, batch norm, and a last ReLU gives the output; the "
        "layers must learn f of x itself. Right, the residual block: the same boxes, and "
        "a line that leads x around them to a plus sign before the last ReLU; the layers "
        "learn only g of x, f of x minus x."
    )
    return Figure(panels, alt)


@styled
def identity_and_projection() -> Figure:
    """Draw the residual block that keeps the shape beside the one that changes it."""
    panels = [
        _unit(BasicBlock(64, 64), _("shape kept"), channels=False, learns=True),
        _unit(BasicBlock(64, 128, 2), _("shape changed"), channels=False, learns=True),
    ]
    alt = _(
        "Two residual blocks. Left, the shape is kept: the line around the two "
        "convolutions carries x unchanged to the plus sign. Right, the shape changes: "
        "the first convolution has stride 2, and the line around passes a 1 by 1 "
        "convolution with stride 2 and a batch norm before the plus sign."
    )
    return Figure(panels, alt)


def _stride_text(conv: nn.Conv2d) -> str:
    return _(", /{stride}", stride=conv.stride[0]) if conv.stride[0] > 1 else ""


def _conv_text(conv: nn.Conv2d) -> str:
    width = _(", {channels}", channels=conv.out_channels)
    return _("{k}×{k} conv", k=conv.kernel_size[0]) + width + _stride_text(conv)


def _description(unit: ResidualUnit) -> tuple[str, type]:
    convs = [_conv_text(m) for m in unit.branch.children() if isinstance(m, nn.Conv2d)]
    return "\n".join(convs), type(unit.shortcut)


def _rows(model: ResNet, side: dict[str, int]) -> tuple[list[Box], list[tuple[int, bool]]]:
    """Return a network's boxes, and for each box with a shortcut its place and if it projects."""
    sizes = "{0}×{0}".format
    stem, arcs = model.get_submodule("stem"), []
    channels, size = model.in_channels, side["image"]
    image = _("image, {channels} × {size} × {size}", channels=channels, size=size)
    boxes = [
        Box(image, INK),
        Box(_conv_text(stem.get_submodule("conv")), BLUE, sizes(side["stem.conv"])),  # type: ignore[arg-type]
    ]
    if hasattr(stem, "maxpool"):
        boxes.append(Box(_("3×3 max pool, /2"), GREEN, sizes(side["stem"])))
    for name, stage in model.named_children():
        if not name.startswith("stage"):
            continue
        units = [m for m in stage.children() if isinstance(m, ResidualUnit)]
        for j, ((text, shortcut), same) in enumerate(itertools.groupby(units, _description)):
            count = len(list(same))
            if count > 2:
                text += "\n" + _("× {n}", n=count)
            for k in range(1 if count > 2 else count):
                if shortcut is not NoneType:
                    arcs.append((len(boxes), shortcut is Projection))
                boxes.append(Box(text, BLUE, sizes(side[name]) if j == 0 and k == 0 else ""))
    boxes.append(Box(_("global average pool"), GREEN, sizes(1)))
    boxes.append(Box(_("fully connected, {out}", out=model.get_submodule("fc").out_features), BLUE))
    return boxes, arcs


@styled
def network(model: ResNet, image_size: int) -> Figure:
    """Draw a network unit by unit; more than two equal units in a row become one box.

    Args:
        model: any network of `resnet.nets`.
        image_size: pixels per side of the images, for the sizes written on the left.

    """
    shape = (1, model.in_channels, image_size, image_size)
    rows = [row for depth in (1, 2) for row in layer_table(model, shape, depth=depth)]
    side = {"image": image_size} | {row.name: row.output_shape[-1] for row in rows}
    boxes, arcs = _rows(model, side)
    canvas, axes = _blank(3.4, boxes)
    edges = _column(axes, boxes)
    for place, dashed in arcs:
        top, bottom = edges[place][0] + GAP * 0.35, edges[place][1] - GAP * 0.3
        _around(axes, top, bottom, 0.02, dashed=dashed)
    stages = [name for name, _ in model.named_children() if name.startswith("stage")]
    units = sum(isinstance(m, ResidualUnit) for m in model.modules())
    alt = _(
        "{name} from the image at the top to the {out} scores at the bottom: a stem, then {units} "
        "blocks in {stages} stages with {sizes} pixels per side, then average pooling and a fully "
        "connected layer.",
        name=model.name,
        out=model.get_submodule("fc").out_features,
        units=units,
        stages=len(stages),
        sizes=", ".join(str(side[name]) for name in stages),
    )
    with_arcs = _(
        "An arc leads around each block: solid where the shortcut has no weights, dashed where it "
        "is a projection, as in {dashed} of the {units}.",
        dashed=sum(isinstance(m, Projection) for m in model.modules()),
        units=units,
    )
    without_arcs = _("No line leads around a unit.")
    return Figure([canvas], f"{alt} {with_arcs if arcs else without_arcs}")
