"""Wrong and right answers to the exercises of chapter 2; see `answers`."""

from __future__ import annotations

import torch
from slips import Number, Shape, Slip

RIGHT: dict[str, list[str]] = {}
WRONG: dict[str, list[Slip]] = {}
CHOICES: list[str] = ["prove-identity", "inception"]
NUMBERS: list[Number] = [
    ("inception", "weights of the residual block", 1_032_192, "on the shortcut"),
    ("inception", "channels after 6 concatenating blocks", 192 * 64, "each block adds 32"),
    ("inception", "channels out of Inception", 128, "not added"),
]
SHAPES: list[Shape] = [
    ("block-shapes", "Residual(16, 16)", "error", "it runs"),
    ("block-shapes", "Residual(16, 16, stride=2)", (2, 16, 8, 8), "the branch does not"),
    ("block-shapes", "Residual(16, 32, project=True)", (2, 16, 15, 15), "the channels"),
    ("block-shapes", "Residual(16, 32, stride=2, project=True)", [2, 32, 7, 7], "which way"),
    ("block-shapes", "Residual(16, 16)", (16, 15, 15), "it has 3 numbers"),
    ("block-shapes", "Residual(16, 16)", "no idea", "neither a shape"),
    ("block-shapes", "Residual(16, 16)", torch.zeros(2, 16, 15, 15), "its shape is asked for"),
    (
        "block-shapes",
        "Residual(16, 16, stride=3, project=True)",
        (2, 16, 5.67, 5.67),
        "5.67 in a shape; expected whole",
    ),
    ("block-shapes", "Residual(16, 16)", (16,), "it has 1 number;"),
]

WRONG["residual"] = [
    Slip("F.relu(y + self.shortcut(x))", "F.relu(y) + self.shortcut(x)",
         "last ReLU comes before the addition"),
    Slip("F.relu(y + self.shortcut(x))", "F.relu(F.relu(y) + self.shortcut(x))",
         "a ReLU between the last batch normalisation and the addition"),
    Slip("F.relu(y + self.shortcut(x))", "y + self.shortcut(x)", "nothing happens after"),
    Slip("F.relu(y + self.shortcut(x))", "F.relu(y)", "the input is not added"),
    Slip("channels, 1, stride, bias=False", "channels, 1, bias=False",
         "Only one convolution has a stride"),
    Slip("channels, channels, 3, padding=1", "channels, channels, 3, stride, padding=1",
         "it shrinks twice"),
    Slip("                nn.BatchNorm2d(channels),\n            )", "            )",
         "the projection has no batch normalisation"),
    Slip("if stride != 1 or in_channels != channels:", "if True:",
         "although the shape is kept"),
    Slip("if stride != 1 or in_channels != channels:", "if in_channels != channels:",
         "must match the size"),
    Slip("return F.relu(y + self.shortcut(x))", "x += y\n        return F.relu(x)", "in place"),
    Slip("y = F.relu(self.bn1(self.conv1(x)))\n        y = self.bn2(self.conv2(y))",
         "y = F.relu(self.bn1(self.conv1(x)))\n        z = torch.sigmoid(y)\n"
         "        z2 = z * z\n        z += 1\n        y = self.bn2(self.conv2(y)) + 0 * z2.mean()",
         "a value that they need was changed in place"),
    Slip("self.bn2(self.conv2(y))", "self.conv2(y)",
         "last convolution has no batch normalisation"),
    Slip("y = F.relu(self.bn1(self.conv1(x)))", "y = self.bn1(self.conv1(x))",
         "a ReLU between two convolutions"),
    Slip("self.bn2(self.conv2(y))", "self.bn1(self.conv2(y))",
         r"one BatchNorm2d is used 2 times \(at bn1\)"),
    Slip("self.bn2(self.conv2(y))", "self.bn2(self.conv2(y)).detach()", "does not use conv1"),
    Slip("y = self.bn2", "with torch.no_grad():\n            y = self.bn2", "no gradient reaches"),
    Slip("channels, 1, stride, bias=False", "channels, 3, stride, padding=1, bias=False",
         "weights of shape"),
    Slip("F.relu(y + self.shortcut(x))", "F.gelu(y + self.shortcut(x))",
         r"not the right activations and poolings.\s+It has 1 GELU, which does not belong here.\s+"
         "It has 1 ReLU, fewer than needed"),
    Slip("nn.BatchNorm2d(channels)", "nn.BatchNorm2d(channels, eps=1e-3)", r"with eps=0.001"),
    Slip("def forward(", "def foward(", "has no method forward.*\n.*a method foward. Is the name"),
    Slip("    def forward(self, x):\n        y = F.relu(self.bn1(self.conv1(x)))\n"
         "        y = self.bn2(self.conv2(y))\n        return",
         "        def forward(self, x):\n            y = F.relu(self.bn1(self.conv1(x)))\n"
         "            y = self.bn2(self.conv2(y))\n            return",
         "Residual has no method forward.*\n.*inside __init__. How far is its `def` indented"),
    Slip("    def forward(self, x):\n        y = F.relu(self.bn1(self.conv1(x)))\n"
         "        y = self.bn2(self.conv2(y))\n        return",
         "def forward(self, x):\n    y = F.relu(self.bn1(self.conv1(x)))\n"
         "    y = self.bn2(self.conv2(y))\n    return",
         "Residual has no method forward.*\n.*Is it in the class"),
    Slip("        self.shortcut = nn.Sequential()\n", "        self.shortcut = nn.Sequential()\n"
         "        self.conv3 = nn.Conv2d(channels, channels, 1)\n"
         "        self.conv2.register_forward_hook(lambda _, __, y: y + 0 * self.conv3(y))\n",
         "with other layers"),
    Slip("F.relu(y + self.shortcut(x))", "F.relu(torch.cat([y, self.shortcut(x)], 1))",
         "returns shape"),
]  # fmt: skip

RIGHT["residual"] = [
    # a path that is a function made in __init__
    "class Residual(nn.Module):\n"
    "    def __init__(self, i, o, s=1):\n"
    "        super().__init__()\n"
    "        self.a, self.n = nn.Conv2d(i, o, 3, s, 1), nn.BatchNorm2d(o)\n"
    "        self.b, self.m = nn.Conv2d(o, o, 3, 1, 1), nn.BatchNorm2d(o)\n"
    "        self.way = lambda x: x\n"
    "        if s != 1 or i != o:\n"
    "            self.p, self.q = nn.Conv2d(i, o, 1, s), nn.BatchNorm2d(o)\n"
    "            self.way = lambda x: self.q(self.p(x))\n"
    "        self.path = lambda x: self.m(self.b(self.n(self.a(x)).relu()))\n"
    "    def forward(self, x):\n"
    "        return (self.path(x) + self.way(x)).relu()",
    # another order, other names, biases, everything in Sequentials
    "class Residual(nn.Module):\n"
    "    def __init__(self, i, o, s=1):\n"
    "        super().__init__()\n"
    "        same = s == 1 and i == o\n"
    "        self.way = nn.Identity() if same else nn.Sequential(nn.Conv2d(i, o, 1, s),\n"
    "            nn.BatchNorm2d(o))\n"
    "        self.end = nn.ReLU(inplace=True)\n"
    "        self.body = nn.Sequential(nn.Conv2d(i, o, 3, s, 1), nn.BatchNorm2d(o), nn.ReLU(),\n"
    "            nn.Conv2d(o, o, 3, 1, 1), nn.BatchNorm2d(o))\n"
    "    def forward(self, image):\n"
    "        return self.end(self.way(image) + self.body(image))",
    # convolutions as functions of parameters
    "class Residual(nn.Module):\n"
    "    def __init__(self, i, o, s=1):\n"
    "        super().__init__()\n"
    "        self.s, same = s, s == 1 and i == o\n"
    "        self.a = nn.Parameter(torch.randn(o, i, 3, 3))\n"
    "        self.b = nn.Parameter(torch.randn(o, o, 3, 3))\n"
    "        self.p = None if same else nn.Parameter(torch.randn(o, i, 1, 1))\n"
    "        self.bn = nn.ModuleList(nn.BatchNorm2d(o) for _ in range(2 if same else 3))\n"
    "    def forward(self, x):\n"
    "        y = self.bn[0](F.conv2d(x, self.a, None, self.s, 1)).relu()\n"
    "        y = self.bn[1](F.conv2d(y, self.b, None, 1, 1))\n"
    "        return (y + (x if self.p is None else\n"
    "            self.bn[2](F.conv2d(x, self.p, None, self.s)))).relu()",
    # a function that returns a module with lazy layers, which adds in place to what is its own
    "class Lazy(nn.Module):\n"
    "    def __init__(self, keeps, o, s):\n"
    "        super().__init__()\n"
    "        self.a, self.b = nn.LazyConv2d(o, 3, s, 1), nn.LazyConv2d(o, 3, 1, 1)\n"
    "        self.n, self.m = nn.LazyBatchNorm2d(), nn.LazyBatchNorm2d()\n"
    "        if not keeps:\n"
    "            self.p, self.q = nn.LazyConv2d(o, 1, s), nn.LazyBatchNorm2d()\n"
    "        self.keeps = keeps\n"
    "    def forward(self, x):\n"
    "        y = self.m(self.b(self.n(self.a(x)).relu_()))\n"
    "        y += x if self.keeps else self.q(self.p(x))\n"
    "        return y.clamp_(min=0)\n"
    "def Residual(i, o, s=1):\n"
    "    return Lazy(i == o and s == 1, o, s)",
]

WRONG["stride-match"] = [
    Slip('if max(height, width) > 2:\n        return "error"',
         'if max(height, width) > 1:\n        return "error"', "PyTorch can add these"),
    Slip('"right" if max(height, width) == 1 else "wrong"', '"right"', "many pixels as it should"),
    Slip('"right" if max(height, width) == 1 else "wrong"', '"wrong"', "shapes different"),
    Slip("max(height, width) > 2", "min(height, width) > 2", "stretches axes of length 1"),
    Slip("max(height, width) > 2", "height % 2 or width % 2", r"outcome\(1, 1\)"),
    Slip('return "error"', "return None", 'expected "right"'),
]  # fmt: skip

RIGHT["stride-match"] = [
    "def axis(n):\n    return {1: 0, 2: 1}.get(n, 2)\n"
    "def outcome(height, width):\n"
    '    return ["right", "wrong", "error"][max(axis(height), axis(width))]',
    "import torch\ndef outcome(h, w):\n    small = torch.ones((h + 1) // 2, (w + 1) // 2)\n"
    "    try:\n        out = small + torch.ones(h, w)\n"
    '    except RuntimeError:\n        return "error"\n'
    '    return "right" if out.shape == small.shape else "wrong"',
]

RIGHT["stride-match"] += [
    "def outcome(height, width):\n    n = max(height, width)\n"
    '    return "Right" if n == 1 else "WRONG " if n == 2 else "Error"',
]

WRONG["padding-projection"] = [
    Slip("torch.eye(channels, in_channels)", "torch.eye(in_channels, channels)",
         "channels that come out are first"),
    Slip("torch.eye(channels, in_channels)", "torch.ones(channels, in_channels)",
         "new channels are not zero"),
    Slip("torch.eye(channels, in_channels)", "torch.eye(channels, in_channels).flip(1)",
         "do not come out as they are"),
    Slip("torch.eye(channels, in_channels)", "torch.eye(channels, in_channels).flip(0)",
         "not (zero|handed on)"),
    Slip("[:, :, None, None]", "", "expected"),
    Slip("torch.eye(channels, in_channels)", "torch.eye(channels, in_channels).long()",
         "whole numbers"),
    Slip("return torch.eye(channels, in_channels)",
         "return torch.eye(channels, in_channels).roll((channels - in_channels) // 2, 0)",
         "begin at channel 1. On which side"),
]  # fmt: skip

RIGHT["padding-projection"] = [
    "def weights(i, o):\n    w = torch.zeros(o, i, 1, 1)\n    for c in range(i):\n"
    "        w[c, c] = 1\n    return w",
    "from torch import nn\ndef weights(i, o):\n"
    "    return nn.init.dirac_(nn.Conv2d(i, o, 1).weight)",
]

WRONG["broken-block"] = [
    Slip("return changes.index(max(changes))", "return broken.index(max(broken))",
         "where the gradient is largest"),
    Slip("return changes.index(max(changes))",
         "return max(range(20), key=lambda i: abs(broken[i] - healthy[i]))", "largest|differ most"),
    Slip("return changes.index(max(changes))", "return changes.index(max(changes)) + 1",
         "One too far"),
    Slip("return changes.index(max(changes))", "return 19",
         "What does one block do to the gradient"),
    Slip("return changes.index(max(changes))", "return None", "expected a number"),
]  # fmt: skip

RIGHT["broken-block"] = [
    "import numpy as np\ndef find(h, b):\n"
    "    return np.abs(np.diff(np.log(b)) - np.diff(np.log(h))).argmax()",
    "def find(h, b):\n    r = torch.tensor(b).log() - torch.tensor(h).log()\n"
    "    return (r[1:] - r[:-1]).abs().argmax()",
]

WRONG["batch-norm"] = [
    Slip("x.var((0, 2, 3), correction=0)", "x.var((0, 2, 3))", "divides by M, not by M - 1"),
    Slip("correction=1", "correction=0", "running_var takes the unbiased"),
    Slip("lerp_(unbiased, self.momentum)", "lerp_(unbiased, 1 - self.momentum)", "too much"),
    Slip("if self.training:", "if True:", "evaluation mode: expected the running averages"),
    Slip("if self.training:", "if not self.training:", "not by the running averages"),
    Slip("x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)",
         "x.mean((0, 2, 3)).detach(), x.var((0, 2, 3), correction=0).detach()",
         "gradient of the input is another"),
    Slip("x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)", "x.mean(), x.var(correction=0)",
         "each channel has a mean of its own|raised"),
    Slip("self.weight / torch.sqrt(var + self.eps)", "self.weight / (var + self.eps)", "root"),
    Slip("            self.running_mean.lerp_(mean.detach(), self.momentum)\n", "",
         "running_mean has not moved"),
    Slip("        self.bias = nn.Parameter(torch.zeros(channels))\n", "        self.bias = 0\n",
         "raised|no parameter bias"),
    Slip("self.register_buffer(\"running_var\", torch.ones(channels))",
         "self.running_var = torch.ones(channels)", "no buffer running_var"),
    Slip("class BatchNorm(nn.Module):", "class BatchNorm(nn.BatchNorm2d):\n    pass\n\n\n"
         "class Other(nn.Module):", "PyTorch's own layer"),
    Slip('"scores of an image": "b"', '"scores of an image": "a"', "Which mean is subtracted"),
    Slip('"running averages": "c"', '"running averages": "b"', "Is it an optimiser"),
]  # fmt: skip

RIGHT["batch-norm"] = [
    # by sums, with averages that are replaced
    "class BatchNorm(nn.Module):\n"
    "    def __init__(self, n, eps=1e-5, momentum=0.1):\n        super().__init__()\n"
    "        self.weight, self.bias = nn.Parameter(torch.ones(n)), nn.Parameter(torch.zeros(n))\n"
    "        self.register_buffer('running_mean', torch.zeros(n))\n"
    "        self.register_buffer('running_var', torch.ones(n))\n"
    "        self.eps, self.m = eps, momentum\n"
    "    def forward(self, x):\n        c = x.shape[1]\n"
    "        rows = x.transpose(0, 1).reshape(c, -1)\n        m = rows.shape[1]\n"
    "        mean, var = self.running_mean, self.running_var\n        if self.training:\n"
    "            mean = rows.sum(1) / m\n"
    "            var = ((rows - mean[:, None]) ** 2).sum(1) / m\n"
    "            with torch.no_grad():\n"
    "                self.running_mean = (1 - self.m) * self.running_mean + self.m * mean\n"
    "                more = m / (m - 1) * var\n"
    "                self.running_var = (1 - self.m) * self.running_var + self.m * more\n"
    "        y = (x - mean.view(1, c, 1, 1)) / (var.view(1, c, 1, 1) + self.eps) ** 0.5\n"
    "        return y * self.weight.view(1, c, 1, 1) + self.bias.view(1, c, 1, 1)\n"
    'answers = {"scores of an image": "(B)", "running averages": "C"}',
    # with PyTorch's counter of batches beside it
    "class BatchNorm(nn.Module):\n"
    "    def __init__(self, n, eps=1e-5, momentum=0.1):\n        super().__init__()\n"
    "        self.weight, self.bias = nn.Parameter(torch.ones(n)), nn.Parameter(torch.zeros(n))\n"
    "        self.register_buffer('running_mean', torch.zeros(n))\n"
    "        self.register_buffer('running_var', torch.ones(n))\n"
    "        self.register_buffer('num_batches_tracked', torch.tensor(0))\n"
    "        self.e, self.m = eps, momentum\n"
    "    def forward(self, x):\n        y = x.permute(0, 2, 3, 1)\n        if self.training:\n"
    "            self.num_batches_tracked += 1\n"
    "            flat = y.reshape(-1, y.shape[-1])\n"
    "            var, mean = torch.var_mean(flat, 0, correction=0)\n"
    "            m = len(flat)\n"
    "            self.running_mean += self.m * (mean.detach() - self.running_mean)\n"
    "            self.running_var += self.m * (var.detach() * m / (m - 1) - self.running_var)\n"
    "        else:\n            var, mean = self.running_var, self.running_mean\n"
    "        y = self.weight * (y - mean) * torch.rsqrt(var + self.e) + self.bias\n"
    "        return y.permute(0, 3, 1, 2)\n"
    'answers = {"scores of an image": "b", "running averages": "c"}',
]

RIGHT["batch-norm"] += [
    """\
class BatchNorm(nn.Module):
    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps, self.momentum = eps, momentum
        for name, start in (("weight", 1.0), ("bias", 0.0)):
            self.register_parameter(name, nn.Parameter(torch.full((channels,), start)))
        for name, start in (("mean", 0.0), ("var", 1.0)):
            self.register_buffer("running_" + name, torch.full((channels,), start))
    def forward(self, x):
        if self.training:
            mu = x.mean(dim=(0, 2, 3), keepdim=True)
            v = (x - mu).square().mean(dim=(0, 2, 3), keepdim=True)
            m = x.numel() / x.shape[1]
            with torch.no_grad():
                self.running_mean.mul_(1 - self.momentum).add_(self.momentum * mu.flatten())
                more = v.flatten() * m / (m - 1)
                self.running_var.mul_(1 - self.momentum).add_(self.momentum * more)
        else:
            mu, v = (b.reshape(1, -1, 1, 1) for b in (self.running_mean, self.running_var))
        y = torch.einsum("nchw,c->nchw", (x - mu) / (v + self.eps).sqrt(), self.weight)
        return y + self.bias.reshape(1, -1, 1, 1)
answers = {"scores of an image": "b", "running averages": "c"}
""",
]

WRONG["batch-norm"] += [
    Slip("self.eps, self.momentum = eps, momentum", "self.eps, self.momentum = 1e-5, momentum",
         r"BatchNorm\(5, 0\.3, 0\.4\), training mode, batch 1: the argument eps is not used"),
    Slip("self.eps, self.momentum = eps, momentum", "self.eps, self.momentum = eps, 0.1",
         r"running_mean moves as with a momentum of 0\.1; the argument is not used"),
    Slip("torch.sqrt(var + self.eps)", "(torch.sqrt(var) + self.eps)", "inside of the root"),
]  # fmt: skip

WRAPPED = (
    "class BatchNorm(nn.Module):\n    def __init__(self, channels, eps=1e-5, momentum=0.1):\n"
    "        super().__init__()\n        bn = nn.BatchNorm2d(channels, eps, momentum)\n"
    "        self.hidden, self.weight, self.bias = [bn], bn.weight, bn.bias\n"
    "        self.register_buffer('running_mean', bn.running_mean)\n"
    "        self.register_buffer('running_var', bn.running_var)\n"
    "    def forward(self, x):\n        return self.hidden[0].train(self.training)(x)\n\n\n"
    "class Other(nn.Module):\n    def __init__(self, channels, eps=1e-5, momentum=0.1):\n"
)
WRONG["batch-norm"] += [
    Slip("        return x * scale[:, None, None] + shift[:, None, None]",
         "        return nn.functional.batch_norm(x, mean, var, self.weight, self.bias)",
         "calls PyTorch's own batch normalisation"),
    Slip("class BatchNorm(nn.Module):\n"
         "    def __init__(self, channels, eps=1e-5, momentum=0.1):\n", WRAPPED,
         "calls PyTorch's own batch normalisation"),
    Slip("x.detach().var((0, 2, 3), correction=1)",
         "x.detach().var((0, 2, 3), correction=0) * (m := len(x) * x.shape[2] ** 2) / (m - 1)",
         "running_var takes another M than N H W"),
    # of evaluation mode alone
    Slip("        scale = self.weight", "        if not self.training:\n"
         "            mean.lerp_(x.mean((0, 2, 3)).detach(), 0.1)\n        scale = self.weight",
         "the running averages move; they should stay"),
    Slip("        scale = self.weight",
         "        if not self.training:\n            mean = mean[:, None, None]\n"
         "            return (x - mean) / (var + self.eps)[:, None, None].sqrt()\n"
         "        scale = self.weight",
         "evaluation mode: weight and bias are missing"),
    Slip("var + self.eps", "var + self.eps * self.training",
         "evaluation mode: eps is missing, or is not the argument"),
    Slip("        return x *", "        shift = shift + (not self.training)\n        return x *",
         "evaluation mode: not the right output"),
]  # fmt: skip
WRONG["broken-block"] += [
    # the largest rise for the largest drop
    Slip("abs(math.log(b / h))", "math.log(b / h)", "the altered one passes on less"),
]
