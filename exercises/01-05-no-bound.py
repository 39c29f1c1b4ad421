"""Complexity without bound

level: core
minutes: 20
importance: essential
line: Say why even nested classes are not made as large as possible: one reason about data, one about training.
"""

import resnet

# %% statement [markdown]
# *Dive into Deep Learning* asks: why can we not just increase the complexity of functions without bound, even if the function classes are nested?
# Write down your own answer first, in three or four sentences, with one reason that has to do with data and one that has to do with training. Then choose:
#
# **promise.** For nested classes, $\mathcal{F} \subseteq \mathcal{F}'$, the chapter has the inequality
#
# $$
# L(X, y, f^*_{\mathcal{F}'}) \le L(X, y, f^*_{\mathcal{F}}) .
# $$
#
# What does it promise about the larger class?
#
# - (a) Its error on unseen data is not higher.
# - (b) The lowest loss on the training data that any of its functions has is not higher.
# - (c) After training, its loss on the training data is not higher.
#
# **data.** Which observation shows, with nested classes and no training at all, that a better fit to the data need not bring us closer to $f^*$?
#
# - (a) The step functions with $k = 1, 2, 3, \dots$ pieces, whose distance goes up and down.
# - (b) The step functions with $k = 1, 2, 4, \dots$ pieces, fitted to 64 noisy points.
# - (c) The plain networks with 18 and 34 layers, whose error on ImageNet goes up.
#
# **training.** Which observation shows that training need not find the good function that a larger class contains?
#
# - (a) A plain network of 56 layers can give the scores of one with 20, and yet was trained to a higher training error.
# - (b) The residual network with 1202 layers has a higher test error than the one with 110.
# - (c) The step functions fitted to 64 noisy points.
#
# *Why it matters.* Three questions hide in "deeper is better": what can be represented, what training finds, and what holds on unseen data. Each of the
# three choices is about one of them.

# %% starter
answers = {"promise": ..., "data": ..., "training": ...}  # "a", "b" or "c"

# %% check
resnet.check.no_bound(answers)

# %% hint [markdown]
# Read the inequality symbol by symbol: $X$ and $y$ are training data, and $f^*_{\mathcal{F}}$ is the best function *of the class*.

# %% hint [markdown]
# For each observation ask: was the training loss higher, or only the error on unseen data?

# %% help [markdown]
# The inequality is about the best function.
#
# $f^*_{\mathcal{F}}$ is defined by a minimum, and nobody has to find it for the inequality to hold. So what cannot the inequality be about?

# %% help [markdown]
# The inequality has the training inputs and labels in it, nothing else.
#
# Read the arguments of $L$: $X$ and $y$ are the data that one has. Unseen data would be other letters.

# %% help [markdown]
# There the classes are not nested; the question is about nested ones.
#
# With pieces of equal width, $k = 3$ is not contained in $k = 4$. Where the distance goes up for that reason, nesting is what is missing. Look for a case where each class contains the one before, and more pieces still lead away from $f^*$.

# %% solution
answers = {"promise": "b", "data": "b", "training": "a"}

# %% explanation [markdown]
# A good answer in words contains
#
# - *what nesting gives:* the best training loss does not rise;
# - *the reason about data:* with finitely many noisy examples, the function with the lowest training loss fits the noise as well. The step functions with 64 pieces take the value of every point, noise and all; the residual network
# with 1202 layers, whose higher test error the authors put down to overfitting, is an instance at full size;
# - *the reason about training:* the best function of the class is worth nothing if it is not found. Plain networks with 56 layers contain those with 20 in what they can represent, and were worse on their own training images;
# - perhaps *the price:* time and memory grow with the class, and nothing in the inequality says that the gain is worth it.
