"""Batch normalisation of your own

level: core
minutes: 40
importance: essential
line: Write BatchNorm2d in both of its modes, and say what a forgotten eval() does.
"""

import resnet
import torch
from torch import nn

# %% statement [markdown]
# Write `BatchNorm(channels, eps=1e-5, momentum=0.1)`, a subclass of `nn.Module` that does what `nn.BatchNorm2d` does, from tensor operations alone. Its parameters are `weight` (ones at the start) and `bias` (zeros), its buffers `running_mean` (zeros) and `running_var` (ones), each of shape `(channels,)`. For an input of shape (N, C, H, W):
#
# - in training mode, each channel is normalised by the mean and the variance of its own $M = N H W$ numbers: $y = (x - \mu) / \sqrt{v + \varepsilon}$, where $v$ divides by $M$. Then $\mu$ and the *unbiased* variance, which divides by $M - 1$, go into the running averages: new = (1 − momentum) · old + momentum · the batch's;
# - in evaluation mode, the running averages take the place of $\mu$ and $v$, and stay as they are;
# - in both modes $y$ is multiplied by `weight` and `bias` is added, channel by channel.
#
# Gradients flow through $\mu$ and $v$ in training mode, and not into the running averages.
#
# A network is tested, under `torch.no_grad()`, but its `eval()` was forgotten. Choose:
#
# **scores of an image:** (a) they are those of evaluation mode; (b) they depend on the other images of its batch; (c) they depend on the labels.
#
# **running averages:** (a) they stay, since there are no gradients; (b) they stay, since no optimiser makes a step; (c) they move towards the test images.
#
# *Why it matters.* It is the one layer of the network that computes two different things, and the mode is the only sign of which.


# %% starter
class BatchNorm(nn.Module):
    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()

    def forward(self, x):
        raise NotImplementedError("BatchNorm.forward")


answers = {"scores of an image": ..., "running averages": ...}  # "a", "b", "c"

# %% check
resnet.check.batch_norm(BatchNorm, answers)

# %% hint [markdown]
# `nn.Parameter(tensor)` makes a parameter and `self.register_buffer(name, tensor)` a buffer. `self.training` is the mode.

# %% hint [markdown]
# `x.mean((0, 2, 3))` is one number per channel; `[:, None, None]` behind it makes it fit to images.

# %% hint [markdown]
# `x.var((0, 2, 3), correction=0)` divides by $M$. For the running averages take what `.detach()` returns.

# %% help [markdown]
# the variance that normalises divides by M, not by M - 1.
#
# `x.var(…)` divides by $M - 1$ unless it is told otherwise; its argument `correction` says how much is taken off $M$. The layer needs both variances, in two places.

# %% help [markdown]
# running_var moves too much: momentum is the share of the new batch.
#
# With momentum 0.1, a tenth of the new average is the batch's and nine tenths are the old one's. Some libraries use the word for the other share.

# %% help [markdown]
# the gradient of the input is another.
#
# The mean and the variance depend on the input, and gradients pass through them. A `.detach()` or `torch.no_grad()` belongs to the running averages only: take it off what normalises.


# %% solution
class BatchNorm(nn.Module):
    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x):
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
            unbiased = x.detach().var((0, 2, 3), correction=1)
            self.running_mean.lerp_(mean.detach(), self.momentum)
            self.running_var.lerp_(unbiased, self.momentum)
        scale = self.weight / torch.sqrt(var + self.eps)
        shift = self.bias - mean * scale
        return x * scale[:, None, None] + shift[:, None, None]


answers = {"scores of an image": "b", "running averages": "c"}

# %% explanation [markdown]
# In training mode every image is normalised by its whole batch, so that its scores change with its neighbours, and a batch of one is an error or nonsense where the image is one pixel. The averages are buffers: `forward` itself writes them, with or without gradients and optimiser. So a forgotten `eval()` does two kinds of harm: the result is not reproducible, and the network has been changed by its test images.
#
# The two variances differ by $M / (M - 1)$, which is little for a batch of 128 and much for the last stage with two images of 1×1.
