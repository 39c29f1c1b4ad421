"""Four bugs

level: core
minutes: 30
importance: essential
line: Find the four bugs of a training loop that runs without an error and learns little.
"""

import resnet
import torch
import torch.nn.functional as F

# %% statement [markdown]
# The function `buggy` in the starter trains a network by plain stochastic gradient descent and returns its accuracy on test images after each epoch. It runs, and has four bugs. Write `train` with the same arguments and the same kind of result, and without the bugs:
#
# - an epoch goes through the training images once, in a new random order, in batches of `batch_size` (the last may be smaller);
# - each step is taken with the gradient of the mean cross-entropy of its own batch, in training mode;
# - each epoch ends with a test in evaluation mode, on all test images.
#
# `net` returns scores, not probabilities.
#
# *Why it matters.* None of the four raises an error, and with each of them the loss still falls a little. They are the bugs that training loops have.


# %% starter
def buggy(
    net, images, labels, test_images, test_labels, epochs, lr, batch_size
):
    optimizer = torch.optim.SGD(net.parameters(), lr)
    accuracies = []
    net.train()
    for _ in range(epochs):
        order = torch.randperm(len(images))
        for start in range(0, len(images), batch_size):
            batch = order[start : start + batch_size]
            probabilities = net(images[batch]).softmax(1)
            loss = F.cross_entropy(
                probabilities, labels[start : start + batch_size]
            )
            loss.backward()
            optimizer.step()
        net.eval()
        with torch.no_grad():
            hits = net(test_images).argmax(1) == test_labels
        accuracies.append(hits.float().mean().item())
    return accuracies


def train(
    net, images, labels, test_images, test_labels, epochs, lr, batch_size
):
    """Train net; return its accuracy on the test images after each epoch."""
    raise NotImplementedError("train")


# %% check
resnet.check.four_bugs(train)

# %% hint [markdown]
# Follow one batch: which images does it have, which labels, what does the loss function expect, and what is in `weight.grad` before `backward`?

# %% hint [markdown]
# Follow the mode over two epochs. In which mode does the second begin?

# %% help [markdown]
# a step goes along the gradients of earlier batches, too.
#
# `backward` adds to what is in `weight.grad`. Something has to empty it once for each step, before `backward`.

# %% help [markdown]
# makes steps in evaluation mode. What did the last test leave behind?
#
# `net.eval()` stays until somebody says `net.train()`. One call before the loop is enough for the first epoch only.

# %% help [markdown]
# the loss is not the cross-entropy. What does it expect?
#
# `F.cross_entropy` takes the softmax itself. It wants what the network returns.


# %% solution
def train(
    net, images, labels, test_images, test_labels, epochs, lr, batch_size
):
    optimizer = torch.optim.SGD(net.parameters(), lr)
    accuracies = []
    for _ in range(epochs):
        net.train()
        for batch in torch.randperm(len(images)).split(batch_size):
            loss = F.cross_entropy(net(images[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        net.eval()
        with torch.no_grad():
            hits = net(test_images).argmax(1) == test_labels
        accuracies.append(hits.float().mean().item())
    return accuracies


# %% explanation [markdown]
# - `F.cross_entropy` takes scores. Of probabilities it takes the softmax a second time, and the gradients become small.
# - The images are shuffled, the labels are not: nearly every image has the label of another.
# - Nothing sets the gradients back to zero. `backward` adds to them, so each step goes along the sum of all gradients since the beginning.
# - After the first test the network stays in evaluation mode, and BN normalises by averages that no longer follow.
#
# A loop is tested like any other function: with a network so small that a step can be computed by hand. This is what the check does.
