"""Stochastic depth

level: core
minutes: 25
importance: extra
line: Leave out whole branches at random in training, and say why the shortcut stands it.
"""

import resnet
import torch
from torch import nn

# %% statement [markdown]
# *Stochastic depth* {cite:p}`huang2016deep` leaves out the branch of a block with some probability in training, so that a batch passes a network that is shorter than it will be in the end. Write a module `StochasticBranch(branch, keep)` that takes the place of a block's branch:
#
# - `branch` is a module and `keep` the probability, from 0 to 1, that it stays;
# - in training mode, one draw at every call decides for the *whole batch*: with probability `keep` the output is `branch(x)`, otherwise zeros of that shape, without any scaling;
# - in evaluation mode the output is `keep * branch(x)`: what it was on average.
#
# The branch must be part of the module, so that its weights are trained; `keep` is a number that stays, not a parameter.
#
# Then, in words: why is this harmless for $x_L = x_l + \sum F(x_i)$, while *dropout on the shortcut*, which sets single values of what the shortcut carries to zero, made a network of 110 layers fail in the second paper?
#
# *Why it matters.* It trains networks of a thousand layers in less time, and it is a test of whether one has understood which of the two ways must not be touched.


# %% starter
class StochasticBranch(nn.Module):
    def __init__(self, branch, keep):
        super().__init__()

    def forward(self, x):
        raise NotImplementedError("StochasticBranch.forward")


# %% check
resnet.check.stochastic_depth(StochasticBranch)

# %% hint [markdown]
# A module knows its mode: `self.training`.

# %% hint [markdown]
# `torch.rand(())` is one number from 0 to 1. How often is it below `keep`?

# %% help [markdown]
# keep is the probability of staying, not of being left out.
#
# `torch.rand(()) < keep` is true with the probability `keep`. What does your module do when it is true? And by what does it multiply in evaluation mode?

# %% help [markdown]
# leaves out the branch of some images. One draw is for the whole batch.
#
# How many numbers does your draw have? `torch.rand(())` is a single one, whatever comes in.

# %% help [markdown]
# the branch has its full size, larger than it was on average in training.
#
# In evaluation mode nothing is drawn. With the probability `keep` the branch was there in training, otherwise 0: what is that on average?


# %% solution
class StochasticBranch(nn.Module):
    def __init__(self, branch, keep):
        super().__init__()
        self.branch, self.keep = branch, keep

    def forward(self, x):
        if not self.training:
            return self.keep * self.branch(x)
        y = self.branch(x)
        return y if torch.rand(()) < self.keep else torch.zeros_like(y)


# %% explanation [markdown]
# (To save time one would not compute a branch that is left out; where it keeps the shape, `torch.zeros_like(x)` does. The branch's BNs then do not move their averages either.)
#
# In words. Leaving out a branch takes one term out of the sum: $x_L = x_l + \sum_{\text{kept}} F(x_i)$. The first term stays as it is, in the signal and, as a 1, in the gradient. What is missing is a small change of what is there, and the network without that block is a good network, too. Dropout on the shortcut acts on $x_l$ itself: with the factor 0.5 for every value and every
# block, as the paper describes it and without PyTorch's doubling of what is kept, it works like $\lambda = 0.5$ on average, and over 54 blocks the direct term has $0.5^{54}$ of its size. A good answer names both the signal and the gradient.
