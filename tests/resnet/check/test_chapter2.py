"""A counterexample, and what a broken block does to the gradients."""

from __future__ import annotations

import torch
from cells import solved

import resnet
from resnet import check


def test_counterexample() -> None:
    answers = solved("prove-identity")["answers"]
    assert "which is what came in" in repr(check.prove_identity(answers, 0.5))
    assert "which is what came in" in repr(check.prove_identity(answers, 0))
    assert "Nothing is written yet" in repr(check.prove_identity(answers, ...))
    assert check.prove_identity(answers, torch.tensor(-3))


def test_what_a_broken_block_does_to_the_norms() -> None:
    """As the exercise says: its own factor falls, the next one's grows, most behind the fault."""
    names = solved("broken-block")
    torch.manual_seed(0)
    net = resnet.cifar_resnet(44, 10, 1)
    healthy = names["norms"](net)
    blocks = [block for block in net.modules() if isinstance(block, resnet.BasicBlock)]
    just_behind = 0
    for k in range(3, 20):
        shortcut, blocks[k].shortcut = blocks[k].shortcut, None
        broken = names["norms"](net)
        blocks[k].shortcut = shortcut
        ratio = [b / h for b, h in zip(broken, healthy, strict=True)]
        assert ratio[k] < ratio[k + 1] and (k == 19 or ratio[k + 1] > ratio[k + 2])
        assert broken.index(max(broken)) == healthy.index(max(healthy)) == 0
        just_behind += ratio.index(max(ratio)) == k + 1
    assert just_behind >= 14  # of 17: "as a rule"
