"""Where to put the copies

level: core
minutes: 15
importance: useful
line: Predict, stage by stage, what happens if the added blocks come first and the copied ones last.
"""

import resnet

# %% statement [markdown]
# The chapter builds a residual network of 56 layers from a trained one of 20. Each of the three stages
# has 3 blocks in the shallow network and 9 in the deep one, with 16, 32 and 64 channels in the three stages. The shortcuts have no
# parameters: where the number of channels changes, zeros are appended (option A). The function `grow` copies the three trained blocks
# to the *first* three places of each stage and sets the weights of the six added blocks to zero.
#
# Let it be the other way round: in each stage the six added blocks at zero come first, and the three trained blocks go, with all their
# weights, to the *last* three places. The places keep the shapes they have: the first block of stage 2
# leads from 16 to 32 channels, that of stage 3 from 32 to 64, and all others keep their number. What happens in
# stage 1, stage 2 and stage 3, each changed alone?
#
# - (a) The deep network gives the same scores as the shallow one.
# - (b) The weights of a trained block do not fit into the place where they should go.
# - (c) Everything fits, but the scores are others.
#
# *Why it matters.* "Added layers are identities" is true of blocks that keep the shape. Where the shape changes, the position of
# a block is part of what it computes.

# %% starter
answers = {"stage 1": ..., "stage 2": ..., "stage 3": ...}  # "a", "b" or "c"

# %% check
resnet.check.grow_order(answers)

# %% hint [markdown]
# Write down, for each stage, the channels that go in and out of the first, the second and the seventh block of the deep network, and of the first
# block of the shallow network.

# %% hint [markdown]
# Stage 1 starts from 16 channels that have been through the stem's ReLU. What does a block with zero weights make of them?

# %% help [markdown]
# What comes in here has been through a ReLU.
#
# A block at zero computes $\mathrm{ReLU}(x + 0)$. Put in an $x$ without negative values, six times in a row.

# %% help [markdown]
# Write down the channels in and out of the stage's first and second block.
#
# In stage 1 all of them are equal. A weight tensor fits a place if the place has as many channels in and out as the weights have.

# %% help [markdown]
# Which block of the trained network changes the channels, and where does it end up?
#
# Write the shape of its first convolution's weights, (out, in, 3, 3), beside the shape that the seventh place has. PyTorch copies only where the two are equal.

# %% solution
answers = {"stage 1": "a", "stage 2": "b", "stage 3": "b"}

# %% explanation [markdown]
# In stage 1 all blocks keep the shape, and what comes in is not negative. Six blocks at zero hand it on, the
# trained blocks then do what they did: the scores are the same.
#
# In stages 2 and 3 the first trained block leads from 16 to 32 (from 32 to 64) channels: its first convolution has kernels for 16 (32) channels. At
# place seven the kernels have to take 32 (64). Copying fails with an error about sizes. One could keep the first trained
# block first and put the added blocks behind it, in front of the two others; that works, as an identity may stand anywhere between
# blocks of one shape.
