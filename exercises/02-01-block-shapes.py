"""Shapes before running

level: warm-up
minutes: 10
importance: essential
line: Say which of five blocks run, and what shape comes out, before you run them.
"""

import resnet

# %% statement [markdown]
# `Residual(in_channels, channels, stride=1, project=False)` is the chapter's block: two 3×3 convolutions with one pixel of padding, the first with the given stride, the second with stride 1; a
# shortcut that hands the input on unchanged or, with `project=True`, passes a 1×1 convolution without padding, with that stride, from `in_channels` to `channels`; and the addition. A
# convolution with kernel $k$, padding $p$ and stride $s$ makes $\lfloor (H + 2p - k)/s \rfloor + 1$ pixels of $H$.
#
# The input has the shape (2, 16, 15, 15): 2 images, 16 channels, 15×15 pixels. Which shape comes out of each block? Write `"error"` for a block that does not run.
#
# *Why it matters.* Shapes are the cheapest check there is. Whoever can say them beforehand finds most mistakes without running anything.

# %% starter
answers = {  # a shape, such as (2, 16, 15, 15), or "error"
    "Residual(16, 16)": ...,
    "Residual(16, 16, stride=2)": ...,
    "Residual(16, 32, project=True)": ...,
    "Residual(16, 32, stride=2, project=True)": ...,
    "Residual(16, 16, stride=3, project=True)": ...,
}

# %% check
resnet.check.block_shapes(answers)

# %% hint [markdown]
# Compute the branch's shape and the shortcut's shape, each by itself. Only then ask whether they can be added.

# %% hint [markdown]
# Without a projection the shortcut's output is the input itself: 16 channels, 15×15 pixels.

# %% offered
offered = {
    "Residual(16, 16)": [(2, 16, 15, 15), (2, 16, 13, 13), "error"],
    "Residual(16, 16, stride=2)": ["error", (2, 16, 8, 8), (2, 16, 7, 7)],
    "Residual(16, 32, project=True)": [
        (2, 32, 15, 15),
        (2, 16, 15, 15),
        "error",
    ],
    "Residual(16, 32, stride=2, project=True)": [
        (2, 32, 8, 8),
        (2, 32, 7, 7),
        "error",
    ],
    "Residual(16, 16, stride=3, project=True)": [
        (2, 16, 5, 5),
        (2, 16, 6, 6),
        "error",
    ],
}


# %% solution
answers = {
    "Residual(16, 16)": (2, 16, 15, 15),
    "Residual(16, 16, stride=2)": "error",
    "Residual(16, 32, project=True)": (2, 32, 15, 15),
    "Residual(16, 32, stride=2, project=True)": (2, 32, 8, 8),
    "Residual(16, 16, stride=3, project=True)": (2, 16, 5, 5),
}

# %% explanation [markdown]
# The 3×3 convolution with $p = 1$ gives $\lfloor (15 - 1)/s \rfloor + 1$ pixels: 15, 8 and 5 for $s = 1, 2, 3$. The 1×1 convolution with $p = 0$ gives $\lfloor (15 - 1)/s \rfloor + 1$ as well, which is why
# the two always fit. The second block has 8×8 pixels on the branch and 15×15 on the shortcut; the addition fails. The last one keeps its channels, but needs the projection for the stride.
