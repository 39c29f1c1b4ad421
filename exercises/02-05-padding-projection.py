"""Zero padding is a projection

level: core
minutes: 20
importance: useful
line: Write option A as a 1×1 convolution, and say why it is not option B nonetheless.
"""

import resnet
import torch

# %% statement [markdown]
# Option A makes an input fit without any parameters: it keeps every second pixel of both axes, starting with the first, and appends channels of zeros. Show that this is a 1×1 convolution with stride 2 and particular
# weights: write `weights(in_channels, channels)` that returns the tensor `weight`, of shape `(channels, in_channels, 1, 1)`, with which `torch.nn.functional.conv2d(x, weight, stride=2)` is option A, for `channels >= in_channels`. Output channel $c$ of such a convolution is $\sum_k \mathtt{weight}[c, k] \cdot x_k$.
#
# Then, in words: if option A is one choice of option B's weights, why do networks with A and with B differ after training? What would weight decay do to these weights?
#
# *Why it matters.* The paper compares zero padding with projections, and finds the projection a little better. Seeing one as a case of the other shows what is compared.


# %% starter
def weights(in_channels, channels):
    """Return a tensor of shape (channels, in_channels, 1, 1)."""
    raise NotImplementedError("weights")


# %% check
resnet.check.padding_projection(weights)

# %% hint [markdown]
# Write the matrix `weight[:, :, 0, 0]` for two channels in and four out. Which row makes output channel 0? Which one makes output channel 3?

# %% hint [markdown]
# `torch.eye(rows, columns)` makes a matrix with ones where row and column have the same number.

# %% help [markdown]
# the channels that come out are first
#
# PyTorch's weights have the shape (channels out, channels in, height, width). Transposed, or made with the two numbers the other way round, the matrix has the right entries in the wrong place.

# %% help [markdown]
# the new channels are not zero
#
# Row $c$ of the matrix makes output channel $c$. For a channel that is to be zero, what is the whole row?

# %% help [markdown]
# the first 2 channels do not come out as they are
#
# Row 0 makes channel 0 out of all inputs: a 1 for input 0, zeros for the others. Print `weight[:, :, 0, 0]` and look where the ones are.


# %% solution
def weights(in_channels, channels):
    return torch.eye(channels, in_channels)[:, :, None, None]


# %% explanation [markdown]
# The upper part is an identity matrix, the lower part is zero. For 64 to 128 channels it has 64 ones and 8,128 zeros.
#
# In words. A projection without BN *contains* option A, and still networks with A and with B differ:
#
# - B's weights start at random, not at this matrix, and training need not come near it;
# - weight decay pulls B's weights to zero, where nothing passes on the shortcut (behind a BN, it is the BN's scale that has to shrink); A's ones are no parameters, so that nothing can pull at them;
# - in B, a BN follows the projection in the original block; option A has none, and in training mode that BN makes something else of the signal than a copy.
#
# Once more: what counts is not what a class contains, but what training makes of it. The paper (Table 3) found B slightly better than A, and gives as a reason that A learns nothing residual in its padded channels.
