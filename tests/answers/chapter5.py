"""Wrong and right answers to the exercises of chapter 5; see `answers`."""

from __future__ import annotations

from slips import Number, Shape, Slip

RIGHT: dict[str, list[str]] = {}
WRONG: dict[str, list[Slip]] = {}
CHOICES: list[str] = ["preact-identity", "preact-forgotten"]
NUMBERS: list[Number] = [
    ("preact-forgotten", "a", 128, "more, or fewer"),
    ("preact-forgotten", "b", 768, "the first stage has a projection"),
    ("preact-forgotten", "c", 2, "too large"),
    ("preact-forgotten", "a", -4 * 64, "only two of them are trained"),
    ("preact-forgotten", "b", 4 * 448, "only two of them are trained"),
]
SHAPES: list[Shape] = []

WRONG["preact-bottleneck"] = [
    Slip("self.project(a)", "self.project(x)", "the projection gets the raw input"),
    Slip("(x if self.project", "(a if self.project", "carries the activated input"),
    Slip("self.project(a))", "self.project(a)).relu()", "It has 4 ReLUs, more than needed"),
    Slip("return y + (x if self.project is None else self.project(a))",
         "return F.relu(y + (x if self.project is None else self.project(a)))",
         "a ReLU after the addition"),
    Slip("self.project = nn.Conv2d(in_channels, wide, 1, stride, bias=False)",
         "self.project = nn.Sequential(nn.Conv2d(in_channels, wide, 1, stride, bias=False), "
         "nn.BatchNorm2d(wide))", "batch normalisation of its own"),
    Slip("a = F.relu(self.bn1(x))", "a = self.bn1(x)", "no ReLU behind it"),
    Slip("a = F.relu(self.bn1(x))", "a = F.relu(self.bn1(F.relu(x, inplace=True)))", "in place"),
    Slip("channels, 1, stride, bias=False)\n        self.bn2 = nn.BatchNorm2d(channels)\n"
         "        self.conv2 = nn.Conv2d(channels, channels, 3, padding",
         "channels, 1, 1, bias=False)\n        self.bn2 = nn.BatchNorm2d(channels)\n"
         "        self.conv2 = nn.Conv2d(channels, channels, 3, stride, padding",
         "stride is on the 3x3"),
    Slip("return y + ", "return y * 0 + ", "other outputs"),
    Slip("self.project(a))", "self.project(F.relu(self.bn1(x))))",
         "the BatchNorm2d bn1 is called 2 times on the same input. Call it once"),
]  # fmt: skip

RIGHT["preact-bottleneck"] = [
    "class PreActBottleneck(nn.Module):\n"
    "    def __init__(self, i, c, s=1):\n        super().__init__()\n"
    "        self.first = nn.Sequential(nn.BatchNorm2d(i), nn.ReLU(True))\n"
    "        self.short = nn.Conv2d(i, 4 * c, 1, s) if s != 1 or i != 4 * c else None\n"
    "        self.rest = nn.Sequential(nn.Conv2d(i, c, 1, s), nn.BatchNorm2d(c), nn.ReLU(True),\n"
    "            nn.Conv2d(c, c, 3, 1, 1), nn.BatchNorm2d(c), nn.ReLU(),\n"
    "            nn.Conv2d(c, 4 * c, 1))\n"
    "    def forward(self, x):\n"
    "        a = self.first(x)\n"
    "        return (self.short(a) if self.short is not None else x) + self.rest(a)",
    "def PreActBottleneck(i, c, s=1):\n"
    "    class Unit(nn.Module):\n"
    "        def __init__(self):\n            super().__init__()\n"
    "            self.c = nn.ModuleList([nn.LazyConv2d(c, 1, s), nn.LazyConv2d(c, 3, 1, 1),\n"
    "                nn.LazyConv2d(4 * c, 1)])\n"
    "            self.n = nn.ModuleList([nn.BatchNorm2d(w) for w in (i, c, c)])\n"
    "            self.p = None if s == 1 and i == 4 * c else nn.Conv2d(i, 4 * c, 1, s)\n"
    "        def forward(self, x):\n"
    "            y, short = x, x\n"
    "            for k in range(3):\n"
    "                y = self.n[k](y).relu()\n"
    "                if k == 0 and self.p is not None:\n                    short = self.p(y)\n"
    "                y = self.c[k](y)\n"
    "            return short + y\n"
    "    return Unit()",
]

WRONG["preact-network"] = [
    Slip("def make(n):\n",
         "def make(n):\n    return resnet.cifar_resnet(6 * n + 2, preact=True)\n",
         "the book's own network"),
    Slip("        nn.BatchNorm2d(64),\n        nn.ReLU(),\n        nn.Ad", "        nn.Ad",
         "the last BN and ReLU are missing"),
    Slip("        nn.BatchNorm2d(64),\n        nn.ReLU(),\n        nn.Ad",
         "        nn.BatchNorm2d(64),\n        nn.Ad", "no ReLU behind it"),
    Slip("    blocks[0].before = nn.Identity()\n", "", "activates what the stem has activated"),
    Slip("        nn.BatchNorm2d(16),\n        nn.ReLU(),\n", "", "the stem has no BN and ReLU"),
    Slip("resnet.PreActBasicBlock", "resnet.BasicBlock", "original blocks|does not compute"),
    Slip(', shortcut="A"', "", "projections"),
    Slip("2 if channels > 16 and i == 0", "2 if i == 0", "Compare strides"),
    Slip("for i in range(n)", "for i in range(2)", r"make\(1\)"),
    Slip("            width = channels\n",
         "            width = channels\n            blocks[-1] = blocks[-i] if i else blocks[-1]\n",
         r"make\(3\).*one PreActBasicBlock is used 2 times"),
    Slip("padding=1, bias=False", "padding=1", "stem's convolution has a bias"),
    Slip("return nn.Sequential(",
         "return nn.Sequential(resnet.cifar_resnet(6 * n + 2, preact=True))\n    nn.Sequential(",
         "the book's own network"),
]  # fmt: skip

RIGHT["preact-network"] = [
    "class Net(nn.Module):\n"
    "    def __init__(self, n):\n        super().__init__()\n"
    "        self.fc, self.last = nn.Linear(64, 10), nn.BatchNorm2d(64)\n"
    "        widths = [16] * n + [32] * n + [64] * n\n"
    "        self.blocks = nn.ModuleList(resnet.PreActBasicBlock(a, b, 1 if a == b else 2,\n"
    "            shortcut='A') for a, b in zip([16] + widths, widths))\n"
    "        self.blocks[0].before = nn.Identity()\n"
    "        self.bn = nn.BatchNorm2d(16)\n"
    "        self.conv = nn.Conv2d(3, 16, 3, padding=1, bias=False)\n"
    "    def forward(self, x):\n        x = self.bn(self.conv(x)).relu()\n"
    "        for block in self.blocks:\n            x = block(x)\n"
    "        return self.fc(self.last(x).relu().mean((2, 3)))\n"
    "make = Net",
    # its first block's own activation in the place of the stem's
    "def make(n):\n"
    "    net = nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1, bias=False))\n"
    "    for a, b in zip([16] * (n + 1) + [32] * n + [64] * (n - 1),\n"
    "                    [16] * n + [32] * n + [64] * n):\n"
    "        net.append(resnet.PreActBasicBlock(a, b, b // a, shortcut='A'))\n"
    "    net.insert(1, net[1].before)\n    net[2].before = nn.Identity()\n"
    "    return net.extend([nn.BatchNorm2d(64), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),\n"
    "        nn.Linear(64, 10)])",
]

WRONG["learned-factor"] = [
    Slip("(upstream * x).sum()", "(upstream * x).mean()", "Sum, not mean"),
    Slip("(upstream * x).sum()", "(upstream * (x + branch)).sum()", "Does the branch depend"),
    Slip("(upstream * x).sum()", "(factor * upstream * x).sum()", "no factor left"),
    Slip("(upstream * x).sum()", "x.sum()", "derivative of the loss by the output is missing"),
    Slip("(upstream * x).sum().item()", "(upstream * x).sum((0, 2, 3))", "one number"),
    Slip("(upstream * x).sum().item()", "(upstream * x).sum().item() / len(x)", "not averaged"),
]  # fmt: skip

RIGHT["learned-factor"] = [
    "def factor_gradient(x, branch, factor, upstream):\n"
    "    f = torch.tensor(float(factor), requires_grad=True)\n"
    "    (f * x + branch).backward(upstream)\n    return f.grad",
    "def factor_gradient(x, branch, factor, upstream):\n"
    "    return (x * upstream).sum((0, 1, 2, 3), keepdim=True)",
    "def factor_gradient(x, branch, factor, upstream):\n"
    "    return torch.einsum('nchw,nchw->', x, upstream)",
]

WRONG["stochastic-depth"] = [
    Slip("torch.zeros_like(y)", "torch.zeros_like(x)", "returns shape"),
    Slip("torch.rand(()) < self.keep", "torch.rand(()) > self.keep", "probability of staying"),
    Slip("self.keep * self.branch(x)", "self.branch(x)", "full size"),
    Slip("self.keep * self.branch(x)", "(1 - self.keep) * self.branch(x)",
         "probability of staying"),
    Slip("return y if torch.rand(()) < self.keep else torch.zeros_like(y)",
         "return y * (torch.rand_like(y) < self.keep)", "neither the branch nor zeros"),
    Slip("return y if torch.rand(()) < self.keep else torch.zeros_like(y)",
         "return y * (torch.rand(len(y), 1, 1, 1) < self.keep)", "whole batch"),
    Slip("return y if torch.rand(()) < self.keep", "return y / self.keep if torch.rand(()) < "
         "self.keep", "divides by keep"),
    Slip("self.branch, self.keep = branch, keep",
         "self.keep = keep\n        self.branch = lambda x: branch(x)", "as a part"),
    Slip("        y = self.branch(x)",
         "        with torch.no_grad():\n            y = self.branch(x)", "no gradient reaches"),
    Slip("def forward(", "def forwards(", "StochasticBranch has no method forward"),
    Slip("return y if torch.rand(()) < self.keep else torch.zeros_like(y)", "return y",
         "drawn anew at every call"),
    Slip("self.branch, self.keep = branch, keep",
         "self.branch = branch\n        self.keep = nn.Parameter(torch.tensor(float(keep)))",
         "a parameter besides the branch's, keep"),
]  # fmt: skip

RIGHT["stochastic-depth"] = [
    "import random\n"
    "class StochasticBranch(nn.Module):\n"
    "    def __init__(self, branch, keep):\n        super().__init__()\n"
    "        self.parts, self.p = nn.ModuleList([branch]), keep\n"
    "    def forward(self, x):\n        y = self.parts[0](x)\n"
    "        if self.training:\n            return y * (random.random() < self.p)\n"
    "        return y * self.p",
    "class StochasticBranch(nn.Sequential):\n"
    "    def __init__(self, branch, keep):\n        super().__init__(branch)\n"
    "        self.register_buffer('keep', torch.tensor(float(keep)))\n"
    "    def forward(self, x):\n"
    "        y = super().forward(x)\n"
    "        return torch.bernoulli(self.keep) * y if self.training else self.keep * y",
]
