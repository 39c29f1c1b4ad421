"""Which block multiplies?

level: core
minutes: 20
importance: useful
line: Find the one block of twelve that puts a factor on the line itself.
"""

import resnet
import torch
from torch import nn

# %% statement [markdown]
# Twelve residual blocks $x \mapsto x + F(x)$ stand one behind the other. One of them has a factor on the line, $x \mapsto \lambda x + F(x)$, with a $\lambda$ between 0.2 and 0.5 or between 2 and 5. The branches $F$ are small, but a block can add a large constant to the signal, another one at each place.
#
# Write `find(blocks, x)`, which returns the index of the block with the factor, from 0. `blocks` is a list of modules, each of which maps `(N, C, H, W)` to the same shape, and `x` an input of the first. You may run the blocks and look at gradients, not at what is inside.
#
# *Why it matters.* A term that is added changes the signal once. A factor on the line acts on everything that passes it, forwards and backwards, and a factor in every block is a power. The size of the signal alone does not tell the two apart.


# %% starter
def find(blocks, x):
    """Return the index of the block with a factor on its line."""
    raise NotImplementedError("find")


# %% check
resnet.check.multiplying_block(find)

# %% hint [markdown]
# The derivative of a constant is zero. How large is the gradient at the input of each block, compared with that at its output?

# %% hint [markdown]
# Keep the input of every block in a list while you run them, and call `torch.autograd.grad(out.sum(), inputs)`. Which ratio of neighbours is farthest from the others, upwards or downwards?

# %% help [markdown]
# In this block a large constant is added. Does that change a gradient?
#
# Norms of the signal jump at this block, too. Look at gradients: a constant has the derivative zero.

# %% help [markdown]
# Which block changes the norm of the gradient that passes it by a factor?
#
# Compare neighbours: the gradient's norm at the input of a block, divided by that at its output. $\lambda$ may be smaller than 1: which ratio is farthest from the others, in either direction?

# %% help [markdown]
# This is the block behind it. Entry i is before block i.
#
# With a list of states that begins with $x$, state $i$ is the input of block $i$ and state $i + 1$ its output.


# %% solution
def find(blocks, x):
    states = [x.detach().requires_grad_()]
    for block in blocks:
        states.append(block(states[-1]))
    weights = torch.randn_like(states[-1])
    gradients = torch.autograd.grad((states[-1] * weights).sum(), states)
    norms = torch.stack([g.norm() for g in gradients]).log()
    return (norms[:-1] - norms[1:]).abs().argmax().item()


# %% explanation [markdown]
# With $x_{l+1} = \lambda x_l + F(x_l)$ the gradient is multiplied by $\lambda + F'$ on its way back: by about 1 in eleven blocks, and by about $\lambda$ in one. The norm of the *signal* jumps where a block adds a large constant, and where the factor is. The norm of the *gradient* is the largest at one end of the network, wherever the factor is: again it is the ratio that tells.
