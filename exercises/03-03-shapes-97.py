"""Shapes for another image

level: warm-up
minutes: 10
importance: useful
line: Follow an image of 97×97 pixels through ResNet-18 on paper.
"""

import resnet

# %% statement [markdown]
# ResNet-18 has a stem (a 7×7 convolution with stride 2 and padding 3, and a max pooling of 3×3 with stride 2 and padding 1), four stages with 64, 128, 256 and 512 channels, of which all but the first begin with stride 2 (a 3×3 convolution with padding 1), a mean over all pixels that keeps
# both axes with length 1, a flattening, and a linear layer to 10 classes. Kernel $k$, padding $p$ and stride $s$ make
# $\lfloor (H + 2p - k)/s \rfloor + 1$ pixels of $H$. Write down the shape after each part for one image of the shape (1, 1, 97, 97), before you run anything.
#
# *Why it matters.* 224 can be halved five times without a thought. With other sizes the rounding shows, and with it the rule by which branch and shortcut always agree.

# %% starter
answers = {
    "stem": ...,
    "stage1": ...,
    "stage2": ...,
    "stage3": ...,
    "stage4": ...,
    "pool": ...,
    "fc": ...,
}

# %% check
resnet.check.shapes_97(answers)

# %% hint [markdown]
# For each of the layers with stride 2 the formula comes to the same: half of $H$, rounded up.

# %% hint [markdown]
# 97 is halved twice in the stem. The first stage does not halve.

# %% offered
offered = {
    "stem": [(1, 64, 25, 25), (1, 64, 24, 24), (1, 64, 49, 49)],
    "stage1": [(1, 64, 25, 25), (1, 64, 13, 13), (1, 64, 24, 24)],
    "stage2": [(1, 128, 13, 13), (1, 128, 12, 12), (1, 128, 25, 25)],
    "stage3": [(1, 256, 7, 7), (1, 256, 6, 6), (1, 256, 13, 13)],
    "stage4": [(1, 512, 4, 4), (1, 512, 3, 3), (1, 512, 7, 7)],
    "pool": [(1, 512, 1, 1), (1, 512), (1, 512, 4, 4)],
    "fc": [(1, 10), (10,), (1, 512)],
}


# %% solution
answers = {
    "stem": (1, 64, 25, 25),
    "stage1": (1, 64, 25, 25),
    "stage2": (1, 128, 13, 13),
    "stage3": (1, 256, 7, 7),
    "stage4": (1, 512, 4, 4),
    "pool": (1, 512, 1, 1),
    "fc": (1, 10),
}

# %% explanation [markdown]
# 97, 49, 25, 25, 13, 7, 4. The rule that gives 13 from 25 is $\lceil H/2 \rceil$: with $p = (k - 1)/2$ and $s = 2$ the formula is
# $\lfloor (H - 1)/2 \rfloor + 1 = \lceil H/2 \rceil$, for every odd kernel $k$, 1 included. So the 3×3 convolution of the branch and the 1×1 projection of the shortcut give equally many pixels for every $H$.
