"""How many seeds?

level: warm-up
minutes: 10
importance: essential
line: Find how many seeds a difference of so many points takes, before any network is trained.
"""

import resnet
import torch
from scipy.stats import ttest_ind_from_stats

# %% statement [markdown]
# Two networks are trained with $n$ seeds each. Their mean test errors differ by $\Delta$ points, and the errors of each network have the standard deviation $s$ over its seeds. The first, with the smaller mean, is said to be better where Welch's one-sided test gives a probability $p$ below 0.05.
#
# What is the smallest $n$ for which that is so? Take it that the means and the deviations stay as they are, whatever $n$ is, and look at three cases.
#
# In the starter, `probability` computes $p$ from means, deviations and numbers of seeds.
#
# *Why it matters.* 0.16 points is the deviation that the paper prints for ResNet-110 on CIFAR-10 ({cite:t}`he2016deep`, Table 6), and many differences in its tables and in later ones are smaller than half a point. This is the price of knowing whether there is one.


# %% starter
def probability(difference, deviation, seeds):
    """Return p for two networks with this many seeds each."""
    return ttest_ind_from_stats(
        *(0.0, deviation, seeds),
        *(difference, deviation, seeds),
        equal_var=False,
        alternative="less",
    ).pvalue


answers = {  # the smallest number of seeds of each network
    "difference 0.2, deviation 0.16": ...,
    "difference 0.1, deviation 0.16": ...,
    "difference 0.2, deviation 0.08": ...,
}

# %% check
resnet.check.how_many_seeds(answers)

# %% hint [markdown]
# Try `probability(0.2, 0.16, n)` for $n = 2, 3, 4, \ldots$ and stop at the first value below 0.05.

# %% hint [markdown]
# A loop, or `next(n for n in range(2, 100) if …)`, with the condition from the statement.

# %% offered
offered = {
    "difference 0.2, deviation 0.16": [5, 4, 7, 10],
    "difference 0.1, deviation 0.16": [15, 14, 21, 30],
    "difference 0.2, deviation 0.08": [3, 2, 4, 6],
}


# %% solution
def fewest(difference, deviation):
    return next(
        n
        for n in range(2, 1000)
        if probability(difference, deviation, n) < 0.05
    )


answers = {
    f"difference {d}, deviation {s}": fewest(d, s)
    for d, s in ((0.2, 0.16), (0.1, 0.16), (0.2, 0.08))
}
for case, n in answers.items():
    print(f"{case}: {n}")


def passes(difference, deviation, seeds):
    """Return how often p is below 0.05 if the difference is the true one."""
    draws = deviation * torch.randn(2, 50_000, seeds).double()
    means = draws.mean(2) + torch.tensor([[0.0], [difference]])
    deviations = draws.std(2)
    found = ttest_ind_from_stats(
        *(means[0], deviations[0], seeds),
        *(means[1], deviations[1], seeds),
        equal_var=False,
        alternative="less",
    )
    return (found.pvalue < 0.05).mean()


torch.manual_seed(0)
for d, s, more in ((0.2, 0.16, 12), (0.1, 0.16, 45), (0.2, 0.08, 4)):
    shares = [f"{n}: {passes(d, s, n):.0%}" for n in (fewest(d, s), more)]
    print(f"difference {d}, deviation {s}; seeds: passes", *shares)

# %% explanation [markdown]
# In $t = \Delta / \sqrt{2 s^2 / n}$ only the ratio $\Delta / s$ and $n$ count. To keep $t$ where it is, half the difference needs four times the seeds. The answers grow less than that, because more seeds also determine $s$ better: the $t$ that is needed falls from 2.92 with two degrees of freedom to 1.645 with very many.
#
# These numbers are optimistic. They ask that the difference *found* be $\Delta$. If $\Delta$ is the true difference, the one that is found is smaller in half of all experiments, and then the test rarely passes. `passes` draws 50,000 experiments for each case: with the seeds from above hardly more than half of them pass in the first two cases, and three quarters in the last. For nine of ten it takes 12, 45 and 4 seeds.
