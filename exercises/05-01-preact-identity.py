"""Where is the identity?

level: warm-up
minutes: 10
importance: essential
line: For each of the five places of the activation, say for which inputs the block is the identity.
"""

import resnet

# %% statement [markdown]
# The second paper compares five orders of the same layers ({cite:t}`he2016identity`, Fig. 4). Each block computes `after(x + branch(before(x)))`:
#
# | name | before | branch | after |
# |---|---|---|---|
# | original | | conv, BN, ReLU, conv, BN | ReLU |
# | BN after addition | | conv, BN, ReLU, conv | BN, ReLU |
# | ReLU before addition | | conv, BN, ReLU, conv, BN, ReLU | |
# | ReLU-only pre-activation | ReLU | conv, BN, ReLU, conv, BN | |
# | full pre-activation | BN, ReLU | conv, BN, ReLU, conv | |
#
# Let *all* weights be zero: those of the convolutions, and scale and shift of every BN. For which inputs is each block the identity?
#
# - (a) for all inputs
# - (b) for all inputs without negative values, and no others
# - (c) not even for all inputs without negative values
#
# *Why it matters.* It is the short form of the second paper: where the identity fails, and which orders mend it.

# %% starter
answers = {  # "a", "b" or "c"
    "original": ...,
    "BN after addition": ...,
    "ReLU before addition": ...,
    "ReLU-only pre-activation": ...,
    "full pre-activation": ...,
}

# %% check
resnet.check.preact_identity(answers)

# %% hint [markdown]
# What does the branch add in each of the five? Then only `after` is left.

# %% hint [markdown]
# A BN with scale 0 and shift 0 gives 0 for every input.

# %% offered
offered = {
    "original": ["b", "a", "c"],
    "BN after addition": ["c", "a", "b"],
    "ReLU before addition": ["a", "b", "c"],
    "ReLU-only pre-activation": ["a", "b", "c"],
    "full pre-activation": ["a", "b", "c"],
}


# %% solution
answers = {
    "original": "b",
    "BN after addition": "c",
    "ReLU before addition": "a",
    "ReLU-only pre-activation": "a",
    "full pre-activation": "a",
}

# %% explanation [markdown]
# At zero weights every branch gives 0, so that `after(x)` is left. With nothing there, the block is the identity everywhere: in the last three. The original has a ReLU, which cuts negative values. *BN after addition* has a BN on the way of the signal, and at zero it gives 0 for every input. (With scale 1 it would still not be the identity: it divides by the batch's deviation.)
#
# Three orders are the identity everywhere, but only one of them was better than the original at both depths that the paper tried. So this property is not all that counts.
