"""All of Table 1

level: core
minutes: 30
importance: essential
line: Build the five networks of the paper's Table 1 from one function.
"""

from collections import OrderedDict

import resnet
from torch import nn

# %% statement [markdown]
# Write `make(depth)`, which returns the network of the paper's Table 1 with 18, 34, 50, 101 or 152 layers, for images with three channels and 1,000 classes. Do not use `resnet.imagenet_resnet` or its relatives; the blocks `resnet.BasicBlock(in_channels, channels, stride)`
# and `resnet.Bottleneck(in_channels, channels, stride)` are there to be used. The latter gives `4 * channels` channels. The stride of a bottleneck is on its first 1×1 convolution, as in the paper and in this class: a bottleneck of your own must have it there, too.
#
# | layers | block | blocks in the four stages |
# |---|---|---|
# | 18 | basic | 2, 2, 2, 2 |
# | 34 | basic | 3, 4, 6, 3 |
# | 50 | bottleneck | 3, 4, 6, 3 |
# | 101 | bottleneck | 3, 4, 23, 3 |
# | 152 | bottleneck | 3, 8, 36, 3 |
#
# In all of them `channels` is 64, 128, 256 and 512 in the four stages, and every stage but the first begins with stride 2. Stem: a 7×7 convolution to 64 channels with stride 2, padding 3 and no bias, BN, ReLU, and a max pooling of 3×3 with stride 2 and padding 1. Head: the mean over all pixels and a linear layer.
#
# *Why it matters.* D2L asks for it. Five columns of a table become one function and five lists, and that is all that these networks differ in.


# %% starter
def make(depth):
    """Return the network of Table 1 with this many layers."""
    raise NotImplementedError("make")


# %% check
resnet.check.table_1(make)

# %% hint [markdown]
# Go through the stages with a variable for the number of channels that come in. What is it after a block of either kind?

# %% hint [markdown]
# Both kinds of block take the same arguments. They differ in how many channels they give: once or four times `channels`.

# %% help [markdown]
# make(34) has the layers of ResNet-18.
#
# Look up the row of the table for this depth. Is the number of blocks a list that depends on `depth`?

# %% help [markdown]
# with equal weights other outputs
#
# All layers are there with the right shapes. Then it is a stride, a padding, the order of two layers, or what is added to what. Print `make(18)` and go down the list with the text beside it.

# %% help [markdown]
# It has 1 average pooling, which does not belong here.
#
# The stem has a *max* pooling. The mean over all pixels at the end is counted apart.

# %% solution
COUNTS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}


def make(depth):
    block, factor = (
        (resnet.Bottleneck, 4) if depth >= 50 else (resnet.BasicBlock, 1)
    )
    parts = OrderedDict(
        conv=nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False),
        bn=nn.BatchNorm2d(64),
        relu=nn.ReLU(),
        maxpool=nn.MaxPool2d(3, stride=2, padding=1),
    )
    width = 64
    for i, count in enumerate(COUNTS[depth]):
        channels = 64 * 2**i
        for j in range(count):
            stride = 2 if i > 0 and j == 0 else 1
            parts[f"stage{i + 1}-{j + 1}"] = block(width, channels, stride)
            width = factor * channels
    parts.update(
        pool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        fc=nn.Linear(width, 1000),
    )
    return nn.Sequential(parts)


# %% explanation [markdown]
# The depth is $2 + 2 \cdot (\text{blocks})$ with basic blocks and $2 + 3 \cdot (\text{blocks})$ with bottlenecks. 34 and 50 layers have the same list: each basic block has been exchanged for a bottleneck. From there on only the two middle stages grow. Keeping the number of channels that come in as a variable of the loop is what makes the first block of
# every stage come out right, the first stage of bottlenecks (64 to 256) included.
