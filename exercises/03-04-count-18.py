"""Count the parameters of a stage

level: core
minutes: 20
importance: essential
line: Derive a stage's parameters from its numbers of channels and blocks alone.
"""

import resnet

# %% statement [markdown]
# Write `parameters(in_channels, channels, blocks)`, which returns how many parameters a stage of basic blocks has, by arithmetic and without building anything. A block has two 3×3 convolutions without bias, each followed by a BN (a scale and a shift for each channel). The first block leads from
# `in_channels` to `channels`; if the two differ, it has a projection: a 1×1 convolution without bias and a BN. All other blocks lead from `channels` to `channels`.
#
# *Why it matters.* Counting is the quickest test of a rebuilt network, and the count tells where its parameters sit.


# %% starter
def parameters(in_channels, channels, blocks):
    """Return the number of parameters of a stage of basic blocks."""
    raise NotImplementedError("parameters")


# %% check
resnet.check.count_18(parameters)

# %% hint [markdown]
# A 3×3 convolution from $C$ to $D$ channels has $9 C D$ weights, a BN on $D$ channels has $2 D$ parameters.

# %% hint [markdown]
# Write down a stage of one block first. How many convolutions lead from `in_channels` to `channels`, and how many from `channels` to `channels`?

# %% help [markdown]
# the projection is missing.
#
# It is there exactly if `in_channels` and `channels` differ, and only in the first block. It has two layers with parameters.

# %% help [markdown]
# the first convolution has other channels in.
#
# Of the $2 \cdot \text{blocks}$ 3×3 convolutions of a stage one has `in_channels` channels coming in. All others have `channels` on both sides.

# %% help [markdown]
# a batch normalisation has two numbers per channel.
#
# A scale and a shift for each channel: $2D$ for a BN on $D$ channels. There is a BN behind each convolution.


# %% solution
def parameters(in_channels, channels, blocks):
    total = 9 * in_channels * channels  # the first convolution
    total += (2 * blocks - 1) * 9 * channels * channels  # all others
    total += 2 * blocks * 2 * channels  # their batch normalisations
    if in_channels != channels:
        total += in_channels * channels + 2 * channels  # the projection
    return total


# %% explanation [markdown]
# For ResNet-18 the stages have `parameters(64, 64, 2)` = 147,968, `parameters(64, 128, 2)` = 525,568, `parameters(128, 256, 2)` = 2,099,712 and `parameters(256, 512, 2)` = 8,393,728 parameters. From stage to stage this is about four times as much, because the number of channels doubles and the weights go with its square. With stem and head the total for
# three input channels and 1,000 classes is 11,689,512.
#
# The paper's networks for CIFAR-10 (Sec. 4.2) have three such stages with 16, 32 and 64 channels, and zero padding (option A) where a projection would be. Without the projection's line, 20 layers (three blocks per stage) have 464 + 14,016 + 51,072 + 203,520 + 650 = 269,722 parameters with stem and linear layer: the 0.27 million of the paper's Table 6.
