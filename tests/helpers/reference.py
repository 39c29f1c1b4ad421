"""The networks a second time, as plain functions of their weights; written from the papers."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
import torchvision
from hypothesis import settings
from torch import Tensor, nn

Weights = Mapping[str, Tensor]

# The tensors are tiny; on a busy machine a second thread makes these tests 20 times slower.
torch.set_num_threads(1)

# Property tests: the same few examples every time, and nothing left on the disk.
few = settings(derandomize=True, deadline=None, max_examples=50, database=None)


def stir(model: nn.Module, seed: int = 0) -> nn.Module:
    """Give every BN random scales, shifts and statistics, so that leaving one out shows."""
    random = torch.Generator().manual_seed(seed)
    for bn in model.modules():
        if isinstance(bn, nn.BatchNorm2d):
            bn.weight.data.uniform_(0.5, 1.5, generator=random)
            bn.bias.data.normal_(0, 0.3, generator=random)
            bn.running_mean.normal_(0, 0.3, generator=random)
            bn.running_var.uniform_(0.5, 1.5, generator=random)
    return model


@torch.no_grad()
def statistics(model: nn.Module, batches: Sequence[Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
    """Of every BN, by name: the means over the batches of its input's mean and variance.

    Each BN normalises by its batch meanwhile; all else is in evaluation mode.
    """
    model = copy.deepcopy(model).eval()
    seen: dict[str, list[tuple[Tensor, Tensor]]] = {}
    for name, bn in model.named_modules():
        if isinstance(bn, nn.BatchNorm2d):
            found = seen.setdefault(name, [])
            bn.train().register_forward_pre_hook(
                lambda _, args, found=found: found.append(
                    (args[0].mean((0, 2, 3)), args[0].var((0, 2, 3)))
                )
            )
    for images in batches:
        model(images)
    return {
        name: tuple(torch.stack(values).mean(0) for values in zip(*found, strict=True))
        for name, found in seen.items()
    }


def torchvision_name(ours: str) -> str:
    """Translate the name of a parameter or buffer of `resnet.nets` to torchvision's."""
    name = re.sub(r"^stem\.(conv|bn)\.", r"\g<1>1.", ours)
    name = re.sub(r"^stage(\d+)\.", r"layer\1.", name)
    return name.replace(".branch.", ".").replace(".shortcut.", ".downsample.")


def torchvision_twin(ours: nn.Module, depth: int) -> nn.Module:
    """Torchvision's network with copies of our weights and statistics, loaded strictly."""
    with torch.device("meta"):
        theirs = getattr(torchvision.models, f"resnet{depth}")(num_classes=ours.fc.out_features)
        if ours.in_channels != 3:
            theirs.conv1 = nn.Conv2d(ours.in_channels, 64, 7, 2, 3, bias=False)
    state = {torchvision_name(k): v.clone() for k, v in ours.state_dict().items()}
    theirs.load_state_dict(state, assign=True)
    return theirs


def conv(x: Tensor, weight: Tensor, stride: int = 1) -> Tensor:
    return F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)


def bn(x: Tensor, w: Weights, at: str, *, training: bool) -> Tensor:
    mean, var = w[f"{at}.running_mean"].clone(), w[f"{at}.running_var"].clone()
    return F.batch_norm(x, mean, var, w[f"{at}.weight"], w[f"{at}.bias"], training=training)


def around(x: Tensor, channels: int, stride: int) -> Tensor:
    """Option A: every stride-th pixel, and zeros behind the channels there are."""
    kept = x[..., ::stride, ::stride]
    zeros = kept.new_zeros(len(x), channels - x.shape[1], *kept.shape[2:])
    return torch.cat([kept, zeros], 1)


def original_unit(
    w: Weights, at: str, x: Tensor, strides: Sequence[int], option: str | None, *, training: bool
) -> Tensor:
    """2016a, Fig. 2 and 5: conv-BN-ReLU-…-conv-BN, the addition, a last ReLU."""
    y = x
    for i, stride in enumerate(strides, 1):
        y = conv(y, w[f"{at}branch.conv{i}.weight"], stride)
        y = bn(y, w, f"{at}branch.bn{i}", training=training)
        if i < len(strides):
            y = torch.relu(y)
    changes = x.shape != y.shape
    if option == "C" or (option == "B" and changes):
        projected = conv(x, w[f"{at}shortcut.0.weight"], max(strides))
        y = y + bn(projected, w, f"{at}shortcut.1", training=training)
    elif option is not None:
        y = y + around(x, y.shape[1], max(strides))
    return torch.relu(y)


def preact_unit(
    w: Weights,
    at: str,
    x: Tensor,
    strides: Sequence[int],
    option: str | None,
    *,
    training: bool,
    first: bool = False,
) -> Tensor:
    """2016b, Fig. 4e: BN-ReLU before each convolution, nothing after the addition.

    The first BN-ReLU is shared with a projection; the stem has done it for the first unit.
    """
    active = x if first else torch.relu(bn(x, w, f"{at}before.bn", training=training))
    y = active
    for i, stride in enumerate(strides, 1):
        y = conv(y, w[f"{at}branch.conv{i}.weight"], stride)
        if i < len(strides):
            y = torch.relu(bn(y, w, f"{at}branch.bn{i}", training=training))
    if option == "C" or (option == "B" and x.shape != y.shape):
        return y + conv(active, w[f"{at}shortcut.0.weight"], max(strides))
    return y if option is None else y + around(x, y.shape[1], max(strides))


def unit_strides(stride: int, *, bottleneck: bool, stride_on: str = "1x1") -> tuple[int, ...]:
    """The strides of a unit's convolutions: on the first, or in v1.5 on the 3x3."""
    if not bottleneck:
        return (stride, 1)
    return (stride, 1, 1) if stride_on == "1x1" else (1, stride, 1)


def network(
    w: Weights,
    x: Tensor,
    counts: Sequence[int],
    *,
    large_images: bool,
    bottleneck: bool = False,
    preact: bool = False,
    option: str | None = "B",
    stride_on: str = "1x1",
    training: bool = False,
) -> Tensor:
    """2016a, Table 1 and Sec. 4.2; 2016b, Fig. 4e and appendix: the scores for images x."""
    x = conv(x, w["stem.conv.weight"], 2 if large_images else 1)
    x = torch.relu(bn(x, w, "stem.bn", training=training))
    if large_images:
        x = F.max_pool2d(x, 3, stride=2, padding=1)
    for stage, count in enumerate(counts, 1):
        for j in range(count):
            strides = unit_strides(
                2 if stage > 1 and j == 0 else 1, bottleneck=bottleneck, stride_on=stride_on
            )
            at = f"stage{stage}.{j}."
            if preact:
                first = stage == 1 and j == 0
                x = preact_unit(w, at, x, strides, option, training=training, first=first)
            else:
                x = original_unit(w, at, x, strides, option, training=training)
    if preact:
        x = torch.relu(bn(x, w, "act.bn", training=training))
    return F.linear(x.mean((2, 3)), w["fc.weight"], w["fc.bias"])
