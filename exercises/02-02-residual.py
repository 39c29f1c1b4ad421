"""A residual block of your own

level: core
minutes: 25
importance: essential
line: Write the block from its formula, for shapes that stay and shapes that change.
"""

import resnet
import torch.nn.functional as F
from torch import nn

# %% statement [markdown]
# Write a class `Residual(in_channels, channels, stride=1)`, a subclass of
# `nn.Module`, without looking at the chapter. With $x$ for the input, the block computes
#
# $$
# \mathrm{ReLU}\bigl(\mathrm{BN}(\mathrm{conv}_2(\mathrm{ReLU}(\mathrm{BN}(\mathrm{conv}_1(x))))) + s(x)\bigr) .
# $$
#
# Both convolutions have 3×3 kernels and one pixel of padding; $\mathrm{conv}_1$ leads from `in_channels`
# to `channels` and has the stride, $\mathrm{conv}_2$ leads from `channels` to `channels` and has
# none. The shortcut $s$ hands $x$ on where the block keeps the shape, that is, where `stride` is 1 and
# `in_channels` equals `channels`. Otherwise it is a 1×1 convolution, followed by a BN, that gives $x$ the shape of the
# other summand (option B). BN is `nn.BatchNorm2d`, each a layer of its own. Whether the convolutions have biases is up to you.
#
# *Why it matters.* Every network of this book is a stack of such blocks. Nearly all mistakes in
# rebuilding them are in the few lines of `forward`.


# %% starter
class Residual(nn.Module):
    def __init__(self, in_channels, channels, stride=1):
        super().__init__()

    def forward(self, x):
        raise NotImplementedError("Residual.forward")


# %% check
resnet.check.residual(Residual)

# %% hint [markdown]
# Follow the shape. For an input of 9×12 pixels and stride 2, what are height and width behind each of
# the two convolutions? The shortcut's output must be as large.

# %% hint [markdown]
# Count the ReLUs in the formula, and what stands inside the last one. `nn.Sequential()` without any layer hands its input
# on, so that `forward` need not tell the two kinds of shortcut apart.

# %% help [markdown]
# the last ReLU comes before the addition
#
# Read your last line from the inside: what is added first, and what gets the ReLU? In the formula the sum stands inside the last ReLU.

# %% help [markdown]
# must match the size of tensor … Two tensors of different shapes are added
#
# Print `y.shape` and the shape of the shortcut's output just before the addition, for `Residual(6, 10, 2)`. The axis in which they differ tells which of the two ways lacks a stride, or has one too many.

# %% help [markdown]
# the input is needed as it was. Look for `+=` and `inplace=True`
#
# `y += s` writes into the tensor `y`. If `y` is the input, or the shortcut hands the input on, the input changes. `y = y + s` makes a new tensor; `nn.ReLU(inplace=True)` as the first layer on the input does the same harm.


# %% solution
class Residual(nn.Module):
    def __init__(self, in_channels, channels, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(
            in_channels, channels, 3, stride, padding=1, bias=False
        )
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride != 1 or in_channels != channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, channels, 1, stride, bias=False),
                nn.BatchNorm2d(channels),
            )

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + self.shortcut(x))


# %% explanation [markdown]
# The last ReLU is behind the addition: before it, the branch could only add, never take away, and the signal could only
# grow from block to block. The shortcut has the branch's stride, or the two summands would have different
# sizes. Its convolution is followed by a BN like every other one. `y + …` makes a new tensor; `x += y`
# would write into the input, which whoever called the block may still need, and which autograd needs to compute gradients.
