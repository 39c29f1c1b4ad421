"""What went wrong?

level: core
minutes: 20
importance: essential
line: Name the fault in each of six recorded training runs from their losses alone.
"""

import resnet

# %% statement [markdown]
# A small network (ResNet-8 on 2,000 images of Fashion-MNIST, ten classes) was trained seven times for 160 steps of 50 images, once rightly and six times with one fault. {numref}`tab-loss-curves` has the losses, a row for every ten steps: `train` is the mean loss of the ten batches, in training mode, and `test` that of 500 other images after them, in evaluation mode. A network that knows nothing has the loss $\ln 10 = 2.30$.
#
# Which training has which fault? Each occurs once.
#
# - (1) The learning rate is far too high.
# - (2) The learning rate is far too low.
# - (3) The learning rate was lowered to a hundredth much too early.
# - (4) Only 100 images were trained on.
# - (5) The labels belong to other images than those they stand with.
# - (6) The test images were prepared otherwise than the training images.
#
# *Why it matters.* These numbers are all one has while a training runs. Which of them belong together says where to look.

# %% given caption="The losses of the seven training runs, the right one first."
resnet.check.losses()

# %% starter
answers = {"A": ..., "B": ..., "C": ..., "D": ..., "E": ..., "F": ...}  # 1 to 6

# %% check
resnet.check.loss_curves(answers)

# %% hint [markdown]
# Compare each training with the right one. Is it the training loss that differs, or only the test loss? (That the test loss of the first thirty steps is high means nothing here: BN's running averages lag behind.)

# %% hint [markdown]
# Where the training loss does not fall far: did it never fall, does it fall slowly and smoothly, did it stop at some step, or was it once far above 2.3?

# %% help [markdown]
# Then the training loss would be that of the right training.
#
# Hold the two training losses beside each other, row by row. A fault that touches the test images alone cannot change the training loss.

# %% help [markdown]
# Then the training loss would go to zero, and the test loss would not.
#
# Few images can be learnt by heart: which of the training runs has a training loss near zero, and a test loss that goes its own way?

# %% help [markdown]
# Then it would be the right training up to some step, and hardly move from there on.
#
# Compare with the right training from the first row on. Is there a row up to which both agree?

# %% solution
answers = {"A": 5, "B": 4, "C": 2, "D": 3, "E": 6, "F": 1}

# %% explanation [markdown]
# - **A**: the training loss stays at $\ln 10$ from the first step to the last: there is nothing to learn, and 160 steps are too few to learn 2,000 labels by heart.
# - **B**: the training loss goes to zero, the test loss stays above 1 and ends as high as it was in the middle. The network knows its 100 images.
# - **C**: both losses fall, smoothly, together, and too slowly.
# - **D**: the same as the right training for 30 steps, then both losses stand still.
# - **E**: the training loss is that of the right training, number by number, so nothing is wrong with the training. The test loss is far above 2.3: worse than knowing nothing, which only a confident network can be.
# - **F**: the losses explode at once, and what is left of the network stays at chance.
