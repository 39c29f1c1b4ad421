"""A gradient step: as it is, or on a GPU as one CUDA graph."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resnet.training.devices import Precision, arithmetic, process
from resnet.training.recipes import Recipe
from resnet.training.state import State


class Step:
    """A gradient step: forward, loss, backward, update, and the sums of loss and hits.

    Args:
        forward: maps images (N, C, H, W) to scores (N, classes), over all processes.
        smaller: the same for a batch smaller than the others; not compiled for another shape.
        optimizer: of the model's weights.
        recipe: see `Recipe`.
        state: see `State`.
        precision: of the layers.
        whole: images of a whole batch.

    """

    def __init__(
        self, forward: nn.Module, smaller: nn.Module, optimizer: torch.optim.Optimizer,
        recipe: Recipe, state: State, precision: Precision, whole: int,
    ) -> None:  # fmt: skip
        self.forward, self.smaller, self.optimizer = forward, smaller, optimizer
        self.recipe, self.state, self.precision, self.whole = recipe, state, precision, whole
        self.rate: float | Tensor = recipe.lr
        if state.sums.is_cuda:  # in memory of the device, where a graph finds the current one
            self.rate = torch.zeros((), device=state.sums.device)

    def __call__(self, x: Tensor, y: Tensor, share: float, rate: float) -> None:
        """Take the step; `share` is the weight of this process's loss."""
        self.rate = self.rate.fill_(rate) if isinstance(self.rate, Tensor) else rate
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate
        self.take(x, y, share)
        self.state.step += 1

    def take(self, x: Tensor, y: Tensor, share: float) -> None:
        """Do all of it that the device does."""
        forward = self.forward if len(x) == self.whole else self.smaller
        with arithmetic(x.device, self.precision):
            scores = forward(x)
            loss = F.cross_entropy(scores, y, label_smoothing=self.recipe.label_smoothing)
        self.optimizer.zero_grad()
        with arithmetic(x.device, "float32"):  # backward, the layers keep the precision they had
            (loss * share).backward()
        if self.recipe.clip:
            nn.utils.clip_grad_norm_(self.forward.parameters(), self.recipe.clip)
        self.optimizer.step()
        self.state.count(loss, scores, y)


class GraphStep(Step):
    """The same kernels in the same order, queued by one call: a graph of them is replayed.

    The first steps run as they are, so that everything that is made once is there; so does a
    smaller batch, which has no graph.
    """

    WARM_UP = 3  # steps, as torch's notes on CUDA graphs have it

    graph: torch.cuda.CUDAGraph | None = None
    done = 0

    def take(self, x: Tensor, y: Tensor, share: float) -> None:
        """Replay the graph, which is captured at the first whole batch after the warm-up."""
        if self.done == 0:
            self.stream = torch.cuda.Stream(x.device)
        self.done += 1
        if len(x) < self.whole or self.done <= self.WARM_UP:
            here = torch.cuda.current_stream(x.device)  # on the graph's, in order with all else
            self.stream.wait_stream(here)
            with torch.cuda.stream(self.stream):
                super().take(x, y, share)
            here.wait_stream(self.stream)
            return
        if self.graph is None:
            self.x, self.y, self.graph = x.clone(), y.clone(), torch.cuda.CUDAGraph()
            self.optimizer.zero_grad()  # so that the gradients are the graph's own memory
            # thread_local: the threads that read images may use the device meanwhile
            with torch.cuda.graph(
                self.graph, stream=self.stream, capture_error_mode="thread_local"
            ):
                super().take(self.x, self.y, share)
        self.x.copy_(x)
        self.y.copy_(y)
        self.graph.replay()


def is_repeatable(model: nn.Module, optimizer: torch.optim.Optimizer) -> bool:
    """Say whether a step on a GPU can be captured and is the same when it is replayed.

    So it is if Python has no say in it: plain SGD in one process, and of the layers of torch and
    of this module only, without hooks.
    """
    if process()[1] > 1 or not isinstance(optimizer, torch.optim.SGD):
        return False
    for module in model.modules():
        hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks,
                 module._backward_pre_hooks)  # fmt: skip
        if any(hooks) or type(module).__module__.split(".")[0] not in ("torch", "resnet"):
            return False
    return next(model.parameters()).is_cuda
