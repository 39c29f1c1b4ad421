"""Pairs

level: core
minutes: 20
importance: useful
line: Write the paired test, and say when it sees more than Welch's.
"""

import math
import statistics

import resnet
from scipy.stats import t as student

# %% statement [markdown]
# With the same seed two networks get the images in the same order. If an order that is good for one is good for the other, their errors rise and fall together, and one can compare them seed by seed.
#
# The paired test does that. Let $a_i$ and $b_i$ be the errors with seed $i$, for $i = 1, \ldots, n$. It looks at the $n$ differences $d_i = a_i - b_i$ alone: $t$ is their mean, divided by the standard error of this mean, and the degrees of freedom are those of their standard deviation. Write `paired(a, b)`, which returns $t$ and the degrees of freedom for two lists of equal length, in which the seeds are in the same order.
#
# Then take the records of two networks in the ledger and compute the correlation of their errors over the seeds (`statistics.correlation`). `found` in the starter has the runs of the first claim: `found.runs["plain-20"]` is a list, and a run has `run.seed` and `run.rows[-1]["test_accuracy"]`, a share. What does it tell, with as many seeds as there are?
#
# *Why it matters.* The right test can do with fewer runs. The wrong one finds differences that are none.


# %% starter
def paired(a, b):
    """Return t and the degrees of freedom."""
    raise NotImplementedError("paired")


found = resnet.reproduce.verdict(
    resnet.reproduce.CLAIMS["degradation"], resnet.reproduce.load_records()
)

# %% check
resnet.check.paired_seeds(paired)

# %% hint [markdown]
# A standard deviation over $n$ numbers divides by $n - 1$ (`statistics.stdev`). The standard error of a mean of $n$ numbers is this deviation, divided by $\sqrt{n}$.

# %% hint [markdown]
# The list of differences has $n$ entries, and its mean takes one degree of freedom. Welch's test counts both lists, and so it has up to $2n - 2$.

# %% help [markdown]
# The deviation is that of a sample: with n - 1 below.
#
# `statistics.stdev` divides by $n - 1$, `statistics.pstdev` and NumPy's `std` by $n$.

# %% help [markdown]
# This is Welch's t: it knows of no pairs.
#
# Make the list of differences first, and do not look at `a` and `b` again. The deviation is that of the differences.

# %% help [markdown]
# How many differences are there, and what does their mean take?
#
# There are $n$ differences, not $2n$ errors, and a deviation around their own mean has one degree of freedom less.


# %% solution
def paired(a, b):
    differences = [x - y for x, y in zip(a, b, strict=True)]
    n = len(differences)
    error = statistics.stdev(differences) / n**0.5
    return statistics.fmean(differences) / error, n - 1


errors = {
    row: {run.seed: 1 - run.rows[-1]["test_accuracy"] for run in runs}
    for row, runs in found.runs.items()
}
for first, second in (("plain-20", "ResNet-20"), ("ResNet-20", "ResNet-56")):
    one, other = errors[first], errors[second]
    seeds = sorted(one.keys() & other.keys())
    if len(seeds) > 1:
        r = statistics.correlation(
            [one[seed] for seed in seeds], [other[seed] for seed in seeds]
        )
        print(f"{first}, {second}: {len(seeds)} seeds, correlation {r:+.2f}")


def significant(r, n):
    """Return whether a correlation r found over n seeds differs from 0 (5%, two-sided)."""
    t = r * math.sqrt((n - 2) / (1 - r**2))
    return t > student.ppf(0.975, n - 2)


print(
    "t needed with three seeds:",
    *(f"{student.ppf(0.95, freedom):.2f}" for freedom in (2, 4)),
    "(paired, Welch)",
)
print("0.5 is found:", next(n for n in range(3, 99) if significant(0.5, n)))
noticed = ((1.96 + 0.84) / math.atanh(0.5)) ** 2 + 3  # after Fisher
print(f"0.5 is true, noticed in four of five cases: {noticed:.0f}")

# %% explanation [markdown]
# The variance of a difference is $s_a^2 + s_b^2 - 2 r s_a s_b$, with the correlation $r$. Welch's test takes $r$ to be zero. So with $r > 0$ the paired $|t|$ is larger, with $r < 0$ smaller. It pays for that with up to half of the degrees of freedom: with three seeds, $t$ must reach 2.92 instead of 2.13. With few seeds, pairs are worth having only if $r$ is large; with many seeds, if $r$ is positive at all.
#
# Two seeds always give a correlation of exactly 1 or −1 (or none, if two errors are equal), because there is a straight line through any two points. Three can give nearly any number. If 0.5 is found, it differs from 0 at the level of 5%, on both sides, from 16 seeds on; for a true 0.5 to be noticed in four of five cases it takes about 29. A good answer says
#
# - how many seeds the correlation was computed from, and that so few cannot show one;
# - what two networks with one seed share, the order of the images and their crops, and what they do not: different networks draw different initial weights even from one seed;
# - that the test is to be chosen beforehand. To compute both and to report the one that passes is again a choice made with the result.
