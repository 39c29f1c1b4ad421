"""An identity that fails

level: core
minutes: 20
importance: essential
line: Make the identity from units with a ReLU, on an interval and everywhere, with as few units as can be.
"""

import resnet

# %% statement [markdown]
# The chapter makes a plain block the identity with kernels that hand every channel on. That relies on an
# input that is not negative. Take the smallest case: two layers from one number to one number, by way of $m$ units with a ReLU,
#
# $$
# f(x) = \sum_{i=1}^{m} c_i \, \mathrm{ReLU}(a_i x + b_i) + d .
# $$
#
# Find weights and biases so that $f(x) = x$ for all $x$ in $[-1, 1]$, and others so that $f(x) = x$
# for every number $x$. Both times use as few units as possible. A unit is written as `(a, b, c)`.
#
# Then, in words: what does the plain block of the chapter, with its identity kernels and a ReLU at the end, make of inputs of both
# signs? And why are fewer units not enough for all numbers?
#
# *Why it matters.* "A layer can always learn the identity" is said quickly. It depends on the set of
# inputs, and this is where the difference between the plain and the residual block begins.

# %% starter
answers = {
    "on [-1, 1]": ...,  # ([(a, b, c), (a, b, c), ...], d)
    "everywhere": ...,
}

# %% check
resnet.check.plain_identity(answers)

# %% hint [markdown]
# On $[-1, 1]$: which shift makes every input positive, so that the ReLU does nothing? Undo the shift
# afterwards.

# %% hint [markdown]
# Everywhere: write $x$ as a difference of two numbers that are not negative, one for each sign of $x$.

# %% help [markdown]
# at x = -1 it gives …
#
# Compute $f(-1)$ by hand, unit by unit. If it is right at 1 and wrong at −1, a ReLU has cut something off that was to go through: is $a x + b$ positive at both ends of the interval?

# %% help [markdown]
# it is the identity, with 2 units; fewer are enough.
#
# It is right. Two units are needed where $x$ may be as negative as it likes. What is known about $x$ on an interval, and which number makes $x$ plus that number never negative?

# %% help [markdown]
# everywhere: at x = -1e+19 it gives …
#
# A shift makes the inputs positive down to some point and not below it. For all numbers there is no such shift. Which two numbers, neither negative, have $x$ as their difference?

# %% solution
answers = {
    "on [-1, 1]": ([(1, 1, 1)], -1),
    "everywhere": ([(1, 0, 1), (-1, 0, -1)], 0),
}

# %% explanation [markdown]
# On $[-1, 1]$ one unit is enough: $\mathrm{ReLU}(x + 1) - 1 = x$, because $x + 1 \ge 0$. A bias buys the identity on any
# set that is bounded from below.
#
# On all numbers two are needed: $x = \mathrm{ReLU}(x) - \mathrm{ReLU}(-x)$. One unit is not enough: the
# function $c\,\mathrm{ReLU}(a x + b) + d$ is constant on one side of $-b/a$ (or everywhere, if $a = 0$), and $x$ is constant nowhere.
#
# In words: with identity kernels and a ReLU after each convolution the plain block computes $\mathrm{ReLU}(\mathrm{ReLU}(x)) = \mathrm{ReLU}(x)$:
# negative inputs become 0. A good answer names the set of inputs in each claim. Inside the network it does no harm, as each block's input comes out of a ReLU.
