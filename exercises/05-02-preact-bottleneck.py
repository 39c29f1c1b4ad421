"""The bottleneck, pre-activated

level: core
minutes: 25
importance: useful
line: Write the pre-activation bottleneck, whose shape-changing form is easily got wrong.
"""

import resnet
import torch.nn.functional as F
from torch import nn

# %% statement [markdown]
# Write `PreActBottleneck(in_channels, channels, stride=1)`, a subclass of `nn.Module`:
#
# - first BN and ReLU on the input: call the result $a$;
# - the branch starts from $a$: a 1×1 convolution from `in_channels` to `channels` with the given stride; BN, ReLU; a 3×3 convolution with one pixel of padding; BN, ReLU; a 1×1 convolution to `4 * channels`;
# - the shortcut: where the shape is kept (`stride` is 1 and `in_channels` is `4 * channels`) the *raw input*; otherwise a 1×1 convolution *of $a$* to `4 * channels` with the stride, without BN;
# - the sum of the two, and nothing after it.
#
# Whether convolutions have biases is up to you. How many BNs does the block have, and how wide are they?
#
# *Why it matters.* The drawing in the paper shows the block that keeps the shape. The other one is where re-implementations differ, and its mistakes do not raise errors.


# %% starter
class PreActBottleneck(nn.Module):
    def __init__(self, in_channels, channels, stride=1):
        super().__init__()

    def forward(self, x):
        raise NotImplementedError("PreActBottleneck.forward")


# %% check
resnet.check.preact_bottleneck(PreActBottleneck)

# %% hint [markdown]
# Keep both `x` and `a` in `forward`. The branch needs one of them, and the shortcut one or the other, depending on its kind.

# %% hint [markdown]
# A BN stands in front of each convolution of the branch, so its width is that of the convolution's input.

# %% hint [markdown]
# `F.relu(self.bn1(x))` leaves `x` as it is. `F.relu(x, inplace=True)` would not.

# %% help [markdown]
# the projection gets the raw input.
#
# Only the identity shortcut carries $x$ itself. Where a 1×1 convolution makes the shape fit, it starts from the same activated input as the branch.

# %% help [markdown]
# where the shape is kept, the shortcut carries the activated input
#
# Keep two names in `forward`: `x` for what came in and `a` for what BN and ReLU make of it. Which of them is added where nothing has to fit?

# %% help [markdown]
# there is a ReLU after the addition.
#
# In this block every activation comes before a convolution. The sum leaves the block as it is, and the next block activates it.


# %% solution
class PreActBottleneck(nn.Module):
    def __init__(self, in_channels, channels, stride=1):
        super().__init__()
        wide = 4 * channels
        self.bn1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, channels, 1, stride, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(channels)
        self.conv3 = nn.Conv2d(channels, wide, 1, bias=False)
        self.project = None
        if stride != 1 or in_channels != wide:
            self.project = nn.Conv2d(in_channels, wide, 1, stride, bias=False)

    def forward(self, x):
        a = F.relu(self.bn1(x))
        y = self.conv1(a)
        y = self.conv2(F.relu(self.bn2(y)))
        y = self.conv3(F.relu(self.bn3(y)))
        return y + (x if self.project is None else self.project(a))


# %% explanation [markdown]
# Three BNs: one of `in_channels` and two of `channels` channels. None is as wide as the output, since the next block begins with that one. Give the identity shortcut the activated input instead, and no error appears: the sum of the chapter, $x_L = x_l + \sum F$, simply no longer holds, because the ReLU is back on the way from block to block.
