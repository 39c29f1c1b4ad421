"""A check that cannot fail

level: core
minutes: 40
importance: useful
line: Write bounds that a network as good as claimed passes and a worse one does not.
"""

import math
from statistics import NormalDist

import resnet

# %% statement [markdown]
# A simple check of a network's error holds if the *mean* over its seeds lies between two bounds, `low` and `high`, which count as inside. (The ledger's `Within` wants more, the whole interval of the mean.) With 0 and 100 it cannot fail, and with `low` equal to `high` it cannot hold. Neither tells anything. A check is worth having if a network as good as claimed passes it and a worse one does not.
#
# The errors of a network's runs are independent draws from a normal distribution with a known deviation. Write `bounds(mean, deviation, runs, worse)`, which returns a pair `(low, high)` such that
#
# - if the network's true mean is `mean`, as claimed, the check holds with a probability of at least 0.95;
# - if its true mean is `mean + worse`, the check holds with a probability of at most 0.05.
#
# `low` may be any number, 0 or `-math.inf` too. Where no two numbers do both, return `None`.
#
# Then look at the claim about D2L's ResNet-18, whose range comes from 106 published copies. Which network would fail it?
#
# *Why it matters.* A tolerance that is chosen because it sounds reasonable has some power to find a mistake, too: nobody knows how much. Here it is computed, before anything is run.


# %% starter
def bounds(mean, deviation, runs, worse):
    """Return low and high, or None."""
    raise NotImplementedError("bounds")


# %% check
resnet.check.check_cannot_fail(bounds)

# %% hint [markdown]
# The check looks at a mean of several runs. What is its standard deviation?

# %% hint [markdown]
# Only the upper bound can tell a worse network from one as claimed. How high must it be for the first condition, if `low` is as small as you like? How high may it be for the second?

# %% hint [markdown]
# `NormalDist().inv_cdf(0.95)` is 1.645: a normal draw lies with a probability of 0.95 below its mean plus 1.645 deviations.

# %% help [markdown]
# It fails too many that are as good as claimed.
#
# The upper bound is too near to `mean`, or there is a lower bound that costs something. Is 1.645 the number for one side, and is it multiplied by the deviation of the mean?

# %% help [markdown]
# It lets too many pass that are worse.
#
# The upper bound is too high: a network whose true mean is `mean + worse` comes out below it too often. How far below `mean + worse` must it lie?

# %% help [markdown]
# The check looks at the mean of the runs; how far does that vary?
#
# A mean of $n$ runs varies less than a run, by a factor of $\sqrt{n}$.


# %% solution
def bounds(mean, deviation, runs, worse):
    margin = NormalDist().inv_cdf(0.95) * deviation / runs**0.5
    if 2 * margin > worse:
        return None
    return -math.inf, mean + worse / 2


claim = resnet.reproduce.CLAIMS["d2l"]
print(claim.checks[0])

# %% explanation [markdown]
# The mean of `runs` runs has the deviation $s / \sqrt{n}$. The first condition wants the upper bound at least 1.645 of these above `mean`, the second wants it as far below `mean + worse`. Both can be had if `worse` is at least $2 \cdot 1.645\, s / \sqrt{n}$, and then the middle between the two means does it. A lower bound is not needed for this. A bound at the same distance below also notices results that are too good, as when test images were trained on. With two such bounds `worse` must be larger, at least 3.61 instead of 3.29 times $s / \sqrt{n}$.
#
# So the number of seeds decides what a check can notice: to find half the fault takes four times the seeds. Where `None` comes out, the honest thing is to run more or to claim less.
#
# The range of the 106 copies goes from their best error to their worst. It is as wide as the worst of 106 runs makes it. A network that learns nothing fails it. Of one without its shortcuts, or with a moved stride, nobody can say that it would: 18 layers can be trained without shortcuts, too. It is a smoke test; what carries the claim that ResNet-18 is right is the comparison with torchvision's, output for output ({doc}`deviations`).
