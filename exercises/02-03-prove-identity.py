"""The identity is in the class

level: core
minutes: 10
importance: essential
line: Fill the gaps of the proof that a block can be the identity, and find an input for which it is none.
"""

import resnet

# %% statement [markdown]
# A residual block with an identity shortcut computes $\mathrm{ReLU}(x + g(x))$, where the branch $g$ ends in a batch normalisation with a scale $\gamma$ and a shift $\beta$ for each channel.
#
# **Claim.** There are weights with which the block hands on every $x$ that is the output of a ReLU.
#
# **Proof.** Choose $\gamma = 0$ and $\beta = 0$ in the last batch normalisation and anything for the other weights. Then $g(x) = 0$ for every $x$, because *[gap 1]*. So the block computes $\mathrm{ReLU}(x + 0) = \mathrm{ReLU}(x)$. Since $x$ is
# the output of a ReLU, *[gap 2]*. Therefore $\mathrm{ReLU}(x) = x$, because *[gap 3]*. $\square$
#
# **gap 1**
#
# - (a) all weights of the convolutions are zero as well
# - (b) a batch normalisation gives $\gamma$ times something, plus $\beta$, whatever comes in
# - (c) a batch normalisation makes the mean of its output zero
#
# **gap 2**
#
# - (a) none of its values is negative
# - (b) its mean is zero
# - (c) all its values lie between 0 and 1
#
# **gap 3**
#
# - (a) the ReLU is a linear function
# - (b) $\max(z, 0) = z$ for every $z \ge 0$
# - (c) the ReLU can be inverted
#
# Then show that the condition on $x$ is needed: give one number `counterexample` that a block with these weights does not hand on as it is.
#
# *Why it matters.* This is the step on which the argument for residual networks rests, and D2L asks for it. Its condition is easily forgotten.

# %% starter
answers = {"gap 1": ..., "gap 2": ..., "gap 3": ...}  # "a", "b" or "c"
counterexample = ...

# %% check
resnet.check.prove_identity(answers, counterexample)

# %% hint [markdown]
# Each reason must be true, and it must be enough for the sentence before it, with nothing else known.

# %% hint [markdown]
# For the counterexample, look at which step fails for an $x$ that is *not* the output of a ReLU.

# %% help [markdown]
# The proof has not touched the convolutions; they may have any weights.
#
# The sentence says "anything for the other weights". A reason that needs them to be something is not open to this proof.

# %% help [markdown]
# A mean of zero over the batch does not make every value zero.
#
# The values $1$ and $-1$ have the mean zero. What in the last layer makes *each* of its outputs zero?

# %% help [markdown]
# ReLU(-1) is not -ReLU(1).
#
# Try the reason with one number: is $\mathrm{ReLU}(-1) = -\mathrm{ReLU}(1)$? The third gap needs a fact about numbers that are not negative, no more.

# %% solution
answers = {"gap 1": "b", "gap 2": "a", "gap 3": "b"}
counterexample = -1.0

# %% explanation [markdown]
# The ReLU *before* the block is used in gap 2: it makes $x \ge 0$. The ReLU *in* the block is the reason why that is needed: it cuts off what is negative, so that every negative number is a counterexample.
#
# The convolutions may have any weights, in training mode too: batch normalisation divides by the batch's deviation and multiplies by $\gamma = 0$. This is more than "all weights are zero", and it is
# what an initialisation with $\gamma = 0$ uses. The pre-activation block of a later chapter has no ReLU behind the addition, and there the condition falls away.
