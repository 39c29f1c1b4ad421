"""A harmless start and a slow one

level: core
minutes: 30
importance: useful
line: Set the last scale of each block to zero, and write the schedule of a warm-up.
"""

import math

import resnet
from torch import nn

# %% statement [markdown]
# Two things that recipes for deep residual networks do in the beginning. Write
#
# - `zero_last(net)` for `resnet.resnet18()` to `resnet.resnet152()` and `resnet.cifar_resnet(depth)`: it sets the scale (`weight`) of the last BN of each block's *branch* to zero, changes nothing else, and returns `net`. Each block then computes $\mathrm{ReLU}(s(x))$, where $s$ is its shortcut;
# - `rate(step, peak, warm_up, total)`, the learning rate of each of `total` steps, which are counted from 0. In the first `warm_up` steps it rises by equal amounts, from `peak / warm_up` at step 0 to `peak` at the last of them. Then it falls along half a cosine: with $t$ the share of the remaining steps that is over, `peak` times $(1 + \cos \pi t) / 2$, where $t = 0$ at step `warm_up` and $t$ would be 1 at step `total`. `warm_up` may be 0.
#
# *Why it matters.* At the start a deep network's gradients are of no use at full rate. The first keeps all blocks out of the way until they have learnt something; the second keeps the steps small meanwhile.


# %% starter
def zero_last(net):
    """Set the last scale of each block's branch to zero; return net."""
    raise NotImplementedError("zero_last")


def rate(step, peak, warm_up, total):
    """Return the learning rate of a step."""
    raise NotImplementedError("rate")


# %% check
resnet.check.zero_init(zero_last, rate)

# %% hint [markdown]
# A block has its layers in `block.branch`, under the names `conv1`, `bn1`, …; the last BN is `bn2` in a `resnet.BasicBlock` and `bn3` in a `resnet.Bottleneck`. `print(resnet.resnet50().stage1[0])` shows one.

# %% hint [markdown]
# For the schedule look at the two ends of each part: what is step 0, what is step `warm_up - 1`, what is step `warm_up`?

# %% help [markdown]
# It belongs to a shortcut: at zero, the block would hand on nothing.
#
# Look for the last BN in `block.branch`, not in the whole block: where there is a projection, its BN comes last.

# %% help [markdown]
# has its weights as they were.
#
# Which class do you ask for? ResNet-50 is made of `resnet.Bottleneck`, the small ones of `resnet.BasicBlock`. And do you change the weight itself, or a name for it?

# %% help [markdown]
# The cosine begins after the warm-up, and has its steps to itself.
#
# $t$ is 0 at step `warm_up` and would be 1 at step `total`. So it is counted from `warm_up`, and divided by the number of steps that are left.


# %% solution
def zero_last(net):
    for block in net.modules():
        if isinstance(block, resnet.BasicBlock | resnet.Bottleneck):
            norms = [
                m for m in block.branch.modules() if type(m) is nn.BatchNorm2d
            ]
            nn.init.zeros_(norms[-1].weight)
    return net


def rate(step, peak, warm_up, total):
    if step < warm_up:
        return peak * (step + 1) / warm_up
    over = (step - warm_up) / (total - warm_up)
    return peak * (1 + math.cos(math.pi * over)) / 2


# %% explanation [markdown]
# At zero scale the branch adds its shift, which starts at zero too: every block that keeps the shape is the identity, and the network starts as its stem, its projections and its last layer. The scale itself has a gradient from the first step on; the kernels behind it get one as soon as it has moved. (With the *first* BN's scale at zero as well, nothing would ever move but the shift.) A BN in the shortcut must keep its scale: at zero there, a block that changes the shape would hand on nothing.
#
# The paper's warm-up is simpler: 0.01 for about 400 steps, then 0.1. Step 0 of a schedule that starts at 0 would be a step that does nothing.
