"""Wrong and right answers to the exercises of chapter 6; see `answers`."""

from __future__ import annotations

from slips import Number, Shape, Slip

RIGHT: dict[str, list[str]] = {}
WRONG: dict[str, list[Slip]] = {}
CHOICES: list[str] = []
NUMBERS: list[Number] = [
    ("growth-law", "factor a", 1.17, "two layers"),
    ("growth-law", "factor a", 1.233, "18 more"),
    ("growth-law", "plain, 110 layers", 178_000, "a power of the number of blocks"),
    ("growth-law", "plain, 110 layers", 12_474, "straight line"),
    ("growth-law", "power p", 1.368, "Of which base"),
    ("growth-law", "power p", 1.329, "that of the blocks"),
    ("growth-law", "power p", 1.3095, "a share of the ratio"),
    ("growth-law", "plain, 110 layers", 25e6, "1 at no block at all"),
    ("growth-law", "plain, 110 layers", 23.7e6, "start from a depth that was measured"),
    ("growth-law", "residual, 110 layers", 71.4, "that of the blocks"),
    ("growth-law", "residual, 110 layers", 240, "a factor per block"),
    ("growth-law", "residual, 110 layers", 121, "a factor of two"),
]
SHAPES: list[Shape] = []

WRONG["multiplying-block"] = [
    # the norm of the signal, the largest gradient, one place off, only upwards
    Slip("norms = torch.stack([g.norm() for g in gradients]).log()",
         "norms = torch.stack([s.norm() for s in states]).log()", "constant is added|not right"),
    Slip("(norms[:-1] - norms[1:]).abs().argmax().item()", "norms.argmax().item()",
         "compare neighbours|Compare neighbours|not right"),
    Slip(".abs().argmax().item()", ".abs().argmax().item() + 1", "the block behind it"),
    Slip("- norms[1:]).abs().argmax()", "- norms[1:]).argmax()", "which is not right"),
]  # fmt: skip

RIGHT["multiplying-block"] = [
    # forwards: how a small change of the input goes on
    "def find(blocks, x):\n    a, b = x, x + 1e-2 * torch.randn_like(x)\n    sizes = []\n"
    "    for block in blocks:\n        before = (b - a).norm()\n        a, b = block(a), block(b)\n"
    "        sizes.append(((b - a).norm() / before).log().abs().item())\n"
    "    return sizes.index(max(sizes))",
    # each block alone
    "def find(blocks, x):\n    def factor(block):\n"
    "        y = x.clone().requires_grad_()\n        v = torch.randn_like(x)\n"
    "        g, = torch.autograd.grad((block(y) * v).sum(), y)\n"
    "        return abs((g.norm() / v.norm()).log())\n"
    "    return max(range(len(blocks)), key=lambda i: factor(blocks[i]))",
]

WRONG["dirac-start"] = [
    Slip("nn.init.dirac_(convolution.weight)", "nn.init.zeros_(convolution.weight)", "gives zeros"),
    Slip("if first.in_channels == first.out_channels", "if True", "stage2.0.* has changed"),
    Slip("nn.init.dirac_(convolution.weight)", "nn.init.ones_(convolution.weight)",
         "the same in all channels"),
    Slip("for convolution in convolutions:", "for convolution in convolutions[:1]:",
         "is not the identity"),
    Slip("nn.init.dirac_(convolution.weight)", "nn.init.dirac_(convolution.weight).flatten()"
         " if 0 else convolution.weight.data.copy_(nn.init.dirac_(convolution.weight.clone())"
         ".roll(1, 2).roll(1, 3).detach())", "shifts the image|is not the identity"),
    Slip("                    nn.init.dirac_(convolution.weight)", "                    pass",
         "as they were"),
    Slip("nn.init.dirac_(convolution.weight)",
         "nn.init.dirac_(convolution.weight)\n"
         "        if isinstance(block, nn.BatchNorm2d):\n            nn.init.zeros_(block.weight)",
         "has changed"),
]  # fmt: skip

RIGHT["dirac-start"] = [
    # by hand, in a network of its own
    "import copy\ndef repair(net):\n    net = copy.deepcopy(net)\n"
    "    for block in net.modules():\n        if not isinstance(block, resnet.BasicBlock):\n"
    "            continue\n        a, b = block.branch.conv1, block.branch.conv2\n"
    "        if a.weight.shape == b.weight.shape:\n            for w in (a.weight, b.weight):\n"
    "                w.data.zero_()\n                for c in range(len(w)):\n"
    "                    w.data[c, c, 1, 1] = 1\n    return net",
    # channels turned by one convolution and back by the next
    "def repair(net):\n    for name, block in net.named_modules():\n"
    "        if isinstance(block, resnet.BasicBlock) and name not in ('stage2.0', 'stage3.0'):\n"
    "            for layer, by in ((block.branch.conv1, 1), (block.branch.conv2, -1)):\n"
    "                nn.init.dirac_(layer.weight)\n"
    "                layer.weight.data = layer.weight.data.roll(by, 0)\n    return net",
]

WRONG["zero-init"] = [
    Slip("norms[-1].weight", "norms[0].weight", "not the last of its branch"),
    Slip("block.branch.modules()", "block.modules()", "belongs to a shortcut"),
    Slip("norms[-1].weight", "norms[-1].bias", "as they were|is a shift"),
    Slip("resnet.BasicBlock | resnet.Bottleneck", "resnet.BasicBlock", "ResNet-50.*as they were"),
    Slip("            nn.init.zeros_(norms[-1].weight)", "            pass", "as they were"),
    Slip("(step + 1) / warm_up", "step / warm_up", "Step 0 has"),
    Slip("over = (step - warm_up) / (total - warm_up)", "over = step / total", "after the warm-up"),
    Slip("(1 + math.cos(math.pi * over)) / 2", "(1 - over)", "along a cosine"),
    Slip("over = (step - warm_up) /", "over = (step + 1 - warm_up) /", "the second part begins"),
    Slip("if step < warm_up:", "if warm_up and step <= warm_up:", "which is not right"),
]  # fmt: skip

RIGHT["zero-init"] = [
    "def zero_last(net):\n    state = net.state_dict()\n    for name in state:\n"
    "        last = 'bn3' if name.rpartition('.bn2')[0] + '.bn3.weight' in state else 'bn2'\n"
    "        if name.endswith(f'branch.{last}.weight') or name.endswith('branch.bn3.weight'):\n"
    "            state[name].zero_()\n    return net\n"
    "def rate(step, peak, warm_up, total):\n"
    "    if warm_up > step:\n        return (step + 1) * (peak / warm_up)\n"
    "    t = (step - warm_up) / (total - warm_up)\n"
    "    return peak * math.cos(math.pi * t / 2) ** 2",
    "import torch\ndef zero_last(net):\n    for block in net.modules():\n"
    "        if hasattr(block, 'branch'):\n"
    "            norm = getattr(block.branch, 'bn3', block.branch.bn2)\n"
    "            norm.weight = nn.Parameter(torch.zeros_like(norm.weight))\n    return net\n"
    "def rate(step, peak, warm_up, total):\n"
    "    up = torch.linspace(0, peak, warm_up + 1, dtype=torch.double)[1:].tolist()\n"
    "    t = torch.linspace(0, torch.pi, total - warm_up + 1, dtype=torch.double)[:-1]\n"
    "    return (up + (peak / 2 * (1 + t.cos())).tolist())[step]",
]

RIGHT["multiplying-block"] += [
    """\
def find(blocks, x):
    sizes = []
    for block in blocks:
        v = torch.randn_like(x)
        out, back = torch.func.vjp(block, x)
        sizes.append(abs(torch.log(back(v)[0].norm() / v.norm())))
        x = out
    return torch.stack(sizes).argmax()
""",
    """\
def find(blocks, x):
    import numpy as np
    z = torch.ones_like(x)
    d = [np.log(((b(x + .001 * z) - b(x)).norm() / (.001 * z).norm()).item()) for b in blocks]
    return np.abs(np.array(d)).argmax()
""",
]

RIGHT["dirac-start"] += [
    """\
def repair(net):
    for block in [b for s in (net.stage1, net.stage2, net.stage3) for b in s]:
        ws = [p for p in block.parameters() if p.ndim == 4]
        if ws[0].shape[0] == ws[0].shape[1]:
            with torch.no_grad():
                for w in ws:
                    w.zero_()
                    w[:, :, 1, 1] = torch.eye(len(w))
    return net
""",
    """\
def repair(net):
    new = {}
    for name, w in net.state_dict().items():
        if "branch.conv" in name and not name.startswith(("stage2.0", "stage3.0")):
            w = torch.zeros_like(w)
            i = torch.arange(len(w))
            w[i, i, 1, 1] = 1.0
        new[name] = w
    net.load_state_dict(new)
    return net
""",
]

RIGHT["zero-init"] += [
    """\
def zero_last(net):
    last = "bn3" if isinstance(net.stage1[0], resnet.Bottleneck) else "bn2"
    for name, p in net.named_parameters():
        if name.endswith(f"branch.{last}.weight"):
            p.data.fill_(0)
    return net
def rate(step, peak, warm_up, total):
    if step < warm_up:
        return min(peak * (step + 1) / max(warm_up, 1), peak)
    return peak / 2 * (1 + math.cos(math.pi / (total - warm_up) * (step - warm_up)))
""",
]

WRONG["multiplying-block"] += [
    Slip(
        "(norms[:-1] - norms[1:]).abs().argmax()",
        "(norms[:-1] - norms[1:]).argmax()",
        "which is not right",
    ),
    Slip("return (norms", "return 1 + (norms", "the block behind it|which is not right"),
    # no block at all: told in general, whatever was drawn
    Slip("return (norms", "return 50 + (norms", "Which block changes the norm of the gradient"),
]
WRONG["dirac-start"] += [
    Slip("    return net", "    pass", r"is None; expected a module"),
    Slip("for convolution in convolutions:", "for convolution in convolutions[:1]:",
         "is not the identity"),
]  # fmt: skip
WRONG["zero-init"] += [
    Slip("/ (total - warm_up)", "/ (total - 1 - warm_up)", "Compare both ends"),
    Slip("nn.init.zeros_(norms[-1].weight)", "nn.init.ones_(norms[-1].bias)",
         r"bias has changed\. It is a shift"),
]  # fmt: skip

WRONG["multiplying-block"] += [
    # the signal's size alone
    Slip("    gradients = torch.autograd.grad((states[-1] * weights).sum(), states)\n",
         "    gradients = [state - state.mean() for state in states]\n",
         "large constant|not right"),
    Slip("    gradients = torch.autograd.grad((states[-1] * weights).sum(), states)\n",
         "    gradients = [s - s.mean((2, 3), keepdim=True) for s in states]\n",
         "large constant|not right"),
]  # fmt: skip
WRONG["dirac-start"] += [
    Slip(
        "nn.init.dirac_(convolution.weight)",
        "nn.init.dirac_(convolution.weight.requires_grad_(False))",
        r"conv1\.weight is frozen",
    ),
]
WRONG["zero-init"] += [
    Slip(
        "nn.init.zeros_(norms[-1].weight)",
        "nn.init.zeros_(norms[-1].weight.requires_grad_(False))",
        r"bn2\.weight is frozen",
    ),
]
WRONG["zero-init"] += [
    Slip("    return net", "    net.more = nn.Linear(1, 1)\n    return net",
         r"^Not yet \(zero_init\): zero_last\(ResNet-14\) has other parts than before; only "
         r"numbers are to change\.$"),
]  # fmt: skip
WRONG["dirac-start"] += [
    Slip("    return net", "    net.more = nn.Linear(1, 1)\n    return net",
         r"repair\(cifar_resnet\(8, shortcut=None\)\) has other parts than before; only weights"),
]  # fmt: skip
