"""ResNet-50 on paper

level: core
minutes: 25
importance: useful
line: Derive the number of parameters of ResNet-50, stage by stage.
"""

import resnet

# %% statement [markdown]
# ResNet-50 for images with three channels and 1,000 classes has
#
# - a stem: a 7×7 convolution from 3 to 64 channels, without bias, and a BN;
# - four stages of 3, 4, 6 and 3 bottlenecks with $c = 64, 128, 256, 512$ channels in the middle and $4c$ at the ends. A bottleneck has a 1×1 convolution to $c$ channels, a 3×3 convolution from $c$ to $c$, and a 1×1 convolution from $c$ to $4c$, without biases, each followed by a BN. The first block of each stage gets 64, 256, 512 or 1024 channels and has a projection to $4c$
#   channels, a 1×1 convolution without bias and a BN; all others get $4c$ channels and have none;
# - a linear layer with biases (`fc`) from 2048 channels to 1,000 classes.
#
# A BN has a scale and a shift for each channel. How many parameters has each part, and the whole?
#
# *Why it matters.* Anyone who can derive the number knows the network. And the derivation shows where its parameters sit, which is not where the computing is done.

# %% starter
answers = {
    "stem": ...,
    "stage1": ...,
    "stage2": ...,
    "stage3": ...,
    "stage4": ...,
    "fc": ...,
    "total": ...,
}

# %% check
resnet.check.count_50(answers)

# %% hint [markdown]
# A block that keeps the shape has $4c \cdot c + 9c^2 + c \cdot 4c = 17c^2$ weights in its convolutions, and $2c + 2c + 8c = 12c$ parameters in its BNs.

# %% hint [markdown]
# In the first block of a stage two things are different: the first 1×1 convolution gets another number of channels, and the projection comes on top.

# %% help [markdown]
# the first block of a stage differs from the others.
#
# Write down the first block of stage 2 by itself: 256 channels come in, the middle has 128, 512 go out, and there is a projection. Then add three blocks that keep the shape.

# %% help [markdown]
# 64 channels come in and 256 go out: this takes a projection, though no stride.
#
# A projection is needed where the shape changes; in stage 1 it is the number of channels alone.

# %% help [markdown]
# but only two of them are trained: those are its parameters.
#
# A BN keeps a scale, a shift, a running mean and a running variance for each channel. Parameters are what training changes by gradients.


# %% solution
def stage(in_channels, c, blocks):
    keeping = 17 * c * c + 12 * c
    first = in_channels * c + 13 * c * c + 12 * c
    projection = in_channels * 4 * c + 2 * 4 * c
    return first + projection + (blocks - 1) * keeping


answers = {
    "stem": 49 * 3 * 64 + 2 * 64,
    "stage1": stage(64, 64, 3),
    "stage2": stage(256, 128, 4),
    "stage3": stage(512, 256, 6),
    "stage4": stage(1024, 512, 3),
    "fc": 2048 * 1000 + 1000,
}
answers["total"] = sum(answers.values())

# %% explanation [markdown]
# The parts have 9,536, 215,808, 1,219,584, 7,098,368, 14,964,736 and 2,049,000 parameters, 25,557,032 in all. The last stage alone has more than half of them, with three of the sixteen blocks, on images of 7×7 pixels; the third has more multiply-adds than any other. The linear layer has a twelfth.
#
# The name counts the layers with weights on the main path: $1 + 3 \cdot 16 = 49$ convolutions and one linear layer. Four projections lie beside it, one for each stage; the first stage has stride 1 and needs one all the same, because it leads from 64 to 256 channels.
