"""Residual and Inception

level: core
minutes: 30
importance: extra
line: Compare a residual block with an Inception block: weights, functions, and what concatenating would do.
"""

import resnet

# %% statement [markdown]
# The Inception block of GoogLeNet {cite:p}`szegedy2015going` sends its input along four parallel paths and *concatenates* their outputs: it puts their channels side by side. With 192 channels coming in, the first such block has the paths
#
# - a 1×1 convolution to 64 channels;
# - a 1×1 convolution to 96, then a 3×3 convolution to 128 channels;
# - a 1×1 convolution to 16, then a 5×5 convolution to 32 channels;
# - a max pooling that keeps size and channels, then a 1×1 convolution to 32 channels.
#
# Compare it with a residual block from 192 channels to as many as Inception gives: two 3×3 convolutions and a 1×1 projection. Count the weights of all convolutions, without biases and BN. And let a *concatenating* block get $C$ channels, compute 32 new ones from them and hand on
# both, the $C$ and the 32: how many channels are there after six of them, beginning with 192?
#
# **same.** What do the two blocks have in common?
#
# - (a) Both add the outputs of their paths.
# - (b) Both have a 1×1 convolution on every path.
# - (c) Both are parallel paths from one input, and one of the paths is short.
#
# **lost.** A block that concatenates its input with its branch, instead of adding the branch to it, hands its input on without change. Which property of the residual block does it lose?
#
# - (a) A branch at zero no longer makes the block the identity: the number of channels grows, whatever the weights are.
# - (b) The gradient reaches the block's input only by way of the branch.
# - (c) The block after it no longer gets the input of this one.
#
# *Why it matters.* D2L asks what the major differences are between the two. Both ideas live on: ResNeXt has the parallel paths, DenseNet {cite:p}`huang2017densely` the concatenation.

# %% starter
numbers = {
    "channels out of Inception": ...,
    "weights of Inception": ...,
    "weights of the residual block": ...,
    "channels after 6 concatenating blocks": ...,
}
answers = {"same": ..., "lost": ...}  # "a", "b" or "c"

# %% check
resnet.check.inception(numbers, answers)

# %% hint [markdown]
# A convolution from $C$ to $D$ channels with a $k \times k$ kernel has $k^2 C D$ weights. Each of the four paths starts from all 192 channels.

# %% hint [markdown]
# Concatenating adds the numbers of channels. The residual block leads from 192 to 256 channels: which of its three convolutions see 192, which see 256?

# %% help [markdown]
# 192 channels come in, 256 go out: what is on the shortcut?
#
# Two 3×3 convolutions are on the branch. The input cannot be added to 256 channels as it is: count the 1×1 convolution that makes it fit.

# %% help [markdown]
# each block adds 32 channels, however many come in.
#
# Concatenating puts 32 channels beside those that are there. It is a sum, not a product: write down the first three blocks.

# %% help [markdown]
# the paths are not added; their channels stand side by side.
#
# An addition would need equal channels on all four paths, and they have 64, 128, 32 and 32.

# %% solution
numbers = {
    "channels out of Inception": 64 + 128 + 32 + 32,
    "weights of Inception": 192 * 64
    + (192 * 96 + 9 * 96 * 128)
    + (192 * 16 + 25 * 16 * 32)
    + 192 * 32,
    "weights of the residual block": 9 * 192 * 256 + 9 * 256 * 256 + 192 * 256,
    "channels after 6 concatenating blocks": 192 + 6 * 32,
}
answers = {"same": "c", "lost": "a"}

# %% explanation [markdown]
# Inception gets its width cheaply: 1×1 convolutions make the channels few before the large kernels see them. This is the trick that the bottleneck block of {doc}`04-bottlenecks` takes over. The residual block of two full 3×3 convolutions has several times as many weights.
#
# The functions differ more than the costs. An Inception block has no path that hands its input on: each path ends in a convolution and a ReLU, and none of them starts near the identity. A residual block contains the identity at zero. A block that concatenates (a DenseNet consists of them) also hands everything
# on, and gradients flow back along it unchanged. But it cannot be the identity, since its output is wider than its input, and the next layers pay for the width: from 192 to 384 channels in six blocks.
