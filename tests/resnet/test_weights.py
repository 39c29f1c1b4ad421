"""torchvision's weights in our networks: the same scores, or an error that names the tensor."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torchvision
from reference import stir
from safetensors.torch import save_file
from torch import nn

import resnet
from resnet.variants import network


def theirs(depth: int, **options: int) -> nn.Module:
    """A torchvision network with random weights: tests download nothing."""
    torch.manual_seed(depth)
    return stir(getattr(torchvision.models, f"resnet{depth}")(**options)).eval()


def ours(depth: int, **options: object) -> resnet.nets.ResNet:
    where = {"stride_on": "3x3"} if depth >= 50 else {}
    return resnet.imagenet_resnet(depth, **{**where, **options}).eval()


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_same_scores(depth: int) -> None:
    source = theirs(depth, num_classes=7)
    model = resnet.load_torchvision(ours(depth, num_classes=7), source.state_dict())
    x = torch.rand(2, 3, 65, 49)
    with torch.no_grad():
        torch.testing.assert_close(model(x), source(x), rtol=1e-4, atol=1e-4)


def test_an_enumeration_of_weights() -> None:
    """A member of torchvision's enumerations is asked for its tensors, and for their hash."""

    class Weights:
        def get_state_dict(self, *, check_hash: bool) -> dict[str, torch.Tensor]:
            assert check_hash
            return theirs(18).state_dict()

    model = resnet.load_torchvision(ours(18), Weights())
    assert torch.equal(model.fc.weight, theirs(18).fc.weight)


@pytest.mark.parametrize(
    ("model", "change", "named"),
    [
        (ours(18), lambda s: s.pop("layer2.0.downsample.0.weight"), "stage2.0.shortcut.0.weight"),
        (ours(18, num_classes=10), lambda s: None, r"fc.weight has shape \(1000, 512\)"),
        (ours(18), lambda s: s.update(extra=torch.ones(1)), "extra has no place"),
        (ours(34), lambda s: None, "stage1.2.branch.conv1.weight is missing"),
        (ours(18, preact=True), lambda s: None, "stage1.1.before.bn.weight is missing"),
        (ours(18, shortcut="A"), lambda s: None, r"stage2.0.shortcut.0.weight has no place"),
    ],
    ids=["missing", "shape", "left over", "depth", "preact", "shortcut"],
)
def test_a_misfit_is_named_and_nothing_changes(model, change, named) -> None:  # type: ignore[no-untyped-def]
    state = theirs(18).state_dict()
    change(state)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(ValueError, match=named):
        resnet.load_torchvision(model, state)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_the_stride_of_the_paper_is_refused() -> None:
    """The tensors would fit; the scores would not."""
    with pytest.raises(ValueError, match='stride_on="3x3"'):
        resnet.load_torchvision(ours(50, stride_on="1x1"), theirs(50).state_dict())


NAME = "ResNet-8, width 8, option C"


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    resnet.save_weights(stir(network(NAME, 7, 1)), tmp_path / "w.safetensors", {"data": "noise"})
    return tmp_path / "w.safetensors"


def test_saved_and_loaded(saved: Path) -> None:
    """The same network by its name alone; kernels to half precision, BN to the last bit."""
    torch.manual_seed(0)
    model = stir(network(NAME, 7, 1))
    again = resnet.load_weights(saved, NAME)
    assert again.name == NAME and not again.training
    assert [path.name for path in saved.parent.iterdir()] == ["w.safetensors"]
    for (key, a), b in zip(model.state_dict().items(), again.state_dict().values(), strict=True):
        if not key.endswith("num_batches_tracked"):
            assert a.dtype == b.dtype
            assert torch.equal(a.half().float() if a.ndim > 1 else a, b), key


def test_a_changed_bit_is_noticed(saved: Path) -> None:
    content = bytearray(saved.read_bytes())
    content[-5] ^= 1
    saved.write_bytes(content)
    with pytest.raises(ValueError, match=r"w\.safetensors is damaged: its weights do not fit"):
        resnet.load_weights(saved)


def test_another_network_is_refused(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds 'ResNet-8, width 8, option C', not 'plain-8'"):
        resnet.load_weights(saved, "plain-8")
    with pytest.raises(ValueError, match="cannot be read as safetensors"):
        resnet.load_weights(tmp_path / "nothing")
    saved.write_bytes(saved.read_bytes()[:-9])
    with pytest.raises(ValueError, match="cannot be read as safetensors"):
        resnet.load_weights(saved)
    save_file({"x": torch.ones(1)}, saved)
    with pytest.raises(ValueError, match=r"was not written by save_weights: it has no network"):
        resnet.load_weights(saved)
