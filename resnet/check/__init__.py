"""Checks of the exercises: each says whether an answer is right, and if not, where to look.

They test what an answer does, not how it is written, and return a `Verdict` whatever they get.
"""

from resnet.check.blocks import bottleneck, keras_blocks, preact_bottleneck, residual, resnext
from resnet.check.classes import grow_order, no_bound, plain_identity, steps_nested, width_nested
from resnet.check.costs import cost_v15, count_layers, how_narrow, shapes_97
from resnet.check.gradients import broken_block, learned_factor, stochastic_depth
from resnet.check.ledger import (
    best_of_five,
    check_cannot_fail,
    how_many_seeds,
    missing_depths,
    paired_seeds,
)
from resnet.check.networks import preact_network, resnet34, small_stem
from resnet.check.parameters import count_18, count_20, count_50, preact_forgotten
from resnet.check.paths import inception
from resnet.check.reasons import (
    block_shapes,
    padding_projection,
    preact_identity,
    prove_identity,
    stride_match,
)
from resnet.check.table import table_1
from resnet.check.training import rerun, seeds
from resnet.check.verdict import Verdict, summary

__all__ = [
    "Verdict",
    "best_of_five",
    "block_shapes",
    "bottleneck",
    "broken_block",
    "check_cannot_fail",
    "cost_v15",
    "count_18",
    "count_20",
    "count_50",
    "count_layers",
    "grow_order",
    "how_many_seeds",
    "how_narrow",
    "inception",
    "keras_blocks",
    "learned_factor",
    "missing_depths",
    "no_bound",
    "padding_projection",
    "paired_seeds",
    "plain_identity",
    "preact_bottleneck",
    "preact_forgotten",
    "preact_identity",
    "preact_network",
    "prove_identity",
    "rerun",
    "residual",
    "resnet34",
    "resnext",
    "seeds",
    "shapes_97",
    "small_stem",
    "steps_nested",
    "stochastic_depth",
    "stride_match",
    "summary",
    "table_1",
    "width_nested",
]
