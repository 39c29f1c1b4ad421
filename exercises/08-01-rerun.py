"""Run a claim again

level: research
minutes: 90
importance: useful
line: Train four networks with several seeds at home, and conclude no more than the runs say.
"""

import resnet
import torch
from scipy import stats

# %% statement [markdown]
# The claim ({cite:t}`he2016deep`, Sec. 4.2 and Fig. 6): *plain networks are trained worse with 56 layers than with 20, residual networks are not.* Run it again, at
# the scale that your machine allows, and say what *your* runs say.
#
# Train `plain-20`, `plain-56`, `ResNet-20` and `ResNet-56`, each at least twice with different seeds, on the same data with the same recipe, and collect what `resnet.fit` returns in the list `runs`. A network comes
# from `resnet.cifar_resnet(depth, 10, 1, shortcut=…)`, where `shortcut` is `None` for a plain network and `"A"` for a residual one, and is made anew for every run. Data:
# `resnet.load_data("fashion-mnist", sample=True)` is a small sample without a download; `.first(train=…, test=…)` takes less of it, and `sample=False` the whole set. Recipe: `resnet.Recipe(epochs=…, batch_size=50, lr=0.02, momentum=0.9)`.
# A run: `resnet.fit(net, data, recipe, seed=seed)`.
#
# Each run says in `run.network` which network it is of, as `"plain-20"`: by that the runs are sorted. Look at the training loss of the last epoch, `run.rows[-1]["train_loss"]`. For each family let `deep` be the list of the losses with 56 layers and `shallow` the list of those with 20. Welch's one-sided test, the one of {doc}`07-reproduction`, computes the probability $p$ that the means differ so much, or more, by chance alone:
# `stats.ttest_ind(deep, shallow, equal_var=False, alternative="greater").pvalue`. Conclude `"worse"` if this $p$ is below 0.05. Conclude `"better"` if $p$ is below 0.05 with `alternative="less"`, that is, on the other side. Otherwise conclude `"undecided"`. Do so for `"plain"` and for `"ResNet"`.
#
# The check tests whether your runs can be compared, and whether your conclusions are what they say. It does not ask for the paper's result, and from the records it cannot see whether a network was new when its run began: you must.
#
# *Why it matters.* One run is one draw. The question is not what the paper found, but what your own numbers can carry.

# %% starter
runs = []  # what resnet.fit returned
conclusions = {"plain": ..., "ResNet": ...}  # "worse", "better" or "undecided"

# %% check
resnet.check.rerun(runs, conclusions)

# %% hint [markdown]
# Two loops, over shortcuts and depths, and inside them one over seeds. Call `torch.manual_seed(seed)` before you make the network: it decides the initial weights; `seed=` in `fit` decides the order of the images.

# %% hint [markdown]
# Start with something that takes seconds, `data.first(train=100, test=20)` and one epoch, until the check says that the runs are fine. Then take more, and let it run while you do something else.

# %% solution
data = resnet.load_data("fashion-mnist", sample=True).first(train=40, test=20)
recipe = resnet.Recipe(
    epochs=1, batch_size=20, lr=0.02, momentum=0.9, image_size=8
)
runs = []
for shortcut in (None, "A"):
    for depth in (20, 56):
        for seed in (0, 1):
            torch.manual_seed(seed)
            net = resnet.cifar_resnet(depth, 10, 1, shortcut=shortcut)
            runs.append(
                resnet.fit(net, data, recipe, seed=seed, progress=False)
            )


def conclude(family):
    shallow, deep = (
        [
            run.rows[-1]["train_loss"]
            for run in runs
            if run.network == f"{family}-{depth}"
        ]
        for depth in (20, 56)
    )
    p = stats.ttest_ind(
        deep, shallow, equal_var=False, alternative="greater"
    ).pvalue
    return "worse" if p < 0.05 else "better" if p > 0.95 else "undecided"


conclusions = {family: conclude(family) for family in ("plain", "ResNet")}

# %% explanation [markdown]
# These runs are as short as they can be: two seeds, 40 images shrunk to 8×8 pixels, one epoch. They show how the exercise is done, and whatever they conclude is about the first steps of training on a few images, not about the claim. Before you believe a
# result of your own, ask
#
# - Is the training loss still falling fast? Degradation is a gap that *stays*.
# - With two runs a standard deviation is itself a bad estimate. The test allows for that: with two runs of each network it asks for a difference of at least 2.92 standard errors. (If there is no difference, one of two standard errors or more still turns up in 18 of 100 cases.) How do the conclusions change with five?
# - Is the difference due to depth, or would the deeper network just have needed another learning rate?
#
# A good report gives the number of runs, mean and deviation, the recipe and the data, and says "undecided" where it is.
