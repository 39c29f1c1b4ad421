"""How far do two seeds differ?

level: research
minutes: 90
importance: useful
line: Measure the spread over seeds, and compute how many runs it takes to tell two recipes apart.
"""

import math

import resnet

# %% statement [markdown]
# Two recipes are trained $n$ times each. Their accuracies have the same standard deviation $s$ from run to run (in percentage points), which we take to be known, and their true means differ by $\Delta$ points. A mean of $n$ runs has the standard error $s / \sqrt{n}$; the difference of two independent means has the error
#
# $$
# \sqrt{\frac{s^2}{n} + \frac{s^2}{n}} .
# $$
#
# Say that the recipes can be told apart when $\Delta$ is at least *twice* this error. Write `runs_needed(difference, deviation)`, which returns the smallest whole number $n$ of runs *of each recipe* for which that holds; but never less than 2, because a deviation cannot be taken from one run.
#
# Then measure $s$, for instance with `net = resnet.cifar_resnet(20, 10, 1)` (made anew for every run), `data = resnet.load_data("fashion-mnist", sample=True)` and `recipe = resnet.Recipe(epochs=5, batch_size=50, lr=0.02, momentum=0.9)`: run `resnet.fit(net, data, recipe, seed=seed)` with five seeds for the order of the images and the same initial weights (`torch.manual_seed(0)` before the network is made), and with the same order and five different initial weights. Give mean and standard deviation of the last test
# accuracy, `100 * run.rows[-1]["test_accuracy"]` per cent, for both. Which of the two matters more? With the larger deviation, how many runs does a difference of half a point need?
#
# *Why it matters.* Half a percentage point is a typical improvement in a paper's table, and, with little data, a common difference between two seeds.


# %% starter
def runs_needed(difference, deviation):
    """Return the number of runs of each recipe."""
    raise NotImplementedError("runs_needed")


# %% check
resnet.check.seeds(runs_needed)

# %% hint [markdown]
# Write the condition as an inequality, $\Delta \ge 2\sqrt{2 s^2 / n}$, and solve it for $n$.

# %% hint [markdown]
# The smallest whole number that is not below a number: `math.ceil`.


# %% solution
def runs_needed(difference, deviation):
    return max(2, math.ceil(8 * (deviation / difference) ** 2))


# %% explanation [markdown]
# Squaring $\Delta \ge 2\sqrt{2 s^2/n}$ gives $n \ge 8 (s/\Delta)^2$. If the deviation is as large as the difference, it takes 8 runs of each recipe. (A computer that squares $2\sqrt{2}\, s/\Delta$ instead may come out a hair above 8, and round up to 9; the check takes that, too.) If it is half of it, 2 are enough, but only because $s$ is taken to be known. A deviation that is itself computed from two runs of each is so uncertain that, by chance alone, a difference of twice its error or more turns up in 18 of 100 cases. {doc}`07-reproduction` therefore uses Welch's test, which allows for that.
#
# For the measurement a good answer says
#
# - how many runs, which data, which recipe, and mean and deviation of both series;
# - that a deviation from five runs is uncertain by about a third, so that the two series must differ a lot before one can say which matters more;
# - what number of runs follows for half a point, and whether one would be ready to pay for it.
