"""Weights in files: torchvision's pretrained ones, and networks of this module as safetensors."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from resnet.blocks import Bottleneck
from resnet.files import replacing
from resnet.nets import ResNet
from resnet.variants import network

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


def save_weights(model: ResNet, path: str | Path, about: Mapping[str, str] | None = None) -> None:
    """Write a network's weights and BN statistics as safetensors; kernels in half precision.

    The file says which network it is, so that `load_weights` can make it again. It is there whole
    or not at all.

    Args:
        model: a network of `resnet.variants.network`, or of the functions of `resnet.nets`.
        path: of the file.
        about: more that the file should say, for example on what the network was trained.

    """
    from safetensors.torch import save

    state = {
        name: (t.half() if t.ndim > 1 else t).detach().cpu().contiguous()
        for name, t in model.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    metadata = {
        **(about or {}),
        "network": model.name,
        "num_classes": str(model.fc.out_features),
        "in_channels": str(model.in_channels),
        "sha256": _digest(state),
    }
    with replacing(Path(path)) as file:
        file.write(save(state, metadata))


def load_weights(path: str | Path, name: str | None = None) -> ResNet:
    """Make the network that `save_weights` wrote, in evaluation mode, its weights in float32.

    Args:
        path: of the file.
        name: the network that is expected; None takes any.

    Raises:
        ValueError: if the file is damaged, is no such file, or holds another network; naming it.

    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{path} cannot be read as safetensors: {error}") from error
    if missing := [
        k for k in ("network", "num_classes", "in_channels", "sha256") if k not in about
    ]:
        raise ValueError(f"{path} was not written by save_weights: it has no {missing[0]}")
    if about["sha256"] != _digest(state):
        raise ValueError(f"{path} is damaged: its weights do not fit their SHA-256")
    if name is not None and about["network"] != name:
        raise ValueError(f"{path} holds {about['network']!r}, not {name!r}")
    model = network(about["network"], int(about["num_classes"]), int(about["in_channels"]))
    wanted = {k for k in model.state_dict() if not k.endswith("num_batches_tracked")}
    if strange := wanted ^ state.keys():
        raise ValueError(f"{path} does not fit {model.name}: {min(strange)}")
    with torch.no_grad():
        for key, tensor in model.state_dict().items():
            if key in state:
                tensor.copy_(state[key])
    return model.eval()


def _digest(state: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of names, shapes and numbers."""
    digest = hashlib.sha256()
    for name in sorted(state):
        tensor = state[name]
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
