"""What a network computes before its first step."""

import pytest
import torch

from resnet.nets import ResNet, cifar_resnet
from resnet.probe import growth, keeps_shape, units
from resnet.starts import SHALLOW, STARTS, dirac, grown, zero_last_scale
from resnet.variants import network


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(64, 3, 16, 16, generator=torch.Generator().manual_seed(0))


LABELS = torch.arange(64) % 10


def test_units_start_as_their_shortcuts(images: torch.Tensor) -> None:
    torch.manual_seed(0)
    net = network("ResNet-20, zero last scale")
    x = net.stem(images)
    assert torch.equal(net.stage1(x), x)  # after a ReLU, so the last ReLU changes nothing
    assert network("ResNet-20, ReZero").stage1(x).equal(x)
    assert not network("ResNet-20").stage1(x).equal(x)


def test_new_channels_are_alive_from_the_start(images: torch.Tensor) -> None:
    """Zero in a unit that pads, too, and ReLU would pass no gradient to half of the channels."""
    torch.manual_seed(0)
    net = network("ResNet-20, zero last scale")
    torch.nn.functional.cross_entropy(net(images), LABELS).backward()  # type: ignore[no-untyped-call]
    for stage in (net.stage2, net.stage3):
        gradient = stage[1].branch.bn2.weight.grad  # type: ignore[union-attr, index]
        assert (gradient != 0).float().mean() > 0.9  # type: ignore[union-attr]


def test_the_grown_network_computes_the_shallow_one(images: torch.Tensor) -> None:
    torch.manual_seed(0)
    shallow, deep = network("plain-20"), network("plain-56, grown start")
    for name in ("stem", "fc"):
        deep.get_submodule(name).load_state_dict(shallow.get_submodule(name).state_dict())
    for i in (1, 2, 3):
        for j in range(SHALLOW):
            part = f"stage{i}.{j}"
            deep.get_submodule(part).load_state_dict(shallow.get_submodule(part).state_dict())
    a, b = shallow(images).flatten(), deep(images).flatten()
    assert torch.corrcoef(torch.stack([a, b]))[0, 1] > 0.95
    usual = growth(network("plain-56"), images, LABELS)
    assert growth(deep, images, LABELS) < 4 * growth(shallow, images, LABELS) < usual / 10


def test_dirac_kernels_are_added(images: torch.Tensor) -> None:
    torch.manual_seed(0)
    before = cifar_resnet(20, shortcut=None)
    torch.manual_seed(0)
    after = cifar_resnet(20, shortcut=None)
    dirac(after)
    for a, b in zip(units(before), units(after), strict=True):
        change = b.branch.conv1.weight - a.branch.conv1.weight
        out, into = change.shape[:2]
        if out == into and a.branch.conv1.stride == (1, 1):
            assert torch.allclose(change[:, :, 1, 1], torch.eye(out), atol=1e-6)
            assert change.abs().sum().item() == pytest.approx(out, rel=1e-4)
        else:
            assert not change.any()


@pytest.mark.parametrize(
    ("start", "net"),
    [
        (zero_last_scale, cifar_resnet(8, shortcut=None)),
        (zero_last_scale, cifar_resnet(8, preact=True)),
        (grown, cifar_resnet(8)),
        (dirac, cifar_resnet(8)),
        (grown, cifar_resnet(8, shortcut=None, preact=True)),
        (grown, cifar_resnet(11, shortcut=None, bottleneck=True)),
    ],
)
def test_other_networks_are_refused(start, net: ResNet) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=net.name):
        start(net)


@pytest.mark.parametrize("words", STARTS)
def test_a_start_is_part_of_the_name(words: str) -> None:
    """Whoever changes a network in place finds it in the name; it makes the same network again."""
    residual = words == "zero last scale"
    name = f"{'ResNet' if residual else 'plain'}-26, width 8, {words}"
    torch.manual_seed(0)
    net = cifar_resnet(26, width=8, shortcut="A" if residual else None)
    STARTS[words](net)
    torch.manual_seed(0)
    again = network(net.name)
    assert again.name == net.name == name
    assert all(map(torch.equal, net.state_dict().values(), again.state_dict().values()))


def test_an_imagenet_network_starts_with_harmless_blocks_too() -> None:
    net = network("ResNet-50, zero last scale", 7)
    assert net.name == "ResNet-50, zero last scale"
    last = [unit.branch.bn3.weight for unit in units(net)]
    assert [bool(weight.abs().max()) for weight in last] == [
        not keeps_shape(unit) for unit in units(net)
    ]
    assert sum(map(keeps_shape, units(net))) == 12
