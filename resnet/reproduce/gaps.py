"""How a deep network's training error stands to a shallow one's, step by step."""

import statistics
from collections.abc import Mapping, Sequence

from resnet.training.records import Run


def gaps(
    deep: Sequence[Run], shallow: Sequence[Run], column: str = "train_accuracy"
) -> dict[int, list[float]]:
    """Return the deep minus the shallow network's error by step, in points.

    The training error, unless `column` names another accuracy. A number for each seed that both
    have; a training run that failed has none.
    """
    others = {run.seed: run for run in shallow}
    found: dict[int, list[float]] = {}
    for run in deep:
        other = others.get(run.seed)
        if other is None:
            continue
        for row, twin in zip(run.rows, other.rows, strict=False):
            gap = 100 * (twin[column] - row[column])
            found.setdefault(int(row["step"]), []).append(gap)
    return found


def crossing(found: Mapping[int, Sequence[float]]) -> int | None:
    """Return the first step from which the mean gap stays below zero.

    None if it was never above zero before, or is so in the end.
    """
    means = {step: statistics.fmean(values) for step, values in sorted(found.items())}
    above = [step for step, mean in means.items() if mean >= 0]
    below = [step for step, mean in means.items() if mean < 0]
    if not above or not below or below[-1] < above[-1]:
        return None
    return min(step for step in below if step > above[-1])
