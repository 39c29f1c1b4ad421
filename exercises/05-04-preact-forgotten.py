"""Forgotten parts

level: core
minutes: 15
importance: extra
line: Say which mistakes in a pre-activation network show in its number of parameters.
"""

import resnet

# %% statement [markdown]
# By how many parameters does a network with a mistake differ from the right one? Write a difference *with mistake* minus *right*, with a sign.
#
# - **a.** The pre-activation network with 110 layers and basic blocks (16, 32 and 64 channels in its three stages, option A), *without* the BN and ReLU after the last block.
# - **b.** The pre-activation network with 164 layers and bottlenecks (16, 32 and 64 channels in the middle, four times as many at the ends, projections where the shape changes; the stem gives 16 channels), *with* a BN on each projection.
# - **c.** Either network, with the activated input instead of the raw one on every *identity* shortcut.
#
# **only by outputs.** Which of the three mistakes can be noticed only by comparing outputs?
#
# *Why it matters.* A count of parameters is a cheap test of a transcription. One should know what it does not see.

# %% starter
numbers = {"a": ..., "b": ..., "c": ...}  # with a sign; 0 for no difference
answers = {"only by outputs": ...}  # "a", "b" or "c"

# %% check
resnet.check.preact_forgotten(numbers, answers)

# %% hint [markdown]
# A BN on $C$ channels has $2C$ parameters. How wide is the one after the last block?

# %% hint [markdown]
# In network b, in which blocks does the shape change? The stem gives 16 channels, and the first stage gives 64.

# %% help [markdown]
# more, or fewer?
#
# The number is right, its sign is not: *with mistake* minus *right*. Has the network with the mistake more parameters or fewer?

# %% help [markdown]
# the first stage has a projection, too: 16 channels come in, 64 go out.
#
# A projection is needed where the shape changes, and here the number of channels changes in each stage's first block.

# %% help [markdown]
# Its number of parameters differs.
#
# If a count shows a mistake, it is not one that only outputs show. Which of the three mistakes adds no tensor and takes none away?

# %% solution
numbers = {"a": -2 * 64, "b": 2 * (64 + 128 + 256), "c": 0}
answers = {"only by outputs": "c"}

# %% explanation [markdown]
# In *a* a BN on 64 channels is missing, 128 parameters. In *b* there are three projections, to 64, 128 and 256 channels, and a BN on each has 896 parameters. In *c* nothing is added or taken away: the same tensors are connected in another way. Only a comparison of outputs with the same weights shows it, or a test of the sum $x_L = x_l + \sum F$.
