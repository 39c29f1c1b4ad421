"""The missing depths

level: research
minutes: 60
importance: extra
line: State a claim of your own about four depths as data, before you run it.
"""

import dataclasses
from itertools import pairwise

import resnet
from resnet.reproduce.checks import Less

# %% statement [markdown]
# For the claim of degradation the CPU scale runs 20 and 56 layers. {cite:t}`he2016deep` (Fig. 6) have 32 and 44 between them: the training error of the plain networks rises from each depth to the next, and that of the residual networks falls.
#
# State this as a claim. Make `claim` of `resnet.reproduce.CLAIMS["degradation"]` with `dataclasses.replace`: at the scale `"cpu"` it should run plain and residual networks of 20, 32, 44 and 56 layers (`only`), and its `checks` should
#
# - all hold if the training errors are in the order that the paper found and far enough apart for the test, whatever their values are;
# - not all hold if two neighbouring depths of either kind have changed places.
#
# A check is `Less(quantity, a, b)`: row `a` has less of the quantity than row `b`, by Welch's one-sided test over the seeds. `"train_error"` and `"test_error"` are those at the end of a run, `"train_error_mean"` is the mean over all its steps. (Two more arguments, `margin` by which `a` may have more and `needs_full` for what makes sense at the papers' scale only, stay at 0 and False.)
#
# Then, and only then, run it. `jobs = resnet.reproduce.plan([claim], "cpu", folder="depths")` lists what is to be trained, and
# `for run in resnet.reproduce.reproduce(jobs, at_once=2): …` trains it, over hours on two cores; both may be repeated after an interruption. `resnet.reproduce.load_records("depths")` reads the records, and `resnet.reproduce.verdict(claim, records)` judges them. At which depth does the plain network first become worse than with 20 layers?
#
# *Why it matters.* Two depths show that something gets worse, four show where. And to write down what would count before there is anything to count is the only protection against a result that one would have liked.

# %% starter
claim = ...  # dataclasses.replace(resnet.reproduce.CLAIMS["degradation"], …)

# %% check
resnet.check.missing_depths(claim)

# %% hint [markdown]
# The rows of the claim are there already: `plain-20`, …, `ResNet-56`, and 110 layers. `only={"cpu": (…)}` names those that are run.

# %% hint [markdown]
# `Less("train_error", "plain-20", "plain-32")` says that the first row has the smaller training error. How many such checks does it take to put four depths in order? And in which direction for residual networks?

# %% solution
DEPTHS = (20, 32, 44, 56)
rises = [
    Less("train_error", f"plain-{a}", f"plain-{b}") for a, b in pairwise(DEPTHS)
]
falls = [
    Less("train_error", f"ResNet-{b}", f"ResNet-{a}")
    for a, b in pairwise(DEPTHS)
]
rows = [f"{form}-{depth}" for form in ("plain", "ResNet") for depth in DEPTHS]
claim = dataclasses.replace(
    resnet.reproduce.CLAIMS["degradation"],
    statement="The training error of plain networks rises from each depth to the "
    "next, from 20 to 56 layers; that of residual networks falls.",
    checks=(*rises, *falls),
    only={"cpu": tuple(rows)},
)
jobs = resnet.reproduce.plan([claim], "cpu", folder="depths")
print(len(jobs), "runs of", len(rows), "networks")

# %% explanation [markdown]
# Three checks put four depths in order, so six are enough for both kinds. One check of the two ends, as in the ledger, would not notice if the depths between them were in another order. More checks than are needed do no harm to the order, but each is one more chance to fail: with a level of 5%, and differences as small as those between neighbours, "not separable" is a probable outcome for some of them. Look at what the chapter's two depths show before you expect the paper's order. A good report says
#
# - that the claim was written first, and whether it was changed afterwards;
# - data, size of images, width, steps and seeds, and which of them are not the paper's;
# - for each check its $p$, and "not separable" where it is so;
# - the depth at which the plain network first becomes worse than with 20 layers *by the test*, and not by eye.
