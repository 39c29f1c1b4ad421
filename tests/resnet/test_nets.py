"""The networks: parameter counts, and outputs equal to torchvision's and to the papers' rules."""

from __future__ import annotations

import copy
import io
import math
import os
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import reference
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import resnet
from resnet import (
    cifar_resnet,
    count_parameters,
    imagenet_resnet,
    layer_table,
    resnet18,
    resnet50,
)
from resnet.nets import ResNet

IN_CI = bool(os.environ.get("CI"))
LONG = "takes 12 s a network to trace; in CI only"
BEST = {"bottleneck": True, "preact": True, "shortcut": "B"}  # 2016b, Sec. 4
# FACTS.md, "Parameter counts"; 1000 classes, then CIFAR with 10
COUNTS = [
    (resnet.resnet18, {}, 11_689_512),
    (resnet.resnet34, {}, 21_797_672),
    (resnet.resnet50, {}, 25_557_032),
    (resnet.resnet50, {"stride_on": "3x3"}, 25_557_032),
    (resnet.resnet101, {}, 44_549_160),
    (resnet.resnet152, {}, 60_192_808),
    (cifar_resnet, {"depth": 20}, 269_722),
    (cifar_resnet, {"depth": 32}, 464_154),
    (cifar_resnet, {"depth": 44}, 658_586),
    (cifar_resnet, {"depth": 56}, 853_018),
    (cifar_resnet, {"depth": 110}, 1_727_962),
    (cifar_resnet, {"depth": 1202}, 19_421_274),
    (cifar_resnet, {"depth": 110, "preact": True}, 1_727_962),
    (cifar_resnet, {"depth": 164, **BEST}, 1_703_258),
    (cifar_resnet, {"depth": 1001, **BEST}, 10_327_706),
]


@pytest.mark.parametrize(("make", "options", "count"), COUNTS)
def test_parameter_counts(make: Callable[..., ResNet], options: Any, count: int) -> None:
    assert count_parameters(make(**options)) == count


def test_plain_has_what_option_a_has() -> None:
    """2016a, Sec. 3.3: the identity adds no parameter, so the plain net has the same count."""
    plain = count_parameters(resnet18(shortcut=None))
    assert plain == count_parameters(resnet18(shortcut="A"))
    # FACTS: ResNet-20 has 269,722
    assert count_parameters(cifar_resnet(20, shortcut=None)) == 269_722


@pytest.mark.parametrize("width", [6, 8, 16, 24])
def test_width(width: int) -> None:
    """2016a, Sec. 4.2, with other widths: width, 2 width and 4 width channels, n = 2 units each."""
    rows = layer_table(cifar_resnet(14, 7, 2, width=width), (1, 2, 32, 32), depth=1)
    assert {row.name: row.output_shape[1:] for row in rows} == {
        "stem": (width, 32, 32), "stage1": (width, 32, 32), "stage2": (2 * width, 16, 16),
        "stage3": (4 * width, 8, 8), "pool": (4 * width, 1, 1), "flatten": (4 * width,), "fc": (7,),
    }  # fmt: skip
    convolutions = [(2, width)]  # channels in and out; two in each unit
    for into, out in ((width, width), (width, 2 * width), (2 * width, 4 * width)):
        convolutions += [(into, out), *[(out, out)] * 3]
    by_hand = sum(9 * a * b + 2 * b for a, b in convolutions) + 4 * width * 7 + 7
    assert rows.parameters == by_hand
    with torch.device("meta"):
        deep = cifar_resnet(20, width=width, bottleneck=True, shortcut="B")
    assert [deep.stage1[0].branch.conv1.out_channels, deep.fc.in_features] == [width, 16 * width]


def torchvision_pair(depth: int, in_channels: int = 3) -> tuple[nn.Module, nn.Module]:
    """Our network and torchvision's with the same weights and statistics."""
    torch.manual_seed(depth)
    options = {"stride_on": "3x3"} if depth >= 50 else {}
    ours = reference.stir(imagenet_resnet(depth, 10, in_channels, **options))
    return ours, reference.torchvision_twin(ours, depth)


@pytest.mark.parametrize(
    ("depth", "shape"),
    [
        (18, (2, 3, 65, 49)),
        (18, (1, 1, 96, 33)),
        (34, (1, 3, 63, 64)),
        (50, (2, 1, 47, 65)),
        (101, (1, 3, 64, 33)),
        (152, (2, 3, 35, 35)),
    ],
)
def test_equals_torchvision(depth: int, shape: tuple[int, ...]) -> None:
    """float32, 1e-5 relative (issue 2): odd sizes, one channel, a batch of 1."""
    ours, theirs = torchvision_pair(depth, shape[1])
    x = torch.randn(shape)
    with torch.no_grad():
        got, want = ours.eval()(x), theirs.eval()(x)
    torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-5 * want.abs().max().item())


@pytest.mark.parametrize("depth", [18, 50])
def test_training_equals_torchvision(depth: int) -> None:
    """Scores, the gradient of one loss for every parameter, and BN's new statistics."""
    ours, theirs = (model.train() for model in torchvision_pair(depth))
    x, y = torch.randn(2, 3, 41, 36), torch.tensor([3, 7])
    for model in (ours, theirs):
        F.cross_entropy(model(x), y).backward()
    their_parameters = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        want = their_parameters[reference.torchvision_name(name)].grad
        torch.testing.assert_close(
            parameter.grad, want, rtol=1e-5, atol=1e-5 * want.abs().max().item()
        )
    their_state = theirs.state_dict()
    for name, value in ours.state_dict().items():
        torch.testing.assert_close(value, their_state[reference.torchvision_name(name)])


def test_stride_moves_the_result_not_the_count() -> None:
    """FACTS: v1 and v1.5 take the same weights and give different scores."""
    v1, v15 = (
        reference.stir(cifar_resnet(11, bottleneck=True, stride_on=s)).eval()
        for s in ("1x1", "3x3")
    )
    v15.load_state_dict(v1.state_dict())
    x = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        assert (v1(x) - v15(x)).abs().max() > 1e-2


# Every shortcut in every kind of network, at the smallest depth with a second unit in each stage.
SMALL: list[dict[str, Any]] = [
    {"preact": preact, "shortcut": shortcut, **kind}
    for preact in (False, True)
    for shortcut in ("A", "B", "C", None)
    for kind in (
        {"depth": 14},
        {"depth": 20, "bottleneck": True},
        {"depth": 20, "bottleneck": True, "stride_on": "3x3"},
    )
]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("options", SMALL, ids=lambda o: "-".join(map(str, o.values())))
def test_cifar_equals_transcription(options: dict[str, Any], training: bool) -> None:
    torch.manual_seed(0)
    model = reference.stir(cifar_resnet(num_classes=7, in_channels=2, **options)).double()
    x = torch.randn(2, 2, 11, 14, dtype=torch.float64)
    rules = {k: v for k, v in options.items() if k not in ("depth", "shortcut")}
    want = reference.network(
        model.state_dict(), x, (2, 2, 2), large_images=False, training=training,
        option=options["shortcut"], **rules,
    )  # fmt: skip
    torch.testing.assert_close(model.train(training)(x), want)


@pytest.mark.parametrize(
    ("depth", "counts", "options"),  # 2016a, Table 1
    [
        (18, (2, 2, 2, 2), {"shortcut": None}),
        (34, (3, 4, 6, 3), {"shortcut": None}),
        (34, (3, 4, 6, 3), {"shortcut": "A"}),
        (18, (2, 2, 2, 2), {"preact": True}),
        (18, (2, 2, 2, 2), {"preact": True, "shortcut": "A"}),
        (50, (3, 4, 6, 3), {}),
        (50, (3, 4, 6, 3), {"preact": True}),
    ],
)
def test_imagenet_equals_transcription(
    depth: int, counts: tuple[int, ...], options: dict[str, Any]
) -> None:
    """The plain, the v1 and the pre-activation networks, which torchvision does not have."""
    torch.manual_seed(0)
    model = reference.stir(imagenet_resnet(depth, 10, **options)).double().eval()
    x = torch.randn(1, 3, 47, 50, dtype=torch.float64)
    with torch.no_grad():
        want = reference.network(
            model.state_dict(), x, counts, large_images=True, bottleneck=depth >= 50,
            preact=options.get("preact", False), option=options.get("shortcut", "B"),
        )  # fmt: skip
        torch.testing.assert_close(model(x), want)


def test_initialisation_is_fan_out_normal() -> None:
    """FACTS: deviation sqrt(2 / (k * k * channels out)), He et al. 2015; BN starts as 1x + 0."""
    torch.manual_seed(0)
    for module in resnet50().modules():
        if isinstance(module, nn.Conv2d):
            fan_out = module.kernel_size[0] ** 2 * module.out_channels
            deviation = module.weight.std().item() * math.sqrt(fan_out / 2)
            assert deviation == pytest.approx(1, abs=4 / math.sqrt(2 * module.weight.numel()))
        elif isinstance(module, nn.BatchNorm2d):
            assert module.weight.eq(1).all()
            assert module.bias.eq(0).all()


def test_two_models_share_nothing() -> None:
    """A second network starts from the generator's next numbers, the same seed from the same."""
    torch.manual_seed(3)
    a, b = cifar_resnet(8), cifar_resnet(8)
    torch.manual_seed(3)
    c = cifar_resnet(8)
    assert torch.equal(a.fc.weight, c.fc.weight)
    assert not torch.equal(a.fc.weight, b.fc.weight)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: resnet18(), "ResNet-18"),
        (lambda: resnet18(shortcut=None), "plain-18"),
        (lambda: cifar_resnet(20, preact=True), "pre-activation ResNet-20"),
        (lambda: cifar_resnet(20, preact=True, shortcut=None), "pre-activation plain-20"),
        (lambda: resnet18(shortcut="A"), "ResNet-18, option A"),
        (lambda: resnet50(stride_on="3x3"), "ResNet-50, stride on 3x3"),
        (lambda: cifar_resnet(20, width=8, shortcut="C"), "ResNet-20, width 8, option C"),
        (lambda: cifar_resnet(50), "CIFAR ResNet-50"),
        (lambda: cifar_resnet(20, bottleneck=True, shortcut="A"), "ResNet-20, bottlenecks"),
        (lambda: cifar_resnet(164, **BEST), "pre-activation ResNet-164"),
        (lambda: cifar_resnet(164), "ResNet-164, basic blocks, option A"),
    ],
)
def test_names(make: Callable[[], ResNet], name: str) -> None:
    assert make().name == name


FAULTS: list[tuple[Callable[..., ResNet], dict[str, Any], str]] = [
    *[(imagenet_resnet, {"depth": d}, rf"^depth={d}: expected one of 18, 34, 50, 101, 152$")
      for d in (1, 20, 1000, 10**9)],
    *[(make, {"depth": d}, rf"^depth={d!r}: expected a whole number of at least 1$")
      for make in (imagenet_resnet, cifar_resnet) for d in (0, -2, 18.0, "20", True, None)],
    (cifar_resnet, {"depth": 21}, r"^depth=21: expected 6n \+ 2; nearest: 20 or 26$"),
    (cifar_resnet, {"depth": 3}, r"^depth=3: expected 6n \+ 2; nearest: 8$"),
    (cifar_resnet, {"depth": 2}, r"^depth=2: expected 6n \+ 2; nearest: 8$"),
    (cifar_resnet, {"depth": 163, "bottleneck": True}, r"^depth=163: .* nearest: 155 or 164$"),
    (cifar_resnet, {"depth": 20, "bottleneck": "yes"}, r"^bottleneck='yes': expected one of False"),
    *[(resnet18, {name: v}, rf"^{name}={v!r}: expected a whole number")
      for name in ("num_classes", "in_channels") for v in (0, -1, True, 1.5, None)],
    (resnet18, {"preact": "yes"}, r"^preact='yes': expected one of False, True$"),
    (resnet18, {"shortcut": "D"}, r"^shortcut='D': expected one of 'A', 'B', 'C', None$"),
    (resnet18, {"stride_on": "3x3"}, r"^stride_on='3x3': only networks of bottlenecks"),
    *[(cifar_resnet, {"depth": 20, "width": v}, rf"^width={v!r}: expected a whole number")
      for v in (0, -8, True, 8.0, "8", None)],
    (cifar_resnet, {"depth": 20, "shortcut": "D"}, r"^shortcut='D': expected one"),
    (resnet50, {"stride_on": "7x7"}, r"^stride_on='7x7': expected one of '1x1', '3x3'$"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "arguments", "message"), FAULTS)
def test_wrong_argument(make: Callable[..., ResNet], arguments: Any, message: str) -> None:
    """Each names the argument, its value and what is allowed."""
    with pytest.raises(ValueError, match=message):
        make(**arguments)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(3, 32, 32), r"^x has shape \(3, 32, 32\): expected \(N, 3, H, W\)"),
        (torch.zeros(2, 1, 32, 32), r"^x has shape \(2, 1, 32, 32\): expected \(N, 3, H, W\)"),
        (torch.zeros(0, 3, 32, 32), r"^x has shape \(0, 3, 32, 32\)"),
        (torch.zeros(2, 3, 0, 32), r"^x has shape \(2, 3, 0, 32\)"),
        (torch.zeros(2, 3, 8, 8, dtype=torch.uint8), r"^x has dtype torch.uint8: .*float"),
        (torch.zeros(2, 3, 8, 8, dtype=torch.int64), r"^x has dtype torch.int64: .*float"),
    ],
)
@pytest.mark.parametrize("training", [False, True])
def test_wrong_input(x: Tensor, message: str, training: bool) -> None:
    with pytest.raises(ValueError, match=message):
        cifar_resnet(8).train(training)(x)


@pytest.mark.parametrize(("make", "side"), [(cifar_resnet, 4), (imagenet_resnet, 32)])
def test_too_small_to_normalise(make: Callable[..., ResNet], side: int) -> None:
    """Total stride 4 and 32: a single image of that size leaves one value per channel for BN."""
    model = make(8 if side == 4 else 18)
    x = torch.zeros(1, 3, side, side)
    with pytest.raises(ValueError, match=rf"^x has shape \(1, 3, {side}, {side}\): .*{side} pixel"):
        model.train()(x)
    for fits in (torch.zeros(2, 3, side, side), torch.zeros(1, 3, 1, side + 1)):
        model(fits)
    model.eval()(x[..., :1, :1])


def test_state_survives() -> None:
    """pickle, deepcopy and a state_dict through a file give the same network."""
    torch.manual_seed(0)
    model = reference.stir(cifar_resnet(8, preact=True, shortcut="B")).eval()
    x = torch.randn(2, 3, 9, 9)
    want = model(x)
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    fresh = cifar_resnet(8, preact=True, shortcut="B").eval()
    fresh.load_state_dict(torch.load(file))
    for other in (fresh, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(other(x), want)


@pytest.mark.parametrize("preact", [False, True])
def test_channels_last_is_kept(preact: bool) -> None:
    """Issue 3: no layer falls back to the other layout, with any shortcut."""
    for shortcut in ("A", "B", "C", None):
        model = cifar_resnet(8, preact=preact, shortcut=shortcut)
        model.to(memory_format=torch.channels_last)
        outputs: list[Tensor] = []
        for module in model.modules():
            module.register_forward_hook(lambda _m, _i, out, outputs=outputs: outputs.append(out))
        model(torch.randn(2, 3, 9, 9).to(memory_format=torch.channels_last))
        images = [out for out in outputs if out.ndim == 4]
        assert images
        assert all(out.is_contiguous(memory_format=torch.channels_last) for out in images)


@pytest.mark.parametrize(
    "make",
    [
        lambda: cifar_resnet(8, shortcut="C"),
        lambda: cifar_resnet(11, bottleneck=True, preact=True),
    ],
)
def test_compiles_and_exports(make: Callable[[], ResNet]) -> None:
    """Issue 3: no graph break, and one graph for every batch size."""
    torch._dynamo.reset()
    model, x = reference.stir(make()).eval(), torch.randn(2, 3, 33, 33)
    want = model(x)
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x), want)
    batch = torch.export.Dim("batch", min=2)
    exported = torch.export.export(model, (x,), dynamic_shapes=({0: batch},)).module()
    torch.testing.assert_close(exported(x), want)
    assert exported(torch.randn(5, 3, 33, 33)).shape == (5, 10)


@pytest.mark.parametrize(
    ("depth", "preact"),
    [
        (18, False),
        (18, True),
        (34, False),
        (50, False),
        (50, True),
        *(
            pytest.param(depth, False, marks=pytest.mark.skipif(not IN_CI, reason=LONG))
            for depth in (101, 152)
        ),
    ],
)
def test_public_networks_compile_without_a_break(depth: int, preact: bool) -> None:
    """Issue 3: fullgraph raises at the first graph break; on the meta device nothing runs."""
    torch._dynamo.reset()
    with torch.device("meta"):
        model, x = imagenet_resnet(depth, preact=preact), torch.zeros(2, 3, 64, 64)
    assert torch.compile(model, fullgraph=True, backend="eager")(x).shape == (2, 1000)


def test_meta_device() -> None:
    """Shapes cost no arithmetic, and building no memory."""
    with torch.device("meta"):
        model, x = cifar_resnet(20), torch.zeros(2, 3, 32, 32)
    assert model(x).shape == (2, 10)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(dtype: torch.dtype) -> None:
    model = cifar_resnet(8).to(dtype)
    scores = model(torch.randn(2, 3, 8, 8, dtype=dtype))
    scores.sum().backward()
    assert scores.dtype == dtype
    assert scores.isfinite().all()


def test_second_derivative() -> None:
    """The ReLUs in place do not spoil double backward."""
    model = cifar_resnet(8)
    loss = model(torch.randn(2, 3, 8, 8)).square().sum()
    gradients = torch.autograd.grad(loss, list(model.parameters()), create_graph=True)
    sum(g.square().sum() for g in gradients).backward()
    assert model.stem.conv.weight.grad.isfinite().all()


@pytest.mark.parametrize("preact", [False, True])
def test_names_of_the_parts(preact: bool) -> None:
    """What records, weights and `layer_table` call them."""
    large, small = imagenet_resnet(18, preact=preact), cifar_resnet(8, preact=preact)
    ends = ["act"] * preact + ["pool", "flatten", "fc"]
    assert list(large.stem._modules) == ["conv", "bn", "relu", "maxpool"]
    assert list(small.stem._modules) == ["conv", "bn", "relu"]
    for net, stages in ((large, 4), (small, 3)):
        wanted = ["stem", *(f"stage{i}" for i in range(1, stages + 1)), *ends]
        assert list(net._modules) == wanted
