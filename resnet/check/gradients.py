"""Checks of chapters 2 and 5 that follow gradients, and of branches left out at random."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resnet.blocks import BasicBlock
from resnet.check.answers import as_number, slip
from resnet.check.comparing import drawn, run
from resnet.check.running import Wrong, call, counted, function, kind, usable
from resnet.check.verdict import exercise
from resnet.nets import cifar_resnet


class _Half(nn.Sequential):
    def forward(self, x: Tensor) -> Tensor:
        half: Tensor = 0.5 * super().forward(x)
        return half


def norms(net: nn.Module, images: Tensor, labels: Tensor) -> list[float]:
    """Return the norm of the loss's gradient at the input of every block, first to last."""
    inputs: list[Tensor] = []
    hooks = [
        block.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
        for block in net.modules()
        if isinstance(block, BasicBlock)
    ]
    loss = F.cross_entropy(net(images), labels)
    for hook in hooks:
        hook.remove()
    return [gradient.norm().item() for gradient in torch.autograd.grad(loss, inputs)]


DIFFER_MOST = (
    "There the two networks differ most; but this is what a fault does to the blocks around it. "
    "Which of them changes what passes it?"
)


@exercise
def broken_block(find: object) -> str:
    """Check `find(healthy, broken)`: the index of the block that was altered."""
    ask = function(find, "find")
    random = torch.Generator().manual_seed(5)
    images, labels = torch.rand(16, 1, 12, 12, generator=random), torch.arange(16) % 10
    torch.manual_seed(0)
    net = cifar_resnet(44, 10, 1)
    healthy = norms(net, images, labels)
    blocks = [block for block in net.modules() if isinstance(block, BasicBlock)]
    tried = 0
    for place in dict.fromkeys((3, 7, 10, 18, *drawn((4, 9), (11, 17)))):
        for what in ("left out", "halved"):
            whole = blocks[place].shortcut
            if not isinstance(whole, nn.Module):  # for the type checker: option A has one
                continue
            blocks[place].shortcut = None if what == "left out" else _Half(whole)
            broken = norms(net, images, labels)
            blocks[place].shortcut = whole
            said = call(ask, list(healthy), list(broken), shown="find(healthy, broken)")
            index = as_number(said, "find(healthy, broken)")
            tried += 1
            if index == place:
                continue
            moved = [abs(math.log(b / h)) for b, h in zip(broken, healthy, strict=True)]
            grown = [abs(b - h) for b, h in zip(broken, healthy, strict=True)]
            told = "What does one block do to the gradient that passes it?"
            for wrong, says in (
                (_largest(moved), DIFFER_MOST),
                (_largest(grown), DIFFER_MOST),
                (_largest(broken), "That is where the gradient is largest; it grows on its way "
                 "back, broken or not."),
                (place + 1, "One too far: entry i is the gradient at the input of block i."),
            ):  # fmt: skip
                told = says if index == wrong else told
            raise Wrong(
                f"With the shortcut of one of {len(blocks)} blocks {what}, block {index} was "
                f"found; it was another. {told}"
            )
    return f"{tried} broken networks"


def _largest(numbers: list[float]) -> int:
    return max(range(len(numbers)), key=numbers.__getitem__)


@exercise
def learned_factor(factor_gradient: object) -> str:
    """Check `factor_gradient(x, branch, factor, upstream)`, the derivative by the factor."""
    ask = function(factor_gradient, "factor_gradient")
    for seed, factor in enumerate((1.0, 0.5, -2.0)):
        shape = (2 + seed, 3, *drawn((4, 7), (4, 7)))
        random = torch.Generator().manual_seed(seed)
        x, branch, upstream = (torch.randn(shape, generator=random) for _ in range(3))
        what = f"factor_gradient for x of shape {shape} and factor {factor:g}"
        said = call(ask, x.clone(), branch.clone(), factor, upstream.clone(), shown=what)
        if isinstance(said, Tensor) and said.numel() != 1:
            raise Wrong(
                f"{what} returns {kind(said)}. There is one factor, so its derivative is one "
                "number: every value of the block's output depends on it."
            )
        number = as_number(said, what)
        right = float((x * upstream).sum())
        if math.isclose(number, right, rel_tol=1e-3, abs_tol=1e-3):
            continue
        slips = (
            (right / len(x), "The images are not averaged here; upstream has that in it."),
            (right / x.numel(), "Sum, not mean: every value contributes."),
            (factor * right, "The derivative of factor * x by factor has no factor left in it."),
            (float(((x + branch) * upstream).sum()), "Does the branch depend on the factor?"),
            (float((branch * upstream).sum()), "This goes through the branch."),
            (float(upstream.sum()), "This is the derivative by something that is added."),
            (float(x.sum()), "The derivative of the loss by the output is missing."),
            (factor * float(upstream.sum()), "This is how the gradient goes on to x."),
        )
        told = slip(slips, number, "Write the output of the block as a function of the factor "
                    "alone.", 1e-3)  # fmt: skip
        raise Wrong(f"{what} is {number:.4g}, which is not right. {told}")
    return "three factors, with a gradient of every sign"


@exercise
def stochastic_depth(StochasticBranch: object) -> str:
    """Check a module that leaves a branch out at random: `StochasticBranch(branch, keep)`."""
    make = function(StochasticBranch, "StochasticBranch")
    x = torch.randn(6, 4, 5, 7, generator=torch.Generator().manual_seed(3))
    for keep in (0.7, 1.0, 0.0):
        # a branch that changes the shape, and two that keep it
        branch = nn.Conv2d(4, 6, 3, 2, 1) if keep == 0.7 else nn.Conv2d(4, 4, 3, padding=1)
        whole = branch(x).detach()
        shown = f"StochasticBranch(branch, {keep})"
        given = call(make, branch, keep, shown=shown)
        module = usable(given, shown)
        out = run(module.eval(), x, f"{shown} in evaluation mode").detach()
        _in_evaluation(out, whole, keep, shown)
        _in_training(module.train(), x, whole, keep, shown)
        if not any(part is branch for part in given.modules()):
            raise Wrong(f"{shown} does not contain the branch as a part: its weights would not "
                        "be trained.")  # fmt: skip
        if keep == 1 and not run(module, x, shown).requires_grad:
            raise Wrong(f"{shown} in training mode: no gradient reaches the branch's weights.")
    return "evaluation and training mode, for probabilities 0, 0.7 and 1"


def _in_evaluation(out: Tensor, whole: Tensor, keep: float, shown: str) -> None:
    if out.shape == whole.shape and torch.allclose(out, keep * whole, atol=1e-5):
        return
    told = "expected the branch times the probability of staying."
    if out.shape == whole.shape and torch.allclose(out, whole, atol=1e-5):
        told = "the branch has its full size, larger than it was on average in training."
    elif out.shape == whole.shape and torch.allclose(out, (1 - keep) * whole, atol=1e-5):
        told = "keep is the probability of staying, not of being left out."
    elif not out.any():
        told = "the branch is left out. Is training and evaluation told apart?"
    raise Wrong(f"{shown} in evaluation mode: {told}")


def _in_training(module: nn.Module, x: Tensor, whole: Tensor, keep: float, shown: str) -> None:
    times, kept = 300, 0
    torch.manual_seed(11)
    for _ in range(times):
        out = run(module, x, f"{shown} in training mode").detach()
        if out.shape != whole.shape:
            raise Wrong(f"{shown} in training mode returns shape {tuple(out.shape)}; "
                        f"expected {tuple(whole.shape)}.")  # fmt: skip
        if torch.allclose(out, whole, atol=1e-5):
            kept += 1
        elif out.any():
            size = out.flatten(1).abs().sum(1) > 0
            if not size.all():
                raise Wrong(f"{shown} in training mode leaves out the branch of some images. One "
                            "draw is for the whole batch.")  # fmt: skip
            if 0 < keep < 1 and torch.allclose(out, whole / keep, atol=1e-4):
                raise Wrong(f"{shown} in training mode divides by keep. Here the scaling is for "
                            "evaluation.")  # fmt: skip
            if keep > 0 and torch.allclose(out, whole * keep, atol=1e-4):
                raise Wrong(f"{shown} in training mode scales the branch; expected all or nothing.")
            raise Wrong(f"{shown} in training mode returns neither the branch nor zeros. Is "
                        "single values' dropout meant? Here the whole branch goes.")  # fmt: skip
    spread = 5 * math.sqrt(keep * (1 - keep) / times)
    if abs(kept / times - keep) <= spread:
        return
    told = f"keeps the branch {counted(kept, 'time')} in {times}."
    if abs(kept / times - (1 - keep)) <= spread and keep != 0.5:
        told += " keep is the probability of staying, not of being left out."
    elif kept in (0, times):
        told += " Is it drawn anew at every call, and in training mode?"
    raise Wrong(f"{shown} in training mode {told}")
