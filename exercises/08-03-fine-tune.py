"""Fine-tuning

level: core
minutes: 35
importance: useful
line: Fine-tune a network to another task: what is frozen, what the optimiser gets, and a number to beat.
"""

import copy

import resnet
import torch
import torch.nn.functional as F
from torch import nn

# %% statement [markdown]
# `net` in the starter has learnt articles of clothing, and is to learn handwritten digits. Write `prepare(net)`, which changes `net` and returns it with an optimiser:
#
# - the last layer, `net.fc`, is exchanged for a new linear layer to 10 classes;
# - only the new layer and the last stage, `net.stage3`, are trained: all other parameters have `requires_grad` False;
# - the optimiser, of any kind, has exactly the parameters that are trained, in two groups: those of `stage3` with a tenth of the rate of those of `fc`;
# - the network is in evaluation mode, and stays in it while it is fine-tuned, so that BN's running averages do not move.
#
# Then fine-tune a copy of `net` on `images` and `labels`, at most for some seconds, until the check finds more than 80% of the *test* digits right. `tuned` is the network after that.
#
# *Why it matters.* A frozen parameter is not frozen for BN's averages, a parameter outside of the optimiser is not trained, and an old optimiser goes on training the old layer. All three are silent.

# %% starter
clothes = resnet.load_data("fashion-mnist", sample=True)
recipe = resnet.Recipe(
    steps=100, batch_size=50, lr=0.1, momentum=0.9, image_size=8
)
torch.manual_seed(0)
net = resnet.cifar_resnet(8, 10, 1)
resnet.fit(net, clothes, recipe, device="cpu", progress=False)

digits = resnet.load_data("digits")
images, labels = digits.train_images / 255, digits.train_labels


def prepare(net):
    """Return net, ready to be fine-tuned, and its optimiser."""
    raise NotImplementedError("prepare")


tuned = ...

# %% check
resnet.check.fine_tune(prepare, net, tuned)

# %% hint [markdown]
# `net.requires_grad_(False)` freezes everything; then thaw two parts. An optimiser takes a list of dictionaries: `[{"params": …, "lr": …}, …]`.

# %% hint [markdown]
# `net.fc.in_features` is what goes into the last layer. The optimiser has to be made after the exchange.

# %% hint [markdown]
# 100 steps of 50 digits at a rate of 0.2 for the new layer (with momentum 0.9) are enough. Is the loss computed from scores in evaluation mode?

# %% help [markdown]
# is not frozen.
#
# The tensor that is named still has `requires_grad` True. Freeze everything first, then thaw `stage3` and make the new `fc`.

# %% help [markdown]
# the optimiser lacks
#
# The optimiser has one group too few, or was given a generator that was used up before. Print `len(group["params"])` for each group.

# %% help [markdown]
# differs, which was to be frozen. In which mode was it trained?
#
# Running averages are no parameters: `requires_grad` does not hold them. In training mode every forward moves them.


# %% solution
def prepare(net):
    net.requires_grad_(False)
    net.stage3.requires_grad_(True)
    net.fc = nn.Linear(net.fc.in_features, 10)
    groups = [
        {"params": net.stage3.parameters(), "lr": 0.02},
        {"params": net.fc.parameters(), "lr": 0.2},
    ]
    return net.eval(), torch.optim.SGD(groups, momentum=0.9)


tuned, optimizer = prepare(copy.deepcopy(net))
for _ in range(150):
    batch = torch.randint(len(images), (50,))
    loss = F.cross_entropy(tuned(images[batch]), labels[batch])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

# %% explanation [markdown]
# The first two stages keep what they learnt from clothing, where lines end and how they turn, which is of use for digits too. The new layer starts from nothing and may take large steps; the last stage has something to lose and takes small ones. With everything but the new layer frozen, the accuracy stays lower; with a network that was never trained, and the same parts frozen, it stays below a half.
