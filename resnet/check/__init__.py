"""Checks of the exercises: each says whether an answer is right, and if not, where to look.

They test what an answer does, not how it is written, and return a `Verdict` whatever they get.
"""

from resnet.check.chapter1 import (
    grow_order,
    no_bound,
    plain_identity,
    rerun,
    steps_nested,
    width_nested,
)
from resnet.check.chapter2 import (
    block_shapes,
    broken_block,
    inception,
    padding_projection,
    prove_identity,
    residual,
    stride_match,
)
from resnet.check.chapter3 import count_18, count_20, resnet34, seeds, shapes_97, small_stem
from resnet.check.chapter4 import (
    bottleneck,
    cost_v15,
    count_50,
    count_layers,
    how_narrow,
    keras_blocks,
    resnext,
    table_1,
)
from resnet.check.chapter5 import (
    learned_factor,
    preact_bottleneck,
    preact_forgotten,
    preact_identity,
    preact_network,
    stochastic_depth,
)
from resnet.check.chapter6 import (
    best_of_five,
    check_cannot_fail,
    how_many_seeds,
    missing_depths,
    paired_seeds,
)
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
