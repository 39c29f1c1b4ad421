"""Split and join

level: core
minutes: 25
importance: useful
line: Build a ResNeXt block, a bottleneck whose 3×3 convolution is divided into groups.
"""

import resnet
import torch.nn.functional as F
from torch import nn

# %% statement [markdown]
# A convolution in $G$ *groups* divides its input channels and its output channels into $G$ equal parts; the output channels of a part see the input channels of that part only. In PyTorch it is the argument `groups` of `nn.Conv2d`. ResNeXt {cite:p}`xie2017aggregated` replaces the 3×3 convolution of the bottleneck by a grouped one, and makes it wider at the same cost.
#
# Write `Grouped(in_channels, width, out_channels, stride=1, groups=32)`: a 1×1 convolution to `width` channels, BN, ReLU; a 3×3 convolution from `width` to `width` in `groups` groups with the given stride and one pixel of padding, BN, ReLU; a 1×1 convolution to `out_channels`, BN. The 1×1 convolutions are not grouped. The shortcut is the identity where the shape is kept and otherwise a 1×1 convolution
# with the stride, and a BN; the addition; a ReLU. Use one convolution with `groups`, not several. Whether convolutions have biases is up to you.
#
# Then compare `Grouped(256, 128, 256)` with `resnet.Bottleneck(256, 64)`: use `resnet.count_parameters`, and `resnet.multiply_adds(block, (1, 256, 56, 56))`. What may a group see, and what may it not? How do the groups learn of one another?
#
# *Why it matters.* It is Inception's idea of parallel paths in a form with one number for all of them, and the extension of ResNets that is most used.


# %% starter
class Grouped(nn.Module):
    def __init__(self, in_channels, width, out_channels, stride=1, groups=32):
        super().__init__()

    def forward(self, x):
        raise NotImplementedError("Grouped.forward")


# %% check
resnet.check.resnext(Grouped)

# %% hint [markdown]
# Start from the bottleneck of v1.5. One argument of one convolution is new.

# %% hint [markdown]
# The widths are given one by one here: nothing is four times anything. When is the shape kept?

# %% help [markdown]
# the 3x3 convolution is not grouped: every channel sees all others.
#
# Is `groups` passed on to the 3×3 convolution, or only taken by `__init__`?

# %% help [markdown]
# more than the 3x3 convolution is grouped.
#
# The 1×1 convolutions are where the groups meet. If they were grouped as well, the block would be separate networks side by side.

# %% help [markdown]
# which none should have at this place.
#
# Compare the printed shape, (out, in / groups, height, width), with the three convolutions of the text. `width` is the middle; nothing is four times anything.


# %% solution
class Grouped(nn.Module):
    def __init__(self, in_channels, width, out_channels, stride=1, groups=32):
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(in_channels, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, stride, 1, groups=groups, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.shortcut = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x):
        return F.relu(self.branch(x) + self.shortcut(x))


for block in (Grouped(256, 128, 256), resnet.Bottleneck(256, 64)):
    parameters = resnet.count_parameters(block)
    adds = resnet.multiply_adds(block, (1, 256, 56, 56))
    print(f"{parameters:,} parameters, {adds:,} multiply-adds")

# %% explanation [markdown]
# The grouped 3×3 convolution has $9 \cdot 128 \cdot 128 / 32 = 4{,}608$ weights instead of $9 \cdot 64^2 = 36{,}864$; what is saved pays for 1×1 convolutions of twice the width. The two blocks cost about the same.
#
# A group of 4 channels sees the 4 channels of its own group, in a window of 3×3 pixels, and nothing of the other 31. The groups meet in the 1×1 convolutions: the last one adds their outputs, and the next block's first one mixes them anew. So a block is a sum of 32 narrow bottlenecks next to each other, each with 4 channels in its middle, and one BN and one addition for all.
