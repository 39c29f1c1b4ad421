"""Pretrained weights of torchvision in this module's networks."""

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from resnet.blocks import Bottleneck
from resnet.nets import ResNet

# The names in torchvision's models/resnet.py, and ours.
RENAMED = (
    (r"^(conv|bn)1\.", r"stem.\1."),
    (r"^layer(\d)\.(\d+)\.downsample\.", r"stage\1.\2.shortcut."),
    (r"^layer(\d)\.(\d+)\.", r"stage\1.\2.branch."),
)


def load_torchvision(model: ResNet, weights: Mapping[str, Tensor] | Any) -> ResNet:
    """Load the weights of torchvision's ResNet-18 … 152 into `model`, strictly, and return it.

    Args:
        model: `resnet18()` … `resnet152()`; from 50 layers on made with `stride_on="3x3"`, since
            torchvision strides there. The other form would take the weights and give other scores.
        weights: a state dict, or a member of torchvision's weight enumerations such as
            `torchvision.models.ResNet50_Weights.IMAGENET1K_V1`, which is downloaded.

    Raises:
        ValueError: naming the first tensor that is missing, of another shape or left over, or the
            stride that differs; the model is then as it was.

    """
    if any(isinstance(m, Bottleneck) and m.stride_on == "1x1" for m in model.modules()):
        raise ValueError(
            f"model={model.name} strides on its 1x1 convolutions, torchvision on the 3x3: "
            'make it with stride_on="3x3"'
        )
    theirs = weights if isinstance(weights, Mapping) else weights.get_state_dict(check_hash=True)
    state = {_renamed(name): tensor for name, tensor in theirs.items()}
    for name, tensor in model.state_dict().items():
        if name not in state:
            raise ValueError(f"weights do not fit {model.name}: {name} is missing")
        if state[name].shape != tensor.shape:
            raise ValueError(
                f"weights do not fit {model.name}: {name} has shape {tuple(state[name].shape)}, "
                f"expected {tuple(tensor.shape)}"
            )
    if left_over := state.keys() - model.state_dict().keys():
        raise ValueError(f"weights do not fit {model.name}: {min(left_over)} has no place in it")
    model.load_state_dict(state)
    return model


def _renamed(name: str) -> str:
    for pattern, ours in RENAMED:
        name = re.sub(pattern, ours, name)
    return name
