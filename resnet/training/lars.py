"""Steps of one size for all layers."""

from collections.abc import Callable

import torch

SHARE = 0.02  # at a rate of 1, of a kernel's norm
TINY = 1e-12


class LARS(torch.optim.SGD):
    """SGD that moves each kernel by a share of its own norm (You et al. 2017).

    The gradient of a tensor of two or more dimensions is scaled to `SHARE` of the tensor's norm;
    biases and the scales and shifts of BN take it as it is. Momentum and weight decay are SGD's:
    unlike in the paper, the decay is no part of what is scaled.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Scale the gradients in place, then take SGD's step."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.ndim > 1 and weight.grad is not None:
                    norm = weight.grad.norm().clamp(min=TINY)
                    weight.grad.mul_(SHARE * weight.norm() / norm)
        super().step()
        return loss
