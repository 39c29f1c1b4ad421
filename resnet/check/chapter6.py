"""Checks of chapter 6: the law of growth, what multiplies, and how a deep network is started."""

import math
import random

import torch
from torch import Tensor, nn

from resnet import nets, probe
from resnet.blocks import BasicBlock
from resnet.check.answers import as_number, judge_numbers, slip
from resnet.check.comparing import run
from resnet.check.feedback import exercise
from resnet.check.running import Wrong, built, call, function
from resnet.translation import _

# Growth of the gradient, geometric mean of seeds 0 to 2, by blocks; see `growth`.
PLAIN = {9: 17.4, 27: 5000.0}
RESIDUAL = {9: 7.84, 27: 30.8}


def growth(net: nn.Module) -> float:
    """Return the gradient's growth on the exercise's images, in training mode."""
    images = torch.rand(32, 1, 14, 14, generator=torch.Generator().manual_seed(0))
    return probe.growth(net.train(), images, torch.arange(32) % 10)


@exercise
def growth_law(answers: object) -> str:
    """Check the growth of the gradient at 110 layers, predicted from 20 and 56."""
    plain, residual = PLAIN[27] / PLAIN[9], RESIDUAL[27] / RESIDUAL[9]
    factor, power = plain ** (1 / 18), math.log(residual, 3)
    layers = _("a block has two layers; the law is stated per block.")
    difference = _("from 9 to 27 blocks there are 18 more.")
    as_power = _("this follows from a power of the number of blocks; take the law of the text.")
    as_factor = _("this follows from a factor per block; take the law of the text.")
    straight = _("this goes on along a straight line; take the law of the text.")
    judge_numbers(
        answers,
        {
            "factor a": factor,
            "plain, 110 layers": PLAIN[27] * factor**27,
            "power p": power,
            "residual, 110 layers": RESIDUAL[27] * 2**power,
        },
        {
            "factor a": {
                factor**0.5: layers,
                plain ** (1 / 27): difference,
                plain / 18: _("equal factors are multiplied, not added."),
            },
            "plain, 110 layers": {
                PLAIN[27] * 2 ** math.log(plain, 3): as_power,
                PLAIN[27] + 1.5 * (PLAIN[27] - PLAIN[9]): straight,
                factor**54: _(
                    "the law says how the growth changes from one depth to another; "
                    "start from a depth that was measured."
                ),
                PLAIN[27] * factor**54: _("from 27 to 54 there are 27 blocks more."),
                PLAIN[27] ** 2: _(
                    "this takes the growth for 1 at no block at all; the table says what 18 blocks "
                    "more do."
                ),
            },
            "power p": {
                math.log(residual): _("this is the logarithm of the ratio. Of which base?"),
                math.log(residual, 18): _(
                    "a power sees the ratio of the numbers of blocks, not their difference."
                ),
                math.log(residual, 56 / 20): _("the number that counts is that of the blocks."),
                residual / 3: _("a power is a logarithm; this is a share of the ratio."),
            },
            "residual, 110 layers": {
                RESIDUAL[27] * residual**1.5: as_factor,
                RESIDUAL[27] + 1.5 * (RESIDUAL[27] - RESIDUAL[9]): straight,
                RESIDUAL[27] * 3**power: _("from 27 to 54 is a factor of two."),
                RESIDUAL[27] * (110 / 56) ** power: _(
                    "the number that counts is that of the blocks."
                ),
            },
        },
        tolerance=0.015,
    )
    return _("the factor, the power and both predictions")


class _Line(nn.Module):
    """A block with a small branch, a constant and a factor on its line."""

    def __init__(self, factor: float, shift: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.conv.weight.data *= 0.1
        self.factor, self.shift = factor, shift

    def forward(self, x: Tensor) -> Tensor:
        # another constant at each place, or a deviation over channels or places would not see it
        places = torch.arange(float(x[0].numel())).view(x.shape[1:])
        return self.factor * x + self.conv(x.tanh()) + self.shift * (7 * places).sin()


@exercise
def multiplying_block(find: object) -> str:
    """Check `find(blocks, x)`, which of twelve blocks has a factor on its line."""
    ask = function(find, "find")
    source = random.Random()
    for case in range(8):
        place, other = source.sample(range(12), 2)
        factor = source.uniform(2, 5) ** (-1) ** case
        blocks = [
            _Line(factor if i == place else 1.0, 20.0 if i == other else 0.0) for i in range(12)
        ]
        x = torch.randn(2, 4, 6, 6)
        shown = f"find(blocks, x) with a factor of {factor:.2g} in one block"
        given = as_number(call(ask, list(blocks), x.clone(), shown=shown), shown)
        if given == place:
            continue
        large = _("In this block a large constant is added. Does that change a gradient?")
        slips = (
            (place + 1, _("This is the block behind it. Entry i is before block i.")),
            (place - 1, _("This is the block before it. Entry i is before block i.")),
            (other, large),
            (0, _("Every gradient has passed the factor by then: compare neighbours.")),
            (11, _("Compare neighbours: the ratio of what comes out and what goes in.")),
        )
        how = _("Which block changes the norm of the gradient that passes it by a factor?")
        raise Wrong(
            "{shown} is {given:g}, which is not right. {slip}",
            shown=shown,
            given=given,
            slip=slip(slips, given, how),
        )
    return _("eight networks of twelve blocks, factors above and below 1")


def _all_trained(net: nn.Module, shown: str) -> None:
    """Raise Wrong if a parameter would stay as it starts."""
    for name, parameter in net.named_parameters():
        if not parameter.requires_grad:
            raise Wrong(
                "{shown}: {name} is frozen, its `requires_grad` is False. Only numbers are to "
                "change; the training is to go on from them.",
                shown=shown,
                name=name,
            )


def _keeping(net: nn.Module) -> list[tuple[str, BasicBlock]]:
    """Return the blocks that keep the shape, by name."""
    units = [(name, m) for name, m in net.named_modules() if isinstance(m, BasicBlock)]
    convs = [
        (name, m, next(c for c in m.modules() if isinstance(c, nn.Conv2d))) for name, m in units
    ]
    return [(name, m) for name, m, c in convs if c.in_channels == c.out_channels]


@exercise
def dirac_start(repair: object) -> str:
    """Check `repair(net)`: the blocks of a plain network that keep the shape are identities."""
    ask = function(repair, "repair")
    for depth in (8, 20):
        shown = f"repair(cifar_resnet({depth}, shortcut=None))"
        net = nets.cifar_resnet(depth, shortcut=None)
        before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
        given = built(ask, [net], shown)
        names = [f"{name}.branch.conv{i}.weight" for name, _block in _keeping(net) for i in (1, 2)]
        after = given.state_dict()
        if after.keys() != before.keys():
            raise Wrong(
                "{shown} has other parts than before; only weights are to change.", shown=shown
            )
        changed = [n for n in before if not torch.equal(before[n], after[n])]
        if not changed:
            raise Wrong("{shown} has its weights as they were.", shown=shown)
        if odd := [name for name in changed if name not in names]:
            raise Wrong(
                "{shown}: {odd} has changed, and should be as it was.", shown=shown, odd=odd[0]
            )
        for name, _block in _keeping(net):
            block = given.get_submodule(name).eval()
            channels = after[f"{name}.branch.conv1.weight"].shape[1]
            x = torch.rand(2, channels, 7, 6)
            out = run(block, x, f"{name} of {shown}")
            if out.shape == x.shape and torch.allclose(out, x, atol=1e-3):
                continue
            told = _("is not the identity for an input without negative values.")
            if not out.any():
                told = _("gives zeros. What is the identity of a block without a shortcut?")
            elif torch.allclose(out, out.flip(1), atol=1e-3):
                told = _("gives the same in all channels. Each is to be handed on as it is.")
            elif torch.allclose(out.sort(1).values, x.sort(1).values, atol=1e-3):
                told = _("hands the channels on in another order.")
            elif torch.allclose(out[..., 1:-1, 1:-1], x[..., 2:, 2:], atol=1e-3) or torch.allclose(
                out[..., 2:, 2:], x[..., :-2, :-2], atol=1e-3
            ):
                told = _("shifts the image. Which of the nine numbers of a kernel is its middle?")
            raise Wrong("{shown}: {name} {told}", shown=shown, name=name, told=told)
        _all_trained(given, shown)
    torch.manual_seed(0)
    net = nets.cifar_resnet(56, 10, 1, shortcut=None)
    unrepaired = growth(net)
    repaired = growth(built(ask, [net], "repair(net)"))
    return _(
        "for 8 and 20 layers. With 56 layers, in training mode, the gradient "
        "grows {unrepaired:,.0f}-fold before and {repaired:,.0f}-fold after",
        unrepaired=unrepaired,
        repaired=repaired,
    )


@exercise
def zero_init(zero_last: object, rate: object) -> str:
    """Check `zero_last(net)`, the last scale of each branch, and the schedule of a warm-up."""
    _zeroed(zero_last)
    _scheduled(rate)
    return _("three networks, and every step of four schedules")


def _zeroed(zero_last: object) -> None:
    ask = function(zero_last, "zero_last")
    for net in (nets.cifar_resnet(14), nets.resnet18(10), nets.resnet50(10)):
        shown = f"zero_last({net.name})"
        before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
        given = built(ask, [net], shown)
        after = given.state_dict()
        last = "bn3" if net.name == "ResNet-50" else "bn2"
        wanted = {n for n in before if n.endswith(f"branch.{last}.weight")}
        if after.keys() != before.keys():
            raise Wrong(
                "{shown} has other parts than before; only numbers are to change.", shown=shown
            )
        changed = {n for n in before if not torch.equal(before[n], after[n])}
        if not changed:
            raise Wrong("{shown} has its weights as they were.", shown=shown)
        for name in sorted(changed - wanted):
            told = _("should be as it was.")
            if ".shortcut." in name:
                told = _("belongs to a shortcut: at zero, the block would hand on nothing.")
            elif name.endswith("bias"):
                told = _("is a shift; the scale is `weight`.")
            elif ".branch.bn" in name:
                told = _("belongs to a BN that is not the last of its branch.")
            raise Wrong("{shown}: {name} has changed. It {told}", shown=shown, name=name, told=told)
        if left := sorted(n for n in wanted if after[n].any()):
            raise Wrong("{shown}: {left} is not zero.", shown=shown, left=left[0])
        _all_trained(given, shown)


def _scheduled(rate: object) -> None:
    ask = function(rate, "rate")
    for peak, warm_up, total in ((0.4, 5, 20), (0.1, 1, 8), (1.0, 0, 10), (0.2, 12, 13)):
        for step in range(total):
            shown = f"rate({step}, {peak}, {warm_up}, {total})"
            given = as_number(call(ask, step, peak, warm_up, total, shown=shown), shown)
            over = (step - warm_up) / (total - warm_up)
            falls = peak * (1 + math.cos(math.pi * over)) / 2
            right = peak * (step + 1) / warm_up if step < warm_up else falls
            if math.isclose(given, right, rel_tol=1e-4, abs_tol=1e-6 * peak):
                continue
            slips = [(peak * (1 + math.cos(math.pi * step / total)) / 2,
                      _("The cosine begins after the warm-up, and has its steps to itself.")),
                     (peak * (1 - over), _("It falls along a cosine, not a line.")),
                     (peak, _("The rate is at its peak only once or twice.")),
                     (peak * math.cos(math.pi * over), _("It does not go below zero.")),
                     (0, _("A step at rate 0 does nothing."))]  # fmt: skip
            if step < warm_up:
                slips.insert(0, (peak * step / warm_up, _("Step 0 has the rate peak / warm_up.")))
            else:
                early = (step + 1 - warm_up) / (total - warm_up)
                slips.insert(0, (peak * (1 + math.cos(math.pi * early)) / 2,
                                 _("At step warm_up the second part begins.")))  # fmt: skip
            message = slip(slips, float(given), _("Compare both ends of the part."), relative=1e-4,
                           absolute=1e-9)  # fmt: skip
            raise Wrong(
                "{shown} is {given:.4g}, which is not right. {message}",
                shown=shown,
                given=given,
                message=message,
            )
