"""Count the layers of ResNet-50

level: warm-up
line: Say which layers make the 50, and how many convolutions there are besides.
"""

import resnet

# %% statement [markdown]
# ResNet-50 has a stem with one convolution, four stages of 3, 4, 6 and 3 bottlenecks, and one linear layer. A bottleneck has three convolutions on its main path. Its shortcut is the identity where the shape is kept; where stride or number of channels changes, it is a 1×1 convolution, beside the main path. The stem gives 64 channels; the stages give 256, 512, 1024
# and 2048.
#
# The name counts the layers with weights *on the main path*. How many convolutions lie on it, how many linear layers, and how many convolutions has the network in all?
#
# *Why it matters.* Articles that build the network in Keras ask you to count, and many counts are off by the projections. One of them is easily overlooked.

# %% starter
answers = {
    "convolutions on the main path": ...,
    "linear layers": ...,
    "convolutions in all": ...,
}

# %% check
resnet.check.count_layers(answers)

# %% hint [markdown]
# In which blocks does the shape change? The first block of every stage is worth a look, the one with stride 1 as well.

# %% hint [markdown]
# Main path: $1 + 3 \cdot (\dots)$.

# %% solution
answers = {
    "convolutions on the main path": 1 + 3 * (3 + 4 + 6 + 3),
    "linear layers": 1,
    "convolutions in all": 1 + 3 * (3 + 4 + 6 + 3) + 4,
}

# %% explanation [markdown]
# $1 + 3 \cdot 16 = 49$ convolutions and one linear layer make 50. Four projections come on top, one for each stage. The first stage has stride 1, and in ResNet-18 it needs none; here it leads from 64 to 256 channels and does need one. BN, ReLU and pooling are not counted.
