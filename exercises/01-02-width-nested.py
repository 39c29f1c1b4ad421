"""Width instead of depth

level: core
minutes: 20
importance: useful
line: Widen a network by one unit without changing its function, and ask what weight decay says to that.
"""

import resnet
import torch

# %% statement [markdown]
# A network with one hidden layer of $n$ units computes, for an input vector $x$,
#
# $$
# f(x) = \sum_{i=1}^{n} v_i \, \mathrm{ReLU}(W_i \cdot x + b_i)
# $$
#
# with one row $W_i$ of weights, one bias $b_i$ and one output weight $v_i$ for each unit. Let $\mathcal{F}_n$ be all functions of this form.
# Show that $\mathcal{F}_n \subseteq \mathcal{F}_{n+1}$ by a construction: write
# `widen(w, b, v)`, which gets $W$, $b$ and $v$ as tensors of the shapes `(n, d)`, `(n,)` and `(n,)` and returns three
# tensors of the shapes `(n + 1, d)`, `(n + 1,)` and `(n + 1,)` that compute the same function, for every input.
#
# Then, in words: weight decay pulls all weights towards zero. If the class is all that
# *training with weight decay* can reach, are the classes still nested? Are the weights you have chosen
# a place that it pulls towards, or one that it pulls away from?
#
# *Why it matters.* The argument for residual networks is about depth. It is worth knowing
# that for width nobody needs shortcuts, and why.


# %% starter
def widen(w, b, v):
    """Return the weights of a network with one unit more and the same function."""
    raise NotImplementedError("widen")


# %% check
resnet.check.width_nested(widen)

# %% hint [markdown]
# The new unit may do anything inside, as long as it adds nothing to the sum. There is a number for that.

# %% hint [markdown]
# `torch.cat([v, v.new_zeros(1)])` appends one zero to a vector; a matrix needs a row of shape `(1, d)`.

# %% help [markdown]
# the function has changed, at one input by … What does the new unit add to the sum, and are the old ones as they were?
#
# Print `v` before and after. The old numbers must be the same ones, in the same order, and the new unit's output weight is what its ReLU is multiplied by. If the difference grows with the input, the new unit reaches the sum.

# %% help [markdown]
# the function is shifted by a constant.
#
# The new unit gives the same number for every input, so it does not see $x$ but still adds something: a bias inside the ReLU, times an output weight that is not zero.

# %% help [markdown]
# w has still the size for 1 unit
#
# Joining tensors makes a new one and leaves the old one as it was. Is it the new one that you return? And is `w` joined along its first axis, which counts the units?


# %% solution
def widen(w, b, v):
    return (
        torch.cat([w, w.new_zeros(1, w.shape[1])]),
        torch.cat([b, b.new_zeros(1)]),
        torch.cat([v, v.new_zeros(1)]),
    )


# %% explanation [markdown]
# A unit with $v = 0$ adds nothing, whatever its other weights are. So $\mathcal{F}_1 \subseteq \mathcal{F}_2 \subseteq \dots$: classes of growing width are nested, and
# there are many ways to see it. (Splitting a unit in two, each with half of its output weight, is another.)
#
# In words. With weight decay the picture even improves: the added unit *at zero* is where weight decay
# pulls to, as the branch of a residual block is. What training reaches is another question, and this construction does not answer it; but the lowest value of loss plus decay cannot rise with $n$, since a unit of zeros adds nothing to either. Compare it with a plain network that gets *deeper*: there the added layer has to be an
# identity, and zero is not. A good answer
#
# - says that the inclusion as such is about what weights can represent, and does not depend on how they are found;
# - says where the construction lies: at zero, where weight decay pulls;
# - does not claim that training finds it. Whether it does is a question for an experiment.
