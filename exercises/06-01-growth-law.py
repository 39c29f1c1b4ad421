"""Predict the growth

level: core
minutes: 10
importance: essential
line: From the gradient's growth at 20 and 56 layers predict it at 110, for plain and residual networks.
"""

import resnet
import torch
import torch.nn.functional as F

# %% statement [markdown]
# Divide the norm of the loss's gradient at the input of the first block by that at the input of the last: the *growth* of the gradient on its way back. For untrained networks of this book (three stages, 32 images of 14×14 pixels, geometric mean of three seeds) it is
#
# | layers | blocks | plain | residual |
# |---|---|---|---|
# | 20 | 9 | 17.4 | 7.84 |
# | 56 | 27 | 5,000 | 30.8 |
#
# Suppose that in the plain network every block more multiplies the growth by the same factor $a$, and that in the residual network the growth is proportional to a power $n^p$ of the number $n$ of blocks. Determine $a$ and $p$ from the table, and predict the growth of both networks with 110 layers, which are 54 blocks.
#
# *Why it matters.* Both networks' gradients grow with depth. Which of the two laws holds decides whether a network twice as deep starts with a somewhat larger growth, or with about its square.

# %% starter
answers = {
    "factor a": ...,
    "plain, 110 layers": ...,
    "power p": ...,
    "residual, 110 layers": ...,
}  # within 1.5%

# %% check
resnet.check.growth_law(answers)

# %% hint [markdown]
# From 9 to 27 blocks the plain network gets 18 blocks more, and its growth is multiplied by $5000 / 17.4$.

# %% hint [markdown]
# The residual network gets three times as many blocks: $3^p = 30.8 / 7.84$. From 27 to 54 it is twice as many.

# %% help [markdown]
# a block has two layers; the law is stated per block.
#
# The table has a column for blocks. Between its rows there are 36 layers more: how many blocks?

# %% help [markdown]
# from 9 to 27 blocks there are 18 more.
#
# $a^{27}$ would be the factor from no block at all. The table gives the growth at 9 and at 27 blocks: their ratio is $a$ to the power of the difference.

# %% help [markdown]
# this is the logarithm of the ratio. Of which base?
#
# In $3^p = 30.8 / 7.84$ the number of blocks is tripled. $p$ is the logarithm to the base 3: divide one natural logarithm by another.

# %% solution
a = (5000 / 17.4) ** (1 / 18)
p = torch.tensor(30.8 / 7.84).log().item() / torch.tensor(3.0).log().item()
answers = {
    "factor a": a,
    "plain, 110 layers": 5000 * a**27,
    "power p": p,
    "residual, 110 layers": 30.8 * 2**p,
}


def growth(net):
    """Return the growth of the gradient, measured."""
    inputs = []
    blocks = [m for m in net.modules() if isinstance(m, resnet.BasicBlock)]
    for block in blocks:
        block.register_forward_pre_hook(lambda _, x: inputs.append(x[0]))
    x = torch.rand(32, 1, 14, 14)
    loss = F.cross_entropy(net(x), torch.arange(32) % 10)
    first, *_, last = torch.autograd.grad(loss, inputs)
    return (first.norm() / last.norm()).item()


torch.manual_seed(0)
for shortcut in (None, "A"):
    net = resnet.cifar_resnet(110, 10, 1, shortcut=shortcut)
    print(net.name, f"{growth(net):.3g}")
key_figures = ("plain, 110 layers", "residual, 110 layers")
print(*(f"{answers[key]:.3g}" for key in key_figures), "predicted")

# %% explanation [markdown]
# $a = 1.37$ per block and $p = 1.25$: a prediction of about $2 \cdot 10^7$ for the plain network and of 73 for the residual one. The measured numbers are within a factor of two of both for most seeds. The wrong law would have missed by far more: with the factor of its first 18 blocks more, the residual network would be at 240, and with a power the plain one at 180,000.
#
# Two points fix two numbers of any law, so the table shows nothing about which law holds. The third depth does.
