"""Averages that lag

level: core
minutes: 30
importance: useful
line: Recalibrate a network's batch normalisations, and say what it was worth.
"""

import copy

import resnet
import torch
import torch.nn.functional as F

# %% statement [markdown]
# In training, a BN keeps running averages of its mean and variance, for evaluation mode. After few steps, or after steps that changed the weights a lot, the averages lag: they still have a share of their starting values, and what they average belongs to weights of the past.
#
# Write `recalibrate(net, batches)`, which replaces the running averages of every `nn.BatchNorm2d` by the plain mean over `batches` (a list of image tensors) of each batch's mean and unbiased variance, with the weights of now. No parameter changes, each BN has its `momentum` as before, and the network is in evaluation mode at the end.
#
# The starter trains a network for 15 steps. By how many points (hundredths) does recalibration with the batches of the starter raise its accuracy on the test images? Compute `worth`, with a copy of `net`: hand over `net` as it was.
#
# *Why it matters.* The same weights, and another network. When a network is good in training mode and bad in evaluation mode, look here first.

# %% starter
data = resnet.load_data("fashion-mnist", sample=True)
recipe = resnet.Recipe(
    steps=15, batch_size=50, lr=0.1, momentum=0.9, image_size=8
)
torch.manual_seed(0)
net = resnet.cifar_resnet(8, 10, 1)
resnet.fit(net, data, recipe, device="cpu", progress=False)

batches = F.interpolate(data.train_images / 255, size=8, mode="area").split(100)
test_images = F.interpolate(data.test_images / 255, size=8, mode="area")


def accuracy(net):
    """Return the accuracy on the test images, in points."""
    hits = net.eval()(test_images).argmax(1) == data.test_labels
    return 100 * hits.float().mean().item()


def recalibrate(net, batches):
    """Replace the running averages of net by those over batches."""
    raise NotImplementedError("recalibrate")


worth = ...  # points

# %% check
resnet.check.recalibrate(recalibrate, net, worth)

# %% hint [markdown]
# `norm.reset_running_stats()` forgets the averages. With `norm.momentum = None` a BN keeps the plain mean over all batches since then. Set the momentum back afterwards.

# %% hint [markdown]
# A BN moves its averages in training mode only, and needs no gradients for it.

# %% help [markdown]
# Do the old averages count, and does the last batch count more?
#
# With a momentum of 0.1 a BN forgets slowly and never forgets all. The plain mean over the batches needs the old averages gone, and a weight of $1/k$ for the $k$-th batch.

# %% help [markdown]
# leaves a momentum of None behind.
#
# What you changed for the recalibration goes on working afterwards: with None, the next training would average over all its steps. Put back what was there.

# %% help [markdown]
# This is the accuracy afterwards. What was it before?
#
# The question is by how much it rises: after minus before, in points, with a copy of `net` for the one and `net` itself for the other.


# %% solution
def recalibrate(net, batches):
    norms = [m for m in net.modules() if type(m).__name__ == "BatchNorm2d"]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    net.train()
    for images in batches:
        net(images).detach()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    net.eval()


again = copy.deepcopy(net)
recalibrate(again, batches)
worth = accuracy(again) - accuracy(net)
print(f"{accuracy(net):.1f} -> {accuracy(again):.1f}, {worth:+.1f} points")

# %% explanation [markdown]
# No weight has changed. After 15 steps with momentum 0.1 the averages still hold a fifth of their starting values ($0.9^{15}$ is 0.21), and the rest is of fifteen different sets of weights. How much that costs depends on the training: it is most where the weights move fast, at a high rate and in the beginning, and next to nothing at the end of a long training whose rate has fallen.
#
# `resnet.measure.refresh_statistics` is the module's version; it also keeps dropout in evaluation mode meanwhile.
