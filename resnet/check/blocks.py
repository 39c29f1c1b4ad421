"""Checks of blocks that the reader writes: chapters 2, 4 and 5."""

from typing import Any

from resnet.check.comparing import check_block, drawn
from resnet.check.formulas import Conv, originals, preacts
from resnet.check.verdict import exercise

Cases = list[tuple[tuple[Any, ...], tuple[int, ...]]]  # arguments, and the shape of an input

KERAS_EPS = 1e-3  # of its batch normalisation
FINE = "outputs in both modes, gradients and layers, for {} shapes"


@exercise
def residual(Residual: object) -> str:
    """Check the residual block of 2016a, Fig. 2: `Residual(in_channels, channels, stride=1)`."""

    def branch(_: int, channels: int, stride: int = 1) -> list[Conv]:
        return [Conv(channels, 3, stride), Conv(channels, 3)]

    def second(_: int, channels: int, stride: int = 1) -> list[Conv]:
        return [Conv(channels, 3), Conv(channels, 3, stride)]

    width, wide, height = drawn((3, 6), (7, 12), (6, 12))
    cases: Cases = [
        ((8, 8), (3, 8, 9, 6)),
        ((6, 10, 2), (3, 6, 9, 12)),
        ((5, 9, 1), (2, 5, 7, 8)),
        ((6, 6, 2), (3, 6, 8, 7)),
        ((4, 6, 3), (2, 4, 11, 10)),
        ((width, wide, 2), (2, width, height, 9)),
    ]
    formula, slips = originals(
        branch, also=[(second, "the stride is on the second convolution, not on the first.")]
    )
    check_block(Residual, cases, formula, slips, "Residual")
    return FINE.format(len(cases))


def _bottlenecks() -> Cases:
    """Arguments (in_channels, channels, stride) that keep and change the shape, one pair drawn."""
    width, narrow, height = drawn((9, 15), (2, 4), (6, 12))
    return [
        ((12, 3), (3, 12, 9, 6)),
        ((6, 4, 2), (3, 6, 9, 12)),
        ((5, 5, 1), (2, 5, 7, 8)),
        ((8, 2, 2), (3, 8, 8, 7)),
        ((width, narrow, 2), (2, width, height, 9)),
    ]


@exercise
def bottleneck(Bottleneck: object) -> str:
    """Check the bottleneck of v1.5: `Bottleneck(in_channels, channels, stride=1)`."""

    def branch(_: int, channels: int, stride: int = 1) -> list[Conv]:
        return [Conv(channels, 1), Conv(channels, 3, stride), Conv(4 * channels, 1)]

    def first(_: int, channels: int, stride: int = 1) -> list[Conv]:
        return [Conv(channels, 1, stride), Conv(channels, 3), Conv(4 * channels, 1)]

    def last(_: int, channels: int, stride: int = 1) -> list[Conv]:
        return [Conv(channels, 1), Conv(channels, 3), Conv(4 * channels, 1, stride)]

    cases = _bottlenecks()
    formula, slips = originals(
        branch,
        also=[
            (first, "the stride is on the first 1x1 convolution: this is v1."),
            (last, "the stride is on the last 1x1 convolution."),
        ],
    )
    check_block(Bottleneck, cases, formula, slips, "Bottleneck")
    return FINE.format(len(cases))


@exercise
def keras_blocks(IdentityBlock: object, ConvolutionalBlock: object) -> str:
    """Check the two blocks of the Keras articles, with a kernel of f x f in the middle."""

    def identity_branch(_: int, filters: list[int], f: int) -> list[Conv]:
        return [Conv(filters[0], 1), Conv(filters[1], f), Conv(filters[2], 1)]

    def fixed_identity(_: int, filters: list[int], f: int) -> list[Conv]:
        return [Conv(filters[0], 1), Conv(filters[1], 3), Conv(filters[2], 1)]

    def branch(_: int, filters: list[int], f: int, s: int) -> list[Conv]:
        return [Conv(filters[0], 1, s), Conv(filters[1], f), Conv(filters[2], 1)]

    def middle(_: int, filters: list[int], f: int, s: int) -> list[Conv]:
        return [Conv(filters[0], 1), Conv(filters[1], f, s), Conv(filters[2], 1)]

    def fixed(_: int, filters: list[int], f: int, s: int) -> list[Conv]:
        return [Conv(filters[0], 1, s), Conv(filters[1], 3), Conv(filters[2], 1)]

    narrow, wide = drawn((2, 4), (9, 13))
    no_f = "the middle convolution does not take its size from f."
    keeping: Cases = [
        ((8, [3, 5, 8], 3), (3, 8, 9, 6)),
        ((9, [4, 4, 9], 5), (2, 9, 7, 8)),
        ((wide, [narrow, 5, wide], 3), (2, wide, 6, 9)),
    ]
    check_block(
        IdentityBlock,
        keeping,
        *originals(identity_branch, also=[(fixed_identity, no_f)]),
        "IdentityBlock",
        other_eps=KERAS_EPS,
    )
    changing: Cases = [
        ((6, [3, 5, 8], 3, 2), (3, 6, 9, 12)),
        ((7, [4, 4, 9], 5, 1), (2, 7, 7, 8)),
        ((8, [3, 5, 8], 3, 1), (2, 8, 6, 5)),
        ((6, [narrow, 5, wide], 3, 2), (2, 6, 8, 7)),
    ]
    formula, slips = originals(
        branch,
        also=[
            (middle, "the stride is on the middle convolution, not on the first 1x1."),
            (fixed, no_f),
        ],
        project_always=True,
    )
    check_block(
        ConvolutionalBlock, changing, formula, slips, "ConvolutionalBlock", other_eps=KERAS_EPS
    )
    return FINE.format(len(keeping) + len(changing))


@exercise
def resnext(Grouped: object) -> str:
    """Check the block with a grouped convolution."""

    def branch(_: int, width: int, out: int, stride: int = 1, groups: int = 32) -> list[Conv]:
        return [Conv(width, 1), Conv(width, 3, stride, groups), Conv(out, 1)]

    def ungrouped(_: int, width: int, out: int, stride: int = 1, groups: int = 32) -> list[Conv]:
        return [Conv(width, 1), Conv(width, 3, stride), Conv(out, 1)]

    def all_grouped(_: int, width: int, out: int, stride: int = 1, groups: int = 32) -> list[Conv]:
        parts = (width, 1, 1), (width, 3, stride), (out, 1, 1)
        return [Conv(*part, groups) for part in parts]

    def last_grouped(_: int, width: int, out: int, stride: int = 1, groups: int = 32) -> list[Conv]:
        return [Conv(width, 1), Conv(width, 3, stride, groups), Conv(out, 1, 1, groups)]

    def first_strided(
        _: int, width: int, out: int, stride: int = 1, groups: int = 32
    ) -> list[Conv]:
        return [Conv(width, 1, stride), Conv(width, 3, 1, groups), Conv(out, 1)]

    (groups,) = drawn((2, 4))
    cases: Cases = [
        ((16, 8, 16, 1, 4), (3, 16, 9, 6)),
        ((8, 12, 16, 2, 4), (3, 8, 9, 12)),
        ((8, 4, 8, 2, 2), (3, 8, 8, 7)),
        ((6, 32, 64), (2, 6, 7, 8)),
        ((3 * groups, 5 * groups, 4 * groups, 2, groups), (2, 3 * groups, 8, 7)),
    ]
    everywhere = "more than the 3x3 convolution is grouped."
    formula, slips = originals(
        branch,
        also=[
            (ungrouped, "the 3x3 convolution is not grouped: every channel sees all others."),
            (all_grouped, everywhere),
            (last_grouped, everywhere),
            (first_strided, "the stride is on the first 1x1 convolution, not on the 3x3."),
        ],
    )
    check_block(Grouped, cases, formula, slips, "Grouped")
    return FINE.format(len(cases))


@exercise
def preact_bottleneck(PreActBottleneck: object) -> str:
    """Check the pre-activation bottleneck: `(in_channels, channels, stride=1)`, stride first."""

    def branch(_: int, channels: int, stride: int = 1) -> list[Conv]:
        return [Conv(channels, 1, stride), Conv(channels, 3), Conv(4 * channels, 1)]

    def middle(_: int, channels: int, stride: int = 1) -> list[Conv]:
        return [Conv(channels, 1), Conv(channels, 3, stride), Conv(4 * channels, 1)]

    cases = _bottlenecks()
    formula, slips = preacts(
        branch, also=[(middle, "the stride is on the 3x3 convolution, not on the first 1x1.")]
    )
    slips.append((originals(branch)[0], "this is the original block."))
    check_block(PreActBottleneck, cases, formula, slips, "PreActBottleneck")
    return FINE.format(len(cases))
