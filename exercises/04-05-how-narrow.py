"""How narrow?

level: core
minutes: 20
importance: extra
line: See how the weights of a bottleneck divide between its convolutions as the ends get wider.
"""

import resnet

# %% statement [markdown]
# Let a bottleneck that keeps the shape have $m$ channels in the middle and $e m$ at both ends; the paper's has $e = 4$. It has a 1×1 convolution from $em$ to $m$, a 3×3 convolution from $m$ to $m$ and a 1×1 convolution from $m$ to $em$. Leave BN aside. At every pixel a convolution needs as many multiply-adds as it has weights.
#
# - What share of the block's weights does the 3×3 convolution have for $e = 1$ and for $e = 4$? (A number between 0 and 1.)
# - For which $e$ do the 3×3 convolution and the two 1×1 convolutions together have equally many?
# - With $e = 8$, how many channels may the middle have, so that the block costs as much as with $m = 64$ and $e = 4$? (Not a whole number; within half a per cent is close enough.)
#
# *Why it matters.* The 3×3 convolutions are what looks at neighbouring pixels. A narrower middle at a fixed price means a wider signal, but also that most of the money goes into layers that look at one pixel only.

# %% starter
answers = {
    "share of the 3x3 at e = 1": ...,
    "share of the 3x3 at e = 4": ...,
    "e with equal shares": ...,
    "middle at e = 8 for the cost of 64 at e = 4": ...,
}

# %% check
resnet.check.how_narrow(answers)

# %% hint [markdown]
# Write down the weights of the three convolutions as multiples of $m^2$.

# %% hint [markdown]
# The whole block has $(2e + 9)\,m^2$ weights.

# %% help [markdown]
# there are two 1x1 convolutions.
#
# One leads from $em$ to $m$ and one back. Each has $e m^2$ weights.

# %% help [markdown]
# only the 1x1 convolutions grow with e.
#
# Write the cost of the whole block as $m^2$ times something with $e$ in it. The part of the 3×3 convolution has no $e$.

# %% help [markdown]
# is counted alike in both blocks.
#
# A factor of two on both sides of an equation falls out. Compare $(2 \cdot 8 + 9)\, m^2$ with the same for 64 and 4.


# %% solution
def share(e):
    return 9 / (2 * e + 9)


answers = {
    "share of the 3x3 at e = 1": share(1),
    "share of the 3x3 at e = 4": share(4),
    "e with equal shares": 9 / 2,
    "middle at e = 8 for the cost of 64 at e = 4": (
        64**2 * (2 * 4 + 9) / (2 * 8 + 9)
    )
    ** 0.5,
}

# %% explanation [markdown]
# The 1×1 convolutions have $2 e m^2$ weights, the 3×3 convolution has $9 m^2$, so its share is $9 / (2e + 9)$: 82% for $e = 1$, 53% for $e = 4$, and half for $e = 4.5$. The paper's factor is nearly the one that divides the weights equally. At a fixed price $m = \sqrt{\text{price}/(2e + 9)}$: with $e = 8$ the middle has 52.8 channels and the ends have 422 instead of 256.
