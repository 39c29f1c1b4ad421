"""Weights under other names

level: core
minutes: 30
importance: useful
line: Give your ResNet-34 the weights of torchvision's, tensor by tensor, and get the same scores.
"""

import re

import resnet

# %% statement [markdown]
# Write `renamed(state)`. It gets the state dict of `torchvision.models.resnet34()`, parameters and buffers by name, and returns the same tensors under the names of `net`, so that `net.load_state_dict(renamed(state))` loads them strictly and `net`, in evaluation mode, gives torchvision's scores.
#
# `net` is your own network of the last exercise, or `resnet.resnet34()`, whose parts also have other names than torchvision's; do not use `resnet.load_torchvision`. Torchvision calls the parts of the network `conv1`, `bn1`, `layer1` to `layer4` and `fc`. Block $i$ of a stage, counted from 0, is `layer2.i`, with `conv1`, `bn1`, `conv2`, `bn2`, and in the first block of stages 2 to 4 `downsample.0` (the projection) and `downsample.1` (its BN). To see all names: `torchvision.models.resnet34().state_dict().keys()` and `net.state_dict().keys()`.
#
# *Why it matters.* Pretrained weights come under somebody else's names. `load_state_dict(…, strict=False)` hides what does not fit, and a network with half of its weights at random raises no error.


# %% starter
net = resnet.resnet34()  # or your own


def renamed(state):
    """Return the tensors of torchvision's ResNet-34 under the names of net."""
    raise NotImplementedError("renamed")


# %% check
resnet.check.torchvision_names(renamed, net)

# %% hint [markdown]
# Print the two lists of names beside each other, with the shapes. How many has each?

# %% hint [markdown]
# A BN has five entries: `weight`, `bias`, `running_mean`, `running_var` and `num_batches_tracked`. None of them is to be left out.

# %% hint [markdown]
# Three replacements with `re.sub` are enough for the book's network: for the stem, for `downsample`, and for the other layers of a block.

# %% help [markdown]
# one of 18 names that it lacks.
#
# The name that is printed is one of `net`'s. Find its counterpart among torchvision's names (it is the part called `downsample`) and see what your replacements make of that.

# %% help [markdown]
# Which tensors of equal shape have changed places?
#
# Both networks now have all tensors, and some are swapped. The two BNs of a block have equal shapes, and so have its two convolutions where the shape is kept. Look at one block's names before and after.

# %% help [markdown]
# which is no name in net.
#
# A name has gone through unchanged. Is it one that your pattern begins elsewhere (`^`), or one of the parts outside of the stages?


# %% solution
def renamed(state):
    found = {}
    for name, tensor in state.items():
        name = re.sub(r"^(conv|bn)1", r"stem.\1", name)
        name = re.sub(
            r"^layer(\d)\.(\d)\.downsample", r"stage\1.\2.shortcut", name
        )
        name = re.sub(r"^layer(\d)\.(\d)", r"stage\1.\2.branch", name)
        found[name] = tensor
    return found


# %% explanation [markdown]
# Nothing is computed: the networks are the same, and only their parts have other names. Three things are easily lost. Buffers: `named_parameters()` lacks the running averages, and a network with the averages of a new one gives other scores without any error. Order: to zip the two lists works only where both networks create their layers in the same order. Shapes that agree by accident: the two BNs of a block can change places, and both lists still fit.
