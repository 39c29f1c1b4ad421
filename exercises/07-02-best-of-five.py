"""The best of five

level: core
minutes: 30
importance: essential
line: Compute what the smallest of several runs is worth, and compare two networks on equal terms.
"""

import resnet
import torch

# %% statement [markdown]
# {cite:t}`he2016deep` (Table 6) print for ResNet-110 the best of five runs, an error of 6.43%, and behind it mean and standard deviation of the five, 6.61 ± 0.16. For 56 layers there is one run: 6.97%.
#
# Let the errors of a network's runs be independent draws from a normal distribution. Write `smallest(k, mean, deviation)`, which returns what the *smallest* of $k$ draws is on average. It should be right to within a twentieth of the deviation; how you find it, by drawing or by computing, is up to you.
#
# Then compare the two depths on equal terms. Take 6.97 as the mean for 56 layers, 6.61 as that for 110, and 0.16 as the deviation of both. By how many points does the deeper network win if the best of five is shown for both?
#
# *Why it matters.* Whoever shows the best of five beside a single run has chosen for one side only. The size of this gift can be computed.


# %% starter
def smallest(k, mean, deviation):
    """Return the mean of the smallest of k normal draws."""
    raise NotImplementedError("smallest")


left = ...  # points between 56 and 110 layers, the best of five for both

# %% check
resnet.check.best_of_five(smallest, left)

# %% hint [markdown]
# Draw a table of random numbers, with many rows of $k$, and look at each row's smallest.

# %% hint [markdown]
# `torch.randn(20_000, k)` has mean 0 and deviation 1. How is a draw with another mean and another deviation made of it?

# %% hint [markdown]
# For `left`: what does `smallest(5, …)` take off 6.97, and what off 6.61?

# %% help [markdown]
# This is what the largest is on average.
#
# A smaller error is the better one. The normal distribution is symmetric, so the sign is all that is wrong.

# %% help [markdown]
# One smallest is a draw: take the mean of very many.
#
# Draw a table with one row for each experiment and `k` columns, take the smallest of each row, and then the mean of all rows.

# %% help [markdown]
# This is one run against the best of five: not equal terms.
#
# Both networks should have their best of five. What comes off 6.97 then?


# %% solution
def smallest(k, mean, deviation):
    draws = mean + deviation * torch.randn(50_000, k)
    return draws.min(dim=1).values.mean().item()


left = smallest(5, 6.97, 0.16) - smallest(5, 6.61, 0.16)
print(f"best of five, 110 layers: {smallest(5, 6.61, 0.16):.2f}")
print(f"left of the difference: {left:.2f} points")
for k in (5, 20):
    print(f"best of {k}: {-smallest(k, 0, 1):.2f} deviations below the mean")

# %% explanation [markdown]
# The smallest of five normal draws lies on average 1.16 deviations below the mean: here 0.19 points, at 6.42, very near the 6.43 that is printed. So the best of these five is just as good as the best of five is expected to be, and says nothing that mean and deviation do not say.
#
# The same is taken off both networks, so that on equal terms the difference is that of the means, 0.36 points. As printed, one run against the best of five, it is 0.54: a third of it is the choice. (It remains that the 6.97 is itself one draw, whose deviation we do not know.)
#
# The best of more runs is better still, without end, though ever more slowly: of 20 it is 1.87 deviations. A best without the number of tries is no number at all.
