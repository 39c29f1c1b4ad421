"""CIFAR-20 on paper

level: core
line: Derive the number of parameters of the CIFAR network with 20 layers, part by part.
"""

import resnet

# %% statement [markdown]
# The paper's network with 20 layers for CIFAR-10 (Sec. 4.2) has
#
# - a stem: a 3×3 convolution from 3 to 16 channels, without bias, and a BN;
# - three stages of 3 blocks each with 16, 32 and 64 channels. A block has two 3×3 convolutions without bias, each followed by a BN. The first block of stage 2 leads from 16 to 32 channels, that of stage 3 from 32 to 64;
# - shortcuts of option A, zero padding, which have no parameters;
# - a mean over all pixels and a linear layer with biases (`fc`) from 64 channels to 10 classes.
#
# A BN has a scale and a shift for each channel. How many parameters has each part, and the whole?
#
# *Why it matters.* The paper's Table 6 says 0.27 million. If your sum, taken to two digits, is another, you have another network.

# %% starter
answers = {
    "stem": ...,
    "stage1": ...,
    "stage2": ...,
    "stage3": ...,
    "fc": ...,
    "total": ...,
}

# %% check
resnet.check.count_20(answers)

# %% hint [markdown]
# A stage of 3 blocks has 6 convolutions and 6 BNs. In stages 2 and 3, one of the convolutions has fewer channels coming in.

# %% hint [markdown]
# Let Python multiply: `9 * 16 * 32 + 5 * 9 * 32 * 32 + …` is an answer, too.

# %% solution
answers = {
    "stem": 9 * 3 * 16 + 2 * 16,
    "stage1": 6 * 9 * 16 * 16 + 6 * 2 * 16,
    "stage2": 9 * 16 * 32 + 5 * 9 * 32 * 32 + 6 * 2 * 32,
    "stage3": 9 * 32 * 64 + 5 * 9 * 64 * 64 + 6 * 2 * 64,
    "fc": 64 * 10 + 10,
}
answers["total"] = sum(answers.values())

# %% explanation [markdown]
# The parts have 464, 14,016, 51,072, 203,520 and 650 parameters, 269,722 in all, which is the 0.27 million of Table 6. With $n$ blocks per stage instead of 3, each further block adds $2 \cdot 9 C^2 + 4 C$ for each of the three widths $C$: 97,216 in all. So a network of $6n + 2$ layers has $269{,}722 + (n - 3) \cdot 97{,}216$ parameters; $n = 18$ gives
# the 1,727,962 of 110 layers. A plain network has as many, since option A has none of its own.
