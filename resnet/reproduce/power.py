"""How often a perfect replication would pass: a claim's checks on numbers that are as published."""

import random
from collections.abc import Mapping

from resnet.reproduce.checks import Check, Counted, Outcome
from resnet.reproduce.claim import Claim
from resnet.reproduce.papers import SEED_DEVIATION


def power(
    claim: Claim,
    scale: str,
    truth: Mapping[str, float] | None = None,
    *,
    deviation: float = SEED_DEVIATION,
    seeds: int | None = None,
    full: bool = True,
    draws: int = 1000,
) -> tuple[float, dict[Check, float]]:
    """Return the share of replications in which all checks hold, and the share for each check.

    Every run's number is drawn from a normal distribution around the true value of its row.

    Args:
        claim: one of `CLAIMS`; its checks whose rows have a true value are made.
        scale: see `SCALES`: its rows and seeds.
        truth: the true values by row; default: the published ones.
        deviation: between seeds, in the unit of the values.
        seeds: instead of the setting's number.
        full: whether the checks are made that make sense at the papers' scale only.
        draws: replications.

    Raises:
        ValueError: if no check's rows have true values.

    """
    truth = claim.published if truth is None else truth
    count = len(claim.settings[scale].seeds) if seeds is None else seeds
    checks = [
        check
        for check in claim.asked(scale, full=full)
        if not isinstance(check, Counted) and all(row in truth for row in check.rows)
    ]
    if not checks:
        raise ValueError(f"truth={dict(truth)}: no check of {claim.title!r} is about these rows")
    draw, passed, every = random.Random(0), dict.fromkeys(checks, 0), 0
    for _ in range(draws):
        values = {row: [draw.gauss(x, deviation) for _ in range(count)] for row, x in truth.items()}
        holds = {check: check.outcome(values) is Outcome.HOLDS for check in checks}
        every += all(holds.values())
        for check, held in holds.items():
            passed[check] += held
    return every / draws, {check: n / draws for check, n in passed.items()}
