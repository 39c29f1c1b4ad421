"""The 34-layer network

level: core
minutes: 30
importance: essential
line: Build ResNet-34 from the module's block and check it weight for weight.
"""

from collections import OrderedDict

import resnet
from torch import nn

# %% statement [markdown]
# Build ResNet-34 of the paper's Table 1 for images with three channels and 1,000 classes, as a module `net`, and do not use `resnet.resnet34` or a library's. Its parts, in order:
#
# - the stem: a 7×7 convolution from 3 to 64 channels with stride 2, padding 3 and no bias; BN; ReLU; max pooling of 3×3 with stride 2 and padding 1;
# - four stages of 3, 4, 6 and 3 blocks with 64, 128, 256 and 512 channels. Every stage but the first begins with a block of stride 2. A block is `resnet.BasicBlock(in_channels, channels, stride)`, or your own `Residual` from the last chapter, with `nn.BatchNorm2d` as its BN;
# - the head: the mean over all pixels (`nn.AdaptiveAvgPool2d(1)`, `nn.Flatten()`) and a linear layer from 512 to 1,000.
#
# *Why it matters.* The step from a block to a network is where strides and channels get lost. The check gives your network and the module's the same weights and compares the scores.

# %% starter
net = ...

# %% check
resnet.check.resnet34(net)

# %% hint [markdown]
# Write a function `stage(in_channels, channels, blocks, stride)` first. Its first block leads from `in_channels` to `channels`; all others keep the shape.

# %% hint [markdown]
# The first stage gets 64 channels from the stem and keeps them, at stride 1.

# %% help [markdown]
# How many blocks has each stage?
#
# `range(blocks - 1)` behind a first block makes `blocks` in all. Print `net` and count, stage by stage: 3, 4, 6, 3.

# %% help [markdown]
# the first stage has a stride; the stem has just shrunk the image.
#
# Only stages 2, 3 and 4 halve the image. Does your function for a stage take its stride as an argument, and do you pass 1 for the first?

# %% help [markdown]
# It only holds its parts: which of nn's containers runs them in order?
#
# `nn.ModuleList` and `nn.ModuleDict` are lists for a `forward` of your own. `nn.Sequential` has a `forward` that passes the input from part to part.


# %% solution
def stage(in_channels, channels, blocks, stride):
    return nn.Sequential(
        resnet.BasicBlock(in_channels, channels, stride),
        *(resnet.BasicBlock(channels, channels) for _ in range(blocks - 1)),
    )


net = nn.Sequential(
    OrderedDict(
        stem=nn.Sequential(
            nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
        ),
        stage1=stage(64, 64, 3, stride=1),
        stage2=stage(64, 128, 4, stride=2),
        stage3=stage(128, 256, 6, stride=2),
        stage4=stage(256, 512, 3, stride=2),
        pool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        fc=nn.Linear(512, 1000),
    )
)

# %% explanation [markdown]
# The 34 are $1 + 2 \cdot (3 + 4 + 6 + 3) + 1$. Only the four numbers of blocks differ from ResNet-18. In the first stage no block changes the shape, so that it has no projection; the three others have one each.
