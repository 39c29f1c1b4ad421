"""The cost of v1.5

level: core
minutes: 15
importance: useful
line: Derive from the shapes alone how many multiply-adds the other place for the stride costs.
"""

import resnet

# %% statement [markdown]
# In ResNet-50 the first block of stages 2, 3 and 4 halves the image. In v1 the stride is on the first 1×1 convolution of that block, in v1.5 on the 3×3 convolution behind it. For an image of 224×224 pixels the blocks get
#
# | | channels in | pixels in | channels in the middle |
# |---|---|---|---|
# | stage 2 | 256 | 56×56 | 128 |
# | stage 3 | 512 | 28×28 | 256 |
# | stage 4 | 1024 | 14×14 | 512 |
#
# A $k \times k$ convolution from $C$ to $D$ channels needs $k^2 C D$ multiply-adds for each pixel of its *output*. How many multiply-adds does v1.5 need *more* than v1, in each of the four stages and in all? (`stage1` begins with 64 channels, 56×56 pixels and no stride.)
#
# *Why it matters.* The two networks have the same parameters and are often taken for one another. This is what the difference costs; the chapter says what it buys.

# %% starter
answers = {
    "stage1": ...,
    "stage2": ...,
    "stage3": ...,
    "stage4": ...,
    "total": ...,
}

# %% check
resnet.check.cost_v15(answers)

# %% hint [markdown]
# For each convolution of the block, how many pixels has its output in v1, and how many in v1.5? Only one of the three differs.

# %% hint [markdown]
# In stage 2 the first 1×1 convolution has an output of 28×28 pixels in v1 and of 56×56 pixels in v1.5.

# %% help [markdown]
# this is what it costs in v1.5; the question is how much more.
#
# Take off what the same convolution costs in v1, where its output has half the height and half the width.

# %% help [markdown]
# half in height and half in width are a quarter of the pixels.
#
# 56×56 pixels are 3,136, and 28×28 are 784. By what share does the cost fall?

# %% help [markdown]
# twice too many. Is a multiplication with its addition counted as one
#
# A multiply-add is one operation here. Counted as two, as FLOPs often are, everything doubles. If that is not it: the channels in the middle are in the table's last column.


# %% solution
def more(channels, middle, size):
    return channels * middle * (size**2 - (size // 2) ** 2)


answers = {
    "stage1": 0,
    "stage2": more(256, 128, 56),
    "stage3": more(512, 256, 28),
    "stage4": more(1024, 512, 14),
}
answers["total"] = sum(answers.values())

# %% explanation [markdown]
# The 3×3 convolution and the last 1×1 convolution give the small image in both forms; only the first 1×1 convolution gives a large one in v1.5. Each of the three blocks costs 77,070,336 more: from stage to stage the channels double twice (in and out) and the pixels fall to a quarter. Together they are 231,211,008, about 6% of the network.
