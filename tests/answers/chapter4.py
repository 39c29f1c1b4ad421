"""Wrong and right answers to the exercises of chapter 4; see `answers`."""

from __future__ import annotations

from slips import Number, Shape, Slip

RIGHT: dict[str, list[str]] = {}
WRONG: dict[str, list[Slip]] = {}
CHOICES: list[str] = []
NUMBERS: list[Number] = [
    ("count-50", "stage1", 215_808 - 64 * 256 - 512, "64 channels come in and 256 go out"),
    ("count-50", "stage2", 1_219_584 - 1024, "batch normalisation, too"),
    ("count-50", "stage3", 3 * 7_098_368, "too large"),
    ("count-50", "fc", 513_000, "how many channels"),
    ("cost-v15", "stage2", 9 * 128 * 128 * (56**2 - 28**2), "same size in both forms"),
    ("count-50", "stage3", 6 * (17 * 256**2 + 12 * 256), "differs from the others"),
    ("cost-v15", "stage1", 256 * 64 * 56**2, "any block of the first stage"),
    ("cost-v15", "stage2", 256 * 128 * 56**2, "how much more"),
    ("cost-v15", "stage3", 512 * 256 * 28**2 // 2, "half in height and half in width"),
    ("how-narrow", "share of the 3x3 at e = 1", 0.9, "two 1x1"),
    ("how-narrow", "e with equal shares", 9, "two 1x1"),
    ("how-narrow", "middle at e = 8 for the cost of 64 at e = 4", 32, "only the 1x1"),
    ("how-narrow", "middle at e = 8 for the cost of 64 at e = 4", 74.6, "counted alike"),
    ("how-narrow", "middle at e = 8 for the cost of 64 at e = 4", 37.3, "counted alike"),
    ("count-50", "stem", 9_536 + 2 * 64, "only two of them are trained"),
    ("count-50", "stage1", 215_808 + 2 * (3 * 384 + 256), "only two of them are trained"),
    ("count-50", "total", 25_557_032 + 53_120, "only two of them are trained"),
    # multiplications and additions counted apart
    ("cost-v15", "stage2", 4 * 77_070_336, "Only the first block of a stage has"),
    ("cost-v15", "stage3", 4 * 77_070_336, "in proportion to the pixels that come out"),
    ("cost-v15", "stage3", 6 * 77_070_336, "only the first block of a stage has a stride"),
    ("cost-v15", "stage2", 2 * 77_070_336, "a multiplication with its addition counted as one"),
    ("cost-v15", "total", 2 * 231_211_008, "a multiplication with its addition counted as one"),
]
SHAPES: list[Shape] = []

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
         r"make\(152\).*\n.*linear layer has weights of shape \(999, 2048\)"),
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
