"""Find the broken block

level: core
minutes: 25
importance: useful
line: Break a block in one line, and find it from the norms of the gradients alone.
"""

import math

import resnet
import torch
import torch.nn.functional as F

# %% statement [markdown]
# One line breaks a block of a residual network without any error: `net.stage2[4].shortcut = None` leaves out the shortcut; another line halves what it carries. Write `find(healthy, broken)`, which tells from the norms of the gradients alone which block it was.
#
# Both arguments are lists with one number for each block, first block first: entry $i$ is the norm of the loss's gradient with respect to the *input* of block $i$, for an untrained network of 44 layers with batch normalisation, which has 21 blocks. `healthy` is for the whole network, `broken` for the same
# network, with the same weights and images, after one shortcut was left out or halved. Return the index of the altered block, counted from 0. It is neither one of the first three nor the last.
#
# `norms(net)` in the starter computes such a list, so that you can break networks of your own and look.
#
# *Why it matters.* Gradient norms, block by block, are the instrument to reach for when a deep network does not train. One has to learn to read them: the place with the largest number is not where the fault is.


# %% starter
def norms(net):
    """Return the gradient's norm at the input of every block."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(16, 1, 12, 12, generator=generator)
    labels = torch.arange(16) % 10
    inputs = []
    hooks = [
        module.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
        for module in net.modules()
        if isinstance(module, resnet.BasicBlock)
    ]
    loss = F.cross_entropy(net(images), labels)
    for hook in hooks:
        hook.remove()
    return [g.norm().item() for g in torch.autograd.grad(loss, inputs)]


# torch.manual_seed(0)
# net = resnet.cifar_resnet(44, 10, 1)  # 21 blocks, seven a stage
# healthy = norms(net)
# net.stage2[3].shortcut = None  # block 10
# broken = norms(net)


def find(healthy, broken):
    """Return the index of the altered block, from 0."""
    raise NotImplementedError("find")


# %% check
resnet.check.broken_block(find)

# %% hint [markdown]
# Draw both lists, with a logarithmic axis. Before the altered block they run side by side, at a distance. At its far side the distance jumps, and from there on it shrinks block by block.

# %% hint [markdown]
# What does block $i$ do to the gradient that passes it? Entry $i$ is what comes out of it on the way back, entry $i + 1$ what goes in. Compare this factor between the two lists.

# %% hint [markdown]
# Left out or halved: the altered block passes on less than before, and the block behind it more. Which of the two changes is the larger one? Compare them as ratios, or by their logarithms.

# %% help [markdown]
# That is where the gradient is largest; it grows on its way back, broken or not.
#
# Look at the healthy list alone: its largest entry is at the same place. So size cannot tell. What differs between the two lists, and where does the difference *change*?

# %% help [markdown]
# One too far: entry i is the gradient at the input of block i.
#
# Block $i$ turns entry $i + 1$ into entry $i$. Where the two lists begin to differ by another factor, the step from $i + 1$ to $i$ belongs to block $i$.

# %% help [markdown]
# What does one block do to the gradient that passes it?
#
# Make a new list of ratios of neighbours, one for each block, for either network; then compare ratio with ratio. Differences of the norms themselves mix this block with all behind it.


# %% solution
def find(healthy, broken):
    def factors(norms):
        return [norms[i] / norms[i + 1] for i in range(len(norms) - 1)]

    changes = [
        abs(math.log(b / h))
        for h, b in zip(factors(healthy), factors(broken), strict=True)
    ]
    return changes.index(max(changes))


# %% explanation [markdown]
# A block acts on the gradient that passes it by a factor: `norms[i] / norms[i + 1]`. The fault changes this factor most in its own block, which now passes on less. The blocks behind it pass on more than before, the next one most of all, because the signal that they get has lost its larger part. The blocks before it hardly change their factors, but everything that reaches them has passed the fault.
#
# So neither list alone shows the place. The norm is largest at the beginning of the network, with or without a fault; the *difference* between the two lists is as a rule largest just behind the fault, at the input of the next block. In the first three blocks, where the sum on the shortcut is still small and each block changes much of it, a fault and these side effects are equally large; this is why they are excluded.
#
# The exercise has a healthy network to compare with. In practice it is one from a library, or the same network a week ago.
