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
# Twelve residual blocks $x \mapsto x + F(x)$ stand one behind the other. One of them has a factor on the line, $x \mapsto \lambda x + F(x)$, with a $\lambda$ between 0.2 and 0.5 or between 2 and 5. The branches $F$ are small, but their biases are not: a block can add a large constant to the signal.
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
