"""Wrong and right answers to the exercises of chapters 3 to 5; see `answers`."""

from __future__ import annotations

from answers import Slip

RIGHT: dict[str, list[str]] = {}
WRONG: dict[str, list[Slip]] = {}

STAGES = (
    "def stage(i, o, n, s):\n"
    "    return [resnet.BasicBlock(i if j == 0 else o, o, s if j == 0 else 1) for j in range(n)]\n"
)
WRONG["resnet34"] = [
    Slip("stage(64, 64, 3, stride=1),\n        stage2=stage(64, 128, 4, stride=2),\n"
         "        stage3=stage(128, 256, 6, stride=2),\n        stage4=stage(256, 512, 3",
         "stage(64, 64, 2, stride=1),\n        stage2=stage(64, 128, 2, stride=2),\n"
         "        stage3=stage(128, 256, 2, stride=2),\n        stage4=stage(256, 512, 2",
         "layers of ResNet-18"),
    Slip("            nn.MaxPool2d(3, stride=2, padding=1),\n", "", "max pooling of the stem"),
    Slip("            nn.ReLU(),\n", "", "the stem has no ReLU"),
    Slip("stage(64, 64, 3, stride=1)", "stage(64, 64, 3, stride=2)", "first stage has a stride"),
    Slip("stage(128, 256, 6", "stage(128, 256, 5", "convolutions, fewer than needed"),
    Slip("resnet.BasicBlock(in_channels, channels, stride)",
         'resnet.BasicBlock(in_channels, channels, stride, shortcut="A")', "projections"),
    Slip("nn.Linear(512, 1000)", "nn.Linear(512, 10)", "returns shape"),
    Slip("net = nn.Sequential", "net = lambda *a: nn.Sequential", "the function"),
]  # fmt: skip
RIGHT["resnet34"] = [
    STAGES + "layers = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(),\n"
    "    nn.MaxPool2d(3, 2, 1)]\n"
    "layers += stage(64, 64, 3, 1) + stage(64, 128, 4, 2) + stage(128, 256, 6, 2)\n"
    "net = nn.Sequential(*layers, *stage(256, 512, 3, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(),\n"
    "    nn.Linear(512, 1000))",
    # an own block with biases, and a forward pass of its own
    "class Block(nn.Module):\n    def __init__(self, i, o, s):\n        super().__init__()\n"
    "        self.way = nn.Identity() if i == o else nn.Sequential(nn.Conv2d(i, o, 1, s),\n"
    "            nn.BatchNorm2d(o))\n"
    "        self.body = nn.Sequential(nn.Conv2d(i, o, 3, s, 1), nn.BatchNorm2d(o), nn.ReLU(),\n"
    "            nn.Conv2d(o, o, 3, 1, 1), nn.BatchNorm2d(o))\n"
    "    def forward(self, x):\n        return (self.way(x) + self.body(x)).relu()\n"
    "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        widths = [64] * 3 + [128] * 4 + [256] * 6 + [512] * 3\n"
    "        self.conv = nn.Conv2d(3, 64, 7, 2, 3, bias=False)\n"
    "        self.bn = nn.BatchNorm2d(64)\n"
    "        self.blocks = nn.ModuleList(Block(i, o, 1 if i == o else 2)\n"
    "            for i, o in zip([64] + widths, widths))\n"
    "        self.fc = nn.Linear(512, 1000)\n"
    "    def forward(self, x):\n"
    "        x = nn.functional.max_pool2d(self.bn(self.conv(x)).relu(), 3, 2, 1)\n"
    "        for block in self.blocks:\n            x = block(x)\n"
    "        return self.fc(x.mean((2, 3)))\n"
    "net = Net()",
    # lazy layers, handed over before they have seen an image
    "class Block(nn.Module):\n    def __init__(self, o, s, same):\n        super().__init__()\n"
    "        self.way = nn.Identity() if same else nn.Sequential(nn.LazyConv2d(o, 1, s),\n"
    "            nn.LazyBatchNorm2d())\n"
    "        self.body = nn.Sequential(nn.LazyConv2d(o, 3, s, 1), nn.LazyBatchNorm2d(),\n"
    "            nn.ReLU(), nn.LazyConv2d(o, 3, 1, 1), nn.LazyBatchNorm2d())\n"
    "    def forward(self, x):\n        return (self.way(x) + self.body(x)).relu()\n"
    "layers = [nn.LazyConv2d(64, 7, 2, 3, bias=False), nn.LazyBatchNorm2d(), nn.ReLU(),\n"
    "    nn.MaxPool2d(3, 2, 1)]\n"
    "for o, n in ((64, 3), (128, 4), (256, 6), (512, 3)):\n"
    "    layers += [Block(o, 1 if j or o == 64 else 2, j or o == 64) for j in range(n)]\n"
    "net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(1000))",
]
WRONG["resnet34"] += [
    Slip("net = nn.Sequential(", "net = resnet.resnet34()\nother = nn.Sequential(",
         "the book's own network"),
    Slip("stage(64, 128, 4, stride=2)", "stage(64, 128, 4, stride=1)", "Compare strides"),
    Slip("padding=3, bias=False", "padding=3", "stem's convolution has a bias"),
    Slip("net = nn.Sequential(", "import torchvision\nnet = torchvision.models.resnet34()\n"
         "other = nn.Sequential(", "torchvision's own network"),
    Slip("net = nn.Sequential(", "net = nn.Sequential(resnet.resnet34())\nother = nn.Sequential(",
         "the book's own network"),
    Slip("*(resnet.BasicBlock(channels, channels) for _ in range(blocks - 1))",
         "*[resnet.BasicBlock(channels, channels)] * (blocks - 1)",
         r"one BasicBlock is used 2 times \(at stage1.1, stage1.2\)"),
    Slip("        resnet.BasicBlock(in_channels, channels, stride),\n"
         "        *(resnet.BasicBlock(channels, channels) for _ in range(blocks - 1))",
         "        *[resnet.BasicBlock(in_channels, channels, stride)] * blocks",
         "one BasicBlock is used 3 times"),
    Slip("nn.MaxPool2d(", "nn.AvgPool2d(",
         r"1 average pooling, which does not belong here.\s+It has 0 max poolings, fewer"),
    Slip("net = nn.Sequential(", "class Net(nn.Module):\n    def foward(self, x):\n"
         "        return x\nnet = Net()\nother = nn.Sequential(", "a method foward"),
    Slip("net = nn.Sequential(", "net = nn.ModuleList([nn.Conv2d(3, 64, 7)])\n"
         "other = nn.Sequential(", "ModuleList has no method forward.*\n.*containers"),
]  # fmt: skip

WRONG["count-18"] = [
    Slip("    total += 2 * blocks * 2 * channels", "    #", "normalisations are missing"),
    Slip("total += 2 * blocks * 2 * channels", "total += 2 * blocks * channels", "two numbers"),
    Slip("    if in_channels != channels:", "    if False:", "the projection is missing"),
    Slip("+ 2 * channels  # the projection", "", "projection has a batch normalisation, too"),
    Slip("    if in_channels != channels:", "    if True:", "no projection where"),
    Slip("total = 9 * in_channels", "total = 9 * channels", "another number of channels coming"),
    Slip("return total", "return total + 2 * blocks * channels", "no biases"),
    Slip("return total", "return str(total)", "expected a number"),
    Slip("blocks * 2 * channels", "blocks * 4 * channels", "four numbers per channel, but"),
]
RIGHT["count-18"] = [
    "def parameters(i, c, n):\n"
    "    with torch.device('meta'):\n"
    "        blocks = [resnet.BasicBlock(i, c, 1 if i == c else 2)]\n"
    "        blocks += [resnet.BasicBlock(c, c) for _ in range(n - 1)]\n"
    "    return sum(map(resnet.count_parameters, blocks))",
    "import numpy as np\ndef parameters(i, c, n):\n"
    "    block = lambda a: 9 * a * c + 9 * c * c + 4 * c + (a != c) * (a * c + 2 * c)\n"
    "    return np.int64(block(i) + (n - 1) * block(c))",
]

WRONG["small-stem"] = [
    Slip("    net.stem", "    net = resnet.resnet18(10, 1)\n    net.stem", "another network"),
    Slip("64, 3, padding=1", "64, 3", "Compare strides, paddings"),
    Slip("        nn.ReLU(),\n    )", "        nn.ReLU(),\n        nn.MaxPool2d(3, 2, 1),\n    )",
         "max pooling is still there"),
    Slip("nn.Conv2d(1, 64, 3, padding=1", "nn.Conv2d(1, 64, 3, 2, padding=1", "still has stride 2"),
    Slip("        nn.ReLU(),\n", "", "new stem has no ReLU"),
    Slip("        nn.BatchNorm2d(64),\n", "", "no batch normalisation"),
    Slip("    net.stem = nn.Sequential(", "    stem = nn.Sequential(", "stem as it was"),
    Slip("    return net", "", "is None"),
    Slip("    net.stem = nn.Sequential(\n        nn.Conv2d(1, 64, 3, padding=1, bias=False),\n"
         "        nn.BatchNorm2d(64),\n        nn.ReLU(),\n    )",
         "    net.conv1 = nn.Conv2d(1, 64, 3, padding=1, bias=False)\n"
         "    net.maxpool = nn.Identity()", "new parts: conv1, maxpool.*behind fc"),
    Slip("nn.Conv2d(1, 64, 3, padding=1", "nn.Conv2d(3, 64, 3, padding=1", "number of channels"),
]  # fmt: skip
RIGHT["small-stem"] = [
    "def with_small_stem(net):\n"
    "    net.stem.conv = nn.Conv2d(1, 64, 3, 1, 1)\n"
    "    net.stem.maxpool = nn.Identity()\n    return net",
    "class Whole(nn.Module):\n"
    "    def __init__(self, net):\n        super().__init__()\n"
    "        self.a, self.b = nn.Conv2d(1, 64, 3, 1, 1), nn.BatchNorm2d(64)\n"
    "        self.rest = nn.Sequential(*list(net.children())[1:])\n"
    "    def forward(self, x):\n        return self.rest(self.b(self.a(x)).relu())\n"
    "with_small_stem = Whole",
]

WRONG["seeds"] = [
    Slip("math.ceil(", "round(", r"\(0.5, 0.4\) is 5.*large enough"),
    Slip("8 * (", "4 * (", "errors of both"),
    Slip("8 * (", "2 * (", "Two errors are asked for"),
    Slip("math.ceil(8 * (deviation / difference) ** 2)", "8 * (deviation / difference) ** 2",
         "A number of runs is whole|at least 2"),
    Slip("max(2, math.ceil(8 * (deviation / difference) ** 2))",
         "math.ceil(8 * (deviation / difference) ** 2)", "at least 2"),
    Slip("math.ceil(", "math.floor(", "Round so"),
    Slip("(deviation / difference) ** 2", "deviation / difference", "root of n"),
]  # fmt: skip
RIGHT["seeds"] = [
    "def runs_needed(difference, deviation):\n    n = 2\n"
    "    while difference < 2 * math.sqrt(2 * deviation**2 / n) - 1e-12:\n        n += 1\n"
    "    return n",
    "import numpy as np\ndef runs_needed(d, s):\n    return np.ceil(max(2.0, 8 * s * s / (d * d)))",
]
RIGHT["seeds"] += [  # n >= 8 (s / d)^2, written in other ways
    f"def runs_needed(d, s):\n    return max(2, math.ceil({form}))"
    for form in (
        "8 * s**2 / d**2", "(2 * math.sqrt(2) * s / d)**2", "(math.sqrt(8) * s / d)**2",
        "(8**0.5 * s / d)**2", "(2 * 2**0.5 * s / d)**2", "(2 * math.sqrt(2 * s**2) / d)**2",
        "4 * math.sqrt(2 * s**2)**2 / d**2", "2 * (2 * s / d)**2", "(math.sqrt(2) * 2 * s / d)**2",
        "(s / d * math.sqrt(8))**2", "8 / (d / s)**2", "(d / (s * 8**0.5))**-2",
        "math.sqrt(8 * s**2 / d**2)**2", "8 * math.exp(2 * math.log(s / d))",
        "4 * (s**2 + s**2) / d**2", "(2 * math.hypot(s, s) / d)**2", "2 * s**2 / (d / 2)**2",
    )
]  # fmt: skip

WRONG["keras-blocks"] = [
    Slip("        self.shortcut = nn.Sequential(\n", "        self.shortcut = nn.Identity() if (s, "
         "in_channels) == (1, filters[-1]) else nn.Sequential(\n", "there always"),
    Slip("F.relu(self.path(x) + x)", "F.relu(self.path(x)) + x", "comes before the addition"),
    Slip("f1, f2, f, padding=f // 2", "f1, f2, 3, padding=1", "size from f"),
    Slip("f1, f2, f, padding=f // 2", "f1, f2, f, padding=1", "must match the size"),
    Slip("filters[-1], 1, s)", "filters[-1], 1)", "Only one convolution has a stride"),
    Slip("            nn.BatchNorm2d(filters[-1]),\n", "", "projection has no batch"),
    Slip("nn.Conv2d(in_channels, f1, 1, s),", "nn.Conv2d(in_channels, f1, 1),",
         "Only one convolution has a stride"),
    Slip("f1, 1, s)", "f1, 1)", "Only one convolution|middle"),
    Slip("F.relu(self.path(x) + self.shortcut(x))", "self.path(x) + self.shortcut(x)",
         "nothing happens after"),
]  # fmt: skip
RIGHT["keras-blocks"] = [
    "class Path(nn.Module):\n"
    "    def __init__(self, i, filters, f, s=None):\n        super().__init__()\n"
    "        a, b, c = filters\n"
    "        self.short = nn.Sequential(nn.Conv2d(i, c, 1, s), nn.BatchNorm2d(c)) if s else None\n"
    "        self.c1, self.b1 = nn.Conv2d(i, a, 1, s or 1, bias=False), nn.BatchNorm2d(a)\n"
    "        self.c2 = nn.Conv2d(a, b, f, padding='same', bias=False)\n"
    "        self.b2 = nn.BatchNorm2d(b)\n"
    "        self.c3, self.b3 = nn.Conv2d(b, c, 1, bias=False), nn.BatchNorm2d(c)\n"
    "    def forward(self, x):\n        s = x if self.short is None else self.short(x)\n"
    "        y = self.b2(self.c2(self.b1(self.c1(x)).relu())).relu()\n"
    "        return (self.b3(self.c3(y)) + s).relu()\n"
    "IdentityBlock = ConvolutionalBlock = Path",
    # with the eps and the momentum that the articles' layers have
    "from functools import partial\n"
    "BN = partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)\n"
    "class Block(nn.Module):\n"
    "    def __init__(self, i, filters, f, s=None):\n        super().__init__()\n"
    "        a, b, c = filters\n"
    "        self.way = nn.Sequential(nn.Conv2d(i, c, 1, s), BN(c)) if s else nn.Identity()\n"
    "        self.body = nn.Sequential(nn.Conv2d(i, a, 1, s or 1), BN(a), nn.ReLU(),\n"
    "            nn.Conv2d(a, b, f, padding=f // 2), BN(b), nn.ReLU(), nn.Conv2d(b, c, 1), BN(c))\n"
    "    def forward(self, x):\n        return (self.way(x) + self.body(x)).relu()\n"
    "IdentityBlock = ConvolutionalBlock = Block",
    "def layers(i, filters, f, s=1):\n"
    "    a, b, c = filters\n"
    "    return nn.Sequential(nn.Conv2d(i, a, 1, s), nn.BatchNorm2d(a), nn.ReLU(True),\n"
    "        nn.Conv2d(a, b, f, 1, (f - 1) // 2), nn.BatchNorm2d(b), nn.ReLU(True),\n"
    "        nn.Conv2d(b, c, 1), nn.BatchNorm2d(c))\n"
    "class Sum(nn.Module):\n"
    "    def __init__(self, *ways):\n        super().__init__()\n"
    "        self.ways = nn.ModuleList(ways)\n"
    "    def forward(self, x):\n        return F.relu(sum(way(x) for way in self.ways))\n"
    "def IdentityBlock(i, filters, f):\n    return Sum(nn.Identity(), layers(i, filters, f))\n"
    "def ConvolutionalBlock(i, filters, f, s):\n"
    "    short = nn.Sequential(nn.Conv2d(i, filters[2], 1, s), nn.BatchNorm2d(filters[2]))\n"
    "    return Sum(short, layers(i, filters, f, s))",
]

WRONG["bottleneck"] = [
    Slip("channels, 1, bias=False),\n            nn.BatchNorm2d(channels),\n"
         "            nn.ReLU(),\n            nn.Conv2d(channels, channels, 3, stride",
         "channels, 1, stride, bias=False),\n            nn.BatchNorm2d(channels),\n"
         "            nn.ReLU(),\n            nn.Conv2d(channels, channels, 3, 1",
         "this is v1"),
    Slip("channels, 1, bias=False),\n            nn.BatchNorm2d(channels),",
         "channels, 1, stride, bias=False),\n            nn.BatchNorm2d(channels),",
         "it shrinks twice"),
    Slip("wide, 1, stride, bias=False", "wide, 1, bias=False", "Only one convolution"),
    Slip("                nn.BatchNorm2d(wide),\n            )", "            )",
         "projection has no batch normalisation"),
    Slip("F.relu(self.branch(x) + self.shortcut(x))", "self.branch(x).relu() + self.shortcut(x)",
         "before the addition"),
    Slip("if stride != 1 or in_channels != wide", "if stride != 1 or in_channels != channels",
         "although the shape is kept|must match"),
    Slip("wide = 4 * channels", "wide = channels", "returns shape|must match"),
    Slip("def forward(", "def froward(", "Bottleneck has no method forward"),
    Slip("            nn.BatchNorm2d(wide),\n        )\n        self.shortcut", "        )\n"
         "        self.shortcut", "last convolution has no batch normalisation"),
]  # fmt: skip
RIGHT["bottleneck"] = [
    "class Bottleneck(nn.Module):\n"
    "    def __init__(self, i, c, stride=1):\n        super().__init__()\n"
    "        self.down = (nn.Sequential(nn.Conv2d(i, 4 * c, 1, stride), nn.BatchNorm2d(4 * c))\n"
    "            if i != 4 * c or stride > 1 else None)\n"
    "        self.c, self.b, self.a = nn.Conv2d(c, 4 * c, 1), nn.Conv2d(c, c, 3, stride, 1), "
    "nn.Conv2d(i, c, 1)\n"
    "        self.n = nn.ModuleList(nn.BatchNorm2d(w) for w in (4 * c, c, c))\n"
    "    def forward(self, x):\n"
    "        y = self.n[2](self.a(x)).relu()\n        y = self.n[1](self.b(y)).relu()\n"
    "        y = self.n[0](self.c(y))\n"
    "        return (y + (x if self.down is None else self.down(x))).relu()",
    "from torchvision.models.resnet import Bottleneck as B\n"
    "def Bottleneck(i, c, s=1):\n"
    "    p = nn.Sequential(nn.Conv2d(i, 4 * c, 1, s, bias=False), nn.BatchNorm2d(4 * c))\n"
    "    return B(i, c, s, None if i == 4 * c and s == 1 else p)",
]

MAKE = """\
def make(depth):
    block, factor = (
        (resnet.Bottleneck, 4) if depth >= 50 else (resnet.BasicBlock, 1)
    )
"""
LATE = """\
class Late(resnet.BasicBlock):
    def forward(self, x):
        y, s = self.branch(x), self.shortcut(x)
        return {}


def make(depth):
    block, factor = (resnet.Bottleneck, 4) if depth >= 50 else (Late, 1)
"""
WRONG["table-1"] = [
    Slip("def make(depth):\n", "def make(depth):\n    return resnet.imagenet_resnet(depth)\n",
         "the book's own network"),
    Slip("34: (3, 4, 6, 3)", "34: (2, 2, 2, 2)", r"make\(34\) has the layers of ResNet-18"),
    Slip("101: (3, 4, 23, 3)", "101: (3, 4, 22, 3)", r"It has 101 convolutions"),
    Slip("if depth >= 50", "if depth >= 500", "is made of bottlenecks"),
    Slip("2 if i > 0 and j == 0", "2 if j == 0", "images of the right size|more than needed"),
    Slip("        maxpool=nn.MaxPool2d(3, stride=2, padding=1),\n", "", "max pooling"),
    Slip("width = factor * channels", "width = channels", "more than needed"),
    Slip("width, 1000)", "width, 1000 - depth // 152)",
         r"make\(152\).*\n.*linear layers has weights of shape \(999, 2048\)"),
    Slip(MAKE, LATE.format("(y.relu() + s)"), r"make\(18\).*other outputs"),
    Slip(MAKE, LATE.format("(y * s).relu()"), r"make\(18\).*other outputs"),
    Slip("block(width, channels, stride)\n",
         "block(width, channels, stride)\n            if j > 1:\n"
         "                parts[f'stage{i + 1}-{j + 1}'] = parts[f'stage{i + 1}-2']\n",
         r"make\(34\).*one BasicBlock is used 2 times \(at stage1-2, stage1-3\)"),
    Slip("stride=2, padding=3, bias=False", "stride=2, padding=3", "stem's convolution has a bias"),
    Slip("return nn.Sequential(parts)", "return nn.Sequential(resnet.imagenet_resnet(depth))",
         "the book's own network"),
    Slip("nn.MaxPool2d(", "nn.AvgPool2d(", "It has 1 average pooling, which does not belong here"),
    Slip("def make(depth):", "def make(depth):\n    depth = {152: 101}.get(depth, depth)",
         "has the layers of ResNet-101"),
]  # fmt: skip
RIGHT["table-1"] = [
    "def make(depth):\n"
    "    kind = resnet.Bottleneck if depth > 34 else resnet.BasicBlock\n"
    "    layers = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(),\n"
    "        nn.MaxPool2d(3, 2, 1)]\n"
    "    width = 64\n"
    "    counts = {18: '2222', 34: '3463', 50: '3463', 101: '34N3', 152: '38a3'}[depth]\n"
    "    for c, n in zip((64, 128, 256, 512), counts):\n"
    "        for j in range({'N': 23, 'a': 36}.get(n) or int(n)):\n"
    "            layers.append(kind(width, c, 1 if j or c == 64 else 2))\n"
    "            width = c * kind.expansion\n"
    "    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(),\n"
    "        nn.Linear(width, 1000))",
    # the stride of torchvision's bottlenecks, moved; and something that meta tensors cannot do
    "import torch, torchvision\n"
    "def make(depth):\n"
    "    if depth == 18:\n        float(torch.zeros(()))\n"
    "    net = getattr(torchvision.models, f'resnet{depth}')()\n"
    "    for m in net.modules():\n"
    "        if type(m).__name__ == 'Bottleneck':\n"
    "            m.conv1.stride, m.conv2.stride = m.conv2.stride, (1, 1)\n"
    "    return net",
]

WRONG["resnext"] = [
    Slip("if stride != 1 or in_channels != out_channels", "if in_channels != out_channels",
         "must match the size"),
    Slip("groups=groups, bias=False", "bias=False", "is not grouped"),
    Slip("nn.Conv2d(width, out_channels, 1, bias=False)",
         "nn.Conv2d(width, out_channels, 1, groups=groups, bias=False)", "more than the 3x3"),
    Slip("nn.Conv2d(in_channels, width, 1, bias=False)",
         "nn.Conv2d(in_channels, width, 1, stride, bias=False)", "it shrinks twice"),
    Slip("nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)",
         "nn.Conv2d(in_channels, out_channels, 1, bias=False)", "Only one convolution"),
    Slip("F.relu(self.branch(x) + self.shortcut(x))", "F.relu(self.branch(x)) + self.shortcut(x)",
         "before the addition"),
    Slip("groups=groups, bias", "groups=2, bias", "weights of shape|does not compute"),
]  # fmt: skip
RIGHT["resnext"] = [
    "class Grouped(nn.Module):\n"
    "    def __init__(self, i, w, o, stride=1, groups=32):\n        super().__init__()\n"
    "        self.p = nn.Conv2d(i, o, 1, stride) if stride != 1 or i != o else None\n"
    "        self.q = nn.BatchNorm2d(o) if self.p else None\n"
    "        self.a, self.b = nn.Conv2d(i, w, 1), nn.Conv2d(w, w, 3, stride, 1, 1, groups)\n"
    "        self.c, self.z = nn.Conv2d(w, o, 1), nn.BatchNorm2d(o)\n"
    "        self.x, self.y = nn.BatchNorm2d(w), nn.BatchNorm2d(w)\n"
    "    def forward(self, x):\n"
    "        s = self.q(self.p(x)) if self.p else x\n"
    "        y = self.y(self.b(self.x(self.a(x)).relu())).relu()\n"
    "        return (s + self.z(self.c(y))).relu()",
    "from torchvision.models.resnet import Bottleneck\n"
    "def Grouped(i, w, o, stride=1, groups=32):\n"
    "    p = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))\n"
    "    b = Bottleneck(i, 4, stride, None if i == o and stride == 1 else p)\n"
    "    b.conv1, b.bn1, b.bn2 = nn.Conv2d(i, w, 1), nn.BatchNorm2d(w), nn.BatchNorm2d(w)\n"
    "    b.conv2 = nn.Conv2d(w, w, 3, stride, 1, groups=groups)\n"
    "    b.conv3, b.bn3 = nn.Conv2d(w, o, 1), nn.BatchNorm2d(o)\n"
    "    return b",
]

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
