"""A factor that is learned

level: core
minutes: 25
importance: useful
line: Derive the gradient of a factor on the shortcut, and ask where descent would move it.
"""

import resnet
import torch

# %% statement [markdown]
# A block computes $x_{l+1} = \lambda_l x_l + F(x_l)$ with one learned number $\lambda_l$ on its shortcut, which starts at 1. Let $E$ be the loss. Write `factor_gradient(x, branch, factor, upstream)`, which returns $\partial E / \partial \lambda_l$ as one number, from three tensors of equal shape and the number `factor`:
#
# - `x`: the block's input $x_l$, of shape (N, C, H, W);
# - `branch`: the value of $F(x_l)$;
# - `factor`: the number $\lambda_l$;
# - `upstream`: $\partial E / \partial x_{l+1}$, for each value of the block's output.
#
# You need not use all of them, and you are to derive it, not to call autograd.
#
# Then, in words: why might gradient descent move $\lambda_l$ away from 1, although nothing that the second paper tried was better than 1? And what happens over many blocks if all of them move to 0.9?
#
# *Why it matters.* A shortcut with a parameter contains the identity. Whether it stays there is up to the gradient, not to us.


# %% starter
def factor_gradient(x, branch, factor, upstream):
    """Return the derivative of the loss with respect to the factor."""
    raise NotImplementedError("factor_gradient")


# %% check
resnet.check.learned_factor(factor_gradient)

# %% hint [markdown]
# Take one value $y$ of the output. With $a$ and $f$ for the values of $x_l$ and $F(x_l)$ at the same place, $y = \lambda a + f$. What is its derivative with respect to $\lambda$?

# %% hint [markdown]
# $\lambda$ is in every value of the output. The chain rule adds up over all of them: derivative of $E$ by the value, times derivative of the value by $\lambda$.

# %% help [markdown]
# Sum, not mean: every value contributes.
#
# The loss depends on $\lambda$ by way of every value of the output, so the contributions add up. A mean would divide by their number.

# %% help [markdown]
# Does the branch depend on the factor?
#
# In $\lambda x + F(x)$, with $x$ held fixed, only one of the two terms has a $\lambda$.

# %% help [markdown]
# The derivative of the loss by the output is missing.
#
# The chain rule has two factors: how $E$ changes with the output, which is `upstream`, and how the output changes with $\lambda$.


# %% solution
def factor_gradient(x, branch, factor, upstream):
    return (upstream * x).sum().item()


# %% explanation [markdown]
# It is the inner product of the gradient and the signal:
#
# $$
# \frac{\partial E}{\partial \lambda_l} = \sum_{n, c, i, j} \frac{\partial E}{\partial x_{l+1}[n, c, i, j]} \; x_l[n, c, i, j] .
# $$
#
# In words. Gradient descent looks at the loss of the next batch, at the present weights. If the signal is at the moment too large for the layers behind it, the inner product is positive, and $\lambda_l$ falls below 1; weight decay, if it is applied to $\lambda_l$, pulls it down as well. What a smaller factor does to training over thousands of steps is in no
# batch's gradient. Over $n$ blocks a factor of 0.9 leaves $0.9^n$ of the direct term: 0.3% over 54 blocks. A good answer distinguishes what the next step improves from what makes later steps easier.
