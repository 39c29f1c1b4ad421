"""Why the strides must match

level: core
minutes: 15
importance: useful
line: Say for every image size what a block does whose shortcut lacks the stride: right, wrong, or an error.
"""

import resnet

# %% statement [markdown]
# A block's branch has stride 2: of an image of height $H$ and width $W$ it makes one of $\lceil H/2 \rceil$ by $\lceil W/2 \rceil$ pixels. Somebody forgot the stride on its 1×1 projection, so the shortcut's output has
# still $H$ by $W$ pixels; the channels fit. The two are added by PyTorch, which *stretches* an axis of length 1 to the length it meets, and raises an error where two lengths differ and neither is 1.
#
# Write `outcome(height, width)`, which returns
#
# - `"right"` if the addition works, and the sum has the size that a block with stride 2 should give: $\lceil H/2 \rceil$ by $\lceil W/2 \rceil$;
# - `"wrong"` if the addition works and the sum has another size;
# - `"error"` if it does not work.
#
# *Why it matters.* An error is the good case. A block that runs and computes something else is found much later, and this mistake has such a case.


# %% starter
def outcome(height, width):
    """Return "right", "wrong" or "error"."""
    raise NotImplementedError("outcome")


# %% check
resnet.check.stride_match(outcome)

# %% hint [markdown]
# Take one axis first: for the lengths 1, 2, 3, 4, which two lengths meet, and what does PyTorch make of them?

# %% hint [markdown]
# An error in one axis is an error of the whole. If no axis fails, one stretched axis is enough to make the size wrong.

# %% help [markdown]
# PyTorch can add these. Has the sum as many pixels as it should?
#
# Write three sizes down: the branch's, the shortcut's, and the sum's after stretching. The answer is "right" only if the last is what stride 2 should give.

# %% help [markdown]
# Are these shapes different?
#
# For an axis of length 1 the branch gives $\lceil 1/2 \rceil$ pixels. Is that less than 1?

# %% help [markdown]
# PyTorch stretches axes of length 1, and no others.
#
# Go through the two axes one after the other. In each there are two lengths; unless they are equal or one of them is 1, the addition is an error, whatever the other axis does.


# %% solution
def outcome(height, width):
    if max(height, width) > 2:
        return "error"
    return "right" if max(height, width) == 1 else "wrong"


# %% explanation [markdown]
# In one axis the lengths $\lceil H/2 \rceil$ and $H$ meet. For $H = 1$ both are 1, and all is well: a stride cannot leave out a pixel that is not there. For $H = 2$ the branch has 1 and the shortcut 2, and PyTorch stretches the branch:
# the block runs and gives an image of the old size, on which the next block works without complaint. From $H = 3$ on the lengths are different and neither is 1, so the addition fails.
#
# Images of 2×2 pixels are no invention: this is what ResNet-18 has left of Fashion-MNIST's 28×28 pixels when its last stage begins. Try a new block on a size that is odd, not square, and larger than 2.
