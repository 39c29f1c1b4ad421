"""Repair the start of a plain net

level: core
minutes: 25
importance: useful
line: Start a plain network from identities, and see what becomes of the gradient's growth.
"""

import resnet
import torch
from torch import nn

# %% statement [markdown]
# Write `repair(net)`, which changes the start of a plain network, `resnet.cifar_resnet(depth, shortcut=None)`, and returns it: each block that keeps the shape becomes the identity for what it gets. Such a block computes first $a = \mathrm{ReLU}(\mathrm{BN}(W_1 * x))$, then $\mathrm{ReLU}(\mathrm{BN}(W_2 * a))$, and its input comes out of a ReLU. Only the weights of the convolutions in blocks that keep the shape change. The stem, the first blocks of stages 2 and 3, all BNs and the linear layer stay as they are, and no parameter is frozen.
#
# The check compares input and output of the blocks in evaluation mode, in which a new BN does nothing (but for its $\varepsilon$).
#
# *Why it matters.* The plain network contains the shallow one, so it can be *started* as a shallow one, without any shortcut. What this repairs at the start, and what not, is half of the question why residual networks train.


# %% starter
def repair(net):
    """Start the blocks of a plain network as identities; return it."""
    raise NotImplementedError("repair")


# %% check
resnet.check.dirac_start(repair)

# %% hint [markdown]
# Which 3×3 kernel hands an image on as it is? And which of the $C \cdot C$ kernels of a convolution are to be zero?

# %% hint [markdown]
# `nn.init.dirac_` writes such weights. A block keeps the shape if its first convolution has as many channels coming in as going out, and no stride.

# %% help [markdown]
# What is the identity of a block without a shortcut?
#
# With all kernels zero a plain block gives zeros. It needs kernels that hand each pixel and each channel on.

# %% help [markdown]
# should be as it was.
#
# The message names the tensor. Only convolutions of blocks that keep the shape change; the first block of stage 2 or 3, the stem and all BNs do not.

# %% help [markdown]
# is not the identity for an input without negative values.
#
# A block has two convolutions and the signal passes both. Is one of them still as it was, or is the 1 in its kernel not in the middle?


# %% solution
def repair(net):
    for block in net.modules():
        if isinstance(block, resnet.BasicBlock):
            convolutions = [
                m for m in block.modules() if isinstance(m, nn.Conv2d)
            ]
            first = convolutions[0]
            if first.in_channels == first.out_channels:
                for convolution in convolutions:
                    nn.init.dirac_(convolution.weight)
    return net


# %% explanation [markdown]
# A Dirac kernel has a 1 in its middle for the channel of its own number and zeros elsewhere. The input is not negative, so the two ReLUs do nothing, and in evaluation mode the 56 layers compute what the stem and two blocks compute.
#
# In training mode the BNs take the batch's mean and deviation, and the blocks are no identities: each of them normalises and cuts off again. All the same the gradient's growth falls from thousands to tens; the check prints both. The factor per block is gone *at the start*. A step of training moves every kernel, and nothing holds a plain block near the identity: weight decay pulls its kernels to zero, where the block hands on nothing at all. In a residual block zero is the identity.
#
# The chapter has two relatives of yours. The *grown* start leaves the first three blocks of each stage random; in the others it also sets the BNs' scales and shifts, so that they hand on what they get in training mode, too. The *Dirac* start adds these kernels to random ones.
