"""From block to network, pre-activated

level: core
minutes: 30
importance: essential
line: Assemble a pre-activation network, with what has to change at its two ends.
"""

import resnet
from torch import nn

# %% statement [markdown]
# Write `make(n)`, which returns the pre-activation network of $6n + 2$ layers for images with three channels and ten classes, without `resnet.cifar_resnet`. Use `resnet.PreActBasicBlock(in_channels, channels, stride, shortcut="A")`. Its parts, in order:
#
# - the stem: a 3×3 convolution from 3 to 16 channels with one pixel of padding and no bias, BN, ReLU;
# - three stages of $n$ blocks with 16, 32 and 64 channels; stages 2 and 3 begin with stride 2;
# - what pre-activation needs at the end, before the mean over all pixels;
# - the mean over all pixels and a linear layer to 10 classes.
#
# A block of the module computes `before(x)`, BN and ReLU, and starts its branch from there. The stem has activated what the *first* block of the network gets, so this block must not do it again: exchange its `before` for an `nn.Identity()`.
#
# *Why it matters.* Moving the activation to the front of the blocks leaves one activation too many at the beginning of the network and one too few at its end. Both are forgotten without an error, and the second costs accuracy.


# %% starter
def make(n):
    """Return the pre-activation network of 6n + 2 layers."""
    raise NotImplementedError("make")


# %% check
resnet.check.preact_network(make)

# %% hint [markdown]
# Draw the layers between the last convolution of the last block and the linear layer, for the original network and for yours. What is missing?

# %% hint [markdown]
# The sum that leaves the last block has been neither normalised nor cut off. In every other place the next block would see to that.

# %% help [markdown]
# the last BN and ReLU are missing.
#
# Each block hands on a bare sum and relies on the next block to activate it. Behind the last block there is none.

# %% help [markdown]
# the first block activates what the stem has activated already.
#
# BN and ReLU of the stem, then `before` of the first block: the same twice. The statement says what to exchange, and in one block only.

# %% help [markdown]
# used 2 times (at 4, 5), with the same weights each time.
#
# `[block] * n` is one block, `n` times. A list comprehension calls the class anew for each place.


# %% solution
def make(n):
    blocks, width = [], 16
    for channels in (16, 32, 64):
        for i in range(n):
            stride = 2 if channels > 16 and i == 0 else 1
            blocks.append(
                resnet.PreActBasicBlock(width, channels, stride, shortcut="A")
            )
            width = channels
    blocks[0].before = nn.Identity()
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        *blocks,
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(64, 10),
    )


# %% explanation [markdown]
# The number of parameters is that of the original network: each block's last BN has moved to the front of the next block, and that of the last block to the end of the network. Forget the last BN and ReLU, and 128 parameters are missing; the network still trains, but its linear layer gets the raw sum, of any size and sign. Activate the first block's input twice, and 32 parameters are too many.
