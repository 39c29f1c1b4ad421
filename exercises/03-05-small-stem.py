"""A stem for small images

level: core
minutes: 25
importance: useful
line: Give ResNet-18 a stem that does not shrink the image, and see what that costs and what it brings.
"""

import resnet
from torch import nn

# %% statement [markdown]
# Photographs of 224×224 pixels are shrunk fourfold by the stem before the first stage. Of Fashion-MNIST's 28×28 pixels, 7×7 are left. For the 32×32 pixels of CIFAR-10 the paper uses another stem: a single 3×3 convolution with stride 1 and padding 1, followed by BN and ReLU, and no max pooling (Sec. 4.2).
#
# Write `with_small_stem(net)`, which gets a `resnet.resnet18(10, 1)` (10 classes, one channel), replaces its part `net.stem` by such a stem with 64 channels, and returns the network.
#
# Then train both on a small sample, for instance with `data = resnet.load_data("fashion-mnist", sample=True).first(train=700, test=300)` and `resnet.fit(net, data, resnet.Recipe(epochs=2, batch_size=50, lr=0.02))`. What happens to the accuracy, and what to the time for an epoch? Why?
#
# *Why it matters.* "ResNet-18 on CIFAR" can be either network, and the two differ much in accuracy and cost. It is one of the things to look up first in a result.


# %% starter
def with_small_stem(net):
    """Return net with a stem of one 3x3 convolution, stride 1."""
    raise NotImplementedError("with_small_stem")


# %% check
resnet.check.small_stem(with_small_stem)

# %% hint [markdown]
# A part of a module is replaced by an assignment: `net.stem = …`.

# %% hint [markdown]
# The new stem consists of three layers. Which of the old stem's four has no counterpart?

# %% help [markdown]
# the weights of the one passed in are lost.
#
# You return a network that was made inside the function. Change the one that you were given: assign to one of its parts, and return it.

# %% help [markdown]
# It runs its parts in order, and these behind fc.
#
# A new attribute is a new part, and this network runs its parts in the order in which they were added. Put the three layers together into one and assign it to the name that is there.

# %% help [markdown]
# to have 3 channels, but got 1 channels instead
#
# Fashion-MNIST is grey. Which number of a convolution is that of the channels that come in?


# %% solution
def with_small_stem(net):
    net.stem = nn.Sequential(
        nn.Conv2d(1, 64, 3, padding=1, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(),
    )
    return net


# %% explanation [markdown]
# Every stage now works on an image that is four times as high and as wide, that is, on 16 times as many pixels, up to rounding. The multiply-adds grow accordingly, and so does the time for an epoch, though usually less, since larger images use the processor better; the number of parameters hardly changes. In return the last stage sees 4×4 pixels instead of one, and the early stages see details that the large stem would have averaged away. As a rule
# the accuracy gains clearly once training is long enough. After two epochs on a few hundred images your numbers need not show it: a good answer gives both accuracies, both times and how often it was run.
