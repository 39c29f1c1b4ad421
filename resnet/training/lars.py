"""Steps of one size for all kernels."""

import torch

SHARE = 0.02  # of a kernel's norm, at a rate of 1
TINY = 1e-12


@torch.no_grad()
def lars(optimizer: torch.optim.Optimizer, *_: object) -> None:
    """Scale each kernel's gradient to `SHARE` of the kernel's norm (LARS, You et al. 2017).

    To be called before each step: `optimizer.register_step_pre_hook(lars)`. Tensors of one
    dimension, which are biases and the scales and shifts of BN, keep their gradient. Unlike in the
    paper, the weight decay is no part of what is scaled.
    """
    for group in optimizer.param_groups:
        for weight in group["params"]:
            if weight.ndim > 1 and weight.grad is not None:
                norm = weight.grad.norm().clamp(min=TINY)
                weight.grad.mul_(SHARE * weight.norm() / norm)
