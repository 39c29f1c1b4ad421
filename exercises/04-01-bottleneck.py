"""A bottleneck of your own

level: core
minutes: 25
importance: essential
line: Write the bottleneck of v1.5, with the stride on the 3×3 convolution.
"""

import resnet
import torch.nn.functional as F
from torch import nn

# %% statement [markdown]
# Write a class `Bottleneck(in_channels, channels, stride=1)`, a subclass of `nn.Module`, in the form called v1.5, without looking at the chapter:
#
# - the branch: a 1×1 convolution from `in_channels` to `channels`, BN, ReLU; a 3×3 convolution with one pixel of padding and the given stride, BN, ReLU; a 1×1 convolution from `channels` to `4 * channels`, BN;
# - the shortcut: the input itself where the block keeps the shape (`stride` is 1 and `in_channels` is `4 * channels`), otherwise a 1×1 convolution to `4 * channels` with the stride of the block, and a BN;
# - the addition, and then a ReLU.
#
# Whether convolutions have biases is up to you; `nn.BatchNorm2d` is the BN.
#
# *Why it matters.* All networks of the paper's Table 1 from 50 layers on consist of bottlenecks. The place of the stride decides whether pretrained weights give right scores or wrong ones, and nothing raises an error.


# %% starter
class Bottleneck(nn.Module):
    def __init__(self, in_channels, channels, stride=1):
        super().__init__()

    def forward(self, x):
        raise NotImplementedError("Bottleneck.forward")


# %% check
resnet.check.bottleneck(Bottleneck)

# %% hint [markdown]
# Write the number of channels beside each of the three convolutions, and the size in pixels. Only one of them has a stride.

# %% hint [markdown]
# `Bottleneck(64, 64)` has stride 1 and needs a projection all the same. Why?

# %% help [markdown]
# the stride is on the first 1x1 convolution: this is v1.
#
# Move the `stride` to the 3×3 convolution. Both forms have the same weights and shapes; only which pixels are read differs.

# %% help [markdown]
# there is a projection on the shortcut although the shape is kept.
#
# The shape is kept where what comes in has `4 * channels` channels and the stride is 1. Compare `in_channels` with what the block gives, not with `channels`.

# %% help [markdown]
# returns shape (3, 3, 9, 6); expected (3, 12, 9, 6).
#
# The second argument is the width of the middle. The last convolution gives four times as many.


# %% solution
class Bottleneck(nn.Module):
    def __init__(self, in_channels, channels, stride=1):
        super().__init__()
        wide = 4 * channels
        self.branch = nn.Sequential(
            nn.Conv2d(in_channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, wide, 1, bias=False),
            nn.BatchNorm2d(wide),
        )
        self.shortcut = nn.Identity()
        if stride != 1 or in_channels != wide:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, wide, 1, stride, bias=False),
                nn.BatchNorm2d(wide),
            )

    def forward(self, x):
        return F.relu(self.branch(x) + self.shortcut(x))


# %% explanation [markdown]
# The check gave your block and a bottleneck of v1.5 the same weights and compared outputs, in training and in evaluation mode, and gradients. The number of parameters could not have told v1 from v1.5: the same tensors fit into both. In v1.5 the 3×3 convolution reads every pixel on its way to the smaller image; in v1 the first 1×1 convolution skips three quarters of them.
#
# Courses and articles that build ResNet-50 in Keras have two blocks in its place: the *identity block* is `Bottleneck(4 * c, c)`, and the *convolutional block*, which always has a projection, is `Bottleneck(in_channels, c, s)` with the stride on the first 1×1 convolution.
