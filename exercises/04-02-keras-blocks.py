"""Identity block and convolutional block

level: core
line: Write the two blocks of the Keras articles in PyTorch.
"""

import resnet
import torch.nn.functional as F
from torch import nn

# %% statement [markdown]
# Courses and articles build ResNet-50 in Keras from an *identity block* and a *convolutional block*. Write both as subclasses of `nn.Module`:
#
# - `IdentityBlock(in_channels, filters, f)`;
# - `ConvolutionalBlock(in_channels, filters, f, s)`.
#
# `filters` is a list of three numbers $[F_1, F_2, F_3]$. The main path of both is: a 1×1 convolution to $F_1$ channels, BN, ReLU; an $f \times f$ convolution to $F_2$ channels that keeps the size ($f$ is odd), BN, ReLU; a 1×1 convolution to $F_3$ channels, BN. Then the shortcut is added, and a ReLU follows. In the identity
# block all strides are 1, $F_3$ equals `in_channels`, and the shortcut is the input. In the convolutional block the *first* 1×1 convolution has the stride $s$, and the shortcut is a 1×1 convolution to $F_3$ channels with the stride $s$, and a BN, always, even if no shape changes. Whether convolutions have biases, and whether the BNs have PyTorch's or Keras's eps and momentum, is up to you.
#
# *Why it matters.* These are the bottleneck of the chapter under two other names. Writing them once makes articles in that style easy to read.


# %% starter
class IdentityBlock(nn.Module):
    def __init__(self, in_channels, filters, f):
        super().__init__()

    def forward(self, x):
        raise NotImplementedError("IdentityBlock.forward")


class ConvolutionalBlock(nn.Module):
    def __init__(self, in_channels, filters, f, s):
        super().__init__()

    def forward(self, x):
        raise NotImplementedError("ConvolutionalBlock.forward")


# %% check
resnet.check.keras_blocks(IdentityBlock, ConvolutionalBlock)

# %% hint [markdown]
# Keras says `padding="same"`. For an odd kernel $f$ and stride 1, that is a padding of $(f - 1)/2$.

# %% hint [markdown]
# Both main paths are the same but for the stride. A function that returns the path saves writing it twice.


# %% solution
def main_path(in_channels, filters, f, s=1):
    f1, f2, f3 = filters
    return nn.Sequential(
        nn.Conv2d(in_channels, f1, 1, s),
        nn.BatchNorm2d(f1),
        nn.ReLU(),
        nn.Conv2d(f1, f2, f, padding=f // 2),
        nn.BatchNorm2d(f2),
        nn.ReLU(),
        nn.Conv2d(f2, f3, 1),
        nn.BatchNorm2d(f3),
    )


class IdentityBlock(nn.Module):
    def __init__(self, in_channels, filters, f):
        super().__init__()
        self.path = main_path(in_channels, filters, f)

    def forward(self, x):
        return F.relu(self.path(x) + x)


class ConvolutionalBlock(nn.Module):
    def __init__(self, in_channels, filters, f, s):
        super().__init__()
        self.path = main_path(in_channels, filters, f, s)
        self.shortcut = nn.Sequential(
            nn.Conv2d(in_channels, filters[-1], 1, s),
            nn.BatchNorm2d(filters[-1]),
        )

    def forward(self, x):
        return F.relu(self.path(x) + self.shortcut(x))


# %% explanation [markdown]
# With `filters=[c, c, 4 * c]` and `f=3`, the identity block is `resnet.Bottleneck(4 * c, c)`, and the convolutional block is `resnet.Bottleneck(in_channels, c, s)` where a shape changes. The stride is on the first 1×1 convolution, as in the authors' models: v1. Biases before a BN have no effect, because BN subtracts the mean; the articles have them nonetheless. The stride
# must be on the shortcut as well, since both ways have to arrive with the same size.
